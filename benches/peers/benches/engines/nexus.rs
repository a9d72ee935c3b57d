//! `nexus-inference`: inference of one sample, one step a call. It always has an output layer: here
//! one output with weights 0, which costs one dot product of A products on top of 4·A·(A + X).

use std::hint::black_box;

use nexus_inference::TinyLstm;

use peers::work::{Case, Cell, Layer, Run, Task};

pub fn run(layer: &Layer) -> Option<Run> {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    if cell == Cell::Rnn || task == Task::Training || m > 1 {
        return None;
    }
    let (zeros, w_out) = (vec![0.0; 4 * a], vec![0.0; a]);
    let mut lstm = TinyLstm::from_parts(
        x,
        a,
        1,
        &layer.wx,
        &layer.wa,
        &layer.b,
        &zeros,
        &w_out,
        &[0.0],
    )
    .ok()?;
    let inputs = layer.x.clone();
    Some(Box::new(move |mut out| {
        lstm.reset();
        for x in inputs.chunks_exact(x) {
            black_box(lstm.predict(x));
            if let Some(out) = &mut out {
                out.extend(lstm.hidden_state());
            }
        }
    }))
}
