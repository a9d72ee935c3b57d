//! dW = dW + Σ dz·uᵀ over the columns of a sequence, and db = db + Σ dz.
//!
//! Plain form: [`plain::outer`](super::plain::outer), once a column, time descending, then batch
//! ascending. The fast form departs from it in three ways:
//!
//! 1. *Rows in vectors.* The lanes of a vector are rows of one column of dW.
//! 2. *A tile of sums in registers.* P vectors of rows × C columns of dW are loaded once, gather
//!    the products of all columns of the sequence, and are stored once.
//!
//!    ```text
//!                       u[k₀]  u[k₁]  …  u[k_C₋₁]    each in all lanes of a vector
//!    dz[i ‥]             Σ₀₀    Σ₀₁   …              Σ in registers, from the last step to the first
//!    dz[i + lanes ‥]     Σ₁₀    Σ₁₁   …
//!    ```
//! 3. *A column twice.* Where fewer columns of dW than a tile has are left, the last one is
//!    computed as often as needed.

use crate::Real;
use crate::arch::{self, Columns, Edge, Pairs, Part, Registers, Run, Steps, Vector, Whole};
use crate::shape::{part, part_mut};
use crate::tuning::{sixteen, thirty_two};

/// dW = dW + Σ dz·uᵀ over so many steps. Where the u of the first step stands elsewhere, in
/// `first`, those in u begin with the second.
#[inline(always)]
pub(crate) fn outer<V: Vector>(
    dw: &mut [V::Scalar],
    dz: &Steps<V::Scalar>,
    u: &Steps<V::Scalar>,
    first: Option<&[V::Scalar]>,
    steps: usize,
) {
    match V::REGISTERS {
        Registers::ThirtyTwo => {
            tiles::<V, { thirty_two::OUTER.0 }, { thirty_two::OUTER.1 }>(dw, dz, u, first, steps);
        }
        Registers::Sixteen => {
            tiles::<V, { sixteen::OUTER.0 }, { sixteen::OUTER.1 }>(dw, dz, u, first, steps);
        }
        Registers::Scalars => one_by_one::<V>(dw, dz, u, first, steps),
    }
}

/// All rows of dW, P vectors at a time; then one, then what is left.
#[inline(always)]
fn tiles<V: Vector, const P: usize, const C: usize>(
    dw: &mut [V::Scalar],
    dz: &Steps<V::Scalar>,
    u: &Steps<V::Scalar>,
    first: Option<&[V::Scalar]>,
    steps: usize,
) {
    let rows = dz.at.rows;
    let mut i = 0;
    while rows - i >= P * V::LANES {
        across::<V, Whole, P, C>(dw, dz, u, first, steps, i, Whole);
        i += P * V::LANES;
    }
    while P > 1 && rows - i >= V::LANES {
        across::<V, Whole, 1, C>(dw, dz, u, first, steps, i, Whole);
        i += V::LANES;
    }
    if i < rows {
        across::<V, Part, 1, C>(dw, dz, u, first, steps, i, Part::of::<V>(rows - i));
    }
}

/// Rows i .. of all columns of dW.
#[inline(always)]
fn across<V: Vector, E: Edge, const P: usize, const C: usize>(
    dw: &mut [V::Scalar],
    dz: &Steps<V::Scalar>,
    u: &Steps<V::Scalar>,
    first: Option<&[V::Scalar]>,
    steps: usize,
    i: usize,
    edge: E,
) {
    let columns = u.at.rows;
    let mut k = 0;
    while k < columns {
        let left = columns - k;
        k += if left >= C {
            tile::<V, E, P, C, false>(dw, dz, u, first, steps, i, k, edge)
        } else if C > 4 && left > 5 {
            tile::<V, E, P, C, true>(dw, dz, u, first, steps, i, k, edge)
        } else if left > 1 {
            tile::<V, E, P, 4, true>(dw, dz, u, first, steps, i, k, edge)
        } else {
            tile::<V, E, P, 1, false>(dw, dz, u, first, steps, i, k, edge)
        };
    }
}

/// Rows i .. of the columns k .. k + C of dW; says C. At the edge some of these columns are the
/// last one.
#[inline(always)]
fn tile<V: Vector, E: Edge, const P: usize, const C: usize, const EDGE: bool>(
    dw: &mut [V::Scalar],
    dz: &Steps<V::Scalar>,
    u: &Steps<V::Scalar>,
    first: Option<&[V::Scalar]>,
    steps: usize,
    i: usize,
    k: usize,
    edge: E,
) -> usize {
    let (rows, last) = (dz.at.rows, u.at.rows - 1);
    let mut starts = [0; C];
    for c in 0..C {
        starts[c] = last.min(k + c) * rows;
    }
    let mut sums: [[V; P]; C] = arch::load_columns(dw, starts, i, edge);
    arch::add_pairs(
        &mut sums,
        Pairs::<V, E, P, C, EDGE>::new(dz, u, first, steps, i, k, edge),
    );
    arch::store_columns(sums, dw, starts, i, edge);
    C
}

/// Without vectors: the plain form, once a column, for the rows that nothing better is there for.
///
/// The columns go in runs that stand evenly apart: the samples of a step; where there is one a
/// step, all steps down to the one whose u stands elsewhere.
#[inline(always)]
pub(super) fn one_by_one<V: Vector>(
    dw: &mut [V::Scalar],
    &Steps { all: dz, at: dz_at }: &Steps<V::Scalar>,
    &Steps { all: u, at: u_at }: &Steps<V::Scalar>,
    first: Option<&[V::Scalar]>,
    steps: usize,
) {
    let mut left = steps;
    while left > 0 {
        let (u, u_n) = match first {
            Some(first) if left == 1 => (first, 0),
            _ => {
                let step = left - 1 - first.is_some() as usize;
                (u, u_at.offset + step * u_at.stride)
            }
        };
        let steps = match (dz_at.per_step, first) {
            (1, Some(_)) if left > 1 => left - 1,
            (1, None) => left,
            _ => 1,
        };
        let run = |of, columns: Columns, at: usize| Run {
            of,
            rows: columns.rows,
            at,
            on: if steps > 1 {
                columns.stride.wrapping_neg()
            } else {
                columns.rows
            },
        };
        let dz = run(dz, dz_at, dz_at.offset + (left - 1) * dz_at.stride);
        let u = run(u, u_at, u_n);
        let count = steps * dz_at.per_step;
        let done = V::outer(dw, dz, u, count);
        if done < dz_at.rows {
            add_products(dw, dz, u, count, done);
        }
        left -= steps;
    }
}

/// dW = dW + Σ dz·uᵀ over `count` columns for the rows from `done` on.
#[inline(never)] // Or its loops would take stack where they are not needed.
pub(super) fn add_products<T: Real>(
    dw: &mut [T],
    dz: Run<T>,
    u: Run<T>,
    count: usize,
    done: usize,
) {
    let rows = dz.rows;
    for n in 0..count {
        let dz = dz.column(n).get(done..).unwrap_or_default();
        for (k, u) in u.column(n).iter().enumerate() {
            let column = part_mut(dw, k * rows + done, dz.len());
            for (sum, dz) in column.iter_mut().zip(dz) {
                *sum = *sum + *dz * *u;
            }
        }
    }
}

/// db = db + Σ dz over so many steps, in the same order.
#[inline(always)]
pub(crate) fn add_columns<V: Vector>(db: &mut [V::Scalar], dz: &Steps<V::Scalar>, steps: usize) {
    if V::REGISTERS == Registers::Scalars {
        return add_one_by_one(db, dz, steps);
    }
    let (rows, mut i) = (dz.at.rows, 0);
    while rows - i >= V::LANES {
        add_rows::<V, Whole>(db, dz, steps, i, Whole);
        i += V::LANES;
    }
    if i < rows {
        add_rows::<V, Part>(db, dz, steps, i, Part::of::<V>(rows - i));
    }
}

/// Without vectors: one column after the other.
#[inline(always)]
pub(super) fn add_one_by_one<T: Real>(
    db: &mut [T],
    &Steps { all: dz, at }: &Steps<T>,
    steps: usize,
) {
    for t in (0..steps).rev() {
        for m in 0..at.per_step {
            let dz = part(dz, at.offset + t * at.stride + m * at.rows, at.rows);
            for (sum, dz) in db.iter_mut().zip(dz) {
                *sum = *sum + *dz;
            }
        }
    }
}

/// A vector of rows of db from row i on.
#[inline(always)]
fn add_rows<V: Vector, E: Edge>(
    db: &mut [V::Scalar],
    dz: &Steps<V::Scalar>,
    steps: usize,
    i: usize,
    edge: E,
) {
    let [mut sum] = arch::load::<V, E, 1>(db, i, edge);
    for pair in Pairs::<V, E, 1, 1, false>::new(dz, dz, None, steps, i, 0, edge) {
        sum = sum + pair.dz(0);
    }
    arch::store([sum], db, i, edge);
}
