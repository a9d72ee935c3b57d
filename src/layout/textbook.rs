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
    check::<X, A, 4>(LSTM, w.map(<[T]>::len), b.map(<[T]>::len))?;
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
    check::<X, A, 4>(
        LSTM,
        w.each_ref().map(|w| w.len()),
        b.each_ref().map(|b| b.len()),
    )?;
    for ((gate, w), b) in params.gates().into_iter().zip(w).zip(b) {
        write_affine(gate, w, b)?;
    }
    Ok(())
}

/// Reads a GRU whose reset comes after the product: `w` is Wr, Wu, Wn, (A, A + X) each, `b` is br,
/// bu, bn, (A) each, and `bna` (A) the second bias of the candidate.
///
/// The update gate u is z in most books; see [`gru`] for which of u and 1 − u keeps the old state.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::textbook};
///
/// let (wr, wu, wn) = ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]);
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// textbook::read_gru_after(&mut params, [&wr, &wu, &wn], [&[0.0], &[1.0], &[2.0]], &[3.0])?;
/// assert_eq!((params.n.wa[(0, 0)], params.n.wx[(0, 0)]), (5.0, 6.0));
/// assert_eq!((params.n.b[(0, 0)], params.bna[(0, 0)]), (2.0, 3.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    w: [&[T]; 3],
    b: [&[T]; 3],
    bna: &[T],
) -> Result<(), LengthMismatch> {
    check::<X, A, 3>(GRU, w.map(<[T]>::len), b.map(<[T]>::len))?;
    LengthMismatch::check("bna", A, bna.len())?;
    let gates = [&mut params.r, &mut params.u, &mut params.n];
    for ((gate, w), b) in gates.into_iter().zip(w).zip(b) {
        read_affine(gate, w, b)?;
    }
    Place::stacked::<A, 1>(0).read(&mut params.bna, bna);
    Ok(())
}

/// Writes a GRU whose reset comes after the product: `w` becomes Wr, Wu, Wn, (A, A + X) each, `b`
/// br, bu, bn, (A) each, and `bna` (A) the second bias of the candidate.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::textbook};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.u.wx.fill(4.0);
/// params.bna.fill(3.0);
/// let [mut wr, mut wu, mut wn] = [[7.0; 2]; 3];
/// let [mut br, mut bu, mut bn, mut bna] = [[7.0; 1]; 4];
/// textbook::write_gru_after(
///     &params,
///     [&mut wr, &mut wu, &mut wn],
///     [&mut br, &mut bu, &mut bn],
///     &mut bna,
/// )?;
/// assert_eq!((wu, bna), ([0.0, 4.0], [3.0]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    w: [&mut [T]; 3],
    b: [&mut [T]; 3],
    bna: &mut [T],
) -> Result<(), LengthMismatch> {
    let lengths = |slices: &[&mut [T]; 3]| slices.each_ref().map(|slice| slice.len());
    check::<X, A, 3>(GRU, lengths(&w), lengths(&b))?;
    LengthMismatch::check("bna", A, bna.len())?;
    let gates = [&params.r, &params.u, &params.n];
    for ((gate, w), b) in gates.into_iter().zip(w).zip(b) {
        write_affine(gate, w, b)?;
    }
    Place::stacked::<A, 1>(0).write(&params.bna, bna);
    Ok(())
}

/// Reads a GRU whose reset comes before the product: `w` is Wr, Wu, Wn, (A, A + X) each, and `b` is
/// br, bu, bn, (A) each.
///
/// The update gate u is z in most books; see [`gru`] for which of u and 1 − u keeps the old state.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::textbook};
///
/// let (wr, wu, wn) = ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]);
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// textbook::read_gru_before(&mut params, [&wr, &wu, &wn], [&[0.0], &[1.0], &[2.0]])?;
/// assert_eq!((params.u.wa[(0, 0)], params.u.wx[(0, 0)]), (3.0, 4.0));
/// assert_eq!(params.u.b[(0, 0)], 1.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_gru_before<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetBefore<X, A, T>,
    w: [&[T]; 3],
    b: [&[T]; 3],
) -> Result<(), LengthMismatch> {
    check::<X, A, 3>(GRU, w.map(<[T]>::len), b.map(<[T]>::len))?;
    let gates = [&mut params.r, &mut params.u, &mut params.n];
    for ((gate, w), b) in gates.into_iter().zip(w).zip(b) {
        read_affine(gate, w, b)?;
    }
    Ok(())
}

/// Writes a GRU whose reset comes before the product: `w` becomes Wr, Wu, Wn, (A, A + X) each, and
/// `b` br, bu, bn, (A) each.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{gru, layout::textbook};
///
/// let mut params = gru::ResetBefore::<1, 1>::zeros();
/// params.n.wa.fill(5.0);
/// let [mut wr, mut wu, mut wn] = [[7.0; 2]; 3];
/// let [mut br, mut bu, mut bn] = [[7.0; 1]; 3];
/// textbook::write_gru_before(
///     &params,
///     [&mut wr, &mut wu, &mut wn],
///     [&mut br, &mut bu, &mut bn],
/// )?;
/// assert_eq!(wn, [5.0, 0.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_gru_before<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    w: [&mut [T]; 3],
    b: [&mut [T]; 3],
) -> Result<(), LengthMismatch> {
    let lengths = |slices: &[&mut [T]; 3]| slices.each_ref().map(|slice| slice.len());
    check::<X, A, 3>(GRU, lengths(&w), lengths(&b))?;
    let gates = [&params.r, &params.u, &params.n];
    for ((gate, w), b) in gates.into_iter().zip(w).zip(b) {
        write_affine(gate, w, b)?;
    }
    Ok(())
}

/// What the weights and biases of G gates are called.
type Names<const G: usize> = ([&'static str; G], [&'static str; G]);

const LSTM: Names<4> = (["wf", "wi", "wc", "wo"], ["bf", "bi", "bc", "bo"]);
const GRU: Names<3> = (["wr", "wu", "wn"], ["br", "bu", "bn"]);

/// The lengths of all gates, before the first is touched.
fn check<const X: usize, const A: usize, const G: usize>(
    (of_w, of_b): Names<G>,
    w: [usize; G],
    b: [usize; G],
) -> Result<(), LengthMismatch> {
    for (what, found) in of_w.into_iter().zip(w) {
        LengthMismatch::check(what, A * (A + X), found)?;
    }
    for (what, found) in of_b.into_iter().zip(b) {
        LengthMismatch::check(what, A, found)?;
    }
    Ok(())
}
