//! An image that does nothing but classify: LSTM step, running mean, output layer, softmax.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m_rt::entry;
use job::{CELL, HEAD, Stream, X};

#[entry]
fn main() -> ! {
    let mut stream = Stream::new(&CELL, &HEAD);
    loop {
        black_box(stream.push(black_box([0.0; X])));
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}
