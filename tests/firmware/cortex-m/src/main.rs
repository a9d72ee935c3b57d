//! The job as firmware for a Cortex-M. No allocator; 3·A numbers to classify, a `Learner` to learn.
//!
//! Prints through the debugger's interface (semihosting), here the emulator's.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m as _; // for its critical section, which semihosting needs
use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::{debug, hprintln};
use job::Learner;

#[entry]
fn main() -> ! {
    // `entry` makes of it a `&'static mut`, to which nobody else comes.
    static mut LEARNER: Learner = Learner::new();

    job::classify(&mut |line| hprintln!("{}", line));
    let result = LEARNER.learn(&mut |line| hprintln!("{}", line));
    exit(result.is_ok())
}

/// Ends the emulation; the emulator's exit status is 0 or not.
fn exit(ok: bool) -> ! {
    debug::exit(if ok {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
    loop {}
}

/// For what is not a kernel: printing can panic.
#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    hprintln!("{}", info);
    exit(false)
}

// SAFETY: it never returns, so it need not leave anything as it was.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    hprintln!("hard fault");
    exit(false)
}
