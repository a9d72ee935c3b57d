//! Prints the digests on an emulated Cortex-M, through the debugger's interface (semihosting).
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m as _; // for its critical section, which semihosting needs
use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::{debug, hprintln};

#[entry]
fn main() -> ! {
    let result = digest::all(&mut |part, value| hprintln!("{:016x} {}", value, part));
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
