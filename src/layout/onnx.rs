//! The ONNX operators `LSTM`, `GRU`, `RNN` and `Gemm`, one direction of the recurrent ones.
//!
//! `W`, `R` and `B` have a first dimension for the direction: two directions are two halves of
//! each. The attribute `layout` is about X and Y and changes none of them. Source: "Operators" in
//! the specification of ONNX.

use super::*;

/// Which block of the four, i, o, f, c, is f, i, g, o.
const LSTM: [usize; 4] = [2, 0, 3, 1];
/// Which block of the three, z, r, h, is r, u, n.
const GRU: [usize; 3] = [1, 0, 2];

/// Reads an LSTM: `w` (4A, X), `r` (4A, A), `b` (8A), which is Wb and Rb, or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::onnx, lstm};
///
/// // i, o, f, c
/// let (w, r) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
/// let mut params = lstm::Params::<1, 1>::zeros();
/// onnx::read_lstm(&mut params, &w, &r, Some(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.0]))?;
/// assert_eq!(params.f.wx[(0, 0)], 3.0);
/// assert_eq!(params.f.b[(0, 0)], 1.5);
/// assert_eq!(params.o.wa[(0, 0)], 20.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 4 * A * X, w.len())?;
    LengthMismatch::check("r", 4 * A * A, r.len())?;
    check_some("b", 8 * A, b)?;
    let (wb, rb) = b.and_then(|b| b.split_at_checked(4 * A)).unzip();
    let mut gates = params.gates_mut();
    read_stacked(&mut gates, LSTM, w, r);
    read_biases(&mut gates, LSTM, wb, rb);
    Ok(())
}

/// Writes an LSTM: `w` (4A, X), `r` (4A, A), `b` (8A), which is b and −0.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::onnx, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.f.b.fill(1.0);
/// let (mut w, mut r, mut b) = ([7.0; 4], [7.0; 4], [7.0; 8]);
/// onnx::write_lstm(&params, &mut w, &mut r, &mut b)?;
/// assert_eq!(b, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 4 * A * X, w.len())?;
    LengthMismatch::check("r", 4 * A * A, r.len())?;
    LengthMismatch::check("b", 8 * A, b.len())?;
    b.fill(-T::ZERO);
    write_stacked(params.gates(), LSTM, w, r);
    write_biases(params.gates(), LSTM, b);
    Ok(())
}

/// Reads a GRU with `linear_before_reset` = 1: `w` (3A, X), `r` (3A, A), `b` (6A), which is Wb and
/// Rb, or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::onnx};
///
/// // z, r, h
/// let (w, r) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]);
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// onnx::read_gru_after(&mut params, &w, &r, Some(&[1.0, 0.0, 0.3, 0.5, 0.0, 2.0]))?;
/// assert_eq!(params.r.wx[(0, 0)], 2.0);
/// assert_eq!((params.u.wa[(0, 0)], params.u.b[(0, 0)]), (10.0, 1.5));
/// assert_eq!((params.n.b[(0, 0)], params.bna[(0, 0)]), (0.3, 2.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 3 * A * X, w.len())?;
    LengthMismatch::check("r", 3 * A * A, r.len())?;
    check_some("b", 6 * A, b)?;
    let (wb, rb) = b.and_then(|b| b.split_at_checked(3 * A)).unzip();
    let mut gates = [&mut params.r, &mut params.u, &mut params.n];
    read_stacked(&mut gates, GRU, w, r);
    read_biases_after(params, GRU, wb, rb);
    Ok(())
}

/// Writes a GRU with `linear_before_reset` = 1: `w` (3A, X), `r` (3A, A), `b` (6A), which is b and
/// −0, −0, bna.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::onnx};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.r.b.fill(1.0);
/// params.bna.fill(2.0);
/// let (mut w, mut r, mut b) = ([7.0; 3], [7.0; 3], [7.0; 6]);
/// onnx::write_gru_after(&params, &mut w, &mut r, &mut b)?;
/// assert_eq!(b, [0.0, 1.0, 0.0, 0.0, 0.0, 2.0]); // z, r, h twice
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 3 * A * X, w.len())?;
    LengthMismatch::check("r", 3 * A * A, r.len())?;
    LengthMismatch::check("b", 6 * A, b.len())?;
    let gates = [&params.r, &params.u, &params.n];
    write_stacked(gates, GRU, w, r);
    if let Some((wb, rb)) = b.split_at_mut_checked(3 * A) {
        write_biases_after(params, GRU, wb, rb);
    }
    Ok(())
}

/// Reads a GRU with `linear_before_reset` = 0, the default: `w` (3A, X), `r` (3A, A), `b` (6A),
/// which is Wb and Rb, or none.
///
/// Both biases of every gate add up, those of the candidate too.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::onnx};
///
/// // z, r, h
/// let (w, r) = ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]);
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// onnx::read_gru_before(&mut params, &w, &r, Some(&[1.0, 0.0, 0.25, 0.5, 0.0, 2.0]))?;
/// assert_eq!(params.r.wx[(0, 0)], 2.0);
/// assert_eq!((params.u.wa[(0, 0)], params.u.b[(0, 0)]), (10.0, 1.5));
/// assert_eq!(params.n.b[(0, 0)], 2.25);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 3 * A * X, w.len())?;
    LengthMismatch::check("r", 3 * A * A, r.len())?;
    check_some("b", 6 * A, b)?;
    let (wb, rb) = b.and_then(|b| b.split_at_checked(3 * A)).unzip();
    let mut gates = [&mut params.r, &mut params.u, &mut params.n];
    read_stacked(&mut gates, GRU, w, r);
    read_biases(&mut gates, GRU, wb, rb);
    Ok(())
}

/// Writes a GRU with `linear_before_reset` = 0: `w` (3A, X), `r` (3A, A), `b` (6A), which is b and
/// −0.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::onnx};
///
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// params.n.b.fill(1.0);
/// let (mut w, mut r, mut b) = ([7.0; 3], [7.0; 3], [7.0; 6]);
/// onnx::write_gru_before(&params, &mut w, &mut r, &mut b)?;
/// assert_eq!(b, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", 3 * A * X, w.len())?;
    LengthMismatch::check("r", 3 * A * A, r.len())?;
    LengthMismatch::check("b", 6 * A, b.len())?;
    b.fill(-T::ZERO);
    let gates = [&params.r, &params.u, &params.n];
    write_stacked(gates, GRU, w, r);
    write_biases(gates, GRU, b);
    Ok(())
}

/// Reads an RNN: `w` (A, X), `r` (A, A), `b` (2A), which is Wb and Rb, or none.
///
/// One with `activations` = \["Relu"\] goes into the field of [`rnn::Relu`]: `&mut relu.0` in the
/// place of `&mut params`.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::onnx, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// let r = [3.0, 4.0, 5.0, 6.0];
/// onnx::read_rnn(&mut params, &[1.0, 2.0], &r, Some(&[1.0, 2.0, 0.5, 0.5]))?;
/// assert_eq!(params.wa, Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]));
/// assert_eq!(params.b, Matrix::from_rows([[1.5], [2.5]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_rnn<const X: usize, const A: usize, T: Real>(
    params: &mut rnn::Params<X, A, T>,
    w: &[T],
    r: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", A * X, w.len())?;
    LengthMismatch::check("r", A * A, r.len())?;
    check_some("b", 2 * A, b)?;
    let (wb, rb) = b.and_then(|b| b.split_at_checked(A)).unzip();
    let mut gates = [params];
    read_stacked(&mut gates, [0], w, r);
    read_biases(&mut gates, [0], wb, rb);
    Ok(())
}

/// Writes an RNN: `w` (A, X), `r` (A, A), `b` (2A), which is b and −0.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::onnx, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.b = Matrix::from_rows([[1.0], [2.0]]);
/// let (mut w, mut r, mut b) = ([7.0; 2], [7.0; 4], [7.0; 4]);
/// onnx::write_rnn(&params, &mut w, &mut r, &mut b)?;
/// assert_eq!(b, [1.0, 2.0, 0.0, 0.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_rnn<const X: usize, const A: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    w: &mut [T],
    r: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", A * X, w.len())?;
    LengthMismatch::check("r", A * A, r.len())?;
    LengthMismatch::check("b", 2 * A, b.len())?;
    b.fill(-T::ZERO);
    write_stacked([params], [0], w, r);
    write_biases([params], [0], b);
    Ok(())
}

/// Where the weights of a `Gemm` stand.
const fn gemm<const A: usize, const Y: usize>(trans_b: bool) -> Place {
    if trans_b {
        Place::stacked::<Y, A>(0)
    } else {
        Place::side_by_side::<Y>(0, 1)
    }
}

/// Reads a `Gemm` with transA = 0, α = β = 1, as exporters write a dense layer: `b` is its
/// second input, of shape (Y, A) where the attribute transB is 1, (A, Y) where it is 0; `c` (Y)
/// is its third, or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, dense, layout::onnx};
///
/// let mut head = dense::Params::<2, 2>::zeros();
/// onnx::read_gemm(&mut head, &[1.0, 2.0, 3.0, 4.0], true, Some(&[5.0, 6.0]))?;
/// assert_eq!(head.w, Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]));
/// onnx::read_gemm(&mut head, &[1.0, 2.0, 3.0, 4.0], false, None)?;
/// assert_eq!(head.w, Matrix::from_rows([[1.0, 3.0], [2.0, 4.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gemm<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    b: &[T],
    trans_b: bool,
    c: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("b", Y * A, b.len())?;
    check_some("c", Y, c)?;
    read_dense(params, gemm::<A, Y>(trans_b), b, c);
    Ok(())
}

/// Writes a `Gemm`: `b` (Y, A) for transB = 1, (A, Y) for transB = 0, and `c` (Y).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, Vector, dense, layout::onnx};
///
/// let w = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
/// let b = Vector::from_columns([[5.0, 6.0]]);
/// let (mut second, mut third) = ([0.0; 4], [0.0; 2]);
/// onnx::write_gemm(&dense::Params { w, b }, &mut second, false, &mut third)?;
/// assert_eq!(second, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gemm<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    b: &mut [T],
    trans_b: bool,
    c: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("b", Y * A, b.len())?;
    LengthMismatch::check("c", Y, c.len())?;
    write_dense(params, gemm::<A, Y>(trans_b), b, c);
    Ok(())
}
