//! du = Σ_g W_gᵀ·dz_g for the columns of a sequence.
//!
//! Plain form: [`plain::transposed`](super::plain::transposed), once a column; where it is to add,
//! du = du + that. The fast form departs from it in three ways:
//!
//! 1. *16 partial sums side by side*, in one vector of 16 lanes, two of 8, or four of 4. Rows
//!    beyond the last one are zeros: a sum that starts at +0 is never −0, so adding ±0 changes
//!    nothing.
//! 2. *A tile of sums in registers.* Q entries of du × C columns: a block of 16 rows of a column of
//!    W is loaded for C products, one of dz for Q.
//!
//!    ```text
//!                        dz₀[i ‥ i + 16]  dz₁[i ‥]  …
//!    W[i ‥ i + 16, k]     Σ₀₀              Σ₀₁           Σ: 16 lanes each, while i runs over all rows of all gates
//!    W[i ‥ i + 16, k + 1] Σ₁₀              Σ₁₁
//!    ```
//! 3. *An entry twice.* Where fewer entries or columns than a tile has are left, the last one is
//!    computed as often as needed: what a sum is added to is loaded before any is stored.

use crate::activation::Constants;
use crate::arch::{Block, Blocks, Columns, Edge, Gates, Registers, Steps, StepsMut, Vector, sum};
use crate::shape::part_mut;
use crate::tuning::{sixteen, thirty_two};

/// du = Σ_g W_gᵀ·dz_g for the columns n < `columns` of a sequence, or du = du + Σ_g W_gᵀ·dz_g where
/// it is to `add`. The dz of gate g stand `gate` scalars after those of gate g − 1.
#[inline(always)]
pub(crate) fn transposed<V: Vector>(
    w: Gates<V::Scalar>,
    gates: usize,
    dz: &Steps<V::Scalar>,
    gate: usize,
    du: StepsMut<V::Scalar>,
    columns: usize,
    add: bool,
) {
    if V::REGISTERS == Registers::Scalars {
        return one_by_one::<V>(w, gates, dz, gate, du, columns, add);
    }
    let product = Product {
        w,
        gates,
        dz: dz.all,
        dz_at: dz.at,
        gate,
        du_at: du.at,
        columns,
        add,
    };
    if V::REGISTERS == Registers::ThirtyTwo {
        product.tiles::<V, { thirty_two::TRANSPOSED.0 }, { thirty_two::TRANSPOSED.1 }>(du.all);
    } else {
        product.tiles::<V, { sixteen::TRANSPOSED.0 }, { sixteen::TRANSPOSED.1 }>(du.all);
    }
}

/// Without vectors: one entry of a column after the other.
#[inline(always)]
pub(super) fn one_by_one<V: Vector>(
    w: Gates<V::Scalar>,
    gates: usize,
    &Steps { all: dz, at: dz_at }: &Steps<V::Scalar>,
    gate: usize,
    StepsMut { all: du, at: du_at }: StepsMut<V::Scalar>,
    columns: usize,
    add: bool,
) {
    let (rows, dz) = (
        dz_at.rows,
        Gates {
            all: dz,
            apart: gate,
        },
    );
    for (dz_n, du_n) in dz_at.each().zip(du_at.each()).take(columns) {
        let du = part_mut(du, du_n, du_at.rows);
        if !V::dots(w, (dz, dz_n), rows, gates, du, add) {
            for (k, du) in du.iter_mut().enumerate() {
                let sum = entry(w, k * rows, (dz, dz_n), rows, gates);
                *du = if add { *du + sum } else { sum };
            }
        }
    }
}

/// The entry whose column of W, and of dz, starts there in the first gate.
#[inline(never)] // Or its sums would take stack where `dots` does the work.
fn entry<T: Constants>(
    w: Gates<T>,
    w_at: usize,
    (dz, dz_at): (Gates<T>, usize),
    rows: usize,
    gates: usize,
) -> T {
    let mut sums = [T::ZERO; 16];
    for g in 0..gates {
        let (mut w, mut dz) = (w.part(g, w_at, rows), dz.part(g, dz_at, rows));
        while !w.is_empty() {
            for ((sum, w), dz) in sums.iter_mut().zip(w).zip(dz) {
                *sum = *sum + *w * *dz;
            }
            w = w.get(16..).unwrap_or_default();
            dz = dz.get(16..).unwrap_or_default();
        }
    }
    sum(&sums)
}

/// All of a product but du.
#[derive(Clone, Copy)]
struct Product<'a, T> {
    w: Gates<'a, T>,
    gates: usize,
    dz: &'a [T],
    dz_at: Columns,
    gate: usize,
    du_at: Columns,
    columns: usize,
    add: bool,
}

impl<T: Constants> Product<'_, T> {
    /// All columns, C at a time.
    #[inline(always)]
    fn tiles<V: Vector<Scalar = T>, const Q: usize, const C: usize>(&self, du: &mut [T]) {
        let mut n = 0;
        while n < self.columns {
            let left = self.columns - n;
            n += if C > 2 && left > 2 {
                self.down::<V, Q, C>(du, n)
            } else if C > 1 && left > 1 {
                self.down::<V, Q, 2>(du, n)
            } else {
                self.down::<V, Q, 1>(du, n)
            };
        }
    }

    /// All entries of the columns n .. n + C; says C.
    #[inline(always)]
    fn down<V: Vector<Scalar = T>, const Q: usize, const C: usize>(
        &self,
        du: &mut [T],
        n: usize,
    ) -> usize {
        let dz_at: [usize; C] = self.dz_at.starts(n, self.columns);
        let du_at: [usize; C] = self.du_at.starts(n, self.columns);
        for k in (0..self.du_at.rows).step_by(Q) {
            self.tile::<V::Sixteen, Q, C>(du, k, dz_at, du_at);
        }
        C
    }

    /// Entries k .. k + Q of C columns.
    #[inline(always)]
    fn tile<V: Vector<Scalar = T>, const Q: usize, const C: usize>(
        &self,
        du: &mut [T],
        k: usize,
        dz_at: [usize; C],
        du_at: [usize; C],
    ) {
        let (rows, last) = (self.dz_at.rows, self.du_at.rows - 1);
        let mut w_at = [0; Q];
        for q in 0..Q {
            w_at[q] = last.min(k + q) * rows;
        }
        let dz = Gates {
            all: self.dz,
            apart: self.gate,
        };
        let walk = Blocks::<V, Q, C>::new((self.w, w_at), (dz, dz_at), rows, self.gates);
        let mut sums = [[V::splat(V::Scalar::ZERO); Q]; C];
        for g in 0..walk.gates() {
            let (blocks, rest) = walk.gate(g);
            for block in blocks {
                sums = add_products(sums, block);
            }
            if let Some(rest) = rest {
                sums = add_products(sums, rest);
            }
        }
        // Four at a time are added up at once.
        let mut results = [[V::Scalar::ZERO; Q]; C];
        if Q * C % 4 == 0 {
            for first in (0..Q * C).step_by(4) {
                let four = [first, first + 1, first + 2, first + 3];
                let four_sums = V::sums([
                    sums[four[0] / Q][four[0] % Q],
                    sums[four[1] / Q][four[1] % Q],
                    sums[four[2] / Q][four[2] % Q],
                    sums[four[3] / Q][four[3] % Q],
                ]);
                for j in 0..4 {
                    results[four[j] / Q][four[j] % Q] = four_sums[j];
                }
            }
        } else {
            for c in 0..C {
                for q in 0..Q {
                    results[c][q] = sums[c][q].sum();
                }
            }
        }
        if self.add {
            for c in 0..C {
                for (q, result) in results[c].iter_mut().enumerate() {
                    if let Some(du) = du.get(du_at[c] + last.min(k + q)) {
                        *result = *du + *result;
                    }
                }
            }
        }
        for c in 0..C {
            for (q, result) in results[c].iter().enumerate() {
                if let Some(du) = du.get_mut(du_at[c] + last.min(k + q)) {
                    *du = *result;
                }
            }
        }
    }
}

/// Σ + W·dz for a block of rows of Q columns of W and C of dz.
#[inline(always)]
fn add_products<V: Vector, E: Edge, const Q: usize, const C: usize>(
    mut sums: [[V; Q]; C],
    block: Block<'_, V, E, Q, C>,
) -> [[V; Q]; C] {
    for c in 0..C {
        let dz = block.dz(c);
        for q in 0..Q {
            sums[c][q] = sums[c][q] + block.w(q) * dz;
        }
    }
    sums
}
