//! An ONNX graph, followed by names from its input to its output.
//!
//! Each value in between is computed as far as it can be without an input: the weights, shapes and
//! initial states are numbers; of what comes from the input it is known which of its dimensions are
//! the steps, the sequences and the features, and which layers it has gone through. So a Squeeze, a
//! Transpose or a Reshape that an exporter has written is understood, and one that mixes the steps
//! with the features is an error, as is every operator that is not below.
//!
//! `proto.rs` has the messages of the file, `value.rs` what is known of a value, `reader.rs` goes
//! from node to node, `layers.rs` has the operators that are layers, and `shapes.rs` the others.

mod layers;
pub mod proto;
mod reader;
mod shapes;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use prost::Message;

use crate::read::network::{Model, Network, Samples};
use proto::{DataType, GraphProto, ModelProto, TensorProto, ValueInfoProto};
use reader::{Reader, is_onnx};
use value::{Axis, Run, Value, constant, numbers_of};

/// Reads the graph and, where the folder has a test_data_set_0, inputs of the graph from
/// input_0.pb, … and what it computes from output_0.pb, …
pub fn read(bytes: &[u8], folder: Option<&Path>) -> Result<Model, String> {
    let model =
        ModelProto::decode(bytes).map_err(|error| format!("no whole ONNX file: {error}"))?;
    let graph = model.graph.ok_or("no ONNX file: it has no graph")?;
    let opsets = model.opset_import.iter().filter(|o| is_onnx(&o.domain));

    // The first input is x. Weights may be the others, with their numbers beside the graph.
    let mut constants: BTreeMap<&str, TensorProto> = BTreeMap::new();
    for tensor in &graph.initializer {
        constants.insert(&tensor.name, tensor.clone());
    }
    let inputs = graph.input.iter();
    let inputs: Vec<_> = inputs
        .filter(|i| !constants.contains_key(&i.name[..]))
        .collect();
    let [x, weights @ ..] = &inputs[..] else {
        return Err("the graph has no input".to_owned());
    };
    for (k, weight) in weights.iter().enumerate() {
        let tensor = sample(folder, "input", k + 1)?;
        constants.extend(tensor.map(|tensor| (&weight.name[..], tensor)));
    }
    let (output, used) = output(&graph)?;
    all_used(&graph, &constants, &used)?;

    let x_numbers = sample(folder, "input", 0)?;
    let sizes = shape_of_input(x, x_numbers.as_ref())?;
    let x_run = Run::input(&sizes);
    let mut reader = Reader {
        opset: opsets.map(|opset| opset.version).max().unwrap_or(1),
        sizes: sizes.into_iter().take(x_run.dimensions.len() - 1).collect(),
        values: BTreeMap::from([(&x.name[..], Value::Run(x_run.clone()))]),
    };
    for (name, tensor) in &constants {
        reader.values.insert(name, constant(tensor, name)?);
    }
    for node in &graph.node {
        if node.output.iter().any(|name| used.contains(&name[..])) {
            reader.node(node)?;
        }
    }
    let y_run = reader.run(&graph.output[output].name)?;
    let layers = y_run.layers.iter().map(|layer| (**layer).clone());
    let network = Network::new(layers.collect())?;

    let y_numbers = sample(folder, "output", output)?;
    let (Some(x), Some(y), Some(time)) = (x_numbers, y_numbers, y_run.time) else {
        return Ok((network, None));
    };
    let steps_first = |tensor, name: &str, run| {
        let numbers = numbers_of(tensor, name)?.numbers;
        steps_first(&numbers, run, time, &reader).map_err(|error| format!("{name}: {error}"))
    };
    let from = format!("output_{output}.pb");
    let y = steps_first(&y, &from, y_run)?;
    let samples = Samples {
        batch: reader.size(&x_run, &[Axis::Input(1 - time)]).unwrap_or(1),
        x: steps_first(&x, "input_0.pb", &x_run)?,
        y: y.into_iter().map(f64::from).collect(),
        last: y_run.last,
        from,
    };
    Ok((network, Some(samples)))
}

/// A tensor of the folder with a sample, where there is one.
fn sample(folder: Option<&Path>, role: &str, k: usize) -> Result<Option<TensorProto>, String> {
    let Some(folder) = folder else {
        return Ok(None);
    };
    let file = folder.join(format!("test_data_set_0/{role}_{k}.pb"));
    let Ok(bytes) = fs::read(&file) else {
        return Ok(None);
    };
    let tensor = TensorProto::decode(&bytes[..]);
    tensor
        .map(Some)
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// An error that names weights that do not lead to the output, and numbers that no node has. (What
/// is not weights may be the shapes of another output.)
fn all_used(
    graph: &GraphProto,
    constants: &BTreeMap<&str, TensorProto>,
    used: &BTreeSet<&str>,
) -> Result<(), String> {
    let inputs = graph.node.iter().flat_map(|node| &node.input);
    let elsewhere: BTreeSet<&str> = inputs.map(|name| &name[..]).collect();
    let unused = constants.iter().filter(|(name, tensor)| {
        let weights = tensor.data_type == DataType::Float as i32;
        !used.contains(**name) && (weights || !elsewhere.contains(**name))
    });
    let unused: Vec<_> = unused.map(|(name, _)| *name).collect();
    match unused.is_empty() {
        true => Ok(()),
        false => Err(format!("not used: {}", unused.join(", "))),
    }
}

/// The output that most layers lead to, and of those the first; and all names that lead to it.
fn output(graph: &GraphProto) -> Result<(usize, BTreeSet<&str>), String> {
    let mut best: Option<(usize, usize, BTreeSet<&str>)> = None;
    for (k, output) in graph.output.iter().enumerate() {
        let mut used = BTreeSet::from([&output.name[..]]);
        let mut layers = 0;
        // The nodes stand in an order in which they can be computed.
        for node in graph.node.iter().rev() {
            if node
                .output
                .iter()
                .any(|name| !name.is_empty() && used.contains(&name[..]))
            {
                used.extend(node.input.iter().map(|name| &name[..]));
                let operators = ["LSTM", "GRU", "RNN", "Gemm", "MatMul"];
                layers += usize::from(operators.contains(&&node.op_type[..]));
            }
        }
        if best.as_ref().is_none_or(|(_, most, _)| layers > *most) {
            best = Some((k, layers, used));
        }
    }
    let (output, _, mut used) = best.ok_or("the graph has no output")?;
    used.remove("");
    Ok((output, used))
}

/// The sizes of the dimensions, where they are known.
fn shape_of_input(
    input: &ValueInfoProto,
    given: Option<&TensorProto>,
) -> Result<Vec<Option<usize>>, String> {
    let name = &input.name;
    let tensor_type = input
        .r#type
        .as_ref()
        .and_then(|r#type| r#type.tensor_type.as_ref());
    let shape = tensor_type.and_then(|tensor_type| tensor_type.shape.as_ref());
    let dims: Vec<Option<i64>> = match (given, shape) {
        (Some(given), _) => given.dims.iter().map(|&n| Some(n)).collect(),
        (None, Some(shape)) => shape.dim.iter().map(|dim| dim.dim_value).collect(),
        (None, None) => vec![None; 3],
    };
    if !matches!(dims.len(), 2 | 3) {
        return Err(format!(
            "the input `{name}` has {} dimensions, expected 3",
            dims.len()
        ));
    }
    let size = |n: i64| match usize::try_from(n) {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("the input `{name}` has a dimension {n}")),
    };
    dims.into_iter().map(|n| n.map(size).transpose()).collect()
}

/// Numbers that stand in the order of a run, such that all of the first step come first; within a
/// step, of the first sequence; within a sequence, of the first direction.
fn steps_first(
    numbers: &[f32],
    run: &Run,
    time: usize,
    reader: &Reader<'_>,
) -> Result<Vec<f32>, String> {
    let size = |axis| reader.size(run, &[axis]).unwrap_or(1);
    let mut strides = BTreeMap::new();
    let mut stride = 1_usize;
    for axis in run.dimensions.concat().into_iter().rev() {
        strides.insert(axis, stride);
        stride = stride.saturating_mul(size(axis));
    }
    let (found, expected) = (numbers.len(), stride);
    if found != expected {
        return Err(format!("{found} numbers, expected {expected}"));
    }
    let (steps, sequences) = (Axis::Input(time), Axis::Input(1 - time));
    let mut offsets = vec![0];
    for axis in [steps, sequences, Axis::Direction, Axis::Features] {
        // Where it is not there, it is 1, or only the last step is left.
        if let Some(&stride) = strides.get(&axis) {
            let inner = |at| (0..size(axis)).map(move |k| at + k * stride);
            offsets = offsets.into_iter().flat_map(inner).collect();
        }
    }
    Ok(offsets.into_iter().map(|at| numbers[at]).collect())
}
