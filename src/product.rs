//! The three products of a layer, blocked so that sums stay in registers.
//!
//! | product | equation | order of each sum |
//! |---|---|---|
//! | [`forward`] | z = b + W·u | b, then the columns of W in ascending order |
//! | [`transposed`] | du = Σ Wᵀ·dz | partial sums, see there |
//! | [`outer`] | dW = dW + Σ dz·uᵀ | dW, then the steps in descending, the batch in ascending order |
//!
//! A block is a few rows by a few columns whose sums are kept in registers while the sum runs over
//! the third index. How large a block is changes how often an operand is loaded, never the order of
//! a sum. W is stored by columns, so a block of rows of one column is contiguous: the vectors run
//! over rows, and no product but the transposed one ever adds up the lanes of a vector.

use core::hint::black_box;

use crate::dispatch::VECTORS;
use crate::{Matrix, Real};

/// A few scalars that are worked on at once: some rows of a column.
///
/// Plain arrays; the compiler turns each loop over the lanes into as few vector instructions as the
/// target has.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const L: usize, T>(pub(crate) [T; L]);

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

    /// z = z + w·u, rounded after the product and after the sum.
    ///
    /// In place: a value of 8 bytes that is handed on would travel through an integer register.
    #[inline(always)]
    pub(crate) fn add_scaled(&mut self, w: Self, u: T) {
        let z = &mut self.0;
        for l in 0..L {
            z[l] = z[l] + w.0[l] * u;
        }
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

    /// z = z + w ⊙ d
    #[inline(always)]
    pub(crate) fn add_product(&mut self, w: Self, d: Self) {
        let z = &mut self.0;
        for l in 0..L {
            z[l] = z[l] + w.0[l] * d.0[l];
        }
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
        if const { L != 4 || VECTORS } {
            return None;
        }
        let mut z = z.map(|z| four(&z.0));
        T::four_gates(&mut z, w.map(|w| &w.0), i, u).then(|| z.map(|z| Lanes::load(&z, 0)))
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

/// Hands `lanes` on through memory.
///
/// Several sums that are used right after a loop can be turned into vectors in two ways: the lanes
/// of one sum side by side, as they are loaded, or one lane of several sums. The compiler at times
/// takes the second, which loads each scalar by itself, loop and all (4 to 40 times slower). A
/// store of the lanes leaves it the first alone.
#[inline(always)]
pub(crate) fn side_by_side<const L: usize, const N: usize, T: Real>(
    lanes: [Lanes<L, T>; N],
) -> [Lanes<L, T>; N] {
    if const { VECTORS && L >= 4 } {
        black_box(lanes)
    } else {
        lanes
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

/// Covers 0 .. N: blocks of B, then at most one each of 64, 32, 16 and 8, then one for what is left.
///
/// B is a power of two, at most 128.
#[inline(always)]
pub(crate) fn in_blocks<const N: usize, const B: usize>(work: &mut impl Blocks) {
    in_blocks_of_columns::<N, 1, B>(work);
}

/// [`in_blocks`] of 0 .. N·M, M columns one after the other.
#[inline(always)]
pub(crate) fn in_blocks_of_columns<const N: usize, const M: usize, const B: usize>(
    work: &mut impl Blocks,
) {
    const { assert!(B.is_power_of_two() && B <= 128) }
    // A condition in `const { }` keeps the arm that is not taken from being compiled at all.
    if const { N * M / B > 0 } {
        for block in 0..N * M / B {
            work.block::<B>(block * B);
        }
    }
    if const { B > 64 && (N * M) & 64 != 0 } {
        work.block::<64>((N * M) & !127);
    }
    if const { B > 32 && (N * M) & 32 != 0 } {
        work.block::<32>((N * M) & !63);
    }
    if const { B > 16 && (N * M) & 16 != 0 } {
        work.block::<16>((N * M) & !31);
    }
    if const { B > 8 && (N * M) & 8 != 0 } {
        work.block::<8>((N * M) & !15);
    }
    let i = const { N * M - rest::<B>(N * M) };
    match const { rest::<B>(N * M) } {
        7 => work.block::<7>(i),
        6 => work.block::<6>(i),
        5 => work.block::<5>(i),
        4 => work.block::<4>(i),
        3 => work.block::<3>(i),
        2 => work.block::<2>(i),
        1 => work.block::<1>(i),
        _ => {}
    }
}

/// What blocks of B, or of 8 where B is larger, leave of n.
const fn rest<const B: usize>(n: usize) -> usize {
    n % if B < 8 { B } else { 8 }
}

/// The scalars i .. i + B.
#[inline(always)]
pub(crate) fn block<const B: usize, T>(x: &[T], i: usize) -> Option<&[T; B]> {
    x.get(i..)?.first_chunk()
}

/// [`block`], to be written.
#[inline(always)]
pub(crate) fn block_mut<const B: usize, T>(x: &mut [T], i: usize) -> Option<&mut [T; B]> {
    x.get_mut(i..)?.first_chunk_mut()
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
        z.add_scaled(Lanes::load(&w.0[k], i), u[k]);
    }
    z
}

/// How many steps are worked through at a time, so that what one product writes is still in the
/// cache when the next one reads it: 64 columns of the batch.
pub(crate) const fn steps_at_a_time<const M: usize>() -> usize {
    at_least_one(64 / M)
}

const fn at_least_one(n: usize) -> usize {
    if n == 0 { 1 } else { n }
}

/// How many columns, each R scalars after the last, can keep one of their cache lines in half of a
/// first-level cache of 64 sets of 8 lines of 64 bytes: fewer where R is a multiple of a high power
/// of two, since those lines share sets.
const fn in_cache<const R: usize, T>() -> usize {
    let stride = R * size_of::<T>();
    let lowest_bit = stride & stride.wrapping_neg(); // the greatest power of two that divides it
    let sets = match 4096 / lowest_bit {
        0 => 1,
        sets if sets > 64 => 64,
        sets => sets,
    };
    4 * sets
}

/// z = b + W·u for every column u of every step; without a bias, z = z + W·u.
///
/// The z of step t is the matrix `z[t * stride + offset]`, so that one gate's place in a row of
/// caches can be named.
#[inline(always)]
pub(crate) fn forward<
    const L: usize,
    const W: usize,
    const R: usize,
    const K: usize,
    const M: usize,
    T: Real,
>(
    w: &Matrix<R, K, T>,
    bias: Option<&Matrix<R, 1, T>>,
    u: &[Matrix<K, M, T>],
    z: &mut [Matrix<R, M, T>],
    offset: usize,
    stride: usize,
) {
    if const { M == 1 } && u.len() == 1 {
        if let (Some(u), Some(z)) = (column(u, 0, 1, 0), column_mut(z, offset, stride, 0)) {
            in_blocks::<R, W>(&mut OneColumn { w, bias, u, z });
        }
        return;
    }
    in_blocks::<R, L>(&mut ForwardRows {
        w,
        bias,
        u,
        z,
        offset,
        stride,
    });
}

/// The only column of z.
struct OneColumn<'a, const R: usize, const K: usize, T> {
    w: &'a Matrix<R, K, T>,
    bias: Option<&'a Matrix<R, 1, T>>,
    u: &'a [T; K],
    z: &'a mut [T; R],
}

impl<const R: usize, const K: usize, T: Real> Blocks for OneColumn<'_, R, K, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let start = self.bias.map_or(&*self.z, |bias| &bias.0[0]);
        let z = accumulate(Lanes::<B, T>::load(start, i), self.w, i, self.u);
        z.store(self.z, i);
    }
}

/// Some rows of z, for the columns of some steps.
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
        // The columns k .. end of W for all columns of u; then the next ones go on from the sums in
        // z.
        let (mut k, mut bias) = (0, self.bias);
        while k < K {
            let end = if K - k > const { in_cache::<R, T>() } {
                k + const { in_cache::<R, T>() }
            } else {
                K
            };
            if const { M % 4 == 0 } {
                self.all_columns::<B>(bias, i, k, end);
            } else {
                let columns = self.u.len() * M;
                let mut n = 0;
                while n + 4 <= columns {
                    self.four_columns::<B>(bias, i, k, end, [n, n + 1, n + 2, n + 3]);
                    n += 4;
                }
                if n < columns {
                    // What is left: a column that is computed twice comes to the same bits twice.
                    let second = if n + 1 < columns { n + 1 } else { n };
                    self.four_columns::<B>(bias, i, k, end, [n, second, columns - 1, n]);
                }
            }
            (k, bias) = (end, None);
        }
    }
}

impl<const R: usize, const K: usize, const M: usize, T: Real> ForwardRows<'_, R, K, M, T> {
    /// Rows i .. i + B of all columns of z, four at a time, with the columns k .. end of W.
    #[inline(always)]
    fn all_columns<const B: usize>(
        &mut self,
        bias: Option<&Matrix<R, 1, T>>,
        i: usize,
        k: usize,
        end: usize,
    ) {
        let w = self.w.0.get(k..end).unwrap_or_default();
        let bias = bias.map(|bias| Lanes::load(&bias.0[0], i));
        let mut z = self.z.chunks_mut(self.stride);
        for u in self.u {
            let Some(z) = z.next().and_then(|z| z.get_mut(self.offset)) else {
                return; // There are as many z as u.
            };
            for m in (0..M).step_by(4) {
                let u = u.0.get(m..).and_then(|u| u.first_chunk());
                let z = z.0.get_mut(m..).and_then(|z| z.first_chunk_mut());
                if let (Some(u), Some([z0, z1, z2, z3])) = (u, z) {
                    let start = |z| bias.unwrap_or_else(|| Lanes::<B, T>::load(z, i));
                    let start = [start(z0), start(z1), start(z2), start(z3)];
                    let part = |u| part(u, k, end);
                    let [u0, u1, u2, u3] = u;
                    let sums = add_columns(start, i, w, [part(u0), part(u1), part(u2), part(u3)]);
                    let [s0, s1, s2, s3] = sums;
                    s0.store(z0, i);
                    s1.store(z1, i);
                    s2.store(z2, i);
                    s3.store(z3, i);
                }
            }
        }
    }

    /// Rows i .. i + B of four columns of z, with the columns k .. end of W.
    #[inline(always)]
    fn four_columns<const B: usize>(
        &mut self,
        bias: Option<&Matrix<R, 1, T>>,
        i: usize,
        k: usize,
        end: usize,
        n: [usize; 4],
    ) {
        let [n0, n1, n2, n3] = n; // Not mapped: the compiler would make a call of it.
        let start = |n| {
            let z = match bias {
                Some(bias) => Some(&bias.0[0]),
                None => column(self.z, self.offset, self.stride, n),
            };
            z.map_or(Lanes::<B, T>::ZERO, |z| Lanes::load(z, i))
        };
        let start = [start(n0), start(n1), start(n2), start(n3)];
        let part = |n| match column(self.u, 0, 1, n) {
            Some(u) => part(u, k, end),
            None => &[], // No column is beyond the end.
        };
        let u = [part(n0), part(n1), part(n2), part(n3)];
        let w = self.w.0.get(k..end).unwrap_or_default();
        let sums = add_columns(start, i, w, u);
        for j in 0..4 {
            if let Some(z) = column_mut(self.z, self.offset, self.stride, n[j]) {
                sums[j].store(z, i);
            }
        }
    }
}

/// The scalars k .. end of a column, which do not reach beyond its end.
#[inline(always)]
fn part<const K: usize, T>(u: &[T; K], k: usize, end: usize) -> &[T] {
    u.get(k..end).unwrap_or_default()
}

/// z_n + W·u_n for four columns: L rows of some columns of W.
#[inline(always)]
fn add_columns<const L: usize, const R: usize, T: Real>(
    z: [Lanes<L, T>; 4],
    i: usize,
    w: &[[T; R]],
    u: [&[T]; 4],
) -> [Lanes<L, T>; 4] {
    let [mut z0, mut z1, mut z2, mut z3] = z;
    let [u0, u1, u2, u3] = u;
    let u = u0.iter().zip(u1).zip(u2).zip(u3);
    for (w, (((u0, u1), u2), u3)) in w.iter().zip(u) {
        let w = Lanes::load(w, i);
        z0.add_scaled(w, *u0);
        z1.add_scaled(w, *u1);
        z2.add_scaled(w, *u2);
        z3.add_scaled(w, *u3);
    }
    [z0, z1, z2, z3]
}

/// Column n of the matrices `steps[t * stride + offset]` one after the other, each of M columns.
#[inline(always)]
fn column<const R: usize, const M: usize, T>(
    steps: &[Matrix<R, M, T>],
    offset: usize,
    stride: usize,
    n: usize,
) -> Option<&[T; R]> {
    let step = steps.get(n / M * stride + offset)?;
    step.0.get(n % M)
}

/// [`column`], to be written.
#[inline(always)]
fn column_mut<const R: usize, const M: usize, T>(
    steps: &mut [Matrix<R, M, T>],
    offset: usize,
    stride: usize,
    n: usize,
) -> Option<&mut [T; R]> {
    let step = steps.get_mut(n / M * stride + offset)?;
    step.0.get_mut(n % M)
}

/// z = z + W·u for one column, for a W that is too large for the first-level cache: walks it from
/// front to back, four whole columns at a time, while z stays in the cache.
#[inline(always)]
pub(crate) fn walk<const R: usize, const K: usize, T: Real>(
    w: &Matrix<R, K, T>,
    u: &[T; K],
    z: &mut [T; R],
) {
    let (w4, u4) = (w.0.chunks_exact(4), u.chunks_exact(4));
    let (w_rest, u_rest) = (w4.remainder(), u4.remainder());
    for (w, u) in w4.zip(u4) {
        let ([w0, w1, w2, w3], [u0, u1, u2, u3]) = (w, u) else {
            continue; // A chunk has four.
        };
        for r in 0..R {
            let sum = z[r] + w0[r] * *u0;
            let sum = sum + w1[r] * *u1;
            let sum = sum + w2[r] * *u2;
            z[r] = sum + w3[r] * *u3;
        }
    }
    for (w, u) in w_rest.iter().zip(u_rest) {
        for r in 0..R {
            z[r] = z[r] + w[r] * *u;
        }
    }
}

/// du = Σ_g W_gᵀ·dz_g for every column of every step, over G matrices of the same shape.
///
/// Each entry of du is a sum over G·R products. R is cut into blocks of 8 rows and, for what is
/// left, at most one block each of 4, 2 and 1. The blocks of 8 of all matrices go into 8
/// interleaved partial sums, one a lane, each in ascending order of g, then of rows; the lanes are
/// added up in halves. The blocks of 4, 2 and 1 likewise have 4, 2 and 1 partial sums, and the four
/// results are added in this order. The same on every target.
///
/// The dz of step t are the first G of the `stride` matrices from `dz[t * stride]` on; `du` has one
/// matrix a step.
#[inline(always)]
pub(crate) fn transposed<
    const L: usize,
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
    let dots = Dots::<L, G, R, K, M, T> { w, dz, stride };
    if const { !VECTORS } {
        for n in 0..du.len() * M {
            for k in 0..K {
                if let Some(du) = column_mut(du, 0, 1, n) {
                    du[k] = dots.dot(k, n);
                }
            }
        }
        return;
    }
    let mut tiles = [[Lanes::ZERO; 8]; TILES];
    // The dz of these steps fill half of the first-level cache.
    let steps = const { at_least_one(16 * 1024 / (G * R * M * size_of::<T>())) };
    // Not zipped: a zip divides to learn its length, and nothing tells it that the divisor is not 0.
    let mut du = du.chunks_mut(steps);
    for dz in dz.chunks(steps * stride) {
        let (dots, du) = (Dots { dz, ..dots }, du.next().unwrap_or_default());
        let columns = du.len() * M;
        let tiles = &mut tiles;
        if columns > 1 {
            in_blocks::<K, 4>(&mut Pairs { dots, du, tiles });
        }
        if const { M % 2 != 0 } && columns % 2 != 0 {
            in_blocks::<K, { 8 * TILES }>(&mut LastColumn { dots, du, tiles });
        }
    }
}

/// The partial sums of eight dot products over the blocks of 8 rows.
type Tile<T> = [Lanes<8, T>; 8];

/// How many tiles are summed up before the lanes of any are added: adding them up waits for the
/// last product, and the products of the next tile need not. All of them, 256 scalars, stand on the
/// stack.
const TILES: usize = 4;

/// Entries of du for all pairs of columns of some steps, four entries of two columns at a time.
struct Pairs<'a, const L: usize, const G: usize, const R: usize, const K: usize, const M: usize, T>
{
    dots: Dots<'a, L, G, R, K, M, T>,
    du: &'a mut [Matrix<K, M, T>],
    tiles: &'a mut [Tile<T>; TILES],
}

impl<const L: usize, const G: usize, const R: usize, const K: usize, const M: usize, T: Real> Blocks
    for Pairs<'_, L, G, R, K, M, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let columns = self.du.len() * M;
        for start in (0..columns).step_by(2 * TILES) {
            let pairs = (start + 1..columns).step_by(2);
            for (tile, n) in self.tiles.iter_mut().zip(pairs.clone()) {
                *tile = self.dots.tile::<B, true>(k, [n - 1, n]);
            }
            for (tile, n) in self.tiles.iter().zip(pairs) {
                let du = add_lanes(tile);
                let (du0, du1) = du.split_at(4);
                for (du, n) in [(du0, n - 1), (du1, n)] {
                    let mut du = four(du);
                    for j in 0..B {
                        du[j] = self.dots.add_rest(du[j], k + j, n);
                    }
                    store::<B, K, M, T>(&du, self.du, k, n);
                }
            }
        }
    }
}

/// Entries of du for the last column of some steps, eight at a time.
struct LastColumn<
    'a,
    const L: usize,
    const G: usize,
    const R: usize,
    const K: usize,
    const M: usize,
    T,
> {
    dots: Dots<'a, L, G, R, K, M, T>,
    du: &'a mut [Matrix<K, M, T>],
    tiles: &'a mut [Tile<T>; TILES],
}

impl<const L: usize, const G: usize, const R: usize, const K: usize, const M: usize, T: Real> Blocks
    for LastColumn<'_, L, G, R, K, M, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, k: usize) {
        let Some(n) = (self.du.len() * M).checked_sub(1) else {
            return;
        };
        let entries = (k..k + B).step_by(8);
        for (tile, k) in self.tiles.iter_mut().zip(entries.clone()) {
            *tile = self.dots.tile::<B, false>(k, [n, n]);
        }
        for (tile, k) in self.tiles.iter().zip(entries) {
            let mut du = add_lanes(tile);
            for j in 0..const { if B < 8 { B } else { 8 } } {
                du[j] = self.dots.add_rest(du[j], k + j, n);
            }
            if const { B < 8 } {
                store::<B, K, M, T>(&du, self.du, k, n);
            } else {
                store::<8, K, M, T>(&du, self.du, k, n);
            }
        }
    }
}

/// Writes entries k .. k + B of column n of du: the first B of `values`.
#[inline(always)]
fn store<const B: usize, const K: usize, const M: usize, T: Real>(
    values: &[T],
    du: &mut [Matrix<K, M, T>],
    k: usize,
    n: usize,
) {
    if let (Some(du), Some(values)) = (column_mut(du, 0, 1, n), values.first_chunk::<B>()) {
        Lanes(*values).store(du, k);
    }
}

/// The sum of the lanes of each partial sum of a tile, in the order of [`Lanes::sum`], as many at a
/// time as fill a vector.
#[inline(always)]
fn add_lanes<T: Real>(tile: &Tile<T>) -> [T; 8] {
    let s = black_box(tile); // From memory: in registers the sums would be taken apart lane by lane.
    // The halves of sums j and j + 4: [a + e, b + f, c + g, d + h] of each
    let mut halves = [[T::ZERO; 8]; 4];
    for j in 0..4 {
        let (s0, s1) = (s[j].0, s[j + 4].0);
        for l in 0..4 {
            halves[j][l] = s0[l] + s0[l + 4];
            halves[j][l + 4] = s1[l] + s1[l + 4];
        }
    }
    // The quarters of sums j, j + 1 and j + 4, j + 5: [(a + e) + (c + g), (b + f) + (d + h)] of each
    let quarters = |h0: [T; 8], h1: [T; 8]| {
        let mut q = [T::ZERO; 8];
        for l in 0..2 {
            q[l] = h0[l] + h0[l + 2];
            q[l + 2] = h1[l] + h1[l + 2];
            q[l + 4] = h0[l + 4] + h0[l + 6];
            q[l + 6] = h1[l + 4] + h1[l + 6];
        }
        q
    };
    let [h0, h1, h2, h3] = halves;
    let q = side_by_side([Lanes(quarters(h0, h1)), Lanes(quarters(h2, h3))]);
    let mut du = [T::ZERO; 8];
    for j in 0..8 {
        let (q, l) = (q[j % 4 / 2].0, j / 4 * 4 + j % 2 * 2);
        du[j] = q[l] + q[l + 1];
    }
    du
}

/// The dot products of a column of each W with a column of each dz.
#[derive(Clone, Copy)]
struct Dots<'a, const L: usize, const G: usize, const R: usize, const K: usize, const M: usize, T> {
    w: [&'a Matrix<R, K, T>; G],
    dz: &'a [Matrix<R, M, T>],
    stride: usize,
}

impl<const L: usize, const G: usize, const R: usize, const K: usize, const M: usize, T: Real>
    Dots<'_, L, G, R, K, M, T>
{
    /// The partial sums over the blocks of 8 rows. PAIRS: for columns k .. k + B of the W, first
    /// with column n\[0\] of the dz, then, from place 4 on, with column n\[1\]. Otherwise: for
    /// columns k .. k + B, eight at most, with column n\[0\].
    #[inline(always)]
    fn tile<const B: usize, const PAIRS: bool>(&self, k: usize, n: [usize; 2]) -> Tile<T> {
        // As many of the partial sums at a time as fill half a block of rows.
        if const { R / 8 == 0 } {
            [Lanes::ZERO; 8]
        } else if const { L >= 16 } {
            self.eights::<B, PAIRS, 8>(k, n)
        } else if const { L >= 8 } {
            self.eights::<B, PAIRS, 4>(k, n)
        } else if const { L >= 4 } {
            self.eights::<B, PAIRS, 2>(k, n)
        } else {
            self.eights::<B, PAIRS, 1>(k, n)
        }
    }

    /// The partial sums over the blocks of 8 rows, V at a time: those of eight dot products then
    /// stay in registers.
    #[inline(always)]
    fn eights<const B: usize, const PAIRS: bool, const V: usize>(
        &self,
        k: usize,
        n: [usize; 2],
    ) -> Tile<T> {
        let mut sums = [Lanes::<8, T>::ZERO; 8];
        for part in 0..8 / V {
            let (mut first, mut second) = ([Lanes::<V, T>::ZERO; 4], [Lanes::<V, T>::ZERO; 4]);
            for g in 0..G {
                let w = |j| match self.w[g].0.get(k + j) {
                    Some(w) => w,
                    None => &self.w[g].0[0], // Its sums are not used.
                };
                let dz = |n| column(self.dz, g, self.stride, n);
                let (Some(dz0), Some(dz1)) = (dz(n[0]), dz(n[1])) else {
                    continue; // No column is beyond the end.
                };
                let w0 = [w(0), w(1), w(2), w(3)];
                let w1 = [w(4), w(5), w(6), w(7)];
                for block in 0..R / 8 {
                    let i = 8 * block + V * part;
                    let d0 = Lanes::load(dz0, i);
                    let w0 = load_four(w0, i);
                    first = add_products::<B, V, T>(first, w0, d0);
                    if const { PAIRS } {
                        second = add_products::<B, V, T>(second, w0, Lanes::load(dz1, i));
                    } else if const { B > 4 } {
                        second = add_products::<B, V, T>(second, load_four(w1, i), d0);
                    }
                }
            }
            let [s0, s1, s2, s3] = first;
            let [s4, s5, s6, s7] = second;
            let parts = [s0, s1, s2, s3, s4, s5, s6, s7];
            for j in 0..8 {
                for l in 0..V {
                    sums[j].0[V * part + l] = parts[j].0[l];
                }
            }
        }
        sums
    }

    /// The dot product of column k of the W with column n of the dz: one at a time, where eight
    /// partial sums are all that fits into the registers.
    #[inline(always)]
    fn dot(&self, k: usize, n: usize) -> T {
        let du = if const { R / 8 > 0 } {
            self.part::<8>(k, n, 0, R / 8)
        } else {
            T::ZERO
        };
        self.add_rest(du, k, n)
    }

    /// du and what comes from the rows that are left after the blocks of 8.
    #[inline(always)]
    fn add_rest(&self, du: T, k: usize, n: usize) -> T {
        let mut du = du;
        if const { R & 4 != 0 } {
            du = du + self.part::<4>(k, n, R & !7, 1);
        }
        if const { R & 2 != 0 } {
            du = du + self.part::<2>(k, n, R & !3, 1);
        }
        if const { R & 1 != 0 } {
            du = du + self.part::<1>(k, n, R & !1, 1);
        }
        du
    }

    /// The part of a dot product that comes from some blocks of P rows from row i on, with P
    /// partial sums.
    #[inline(always)]
    fn part<const P: usize>(&self, k: usize, n: usize, i: usize, blocks: usize) -> T {
        let mut sums = Lanes::<P, T>::ZERO;
        for g in 0..G {
            if let (Some(w), Some(dz)) = (self.w[g].0.get(k), column(self.dz, g, self.stride, n)) {
                for block in 0..blocks {
                    let i = i + block * P;
                    sums.add_product(Lanes::load(w, i), Lanes::load(dz, i));
                }
            }
        }
        sums.sum()
    }
}

#[inline(always)]
fn load_four<const L: usize, const R: usize, T: Real>(
    w: [&[T; R]; 4],
    i: usize,
) -> [Lanes<L, T>; 4] {
    let [w0, w1, w2, w3] = w;
    [
        Lanes::load(w0, i),
        Lanes::load(w1, i),
        Lanes::load(w2, i),
        Lanes::load(w3, i),
    ]
}

/// s_j + w_j ⊙ d for the first B of four. By name and not by index: an array that a loop indexes
/// stays in memory.
#[inline(always)]
fn add_products<const B: usize, const L: usize, T: Real>(
    s: [Lanes<L, T>; 4],
    w: [Lanes<L, T>; 4],
    d: Lanes<L, T>,
) -> [Lanes<L, T>; 4] {
    let [mut s0, mut s1, mut s2, mut s3] = s;
    let [w0, w1, w2, w3] = w;
    s0.add_product(w0, d);
    if const { B > 1 } {
        s1.add_product(w1, d);
    }
    if const { B > 2 } {
        s2.add_product(w2, d);
        s3.add_product(w3, d);
    }
    [s0, s1, s2, s3]
}

/// dW = dW + Σ dz·uᵀ over all steps, time descending, then batch ascending.
///
/// The dz of step t is the matrix `dz[t * stride + offset]`; the u of step 0 is `first`, that of
/// step t is `later[t - 1]`.
#[inline(always)]
pub(crate) fn outer<const L: usize, const R: usize, const K: usize, const M: usize, T: Real>(
    dw: &mut Matrix<R, K, T>,
    dz: &[Matrix<R, M, T>],
    offset: usize,
    stride: usize,
    first: &Matrix<K, M, T>,
    later: &[Matrix<K, M, T>],
) {
    let steps = const { at_least_one(in_cache::<R, T>() * 3 / 4 / M) };
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

/// Some rows of dW: the dz of these steps stay in the cache. Only the chunk that ends at step 0
/// comes to `first`.
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
                        sums[j].add_scaled(dz, u[j]);
                    }
                }
            }
        }
        for j in 0..B {
            sums[j].store(&mut dw[j], i);
        }
    }
}

/// db = db + Σ dz over all steps, time descending, then batch ascending; `dz[t * stride + offset]`
/// as in [`outer`].
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
