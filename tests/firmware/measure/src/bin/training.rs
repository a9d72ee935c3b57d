//! An image that does nothing but learn: forward, loss, backward, clipping, Adam, from the trained weights.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::optimizer::Adam;
use cortex_m_rt::entry;
use job::{Learner, X};

#[entry]
fn main() -> ! {
    static mut LEARNER: Learner = Learner::new();

    let mut adam = (Adam::new(0.002), Adam::new(0.002));
    LEARNER.start();
    loop {
        let samples = core::iter::repeat_with(|| black_box([0.0; X]));
        let _ = black_box(LEARNER.update(black_box(0), samples, &mut adam));
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}
