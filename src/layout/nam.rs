//! `.nam` files of NeuralAmpModeler, `"architecture": "LSTM"`.
//!
//! `weights` has the layers in a row, and after the last one the output layer: its matrix (Y, A),
//! row-major, and its bias, what [`pytorch::read_linear`] reads. A layer is W = \[Wx | Wa\] of shape
//! (4A, X + A), row-major, b (4A), and the state that it starts in, a (A), then c (A): as many
//! scalars as [`lstm::Params`] and [`lstm::State`] have. X is `input_size` in the first layer,
//! `hidden_size` in the others.

use super::*;
use crate::shape::{parts, parts_mut};

/// Which block of the four, i, f, g, o, is f, i, g, o.
const LSTM: [usize; 4] = [1, 0, 2, 3];

/// Reads a layer and the state that it starts in.
///
/// # Errors
/// [`LengthMismatch`] where `layer` does not have 4A·(X + A + 1) + 2A scalars; nothing is written
/// then.
///
/// ```
/// use bptt::{Cell, Flat, Vector, dense, layout::{nam, pytorch}, lstm};
///
/// type Layer = lstm::Params<1, 1>;
/// type State = lstm::State<1, 1>;
/// let weights = [
///     0.5, -0.5, -1.5, 1.0, 0.25, 0.75, 2.0, -1.0, // from x and from h: i, f, g, o
///     0.1, 0.2, -0.3, 0.4, // b
///     2.0, 3.0, // h, c
///     10.0, 1.0, // the output layer
/// ];
/// let (layer, head) = weights.split_at(Layer::LEN + State::LEN);
/// let (mut cell, mut state, mut output) = (Layer::zeros(), State::zeros(), dense::Params::zeros());
/// nam::read_lstm(&mut cell, &mut state, layer)?;
/// pytorch::read_linear(&mut output, &head[..1], Some(&head[1..]))?;
///
/// let (mut next, mut y) = (State::zeros(), Vector::<1>::zeros());
/// cell.step(&Vector::from_rows([[1.0]]), &state, &mut next);
/// dense::forward(&output, &next.a, &mut y);
/// assert!((next.c[(0, 0)] - 2.364016).abs() < 1e-6); // as the player computes it
/// assert!((y[(0, 0)] - 6.881911).abs() < 1e-5);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read_lstm<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    state: &mut lstm::State<A, 1, T>,
    layer: &[T],
) -> Result<(), LengthMismatch> {
    let weights = 4 * A * (X + A);
    LengthMismatch::check("layer", weights + 6 * A, layer.len())?;
    let (w, rest) = layer.split_at_checked(weights).unwrap_or_default();
    let (b, rest) = rest.split_at_checked(4 * A).unwrap_or_default();
    let [a, c] = parts(rest, A);
    let mut gates = params.gates_mut();
    for (gate, block) in gates.iter_mut().zip(LSTM) {
        let first = block * A * (X + A);
        Place::columns(first, X + A).read(&mut gate.wx, w);
        Place::columns(first + X, X + A).read(&mut gate.wa, w);
    }
    read_biases(&mut gates, LSTM, Some(b), None);
    read_bias(&mut state.a, 0, Some(a));
    read_bias(&mut state.c, 0, Some(c));
    Ok(())
}

/// Writes a layer and the state that it starts in.
///
/// # Errors
/// [`LengthMismatch`] where `layer` does not have 4A·(X + A + 1) + 2A scalars; nothing is written
/// then.
///
/// ```
/// use bptt::{layout::nam, lstm};
///
/// let (mut params, mut state) = (lstm::Params::<1, 1>::zeros(), lstm::State::zeros());
/// params.f.wa.fill(4.0);
/// params.f.b.fill(1.0);
/// state.c.fill(3.0);
/// let mut layer = [7.0; 14];
/// nam::write_lstm(&params, &state, &mut layer)?;
/// assert_eq!(layer[..8], [0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]); // i, f, g, o
/// assert_eq!(layer[8..], [0.0, 1.0, 0.0, 0.0, 0.0, 3.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write_lstm<const X: usize, const A: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    state: &lstm::State<A, 1, T>,
    layer: &mut [T],
) -> Result<(), LengthMismatch> {
    let weights = 4 * A * (X + A);
    LengthMismatch::check("layer", weights + 6 * A, layer.len())?;
    let (w, rest) = layer.split_at_mut_checked(weights).unwrap_or_default();
    let (b, rest) = rest.split_at_mut_checked(4 * A).unwrap_or_default();
    let [a, c] = parts_mut(rest, A);
    for (gate, block) in params.gates().into_iter().zip(LSTM) {
        let first = block * A * (X + A);
        Place::columns(first, X + A).write(&gate.wx, w);
        Place::columns(first + X, X + A).write(&gate.wa, w);
    }
    write_biases(params.gates(), LSTM, b);
    Place::stacked::<A, 1>(0).write(&state.a, a);
    Place::stacked::<A, 1>(0).write(&state.c, c);
    Ok(())
}
