//! `Affine`, the one learnable building block of all cells: z = Wa·a + Wx·x + b.

use crate::{Matrix, Real, Vector, flat};

/// The weights of z = Wa·a + Wx·x + b, from A hidden units and X inputs to A pre-activations.
///
/// An RNN cell has one (and a tanh, or a ReLU), a GRU cell has three, an LSTM cell four. A gradient
/// with respect to an `Affine` is an `Affine`.
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
#[derive(Debug, PartialEq)]
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
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let grads = bptt::Affine::<3, 5>::zeros();
    /// assert_eq!(grads.wx[(4, 2)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The map whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too; see
    /// [`Flat::to_le_bytes`](crate::Flat::to_le_bytes).
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// let bytes = [0; 6 * 4];
    /// let cell: bptt::rnn::Params<4, 1> = bptt::rnn::Params::from_le_bytes(&bytes);
    /// assert_eq!(cell, bptt::Affine::zeros());
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}
