//! The three products of a layer, blocked so that sums stay in registers.
//!
//! | product | equation | order of each sum |
//! |---|---|---|
//! | [`forward`] | z = b + W·u | b, then the columns of W in ascending order |
//! | [`transposed`] | du = Σ Wᵀ·dz | partial sums, see there |
//! | [`outer`] | dW = dW + Σ dz·uᵀ | dW, then the steps in descending, the batch in ascending order |
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

    /// z + w·u, rounded after the product and after the sum.
    #[inline(always)]
    pub(crate) fn add_scaled(self, w: Self, u: T) -> Self {
        let mut z = self.0;
        for l in 0..L {
            z[l] = z[l] + w.0[l] * u;
        }
        Lanes(z)
    }

    /// w ⊙ d
    #[inline(always)]
    pub(crate) fn times(self, d: Self) -> Self {
        let mut z = self.0;
        for l in 0..L {
            z[l] = z[l] * d.0[l];
        }
        Lanes(z)
    }

    /// z + w ⊙ d
    #[inline(always)]
    pub(crate) fn add_product(self, w: Self, d: Self) -> Self {
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

    /// z_g + W_g·u for L rows of four matrices, where the target has something better than a loop.
    #[inline(always)]
    pub(crate) fn four_gates<const R: usize, const K: usize>(
        z: [Self; 4],
        w: [&Matrix<R, K, T>; 4],
        i: usize,
        u: &[T; K],
    ) -> Option<[Self; 4]> {
        if L != 4 {
            return None;
        }
        let z = T::four_gates(z.map(|z| four(&z.0)), w.map(|w| &w.0), i, u)?;
        Some(z.map(|z| Lanes::load(&z, 0)))
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

/// The first four.
#[inline(always)]
fn four<T: Real>(z: &[T]) -> [T; 4] {
    z.first_chunk().copied().unwrap_or([T::ZERO; 4])
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
    // A condition in `const { }` keeps the arm that is not taken from being compiled at all.
    if const { N / B > 0 } {
        for block in 0..N / B {
            work.block::<B>(block * B);
        }
    }
    if const { B > 64 && N & 64 != 0 } {
        work.block::<64>(N & !127);
    }
    if const { B > 32 && N & 32 != 0 } {
        work.block::<32>(N & !63);
    }
    if const { B > 16 && N & 16 != 0 } {
        work.block::<16>(N & !31);
    }
    if const { B > 8 && N & 8 != 0 } {
        work.block::<8>(N & !15);
    }
    if const { B > 4 && N & 4 != 0 } {
        work.block::<4>(N & !7);
    }
    if const { B > 2 && N & 2 != 0 } {
        work.block::<2>(N & !3);
    }
    if const { B > 1 && N & 1 != 0 } {
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

/// z = b + W·u for every column u of every step; without a bias, z = z + W·u.
///
/// The z of step t is the matrix `z[t * stride + offset]`, so that one gate's place in a row of caches can be named.
#[inline(always)]
pub(crate) fn forward<const L: usize, const R: usize, const K: usize, const M: usize, T: Real>(
    w: &Matrix<R, K, T>,
    bias: Option<&Matrix<R, 1, T>>,
    u: &[Matrix<K, M, T>],
    z: &mut [Matrix<R, M, T>],
    offset: usize,
    stride: usize,
) {
    in_blocks::<R, L>(&mut ForwardRows {
        w,
        bias,
        u,
        z,
        offset,
        stride,
    });
}

/// Some rows of z, for all columns: these rows of W stay in the cache.
struct ForwardRows<'a, const R: usize, const K: usize, const M: usize, T> {
    w: &'a Matrix<R, K, T>,
    bias: Option<&'a Matrix<R, 1, T>>,
    u: &'a [Matrix<K, M, T>],
    z: &'a mut [Matrix<R, M, T>],
    offset: usize,
    stride: usize,
}

impl<const R: usize, const K: usize, const M: usize, T: Real> Blocks
    for ForwardRows<'_, R, K, M, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let z = self.z.iter_mut().skip(self.offset).step_by(self.stride);
        let steps = self.u.iter().zip(z);
        if const { M >= 4 } {
            for (u, z) in steps {
                columns::<B, R, K, T>(self.w, self.bias, i, u.0.iter().zip(&mut z.0));
            }
        } else {
            let all = steps.flat_map(|(u, z)| u.0.iter().zip(&mut z.0));
            columns::<B, R, K, T>(self.w, self.bias, i, all);
        }
    }
}

/// Rows i .. i + B of z for every pair (u, z) of columns, four pairs at a time.
#[inline(always)]
fn columns<'a, const B: usize, const R: usize, const K: usize, T: Real>(
    w: &Matrix<R, K, T>,
    bias: Option<&Matrix<R, 1, T>>,
    i: usize,
    mut pairs: impl Iterator<Item = (&'a [T; K], &'a mut [T; R])>,
) {
    let start = |z: &[T; R]| Lanes::<B, T>::load(bias.map_or(z, |b| &b.0[0]), i);
    loop {
        match (pairs.next(), pairs.next(), pairs.next(), pairs.next()) {
            (Some((u0, z0)), Some((u1, z1)), Some((u2, z2)), Some((u3, z3))) => {
                let (mut s0, mut s1, mut s2, mut s3) = (start(z0), start(z1), start(z2), start(z3));
                for k in 0..K {
                    let w = Lanes::load(&w.0[k], i);
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
            (p0, p1, p2, _) => {
                for (u, z) in [p0, p1, p2].into_iter().flatten() {
                    accumulate(start(z), w, i, u).store(z, i);
                }
                return;
            }
        }
    }
}

/// z = z + W·u for one column, for a W that is too large for the first-level cache: walks it from front to back, four
/// whole columns at a time, while z stays in the cache.
#[inline(always)]
pub(crate) fn walk<const L: usize, const R: usize, const K: usize, T: Real>(
    w: &Matrix<R, K, T>,
    u: &[T; K],
    z: &mut [T; R],
) {
    let mut pairs = w.0.iter().zip(u);
    loop {
        match (pairs.next(), pairs.next(), pairs.next(), pairs.next()) {
            (Some(p0), Some(p1), Some(p2), Some(p3)) => {
                in_blocks::<R, L>(&mut Walk {
                    w: [p0.0, p1.0, p2.0, p3.0],
                    u: [*p0.1, *p1.1, *p2.1, *p3.1],
                    z,
                });
            }
            (p0, p1, p2, _) => {
                for (w, u) in [p0, p1, p2].into_iter().flatten() {
                    in_blocks::<R, L>(&mut Walk { w: [w], u: [*u], z });
                }
                return;
            }
        }
    }
}

/// z + C columns of W, each by its factor.
struct Walk<'a, const C: usize, const R: usize, T> {
    w: [&'a [T; R]; C],
    u: [T; C],
    z: &'a mut [T; R],
}

impl<const C: usize, const R: usize, T: Real> Blocks for Walk<'_, C, R, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let mut z = Lanes::<B, T>::load(self.z, i);
        for (w, u) in self.w.iter().zip(self.u) {
            z = z.add_scaled(Lanes::load(w, i), u);
        }
        z.store(self.z, i);
    }
}

/// du = Σ_g W_gᵀ·dz_g for every pair (dz, du), one column each, over G matrices of the same shape.
///
/// Each entry of du is a sum over G·R products. R is cut into blocks of 8 rows and, for what is left,
/// at most one block each of 4, 2 and 1. The blocks of 8 of all matrices go into 8 interleaved partial sums, one a
/// lane, each in ascending order of g, then of rows; the lanes are added up in halves. The blocks of 4, 2 and 1 likewise
/// have 4, 2 and 1 partial sums, and the four results are added in this order. The same on every target.
///
/// The dz of step t are the first G of the `stride` matrices from `dz[t * stride]` on; `du` has one matrix a step.
#[inline(always)]
pub(crate) fn transposed<
    const G: usize,
    const R: usize,
    const K: usize,
    const M: usize,
    T: Real,
>(
    w: [&Matrix<R, K, T>; G],
    dz: &[Matrix<R, M, T>],
    stride: usize,
    du: &mut [Matrix<K, M, T>],
) {
    let steps = if M < CHUNK { CHUNK / M } else { 1 };
    for (dz, du) in dz.chunks(steps * stride).zip(du.chunks_mut(steps)) {
        if const { M == 1 } && du.len() == 1 {
            in_blocks::<K, 8>(&mut TransposedColumns { w, dz, stride, du });
        } else {
            in_blocks::<K, 4>(&mut TransposedColumns { w, dz, stride, du });
        }
    }
}

/// Some entries of du, for all columns: these columns of W stay in the cache.
struct TransposedColumns<'a, const G: usize, const R: usize, const K: usize, const M: usize, T> {
    w: [&'a Matrix<R, K, T>; G],
    dz: &'a [Matrix<R, M, T>],
    stride: usize,
    du: &'a mut [Matrix<K, M, T>],
}

impl<const G: usize, const R: usize, const K: usize, const M: usize, T: Real> Blocks
    for TransposedColumns<'_, G, R, K, M, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let dz = self
            .dz
            .chunks_exact(self.stride)
            .filter_map(|dz| dz.first_chunk::<G>());
        let steps = dz.zip(&mut *self.du);
        if const { M >= 4 } {
            for (dz, du) in steps {
                dots::<B, G, R, K, T>(self.w, k, step_columns(dz, du));
            }
        } else {
            dots::<B, G, R, K, T>(self.w, k, steps.flat_map(|(dz, du)| step_columns(dz, du)));
        }
    }
}

/// The columns of one step: of the G matrices dz, and of du.
#[inline(always)]
fn step_columns<'a, const G: usize, const R: usize, const K: usize, const M: usize, T>(
    dz: &'a [Matrix<R, M, T>; G],
    du: &'a mut Matrix<K, M, T>,
) -> impl Iterator<Item = ([&'a [T; R]; G], &'a mut [T; K])> {
    du.0.iter_mut().enumerate().map(|(m, du)| {
        let mut columns = [&dz[0].0[m]; G];
        for g in 1..G {
            columns[g] = &dz[g].0[m];
        }
        (columns, du)
    })
}

/// Entries k .. k + B of du for every pair (dz, du) of columns, two pairs at a time.
#[inline(always)]
fn dots<'a, const B: usize, const G: usize, const R: usize, const K: usize, T: Real>(
    w: [&Matrix<R, K, T>; G],
    k: usize,
    mut pairs: impl Iterator<Item = ([&'a [T; R]; G], &'a mut [T; K])>,
) {
    loop {
        match (pairs.next(), pairs.next()) {
            (Some((dz0, du0)), Some((dz1, du1))) => {
                let [s0, s1] = dot::<B, 2, G, R, K, T>(w, k, [dz0, dz1]);
                Lanes(s0).store(du0, k);
                Lanes(s1).store(du1, k);
            }
            (p0, _) => {
                if let Some((dz0, du0)) = p0 {
                    let [s0] = dot::<B, 1, G, R, K, T>(w, k, [dz0]);
                    Lanes(s0).store(du0, k);
                }
                return;
            }
        }
    }
}

/// The dot products of B columns of the W with N columns of the dz.
#[inline(always)]
fn dot<const B: usize, const N: usize, const G: usize, const R: usize, const K: usize, T: Real>(
    w: [&Matrix<R, K, T>; G],
    k: usize,
    dz: [[&[T; R]; G]; N],
) -> [[T; B]; N] {
    let mut du = if const { R / 8 > 0 } {
        partial::<8, B, N, G, R, K, T>(w, k, dz, 0, R / 8)
    } else {
        [[T::ZERO; B]; N]
    };
    let mut add = |more: [[T; B]; N]| {
        for n in 0..N {
            for j in 0..B {
                du[n][j] = du[n][j] + more[n][j];
            }
        }
    };
    if const { R & 4 != 0 } {
        add(partial::<4, B, N, G, R, K, T>(w, k, dz, R & !7, 1));
    }
    if const { R & 2 != 0 } {
        add(partial::<2, B, N, G, R, K, T>(w, k, dz, R & !3, 1));
    }
    if const { R & 1 != 0 } {
        add(partial::<1, B, N, G, R, K, T>(w, k, dz, R & !1, 1));
    }
    du
}

/// The part of the dot products that comes from `count` blocks of P rows from row `first` on, with P partial sums.
#[inline(always)]
fn partial<
    const P: usize,
    const B: usize,
    const N: usize,
    const G: usize,
    const R: usize,
    const K: usize,
    T: Real,
>(
    w: [&Matrix<R, K, T>; G],
    k: usize,
    dz: [[&[T; R]; G]; N],
    first: usize,
    count: usize,
) -> [[T; B]; N] {
    let mut sums = [[Lanes::<P, T>::ZERO; B]; N];
    for g in 0..G {
        let Some(w) = w[g].0.get(k..).and_then(|w| w.first_chunk::<B>()) else {
            continue; // The blocks never reach beyond K.
        };
        for block in 0..count {
            let i = first + block * P;
            for j in 0..B {
                let w = Lanes::load(&w[j], i);
                for n in 0..N {
                    sums[n][j] = sums[n][j].add_product(w, Lanes::load(dz[n][g], i));
                }
            }
        }
    }
    let mut du = [[T::ZERO; B]; N];
    for n in 0..N {
        for j in 0..B {
            du[n][j] = sums[n][j].sum();
        }
    }
    du
}

/// How many columns of dz and u are worked through before the next block of dW: 64 columns of a block stay in the
/// first-level cache.
const CHUNK: usize = 64;

/// dW = dW + Σ dz·uᵀ over all steps, time descending, then batch ascending.
///
/// The dz of step t is the matrix `dz[t * stride + offset]`; the u of step 0 is `first`, that of step t is `later[t - 1]`.
#[inline(always)]
pub(crate) fn outer<const L: usize, const R: usize, const K: usize, const M: usize, T: Real>(
    dw: &mut Matrix<R, K, T>,
    dz: &[Matrix<R, M, T>],
    offset: usize,
    stride: usize,
    first: &Matrix<K, M, T>,
    later: &[Matrix<K, M, T>],
) {
    let steps = if M < CHUNK { CHUNK / M } else { 1 };
    let mut chunks = later.rchunks(steps);
    for dz in dz.rchunks(steps * stride) {
        in_blocks::<R, L>(&mut OuterRows {
            dw,
            dz,
            offset,
            stride,
            first,
            later: chunks.next().unwrap_or_default(),
        });
    }
}

/// Some rows of dW: the dz of these steps stay in the cache. Only the chunk that ends at step 0 comes to `first`.
struct OuterRows<'a, const R: usize, const K: usize, const M: usize, T> {
    dw: &'a mut Matrix<R, K, T>,
    dz: &'a [Matrix<R, M, T>],
    offset: usize,
    stride: usize,
    first: &'a Matrix<K, M, T>,
    later: &'a [Matrix<K, M, T>],
}

impl<const R: usize, const K: usize, const M: usize, T: Real> Blocks for OuterRows<'_, R, K, M, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        in_blocks::<K, 4>(&mut OuterColumns::<B, R, K, M, T> { rows: self, i });
    }
}

/// Rows i .. i + L of dW, some columns at a time.
struct OuterColumns<'a, 'b, const L: usize, const R: usize, const K: usize, const M: usize, T> {
    rows: &'a mut OuterRows<'b, R, K, M, T>,
    i: usize,
}

impl<const L: usize, const R: usize, const K: usize, const M: usize, T: Real> Blocks
    for OuterColumns<'_, '_, L, R, K, M, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let OuterRows {
            dw,
            dz,
            offset,
            stride,
            first,
            later,
        } = &mut *self.rows;
        let i = self.i;
        let Some(dw) = dw.0.get_mut(k..).and_then(|dw| dw.first_chunk_mut::<B>()) else {
            return; // The blocks never reach beyond K.
        };
        let mut sums = [Lanes::<L, T>::ZERO; B];
        for j in 0..B {
            sums[j] = Lanes::load(&dw[j], i);
        }
        let u = later.iter().rev().chain(Some(*first));
        for (dz, u) in dz.chunks_exact(*stride).rev().zip(u) {
            let Some(dz) = dz.get(*offset) else { return };
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

/// db = db + Σ dz over all steps, time descending, then batch ascending; `dz[t * stride + offset]` as in [`outer`].
#[inline(always)]
pub(crate) fn sum_columns<const R: usize, const M: usize, T: Real>(
    db: &mut Matrix<R, 1, T>,
    dz: &[Matrix<R, M, T>],
    offset: usize,
    stride: usize,
) {
    let [db] = &mut db.0;
    for dz in dz
        .chunks_exact(stride)
        .rev()
        .filter_map(|dz| dz.get(offset))
    {
        for m in 0..M {
            for r in 0..R {
                db[r] = db[r] + dz.0[m][r];
            }
        }
    }
}
