//! A training whose every bit must be the same on every target.
#![no_std]
#![forbid(unsafe_code)]

mod fold;
mod integers;
mod parts;

use bptt::TrainingError;

/// Runs every part and hands its name and its digest to `emit`.
pub fn all(emit: &mut dyn FnMut(&str, u64)) -> Result<(), TrainingError> {
    parts::all(emit)?;
    integers::integers(emit);
    Ok(())
}
