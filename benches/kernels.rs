//! How long the kernels take, and what part of that the hardware would need at best.
//!
//! ```text
//! cargo bench --bench kernels              all of it, less than a minute after the build
//! cargo bench --bench kernels -- step      what has "step" in its name; of several such words, any
//! ```
//!
//! A time is the least of many short rounds. Its limit is the longer of two times, both measured in turns with the kernel:
//! the multiply-and-adds at the best rate that this core reached in the run without touching memory, and the weights that a
//! step cannot do without read once a step from the cache they live in. Activations are not part of the limit. All buffers
//! start with a cache line. Steps are fed back: two states take turns, as in a stream, so that a step waits for the one before.
//!
//! Before a kernel is timed its results are compared with the plain loops of `tests/common/contract.rs`, bit for bit.
//!
//! Fails, after it has printed everything, if a kernel took less time than its limit: one of the two is measured wrong.

mod buffer;
#[path = "../tests/common/contract.rs"]
mod contract;
#[path = "../tests/common/random.rs"]
mod random;
mod roofline;

use std::hint::black_box;
use std::process::ExitCode;

use bptt::{Affine, Cell, Flat, Matrix, Real, lstm};
use buffer::Buffer;
use random::Random;

/// Time steps of a sequence.
const STEPS: usize = 100;
/// How many of them are compared with the contract.
const CHECKED: usize = 3;

/// Turns of limit and kernel, and rounds of the kernel in each.
const TURNS: usize = 8;
const ROUNDS: usize = 5;
/// Turns of a row that is above its limit: how much of a buffer stays in the first-level cache can differ from turn to turn.
const MOST_TURNS: usize = 32;
/// How far above its limit a result may be. In six runs on a shared Zen 5 core the least times of the same step, where it
/// stays in the first-level cache, were up to 3 to 5 % apart: so much the clock moves.
const TOLERANCE: f64 = 0.03;

/// A line of the table, in seconds.
struct Row {
    name: String,
    time: f64,
    products: f64,
    /// The size of a scalar.
    bytes: usize,
    memory: f64,
}

struct Bench {
    /// What the names of rows must have in them, one of these.
    words: Vec<String>,
    rows: Vec<Row>,
    /// The best rates of the run, for f32 and f64.
    peaks: [f64; 2],
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    /// Times `f`, which does `calls` times this: `products` multiply-and-adds, and reading `weights` `passes` times.
    fn time<T: Real>(
        &mut self,
        name: String,
        calls: usize,
        products: usize,
        weights: &[T],
        passes: usize,
        mut f: impl FnMut(),
    ) {
        if !self.wants(&name) {
            return;
        }
        let bytes = size_of::<T>();
        let (mut time, mut memory) = (f64::INFINITY, f64::INFINITY);
        for turn in 0..MOST_TURNS {
            let peak = &mut self.peaks[bytes / 8];
            *peak = peak.max(roofline::peak::<T>());
            memory = memory.min(passes as f64 * roofline::read(weights));
            let limit = memory.max(products as f64 / *peak);
            if turn >= TURNS && limit <= time {
                break;
            }
            time = time.min(roofline::seconds(ROUNDS, &mut f) / calls as f64);
        }
        self.rows.push(Row {
            name,
            time,
            products: products as f64,
            bytes,
            memory,
        });
    }

    /// Prints the table and returns the rows that took less time than their limit.
    fn print(&self) -> Vec<&Row> {
        let rate = |peak: f64| peak / 1e9;
        let [f32, f64] = self.peaks.map(rate);
        println!("Instruction set: {:?}", bptt::backend());
        println!("At best, multiply-and-adds a nanosecond: f32 {f32:.1}, f64 {f64:.1}");
        println!("| | µs | limit, µs | set by | limit / time |");
        println!("|---|---|---|---|---|");
        let mut impossible = vec![];
        for row in &self.rows {
            let arithmetic = row.products / self.peaks[row.bytes / 8];
            let limit = arithmetic.max(row.memory);
            println!(
                "| {} | {:.4} | {:.4} | {} | {:.0} % |",
                row.name,
                row.time * 1e6,
                limit * 1e6,
                if row.memory > arithmetic {
                    "memory"
                } else {
                    "arithmetic"
                },
                100.0 * limit / row.time
            );
            if limit > (1.0 + TOLERANCE) * row.time {
                impossible.push(row);
            }
        }
        impossible
    }
}

fn random_buffer<F: Flat>(len: usize, limit: f64, random: &mut Random) -> Buffer<F> {
    let mut buffer = Buffer::zeros(len);
    random.fill(buffer.flat_mut(), limit);
    buffer
}

fn assert_same_bits<F: Flat>(name: &str, found: &F, expected: &F) {
    for (found, expected) in found.as_flat().iter().zip(expected.as_flat()) {
        assert!(
            found.to_f64().to_bits() == expected.to_f64().to_bits(),
            "{name} differs from the contract: {found:?}, not {expected:?}"
        );
    }
}

fn label<T: Real>(what: &str, x: usize, a: usize, m: usize) -> String {
    let scalar = if size_of::<T>() == 4 { "f32" } else { "f64" };
    format!("{what} ({x}, {a}) M={m} {scalar}")
}

/// A step whose state is fed back: two states take turns.
fn bench_step<const X: usize, const A: usize, T: Real>(bench: &mut Bench) {
    let name = label::<T>("LSTM step", X, A, 1);
    if !bench.wants(&name) {
        return;
    }
    let mut random = Random::new(1);
    let params = random_buffer::<lstm::Params<X, A, T>>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, 1, T>>(1, 1.0, &mut random);
    let mut states = Buffer::<lstm::State<A, 1, T>>::zeros(2);
    let ([params], [x], [even, odd]) = (params.all(), x.all(), states.all_mut()) else {
        unreachable!();
    };
    for _ in 0..CHECKED {
        let (a, cache) = contract::lstm_forward(params, x, &even.a, &even.c);
        params.step(x, even, odd);
        assert_same_bits("a of step", &odd.a, &a);
        assert_same_bits("c of step", &odd.c, &cache.c);
        even.clone_from(odd);
    }
    let products = 4 * A * (X + A);
    bench.time(name, 2, products, params.as_flat(), 1, || {
        params.step(black_box(x), even, odd);
        params.step(black_box(x), odd, even);
    });
}

fn bench_lstm<const X: usize, const A: usize, const M: usize, T: Real>(bench: &mut Bench) {
    let name_forward = label::<T>("LSTM forward", X, A, M);
    let name_training = label::<T>("LSTM forward + backward", X, A, M);
    let name_cell_forward = label::<T>("LSTM cell forward", X, A, M);
    let name_cell_backward = label::<T>("LSTM cell backward", X, A, M);
    let cells = (X, A, M) == (32, 64, 1); // one shape is enough
    let wanted = bench.wants(&name_forward)
        || bench.wants(&name_training)
        || cells && (bench.wants(&name_cell_forward) || bench.wants(&name_cell_backward));
    if !wanted {
        return;
    }
    let mut random = Random::new(1);
    let params = random_buffer::<lstm::Params<X, A, T>>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, M, T>>(STEPS, 1.0, &mut random);
    let da = random_buffer::<Matrix<A, M, T>>(STEPS, 1.0, &mut random);
    let mut a = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut caches = Buffer::<lstm::Cache<A, M, T>>::zeros(STEPS);
    let mut dx = Buffer::<Matrix<X, M, T>>::zeros(STEPS);
    let mut grads = Buffer::<lstm::Params<X, A, T>>::zeros(1);
    let init: lstm::State<A, M, T> = random.flat(1.0);
    let ([params], x, da) = (params.all(), x.all(), da.all()) else {
        unreachable!();
    };

    // Against the contract, over a few steps.
    {
        let mut expected = Buffer::<lstm::Params<X, A, T>>::zeros(1);
        let (grads, expected) = (&mut grads.all_mut()[0], &mut expected.all_mut()[0]);
        let (a, caches) = (
            &mut a.all_mut()[..CHECKED],
            &mut caches.all_mut()[..CHECKED],
        );
        let dx = &mut dx.all_mut()[..CHECKED];
        let (x, da) = (&x[..CHECKED], &da[..CHECKED]);
        let tape = params.forward(x, &init, a, caches).unwrap();
        let mut expected_caches: Vec<lstm::Cache<A, M, T>> = vec![];
        for t in 0..CHECKED {
            let (a_prev, c_prev) = match t {
                0 => (&init.a, &init.c),
                t => (&tape.a()[t - 1], &expected_caches[t - 1].c),
            };
            let (a_t, cache) = contract::lstm_forward(params, &x[t], a_prev, c_prev);
            assert_same_bits("a", &tape.a()[t], &a_t);
            expected_caches.push(cache);
        }
        let mut dstate = lstm::State::zeros();
        let mut expected_dstate = lstm::State::zeros();
        tape.backward(da, grads, Some(dx), &mut dstate).unwrap();
        for t in (0..CHECKED).rev() {
            let (a_prev, c_prev) = match t {
                0 => (&init.a, &init.c),
                t => (&a[t - 1], &caches[t - 1].c),
            };
            let (cache, dstate) = (&mut expected_caches[t], &mut expected_dstate);
            let dx_t = contract::lstm_backward(
                params, &x[t], a_prev, c_prev, cache, &da[t], dstate, expected,
            );
            assert_same_bits("dx", &dx[t], &dx_t);
            assert_same_bits("a cache", &caches[t], cache);
        }
        assert_same_bits("the gradient", grads, expected);
        assert_same_bits("the gradient of the state", &dstate, &expected_dstate);
    }

    let (input, recurrent) = (4 * A * X * M, 4 * A * A * M);
    let weights = params.as_flat();
    let wa = &weights[..4 * A * A]; // as many scalars as all Wa
    let (a, caches) = (a.all_mut(), caches.all_mut());
    if cells {
        let mut next = lstm::State::zeros();
        bench.time(name_cell_forward, 1, input + recurrent, weights, 1, || {
            lstm::cell_forward(params, black_box(&x[0]), &init, &mut next, &mut caches[0]);
        });
        // Backward replaces the gates and the gradient of the state: both are copied afresh each time.
        let gates = caches[0].clone();
        let (grads, dx) = (&mut grads.all_mut()[0], &mut dx.all_mut()[0]);
        bench.time(
            name_cell_backward,
            1,
            2 * (input + recurrent),
            weights,
            3,
            || {
                caches[0].clone_from(&gates);
                let (cache, mut dstate) = (&mut caches[0], init.clone());
                lstm::cell_backward(
                    params,
                    black_box(&x[0]),
                    &init,
                    cache,
                    &mut dstate,
                    grads,
                    dx,
                );
            },
        );
    }
    let products = STEPS * (input + recurrent);
    bench.time(name_forward, 1, products, wa, STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches);
        black_box(tape.is_ok());
    });
    let (grads, dx) = (&mut grads.all_mut()[0], dx.all_mut());
    bench.time(name_training, 1, 3 * products, wa, 2 * STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches).unwrap();
        let mut dstate = lstm::State::zeros();
        tape.backward(da, grads, Some(dx), &mut dstate).unwrap();
    });
}

fn bench_rnn<const X: usize, const A: usize, const M: usize, T: Real>(bench: &mut Bench) {
    let name_forward = label::<T>("RNN forward", X, A, M);
    let name_training = label::<T>("RNN forward + backward", X, A, M);
    if !bench.wants(&name_forward) && !bench.wants(&name_training) {
        return;
    }
    let mut random = Random::new(1);
    let params = random_buffer::<Affine<X, A, T>>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, M, T>>(STEPS, 1.0, &mut random);
    let da = random_buffer::<Matrix<A, M, T>>(STEPS, 1.0, &mut random);
    let mut a = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut caches = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut dx = Buffer::<Matrix<X, M, T>>::zeros(STEPS);
    let mut grads: Affine<X, A, T> = Affine::zeros();
    let init: Matrix<A, M, T> = random.flat(1.0);
    let ([params], x, da) = (params.all(), x.all(), da.all()) else {
        unreachable!();
    };
    let (a, caches, dx) = (a.all_mut(), caches.all_mut(), dx.all_mut());

    {
        let (a, caches) = (&mut a[..CHECKED], &mut caches[..CHECKED]);
        let (x, da, dx) = (&x[..CHECKED], &da[..CHECKED], &mut dx[..CHECKED]);
        let tape = params.forward(x, &init, a, caches).unwrap();
        let mut dstate = Matrix::zeros();
        tape.backward(da, &mut grads, Some(dx), &mut dstate)
            .unwrap();
        let (mut expected, mut expected_state) = (Affine::zeros(), Matrix::zeros());
        for t in (0..CHECKED).rev() {
            let a_prev = if t == 0 { &init } else { &a[t - 1] };
            assert_same_bits(
                "a",
                &a[t],
                &contract::rnn_forward(contract::Nonlinearity::Tanh, params, &x[t], a_prev),
            );
            let (mut dz, state) = (da[t].clone(), &mut expected_state);
            let dx_t = contract::rnn_backward(
                contract::Nonlinearity::Tanh,
                params,
                &x[t],
                a_prev,
                &a[t],
                &mut dz,
                state,
                &mut expected,
            );
            assert_same_bits("dx", &dx[t], &dx_t);
            assert_same_bits("dz", &caches[t], &dz);
        }
        assert_same_bits("the gradient", &grads, &expected);
        assert_same_bits("the gradient of the state", &dstate, &expected_state);
    }

    let products = STEPS * A * (A + X) * M;
    let wa = params.wa.as_flat();
    bench.time(name_forward, 1, products, wa, STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches);
        black_box(tape.is_ok());
    });
    bench.time(name_training, 1, 3 * products, wa, 2 * STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches).unwrap();
        let mut dstate = Matrix::zeros();
        tape.backward(da, &mut grads, Some(dx), &mut dstate)
            .unwrap();
    });
}

fn main() -> ExitCode {
    let bench = &mut Bench {
        // Cargo adds an option.
        words: std::env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-'))
            .collect(),
        rows: vec![],
        peaks: [0.0; 2],
    };
    // Those of audio first.
    bench_step::<1, 8, f32>(bench);
    bench_step::<1, 16, f32>(bench);
    bench_step::<1, 20, f32>(bench);
    bench_step::<1, 24, f32>(bench);
    bench_step::<1, 32, f32>(bench);
    bench_step::<1, 40, f32>(bench);
    bench_step::<1, 64, f32>(bench);
    bench_step::<8, 8, f32>(bench);
    bench_step::<16, 32, f32>(bench);
    bench_step::<32, 64, f32>(bench);
    bench_step::<64, 128, f32>(bench);
    bench_step::<128, 256, f32>(bench);
    // Sizes that are no multiple of a vector, each beside the next multiple of 16.
    bench_step::<16, 20, f32>(bench);
    bench_step::<16, 33, f32>(bench);
    bench_step::<16, 48, f32>(bench);
    bench_step::<16, 50, f32>(bench);
    bench_step::<16, 64, f32>(bench);
    bench_step::<16, 32, f64>(bench);
    bench_step::<32, 64, f64>(bench);
    bench_step::<64, 128, f64>(bench);
    bench_lstm::<8, 8, 1, f32>(bench);
    bench_lstm::<16, 32, 1, f32>(bench);
    bench_lstm::<32, 64, 1, f32>(bench);
    bench_lstm::<64, 128, 1, f32>(bench);
    bench_lstm::<128, 256, 1, f32>(bench);
    bench_lstm::<32, 64, 8, f32>(bench);
    bench_lstm::<64, 128, 8, f32>(bench);
    bench_lstm::<128, 256, 8, f32>(bench);
    bench_lstm::<32, 64, 32, f32>(bench);
    bench_lstm::<64, 128, 32, f32>(bench);
    bench_lstm::<128, 256, 32, f32>(bench);
    bench_lstm::<16, 20, 1, f32>(bench);
    bench_lstm::<16, 33, 1, f32>(bench);
    bench_lstm::<16, 48, 1, f32>(bench);
    bench_lstm::<16, 50, 1, f32>(bench);
    bench_lstm::<16, 64, 1, f32>(bench);
    bench_lstm::<32, 64, 1, f64>(bench);
    bench_lstm::<32, 64, 8, f64>(bench);
    bench_rnn::<32, 64, 1, f32>(bench);
    bench_rnn::<32, 64, 32, f32>(bench);
    if bench.rows.is_empty() {
        println!("no row has any of these in its name: {:?}", bench.words);
        return ExitCode::FAILURE;
    }
    let impossible = bench.print();
    for row in &impossible {
        println!("above 100 % of its limit: {}", row.name);
    }
    ExitCode::from(u8::from(!impossible.is_empty()))
}
