//! A training whose every bit must be the same on every target.
#![no_std]
#![forbid(unsafe_code)]

mod fold;
mod parts;

pub use parts::{all, few};
