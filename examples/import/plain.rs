//! The network computed by plain loops: in f64 the expected outputs of a proof, in f32 the bits that
//! every target must give.
//!
//! The order of the operations is that of the arithmetic contract (README.md): a pre-activation
//! starts at b, adds the columns of Wx in ascending order, then those of Wa. The equations are those of
//! `bptt::lstm`, `bptt::gru`, `bptt::rnn` and `bptt::dense`.

use bptt::Real;
use bptt::activation::{exp, sigmoid, tanh};

use crate::read::network::{Activation, Cell, Dense, Gate, Kind, Layer, Network};

/// The outputs of all steps, (T, batch, Y), of inputs (T, batch, X).
pub fn run<T: Real>(network: &Network, x: &[f32], batch: usize) -> Vec<T> {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let steps = x.len() / (batch * inputs);
    let mut y = vec![T::ZERO; steps * batch * outputs];
    for sample in 0..batch {
        let at = |t: usize| t * batch + sample;
        let sequence = (0..steps).map(|t| numbers(&x[at(t) * inputs..][..inputs]));
        for (t, output) in one(network, sequence.collect()).into_iter().enumerate() {
            y[at(t) * outputs..][..outputs].copy_from_slice(&output);
        }
    }
    y
}

/// One sequence.
fn one<T: Real>(network: &Network, x: Vec<Vec<T>>) -> Vec<Vec<T>> {
    let [gain_in, gain_out] = network.gain.map(|gain| T::from_f64(gain.into()));
    let scaled = |gain: T, sequence: Vec<Vec<T>>| match gain == T::ONE {
        true => sequence,
        false => (sequence.into_iter())
            .map(|v| v.into_iter().map(|v| v * gain).collect())
            .collect(),
    };
    let x = scaled(gain_in, x);
    let mut y = x.clone();
    for layer in &network.layers {
        y = match layer {
            Layer::Forward(cell) => recurrent(cell, y.iter()),
            Layer::Backward(cell) => backward(cell, &y),
            Layer::Both(first, second) => {
                let mut both = recurrent(first, y.iter());
                for (first, second) in both.iter_mut().zip(backward(second, &y)) {
                    first.extend(second);
                }
                both
            }
            Layer::Dense(layer) => y.iter().map(|a| dense(layer, a)).collect(),
        };
    }
    if network.skip {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            *y = *y + *x;
        }
    }
    scaled(gain_out, y)
}

/// From the last input to the first; the outputs stand in the order of the inputs.
fn backward<T: Real>(cell: &Cell, x: &[Vec<T>]) -> Vec<Vec<T>> {
    let mut a = recurrent(cell, x.iter().rev());
    a.reverse();
    a
}

/// a⟨t⟩ for each input.
fn recurrent<'a, T: Real>(cell: &Cell, x: impl Iterator<Item = &'a Vec<T>>) -> Vec<Vec<T>> {
    let (mut a, mut c) = (numbers(&cell.a), numbers(&cell.c));
    let step = |x: &Vec<T>| {
        (a, c) = cell_step(cell, x, &a, &c);
        a.clone()
    };
    x.map(step).collect()
}

/// a⟨t⟩ and, of an LSTM, c⟨t⟩.
fn cell_step<T: Real>(cell: &Cell, x: &[T], a_prev: &[T], c_prev: &[T]) -> (Vec<T>, Vec<T>) {
    let z = |gate: usize| affine(&cell.gates[gate], x, a_prev);
    let units = 0..cell.units;
    match cell.kind {
        Kind::Lstm => {
            let [f, i, g, o] = [0, 1, 2, 3].map(z);
            let new = units.map(|r| {
                let (f, i, o) = (sigmoid(f[r]), sigmoid(i[r]), sigmoid(o[r]));
                let c = flush(f * c_prev[r] + i * tanh(g[r]));
                (o * tanh(c), c)
            });
            new.unzip()
        }
        Kind::GruAfter => {
            let ([r, u], n) = ([0, 1].map(z), &cell.gates[2]);
            let z_x = sum(numbers(&n.b), &n.wx, x);
            let s = sum(numbers(&cell.bna), &n.wa, a_prev);
            let a = units.map(|j| {
                let n = tanh(z_x[j] + sigmoid(r[j]) * s[j]);
                blend(sigmoid(u[j]), n, a_prev[j])
            });
            (a.collect(), Vec::new())
        }
        Kind::GruBefore => {
            let [r, u] = [0, 1].map(z);
            let s: Vec<T> = units.clone().map(|j| sigmoid(r[j]) * a_prev[j]).collect();
            let n = affine(&cell.gates[2], x, &s);
            let a = units.map(|j| blend(sigmoid(u[j]), tanh(n[j]), a_prev[j]));
            (a.collect(), Vec::new())
        }
        Kind::RnnTanh => (
            z(0).into_iter().map(|z| flush(tanh(z))).collect(),
            Vec::new(),
        ),
        Kind::RnnRelu => (
            z(0).into_iter().map(|z| flush(relu(z))).collect(),
            Vec::new(),
        ),
    }
}

/// a⟨t⟩ = (1 − u)·n + u·a⟨t−1⟩
fn blend<T: Real>(u: T, n: T, a_prev: T) -> T {
    flush((T::ONE - u) * n + u * a_prev)
}

/// y = activation(W·a + b)
fn dense<T: Real>(layer: &Dense, a: &[T]) -> Vec<T> {
    let mut y = sum(numbers(&layer.b), &layer.w, a);
    match layer.activation {
        Activation::None => {}
        Activation::Tanh => y.iter_mut().for_each(|y| *y = tanh(*y)),
        Activation::Sigmoid => y.iter_mut().for_each(|y| *y = sigmoid(*y)),
        Activation::Relu => y.iter_mut().for_each(|y| *y = relu(*y)),
        Activation::Softmax => softmax(&mut y),
    }
    y
}

/// exp(y − greatest), divided by their sum: 1 for the greatest, and the others.
fn softmax<T: Real>(y: &mut [T]) {
    let greatest = (0..y.len()).fold(0, |l, k| if y[k] > y[l] { k } else { l });
    let largest = y[greatest];
    y.iter_mut().for_each(|y| *y = exp(*y - largest));
    let others = (0..y.len()).filter(|&k| k != greatest);
    let sum = T::ONE + others.fold(T::ZERO, |sum, k| sum + y[k]);
    y.iter_mut().for_each(|y| *y = *y / sum);
}

/// b + Wx·x + Wa·a
fn affine<T: Real>(gate: &Gate, x: &[T], a: &[T]) -> Vec<T> {
    sum(sum(numbers(&gate.b), &gate.wx, x), &gate.wa, a)
}

/// z + W·v, the columns of W in ascending order.
fn sum<T: Real>(mut z: Vec<T>, w: &[f32], v: &[T]) -> Vec<T> {
    for (z, w) in z.iter_mut().zip(w.chunks_exact(v.len())) {
        for (w, v) in w.iter().zip(v) {
            *z = *z + T::from_f64(f64::from(*w)) * *v;
        }
    }
    z
}

fn relu<T: Real>(z: T) -> T {
    if z < T::ZERO { T::ZERO } else { z }
}

/// What is carried on becomes +0 below the smallest normal number.
fn flush<T: Real>(x: T) -> T {
    let smallest = match size_of::<T>() {
        4 => f32::MIN_POSITIVE.into(),
        _ => f64::MIN_POSITIVE,
    };
    if x.to_f64().abs() < smallest {
        T::ZERO
    } else {
        x
    }
}

fn numbers<T: Real>(numbers: &[f32]) -> Vec<T> {
    let number = |number: &f32| T::from_f64(f64::from(*number));
    numbers.iter().map(number).collect()
}

/// The greatest of all differences; NaN, if there is one.
pub fn greatest_difference(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |l: f64, d| if d > l || d.is_nan() { d } else { l })
}
