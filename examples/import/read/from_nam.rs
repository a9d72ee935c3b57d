//! NeuralAmpModeler's `.nam`, architecture LSTM.
//!
//! `weights` are all numbers in one list. A layer is the matrix [Wx | Wh], row by row, of the gates
//! i, f, g, o; the bias; and the state that it starts from, h and c. After the layers come the rows
//! of the head and its bias. Hosts run half a second of silence through the network before the
//! first sample; here the first sample meets the state of the file.

use std::fmt;

use crate::read::json::{self, Object};
use crate::read::network::{Activation, Dense, Kind, Layer, Network, Stacked};

pub fn read(bytes: &[u8]) -> Result<Network, String> {
    let file = json::file(bytes)?;
    let architecture = json::text(&file, "architecture")?;
    if architecture != "LSTM" {
        return Err(format!(
            "the architecture {architecture:?} is not supported, LSTM is"
        ));
    }
    let keys = [
        "version",
        "metadata",
        "architecture",
        "config",
        "weights",
        "sample_rate",
    ];
    json::known(&file, &keys)?;
    let sizes = Sizes::read(json::object(&file, "config")?)?;
    let weights = json::tensor(json::get(&file, "weights")?);
    let weights = weights.map_err(|error| format!("\"weights\": {error}"))?;
    if weights.shape.len() != 1 {
        let found = weights.shape;
        return Err(format!(
            "\"weights\" has shape {found:?}, expected one list"
        ));
    }
    let (found, expected) = (weights.numbers.len(), sizes.count());
    if found as u128 != expected {
        return Err(format!("{found} weights, expected {expected} for {sizes}"));
    }

    let mut rest = &weights.numbers[..];
    let mut take = |count: usize| {
        let (taken, others) = rest.split_at(count);
        rest = others;
        taken
    };
    let Sizes {
        layers,
        inputs,
        units,
        outputs,
    } = sizes;
    let mut network = Vec::new();
    for n in 0..layers {
        let inputs = if n == 0 { inputs } else { units };
        let rows = take(4 * units * (inputs + units)).chunks_exact(inputs + units);
        let (wx, wa): (Vec<_>, Vec<_>) = rows.map(|row| row.split_at(inputs)).unzip();
        let stacked = Stacked {
            kind: Kind::Lstm,
            inputs,
            units,
            blocks: &[1, 0, 2, 3],
            transposed: false,
            wx: &wx.concat(),
            wa: &wa.concat(),
            b: take(4 * units),
            b_recurrent: &[],
        };
        let mut cell = stacked.cell();
        cell.a = take(units).to_vec();
        cell.c = take(units).to_vec();
        network.push(Layer::Forward(cell));
    }
    network.push(Layer::Dense(Dense {
        inputs: units,
        outputs,
        w: take(outputs * units).to_vec(),
        b: take(outputs).to_vec(),
        activation: Activation::None,
    }));
    let mut network = Network::new(network)?;
    network.sample_rate = json::sample_rate(&file, "sample_rate")?;
    Ok(network)
}

struct Sizes {
    layers: usize,
    inputs: usize,
    units: usize,
    outputs: usize,
}

impl Sizes {
    fn read(config: &Object) -> Result<Self, String> {
        let keys = [
            "num_layers",
            "input_size",
            "hidden_size",
            "in_channels",
            "out_channels",
        ];
        json::known_in_layer(config, &keys)?;
        let channels = |key| match json::find(config, key) {
            Some(_) => json::size(config, key),
            None => Ok(1),
        };
        let inputs = json::size(config, "input_size")?;
        let in_channels = channels("in_channels")?;
        if inputs != in_channels {
            return Err(format!(
                "{in_channels} input channels, \"input_size\" is {inputs}"
            ));
        }
        Ok(Sizes {
            layers: json::size(config, "num_layers")?,
            inputs,
            units: json::size(config, "hidden_size")?,
            outputs: channels("out_channels")?,
        })
    }

    /// How many weights there are. What is too many for any file stays so.
    fn count(&self) -> u128 {
        let [layers, inputs, units, outputs] =
            [self.layers, self.inputs, self.units, self.outputs].map(|size| size as u128);
        let layer = |inputs: u128| units.saturating_mul(4 * (inputs + units) + 4 + 2);
        let above = layer(units).saturating_mul(layers - 1);
        let head = outputs * (units + 1);
        layer(inputs).saturating_add(above).saturating_add(head)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes {
            layers,
            inputs,
            units,
            outputs,
        } = self;
        if *layers > 1 {
            write!(f, "{layers} layers of ")?;
        }
        write!(f, "LSTM ({inputs}, {units}), dense ({units}, {outputs})")
    }
}
