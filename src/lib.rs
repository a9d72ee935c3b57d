#![no_std]
//! Recurrent cells, forward and backward, in fixed-size const-generic matrices held in flat arrays.
//! No heap, no `std`, no panic in a kernel; the caller supplies every buffer, and every target
//! computes the same bits.
//!
//! A cell is its parameters: [`lstm::Params`], [`gru::ResetAfter`], [`gru::ResetBefore`],
//! [`rnn::Params`], [`rnn::Relu`]. What it can do is [`Cell`]: a step of inference, and a sequence
//! forward, which returns the [`Tape`] that goes backward.
//!
//! ```
//! use bptt::{Cell, Flat, Vector, init, lstm};
//!
//! const T: usize = 10; // steps
//! let mut cell = lstm::Params::<2, 4>::zeros(); // 2 inputs, 4 units
//! let mut random = (1..).map(|n| (n * 37 % 101) as f32 / 101.0);
//! init::uniform(&mut cell, 0.5, || random.next().unwrap());
//!
//! let x = [const { Vector::from_columns([[0.3, -0.4]]) }; T];
//! let init = lstm::State::zeros();
//! let (mut a, mut caches) = ([const { Vector::zeros() }; T], [const { lstm::Cache::zeros() }; T]);
//! let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
//!
//! // The gradient of the sum of the last outputs.
//! let mut da = [const { Vector::zeros() }; T];
//! da[T - 1].fill(1.0);
//! let (mut grads, mut dstate) = (lstm::Params::zeros(), lstm::State::zeros());
//! tape.backward(&da, &mut grads, None, &mut dstate)?;
//! assert!(grads.as_flat().iter().all(|g| *g != 0.0));
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! | you want | look at |
//! |---|---|
//! | the equations, and their derivation | [`rnn`], [`gru`], [`lstm`] |
//! | which path: browser, plug-in, controller, board, host | [`paths`] |
//! | whole jobs, as code that runs | [`patterns`] |
//! | an output layer, a loss, an optimizer | [`dense`], [`loss`], [`optimizer`], [`schedule`], [`dropout`], [`init`] |
//! | a network of your own as one array | [`flat_struct!`], [`Flat`] |
//! | weights from PyTorch, Keras, ONNX, TensorFlow 1, TFLite, `.nam` | [`layout`] |
//! | batches of different lengths, both directions | [`lengths`] |
//! | long sequences in little memory | [`checkpoint`] |
//! | in integers: i8 or i16 weights, for devices without a floating-point unit | [`quantized`] |
//! | the error bounds of sigmoid and tanh | [`activation`] |
//!
//! The README has the contract of the arithmetic and a program that learns.

mod affine;
mod arch;
mod bytes;
mod cell;
mod elementary;
mod environment;
mod error;
mod flat;
mod flat_struct;
mod matrix;
mod product;
mod real;
mod sequence;
mod shape;
mod target;
mod tuning;

pub mod activation;
pub mod checkpoint;
pub mod dense;
pub mod dropout;
pub mod gru;
pub mod init;
pub mod layout;
pub mod lengths;
pub mod loss;
pub mod lstm;
pub mod optimizer;
pub mod paths;
pub mod patterns;
pub mod quantized;
pub mod rnn;
pub mod schedule;

pub use affine::Affine;
pub use arch::{Backend, backend};
pub use cell::{Cell, Tape};
pub use environment::{FloatEnvironmentError, check_float_environment};
pub use error::{LengthMismatch, TrainingError};
pub use flat::Flat;
pub use flat_struct::{Fields, FlatStruct, Pair};
pub use matrix::{Matrix, Vector};
pub use real::Real;

/// The program of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
