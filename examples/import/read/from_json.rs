//! The kinds of JSON that there are: RTNeural's of a Keras model (`from_keras.rs`), its PyTorch
//! `state_dict`, and GuitarML's, which says beside a `state_dict` what the module is.

use serde_json::Value;

use crate::read::Model;
use crate::read::json::{self, Object};
use crate::read::network::{Kind, Layer, Network};
use crate::read::tensor::Tensors;
use crate::read::{from_keras, from_state_dict};

/// `relu`: the RNNs of a `state_dict` have nonlinearity="relu".
pub fn read(bytes: &[u8], relu: bool) -> Result<Model, String> {
    let file = json::file(bytes)?;
    let there = |key| file.contains_key(key);
    if there("layers") || there("in_shape") {
        return match relu {
            true => Err("the file says itself what --relu says".to_owned()),
            false => from_keras::read(&file),
        };
    }
    if there("architecture") {
        return Err("what has an \"architecture\" is a .nam, and must be named so".to_owned());
    }
    let network = match there("model_data") || there("state_dict") {
        true => guitarml(&file, relu)?,
        false => from_state_dict::read(tensors(&file)?, relu)?,
    };
    Ok((network, None))
}

/// Tensors as lists in lists.
fn tensors(object: &Object) -> Result<Tensors, String> {
    let mut tensors = Tensors::default();
    for (name, value) in object {
        if name.contains(char::is_control) {
            return Err(format!("{name:?} is no name of a tensor"));
        }
        if !value.is_array() {
            return Err(format!("`{name}` is {}, not a list", json::kind(value)));
        }
        let tensor = json::tensor(value).map_err(|error| format!("`{name}`: {error}"))?;
        tensors.0.insert(name.clone(), tensor);
    }
    Ok(tensors)
}

const MODEL_DATA: [&str; 8] = [
    "model",
    "input_size",
    "skip",
    "output_size",
    "unit_type",
    "num_layers",
    "hidden_size",
    "bias_fl",
];

/// `SimpleRNN` of Automated-GuitarAmpModelling: `rec`, an LSTM, a GRU or an RNN, and `lin`, a dense
/// layer; with `skip` 1 the input is added to the output.
fn guitarml(file: &Object, relu: bool) -> Result<Network, String> {
    json::known(file, &["model_data", "state_dict"])?;
    let data = json::object(file, "model_data")?;
    json::known(data, &MODEL_DATA)?;
    let model = json::text(data, "model")?;
    if model != "SimpleRNN" {
        return Err(format!(
            "the model {model:?} is not supported, SimpleRNN is"
        ));
    }
    let kind = match json::text(data, "unit_type")? {
        "LSTM" => Kind::Lstm,
        "GRU" => Kind::GruAfter,
        "RNN" if relu => Kind::RnnRelu,
        "RNN" => Kind::RnnTanh,
        other => return Err(format!("the \"unit_type\" {other:?} is not supported")),
    };
    let tensors = tensors(json::object(file, "state_dict")?)?;
    let bias = tensors.shape("lin.bias").is_some();
    let mut network = from_state_dict::read(tensors, relu)?;

    let Some((Layer::Dense(_), cells)) = network.layers.split_last() else {
        return Err("\"state_dict\" does not end with a dense layer".to_owned());
    };
    for layer in cells {
        match layer {
            Layer::Forward(cell) if cell.kind == kind => {}
            _ => {
                return Err(format!(
                    "\"unit_type\" says {kind}, \"state_dict\" has {network}"
                ));
            }
        }
    }
    for (key, found) in [
        ("input_size", network.inputs()),
        ("hidden_size", cells.last().map_or(0, Layer::outputs)),
        ("num_layers", cells.len()),
        ("output_size", network.outputs()),
    ] {
        let said = json::size(data, key)?;
        if said != found {
            return Err(format!("\"{key}\" is {said}, \"state_dict\" has {found}"));
        }
    }
    match json::find(data, "bias_fl").map(Value::as_bool) {
        Some(Some(said)) if said != bias => {
            return Err(format!("\"bias_fl\" is {said}, `lin.bias` says {bias}"));
        }
        Some(None) => return Err("\"bias_fl\" is no boolean".to_owned()),
        _ => {}
    }
    network.skip = json::skip(data, "skip", &network)?;
    Ok(network)
}
