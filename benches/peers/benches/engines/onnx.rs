//! `tract` and `rten`: inference engines that run an ONNX model, here one node LSTM or RNN, built
//! in memory. Neither computes gradients; rten has no node RNN.

use std::hint::black_box;

use prost::Message;
use prost::encoding::encode_varint;
use rten::ModelOptions;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor as RtenTensor};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension::Value,
    type_proto,
};
use tract_onnx::prelude::*;

use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

/// The gates in ONNX's order (i, o, f, g), of rows of the given length in the order of `Layer`.
fn gates(case: &Case, rows: &[f32], columns: usize) -> Vec<f32> {
    let order: &[usize] = match case.cell {
        Cell::Lstm => &[0, 3, 1, 2],
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
        value: Some(Value::DimValue(d as i64)),
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
    let state = [1, m, a];
    let (input, output, steps) = match task {
        Task::Step => (
            vec!["x", "w", "r", "b", "", "h", "c"],
            vec!["", "h_next", "c_next"],
            1,
        ),
        Task::Forward | Task::Training => (vec!["x", "w", "r", "b"], vec!["y"], STEPS),
    };
    let mut inputs = vec![value("x", &[steps, m, x])];
    let mut outputs = vec![value("y", &[steps, 1, m, a])];
    if task == Task::Step {
        inputs.extend([value("h", &state), value("c", &state)]);
        outputs = vec![value("h_next", &state), value("c_next", &state)];
    }
    let strings = |names: Vec<&str>| names.into_iter().map(String::from).collect();
    let node = NodeProto {
        name: "layer".into(),
        op_type: match cell {
            Cell::Lstm => "LSTM".into(),
            Cell::Rnn => "RNN".into(),
        },
        input: strings(input),
        output: strings(output),
        attribute: vec![AttributeProto {
            name: "hidden_size".into(),
            r#type: AttributeType::Int as i32,
            i: a as i64,
            ..Default::default()
        }],
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
    Some(Box::new(move |mut out| {
        let (mut h, mut c) = (zeros.clone(), zeros.clone());
        for x in &inputs {
            let mut state = plan.run(tvec![x.clone(), h, c]).unwrap();
            c = state.pop().unwrap();
            h = state.pop().unwrap();
            if let Some(out) = &mut out {
                out.extend(h.to_plain_array_view::<f32>().unwrap());
            }
        }
        black_box((h, c));
    }))
}

pub fn rten(layer: &Layer) -> Option<Run> {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    if cell == Cell::Rnn || task == Task::Training {
        return None;
    }
    let bytes = encode(model(layer));
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load(bytes)
        .unwrap();
    let id = |name: &str| model.node_id(name).unwrap();
    let x_id = id("x");
    if task == Task::Forward {
        let y_id = id("y");
        let x = NdTensor::from_data([STEPS, m, x], layer.x.clone());
        return Some(Box::new(move |out| {
            let y = model.run_n(vec![(x_id, x.view().into())], [y_id], None);
            let [y] = black_box(y.unwrap());
            if let Some(out) = out {
                out.extend(y.into_tensor::<f32>().unwrap().iter());
            }
        }));
    }
    let [h_id, c_id, h_next, c_next] = ["h", "c", "h_next", "c_next"].map(id);
    let inputs = layer.x.chunks_exact(x);
    let inputs: Vec<NdTensor<f32, 3>> = inputs
        .map(|v| NdTensor::from_data([1, 1, x], v.to_vec()))
        .collect();
    Some(Box::new(move |mut out| {
        let zeros = || RtenTensor::<f32>::zeros(&[1, 1, a]);
        let (mut h, mut c) = (zeros().into(), zeros().into());
        for x in &inputs {
            let given = vec![(x_id, x.view().into()), (h_id, h), (c_id, c)];
            let [h_out, c_out] = model.run_n(given, [h_next, c_next], None).unwrap();
            if let Some(out) = &mut out {
                out.extend(h_out.as_tensor_view::<f32>().unwrap().iter());
            }
            (h, c) = (h_out.into(), c_out.into());
        }
        black_box((h, c));
    }))
}
