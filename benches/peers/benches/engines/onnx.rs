//! `tract` and `rten`: inference engines that run an ONNX model, here one node LSTM, GRU or RNN,
//! built in memory. Neither computes gradients; rten has no node RNN.

use std::hint::black_box;
use std::iter;

use prost::Message;
use prost::encoding::encode_varint;
use rten::{Model, ModelOptions, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor as RtenTensor};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension,
    type_proto,
};
use tract_onnx::prelude::*;

use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

/// The gates in ONNX's order (i, o, f, g of an LSTM; u, r, n of a GRU), of rows of the given length
/// in the order of `Layer`.
fn gates(case: &Case, rows: &[f32], columns: usize) -> Vec<f32> {
    let order: &[usize] = match case.cell {
        Cell::Lstm => &[0, 3, 1, 2],
        Cell::Gru => &[1, 0, 2],
        Cell::Rnn => &[0],
    };
    let len = case.a * columns;
    let gates = order.iter().flat_map(|g| &rows[g * len..(g + 1) * len]);
    gates.copied().collect()
}

fn initializer(name: &str, dims: &[usize], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.iter().map(|&d| d as i64).collect(),
        data_type: DataType::Float as i32,
        raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ..Default::default()
    }
}

fn value(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dim = dims.iter().map(|&d| Dimension {
        value: Some(dimension::Value::DimValue(d as i64)),
        ..Default::default()
    });
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: DataType::Float as i32,
                shape: Some(TensorShapeProto { dim: dim.collect() }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The names of the state that a step is given, and of the one that it leaves.
fn state(case: &Case) -> (&'static [&'static str], &'static [&'static str]) {
    match case.cell {
        Cell::Lstm => (&["h", "c"], &["h_next", "c_next"]),
        Cell::Gru | Cell::Rnn => (&["h"], &["h_next"]),
    }
}

/// A model of one node. For a single step the states are inputs and outputs; for a sequence it
/// starts from zero, and all a come out.
fn model(layer: &Layer) -> ModelProto {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    let rows = layer.case.gates() * a;
    let mut b = gates(&layer.case, &layer.b, 1);
    b.resize(2 * rows, 0.0); // the second of the two biases
    let (given, left) = state(&layer.case);
    let mut input = vec!["x", "w", "r", "b"];
    let (output, steps) = match task {
        Task::Step => {
            input.push("");
            input.extend(given);
            ([&[""], left].concat(), 1)
        }
        Task::Forward | Task::Training => (vec!["y"], STEPS),
    };
    let mut inputs = vec![value("x", &[steps, m, x])];
    let mut outputs = vec![value("y", &[steps, 1, m, a])];
    if task == Task::Step {
        let values = |names: &[&str]| -> Vec<ValueInfoProto> {
            names.iter().map(|name| value(name, &[1, m, a])).collect()
        };
        inputs.extend(values(given));
        outputs = values(left);
    }
    let strings = |names: Vec<&str>| names.into_iter().map(String::from).collect();
    let attribute = |name: &str, i: usize| AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int as i32,
        i: i as i64,
        ..Default::default()
    };
    let mut attributes = vec![attribute("hidden_size", a)];
    if cell == Cell::Gru {
        attributes.push(attribute("linear_before_reset", 1));
    }
    let node = NodeProto {
        name: "layer".into(),
        op_type: match cell {
            Cell::Lstm => "LSTM".into(),
            Cell::Gru => "GRU".into(),
            Cell::Rnn => "RNN".into(),
        },
        input: strings(input),
        output: strings(output),
        attribute: attributes,
        ..Default::default()
    };
    let graph = GraphProto {
        name: "layer".into(),
        node: vec![node],
        initializer: vec![
            initializer("w", &[1, rows, x], gates(&layer.case, &layer.wx, x)),
            initializer("r", &[1, rows, a], gates(&layer.case, &layer.wa, a)),
            initializer("b", &[1, 2 * rows], b),
        ],
        input: inputs,
        output: outputs,
        ..Default::default()
    };
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto {
            version: 14,
            ..Default::default()
        }],
        graph: Some(graph),
        ..Default::default()
    }
}

/// The bytes of an ONNX file. They are put together here because rten reads the dimensions of a
/// tensor only one by one, as ONNX files have them, and prost writes them packed.
fn encode(mut model: ModelProto) -> Vec<u8> {
    fn append(out: &mut Vec<u8>, field: u8, message: &[u8]) {
        out.push(field << 3 | 2); // length-delimited
        encode_varint(message.len() as u64, out);
        out.extend(message);
    }
    let mut graph = model.graph.take().unwrap();
    let tensors = std::mem::take(&mut graph.initializer);
    let mut graph = graph.encode_to_vec();
    for mut tensor in tensors {
        let dims = std::mem::take(&mut tensor.dims);
        let mut tensor = tensor.encode_to_vec();
        for dim in dims {
            tensor.push(1 << 3);
            encode_varint(dim as u64, &mut tensor);
        }
        append(&mut graph, 5, &tensor);
    }
    let mut bytes = model.encode_to_vec();
    append(&mut bytes, 7, &graph);
    bytes
}

pub fn tract(layer: &Layer) -> Option<Run> {
    let Case { task, x, a, m, .. } = layer.case;
    if task == Task::Training {
        return None;
    }
    let model = tract_onnx::onnx()
        .model_for_proto_model(&model(layer))
        .unwrap();
    let plan = model.into_optimized().unwrap().into_runnable().unwrap();
    let tensor = |shape: &[usize], values: &[f32]| -> TValue {
        Tensor::from_shape(shape, values).unwrap().into()
    };
    if task == Task::Forward {
        let x = tensor(&[STEPS, m, x], &layer.x);
        return Some(Box::new(move |out| {
            let y = black_box(plan.run(tvec![x.clone()]).unwrap());
            if let Some(out) = out {
                out.extend(y[0].to_plain_array_view::<f32>().unwrap());
            }
        }));
    }
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<TValue> = inputs.map(|v| tensor(&[1, 1, x], v)).collect();
    let zeros = tensor(&[1, 1, a], &vec![0.0; a]);
    let parts = state(&layer.case).0.len();
    Some(Box::new(move |mut out| {
        let mut state: TVec<TValue> = (0..parts).map(|_| zeros.clone()).collect();
        for x in &inputs {
            state.insert(0, x.clone());
            state = plan.run(state).unwrap();
            if let Some(out) = &mut out {
                out.extend(state[0].to_plain_array_view::<f32>().unwrap());
            }
        }
        black_box(state);
    }))
}

pub fn rten(layer: &Layer) -> Option<Run> {
    let Case {
        cell, task, x, m, ..
    } = layer.case;
    if cell == Cell::Rnn || task == Task::Training {
        return None;
    }
    let bytes = encode(model(layer));
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load(bytes)
        .unwrap();
    if task == Task::Forward {
        let [x_id, y_id] = ["x", "y"].map(|name| model.node_id(name).unwrap());
        let x = NdTensor::from_data([STEPS, m, x], layer.x.clone());
        return Some(Box::new(move |out| {
            let y = model.run_n(vec![(x_id, x.view().into())], [y_id], None);
            let [y] = black_box(y.unwrap());
            if let Some(out) = out {
                out.extend(y.into_tensor::<f32>().unwrap().iter());
            }
        }));
    }
    Some(match cell {
        Cell::Lstm => rten_step(layer, model, ["h", "c"], ["h_next", "c_next"]),
        Cell::Gru | Cell::Rnn => rten_step(layer, model, ["h"], ["h_next"]),
    })
}

/// With the names of the state that a step is given, and of the one that it leaves.
fn rten_step<const N: usize>(
    layer: &Layer,
    model: Model,
    given: [&str; N],
    left: [&str; N],
) -> Run {
    let Case { x, a, .. } = layer.case;
    let id = |name: &str| model.node_id(name).unwrap();
    let (x_id, given, left) = (id("x"), given.map(id), left.map(id));
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<NdTensor<f32, 3>> = inputs
        .map(|v| NdTensor::from_data([1, 1, x], v.to_vec()))
        .collect();
    Box::new(move |mut out| {
        let mut state = given.map(|_| RtenTensor::<f32>::zeros(&[1, 1, a]).into());
        for x in &inputs {
            let mut inputs = Vec::with_capacity(1 + N);
            inputs.push((x_id, x.view().into()));
            inputs.extend(iter::zip(given, state));
            let next = model.run_n(inputs, left, None).unwrap();
            if let Some(out) = &mut out {
                out.extend(next[0].as_tensor_view::<f32>().unwrap().iter());
            }
            state = next.map(ValueOrView::from);
        }
        black_box(state);
    })
}
