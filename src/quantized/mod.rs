//! Cells in integers, for inference: weights of 8 or 16 bits, states of 16, sums of 32.
//!
//! For microcontrollers without a floating-point unit, and for hosts, where weights of a quarter of
//! the size are read in a quarter of the time. A step computes nothing in floating point; integer
//! arithmetic gives the same bits everywhere by nature.
//!
//! # Numbers
//!
//! | | | stands for |
//! |---|---|---|
//! | x | i16 | n·2^−q, q by [`Scale`] from sample inputs |
//! | a | i16 | n·2⁻¹⁵; with ReLU n·2^−q |
//! | c | i32 | n·2⁻²⁰, in ±32 |
//! | W | [`i8` or `i16`](Weight) | n·(scale of the row); Wx has 2^k times the scale of Wa, k from 0 to 12 |
//! | b, sums | i32 | n·(scale of the row)·2⁻¹⁵ |
//! | z, y | i32 | n·2⁻¹⁶ |
//! | f, i, o, r, u | | n·2⁻¹⁵, 0 … 32767 |
//! | g, n, tanh c | | n·2⁻¹⁵, −32768 … 32767 |
//!
//! The scale of a row is the finest with which every weight of it fits and no sum can leave 32 bits,
//! whatever the inputs. So long rows of 16 bits cannot use all of their bits: from some 200 inputs
//! and units on they are hardly finer than 8 bits.
//!
//! # Equations
//!
//! ⌊ ⌋ rounds down, ⌊ ⌉ to the nearest integer, ties up; m, s and k are numbers of the row.
//!
//! | | | |
//! |---|---|---|
//! | (1) | sum = (Σ Wx·x)·2^k + b + Σ Wa·a⟨t−1⟩ | exact |
//! | (2) | z = ⌊sum·m / 2^(16 + s)⌋ | twice z where tanh follows |
//! | (3) | σ(z) | by table and interpolation: [`SIGMOID_ERROR`] |
//! | (4) | tanh(z) = 2σ(2z) − 1 | [`TANH_ERROR`] |
//!
//! LSTM, as [`lstm`](crate::lstm) (1) to (6):
//!
//! | | |
//! |---|---|
//! | (5) to (8) | f = ⌊σ(z_f)⌋, i = ⌊σ(z_i)⌋, g = tanh(z_g), o = ⌊σ(z_o)⌋ |
//! | (9) | c⟨t⟩ = ⌊f·c⟨t−1⟩⌋ + ⌊i·g⌋, cut to ±32 |
//! | (10) | a⟨t⟩ = ⌊o·tanh(c⟨t⟩)⌉ |
//!
//! GRU, as [`gru`](crate::gru) (1) to (6):
//!
//! | | |
//! |---|---|
//! | (11), (12) | r = ⌊σ(z_r)⌋, u = ⌊σ(z_u)⌋ |
//! | (13) | n = tanh(z_x + ⌊r·z_a⌋), z_x and z_a being (2) of the sums over x and over a, reset after the product |
//! | (14) | n = tanh(z_n), with ⌊r·a⟨t−1⟩⌉ in the place of a⟨t−1⟩, reset before the product |
//! | (15) | a⟨t⟩ = n + ⌊u·(a⟨t−1⟩ − n)⌉ |
//!
//! RNN: (16) a⟨t⟩ = tanh(z), or (17) a⟨t⟩ = max(z, 0), cut to 32767. Output layer: (18) y = z.
//!
//! # Accuracy
//!
//! Differences of a⟨t⟩ over 100 steps, as `cargo test --release --test quantized accuracy -- --nocapture`
//! prints and bounds them, for more networks than these:
//!
//! | | from f64 with the same weights, rms | greatest | i8 from f32, rms | greatest | i16 from f32, rms | greatest |
//! |---|---|---|---|---|---|---|
//! | LSTM of the example `activity` (6, 16) | 9.4e-5 | 1.9e-3 | 4.5e-3 | 1.3e-1 | 2.2e-4 | 7.2e-3 |
//! | LSTM (32, 64), weights in ±0.5 | 1.3e-4 | 2.2e-3 | 4.3e-3 | 6.5e-2 | 3.5e-4 | 8.2e-3 |
//! | GRU, reset after, likewise | 6.3e-5 | 5.2e-4 | 4.4e-3 | 3.4e-2 | 3.3e-4 | 2.5e-3 |
//! | GRU, reset before, likewise | 6.7e-5 | 4.7e-4 | 4.7e-3 | 2.9e-2 | 3.6e-4 | 2.1e-3 |
//! | RNN (32, 64), weights in ±0.125 | 3.7e-5 | 1.3e-4 | 1.5e-3 | 8.7e-3 | 1.2e-4 | 6.2e-4 |
//! | RNN with ReLU, likewise | 1.5e-5 | 6.8e-5 | 1.1e-3 | 8.5e-3 | 8.0e-5 | 5.3e-4 |
//!
//! Errors do not grow with time: they are the same in the last thousand of a million steps as in the
//! first (`no_drift_over_a_million_steps`). That is so where the network forgets. A chaotic one, as an
//! RNN with weights in ±0.5 and 64 units is, takes any error, that of f32 too, to the size of a.
//!
//! The example's 40 test recordings keep their class with both (`recordings_keep_their_class`).
//!
//! # f32, i16 or i8
//!
//! With a floating-point unit and flash to spare, f32: it is what training needs, and there is nothing
//! to choose. Without one, or with too little flash, i8: a quarter of the flash. i16 where i8 loses too
//! much on the task (compare the two on recordings that were not trained on), for twice the flash of
//! i8, and for rows of some 200 inputs and units at most.
//!
//! What i8 loses most often comes from a channel in a unit so large that its weights leave those of the
//! others no bits: measure in units in which all channels are of one size. What is left is got back by
//! [fine-tuning](crate::patterns#on-the-device-in-integers): f32 training in which the weights that go
//! forward and backward are those of the grid. With one channel in a unit 256 times as large it brings
//! the loss of the i8 network of the example from 0.121 to 0.088, where f32 had 0.112
//! (`fine_tuning_where_quantising_costs`).
//!
//! # Large networks
//!
//! On a microcontroller with kernels of its own (Cortex-M, RISC-V of 32 bits) a layer with more than
//! 65535 rows (gates times units), inputs or units does not compile.
//!
//! `zeros()` and `from_le_bytes` return by value, over the stack. A cell of (128, 256) in i8 has 401
//! kilobytes: make it a `static`, by `from_le_bytes` of a file, or by `zeros()` in a `Mutex` where it is
//! to be quantised in place.
//!
//! ```
//! use bptt::lstm;
//! use bptt::quantized::{Cell, Lstm, Scale};
//! use std::sync::Mutex;
//!
//! static CELL: Mutex<Lstm<16, 32>> = Mutex::new(Lstm::zeros());
//! CELL.lock().unwrap().quantize(&lstm::Params::zeros(), Scale::UNIT)?;
//! # Ok::<(), bptt::quantized::QuantizeError>(())
//! ```

mod cells;
pub(crate) mod core;
mod layer;
mod packed;
pub(crate) mod scale;
pub(crate) mod table;

pub use cells::{Cell, Dense, Hidden, Lstm, Relu, ResetAfter, ResetBefore, Rnn, State};
pub use scale::{QuantizeError, Scale};
pub use table::{SIGMOID_ERROR, TANH_ERROR};

#[cfg(bptt_integers = "m4")]
pub(crate) use self::core::Plain;
pub(crate) use self::core::Rows;
#[cfg(any(bptt_integers = "m3", bptt_integers = "rv32"))]
pub(crate) use self::core::lstm_state;
#[cfg(not(bptt_integers = "plain"))]
pub(crate) use self::core::{Kernel, Seen};
use crate::arch::integers::{self, order};
pub(crate) use packed::Order;
#[cfg(not(bptt_integers = "plain"))]
pub(crate) use scale::RowScale;
#[cfg(not(any(bptt_integers = "plain", bptt_integers = "rv32")))]
pub(crate) use table::TABLE;
#[cfg(bptt_integers = "rv32")]
pub(crate) use table::sigmoid;

mod sealed {
    use super::core::Rows;

    /// What makes [`Weight`](super::Weight) impossible to implement elsewhere: the doors to the
    /// core.
    ///
    /// # Safety
    /// The type is `i8` where `BITS` is 8, and `i16` where it is 16; `BITS` is nothing else.
    pub unsafe trait Doors: Sized {
        const BITS: u32;
        fn to_i32(self) -> i32;
        fn lstm_step(
            layer: Rows<Self>,
            x: &[i16],
            prev: (&[i16], &[i32]),
            next: (&mut [i16], &mut [i32]),
        );
        fn gru_after_step(layer: Rows<Self>, bna: &[i32], x: &[i16], a_prev: &[i16], a: &mut [i16]);
        fn gru_before_step(
            layers: [Rows<Self>; 3],
            x: &[i16],
            a_prev: &[i16],
            reset: &mut [i16],
            a: &mut [i16],
        );
        fn rnn_step(layer: Rows<Self>, x: &[i16], a_prev: &[i16], a: &mut [i16]);
        fn relu_step(layer: Rows<Self>, x: &[i16], a_prev: &[i16], a: &mut [i16]);
        fn dense(layer: Rows<Self>, a: &[i16], y: &mut [i32]);
    }
}
use sealed::Doors;

/// The integers that weights can be: `i8`, or `i16` with a tenth of the error and twice the flash.
///
/// ```
/// use bptt::quantized::{Lstm, Weight};
///
/// fn flash<W: Weight>() -> usize {
///     size_of::<Lstm<6, 16, W>>()
/// }
/// assert_eq!((flash::<i8>(), flash::<i16>()), (1924, 3332));
/// ```
pub trait Weight:
    sealed::Doors + Copy + ::core::fmt::Debug + PartialEq + Eq + Send + Sync + 'static
{
    /// The greatest weight: 127 or 32767. The lowest integer of the type is no weight.
    ///
    /// ```
    /// use bptt::quantized::Weight;
    ///
    /// assert_eq!((i8::LIMIT, i16::LIMIT), (127, 32767));
    /// ```
    const LIMIT: i32;
}

macro_rules! weight {
    ($integer:ident) => {
        impl Weight for $integer {
            const LIMIT: i32 = $integer::MAX as i32;
        }
        // SAFETY: the type is its own name.
        unsafe impl Doors for $integer {
            const BITS: u32 = $integer::BITS;
            #[inline(always)]
            fn to_i32(self) -> i32 {
                i32::from(self)
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn lstm_step(
                layer: Rows<Self>,
                x: &[i16],
                prev: (&[i16], &[i32]),
                next: (&mut [i16], &mut [i32]),
            ) {
                integers::lstm_step(layer, x, prev, next);
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn gru_after_step(
                layer: Rows<Self>,
                bna: &[i32],
                x: &[i16],
                a_prev: &[i16],
                a: &mut [i16],
            ) {
                integers::gru_after_step(layer, bna, x, a_prev, a);
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn gru_before_step(
                layers: [Rows<Self>; 3],
                x: &[i16],
                a_prev: &[i16],
                reset: &mut [i16],
                a: &mut [i16],
            ) {
                integers::gru_before_step(layers, x, a_prev, reset, a);
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn rnn_step(layer: Rows<Self>, x: &[i16], a_prev: &[i16], a: &mut [i16]) {
                integers::rnn_step(layer, x, a_prev, a);
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn relu_step(layer: Rows<Self>, x: &[i16], a_prev: &[i16], a: &mut [i16]) {
                integers::relu_step(layer, x, a_prev, a);
            }
            #[cfg_attr(not(target_os = "none"), inline(never))]
            fn dense(layer: Rows<Self>, a: &[i16], y: &mut [i32]) {
                integers::dense(layer, a, y);
            }
        }
    };
}
weight!(i8);
weight!(i16);
