//! How long the kernels take, and what part of that the hardware would need at best.
//!
//! ```text
//! cargo bench --bench kernels              all of it, some minutes
//! cargo bench --bench kernels -- step      what has "step" in its name
//! ```
//!
//! Criterion times each kernel, and a table follows at the end. Its limit is the longer of two times, both measured
//! before and after the kernel: the multiply-and-adds at the best rate that this core reached in the run without
//! touching memory, and the recurrent weights read once a step from the cache they live in. Activations are not part of
//! the limit. All buffers start with a cache line.
//!
//! Before a kernel is timed its results are compared with the plain loops of `tests/common/contract.rs`, bit for bit.

mod buffer;
#[path = "../tests/common/contract.rs"]
mod contract;
#[path = "../tests/common/random.rs"]
mod random;
mod roofline;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bptt::{Affine, Flat, Matrix, Real, lstm, rnn};
use buffer::Buffer;
use criterion::Criterion;
use random::Random;

/// Time steps of a sequence.
const STEPS: usize = 100;
/// How many of them are compared with the contract.
const CHECKED: usize = 3;

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
    criterion: Criterion,
    rows: Vec<Row>,
    /// The best rates of the run, for f32 and f64.
    peaks: [f64; 2],
}

impl Bench {
    /// Times `f`, which does `products` multiply-and-adds and reads `weights` `passes` times.
    fn time<T: Real>(
        &mut self,
        name: String,
        products: usize,
        weights: &[T],
        passes: usize,
        mut f: impl FnMut(),
    ) {
        let mut time = f64::INFINITY;
        let mut read = roofline::read(weights);
        let mut peak = roofline::peak::<T>();
        self.criterion.bench_function(&name, |b| {
            b.iter_custom(|calls| {
                let start = Instant::now();
                for _ in 0..calls {
                    f();
                }
                let elapsed = start.elapsed();
                time = time.min(elapsed.as_secs_f64() / calls as f64);
                elapsed
            });
        });
        read = read.min(roofline::read(weights));
        peak = peak.max(roofline::peak::<T>());
        let bytes = size_of::<T>();
        let best = &mut self.peaks[bytes / 8];
        *best = best.max(peak);
        // A filter on the command line leaves it out.
        if time.is_finite() {
            self.rows.push(Row {
                name,
                time,
                products: products as f64,
                bytes,
                memory: passes as f64 * read,
            });
        }
    }

    fn print(&self) {
        println!("Instruction set: {:?}", bptt::backend());
        println!("| | µs | limit, µs | set by | limit / time |");
        println!("|---|---|---|---|---|");
        for row in &self.rows {
            let arithmetic = row.products / self.peaks[row.bytes / 8];
            let limit = arithmetic.max(row.memory);
            println!(
                "| {} | {:.3} | {:.3} | {} | {:.0} % |",
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
        }
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

fn bench_lstm<const X: usize, const A: usize, const M: usize, T: Real>(bench: &mut Bench) {
    let mut random = Random::new(1);
    let params = random_buffer::<lstm::Params<X, A, T>>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, M, T>>(STEPS, 1.0, &mut random);
    let da = random_buffer::<Matrix<A, M, T>>(STEPS, 1.0, &mut random);
    let mut a = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut caches = Buffer::<lstm::Cache<A, M, T>>::zeros(STEPS);
    let mut dx = Buffer::<Matrix<X, M, T>>::zeros(STEPS);
    let mut grads = Buffer::<lstm::Params<X, A, T>>::zeros(1);
    let init: lstm::State<A, M, T> = random.flat(1.0);
    let mut next = lstm::State::zeros();
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
        lstm::step(params, &x[0], &init, &mut next);
        lstm::forward(params, x, &init, a, caches).unwrap();
        let mut expected_caches = vec![];
        for t in 0..CHECKED {
            let (a_prev, c_prev) = match t {
                0 => (&init.a, &init.c),
                t => (&a[t - 1], &caches[t - 1].c),
            };
            let (a_t, cache) = contract::lstm_forward(params, &x[t], a_prev, c_prev);
            assert_same_bits("a", &a[t], &a_t);
            assert_same_bits("a cache", &caches[t], &cache);
            if t == 0 {
                assert_same_bits("a of step", &next.a, &a_t);
                assert_same_bits("c of step", &next.c, &cache.c);
            }
            expected_caches.push(cache);
        }
        let mut dstate = lstm::State::zeros();
        let mut expected_dstate = lstm::State::zeros();
        let out = Some(&mut *dx);
        lstm::backward(params, x, &init, a, caches, da, grads, out, &mut dstate).unwrap();
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
        }
        assert_same_bits("the gradient", grads, expected);
        assert_same_bits("the gradient of the state", &dstate, &expected_dstate);
    }

    let (input, recurrent) = (4 * A * X * M, 4 * A * A * M);
    let weights = params.as_flat();
    let wa = &weights[..4 * A * A]; // as many scalars as all Wa
    if M == 1 {
        let name = label::<T>("LSTM step", X, A, M);
        bench.time(name, input + recurrent, weights, 1, || {
            lstm::step(
                params,
                black_box(&x[0]),
                black_box(&init),
                black_box(&mut next),
            );
        });
    }
    let (a, caches) = (a.all_mut(), caches.all_mut());
    if M == 1 && A == 64 {
        let name = label::<T>("LSTM cell forward", X, A, M);
        bench.time(name, input + recurrent, weights, 1, || {
            lstm::cell_forward(params, black_box(&x[0]), &init, &mut next, &mut caches[0]);
        });
        // Backward replaces the gates and the gradient of the state: both are copied afresh each time.
        let gates = caches[0].clone();
        let (grads, dx) = (&mut grads.all_mut()[0], &mut dx.all_mut()[0]);
        let name = label::<T>("LSTM cell backward", X, A, M);
        bench.time(name, 2 * (input + recurrent), weights, 3, || {
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
        });
    }
    let products = STEPS * (input + recurrent);
    let name_forward = label::<T>("LSTM forward", X, A, M);
    bench.time(name_forward, products, wa, STEPS, || {
        lstm::forward(params, black_box(x), &init, a, caches).unwrap();
    });
    let (grads, dx) = (&mut grads.all_mut()[0], dx.all_mut());
    let name_training = label::<T>("LSTM forward + backward", X, A, M);
    bench.time(name_training, 3 * products, wa, 2 * STEPS, || {
        lstm::forward(params, black_box(x), &init, a, caches).unwrap();
        let mut dstate = lstm::State::zeros();
        let dx = Some(&mut *dx);
        lstm::backward(params, x, &init, a, caches, da, grads, dx, &mut dstate).unwrap();
    });
}

fn bench_rnn<const X: usize, const A: usize, const M: usize, T: Real>(bench: &mut Bench) {
    let mut random = Random::new(1);
    let params = random_buffer::<Affine<X, A, T>>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, M, T>>(STEPS, 1.0, &mut random);
    let da_given = random_buffer::<Matrix<A, M, T>>(STEPS, 1.0, &mut random);
    let mut da = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut a = Buffer::<Matrix<A, M, T>>::zeros(STEPS);
    let mut dx = Buffer::<Matrix<X, M, T>>::zeros(STEPS);
    let mut grads: Affine<X, A, T> = Affine::zeros();
    let a0: Matrix<A, M, T> = random.flat(1.0);
    let ([params], x, da_given) = (params.all(), x.all(), da_given.all()) else {
        unreachable!();
    };
    let (a, da, dx) = (a.all_mut(), da.all_mut(), dx.all_mut());

    {
        let (a, da, dx) = (&mut a[..CHECKED], &mut da[..CHECKED], &mut dx[..CHECKED]);
        let x = &x[..CHECKED];
        da.clone_from_slice(&da_given[..CHECKED]);
        rnn::forward(params, x, &a0, a).unwrap();
        let mut da_state = Matrix::zeros();
        let out = Some(&mut *dx);
        rnn::backward(params, x, &a0, a, da, &mut grads, out, &mut da_state).unwrap();
        let (mut expected, mut expected_state) = (Affine::zeros(), Matrix::zeros());
        for t in (0..CHECKED).rev() {
            let a_prev = if t == 0 { &a0 } else { &a[t - 1] };
            assert_same_bits("a", &a[t], &contract::rnn_forward(params, &x[t], a_prev));
            let (mut da_t, state) = (da_given[t].clone(), &mut expected_state);
            let dx_t = contract::rnn_backward(
                params,
                &x[t],
                a_prev,
                &a[t],
                &mut da_t,
                state,
                &mut expected,
            );
            assert_same_bits("dx", &dx[t], &dx_t);
        }
        assert_same_bits("the gradient", &grads, &expected);
        assert_same_bits("the gradient of the state", &da_state, &expected_state);
    }

    let products = STEPS * A * (A + X) * M;
    let wa = params.wa.as_flat();
    let name_forward = label::<T>("RNN forward", X, A, M);
    bench.time(name_forward, products, wa, STEPS, || {
        rnn::forward(params, black_box(x), &a0, a).unwrap();
    });
    let name_training = label::<T>("RNN forward + backward", X, A, M);
    bench.time(name_training, 3 * products, wa, 2 * STEPS, || {
        rnn::forward(params, black_box(x), &a0, a).unwrap();
        da.clone_from_slice(da_given);
        let (dx, mut da_state) = (Some(&mut *dx), Matrix::zeros());
        rnn::backward(params, x, &a0, a, da, &mut grads, dx, &mut da_state).unwrap();
    });
}

fn main() {
    let criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots()
        .configure_from_args();
    let bench = &mut Bench {
        criterion,
        rows: vec![],
        peaks: [0.0; 2],
    };
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
    // Sizes that are no multiple of a vector, each beside the next multiple of 16.
    bench_lstm::<16, 20, 1, f32>(bench);
    bench_lstm::<16, 33, 1, f32>(bench);
    bench_lstm::<16, 48, 1, f32>(bench);
    bench_lstm::<16, 50, 1, f32>(bench);
    bench_lstm::<16, 64, 1, f32>(bench);
    bench_lstm::<32, 64, 1, f64>(bench);
    bench_lstm::<32, 64, 8, f64>(bench);
    bench_rnn::<32, 64, 1, f32>(bench);
    bench_rnn::<32, 64, 32, f32>(bench);
    bench.criterion.final_summary();
    bench.print();
}
