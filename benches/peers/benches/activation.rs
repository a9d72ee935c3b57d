//! Time per element of exp, sigmoid and tanh in f32 over slices, and its ratio to other
//! implementations, all in one run:
//!
//! ```text
//! export RUSTFLAGS="-C target-cpu=native"    which wide needs, and bptt does not
//! cargo bench --bench activation
//! ```
//!
//! * libm: the scalar functions of the libm crate, sigmoid as 1 / (1 + expf(−x)).
//! * rten-vecmath: selects AVX2 with fused multiply-add, or AVX-512, at run time.
//! * wide: f32x8. It has no sigmoid and no tanh: 1 / (1 + exp(−x)), and 1 − 2 / (exp(2x) + 1),
//!   which loses all digits of a small tanh.
//!
//! The competitors take turns, and each time is the median over the rounds, so that a change of
//! clock or a busy neighbour meets all of them alike. A round goes once over 4096 elements, in slices
//! of the stated length, in place: no call waits for the results of the one before.

use std::hint::black_box;
use std::time::Instant;

use rten_simd::SimdUnaryOp;
use wide::f32x8;

type InPlace = fn(&mut [f32]);

fn libm_exp(x: &mut [f32]) {
    for v in x {
        *v = libm::expf(*v);
    }
}

fn libm_sigmoid(x: &mut [f32]) {
    for v in x {
        *v = 1.0 / (1.0 + libm::expf(-*v));
    }
}

fn libm_tanh(x: &mut [f32]) {
    for v in x {
        *v = libm::tanhf(*v);
    }
}

/// For a length that is a multiple of 8.
fn wide(x: &mut [f32], f: impl Fn(f32x8) -> f32x8) {
    for v in x.chunks_exact_mut(8) {
        v.copy_from_slice(&f(f32x8::from(&*v)).to_array());
    }
}

const CASES: [(&str, [(&str, InPlace); 4]); 3] = [
    (
        "exp",
        [
            ("bptt", bptt::activation::exp_slice::<f32>),
            ("libm", libm_exp),
            ("rten-vecmath", |x| rten_vecmath::Exp {}.map_mut(x)),
            ("wide", |x| wide(x, |v| v.exp())),
        ],
    ),
    (
        "sigmoid",
        [
            ("bptt", bptt::activation::sigmoid_slice::<f32>),
            ("libm", libm_sigmoid),
            ("rten-vecmath", |x| rten_vecmath::Sigmoid {}.map_mut(x)),
            ("wide", |x| wide(x, |v| 1.0 / (1.0 + (-v).exp()))),
        ],
    ),
    (
        "tanh",
        [
            ("bptt", bptt::activation::tanh_slice::<f32>),
            ("libm", libm_tanh),
            ("rten-vecmath", |x| rten_vecmath::Tanh {}.map_mut(x)),
            ("wide", |x| wide(x, |v| 1.0 - 2.0 / ((v + v).exp() + 1.0))),
        ],
    ),
];

const ROUNDS: usize = 2001;
/// 16 KiB: with the constants it stays in the first-level cache.
const ELEMENTS: usize = 4096;

fn main() {
    println!("ns per element, and how many times bptt's time that is");
    println!("function length       bptt            libm    rten-vecmath            wide");
    // Pre-activations of a recurrent cell: between −4 and 4, most of them small.
    let inputs: Vec<f32> = (0..ELEMENTS)
        .map(|i| 4.0 * ((i * i + 3 * i) as f32).sin().powi(3))
        .collect();
    let mut values = inputs.clone();
    for (function, competitors) in CASES {
        for length in [16, 64, 1024] {
            let mut times = competitors.map(|_| Vec::with_capacity(ROUNDS));
            for _ in 0..ROUNDS {
                for ((_, run), times) in competitors.iter().zip(&mut times) {
                    values.copy_from_slice(&inputs);
                    let start = Instant::now();
                    for slice in black_box(&mut values).chunks_exact_mut(length) {
                        run(black_box(slice));
                    }
                    times.push(start.elapsed().as_secs_f64() * 1e9 / ELEMENTS as f64);
                }
            }
            let medians = times.map(|mut times| {
                times.sort_by(f64::total_cmp);
                times[ROUNDS / 2]
            });
            print!("{function:8} {length:6} {:10.3}", medians[0]);
            for median in &medians[1..] {
                print!("  {median:6.3} ({:4.1})", median / medians[0]);
            }
            println!();
        }
    }
}
