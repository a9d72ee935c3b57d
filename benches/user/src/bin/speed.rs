//! Times a step (16, 32) whose state is fed back and a training (32, 64), M = 8, and prints the least nanoseconds of each.
//!
//! The loops are those of a user: they are compiled in this crate, whatever its profile.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bptt::{Cell, Flat, Matrix, lstm};
use user::{Lstm, numbers};

/// One of the short rounds of which the least counts.
const ROUND: Duration = Duration::from_micros(500);
const ROUNDS: usize = 40;
/// No more than this for one kernel, however slow it is.
const ALL: Duration = Duration::from_millis(300);

fn main() {
    println!("{:.1} step (16, 32)", step());
    println!("{:.1} training (32, 64) M=8", training());
}

/// The least nanoseconds of one call of `f`.
fn least(mut f: impl FnMut()) -> f64 {
    let begin = Instant::now();
    f();
    let calls = (ROUND.as_nanos() / begin.elapsed().as_nanos().max(1)).max(1) as u32;
    let mut least = f64::INFINITY;
    for round in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        least = least.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
        if round > 0 && begin.elapsed() > ALL {
            break;
        }
    }
    least
}

fn step() -> f64 {
    let params = numbers(lstm::Params::<16, 32>::LEN);
    let params = lstm::Params::<16, 32>::from_flat(&params).expect("all weights");
    let x = numbers(16);
    let x = Matrix::<16, 1>::from_flat(&x).expect("all inputs");
    let (mut even, mut odd) = (lstm::State::zeros(), lstm::State::zeros());
    // Sixteen steps a call, so that what a dev build adds around them is the step's own.
    let sixteen = least(|| {
        for _ in 0..8 {
            params.step(x, &even, &mut odd);
            params.step(x, &odd, &mut even);
        }
    });
    black_box(even);
    sixteen / 16.0
}

fn training() -> f64 {
    let mut lstm = Lstm::<32, 64, 8>::new();
    let time = least(|| lstm.train().expect("as many of each as steps"));
    black_box(lstm.sum());
    time
}
