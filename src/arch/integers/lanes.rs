//! The products of the quantised cells in vectors.
//!
//! The rows of a block are lanes, whatever gates they are of. A sum is exact modulo 2³², and each
//! lane computes what the plain form computes, so that all kernels give the same bits.

use core::marker::PhantomData;

use crate::flat::integer;
use crate::quantized::Weight;
use crate::quantized::core::Kernel;
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

#[cfg(bptt_avx2)]
pub(super) use tiles;

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
pub(super) fn add_tile<L: Lanes, W: Weight, const P: usize>(
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
pub(super) fn walk<L: Lanes, W: Weight, const P: usize>(
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
pub(super) fn walk_edge<L: Lanes, W: Weight>(
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
