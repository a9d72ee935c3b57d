//! z = b + W·u for the columns of a sequence, and for one column.
//!
//! Plain form: [`plain::forward`](super::plain::forward), once a column. The fast form departs from
//! it in three ways:
//!
//! 1. *Rows in vectors.* The lanes of a vector are rows of one column of W, so the loop over r is
//!    inside the one over k.
//! 2. *A tile of sums in registers.* P vectors of rows × C columns of u are summed up together: one
//!    vector of W is loaded for C products, and each scalar of u for P.
//!
//!    ```text
//!                      u₀[k]  u₁[k]  …  u_C₋₁[k]     each in all lanes of a vector
//!    W[i ‥ , k]         Σ₀₀    Σ₀₁   …               Σ in registers, while k runs from 0 to K − 1
//!    W[i + lanes ‥, k]  Σ₁₀    Σ₁₁   …
//!    ```
//! 3. *A column twice.* Where fewer columns than a tile has are left, the last one is computed as
//!    often as needed: all sums are loaded before any is stored, so it comes to the same bits each
//!    time.

use crate::activation::Constants;
use crate::arch::{
    self, Columns, Edge, Gates, Panel, Part, Registers, Steps, StepsMut, Vector, Whole,
};
use crate::sequence::Weights;
use crate::shape::{part, part_mut};
use crate::tuning::{scalars, sixteen, thirty_two};

/// z = b + W·u for the columns n < `columns` of a sequence; without a bias, z = z + W·u.
#[inline(always)]
pub(crate) fn forward<V: Vector>(
    w: &[V::Scalar],
    bias: Option<&[V::Scalar]>,
    u: &Steps<V::Scalar>,
    z: StepsMut<V::Scalar>,
    columns: usize,
) {
    if V::REGISTERS == Registers::Scalars {
        return one_by_one::<V>(w, bias, u, z, columns);
    }
    if columns == 1 {
        let (u, rows) = (part(u.all, u.at.offset, u.at.rows), z.at.rows);
        let start = bias.map_or(Start::Z, Start::Bias);
        return column::<V>(w, rows, 0, u, start, part_mut(z.all, z.at.offset, rows));
    }
    let rows = z.at.rows;
    let product = Product {
        w,
        bias,
        u: u.all,
        u_at: u.at,
        z_at: z.at,
        columns,
    };
    if V::REGISTERS == Registers::ThirtyTwo && rows <= V::Half::LANES {
        // A layer that does not fill a vector is quicker in one of half the width.
        product.tiles::<V::Half, { sixteen::FORWARD.0 }, { sixteen::FORWARD.1 }>(z.all);
    } else if V::REGISTERS == Registers::ThirtyTwo {
        product.tiles::<V, { thirty_two::FORWARD.0 }, { thirty_two::FORWARD.1 }>(z.all);
    } else {
        product.tiles::<V, { sixteen::FORWARD.0 }, { sixteen::FORWARD.1 }>(z.all);
    }
}

/// Without vectors, where a tile of columns saves little: one column after the other.
#[inline(always)]
pub(super) fn one_by_one<V: Vector>(
    w: &[V::Scalar],
    bias: Option<&[V::Scalar]>,
    &Steps { all: u, at: u_at }: &Steps<V::Scalar>,
    StepsMut { all: z, at: z_at }: StepsMut<V::Scalar>,
    columns: usize,
) {
    let start = bias.map_or(Start::Z, Start::Bias);
    for (u_n, z_n) in u_at.each().zip(z_at.each()).take(columns) {
        let z = part_mut(z, z_n, z_at.rows);
        column::<V>(w, z_at.rows, 0, part(u, u_n, u_at.rows), start, z);
    }
}

/// All of a product but z.
#[derive(Clone, Copy)]
struct Product<'a, T> {
    w: &'a [T],
    bias: Option<&'a [T]>,
    u: &'a [T],
    u_at: Columns,
    z_at: Columns,
    columns: usize,
}

impl<T: Constants> Product<'_, T> {
    /// All rows of z, P vectors at a time; then one, then what is left.
    #[inline(always)]
    fn tiles<V: Vector<Scalar = T>, const P: usize, const C: usize>(&self, z: &mut [T]) {
        let rows = self.z_at.rows;
        let mut i = 0;
        while rows - i >= P * V::LANES {
            self.across::<V, Whole, P, C>(z, i, Whole);
            i += P * V::LANES;
        }
        while P > 1 && rows - i >= V::LANES {
            self.across::<V, Whole, 1, C>(z, i, Whole);
            i += V::LANES;
        }
        if i < rows {
            self.across::<V, Part, 1, C>(z, i, Part::of::<V>(rows - i));
        }
    }

    /// Rows i .. of all columns.
    #[inline(always)]
    fn across<V: Vector<Scalar = T>, E: Edge, const P: usize, const C: usize>(
        &self,
        z: &mut [T],
        i: usize,
        edge: E,
    ) {
        let mut n = 0;
        while n < self.columns {
            let left = self.columns - n;
            // Five columns are one tile of four and one, six are one of eight.
            n += if C > 4 && left > 5 {
                self.tile::<V, E, P, C>(z, i, n, edge)
            } else if left > 1 {
                self.tile::<V, E, P, 4>(z, i, n, edge)
            } else {
                self.tile::<V, E, P, 1>(z, i, n, edge)
            };
        }
    }

    /// Rows i .. of the columns n .. n + C; says C.
    #[inline(always)]
    fn tile<V: Vector<Scalar = T>, E: Edge, const P: usize, const C: usize>(
        &self,
        z: &mut [T],
        i: usize,
        n: usize,
        edge: E,
    ) -> usize {
        let rows = self.z_at.rows;
        let u_at: [usize; C] = self.u_at.starts(n, self.columns);
        let z_at: [usize; C] = self.z_at.starts(n, self.columns);
        let mut sums: [[V; P]; C] = match self.bias {
            Some(bias) => [arch::load(bias, i, edge); C],
            None => arch::load_columns(z, z_at, i, edge),
        };
        let u = (self.u, u_at, self.u_at.rows);
        for column in Panel::<V, E, 1, P, C>::new(Gates::one(self.w), rows, i, u, edge) {
            for p in 0..P {
                let w = column.w(0, p);
                for c in 0..C {
                    sums[c][p] = sums[c][p] + w * column.u(c);
                }
            }
        }
        arch::store_columns(sums, z, z_at, i, edge);
        C
    }
}

/// What a sum starts from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a, T> {
    /// The bias, of which these are all rows.
    Bias(&'a [T]),
    /// What z holds.
    Z,
}

/// z = z + W·u for one column and the rows from `first` on, as many as z has; or z = b + W·u.
///
/// There is one scalar of u for each vector of W, so nothing but the loads counts: P vectors of
/// rows of one column of W after the other, as long a run in memory as the registers have sums for.
#[inline(always)]
pub(crate) fn column<V: Vector>(
    w: &[V::Scalar],
    rows: usize,
    first: usize,
    u: &[V::Scalar],
    start: Start<V::Scalar>,
    z: &mut [V::Scalar],
) {
    match V::REGISTERS {
        Registers::ThirtyTwo => {
            column_in::<V, { thirty_two::COLUMN }>(w, rows, first, u, start, z);
        }
        Registers::Sixteen => column_in::<V, { sixteen::COLUMN }>(w, rows, first, u, start, z),
        Registers::Scalars => column_in::<V, { scalars::COLUMN }>(w, rows, first, u, start, z),
    }
}

/// z = b_q + Wx_q·x, the first part of the pre-activations of gate q, for the units from `first` on,
/// as many as z has.
#[inline(always)]
pub(crate) fn of_inputs<V: Vector>(
    weights: Weights<V::Scalar>,
    units: usize,
    q: usize,
    x: &[V::Scalar],
    first: usize,
    z: &mut [V::Scalar],
) {
    let wx = weights.wx.part(q, 0, units * x.len());
    let start = Start::Bias(weights.b.part(q, 0, units));
    column::<V>(wx, units, first, x, start, z);
}

/// z = z + Wa_q·a, the second part, for the same units; a is a⟨t−1⟩, or what stands in its place.
#[inline(always)]
pub(crate) fn add_recurrence<V: Vector>(
    weights: Weights<V::Scalar>,
    units: usize,
    q: usize,
    a: &[V::Scalar],
    first: usize,
    z: &mut [V::Scalar],
) {
    let wa = weights.wa.part(q, 0, units * units);
    column::<V>(wa, units, first, a, Start::Z, z);
}

#[inline(always)]
fn column_in<V: Vector, const P: usize>(
    w: &[V::Scalar],
    rows: usize,
    first: usize,
    u: &[V::Scalar],
    start: Start<V::Scalar>,
    z: &mut [V::Scalar],
) {
    let mut i = 0;
    while z.len() - i >= P * V::LANES {
        block::<V, Whole, P>(w, rows, first, u, start, z, i, Whole);
        i += P * V::LANES;
    }
    while P > 2 && z.len() - i >= 2 * V::LANES {
        block::<V, Whole, 2>(w, rows, first, u, start, z, i, Whole);
        i += 2 * V::LANES;
    }
    while P > 1 && z.len() - i >= V::LANES {
        block::<V, Whole, 1>(w, rows, first, u, start, z, i, Whole);
        i += V::LANES;
    }
    if V::REGISTERS == Registers::Scalars {
        while V::LANES > 1 && i < z.len() {
            block::<V::Half, Whole, 1>(w, rows, first, u, start, z, i, Whole);
            i += 1;
        }
    } else if i < z.len() {
        let edge = Part::of::<V>(z.len() - i);
        block::<V, Part, 1>(w, rows, first, u, start, z, i, edge);
    }
}

/// P vectors of z from i on.
#[inline(always)]
fn block<V: Vector, E: Edge, const P: usize>(
    w: &[V::Scalar],
    rows: usize,
    first: usize,
    u: &[V::Scalar],
    start: Start<V::Scalar>,
    z: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let sums: [V; P] = match start {
        Start::Bias(bias) => arch::load(bias, first + i, edge),
        Start::Z => arch::load(z, i, edge),
    };
    let [sums] = arch::add_columns([sums], Gates::one(w), rows, first + i, u, edge);
    arch::store(sums, z, i, edge);
}
