//! A bench of the module: what a step takes, and what share of a sample of audio that is.

use super::Order;

pub fn write(order: &Order) -> String {
    let Order { name, from, .. } = order;
    let rate = order.network.sample_rate.unwrap_or(48_000.0);
    let input = if order.integers.is_some() {
        "i16"
    } else {
        "f32"
    };
    let waves = match order.integers {
        None => "((t * 7 + k) % 100) as f32 / 50.0 - 1.0",
        Some(_) => "((t * 7 + k) % 100) as i16 * 300 - 15_000",
    };
    format!(
        "//! How long a step of the network `{name}`, from `{from}`, takes: the least of some runs.
//!
//! It is a program. In Cargo.toml, with the folder that it is in as `src`:
//!
//! ```toml
//! [[bin]]
//! name = \"{name}_bench\"
//! path = \"src/{name}_bench.rs\"
//! ```

#[allow(dead_code)] // A step is all that is measured.
mod {name};

use std::array;
use std::hint::black_box;
use std::time::Instant;

use {name}::{{Network, X}};

/// Samples a second.
const RATE: f64 = {rate:?};
const STEPS: usize = 10_000;

fn main() {{
let x: Vec<[{input}; X]> = (0..STEPS).map(|t| array::from_fn(|k| {waves})).collect();
let mut network = Network::new();
let mut least = f64::INFINITY;
for _ in 0..50 {{
let start = Instant::now();
for x in &x {{
black_box(network.step(black_box(x)));
}}
least = least.min(start.elapsed().as_nanos() as f64 / STEPS as f64);
}}
let share = 100.0 * least * RATE / 1e9;
println!(\"{{least:.0}} ns a step, {{share:.2}} % of a sample at {{RATE}} Hz\");
}}
"
    )
}
