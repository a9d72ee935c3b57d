//! `Affine`, the one learnable building block of both cells: z = Wa·a + Wx·x + b.

use crate::{Matrix, Real, Vector};

/// The weights of z = Wa·a + Wx·x + b, from A hidden units and X inputs to A pre-activations.
///
/// An RNN cell has one (and a tanh), an LSTM cell has four. A gradient with respect to an
/// `Affine` is an `Affine`.
///
/// Column-major and `repr(C)`: its flat array is the concatenated W = \[Wa | Wx\] of shape (A, A +
/// X), column by column, followed by b.
///
/// ```
/// use bptt::{Affine, Flat, Matrix, Vector};
///
/// static P: Affine<2, 1> = Affine {
///     wa: Matrix::from_rows([[1.0]]),
///     wx: Matrix::from_rows([[2.0, 3.0]]),
///     b: Vector::from_rows([[4.0]]),
/// };
/// assert_eq!(P.as_flat(), [1.0, 2.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Affine<const X: usize, const A: usize, T: Real = f32> {
    /// Wa, shape (A, A): acts on the previous hidden state.
    pub wa: Matrix<A, A, T>,
    /// Wx, shape (A, X): acts on the input.
    pub wx: Matrix<A, X, T>,
    /// b, shape (A, 1).
    pub b: Vector<A, T>,
}

impl<const X: usize, const A: usize, T: Real> Affine<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// ```
    /// let grads = bptt::Affine::<3, 5>::zeros();
    /// assert_eq!(grads.wx[(4, 2)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        Affine {
            wa: Matrix::zeros(),
            wx: Matrix::zeros(),
            b: Matrix::zeros(),
        }
    }
}
