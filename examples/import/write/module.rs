//! The Rust module: the weights in `static`s, a `Network` with `step` and `reset`; where an output
//! needs later inputs, a function `run` over a whole sequence.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Order, c, layers};
use crate::read::network::{Activation, Cell, Dense, Kind, Layer, Network};

/// The source, and the file of the weights.
pub fn write(order: &Order) -> (String, Vec<u8>) {
    let network = order.network;
    let mut file = Bytes::default();
    let (statics, states) = match order.integers {
        None => statics(network, &mut file),
        Some(integers) => integers.statics(network, &mut file),
    };
    let body = match (order.integers, network.streams()) {
        (None, true) => streaming(network, &states),
        (None, false) => whole(network, &states),
        (Some(integers), _) => integers.streaming(network, &states),
    };
    let scales = order
        .integers
        .map_or(String::new(), |integers| integers.scales());
    let functions = match order.c {
        true => c::functions(order),
        false => String::new(),
    };
    let Order { name, from, .. } = order;
    let (x, y, bytes) = (network.inputs(), network.outputs(), file.0.len());
    let weights = order.integers.map_or("", |integers| integers.suffix());
    let uses = uses(&[&scales, &statics, &body], order.integers.is_some());
    let text = format!(
        "//! {network}{weights}: `{from}`, written by the example `import` of the crate `bptt`.
//!
//! The weights are in `{name}.bin`, which stands beside this file.

{uses}
/// Inputs of a step.
pub const X: usize = {x};
/// Outputs of a step.
pub const Y: usize = {y};
{scales}
const FILE: &[u8; {bytes}] = include_bytes!(\"{name}.bin\");

/// `N` bytes of the file, from `start` on. A file of another length does not compile.
const fn part<const N: usize>(start: usize) -> [u8; N] {{
    *FILE.split_at(start).1.first_chunk().unwrap()
}}

{statics}{body}{functions}"
    );
    (text, file.0)
}

/// The file of the weights, as far as it has been written.
#[derive(Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Appends bytes; what is left is the expression that reads them.
    pub fn push(&mut self, bytes: impl IntoIterator<Item = u8>) -> String {
        let start = self.0.len();
        self.0.extend(bytes);
        format!("&part::<{}>({start})", self.0.len() - start)
    }

    fn push_f32(&mut self, numbers: impl IntoIterator<Item = f32>) -> String {
        self.push(numbers.into_iter().flat_map(f32::to_le_bytes))
    }
}

/// A recurrent layer in one direction, as it is called in the source.
pub struct State {
    /// As in `layer_1`, in capitals the weights, in small letters the states.
    pub name: String,
    /// Its state: a type, and the expression of the first one.
    pub r#type: String,
    pub start: String,
    /// What is appended to a state for a⟨t⟩.
    pub a: &'static str,
}

/// The cells of a layer, each with its name.
pub fn cells(number: usize, layer: &Layer) -> Vec<(String, &Cell)> {
    match layer {
        Layer::Forward(cell) | Layer::Backward(cell) => vec![(format!("layer_{number}"), cell)],
        Layer::Both(first, second) => vec![
            (format!("layer_{number}_forward"), first),
            (format!("layer_{number}_backward"), second),
        ],
        Layer::Dense(_) => Vec::new(),
    }
}

/// The weights, and the states of all recurrent layers.
fn statics(network: &Network, file: &mut Bytes) -> (String, Vec<State>) {
    let (mut text, mut states) = (String::new(), Vec::new());
    for (number, layer) in layers(network) {
        for (name, cell) in cells(number, layer) {
            let (r#type, read) = cell_type(cell);
            let bytes = file.push_f32(flat(cell));
            let upper = name.to_uppercase();
            _ = writeln!(
                text,
                "static {upper}: {type} = {read}::from_le_bytes({bytes});"
            );
            states.push(state(name, cell, file));
        }
        if let Layer::Dense(dense) = layer {
            let (a, y) = (dense.inputs, dense.outputs);
            let bytes = file.push_f32(column_major(&dense.w, a).chain(dense.b.iter().copied()));
            _ = writeln!(
                text,
                "static LAYER_{number}: dense::Params<{a}, {y}> = dense::Params::from_le_bytes({bytes});"
            );
        }
    }
    text.push('\n');
    (text, states)
}

/// The type of the parameters, and how it is called in an expression.
fn cell_type(cell: &Cell) -> (String, &'static str) {
    let name = match cell.kind {
        Kind::Lstm => "lstm::Params",
        Kind::GruAfter => "gru::ResetAfter",
        Kind::GruBefore => "gru::ResetBefore",
        Kind::RnnTanh => "rnn::Params",
        Kind::RnnRelu => "rnn::Relu",
    };
    (format!("{name}<{}, {}>", cell.inputs, cell.units), name)
}

fn state(name: String, cell: &Cell, file: &mut Bytes) -> State {
    let units = cell.units;
    let (r#type, read, a) = match cell.kind {
        Kind::Lstm => (format!("lstm::State<{units}, 1>"), "lstm::State", ".a"),
        _ => (format!("Vector<{units}>"), "Vector", ""),
    };
    let start = match cell.a.iter().chain(&cell.c).all(|n| n.to_bits() == 0) {
        true => format!("{read}::zeros()"),
        false => {
            let bytes = file.push_f32(cell.a.iter().chain(&cell.c).copied());
            format!("{read}::from_le_bytes({bytes})")
        }
    };
    State {
        name,
        r#type,
        start,
        a,
    }
}

/// The weights of a cell as the crate has them in memory: of each gate Wa, Wx and b.
pub fn flat(cell: &Cell) -> Vec<f32> {
    let gates = cell.gates.iter().flat_map(|gate| {
        let weights = column_major(&gate.wa, cell.units).chain(column_major(&gate.wx, cell.inputs));
        weights.chain(gate.b.iter().copied())
    });
    gates.chain(cell.bna.iter().copied()).collect()
}

/// A matrix that stands row by row, column by column.
pub fn column_major(w: &[f32], columns: usize) -> impl Iterator<Item = f32> {
    (0..columns).flat_map(move |column| w.iter().skip(column).step_by(columns).copied())
}

/// `Network`: one input after the other.
fn streaming(network: &Network, states: &[State]) -> String {
    let mut text = declaration(states, "f32", "f32");
    let [gain_in, gain_out] = network.gain;
    let x = match gain_in == 1.0 {
        true => "*x".to_owned(),
        false => format!("x.map(|x| x * {gain_in:?})"),
    };
    _ = writeln!(text, "let input = Vector::from_columns([{x}]);");
    let mut input = "&input".to_owned();
    for (number, layer) in layers(network) {
        for (name, _) in cells(number, layer) {
            input = recurrent_step(&mut text, name, &input, states);
        }
        if let Layer::Dense(dense) = layer {
            let name = format!("layer_{number}");
            text += &dense_step(
                dense,
                number,
                &format!("let mut {name} = Vector::zeros();"),
                &input,
                &name,
            );
            input = format!("&{name}");
        }
    }
    text += "self.second = !self.second;\n";
    let place = input.trim_start_matches('&');
    _ = writeln!(text, "let [y] = *{place}.columns();");
    let skipped = match network.skip {
        true => "array::from_fn(|k| y[k] + input[(k, 0)])",
        false => "y",
    };
    _ = match gain_out == 1.0 {
        true => writeln!(text, "{skipped}"),
        false => writeln!(text, "{skipped}.map(|y| y * {gain_out:?})"),
    };
    text + "}\n}\n\n" + REST
}

/// The step of a recurrent layer; what is left is the expression of its outputs.
pub fn recurrent_step(text: &mut String, name: String, input: &str, states: &[State]) -> String {
    let (upper, state) = (name.to_uppercase(), states.iter().find(|s| s.name == name));
    _ = writeln!(
        text,
        "let (last, {name}) = turn(&mut self.{name}, self.second);
{upper}.step({input}, last, {name});"
    );
    match state.map_or("", |state| state.a) {
        "" => name,
        a => format!("&{name}{a}"),
    }
}

/// The struct, and its functions up to the body of `step`. A network has a recurrent layer at least.
pub fn declaration(states: &[State], input: &str, output: &str) -> String {
    let mut text = String::new();
    let (mut fields, mut starts) = (String::new(), String::new());
    for State {
        name,
        r#type,
        start,
        ..
    } in states
    {
        _ = writeln!(fields, "{name}: [{type}; 2],");
        _ = writeln!(starts, "{name}: [const {{ {start} }}; 2],");
    }
    _ = writeln!(
        text,
        "/// What the network remembers: of each recurrent layer the last state, and room for the next.
#[derive(Clone, Debug)]
pub struct Network {{
{fields}/// Whether the second state of each pair is the last one.
second: bool,
}}

impl Network {{
/// Before the first input.
pub const fn new() -> Self {{
Network {{
{starts}second: false,
}}
}}

/// Forgets all inputs.
pub fn reset(&mut self) {{
*self = Self::new();
}}

/// The outputs after one more input.
pub fn step(&mut self, x: &[{input}; X]) -> [{output}; Y] {{"
    );
    text
}

/// What follows the functions: the two states of a layer take turns.
pub const REST: &str = "impl Default for Network {
fn default() -> Self {
Self::new()
}
}

/// The last state, and the place of the next.
fn turn<S>([first, second]: &mut [S; 2], second_is_last: bool) -> (&S, &mut S) {
if second_is_last {
(second, first)
} else {
(first, second)
}
}
";

/// A dense layer and its activation, into `output`, which `place` declares.
fn dense_step(dense: &Dense, number: usize, place: &str, input: &str, output: &str) -> String {
    let activation = match dense.activation {
        Activation::None => String::new(),
        Activation::Tanh => format!("activation::tanh_slice({output}.as_flat_mut());\n"),
        Activation::Sigmoid => format!("activation::sigmoid_slice({output}.as_flat_mut());\n"),
        Activation::Softmax => format!("dense::softmax(&mut {output});\n"),
        Activation::Relu => {
            format!("for y in {output}.as_flat_mut() {{\nif *y < 0.0 {{\n*y = 0.0;\n}}\n}}\n")
        }
    };
    format!("{place}\ndense::forward(&LAYER_{number}, {input}, &mut {output});\n{activation}")
}

/// `run`: a whole sequence, layer after layer.
fn whole(network: &Network, states: &[State]) -> String {
    let mut text = "/// The outputs of a whole sequence, which starts at its first input; an output needs later inputs
/// too. The outputs of all layers are on the stack.
pub fn run<const T: usize>(x: &[[f32; X]; T]) -> [[f32; Y]; T] {\n"
        .to_owned();
    let [gain_in, gain_out] = network.gain;
    let x = match gain_in == 1.0 {
        true => "*x".to_owned(),
        false => format!("x.map(|x| x * {gain_in:?})"),
    };
    _ = writeln!(
        text,
        "let input: [Vector<X>; T] = array::from_fn(|t| {{ let x = &x[t]; Vector::from_columns([{x}]) }});"
    );
    let mut input = "input".to_owned();
    for (number, layer) in layers(network) {
        let (name, outputs) = (format!("layer_{number}"), layer.outputs());
        _ = writeln!(
            text,
            "let mut {name} = [const {{ Vector::<{outputs}>::zeros() }}; T];"
        );
        if let Layer::Dense(dense) = layer {
            _ = writeln!(text, "for (x, y) in {input}.iter().zip(&mut {name}) {{");
            let step = dense_step(dense, number, "", "x", "y").replace("&mut y)", "y)");
            _ = writeln!(text, "{}}}", step.trim_start());
        }
        let mut before = 0;
        for (cell_name, cell) in cells(number, layer) {
            let state = states.iter().find(|state| state.name == cell_name);
            let (start, a) = state.map_or(("", ""), |state| (&state.start, state.a));
            let backward = cell_name.ends_with("_backward") || matches!(layer, Layer::Backward(_));
            let order = if backward { ".rev()" } else { "" };
            let skip = match before {
                0 => String::new(),
                units => format!(".skip({units})"),
            };
            _ = writeln!(
                text,
                "let mut last = {start};
for (x, y) in {input}.iter().zip(&mut {name}){order} {{
let mut next = last.clone();
{}.step(x, &last, &mut next);
last = next;
for (y, a) in y.as_flat_mut().iter_mut(){skip}.zip(last{a}.as_flat()) {{
*y = *a;
}}
}}",
                cell_name.to_uppercase()
            );
            before += cell.units;
        }
        input = name;
    }
    let mut y = format!("{{ let [y] = *{input}[t].columns(); y }}");
    if network.skip {
        y = format!("{{ let y = {y}; array::from_fn(|k| y[k] + input[t][(k, 0)]) }}");
    }
    if gain_out != 1.0 {
        y = format!("{{ let y: [f32; Y] = {y}; y.map(|y| y * {gain_out:?}) }}");
    }
    _ = writeln!(text, "array::from_fn(|t| {y})\n}}");
    text
}

/// What the module takes from the crate and from `core`.
fn uses(texts: &[&str], integers: bool) -> String {
    let has = |word: &str| texts.iter().any(|text| text.contains(word));
    let from = |path: &str, words: &[&str]| {
        let found: BTreeSet<_> = words
            .iter()
            .filter_map(|word| {
                let (name, pattern) = word.split_once('=').unwrap_or((word, word));
                has(pattern).then_some(name)
            })
            .collect();
        let found: Vec<_> = found.into_iter().collect();
        match &found[..] {
            [] => String::new(),
            [one] => format!("use {path}::{one};\n"),
            all => format!("use {path}::{{{}}};\n", all.join(", ")),
        }
    };
    let core = match has("array::from_fn") {
        true => "use core::array;\n\n",
        false => "",
    };
    let words: &[&str] = match integers {
        false => &[
            "Cell=.step(",
            "Flat=as_flat",
            "Vector=Vector",
            "activation=activation::",
            "dense=dense::",
            "gru=gru::",
            "lstm=lstm::",
            "rnn=rnn::",
        ],
        true => &[
            "Cell=.step(",
            "Dense=Dense<",
            "Hidden=Hidden",
            "Lstm=Lstm<",
            "Relu=Relu<",
            "ResetAfter=ResetAfter<",
            "ResetBefore=ResetBefore<",
            "Rnn=Rnn<",
            "Scale",
            "State=State",
        ],
    };
    let path = if integers { "bptt::quantized" } else { "bptt" };
    format!("{core}{}", from(path, words))
}
