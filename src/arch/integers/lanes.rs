//! The kernels of the quantised cells in vectors: what a vector does, the products, and the units
//! of a block.
//!
//! The rows of a block are lanes, whatever gates they are of. A sum is exact modulo 2³², and each
//! lane computes what the plain form computes, so that all kernels give the same bits.

use core::marker::PhantomData;

use crate::flat::integer;
use crate::quantized::Weight;
use crate::quantized::core::{C_LIMIT, Kernel, Rows};
use crate::quantized::scale::RowScale;
use crate::shape::{copy, part, part_mut};

/// Integers of 32 bits side by side.
///
/// A type is named only where the processor has its instructions.
pub(crate) trait Lanes: Copy {
    const LANES: usize;
    /// Neighbouring columns that one instruction multiplies, as in the target's `Order`.
    const COLUMNS: usize;

    /// The `LANES` integers from `from` on.
    ///
    /// # Safety
    /// They can be read.
    unsafe fn read(from: *const i32) -> Self;
    /// Writes the `LANES` integers from `to` on.
    ///
    /// # Safety
    /// They can be written.
    unsafe fn write(self, to: *mut i32);

    /// sum + W·v for `LANES` rows of so many columns, the columns of a row side by side.
    ///
    /// # Safety
    /// `columns` is from 1 to `COLUMNS`; as many integers can be read from `v` on, and `LANES` times
    /// as many from `w` on.
    unsafe fn add<W: Weight>(self, columns: usize, w: *const W, v: *const i16) -> Self;

    /// [`add`], compiled once for each of the weights.
    fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]);
}

/// The most lanes that a vector has.
const MOST: usize = 16;

/// Walks the rows of sums in tiles of so many vectors, then what is left, less than a vector.
macro_rules! tiles {
    ($lanes:ident, $sums:ident, $row:ident, $tile:ident($($arg:expr),*), $edge:expr) => {
        let mut $row = 0;
        loop {
            let vectors = $sums.len().saturating_sub($row) / $lanes::LANES;
            $row += match vectors {
                8.. => $tile::<$lanes, _, 8>($sums, $row, $($arg),*),
                6.. => $tile::<$lanes, _, 6>($sums, $row, $($arg),*),
                4.. => $tile::<$lanes, _, 4>($sums, $row, $($arg),*),
                3 => $tile::<$lanes, _, 3>($sums, $row, $($arg),*),
                2 => $tile::<$lanes, _, 2>($sums, $row, $($arg),*),
                1 => $tile::<$lanes, _, 1>($sums, $row, $($arg),*),
                _ => break,
            };
        }
        if $row < $sums.len() {
            $edge
        }
    };
}

/// sum = sum + W·v for the rows of a block.
#[inline(always)]
pub(super) fn add<L: Lanes, W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
    tiles!(L, sums, row, add_tile(w, v), {
        let rows = sums.len();
        let mut room = [0; MOST];
        copy(part(sums, row, rows - row), &mut room);
        // SAFETY: no vector has more lanes than the room has.
        let sum = unsafe { L::read(room.as_ptr()) };
        let sum = walk_edge(sum, row, rows, w, v);
        // SAFETY: as above.
        unsafe { sum.write(room.as_mut_ptr()) };
        copy(&room, sums.get_mut(row..).unwrap_or_default());
    });
}

/// sum = sum + W·v for the rows of P vectors from `row` on; says how many.
#[inline(always)]
fn add_tile<L: Lanes, W: Weight, const P: usize>(
    sums: &mut [i32],
    row: usize,
    w: &[W],
    v: &[i16],
) -> usize {
    let rows = sums.len();
    let sums = part_mut(sums, row, P * L::LANES);
    if !sums.is_empty() {
        let first = sums.as_mut_ptr();
        let sum = |p: usize| first.wrapping_add(p * L::LANES);
        // SAFETY: there are the sums of P vectors.
        let tile: [L; P] = ::core::array::from_fn(|p| unsafe { L::read(sum(p)) });
        for (p, tile) in walk(tile, row, rows, w, v).into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { tile.write(sum(p)) };
        }
    }
    P * L::LANES
}

/// sum + W·v for the rows of P vectors from `row` on, of `rows`; sum where there are not so many rows
/// or weights.
#[inline(always)]
fn walk<L: Lanes, W: Weight, const P: usize>(
    mut sums: [L; P],
    row: usize,
    rows: usize,
    w: &[W],
    v: &[i16],
) -> [L; P] {
    if row + P * L::LANES > rows || w.len() < rows * v.len() {
        return sums;
    }
    let (groups, columns) = (v.len() / L::COLUMNS, v.len() % L::COLUMNS);
    let (mut from, mut u) = (w.as_ptr(), v.as_ptr());
    for _ in 0..groups {
        for (p, sum) in sums.iter_mut().enumerate() {
            let from = from.wrapping_add(L::COLUMNS * (row + p * L::LANES));
            // SAFETY: the weights of `rows` rows stand from `from` on in each group, of which the
            // rows of the tile are a part.
            *sum = unsafe { sum.add(L::COLUMNS, from, u) };
        }
        from = from.wrapping_add(L::COLUMNS * rows);
        u = u.wrapping_add(L::COLUMNS);
    }
    if columns > 0 {
        for (p, sum) in sums.iter_mut().enumerate() {
            let from = from.wrapping_add(columns * (row + p * L::LANES));
            // SAFETY: as above; the last group has `columns` columns.
            *sum = unsafe { sum.add(columns, from, u) };
        }
    }
    sums
}

/// sum + W·v for the last rows, from `row` on of `rows`, less than a vector has lanes. In the other
/// lanes stand weights of whatever comes next; nobody reads their sums.
#[inline(always)]
fn walk_edge<L: Lanes, W: Weight>(
    mut sum: L,
    row: usize,
    rows: usize,
    w: &[W],
    mut v: &[i16],
) -> L {
    let mut at = 0;
    while !v.is_empty() {
        let columns = L::COLUMNS.min(v.len());
        let (group, others) = v.split_at_checked(columns).unwrap_or_default();
        let from = w.get(at + columns * row..).unwrap_or_default();
        sum = if from.len() >= columns * L::LANES {
            // SAFETY: so many weights stand there, and `columns` integers in the group.
            unsafe { sum.add(columns, from.as_ptr(), group.as_ptr()) }
        } else {
            let mut last = [integer::<W>(0); 2 * MOST];
            copy(from, &mut last);
            // SAFETY: as above; the copy has as many as two columns of any vector.
            unsafe { sum.add(columns, last.as_ptr(), group.as_ptr()) }
        };
        at += columns * rows;
        v = others;
    }
    sum
}

/// The products in vectors, all else plainly.
pub(crate) struct Products<L>(PhantomData<L>);

impl<W: Weight, L: Lanes> Kernel<W> for Products<L> {
    #[inline(always)]
    fn add(_gates: usize, sums: &mut [i32], w: &[W], v: &[i16]) {
        L::add_all(sums, w, v);
    }
}

/// What the units of a block need.
#[cfg(bptt_avx2)]
pub(crate) trait Arithmetic: Lanes {
    /// [`sums`], compiled once for each of the weights.
    fn all_sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]);

    /// n in each lane.
    fn splat(n: i32) -> Self;
    /// The n integers from `from` on, anything in the other lanes.
    ///
    /// # Safety
    /// n is less than `LANES`, and n integers can be read.
    unsafe fn read_part(from: *const i32, n: usize) -> Self;
    /// Writes the first n lanes from `to` on.
    ///
    /// # Safety
    /// n is less than `LANES`, and n integers can be written.
    unsafe fn write_part(self, to: *mut i32, n: usize);
    /// As [`read`](Lanes::read), with the sign of 16 bits.
    ///
    /// # Safety
    /// As there.
    unsafe fn read_16(from: *const i16) -> Self;
    /// As [`write`](Lanes::write), the lower 16 bits.
    ///
    /// # Safety
    /// As there.
    unsafe fn write_16(self, to: *mut i16);
    /// As [`read_part`](Self::read_part), with the sign of 16 bits.
    ///
    /// # Safety
    /// As there.
    unsafe fn read_part_16(from: *const i16, n: usize) -> Self;
    /// As [`write_part`](Self::write_part), the lower 16 bits.
    ///
    /// # Safety
    /// As there.
    unsafe fn write_part_16(self, to: *mut i16, n: usize);
    /// Modulo 2³².
    fn plus(self, other: Self) -> Self;
    /// Modulo 2³².
    fn minus(self, other: Self) -> Self;
    /// Modulo 2³².
    fn times(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn clamp(self, least: i32, most: i32) -> Self;
    fn left(self, n: i32) -> Self;
    /// Keeps the sign.
    fn right(self, n: i32) -> Self;
    fn right_unsigned(self, n: i32) -> Self;
    /// By less than 32.
    fn left_by(self, n: Self) -> Self;
    /// Keeps the sign; by less than 32.
    fn right_by(self, n: Self) -> Self;
    /// [`sigmoid`](crate::quantized::table::sigmoid) of each lane of two vectors.
    fn sigmoids(z: [Self; 2]) -> [Self; 2];
    /// As [`sigmoids`](Self::sigmoids) of one vector.
    fn sigmoid(z: Self) -> Self;
}

/// Everything in vectors.
#[cfg(bptt_avx2)]
pub(crate) struct Vectors<L>(PhantomData<L>);

/// Integers i .. i + `LANES` of a slice; anything beyond its end.
#[cfg(bptt_avx2)]
#[inline(always)]
fn load<L: Arithmetic>(from: &[i32], i: usize) -> L {
    let from = from.get(i..).unwrap_or_default();
    if from.len() >= L::LANES {
        // SAFETY: there are `LANES` integers.
        unsafe { L::read(from.as_ptr()) }
    } else {
        // SAFETY: there are `len` integers, less than `LANES`.
        unsafe { L::read_part(from.as_ptr(), from.len()) }
    }
}

/// Writes integers i .. i + `LANES` of a slice; nothing beyond its end.
#[cfg(bptt_avx2)]
#[inline(always)]
fn store<L: Arithmetic>(v: L, to: &mut [i32], i: usize) {
    let to = to.get_mut(i..).unwrap_or_default();
    if to.len() >= L::LANES {
        // SAFETY: there are `LANES` integers.
        unsafe { v.write(to.as_mut_ptr()) }
    } else {
        // SAFETY: there are `len` integers, less than `LANES`.
        unsafe { v.write_part(to.as_mut_ptr(), to.len()) }
    }
}

/// [`load`] from 16 bits.
#[cfg(bptt_avx2)]
#[inline(always)]
fn load_16<L: Arithmetic>(from: &[i16], i: usize) -> L {
    let from = from.get(i..).unwrap_or_default();
    if from.len() >= L::LANES {
        // SAFETY: there are `LANES` integers.
        unsafe { L::read_16(from.as_ptr()) }
    } else {
        // SAFETY: there are `len` integers, less than `LANES`.
        unsafe { L::read_part_16(from.as_ptr(), from.len()) }
    }
}

/// [`store`] to 16 bits.
#[cfg(bptt_avx2)]
#[inline(always)]
fn store_16<L: Arithmetic>(v: L, to: &mut [i16], i: usize) {
    let to = to.get_mut(i..).unwrap_or_default();
    if to.len() >= L::LANES {
        // SAFETY: there are `LANES` integers.
        unsafe { v.write_16(to.as_mut_ptr()) }
    } else {
        // SAFETY: there are `len` integers, less than `LANES`.
        unsafe { v.write_part_16(to.as_mut_ptr(), to.len()) }
    }
}

/// The scales of rows i .. i + `LANES`, as their bits; anything beyond the end.
#[cfg(bptt_avx2)]
#[inline(always)]
fn load_scales<L: Arithmetic>(from: &[RowScale], i: usize) -> L {
    let from = from.get(i..).unwrap_or_default();
    // `RowScale` is one u32 and nothing else.
    let first = from.as_ptr().cast::<i32>();
    if from.len() >= L::LANES {
        // SAFETY: there are `LANES` integers.
        unsafe { L::read(first) }
    } else {
        // SAFETY: there are `len` integers, less than `LANES`.
        unsafe { L::read_part(first, from.len()) }
    }
}

/// ⌊sum·m / 2^(16 + s)⌋
///
/// With sum = 2¹⁶·h + l and l from 0 to 65535, ⌊sum·m / 2¹⁶⌋ = h·m + ⌊l·m / 2¹⁶⌋; that and each
/// product fit in 32 bits.
#[cfg(bptt_avx2)]
#[inline(always)]
fn scaled<L: Arithmetic>(sum: L, scale: L) -> L {
    let half = L::splat(0xffff);
    let m = scale.and(half);
    let lower = sum.and(half).times(m).right_unsigned(16);
    let shift = scale.right_unsigned(16).and(L::splat(31));
    sum.right(16).times(m).plus(lower).right_by(shift)
}

/// z of rows i .. i + `LANES`.
#[cfg(bptt_avx2)]
#[inline(always)]
fn z<L: Arithmetic>(sums: &[i32], scales: &[RowScale], i: usize) -> L {
    scaled(load::<L>(sums, i), load_scales(scales, i))
}

/// As [`tanh`](crate::quantized::table::tanh).
#[cfg(bptt_avx2)]
#[inline(always)]
fn tanh<L: Arithmetic>(twice_z: L) -> L {
    L::sigmoid(twice_z).minus(L::splat(32768))
}

/// As [`share`](crate::quantized::core::share).
#[cfg(bptt_avx2)]
#[inline(always)]
fn share<L: Arithmetic>(q: L, n: L) -> L {
    let lower = q.times(n.and(L::splat(0x7fff))).right(15);
    q.times(n.right(15)).plus(lower)
}

/// As [`between`](crate::quantized::core::between).
#[cfg(bptt_avx2)]
#[inline(always)]
fn between<L: Arithmetic>(u: L, n: L, a_prev: L) -> L {
    n.plus(half_up(u.times(a_prev.minus(n))))
}

/// ⌊n / 2¹⁵⌉
#[cfg(bptt_avx2)]
#[inline(always)]
fn half_up<L: Arithmetic>(n: L) -> L {
    n.plus(L::splat(1 << 14)).right(15)
}

/// sum = (Wx·x)·2^k + b + Wa·a for the rows of a block.
#[cfg(bptt_avx2)]
#[inline(always)]
pub(super) fn sums<L: Arithmetic, W: Weight>(
    sums: &mut [i32],
    rows: &Rows<W>,
    x: &[i16],
    a: &[i16],
) {
    tiles!(L, sums, row, sums_tile(rows, x, a), {
        let all = sums.len();
        let over_x = walk_edge(L::splat(0), row, all, rows.wx, x);
        let start = joined(over_x, rows, row);
        store(walk_edge(start, row, all, rows.wa, a), sums, row);
    });
}

/// As [`sums`], for the rows of P vectors from `row` on; says how many.
#[cfg(bptt_avx2)]
#[inline(always)]
fn sums_tile<L: Arithmetic, W: Weight, const P: usize>(
    sums: &mut [i32],
    row: usize,
    rows: &Rows<W>,
    x: &[i16],
    a: &[i16],
) -> usize {
    let all = sums.len();
    let mut tile = walk([L::splat(0); P], row, all, rows.wx, x);
    for (p, tile) in tile.iter_mut().enumerate() {
        *tile = joined(*tile, rows, row + p * L::LANES);
    }
    for (p, tile) in walk(tile, row, all, rows.wa, a).into_iter().enumerate() {
        store(tile, sums, row + p * L::LANES);
    }
    P * L::LANES
}

/// sum·2^k + b for rows i .. i + `LANES`.
#[cfg(bptt_avx2)]
#[inline(always)]
fn joined<L: Arithmetic, W: Weight>(sum: L, rows: &Rows<W>, i: usize) -> L {
    // k is at most 12.
    let k = load_scales::<L>(rows.scale, i).right_unsigned(24);
    sum.left_by(k).plus(load(rows.bias, i))
}

#[cfg(bptt_avx2)]
impl<W: Weight, L: Arithmetic> Kernel<W> for Vectors<L> {
    #[inline(always)]
    fn add(_gates: usize, sums: &mut [i32], w: &[W], v: &[i16]) {
        L::add_all(sums, w, v);
    }

    #[inline(always)]
    fn sums(_gates: usize, sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]) {
        L::all_sums(sums, rows, x, a);
    }

    #[inline(always)]
    fn scale(sums: &mut [i32], rows: &Rows<W>) {
        let mut i = 0;
        while i < sums.len() {
            store(z::<L>(sums, rows.scale, i), sums, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn lstm_units(sums: &mut [i32], rows: &Rows<W>, c_prev: &[i32], a: &mut [i16], c: &mut [i32]) {
        let (units, mut i) = (a.len(), 0);
        while i < units {
            let f = z(sums, rows.scale, i);
            let input = z(sums, rows.scale, units + i);
            let g = z(sums, rows.scale, 2 * units + i);
            let o = z(sums, rows.scale, 3 * units + i);
            let ([f, input], [g, o]) = (L::sigmoids([f, input]), L::sigmoids([g, o]));
            let kept = share(f.right(1), load(c_prev, i));
            let new = input.right(1).times(g.minus(L::splat(32768)));
            let cell = kept.plus(new.right(10)).clamp(-C_LIMIT, C_LIMIT);
            let o = o.right(1);
            store_16(half_up(o.times(tanh(cell.right(3)))), a, i);
            store(cell, c, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn gru_after_units(sums: &mut [i32], rows: &Rows<W>, a_prev: &[i16], a: &mut [i16]) {
        let (units, mut i) = (a.len(), 0);
        while i < units {
            let r = z(sums, rows.scale, i);
            let u = z(sums, rows.scale, units + i);
            let [r, u] = L::sigmoids([r, u]).map(|sigmoid| sigmoid.right(1));
            let scale = load_scales(rows.scale, 2 * units + i);
            let over_x = scaled(load::<L>(sums, 3 * units + i), scale);
            let n = tanh(over_x.plus(share(r, z::<L>(sums, rows.scale, 2 * units + i))));
            store_16(between(u, n, load_16(a_prev, i)), a, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn reset_units(sums: &mut [i32], rows: &Rows<W>, a_prev: &[i16], reset: &mut [i16]) {
        let mut i = 0;
        while i < reset.len() {
            let r = L::sigmoid(z(sums, rows.scale, i)).right(1);
            store_16(half_up(r.times(load_16(a_prev, i))), reset, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn gru_before_units(u: &[i32], n: &[i32], a_prev: &[i16], a: &mut [i16]) {
        let mut i = 0;
        while i < a.len() {
            let [u, n] = L::sigmoids([load(u, i), load(n, i)]);
            let n = n.minus(L::splat(32768));
            store_16(between(u.right(1), n, load_16(a_prev, i)), a, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn rnn_units(sums: &mut [i32], rows: &Rows<W>, a: &mut [i16]) {
        let mut i = 0;
        while i < a.len() {
            store_16(tanh(z::<L>(sums, rows.scale, i)), a, i);
            i += L::LANES;
        }
    }

    #[inline(always)]
    fn relu_units(sums: &mut [i32], rows: &Rows<W>, a: &mut [i16]) {
        let mut i = 0;
        while i < a.len() {
            store_16(z::<L>(sums, rows.scale, i).clamp(0, 32767), a, i);
            i += L::LANES;
        }
    }
}
