//! What is known of a value in a graph before there is an input.

use std::rc::Rc;

use super::proto::{DataType, TensorProto};
use crate::read::network::{Activation, Dense, Layer};
use crate::read::tensor::Tensor;

/// What a dimension counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// What this dimension of the input counts: its steps or its sequences.
    Input(usize),
    /// Forward and backward.
    Direction,
    Features,
}

/// Axes of which the last is counted first; of size 1 where there is none.
pub type Dimension = Vec<Axis>;

/// What comes from the input.
#[derive(Clone, Debug)]
pub struct Run {
    pub dimensions: Vec<Dimension>,
    pub features: Option<usize>,
    pub layers: Vec<Rc<Layer>>,
    /// Which dimension of the input its steps are: the first recurrent layer says it.
    pub time: Option<usize>,
    /// Whether only the last step is left.
    pub last: bool,
}

#[derive(Clone, Debug)]
pub enum Integer {
    Known(i64),
    /// The size of a dimension that the file does not say.
    Size(Dimension),
}

#[derive(Clone, Debug)]
pub enum Value {
    Run(Run),
    /// The last hidden states of several layers, concatenated in this dimension.
    Several(Vec<Run>, usize),
    Numbers(Tensor),
    /// A vector or, where `scalar`, a number.
    Integers {
        values: Vec<Integer>,
        scalar: bool,
    },
    /// What this example has no counterpart for: an error where it is used.
    Unsupported(String),
}

impl Run {
    /// The input, of these sizes where they are known: the features come last.
    pub fn input(sizes: &[Option<usize>]) -> Self {
        let axes = sizes.len().saturating_sub(1);
        let mut dimensions: Vec<_> = (0..axes).map(|k| vec![Axis::Input(k)]).collect();
        dimensions.push(vec![Axis::Features]);
        Run {
            dimensions,
            features: sizes.last().copied().flatten(),
            layers: Vec::new(),
            time: None,
            last: false,
        }
    }

    /// Both directions in one dimension are the features of the next layer.
    pub fn join_directions(&mut self) {
        for dimension in &mut self.dimensions {
            if *dimension == [Axis::Direction, Axis::Features] {
                *dimension = vec![Axis::Features];
                self.features = self.features.map(|features| features.saturating_mul(2));
            }
        }
    }

    /// The dense layer that has just been put on, with no activation yet.
    pub fn dense(&self) -> Option<Dense> {
        match self.layers.last().map(|layer| &**layer) {
            Some(Layer::Dense(dense)) if dense.activation == Activation::None => {
                Some(dense.clone())
            }
            _ => None,
        }
    }

    pub fn ends_with_features(&self) -> bool {
        self.dimensions
            .last()
            .is_some_and(|last| *last == [Axis::Features])
    }
}

/// The numbers of a tensor in the file.
pub fn constant(tensor: &TensorProto, name: &str) -> Result<Value, String> {
    let (shape, count) = shape(tensor, name)?;
    if tensor.data_location != 0 {
        return Err(format!("the numbers of `{name}` are in another file"));
    }
    let kind = DataType::try_from(tensor.data_type);
    let (in_fields, width): (Vec<u8>, usize) = match kind {
        Ok(DataType::Float) => {
            let numbers = tensor.float_data.iter();
            (numbers.flat_map(|n| n.to_le_bytes()).collect(), 4)
        }
        Ok(DataType::Int32) => {
            let numbers = tensor.int32_data.iter();
            (numbers.flat_map(|n| n.to_le_bytes()).collect(), 4)
        }
        Ok(DataType::Int64) => {
            let numbers = tensor.int64_data.iter();
            (numbers.flat_map(|n| n.to_le_bytes()).collect(), 8)
        }
        Ok(other) => return Err(format!("`{name}` is {other:?}, expected Float")),
        Err(_) => {
            let other = tensor.data_type;
            return Err(format!("`{name}` is of data type {other}, expected Float"));
        }
    };
    let bytes = match tensor.raw_data.is_empty() {
        true => &in_fields,
        false => &tensor.raw_data,
    };
    if Some(bytes.len()) != count.checked_mul(width) {
        let found = bytes.len();
        return Err(format!("`{name}` has shape {shape:?} and {found} bytes"));
    }
    let integer = |bytes: &[u8]| {
        let sign = if bytes[width - 1] < 128 { 0 } else { 255 };
        let mut wide = [sign; 8];
        wide[..width].copy_from_slice(bytes);
        Integer::Known(i64::from_le_bytes(wide))
    };
    Ok(match kind {
        Ok(DataType::Float) => Value::Numbers(Tensor::from_le_bytes(shape, bytes)),
        _ if shape.len() > 1 => Value::Unsupported(format!("`{name}` has integers")),
        _ => Value::Integers {
            values: bytes.chunks_exact(width).map(integer).collect(),
            scalar: shape.is_empty(),
        },
    })
}

/// The shape of a tensor, and how many numbers that are.
pub fn shape(tensor: &TensorProto, name: &str) -> Result<(Vec<usize>, usize), String> {
    let dims = &tensor.dims;
    let sizes: Option<Vec<usize>> = dims.iter().map(|&n| usize::try_from(n).ok()).collect();
    let count = |shape: &Vec<usize>| shape.iter().try_fold(1_usize, |n, &m| n.checked_mul(m));
    match sizes.and_then(|shape| count(&shape).map(|n| (shape, n))) {
        Some(shape) => Ok(shape),
        None => Err(format!("`{name}` has shape {dims:?}")),
    }
}

pub fn numbers_of(tensor: &TensorProto, name: &str) -> Result<Tensor, String> {
    match constant(tensor, name)? {
        Value::Numbers(tensor) => Ok(tensor),
        _ => Err(format!("`{name}` has integers, expected Float")),
    }
}

/// Counted from the end where it is negative.
pub fn position(k: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    let k = if k < 0 { k.checked_add(count)? } else { k };
    (0..count).contains(&k).then_some(k as usize)
}

/// Of a tensor with two dimensions.
pub fn transposed_matrix(tensor: &Tensor) -> Tensor {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1]);
    let at = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
    Tensor {
        shape: vec![columns, rows],
        numbers: at.map(|at| tensor.numbers[at]).collect(),
    }
}

/// Repeated where a dimension is 1, as ONNX's Expand does.
pub fn expanded(tensor: &Tensor, shape: &[usize]) -> Result<Tensor, String> {
    /// More numbers than any initial state has.
    const MOST: usize = 1 << 24;
    let rank = shape.len().max(tensor.shape.len());
    let padded = |shape: &[usize]| [&vec![1; rank - shape.len()], shape].concat();
    let (from, to) = (padded(&tensor.shape), padded(shape));
    let pairs = from.iter().zip(&to);
    let sizes = pairs.map(|(&from, &to)| match (from, to) {
        (1, n) | (n, 1) => Some(n),
        (n, m) => (n == m).then_some(n),
    });
    let sizes: Option<Vec<usize>> = sizes.collect();
    let count = |sizes: &[usize]| sizes.iter().try_fold(1_usize, |n, &m| n.checked_mul(m));
    let sizes = sizes.filter(|sizes| count(sizes).is_some_and(|count| count <= MOST));
    let sizes = sizes.ok_or_else(|| {
        format!(
            "a tensor of shape {:?} cannot become {shape:?}",
            tensor.shape
        )
    })?;
    let mut offsets = vec![0];
    let mut stride = 1;
    for (&size, &from) in sizes.iter().zip(&from).rev() {
        let step = if from == 1 { 0 } else { stride };
        let outer = (0..size).flat_map(|k| offsets.iter().map(move |at| at + k * step));
        offsets = outer.collect();
        stride *= from;
    }
    Ok(Tensor {
        shape: sizes,
        numbers: offsets.into_iter().map(|at| tensor.numbers[at]).collect(),
    })
}
