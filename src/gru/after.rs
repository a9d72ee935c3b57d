//! The GRU whose reset comes after the product, over slices: one step forward, one step backward,
//! and both over time.
//!
//! Wx has the gates r, u, n, and Wa gives z_r, z_u and s: the sums of n are in two places until r is
//! known.

use core::{mem, slice};

use super::core::{CACHE, GATES, candidate, candidate_backward, each_sample, gate_backward};
use crate::Real;
use crate::activation::{self, sigmoid_vectors};
use crate::arch::{
    self, Core as _, Edge, Gates, Part, Registers, Steps, StepsMut, VECTORS, Vector, Whole,
    one_by_one,
};
use crate::product::{self, Start};
use crate::real::sealed::Sealed;
use crate::sequence::{Backward, Forward, Recurrent, Step, Weights};
use crate::shape::{Shape, part, part_mut};
use crate::tuning::{LOCKSTEP, MANY, PRODUCT, SIDE_BY_SIDE, UNITS, sixteen};

/// The cell as [`sequence`](crate::sequence) sees it: the gates r, u, n; a state is a; a cache is
/// r, u, n, s, where s becomes ds.
pub struct After;

impl<T: Real> Recurrent<T> for After {
    const GATES: usize = GATES;
    const CACHE: usize = CACHE;
    const STATE: usize = 1;
    const Z_IN_A: bool = false;

    /// Wa_n gives s.
    #[inline(always)]
    fn gradient_of(q: usize) -> usize {
        if q == 2 { 3 } else { q }
    }

    /// (0) … + Wa_q·a⟨t−1⟩, (3), then (1) to (6).
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
            return T::Core::gru_after_recurrence(units, weights, a_prev, cache, matrix, a);
        }
        let u = Steps::dense(a_prev, units, batch);
        for (q, bias, to) in [
            (0, None, 0),
            (1, None, 1),
            (2, Some(bna(weights, units)), 3),
        ] {
            let wa = weights.wa.part(q, 0, units * units);
            let z = StepsMut::matrix(cache, (to, CACHE), (units, batch));
            T::Core::forward(wa, bias, &u, z, batch); // (0) … + Wa_q·a⟨t−1⟩, (3)
        }
        T::Core::gru_after_units(a_prev, cache, matrix, a);
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
        T::Core::gru_after_units_backward(a_prev, cache, dstate);
        let dz_r = Steps::matrix(cache, (0, CACHE), (units, batch)); // and after it dz_u, ds
        let dh = StepsMut::dense(dstate, units, batch);
        T::Core::transposed(weights.wa, GATES, &dz_r, matrix, dh, batch, true); // (19)
        let (before, ds) = cache.split_at_mut_checked(3 * matrix).unwrap_or_default();
        for (ds, dz_n) in ds.iter_mut().zip(part_mut(before, 2 * matrix, matrix)) {
            mem::swap(ds, dz_n); // Wx takes dz_r, dz_u, dz_n.
        }
    }

    const STEP: Step<T> = T::Core::gru_after_step_all;
    const FORWARD: Forward<T> = match VECTORS {
        true => T::Core::gru_after_forward,
        false => T::Core::gru_after_columns,
    };
    const BACKWARD: Backward<T> = T::Core::gru_after_backward;
}

/// The second bias of the candidate, which stands where a fourth gate would.
#[inline(always)]
fn bna<T>(weights: Weights<'_, T>, units: usize) -> &[T] {
    weights.wa.part(GATES, 0, units)
}

/// What is kept of a column: z_q before, r, u, n and s after it, each so many scalars after the one
/// before.
type Kept<'a, T> = Option<(&'a mut [T], usize)>;

/// One step of inference, without a cache.
pub(crate) fn step<T: Real>(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) {
    each_sample(shape, params, x, prev, next, T::Core::gru_after_step);
}

/// One column of a step.
#[inline(always)]
pub(crate) fn step_column<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
) {
    column::<V>(units, weights, Some(x), a_prev, None, a);
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
    let weights = Weights::new(params, shape);
    let matrix = units * batch;
    let mut a_prev = init;
    let (mut x, mut a, mut caches) = (x, a, caches);
    while V::REGISTERS == Registers::Scalars && !a.is_empty() {
        let (a_now, a_rest) = a.split_at_mut_checked(matrix).unwrap_or_default();
        let (cache, rest) = caches
            .split_at_mut_checked(CACHE * matrix)
            .unwrap_or_default();
        (a, caches) = (a_rest, rest);
        let mut first = 0;
        while first < matrix && units > 0 {
            let (x_now, x_rest) = x.split_at_checked(inputs).unwrap_or_default();
            x = x_rest;
            let kept = Some((cache.get_mut(first..).unwrap_or_default(), matrix));
            let (a_prev, a) = (part(a_prev, first, units), part_mut(a_now, first, units));
            column::<V>(units, weights, Some(x_now), a_prev, kept, a);
            first += units;
        }
        a_prev = a_now;
    }
}

/// (0) … + Wa_q·a⟨t−1⟩ and (3) for each column of a small batch, where the cache holds the first
/// part of each z_q, then (1) to (6). The matrices of the cache, of a⟨t−1⟩ and of a have `matrix`
/// scalars.
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
        let kept = Some((cache.get_mut(first..).unwrap_or_default(), matrix));
        let (a_prev, a) = (part(a_prev, first, units), part_mut(a, first, units));
        column::<V>(units, weights, None, a_prev, kept, a);
        first += units;
    }
}

/// (0) to (6) for one column: all its sums in registers, where they fit. With x the sums start from
/// b, without it from the first part of each z_q, which is kept.
#[inline(always)]
fn column<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    kept: Kept<V::Scalar>,
    a: &mut [V::Scalar],
) {
    if V::REGISTERS == Registers::Scalars {
        // Without x there is nothing to do: a sequence goes through `columns`.
        if let Some(x) = x {
            in_blocks::<V>(units, weights, x, a_prev, kept, a);
        }
    } else if units <= V::Half::LANES {
        in_registers::<V::Half, 1>(units, weights, x, a_prev, kept, a);
    } else if units <= V::LANES {
        in_registers::<V, 1>(units, weights, x, a_prev, kept, a);
    } else if units <= 2 * V::LANES {
        in_registers::<V, 2>(units, weights, x, a_prev, kept, a);
    } else if units <= 3 * V::LANES {
        in_registers::<V, 3>(units, weights, x, a_prev, kept, a);
    } else if units <= 4 * V::LANES {
        in_registers::<V, 4>(units, weights, x, a_prev, kept, a);
    } else {
        match (x, kept) {
            (_, Some((z, apart))) => in_memory::<V>(units, weights, a_prev, z, apart, a),
            (Some(x), None) => {
                <V::Scalar as Sealed>::Core::gru_after_step_in_memory(units, weights, x, a_prev, a);
            }
            (None, None) => {}
        }
    }
}

/// The sums of P vectors of units from unit i on: z_r, z_u, z_n without r ⊙ s, and s. Without x they
/// start from z, in which these units are `at` scalars from the start.
#[inline(always)]
fn sums<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    (z, at): (Gates<V::Scalar>, usize),
    a_prev: &[V::Scalar],
    i: usize,
    edge: E,
) -> [[V; P]; 4] {
    let [z_r, z_u, z_n] = match x {
        Some(x) => {
            let b = arch::load_gates::<V, E, GATES, P>(weights.b, i, edge);
            arch::add_columns(b, weights.wx, units, i, x, edge) // (0), (4) b_q + Wx_q·x⟨t⟩ …
        }
        None => arch::load_gates(z, at, edge),
    };
    let z = [z_r, z_u, arch::load(bna(weights, units), i, edge)];
    let [z_r, z_u, s] = arch::add_columns(z, weights.wa, units, i, a_prev, edge); // (0) …, (3)
    [z_r, z_u, z_n, s]
}

/// The [`sums`] of all units of a step, those of r and u by themselves, and those of n and s, which
/// come first on the way [`back`].
#[inline(always)]
fn sums_there_or_back<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    edge: E,
    back: bool,
) -> [[V; P]; 4] {
    let [mut z_ru, mut z_ns] = [[[V::splat(V::Scalar::ZERO); P]; 2]; 2];
    for of_r in [!back, back] {
        if of_r {
            z_ru = arch::load_gates(weights.b, 0, edge);
            z_ru = arch::add_columns(z_ru, weights.wx, units, 0, x, edge); // (0) b_q + Wx_q·x⟨t⟩ …
            z_ru = arch::add_columns(z_ru, weights.wa, units, 0, a_prev, edge); // (0) … + Wa_q·a⟨t−1⟩
        } else {
            let [b, wx, wa] = [weights.b, weights.wx, weights.wa].map(|of| of.from(2));
            let z_n = arch::add_columns([arch::load(b.all, 0, edge)], wx, units, 0, x, edge); // (4)
            let s = [arch::load(bna(weights, units), 0, edge)];
            let s = arch::add_columns(s, wa, units, 0, a_prev, edge); // (3)
            z_ns = [z_n[0], s[0]];
        }
    }
    let ([z_r, z_u], [z_n, s]) = (z_ru, z_ns);
    [z_r, z_u, z_n, s]
}

/// Whether a step walks the weights in the other order: every second one, where the caller alternates
/// two states. What the step before has read last is then read first, and still in the cache.
#[inline(always)]
fn back<T>(a_prev: &[T], a: &[T]) -> bool {
    a_prev.as_ptr() > a.as_ptr()
}

/// (1), (2), and (4) to (6) for N vectors of units: r, u, n, s and a⟨t⟩.
#[inline(always)]
fn activate<V: Vector, const N: usize>(
    [z_r, z_u, z_n, s]: [[V; N]; 4],
    a_prev: [V; N],
) -> ([[V; N]; 4], [V; N]) {
    let r = sigmoid_vectors(z_r); // (1)
    let u = sigmoid_vectors(z_u); // (2)
    let (n, a) = candidate(add_reset(z_n, r, s), u, a_prev); // (4) to (6)
    ([r, u, n, s], a)
}

/// (4) … + r ⊙ s for N vectors of units.
#[inline(always)]
fn add_reset<V: Vector, const N: usize>(mut z_n: [V; N], r: [V; N], s: [V; N]) -> [V; N] {
    for j in 0..N {
        z_n[j] = z_n[j] + r[j] * s[j];
    }
    z_n
}

/// A column of at most P vectors of units: their activations go together. Without optimisation each
/// P has a frame of its own, or the frames of all would stand side by side (see `build.rs`).
#[cfg_attr(bptt_unoptimized, inline(never))]
#[cfg_attr(not(bptt_unoptimized), inline(always))]
fn in_registers<V: Vector, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    kept: Kept<V::Scalar>,
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
    kept: Kept<V::Scalar>,
    a: &mut [V::Scalar],
    edge: E,
) {
    let z = match (x, &kept) {
        (Some(x), _) if P * V::LANES >= MANY => {
            sums_there_or_back::<V, E, P>(units, weights, x, a_prev, edge, back(a_prev, a))
        }
        (_, kept) => {
            let (all, apart) = match kept {
                Some((all, apart)) => (&**all, *apart),
                None => Default::default(),
            };
            let started = (Gates { all, apart }, 0);
            sums(units, weights, x, started, a_prev, 0, edge)
        }
    };
    let (gates, next) = activate(z, arch::load(a_prev, 0, edge));
    if let Some((z, apart)) = kept {
        arch::store_gates(gates, z, apart, 0, edge);
    }
    arch::store(next, a, 0, edge);
}

/// A column without vectors: the sums of a few units at a time, their activations one by one.
#[inline(always)]
fn in_blocks<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    mut kept: Kept<V::Scalar>,
    a: &mut [V::Scalar],
) {
    let mut places = a_prev.iter().zip(a).enumerate();
    let mut z = [[V::splat(V::Scalar::ZERO)]; 4];
    for i in (0..units).step_by(V::LANES) {
        match units - i < V::LANES {
            true => rest_sums(&mut z, units, weights, x, a_prev, i),
            false => block_sums(&mut z, units, weights, x, a_prev, i, Whole),
        }
        for z in arch::lanes(&z) {
            let Some((r, (a_prev, a))) = places.next() else {
                return;
            };
            let [z_r, z_u, s, z_n] = z;
            let (gates, [next]) = activate([z_r, z_u, z_n, s], [V::Half::splat(*a_prev)]);
            next.store(slice::from_mut(a), 0);
            if let Some((z, apart)) = &mut kept {
                arch::store_gates(gates, z, *apart, r, Whole);
            }
        }
    }
}

/// [`block_sums`] of the last units; not inlined, since it would take stack there that is seldom
/// used.
#[inline(never)]
fn rest_sums<V: Vector>(
    z: &mut [[V; 1]; 4],
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    i: usize,
) {
    block_sums(z, units, weights, x, a_prev, i, Part::of::<V>(units - i));
}

/// [`sums`] of one vector of units, by the best that there is where there are no vectors: in one
/// place on the stack, in the order z_r, z_u, s, z_n.
#[inline(always)]
fn block_sums<V: Vector, E: Edge>(
    z: &mut [[V; 1]; 4],
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    i: usize,
    edge: E,
) {
    let [sums @ .., z_n] = z;
    *sums = arch::load_gates::<V, E, GATES, 1>(weights.b, i, edge);
    V::add_to_three(sums, weights.wx, units, i, x, edge); // (0), (4) b_q + Wx_q·x⟨t⟩ …
    *z_n = sums[2];
    sums[2] = arch::load(bna(weights, units), i, edge);
    V::add_to_three(sums, weights.wa, units, i, a_prev, edge); // (0) … + Wa_q·a⟨t−1⟩, (3)
}

/// (1), (2), and (4) to (6) for all units of a step whose sums are there, in matrices of `apart`
/// scalars: z_r, z_u, z_n become r, u, n.
#[inline(always)]
pub(crate) fn units<V: Vector>(
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    apart: usize,
    a: &mut [V::Scalar],
) {
    activation::sigmoid_all::<V>(part_mut(z, 0, a.len())); // (1)
    activation::sigmoid_all::<V>(part_mut(z, apart, a.len())); // (2)
    candidates::<V>(a_prev, z, apart, a);
}

/// (4) to (6) for all units of a step.
#[inline(always)]
fn candidates<V: Vector>(
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    apart: usize,
    a: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return candidates::<V::Half>(a_prev, z, apart, a);
    }
    let units = a.len();
    let mut i = 0;
    while V::REGISTERS != Registers::Scalars && units - i >= SIDE_BY_SIDE * V::LANES {
        candidates_block::<V, Whole, SIDE_BY_SIDE>(a_prev, z, apart, a, i, Whole);
        i += SIDE_BY_SIDE * V::LANES;
    }
    while units - i >= V::LANES {
        candidates_block::<V, Whole, 1>(a_prev, z, apart, a, i, Whole);
        i += V::LANES;
    }
    if V::LANES > 1 && i < units {
        candidates_block::<V, Part, 1>(a_prev, z, apart, a, i, Part::of::<V>(units - i));
    }
}

/// N vectors of units from unit i on.
#[inline(always)]
fn candidates_block<V: Vector, E: Edge, const N: usize>(
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    apart: usize,
    a: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let [r, u, z_n, s] = arch::load_gates::<V, E, CACHE, N>(Gates { all: z, apart }, i, edge);
    let (n, next) = candidate(add_reset(z_n, r, s), u, arch::load(a_prev, i, edge)); // (4) to (6)
    arch::store_gates([r, u, n, s], z, apart, i, edge);
    arch::store(next, a, i, edge);
}

/// Pre-activations of r, u and n, and s, on the stack.
#[repr(align(64))] // So that no vector lies across two cache lines.
struct Buffer<T>([[T; UNITS]; 4]);

/// A step whose sums do not fit into the registers: all sums of some units, then their activations.
#[inline(always)]
pub(crate) fn step_in_memory<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
) {
    let mut buffer = Buffer([[V::Scalar::ZERO; UNITS]; 4]);
    let z = buffer.0.as_flattened_mut();
    let (back, blocks) = (back(a_prev, a), units.div_ceil(UNITS));
    for block in 0..blocks {
        let first = UNITS * if back { blocks - 1 - block } else { block };
        let n = UNITS.min(units - first);
        gates_in_memory::<V>(units, weights, Some(x), a_prev, first, z, UNITS, n, back);
        let (a_prev, a) = (part(a_prev, first, n), part_mut(a, first, n));
        candidates::<V>(a_prev, z, UNITS, a);
    }
}

/// The recurrence of a layer whose sums do not fit into the registers.
#[inline(always)]
fn in_memory<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    apart: usize,
    a: &mut [V::Scalar],
) {
    gates_in_memory::<V>(units, weights, None, a_prev, 0, z, apart, units, false);
    candidates::<V>(a_prev, z, apart, a);
}

/// r, u, z_n without r ⊙ s, and s of n units from `first` on, each matrix `apart` scalars after the
/// one before. Where the recurrent weights are few enough, of all gates at a time; otherwise of one
/// after the other.
#[inline(always)]
fn gates_in_memory<V: Vector>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    first: usize,
    z: &mut [V::Scalar],
    apart: usize,
    n: usize,
    back: bool,
) {
    const P: usize = sixteen::GATES;
    if GATES * units * units * size_of::<V::Scalar>() <= LOCKSTEP {
        let mut i = 0;
        while n - i >= P * V::LANES {
            let place = (first, apart, i);
            lockstep::<V, Whole, P>(units, weights, x, a_prev, z, place, Whole);
            i += P * V::LANES;
        }
        while n - i >= V::LANES {
            let place = (first, apart, i);
            lockstep::<V, Whole, 1>(units, weights, x, a_prev, z, place, Whole);
            i += V::LANES;
        }
        if i < n {
            let (place, edge) = ((first, apart, i), Part::of::<V>(n - i));
            lockstep::<V, Part, 1>(units, weights, x, a_prev, z, place, edge);
        }
        activation::sigmoid_all::<V>(part_mut(z, 0, n)); // (1)
        activation::sigmoid_all::<V>(part_mut(z, apart, n)); // (2)
        return;
    }
    for q in 0..GATES {
        let q = if back { GATES - 1 - q } else { q };
        let z_q = part_mut(z, q * apart, n);
        if let Some(x) = x {
            product::of_inputs::<V>(weights, units, q, x, first, z_q); // (0), (4) b_q + Wx_q·x⟨t⟩ …
        }
        if q < 2 {
            product::add_recurrence::<V>(weights, units, q, a_prev, first, z_q); // (0) … + Wa_q·a⟨t−1⟩
            activation::sigmoid_all::<V>(z_q); // (1), (2)
        } else {
            let wa = weights.wa.part(q, 0, units * units);
            let (start, s) = (Start::Bias(bna(weights, units)), part_mut(z, 3 * apart, n));
            product::column::<V>(wa, units, first, a_prev, start, s); // (3)
        }
    }
}

/// P vectors of units from i on.
#[inline(always)]
fn lockstep<V: Vector, E: Edge, const P: usize>(
    units: usize,
    weights: Weights<V::Scalar>,
    x: Option<&[V::Scalar]>,
    a_prev: &[V::Scalar],
    z: &mut [V::Scalar],
    (first, apart, i): (usize, usize, usize),
    edge: E,
) {
    let started = (Gates { all: z, apart }, i);
    let sums = sums::<V, E, P>(units, weights, x, started, a_prev, first + i, edge);
    arch::store_gates(sums, z, apart, i, edge);
}

/// (7) to (13) for the units of a step. `dstate` in: all that reaches a⟨t⟩, out: dh ⊙ u. `cache` in:
/// r, u, n, s, out: dz_r, dz_u, ds, dz_n.
#[inline(always)]
pub(crate) fn units_backward<V: Vector>(
    a_prev: &[V::Scalar],
    cache: &mut [V::Scalar],
    dstate: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return units_backward::<V::Half>(a_prev, cache, dstate);
    }
    let units = a_prev.len();
    let mut r = 0;
    while units - r >= V::LANES {
        block_backward::<V, Whole>(a_prev, cache, dstate, r, Whole);
        r += V::LANES;
    }
    if V::LANES > 1 && r < units {
        block_backward::<V, Part>(a_prev, cache, dstate, r, Part::of::<V>(units - r));
    }
}

/// A vector of units from unit i on.
#[inline(always)]
fn block_backward<V: Vector, E: Edge>(
    a_prev: &[V::Scalar],
    cache: &mut [V::Scalar],
    dstate: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let (all, apart) = (&*cache, a_prev.len());
    let [[r], [u], [n], [s]] = arch::load_gates::<V, E, CACHE, 1>(Gates { all, apart }, i, edge);
    let [a_prev]: [V; 1] = arch::load(a_prev, i, edge);
    let [dh]: [V; 1] = arch::load(dstate, i, edge);
    let [dz_u, dz_n, dh_u] = candidate_backward(u, n, a_prev, dh); // (7) to (10)
    let d_s = dz_n * r; // (11)
    let d_r = dz_n * s; // (12)
    let dz_r = gate_backward(r, d_r); // (13)
    arch::store([dh_u], dstate, i, edge);
    arch::store_gates([[dz_r], [dz_u], [d_s], [dz_n]], cache, apart, i, edge);
}
