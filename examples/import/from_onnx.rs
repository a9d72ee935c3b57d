//! A network from an ONNX graph: the weights of its one `LSTM`, `GRU` or `RNN` and its one `Gemm`.
//!
//! What the two nodes can have and the crate has no counterpart for is an error. The rest of the
//! graph is not looked at: it says how the nodes are wired and where the state starts, which
//! `model.rs` says here.

use bptt::layout::onnx;
use bptt::rnn::Relu;
use prost::Message;

use crate::model::{A, Cell, Network, X, Y, made};
use crate::tensor::Tensor;

// The messages of onnx.proto, the fields that are read. Others are skipped by the decoder.

#[derive(Clone, PartialEq, Message)]
pub struct ModelProto {
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AttributeProto {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, tag = "2")]
    pub f: f32,
    #[prost(int64, tag = "3")]
    pub i: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub s: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub strings: Vec<Vec<u8>>,
    /// 2 for an integer.
    #[prost(int32, tag = "20")]
    pub r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(enumeration = "DataType", tag = "2")]
    pub data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
    /// 1 where the numbers are in another file.
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum DataType {
    Undefined = 0,
    Float = 1,
    Float16 = 10,
    Double = 11,
    Bfloat16 = 16,
}

pub fn read(bytes: &[u8]) -> Result<Network, String> {
    let model =
        ModelProto::decode(bytes).map_err(|error| format!("no whole ONNX file: {error}"))?;
    let graph = model.graph.ok_or("no ONNX file: it has no graph")?;

    let layer = only(&graph, &["LSTM", "GRU", "RNN"])?;
    let op_type = layer.op_type.as_str();
    let (gates, activations): (usize, &[&str]) = match op_type {
        "LSTM" => (4, &["Sigmoid", "Tanh", "Tanh"]),
        "GRU" => (3, &["Sigmoid", "Tanh"]),
        _ => (1, &["Tanh"]),
    };
    let (mut reset_after, mut relu) = (false, false);
    for attribute in &layer.attribute {
        let named =
            |names: &[&str]| (attribute.strings.iter()).eq(names.iter().map(|n| n.as_bytes()));
        let as_here = match (op_type, attribute.name.as_str()) {
            // Shapes are checked; the layout is that of x and h.
            (_, "hidden_size" | "layout") => true,
            (_, "direction") => attribute.s == b"forward",
            ("RNN", "activations") => {
                relu = named(&["Relu"]);
                relu || named(activations)
            }
            (_, "activations") => named(activations),
            ("LSTM", "input_forget") => attribute.i == 0,
            ("GRU", "linear_before_reset") => {
                reset_after = attribute.i == 1;
                attribute.r#type == 2 && matches!(attribute.i, 0 | 1)
            }
            _ => false,
        };
        supported(op_type, attribute, as_here)?;
    }
    if op_type == "LSTM" && input(layer, 7).is_some() {
        return Err("the LSTM has peepholes (P), which is not supported".to_owned());
    }
    let w = numbers(&graph, layer, 1, "W", &[1, gates * A, X])?;
    let r = numbers(&graph, layer, 2, "R", &[1, gates * A, A])?;
    let b = match input(layer, 3) {
        Some(_) => Some(numbers(&graph, layer, 3, "B", &[1, 2 * gates * A])?),
        None => None,
    };
    let b = b.as_deref();

    let gemm = only(&graph, &["Gemm"])?;
    let mut trans_b = false;
    for attribute in &gemm.attribute {
        let as_here = match attribute.name.as_str() {
            "alpha" | "beta" => attribute.f == 1.0,
            "transA" => attribute.i == 0,
            "transB" => {
                trans_b = attribute.i != 0;
                true
            }
            _ => false,
        };
        supported("Gemm", attribute, as_here)?;
    }
    let shape = if trans_b { [Y, A] } else { [A, Y] };
    let weight = numbers(&graph, gemm, 1, "B", &shape)?;
    let bias = match input(gemm, 2) {
        Some(_) => Some(numbers(&graph, gemm, 2, "C", &[Y])?),
        None => None,
    };

    let cell = match (op_type, reset_after, relu) {
        ("LSTM", ..) => Cell::Lstm(made(|cell| onnx::read_lstm(cell, &w, &r, b))?),
        ("GRU", true, _) => Cell::GruAfter(made(|cell| onnx::read_gru_after(cell, &w, &r, b))?),
        ("GRU", false, _) => Cell::GruBefore(made(|cell| onnx::read_gru_before(cell, &w, &r, b))?),
        (_, _, false) => Cell::RnnTanh(made(|cell| onnx::read_rnn(cell, &w, &r, b))?),
        (_, _, true) => Cell::RnnRelu(made(|Relu(cell)| onnx::read_rnn(cell, &w, &r, b))?),
    };
    let head = *made(|head| onnx::read_gemm(head, &weight, trans_b, bias.as_deref()))?;
    Ok(Network { cell, head })
}

/// The one node that is one of these operators.
fn only<'a>(graph: &'a GraphProto, op_types: &[&str]) -> Result<&'a NodeProto, String> {
    let nodes: Vec<_> = (graph.node.iter())
        .filter(|node| op_types.contains(&node.op_type.as_str()))
        .collect();
    match nodes[..] {
        [node] => Ok(node),
        _ => Err(format!(
            "{} nodes {}, expected 1",
            nodes.len(),
            op_types.join(" or ")
        )),
    }
}

fn supported(op_type: &str, attribute: &AttributeProto, as_here: bool) -> Result<(), String> {
    if as_here {
        return Ok(());
    }
    let name = &attribute.name;
    Err(format!("the {op_type} has an unsupported `{name}`"))
}

/// The name of input `k`. An empty one stands for none.
fn input(node: &NodeProto, k: usize) -> Option<&str> {
    let name = node.input.get(k)?;
    (!name.is_empty()).then_some(name)
}

/// The weights that are input `k` of a node, which the operator calls `role`.
fn numbers(
    graph: &GraphProto,
    node: &NodeProto,
    k: usize,
    role: &str,
    shape: &[usize],
) -> Result<Vec<f32>, String> {
    let op_type = &node.op_type;
    let name = input(node, k).ok_or_else(|| format!("the {op_type} has no input {role}"))?;
    let tensor = (graph.initializer.iter())
        .find(|tensor| tensor.name == name)
        .ok_or_else(|| format!("no tensor `{name}`, which is {role} of the {op_type}"))?;
    if tensor.data_location != 0 {
        return Err(format!("the numbers of `{name}` are in another file"));
    }
    let in_fields: Vec<u8> = (tensor.float_data.iter())
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let found = Tensor {
        name,
        dtype: match DataType::try_from(tensor.data_type) {
            Ok(data_type) => format!("{data_type:?}"),
            Err(_) => format!("of data type {}", tensor.data_type),
        },
        // A negative dimension is no length; 0 is none that is expected either.
        shape: (tensor.dims.iter())
            .map(|&n| usize::try_from(n).unwrap_or(0))
            .collect(),
        bytes: match tensor.raw_data.is_empty() {
            true => &in_fields,
            false => &tensor.raw_data,
        },
    };
    found.numbers("Float", shape)
}
