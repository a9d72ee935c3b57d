//! RTNeural's JSON of a Keras model, and what AIDA-X adds to it.

use serde_json::Value;

use crate::read::Model;
use crate::read::json::{self, Object};
use crate::read::network::{Activation, Dense, Kind, Layer, Network, Samples, Stacked};
use crate::read::tensor::Tensor;

const KEYS: [&str; 10] = [
    "in_shape",
    "layers",
    "in_skip",
    "in_gain",
    "out_gain",
    "samplerate",
    "sample_rate",
    "metadata",
    "input_batch",
    "output_batch",
];

pub fn read(file: &Object) -> Result<Model, String> {
    json::known(file, &KEYS)?;
    let mut inputs = last(file, "in_shape")?;
    let mut layers = Vec::new();
    for (n, value) in json::list(file, "layers")?.iter().enumerate() {
        let layer = layer(value, inputs).map_err(|error| format!("layer {}: {error}", n + 1))?;
        inputs = layer.outputs();
        layers.push(layer);
    }
    let mut network = Network::new(layers)?;
    network.skip = json::skip(file, "in_skip", &network)?;
    network.gain = [gain(file, "in_gain")?, gain(file, "out_gain")?];
    network.sample_rate = sample_rate(file)?;
    let samples = samples(file, &network)?;
    Ok((network, samples))
}

/// The last number of a shape: before it are the batch and the time, null.
fn last(object: &Object, key: &str) -> Result<usize, String> {
    let last = json::list(object, key)?.last().and_then(Value::as_u64);
    let last = last.and_then(|last| usize::try_from(last).ok());
    last.filter(|&last| last > 0)
        .ok_or_else(|| format!("\"{key}\" does not end with a size"))
}

fn layer(value: &Value, inputs: usize) -> Result<Layer, String> {
    let Some(layer) = value.as_object() else {
        return Err(format!("{}, expected an object", json::kind(value)));
    };
    let name = json::text(layer, "type")?;
    let read = match name {
        "lstm" => cell(layer, Kind::Lstm, &[1, 0, 2, 3], inputs), // i, f, c, o
        "gru" => cell(layer, Kind::GruAfter, &[1, 0, 2], inputs), // z, r, h
        "dense" | "time-distributed-dense" => dense(layer, inputs),
        _ => Err("not supported, lstm, gru and dense are".to_owned()),
    };
    let read = read.and_then(|read| {
        let keys = ["type", "name", "activation", "shape", "weights"];
        json::known_in_layer(layer, &keys)?;
        match (last(layer, "shape")?, read.outputs()) {
            (said, found) if said == found => Ok(read),
            (said, found) => Err(format!(
                "\"shape\" ends with {said}, the weights with {found}"
            )),
        }
    });
    read.map_err(|error| format!("{name:?}: {error}"))
}

/// The tensors of a layer by their names in Keras; those at the end may be missing.
fn weights<const N: usize>(
    layer: &Object,
    names: [&str; N],
) -> Result<[Option<Tensor>; N], String> {
    let list = json::list(layer, "weights")?;
    if list.len() > N {
        let (found, names) = (
            list.len(),
            names.map(|name| format!("a {name}")).join(" and "),
        );
        return Err(format!("{found} weights, expected {names}"));
    }
    let mut tensors = [const { None }; N];
    for ((value, name), tensor) in list.iter().zip(names).zip(&mut tensors) {
        *tensor = Some(json::tensor(value).map_err(|error| format!("the {name}: {error}"))?);
    }
    Ok(tensors)
}

/// The numbers of a tensor that must have this shape.
fn shaped(name: &str, tensor: &Option<Tensor>, shape: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = tensor.as_ref();
    let tensor = tensor.ok_or_else(|| format!("there is no {name}"))?;
    Ok(tensor.shaped(&format!("the {name}"), shape)?.to_vec())
}

/// LSTM: one bias. GRU: two, as Keras has with `reset_after`.
fn cell(layer: &Object, kind: Kind, blocks: &[usize], inputs: usize) -> Result<Layer, String> {
    // RTNeural does not look at it: exporters write "" too for what is tanh.
    if let activation @ (Activation::Sigmoid | Activation::Relu | Activation::Softmax) =
        activation(layer)?
    {
        return Err(format!("the activation{activation} is not supported"));
    }
    let names = ["kernel", "recurrent kernel", "bias"];
    let [kernel, recurrent, bias] = weights(layer, names)?;
    let rows = recurrent.as_ref().and_then(|tensor| tensor.shape.first());
    let units = rows.copied().unwrap_or(0);
    let columns = kind.gates() * units;
    let wa = shaped(names[1], &recurrent, &[units, columns])?;
    let wx = shaped(names[0], &kernel, &[inputs, columns])?;
    let bias = match (&bias, kind) {
        (None, _) => Vec::new(), // use_bias=False
        (bias, Kind::Lstm) => shaped(names[2], bias, &[columns])?,
        (bias, _) => shaped(names[2], bias, &[2, columns])?,
    };
    let (b, b_recurrent) = bias.split_at(columns.min(bias.len()));
    let stacked = Stacked {
        kind,
        inputs,
        units,
        blocks,
        transposed: true,
        wx: &wx,
        wa: &wa,
        b,
        b_recurrent,
    };
    Ok(Layer::Forward(stacked.cell()))
}

fn dense(layer: &Object, inputs: usize) -> Result<Layer, String> {
    let activation = activation(layer)?;
    let names = ["kernel", "bias"];
    let [kernel, bias] = weights(layer, names)?;
    let columns = kernel.as_ref().and_then(|tensor| tensor.shape.last());
    let outputs = columns.copied().unwrap_or(0);
    let kernel = shaped(names[0], &kernel, &[inputs, outputs])?;
    let b = match bias {
        None => vec![0.0; outputs], // use_bias=False
        bias => shaped(names[1], &bias, &[outputs])?,
    };
    let column = |y: usize| kernel.iter().skip(y).step_by(outputs).copied();
    Ok(Layer::Dense(Dense {
        inputs,
        outputs,
        w: (0..outputs).flat_map(column).collect(),
        b,
        activation,
    }))
}

fn activation(layer: &Object) -> Result<Activation, String> {
    match json::find(layer, "activation").map(Value::as_str) {
        None | Some(Some("" | "linear")) => Ok(Activation::None),
        Some(Some("tanh")) => Ok(Activation::Tanh),
        Some(Some("sigmoid")) => Ok(Activation::Sigmoid),
        Some(Some("relu")) => Ok(Activation::Relu),
        Some(Some("softmax")) => Ok(Activation::Softmax),
        Some(Some(other)) => Err(format!("the activation {other:?} is not supported")),
        Some(None) => Err("\"activation\" is no text".to_owned()),
    }
}

/// What a gain in dB multiplies by; -90 dB and less are silence to AIDA-X.
fn gain(file: &Object, key: &str) -> Result<f32, String> {
    let decibels = match json::find(file, key).map(Value::as_f64) {
        None => 0.0,
        Some(Some(decibels)) => decibels,
        Some(None) => return Err(format!("\"{key}\" is no number of decibels")),
    };
    let gain = match decibels > -90.0 {
        true => 10_f64.powf(decibels / 20.0) as f32,
        false => 0.0,
    };
    match gain.is_finite() {
        true => Ok(gain),
        false => Err(format!("\"{key}\" is {decibels} dB")),
    }
}

/// AIDA-X looks into its metadata first.
fn sample_rate(file: &Object) -> Result<Option<f64>, String> {
    let mut places = Vec::new();
    if json::find(file, "metadata").is_some() {
        places.push(json::object(file, "metadata")?);
    }
    places.push(file);
    for place in places {
        for key in ["samplerate", "sample_rate"] {
            if let Some(rate) = json::sample_rate(place, key)? {
                return Ok(Some(rate));
            }
        }
    }
    Ok(None)
}

/// The inputs and outputs that AIDA-X tests itself with, without the gains.
fn samples(file: &Object, network: &Network) -> Result<Option<Samples>, String> {
    let batches = ["input_batch", "output_batch"];
    let there = batches.map(|key| json::find(file, key).is_some());
    if !there[0] && !there[1] || network.gain != [1.0; 2] {
        return Ok(None);
    }
    let [x, y] = batches.map(|key| {
        let number = |value: &Value| value.as_f64().filter(|x| (*x as f32).is_finite());
        let numbers = json::list(file, key)?.iter().map(number);
        let numbers = numbers.collect::<Option<Vec<f64>>>();
        numbers.ok_or_else(|| format!("\"{key}\" is no list of numbers"))
    });
    let samples = Samples {
        batch: 1,
        x: x?.into_iter().map(|x| x as f32).collect(),
        y: y?,
        last: false,
        from: "\"output_batch\"".to_owned(),
    };
    samples.check(network)?;
    Ok(Some(samples))
}
