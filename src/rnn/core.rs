//! The plain RNN over slices: one step forward, one step backward, and both over time. The numbers
//! are those of the equations in [`rnn`](crate::rnn). Parameters are Wa (A, A), Wx (A, X), b (A).

use crate::Real;
use crate::activation::{Map, map_all, tanh_vectors};
use crate::arch::{
    self, Core as _, Edge, Gates, Part, Registers, Steps, StepsMut, Vector, Whole, one_by_one,
};
use crate::sequence::{Backward, Forward, Recurrent, Step, Weights};
use crate::shape::{Shape, part, part_mut};
use crate::tuning::{PRODUCT, scalars, sixteen};

/// The RNN as [`sequence`](crate::sequence) sees it: one gate, z; a state is a; a cache is room for
/// dz.
pub struct Rnn;

impl<T: Real> Recurrent<T> for Rnn {
    const GATES: usize = 1;
    const CACHE: usize = 1;
    const STATE: usize = 1;
    const Z_IN_A: bool = true;

    /// (1) … + Wa·a⟨t−1⟩, then (2).
    #[inline(always)]
    fn step_forward(
        shape: Shape,
        weights: Weights<T>,
        [a_prev, _]: [&[T]; 2],
        _cache: &mut [T],
        a: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        let wa = weights.wa.part(0, 0, units * units);
        if batch < PRODUCT {
            return T::Core::rnn_recurrence(shape, wa, a_prev, a);
        }
        let u = Steps::dense(a_prev, units, batch);
        let z = StepsMut::dense(a, units, batch);
        T::Core::forward(wa, None, &u, z, batch);
        T::Core::rnn_units(a);
    }

    /// (4), then Waᵀ·dz⟨t⟩ of (3) and (8).
    #[inline(always)]
    fn step_backward(
        shape: Shape,
        weights: Weights<T>,
        _c_prev: &[T],
        a: &[T],
        dz: &mut [T],
        dstate: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        T::Core::rnn_units_backward(a, dstate, dz);
        let dz = Steps::dense(dz, units, batch);
        let dh = StepsMut::dense(dstate, units, batch);
        T::Core::transposed(weights.wa, 1, &dz, 0, dh, batch); // (3) … + Waᵀ·dz⟨t⟩, (8)
    }

    const STEP: Step<T> = T::Core::rnn_step;
    const FORWARD: Forward<T> = T::Core::rnn_forward;
    const BACKWARD: Backward<T> = T::Core::rnn_backward;
}

/// One step of inference: (1) and (2).
pub(crate) fn step<T: Real>(shape: Shape, params: &[T], x: &[T], prev: &[T], next: &mut [T]) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let weights = Weights::new(params, shape);
    let wx = weights.wx.part(0, 0, units * inputs);
    let b = weights.b.part(0, 0, units);
    let (x, z) = (
        Steps::dense(x, inputs, batch),
        StepsMut::dense(next, units, batch),
    );
    T::Core::forward(wx, Some(b), &x, z, batch); // (1) b + Wx·x⟨t⟩ …
    Rnn::step_forward(shape, weights, [prev, &[]], &mut [], next);
}

/// (1) … + Wa·a⟨t−1⟩ for each column of a small batch, where a holds the first part of z, and (2).
#[inline(always)]
pub(crate) fn recurrence<V: Vector>(
    shape: Shape,
    wa: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
) {
    let Shape { units, batch, .. } = shape;
    for m in 0..batch {
        let a_prev = part(a_prev, m * units, units);
        let a = part_mut(a, m * units, units);
        match V::REGISTERS {
            Registers::Scalars => column::<V, { scalars::COLUMN }>(wa, a_prev, a),
            _ => column::<V, { sixteen::COLUMN }>(wa, a_prev, a),
        }
    }
}

/// One column: the activation is applied while the sums of a block of units are in registers.
#[inline(always)]
fn column<V: Vector, const P: usize>(wa: &[V::Scalar], a_prev: &[V::Scalar], a: &mut [V::Scalar]) {
    let units = a.len();
    let mut i = 0;
    while units - i >= P * V::LANES {
        block::<V, Whole, P>(wa, a_prev, a, i, Whole);
        i += P * V::LANES;
    }
    while P > 4 && units - i >= 4 * V::LANES {
        block::<V, Whole, 4>(wa, a_prev, a, i, Whole);
        i += 4 * V::LANES;
    }
    while P > 2 && units - i >= 2 * V::LANES {
        block::<V, Whole, 2>(wa, a_prev, a, i, Whole);
        i += 2 * V::LANES;
    }
    while units - i >= V::LANES {
        block::<V, Whole, 1>(wa, a_prev, a, i, Whole);
        i += V::LANES;
    }
    if V::REGISTERS == Registers::Scalars {
        while V::LANES > 1 && i < units {
            block::<V::Half, Whole, 1>(wa, a_prev, a, i, Whole);
            i += 1;
        }
    } else if i < units {
        block::<V, Part, 1>(wa, a_prev, a, i, Part::of::<V>(units - i));
    }
}

/// (2), a = tanh z, flushed.
struct Activate;
impl Map for Activate {
    #[inline(always)]
    fn map<V: Vector, const N: usize>(z: [V; N]) -> [V; N] {
        let mut a = tanh_vectors(z);
        for n in 0..N {
            a[n] = a[n].flush_as(z[n]); // tanh z is as small as z is, and need not be waited for.
        }
        a
    }
}

/// (2) for all units of a step. `a` in: z, out: a⟨t⟩.
#[inline(always)]
pub(crate) fn units<V: Vector>(a: &mut [V::Scalar]) {
    map_all::<Activate, V>(a);
}

/// P vectors of a⟨t⟩ from unit i on.
#[inline(always)]
fn block<V: Vector, E: Edge, const P: usize>(
    wa: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let z: [V; P] = arch::load(a, i, edge);
    let [z] = arch::add_columns([z], Gates::one(wa), a.len(), i, a_prev, edge); // (1) … + Wa·a⟨t−1⟩
    arch::store(Activate::map(z), a, i, edge); // (2)
}

/// (4): dz⟨t⟩ from dh⟨t⟩.
#[inline(always)]
pub(crate) fn units_backward<V: Vector>(a: &[V::Scalar], dh: &[V::Scalar], dz: &mut [V::Scalar]) {
    if one_by_one::<V>() {
        return units_backward::<V::Half>(a, dh, dz);
    }
    let one = V::splat(V::Scalar::ONE);
    for r in (0..dz.len()).step_by(V::LANES) {
        let a = V::load(a, r);
        (V::load(dh, r).flush() * (one - a * a)).store(dz, r); // (4)
    }
}
