//! The proof: inputs, what the network computes from them in f64, how far the outputs may be from
//! that, and their bits, which are the same on every target.

use std::fmt::Display;

use super::{Order, c};
use crate::plain::{self, greatest_difference};

/// As many sequences and steps as a proof has at most, so that it fits a controller.
const SEQUENCES: usize = 2;
const STEPS: usize = 64;
/// The same where another program gave the outputs of the last step alone: to compare with them takes
/// all steps.
const STEPS_TO_THE_LAST: usize = 1024;

/// What a network must give.
struct Expected {
    sequences: usize,
    steps: usize,
    /// (sequences, steps, X), as the network takes them.
    inputs: Vec<String>,
    /// (sequences, steps, Y): in f64, and how far those of the network are.
    outputs: (Vec<f64>, f64),
    /// The same of another program; where it gave the last step alone, (sequences, 1, Y).
    theirs: Option<(Vec<f64>, f64)>,
    bits: u64,
}

/// The source, and how far an output is from that of a computation in f64, at most.
pub fn write(order: &Order) -> (String, f64) {
    let Order {
        name,
        from,
        network,
        samples,
        ..
    } = order;
    let (x, y) = (network.inputs(), network.outputs());
    let expected = expected(order);
    let (steps, sequences, bits) = (expected.steps, expected.sequences, expected.bits);
    let inputs = table(&expected.inputs, x, steps);
    let outputs = table(&listed(&expected.outputs.0), y, steps);
    let error = upwards(expected.outputs.1);
    let last = samples.last;

    let (input, value, scale) = match order.integers {
        None => ("f32", "f64::from(*found)", ""),
        Some(_) => ("i16", "f64::from(*found) * ONE", ", Y_SCALE"),
    };
    // q may be negative.
    let one = match order.integers {
        None => "",
        Some(_) => {
            "
/// What one of an output stands for, 2^-q, by the bits of its exponent.
const ONE: f64 = f64::from_bits(((1023 - Y_SCALE.q() as i64) as u64) << 52);
"
        }
    };
    let output = order.integers.map_or("f32", |integers| integers.output());
    let (network, sequence, step, out) = match network.streams() {
        true => (
            "Network",
            "let mut network = Network::new();",
            "for (step, (x, expected)) in inputs.iter().zip(outputs).enumerate() {",
            "let y = network.step(x);",
        ),
        false => (
            "run",
            "let y = run(inputs);",
            "for (step, (y, expected)) in y.iter().zip(outputs).enumerate() {",
            "let y = *y;",
        ),
    };
    let (zipped, bound) = match expected.theirs.is_some() {
        true => ("(outputs, theirs)", "OUTPUTS.iter().zip(&THEIRS)"),
        false => ("outputs", "&OUTPUTS"),
    };
    let for_c = match order.c {
        true => c::proof(name),
        false => String::new(),
    };
    let far = "return Err(Failed::Far { sequence, step });";
    let theirs_step = match (expected.theirs.is_some(), last) {
        (true, false) => format!(
            "if theirs.get(step).is_some_and(|theirs| !near(&y, theirs, DISTANCE)) {{ {far} }}\n"
        ),
        (true, true) => {
            format!("if step + 1 == inputs.len() && !near(&y, &theirs[0], DISTANCE) {{ {far} }}\n")
        }
        (false, _) => String::new(),
    };
    let theirs = match &expected.theirs {
        None => String::new(),
        Some((numbers, distance)) => format!(
            "
/// What {} computed from the same inputs{}.
static THEIRS: [[[f64; Y]; {}]; {sequences}] = {};
/// How far an output is from that, at most.
pub const DISTANCE: f64 = {:?};
",
            samples.from,
            if last { ", after the last one" } else { "" },
            if last { 1 } else { steps },
            table(&listed(numbers), y, if last { 1 } else { steps }),
            upwards(*distance),
        ),
    };
    let text = format!(
        "//! Whether the network `{name}`, from `{from}`, computes here what it must: call [`proof`] on the
//! target; on a host it is a test.

use super::{name}::{{{network}, X, Y{scale}}};

/// The bits of all outputs, as FNV-1a over their bytes, the lowest first.
pub const BITS: u64 = {bits:#018x};
/// How far an output is from that of a computation in f64, at most. The bits are always the same, and
/// so is this: it is the greatest difference, with two digits.
pub const ERROR: f64 = {error:?};
{one}
/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failed {{
/// An output of a step of a sequence is too far from what it must be.
Far {{
/// The sequence.
sequence: usize,
/// The step of it.
step: usize,
}},
/// All outputs are near enough, but their bits are these, and not [`BITS`].
Bits(u64),
}}

/// Runs the network.
///
/// # Errors
/// [`Failed`] says what is wrong.
pub fn proof() -> Result<(), Failed> {{
let mut bits = 0xcbf2_9ce4_8422_2325;
for (sequence, (inputs, {zipped})) in INPUTS.iter().zip({bound}).enumerate() {{
{sequence}
{step}
{out}
if !near(&y, expected, ERROR) {{ {far} }}
{theirs_step}for byte in y.iter().flat_map(|y| y.to_le_bytes()) {{
bits = (bits ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
}}
}}
}}
if bits == BITS {{ Ok(()) }} else {{ Err(Failed::Bits(bits)) }}
}}

/// Whether all outputs are within `distance`; NaN is not.
fn near(found: &[{output}; Y], expected: &[f64; Y], distance: f64) -> bool {{
let mut pairs = found.iter().zip(expected);
pairs.all(|(found, expected)| ({value} - expected).abs() <= distance)
}}
{for_c}
#[cfg(test)]
#[test]
fn computes_what_it_must() {{
assert_eq!(proof(), Ok(()));
}}

static INPUTS: [[[{input}; X]; {steps}]; {sequences}] = {inputs};

/// In f64.
static OUTPUTS: [[[f64; Y]; {steps}]; {sequences}] = {outputs};
{theirs}"
    );
    (text, error)
}

fn expected(order: &Order) -> Expected {
    let Order {
        network, samples, ..
    } = order;
    let (x, y) = (network.inputs(), network.outputs());
    let all = samples.x.len() / (x * samples.batch);
    let most = if samples.last {
        STEPS_TO_THE_LAST
    } else {
        STEPS
    };
    let (steps, sequences) = (all.min(most), samples.batch.min(SEQUENCES));
    // A network that looks ahead gives other outputs for a part of the inputs.
    let comparable = all == steps || (network.streams() && !samples.last);
    let inputs = part(&samples.x, x, samples.batch, [sequences, steps]);
    let theirs = match samples.last {
        true => part(&samples.y, y, samples.batch, [sequences, 1]),
        false => part(&samples.y, y, samples.batch, [sequences, steps]),
    };

    let run = |sequence: &[f32]| -> Vec<f64> { plain::run(network, sequence, 1) };
    let outputs: Vec<f64> = inputs.chunks(steps * x).flat_map(run).collect();
    let (inputs, found, bits) = match order.integers {
        None => {
            let run = |sequence: &[f32]| -> Vec<f32> { plain::run(network, sequence, 1) };
            let found: Vec<f32> = inputs.chunks(steps * x).flat_map(run).collect();
            let bits = fnv(found.iter().flat_map(|y| y.to_le_bytes()));
            let found: Vec<f64> = found.into_iter().map(f64::from).collect();
            (
                inputs.iter().map(|x| format!("{x:?}")).collect(),
                found,
                bits,
            )
        }
        Some(integers) => integers.run(network, &inputs, steps),
    };
    let theirs = (comparable && !samples.y.is_empty()).then(|| {
        let found = match samples.last {
            true => part_of_last(&found, y, steps),
            false => found.clone(),
        };
        let distance = greatest_difference(&found, &theirs);
        (theirs, distance)
    });
    let error = greatest_difference(&found, &outputs);
    Expected {
        sequences,
        steps,
        inputs,
        outputs: (outputs, error),
        theirs,
        bits,
    }
}

/// Of numbers (T, batch, columns) the first sequences and steps, (sequences, steps, columns).
fn part<N: Copy>(
    numbers: &[N],
    columns: usize,
    batch: usize,
    [sequences, steps]: [usize; 2],
) -> Vec<N> {
    let rows: Vec<&[N]> = numbers.chunks(columns).collect();
    let at = (0..sequences).flat_map(|m| (0..steps).map(move |t| t * batch + m));
    at.filter_map(|at| rows.get(at))
        .flat_map(|row| row.to_vec())
        .collect()
}

/// The last step of each sequence.
fn part_of_last(numbers: &[f64], columns: usize, steps: usize) -> Vec<f64> {
    let sequences = numbers.chunks(steps * columns);
    sequences
        .flat_map(|all| all[(steps - 1) * columns..].to_vec())
        .collect()
}

/// The number with two digits, rounded away from zero.
fn upwards(error: f64) -> f64 {
    let rounded = |x: f64| -> f64 { format!("{x:.1e}").parse().unwrap_or(x) };
    let near = rounded(error);
    if near >= error {
        near
    } else {
        rounded(error * 1.05)
    }
}

/// FNV-1a
pub fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    let add = |bits: u64, byte| (bits ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.fold(0xcbf2_9ce4_8422_2325, add)
}

fn listed(numbers: &[f64]) -> Vec<String> {
    numbers.iter().map(|number| format!("{number:?}")).collect()
}

/// Sequences of steps of rows.
fn table<N: Display>(numbers: &[N], columns: usize, steps: usize) -> String {
    let list = |parts: &[String]| format!("[{}]", parts.join(", "));
    let numbers: Vec<String> = numbers.iter().map(N::to_string).collect();
    let rows: Vec<String> = numbers.chunks(columns).map(list).collect();
    let sequences: Vec<String> = rows.chunks(steps).map(list).collect();
    list(&sequences)
}
