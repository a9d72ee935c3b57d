//! The job in integers as firmware: for a Cortex-M0 with 16 KB of RAM, and for a RISC-V controller.
#![no_std]
#![no_main]

#[cfg_attr(target_arch = "arm", path = "cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv.rs")]
mod board;

use core::panic::PanicInfo;
use core::ptr::addr_of_mut;

use board::{entry, exit, print};
use job::Integers;

static mut INTEGERS: Integers = Integers::new();

#[entry]
fn main() -> ! {
    // SAFETY: `main` is called once, and nobody else refers to it.
    let integers = unsafe { &mut *addr_of_mut!(INTEGERS) };

    let result = integers.run(&mut |line| print(line));
    if let Err(error) = result {
        print(format_args!("{error}"));
    }
    exit(result.is_ok())
}

/// For what is not a kernel: printing can panic.
#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    print(format_args!("{info}"));
    exit(false)
}
