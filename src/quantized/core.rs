//! The steps over slices: a block of units at a time, first the sums of its rows, then what each of
//! its units makes of them. This is the plain form; a kernel of the target takes the place of the
//! functions of [`Kernel`] that it has something better for.

use super::packed::Order;
use super::scale::RowScale;
use super::table::{sigmoid, tanh};
use super::{Weight, order};
use crate::shape::{copy, part, part_mut, parts, parts_mut};

/// The numbers of the rows and the weights of a layer, or of a block of one.
#[derive(Clone, Copy)]
pub struct Rows<'a, W> {
    /// b of each row, in what one of its sum stands for.
    pub(crate) bias: &'a [i32],
    pub(crate) scale: &'a [RowScale],
    pub(crate) wx: &'a [W],
    pub(crate) wa: &'a [W],
}

impl<'a, W> Rows<'a, W> {
    /// The next block of `rows` rows with `x` and `a` columns; it is taken away.
    #[inline(always)]
    fn take(&mut self, rows: usize, x: usize, a: usize) -> Self {
        #[inline(always)]
        fn split<'a, T>(of: &mut &'a [T], at: usize) -> &'a [T] {
            let (part, rest) = of.split_at_checked(at).unwrap_or_default();
            *of = rest;
            part
        }
        Rows {
            bias: split(&mut self.bias, rows),
            scale: split(&mut self.scale, rows),
            wx: split(&mut self.wx, rows * x),
            wa: split(&mut self.wa, rows * a),
        }
    }
}

/// Rows of a block at most: of four gates, or of as many units of one.
pub(crate) const ROWS: usize = if cfg!(bptt_integers = "plain") {
    64
} else {
    32
};

/// Room for the sums of a block, where a vector of them lies in one cache line.
#[cfg_attr(bptt_integers = "plain", repr(align(64)))]
pub(crate) struct Sums<const N: usize>(pub(crate) [i32; N]);

/// Rows of a block of one gate.
const UNITS: usize = order(1, 1).units;

/// A vector that the rows see.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) v: &'a [i16],
    /// What a sum over it starts at, so that the offset of the weights has no effect: −2^(bits − 1)·Σv
    /// or, where they have none, 0.
    pub(crate) start: i32,
}

impl<'a> Seen<'a> {
    #[inline(always)]
    pub(crate) fn new<W: Weight>(v: &'a [i16]) -> Self {
        let start = if order(1, size_of::<W>()).offset {
            (total(v) << (W::BITS - 1)).wrapping_neg()
        } else {
            0
        };
        Seen { v, start }
    }
}

/// Σv; a function by itself, which is not unrolled into all registers and more.
#[inline(never)]
fn total(v: &[i16]) -> i32 {
    v.iter().fold(0, |sum, v| sum.wrapping_add(i32::from(*v)))
}

/// What a target does in its own way; the default functions are the plain form.
pub(crate) trait Kernel<W: Weight> {
    /// sum = sum + W·v for the rows of a block, modulo 2³².
    #[inline(always)]
    fn add(gates: usize, sums: &mut [i32], w: &[W], v: &[i16]) {
        add(order(gates, size_of::<W>()), gates, sums, w, v);
    }

    /// sum = sum·2^k + b: from the sum over x to what the one over a starts at.
    #[inline(always)]
    fn join(sums: &mut [i32], rows: &Rows<W>) {
        for ((sum, b), scale) in sums.iter_mut().zip(rows.bias).zip(rows.scale) {
            *sum = (*sum << (scale.x_shift() & 31)).wrapping_add(*b);
        }
    }

    /// (1) for a block: the sums over x, joined with b, then over a.
    #[inline(always)]
    fn sums(gates: usize, sums: &mut [i32], block: &Rows<W>, x: Seen, a: Seen) {
        sums.fill(x.start);
        Self::add(gates, sums, block.wx, x.v);
        Self::join(sums, block);
        start_at(sums, a);
        Self::add(gates, sums, block.wa, a.v);
    }

    /// (1) for a block of r, u, n of [`gru_after_step`]; then n over x by itself: that over a starts
    /// at the second bias.
    #[inline(always)]
    fn gru_after_sums(sums: &mut [i32], block: &Rows<W>, bna: &[i32], x: Seen, a: Seen) {
        let width = bna.len();
        let (three, s) = sums.split_at_mut_checked(3 * width).unwrap_or_default();
        let none = Seen { v: &[], start: 0 };
        Self::sums(3, three, block, x, none);
        let (_, n) = three.split_at_mut_checked(2 * width).unwrap_or_default();
        copy(n, s);
        copy(bna, n);
        start_at(three, a);
        Self::add(3, three, block.wa, a.v);
    }

    /// z of each sum.
    #[inline(always)]
    fn scale(sums: &mut [i32], rows: &Rows<W>) {
        for (sum, scale) in sums.iter_mut().zip(rows.scale) {
            *sum = scale.of(*sum);
        }
    }

    /// A step of an LSTM, where there is a better one than block by block; false where nothing is done.
    #[inline(always)]
    fn lstm(
        _layer: &Rows<W>,
        _x_and_a: [Seen; 2],
        _c_prev: &[i32],
        _states: (&mut [i16], &mut [i32]),
    ) -> bool {
        false
    }

    /// (5) to (10) for the units of a block, from the sums of the gates f, i, g, o.
    #[inline(always)]
    fn lstm_units(sums: &mut [i32], rows: &Rows<W>, c_prev: &[i32], a: &mut [i16], c: &mut [i32]) {
        Self::scale(sums, rows);
        let [f, i, g, o] = parts(sums, a.len());
        let z = f.iter().zip(i).zip(g.iter().zip(o));
        let states = a.iter_mut().zip(c.iter_mut().zip(c_prev));
        for (((f, i), (g, o)), (a, (c, c_prev))) in z.zip(states) {
            (*a, *c) = lstm_unit([*f, *i, *g, *o], *c_prev);
        }
    }

    /// (11) to (15) for the units of a block, from the sums of r, u, of n over a, and of n over x.
    #[inline(always)]
    fn gru_after_units(sums: &mut [i32], rows: &Rows<W>, a_prev: &[i16], a: &mut [i16]) {
        let (three, nx) = sums.split_at_mut_checked(3 * a.len()).unwrap_or_default();
        Self::scale(three, rows);
        let scales = rows.scale.get(2 * a.len()..).unwrap_or_default();
        let [r, u, s] = parts(three, a.len());
        let gates = r.iter().zip(u).zip(s.iter().zip(nx.iter().zip(scales)));
        for (((r, u), (s, (nx, scale))), (a, a_prev)) in gates.zip(a.iter_mut().zip(a_prev)) {
            let r = sigmoid(*r) >> 1;
            let n = tanh(scale.of(*nx).wrapping_add(share(r, *s)));
            *a = between(sigmoid(*u) >> 1, n, *a_prev);
        }
    }

    /// (11) and r ⊙ a of (14′) for the units of a block, from the sums of r.
    #[inline(always)]
    fn reset_units(sums: &mut [i32], rows: &Rows<W>, a_prev: &[i16], reset: &mut [i16]) {
        Self::scale(sums, rows);
        for ((reset, a_prev), r) in reset.iter_mut().zip(a_prev).zip(&*sums) {
            *reset = (((sigmoid(*r) >> 1) * i32::from(*a_prev) + (1 << 14)) >> 15) as i16;
        }
    }

    /// (12), (14′) and (15) for the units of a block, from z of u and of n.
    #[inline(always)]
    fn gru_before_units(u: &[i32], n: &[i32], a_prev: &[i16], a: &mut [i16]) {
        for ((u, n), (a, a_prev)) in u.iter().zip(n).zip(a.iter_mut().zip(a_prev)) {
            *a = between(sigmoid(*u) >> 1, tanh(*n), *a_prev);
        }
    }

    /// (16) for the units of a block.
    #[inline(always)]
    fn rnn_units(sums: &mut [i32], rows: &Rows<W>, a: &mut [i16]) {
        Self::scale(sums, rows);
        for (a, z) in a.iter_mut().zip(&*sums) {
            *a = tanh(*z) as i16;
        }
    }

    /// (17) for the units of a block.
    #[inline(always)]
    fn relu_units(sums: &mut [i32], rows: &Rows<W>, a: &mut [i16]) {
        Self::scale(sums, rows);
        for (a, z) in a.iter_mut().zip(&*sums) {
            *a = (*z).clamp(0, 32767) as i16;
        }
    }
}

/// The plain form of everything.
#[allow(dead_code)] // Some targets have loops for every shape.
pub(crate) struct Plain;
impl<W: Weight> Kernel<W> for Plain {}

/// Adds where the sums over a vector start.
#[inline(always)]
fn start_at(sums: &mut [i32], v: Seen) {
    if v.start != 0 {
        for sum in sums {
            *sum = sum.wrapping_add(v.start);
        }
    }
}

/// [`Kernel::add`], plainly.
#[inline(always)]
pub(crate) fn add<W: Weight>(order: Order, gates: usize, sums: &mut [i32], w: &[W], v: &[i16]) {
    let rows = if order.together {
        sums.len()
    } else {
        sums.len() / gates.max(1)
    };
    // A weight with an offset is one without a sign.
    let mask = if order.offset { (1 << W::BITS) - 1 } else { -1 };
    // As `Order::place` has it.
    let whole = order.units * if order.together { gates } else { 1 };
    let paired = |row: usize| order.pairs && rows == whole && row | 1 < rows;
    let mut runs = w;
    let mut sums = sums;
    while !sums.is_empty() && rows > 0 {
        let (run_sums, other_sums) = sums.split_at_mut_checked(rows).unwrap_or_default();
        let (mut run, other_runs) = runs.split_at_checked(rows * v.len()).unwrap_or_default();
        let mut v = v;
        while !v.is_empty() {
            let p = order.columns.min(v.len());
            let (v_group, v_rest) = v.split_at_checked(p).unwrap_or_default();
            let (w_group, w_rest) = run.split_at_checked(rows * p).unwrap_or_default();
            for (row, sum) in run_sums.iter_mut().enumerate() {
                let v = v_group.iter().map(|v| i32::from(*v));
                if paired(row) {
                    // 256·odd + even a column: what the odd row lacks is what the even one has borrowed.
                    let pairs = part(w_group, (row & !1) * p, 2 * p).iter();
                    let (even, odd) = (pairs.clone().step_by(2), pairs.skip(1).step_by(2));
                    for ((even, odd), v) in even.zip(odd).zip(v) {
                        let (even, odd) = (even.to_i32(), odd.to_i32());
                        let w = if row & 1 == 0 {
                            even
                        } else {
                            odd + i32::from(even < 0)
                        };
                        *sum = sum.wrapping_add(w.wrapping_mul(v));
                    }
                } else {
                    for (w, v) in part(w_group, row * p, p).iter().zip(v) {
                        *sum = sum.wrapping_add((w.to_i32() & mask).wrapping_mul(v));
                    }
                }
            }
            (v, run) = (v_rest, w_rest);
        }
        (sums, runs) = (other_sums, other_runs);
    }
}

/// ⌊q·n / 2¹⁵⌋ for q in 0 … 2¹⁵, modulo 2³².
#[inline(always)]
pub(crate) fn share(q: i32, n: i32) -> i32 {
    if cfg!(any(
        bptt_integers = "m3",
        bptt_integers = "m4",
        bptt_integers = "rv32"
    )) {
        return ((i64::from(q) * i64::from(n)) >> 15) as i32;
    }
    // The same of both parts of n, where there is no product of 64 bits.
    let (upper, lower) = (n >> 15, n & 0x7fff);
    q.wrapping_mul(upper)
        .wrapping_add(q.wrapping_mul(lower) >> 15)
}

/// (5) to (10) for one unit: a and c from z of f, i, g, o and c before.
#[inline(always)]
pub(crate) fn lstm_unit(z: [i32; 4], c_prev: i32) -> (i16, i32) {
    lstm_state(z.map(sigmoid), c_prev)
}

/// [`lstm_unit`] from σ of z.
#[inline(always)]
pub(crate) fn lstm_state([f, i, g, o]: [i32; 4], c_prev: i32) -> (i16, i32) {
    let (f, i, g, o) = (f >> 1, i >> 1, g - 32768, o >> 1);
    // Beyond 32 bits only where c before is none that a step has written.
    let c = share(f, c_prev).wrapping_add((i * g) >> 10);
    let c = c.clamp(-C_LIMIT, C_LIMIT);
    let a = (o * tanh(c >> 3) + (1 << 14)) >> 15;
    (a as i16, c)
}

/// (15) for one unit: n + u·(a − n).
#[inline(always)]
pub(crate) fn between(u: i32, n: i32, a_prev: i16) -> i16 {
    // At most 32767·65535 and a half: 31 bits.
    (n + ((u * (i32::from(a_prev) - n) + (1 << 14)) >> 15)) as i16
}

/// The greatest |c|: 32, in 2⁻²⁰.
pub(crate) const C_LIMIT: i32 = 32 << 20;

/// The blocks of a layer: the rows of each, its first unit, and how many units it has.
///
/// No closure, which would be compiled for the instruction set of the target, not of the door.
struct Blocks<'a, W> {
    gates: usize,
    units: usize,
    columns: [usize; 2],
    rest: Rows<'a, W>,
    first: usize,
}

#[inline(always)]
fn blocks<W>(gates: usize, units: usize, columns: [usize; 2], rest: Rows<W>) -> Blocks<W> {
    Blocks {
        gates,
        units,
        columns,
        rest,
        first: 0,
    }
}

impl<'a, W: Weight> Iterator for Blocks<'a, W> {
    type Item = (Rows<'a, W>, usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let most = order(self.gates, size_of::<W>()).units.max(1);
        let (first, [x, a]) = (self.first, self.columns);
        let width = most.min(self.units.saturating_sub(first));
        if width == 0 {
            return None;
        }
        self.first += width;
        Some((self.rest.take(self.gates * width, x, a), first, width))
    }
}

/// The sums of a block.
#[inline(always)]
fn sums<'s, W: Weight, K: Kernel<W>>(
    gates: usize,
    room: &'s mut [i32],
    block: &Rows<W>,
    x: Seen,
    a: Seen,
) -> &'s mut [i32] {
    let sums = part_mut(room, 0, block.bias.len());
    K::sums(gates, sums, block, x, a); // (1)
    sums
}

/// One step of an LSTM: a and c from those before.
#[inline(always)]
pub(crate) fn lstm_step<W: Weight, K: Kernel<W>>(
    layer: Rows<W>,
    x: &[i16],
    (a_prev, c_prev): (&[i16], &[i32]),
    (a, c): (&mut [i16], &mut [i32]),
) {
    let (x_seen, a_seen) = (Seen::new::<W>(x), Seen::new::<W>(a_prev));
    if K::lstm(&layer, [x_seen, a_seen], c_prev, (&mut *a, &mut *c)) {
        return;
    }
    let mut room = Sums([0; ROWS]);
    for (block, first, width) in blocks(4, a.len(), [x.len(), a_prev.len()], layer) {
        let sums = sums::<W, K>(4, &mut room.0, &block, x_seen, a_seen);
        let (a, c) = (part_mut(a, first, width), part_mut(c, first, width));
        K::lstm_units(sums, &block, part(c_prev, first, width), a, c);
    }
}

/// One step of a GRU with the reset after the product. `bna` is the second bias of the candidate.
#[inline(always)]
pub(crate) fn gru_after_step<W: Weight, K: Kernel<W>>(
    layer: Rows<W>,
    bna: &[i32],
    x: &[i16],
    a_prev: &[i16],
    a: &mut [i16],
) {
    let (x_seen, a_seen) = (Seen::new::<W>(x), Seen::new::<W>(a_prev));
    let mut room = Sums([0; ROWS]);
    for (block, first, width) in blocks(3, a.len(), [x.len(), a_prev.len()], layer) {
        let sums = part_mut(&mut room.0, 0, 4 * width);
        K::gru_after_sums(sums, &block, part(bna, first, width), x_seen, a_seen);
        K::gru_after_units(
            sums,
            &block,
            part(a_prev, first, width),
            part_mut(a, first, width),
        );
    }
}

/// One step of a GRU with the reset before the product, `layers` being its three gates; r ⊙ a is
/// left in `reset`.
#[inline(always)]
pub(crate) fn gru_before_step<W: Weight, K: Kernel<W>>(
    mut layers: [Rows<W>; 3],
    x: &[i16],
    a_prev: &[i16],
    reset: &mut [i16],
    a: &mut [i16],
) {
    let x = Seen::new::<W>(x);
    let [r, u, n] = &mut layers;
    reset_gate::<W, K>(r, &x, a_prev, reset);
    update::<W, K>(u, n, &x, a_prev, reset, a);
}

/// r ⊙ a of [`gru_before_step`]. A function of its own for the sake of the stack, as the other one is.
#[cfg_attr(bptt_integers = "plain", inline(always))]
#[cfg_attr(not(bptt_integers = "plain"), inline(never))]
fn reset_gate<W: Weight, K: Kernel<W>>(
    r: &mut Rows<W>,
    x: &Seen,
    a_prev: &[i16],
    reset: &mut [i16],
) {
    let a_seen = Seen::new::<W>(a_prev);
    let (mut room, mut first) = (Sums([0; UNITS]), 0);
    while first < a_prev.len() {
        let width = UNITS.min(a_prev.len() - first);
        let (sums, block) = next_sums::<W, K>(&mut room.0, r, width, x, &a_seen);
        let (a_prev, reset) = (part(a_prev, first, width), part_mut(reset, first, width));
        K::reset_units(sums, &block, a_prev, reset);
        first += width;
    }
}

/// The rest of [`gru_before_step`].
#[cfg_attr(bptt_integers = "plain", inline(always))]
#[cfg_attr(not(bptt_integers = "plain"), inline(never))]
fn update<W: Weight, K: Kernel<W>>(
    u: &mut Rows<W>,
    n: &mut Rows<W>,
    x: &Seen,
    a_prev: &[i16],
    reset: &[i16],
    a: &mut [i16],
) {
    let (a_seen, reset_seen) = (Seen::new::<W>(a_prev), Seen::new::<W>(reset));
    let (mut room, mut first) = (Sums([0; 2 * UNITS]), 0);
    let [u_room, n_room] = parts_mut(&mut room.0, UNITS);
    while first < a.len() {
        let width = UNITS.min(a.len() - first);
        let u = next_z::<W, K>(u_room, u, width, x, &a_seen);
        let n = next_z::<W, K>(n_room, n, width, x, &reset_seen);
        K::gru_before_units(u, n, part(a_prev, first, width), part_mut(a, first, width));
        first += width;
    }
}

/// z of the next block of one gate, which is taken away.
#[cfg_attr(bptt_integers = "plain", inline(always))]
#[cfg_attr(not(bptt_integers = "plain"), inline(never))]
fn next_z<'s, W: Weight, K: Kernel<W>>(
    room: &'s mut [i32],
    layer: &mut Rows<W>,
    width: usize,
    x: &Seen,
    a: &Seen,
) -> &'s mut [i32] {
    let (z, block) = next_sums::<W, K>(room, layer, width, x, a);
    K::scale(z, &block);
    z
}

/// The sums of the next block of one gate, which is taken away, and the block.
#[inline(always)]
fn next_sums<'s, 'a, W: Weight, K: Kernel<W>>(
    room: &'s mut [i32],
    layer: &mut Rows<'a, W>,
    width: usize,
    x: &Seen,
    a: &Seen,
) -> (&'s mut [i32], Rows<'a, W>) {
    let block = layer.take(width, x.v.len(), a.v.len());
    let sums = sums::<W, K>(1, room, &block, *x, *a);
    (sums, block)
}

/// One step of an RNN with tanh.
#[inline(always)]
pub(crate) fn rnn_step<W: Weight, K: Kernel<W>>(
    layer: Rows<W>,
    x: &[i16],
    a_prev: &[i16],
    a: &mut [i16],
) {
    rnn::<W, K>(layer, x, a_prev, a, false);
}

/// One step of an RNN with ReLU.
#[inline(always)]
pub(crate) fn relu_step<W: Weight, K: Kernel<W>>(
    layer: Rows<W>,
    x: &[i16],
    a_prev: &[i16],
    a: &mut [i16],
) {
    rnn::<W, K>(layer, x, a_prev, a, true);
}

/// One step of an RNN of either kind.
#[inline(always)]
fn rnn<W: Weight, K: Kernel<W>>(
    mut layer: Rows<W>,
    x: &[i16],
    a_prev: &[i16],
    a: &mut [i16],
    relu: bool,
) {
    let (x, a_prev) = (Seen::new::<W>(x), Seen::new::<W>(a_prev));
    let (mut room, mut first) = (Sums([0; UNITS]), 0);
    while first < a.len() {
        let width = UNITS.min(a.len() - first);
        let (sums, block) = next_sums::<W, K>(&mut room.0, &mut layer, width, &x, &a_prev);
        let a = part_mut(a, first, width);
        if relu {
            K::relu_units(sums, &block, a);
        } else {
            K::rnn_units(sums, &block, a);
        }
        first += width;
    }
}

/// The output layer: y in 2⁻¹⁶.
#[inline(always)]
pub(crate) fn dense<W: Weight, K: Kernel<W>>(layer: Rows<W>, a: &[i16], y: &mut [i32]) {
    let (x_seen, a_seen) = (Seen::new::<W>(&[]), Seen::new::<W>(a));
    for (block, first, width) in blocks(1, y.len(), [0, a.len()], layer) {
        let y = sums::<W, K>(1, part_mut(y, first, width), &block, x_seen, a_seen);
        K::scale(y, &block);
    }
}
