//! Prints what a step of the cells in integers takes: instructions with weights of 8 and of 16 bits,
//! and on a Cortex-M bytes of stack with each.
//!
//! Each line is a cell and these numbers, with `|` between them; `.ci/targets table` makes a table
//! of them.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::quantized::{Cell, Lstm, ResetAfter, ResetBefore, Rnn, Scale};
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use measure::{Counter, exit, instructions, print, random};
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    let Some(mut counter) = Counter::new() else {
        exit(false)
    };
    lstm::<6, 16>(&mut counter);
    lstm::<16, 32>(&mut counter);
    lstm::<32, 64>(&mut counter);
    let cells = (ResetAfter::<16, 32>::zeros(), ResetAfter::<16, 32, i16>::zeros());
    both("GRU, reset after", &mut counter, cells);
    let cells = (ResetBefore::<16, 32>::zeros(), ResetBefore::<16, 32, i16>::zeros());
    both("GRU, reset before", &mut counter, cells);
    let cells = (Rnn::<16, 32>::zeros(), Rnn::<16, 32, i16>::zeros());
    both("RNN", &mut counter, cells);
    exit(true)
}

#[inline(never)]
fn lstm<const X: usize, const A: usize>(counter: &mut Counter) {
    let cells = (Lstm::<X, A>::zeros(), Lstm::<X, A, i16>::zeros());
    both("LSTM", counter, cells);
}

#[inline(never)]
fn both<const X: usize, const A: usize>(
    name: &str,
    counter: &mut Counter,
    (mut eight, mut sixteen): (
        impl Cell<X, A, Scales = Scale>,
        impl Cell<X, A, Scales = Scale>,
    ),
) {
    let eight = of(counter, &mut eight);
    let sixteen = of(counter, &mut sixteen);
    print(format_args!(
        "{name} ({X}, {A})|{}|{}|{}|{}",
        eight.0, sixteen.0, eight.1, sixteen.1
    ));
}

/// Instructions and stack of a step.
#[inline(never)]
fn of<C: Cell<X, A, Scales = Scale>, const X: usize, const A: usize>(
    counter: &mut Counter,
    cell: &mut C,
) -> (u32, usize) {
    let quantized = cell.quantize(&random(), Scale::UNIT);
    assert!(quantized.is_ok());
    let x = [core::array::from_fn(|k| (k as i16 + 1) * 997)];
    let (mut state, mut next) = (C::State::<1>::default(), C::State::default());
    // A state in the middle of a sequence.
    for _ in 0..5 {
        cell.step(&x, &state, &mut next);
        state = next.clone();
    }
    let mut step = || black_box(&cell).step(black_box(&x), black_box(&state), &mut next);
    let count = instructions(counter, &mut step);
    (count, stack(&mut step))
}

#[cfg(target_arch = "arm")]
fn stack(step: &mut dyn FnMut()) -> usize {
    measure::stack_depth(step)
}

/// Not measured here.
#[cfg(target_arch = "riscv32")]
fn stack(_: &mut dyn FnMut()) -> usize {
    0
}

/// For what is not a kernel: printing can panic.
#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    print(format_args!("{info}"));
    exit(false)
}

// SAFETY: it never returns, so it need not leave anything as it was.
#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    print(format_args!("hard fault"));
    exit(false)
}

#[cfg(target_arch = "riscv32")]
#[riscv_rt::exception(riscv::interrupt::Exception::IllegalInstruction)]
fn illegal(_: &riscv_rt::TrapFrame) -> ! {
    print(format_args!("illegal instruction"));
    exit(false)
}
