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
#[path = "../tests/common/cells.rs"]
mod cells;
#[path = "../tests/common/contract.rs"]
mod contract;
#[path = "../tests/common/random.rs"]
mod random;
mod roofline;

use std::hint::black_box;
use std::process::ExitCode;

use bptt::{Affine, Cell, Flat, Matrix, Real, gru, lstm, rnn};
use buffer::Buffer;
use cells::Plain;
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

/// The number of affine maps of a cell.
fn gates<C: Cell<X, A>, const X: usize, const A: usize>() -> usize {
    C::LEN / Affine::<X, A>::LEN
}

/// A step whose state is fed back: two states take turns.
fn step<C: Plain<X, A>, const X: usize, const A: usize>(bench: &mut Bench, cell: &str) {
    let name = label::<C::Scalar>(&format!("{cell} step"), X, A, 1);
    if !bench.wants(&name) {
        return;
    }
    let mut random = Random::new(1);
    let params = random_buffer::<C>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, 1, C::Scalar>>(1, 1.0, &mut random);
    let mut states = Buffer::<C::State<1>>::zeros(2);
    let ([params], [x], [even, odd]) = (params.all(), x.all(), states.all_mut()) else {
        unreachable!();
    };
    let mut cache = C::Cache::ZEROS;
    for _ in 0..CHECKED {
        let expected = params.contract_forward(x, even, &mut cache);
        params.step(x, even, odd);
        assert_same_bits("the state after a step", odd, &expected);
        even.clone_from(odd);
    }
    let products = gates::<C, X, A>() * A * (X + A);
    bench.time(name, 2, products, params.as_flat(), 1, || {
        params.step(black_box(x), even, odd);
        params.step(black_box(x), odd, even);
    });
}

fn sequence<C: Plain<X, A>, const X: usize, const A: usize, const M: usize>(
    bench: &mut Bench,
    cell: &str,
) {
    let label = |what| label::<C::Scalar>(&format!("{cell} {what}"), X, A, M);
    let [name_forward, name_training] = ["forward", "forward + backward"].map(label);
    let [name_cell_forward, name_cell_backward] = ["cell forward", "cell backward"].map(label);
    let cells = (X, A, M) == (32, 64, 1); // one shape is enough
    let wanted = bench.wants(&name_forward)
        || bench.wants(&name_training)
        || cells && (bench.wants(&name_cell_forward) || bench.wants(&name_cell_backward));
    if !wanted {
        return;
    }
    let mut random = Random::new(1);
    let params = random_buffer::<C>(1, 1.0 / (A as f64).sqrt(), &mut random);
    let x = random_buffer::<Matrix<X, M, C::Scalar>>(STEPS, 1.0, &mut random);
    let da = random_buffer::<Matrix<A, M, C::Scalar>>(STEPS, 1.0, &mut random);
    let mut a = Buffer::<Matrix<A, M, C::Scalar>>::zeros(STEPS);
    let mut caches = Buffer::<C::Cache<M>>::zeros(STEPS);
    let mut dx = Buffer::<Matrix<X, M, C::Scalar>>::zeros(STEPS);
    let mut grads = Buffer::<C>::zeros(1);
    let init: C::State<M> = random.flat(1.0);
    let ([params], x, da) = (params.all(), x.all(), da.all()) else {
        unreachable!();
    };
    let (a, caches, dx) = (a.all_mut(), caches.all_mut(), dx.all_mut());
    let grads = &mut grads.all_mut()[0];

    // Against the contract, over a few steps.
    {
        let mut expected = Buffer::<C>::zeros(1);
        let expected = &mut expected.all_mut()[0];
        let (a, caches) = (&mut a[..CHECKED], &mut caches[..CHECKED]);
        let (x, da, dx) = (&x[..CHECKED], &da[..CHECKED], &mut dx[..CHECKED]);
        let mut expected_caches = vec![C::Cache::<M>::ZEROS; CHECKED];
        let mut states = vec![init.clone()];
        for t in 0..CHECKED {
            states.push(params.contract_forward(&x[t], &states[t], &mut expected_caches[t]));
        }
        let tape = params.forward(x, &init, a, caches).unwrap();
        let mut dstate = C::State::ZEROS;
        let mut expected_dstate = C::State::ZEROS;
        tape.backward(da, grads, Some(dx), &mut dstate).unwrap();
        for t in (0..CHECKED).rev() {
            assert_same_bits(
                "a state",
                &C::state_after(&a[t], &caches[t]),
                &states[t + 1],
            );
            let (prev_and_next, cache) = ([&states[t], &states[t + 1]], &mut expected_caches[t]);
            let dstate = &mut expected_dstate;
            let dx_t =
                params.contract_backward(&x[t], prev_and_next, cache, &da[t], dstate, expected);
            assert_same_bits("dx", &dx[t], &dx_t);
            assert_same_bits("a cache", &caches[t], cache);
        }
        assert_same_bits("the gradient", grads, expected);
        assert_same_bits("the gradient of the state", &dstate, &expected_dstate);
    }

    let gates = gates::<C, X, A>();
    let (input, recurrent) = (gates * A * X * M, gates * A * A * M);
    let weights = params.as_flat();
    let wa = &weights[..gates * A * A]; // as many scalars as all Wa
    if cells {
        let mut next = C::State::ZEROS;
        bench.time(name_cell_forward, 1, input + recurrent, weights, 1, || {
            params.cell_forward(black_box(&x[0]), &init, &mut next, &mut caches[0]);
        });
        // Backward replaces the gates and the gradient of the state: both are copied afresh each time.
        let gates = caches[0].clone();
        let products = 2 * (input + recurrent);
        bench.time(name_cell_backward, 1, products, weights, 3, || {
            caches[0].clone_from(&gates);
            let (cache, mut dstate) = (&mut caches[0], init.clone());
            dx[0] =
                params.cell_backward(black_box(&x[0]), [&init, &next], cache, &mut dstate, grads);
        });
    }
    let products = STEPS * (input + recurrent);
    bench.time(name_forward, 1, products, wa, STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches);
        black_box(tape.is_ok());
    });
    bench.time(name_training, 1, 3 * products, wa, 2 * STEPS, || {
        let tape = params.forward(black_box(x), &init, a, caches).unwrap();
        let mut dstate = C::State::ZEROS;
        tape.backward(da, grads, Some(dx), &mut dstate).unwrap();
    });
}

fn lstm_step<const X: usize, const A: usize, T: Real>(bench: &mut Bench) {
    step::<lstm::Params<X, A, T>, X, A>(bench, "LSTM");
}

fn gru_step<const X: usize, const A: usize>(bench: &mut Bench) {
    step::<gru::ResetAfter<X, A>, X, A>(bench, "GRU");
}

fn lstm<const X: usize, const A: usize, const M: usize, T: Real>(bench: &mut Bench) {
    sequence::<lstm::Params<X, A, T>, X, A, M>(bench, "LSTM");
}

fn gru<const X: usize, const A: usize, const M: usize>(bench: &mut Bench) {
    sequence::<gru::ResetAfter<X, A>, X, A, M>(bench, "GRU");
}

fn rnn<const X: usize, const A: usize, const M: usize>(bench: &mut Bench) {
    sequence::<rnn::Params<X, A>, X, A, M>(bench, "RNN");
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
    lstm_step::<1, 8, f32>(bench);
    lstm_step::<1, 16, f32>(bench);
    lstm_step::<1, 20, f32>(bench);
    lstm_step::<1, 24, f32>(bench);
    lstm_step::<1, 32, f32>(bench);
    lstm_step::<1, 40, f32>(bench);
    lstm_step::<1, 64, f32>(bench);
    lstm_step::<8, 8, f32>(bench);
    lstm_step::<16, 32, f32>(bench);
    lstm_step::<32, 64, f32>(bench);
    lstm_step::<64, 128, f32>(bench);
    lstm_step::<128, 256, f32>(bench);
    // Sizes that are no multiple of a vector, each beside the next multiple of 16.
    lstm_step::<16, 20, f32>(bench);
    lstm_step::<16, 33, f32>(bench);
    lstm_step::<16, 48, f32>(bench);
    lstm_step::<16, 50, f32>(bench);
    lstm_step::<16, 64, f32>(bench);
    lstm_step::<16, 32, f64>(bench);
    lstm_step::<32, 64, f64>(bench);
    lstm_step::<64, 128, f64>(bench);
    lstm::<8, 8, 1, f32>(bench);
    lstm::<16, 32, 1, f32>(bench);
    lstm::<32, 64, 1, f32>(bench);
    lstm::<64, 128, 1, f32>(bench);
    lstm::<128, 256, 1, f32>(bench);
    lstm::<32, 64, 8, f32>(bench);
    lstm::<64, 128, 8, f32>(bench);
    lstm::<128, 256, 8, f32>(bench);
    lstm::<32, 64, 32, f32>(bench);
    lstm::<64, 128, 32, f32>(bench);
    lstm::<128, 256, 32, f32>(bench);
    lstm::<16, 20, 1, f32>(bench);
    lstm::<16, 33, 1, f32>(bench);
    lstm::<16, 48, 1, f32>(bench);
    lstm::<16, 50, 1, f32>(bench);
    lstm::<16, 64, 1, f32>(bench);
    lstm::<32, 64, 1, f64>(bench);
    lstm::<32, 64, 8, f64>(bench);
    gru_step::<1, 4>(bench);
    gru_step::<8, 8>(bench);
    gru_step::<16, 32>(bench);
    gru_step::<32, 64>(bench);
    gru_step::<64, 128>(bench);
    gru_step::<128, 256>(bench);
    step::<gru::ResetBefore<16, 32>, 16, 32>(bench, "GRU, reset before,");
    step::<gru::ResetBefore<64, 128>, 64, 128>(bench, "GRU, reset before,");
    gru::<32, 64, 1>(bench);
    gru::<64, 128, 1>(bench);
    gru::<32, 64, 8>(bench);
    gru::<64, 128, 8>(bench);
    gru::<32, 64, 32>(bench);
    sequence::<gru::ResetBefore<32, 64>, 32, 64, 8>(bench, "GRU, reset before,");
    rnn::<32, 64, 1>(bench);
    rnn::<32, 64, 32>(bench);
    sequence::<rnn::Relu<32, 64>, 32, 64, 1>(bench, "RNN with ReLU");
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
