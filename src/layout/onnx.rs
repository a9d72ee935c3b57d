//! The ONNX operators `LSTM`, `RNN` and `Gemm`, one direction of the recurrent ones.
//!
//! `W`, `R` and `B` have a first dimension for the direction: two directions are two halves of
//! each. The attribute `layout` is about X and Y and changes none of them. Source: "Operators" in
//! the specification of ONNX.

use super::*;

/// Which block of the four, i, o, f, c, is f, i, g, o.
const BLOCKS: [usize; 4] = [2, 0, 3, 1];

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
    read_stacked(
        params.gates_mut(),
        BLOCKS,
        w,
        r,
        b.and_then(|b| b.split_at_checked(4 * A)),
    );
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
    if let Some((wb, rb)) = b.split_at_mut_checked(4 * A) {
        write_stacked(params.gates(), BLOCKS, w, r, wb, rb);
    }
    Ok(())
}

/// Reads an RNN with tanh: `w` (A, X), `r` (A, A), `b` (2A), which is Wb and Rb, or none.
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
    read_stacked([params], [0], w, r, b.and_then(|b| b.split_at_checked(A)));
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
    if let Some((wb, rb)) = b.split_at_mut_checked(A) {
        write_stacked([params], [0], w, r, wb, rb);
    }
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
