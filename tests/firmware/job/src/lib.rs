//! What the firmware does: tell from a smart watch what its wearer is doing, and learn a new wearer.
//!
//! The network is that of the example `activity`: an LSTM, the mean of its hidden states, and a softmax
//! over four activities. Host and device run this very code, and print the same lines, bit for bit.
#![no_std]
#![forbid(unsafe_code)]

mod classify;
mod integers;
mod learn;
mod weights;

use bptt::{dense, lstm};

pub use classify::{Stream, classify};
pub use integers::Integers;
pub use learn::Learner;
pub use weights::{CELL, HEAD};

/// Channels of the watch.
pub const X: usize = 6;
/// Hidden units.
pub const A: usize = 16;
/// Activities.
pub const Y: usize = 4;
/// Samples in a recording.
pub const STEPS: usize = 100;

pub type Cell = lstm::Params<X, A>;
pub type Head = dense::Params<A, Y>;
/// Ten seconds: a sample every tenth of a second.
pub type Recording = [[f32; X]; STEPS];

/// The activities in the order of the outputs.
pub const CLASSES: [&str; Y] = ["standing", "running", "walking", "badminton"];

/// One recording of each activity, none of which was trained on.
pub static RECORDINGS: [Recording; Y] = include!(concat!(env!("OUT_DIR"), "/recordings.rs"));

/// Takes a line of output.
pub type Print<'a> = &'a mut dyn FnMut(core::fmt::Arguments);
