//! Brings a network that was trained elsewhere into a program without file system, heap and Python.
//!
//! ```text
//! cargo run --release --example import -- MODEL.onnx --out src
//! ```
//!
//! reads a network of any shape, compares what it computes with what its file says, and writes a Rust
//! module with the weights, and a proof: a test that asks the same outputs and bits of any target.
//! Without arguments it does so with the LSTM in `files`.
//!
//! To read: `read/network.rs` is what a file describes, `read/mod.rs` knows the formats, each of
//! which has its `from_….rs`, `plain.rs` computes a network, `write/` writes, and this file puts them
//! together.

mod plain;
mod read;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use read::network::{Network, Samples};
use read::outputs;
use write::{Integers, Order, Weights};

/// Writes a Rust module for a trained recurrent network, and a proof that it computes the same.
#[derive(Parser)]
struct Options {
    /// The network: .safetensors, .onnx, .json (RTNeural, AIDA-X, GuitarML) or .nam
    #[arg(default_value_os_t = sample("network.safetensors"))]
    model: PathBuf,

    /// What the network must compute: a CSV file with the outputs of a step in each line, or a file
    /// in the form that make.py says [default: NAME.outputs.json or outputs.json beside the network]
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,

    /// A CSV file with the inputs of a step in each line, to the outputs
    #[arg(long, value_name = "FILE", requires = "outputs")]
    inputs: Option<PathBuf>,

    /// The folder for what is written, made if there is none
    #[arg(long, value_name = "DIR", default_value_os_t = target())]
    out: PathBuf,

    /// The name of the module [default: that of the file]
    #[arg(long)]
    name: Option<String>,

    /// The weights in f32, or quantised
    #[arg(long, value_enum, default_value = "f32")]
    weights: Weights,

    /// i16, i8: the greatest magnitude of an input [default: that of the samples of the file]
    #[arg(long, value_parser = magnitude)]
    range: Option<f32>,

    /// Functions for C, and their header
    #[arg(long)]
    c: bool,

    /// A bench as well: the nanoseconds of a step, and what share of a sample of audio that is
    #[arg(long)]
    bench: bool,

    /// The RNNs have nonlinearity="relu", where the file does not say it
    #[arg(long)]
    relu: bool,
}

/// A file of the LSTM that `make.py` wrote.
fn sample(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files");
    folder.join(name)
}

/// A number that can be the greatest magnitude of inputs.
fn magnitude(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| "it is no number")?;
    // The width of ±number is finite, too.
    let fits = number > 0.0 && number < f32::MAX / 2.0;
    fits.then_some(number)
        .ok_or_else(|| "it is not above 0 and below 1.7e38".to_owned())
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/import")
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A name in a file may have any character in it.
            let line = format!("{}: {error}", options.model.display());
            eprintln!("{}", line.replace(char::is_control, " "));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let (network, samples) = read::read(&options.model, options.relu)?;
    println!("{network}");
    let outputs = match (&options.inputs, &options.outputs) {
        (Some(inputs), Some(outputs)) => Some(outputs::read_csv(inputs, outputs, &network)?),
        (_, outputs) => outputs::read(outputs.as_deref(), &options.model, &network)?,
    };
    let samples = outputs.or(samples);
    if let Some(samples) = &samples {
        compare(&network, samples)?;
    }
    let name = match &options.name {
        Some(name) => write::check_name(name).map(|()| name.clone())?,
        None => write::name_of(&options.model)?,
    };
    if (options.c || options.bench) && !network.streams() {
        let what = "functions for C and benches are for one input after the other";
        return Err(format!("{what}: not for a layer that goes backward"));
    }
    let largest = |x: &[f32]| x.iter().fold(0.0, |l: f32, x| l.max(x.abs()));
    let range = match (options.range, &samples) {
        (Some(range), _) => Some(range),
        (None, Some(samples)) => Some(largest(&samples.x)),
        (None, None) => None,
    };
    let samples = samples.unwrap_or_else(|| drawn(&network, range.unwrap_or(1.0)));
    let integers = match (options.weights, range) {
        (Weights::F32, _) => None,
        (_, None) => {
            return Err("how large inputs can be decides their scale: say it with --range".into());
        }
        (weights, Some(range)) => {
            let Samples { x, batch, .. } = &samples;
            Some(Integers::new(&network, weights, x, *batch, range)?)
        }
    };
    let from = options.model.file_name().unwrap_or_default();
    let from = write::in_a_comment(&from.to_string_lossy());
    let order = Order {
        network: &network,
        name: &name,
        from: &from,
        samples: &samples,
        integers: integers.as_ref(),
        c: options.c,
        bench: options.bench,
    };
    let (files, error) = order.files();
    if order.integers.is_some() {
        println!("greatest error of the integers: {error:.1e}");
    }
    let told = |path: &Path, error| format!("{}: {error}", path.display());
    fs::create_dir_all(&options.out).map_err(|error| told(&options.out, error))?;
    for (name, content) in files {
        let path = options.out.join(name);
        fs::write(&path, &content).map_err(|error| told(&path, error))?;
        println!("{} ({} bytes)", path.display(), content.len());
    }
    // What C calls is public, and the proof is called on a target. Else it is a test alone.
    println!(
        "to add where modules are declared: {}",
        match options.c {
            true => format!("pub mod {name}; pub mod {name}_proof;"),
            false => format!("mod {name}; #[cfg(test)] mod {name}_proof;"),
        }
    );
    if samples.y.is_empty() {
        println!("not compared with what it must compute: say that with --inputs and --outputs");
    }
    Ok(())
}

/// How far outputs may be from those of another program that computes in f32, beside the errors
/// that f32 makes here, and there.
const TOLERANCE: f64 = 1e-6;

/// Runs the network on the inputs of the file.
fn compare(network: &Network, samples: &Samples) -> Result<(), String> {
    samples.check(network)?;
    let exact: Vec<f64> = plain::run(network, &samples.x, samples.batch);
    let rounded: Vec<f32> = plain::run(network, &samples.x, samples.batch);
    let rounded: Vec<f64> = rounded.into_iter().map(f64::from).collect();
    let y = &rounded[rounded.len() - samples.y.len()..]; // All steps, or the last.
    let (apart, from) = (plain::greatest_difference(y, &samples.y), &samples.from);
    println!("greatest difference from {from}: {apart:.1e}");
    match apart <= TOLERANCE + 2.0 * plain::greatest_difference(&exact, &rounded) {
        true => Ok(()),
        false => Err(format!(
            "the outputs differ by {apart:.1e} from those of {from}"
        )),
    }
}

/// Inputs in ±range, where a file has none: one sequence of 64 steps, always the same.
fn drawn(network: &Network, range: f32) -> Samples {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let count = 64 * network.inputs();
    Samples {
        batch: 1,
        x: (0..count)
            .map(|_| rng.random_range(-range..=range))
            .collect(),
        y: Vec::new(),
        last: false,
        from: String::new(),
    }
}
