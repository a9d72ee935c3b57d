//! A network as a file describes it: layers one above the other, sizes known only now.
//!
//! What is read from any format becomes this, and everything that is written is written from it.

use std::fmt;

/// The cells that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Lstm,
    /// The reset after the product: PyTorch, Keras, ONNX with `linear_before_reset` = 1.
    GruAfter,
    /// The reset before it: ONNX with `linear_before_reset` = 0.
    GruBefore,
    RnnTanh,
    RnnRelu,
}

impl Kind {
    /// LSTM: f, i, g, o. GRU: r, u, n.
    pub const fn gates(self) -> usize {
        match self {
            Kind::Lstm => 4,
            Kind::GruAfter | Kind::GruBefore => 3,
            Kind::RnnTanh | Kind::RnnRelu => 1,
        }
    }
}

/// The weights of one gate, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// (A, X)
    pub wx: Vec<f32>,
    /// (A, A)
    pub wa: Vec<f32>,
    /// (A)
    pub b: Vec<f32>,
}

/// A recurrent layer in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub kind: Kind,
    pub inputs: usize,
    pub units: usize,
    /// In the order of [`Kind::gates`].
    pub gates: Vec<Gate>,
    /// The second bias of the candidate of [`Kind::GruAfter`]; empty in the others.
    pub bna: Vec<f32>,
    /// a⟨0⟩
    pub a: Vec<f32>,
    /// c⟨0⟩ of an LSTM; empty in the others.
    pub c: Vec<f32>,
}

/// What is done to an output of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    None,
    Tanh,
    Sigmoid,
    Relu,
    Softmax,
}

/// y = activation(W·a + b)
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    /// (Y, A), row by row.
    pub w: Vec<f32>,
    /// (Y)
    pub b: Vec<f32>,
    pub activation: Activation,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// From the first input to the last.
    Forward(Cell),
    /// From the last input to the first.
    Backward(Cell),
    /// Both, over the same inputs; the outputs of the first, then those of the second.
    Both(Cell, Cell),
    Dense(Dense),
}

impl Layer {
    /// Of a recurrent layer.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Layer::Forward(cell) | Layer::Backward(cell) | Layer::Both(cell, _) => Some(cell.kind),
            Layer::Dense(_) => None,
        }
    }

    pub fn inputs(&self) -> usize {
        match self {
            Layer::Forward(cell) | Layer::Backward(cell) | Layer::Both(cell, _) => cell.inputs,
            Layer::Dense(dense) => dense.inputs,
        }
    }

    fn is_finite(&self) -> bool {
        let finite = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
        let cell = |cell: &Cell| {
            let mut gates = cell
                .gates
                .iter()
                .flat_map(|gate| [&gate.wx, &gate.wa, &gate.b]);
            gates.all(|numbers| finite(numbers))
                && [&cell.bna, &cell.a, &cell.c]
                    .into_iter()
                    .all(|numbers| finite(numbers))
        };
        match self {
            Layer::Forward(one) | Layer::Backward(one) => cell(one),
            Layer::Both(first, second) => cell(first) && cell(second),
            Layer::Dense(dense) => finite(&dense.w) && finite(&dense.b),
        }
    }

    pub fn outputs(&self) -> usize {
        match self {
            Layer::Forward(cell) | Layer::Backward(cell) => cell.units,
            Layer::Both(forward, backward) => forward.units + backward.units,
            Layer::Dense(dense) => dense.outputs,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub layers: Vec<Layer>,
    /// What the inputs are multiplied by before the first layer, and the outputs after the last.
    pub gain: [f32; 2],
    /// Whether the inputs are added to the outputs (before the gain of the outputs).
    pub skip: bool,
    /// The sample rate in Hz that an audio model was trained at, where its file says so.
    pub sample_rate: Option<f64>,
}

/// Inputs, and what another program computed from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Sequences beside each other.
    pub batch: usize,
    /// (T, batch, X): all samples of the first step come first.
    pub x: Vec<f32>,
    /// The outputs, (T, batch, Y); where [`last`](Self::last), those of the last step alone.
    pub y: Vec<f64>,
    pub last: bool,
    /// The program, or the file.
    pub from: String,
}

/// A network, and what its file says that it computes.
pub type Model = (Network, Option<Samples>);

impl Samples {
    /// An error where they cannot be those of this network.
    pub fn check(&self, network: &Network) -> Result<(), String> {
        let (inputs, numbers, batch) = (network.inputs(), self.x.len(), self.batch);
        if batch == 0 || batch > numbers || numbers % (batch * inputs) != 0 {
            return Err(format!(
                "{numbers} numbers in x are no batch of {batch}, of {inputs} inputs"
            ));
        }
        if !self.x.iter().all(|x| x.is_finite()) {
            return Err("a number in x is infinite or no number".to_owned());
        }
        let steps = if self.last {
            1
        } else {
            numbers / (batch * inputs)
        };
        let (found, expected) = (self.y.len(), steps * batch * network.outputs());
        match found == expected {
            true => Ok(()),
            false => Err(format!("{found} numbers in y, expected {expected}")),
        }
    }
}

impl Network {
    /// Of layers that fit onto each other; nothing is added or multiplied.
    pub fn new(layers: Vec<Layer>) -> Result<Self, String> {
        if !layers.iter().any(|layer| layer.kind().is_some()) {
            return Err("there is no recurrent layer".to_owned());
        }
        if let Some(n) = layers.iter().position(|layer| !layer.is_finite()) {
            return Err(format!(
                "layer {} has a weight that is infinite or no number",
                n + 1
            ));
        }
        for (n, pair) in layers.windows(2).enumerate() {
            let (below, above) = (pair[0].outputs(), pair[1].inputs());
            if below != above {
                return Err(format!(
                    "layer {} has {below} outputs, and layer {} takes {above} inputs",
                    n + 1,
                    n + 2
                ));
            }
        }
        Ok(Network {
            layers,
            gain: [1.0; 2],
            skip: false,
            sample_rate: None,
        })
    }

    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Layer::inputs)
    }

    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }

    /// Whether an output needs no later input: one sample can be computed after the other.
    pub fn streams(&self) -> bool {
        let streams = |layer: &Layer| matches!(layer, Layer::Forward(_) | Layer::Dense(_));
        self.layers.iter().all(streams)
    }
}

/// As in "LSTM (6, 16), dense (16, 4)".
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, layer) in self.layers.iter().enumerate() {
            let direction = match layer {
                Layer::Backward(_) => "backward ",
                Layer::Both(..) => "bidirectional ",
                _ => "",
            };
            let (kind, units) = match layer {
                Layer::Forward(cell) | Layer::Backward(cell) | Layer::Both(cell, _) => {
                    (cell.kind.to_string(), cell.units)
                }
                Layer::Dense(dense) => (format!("dense{}", dense.activation), dense.outputs),
            };
            let separator = if n == 0 { "" } else { ", " };
            let inputs = layer.inputs();
            write!(f, "{separator}{direction}{kind} ({inputs}, {units})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Lstm => "LSTM",
            Kind::GruAfter => "GRU",
            Kind::GruBefore => "GRU (reset before)",
            Kind::RnnTanh => "RNN",
            Kind::RnnRelu => "RNN (ReLU)",
        })
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Activation::None => "",
            Activation::Tanh => " (tanh)",
            Activation::Sigmoid => " (sigmoid)",
            Activation::Relu => " (ReLU)",
            Activation::Softmax => " (softmax)",
        })
    }
}

/// What a reader has of a layer: all gates in two matrices, in the order and layout of its format.
pub struct Stacked<'a> {
    pub kind: Kind,
    pub inputs: usize,
    pub units: usize,
    /// Which block of the format each gate of [`Kind::gates`] is.
    pub blocks: &'a [usize],
    /// Whether the matrices are (inputs, gates·units), as in Keras, and not (gates·units, inputs).
    pub transposed: bool,
    pub wx: &'a [f32],
    pub wa: &'a [f32],
    /// The bias, or that of the inputs where there are two; or empty.
    pub b: &'a [f32],
    /// The bias of the recurrent product, where there are two; or empty.
    pub b_recurrent: &'a [f32],
}

impl Stacked<'_> {
    /// The cell, which starts at zero. All slices have the lengths that the numbers say.
    pub fn cell(&self) -> Cell {
        let (units, gates) = (self.units, self.kind.gates());
        let matrix = |w: &[f32], columns: usize, block: usize| -> Vec<f32> {
            let at = |row: usize, column: usize| match self.transposed {
                true => w[column * gates * units + block * units + row],
                false => w[(block * units + row) * columns + column],
            };
            let rows = (0..units).flat_map(|row| (0..columns).map(move |column| (row, column)));
            rows.map(|(row, column)| at(row, column)).collect()
        };
        let bias = |b: &[f32], block: usize| match b.is_empty() {
            true => vec![0.0; units],
            false => b[block * units..][..units].to_vec(),
        };
        // The reset gate reaches the second bias of the candidate alone: they do not add up.
        let apart = |gate| self.kind == Kind::GruAfter && gate == 2;
        let gate = |gate: usize| {
            let block = self.blocks[gate];
            let mut b = bias(self.b, block);
            if !apart(gate) && !self.b_recurrent.is_empty() {
                for (b, other) in b.iter_mut().zip(bias(self.b_recurrent, block)) {
                    *b += other;
                }
            }
            Gate {
                wx: matrix(self.wx, self.inputs, block),
                wa: matrix(self.wa, units, block),
                b,
            }
        };
        Cell {
            kind: self.kind,
            inputs: self.inputs,
            units,
            gates: (0..gates).map(gate).collect(),
            bna: match self.kind {
                Kind::GruAfter => bias(self.b_recurrent, self.blocks[2]),
                _ => Vec::new(),
            },
            a: vec![0.0; units],
            c: match self.kind {
                Kind::Lstm => vec![0.0; units],
                _ => Vec::new(),
            },
        }
    }
}
