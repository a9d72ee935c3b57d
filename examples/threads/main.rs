//! Training on several threads, with the same bits for any number of them.
//!
//! ```text
//! cargo run --release --example threads
//! ```
//!
//! trains one network with 1, 2 and 4 threads, compares the weights bit by bit, and prints how much faster it went: the best of
//! three runs each. What makes the bits the same stands in `train.rs`.

mod train;

use std::error::Error;
use std::thread::available_parallelism;
use std::time::Instant;

use bptt::Flat;
use train::train;

/// Updates of the weights.
const ROUNDS: usize = 200;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("{} processors", available_parallelism()?);
    let mut bits_of_one = None;
    let mut seconds_of_one = 0.0;
    for threads in [1, 2, 4] {
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            let trained = train(threads, ROUNDS)?;
            best = best.min(start.elapsed().as_secs_f64());

            let all = trained.losses.iter().chain(trained.net.as_flat());
            let bits: Vec<u32> = all.map(|x| x.to_bits()).collect();
            if *bits_of_one.get_or_insert_with(|| bits.clone()) != bits {
                return Err(format!("{threads} threads: other bits than with one").into());
            }
        }
        if threads == 1 {
            seconds_of_one = best;
        }
        let speed_up = seconds_of_one / best;
        println!("{threads} threads: {best:.3} s, {speed_up:.2} times as fast");
    }
    println!("the same bits of all losses and weights");
    Ok(())
}
