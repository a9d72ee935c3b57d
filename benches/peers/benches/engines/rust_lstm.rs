//! `rust-lstm`: LSTM layers, forward and backward, on `ndarray`, all in f64: it has no f32. Its GRU
//! has the reset before the product, which is another function, and it has no plain RNN.

use std::hint::black_box;

use ndarray::{Array2, ArrayView2};
use rust_lstm::layers::lstm_cell::LSTMCell;
use rust_lstm::models::lstm_network::LSTMNetwork;

use peers::work::{Case, Cell, Layer, Run, Task};

pub fn run(layer: &Layer) -> Option<Run> {
    let Case { cell, task, .. } = layer.case;
    match (cell, task) {
        (Cell::Gru | Cell::Rnn, _) => None,
        (Cell::Lstm, Task::Step) => Some(step(layer)),
        (Cell::Lstm, Task::Forward) => Some(forward(layer)),
        (Cell::Lstm, Task::Training) => Some(training(layer)),
    }
}

/// By rows.
fn matrix(values: &[f32], columns: usize) -> Array2<f64> {
    let shape = (values.len() / columns, columns);
    let values = ArrayView2::from_shape(shape, values).unwrap();
    values.mapv(f64::from)
}

/// A sequence as one matrix of a column a sample for each step.
fn columns(values: &[f32], m: usize, features: usize) -> Vec<Array2<f64>> {
    let steps = values.chunks_exact(m * features);
    steps
        .map(|v| matrix(v, features).t().as_standard_layout().into_owned())
        .collect()
}

fn append(out: &mut Vec<f32>, values: ArrayView2<f64>) {
    out.extend(values.iter().map(|v| *v as f32));
}

/// With one of the two biases that it has.
fn network(layer: &Layer) -> LSTMNetwork {
    let Case { task, x, a, .. } = layer.case;
    let mut cell = LSTMCell::new(x, a);
    cell.w_ih = matrix(&layer.wx, x);
    cell.w_hh = matrix(&layer.wa, a);
    cell.b_ih = matrix(&layer.b, 1);
    let mut network = LSTMNetwork::from_cells(vec![cell], x, a, 1);
    if task != Task::Training {
        network.eval();
    }
    network
}

fn step(layer: &Layer) -> Run {
    let Case { x, m, .. } = layer.case;
    let mut network = network(layer);
    let inputs = columns(&layer.x, m, x);
    let start = network.zero_state(m);
    Box::new(move |mut out| {
        let mut state = start.clone();
        for x in &inputs {
            state = network.forward(x, &state).1;
            if let Some(out) = &mut out {
                append(out, state.h[0].t());
            }
        }
        black_box(&state);
    })
}

fn forward(layer: &Layer) -> Run {
    let Case { x, m, .. } = layer.case;
    let mut network = network(layer);
    let inputs = columns(&layer.x, m, x);
    Box::new(move |out| {
        let a = black_box(network.forward_sequence(&inputs));
        if let Some(out) = out {
            a.iter().for_each(|a| append(out, a.t()));
        }
    })
}

fn training(layer: &Layer) -> Run {
    let Case { x, a, m, .. } = layer.case;
    let mut network = network(layer);
    let inputs = columns(&layer.x, m, x);
    let da = columns(&layer.da, m, a);
    Box::new(move |out| {
        let (states, caches) = network.forward_sequence_with_cache(&inputs);
        let (grads, dx) = black_box(network.backward_sequence(&da, &caches));
        if let Some(out) = out {
            states.iter().for_each(|(a, _)| append(out, a.t()));
            let grads = &grads[0];
            for grad in [&grads.w_ih, &grads.w_hh, &grads.b_ih] {
                append(out, grad.view());
            }
            dx.iter().for_each(|dx| append(out, dx.t()));
        }
    })
}
