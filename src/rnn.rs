//! The plain recurrent cell: equations, forward, and directly under it backward.
//!
//! # Equations
//!
//! With x⟨t⟩ of shape (X, M), a⟨t⟩ of shape (A, M), t = 1 … T, and a⟨0⟩ given:
//!
//! | | forward |
//! |---|---|
//! | (1) | z⟨t⟩ = b + Wx·x⟨t⟩ + Wa·a⟨t−1⟩ |
//! | (2) | a⟨t⟩ = tanh z⟨t⟩ |
//!
//! Backward runs from t = T to 1. Into a⟨t⟩ come two gradients: da⟨t⟩, the one with respect to the
//! output of step t (from a loss, or from the layer above), and the one that step t + 1 has
//! propagated; dh⟨t⟩ is both. Beyond the end the second one comes from the caller: zero, or what
//! the following segment of a longer sequence returned.
//!
//! | | backward |
//! |---|---|
//! | (3) | dh⟨t⟩ = da⟨t⟩ + Waᵀ·dz⟨t+1⟩ |
//! | (4) | dz⟨t⟩ = dh⟨t⟩ ⊙ (1 − a⟨t⟩²), since tanh′ z = 1 − tanh² z |
//! | (5) | dWx = dWx + Σₜ dz⟨t⟩·x⟨t⟩ᵀ |
//! | (6) | dWa = dWa + Σₜ dz⟨t⟩·a⟨t−1⟩ᵀ |
//! | (7) | db = db + Σₜ dz⟨t⟩, summed over the batch |
//! | (8) | dh⟨0⟩ = Waᵀ·dz⟨1⟩, the gradient of a⟨0⟩: (3) with da⟨0⟩ = 0 |
//! | (9) | dx⟨t⟩ = Wxᵀ·dz⟨t⟩ |
//!
//! Two mistakes are common in print: to leave out (4), so that the products take dh in the place of
//! dz; and to add dx⟨t+1⟩ to (9). x⟨t⟩ enters step t alone, so there is no such term.
//!
//! # Memory
//!
//! The output a says all that backward needs; the "cache" of a step is room for dz⟨t⟩, A·M scalars,
//! which forward leaves alone. A sequence is worked through in segments of 64 columns of the batch,
//! which stay in the processor's cache: the products with Wx over a segment are one matrix product
//! before its recurrence, (5), (6), (7) and (9) one each after it; only those with Wa stay inside
//! the time loop.
//!
//! # Subnormal numbers
//!
//! As in [`lstm`](crate::lstm#subnormal-numbers), what is carried from step to step becomes +0
//! where it is less than the smallest normal number in magnitude: a⟨t⟩ of (2), and dh⟨t⟩ in (4).
//!
//! # Numbers that are not finite
//!
//! A NaN in a column of x, a or da reaches what depends on it and no other column of the batch (the
//! gradients of the weights depend on all of them). ±∞ follow IEEE-754: tanh ±∞ = ±1, and 0·∞ is
//! NaN.

pub(crate) mod core;

use crate::arch::Core as _;
use crate::cell::{Cell, sealed::Sealed};
use crate::sequence::Arriving;
use crate::shape::Shape;
use crate::{Affine, Flat, Matrix, Real};

/// The weights of an RNN cell, or a gradient with respect to them.
///
/// ```
/// use bptt::{Flat, rnn};
///
/// static ZERO: rnn::Params<6, 16> = rnn::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 16 * (16 + 6 + 1));
/// ```
pub type Params<const X: usize, const A: usize, T = f32> = Affine<X, A, T>;

impl<const X: usize, const A: usize, T: Real> Sealed for Params<X, A, T> {
    type Recurrent = core::Rnn;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Params<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Matrix<A, M, T>;
}

/// One step forward: (1) and (2).
///
/// `x` is x⟨t⟩ (X, M), `a_prev` is a⟨t−1⟩ (A, M), `a_next` becomes a⟨t⟩ (A, M). The same bits as
/// [`Cell::forward`] over one step, and as [`Cell::step`].
///
/// ```
/// use bptt::{Matrix, rnn};
///
/// let params = rnn::Params::<1, 1> {
///     wa: Matrix::from_rows([[0.5]]),
///     wx: Matrix::from_rows([[2.0]]),
///     b: Matrix::from_rows([[0.25]]),
/// };
/// let (x, a_prev) = (Matrix::from_rows([[0.1]]), Matrix::from_rows([[0.3]]));
/// let mut a_next = Matrix::<1, 1>::zeros();
/// rnn::cell_forward(&params, &x, &a_prev, &mut a_next);
/// assert!((a_next[(0, 0)] - 0.6_f32.tanh()).abs() < 1e-6); // 0.25 + 2·0.1 + 0.5·0.3
/// ```
pub fn cell_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a_next: &mut Matrix<A, M, T>,
) {
    T::Core::rnn_forward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        a_prev.as_flat(),
        a_next.as_flat_mut(),
        &mut [],
    );
}

/// One step backward: (4) to (9).
///
/// In: `x` (X, M), `a_prev` (A, M) and `a_next` (A, M) as they were in and after [`cell_forward`];
/// `dstate` (A, M), the whole gradient with respect to a⟨t⟩, dh⟨t⟩ of (3).
///
/// Out: `dz` (A, M) is overwritten by dz⟨t⟩; `dstate` becomes the gradient of `a_prev`, Waᵀ·dz⟨t⟩,
/// to which the loop of a sequence adds da⟨t−1⟩; the gradients of the weights are added to `grads`;
/// `dx` (X, M) is overwritten.
///
/// ```
/// use bptt::{Matrix, rnn};
///
/// let params = rnn::Params::<1, 1> {
///     wa: Matrix::from_rows([[0.5]]),
///     wx: Matrix::from_rows([[2.0]]),
///     b: Matrix::from_rows([[0.25]]),
/// };
/// let (x, a_prev) = (Matrix::<1, 1>::from_rows([[0.1]]), Matrix::from_rows([[0.3]]));
/// let mut a_next = Matrix::zeros();
/// rnn::cell_forward(&params, &x, &a_prev, &mut a_next);
///
/// let mut dstate = Matrix::from_rows([[1.0]]); // the gradient of a⟨t⟩ itself
/// let (mut dz, mut grads, mut dx) = (Matrix::zeros(), rnn::Params::zeros(), Matrix::zeros());
/// rnn::cell_backward(&params, &x, &a_prev, &a_next, &mut dz, &mut dstate, &mut grads, &mut dx);
/// let expected = 1.0 - a_next[(0, 0)] * a_next[(0, 0)];
/// assert_eq!(dz[(0, 0)], expected);
/// assert_eq!((grads.wa[(0, 0)], grads.wx[(0, 0)], grads.b[(0, 0)]), (0.3 * expected, 0.1 * expected, expected));
/// assert_eq!((dx[(0, 0)], dstate[(0, 0)]), (2.0 * expected, 0.5 * expected));
/// ```
pub fn cell_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a_next: &Matrix<A, M, T>,
    dz: &mut Matrix<A, M, T>,
    dstate: &mut Matrix<A, M, T>,
    grads: &mut Params<X, A, T>,
    dx: &mut Matrix<X, M, T>,
) {
    T::Core::rnn_backward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        a_prev.as_flat(),
        a_next.as_flat(),
        dz.as_flat_mut(),
        Arriving::at(&[]), // `dstate` has all that reaches the step
        grads.as_flat_mut(),
        Some(dx.as_flat_mut()),
        dstate.as_flat_mut(),
    );
}
