//! Weights from and to the layouts of PyTorch, Keras, ONNX, TensorFlow 1, TFLite, `.nam` files and
//! the textbooks.
//!
//! Flat slices as the other side stores them (what `tensor.numpy().ravel()` gives) are copied into
//! a caller's parameters and back. No other memory is needed. All lengths are compared before
//! anything is written. Gradients have the types of the weights, so they go the same way.
//!
//! # Conventions
//!
//! H is A, I is X. Every array is row-major, so that the last index moves fastest; a dimension like
//! (4H, I) is the four gates above each other, (I, 4H) the four gates side by side.
//!
//! | LSTM | gates | weights | biases |
//! |---|---|---|---|
//! | this crate | f, i, g, o | Wa (A, A), Wx (A, X), column-major | one a gate |
//! | [`pytorch`] | i, f, g, o | `weight_ih` (4H, I), `weight_hh` (4H, H) | two: `bias_ih` (4H), `bias_hh` (4H) |
//! | [`keras`] | i, f, c, o | `kernel` (I, 4H), `recurrent_kernel` (H, 4H) | one: `bias` (4H) |
//! | [`onnx`] | i, o, f, c | `W` (4H, I), `R` (4H, H) | two in a row: `B` (8H) = Wb, Rb |
//! | [`tf1`] | i, j, f, o | `kernel` (I + H, 4H), the rows of I first | one: `bias` (4H), and `forget_bias` outside of the file |
//! | TFLite, [`gate`] | i, f, c, o, each by itself | `input_to_…_weights` (H, I), `recurrent_to_…_weights` (H, H) | one a gate, (H) |
//! | [`nam`] | i, f, g, o | (4H, I + H) = \[Wx \| Wa\] | one: (4H) |
//! | [`textbook`] | f, i, c, o, each by itself | W (A, A + X) = \[Wa \| Wx\] | one a gate, (A) |
//!
//! i is the input gate, f forget, g, c and j the candidate, o output. A gate by itself, of any cell,
//! whatever its name, is read by [`gate`].
//!
//! | GRU | reset | gates | weights | biases |
//! |---|---|---|---|---|
//! | this crate | after | r, u, n | Wa (A, A), Wx (A, X), column-major | one a gate, and bna |
//! | | before | the same | the same | one a gate |
//! | [`pytorch`] | after | r, z, n | `weight_ih` (3H, I), `weight_hh` (3H, H) | two: `bias_ih` (3H), `bias_hh` (3H) |
//! | [`keras`] | after: `reset_after=True`, the default | z, r, h | `kernel` (I, 3H), `recurrent_kernel` (H, 3H) | two rows: `bias` (2, 3H), the second with the recurrent kernel |
//! | | before: `reset_after=False` | the same | the same | one: `bias` (3H) |
//! | [`onnx`] | after: `linear_before_reset` = 1 | z, r, h | `W` (3H, I), `R` (3H, H) | two in a row: `B` (6H) = Wb, Rb |
//! | | before: `linear_before_reset` = 0, the default | the same | the same | the same |
//! | [`textbook`] | after | r, u, n, each by itself | W (A, A + X) = \[Wa \| Wx\] | one a gate, (A), and bna (A) |
//! | | before | the same | the same | one a gate, (A) |
//!
//! r is the reset gate, u and z the update gate, n and h the candidate; all of them have u as
//! [`gru`] has it: how much of the old state stays. What has its reset gate after the product goes
//! into [`gru::ResetAfter`], what has it before into [`gru::ResetBefore`]; the weights of either
//! have the same shapes.
//!
//! A plain RNN has one block in the place of four. Its arrays do not say what its activation is:
//! [`rnn::Params`] has tanh, [`rnn::Relu`] the same weights and ReLU. What PyTorch calls
//! `nonlinearity="relu"`, Keras `SimpleRNN(activation="relu")` and ONNX an `RNN` with `activations`
//! = \["Relu"\] is read into the field of the latter, `pytorch::read_rnn(&mut relu.0, …)`, and
//! written from it.
//!
//! What has other equations has no counterpart here: projections (`proj_size`), peepholes (`P`),
//! `input_forget`, `clip`, other activations than these.
//!
//! # Two biases
//!
//! PyTorch and ONNX add two biases to each pre-activation, and so does Keras in a GRU with
//! `reset_after=True`; the equations here have one. Reading computes b = `bias_ih` + `bias_hh`,
//! rounded once. Writing gives b as the first and −0, the number that changes nothing when it is
//! added, as the second, so that what was written is read back bit for bit. A network without
//! biases (`bias=False`, `use_bias=False`, no `B`) is read with `None`: b = 0.
//!
//! The candidate of a GRU whose reset comes after the product has two biases here too, since the
//! reset gate reaches the second one alone: `bias_ih` of n is b and `bias_hh` of n is bna. They do
//! not add up; those of its other gates do, and where the reset comes before the product (ONNX) all
//! of them.
//!
//! The gradient of a sum is that of both terms. To give a gradient away, copy the first bias over
//! the second, except for bna, which is there already: it is the last third of the second bias in
//! all layouts of the GRU. To take one, read it with a second bias of −0, except for bna.
//!
//! ```
//! use bptt::{gru, layout::pytorch};
//!
//! const A: usize = 2;
//! let mut grads = gru::ResetAfter::<1, A>::zeros();
//! (grads.r.b.fill(1.0), grads.u.b.fill(2.0), grads.n.b.fill(3.0), grads.bna.fill(4.0));
//! let (mut weight_ih, mut weight_hh) = ([0.0; 3 * A], [0.0; 3 * A * A]);
//! let (mut bias_ih, mut bias_hh) = ([0.0; 3 * A], [0.0; 3 * A]);
//!
//! pytorch::write_gru(&grads, &mut weight_ih, &mut weight_hh, &mut bias_ih, &mut bias_hh)?;
//! bias_hh[..2 * A].copy_from_slice(&bias_ih[..2 * A]); // r and z
//! assert_eq!(bias_ih, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
//! assert_eq!(bias_hh, [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]); // as in `bias_hh_l0.grad`
//!
//! bias_hh[..2 * A].fill(-0.0);
//! let mut back = gru::ResetAfter::zeros();
//! pytorch::read_gru(&mut back, &weight_ih, &weight_hh, Some((&bias_ih, &bias_hh)))?;
//! assert_eq!(back, grads);
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Several layers, two directions
//!
//! Each layer and each direction is read by itself. PyTorch appends `_l0`, `_l1`, `_l0_reverse` to
//! the names, Keras wraps two layers in `Bidirectional`; ONNX puts two directions one after the
//! other into the same tensor, so that each half (`split_at`) is one of them.
//!
//! # Sequences
//!
//! An array of shape (T, M, X), time first, is a sequence as it stands:
//! `Matrix::<X, M>::slice_from_flat`. [`batch_first`] copies one of shape (M, T, X).

pub mod batch_first;
pub mod gate;
pub mod keras;
pub mod nam;
pub mod onnx;
pub mod pytorch;
pub mod textbook;
pub mod tf1;

use crate::{Affine, Flat, LengthMismatch, Matrix, Real, Vector, dense, gru, lstm, rnn};

/// Where the entries of a matrix stand in a flat slice: (r, k) at offset + r·row + k·column.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    row: usize,
    column: usize,
}

impl Place {
    /// Block `block` of some (R, K) matrices above each other, row-major. A bias is a matrix with K
    /// = 1.
    const fn stacked<const R: usize, const K: usize>(block: usize) -> Self {
        Place {
            offset: block * R * K,
            row: K,
            column: 1,
        }
    }

    /// Block `block` of some transposed (K, R) matrices side by side, `blocks` of them, row-major.
    const fn side_by_side<const R: usize>(block: usize, blocks: usize) -> Self {
        Place {
            offset: block * R,
            row: 1,
            column: blocks * R,
        }
    }

    /// The columns of a row-major matrix with `columns` of them, from the one on whose first entry
    /// stands at `first`.
    const fn columns(first: usize, columns: usize) -> Self {
        Place {
            offset: first,
            row: columns,
            column: 1,
        }
    }

    fn read<const R: usize, const K: usize, T: Real>(self, w: &mut Matrix<R, K, T>, flat: &[T]) {
        for (k, column) in w.0.iter_mut().enumerate() {
            for (r, w) in column.iter_mut().enumerate() {
                if let Some(x) = flat.get(self.offset + r * self.row + k * self.column) {
                    *w = *x;
                }
            }
        }
    }

    fn write<const R: usize, const K: usize, T: Real>(self, w: &Matrix<R, K, T>, flat: &mut [T]) {
        for (k, column) in w.0.iter().enumerate() {
            for (r, w) in column.iter().enumerate() {
                if let Some(x) = flat.get_mut(self.offset + r * self.row + k * self.column) {
                    *x = *w;
                }
            }
        }
    }
}

/// PyTorch, ONNX: the weights of each gate, those of gate g at `blocks[g]`.
fn read_stacked<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: &mut [&mut Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &[T],
    wa: &[T],
) {
    for (gate, block) in gates.iter_mut().zip(blocks) {
        Place::stacked::<A, X>(block).read(&mut gate.wx, wx);
        Place::stacked::<A, A>(block).read(&mut gate.wa, wa);
    }
}

fn write_stacked<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &mut [T],
    wa: &mut [T],
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::stacked::<A, X>(block).write(&gate.wx, wx);
        Place::stacked::<A, A>(block).write(&gate.wa, wa);
    }
}

/// Keras.
fn read_side_by_side<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: &mut [&mut Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &[T],
    wa: &[T],
) {
    for (gate, block) in gates.iter_mut().zip(blocks) {
        Place::side_by_side::<A>(block, G).read(&mut gate.wx, wx);
        Place::side_by_side::<A>(block, G).read(&mut gate.wa, wa);
    }
}

fn write_side_by_side<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &mut [T],
    wa: &mut [T],
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::side_by_side::<A>(block, G).write(&gate.wx, wx);
        Place::side_by_side::<A>(block, G).write(&gate.wa, wa);
    }
}

/// A bias, or zeros where there is none.
fn read_bias<const R: usize, T: Real>(b: &mut Vector<R, T>, block: usize, bias: Option<&[T]>) {
    b.fill(T::ZERO);
    if let Some(bias) = bias {
        Place::stacked::<R, 1>(block).read(b, bias);
    }
}

/// One bias in the place of two, that of gate g at `blocks[g]` of each: b = first + second.
fn read_biases<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: &mut [&mut Affine<X, A, T>; G],
    blocks: [usize; G],
    first: Option<&[T]>,
    second: Option<&[T]>,
) {
    for (gate, block) in gates.iter_mut().zip(blocks) {
        read_bias(&mut gate.b, block, first);
        let Some(second) = second else { continue };
        let mut other = Vector::<A, T>::zeros();
        Place::stacked::<A, 1>(block).read(&mut other, second);
        for (b, other) in (gate.b.0.as_flattened_mut().iter_mut()).zip(other.0.as_flattened()) {
            *b = *b + *other;
        }
    }
}

fn write_biases<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&Affine<X, A, T>; G],
    blocks: [usize; G],
    bias: &mut [T],
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::stacked::<A, 1>(block).write(&gate.b, bias);
    }
}

/// The two biases of a GRU whose reset comes after the product: those of r and u add up, those of n
/// are b and bna.
fn read_biases_after<const X: usize, const A: usize, T: Real>(
    params: &mut gru::ResetAfter<X, A, T>,
    [r, u, n]: [usize; 3],
    first: Option<&[T]>,
    second: Option<&[T]>,
) {
    read_biases(&mut [&mut params.r, &mut params.u], [r, u], first, second);
    read_bias(&mut params.n.b, n, first);
    read_bias(&mut params.bna, n, second);
}

fn write_biases_after<const X: usize, const A: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    blocks: [usize; 3],
    first: &mut [T],
    second: &mut [T],
) {
    write_biases([&params.r, &params.u, &params.n], blocks, first);
    second.fill(-T::ZERO);
    let [.., n] = blocks;
    Place::stacked::<A, 1>(n).write(&params.bna, second);
}

/// [`LengthMismatch`] of an argument that may be left out.
fn check_some<T>(
    what: &'static str,
    expected: usize,
    found: Option<&[T]>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check(what, expected, found.map_or(expected, <[T]>::len))
}

/// W at `place`, and b, or zeros where there is none.
fn read_dense<const A: usize, const Y: usize, T: Real>(
    params: &mut dense::Params<A, Y, T>,
    place: Place,
    w: &[T],
    b: Option<&[T]>,
) {
    place.read(&mut params.w, w);
    read_bias(&mut params.b, 0, b);
}

fn write_dense<const A: usize, const Y: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    place: Place,
    w: &mut [T],
    b: &mut [T],
) {
    place.write(&params.w, w);
    Place::stacked::<Y, 1>(0).write(&params.b, b);
}
