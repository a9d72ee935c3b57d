//! Weights from and to the layouts of PyTorch, Keras, ONNX and the textbooks.
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
//! | | gates | weights | biases |
//! |---|---|---|---|
//! | this crate | f, i, g, o | Wa (A, A), Wx (A, X), column-major | one a gate |
//! | [`pytorch`] | i, f, g, o | `weight_ih` (4H, I), `weight_hh` (4H, H) | two: `bias_ih` (4H), `bias_hh` (4H) |
//! | [`keras`] | i, f, c, o | `kernel` (I, 4H), `recurrent_kernel` (H, 4H) | one: `bias` (4H) |
//! | [`onnx`] | i, o, f, c | `W` (4H, I), `R` (4H, H) | two in a row: `B` (8H) = Wb, Rb |
//! | [`textbook`] | f, i, c, o, each by itself | W (A, A + X) = \[Wa \| Wx\] | one a gate, (A) |
//!
//! i is the input gate, f forget, g and c the candidate, o output. A plain RNN has one block in
//! the place of four. What has other equations has no counterpart here: projections (`proj_size`),
//! peepholes (`P`), `input_forget`, `clip`, activations other than sigmoid and tanh.
//!
//! # Two biases
//!
//! PyTorch and ONNX add two biases to each pre-activation; the equations here have one. Reading
//! computes b = `bias_ih` + `bias_hh`, rounded once. Writing gives b as the first and −0, the
//! number that changes nothing when it is added, as the second, so that what was written is read
//! back bit for bit. The gradient of a sum is that of both terms: for a gradient, copy the first
//! bias over the second. A network without biases (`bias=False`, `use_bias=False`, no `B`) is read
//! with `None`: b = 0.
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
pub mod keras;
pub mod onnx;
pub mod pytorch;
pub mod textbook;

use crate::{Affine, Flat, LengthMismatch, Matrix, Real, Vector, dense, lstm, rnn};

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

    /// The columns from `first` on of a row-major matrix with `columns` of them.
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

/// One bias in the place of two: b + second.
fn add_second<const R: usize, T: Real>(b: &mut Vector<R, T>, second: &[T], block: usize) {
    let mut other = Vector::<R, T>::zeros();
    Place::stacked::<R, 1>(block).read(&mut other, second);
    for (b, other) in
        b.0.as_flattened_mut()
            .iter_mut()
            .zip(other.0.as_flattened())
    {
        *b = *b + *other;
    }
}

/// PyTorch, ONNX: `blocks[g]` is the place of gate g.
fn read_stacked<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&mut Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &[T],
    wa: &[T],
    bias: Option<(&[T], &[T])>,
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::stacked::<A, X>(block).read(&mut gate.wx, wx);
        Place::stacked::<A, A>(block).read(&mut gate.wa, wa);
        gate.b.fill(T::ZERO);
        if let Some((first, second)) = bias {
            Place::stacked::<A, 1>(block).read(&mut gate.b, first);
            add_second(&mut gate.b, second, block);
        }
    }
}

fn write_stacked<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &mut [T],
    wa: &mut [T],
    first: &mut [T],
    second: &mut [T],
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::stacked::<A, X>(block).write(&gate.wx, wx);
        Place::stacked::<A, A>(block).write(&gate.wa, wa);
        Place::stacked::<A, 1>(block).write(&gate.b, first);
    }
    second.fill(-T::ZERO);
}

/// Keras.
fn read_side_by_side<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&mut Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &[T],
    wa: &[T],
    bias: Option<&[T]>,
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::side_by_side::<A>(block, G).read(&mut gate.wx, wx);
        Place::side_by_side::<A>(block, G).read(&mut gate.wa, wa);
        gate.b.fill(T::ZERO);
        if let Some(bias) = bias {
            Place::stacked::<A, 1>(block).read(&mut gate.b, bias);
        }
    }
}

fn write_side_by_side<const X: usize, const A: usize, const G: usize, T: Real>(
    gates: [&Affine<X, A, T>; G],
    blocks: [usize; G],
    wx: &mut [T],
    wa: &mut [T],
    bias: &mut [T],
) {
    for (gate, block) in gates.into_iter().zip(blocks) {
        Place::side_by_side::<A>(block, G).write(&gate.wx, wx);
        Place::side_by_side::<A>(block, G).write(&gate.wa, wa);
        Place::stacked::<A, 1>(block).write(&gate.b, bias);
    }
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
    params.b.fill(T::ZERO);
    if let Some(b) = b {
        Place::stacked::<Y, 1>(0).read(&mut params.b, b);
    }
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
