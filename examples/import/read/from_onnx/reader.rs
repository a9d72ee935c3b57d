//! The values of a graph, node by node.

use std::collections::BTreeMap;

use super::layers::activation;
use super::proto::{AttributeProto, NodeProto};
use super::shapes::{constant_node, transpose};
use super::value::{Axis, Dimension, Integer, Run, Value, position};
use crate::read::network::Activation;
use crate::read::tensor::Tensor;

pub struct Reader<'a> {
    pub opset: i64,
    /// Of the dimensions of the input that are steps and sequences, where they are known.
    pub sizes: Vec<Option<usize>>,
    pub values: BTreeMap<&'a str, Value>,
}

pub fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// The name of input `k`. An empty one stands for none.
pub fn input(node: &NodeProto, k: usize) -> Option<&str> {
    let name = node.input.get(k)?;
    (!name.is_empty()).then_some(name)
}

pub fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

impl<'a> Reader<'a> {
    /// Computes the outputs of a node.
    pub fn node(&mut self, node: &'a NodeProto) -> Result<(), String> {
        let op_type = &node.op_type[..];
        if !is_onnx(&node.domain) {
            return Err(format!(
                "the operator `{}.{op_type}` is not supported",
                node.domain
            ));
        }
        let known: &[&str] = match op_type {
            "LSTM" | "GRU" | "RNN" => {
                let outputs = self.recurrent(node)?;
                let outputs = node.output.iter().zip(outputs);
                self.values
                    .extend(outputs.map(|(name, value)| (&name[..], value)));
                return Ok(());
            }
            "Gemm" => &["alpha", "beta", "transA", "transB"],
            "Softmax" | "Gather" | "Concat" => &["axis"],
            "Squeeze" | "Unsqueeze" => &["axes"],
            "Transpose" => &["perm"],
            "Reshape" => &["allowzero"],
            "Constant" => &["value", "value_int", "value_ints", "value_float"],
            "ConstantOfShape" => &["value"],
            "Identity" | "MatMul" | "Add" | "Tanh" | "Sigmoid" | "Relu" => &[],
            "Shape" | "Slice" | "Expand" | "Mul" | "Equal" | "Where" => &[],
            _ => return Err(format!("the operator `{op_type}` is not supported")),
        };
        if let Some(other) = node
            .attribute
            .iter()
            .find(|a| !known.contains(&&a.name[..]))
        {
            return Err(format!("the {op_type} has an unsupported `{}`", other.name));
        }
        let value = match op_type {
            "Constant" => constant_node(node)?,
            "ConstantOfShape" => self.constant_of_shape(node)?,
            _ => match (op_type, self.required(node, 0, "0")?.clone()) {
                ("Identity", value) => value,
                ("Gemm", Value::Run(run)) => self.gemm(node, run)?,
                ("MatMul", Value::Run(run)) => Value::Run(self.dense(node, run, true)?),
                ("Add", _) => self.add(node)?,
                ("Tanh", Value::Run(run)) => activation(node, run, Activation::Tanh)?,
                ("Sigmoid", Value::Run(run)) => activation(node, run, Activation::Sigmoid)?,
                ("Relu", Value::Run(run)) => activation(node, run, Activation::Relu)?,
                ("Softmax", Value::Run(run)) => {
                    let default = if self.opset < 13 { 1 } else { -1 };
                    let axis = attribute(node, "axis").map_or(default, |a| a.i);
                    let rank = run.dimensions.len();
                    if position(axis, rank) != rank.checked_sub(1) {
                        return Err("the Softmax has an unsupported `axis`".to_owned());
                    }
                    activation(node, run, Activation::Softmax)?
                }
                ("Shape", Value::Run(run)) => {
                    let size = |dimension: &Dimension| match self.size(&run, dimension) {
                        Some(n) => Integer::Known(n as i64),
                        None => Integer::Size(dimension.clone()),
                    };
                    let values = run.dimensions.iter().map(size).collect();
                    let scalar = false;
                    Value::Integers { values, scalar }
                }
                ("Shape", Value::Integers { values, scalar }) if !scalar => Value::Integers {
                    values: vec![Integer::Known(values.len() as i64)],
                    scalar,
                },
                ("Squeeze", value) => self.squeeze(node, value)?,
                ("Unsqueeze", value) => self.unsqueeze(node, value)?,
                ("Transpose", value) => transpose(node, value)?,
                ("Reshape", Value::Run(run)) => self.reshape(node, run)?,
                // A vector, in whatever form it is: there are no others.
                ("Reshape", Value::Integers { values, .. }) => {
                    let scalar = self.integers(node, 1, "shape")?.is_empty();
                    Value::Integers { values, scalar }
                }
                ("Gather", value) => self.gather(node, value)?,
                ("Slice", value) => self.slice(node, value)?,
                ("Mul" | "Equal" | "Where", _) => self.by_element(node)?,
                ("Concat", _) => self.concat(node)?,
                ("Expand", Value::Numbers(tensor)) => self.expand(node, tensor)?,
                _ => return Err(format!("the operator `{op_type}` is not supported here")),
            },
        };
        self.values
            .extend(node.output.first().map(|name| (&name[..], value)));
        Ok(())
    }

    pub fn value(&self, name: &str) -> Result<&Value, String> {
        match self.values.get(name) {
            Some(Value::Unsupported(why)) => Err(why.clone()),
            Some(value) => Ok(value),
            None => Err(format!(
                "`{name}` is neither in the file nor computed from the input"
            )),
        }
    }

    pub fn run(&self, name: &str) -> Result<&Run, String> {
        match self.value(name)? {
            Value::Run(run) => Ok(run),
            _ => Err(format!("`{name}` does not come from the input alone")),
        }
    }

    /// Input `k` of a node, which the operator calls `role`.
    pub fn required(&self, node: &'a NodeProto, k: usize, role: &str) -> Result<&Value, String> {
        let op_type = &node.op_type;
        let name = input(node, k).ok_or_else(|| format!("the {op_type} has no input {role}"))?;
        self.value(name)
    }

    /// Weights.
    pub fn numbers(&self, node: &'a NodeProto, k: usize, role: &str) -> Result<&Tensor, String> {
        match self.required(node, k, role)? {
            Value::Numbers(tensor) => Ok(tensor),
            _ => Err(format!("{role} of the {} is not constant", node.op_type)),
        }
    }

    /// Weights of this shape.
    pub fn shaped(
        &self,
        node: &'a NodeProto,
        k: usize,
        role: &str,
        shape: &[usize],
    ) -> Result<&[f32], String> {
        let tensor = self.numbers(node, k, role)?;
        tensor.shaped(&format!("`{}`", node.input[k]), shape)
    }

    pub fn integers(
        &self,
        node: &'a NodeProto,
        k: usize,
        role: &str,
    ) -> Result<&[Integer], String> {
        match self.required(node, k, role)? {
            Value::Integers { values, .. } => Ok(values),
            _ => Err(format!("{role} of the {} are no integers", node.op_type)),
        }
    }

    pub fn known(&self, node: &'a NodeProto, k: usize, role: &str) -> Result<Vec<i64>, String> {
        let known = |value: &Integer| match value {
            Integer::Known(n) => Ok(*n),
            Integer::Size(_) => Err(format!("{role} of the {} are not known", node.op_type)),
        };
        self.integers(node, k, role)?.iter().map(known).collect()
    }

    /// Axes: an input from opset 13 on, an attribute before. None are no axes.
    pub fn axes(&self, node: &'a NodeProto) -> Result<Option<Vec<i64>>, String> {
        match (input(node, 1), attribute(node, "axes")) {
            (Some(_), _) => self.known(node, 1, "axes").map(Some),
            (None, Some(attribute)) => Ok(Some(attribute.ints.clone())),
            (None, None) => Ok(None),
        }
    }

    pub fn size(&self, run: &Run, dimension: &[Axis]) -> Option<usize> {
        let size = |axis: &Axis| match axis {
            Axis::Input(k) => self.sizes.get(*k).copied().flatten(),
            Axis::Direction => Some(2),
            Axis::Features => run.features,
        };
        dimension
            .iter()
            .try_fold(1_usize, |n, axis| n.checked_mul(size(axis)?))
    }
}
