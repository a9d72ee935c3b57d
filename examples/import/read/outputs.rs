//! What another program computes with a network, where the file of the network does not say it.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::read::network::{Network, Samples};

/// outputs.json of `make.py`, or NAME.outputs.json of `make_json.py`, which has only float64.
#[derive(Deserialize)]
struct Outputs {
    batch: usize,
    last: bool,
    x: Vec<f32>,
    onnxruntime: Option<Vec<f64>>,
    float64: Vec<f64>,
}

/// The samples of these two files: one sequence, a line a step. X numbers stand in a line of the
/// inputs, Y in one of the outputs, which may be one line: that of the last step.
pub fn read_csv(inputs: &Path, outputs: &Path, network: &Network) -> Result<Samples, String> {
    let y: Vec<f64> = numbers(outputs, network.outputs())?;
    let samples = Samples {
        batch: 1,
        x: numbers(inputs, network.inputs())?,
        last: y.len() == network.outputs(),
        y,
        from: outputs
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    samples.check(network)?;
    Ok(samples)
}

/// The numbers of all lines, which have `columns` of them.
fn numbers<N: FromStr>(file: &Path, columns: usize) -> Result<Vec<N>, String> {
    let named = |error: String| format!("{}: {error}", file.display());
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(file);
    let mut numbers = Vec::new();
    for line in reader.map_err(|error| named(error.to_string()))?.records() {
        let line = line.map_err(|error| named(error.to_string()))?;
        if line.len() != columns {
            let found = line.len();
            return Err(named(format!(
                "{found} numbers in a line, expected {columns}"
            )));
        }
        for text in &line {
            let number = text.trim().parse();
            numbers.push(number.map_err(|_| named(format!("{text:?} is no number")))?);
        }
    }
    Ok(numbers)
}

/// The samples of this file, or of NAME.outputs.json or outputs.json beside the network, where there
/// is one.
pub fn read(
    file: Option<&Path>,
    model: &Path,
    network: &Network,
) -> Result<Option<Samples>, String> {
    let beside = [
        model.with_extension("outputs.json"),
        model.with_file_name("outputs.json"),
    ];
    let mut beside = beside
        .iter()
        .map(PathBuf::as_path)
        .filter(|file| file.exists());
    let Some(file) = file.or_else(|| beside.next()) else {
        return Ok(None);
    };
    let named = |error: String| format!("{}: {error}", file.display());
    let bytes = fs::read(file).map_err(|error| named(error.to_string()))?;
    let outputs: Outputs =
        serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))?;
    let (y, from) = match outputs.onnxruntime {
        Some(y) => (y, "onnxruntime"),
        None => (outputs.float64, "float64"),
    };
    let samples = Samples {
        batch: outputs.batch,
        x: outputs.x,
        y,
        last: outputs.last,
        from: from.to_owned(),
    };
    samples.check(network).map_err(named)?;
    Ok(Some(samples))
}
