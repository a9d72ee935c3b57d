//! An image that does nothing but classify in integers: LSTM step, output layer, the greatest of it.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::quantized::{Cell, Dense, Lstm, State};
use cortex_m_rt::entry;

/// In flash; whose weights they are changes nothing.
static CELL: Lstm<6, 16> = Lstm::zeros();
static HEAD: Dense<16, 4> = Dense::zeros();

#[entry]
fn main() -> ! {
    let (mut state, mut next) = (State::zeros(), State::zeros());
    loop {
        black_box(&CELL).step(&black_box([[0; 6]]), &state, &mut next);
        core::mem::swap(&mut state, &mut next);
        let mut y = [[0; 4]];
        black_box(&HEAD).forward(&state.a, &mut y);
        black_box(y[0].iter().enumerate().max_by_key(|(_, y)| **y));
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}
