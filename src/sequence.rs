//! What every cell does over time: segments of steps, the products of the inputs before a segment's
//! recurrence, the recurrence, and after it the products that give the gradients. What a single
//! step computes stands in the room of its cell.

use crate::Real;
use crate::arch::{Core as _, Gates, Steps, StepsMut};
use crate::shape::{Shape, copy, part, part_mut, parts, steps_at_a_time};

/// A step without a cache: of the shape, the parameters, x, the state before and the state after.
pub type Step<T> = fn(Shape, &[T], &[T], &[T], &mut [T]);
/// [`forward`]
pub type Forward<T> = fn(Shape, &[T], &[T], &[T], &mut [T], &mut [T]);
/// [`backward`]
pub type Backward<T> =
    fn(Shape, &[T], &[T], &[T], &[T], &mut [T], Arriving<T>, &mut [T], Option<&mut [T]>, &mut [T]);

/// A cell, as a sequence and a shell see it.
///
/// Parameters are one Wa (A, A), Wx (A, X), b (A) a gate, and after them a bias whose gradient
/// is the last matrix of a cache, if anything. A state is a, and after it what stands last in a cache; a
/// cache begins with one matrix a gate, which after backward is its dz.
pub trait Recurrent<T: Real> {
    /// The number of gates: of affine maps z_q = b_q + Wx_q·x⟨t⟩ + Wa_q·a⟨t−1⟩.
    const GATES: usize;
    /// The number of matrices (A, M) in a cache.
    const CACHE: usize;
    /// The number of matrices (A, M) in a state.
    const STATE: usize;
    /// Whether forward has its z in a, not in the cache.
    const Z_IN_A: bool;

    /// Which matrix of a cache is, after backward, the gradient of what Wa_q gives: dz_q, unless
    /// something stands between the two.
    #[inline(always)]
    fn gradient_of(q: usize) -> usize {
        q
    }
    /// Which matrix of a cache Wa_q multiplies; none where it is a⟨t−1⟩.
    #[inline(always)]
    fn factor_of(_q: usize) -> Option<usize> {
        None
    }

    /// One step forward, from the first part of each z_q on.
    fn step_forward(
        shape: Shape,
        weights: Weights<T>,
        prev: [&[T]; 2],
        cache: &mut [T],
        a: &mut [T],
    );
    /// One step backward: the gates of the cache become dz_q, `dstate` the gradient of the state
    /// before.
    fn step_backward(
        shape: Shape,
        weights: Weights<T>,
        prev: [&[T]; 2],
        a: &[T],
        cache: &mut [T],
        dstate: &mut [T],
    );

    // The doors. Not functions around them, which a user's dev build would go through at each call.

    /// The door to a step without a cache.
    const STEP: Step<T>;
    /// The door to [`forward`].
    const FORWARD: Forward<T>;
    /// The door to [`backward`].
    const BACKWARD: Backward<T>;

    /// What a cache holds of the state.
    #[inline(always)]
    fn kept(shape: Shape, cache: &[T]) -> &[T] {
        let matrix = shape.units * shape.batch;
        part(
            cache,
            (Self::CACHE + 1 - Self::STATE) * matrix,
            (Self::STATE - 1) * matrix,
        )
    }
}

/// The weights of all gates.
#[derive(Clone, Copy)]
pub struct Weights<'a, T> {
    pub(crate) wa: Gates<'a, T>,
    pub(crate) wx: Gates<'a, T>,
    pub(crate) b: Gates<'a, T>,
}

impl<'a, T> Weights<'a, T> {
    #[inline(always)]
    pub(crate) fn new(params: &'a [T], shape: Shape) -> Self {
        let Shape { inputs, units, .. } = shape;
        let apart = units * (units + inputs + 1);
        let from = |first| Gates {
            all: params.get(first..).unwrap_or_default(),
            apart,
        };
        Weights {
            wa: from(0),
            wx: from(units * units),
            b: from(units * (units + inputs)),
        }
    }
}

/// The gradients that reach a sequence from outside, beside `dstate`.
#[derive(Clone, Copy)]
pub struct Arriving<'a, T> {
    /// da⟨t⟩ of each step; none where `dstate` has all that reaches the only one.
    pub(crate) da: &'a [T],
    /// The length of each sample; none where all have all steps.
    pub(crate) lengths: &'a [usize],
    /// What reaches the state of each sample after its own last step, where there are lengths:
    /// `dstate` starts from zeros then.
    pub(crate) last: &'a [T],
}

impl<'a, T: Real> Arriving<'a, T> {
    /// Into samples that all have all steps.
    pub(crate) fn at(da: &'a [T]) -> Self {
        Arriving {
            da,
            lengths: &[],
            last: &[],
        }
    }

    /// What arrives at step t comes into dh⟨t⟩, the first matrix of `dstate`: dh⟨t⟩ = da⟨t⟩ + what
    /// step t + 1 has propagated.
    #[inline(always)]
    fn at_step(self, t: usize, (units, matrix): (usize, usize), dstate: &mut [T]) {
        if self.da.is_empty() {
            return;
        }
        let da = part(self.da, t * matrix, matrix);
        if self.lengths.is_empty() {
            return T::Core::add(part_mut(dstate, 0, matrix), da); // LSTM (20), RNN (3), GRU (19): da⟨t⟩ + …
        }
        self.at_end(t + 1, (units, matrix), dstate);
        for (m, &length) in self.lengths.iter().enumerate() {
            if t < length {
                T::Core::add(
                    part_mut(dstate, m * units, units),
                    part(da, m * units, units),
                );
            }
        }
    }

    /// What reaches the samples of this length from beyond their ends.
    #[inline(always)]
    fn at_end(self, length: usize, (units, matrix): (usize, usize), dstate: &mut [T]) {
        for (m, _) in self
            .lengths
            .iter()
            .enumerate()
            .filter(|(_, l)| **l == length)
        {
            let mut first = m * units;
            while first < self.last.len() {
                let last = part(self.last, first, units);
                copy(last, part_mut(dstate, first, units));
                first += matrix;
            }
        }
    }
}

/// A sequence forward, t = 1 … T, as many as `a` has.
pub(crate) fn forward<T: Real, C: Recurrent<T>>(
    shape: Shape,
    params: &[T],
    x: &[T],
    init: &[T],
    a: &mut [T],
    caches: &mut [T],
) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let weights = Weights::new(params, shape);
    let (matrix, steps) = (units * batch, steps_at_a_time(batch));
    let [mut a_prev, mut c_prev] = parts(init, matrix);
    let (mut x, mut a, mut caches) = (x, a, caches);
    while !a.is_empty() {
        let steps = steps.min(a.len().checked_div(matrix).unwrap_or(0));
        let (x_now, x_rest) = x
            .split_at_checked(steps * inputs * batch)
            .unwrap_or_default();
        let (a_now, a_rest) = a.split_at_mut_checked(steps * matrix).unwrap_or_default();
        let (now, rest) = caches
            .split_at_mut_checked(steps * C::CACHE * matrix)
            .unwrap_or_default();
        (x, a, caches) = (x_rest, a_rest, rest);
        for q in 0..C::GATES {
            let wx = weights.wx.part(q, 0, units * inputs);
            let b = weights.b.part(q, 0, units);
            let x = Steps::dense(x_now, inputs, batch);
            let z = match C::Z_IN_A {
                true => StepsMut::dense(a_now, units, batch),
                false => StepsMut::matrix(now, (q, C::CACHE), (units, batch)),
            };
            T::Core::forward(wx, Some(b), &x, z, steps * batch); // LSTM (0), RNN (1), GRU (0), (4): b_q + Wx_q·x⟨t⟩ …
        }
        let (mut now, mut a_now) = (now, a_now);
        for _ in 0..steps {
            let (cache, rest) = now
                .split_at_mut_checked(C::CACHE * matrix)
                .unwrap_or_default();
            let (a, a_rest) = a_now.split_at_mut_checked(matrix).unwrap_or_default();
            (now, a_now) = (rest, a_rest);
            C::step_forward(shape, weights, [a_prev, c_prev], cache, a);
            a_prev = a;
            c_prev = C::kept(shape, cache);
        }
    }
}

/// A sequence backward, t = T … 1, as many as there are caches.
pub(crate) fn backward<T: Real, C: Recurrent<T>>(
    shape: Shape,
    params: &[T],
    x: &[T],
    init: &[T],
    a: &[T],
    caches: &mut [T],
    da: Arriving<T>,
    grads: &mut [T],
    dx: Option<&mut [T]>,
    dstate: &mut [T],
) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let weights = Weights::new(params, shape);
    let matrix = units * batch;
    let cache = C::CACHE * matrix;
    let [a0, c0] = parts(init, matrix);
    let mut dx = dx;
    let mut end = caches.len().checked_div(cache).unwrap_or(0);
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(batch));
        for t in (start..end).rev() {
            let (before, now) = caches.split_at_mut_checked(t * cache).unwrap_or_default();
            let prev = match t {
                0 => [a0, c0],
                _ => [
                    part(a, (t - 1) * matrix, matrix),
                    C::kept(shape, part(before, (t - 1) * cache, cache)),
                ],
            };
            da.at_step(t, (units, matrix), dstate);
            let a = part(a, t * matrix, matrix);
            C::step_backward(shape, weights, prev, a, part_mut(now, 0, cache), dstate);
        }
        let steps = end - start;
        let caches = part(caches, start * cache, steps * cache);
        let x = part(x, start * inputs * batch, steps * inputs * batch);
        let x = Steps::dense(x, inputs, batch);
        // a⟨t−1⟩ of the first of these steps, and of those after it
        let first = match start {
            0 => a0,
            _ => part(a, (start - 1) * matrix, matrix),
        };
        let later = part(a, start * matrix, (steps - 1) * matrix);
        let later = Steps::dense(later, units, batch);
        // A loop that the compiler does not unroll: its four copies would take stack.
        let mut rest = &mut *grads;
        for q in 0.. {
            if rest.len() <= units {
                break; // No gate is left, but perhaps a second bias.
            }
            let (gate, others) = rest
                .split_at_mut_checked(units * (units + inputs + 1))
                .unwrap_or_default();
            rest = others;
            let (dwa, rest) = gate.split_at_mut_checked(units * units).unwrap_or_default();
            let (dwx, db) = rest
                .split_at_mut_checked(units * inputs)
                .unwrap_or_default();
            let of_cache = |which| Steps::matrix(caches, (which, C::CACHE), (units, batch));
            let (dz, d_wa) = (of_cache(q), of_cache(C::gradient_of(q)));
            // LSTM (17), RNN (6), GRU (14) and (15)
            match C::factor_of(q) {
                None => T::Core::outer(dwa, &d_wa, &later, Some(first), steps),
                Some(s) => T::Core::outer(dwa, &d_wa, &of_cache(s), None, steps),
            }
            T::Core::outer(dwx, &dz, &x, None, steps); // LSTM (18), RNN (5), GRU (16)
            T::Core::add_columns(db, &dz, steps); // LSTM (19), RNN (7), GRU (17)
        }
        if !rest.is_empty() {
            let last = Steps::matrix(caches, (C::CACHE - 1, C::CACHE), (units, batch));
            T::Core::add_columns(rest, &last, steps); // GRU (18)
        }
        if let Some(dx) = &mut dx {
            let dx = part_mut(dx, start * inputs * batch, steps * inputs * batch);
            let dx = StepsMut::dense(dx, inputs, batch);
            let dz = Steps::matrix(caches, (0, C::CACHE), (units, batch));
            T::Core::transposed(weights.wx, C::GATES, &dz, matrix, dx, steps * batch, false); // LSTM (21), RNN (9), GRU (20)
        }
        end = start;
    }
    da.at_end(0, (units, matrix), dstate);
}
