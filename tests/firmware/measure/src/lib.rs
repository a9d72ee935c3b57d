//! Measures, on emulated controllers, how many instructions a function takes, and on a Cortex-M how much stack.
#![cfg_attr(target_os = "none", no_std)]

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(not(target_os = "none"))]
mod host;
#[cfg(target_arch = "riscv32")]
mod riscv;

mod network;
pub use network::file;

#[cfg(target_arch = "arm")]
pub use cortex_m::{Counter, exit, print, stack_depth};
#[cfg(not(target_os = "none"))]
pub use host::{exit, print};
#[cfg(target_arch = "riscv32")]
pub use riscv::{Counter, exit, print};

use bptt::{Flat, init};

/// Of a sequence.
pub const STEPS: usize = 10;

/// Numbers in ±0.5, the same in every run.
pub fn random<F: Flat<Scalar = f32>>() -> F {
    let mut flat = F::ZEROS;
    let mut n = 1_u32;
    init::uniform(&mut flat, 0.5, || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / 16_777_216.0
    });
    flat
}

/// Instructions that one call of `f` executes beyond those of a closure that does nothing: the mean of up
/// to 400 calls, as many as take a hundred million instructions.
#[cfg(target_os = "none")]
pub fn instructions(counter: &mut Counter, f: &mut dyn FnMut()) -> u32 {
    let once = counter.count(1, f).max(1);
    let calls = (100_000_000 / once).clamp(1, 400);
    let with = counter.count(calls, f);
    let without = counter.count(calls, &mut || {});
    (with - without + calls / 2) / calls
}
