//! `nexus-inference`: inference of one sample, one step a call. It always has an output layer: here
//! one output with weights 0, which costs one dot product of A products on top of the 4·A·(A + X)
//! of an LSTM or the 3·A·(A + X) of a GRU. It has no plain RNN.

use std::hint::black_box;

use nexus_inference::{TinyGru, TinyLstm};

use peers::work::{Case, Cell, Layer, Run, Task};

pub fn run(layer: &Layer) -> Option<Run> {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    if task == Task::Training || m > 1 {
        return None;
    }
    let (zeros, w_out) = (vec![0.0; layer.b.len()], vec![0.0; a]);
    let (wx, wa, b) = (&layer.wx, &layer.wa, &layer.b);
    match cell {
        Cell::Lstm => {
            let lstm = TinyLstm::from_parts(x, a, 1, wx, wa, b, &zeros, &w_out, &[0.0]).ok()?;
            Some(sequence(
                layer,
                lstm,
                TinyLstm::reset,
                TinyLstm::predict,
                TinyLstm::hidden_state,
            ))
        }
        Cell::Gru => {
            let gru = TinyGru::from_parts(x, a, 1, wx, wa, b, &zeros, &w_out, &[0.0]).ok()?;
            Some(sequence(
                layer,
                gru,
                TinyGru::reset,
                TinyGru::predict,
                TinyGru::hidden_state,
            ))
        }
        Cell::Rnn => None,
    }
}

/// The methods of its two types have the same names, but no trait.
fn sequence<E: 'static>(
    layer: &Layer,
    mut engine: E,
    reset: impl Fn(&mut E) + 'static,
    predict: impl Fn(&mut E, &[f32]) -> f32 + 'static,
    hidden_state: impl Fn(&E) -> &[f32] + 'static,
) -> Run {
    let (x, inputs) = (layer.case.x, layer.x.clone());
    Box::new(move |mut out| {
        reset(&mut engine);
        for x in inputs.chunks_exact(x) {
            black_box(predict(&mut engine, x));
            if let Some(out) = &mut out {
                out.extend(hidden_state(&engine));
            }
        }
    })
}
