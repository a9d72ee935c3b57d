//! What each cell takes: parameters, flash, time.

use std::hint::black_box;
use std::time::Instant;

use bptt::{Flat, Vector, gru, lstm, rnn};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::model::{A, Net, Recurrent, X};
use crate::train::initial_weights;

/// Steps in one measurement, and how many measurements there are.
const STEPS: u32 = 500;
const MEASUREMENTS: u32 = 50;

/// Prints the three side by side.
pub fn print() {
    println!("cell   parameters   flash, bytes   a step, ns");
    print_one::<rnn::Params<X, A>>();
    print_one::<gru::ResetAfter<X, A>>();
    print_one::<lstm::Params<X, A>>();
    println!(
        "Parameters and flash (f32) are those of the network, the step is that of the cell alone on this machine, the\n\
         fastest of {MEASUREMENTS} runs of {STEPS} steps, each from the state that the one before left.\n"
    );
}

fn print_one<C: Recurrent>() {
    let (name, parameters, flash) = (C::NAME, Net::<C>::LEN, size_of::<Net<C>>());
    let time = nanoseconds_a_step::<C>();
    println!("{name:<4}   {parameters:>10}   {flash:>12}   {time:>10.0}");
}

fn nanoseconds_a_step<C: Recurrent>() -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let net = initial_weights::<C>(&mut rng);
    let cell = black_box(net.parts().cell);
    let x = Vector::<X>::from_columns([std::array::from_fn(|_| rng.random_range(-1.0..1.0))]);
    let (mut state, mut next) = (C::State::<1>::ZEROS, C::State::<1>::ZEROS);
    let mut run = || {
        let start = Instant::now();
        for _ in 0..STEPS {
            cell.step(black_box(&x), &state, &mut next);
            std::mem::swap(&mut state, &mut next);
        }
        black_box(&state);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(STEPS)
    };
    (0..MEASUREMENTS)
        .map(|_| run())
        .fold(f64::INFINITY, f64::min)
}
