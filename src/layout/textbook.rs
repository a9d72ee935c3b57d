//! The form of textbooks and courses: z = W·\[a⟨t−1⟩; x⟨t⟩\] + b with W = \[Wa | Wx\] of shape (A,
//! A + X), row-major as numpy stores it.

use super::*;

/// Reads one gate, or an RNN written this way: `w` (A, A + X), `b` (A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::textbook, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// textbook::read_affine(&mut params, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[7.0, 8.0])?;
/// assert_eq!(params.wa, Matrix::from_rows([[1.0, 2.0], [4.0, 5.0]]));
/// assert_eq!(params.wx, Matrix::from_rows([[3.0], [6.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_affine<const X: usize, const A: usize, T: Real>(
    params: &mut Affine<X, A, T>,
    w: &[T],
    b: &[T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", A * (A + X), w.len())?;
    LengthMismatch::check("b", A, b.len())?;
    Place::columns(0, A + X).read(&mut params.wa, w);
    Place::columns(A, A + X).read(&mut params.wx, w);
    Place::stacked::<A, 1>(0).read(&mut params.b, b);
    Ok(())
}

/// Writes one gate, or an RNN: `w` (A, A + X), `b` (A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, layout::textbook, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wx = Matrix::from_rows([[3.0], [6.0]]);
/// let (mut w, mut b) = ([7.0; 6], [7.0; 2]);
/// textbook::write_affine(&params, &mut w, &mut b)?;
/// assert_eq!(w, [0.0, 0.0, 3.0, 0.0, 0.0, 6.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_affine<const X: usize, const A: usize, T: Real>(
    params: &Affine<X, A, T>,
    w: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("w", A * (A + X), w.len())?;
    LengthMismatch::check("b", A, b.len())?;
    Place::columns(0, A + X).write(&params.wa, w);
    Place::columns(A, A + X).write(&params.wx, w);
    Place::stacked::<A, 1>(0).write(&params.b, b);
    Ok(())
}

/// Reads an LSTM: `w` is Wf, Wi, Wc, Wo, (A, A + X) each, and `b` is bf, bi, bc, bo, (A) each.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::textbook, lstm};
///
/// let (wf, wi, wc, wo) = ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]);
/// let mut params = lstm::Params::<1, 1>::zeros();
/// textbook::read_lstm(&mut params, [&wf, &wi, &wc, &wo], [&[1.0], &[0.0], &[0.0], &[0.0]])?;
/// assert_eq!((params.g.wa[(0, 0)], params.g.wx[(0, 0)]), (5.0, 6.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    w: [&[T]; 4],
    b: [&[T]; 4],
) -> Result<(), LengthMismatch> {
    check::<X, A>(w.map(<[T]>::len), b.map(<[T]>::len))?;
    for ((gate, w), b) in params.gates_mut().into_iter().zip(w).zip(b) {
        read_affine(gate, w, b)?;
    }
    Ok(())
}

/// Writes an LSTM: `w` becomes Wf, Wi, Wc, Wo, (A, A + X) each, and `b` bf, bi, bc, bo, (A)
/// each.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::textbook, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.i.wx.fill(4.0);
/// let [mut wf, mut wi, mut wc, mut wo] = [[7.0; 2]; 4];
/// let [mut bf, mut bi, mut bc, mut bo] = [[7.0; 1]; 4];
/// textbook::write_lstm(
///     &params,
///     [&mut wf, &mut wi, &mut wc, &mut wo],
///     [&mut bf, &mut bi, &mut bc, &mut bo],
/// )?;
/// assert_eq!(wi, [0.0, 4.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    w: [&mut [T]; 4],
    b: [&mut [T]; 4],
) -> Result<(), LengthMismatch> {
    check::<X, A>(w.each_ref().map(|w| w.len()), b.each_ref().map(|b| b.len()))?;
    for ((gate, w), b) in params.gates().into_iter().zip(w).zip(b) {
        write_affine(gate, w, b)?;
    }
    Ok(())
}

/// The lengths of all gates, before the first is touched.
fn check<const X: usize, const A: usize>(
    w: [usize; 4],
    b: [usize; 4],
) -> Result<(), LengthMismatch> {
    for (what, found) in ["wf", "wi", "wc", "wo"].into_iter().zip(w) {
        LengthMismatch::check(what, A * (A + X), found)?;
    }
    for (what, found) in ["bf", "bi", "bc", "bo"].into_iter().zip(b) {
        LengthMismatch::check(what, A, found)?;
    }
    Ok(())
}
