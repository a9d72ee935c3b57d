//! The plain RNN over slices: one step forward, one step backward, and both over time. The numbers are those of the equations in
//! [`rnn`](crate::rnn). Parameters are Wa (A, A), Wx (A, X), b (A).

use crate::Real;
use crate::activation::tanh_vectors;
use crate::arch::{
    self, Columns, Core as _, Edge, Gates, Part, Registers, Vector, Whole, one_by_one,
};
use crate::shape::{Shape, part, part_mut, steps_at_a_time};
use crate::tuning::{PRODUCT, scalars, sixteen};

/// A sequence forward: (1) and (2) for t = 1 … T.
///
/// Over a segment of steps the products with Wx are one product, before the recurrence.
pub(crate) fn forward<T: Real>(shape: Shape, params: &[T], x: &[T], a0: &[T], a: &mut [T]) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let (wa, rest) = params.split_at_checked(units * units).unwrap_or_default();
    let (wx, b) = rest.split_at_checked(units * inputs).unwrap_or_default();
    let (matrix, steps) = (units * batch, steps_at_a_time(batch));
    let (mut x, mut a, mut a_prev) = (x, a, a0);
    while !a.is_empty() {
        let steps = steps.min(a.len().checked_div(matrix).unwrap_or(0));
        let (x_now, x_rest) = x
            .split_at_checked(steps * inputs * batch)
            .unwrap_or_default();
        let (a_now, a_rest) = a.split_at_mut_checked(steps * matrix).unwrap_or_default();
        (x, a) = (x_rest, a_rest);
        let x_now = (x_now, Columns::dense(inputs, batch));
        let z = (&mut *a_now, Columns::dense(units, batch));
        T::Core::forward(wx, Some(b), x_now, z, steps * batch); // (1), first part: b + Wx·x⟨t⟩
        let mut a_now = a_now;
        for _ in 0..steps {
            let (a, a_rest) = a_now.split_at_mut_checked(matrix).unwrap_or_default();
            a_now = a_rest;
            if batch < PRODUCT {
                T::Core::rnn_recurrence(shape, wa, a_prev, a); // (1) … + Wa·a⟨t−1⟩, (2)
            } else {
                let at = Columns::dense(units, batch);
                T::Core::forward(wa, None, (a_prev, at), (a, at), batch); // (1) … + Wa·a⟨t−1⟩
                T::Core::tanh(a); // (2)
            }
            a_prev = a;
        }
    }
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
        while i < units {
            block::<V::Half, Whole, 1>(wa, a_prev, a, i, Whole);
            i += 1;
        }
    } else if i < units {
        block::<V, Part, 1>(wa, a_prev, a, i, Part::of::<V>(units - i));
    }
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
    arch::store(tanh_vectors(z), a, i, edge); // (2)
}

/// A sequence backward: (4) to (9), and (3) for all steps but the last, whose da is whole already.
///
/// Over a segment of steps (5), (6), (7) and (9) are one product each, after the recurrence.
pub(crate) fn backward<T: Real>(
    shape: Shape,
    params: &[T],
    x: &[T],
    a0: &[T],
    a: &[T],
    da: &mut [T],
    grads: &mut [T],
    dx: Option<&mut [T]>,
    da_state: &mut [T],
) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let (wa, rest) = params.split_at_checked(units * units).unwrap_or_default();
    let (wx, _) = rest.split_at_checked(units * inputs).unwrap_or_default();
    let (dwa, rest) = grads
        .split_at_mut_checked(units * units)
        .unwrap_or_default();
    let (dwx, db) = rest
        .split_at_mut_checked(units * inputs)
        .unwrap_or_default();
    let matrix = units * batch;
    let at = Columns::dense(units, batch);
    let mut dx = dx;
    let mut end = da.len().checked_div(matrix).unwrap_or(0);
    let mut whole = true;
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(batch));
        for t in (start..end).rev() {
            let da = part_mut(da, t * matrix, matrix);
            if !whole {
                T::Core::add(da, da_state); // (3)
            }
            whole = false;
            T::Core::rnn_units_backward(part(a, t * matrix, matrix), da); // (4)
            T::Core::transposed(Gates::one(wa), 1, (da, at), 0, (da_state, at), batch); // (8)
        }
        let steps = end - start;
        let dz = (part(da, start * matrix, steps * matrix), at);
        let x = part(x, start * inputs * batch, steps * inputs * batch);
        let x = (x, Columns::dense(inputs, batch));
        T::Core::outer(dwx, dz, x, None, steps); // (5)
        // a⟨t−1⟩ of the first of these steps, and of those after it
        let first = if start > 0 {
            part(a, (start - 1) * matrix, matrix)
        } else {
            a0
        };
        let later = part(a, start * matrix, (steps - 1) * matrix);
        T::Core::outer(dwa, dz, (later, at), Some(first), steps); // (6)
        T::Core::add_columns(db, dz, steps); // (7)
        if let Some(dx) = &mut dx {
            let dx = part_mut(dx, start * inputs * batch, steps * inputs * batch);
            T::Core::transposed(Gates::one(wx), 1, dz, 0, (dx, x.1), steps * batch); // (9)
        }
        end = start;
    }
}

/// `da` in: dh⟨t⟩, out: dz⟨t⟩ (4).
#[inline(always)]
pub(crate) fn units_backward<V: Vector>(a: &[V::Scalar], da: &mut [V::Scalar]) {
    if one_by_one::<V>() {
        return units_backward::<V::Half>(a, da);
    }
    let one = V::splat(V::Scalar::ONE);
    for r in (0..da.len()).step_by(V::LANES) {
        let a = V::load(a, r);
        (V::load(da, r) * (one - a * a)).store(da, r); // (4)
    }
}
