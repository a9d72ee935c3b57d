//! The operators that compute nothing: constants, shapes, and values in other shapes.

use std::collections::BTreeSet;

use super::proto::NodeProto;
use super::reader::{Reader, attribute, input};
use super::value::{
    Axis, Dimension, Integer, Run, Value, constant, expanded, position, transposed_matrix,
};
use crate::read::tensor::Tensor;

impl<'a> Reader<'a> {
    pub fn constant_of_shape(&self, node: &'a NodeProto) -> Result<Value, String> {
        // What is not known is the batch, for which all is the same.
        let sizes = self.integers(node, 0, "shape")?;
        let shape = known_or(sizes, |_| 1)?;
        let one = match attribute(node, "value").map(|a| &a.t) {
            Some(Some(tensor)) => constant(tensor, "value")?,
            _ => Value::Numbers(Tensor::from_le_bytes(vec![1], &[0; 4])),
        };
        match (one, &shape[..]) {
            (Value::Numbers(one), _) => Ok(Value::Numbers(expanded(&one, &shape)?)),
            // As many as a shape has.
            (Value::Integers { values, .. }, &[count @ 0..8]) if values.len() == 1 => {
                let (values, scalar) = (vec![values[0].clone(); count], false);
                Ok(Value::Integers { values, scalar })
            }
            _ => Err("the operator `ConstantOfShape` is not supported here".to_owned()),
        }
    }

    pub fn expand(&self, node: &'a NodeProto, tensor: Tensor) -> Result<Value, String> {
        let sizes = self.integers(node, 1, "shape")?;
        // What is not known stays as it is.
        let missing = sizes.len().saturating_sub(tensor.shape.len());
        let here = |k: usize| k.checked_sub(missing).and_then(|k| tensor.shape.get(k));
        let shape = known_or(sizes, |k| here(k).copied().unwrap_or(1))?;
        Ok(Value::Numbers(expanded(&tensor, &shape)?))
    }

    /// Mul, Equal and Where, with which exporters write Expand(…, -1).
    pub fn by_element(&self, node: &'a NodeProto) -> Result<Value, String> {
        let op_type = &node.op_type;
        let all = (0..node.input.len()).map(|k| match self.required(node, k, "0")? {
            Value::Integers { values, .. } => Ok(&values[..]),
            _ => Err(format!("the operator `{op_type}` is not supported here")),
        });
        let all: Vec<&[Integer]> = all.collect::<Result<_, String>>()?;
        let count = all.iter().map(|values| values.len()).max().unwrap_or(0);
        let element = |k: usize| {
            let at = |values: &&[Integer]| match values {
                [one] => Some(one.clone()),
                _ => values.get(k).cloned(),
            };
            let operands: Vec<_> = all.iter().filter_map(at).collect();
            match (&op_type[..], &operands[..]) {
                ("Mul", [Integer::Known(a), Integer::Known(b)]) => {
                    a.checked_mul(*b).map(Integer::Known)
                }
                ("Equal", [Integer::Known(a), Integer::Known(b)]) => {
                    Some(Integer::Known(i64::from(a == b)))
                }
                // No size is negative.
                ("Equal", [Integer::Size(_), Integer::Known(..0)]) => Some(Integer::Known(0)),
                ("Where", [Integer::Known(0), _, other]) => Some(other.clone()),
                ("Where", [Integer::Known(_), one, _]) => Some(one.clone()),
                _ => None,
            }
        };
        let values: Option<Vec<_>> = (0..count).map(element).collect();
        let values = values.ok_or_else(|| format!("the {op_type} is not of known integers"))?;
        let scalar = false;
        Ok(Value::Integers { values, scalar })
    }

    pub fn squeeze(&self, node: &'a NodeProto, value: Value) -> Result<Value, String> {
        let axes = self.axes(node)?;
        let positions = |rank: usize| -> Result<Option<BTreeSet<usize>>, String> {
            let Some(axes) = &axes else {
                return Ok(None);
            };
            let all: Option<_> = axes.iter().map(|&axis| position(axis, rank)).collect();
            all.map(Some)
                .ok_or_else(|| format!("the Squeeze has the axes {axes:?}"))
        };
        match value {
            Value::Run(mut run) => {
                let positions = positions(run.dimensions.len())?;
                let mut dimensions = Vec::new();
                for (k, dimension) in run.dimensions.iter().enumerate() {
                    let one = self.size(&run, dimension) == Some(1);
                    let squeezed = positions.as_ref().map_or(one, |all| all.contains(&k));
                    if squeezed && !one {
                        return Err("the Squeeze is of a dimension that is not 1".to_owned());
                    }
                    if !squeezed {
                        dimensions.push(dimension.clone());
                    }
                }
                run.dimensions = dimensions;
                Ok(Value::Run(run))
            }
            Value::Integers { values, .. } if values.len() == 1 => {
                let scalar = true;
                Ok(Value::Integers { values, scalar })
            }
            _ => Err("the operator `Squeeze` is not supported here".to_owned()),
        }
    }

    pub fn unsqueeze(&self, node: &'a NodeProto, value: Value) -> Result<Value, String> {
        let axes = self.axes(node)?.unwrap_or_default();
        let misplaced = || format!("the Unsqueeze has the axes {axes:?}");
        let positions = |rank: usize| -> Result<BTreeSet<usize>, String> {
            let all: Option<BTreeSet<_>> = axes
                .iter()
                .map(|&axis| position(axis, rank + axes.len()))
                .collect();
            all.ok_or_else(misplaced)
        };
        match value {
            Value::Run(mut run) => {
                for k in positions(run.dimensions.len())? {
                    run.dimensions
                        .insert(k.min(run.dimensions.len()), Vec::new());
                }
                Ok(Value::Run(run))
            }
            Value::Numbers(mut tensor) => {
                for k in positions(tensor.shape.len())? {
                    tensor.shape.insert(k.min(tensor.shape.len()), 1);
                }
                Ok(Value::Numbers(tensor))
            }
            Value::Integers {
                values,
                scalar: true,
            } => {
                let scalar = false;
                Ok(Value::Integers { values, scalar })
            }
            _ => Err("the operator `Unsqueeze` is not supported here".to_owned()),
        }
    }

    pub fn reshape(&self, node: &'a NodeProto, mut run: Run) -> Result<Value, String> {
        if attribute(node, "allowzero").is_some_and(|a| a.i != 0) {
            return Err("the Reshape has an unsupported `allowzero`".to_owned());
        }
        let target = self.integers(node, 1, "shape")?;
        run.dimensions = self
            .partition(&run, target)
            .ok_or("the Reshape mixes what is not in one dimension")?;
        run.join_directions();
        Ok(Value::Run(run))
    }

    /// The axes in the same order, divided into dimensions of these sizes.
    pub fn partition(&self, run: &Run, target: &[Integer]) -> Option<Vec<Dimension>> {
        let mut axes = run.dimensions.concat();
        let rest = target.iter().position(|n| matches!(n, Integer::Known(-1)));
        let (head, tail) = target.split_at(rest.unwrap_or(target.len()));
        let mut dimensions = Vec::new();
        for (k, size) in head.iter().enumerate() {
            dimensions.push(self.part(run, &mut axes, run.dimensions.get(k), size, false)?);
        }
        let mut after = Vec::new();
        for (k, size) in tail.iter().enumerate().skip(1).rev() {
            let same = run.dimensions.get(head.len() + k);
            after.push(self.part(run, &mut axes, same, size, true)?);
        }
        match rest {
            Some(_) => dimensions.push(self.without_ones(run, axes)),
            // Left over may be what is 1.
            None if self.size(run, &axes) == Some(1) => {
                let last = dimensions.pop().unwrap_or_default();
                dimensions.push(self.without_ones(run, [last, axes].concat()));
            }
            None => return None,
        }
        dimensions.extend(after.into_iter().rev());
        Some(dimensions)
    }

    /// Takes from `axes`, first or last, as many as have this size.
    pub fn part(
        &self,
        run: &Run,
        axes: &mut Vec<Axis>,
        same: Option<&Dimension>,
        size: &Integer,
        from_end: bool,
    ) -> Option<Dimension> {
        let count = match size {
            Integer::Known(0) => same?.len(),
            Integer::Size(dimension) => dimension.len(),
            Integer::Known(n) => {
                let n = usize::try_from(*n).ok()?;
                let fits = |&count: &usize| {
                    let part = match from_end {
                        true => &axes[axes.len() - count..],
                        false => &axes[..count],
                    };
                    self.size(run, part) == Some(n)
                };
                // A dimension of 1 that is there is rather taken than left.
                (1..=axes.len()).find(fits).or((n == 1).then_some(0))?
            }
        };
        let rest = axes.len().checked_sub(count)?;
        let part = match from_end {
            true => axes.split_off(rest),
            false => axes.drain(..count).collect(),
        };
        let expected = match size {
            Integer::Known(0) => same?,
            Integer::Size(dimension) => dimension,
            Integer::Known(_) => &part,
        };
        (part == *expected).then(|| self.without_ones(run, part))
    }

    /// Beside other axes, one of size 1 says nothing.
    pub fn without_ones(&self, run: &Run, mut axes: Vec<Axis>) -> Dimension {
        if axes.len() > 1 {
            axes.retain(|axis| *axis == Axis::Features || self.size(run, &[*axis]) != Some(1));
        }
        axes
    }

    pub fn gather(&self, node: &'a NodeProto, value: Value) -> Result<Value, String> {
        let Value::Integers { scalar, .. } = *self.required(node, 1, "indices")? else {
            return Err("the indices of the Gather are no integers".to_owned());
        };
        let &[index] = &self.known(node, 1, "indices")?[..] else {
            return Err("the Gather has more than one index".to_owned());
        };
        let axis = attribute(node, "axis").map_or(0, |a| a.i);
        let outside = || format!("the Gather has the axis {axis} and the index {index}");
        match value {
            Value::Integers { values, .. } => {
                let k = position(index, values.len()).ok_or_else(outside)?;
                let values = vec![values[k].clone()];
                Ok(Value::Integers { values, scalar })
            }
            Value::Run(mut run) => {
                let k = position(axis, run.dimensions.len()).ok_or_else(outside)?;
                if run.dimensions[k].is_empty() && matches!(index, 0 | -1) {
                    // The only one.
                } else if self.is_last(&run, k, index) {
                    run.last = true;
                } else {
                    return Err("the Gather is not of the last step".to_owned());
                }
                run.dimensions[k] = Vec::new();
                if scalar {
                    run.dimensions.remove(k);
                }
                Ok(Value::Run(run))
            }
            Value::Several(mut runs, at) => {
                let rank = runs.first().map_or(0, |run| run.dimensions.len());
                let k = position(index, runs.len()).ok_or_else(outside)?;
                if position(axis, rank) != Some(at) {
                    return Err(outside());
                }
                let mut run = runs.swap_remove(k);
                if scalar {
                    run.dimensions.remove(at);
                }
                Ok(Value::Run(run))
            }
            _ => Err("the operator `Gather` is not supported here".to_owned()),
        }
    }

    /// Whether this is the last step, where dimension `k` is the steps.
    pub fn is_last(&self, run: &Run, k: usize, index: i64) -> bool {
        let dimension = &run.dimensions[k];
        let steps = self.size(run, dimension);
        let is_time = run
            .time
            .is_some_and(|time| *dimension == [Axis::Input(time)]);
        is_time && (index == -1 || steps.is_some_and(|n| position(index, n) == Some(n - 1)))
    }

    pub fn slice(&self, node: &'a NodeProto, value: Value) -> Result<Value, String> {
        if self.opset < 10 {
            return Err("the operator `Slice` is not supported before opset 10".to_owned());
        }
        let rank = match &value {
            Value::Run(run) => run.dimensions.len(),
            Value::Numbers(tensor) => tensor.shape.len(),
            _ => 1,
        };
        let (starts, ends) = (self.known(node, 1, "starts")?, self.known(node, 2, "ends")?);
        let axis = match input(node, 3) {
            Some(_) => self.known(node, 3, "axes")?,
            None => vec![0],
        };
        let steps = match input(node, 4) {
            Some(_) => self.known(node, 4, "steps")?,
            None => vec![1],
        };
        let (&[start], &[end], &[axis], &[1]) = (&starts[..], &ends[..], &axis[..], &steps[..])
        else {
            return Err("the Slice is not of one dimension with a step of 1".to_owned());
        };
        let axis = position(axis, rank).ok_or("the Slice has an axis that is not there")?;
        let range = |count: usize| {
            let count = count as i64;
            let clamped = |k: i64| {
                if k < 0 {
                    (k + count).max(0)
                } else {
                    k.min(count)
                }
            };
            let (start, end) = (clamped(start), clamped(end));
            start as usize..end.max(start) as usize
        };
        match value {
            Value::Integers { mut values, scalar } => {
                values = values[range(values.len())].to_vec();
                Ok(Value::Integers { values, scalar })
            }
            Value::Numbers(mut tensor) if axis == 0 => {
                let (rows, width) = (
                    tensor.shape[0],
                    tensor.numbers.len() / tensor.shape[0].max(1),
                );
                let range = range(rows);
                tensor.shape[0] = range.len();
                tensor.numbers = tensor.numbers[range.start * width..range.end * width].to_vec();
                Ok(Value::Numbers(tensor))
            }
            Value::Run(mut run) => {
                let size = self.size(&run, &run.dimensions[axis]);
                let to_end = match size {
                    Some(size) => range(size).end == size,
                    None => end >= i64::from(i32::MAX),
                };
                let from = size.map_or(start, |size| range(size).start as i64);
                if to_end && from == 0 {
                    return Ok(Value::Run(run)); // All of it.
                }
                if !to_end || !self.is_last(&run, axis, from) {
                    return Err("the Slice is not of the last step".to_owned());
                }
                run.last = true;
                run.dimensions[axis] = Vec::new();
                Ok(Value::Run(run))
            }
            Value::Several(..) | Value::Numbers(_) | Value::Unsupported(_) => {
                Err("the operator `Slice` is not supported here".to_owned())
            }
        }
    }

    /// Of shapes; and of the last hidden states of several layers.
    pub fn concat(&self, node: &'a NodeProto) -> Result<Value, String> {
        let parts = (0..node.input.len()).map(|k| self.required(node, k, "0"));
        let parts: Vec<&Value> = parts.collect::<Result<_, _>>()?;
        let integers = parts.iter().map(|part| match part {
            Value::Integers { values, .. } => Some(&values[..]),
            _ => None,
        });
        if let Some(all) = integers.collect::<Option<Vec<_>>>() {
            let (values, scalar) = (all.concat(), false);
            return Ok(Value::Integers { values, scalar });
        }
        let runs = parts.iter().map(|part| match part {
            Value::Run(run) => Some(run.clone()),
            _ => None,
        });
        let runs = runs.collect::<Option<Vec<_>>>().unwrap_or_default();
        let axis = attribute(node, "axis").map_or(0, |a| a.i);
        let rank = runs.first().map_or(0, |run| run.dimensions.len());
        let one = |at: &usize| {
            let mut dimensions = runs.iter().map(|run| &run.dimensions);
            dimensions.all(|all| all.len() == rank && all[*at].is_empty())
        };
        match position(axis, rank).filter(one) {
            Some(at) => Ok(Value::Several(runs, at)),
            None => Err("the operator `Concat` is not supported here".to_owned()),
        }
    }
}

/// Sizes, with others for those that are not known.
fn known_or(sizes: &[Integer], other: impl Fn(usize) -> usize) -> Result<Vec<usize>, String> {
    let size = |(k, size): (usize, &Integer)| match size {
        Integer::Known(n) => usize::try_from(*n).map_err(|_| format!("{n} is no size")),
        Integer::Size(_) => Ok(other(k)),
    };
    sizes.iter().enumerate().map(size).collect()
}

pub fn constant_node(node: &NodeProto) -> Result<Value, String> {
    let [attribute] = &node.attribute[..] else {
        return Err("a Constant has not one value".to_owned());
    };
    let integers = |values: &[i64], scalar| Value::Integers {
        values: values.iter().map(|&n| Integer::Known(n)).collect(),
        scalar,
    };
    match (&attribute.name[..], &attribute.t) {
        ("value", Some(tensor)) => constant(tensor, node.output.first().map_or("", |name| name)),
        ("value_int", _) => Ok(integers(&[attribute.i], true)),
        ("value_ints", _) => Ok(integers(&attribute.ints, false)),
        ("value_float", _) => Ok(Value::Numbers(Tensor {
            shape: Vec::new(),
            numbers: vec![attribute.f],
        })),
        _ => Err("a Constant has no value".to_owned()),
    }
}

pub fn transpose(node: &NodeProto, value: Value) -> Result<Value, String> {
    let permuted = |rank: usize| -> Result<Vec<usize>, String> {
        let Some(perm) = attribute(node, "perm").map(|a| &a.ints) else {
            return Ok((0..rank).rev().collect());
        };
        let all: Option<Vec<_>> = perm.iter().map(|&k| position(k, rank)).collect();
        let all = all.filter(|all| BTreeSet::from_iter(all).len() == rank && all.len() == rank);
        all.ok_or_else(|| format!("the Transpose has the permutation {perm:?}"))
    };
    match value {
        Value::Run(mut run) => {
            let all = permuted(run.dimensions.len())?;
            run.dimensions = all.iter().map(|&k| run.dimensions[k].clone()).collect();
            Ok(Value::Run(run))
        }
        Value::Numbers(tensor) if tensor.shape.len() == 2 => match permuted(2)?[..] {
            [1, 0] => Ok(Value::Numbers(transposed_matrix(&tensor))),
            _ => Ok(Value::Numbers(tensor)),
        },
        _ => Err("the operator `Transpose` is not supported here".to_owned()),
    }
}
