//! `nam-rs`: inference of an LSTM with one input, one sample a call, for amplifier models. What
//! comes out is not the state but one output of a last layer, one dot product of A products on top
//! of 4·A·(A + 1). That layer's weights are 1 for one unit and 0 for the others here, so that a
//! comparison sees every unit: it runs as many models as there are units. The first one is timed.
//! It has no GRU and no plain RNN.

use std::hint::black_box;

use nam_rs::{Lstm, LstmConfig, ModelConfig, NamModel};

use peers::work::{Case, Cell, Layer, Run, Task};

pub fn run(layer: &Layer) -> Option<Run> {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    if cell != Cell::Lstm || task != Task::Step || (x, m) != (1, 1) {
        return None;
    }
    let mut lstms: Vec<Lstm> = (0..a).map(|unit| lstm(layer, unit)).collect();
    let inputs = layer.x.clone();
    Some(Box::new(move |mut out| {
        let lstms = match out {
            Some(_) => &mut lstms[..],
            None => &mut lstms[..1],
        };
        lstms.iter_mut().for_each(Lstm::reset);
        for &x in &inputs {
            for lstm in &mut *lstms {
                let a = black_box(lstm.process_sample(x));
                if let Some(out) = &mut out {
                    out.push(a);
                }
            }
        }
    }))
}

/// The layer with a last one that puts out the given unit.
fn lstm(layer: &Layer, unit: usize) -> Lstm {
    let Case { x, a, .. } = layer.case;
    let rows = layer.wx.chunks_exact(x).zip(layer.wa.chunks_exact(a));
    let mut weights: Vec<f32> = rows.flat_map(|(wx, wa)| [wx, wa].concat()).collect();
    weights.extend(&layer.b);
    weights.extend(vec![0.0; 2 * a]); // the initial state
    weights.extend((0..a).map(|r| if r == unit { 1.0 } else { 0.0 }));
    weights.push(0.0); // the bias of the last layer
    let config = LstmConfig {
        input_size: x,
        hidden_size: a,
        num_layers: 1,
    };
    let model = NamModel {
        version: "0.5.4".into(),
        architecture: "LSTM".into(),
        config: ModelConfig::Lstm(config),
        weights,
        sample_rate: None,
        metadata: None,
    };
    Lstm::new(&model).unwrap()
}
