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
//! Backward runs from t = T to 1. Into a⟨t⟩ come two gradients: the one from the output of step t
//! (from a loss, or from the layer above), da⟨t⟩, and the one that step t + 1 has propagated back.
//! Beyond the end that second one is zero, or what the following segment of a longer sequence
//! returned.
//!
//! | | backward |
//! |---|---|
//! | (3) | dh⟨t⟩ = da⟨t⟩ + Waᵀ·dz⟨t+1⟩ |
//! | (4) | dz⟨t⟩ = dh⟨t⟩ ⊙ (1 − a⟨t⟩²), since tanh′ z = 1 − tanh² z |
//! | (5) | dWx = dWx + Σₜ dz⟨t⟩·x⟨t⟩ᵀ |
//! | (6) | dWa = dWa + Σₜ dz⟨t⟩·a⟨t−1⟩ᵀ |
//! | (7) | db = db + Σₜ dz⟨t⟩, summed over the batch |
//! | (8) | da⟨0⟩ = Waᵀ·dz⟨1⟩ |
//! | (9) | dx⟨t⟩ = Wxᵀ·dz⟨t⟩ |
//!
//! Two mistakes are common in print: to leave out (4), so that the products take dh in the place of
//! dz; and to add dx⟨t+1⟩ to (9). x⟨t⟩ enters step t alone, so there is no such term.
//!
//! # Memory
//!
//! The cache is the output a itself. Backward works in place: da⟨t⟩ is replaced by dz⟨t⟩. A
//! sequence is worked through in segments of 64 columns of the batch, which stay in the cache: the
//! products with Wx over a segment are one matrix product before its recurrence, (5), (6), (7) and
//! (9) one each after it; only those with Wa stay inside the time loop.
//!
//! # Numbers that are not finite
//!
//! A NaN in a column of x, a or da reaches what depends on it and no other column of the batch (the
//! gradients of the weights depend on all of them). ±∞ follow IEEE-754: tanh ±∞ = ±1, and 0·∞ is
//! NaN.

pub(crate) mod core;

use ::core::slice;

use crate::arch::Core as _;
use crate::shape::Shape;
use crate::{Affine, Flat, LengthMismatch, Matrix, Real};

/// The weights of an RNN cell, or a gradient with respect to them.
///
/// ```
/// use bptt::{Flat, rnn};
///
/// static ZERO: rnn::Params<6, 16> = rnn::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 16 * (16 + 6 + 1));
/// ```
pub type Params<const X: usize, const A: usize, T = f32> = Affine<X, A, T>;

/// One step forward: (1) and (2).
///
/// `x` is x⟨t⟩ (X, M), `a_prev` is a⟨t−1⟩ (A, M), `a_next` becomes a⟨t⟩ (A, M). The same bits as
/// [`forward`] over one step.
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
    sequence_forward(params, slice::from_ref(x), a_prev, slice::from_mut(a_next));
}

/// One step backward: (4) to (9).
///
/// In: `x` (X, M), `a_prev` (A, M) and `a_next` (A, M) as they were in [`cell_forward`], and
/// `da_next` (A, M), the whole gradient with respect to a⟨t⟩, dh⟨t⟩ of (3).
///
/// Out: `da_next` becomes dz⟨t⟩; the gradients of the weights are added to `grads`; `dx` (X, M) and
/// `da_prev` (A, M) are overwritten.
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
/// let mut da_next = Matrix::from_rows([[1.0]]); // the gradient of a⟨t⟩ itself
/// let (mut grads, mut dx, mut da_prev) = (rnn::Params::zeros(), Matrix::zeros(), Matrix::zeros());
/// rnn::cell_backward(&params, &x, &a_prev, &a_next, &mut da_next, &mut grads, &mut dx, &mut da_prev);
/// let dz = 1.0 - a_next[(0, 0)] * a_next[(0, 0)];
/// assert_eq!(da_next[(0, 0)], dz);
/// assert_eq!((grads.wa[(0, 0)], grads.wx[(0, 0)], grads.b[(0, 0)]), (0.3 * dz, 0.1 * dz, dz));
/// assert_eq!((dx[(0, 0)], da_prev[(0, 0)]), (2.0 * dz, 0.5 * dz));
/// ```
pub fn cell_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a_next: &Matrix<A, M, T>,
    da_next: &mut Matrix<A, M, T>,
    grads: &mut Params<X, A, T>,
    dx: &mut Matrix<X, M, T>,
    da_prev: &mut Matrix<A, M, T>,
) {
    sequence_backward(
        params,
        slice::from_ref(x),
        a_prev,
        slice::from_ref(a_next),
        slice::from_mut(da_next),
        grads,
        Some(slice::from_mut(dx)),
        da_prev,
    );
}

/// A sequence forward: (1) and (2) for t = 1 … T.
///
/// `x` has one (X, M) matrix a step, `a0` (A, M) is the initial state, `a` has one (A, M) matrix a
/// step and is overwritten. With no steps nothing happens. The same bits as a loop of
/// [`cell_forward`].
///
/// # Errors
/// [`LengthMismatch`] where `a` has not the length of `x`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let mut a = [const { Matrix::zeros() }; 3];
/// rnn::forward(&params, &x, &Matrix::zeros(), &mut a)?;
/// assert!((a[2][(1, 0)] - 0.3_f32.tanh()).abs() < 1e-7); // Wa is 0 here
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    sequence_forward(params, x, a0, a);
    Ok(())
}

/// The shell of forward: `a` has the length of `x`.
#[inline(always)]
fn sequence_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &mut [Matrix<A, M, T>],
) {
    T::Core::rnn_forward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(x),
        a0.as_flat(),
        Matrix::slice_as_flat_mut(a),
    );
}

/// A sequence backward: (3) to (9) for t = T … 1.
///
/// In: `x`, `a0` and `a` as they were in [`forward`]; `da`, one (A, M) matrix a step, the gradient
/// with respect to the output of each step; `da_state` (A, M), the gradient that reaches a⟨T⟩ from
/// beyond the end, zero if there is nothing.
///
/// Out: `da` becomes dz; the gradients of the weights are added to `grads`; `dx`, one (X, M) matrix
/// a step, is overwritten, where it is given; `da_state` becomes the gradient of a⟨0⟩. With no
/// steps `da_state` stays as it is.
///
/// The same bits as a loop of [`cell_backward`] from the last step to the first.
///
/// # Errors
/// [`LengthMismatch`] where `a`, `da` or `dx` has not the length of `x`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let a0 = Matrix::zeros();
/// let mut a = [const { Matrix::zeros() }; 3];
/// rnn::forward(&params, &x, &a0, &mut a)?;
///
/// // The gradients of the sum of all outputs.
/// let mut da = [const { Matrix::from_rows([[1.0], [1.0]]) }; 3];
/// let (mut grads, mut da_state) = (rnn::Params::zeros(), Matrix::zeros());
/// rnn::backward(&params, &x, &a0, &a, &mut da, &mut grads, None, &mut da_state)?;
/// let db: f32 = a.iter().map(|a| 1.0 - a[(0, 0)] * a[(0, 0)]).sum();
/// assert!((grads.b[(0, 0)] - db).abs() < 1e-6);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    LengthMismatch::check("da", x.len(), da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    if let Some(da) = da.last_mut() {
        T::Core::add(da.as_flat_mut(), da_state.as_flat()); // (3) for t = T
    }
    sequence_backward(params, x, a0, a, da, grads, dx, da_state);
    Ok(())
}

/// The shell of backward: all that there is has the length of `x`, and the last da is whole.
#[inline(always)]
fn sequence_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
) {
    T::Core::rnn_backward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(x),
        a0.as_flat(),
        Matrix::slice_as_flat(a),
        Matrix::slice_as_flat_mut(da),
        grads.as_flat_mut(),
        dx.map(Matrix::slice_as_flat_mut),
        da_state.as_flat_mut(),
    );
}
