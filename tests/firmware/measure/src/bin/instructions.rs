//! Prints how many instructions a step of each cell takes, of inference and of training: first, to be
//! believed, it counts two functions whose number is known.
//!
//! Each line is a cell and two numbers, with `|` between them; `.ci/targets table` makes tables of them.
#![no_std]
#![no_main]

use core::arch::asm;
use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::{Cell, Flat, Matrix, gru, lstm, rnn};
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use measure::{Counter, STEPS, exit, instructions, print, random};
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    let Some(mut counter) = Counter::new() else {
        exit(false)
    };
    let nothing = instructions(&mut counter, &mut || {});
    let known = instructions(&mut counter, &mut two_thousand_and_two);
    assert!(nothing == 0 && known == 2002);

    instructions_of::<lstm::Params<6, 16>, 6, 16>("LSTM", &mut counter);
    instructions_of::<lstm::Params<16, 32>, 16, 32>("LSTM", &mut counter);
    instructions_of::<lstm::Params<32, 64>, 32, 64>("LSTM", &mut counter);
    instructions_of::<gru::ResetAfter<6, 16>, 6, 16>("GRU, reset after", &mut counter);
    instructions_of::<gru::ResetAfter<16, 32>, 16, 32>("GRU, reset after", &mut counter);
    instructions_of::<gru::ResetAfter<32, 64>, 32, 64>("GRU, reset after", &mut counter);
    instructions_of::<gru::ResetBefore<6, 16>, 6, 16>("GRU, reset before", &mut counter);
    instructions_of::<gru::ResetBefore<16, 32>, 16, 32>("GRU, reset before", &mut counter);
    instructions_of::<gru::ResetBefore<32, 64>, 32, 64>("GRU, reset before", &mut counter);
    instructions_of::<rnn::Params<32, 64>, 32, 64>("RNN", &mut counter);
    instructions_of::<rnn::Relu<32, 64>, 32, 64>("RNN with ReLU", &mut counter);
    exit(true)
}

/// Two instructions before the loop and two thousand in it.
#[inline(always)]
fn two_thousand_and_two() {
    // SAFETY: changes one register.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!(
            "movs {n}, #250",
            "lsls {n}, {n}, #2",
            "2:",
            "subs {n}, {n}, #1",
            "bne 2b",
            n = out(reg) _,
            options(nomem, nostack),
        )
    }
    // SAFETY: changes one register.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!(
            "addi {n}, zero, 250",
            "slli {n}, {n}, 2",
            "2:",
            "addi {n}, {n}, -1",
            "bnez {n}, 2b",
            n = out(reg) _,
            options(nomem, nostack),
        )
    }
}

#[inline(never)]
fn instructions_of<C: Cell<X, A, Scalar = f32>, const X: usize, const A: usize>(
    name: &str,
    counter: &mut Counter,
) {
    let cell: C = random();
    let x: [Matrix<X, 1>; STEPS] = core::array::from_fn(|_| random());
    let (prev, mut next): (C::State<1>, C::State<1>) = (random(), random());
    let mut step = || black_box(&cell).step(black_box(&x[0]), black_box(&prev), &mut next);
    let step = instructions(counter, &mut step);

    let mut a = [const { Matrix::<A, 1>::zeros() }; STEPS];
    let mut caches = [C::Cache::<1>::ZEROS; STEPS];
    let da: [Matrix<A, 1>; STEPS] = core::array::from_fn(|_| random());
    let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
    let mut training = || {
        let (cell, x) = (black_box(&cell), black_box(x.as_slice()));
        let tape = cell.forward(x, &prev, &mut a, &mut caches);
        let da = black_box(da.as_slice());
        let done = tape.and_then(|tape| tape.backward(da, &mut grads, None, &mut dstate));
        black_box(done.is_ok());
    };
    let training = instructions(counter, &mut training) / STEPS as u32;
    print(format_args!("{name} ({X}, {A})|{step}|{training}"));
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
