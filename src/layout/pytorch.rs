//! `torch.nn.LSTM`, `torch.nn.GRU`, `torch.nn.RNN` and `torch.nn.Linear`.
//!
//! A `state_dict` has `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0` for the first
//! layer. Source: the page of each class in the documentation of PyTorch, under "Variables".

use super::*;

/// Which block of the four, i, f, g, o, is f, i, g, o.
const LSTM: [usize; 4] = [1, 0, 2, 3];
/// Which block of the three, r, z, n, is r, u, n.
const GRU: [usize; 3] = [0, 1, 2];

/// Reads an LSTM: `weight_ih` (4A, X), `weight_hh` (4A, A), both biases (4A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::pytorch, lstm};
///
/// // i, f, g, o
/// let (weight_ih, weight_hh) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
/// let bias = Some((&[0.1, 0.2, 0.3, 0.4][..], &[0.0; 4][..]));
/// let mut params = lstm::Params::<1, 1>::zeros();
/// pytorch::read_lstm(&mut params, &weight_ih, &weight_hh, bias)?;
/// assert_eq!(params.f.wx[(0, 0)], 2.0);
/// assert_eq!(params.g.wa[(0, 0)], 30.0);
/// assert_eq!(params.o.b[(0, 0)], 0.4);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", 4 * A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", 4 * A * A, weight_hh.len())?;
    check_some("bias_ih", 4 * A, bias.map(|bias| bias.0))?;
    check_some("bias_hh", 4 * A, bias.map(|bias| bias.1))?;
    let (bias_ih, bias_hh) = bias.unzip();
    let mut gates = params.gates_mut();
    read_stacked(&mut gates, LSTM, weight_ih, weight_hh);
    read_biases(&mut gates, LSTM, bias_ih, bias_hh);
    Ok(())
}

/// Writes an LSTM: `weight_ih` (4A, X), `weight_hh` (4A, A), `bias_ih` (4A), which is b, and
/// `bias_hh` (4A), which is −0.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::pytorch, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.f.b.fill(1.0);
/// let (mut weight_ih, mut weight_hh) = ([7.0; 4], [7.0; 4]);
/// let (mut bias_ih, mut bias_hh) = ([7.0; 4], [7.0; 4]);
/// pytorch::write_lstm(&params, &mut weight_ih, &mut weight_hh, &mut bias_ih, &mut bias_hh)?;
/// assert_eq!(bias_ih, [0.0, 1.0, 0.0, 0.0]); // i, f, g, o
/// assert_eq!(bias_hh, [0.0; 4]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    weight_ih: &mut [T],
    weight_hh: &mut [T],
    bias_ih: &mut [T],
    bias_hh: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", 4 * A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", 4 * A * A, weight_hh.len())?;
    LengthMismatch::check("bias_ih", 4 * A, bias_ih.len())?;
    LengthMismatch::check("bias_hh", 4 * A, bias_hh.len())?;
    write_stacked(params.gates(), LSTM, weight_ih, weight_hh);
    write_biases(params.gates(), LSTM, bias_ih);
    bias_hh.fill(-T::ZERO);
    Ok(())
}

/// Reads a GRU: `weight_ih` (3A, X), `weight_hh` (3A, A), both biases (3A) or none.
///
/// The reset gate of a `torch.nn.GRU` comes after the product; PyTorch has none with the gate before.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::pytorch};
///
/// // r, z, n
/// let (weight_ih, weight_hh) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]);
/// let bias = Some((&[0.1, 0.2, 0.3][..], &[0.0, 1.0, 2.0][..]));
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// pytorch::read_gru(&mut params, &weight_ih, &weight_hh, bias)?;
/// assert_eq!(params.r.wx[(0, 0)], 1.0);
/// assert_eq!((params.u.wa[(0, 0)], params.u.b[(0, 0)]), (20.0, 1.2));
/// assert_eq!((params.n.b[(0, 0)], params.bna[(0, 0)]), (0.3, 2.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", 3 * A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", 3 * A * A, weight_hh.len())?;
    check_some("bias_ih", 3 * A, bias.map(|bias| bias.0))?;
    check_some("bias_hh", 3 * A, bias.map(|bias| bias.1))?;
    let (bias_ih, bias_hh) = bias.unzip();
    let mut gates = [&mut params.r, &mut params.u, &mut params.n];
    read_stacked(&mut gates, GRU, weight_ih, weight_hh);
    read_biases_after(params, GRU, bias_ih, bias_hh);
    Ok(())
}

/// Writes a GRU: `weight_ih` (3A, X), `weight_hh` (3A, A), `bias_ih` (3A), which is b, and
/// `bias_hh` (3A), which is −0, −0, bna.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::pytorch};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.u.b.fill(1.0);
/// params.bna.fill(2.0);
/// let (mut weight_ih, mut weight_hh) = ([7.0; 3], [7.0; 3]);
/// let (mut bias_ih, mut bias_hh) = ([7.0; 3], [7.0; 3]);
/// pytorch::write_gru(&params, &mut weight_ih, &mut weight_hh, &mut bias_ih, &mut bias_hh)?;
/// assert_eq!(bias_ih, [0.0, 1.0, 0.0]); // r, z, n
/// assert_eq!(bias_hh, [0.0, 0.0, 2.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    weight_ih: &mut [T],
    weight_hh: &mut [T],
    bias_ih: &mut [T],
    bias_hh: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", 3 * A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", 3 * A * A, weight_hh.len())?;
    LengthMismatch::check("bias_ih", 3 * A, bias_ih.len())?;
    LengthMismatch::check("bias_hh", 3 * A, bias_hh.len())?;
    let gates = [&params.r, &params.u, &params.n];
    write_stacked(gates, GRU, weight_ih, weight_hh);
    write_biases_after(params, GRU, bias_ih, bias_hh);
    Ok(())
}

/// Reads an RNN: `weight_ih` (A, X), `weight_hh` (A, A), both biases (A) or none.
///
/// One with `nonlinearity="relu"`, which a `state_dict` does not say, goes into the field of
/// [`rnn::Relu`], as in the second example.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::pytorch, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// pytorch::read_rnn(&mut params, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], None)?;
/// assert_eq!(params.wa, Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
///
/// ```
/// use bptt::{Cell, Vector, layout::pytorch, rnn};
///
/// let mut relu = rnn::Relu::<1, 2>::zeros();
/// pytorch::read_rnn(&mut relu.0, &[1.0, -2.0], &[0.0; 4], None)?;
/// let mut a = Vector::zeros();
/// relu.step(&Vector::from_rows([[3.0]]), &Vector::zeros(), &mut a);
/// assert_eq!(a, Vector::from_columns([[3.0, 0.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    weight_ih: &[T],
    weight_hh: &[T],
    bias: Option<(&[T], &[T])>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", A * A, weight_hh.len())?;
    check_some("bias_ih", A, bias.map(|bias| bias.0))?;
    check_some("bias_hh", A, bias.map(|bias| bias.1))?;
    let (bias_ih, bias_hh) = bias.unzip();
    let mut gates = [params];
    read_stacked(&mut gates, [0], weight_ih, weight_hh);
    read_biases(&mut gates, [0], bias_ih, bias_hh);
    Ok(())
}

/// Writes an RNN: `weight_ih` (A, X), `weight_hh` (A, A), `bias_ih` (A), which is b, and
/// `bias_hh` (A), which is −0.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::pytorch, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wa = Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]);
/// let (mut weight_ih, mut weight_hh) = ([7.0; 2], [7.0; 4]);
/// let (mut bias_ih, mut bias_hh) = ([7.0; 2], [7.0; 2]);
/// pytorch::write_rnn(&params, &mut weight_ih, &mut weight_hh, &mut bias_ih, &mut bias_hh)?;
/// assert_eq!(weight_hh, [3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    weight_ih: &mut [T],
    weight_hh: &mut [T],
    bias_ih: &mut [T],
    bias_hh: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight_ih", A * X, weight_ih.len())?;
    LengthMismatch::check("weight_hh", A * A, weight_hh.len())?;
    LengthMismatch::check("bias_ih", A, bias_ih.len())?;
    LengthMismatch::check("bias_hh", A, bias_hh.len())?;
    write_stacked([params], [0], weight_ih, weight_hh);
    write_biases([params], [0], bias_ih);
    bias_hh.fill(-T::ZERO);
    Ok(())
}

/// Reads a `Linear`: `weight` (Y, A), `bias` (Y) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, dense, layout::pytorch};
///
/// let mut head = dense::Params::<2, 2>::zeros();
/// pytorch::read_linear(&mut head, &[1.0, 2.0, 3.0, 4.0], Some(&[5.0, 6.0]))?;
/// assert_eq!(head.w, Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_linear<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    weight: &[T],
    bias: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight", Y * A, weight.len())?;
    check_some("bias", Y, bias)?;
    read_dense(params, Place::stacked::<Y, A>(0), weight, bias);
    Ok(())
}

/// Writes a `Linear`: `weight` (Y, A), `bias` (Y).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, Vector, dense, layout::pytorch};
///
/// let w = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
/// let b = Vector::from_columns([[5.0, 6.0]]);
/// let (mut weight, mut bias) = ([0.0; 4], [0.0; 2]);
/// pytorch::write_linear(&dense::Params { w, b }, &mut weight, &mut bias)?;
/// assert_eq!(weight, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_linear<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    weight: &mut [T],
    bias: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("weight", Y * A, weight.len())?;
    LengthMismatch::check("bias", Y, bias.len())?;
    write_dense(params, Place::stacked::<Y, A>(0), weight, bias);
    Ok(())
}
