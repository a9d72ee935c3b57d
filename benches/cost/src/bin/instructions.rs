//! Calls one kernel so many times, and nothing else: for an instruction counter around the process.
//!
//! ```text
//! instructions                  the names of the kernels
//! instructions KERNEL CALLS
//! ```

use std::hint::black_box;

use bptt::quantized::{self, Scale};
use bptt::{Cell, Flat, Matrix, Real, activation, backend, dense, gru, lstm, rnn};

/// Time steps of a sequence.
const STEPS: usize = 10;

/// A kernel under a name: what is called, how often.
type Case = (&'static str, fn(usize));

const CASES: [Case; 33] = [
    (
        "lstm step (8, 8) f32",
        step::<lstm::Params<8, 8, f32>, 8, 8>,
    ),
    (
        "lstm step (6, 15) f32",
        step::<lstm::Params<6, 15, f32>, 6, 15>,
    ),
    (
        "lstm step (16, 20) f32",
        step::<lstm::Params<16, 20, f32>, 16, 20>,
    ),
    (
        "lstm step (16, 32) f32",
        step::<lstm::Params<16, 32, f32>, 16, 32>,
    ),
    (
        "lstm step (64, 128) f32",
        step::<lstm::Params<64, 128, f32>, 64, 128>,
    ),
    (
        "lstm step (16, 32) f64",
        step::<lstm::Params<16, 32, f64>, 16, 32>,
    ),
    ("lstm cell forward (16, 32) f32", cell::<16, 32, f32>),
    (
        "lstm forward (16, 32) M=1 f32",
        lstm_forward::<16, 32, 1, f32>,
    ),
    (
        "lstm forward (16, 32) M=8 f32",
        lstm_forward::<16, 32, 8, f32>,
    ),
    (
        "lstm training (16, 20) M=1 f32",
        lstm_training::<16, 20, 1, f32>,
    ),
    (
        "lstm training (16, 32) M=1 f32",
        lstm_training::<16, 32, 1, f32>,
    ),
    (
        "lstm training (16, 32) M=8 f32",
        lstm_training::<16, 32, 8, f32>,
    ),
    (
        "lstm training (16, 32) M=8 f64",
        lstm_training::<16, 32, 8, f64>,
    ),
    ("gru step (8, 8) f32", step::<gru::ResetAfter<8, 8>, 8, 8>),
    (
        "gru step (6, 15) f32",
        step::<gru::ResetAfter<6, 15>, 6, 15>,
    ),
    (
        "gru step (16, 32) f32",
        step::<gru::ResetAfter<16, 32>, 16, 32>,
    ),
    (
        "gru step (64, 128) f32",
        step::<gru::ResetAfter<64, 128>, 64, 128>,
    ),
    ("gru forward (16, 32) M=1 f32", |calls| {
        sequence::<gru::ResetAfter<16, 32>, 16, 32, 1>(calls, false)
    }),
    ("gru training (16, 32) M=1 f32", |calls| {
        sequence::<gru::ResetAfter<16, 32>, 16, 32, 1>(calls, true)
    }),
    ("gru training (16, 32) M=8 f32", |calls| {
        sequence::<gru::ResetAfter<16, 32>, 16, 32, 8>(calls, true)
    }),
    (
        "gru reset before step (16, 32) f32",
        step::<gru::ResetBefore<16, 32>, 16, 32>,
    ),
    (
        "gru reset before step (64, 128) f32",
        step::<gru::ResetBefore<64, 128>, 64, 128>,
    ),
    ("gru reset before training (16, 32) M=8 f32", |calls| {
        sequence::<gru::ResetBefore<16, 32>, 16, 32, 8>(calls, true)
    }),
    (
        "rnn forward (16, 32) M=1 f32",
        rnn_forward::<16, 32, 1, f32>,
    ),
    (
        "rnn training (16, 32) M=8 f32",
        rnn_training::<16, 32, 8, f32>,
    ),
    (
        "lstm step (16, 32) i8",
        step_in_integers::<quantized::Lstm<16, 32>, 16, 32>,
    ),
    (
        "lstm step (64, 128) i8",
        step_in_integers::<quantized::Lstm<64, 128>, 64, 128>,
    ),
    (
        "lstm step (16, 32) i16",
        step_in_integers::<quantized::Lstm<16, 32, i16>, 16, 32>,
    ),
    (
        "gru step (16, 32) i8",
        step_in_integers::<quantized::ResetAfter<16, 32>, 16, 32>,
    ),
    ("dense forward 64 to 10 f32", dense::<64, 10, f32>),
    ("exp of 1024 f32", |calls| {
        slice(calls, activation::exp_slice)
    }),
    ("sigmoid of 1024 f32", |calls| {
        slice(calls, activation::sigmoid_slice)
    }),
    ("tanh of 1024 f32", |calls| {
        slice(calls, activation::tanh_slice)
    }),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        for (name, _) in CASES {
            println!("{:?}: {name}", backend());
        }
        return;
    };
    let calls = arguments.next().expect("the number of calls");
    let calls = calls.parse().expect("a number");
    let (_, run) = CASES.iter().find(|case| case.0 == name).expect("a kernel");
    run(calls);
}

/// Small numbers of both signs.
fn numbers<F: Flat>(steps: usize) -> Vec<F::Scalar> {
    (0..steps * F::LEN)
        .map(|i| F::Scalar::from_f64((i * 37 % 101) as f64 / 500.0 - 0.1))
        .collect()
}

fn step<C: Cell<X, A>, const X: usize, const A: usize>(calls: usize) {
    let params = numbers::<C>(1);
    let params = C::from_flat(&params).unwrap();
    let x = Matrix::<X, 1, C::Scalar>::zeros();
    let (prev, mut next) = (C::State::<1>::ZEROS, C::State::ZEROS);
    for _ in 0..calls {
        params.step(black_box(&x), &prev, &mut next);
    }
    black_box(next);
}

fn step_in_integers<C: quantized::Cell<X, A, Scales = Scale>, const X: usize, const A: usize>(
    calls: usize,
) {
    let mut params = C::Float::ZEROS;
    params
        .as_flat_mut()
        .copy_from_slice(&numbers::<C::Float>(1));
    let mut cell = C::default();
    cell.quantize(&params, Scale::UNIT).unwrap();
    let (prev, mut next) = (C::State::<1>::default(), C::State::default());
    for _ in 0..calls {
        cell.step(black_box(&[[1000; X]]), &prev, &mut next);
    }
    black_box(next);
}

fn cell<const X: usize, const A: usize, T: Real>(calls: usize) {
    let params = numbers::<lstm::Params<X, A, T>>(1);
    let params = lstm::Params::<X, A, T>::from_flat(&params).unwrap();
    let x = Matrix::<X, 1, T>::zeros();
    let (prev, mut next) = (lstm::State::<A, 1, T>::zeros(), lstm::State::zeros());
    let mut cache = lstm::Cache::zeros();
    for _ in 0..calls {
        lstm::cell_forward(params, black_box(&x), &prev, &mut next, &mut cache);
    }
    black_box((next, cache));
}

fn lstm_forward<const X: usize, const A: usize, const M: usize, T: Real>(calls: usize) {
    sequence::<lstm::Params<X, A, T>, X, A, M>(calls, false);
}

fn lstm_training<const X: usize, const A: usize, const M: usize, T: Real>(calls: usize) {
    sequence::<lstm::Params<X, A, T>, X, A, M>(calls, true);
}

fn rnn_forward<const X: usize, const A: usize, const M: usize, T: Real>(calls: usize) {
    sequence::<rnn::Params<X, A, T>, X, A, M>(calls, false);
}

fn rnn_training<const X: usize, const A: usize, const M: usize, T: Real>(calls: usize) {
    sequence::<rnn::Params<X, A, T>, X, A, M>(calls, true);
}

fn sequence<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    calls: usize,
    train: bool,
) {
    let params = numbers::<C>(1);
    let params = C::from_flat(&params).unwrap();
    let x = numbers::<Matrix<X, M, C::Scalar>>(STEPS);
    let x = Matrix::<X, M, C::Scalar>::slice_from_flat(&x).unwrap();
    let da = numbers::<Matrix<A, M, C::Scalar>>(STEPS);
    let da = Matrix::<A, M, C::Scalar>::slice_from_flat(&da).unwrap();
    let init = C::State::<M>::ZEROS;
    let mut a = vec![Matrix::ZEROS; STEPS];
    let mut caches = vec![C::Cache::ZEROS; STEPS];
    let mut dx = vec![Matrix::ZEROS; STEPS];
    let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
    for _ in 0..calls {
        let tape = params.forward(black_box(x), &init, &mut a, &mut caches);
        let tape = tape.unwrap();
        if train {
            tape.backward(da, &mut grads, Some(&mut dx), &mut dstate)
                .unwrap();
        }
    }
    black_box((a, dx, grads, dstate));
}

fn dense<const A: usize, const Y: usize, T: Real>(calls: usize) {
    let params = numbers::<dense::Params<A, Y, T>>(1);
    let params = dense::Params::<A, Y, T>::from_flat(&params).unwrap();
    let (a, mut y) = (Matrix::<A, 1, T>::zeros(), Matrix::zeros());
    for _ in 0..calls {
        dense::forward(params, black_box(&a), &mut y);
    }
    black_box(y);
}

fn slice(calls: usize, run: fn(&mut [f32])) {
    let mut x = numbers::<Matrix<1024, 1>>(1);
    for _ in 0..calls {
        run(black_box(&mut x));
    }
}
