//! `keras.layers.LSTM`, `SimpleRNN` and `Dense`, with their default activations.
//!
//! `layer.get_weights()` gives the arrays in the order of the arguments here. Keras initialises the
//! forget gate's bias to 1 (`unit_forget_bias`) within `bias`; nothing is to be added.

use super::*;

/// Which block of the four, i, f, c, o, is f, i, g, o.
const BLOCKS: [usize; 4] = [1, 0, 2, 3];

/// Reads an LSTM: `kernel` (X, 4A), `recurrent_kernel` (A, 4A), `bias` (4A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::keras, lstm};
///
/// // i, f, c, o
/// let (kernel, recurrent_kernel) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
/// let mut params = lstm::Params::<1, 1>::zeros();
/// keras::read_lstm(&mut params, &kernel, &recurrent_kernel, Some(&[0.0, 1.0, 0.0, 0.0]))?;
/// assert_eq!(params.f.wx[(0, 0)], 2.0);
/// assert_eq!(params.f.b[(0, 0)], 1.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 4 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 4 * A, recurrent_kernel.len())?;
    check_some("bias", 4 * A, bias)?;
    read_side_by_side(params.gates_mut(), BLOCKS, kernel, recurrent_kernel, bias);
    Ok(())
}

/// Writes an LSTM: `kernel` (X, 4A), `recurrent_kernel` (A, 4A), `bias` (4A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::keras, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.o.wx.fill(4.0);
/// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 4], [7.0; 4], [7.0; 4]);
/// keras::write_lstm(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
/// assert_eq!(kernel, [0.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 4 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 4 * A, recurrent_kernel.len())?;
    LengthMismatch::check("bias", 4 * A, bias.len())?;
    write_side_by_side(params.gates(), BLOCKS, kernel, recurrent_kernel, bias);
    Ok(())
}

/// Reads a `SimpleRNN`: `kernel` (X, A), `recurrent_kernel` (A, A), `bias` (A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::keras, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// keras::read_rnn(&mut params, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], None)?;
/// assert_eq!(params.wa, Matrix::from_rows([[3.0, 5.0], [4.0, 6.0]])); // the transpose
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * A, recurrent_kernel.len())?;
    check_some("bias", A, bias)?;
    read_side_by_side([params], [0], kernel, recurrent_kernel, bias);
    Ok(())
}

/// Writes a `SimpleRNN`: `kernel` (X, A), `recurrent_kernel` (A, A), `bias` (A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::keras, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wa = Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]);
/// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 2], [7.0; 4], [7.0; 2]);
/// keras::write_rnn(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
/// assert_eq!(recurrent_kernel, [3.0, 5.0, 4.0, 6.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * A, recurrent_kernel.len())?;
    LengthMismatch::check("bias", A, bias.len())?;
    write_side_by_side([params], [0], kernel, recurrent_kernel, bias);
    Ok(())
}

/// Reads a `Dense`: `kernel` (A, Y), `bias` (Y) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, dense, layout::keras};
///
/// let mut head = dense::Params::<2, 2>::zeros();
/// keras::read_dense(&mut head, &[1.0, 2.0, 3.0, 4.0], Some(&[5.0, 6.0]))?;
/// assert_eq!(head.w, Matrix::from_rows([[1.0, 3.0], [2.0, 4.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_dense<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", A * Y, kernel.len())?;
    check_some("bias", Y, bias)?;
    super::read_dense(params, Place::side_by_side::<Y>(0, 1), kernel, bias);
    Ok(())
}

/// Writes a `Dense`: `kernel` (A, Y), `bias` (Y).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, Vector, dense, layout::keras};
///
/// let w = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
/// let b = Vector::from_columns([[5.0, 6.0]]);
/// let (mut kernel, mut bias) = ([0.0; 4], [0.0; 2]);
/// keras::write_dense(&dense::Params { w, b }, &mut kernel, &mut bias)?;
/// assert_eq!(kernel, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_dense<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", A * Y, kernel.len())?;
    LengthMismatch::check("bias", Y, bias.len())?;
    super::write_dense(params, Place::side_by_side::<Y>(0, 1), kernel, bias);
    Ok(())
}
