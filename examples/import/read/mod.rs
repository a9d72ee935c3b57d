//! Reading: what a file can describe (`network.rs`), the formats, and which one a file has.

pub mod from_json;
pub mod from_keras;
pub mod from_nam;
pub mod from_onnx;
pub mod from_safetensors;
pub mod from_state_dict;
pub mod json;
pub mod network;
pub mod outputs;
pub mod tensor;

use std::fs;
use std::path::Path;

pub use network::Model;

/// The network of a file. `relu`: an RNN has ReLU, where the file does not say it itself.
pub fn read(file: &Path, relu: bool) -> Result<Model, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let said = |model: Result<Model, String>| match relu {
        true => Err("the file says itself what --relu says".to_owned()),
        false => model,
    };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => Ok((from_safetensors::read(&bytes, relu)?, None)),
        Some("json") => from_json::read(&bytes, relu),
        Some("onnx") => said(from_onnx::read(&bytes, file.parent())),
        Some("nam") => said(from_nam::read(&bytes).map(|network| (network, None))),
        _ => Err("the name ends in none of .safetensors, .onnx, .json and .nam".to_owned()),
    }
}
