#![no_std]
#![doc = include_str!("../README.md")]

mod affine;
mod bytes;
mod dispatch;
mod error;
mod flat;
mod matrix;
mod product;
mod real;

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
pub use dispatch::{Backend, backend};
pub use error::LengthMismatch;
pub use flat::Flat;
pub use matrix::{Matrix, Vector};
pub use real::Real;
