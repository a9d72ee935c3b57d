//! Measures, on an emulated Cortex-M, the depth of the stack and the number of instructions that a function takes.
#![no_std]

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

/// Instructions that one call of `f` executes beyond those of a closure that does nothing, under
/// `-icount shift=0`.
///
/// There one instruction takes one nanosecond and SysTick counts at 25 MHz: a tick is 40
/// instructions. So the difference of two counts of `calls` calls is right to within
/// 80 / `calls` instructions, as long as all of them stay under the 24 bits of the counter, 671
/// million instructions.
pub fn instructions(syst: &mut SYST, calls: u32, f: &mut dyn FnMut()) -> u32 {
    let with = ticks(syst, calls, f);
    let without = ticks(syst, calls, &mut || {});
    ((u64::from(with - without) * 40 + u64::from(calls) / 2) / u64::from(calls)) as u32
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
