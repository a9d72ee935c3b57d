//! `Affine`, the one learnable building block of both cells: z = Wa·a + Wx·x + b.

use crate::product::{outer, sum_columns};
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

    /// The gradients of all steps of a sequence, added to `self`: dWa + dz·a⟨t−1⟩ᵀ, dWx + dz·x⟨t⟩ᵀ,
    /// db + dz.
    ///
    /// Time descending, then batch ascending. The dz of step t is the matrix `dz[t * stride +
    /// offset]`, `x` has one matrix a step, `a0` is a⟨0⟩ and `before` a⟨1⟩ … a⟨T−1⟩.
    #[inline(always)]
    pub(crate) fn add_gradients<const L: usize, const M: usize>(
        &mut self,
        x: &[Matrix<X, M, T>],
        a0: &Matrix<A, M, T>,
        before: &[Matrix<A, M, T>],
        dz: &[Matrix<A, M, T>],
        offset: usize,
        stride: usize,
    ) {
        let Some((x0, x)) = x.split_first() else {
            return;
        };
        outer::<L, A, X, M, T>(&mut self.wx, dz, offset, stride, x0, x);
        outer::<L, A, A, M, T>(&mut self.wa, dz, offset, stride, a0, before);
        sum_columns(&mut self.b, dz, offset, stride);
    }
}
