//! What the readers of JSON ask of a value.

use serde_json::{Map, Value};

use crate::read::network::Network;
use crate::read::tensor::Tensor;

pub type Object = Map<String, Value>;

/// A file that is one object.
pub fn file(bytes: &[u8]) -> Result<Object, String> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(value) => Err(format!("the file is {}, not an object", kind(&value))),
        Err(error) => Err(format!("no whole JSON: {error}")),
    }
}

/// What a message says a value is, however long it is.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// An error that names a key beside these: it may change what the network computes. A text is a
/// description and does not.
pub fn known(object: &Object, keys: &[&str]) -> Result<(), String> {
    let other = |(key, value): &(&String, &Value)| {
        !keys.contains(&key.as_str()) && !matches!(value, Value::String(_) | Value::Null)
    };
    match object.iter().find(other) {
        Some((key, _)) => Err(format!("{key:?} is not known")),
        None => Ok(()),
    }
}

/// The same in a layer, where a text may be an activation.
pub fn known_in_layer(object: &Object, keys: &[&str]) -> Result<(), String> {
    let other =
        |(key, value): &(&String, &Value)| !keys.contains(&key.as_str()) && !value.is_null();
    match object.iter().find(other) {
        Some((key, _)) => Err(format!("{key:?} is not known")),
        None => Ok(()),
    }
}

/// The value of this key, where there is one and it is not null.
pub fn find<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

pub fn get<'a>(object: &'a Object, key: &str) -> Result<&'a Value, String> {
    find(object, key).ok_or_else(|| format!("there is no \"{key}\""))
}

fn expected(key: &str, value: &Value, what: &str) -> String {
    format!("\"{key}\" is {}, expected {what}", kind(value))
}

pub fn object<'a>(object: &'a Object, key: &str) -> Result<&'a Object, String> {
    let value = get(object, key)?;
    let object = value.as_object();
    object.ok_or_else(|| expected(key, value, "an object"))
}

pub fn list<'a>(object: &'a Object, key: &str) -> Result<&'a [Value], String> {
    let value = get(object, key)?;
    let list = value.as_array().map(Vec::as_slice);
    list.ok_or_else(|| expected(key, value, "a list"))
}

pub fn text<'a>(object: &'a Object, key: &str) -> Result<&'a str, String> {
    let value = get(object, key)?;
    value.as_str().ok_or_else(|| expected(key, value, "a text"))
}

/// How many of something there are: one at least.
pub fn size(object: &Object, key: &str) -> Result<usize, String> {
    let value = get(object, key)?;
    let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
    size.filter(|&size| size > 0)
        .ok_or_else(|| format!("\"{key}\" is no size: a whole number from 1 on"))
}

/// Whether the input of the network is added to its output; without the key it is not.
pub fn skip(object: &Object, key: &str, network: &Network) -> Result<bool, String> {
    match find(object, key).map(Value::as_f64) {
        None | Some(Some(0.0)) => Ok(false),
        Some(Some(1.0)) if (network.inputs(), network.outputs()) == (1, 1) => Ok(true),
        Some(Some(1.0)) => Err(format!(
            "\"{key}\" is for a network with one input and one output"
        )),
        _ => Err(format!("\"{key}\" must be 0 or 1")),
    }
}

/// A sample rate in Hz: a number, or a text that is one.
pub fn sample_rate(object: &Object, key: &str) -> Result<Option<f64>, String> {
    let Some(value) = find(object, key) else {
        return Ok(None);
    };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    match number.filter(|rate| rate.is_finite()) {
        Some(rate) => Ok((rate > 0.0).then_some(rate)), // `.nam` has -1 where it is not known
        None => Err(format!("\"{key}\" is no sample rate")),
    }
}

/// The numbers of lists in lists, where those beside each other are equally long.
pub fn tensor(value: &Value) -> Result<Tensor, String> {
    let mut shape = Vec::new();
    let mut first = Some(value);
    while let Some(Value::Array(list)) = first {
        shape.push(list.len());
        first = list.first();
    }
    let mut numbers = Vec::new();
    fill(value, &shape, &mut numbers)?;
    Ok(Tensor { shape, numbers })
}

fn fill(value: &Value, shape: &[usize], numbers: &mut Vec<f32>) -> Result<(), String> {
    match (value, shape.split_first()) {
        (Value::Array(list), Some((len, inner))) if list.len() == *len => {
            (list.iter()).try_for_each(|value| fill(value, inner, numbers))
        }
        (Value::Array(list), Some((len, _))) => {
            let found = list.len();
            Err(format!("a list of {found} beside a list of {len}"))
        }
        (value, Some(_)) => Err(format!("{} beside a list", kind(value))),
        (value, None) => {
            numbers.push(number(value)?);
            Ok(())
        }
    }
}

fn number(value: &Value) -> Result<f32, String> {
    let Some(number) = value.as_f64() else {
        return Err(format!("{} where a number is expected", kind(value)));
    };
    match number as f32 {
        rounded if rounded.is_finite() => Ok(rounded),
        _ => Err(format!("{number:e} is too large for f32")),
    }
}
