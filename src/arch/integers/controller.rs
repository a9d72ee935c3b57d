//! The kernel of a controller, but for its loops in assembly: what they are handed, and the check
//! that makes them sound.

#[cfg(not(bptt_integers = "m4"))]
use core::mem::MaybeUninit;
use core::mem::replace;
use core::{ptr, slice};

#[cfg(bptt_integers = "rv32")]
use super::riscv::runs;
#[cfg(not(bptt_integers = "rv32"))]
use super::thumb::runs;
use super::{MOST, order};
#[cfg(bptt_integers = "m4")]
use crate::quantized::Plain;
#[cfg(any(bptt_integers = "m3", bptt_integers = "rv32"))]
use crate::quantized::lstm_state;
#[cfg(bptt_integers = "rv32")]
use crate::quantized::sigmoid;
use crate::quantized::{Kernel, RowScale, Rows, Seen, Weight};
#[cfg(any(bptt_integers = "m3", bptt_integers = "rv32"))]
use crate::shape::parts;

/// Rows of a run.
pub(super) const RUN: usize = if cfg!(bptt_integers = "m4") { 4 } else { 8 };
/// Columns that the loops take at a time.
const AT_A_TIME: usize = 4;

/// Weights, and the vector that they see.
#[repr(C)]
struct Part<W> {
    w: *const W,
    v: *const i16,
    /// After the columns that are taken four at a time.
    middle: *const i16,
    end: *const i16,
}

impl<W: Weight> Part<W> {
    /// No columns.
    const NONE: Self = Part {
        w: ptr::null(),
        v: ptr::null(),
        middle: ptr::null(),
        end: ptr::null(),
    };

    fn new(w: &[W], seen: &Seen) -> Self {
        let v = seen.v.as_ptr_range();
        Part {
            w: w.as_ptr(),
            v: v.start,
            middle: v.start.wrapping_add(seen.v.len() / AT_A_TIME * AT_A_TIME),
            end: v.end,
        }
    }

    /// sum = sum + W·v for the rows of a run, and on to the next one.
    ///
    /// # Safety
    /// There is a weight for each sum and each scalar of v.
    #[inline(never)]
    unsafe fn add(&mut self, sums: &mut [i32]) {
        // A weight with an offset is one without a sign.
        let offset = order(1, size_of::<W>()).offset;
        let mask = if offset { (1 << W::BITS) - 1 } else { -1 };
        let mut v = self.v;
        while v != self.end {
            for sum in &mut *sums {
                // SAFETY: as the caller says.
                let (w, v) = unsafe { (self.w.read().to_i32() & mask, i32::from(v.read())) };
                *sum = sum.wrapping_add(w.wrapping_mul(v));
                self.w = self.w.wrapping_add(1);
            }
            v = v.wrapping_add(1);
        }
    }
}

/// What the loops in assembly are handed: at these places they find it.
#[repr(C)]
pub(super) struct Runs<W> {
    x: Part<W>,             // 0
    a: Part<W>,             // 16
    start: [i32; 2],        // 32
    bias: *const i32,       // 40
    scale: *const RowScale, // 44
    sums: *mut i32,         // 48
    count: usize,           // 52
}

impl<W: Weight> Runs<W> {
    fn new(count: usize, rows: &Rows<W>, x: &Seen, a: &Seen, sums: *mut i32) -> Self {
        Runs {
            x: Part::new(rows.wx, x),
            a: Part::new(rows.wa, a),
            start: [x.start, a.start],
            bias: rows.bias.as_ptr(),
            scale: rows.scale.as_ptr(),
            sums,
            count,
        }
    }

    /// (1) for `count` runs of `width` rows; afterwards the block is where they end.
    ///
    /// # Safety
    /// Each of the runs has its sums, biases and scales, and its weights for each scalar of both
    /// vectors. With the DSP extension `width` is [`RUN`].
    #[inline(always)]
    unsafe fn walk(&mut self, width: usize) {
        // SAFETY: as the caller says.
        unsafe {
            if width == RUN || cfg!(bptt_integers = "m4") {
                runs(self);
            } else {
                self.walk_narrow(width);
            }
        }
    }

    /// [`walk`](Self::walk) plainly, for any width.
    ///
    /// # Safety
    /// As there; there is no DSP extension.
    #[inline(never)]
    unsafe fn walk_narrow(&mut self, width: usize) {
        for _ in 0..self.count {
            // SAFETY: as the caller says.
            unsafe {
                for k in 0..width {
                    self.sums.wrapping_add(k).write(self.start[0]);
                }
                let sums = slice::from_raw_parts_mut(self.sums, width);
                self.x.add(sums);
                for sum in &mut *sums {
                    *sum = (*sum << (self.scale.read().x_shift() & 31))
                        .wrapping_add(self.bias.read())
                        .wrapping_add(self.start[1]);
                    self.scale = self.scale.wrapping_add(1);
                    self.bias = self.bias.wrapping_add(1);
                }
                self.a.add(sums);
            }
            self.sums = self.sums.wrapping_add(width);
        }
    }
}

/// As many columns as an even sum of a pair of rows cannot leave 32 bits with.
const COLUMNS: usize = 512;

/// Whether there are biases, scales and weights for so many rows that see x and a, and these are not
/// too long for the loops.
#[inline(always)]
fn fits<W: Weight>(count: usize, rows: &Rows<W>, x: &Seen, a: &Seen) -> bool {
    let pairs = order(1, size_of::<W>()).pairs;
    x.v.len().max(a.v.len()) <= if pairs { COLUMNS } else { MOST }
        && count <= MOST // So the products below are exact.
        && count <= rows.bias.len()
        && count <= rows.scale.len()
        && count * x.v.len() <= rows.wx.len()
        && count * a.v.len() <= rows.wa.len()
}

/// Whether there are loops for runs of so many rows.
const fn walks(width: usize) -> bool {
    width == RUN || cfg!(not(bptt_integers = "m4"))
}

/// (1) for so many runs of so many rows; false where nothing is done.
#[inline(always)]
fn sums<W: Weight>(
    [count, width]: [usize; 2],
    sums: &mut [i32],
    rows: &Rows<W>,
    x: &Seen,
    a: &Seen,
) -> bool {
    if !walks(width) || sums.len() != count * width || !fits(sums.len(), rows, x, a) {
        return false;
    }
    let mut block = Runs::new(count, rows, x, a, sums.as_mut_ptr());
    // SAFETY: for each row there is a sum, a bias, a scale, and a weight for each scalar of both
    // vectors, as has just been checked.
    unsafe { block.walk(width) };
    true
}

/// (1) for r, u and n of a GRU with the reset after the product, then n over x by itself; false where
/// nothing is done.
#[inline(never)]
fn gru_after_sums<W: Weight>(
    sums: &mut [i32],
    rows: &Rows<W>,
    bna: &[i32],
    x: &Seen,
    a: &Seen,
) -> bool {
    let width = bna.len();
    if !walks(width) || sums.len() != 4 * width || !fits(3 * width, rows, x, a) {
        return false;
    }
    let mut block = Runs::new(2, rows, x, a, sums.as_mut_ptr());
    // SAFETY: for each row there is a sum, a bias, a scale, and a weight for each scalar of both
    // vectors, as has just been checked; of n the sums over x come last.
    unsafe {
        block.walk(width);
        let (over_a, scale) = (replace(&mut block.a, Part::NONE), block.scale);
        block.start = [x.start, 0];
        block.sums = block.sums.wrapping_add(width);
        block.count = 1;
        block.walk(width);
        (block.x, block.a) = (Part::NONE, over_a);
        block.start = [0, a.start];
        (block.bias, block.scale) = (bna.as_ptr(), scale);
        block.sums = block.sums.wrapping_sub(2 * width);
        block.count = 1;
        block.walk(width);
    }
    true
}

/// σ of z of each sum, in 2⁻¹⁶.
fn sigmoids(sums: &mut [i32], scale: &[RowScale]) {
    #[cfg(not(bptt_integers = "rv32"))]
    if sums.len() <= scale.len() {
        // SAFETY: there is a scale for each sum.
        unsafe { super::thumb::sigmoids(sums, scale.as_ptr()) };
    }
    #[cfg(bptt_integers = "rv32")]
    for (sum, scale) in sums.iter_mut().zip(scale) {
        *sum = sigmoid(scale.of(*sum));
    }
}

/// (5) to (10) for the units of a block, from the sums of the gates f, i, g, o.
#[cfg(not(bptt_integers = "m4"))]
#[inline(always)]
fn lstm_units(sums: &mut [i32], scale: &[RowScale], c_prev: &[i32], a: &mut [i16], c: &mut [i32]) {
    #[cfg(bptt_integers = "m0")]
    if sums.len().min(scale.len()) >= 4 * a.len() && c_prev.len().min(c.len()) >= a.len() {
        // SAFETY: there is all that is read and written for each unit.
        unsafe { super::thumb::lstm_units(sums, scale, c_prev, a, c) }
    }
    #[cfg(not(bptt_integers = "m0"))]
    {
        sigmoids(sums, scale);
        let [f, i, g, o] = parts(sums, a.len());
        let gates = f.iter().zip(i).zip(g.iter().zip(o));
        let states = a.iter_mut().zip(c.iter_mut().zip(c_prev));
        for (((f, i), (g, o)), (a, (c, c_prev))) in gates.zip(states) {
            (*a, *c) = lstm_state([*f, *i, *g, *o], *c_prev);
        }
    }
}

/// A step of an LSTM; false where nothing is done.
#[cfg(not(bptt_integers = "m4"))]
#[inline(always)]
fn lstm<W: Weight>(
    layer: &Rows<W>,
    [x, a_prev]: [Seen; 2],
    mut c_prev: &[i32],
    (mut a, mut c): (&mut [i16], &mut [i32]),
) -> bool {
    if !fits(4 * a.len(), layer, &x, &a_prev) {
        return false;
    }
    let mut room = [const { MaybeUninit::<i32>::uninit() }; 4 * RUN];
    let room = room.as_mut_ptr().cast();
    let mut block = Runs::new(4, layer, &x, &a_prev, room);
    let mut scale = layer.scale;
    while !a.is_empty() {
        let width = RUN.min(a.len());
        let (a_now, a_rest) = a.split_at_mut_checked(width).unwrap_or_default();
        let (c_now, c_rest) = c.split_at_mut_checked(width).unwrap_or_default();
        let (c_then, c_prev_rest) = c_prev.split_at_checked(width).unwrap_or_default();
        let (scales, scale_rest) = scale.split_at_checked(4 * width).unwrap_or_default();
        (block.sums, block.count) = (room, 4);
        // SAFETY: there is room for the sums, and of the layer, as has been checked, there are
        // biases, scales and weights for all units. Each walk goes on where the one before has
        // ended, and writes all sums.
        let sums = unsafe {
            block.walk(width);
            slice::from_raw_parts_mut(room, 4 * width)
        };
        lstm_units(sums, scales, c_then, a_now, c_now);
        (a, c, c_prev, scale) = (a_rest, c_rest, c_prev_rest, scale_rest);
    }
    true
}

/// What the loops for the units of an LSTM are handed: at these places they find it.
#[cfg(bptt_integers = "m4")]
#[repr(C)]
pub(super) struct Units<W> {
    x: Part<W>,             // 0
    a: Part<W>,             // 16
    bias: *const i32,       // 32
    scale: *const RowScale, // 36
    c_prev: *const i32,     // 40
    c: *mut i32,            // 44
    next_a: *mut i16,       // 48
    count: usize,           // 52
    table: *const u32,      // 56
    sums: [i32; 4],         // 60
}

/// A step of an LSTM; false where nothing is done.
#[cfg(bptt_integers = "m4")]
fn lstm<W: Weight>(
    layer: &Rows<W>,
    [x, a_prev]: [Seen; 2],
    c_prev: &[i32],
    (a, c): (&mut [i16], &mut [i32]),
) -> bool {
    let units = a.len();
    if units == 0 || units > c_prev.len() || units > c.len() || !fits(4 * units, layer, &x, &a_prev)
    {
        return false;
    }
    let mut block = Units {
        x: Part::new(layer.wx, &x),
        a: Part::new(layer.wa, &a_prev),
        bias: layer.bias.as_ptr(),
        scale: layer.scale.as_ptr(),
        c_prev: c_prev.as_ptr(),
        c: c.as_mut_ptr(),
        next_a: a.as_mut_ptr(),
        count: units,
        table: crate::quantized::TABLE.as_ptr(),
        sums: [0; 4],
    };
    // SAFETY: there is at least one unit, and of the layer and the states, as has been checked, all
    // that is read and written for each of them. The four rows of a unit are one run, of which each
    // column is four or eight bytes, after matrices that stand at a multiple of four.
    unsafe { super::lstm_m4::units(&mut block) };
    true
}

/// Runs in assembly; those of other widths, and those with too many columns, plainly.
pub(crate) struct Controller;

impl<W: Weight> Kernel<W> for Controller {
    #[inline(always)]
    fn sums(gates: usize, sums: &mut [i32], block: &Rows<W>, x: Seen, a: Seen) {
        let width = sums.len() / gates.max(1);
        let _done = self::sums([gates, width], sums, block, &x, &a);
        #[cfg(bptt_integers = "m4")]
        if !_done {
            plain_sums(gates, sums, block, x, a);
        }
    }

    #[inline(always)]
    fn lstm(
        layer: &Rows<W>,
        seen: [Seen; 2],
        c_prev: &[i32],
        states: (&mut [i16], &mut [i32]),
    ) -> bool {
        // What does not fit here, no kernel can do.
        self::lstm(layer, seen, c_prev, states) || cfg!(not(bptt_integers = "m4"))
    }

    #[inline(always)]
    fn rnn_units(sums: &mut [i32], rows: &Rows<W>, a: &mut [i16]) {
        sigmoids(sums, rows.scale);
        for (a, sigmoid) in a.iter_mut().zip(&*sums) {
            *a = (*sigmoid - 32768) as i16;
        }
    }

    #[inline(always)]
    fn gru_after_sums(sums: &mut [i32], block: &Rows<W>, bna: &[i32], x: Seen, a: Seen) {
        let _done = self::gru_after_sums(sums, block, bna, &x, &a);
        #[cfg(bptt_integers = "m4")]
        if !_done {
            plain_gru_after_sums(sums, block, bna, x, a);
        }
    }
}

/// [`Kernel::sums`], plainly.
#[cfg(bptt_integers = "m4")]
#[inline(never)]
fn plain_sums<W: Weight>(gates: usize, sums: &mut [i32], block: &Rows<W>, x: Seen, a: Seen) {
    Plain::sums(gates, sums, block, x, a);
}

/// [`Kernel::gru_after_sums`], plainly.
#[cfg(bptt_integers = "m4")]
#[inline(never)]
fn plain_gru_after_sums<W: Weight>(
    sums: &mut [i32],
    block: &Rows<W>,
    bna: &[i32],
    x: Seen,
    a: Seen,
) {
    Plain::gru_after_sums(sums, block, bna, x, a);
}
