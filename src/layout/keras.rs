//! `keras.layers.LSTM`, `GRU`, `SimpleRNN` and `Dense`, with their default activations, and
//! `SimpleRNN` with `activation="relu"`.
//!
//! `layer.get_weights()` gives the arrays in the order of the arguments here. Keras initialises the
//! forget gate's bias to 1 (`unit_forget_bias`) within `bias`; nothing is to be added.

use super::*;

/// Which block of the four, i, f, c, o, is f, i, g, o.
const LSTM: [usize; 4] = [1, 0, 2, 3];
/// Which block of the three, z, r, h, is r, u, n.
const GRU: [usize; 3] = [1, 0, 2];

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
    let mut gates = params.gates_mut();
    read_side_by_side(&mut gates, LSTM, kernel, recurrent_kernel);
    read_biases(&mut gates, LSTM, bias, None);
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
    write_side_by_side(params.gates(), LSTM, kernel, recurrent_kernel);
    write_biases(params.gates(), LSTM, bias);
    Ok(())
}

/// Reads a `GRU` with `reset_after=True`, the default: `kernel` (X, 3A), `recurrent_kernel` (A,
/// 3A), `bias` (2, 3A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::keras};
///
/// // z, r, h
/// let (kernel, recurrent_kernel) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]);
/// let bias = [0.1, 0.2, 0.3, 1.0, 0.0, 2.0];
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// keras::read_gru_after(&mut params, &kernel, &recurrent_kernel, Some(&bias))?;
/// assert_eq!(params.r.wx[(0, 0)], 2.0);
/// assert_eq!((params.u.wa[(0, 0)], params.u.b[(0, 0)]), (10.0, 1.1));
/// assert_eq!((params.n.b[(0, 0)], params.bna[(0, 0)]), (0.3, 2.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 3 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 3 * A, recurrent_kernel.len())?;
    check_some("bias", 2 * 3 * A, bias)?;
    let (with_kernel, with_recurrent) = bias.and_then(|b| b.split_at_checked(3 * A)).unzip();
    let mut gates = [&mut params.r, &mut params.u, &mut params.n];
    read_side_by_side(&mut gates, GRU, kernel, recurrent_kernel);
    read_biases_after(params, GRU, with_kernel, with_recurrent);
    Ok(())
}

/// Writes a `GRU` with `reset_after=True`: `kernel` (X, 3A), `recurrent_kernel` (A, 3A), `bias` (2,
/// 3A), which is b and below it −0, −0, bna.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::keras};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.r.b.fill(1.0);
/// params.bna.fill(2.0);
/// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 3], [7.0; 3], [7.0; 6]);
/// keras::write_gru_after(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
/// assert_eq!(bias, [0.0, 1.0, 0.0, 0.0, 0.0, 2.0]); // z, r, h twice
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 3 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 3 * A, recurrent_kernel.len())?;
    LengthMismatch::check("bias", 2 * 3 * A, bias.len())?;
    let gates = [&params.r, &params.u, &params.n];
    write_side_by_side(gates, GRU, kernel, recurrent_kernel);
    if let Some((with_kernel, with_recurrent)) = bias.split_at_mut_checked(3 * A) {
        write_biases_after(params, GRU, with_kernel, with_recurrent);
    }
    Ok(())
}

/// Reads a `GRU` with `reset_after=False`: `kernel` (X, 3A), `recurrent_kernel` (A, 3A), `bias`
/// (3A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::keras};
///
/// // z, r, h
/// let (kernel, recurrent_kernel) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]);
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// keras::read_gru_before(&mut params, &kernel, &recurrent_kernel, Some(&[0.1, 0.2, 0.3]))?;
/// assert_eq!(params.r.wx[(0, 0)], 2.0);
/// assert_eq!(params.u.wa[(0, 0)], 10.0);
/// assert_eq!(params.n.b[(0, 0)], 0.3);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    kernel: &[T],
    recurrent_kernel: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 3 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 3 * A, recurrent_kernel.len())?;
    check_some("bias", 3 * A, bias)?;
    let mut gates = [&mut params.r, &mut params.u, &mut params.n];
    read_side_by_side(&mut gates, GRU, kernel, recurrent_kernel);
    read_biases(&mut gates, GRU, bias, None);
    Ok(())
}

/// Writes a `GRU` with `reset_after=False`: `kernel` (X, 3A), `recurrent_kernel` (A, 3A), `bias`
/// (3A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::keras};
///
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// params.r.wx.fill(4.0);
/// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 3], [7.0; 3], [7.0; 3]);
/// keras::write_gru_before(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
/// assert_eq!(kernel, [0.0, 4.0, 0.0]); // z, r, h
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    kernel: &mut [T],
    recurrent_kernel: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", X * 3 * A, kernel.len())?;
    LengthMismatch::check("recurrent_kernel", A * 3 * A, recurrent_kernel.len())?;
    LengthMismatch::check("bias", 3 * A, bias.len())?;
    let gates = [&params.r, &params.u, &params.n];
    write_side_by_side(gates, GRU, kernel, recurrent_kernel);
    write_biases(gates, GRU, bias);
    Ok(())
}

/// Reads a `SimpleRNN`: `kernel` (X, A), `recurrent_kernel` (A, A), `bias` (A) or none.
///
/// One with `activation="relu"` goes into the field of [`rnn::Relu`]: `&mut relu.0` in the place of
/// `&mut params`.
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
    let mut gates = [params];
    read_side_by_side(&mut gates, [0], kernel, recurrent_kernel);
    read_biases(&mut gates, [0], bias, None);
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
    write_side_by_side([params], [0], kernel, recurrent_kernel);
    write_biases([params], [0], bias);
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
