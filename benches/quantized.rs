//! How long a step of the cells in integers takes, beside the same cell in f32.
//!
//! ```text
//! cargo bench --bench quantized            all of it, half a minute after the build
//! cargo bench --bench quantized -- 128     what has "128" in its name; of several such words, any
//! ```
//!
//! A time is the least of many short rounds, in which the cells of a line take turns. Steps are fed back: two states take
//! turns, so that a step waits for the one before. The weights lie in whatever cache they fit.

use std::hint::black_box;
use std::time::Instant;

use bptt::quantized::{self, Scale};
use bptt::{Cell, Flat, gru, init, lstm, rnn};

/// Rounds of each cell, and how long one of them is, in seconds.
const ROUNDS: usize = 400;
const ROUND: f64 = 3e-4;

/// Seconds that a call of f takes, in a round.
fn seconds(calls: usize, f: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        f();
    }
    start.elapsed().as_secs_f64() / calls as f64
}

/// The least times of these, taken in turns.
fn least<const N: usize>(mut of: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut least = [f64::INFINITY; N];
    let calls = of.each_mut().map(|f| {
        seconds(100, *f);
        (ROUND / seconds(100, *f)).ceil() as usize
    });
    for _ in 0..ROUNDS {
        for n in 0..N {
            least[n] = least[n].min(seconds(calls[n], of[n]));
        }
    }
    least
}

/// A step there and one back.
fn two_steps<F: Cell<X, A, Scalar = f32>, const X: usize, const A: usize>(
    cell: &F,
) -> impl FnMut() + '_ {
    let mut states = [F::State::<1>::ZEROS, F::State::<1>::ZEROS];
    let mut x = bptt::Matrix::<X, 1>::zeros();
    x.as_flat_mut().fill(0.3);
    move || {
        let [first, second] = &mut states;
        black_box(cell).step(&x, first, second);
        black_box(cell).step(&x, second, first);
        black_box(&mut states);
    }
}

/// As [`two_steps`].
fn two_steps_in_integers<C: quantized::Cell<X, A>, const X: usize, const A: usize>(
    cell: &C,
) -> impl FnMut() + '_ {
    let mut states = [C::State::<1>::default(), C::State::<1>::default()];
    let x = [[9830; X]];
    move || {
        let [first, second] = &mut states;
        black_box(cell).step(&x, first, second);
        black_box(cell).step(&x, second, first);
        black_box(&mut states);
    }
}

/// A line of the table.
#[allow(clippy::boxed_local)] // Half a megabyte of weights stays off the stack.
fn line<F, I, J, const X: usize, const A: usize>(name: &str, mut i8: Box<I>, mut i16: Box<J>)
where
    F: Cell<X, A, Scalar = f32>,
    I: quantized::Cell<X, A, Float = F, Scales = Scale>,
    J: quantized::Cell<X, A, Float = F, Scales = Scale>,
{
    let name = format!("{name} ({X}, {A})");
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .peekable();
    if words.peek().is_some() && !words.any(|word| name.contains(&word)) {
        return;
    }
    let mut float = Box::new(F::ZEROS);
    let mut numbers = (1_u32..).map(|n| (n.wrapping_mul(2_654_435_769) >> 8) as f32 / 16_777_216.0);
    init::uniform(&mut *float, 0.2, || numbers.next().unwrap());
    i8.quantize(&float, Scale::UNIT).unwrap();
    i16.quantize(&float, Scale::UNIT).unwrap();
    let [float, i8, i16] = least([
        &mut two_steps(&*float),
        &mut two_steps_in_integers(&*i8),
        &mut two_steps_in_integers(&*i16),
    ])
    .map(|seconds| seconds / 2.0 * 1e9);
    println!(
        "| {name} | {float:.0} | {i8:.0} | {i16:.0} | {:.2} | {:.2} |",
        float / i8,
        float / i16
    );
}

fn lstm<const X: usize, const A: usize>() {
    line::<lstm::Params<X, A>, _, _, X, A>(
        "LSTM",
        Box::new(quantized::Lstm::<X, A, i8>::zeros()),
        Box::new(quantized::Lstm::<X, A, i16>::zeros()),
    );
}

fn gru<const X: usize, const A: usize>() {
    line::<gru::ResetAfter<X, A>, _, _, X, A>(
        "GRU, reset after",
        Box::new(quantized::ResetAfter::<X, A, i8>::zeros()),
        Box::new(quantized::ResetAfter::<X, A, i16>::zeros()),
    );
}

fn rnn<const X: usize, const A: usize>() {
    line::<rnn::Params<X, A>, _, _, X, A>(
        "RNN, tanh",
        Box::new(quantized::Rnn::<X, A, i8>::zeros()),
        Box::new(quantized::Rnn::<X, A, i16>::zeros()),
    );
}

fn main() {
    println!("Instruction set: {:?}", bptt::backend());
    println!("| a step | f32, ns | i8, ns | i16, ns | f32 / i8 | f32 / i16 |");
    println!("|---|---|---|---|---|---|");
    lstm::<6, 16>();
    lstm::<16, 32>();
    lstm::<32, 64>();
    lstm::<64, 128>();
    lstm::<128, 256>();
    gru::<16, 32>();
    gru::<64, 128>();
    rnn::<16, 32>();
    rnn::<64, 128>();
}
