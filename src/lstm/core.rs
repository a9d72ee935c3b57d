//! The LSTM over slices: one step forward, one step backward, and both over time. The numbers are
//! those of the equations in [`lstm`](crate::lstm).
//!
//! A sample's column of a batch is contiguous everywhere, so what is done unit by unit is done over
//! A·M scalars. Parameters are four gates after one another, each Wa (A, A), Wx (A, X), b (A); a
//! state is a, then c; a cache is f, i, g, o, c.

use core::slice;

use crate::Real;
use crate::activation::{gates_vectors, tanh_vectors};
use crate::arch::{
    self, Core as _, Edge, Gates, Part, Registers, Steps, StepsMut, VECTORS, Vector, Whole,
    one_by_one,
};
use crate::product;
use crate::real::sealed::Sealed;
use crate::sequence::{Backward, Forward, Recurrent, Step, Weights};
use crate::shape::{Shape, part, part_mut, parts, parts_mut};
use crate::tuning::{LOCKSTEP, PRODUCT, UNITS, sixteen};

/// The matrices of a cache.
const CACHE: usize = 5;
/// The matrices of a state.
const STATE: usize = 2;

/// The LSTM as [`sequence`](crate::sequence) sees it: the gates f, i, g, o; a state is a, c; a
/// cache is f, i, g, o, c.
pub struct Lstm;

impl<T: Real> Recurrent<T> for Lstm {
    const GATES: usize = 4;
    const CACHE: usize = CACHE;
    const STATE: usize = STATE;
    const Z_IN_A: bool = false;

    /// (0) … + Wa_q·a⟨t−1⟩, then (1) to (6).
    #[inline(always)]
    fn step_forward(
        shape: Shape,
        weights: Weights<T>,
        [a_prev, c_prev]: [&[T]; 2],
        cache: &mut [T],
        a: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        let matrix = units * batch;
        if batch < PRODUCT {
            return T::Core::lstm_recurrence(units, weights, [a_prev, c_prev], cache, matrix, a);
        }
        for q in 0..4 {
            let wa = weights.wa.part(q, 0, units * units);
            let u = Steps::dense(a_prev, units, batch);
            let z = StepsMut::matrix(cache, (q, CACHE), (units, batch));
            T::Core::forward(wa, None, &u, z, batch); // (0) … + Wa_q·a⟨t−1⟩
        }
        T::Core::lstm_units(c_prev, cache, matrix, a);
    }

    /// (7) to (16), then (20).
    #[inline(always)]
    fn step_backward(
        shape: Shape,
        weights: Weights<T>,
        [_, c_prev]: [&[T]; 2],
        _a: &[T],
        cache: &mut [T],
        dstate: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        T::Core::lstm_units_backward(c_prev, cache, dstate);
        let dz_f = Steps::matrix(cache, (0, CACHE), (units, batch)); // and after it dz_i, dz_g, dz_o
        let dh = StepsMut::matrix(dstate, (0, STATE), (units, batch));
        T::Core::transposed(weights.wa, 4, &dz_f, units * batch, dh, batch, false); // (20)
    }

    const STEP: Step<T> = T::Core::lstm_step_all;
    const FORWARD: Forward<T> = match VECTORS {
        true => T::Core::lstm_forward,
        false => T::Core::lstm_columns,
    };
    const BACKWARD: Backward<T> = T::Core::lstm_backward;
}

/// c flushed, and tanh of that.
#[inline(always)]
fn flush_and_tanh<V: Vector, const N: usize>(c: [V; N]) -> ([V; N], [V; N]) {
    let mut flushed = c;
    for n in 0..N {
        flushed[n] = c[n].flush();
    }
    if V::REGISTERS == Registers::Scalars {
        return (flushed, tanh_vectors(flushed));
    }
    // tanh need not wait for the test: where c is flushed, tanh is.
    let mut tanh = tanh_vectors(c);
    for n in 0..N {
        tanh[n] = tanh[n].flush_as(c[n]);
    }
    (flushed, tanh)
}

/// (1) to (6) for N vectors of units: pre-activations to gates, c⟨t⟩ and a⟨t⟩.
#[inline(always)]
fn activate<V: Vector, const N: usize>(
    z: [[V; N]; 4],
    c_prev: [V; N],
) -> ([[V; N]; 4], [V; N], [V; N]) {
    let [f, i, g, o] = gates_vectors(z); // (1) f, (2) i, (3) g, (4) o
    let mut c = c_prev;
    for n in 0..N {
        c[n] = f[n] * c_prev[n] + i[n] * g[n]; // (5), not yet flushed
    }
    let (c, tanh_c) = flush_and_tanh(c);
    let mut a = tanh_c;
    for n in 0..N {
        a[n] = o[n] * tanh_c[n]; // (6)
    }
    ([f, i, g, o], c, a)
}

/// (1) to (6) for all units of a step: z, which is `apart` scalars apart in `gates`, becomes the
/// gates.
#[inline(always)]
fn activate_all<V: Vector>(
    c_prev: &[V::Scalar],
    gates: &mut [V::Scalar],
    apart: usize,
    c: &mut [V::Scalar],
    a: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return activate_all::<V::Half>(c_prev, gates, apart, c, a);
    }
    let units = a.len();
    let mut r = 0;
    // Two vectors at a time, since each has four chains of instructions.
    while V::REGISTERS != Registers::Scalars && units - r >= 2 * V::LANES {
        activate_block::<V, Whole, 2>(c_prev, gates, apart, c, a, r, Whole);
        r += 2 * V::LANES;
    }
    while units - r >= V::LANES {
        activate_block::<V, Whole, 1>(c_prev, gates, apart, c, a, r, Whole);
        r += V::LANES;
    }
    if V::LANES > 1 && r < units {
        activate_block::<V, Part, 1>(c_prev, gates, apart, c, a, r, Part::of::<V>(units - r));
    }
}

/// N vectors of units from unit r on.
#[inline(always)]
fn activate_block<V: Vector, E: Edge, const N: usize>(
    c_prev: &[V::Scalar],
    gates: &mut [V::Scalar],
    apart: usize,
    c: &mut [V::Scalar],
    a: &mut [V::Scalar],
    r: usize,
    edge: E,
) {
    let z = arch::load_gates::<V, E, 4, N>(Gates { all: gates, apart }, r, edge);
    let (z, next_c, next_a) = activate(z, arch::load(c_prev, r, edge));
    arch::store_gates(z, gates, apart, r, edge);
    arch::store(next_c, c, r, edge);
    arch::store(next_a, a, r, edge);
}

/// (1) to (6) for all units of a step whose cache has matrices of `apart` scalars.
#[inline(always)]
pub(crate) fn units<V: Vector>(
    c_prev: &[V::Scalar],
    cache: &mut [V::Scalar],
    apart: usize,
    a: &mut [V::Scalar],
) {
    let (gates, c) = cache.split_at_mut_checked(4 * apart).unwrap_or_default();
    activate_all::<V>(c_prev, gates, apart, c, a);
}

/// One step of inference: (1) to (6), without a cache, for each column of the batch.
pub(crate) fn step<T: Real>(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let weights = Weights::new(params, shape);
    let [a_prev, c_prev] = parts(prev, units * batch);
    let [a, c] = parts_mut(next, units * batch);
    let (mut x, mut a_prev, mut c_prev) = (x, a_prev, c_prev);
    let (mut a, mut c) = (a, c);
    for _ in 0..batch {
        let (x_now, x_rest) = x.split_at_checked(inputs).unwrap_or_default();
        let (a_prev_now, a_prev_rest) = a_prev.split_at_checked(units).unwrap_or_default();
        let (c_prev_now, c_prev_rest) = c_prev.split_at_checked(units).unwrap_or_default();
        let (a_now, a_rest) = a.split_at_mut_checked(units).unwrap_or_default();
        let (c_now, c_rest) = c.split_at_mut_checked(units).unwrap_or_default();
        T::Core::lstm_step(
            units,
            weights,
            x_now,
            [a_prev_now, c_prev_now],
            [a_now, c_now],
        );
        (x, a_prev, c_prev, a, c) = (x_rest, a_prev_rest, c_prev_rest, a_rest, c_rest);
    }
}

/// One column of a step. `prev` and `next` are a and c.
#[inline(always)]
pub(crate) fn step_column<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    prev: [&[V::Scalar]; 2],
    next: [&mut [V::Scalar]; 2],
) {
    if V::REGISTERS == Registers::Scalars {
        step_in_blocks::<V>(units, weights.wa, x, prev, next, None);
    } else {
        column::<V>(units, weights, Origin::Inputs(x), prev, next);
    }
}

/// Where the sums of a column start.
enum Origin<'a, T> {
    /// From b and x; the gates are not kept.
    Inputs(&'a [T]),
    /// From the first part of each z_q, which the gates replace: a gate stands so many scalars after
    /// the one before.
    Z(&'a mut [T], usize),
}

/// (0) to (6) for one column: all its sums in registers, where they fit.
#[inline(always)]
fn column<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    from: Origin<V::Scalar>,
    prev: [&[V::Scalar]; 2],
    next: [&mut [V::Scalar]; 2],
) {
    if units <= V::Half::LANES {
        in_registers::<V::Half, 1>(units, weights, from, prev, next);
    } else if units <= V::LANES {
        in_registers::<V, 1>(units, weights, from, prev, next);
    } else if units <= 2 * V::LANES {
        in_registers::<V, 2>(units, weights, from, prev, next);
    } else if units <= 3 * V::LANES {
        in_registers::<V, 3>(units, weights, from, prev, next);
    } else if V::REGISTERS == Registers::ThirtyTwo && units <= 4 * V::LANES {
        in_registers::<V, 4>(units, weights, from, prev, next);
    } else {
        match from {
            Origin::Inputs(x) => {
                <V::Scalar as Sealed>::Core::lstm_step_in_memory(units, weights, x, prev, next);
            }
            Origin::Z(z, apart) => recurrence_in_memory::<V>(units, weights, prev, z, apart, next),
        }
    }
}

/// A column of at most P vectors of units: their activations go together. Without optimisation each
/// P has a frame of its own, or the frames of all would stand side by side (see `build.rs`).
#[cfg_attr(bptt_unoptimized, inline(never))]
#[cfg_attr(not(bptt_unoptimized), inline(always))]
fn in_registers<V: Vector, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    from: Origin<V::Scalar>,
    prev: [&[V::Scalar]; 2],
    next: [&mut [V::Scalar]; 2],
) {
    if units == P * V::LANES {
        with_edge::<V, Whole, P>(units, weights, from, prev, next, Whole);
    } else {
        let edge = Part::of::<V>(units - (P - 1) * V::LANES);
        with_edge::<V, Part, P>(units, weights, from, prev, next, edge);
    }
}

#[inline(always)]
fn with_edge<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    from: Origin<V::Scalar>,
    [a_prev, c_prev]: [&[V::Scalar]; 2],
    [a, c]: [&mut [V::Scalar]; 2],
    edge: E,
) {
    let z = match &from {
        Origin::Inputs(x) => {
            let b = arch::load_gates::<V, E, 4, P>(weights.b, 0, edge);
            arch::add_columns(b, weights.wx, units, 0, x, edge) // (0) b_q + Wx_q·x⟨t⟩ …
        }
        Origin::Z(z, apart) => {
            let (all, apart) = (&**z, *apart);
            arch::load_gates(Gates { all, apart }, 0, edge)
        }
    };
    let z = arch::add_columns(z, weights.wa, units, 0, a_prev, edge); // (0) … + Wa_q·a⟨t−1⟩
    let (gates, next_c, next_a) = activate(z, arch::load(c_prev, 0, edge));
    if let Origin::Z(z, apart) = from {
        arch::store_gates(gates, z, apart, 0, edge);
    }
    arch::store(next_c, c, 0, edge);
    arch::store(next_a, a, 0, edge);
}

/// A step without vectors: a few units at a time. `weights` are those of the first gate and all
/// after it. The gates are kept, where there is a place for them.
#[inline(always)]
fn step_in_blocks<V: Vector>(
    units: usize,
    weights: Gates<V::Scalar>,
    x: &[V::Scalar],
    [a_prev, c_prev]: [&[V::Scalar]; 2],
    [a, c]: [&mut [V::Scalar]; 2],
    mut gates: Option<(&mut [V::Scalar], usize)>,
) {
    let mut places = c_prev.iter().zip(c).zip(a).enumerate();
    let mut z = [[V::splat(V::Scalar::ZERO)]; 4];
    for i in (0..units).step_by(V::LANES) {
        V::four_sums(&mut z, weights, units, i, x, a_prev);
        for z in arch::lanes(&z) {
            let Some((r, ((c_prev, c), a))) = places.next() else {
                return;
            };
            let (z, [next_c], [next_a]) = activate(z, [V::Half::splat(*c_prev)]);
            next_c.store(slice::from_mut(c), 0);
            next_a.store(slice::from_mut(a), 0);
            if let Some((gates, apart)) = &mut gates {
                arch::store_gates(z, gates, *apart, r, Whole);
            }
        }
    }
}

/// Pre-activations of four gates on the stack.
#[repr(align(64))] // So that no vector lies across two cache lines.
struct Buffer<T>([[T; UNITS]; 4]);

/// A step whose sums do not fit into the registers: all pre-activations of some units, then their
/// activations.
#[inline(always)]
pub(crate) fn step_in_memory<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    [a_prev, c_prev]: [&[V::Scalar]; 2],
    [a, c]: [&mut [V::Scalar]; 2],
) {
    let mut buffer = Buffer([[V::Scalar::ZERO; UNITS]; 4]);
    let z = buffer.0.as_flattened_mut();
    for first in (0..units).step_by(UNITS) {
        let n = UNITS.min(units - first);
        if in_lockstep::<V>(units) {
            lockstep::<V>(units, weights, Some(x), a_prev, first, z, UNITS, n);
        } else {
            for g in 0..4 {
                let z = part_mut(z, g * UNITS, n);
                product::of_inputs::<V>(weights, units, g, x, first, z); // (0) b_q + Wx_q·x⟨t⟩ …
                product::add_recurrence::<V>(weights, units, g, a_prev, first, z); // (0) … + Wa_q·a⟨t−1⟩
            }
        }
        let (c_prev, c) = (part(c_prev, first, n), part_mut(c, first, n));
        activate_all::<V>(c_prev, z, UNITS, c, part_mut(a, first, n));
    }
}

/// Whether the recurrent weights are few enough for all gates at a time.
#[inline(always)]
fn in_lockstep<V: Vector>(units: usize) -> bool {
    4 * units * units * size_of::<V::Scalar>() <= LOCKSTEP
}

/// The pre-activations of all four gates for n units from `first` on, a few vectors of all gates at
/// a time. With x they start from b, without it from z, which holds those of a gate `apart` scalars
/// after those of the gate before.
#[inline(always)]
fn lockstep<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    first: usize,
    z: &mut [V::Scalar],
    apart: usize,
    n: usize,
) {
    const P: usize = sixteen::GATES;
    let mut i = 0;
    while n - i >= P * V::LANES {
        let place = (first, apart, i);
        lockstep_block::<V, Whole, P>(units, weights, x, a_prev, z, place, Whole);
        i += P * V::LANES;
    }
    while n - i >= V::LANES {
        let place = (first, apart, i);
        lockstep_block::<V, Whole, 1>(units, weights, x, a_prev, z, place, Whole);
        i += V::LANES;
    }
    if i < n {
        let (place, edge) = ((first, apart, i), Part::of::<V>(n - i));
        lockstep_block::<V, Part, 1>(units, weights, x, a_prev, z, place, edge);
    }
}

/// P vectors of units from i on.
#[inline(always)]
fn lockstep_block<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    (first, apart, i): (usize, usize, usize),
    edge: E,
) {
    let sums = match x {
        Some(x) => {
            let sums = arch::load_gates::<V, E, 4, P>(weights.b, first + i, edge);
            arch::add_columns(sums, weights.wx, units, first + i, x, edge)
        }
        None => arch::load_gates(Gates { all: z, apart }, i, edge),
    };
    let sums = arch::add_columns(sums, weights.wa, units, first + i, a_prev, edge);
    arch::store_gates(sums, z, apart, i, edge);
}

/// A sequence forward without vectors, where a product of several columns saves nothing: one column
/// after the other.
#[inline(always)]
pub(crate) fn columns<V: Vector>(
    shape: Shape,
    params: &[V::Scalar],
    x: &[V::Scalar],
    init: &[V::Scalar],
    a: &mut [V::Scalar],
    caches: &mut [V::Scalar],
) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let weights = Weights::new(params, shape).wa;
    let matrix = units * batch;
    let [mut a_prev, mut c_prev] = parts(init, matrix);
    let (mut x, mut a, mut caches) = (x, a, caches);
    while V::REGISTERS == Registers::Scalars && !a.is_empty() {
        let (a_now, a_rest) = a.split_at_mut_checked(matrix).unwrap_or_default();
        let (gates, rest) = caches.split_at_mut_checked(4 * matrix).unwrap_or_default();
        let (c, rest) = rest.split_at_mut_checked(matrix).unwrap_or_default();
        (a, caches) = (a_rest, rest);
        let mut first = 0;
        while first < matrix && units > 0 {
            let (x_now, x_rest) = x.split_at_checked(inputs).unwrap_or_default();
            x = x_rest;
            let prev = [part(a_prev, first, units), part(c_prev, first, units)];
            let next = [part_mut(a_now, first, units), part_mut(c, first, units)];
            let gates = gates.get_mut(first..).unwrap_or_default();
            step_in_blocks::<V>(units, weights, x_now, prev, next, Some((gates, matrix)));
            first += units;
        }
        (a_prev, c_prev) = (a_now, c);
    }
}

/// (0) … + Wa_q·a⟨t−1⟩ for each column of a small batch, where the cache holds the first part of
/// each z_q, then (1) to (6). The matrices of the cache, of a and of `prev` (a and c) have `matrix`
/// scalars.
#[inline(always)]
pub(crate) fn recurrence<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    prev: [&[V::Scalar]; 2],
    cache: &mut [V::Scalar],
    matrix: usize,
    a: &mut [V::Scalar],
) {
    let mut first = 0;
    while first < matrix && units > 0 {
        let prev = [part(prev[0], first, units), part(prev[1], first, units)];
        let (gates, c) = cache.split_at_mut_checked(4 * matrix).unwrap_or_default();
        let gates = gates.get_mut(first..).unwrap_or_default();
        let next = [part_mut(a, first, units), part_mut(c, first, units)];
        column::<V>(units, weights, Origin::Z(gates, matrix), prev, next);
        first += units;
    }
}

/// The recurrence of a layer whose sums do not fit into the registers.
#[inline(always)]
fn recurrence_in_memory<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    [a_prev, c_prev]: [&[V::Scalar]; 2],
    gates: &mut [V::Scalar],
    apart: usize,
    [a, c]: [&mut [V::Scalar]; 2],
) {
    if in_lockstep::<V>(units) {
        lockstep::<V>(units, weights, None, a_prev, 0, gates, apart, units);
    } else {
        for g in 0..4 {
            let z = part_mut(gates, g * apart, units);
            product::add_recurrence::<V>(weights, units, g, a_prev, 0, z); // (0) … + Wa_q·a⟨t−1⟩
        }
    }
    activate_all::<V>(c_prev, gates, apart, c, a);
}

/// (7) to (16) for the units of a step. `dstate` in: all that reaches a⟨t⟩, and what reaches c⟨t⟩
/// from step t + 1; out: dc⟨t−1⟩. `cache` in: the gates, out: the dz_q.
#[inline(always)]
pub(crate) fn units_backward<V: Vector>(
    c_prev: &[V::Scalar],
    cache: &mut [V::Scalar],
    dstate: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return units_backward::<V::Half>(c_prev, cache, dstate);
    }
    let units = c_prev.len();
    let (gates, c) = cache.split_at_mut_checked(4 * units).unwrap_or_default();
    let [dh, dc] = parts_mut(dstate, units);
    let mut r = 0;
    while units - r >= V::LANES {
        block_backward::<V, Whole>(c_prev, gates, c, dh, dc, r, Whole);
        r += V::LANES;
    }
    if V::LANES > 1 && r < units {
        block_backward::<V, Part>(c_prev, gates, c, dh, dc, r, Part::of::<V>(units - r));
    }
}

/// A vector of units from unit r on.
#[inline(always)]
fn block_backward<V: Vector, E: Edge>(
    c_prev: &[V::Scalar],
    gates: &mut [V::Scalar],
    c: &[V::Scalar],
    dh: &[V::Scalar],
    dc: &mut [V::Scalar],
    r: usize,
    edge: E,
) {
    let units = c_prev.len();
    let one = V::splat(V::Scalar::ONE);
    let [[f], [i], [g], [o]] = arch::load_gates::<V, E, 4, 1>(
        Gates {
            all: gates,
            apart: units,
        },
        r,
        edge,
    );
    let [tanh_c] = tanh_vectors(arch::load::<V, E, 1>(c, r, edge));
    let [c_prev]: [V; 1] = arch::load(c_prev, r, edge);
    let [dh]: [V; 1] = arch::load(dh, r, edge);
    let [dc_next]: [V; 1] = arch::load(dc, r, edge);
    let dh = dh.flush();
    let d_o = dh * tanh_c; // (7)
    let d_c = (dc_next + dh * o * (one - tanh_c * tanh_c)).flush(); // (8)
    let d_f = d_c * c_prev; // (9)
    let d_i = d_c * g; // (10)
    let d_g = d_c * i; // (11)
    arch::store([d_c * f], dc, r, edge); // (12)
    let dz_f = d_f * (f * (one - f)); // (13)
    let dz_i = d_i * (i * (one - i)); // (14)
    let dz_g = d_g * (one - g * g); // (15)
    let dz_o = d_o * (o * (one - o)); // (16)
    arch::store_gates([[dz_f], [dz_i], [dz_g], [dz_o]], gates, units, r, edge);
}
