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

/// `torch.nn.LSTM`, `torch.nn.RNN` (tanh) and `torch.nn.Linear`.
///
/// A `state_dict` has `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0` for the first
/// layer. Source: the page of each class in the documentation of PyTorch, under "Variables".
pub mod pytorch {
    use super::*;

    /// Which block of the four, i, f, g, o, is f, i, g, o.
    const BLOCKS: [usize; 4] = [1, 0, 2, 3];

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
        read_stacked(params.gates_mut(), BLOCKS, weight_ih, weight_hh, bias);
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
        write_stacked(
            params.gates(),
            BLOCKS,
            weight_ih,
            weight_hh,
            bias_ih,
            bias_hh,
        );
        Ok(())
    }

    /// Reads an RNN: `weight_ih` (A, X), `weight_hh` (A, A), both biases (A) or none.
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
        read_stacked([params], [0], weight_ih, weight_hh, bias);
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
        write_stacked([params], [0], weight_ih, weight_hh, bias_ih, bias_hh);
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

/// `keras.layers.LSTM`, `SimpleRNN` and `Dense`, with their default activations.
///
/// `layer.get_weights()` gives the arrays in the order of the arguments here. Keras initialises the
/// forget gate's bias to 1 (`unit_forget_bias`) within `bias`; nothing is to be added.
pub mod keras {
    use super::*;

    /// Which block of the four, i, f, c, o, is f, i, g, o.
    const BLOCKS: [usize; 4] = [1, 0, 2, 3];

    /// Reads an LSTM: `kernel` (X, 4A), `recurrent_kernel` (A, 4A), `bias` (4A) or none.
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{layout::keras, lstm};
    ///
    /// // i, f, c, o
    /// let (kernel, recurrent_kernel) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
    /// let mut params = lstm::Params::<1, 1>::zeros();
    /// keras::read_lstm(&mut params, &kernel, &recurrent_kernel, Some(&[0.0, 1.0, 0.0, 0.0]))?;
    /// assert_eq!(params.f.wx[(0, 0)], 2.0);
    /// assert_eq!(params.f.b[(0, 0)], 1.0);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn read_lstm<const X: usize, const A: usize, T: Real>(
        params: &mut lstm::Params<X, A, T>,
        kernel: &[T],
        recurrent_kernel: &[T],
        bias: Option<&[T]>,
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", X * 4 * A, kernel.len())?;
        LengthMismatch::check("recurrent_kernel", A * 4 * A, recurrent_kernel.len())?;
        check_some("bias", 4 * A, bias)?;
        read_side_by_side(params.gates_mut(), BLOCKS, kernel, recurrent_kernel, bias);
        Ok(())
    }

    /// Writes an LSTM: `kernel` (X, 4A), `recurrent_kernel` (A, 4A), `bias` (4A).
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{layout::keras, lstm};
    ///
    /// let mut params = lstm::Params::<1, 1>::zeros();
    /// params.o.wx.fill(4.0);
    /// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 4], [7.0; 4], [7.0; 4]);
    /// keras::write_lstm(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
    /// assert_eq!(kernel, [0.0, 0.0, 0.0, 4.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn write_lstm<const X: usize, const A: usize, T: Real>(
        params: &lstm::Params<X, A, T>,
        kernel: &mut [T],
        recurrent_kernel: &mut [T],
        bias: &mut [T],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", X * 4 * A, kernel.len())?;
        LengthMismatch::check("recurrent_kernel", A * 4 * A, recurrent_kernel.len())?;
        LengthMismatch::check("bias", 4 * A, bias.len())?;
        write_side_by_side(params.gates(), BLOCKS, kernel, recurrent_kernel, bias);
        Ok(())
    }

    /// Reads a `SimpleRNN`: `kernel` (X, A), `recurrent_kernel` (A, A), `bias` (A) or none.
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{Matrix, layout::keras, rnn};
    ///
    /// let mut params = rnn::Params::<1, 2>::zeros();
    /// keras::read_rnn(&mut params, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], None)?;
    /// assert_eq!(params.wa, Matrix::from_rows([[3.0, 5.0], [4.0, 6.0]])); // the transpose
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn read_rnn<const X: usize, const A: usize, T: Real>(
        params: &mut rnn::Params<X, A, T>,
        kernel: &[T],
        recurrent_kernel: &[T],
        bias: Option<&[T]>,
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", X * A, kernel.len())?;
        LengthMismatch::check("recurrent_kernel", A * A, recurrent_kernel.len())?;
        check_some("bias", A, bias)?;
        read_side_by_side([params], [0], kernel, recurrent_kernel, bias);
        Ok(())
    }

    /// Writes a `SimpleRNN`: `kernel` (X, A), `recurrent_kernel` (A, A), `bias` (A).
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{Matrix, layout::keras, rnn};
    ///
    /// let mut params = rnn::Params::<1, 2>::zeros();
    /// params.wa = Matrix::from_rows([[3.0, 4.0], [5.0, 6.0]]);
    /// let (mut kernel, mut recurrent_kernel, mut bias) = ([7.0; 2], [7.0; 4], [7.0; 2]);
    /// keras::write_rnn(&params, &mut kernel, &mut recurrent_kernel, &mut bias)?;
    /// assert_eq!(recurrent_kernel, [3.0, 5.0, 4.0, 6.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn write_rnn<const X: usize, const A: usize, T: Real>(
        params: &rnn::Params<X, A, T>,
        kernel: &mut [T],
        recurrent_kernel: &mut [T],
        bias: &mut [T],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", X * A, kernel.len())?;
        LengthMismatch::check("recurrent_kernel", A * A, recurrent_kernel.len())?;
        LengthMismatch::check("bias", A, bias.len())?;
        write_side_by_side([params], [0], kernel, recurrent_kernel, bias);
        Ok(())
    }

    /// Reads a `Dense`: `kernel` (A, Y), `bias` (Y) or none.
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{Matrix, dense, layout::keras};
    ///
    /// let mut head = dense::Params::<2, 2>::zeros();
    /// keras::read_dense(&mut head, &[1.0, 2.0, 3.0, 4.0], Some(&[5.0, 6.0]))?;
    /// assert_eq!(head.w, Matrix::from_rows([[1.0, 3.0], [2.0, 4.0]]));
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn read_dense<const A: usize, const Y: usize, T: Real>(
        params: &mut dense::Params<A, Y, T>,
        kernel: &[T],
        bias: Option<&[T]>,
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", A * Y, kernel.len())?;
        check_some("bias", Y, bias)?;
        super::read_dense(params, Place::side_by_side::<Y>(0, 1), kernel, bias);
        Ok(())
    }

    /// Writes a `Dense`: `kernel` (A, Y), `bias` (Y).
    ///
    /// # Errors
    /// [`LengthMismatch`] where a slice does not have the length of its shape; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{Matrix, Vector, dense, layout::keras};
    ///
    /// let w = Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Vector::from_columns([[5.0, 6.0]]);
    /// let (mut kernel, mut bias) = ([0.0; 4], [0.0; 2]);
    /// keras::write_dense(&dense::Params { w, b }, &mut kernel, &mut bias)?;
    /// assert_eq!(kernel, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn write_dense<const A: usize, const Y: usize, T: Real>(
        params: &dense::Params<A, Y, T>,
        kernel: &mut [T],
        bias: &mut [T],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("kernel", A * Y, kernel.len())?;
        LengthMismatch::check("bias", Y, bias.len())?;
        super::write_dense(params, Place::side_by_side::<Y>(0, 1), kernel, bias);
        Ok(())
    }
}

/// The ONNX operators `LSTM`, `RNN` and `Gemm`, one direction of the recurrent ones.
///
/// `W`, `R` and `B` have a first dimension for the direction: two directions are two halves of
/// each. The attribute `layout` is about X and Y and changes none of them. Source: "Operators" in
/// the specification of ONNX.
pub mod onnx {
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
}

/// The form of textbooks and courses: z = W·\[a⟨t−1⟩; x⟨t⟩\] + b with W = \[Wa | Wx\] of shape (A,
/// A + X), row-major as numpy stores it.
pub mod textbook {
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
}

/// Sequences whose arrays have the batch first: shape (M, T, R), row-major, R the inputs or units.
///
/// What PyTorch calls `batch_first=True`, and Keras' only form.
pub mod batch_first {
    use super::*;

    /// Reads (M, T, R) into one (R, M) matrix a step.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `array` has not M·T·R scalars, T the length of `sequence`; nothing
    /// is written then.
    ///
    /// ```
    /// use bptt::{Matrix, layout::batch_first};
    ///
    /// let mut x = [const { Matrix::<1, 2>::zeros() }; 3];
    /// batch_first::read(&mut x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?; // two samples of three steps
    /// assert_eq!(x[1], Matrix::from_rows([[2.0, 5.0]]));
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn read<const R: usize, const M: usize, T: Real>(
        sequence: &mut [Matrix<R, M, T>],
        array: &[T],
    ) -> Result<(), LengthMismatch> {
        let steps = sequence.len();
        LengthMismatch::check("array", Matrix::slice_as_flat(sequence).len(), array.len())?;
        for (t, step) in sequence.iter_mut().enumerate() {
            Place::side_by_side::<R>(t, steps).read(step, array);
        }
        Ok(())
    }

    /// Writes one (R, M) matrix a step as (M, T, R).
    ///
    /// # Errors
    /// [`LengthMismatch`] where `array` has not M·T·R scalars, T the length of `sequence`; nothing
    /// is written then.
    ///
    /// ```
    /// use bptt::{Matrix, layout::batch_first};
    ///
    /// let a = [Matrix::<1, 2>::from_rows([[1.0, 4.0]]), Matrix::from_rows([[2.0, 5.0]])];
    /// let mut array = [0.0; 4];
    /// batch_first::write(&a, &mut array)?;
    /// assert_eq!(array, [1.0, 2.0, 4.0, 5.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn write<const R: usize, const M: usize, T: Real>(
        sequence: &[Matrix<R, M, T>],
        array: &mut [T],
    ) -> Result<(), LengthMismatch> {
        let steps = sequence.len();
        LengthMismatch::check("array", Matrix::slice_as_flat(sequence).len(), array.len())?;
        for (t, step) in sequence.iter().enumerate() {
            Place::side_by_side::<R>(t, steps).write(step, array);
        }
        Ok(())
    }
}
