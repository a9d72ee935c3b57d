//! A gate by itself whose arrays stand apart, z = Wx·x + Wa·a + b: Wx (A, X), Wa (A, A), b (A),
//! row-major. Checkpoints with a W_f, U_f and b_f, a W_i and so on, and TFLite's LSTM.
//!
//! Each gate of a cell is a field, and so is a bna. Where a file has the transposed matrices (z =
//! x·W + h·U + b), the gate is what [`keras::read_rnn`] reads; where it has the two side by side,
//! [`textbook::read_affine`].
//!
//! # TFLite
//!
//! `LSTM` and `UNIDIRECTIONAL_SEQUENCE_LSTM` in float, `fused_activation_function` TANH, have
//! `input_to_…_weights` (Wx), `recurrent_to_…_weights` (Wa) and `…_gate_bias` (b), where … is input
//! (i), forget (f), cell (g), output (o). They are the four blocks of [`keras`] or [`tf1`],
//! transposed; the forget bias of the latter is within `forget_gate_bias`, since the operator adds
//! none.
//!
//! No counterpart: no arrays of i (the operator takes 1 − f then), `cell_to_…` (peepholes),
//! `projection_…`, `…_layer_norm_coefficients`, a `cell_clip` other than 0.

use super::*;

/// Reads a gate: `wx` (A, X), `wa` (A, A), `b` (A) or none.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Cell, Vector, layout::gate, lstm};
///
/// // TFLite's input_to_…_weights, recurrent_to_…_weights and …_gate_bias
/// let mut cell = lstm::Params::<1, 1>::zeros();
/// gate::read(&mut cell.i, &[0.5], &[-0.5], Some(&[0.1]))?; // input
/// gate::read(&mut cell.f, &[0.25], &[0.75], Some(&[0.7]))?; // forget
/// gate::read(&mut cell.g, &[-1.5], &[1.0], Some(&[0.2]))?; // cell
/// gate::read(&mut cell.o, &[2.0], &[-1.0], Some(&[0.4]))?; // output
///
/// let [x, a, c] = [1.0, 2.0, 3.0].map(|x| Vector::from_rows([[x]]));
/// let mut next = lstm::State::zeros();
/// cell.step(&x, &lstm::State { a, c }, &mut next);
/// assert!((next.c[(0, 0)] - 3.0042246).abs() < 1e-6); // as the operator computes it
/// assert!((next.a[(0, 0)] - 0.5957519).abs() < 1e-6);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read<const X: usize, const A: usize, T: Real>(
    gate: &mut Affine<X, A, T>,
    wx: &[T],
    wa: &[T],
    b: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("wx", A * X, wx.len())?;
    LengthMismatch::check("wa", A * A, wa.len())?;
    check_some("b", A, b)?;
    read_stacked(&mut [&mut *gate], [0], wx, wa);
    read_bias(&mut gate.b, 0, b);
    Ok(())
}

/// Writes a gate: `wx` (A, X), `wa` (A, A), `b` (A).
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, gru, layout::gate};
///
/// let mut gru = gru::ResetBefore::<1, 2>::zeros();
/// gru.u.wa = Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]);
/// let (mut wx, mut wa, mut b) = ([7.0; 2], [7.0; 4], [7.0; 2]);
/// gate::write(&gru.u, &mut wx, &mut wa, &mut b)?;
/// assert_eq!((wx, wa, b), ([0.0; 2], [3.0, 4.0, 5.0, 6.0], [0.0; 2]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write<const X: usize, const A: usize, T: Real>(
    gate: &Affine<X, A, T>,
    wx: &mut [T],
    wa: &mut [T],
    b: &mut [T],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("wx", A * X, wx.len())?;
    LengthMismatch::check("wa", A * A, wa.len())?;
    LengthMismatch::check("b", A, b.len())?;
    write_stacked([gate], [0], wx, wa);
    write_biases([gate], [0], b);
    Ok(())
}
