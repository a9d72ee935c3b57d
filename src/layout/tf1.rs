//! `tf.compat.v1.nn.rnn_cell.LSTMCell` and `BasicLSTMCell`; `LSTMBlockCell` has the same arrays.
//!
//! A checkpoint has two variables, `kernel` and `bias`. The forget bias is an argument of the
//! constructor, 1 where nothing was said, and stands in neither: the cell adds it at each step, here
//! it goes into b_f. Peepholes, `num_proj` and `cell_clip` have no counterpart.

use super::*;
use crate::shape::part_mut;

/// Which block of the four, i, j, f, o, is f, i, g, o.
const LSTM: [usize; 4] = [2, 0, 1, 3];

/// Reads an LSTM: `kernel` (X + A, 4A), the rows of x above those of h, `bias` (4A), and
/// `forget_bias`, which is added to that of f.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{Cell, Vector, layout::tf1, lstm};
///
/// // i, j, f, o: from x, then from h
/// let kernel = [0.5, -1.5, 0.25, 2.0, -0.5, 1.0, 0.75, -1.0];
/// let bias = [0.1, 0.2, -0.3, 0.4];
/// let mut cell = lstm::Params::<1, 1>::zeros();
/// tf1::read_lstm(&mut cell, &kernel, &bias, 1.0)?;
///
/// // As TensorFlow computes it, for x = 1, h = 2 and c = 3.
/// let [i, j, f, o]: [f32; 4] = std::array::from_fn(|k| kernel[k] + 2.0 * kernel[4 + k] + bias[k]);
/// let sigmoid = |z: f32| 1.0 / (1.0 + (-z).exp());
/// let new_c = sigmoid(f + 1.0) * 3.0 + sigmoid(i) * j.tanh();
///
/// let [x, a, c] = [1.0, 2.0, 3.0].map(|x| Vector::from_rows([[x]]));
/// let mut next = lstm::State::zeros();
/// cell.step(&x, &lstm::State { a, c }, &mut next);
/// assert!((next.c[(0, 0)] - new_c).abs() < 1e-6);
/// assert!((next.a[(0, 0)] - sigmoid(o) * new_c.tanh()).abs() < 1e-6);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    kernel: &[T],
    bias: &[T],
    forget_bias: T,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", (X + A) * 4 * A, kernel.len())?;
    LengthMismatch::check("bias", 4 * A, bias.len())?;
    let (wx, wa) = kernel.split_at_checked(X * 4 * A).unwrap_or_default();
    let mut gates = params.gates_mut();
    read_side_by_side(&mut gates, LSTM, wx, wa);
    read_biases(&mut gates, LSTM, Some(bias), None);
    for b in params.f.b.as_flat_mut() {
        *b = *b + forget_bias;
    }
    Ok(())
}

/// Writes an LSTM: `kernel` (X + A, 4A), `bias` (4A), from whose f `forget_bias` is subtracted (0
/// for a gradient). b_f is rounded by that.
///
/// # Errors
/// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::tf1, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.f.b.fill(1.5);
/// params.g.wa.fill(3.0);
/// let (mut kernel, mut bias) = ([7.0; 8], [7.0; 4]);
/// tf1::write_lstm(&params, &mut kernel, &mut bias, 1.0)?;
/// assert_eq!(kernel, [0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
/// assert_eq!(bias, [0.0, 0.0, 0.5, 0.0]); // i, j, f, o
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    kernel: &mut [T],
    bias: &mut [T],
    forget_bias: T,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("kernel", (X + A) * 4 * A, kernel.len())?;
    LengthMismatch::check("bias", 4 * A, bias.len())?;
    let (wx, wa) = kernel.split_at_mut_checked(X * 4 * A).unwrap_or_default();
    write_side_by_side(params.gates(), LSTM, wx, wa);
    write_biases(params.gates(), LSTM, bias);
    let [f, ..] = LSTM;
    for b in part_mut(bias, f * A, A) {
        *b = *b - forget_bias;
    }
    Ok(())
}
