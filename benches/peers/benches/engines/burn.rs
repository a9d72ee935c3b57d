//! `burn` on Flex, the CPU backend that it recommends; its gradients are those of burn's automatic
//! differentiation.

use std::hint::black_box;

use burn::module::{Param, ParamId};
use burn::nn::{
    GateController, Gru, GruConfig, Linear, Lstm, LstmConfig, LstmState, Rnn, RnnConfig,
};
use burn::tensor::{Device, Tensor, TensorData};

use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

/// A layer of burn. The sequences that it works on are (m, step, features).
#[allow(clippy::large_enum_variant)] // there is one of them
enum Module {
    Lstm(Lstm),
    Gru(Gru),
    Rnn(Rnn),
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// What gradients are wanted of, where there is automatic differentiation.
fn param<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    let value = match value.is_autodiff() {
        true => value.require_grad(),
        false => value,
    };
    Param::initialized(ParamId::new(), value)
}

/// Gate g of the layer. Burn keeps its weights transposed, and has two biases.
fn set(gate: &mut GateController, layer: &Layer, g: usize, device: &Device) {
    let Case { x, a, .. } = layer.case;
    let rows = g * a..(g + 1) * a;
    let set = |linear: &mut Linear, w: &[f32], columns: usize, b: &[f32]| {
        let w: Vec<f32> = (0..columns * a)
            .map(|i| w[(rows.start + i % a) * columns + i / a])
            .collect();
        let weight = tensor(&w, [columns, a], device);
        linear.weight = param(weight);
        let bias = tensor(b, [a], device);
        linear.bias = Some(param(bias));
    };
    set(
        &mut gate.input_transform,
        &layer.wx,
        x,
        &layer.b[rows.clone()],
    );
    set(&mut gate.hidden_transform, &layer.wa, a, &vec![0.0; a]);
}

impl Module {
    fn new(layer: &Layer, device: &Device) -> Self {
        let Case { cell, x, a, .. } = layer.case;
        match cell {
            Cell::Lstm => {
                let mut lstm = LstmConfig::new(x, a, true).init(device);
                set(&mut lstm.input_gate, layer, 0, device);
                set(lstm.forget_gate.as_mut().unwrap(), layer, 1, device);
                set(&mut lstm.cell_gate, layer, 2, device);
                set(&mut lstm.output_gate, layer, 3, device);
                Module::Lstm(lstm)
            }
            Cell::Gru => {
                let config = GruConfig::new(x, a, true).with_reset_after(true);
                let mut gru = config.init(device);
                set(&mut gru.reset_gate, layer, 0, device);
                set(&mut gru.update_gate, layer, 1, device);
                set(&mut gru.new_gate, layer, 2, device);
                Module::Gru(gru)
            }
            Cell::Rnn => {
                let mut rnn = RnnConfig::new(x, a, true).init(device);
                set(&mut rnn.gate, layer, 0, device);
                Module::Rnn(rnn)
            }
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Module::Lstm(lstm) => lstm.forward(x, None).0,
            Module::Gru(gru) => gru.forward(x, None),
            Module::Rnn(rnn) => rnn.forward(x, None).0,
        }
    }

    /// In the order of `Layer`.
    fn gates(&self) -> Vec<&GateController> {
        match self {
            Module::Lstm(lstm) => vec![
                &lstm.input_gate,
                lstm.forget_gate.as_ref().unwrap(),
                &lstm.cell_gate,
                &lstm.output_gate,
            ],
            Module::Gru(gru) => vec![&gru.reset_gate, &gru.update_gate, &gru.new_gate],
            Module::Rnn(rnn) => vec![&rnn.gate],
        }
    }
}

fn append<const D: usize>(out: &mut Vec<f32>, tensor: Tensor<D>) {
    out.extend(tensor.into_data().try_to_vec::<f32>().unwrap());
}

pub fn run(layer: &Layer) -> Run {
    let device = Device::flex();
    match layer.case.task {
        Task::Step => step(layer, &device),
        Task::Forward => forward(layer, &device),
        Task::Training => training(layer, &device.autodiff()),
    }
}

fn step(layer: &Layer, device: &Device) -> Run {
    let Case { x, a, .. } = layer.case;
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<Tensor<3>> = inputs.map(|v| tensor(v, [1, 1, x], device)).collect();
    let zeros = Tensor::zeros([1, a], device);
    match Module::new(layer, device) {
        Module::Lstm(lstm) => Box::new(move |mut out| {
            let mut state = LstmState::new(zeros.clone(), zeros.clone());
            for x in &inputs {
                state = lstm.forward(x.clone(), Some(state)).1;
                if let Some(out) = &mut out {
                    append(out, state.hidden.clone());
                }
            }
            black_box(&state);
        }),
        Module::Gru(gru) => Box::new(move |mut out| {
            let mut state = zeros.clone();
            for x in &inputs {
                state = gru.forward(x.clone(), Some(state)).squeeze_dim(1);
                if let Some(out) = &mut out {
                    append(out, state.clone());
                }
            }
            black_box(&state);
        }),
        Module::Rnn(_) => panic!("a step is timed of an LSTM and a GRU"),
    }
}

fn forward(layer: &Layer, device: &Device) -> Run {
    let Case { x, m, .. } = layer.case;
    let module = Module::new(layer, device);
    let x = tensor(&layer.x, [STEPS, m, x], device);
    let x = Tensor::from_data(x.swap_dims(0, 1).into_data(), device);
    Box::new(move |out| {
        let a = black_box(module.forward(x.clone()));
        if let Some(out) = out {
            append(out, a.swap_dims(0, 1));
        }
    })
}

fn training(layer: &Layer, device: &Device) -> Run {
    let Case { x, a, m, .. } = layer.case;
    let module = Module::new(layer, device);
    let by_sample = |values: &[f32], features| -> Tensor<3> {
        let values = tensor(values, [STEPS, m, features], device);
        Tensor::from_data(values.swap_dims(0, 1).into_data(), device)
    };
    let x = by_sample(&layer.x, x).require_grad();
    let da = by_sample(&layer.da, a);
    Box::new(move |out| {
        let a = module.forward(x.clone());
        let loss = (a.clone() * da.clone()).sum();
        let grads = black_box(loss.backward());
        if let Some(out) = out {
            append(out, a.swap_dims(0, 1));
            for gate in module.gates() {
                let dw = gate.input_transform.weight.val().grad(&grads).unwrap();
                append(out, dw.transpose());
            }
            for gate in module.gates() {
                let dw = gate.hidden_transform.weight.val().grad(&grads).unwrap();
                append(out, dw.transpose());
            }
            for gate in module.gates() {
                let bias = gate.input_transform.bias.as_ref().unwrap();
                append(out, bias.val().grad(&grads).unwrap());
            }
            append(out, x.grad(&grads).unwrap().swap_dims(0, 1));
        }
    })
}
