//! The three products of a layer, blocked so that sums stay in registers.
//!
//! | product | equation | order of each sum |
//! |---|---|---|
//! | [`forward`] | z = b + W·u | b, then the columns of W in ascending order |
//! | [`transposed`] | du = Σ Wᵀ·dz | partial sums, see [`dot`](Dots) |
//! | [`outer`] | dW = dW + dz·uᵀ | the pairs (dz, u) in the order in which they come |
//!
//! A block is a few rows by a few columns whose sums are kept in registers while the sum runs over the
//! third index. How large a block is changes how often an operand is loaded, never the order of a sum.
//! W is stored by columns, so a block of rows of one column is contiguous: the vectors run over
//! rows, and no product but the transposed one ever adds up the lanes of a vector.

use crate::{Matrix, Real};

/// A few scalars that are worked on at once: some rows of a column.
///
/// Plain arrays; the compiler turns each loop over the lanes into as few vector instructions as the target has.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const L: usize, T>([T; L]);

impl<const L: usize, T: Real> Lanes<L, T> {
    pub(crate) const ZERO: Self = Lanes([T::ZERO; L]);

    /// Rows i .. i + L of `column`.
    #[inline(always)]
    pub(crate) fn load<const R: usize>(column: &[T; R], i: usize) -> Self {
        // The blocks never reach beyond R; the compiler sees it and drops the other arm.
        match column.get(i..).and_then(|rows| rows.first_chunk()) {
            Some(rows) => Lanes(*rows),
            None => Self::ZERO,
        }
    }

    /// Writes rows i .. i + L of `column`.
    #[inline(always)]
    pub(crate) fn store<const R: usize>(self, column: &mut [T; R], i: usize) {
        if let Some(rows) = column.get_mut(i..).and_then(|rows| rows.first_chunk_mut()) {
            *rows = self.0;
        }
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [T; L] {
        self.0
    }

    #[inline(always)]
    pub(crate) fn from_array(lanes: [T; L]) -> Self {
        Lanes(lanes)
    }

    /// z + w·u, rounded after the product and after the sum.
    #[inline(always)]
    pub(crate) fn add_scaled(self, w: Self, u: T) -> Self {
        let mut z = self.0;
        for l in 0..L {
            z[l] = z[l] + w.0[l] * u;
        }
        Lanes(z)
    }

    /// z + w ⊙ d
    #[inline(always)]
    fn add_product(self, w: Self, d: Self) -> Self {
        let mut z = self.0;
        for l in 0..L {
            z[l] = z[l] + w.0[l] * d.0[l];
        }
        Lanes(z)
    }

    /// f of each lane.
    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(T) -> T) -> Self {
        let mut z = self.0;
        for l in 0..L {
            z[l] = f(z[l]);
        }
        Lanes(z)
    }

    /// The sum of the lanes: of the two halves lane by lane, until one is left.
    #[inline(always)]
    fn sum(self) -> T {
        match *self.0.as_slice() {
            [a] => a,
            [a, b] => a + b,
            [a, b, c, d] => (a + c) + (b + d),
            [a, b, c, d, e, f, g, h] => ((a + e) + (c + g)) + ((b + f) + (d + h)),
            _ => T::ZERO, // No product has partial sums of another width.
        }
    }
}

/// Work on an index range that is done in blocks of B indices.
pub(crate) trait Blocks {
    /// Works on the indices i .. i + B.
    fn block<const B: usize>(&mut self, i: usize);
}

/// Covers 0 .. N: blocks of B, then at most one each of 64, 32, …, 2, 1 for what is left.
///
/// B is a power of two, at most 128.
#[inline(always)]
pub(crate) fn in_blocks<const N: usize, const B: usize>(work: &mut impl Blocks) {
    const { assert!(B.is_power_of_two() && B <= 128) }
    for block in 0..N / B {
        work.block::<B>(block * B);
    }
    if B > 64 && N & 64 != 0 {
        work.block::<64>(N & !127);
    }
    if B > 32 && N & 32 != 0 {
        work.block::<32>(N & !63);
    }
    if B > 16 && N & 16 != 0 {
        work.block::<16>(N & !31);
    }
    if B > 8 && N & 8 != 0 {
        work.block::<8>(N & !15);
    }
    if B > 4 && N & 4 != 0 {
        work.block::<4>(N & !7);
    }
    if B > 2 && N & 2 != 0 {
        work.block::<2>(N & !3);
    }
    if B > 1 && N & 1 != 0 {
        work.block::<1>(N & !1);
    }
}

/// z + W·u for L rows of one column, the sum over the columns of W ascending.
#[inline(always)]
pub(crate) fn accumulate<const L: usize, const R: usize, const K: usize, T: Real>(
    z: Lanes<L, T>,
    w: &Matrix<R, K, T>,
    i: usize,
    u: &[T; K],
) -> Lanes<L, T> {
    let mut z = z;
    for k in 0..K {
        z = z.add_scaled(Lanes::load(&w.0[k], i), u[k]);
    }
    z
}

/// z = b + W·u for every pair (u, z) of columns; without a bias, z = z + W·u.
#[inline(always)]
pub(crate) fn forward<
    'a,
    const L: usize,
    const W: usize,
    const R: usize,
    const K: usize,
    T: Real,
>(
    w: &Matrix<R, K, T>,
    bias: Option<&Matrix<R, 1, T>>,
    mut columns: impl Iterator<Item = (&'a [T; K], &'a mut [T; R])>,
) {
    loop {
        match (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) {
            (Some(c0), Some(c1), Some(c2), Some(c3)) => {
                let (u, z) = ([c0.0, c1.0, c2.0, c3.0], [c0.1, c1.1, c2.1, c3.1]);
                in_blocks::<R, L>(&mut FourColumns { w, bias, u, z });
            }
            (c0, c1, c2, _) => {
                for (u, z) in [c0, c1, c2].into_iter().flatten() {
                    in_blocks::<R, W>(&mut OneColumn { w, bias, u, z });
                }
                return;
            }
        }
    }
}

struct FourColumns<'a, const R: usize, const K: usize, T> {
    w: &'a Matrix<R, K, T>,
    bias: Option<&'a Matrix<R, 1, T>>,
    u: [&'a [T; K]; 4],
    z: [&'a mut [T; R]; 4],
}

impl<const R: usize, const K: usize, T: Real> Blocks for FourColumns<'_, R, K, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let [u0, u1, u2, u3] = self.u;
        let [z0, z1, z2, z3] = &mut self.z;
        let start = |z: &[T; R]| Lanes::<B, T>::load(self.bias.map_or(z, |b| &b.0[0]), i);
        let (mut s0, mut s1, mut s2, mut s3) = (start(z0), start(z1), start(z2), start(z3));
        for k in 0..K {
            let w = Lanes::load(&self.w.0[k], i);
            s0 = s0.add_scaled(w, u0[k]);
            s1 = s1.add_scaled(w, u1[k]);
            s2 = s2.add_scaled(w, u2[k]);
            s3 = s3.add_scaled(w, u3[k]);
        }
        s0.store(z0, i);
        s1.store(z1, i);
        s2.store(z2, i);
        s3.store(z3, i);
    }
}

struct OneColumn<'a, const R: usize, const K: usize, T> {
    w: &'a Matrix<R, K, T>,
    bias: Option<&'a Matrix<R, 1, T>>,
    u: &'a [T; K],
    z: &'a mut [T; R],
}

impl<const R: usize, const K: usize, T: Real> Blocks for OneColumn<'_, R, K, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let start = Lanes::<B, T>::load(self.bias.map_or(self.z, |b| &b.0[0]), i);
        accumulate(start, self.w, i, self.u).store(self.z, i);
    }
}

/// du = Σ_g W_gᵀ·dz_g for every pair (dz, du), one column each, over G matrices of the same shape.
///
/// Each entry of du is a sum over G·R products. R is cut into blocks of 8 rows and, for what is left,
/// at most one block each of 4, 2 and 1. The blocks of 8 of all matrices go into 8 interleaved partial sums, one a
/// lane, each in ascending order of g, then of rows; the lanes are added up in halves. The blocks of 4, 2 and 1 likewise
/// have 4, 2 and 1 partial sums, and the four results are added in this order. The same on every target.
#[inline(always)]
pub(crate) fn transposed<'a, const G: usize, const R: usize, const K: usize, T: Real>(
    w: [&Matrix<R, K, T>; G],
    mut columns: impl Iterator<Item = ([&'a [T; R]; G], &'a mut [T; K])>,
) {
    loop {
        match (columns.next(), columns.next()) {
            (Some((dz0, du0)), Some((dz1, du1))) => {
                in_blocks::<K, 4>(&mut Dots {
                    w,
                    dz: [dz0, dz1],
                    du: [du0, du1],
                });
            }
            (c0, _) => {
                if let Some((dz0, du0)) = c0 {
                    in_blocks::<K, 8>(&mut Dots {
                        w,
                        dz: [dz0],
                        du: [du0],
                    });
                }
                return;
            }
        }
    }
}

/// The transposed product for N columns at once: entries k .. k + B of each du.
struct Dots<'a, const N: usize, const G: usize, const R: usize, const K: usize, T> {
    w: [&'a Matrix<R, K, T>; G],
    dz: [[&'a [T; R]; G]; N],
    du: [&'a mut [T; K]; N],
}

impl<const N: usize, const G: usize, const R: usize, const K: usize, T: Real>
    Dots<'_, N, G, R, K, T>
{
    /// The partial sums, P a dot product, of `count` blocks of P rows from row `first` on.
    #[inline(always)]
    fn partial<const P: usize, const B: usize>(
        &self,
        k: usize,
        first: usize,
        count: usize,
    ) -> [[Lanes<P, T>; B]; N] {
        let mut sums = [[Lanes::ZERO; B]; N];
        for g in 0..G {
            let Some(w) = self.w[g].0.get(k..).and_then(|w| w.first_chunk::<B>()) else {
                continue; // The blocks never reach beyond K.
            };
            for block in 0..count {
                let i = first + block * P;
                for j in 0..B {
                    let w = Lanes::load(&w[j], i);
                    for n in 0..N {
                        sums[n][j] = sums[n][j].add_product(w, Lanes::load(self.dz[n][g], i));
                    }
                }
            }
        }
        sums
    }
}

impl<const N: usize, const G: usize, const R: usize, const K: usize, T: Real> Blocks
    for Dots<'_, N, G, R, K, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let mut du = self
            .partial::<8, B>(k, 0, R / 8)
            .map(|sums| sums.map(Lanes::sum));
        let mut add = |more: [[T; B]; N]| {
            for n in 0..N {
                for j in 0..B {
                    du[n][j] = du[n][j] + more[n][j];
                }
            }
        };
        if R & 4 != 0 {
            add(self
                .partial::<4, B>(k, R & !7, 1)
                .map(|sums| sums.map(Lanes::sum)));
        }
        if R & 2 != 0 {
            add(self
                .partial::<2, B>(k, R & !3, 1)
                .map(|sums| sums.map(Lanes::sum)));
        }
        if R & 1 != 0 {
            add(self
                .partial::<1, B>(k, R & !1, 1)
                .map(|sums| sums.map(Lanes::sum)));
        }
        for (column, du) in self.du.iter_mut().zip(du) {
            Lanes(du).store(column, k);
        }
    }
}

/// dW = dW + Σ dz·uᵀ over all pairs of steps (dz, u) in the order in which they come, and
/// in each step over the batch in ascending order.
#[inline(always)]
pub(crate) fn outer<'a, const L: usize, const R: usize, const K: usize, const M: usize, T: Real>(
    dw: &mut Matrix<R, K, T>,
    steps: impl Iterator<Item = (&'a Matrix<R, M, T>, &'a Matrix<K, M, T>)> + Clone,
) {
    in_blocks::<R, L>(&mut OuterRows { dw, steps });
}

struct OuterRows<'a, const R: usize, const K: usize, const M: usize, T, I> {
    dw: &'a mut Matrix<R, K, T>,
    steps: I,
}

impl<'a, const R: usize, const K: usize, const M: usize, T: Real, I> Blocks
    for OuterRows<'_, R, K, M, T, I>
where
    I: Iterator<Item = (&'a Matrix<R, M, T>, &'a Matrix<K, M, T>)> + Clone,
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        in_blocks::<K, 4>(&mut OuterColumns::<B, R, K, M, T, I> { rows: self, i });
    }
}

/// Rows i .. i + L of dW, some columns at a time.
struct OuterColumns<'a, 'b, const L: usize, const R: usize, const K: usize, const M: usize, T, I> {
    rows: &'a mut OuterRows<'b, R, K, M, T, I>,
    i: usize,
}

impl<'a, const L: usize, const R: usize, const K: usize, const M: usize, T: Real, I> Blocks
    for OuterColumns<'_, '_, L, R, K, M, T, I>
where
    I: Iterator<Item = (&'a Matrix<R, M, T>, &'a Matrix<K, M, T>)> + Clone,
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let i = self.i;
        let Some(dw) = self
            .rows
            .dw
            .0
            .get_mut(k..)
            .and_then(|dw| dw.first_chunk_mut::<B>())
        else {
            return; // The blocks never reach beyond K.
        };
        let mut sums = [Lanes::<L, T>::ZERO; B];
        for j in 0..B {
            sums[j] = Lanes::load(&dw[j], i);
        }
        for (dz, u) in self.rows.steps.clone() {
            for m in 0..M {
                let dz = Lanes::load(&dz.0[m], i);
                if let Some(u) = u.0[m].get(k..).and_then(|u| u.first_chunk::<B>()) {
                    for j in 0..B {
                        sums[j] = sums[j].add_scaled(dz, u[j]);
                    }
                }
            }
        }
        for j in 0..B {
            sums[j].store(&mut dw[j], i);
        }
    }
}

/// db = db + Σ dz over all steps in the order in which they come, then over the batch.
#[inline(always)]
pub(crate) fn sum_columns<'a, const R: usize, const M: usize, T: Real>(
    db: &mut Matrix<R, 1, T>,
    steps: impl Iterator<Item = &'a Matrix<R, M, T>>,
) {
    let [db] = &mut db.0;
    for dz in steps {
        for m in 0..M {
            for r in 0..R {
                db[r] = db[r] + dz.0[m][r];
            }
        }
    }
}
