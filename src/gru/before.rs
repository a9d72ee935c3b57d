//! The GRU whose reset comes before the product, over slices: one step forward, one step backward,
//! and both over time.
//!
//! Wa_n multiplies s = r ⊙ a⟨t−1⟩ of all units, so a column goes through two stages, and s stands in
//! memory between them.

use super::core::{CACHE, GATES, candidate, candidate_backward, each_sample, gate_backward};
use crate::Real;
use crate::activation::sigmoid_vectors;
use crate::arch::{
    self, Core as _, Edge, Gates, Part, Registers, Steps, StepsMut, Vector, Whole, one_by_one,
};
use crate::product::{self, Start};
use crate::sequence::{Backward, Forward, Recurrent, Step, Weights};
use crate::shape::{Shape, copy, part, part_mut, parts_mut};
use crate::tuning::{PRODUCT, UNITS};

/// The cell as [`sequence`](crate::sequence) sees it: the gates r, u, n; a state is a; a cache is
/// r, u, n, s, where s stays.
pub struct Before;

impl<T: Real> Recurrent<T> for Before {
    const GATES: usize = GATES;
    const CACHE: usize = CACHE;
    const STATE: usize = 1;
    const Z_IN_A: bool = false;

    /// Wa_n multiplies s.
    #[inline(always)]
    fn factor_of(q: usize) -> Option<usize> {
        (q == 2).then_some(3)
    }

    /// (0) … + Wa_q·a⟨t−1⟩, then (1) to (6).
    #[inline(always)]
    fn step_forward(
        shape: Shape,
        weights: Weights<T>,
        [a_prev, _]: [&[T]; 2],
        cache: &mut [T],
        a: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        let matrix = units * batch;
        if batch < PRODUCT {
            return T::Core::gru_before_recurrence(units, weights, a_prev, cache, matrix, a);
        }
        let u = Steps::dense(a_prev, units, batch);
        for q in 0..2 {
            let wa = weights.wa.part(q, 0, units * units);
            let z = StepsMut::matrix(cache, (q, CACHE), (units, batch));
            T::Core::forward(wa, None, &u, z, batch); // (0) … + Wa_q·a⟨t−1⟩
        }
        let [r, u, n, s] = parts_mut(cache, matrix);
        T::Core::gru_before_reset(a_prev, r, s);
        let wa = weights.wa.part(2, 0, units * units);
        let z_n = StepsMut::dense(n, units, batch);
        T::Core::forward(wa, None, &Steps::dense(s, units, batch), z_n, batch); // (4) … + Wa_n·s
        T::Core::gru_before_update(a_prev, u, n, a);
    }

    /// (7) to (13), then (19).
    #[inline(always)]
    fn step_backward(
        shape: Shape,
        weights: Weights<T>,
        [a_prev, _]: [&[T]; 2],
        _a: &[T],
        cache: &mut [T],
        dstate: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        let matrix = units * batch;
        let [r, u, n, s] = parts_mut(cache, matrix);
        T::Core::gru_before_update_backward(a_prev, u, n, dstate);
        let dz_n = Steps::dense(n, units, batch);
        let ds = StepsMut::dense(s, units, batch);
        let wa_n = Gates::one(weights.wa.part(2, 0, units * units));
        T::Core::transposed(wa_n, 1, &dz_n, 0, ds, batch, false); // (11)
        T::Core::gru_before_reset_backward(a_prev, r, s, dstate);
        let dz_r = Steps::matrix(cache, (0, CACHE), (units, batch)); // and after it dz_u
        let dh = StepsMut::dense(dstate, units, batch);
        T::Core::transposed(weights.wa, 2, &dz_r, matrix, dh, batch, true); // (19)
    }

    const STEP: Step<T> = T::Core::gru_before_step_all;
    const FORWARD: Forward<T> = T::Core::gru_before_forward;
    const BACKWARD: Backward<T> = T::Core::gru_before_backward;
}

/// One step of inference, without a cache.
pub(crate) fn step<T: Real>(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) {
    each_sample(shape, params, x, prev, next, T::Core::gru_before_step);
}

/// What a step keeps on the stack of some units: s, or z_u and z_n.
#[repr(align(64))] // So that no vector lies across two cache lines.
struct Buffer<T>([[T; UNITS]; 2]);

/// One column of a step. Beyond the registers Wa_n·s grows in a, some units of s at a time.
#[inline(always)]
pub(crate) fn step_column<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
) {
    if in_registers::<V>(units) {
        return column_in_registers::<V>(units, weights, Some(x), a_prev, None, a);
    }
    let mut buffer = Buffer([[V::Scalar::ZERO; UNITS]; 2]);
    let [first_half, second_half] = &mut buffer.0;
    product::of_inputs::<V>(weights, units, 2, x, 0, a); // (4) b_n + Wx_n·x⟨t⟩ …
    for first in (0..units).step_by(UNITS) {
        let n = UNITS.min(units - first);
        let (r, s) = (part_mut(first_half, 0, n), part_mut(second_half, 0, n));
        product::of_inputs::<V>(weights, units, 0, x, first, r); // (0) b_q + Wx_q·x⟨t⟩ …
        product::add_recurrence::<V>(weights, units, 0, a_prev, first, r); // (0) … + Wa_q·a⟨t−1⟩
        reset::<V>(part(a_prev, first, n), r, s);
        let wa = weights.wa.part(2, first * units, n * units);
        product::column::<V>(wa, units, 0, s, Start::Z, a); // (4) … + Wa_n·s
    }
    for first in (0..units).step_by(UNITS) {
        let n = UNITS.min(units - first);
        let (u, z_n) = (part_mut(first_half, 0, n), part_mut(second_half, 0, n));
        product::of_inputs::<V>(weights, units, 1, x, first, u); // (0) b_q + Wx_q·x⟨t⟩ …
        product::add_recurrence::<V>(weights, units, 1, a_prev, first, u); // (0) … + Wa_q·a⟨t−1⟩
        let a = part_mut(a, first, n);
        copy(a, z_n);
        update::<V>(part(a_prev, first, n), u, z_n, a);
    }
}

/// (0) … + Wa_q·a⟨t−1⟩ for each column of a small batch, where the cache holds the first part of
/// each z_q, then (1) to (6). The matrices of the cache, of a⟨t−1⟩ and of a have `matrix` scalars.
#[inline(always)]
pub(crate) fn recurrence<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    a_prev: &[V::Scalar],
    cache: &mut [V::Scalar],
    matrix: usize,
    a: &mut [V::Scalar],
) {
    let mut first = 0;
    while first < matrix && units > 0 {
        let cache = cache.get_mut(first..).unwrap_or_default();
        let (a_prev, a) = (part(a_prev, first, units), part_mut(a, first, units));
        if in_registers::<V>(units) {
            let kept = Some((cache, matrix));
            column_in_registers::<V>(units, weights, None, a_prev, kept, a);
        } else {
            let (gates, s) = cache.split_at_mut_checked(3 * matrix).unwrap_or_default();
            let s = part_mut(s, 0, units);
            let [r, u, n] = parts_mut(gates, matrix).map(|gate| part_mut(gate, 0, units));
            product::add_recurrence::<V>(weights, units, 0, a_prev, 0, r); // (0) … + Wa_q·a⟨t−1⟩
            product::add_recurrence::<V>(weights, units, 1, a_prev, 0, u); // the same
            reset::<V>(a_prev, r, s);
            product::add_recurrence::<V>(weights, units, 2, s, 0, n); // (4) … + Wa_n·s
            update::<V>(a_prev, u, n, a);
        }
        first += units;
    }
}

/// Whether all sums of a column fit into the registers.
#[inline(always)]
fn in_registers<V: Vector>(units: usize) -> bool {
    match V::REGISTERS {
        Registers::Scalars => false,
        Registers::Sixteen | Registers::ThirtyTwo => units <= 4 * V::LANES,
    }
}

/// (0) to (6) for one column. With x the sums start from b, without it from the first part of each
/// z_q in `kept`, whose matrices are so many scalars apart, and which become r, u, n and s.
#[inline(always)]
fn column_in_registers<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    kept: Option<(&mut [V::Scalar], usize)>,
    a: &mut [V::Scalar],
) {
    if units <= V::Half::LANES {
        vectors::<V::Half, 1>(units, weights, x, a_prev, kept, a);
    } else if units <= V::LANES {
        vectors::<V, 1>(units, weights, x, a_prev, kept, a);
    } else if units <= 2 * V::LANES {
        vectors::<V, 2>(units, weights, x, a_prev, kept, a);
    } else if units <= 3 * V::LANES {
        vectors::<V, 3>(units, weights, x, a_prev, kept, a);
    } else {
        vectors::<V, 4>(units, weights, x, a_prev, kept, a);
    }
}

/// A column of at most P vectors of units: their activations go together. Without optimisation each
/// P has a frame of its own, or the frames of all would stand side by side (see `build.rs`).
#[cfg_attr(bptt_unoptimized, inline(never))]
#[cfg_attr(not(bptt_unoptimized), inline(always))]
fn vectors<V: Vector, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    kept: Option<(&mut [V::Scalar], usize)>,
    a: &mut [V::Scalar],
) {
    if units == P * V::LANES {
        block::<V, Whole, P>(units, weights, x, a_prev, kept, a, Whole);
    } else {
        let edge = Part::of::<V>(units - (P - 1) * V::LANES);
        block::<V, Part, P>(units, weights, x, a_prev, kept, a, edge);
    }
}

#[inline(always)]
fn block<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    kept: Option<(&mut [V::Scalar], usize)>,
    a: &mut [V::Scalar],
    edge: E,
) {
    let [z_r, z_u, z_n] = match (x, &kept) {
        (Some(x), _) => {
            let b = arch::load_gates::<V, E, GATES, P>(weights.b, 0, edge);
            arch::add_columns(b, weights.wx, units, 0, x, edge) // (0), (4) b_q + Wx_q·x⟨t⟩ …
        }
        (None, Some((all, apart))) => {
            let (all, apart) = (&**all, *apart);
            arch::load_gates(Gates { all, apart }, 0, edge)
        }
        (None, None) => return,
    };
    let [z_r, z_u] = arch::add_columns([z_r, z_u], weights.wa, units, 0, a_prev, edge); // (0) …
    let (r, u) = (sigmoid_vectors(z_r), sigmoid_vectors(z_u)); // (1), (2)
    let old: [V; P] = arch::load(a_prev, 0, edge);
    let mut s = r;
    for j in 0..P {
        s[j] = r[j] * old[j]; // (3)
    }
    arch::store(s, a, 0, edge); // until a⟨t⟩ takes its place
    let wa_n = Gates::one(weights.wa.part(2, 0, units * units));
    let [z_n] = arch::add_columns([z_n], wa_n, units, 0, a, edge); // (4) … + Wa_n·s
    let (n, next) = candidate(z_n, u, old); // (5), (6)
    if let Some((cache, apart)) = kept {
        arch::store_gates([r, u, n, s], cache, apart, 0, edge);
    }
    arch::store(next, a, 0, edge);
}

/// (1) and (3) for some units: z_r becomes r, and s comes.
#[inline(always)]
pub(crate) fn reset<V: Vector>(a_prev: &[V::Scalar], r: &mut [V::Scalar], s: &mut [V::Scalar]) {
    if one_by_one::<V>() {
        return reset::<V::Half>(a_prev, r, s);
    }
    for i in (0..a_prev.len()).step_by(V::LANES) {
        let [r_i] = sigmoid_vectors([V::load(r, i)]); // (1)
        r_i.store(r, i);
        (r_i * V::load(a_prev, i)).store(s, i); // (3)
    }
}

/// (2), (5) and (6) for some units: z_u becomes u, z_n becomes n, and a⟨t⟩ comes.
#[inline(always)]
pub(crate) fn update<V: Vector>(
    a_prev: &[V::Scalar],
    u: &mut [V::Scalar],
    n: &mut [V::Scalar],
    a: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return update::<V::Half>(a_prev, u, n, a);
    }
    for i in (0..a_prev.len()).step_by(V::LANES) {
        let u_i = sigmoid_vectors([V::load(u, i)]); // (2)
        let ([n_i], [a_i]) = candidate([V::load(n, i)], u_i, [V::load(a_prev, i)]); // (5), (6)
        let [u_i] = u_i;
        u_i.store(u, i);
        n_i.store(n, i);
        a_i.store(a, i);
    }
}

/// (7) to (10) for the units of a step. `dstate` in: all that reaches a⟨t⟩, out: dh ⊙ u. u and n
/// become dz_u and dz_n.
#[inline(always)]
pub(crate) fn update_backward<V: Vector>(
    a_prev: &[V::Scalar],
    u: &mut [V::Scalar],
    n: &mut [V::Scalar],
    dstate: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return update_backward::<V::Half>(a_prev, u, n, dstate);
    }
    for i in (0..a_prev.len()).step_by(V::LANES) {
        let (u_i, n_i) = (V::load(u, i), V::load(n, i));
        let (a_i, dh) = (V::load(a_prev, i), V::load(dstate, i));
        let [dz_u, dz_n, dh_u] = candidate_backward(u_i, n_i, a_i, dh); // (7) to (10)
        dz_u.store(u, i);
        dz_n.store(n, i);
        dh_u.store(dstate, i);
    }
}

/// (12), (13), and (3) again. `dstate` in: dh ⊙ u, out: dh ⊙ u + ds ⊙ r. r becomes dz_r, ds becomes
/// s.
#[inline(always)]
pub(crate) fn reset_backward<V: Vector>(
    a_prev: &[V::Scalar],
    r: &mut [V::Scalar],
    s: &mut [V::Scalar],
    dstate: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return reset_backward::<V::Half>(a_prev, r, s, dstate);
    }
    for i in (0..a_prev.len()).step_by(V::LANES) {
        let (r_i, d_s) = (V::load(r, i), V::load(s, i));
        let (a_i, dh_u) = (V::load(a_prev, i), V::load(dstate, i));
        let d_r = d_s * a_i; // (12)
        gate_backward(r_i, d_r).store(r, i); // (13)
        (r_i * a_i).store(s, i); // (3)
        (dh_u + d_s * r_i).store(dstate, i); // (19) … + ds ⊙ r …
    }
}
