//! A micro:bit, which prints through the debugger's interface (semihosting), here the emulator's.

use core::fmt::Arguments;

use cortex_m as _; // for its critical section, which semihosting needs
pub use cortex_m_rt::entry;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::{debug, hprintln};

pub fn print(line: Arguments) {
    hprintln!("{}", line);
}

/// Ends the emulation; the emulator's exit status is 0 or not.
pub fn exit(ok: bool) -> ! {
    debug::exit(if ok {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
    loop {}
}

// SAFETY: it never returns, so it need not leave anything as it was.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    hprintln!("hard fault");
    exit(false)
}
