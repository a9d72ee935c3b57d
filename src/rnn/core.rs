//! The plain RNN over slices: one step forward, one step backward, and both over time. The numbers
//! are those of the equations in [`rnn`](crate::rnn). Parameters are Wa (A, A), Wx (A, X), b (A).

use core::marker::PhantomData;

use crate::Real;
use crate::activation::{Constants as _, Map, map_all, tanh_vectors};
use crate::arch::{
    self, Core as _, Edge, Gates, Part, Registers, Steps, StepsMut, Vector, Whole, one_by_one,
};
use crate::sequence::{Backward, Forward, Recurrent, Step, Weights};
use crate::shape::{Shape, part, part_mut};
use crate::tuning::{PRODUCT, scalars, sixteen};

/// What makes a⟨t⟩ of z⟨t⟩, (2), and dz⟨t⟩ of dh⟨t⟩, (4).
pub trait Nonlinearity {
    /// (2), flushed, for N vectors.
    #[allow(private_bounds, reason = "the trait itself is not public either")]
    fn activate<V: Vector, const N: usize>(z: [V; N]) -> [V; N];
    /// (4)
    #[allow(private_bounds, reason = "the trait itself is not public either")]
    fn backward<V: Vector>(a: V, dh: V) -> V;
}

/// a = tanh z
pub struct Tanh;

impl Nonlinearity for Tanh {
    #[inline(always)]
    fn activate<V: Vector, const N: usize>(z: [V; N]) -> [V; N] {
        let mut a = tanh_vectors(z);
        for n in 0..N {
            a[n] = a[n].flush_as(z[n]); // tanh z is as small as z is, and need not be waited for.
        }
        a
    }
    #[inline(always)]
    fn backward<V: Vector>(a: V, dh: V) -> V {
        dh * (V::splat(V::Scalar::ONE) - a * a)
    }
}

/// a = max(z, 0)
pub struct Relu;

impl Nonlinearity for Relu {
    #[inline(always)]
    fn activate<V: Vector, const N: usize>(z: [V; N]) -> [V; N] {
        let mut a = z;
        for n in 0..N {
            a[n] = z[n].at_least(V::Scalar::ZERO).flush();
        }
        a
    }
    /// a is zero or not less than the smallest normal number: its derivative is 0 or 1.
    #[inline(always)]
    fn backward<V: Vector>(a: V, dh: V) -> V {
        let [smallest, reciprocal] = V::Scalar::SMALLEST;
        dh * (a.at_most(smallest) * V::splat(reciprocal))
    }
}

/// The RNN with tanh.
pub type RnnTanh = Rnn<Tanh>;
/// The RNN with ReLU.
pub type RnnRelu = Rnn<Relu>;

/// The RNN as [`sequence`](crate::sequence) sees it: one gate, z; a state is a; a cache is room for
/// dz.
pub struct Rnn<F>(PhantomData<F>);

/// The doors to what differs with the nonlinearity.
pub trait Doors<T> {
    const STEP: Step<T>;
    const FORWARD: Forward<T>;
    const BACKWARD: Backward<T>;
    /// [`recurrence`]
    const RECURRENCE: fn(Shape, &[T], &[T], &mut [T]);
    /// [`units`]
    const UNITS: fn(&mut [T]);
    /// [`units_backward`]
    const UNITS_BACKWARD: fn(&[T], &[T], &mut [T]);
}

impl<T: Real> Doors<T> for Tanh {
    const STEP: Step<T> = T::Core::rnn_step;
    const FORWARD: Forward<T> = T::Core::rnn_forward;
    const BACKWARD: Backward<T> = T::Core::rnn_backward;
    const RECURRENCE: fn(Shape, &[T], &[T], &mut [T]) = T::Core::rnn_recurrence;
    const UNITS: fn(&mut [T]) = T::Core::rnn_units;
    const UNITS_BACKWARD: fn(&[T], &[T], &mut [T]) = T::Core::rnn_units_backward;
}

impl<T: Real> Doors<T> for Relu {
    const STEP: Step<T> = T::Core::relu_step;
    const FORWARD: Forward<T> = T::Core::relu_forward;
    const BACKWARD: Backward<T> = T::Core::relu_backward;
    const RECURRENCE: fn(Shape, &[T], &[T], &mut [T]) = T::Core::relu_recurrence;
    const UNITS: fn(&mut [T]) = T::Core::relu_units;
    const UNITS_BACKWARD: fn(&[T], &[T], &mut [T]) = T::Core::relu_units_backward;
}

impl<T: Real, F: Doors<T>> Recurrent<T> for Rnn<F> {
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
            return F::RECURRENCE(shape, wa, a_prev, a);
        }
        let u = Steps::dense(a_prev, units, batch);
        let z = StepsMut::dense(a, units, batch);
        T::Core::forward(wa, None, &u, z, batch);
        F::UNITS(a);
    }

    /// (4), then Waᵀ·dz⟨t⟩ of (3) and (8).
    #[inline(always)]
    fn step_backward(
        shape: Shape,
        weights: Weights<T>,
        _prev: [&[T]; 2],
        a: &[T],
        dz: &mut [T],
        dstate: &mut [T],
    ) {
        let Shape { units, batch, .. } = shape;
        F::UNITS_BACKWARD(a, dstate, dz);
        let dz = Steps::dense(dz, units, batch);
        let dh = StepsMut::dense(dstate, units, batch);
        T::Core::transposed(weights.wa, 1, &dz, 0, dh, batch, false); // (3) … + Waᵀ·dz⟨t⟩, (8)
    }

    const STEP: Step<T> = F::STEP;
    const FORWARD: Forward<T> = F::FORWARD;
    const BACKWARD: Backward<T> = F::BACKWARD;
}

/// One step of inference: (1) and (2).
pub(crate) fn step<T: Real, F: Doors<T>>(
    shape: Shape,
    params: &[T],
    x: &[T],
    prev: &[T],
    next: &mut [T],
) {
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
    Rnn::<F>::step_forward(shape, weights, [prev, &[]], &mut [], next);
}

/// (1) … + Wa·a⟨t−1⟩ for each column of a small batch, where a holds the first part of z, and (2).
#[inline(always)]
pub(crate) fn recurrence<F: Nonlinearity, V: Vector>(
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
            Registers::Scalars => column::<F, V, { scalars::COLUMN }>(wa, a_prev, a),
            _ => column::<F, V, { sixteen::COLUMN }>(wa, a_prev, a),
        }
    }
}

/// One column: the activation is applied while the sums of a block of units are in registers.
#[inline(always)]
fn column<F: Nonlinearity, V: Vector, const P: usize>(
    wa: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
) {
    let units = a.len();
    let mut i = 0;
    while units - i >= P * V::LANES {
        block::<F, V, Whole, P>(wa, a_prev, a, i, Whole);
        i += P * V::LANES;
    }
    while P > 4 && units - i >= 4 * V::LANES {
        block::<F, V, Whole, 4>(wa, a_prev, a, i, Whole);
        i += 4 * V::LANES;
    }
    while P > 2 && units - i >= 2 * V::LANES {
        block::<F, V, Whole, 2>(wa, a_prev, a, i, Whole);
        i += 2 * V::LANES;
    }
    while units - i >= V::LANES {
        block::<F, V, Whole, 1>(wa, a_prev, a, i, Whole);
        i += V::LANES;
    }
    if V::REGISTERS == Registers::Scalars {
        while V::LANES > 1 && i < units {
            block::<F, V::Half, Whole, 1>(wa, a_prev, a, i, Whole);
            i += 1;
        }
    } else if i < units {
        block::<F, V, Part, 1>(wa, a_prev, a, i, Part::of::<V>(units - i));
    }
}

/// (2) as a map over slices.
struct Activate<F>(PhantomData<F>);
impl<F: Nonlinearity> Map for Activate<F> {
    #[inline(always)]
    fn map<V: Vector, const N: usize>(z: [V; N]) -> [V; N] {
        F::activate(z)
    }
}

/// (2) for all units of a step. `a` in: z, out: a⟨t⟩.
#[inline(always)]
pub(crate) fn units<F: Nonlinearity, V: Vector>(a: &mut [V::Scalar]) {
    map_all::<Activate<F>, V>(a);
}

/// P vectors of a⟨t⟩ from unit i on.
#[inline(always)]
fn block<F: Nonlinearity, V: Vector, E: Edge, const P: usize>(
    wa: &[V::Scalar],
    a_prev: &[V::Scalar],
    a: &mut [V::Scalar],
    i: usize,
    edge: E,
) {
    let z: [V; P] = arch::load(a, i, edge);
    let [z] = arch::add_columns([z], Gates::one(wa), a.len(), i, a_prev, edge); // (1) … + Wa·a⟨t−1⟩
    arch::store(F::activate(z), a, i, edge); // (2)
}

/// (4): dz⟨t⟩ from dh⟨t⟩.
#[inline(always)]
pub(crate) fn units_backward<F: Nonlinearity, V: Vector>(
    a: &[V::Scalar],
    dh: &[V::Scalar],
    dz: &mut [V::Scalar],
) {
    if one_by_one::<V>() {
        return units_backward::<F, V::Half>(a, dh, dz);
    }
    for r in (0..dz.len()).step_by(V::LANES) {
        F::backward(V::load(a, r), V::load(dh, r).flush()).store(dz, r); // (4)
    }
}
