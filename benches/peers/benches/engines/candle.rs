//! `candle-nn`'s LSTM on the CPU; its gradients are those of candle's automatic differentiation. It
//! has no plain RNN.

use std::collections::HashMap;
use std::hint::black_box;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{LSTM, LSTMConfig, LSTMState, RNN};
use candle_nn::{VarBuilder, lstm};

use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

const CPU: Device = Device::Cpu;

pub fn run(layer: &Layer) -> Option<Run> {
    match layer.case.cell {
        Cell::Rnn => None,
        Cell::Lstm => Some(
            match layer.case.task {
                Task::Step => step(layer),
                Task::Forward => forward(layer),
                Task::Training => training(layer),
            }
            .unwrap(),
        ),
    }
}

/// wx, wa, b.
fn weights(layer: &Layer) -> Result<[Tensor; 3]> {
    let Case { x, a, .. } = layer.case;
    Ok([
        Tensor::from_slice(&layer.wx, (4 * a, x), &CPU)?,
        Tensor::from_slice(&layer.wa, (4 * a, a), &CPU)?,
        Tensor::from_slice(&layer.b, 4 * a, &CPU)?,
    ])
}

/// With one of the two biases that it can have.
fn cell(case: &Case, [wx, wa, b]: [Tensor; 3]) -> Result<LSTM> {
    let tensors = HashMap::from([
        ("weight_ih_l0".to_string(), wx),
        ("weight_hh_l0".to_string(), wa),
        ("bias_ih_l0".to_string(), b),
    ]);
    let config = LSTMConfig {
        b_hh_init: None,
        ..LSTMConfig::default()
    };
    let weights = VarBuilder::from_tensors(tensors, DType::F32, &CPU);
    lstm(case.x, case.a, config, weights)
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

fn append_states(out: &mut Vec<f32>, states: &[LSTMState]) -> Result<()> {
    states.iter().try_for_each(|state| append(out, state.h()))
}

fn step(layer: &Layer) -> Result<Run> {
    let Case { x, .. } = layer.case;
    let lstm = cell(&layer.case, weights(layer)?)?;
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<Tensor> = inputs
        .map(|x| Tensor::from_slice(x, (1, x.len()), &CPU))
        .collect::<Result<_>>()?;
    let start = lstm.zero_state(1)?;
    Ok(Box::new(move |mut out| {
        let mut state = start.clone();
        for x in &inputs {
            state = lstm.step(x, &state).unwrap();
            if let Some(out) = &mut out {
                append(out, state.h()).unwrap();
            }
        }
        black_box(&state);
    }))
}

fn forward(layer: &Layer) -> Result<Run> {
    let lstm = cell(&layer.case, weights(layer)?)?;
    let x = by_sample(&layer.x, &layer.case, layer.case.x)?;
    Ok(Box::new(move |out| {
        let states = black_box(lstm.seq(&x).unwrap());
        if let Some(out) = out {
            append_states(out, &states).unwrap();
        }
    }))
}

fn training(layer: &Layer) -> Result<Run> {
    let [wx, wa, b] = weights(layer)?;
    let [wx, wa, b] = [
        Var::from_tensor(&wx)?,
        Var::from_tensor(&wa)?,
        Var::from_tensor(&b)?,
    ];
    let tensors = [&wx, &wa, &b].map(|var| var.as_tensor().clone());
    let lstm = cell(&layer.case, tensors)?;
    let x = Var::from_tensor(&by_sample(&layer.x, &layer.case, layer.case.x)?)?;
    let da = by_sample(&layer.da, &layer.case, layer.case.a)?;
    let run = move |out: Option<&mut Vec<f32>>| -> Result<()> {
        let states = lstm.seq(&x)?;
        let loss = (lstm.states_to_tensor(&states)? * &da)?.sum_all()?;
        let grads = black_box(loss.backward()?);
        if let Some(out) = out {
            append_states(out, &states)?;
            for var in [&wx, &wa, &b] {
                append(out, grads.get(var).unwrap())?;
            }
            append(out, &grads.get(&x).unwrap().transpose(0, 1)?)?;
        }
        Ok(())
    };
    Ok(Box::new(move |out| run(out).unwrap()))
}
