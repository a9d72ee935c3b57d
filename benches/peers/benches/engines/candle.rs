//! `candle-nn`'s LSTM and GRU on the CPU; its gradients are those of candle's automatic
//! differentiation. It has no plain RNN.

use std::collections::HashMap;
use std::hint::black_box;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{GRU, GRUConfig, GRUState, LSTM, LSTMConfig, LSTMState, RNN};
use candle_nn::{VarBuilder, gru, lstm};

use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

const CPU: Device = Device::Cpu;

/// A layer of candle, and where it keeps a⟨t⟩.
trait Layered: RNN<State: 'static> + Sized + 'static {
    /// With one of the two biases that it can have.
    fn new(case: &Case, weights: VarBuilder) -> Result<Self>;
    fn a(state: &Self::State) -> &Tensor;
}

impl Layered for LSTM {
    fn new(case: &Case, weights: VarBuilder) -> Result<Self> {
        let config = LSTMConfig {
            b_hh_init: None,
            ..LSTMConfig::default()
        };
        lstm(case.x, case.a, config, weights)
    }

    fn a(state: &LSTMState) -> &Tensor {
        state.h()
    }
}

impl Layered for GRU {
    fn new(case: &Case, weights: VarBuilder) -> Result<Self> {
        let config = GRUConfig {
            b_hh_init: None,
            ..GRUConfig::default()
        };
        gru(case.x, case.a, config, weights)
    }

    fn a(state: &GRUState) -> &Tensor {
        state.h()
    }
}

pub fn run(layer: &Layer) -> Option<Run> {
    match layer.case.cell {
        Cell::Lstm => Some(run_as::<LSTM>(layer).unwrap()),
        Cell::Gru => Some(run_as::<GRU>(layer).unwrap()),
        Cell::Rnn => None,
    }
}

fn run_as<L: Layered>(layer: &Layer) -> Result<Run> {
    match layer.case.task {
        Task::Step => step::<L>(layer),
        Task::Forward => forward::<L>(layer),
        Task::Training => training::<L>(layer),
    }
}

/// wx, wa, b.
fn weights(layer: &Layer) -> Result<[Tensor; 3]> {
    let Case { x, a, .. } = layer.case;
    let rows = layer.case.gates() * a;
    Ok([
        Tensor::from_slice(&layer.wx, (rows, x), &CPU)?,
        Tensor::from_slice(&layer.wa, (rows, a), &CPU)?,
        Tensor::from_slice(&layer.b, rows, &CPU)?,
    ])
}

fn cell<L: Layered>(case: &Case, [wx, wa, b]: [Tensor; 3]) -> Result<L> {
    let tensors = HashMap::from([
        ("weight_ih_l0".to_string(), wx),
        ("weight_hh_l0".to_string(), wa),
        ("bias_ih_l0".to_string(), b),
    ]);
    L::new(case, VarBuilder::from_tensors(tensors, DType::F32, &CPU))
}

/// (step, m, features) as (m, step, features), which candle works on.
fn by_sample(values: &[f32], case: &Case, features: usize) -> Result<Tensor> {
    Tensor::from_slice(values, (STEPS, case.m, features), &CPU)?
        .transpose(0, 1)?
        .contiguous()
}

fn append(out: &mut Vec<f32>, tensor: &Tensor) -> Result<()> {
    out.extend(tensor.contiguous()?.flatten_all()?.to_vec1::<f32>()?);
    Ok(())
}

fn append_states<L: Layered>(out: &mut Vec<f32>, states: &[L::State]) -> Result<()> {
    states.iter().try_for_each(|state| append(out, L::a(state)))
}

fn step<L: Layered>(layer: &Layer) -> Result<Run> {
    let Case { x, .. } = layer.case;
    let cell: L = cell(&layer.case, weights(layer)?)?;
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<Tensor> = inputs
        .map(|x| Tensor::from_slice(x, (1, x.len()), &CPU))
        .collect::<Result<_>>()?;
    let start = cell.zero_state(1)?;
    Ok(Box::new(move |mut out| {
        let mut state = start.clone();
        for x in &inputs {
            state = cell.step(x, &state).unwrap();
            if let Some(out) = &mut out {
                append(out, L::a(&state)).unwrap();
            }
        }
        black_box(&state);
    }))
}

fn forward<L: Layered>(layer: &Layer) -> Result<Run> {
    let cell: L = cell(&layer.case, weights(layer)?)?;
    let x = by_sample(&layer.x, &layer.case, layer.case.x)?;
    Ok(Box::new(move |out| {
        let states = black_box(cell.seq(&x).unwrap());
        if let Some(out) = out {
            append_states::<L>(out, &states).unwrap();
        }
    }))
}

fn training<L: Layered>(layer: &Layer) -> Result<Run> {
    let [wx, wa, b] = weights(layer)?;
    let [wx, wa, b] = [
        Var::from_tensor(&wx)?,
        Var::from_tensor(&wa)?,
        Var::from_tensor(&b)?,
    ];
    let tensors = [&wx, &wa, &b].map(|var| var.as_tensor().clone());
    let cell: L = cell(&layer.case, tensors)?;
    let x = Var::from_tensor(&by_sample(&layer.x, &layer.case, layer.case.x)?)?;
    let da = by_sample(&layer.da, &layer.case, layer.case.a)?;
    let run = move |out: Option<&mut Vec<f32>>| -> Result<()> {
        let states = cell.seq(&x)?;
        // A GRU's is (m, step·a), of the same order as (m, step, a).
        let a = cell.states_to_tensor(&states)?.reshape(da.shape())?;
        let loss = (a * &da)?.sum_all()?;
        let grads = black_box(loss.backward()?);
        if let Some(out) = out {
            append_states::<L>(out, &states)?;
            for var in [&wx, &wa, &b] {
                append(out, grads.get(var).unwrap())?;
            }
            append(out, &grads.get(&x).unwrap().transpose(0, 1)?)?;
        }
        Ok(())
    };
    Ok(Box::new(move |out| run(out).unwrap()))
}
