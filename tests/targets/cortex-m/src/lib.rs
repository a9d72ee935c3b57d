//! What every image needs (a way to end the emulation) and what a measurement needs: the
//! depth of the stack and the number of instructions a function takes.
#![no_std]

use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::{debug, hprintln};

/// Ends the emulation: the emulator's exit status is 0 or not.
pub fn exit(ok: bool) -> ! {
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

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    hprintln!("hard fault");
    exit(false)
}

pub mod measure {
    use core::hint::black_box;
    use core::ptr::{addr_of_mut, read_volatile, write_volatile};
    use cortex_m::peripheral::{SYST, syst::SystClkSource};

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
        // SAFETY: the words from the statics' end to the stack pointer belong to nobody; this
        // function's own frame is at and above the stack pointer, and the loops call nothing.
        unsafe {
            let mut p = bottom;
            while p < top {
                write_volatile(p, PAINT);
                p = p.add(1);
            }
            f();
            let mut p = bottom;
            while p < top && read_volatile(p) == PAINT {
                p = p.add(1);
            }
            top as usize - p as usize
        }
    }

    /// Instructions one call of `f` executes beyond those of a closure that does nothing,
    /// under `-icount shift=0`.
    ///
    /// There one instruction takes one nanosecond and SysTick counts at 25 MHz: a tick is 40
    /// instructions. So the difference of two counts of `calls` calls is right to within
    /// 80 / `calls` instructions: 400 calls make it exact, as long as all of them stay under the
    /// 24 bits of the counter, 671 million instructions.
    pub fn instructions(syst: &mut SYST, calls: u32, f: &mut dyn FnMut()) -> u32 {
        let with = ticks(syst, calls, f);
        let without = ticks(syst, calls, &mut || {});
        ((with - without) as u64 * 40 + calls as u64 / 2).div_euclid(calls as u64) as u32
    }

    #[inline(never)]
    fn ticks(syst: &mut SYST, calls: u32, f: &mut dyn FnMut()) -> u32 {
        let f = black_box(f);
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(0x00ff_ffff);
        syst.clear_current();
        syst.enable_counter();
        while SYST::get_current() == 0 {}
        let start = SYST::get_current();
        for _ in 0..calls {
            f();
        }
        let end = SYST::get_current();
        // It counts down, and must not have gone round.
        assert!(!syst.has_wrapped());
        start - end
    }
}
