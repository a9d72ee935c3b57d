//! The network in integers: its weights, quantised by the crate, and how a step of it is written.
//!
//! The shapes of a network are types to the crate, and known only now. So a small program is written
//! that quantises cells of these shapes, and run by `cargo`.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use bptt::quantized::Scale;

use super::integer_model as model;
use super::module::{self, Bytes, State, cells, column_major, flat};
use super::{Weights, layers, proof};
use crate::plain;
use crate::read::network::{Activation, Cell, Kind, Layer, Network};

/// A network in integers.
pub struct Integers {
    weights: Weights,
    /// What one of an input stands for, and one of an output.
    x: Scale,
    y: Scale,
    /// The bytes of each layer.
    layers: Vec<Vec<u8>>,
}

impl Integers {
    /// Quantises a network whose inputs are like `x`, (T, batch, X), and not greater in magnitude
    /// than `range`.
    pub fn new(
        network: &Network,
        weights: Weights,
        x: &[f32],
        batch: usize,
        range: f32,
    ) -> Result<Self, String> {
        check(network)?;
        let x_scale = Scale::of(&[range]);
        let mut below = x_scale;
        let (mut calls, mut numbers) = (String::new(), Vec::new());
        for (number, layer) in layers(network) {
            let part = Network {
                layers: network.layers[..number].to_vec(),
                ..network.clone()
            };
            let scale = match layer {
                Layer::Forward(Cell {
                    kind: Kind::RnnRelu,
                    ..
                }) => {
                    let outputs: Vec<f32> = plain::run(&part, x, batch);
                    Scale::of(&outputs)
                }
                Layer::Dense(_) => Scale::new(16),
                _ => Scale::UNIT,
            };
            let q = below.q();
            for (_, cell) in cells(number, layer) {
                let scales = match cell.kind {
                    Kind::RnnRelu => format!("(Scale::new({q}), Scale::new({}))", scale.q()),
                    _ => format!("Scale::new({q})"),
                };
                let (name, count) = (type_of(cell, weights), flat(cell).len());
                let (x, a) = (cell.inputs, cell.units);
                _ = writeln!(
                    calls,
                    "layers.cell::<quantized::{name}, {x}, {a}>({count}, {scales})?;"
                );
                numbers.extend(flat(cell));
            }
            if let Layer::Dense(dense) = layer {
                let (inputs, outputs) = (dense.inputs, dense.outputs);
                _ = writeln!(
                    calls,
                    "layers.dense::<{inputs}, {outputs}>(Scale::new({q}))?;"
                );
                numbers.extend(column_major(&dense.w, inputs).chain(dense.b.iter().copied()));
            }
            below = scale;
        }
        let layers = quantise(&calls, weights, &numbers)?;
        Ok(Integers {
            weights,
            x: x_scale,
            y: below,
            layers,
        })
    }

    /// What is said of the weights.
    pub fn suffix(&self) -> &'static str {
        match self.weights {
            Weights::I16 => ", weights in i16",
            _ => ", weights in i8",
        }
    }

    /// The type of an output.
    pub fn output(&self) -> &'static str {
        if self.y.q() == 16 { "i32" } else { "i16" }
    }

    /// The scales as constants of the module.
    pub fn scales(&self) -> String {
        let (x, y) = (self.x.q(), self.y.q());
        format!(
            "/// What one of an input stands for, 2^{}: `X_SCALE.quantize` makes inputs of f32.
pub const X_SCALE: Scale = Scale::new({x});
/// What one of an output stands for, 2^{}.
pub const Y_SCALE: Scale = Scale::new({y});
",
            -x, -y
        )
    }

    /// The scales for C.
    pub fn header(&self, upper: &str) -> String {
        let (x, y) = (self.x.q(), self.y.q());
        format!(
            "/* One of an input stands for 2^{}, one of an output for 2^{}. */
#define {upper}_X_SHIFT {x}
#define {upper}_Y_SHIFT {y}
",
            -x, -y
        )
    }

    /// The weights, and the states of all recurrent layers.
    pub fn statics(&self, network: &Network, file: &mut Bytes) -> (String, Vec<State>) {
        let (mut text, mut states) = (String::new(), Vec::new());
        for ((number, layer), bytes) in layers(network).zip(&self.layers) {
            let bytes = file.push(bytes.iter().copied());
            let r#type = match layer {
                Layer::Dense(dense) => {
                    let (a, y) = (dense.inputs, dense.outputs);
                    format!("Dense<{a}, {y}, {}>", self.integer())
                }
                Layer::Forward(cell) | Layer::Backward(cell) | Layer::Both(cell, _) => {
                    type_of(cell, self.weights)
                }
            };
            let name = r#type.split('<').next().unwrap_or_default();
            _ = writeln!(
                text,
                "static LAYER_{number}: {type} = {name}::from_le_bytes({bytes});"
            );
            states.extend(
                cells(number, layer)
                    .into_iter()
                    .map(|(name, cell)| state(name, cell)),
            );
        }
        text.push('\n');
        (text, states)
    }

    fn integer(&self) -> &'static str {
        integer(self.weights)
    }

    /// `Network`: one input after the other.
    pub fn streaming(&self, network: &Network, states: &[State]) -> String {
        let mut text = module::declaration(states, "i16", self.output());
        text += "let input = [*x];\n";
        let mut input = "&input".to_owned();
        for (number, layer) in layers(network) {
            for (name, _) in cells(number, layer) {
                input = module::recurrent_step(&mut text, name, &input, states);
            }
            if let Layer::Dense(_) = layer {
                _ = writeln!(
                    text,
                    "let mut y = [[0; Y]];\nLAYER_{number}.forward({input}, &mut y);"
                );
                input = "&y".to_owned();
            }
        }
        text += "self.second = !self.second;\n";
        let place = input.trim_start_matches('&');
        text + &format!("let [y] = {place};\ny\n}}\n}}\n\n") + module::REST
    }

    /// What the network gives for sequences of so many steps, by the plain model of the integers: the
    /// inputs as they are taken, the outputs, and the hash of their bytes.
    pub fn run(
        &self,
        network: &Network,
        inputs: &[f32],
        steps: usize,
    ) -> (Vec<String>, Vec<f64>, u64) {
        let mut integers = vec![0; inputs.len()];
        // The lengths are the same, and what saturates does so on the target as well.
        let _ = self.x.quantize(inputs, &mut integers);
        let width = network.inputs();
        let mut outputs: Vec<i32> = Vec::new();
        for sequence in integers.chunks(steps * width) {
            let mut rows: Vec<Vec<i16>> = sequence.chunks(width).map(<[i16]>::to_vec).collect();
            let mut last = Vec::new();
            for (layer, bytes) in network.layers.iter().zip(&self.layers) {
                last = self.layer(layer, bytes, &rows);
                // Only the outputs of the last layer can have more than 16 bits.
                rows = last
                    .iter()
                    .map(|row| row.iter().map(|&y| y as i16).collect())
                    .collect();
            }
            outputs.extend(last.into_iter().flatten());
        }
        let bits = match self.output() {
            "i16" => proof::fnv(outputs.iter().flat_map(|&y| (y as i16).to_le_bytes())),
            _ => proof::fnv(outputs.iter().flat_map(|y| y.to_le_bytes())),
        };
        let unit = f64::from(self.y.q()).exp2();
        let values = outputs.into_iter().map(|y| f64::from(y) / unit).collect();
        (integers.iter().map(i16::to_string).collect(), values, bits)
    }

    /// The outputs of a layer for each row of inputs.
    fn layer(&self, layer: &Layer, bytes: &[u8], rows: &[Vec<i16>]) -> Vec<Vec<i32>> {
        let weight_bytes = if self.weights == Weights::I16 { 2 } else { 1 };
        match layer {
            Layer::Dense(dense) => {
                let shape = [dense.outputs, 0, dense.inputs];
                let layer = model::Layer::read(weight_bytes, shape, bytes);
                rows.iter().map(|a| layer.dense(a)).collect()
            }
            Layer::Forward(cell) | Layer::Backward(cell) | Layer::Both(cell, _) => {
                let kind = match cell.kind {
                    Kind::Lstm => model::Kind::Lstm,
                    Kind::GruAfter => model::Kind::ResetAfter,
                    Kind::GruBefore => model::Kind::ResetBefore,
                    Kind::RnnTanh => model::Kind::Rnn,
                    Kind::RnnRelu => model::Kind::Relu,
                };
                let shape = [cell.inputs, cell.units];
                let model = model::Cell::read(kind, weight_bytes, shape, bytes);
                let (mut a, mut c) = start(cell);
                let step = |x: &Vec<i16>| {
                    (a, c) = model.step(x, &a, &c);
                    a.iter().map(|&a| a.into()).collect()
                };
                rows.iter().map(step).collect()
            }
        }
    }
}

/// What a network in integers can be.
fn check(network: &Network) -> Result<(), String> {
    let no = |what: &str| {
        Err(format!(
            "there are no integers for {what}: take --weights f32"
        ))
    };
    if !network.streams() {
        return no("a layer that goes backward");
    }
    if network.gain != [1.0; 2] || network.skip {
        return no("gains and inputs that are added to the outputs");
    }
    let (last, below) = network.layers.split_last().ok_or("there is no layer")?;
    if below.iter().any(|layer| matches!(layer, Layer::Dense(_))) {
        return no("a dense layer below another layer");
    }
    match last {
        Layer::Dense(dense) if dense.activation != Activation::None => {
            no("an activation of the outputs")
        }
        _ => Ok(()),
    }
}

fn integer(weights: Weights) -> &'static str {
    match weights {
        Weights::I16 => "i16",
        _ => "i8",
    }
}

fn type_of(cell: &Cell, weights: Weights) -> String {
    let name = match cell.kind {
        Kind::Lstm => "Lstm",
        Kind::GruAfter => "ResetAfter",
        Kind::GruBefore => "ResetBefore",
        Kind::RnnTanh => "Rnn",
        Kind::RnnRelu => "Relu",
    };
    format!(
        "{name}<{}, {}, {}>",
        cell.inputs,
        cell.units,
        integer(weights)
    )
}

fn state(name: String, cell: &Cell) -> State {
    let (units, (a, c)) = (cell.units, start(cell));
    let zero = a.iter().all(|a| *a == 0) && c.iter().all(|c| *c == 0);
    let (a, c) = match zero {
        true => (format!("[0; {units}]"), format!("[0; {units}]")),
        false => (format!("{a:?}"), format!("{c:?}")),
    };
    match cell.kind {
        Kind::Lstm => State {
            name,
            r#type: format!("State<{units}, 1>"),
            start: format!("State {{ a: [{a}], c: [{c}] }}"),
            a: ".a",
        },
        _ => State {
            name,
            r#type: format!("Hidden<{units}, 1>"),
            start: format!("Hidden([{a}])"),
            a: ".0",
        },
    }
}

/// a⟨0⟩ in 2⁻¹⁵ and c⟨0⟩ in 2⁻²⁰.
fn start(cell: &Cell) -> (Vec<i16>, Vec<i32>) {
    let mut a = vec![0; cell.units];
    // The lengths are the same; what saturates is 1.
    let _ = Scale::UNIT.quantize(&cell.a, &mut a);
    let c = cell
        .c
        .iter()
        .map(|c| (f64::from(*c) * 20_f64.exp2()).round() as i32);
    (a, c.map(|c| c.clamp(-32 << 20, 32 << 20)).collect())
}

/// Runs a program with these calls on the weights; the bytes of each layer.
fn quantise(calls: &str, weights: Weights, numbers: &[f32]) -> Result<Vec<Vec<u8>>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Of its own, so that two at a time do not run each other's; the crate is built once for all.
    let name = format!("quantise-{}", std::process::id());
    let folder = env::temp_dir().join(format!("bptt-{name}"));
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.join("src")).map_err(told)?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nbptt.path = {root:?}\n\n\
         [profile.dev]\ndebug = false\nincremental = false\n"
    );
    let program = format!("{PROGRAM_START}{calls}Ok(())\n}}\n").replace("WEIGHT", integer(weights));
    let bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    fs::write(folder.join("Cargo.toml"), manifest).map_err(told)?;
    fs::write(folder.join("src/main.rs"), program).map_err(told)?;
    fs::write(folder.join("weights"), bytes).map_err(told)?;
    let cargo = |command: &str| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let manifest = ["--quiet", "--offline", "--manifest-path"];
        cargo
            .arg(command)
            .args(manifest)
            .arg(folder.join("Cargo.toml"));
        cargo.arg("--target-dir").arg(root.join("target/quantise"));
        cargo
    };
    let output = cargo("run").arg("--").arg(folder.join("weights")).output();
    let output = output.map_err(|error| format!("cargo, which quantises: {error}"))?;
    // The program; the crate stays for the next one. What cannot be removed is in nobody's way.
    let _ = cargo("clean").args(["--package", &name]).output();
    fs::remove_dir_all(&folder).map_err(told)?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(error.trim().trim_start_matches("Error: ").to_owned());
    }
    // A length, and as many bytes.
    let (mut layers, mut rest) = (Vec::new(), &output.stdout[..]);
    while let Some((length, more)) = rest.split_first_chunk() {
        let (layer, more) = more.split_at(u32::from_le_bytes(*length) as usize);
        layers.push(layer.to_vec());
        rest = more;
    }
    Ok(layers)
}

const PROGRAM_START: &str = r#"//! Quantises the layers of a network.

use std::io::{self, Write};
use std::{env, fs};

use bptt::Flat;
use bptt::quantized::{self, Cell, Scale};

struct Layers {
    weights: Vec<f32>,
}

impl Layers {
    fn take(&mut self, count: usize) -> Vec<f32> {
        self.weights.drain(..count).collect()
    }

    fn cell<C: Cell<X, A>, const X: usize, const A: usize>(
        &mut self,
        count: usize,
        scales: C::Scales,
    ) -> Result<(), String> {
        let weights = self.take(count);
        let params = C::Float::from_flat(&weights).map_err(|error| error.to_string())?;
        let mut cell = Box::new(C::default());
        cell.quantize(params, scales).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; C::BYTES];
        cell.to_le_bytes(&mut bytes).map_err(|error| error.to_string())?;
        write(&bytes)
    }

    fn dense<const A: usize, const Y: usize>(&mut self, a: Scale) -> Result<(), String> {
        let weights = self.take(A * Y + Y);
        let params = bptt::dense::Params::<A, Y>::from_flat(&weights);
        let params = params.map_err(|error| error.to_string())?;
        let mut layer = Box::new(quantized::Dense::<A, Y, WEIGHT>::zeros());
        layer.quantize(params, a).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; quantized::Dense::<A, Y, WEIGHT>::BYTES];
        layer.to_le_bytes(&mut bytes).map_err(|error| error.to_string())?;
        write(&bytes)
    }
}

/// The length, and the bytes.
fn write(bytes: &[u8]) -> Result<(), String> {
    let length = (bytes.len() as u32).to_le_bytes();
    let mut out = io::stdout().lock();
    out.write_all(&length).and_then(|()| out.write_all(bytes)).map_err(|error| error.to_string())
}

fn main() {
    let result = std::thread::Builder::new().stack_size(1 << 28).spawn(run).unwrap().join().unwrap();
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let bytes = fs::read(env::args().nth(1).unwrap()).map_err(|error| error.to_string())?;
    let numbers = bytes.chunks_exact(4);
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let mut layers = Layers { weights: numbers.map(number).collect() };
"#;
