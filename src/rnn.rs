//! The plain recurrent cell, with tanh or with ReLU: equations, forward, and directly under it
//! backward.
//!
//! [`Params`] are the weights of the cell with tanh, [`Relu`] those of the one with ReLU: PyTorch's
//! `nonlinearity="relu"`, ONNX' `Relu`.
//!
//! # Equations
//!
//! With x⟨t⟩ of shape (X, M), a⟨t⟩ of shape (A, M), t = 1 … T, and a⟨0⟩ given:
//!
//! | | forward |
//! |---|---|
//! | (1) | z⟨t⟩ = b + Wx·x⟨t⟩ + Wa·a⟨t−1⟩ |
//! | (2) | a⟨t⟩ = tanh z⟨t⟩, or a⟨t⟩ = max(z⟨t⟩, 0) |
//!
//! Backward runs from t = T to 1. Into a⟨t⟩ come two gradients: da⟨t⟩, the one with respect to the
//! output of step t (from a loss, or from the layer above), and the one that step t + 1 has
//! propagated; dh⟨t⟩ is both. Beyond the end the second one comes from the caller: zero, or what
//! the following segment of a longer sequence returned.
//!
//! | | backward |
//! |---|---|
//! | (3) | dh⟨t⟩ = da⟨t⟩ + Waᵀ·dz⟨t+1⟩ |
//! | (4) | dz⟨t⟩ = dh⟨t⟩ ⊙ (1 − a⟨t⟩²), since tanh′ z = 1 − tanh² z; or dz⟨t⟩ = dh⟨t⟩ ⊙ 1 where a⟨t⟩ > 0, dh⟨t⟩ ⊙ 0 where a⟨t⟩ = 0, the derivative of ReLU at 0 being 0 |
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
//! # Precision
//!
//! An RNN of either kind with 6 inputs and 16 units in f32 stays within 2.5·10⁻⁷ of the same in f64
//! over 100 steps, in every output of 100 networks with weights evenly distributed in ±1/√A and
//! inputs in ±1 (`tests/precision.rs` measures it).
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
//! NaN: dz of ReLU is 0·dh where a is 0, and NaN where a is.

pub(crate) mod core;

use crate::cell::{Cell, sealed::Sealed};
use crate::sequence::{Arriving, Recurrent};
use crate::shape::Shape;
use crate::{Affine, Flat, Matrix, Real, flat};

/// The weights of an RNN cell with tanh, or a gradient with respect to them.
///
/// ```
/// use bptt::{Flat, rnn};
///
/// static ZERO: rnn::Params<6, 16> = rnn::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 16 * (16 + 6 + 1));
/// ```
pub type Params<const X: usize, const A: usize, T = f32> = Affine<X, A, T>;

impl<const X: usize, const A: usize, T: Real> Sealed for Params<X, A, T> {
    type Recurrent = core::RnnTanh;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Params<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Matrix<A, M, T>;
}

/// The weights of an RNN cell with ReLU, or a gradient with respect to them: the same weights as
/// those of the cell with tanh, and another type.
///
/// ReLU has no bound, and the recurrence may grow without one: start with the identity as Wa (Le,
/// Jaitly and Hinton, 2015: `for i in 0..A { cell.0.wa[(i, i)] = 1.0 }`) or with an orthogonal
/// matrix, and clip the gradients.
///
/// ```
/// use bptt::{Cell, Vector, rnn};
///
/// let mut cell = rnn::Relu::<1, 1>::zeros();
/// cell.0.wx.fill(1.0);
/// let mut a = Vector::zeros();
/// cell.step(&Vector::from_rows([[3.0]]), &Vector::zeros(), &mut a);
/// assert_eq!(a[(0, 0)], 3.0);
/// cell.step(&Vector::from_rows([[-3.0]]), &Vector::zeros(), &mut a);
/// assert_eq!(a[(0, 0)], 0.0);
/// ```
#[derive(Debug, PartialEq)]
#[repr(transparent)]
pub struct Relu<const X: usize, const A: usize, T: Real = f32>(pub Affine<X, A, T>);

impl<const X: usize, const A: usize, T: Real> Relu<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let grads = bptt::rnn::Relu::<3, 5>::zeros();
    /// assert_eq!(grads.0.wx[(4, 2)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The weights whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too;
    /// see [`Flat::to_le_bytes`].
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// use bptt::rnn;
    ///
    /// let cell: rnn::Relu<4, 1> = rnn::Relu::from_le_bytes(&[0; 6 * 4]);
    /// assert_eq!(cell, rnn::Relu::zeros());
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}

impl<const X: usize, const A: usize, T: Real> Sealed for Relu<X, A, T> {
    type Recurrent = core::RnnRelu;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Relu<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Matrix<A, M, T>;
}

/// An RNN with either activation: what [`cell_forward`] and [`cell_backward`] take.
///
/// ```
/// use bptt::{Matrix, rnn};
///
/// /// One step from a state of zeros.
/// fn first<C: rnn::Rnn<2, 3, Scalar = f32>>(cell: &C, x: &Matrix<2, 1>) -> Matrix<3, 1> {
///     let mut a = Matrix::zeros();
///     rnn::cell_forward(cell, x, &Matrix::zeros(), &mut a);
///     a
/// }
/// let x = Matrix::from_rows([[1.0], [2.0]]);
/// assert_eq!(first(&rnn::Params::zeros(), &x), first(&rnn::Relu::zeros(), &x));
/// ```
pub trait Rnn<const X: usize, const A: usize>: Cell<X, A> {}
impl<const X: usize, const A: usize, T: Real> Rnn<X, A> for Params<X, A, T> {}
impl<const X: usize, const A: usize, T: Real> Rnn<X, A> for Relu<X, A, T> {}

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
pub fn cell_forward<C: Rnn<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &mut Matrix<A, M, C::Scalar>,
) {
    C::Recurrent::FORWARD(
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
pub fn cell_backward<C: Rnn<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &Matrix<A, M, C::Scalar>,
    dz: &mut Matrix<A, M, C::Scalar>,
    dstate: &mut Matrix<A, M, C::Scalar>,
    grads: &mut C,
    dx: &mut Matrix<X, M, C::Scalar>,
) {
    C::Recurrent::BACKWARD(
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
