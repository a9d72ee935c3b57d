#![no_std]
#![doc = include_str!("../README.md")]

mod affine;
mod arch;
mod bytes;
mod elementary;
mod environment;
mod error;
mod flat;
mod matrix;
mod product;
mod real;
mod shape;
mod target;
mod tuning;

pub mod activation;
pub mod checkpoint;
pub mod dense;
pub mod init;
pub mod layout;
pub mod lengths;
pub mod loss;
pub mod lstm;
pub mod optimizer;
pub mod patterns;
pub mod rnn;

pub use affine::Affine;
pub use arch::{Backend, backend};
pub use environment::{FloatEnvironmentError, check_float_environment};
pub use error::LengthMismatch;
pub use flat::Flat;
pub use matrix::{Matrix, Vector};
pub use real::Real;
