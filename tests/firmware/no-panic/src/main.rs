//! Links if, and only if, no panic can be reached: the panic handler calls a function that nobody
//! defines, so the linker names it as soon as anything refers to the handler.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m_rt::entry;

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: it is never called, for the image does not link if it could be.
    unsafe { a_panic_can_be_reached() }
}

#[entry]
fn main() -> ! {
    static mut SINGLE: [f32; 100_000] = [0.0; 100_000];
    static mut DOUBLE: [f64; 100_000] = [0.0; 100_000];
    let classes = black_box([0; 35]);
    let _ = black_box(surface::single(SINGLE, black_box(&classes)));
    let _ = black_box(surface::double(DOUBLE, black_box(&classes)));
    let _ = black_box(surface::integers(SINGLE, black_box(&[0; 10_000])));
    #[cfg(feature = "intentional-panic")]
    black_box([1, 2, 3][black_box(3)]);
    loop {}
}
