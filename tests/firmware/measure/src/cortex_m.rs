//! A Cortex-M of the boards `mps2-an385` and `mps2-an386`, which prints through the debugger's interface (semihosting).

use core::fmt::Arguments;
use core::hint::black_box;
use core::ptr::{addr_of_mut, read_volatile, write_volatile};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_semihosting::{debug, hprintln};

unsafe extern "C" {
    /// First address above the statics: from the linker script.
    static mut __sheap: u32;
}

const PAINT: u32 = 0xA5C3_5A3C;

/// Greatest depth of the stack, in bytes, of one call of `f` and all it calls: its own
/// frame and return address included, what it captured and refers to not.
///
/// Paints everything below the stack pointer, calls, and looks for the deepest word that
/// changed.
#[inline(never)]
pub fn stack_depth(f: &mut dyn FnMut()) -> usize {
    let f = black_box(f);
    let bottom = addr_of_mut!(__sheap);
    let top = cortex_m::register::msp::read() as *mut u32;
    // SAFETY: the words from the end of the statics to the stack pointer belong to nobody; this
    // function's own frame is at and above the stack pointer, and the loops call nothing.
    unsafe {
        let mut word = bottom;
        while word < top {
            write_volatile(word, PAINT);
            word = word.add(1);
        }
        f();
        let mut word = bottom;
        while word < top && read_volatile(word) == PAINT {
            word = word.add(1);
        }
        top as usize - word as usize
    }
}

/// Counts instructions under `-icount shift=0`.
///
/// There one instruction takes one nanosecond and SysTick counts at 25 MHz: a tick is 40
/// instructions. A count is right to within 40.
pub struct Counter(SYST);

impl Counter {
    /// `None` the second time.
    pub fn new() -> Option<Self> {
        let mut syst = cortex_m::Peripherals::take()?.SYST;
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(0x00ff_ffff);
        Some(Self(syst))
    }

    /// Instructions of `calls` calls of `f`: no more than the 24 bits of the timer hold, 671 million.
    #[inline(never)]
    pub fn count(&mut self, calls: u32, f: &mut dyn FnMut()) -> u32 {
        let f = black_box(f);
        self.0.clear_current();
        self.0.enable_counter();
        while SYST::get_current() == 0 {}
        let start = SYST::get_current();
        for _ in 0..calls {
            f();
        }
        let end = SYST::get_current();
        // It counts down, and must not have gone round.
        assert!(!self.0.has_wrapped());
        (start - end) * 40
    }
}

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
