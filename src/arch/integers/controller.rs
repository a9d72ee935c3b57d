//! The kernel of a controller, but for its loops in assembly: what they are handed, and the check
//! that makes them sound.

use super::order;
#[cfg(bptt_integers = "rv32")]
use super::riscv::runs;
#[cfg(not(bptt_integers = "rv32"))]
use super::thumb::runs;
use crate::quantized::{
    Kernel, RowScale, Rows, Seen, Sums, Weight, lstm_state, plain_gru_after_sums, plain_sums,
    sigmoid,
};
use crate::shape::{part, parts};

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

impl<W> Part<W> {
    fn new(w: &[W], seen: Seen) -> Self {
        let v = seen.v.as_ptr_range();
        Part {
            w: w.as_ptr(),
            v: v.start,
            middle: v.start.wrapping_add(seen.v.len() / AT_A_TIME * AT_A_TIME),
            end: v.end,
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

/// As many columns as an even sum of a pair of rows cannot leave 32 bits with.
const COLUMNS: usize = 512;

/// (1) for whole runs of rows; false where there are too many columns or another number of rows,
/// and nothing is done.
fn sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: Seen, a: Seen) -> bool {
    let count = sums.len() / RUN;
    let fits = |w: &[W], v: &[i16]| {
        sums.len()
            .checked_mul(v.len())
            .is_some_and(|n| n <= w.len())
    };
    if count == 0
        || (order(1, size_of::<W>()).pairs && x.v.len().max(a.v.len()) > COLUMNS)
        || count * RUN != sums.len()
        || sums.len() > rows.bias.len()
        || sums.len() > rows.scale.len()
        || !fits(rows.wx, x.v)
        || !fits(rows.wa, a.v)
    {
        return false;
    }
    let mut block = Runs {
        x: Part::new(rows.wx, x),
        a: Part::new(rows.wa, a),
        start: [x.start, a.start],
        bias: rows.bias.as_ptr(),
        scale: rows.scale.as_ptr(),
        sums: sums.as_mut_ptr(),
        count,
    };
    // SAFETY: for each of `count` runs of RUN rows there are RUN sums, biases and scales, and RUN
    // weights for each scalar of both vectors, as has just been checked.
    unsafe { runs(&mut block) };
    true
}

/// σ of z of each sum, in 2⁻¹⁶.
fn sigmoids(sums: &mut [i32], scale: &[RowScale]) {
    #[cfg(not(bptt_integers = "rv32"))]
    if sums.len() <= scale.len() {
        // SAFETY: there is a scale for each sum.
        unsafe { super::thumb::sigmoids(sums, scale.as_ptr()) };
        return;
    }
    for (sum, scale) in sums.iter_mut().zip(scale) {
        *sum = sigmoid(scale.of(*sum));
    }
}

/// (9) and (10) for the units of a block, from σ of z of f, i, g, o.
#[inline(always)]
fn states(gates: &[i32], c_prev: &[i32], a: &mut [i16], c: &mut [i32]) {
    let [f, i, g, o] = parts(gates, a.len());
    let gates = f.iter().zip(i).zip(g.iter().zip(o));
    let states = a.iter_mut().zip(c.iter_mut().zip(c_prev));
    for (((f, i), (g, o)), (a, (c, c_prev))) in gates.zip(states) {
        (*a, *c) = lstm_state([*f, *i, *g, *o], *c_prev);
    }
}

/// A step of the units of an LSTM that fill whole runs, from the first one on: how many they are.
#[cfg(not(bptt_integers = "m4"))]
fn lstm<W: Weight>(
    room: &mut Sums,
    layer: &Rows<W>,
    [x, a_prev]: [Seen; 2],
    mut c_prev: &[i32],
    (mut a, mut c): (&mut [i16], &mut [i32]),
) -> usize {
    const ROWS: usize = 4 * RUN;
    let Some(sums) = room.0.first_chunk_mut::<ROWS>() else {
        return 0;
    };
    let units = a.len() / RUN * RUN;
    let rows = 4 * units;
    let fits = |w: &[W], v: &[i16]| rows.checked_mul(v.len()).is_some_and(|n| n <= w.len());
    if (order(4, size_of::<W>()).pairs && x.v.len().max(a_prev.v.len()) > COLUMNS)
        || rows > layer.bias.len()
        || rows > layer.scale.len()
        || !fits(layer.wx, x.v)
        || !fits(layer.wa, a_prev.v)
    {
        return 0;
    }
    let mut block = Runs {
        x: Part::new(layer.wx, x),
        a: Part::new(layer.wa, a_prev),
        start: [x.start, a_prev.start],
        bias: layer.bias.as_ptr(),
        scale: layer.scale.as_ptr(),
        sums: sums.as_mut_ptr(),
        count: 4,
    };
    let (mut done, mut scale) = (0, layer.scale);
    while let (
        Some((a_now, a_rest)),
        Some((c_now, c_rest)),
        Some((c_then, c_prev_rest)),
        Some((scales, scale_rest)),
    ) = (
        a.split_first_chunk_mut::<RUN>(),
        c.split_first_chunk_mut::<RUN>(),
        c_prev.split_first_chunk::<RUN>(),
        scale.split_first_chunk::<ROWS>(),
    ) {
        block.sums = sums.as_mut_ptr();
        block.count = 4;
        // SAFETY: there are 4·RUN sums, and of the layer, as has been checked, biases, scales and
        // weights for all whole runs of units: of `a` there are no more. Each call goes on where the
        // one before has ended.
        unsafe { runs(&mut block) };
        sigmoids(sums, scales);
        states(sums, c_then, a_now, c_now);
        (a, c, c_prev, scale) = (a_rest, c_rest, c_prev_rest, scale_rest);
        done += RUN;
    }
    done
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

/// A step of all units of an LSTM: how many they are.
#[cfg(bptt_integers = "m4")]
fn lstm<W: Weight>(
    _room: &mut Sums,
    layer: &Rows<W>,
    [x, a_prev]: [Seen; 2],
    c_prev: &[i32],
    (a, c): (&mut [i16], &mut [i32]),
) -> usize {
    let units = a.len();
    let rows = 4 * units;
    let fits = |w: &[W], v: &[i16]| rows.checked_mul(v.len()).is_some_and(|n| n <= w.len());
    if (order(4, size_of::<W>()).pairs && x.v.len().max(a_prev.v.len()) > COLUMNS)
        || units == 0
        || rows > layer.bias.len()
        || rows > layer.scale.len()
        || units > c_prev.len()
        || units > c.len()
        || !fits(layer.wx, x.v)
        || !fits(layer.wa, a_prev.v)
    {
        return 0;
    }
    let mut block = Units {
        x: Part::new(layer.wx, x),
        a: Part::new(layer.wa, a_prev),
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
    units
}

/// Runs in assembly; rows that fill none, plainly.
pub(crate) struct Controller;

impl<W: Weight> Kernel<W> for Controller {
    #[inline(always)]
    fn sums(gates: usize, sums: &mut [i32], block: &Rows<W>, x: Seen, a: Seen) {
        let whole = sums.len() == gates * RUN;
        if !whole || !self::sums(sums, block, x, a) {
            plain_sums(gates, sums, block, x, a);
        }
    }

    #[inline(always)]
    fn lstm(
        room: &mut Sums,
        layer: &Rows<W>,
        seen: [Seen; 2],
        c_prev: &[i32],
        states: (&mut [i16], &mut [i32]),
    ) -> usize {
        self::lstm(room, layer, seen, c_prev, states)
    }

    #[inline(always)]
    fn lstm_units(sums: &mut [i32], rows: &Rows<W>, c_prev: &[i32], a: &mut [i16], c: &mut [i32]) {
        sigmoids(sums, rows.scale);
        states(sums, c_prev, a, c);
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
        if bna.len() != RUN || sums.len() != 4 * RUN {
            return plain_gru_after_sums(sums, block, bna, x, a);
        }
        const NONE: Seen = Seen { v: &[], start: 0 };
        let (ru, n) = sums.split_at_mut_checked(2 * RUN).unwrap_or_default();
        let (n, s) = n.split_at_mut_checked(RUN).unwrap_or_default();
        let (n_x, n_a) = (2 * RUN * x.v.len(), 2 * RUN * a.v.len());
        let candidate = Rows {
            bias: part(block.bias, 2 * RUN, RUN),
            scale: part(block.scale, 2 * RUN, RUN),
            wx: block.wx.get(n_x..).unwrap_or_default(),
            wa: &[],
        };
        let mut done = self::sums(ru, block, x, a) && self::sums(s, &candidate, x, NONE);
        let candidate = Rows {
            bias: bna,
            wx: &[],
            wa: block.wa.get(n_a..).unwrap_or_default(),
            ..candidate
        };
        done = done && self::sums(n, &candidate, NONE, a);
        if !done {
            plain_gru_after_sums(sums, block, bna, x, a);
        }
    }
}
