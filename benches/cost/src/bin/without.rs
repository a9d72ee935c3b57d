//! The program of `with.rs` without the LSTM: reads numbers, writes numbers.

use std::io::Read;

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("input");
    let mut numbers: Vec<f32> = input.iter().map(|&byte| f32::from(byte)).collect();
    numbers.resize(1000, 0.0);
    println!("{:?}", &numbers[..8]);
}
