//! What the units of a block make of its sums, in vectors, and their sums in one walk.

use core::marker::PhantomData;

use super::lanes::{Lanes, add_tile, tiles, walk, walk_edge};
use crate::quantized::Weight;
use crate::quantized::core::{C_LIMIT, Kernel, ROWS, Rows, Seen};
use crate::quantized::scale::RowScale;

/// What the units of a block need.
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
pub(crate) struct Vectors<L>(PhantomData<L>);

/// Integers i .. i + `LANES` of a slice; anything beyond its end.
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
#[inline(always)]
fn scaled<L: Arithmetic>(sum: L, scale: L) -> L {
    let half = L::splat(0xffff);
    let m = scale.and(half);
    let lower = sum.and(half).times(m).right_unsigned(16);
    let shift = scale.right_unsigned(16).and(L::splat(31));
    sum.right(16).times(m).plus(lower).right_by(shift)
}

/// z of rows i .. i + `LANES`.
#[inline(always)]
fn z<L: Arithmetic>(sums: &[i32], scales: &[RowScale], i: usize) -> L {
    scaled(load::<L>(sums, i), load_scales(scales, i))
}

/// As [`tanh`](crate::quantized::table::tanh).
#[inline(always)]
fn tanh<L: Arithmetic>(twice_z: L) -> L {
    L::sigmoid(twice_z).minus(L::splat(32768))
}

/// As [`share`](crate::quantized::core::share).
#[inline(always)]
fn share<L: Arithmetic>(q: L, n: L) -> L {
    let lower = q.times(n.and(L::splat(0x7fff))).right(15);
    q.times(n.right(15)).plus(lower)
}

/// As [`between`](crate::quantized::core::between).
#[inline(always)]
fn between<L: Arithmetic>(u: L, n: L, a_prev: L) -> L {
    n.plus(half_up(u.times(a_prev.minus(n))))
}

/// ⌊n / 2¹⁵⌉
#[inline(always)]
fn half_up<L: Arithmetic>(n: L) -> L {
    n.plus(L::splat(1 << 14)).right(15)
}

/// sum = (Wx·x)·2^k + b + Wa·a for the rows of a block.
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

/// Units of a whole block of several gates, and the rows of three gates of it.
const UNITS: usize = ROWS / 4;
const THREE: usize = 3 * UNITS;

/// [`sums`] of R rows, where there are so many: with their number known there is little to do but
/// the products. Says whether there are.
#[inline(always)]
fn whole_block<L: Arithmetic, W: Weight, const R: usize>(
    sums: &mut [i32],
    rows: &Rows<W>,
    x: &[i16],
    a: &[i16],
) -> bool {
    let numbers = (
        <&mut [i32; R]>::try_from(sums),
        <&[i32; R]>::try_from(rows.bias),
        <&[RowScale; R]>::try_from(rows.scale),
    );
    let (Ok(sums), Ok(bias), Ok(scale)) = numbers else {
        return false;
    };
    let rows = &Rows {
        bias,
        scale,
        ..*rows
    };
    let summed = match R / L::LANES {
        8 => sums_tile::<L, W, 8>(sums, 0, rows, x, a),
        6 => sums_tile::<L, W, 6>(sums, 0, rows, x, a),
        4 => sums_tile::<L, W, 4>(sums, 0, rows, x, a),
        3 => sums_tile::<L, W, 3>(sums, 0, rows, x, a),
        _ => 0,
    };
    summed == R
}

/// sum·2^k + b for rows i .. i + `LANES`.
#[inline(always)]
fn joined<L: Arithmetic, W: Weight>(sum: L, rows: &Rows<W>, i: usize) -> L {
    // k is at most 12.
    let k = load_scales::<L>(rows.scale, i).right_unsigned(24);
    sum.left_by(k).plus(load(rows.bias, i))
}

/// (5) to (10); of whole blocks the lengths are known to the compiler.
#[inline(always)]
fn lstm_units<L: Arithmetic>(
    sums: &[i32],
    scale: &[RowScale],
    c_prev: &[i32],
    a: &mut [i16],
    c: &mut [i32],
) {
    let (units, mut i) = (a.len(), 0);
    while i < units {
        let f = z(sums, scale, i);
        let input = z(sums, scale, units + i);
        let g = z(sums, scale, 2 * units + i);
        let o = z(sums, scale, 3 * units + i);
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

/// (11) to (15), as above.
#[inline(always)]
fn gru_after_units<L: Arithmetic>(sums: &[i32], scale: &[RowScale], a_prev: &[i16], a: &mut [i16]) {
    let (units, mut i) = (a.len(), 0);
    while i < units {
        let r = z(sums, scale, i);
        let u = z(sums, scale, units + i);
        let [r, u] = L::sigmoids([r, u]).map(|sigmoid| sigmoid.right(1));
        let scale_n = load_scales(scale, 2 * units + i);
        let over_x = scaled(load::<L>(sums, 3 * units + i), scale_n);
        let n = tanh(over_x.plus(share(r, z::<L>(sums, scale, 2 * units + i))));
        store_16(between(u, n, load_16(a_prev, i)), a, i);
        i += L::LANES;
    }
}

impl<W: Weight, L: Arithmetic> Kernel<W> for Vectors<L> {
    #[inline(always)]
    fn add(_gates: usize, sums: &mut [i32], w: &[W], v: &[i16]) {
        match <&mut [i32; THREE]>::try_from(&mut *sums) {
            Ok(three) if L::LANES == 16 => add_tile::<L, W, 3>(three, 0, w, v),
            Ok(three) if L::LANES == 8 => add_tile::<L, W, 6>(three, 0, w, v),
            _ => {
                L::add_all(sums, w, v);
                0
            }
        };
    }

    #[inline(always)]
    fn sums(_gates: usize, sums: &mut [i32], rows: &Rows<W>, x: Seen, a: Seen) {
        let (x, a) = (x.v, a.v);
        if !whole_block::<L, W, ROWS>(sums, rows, x, a)
            && !whole_block::<L, W, THREE>(sums, rows, x, a)
        {
            L::all_sums(sums, rows, x, a);
        }
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
        let whole = (
            <&[i32; 4 * UNITS]>::try_from(&*sums),
            <&[RowScale; 4 * UNITS]>::try_from(rows.scale),
            <&[i32; UNITS]>::try_from(c_prev),
            <&mut [i16; UNITS]>::try_from(&mut *a),
            <&mut [i32; UNITS]>::try_from(&mut *c),
        );
        match whole {
            (Ok(sums), Ok(scale), Ok(c_prev), Ok(a), Ok(c)) => {
                lstm_units::<L>(sums, scale, c_prev, a, c);
            }
            _ => lstm_units::<L>(sums, rows.scale, c_prev, a, c),
        }
    }

    #[inline(always)]
    fn gru_after_units(sums: &mut [i32], rows: &Rows<W>, a_prev: &[i16], a: &mut [i16]) {
        let whole = (
            <&[i32; 4 * UNITS]>::try_from(&*sums),
            <&[RowScale; THREE]>::try_from(rows.scale),
            <&[i16; UNITS]>::try_from(a_prev),
            <&mut [i16; UNITS]>::try_from(&mut *a),
        );
        match whole {
            (Ok(sums), Ok(scale), Ok(a_prev), Ok(a)) => {
                gru_after_units::<L>(sums, scale, a_prev, a)
            }
            _ => gru_after_units::<L>(sums, rows.scale, a_prev, a),
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
