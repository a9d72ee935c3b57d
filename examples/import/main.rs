//! Brings a network that was trained elsewhere into a program without file system, heap and Python.
//!
//! ```text
//! cargo run --release --example import -- network.safetensors
//! cargo run --release --example import -- network.onnx
//! ```
//!
//! reads the weights of an LSTM, a GRU or an RNN and of a dense layer, runs the network on an
//! input, compares what it computes with what another runtime computed, and writes the flat file
//! and the Rust source with `include_bytes!` that a program compiles in. Without arguments it does
//! so with the LSTM in `files`, made by `make.py`, as are the GRUs and the RNN beside it.
//!
//! To read: `model.rs` is the network, `from_safetensors.rs` and `from_onnx.rs` read the two
//! formats, `tensor.rs` says what can be wrong with a tensor, and this file puts them together.

mod from_onnx;
mod from_safetensors;
mod model;
mod tensor;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bptt::{Flat, Vector};
use clap::Parser;
use serde::Deserialize;

use model::{Network, X};

/// Imports a network of 6 inputs, an LSTM, GRU or RNN of 16 units and a dense layer of 4 outputs.
#[derive(Parser)]
struct Options {
    /// The weights: a file whose name ends in .safetensors or .onnx
    #[arg(default_value_os_t = beside("network.safetensors"))]
    model: PathBuf,

    /// What the network must compute, in the form that make.py says [default: outputs.json beside
    /// the weights]
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,

    /// The folder for network.bin and network.rs, made if there is none
    #[arg(long, value_name = "DIR", default_value_os_t = target())]
    out: PathBuf,

    /// .safetensors: what the module calls its torch.nn.LSTM, GRU or RNN
    #[arg(long, value_name = "NAME", default_value = "lstm")]
    layer: String,

    /// .safetensors: the torch.nn.RNN has nonlinearity="relu", which the file does not say
    #[arg(long)]
    relu: bool,

    /// .safetensors: what the module calls its torch.nn.Linear
    #[arg(long, value_name = "NAME", default_value = "head")]
    head: String,
}

/// A file of the LSTM that `make.py` wrote.
fn beside(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files");
    folder.join(name)
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/import")
}

/// outputs.json of `make.py`.
#[derive(Deserialize)]
struct Expected {
    batch: usize,
    x: Vec<f32>,
    onnxruntime: Outputs,
    float64: Outputs,
}

#[derive(Deserialize)]
struct Outputs {
    h: Vec<f64>,
    y: Vec<f64>,
}

/// How far the two may be apart: ten times what was measured on the LSTM of `make.py`, where
/// each is within 10⁻⁷ of float64. A gate in the wrong place changes the first digit.
const TOLERANCE: f64 = 1e-6;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let bytes = read(&options.model)?;
    let network = match options.model.extension().and_then(|e| e.to_str()) {
        Some("safetensors") => {
            from_safetensors::read(&bytes, &options.layer, &options.head, options.relu)
        }
        Some("onnx") if options.relu => Err("the graph says itself what --relu says".to_owned()),
        Some("onnx") => from_onnx::read(&bytes),
        _ => Err("the name ends neither in .safetensors nor in .onnx".to_owned()),
    };
    let network = network.map_err(|error| told(&options.model, error))?;
    let outputs = match &options.outputs {
        Some(file) => file.clone(),
        None => options.model.with_file_name("outputs.json"),
    };
    let expected =
        serde_json::from_slice(&read(&outputs)?).map_err(|error| told(&outputs, error))?;
    compare(&network, &expected).map_err(|error| told(&outputs, error))?;

    fs::create_dir_all(&options.out).map_err(|error| told(&options.out, error))?;
    for (name, content) in [
        ("network.bin", network.to_le_bytes()),
        ("network.rs", network.source().into_bytes()),
    ] {
        let path = options.out.join(name);
        fs::write(&path, &content).map_err(|error| told(&path, error))?;
        println!("{} ({} bytes)", path.display(), content.len());
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| told(file, error))
}

fn told(file: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", file.display())
}

/// Runs the network on the input of the file.
fn compare(network: &Network, expected: &Expected) -> Result<(), String> {
    let x = Vector::<X>::slice_from_flat(&expected.x).map_err(|error| {
        let found = error.found;
        format!("{found} numbers in x, expected a multiple of {X}")
    })?;
    if expected.batch == 0 || x.is_empty() || x.len() % expected.batch != 0 {
        let (samples, batch) = (x.len(), expected.batch);
        return Err(format!(
            "{samples} samples are no batch of {batch} sequences"
        ));
    }
    let (h, y) = network.run(x, expected.batch);
    let [h, y] = [Flat::slice_as_flat(&h), Flat::slice_as_flat(&y)]
        .map(|found| found.iter().map(|&number| number.into()).collect());
    let found = Outputs { h, y };

    let apart = difference(&found, &expected.onnxruntime)?;
    let error = difference(&found, &expected.float64)?;
    let theirs = difference(&expected.onnxruntime, &expected.float64)?;
    println!("largest difference from onnxruntime: {apart:.1e}");
    println!("largest error, compared with float64: {error:.1e}; of onnxruntime: {theirs:.1e}");
    if apart <= TOLERANCE {
        Ok(())
    } else {
        Err(format!(
            "the outputs differ by {apart:.1e} from those of onnxruntime"
        ))
    }
}

/// The largest of all differences; NaN, if there is one.
fn difference(a: &Outputs, b: &Outputs) -> Result<f64, String> {
    let mut largest: f64 = 0.0;
    for (name, a, b) in [("h", &a.h, &b.h), ("y", &a.y, &b.y)] {
        if a.len() != b.len() {
            return Err(format!("{} numbers in {name} against {}", b.len(), a.len()));
        }
        for (a, b) in a.iter().zip(b) {
            let difference = (a - b).abs();
            if difference > largest || difference.is_nan() {
                largest = difference;
            }
        }
    }
    Ok(largest)
}
