//! Weights from and to other frameworks, against what those frameworks compute.
//!
//! * LSTM and GRU: the `layout_*` files of `tests/reference`. The weights are read from the
//!   framework's arrays, a forward and a backward run in f64, and outputs and gradients compared in
//!   the framework's arrays.
//! * RNN, dense, single gates, and the LSTM of TensorFlow 1 and `.nam`: against the frameworks'
//!   equations written out over the flat arrays, on numbers whose sums are exact.
//! * All: what was read is written back bit for bit, and a wrong length of any argument touches
//!   nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bptt::layout::{gate, keras, nam, onnx, pytorch, textbook, tf1};
use bptt::{Affine, Cell, Flat, LengthMismatch, Matrix, Real, Vector, dense, gru, lstm, rnn};
use serde::Deserialize;

// -------------------------------------------------------------------------------------------------
// LSTM: the reference files
// -------------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

#[derive(Deserialize)]
struct File {
    kind: String,
    twin: String,
    tensors: BTreeMap<String, Array>,
    outputs: BTreeMap<String, Array>,
    grads: BTreeMap<String, Array>,
}

#[derive(Deserialize)]
struct Twin {
    params: BTreeMap<String, Array>,
    grads: BTreeMap<String, Array>,
}

fn read<D: for<'a> Deserialize<'a>>(file: &str) -> D {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The network `I…_H…_B…` in the three layouts, and in the textbook's.
fn all_layouts<const X: usize, const A: usize, const M: usize>(name: &str) {
    for kind in ["pytorch", "keras", "onnx"] {
        let file: File = read(&format!("layout_{kind}__{name}.json"));
        assert_eq!(file.kind, format!("layout_{kind}"));
        framework::<X, A, M>(kind, &file);
    }
}

/// (B, T, N) to and from (T, B, N): Keras counts the samples first.
fn swap_axes(flat: &[f64], first: usize, second: usize) -> Vec<f64> {
    let n = flat.len() / (first * second);
    let at = |j: usize, i: usize| &flat[(i * second + j) * n..][..n];
    (0..second)
        .flat_map(|j| (0..first).flat_map(move |i| at(j, i)))
        .copied()
        .collect()
}

fn framework<const X: usize, const A: usize, const M: usize>(kind: &str, file: &File) {
    let given = |name: &str| file.tensors[name].data.as_slice();
    let keras = kind == "keras";

    let mut params = lstm::Params::<X, A, f64>::zeros();
    params.as_flat_mut().fill(f64::NAN); // every one must be overwritten
    match kind {
        "pytorch" => {
            let bias = (given("bias_ih_l0"), given("bias_hh_l0"));
            pytorch::read_lstm(
                &mut params,
                given("weight_ih_l0"),
                given("weight_hh_l0"),
                Some(bias),
            )
        }
        "keras" => {
            let bias = Some(given("bias"));
            keras::read_lstm(
                &mut params,
                given("kernel"),
                given("recurrent_kernel"),
                bias,
            )
        }
        _ => onnx::read_lstm(&mut params, given("W"), given("R"), Some(given("B"))),
    }
    .unwrap();

    // The same network in the textbook's form; only a sum of two biases may be rounded.
    let twin: Twin = read(&file.twin);
    let mut same = lstm::Params::<X, A, f64>::zeros();
    let w = ["Wf", "Wi", "Wc", "Wo"].map(|name| twin.params[name].data.as_slice());
    let b = ["bf", "bi", "bc", "bo"].map(|name| twin.params[name].data.as_slice());
    textbook::read_lstm(&mut same, w, b).unwrap();
    for (gate, same) in [
        (&params.f, &same.f),
        (&params.i, &same.i),
        (&params.g, &same.g),
        (&params.o, &same.o),
    ] {
        assert_eq!((&gate.wa, &gate.wx), (&same.wa, &same.wx));
        close("b", gate.b.as_flat(), same.b.as_flat(), 2.0 * f64::EPSILON);
    }

    // (T, B, N) row-major is (N, B) column-major, step after step.
    let [x, h_0, c_0, d_output] = match kind {
        "pytorch" => ["input", "h_0", "c_0", "d_output"],
        "keras" => ["inputs", "h_0", "c_0", "d_output"],
        _ => ["X", "initial_h", "initial_c", "d_Y"],
    };
    let steps = file.tensors[d_output].data.len() / (A * M);
    let sequence = |name: &str| match keras {
        true => swap_axes(given(name), M, steps),
        false => given(name).to_vec(),
    };
    let (x_flat, da_flat) = (sequence(x), sequence(d_output));
    let x = Matrix::<X, M, f64>::slice_from_flat(&x_flat).unwrap();
    let da = Matrix::<A, M, f64>::slice_from_flat(&da_flat).unwrap();
    let init = lstm::State::<A, M, f64> {
        a: Matrix::from_flat(given(h_0)).unwrap().clone(),
        c: Matrix::from_flat(given(c_0)).unwrap().clone(),
    };
    let mut a = vec![Matrix::zeros(); steps];
    let mut caches = vec![lstm::Cache::zeros(); steps];
    let tape = params.forward(x, &init, &mut a, &mut caches).unwrap();

    let mut last = lstm::State::zeros();
    tape.last(&mut last);
    let (a_last, c_last) = (last.a.as_flat().to_vec(), last.c.as_flat().to_vec());
    let output = match keras {
        true => swap_axes(Flat::slice_as_flat(tape.a()), steps, M),
        false => Flat::slice_as_flat(tape.a()).to_vec(),
    };
    let names = match kind {
        "pytorch" => ["output", "h_n", "c_n"],
        "keras" => ["output", "state_h", "state_c"],
        _ => ["Y", "Y_h", "Y_c"],
    };
    compare(kind, &file.outputs, &names, &[output, a_last, c_last]);

    let mut grads = lstm::Params::zeros();
    let mut dx = vec![Matrix::<X, M, f64>::zeros(); steps];
    let mut dstate = lstm::State::zeros();
    (tape.backward(da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();

    // The gradients, exported as if they were weights.
    let mut w = vec![f64::NAN; 4 * A * X];
    let mut r = vec![f64::NAN; 4 * A * A];
    let mut b = [vec![f64::NAN; 4 * A], vec![f64::NAN; 4 * A]];
    let (dh, dc) = (dstate.a.as_flat().to_vec(), dstate.c.as_flat().to_vec());
    let dx = match keras {
        true => swap_axes(Flat::slice_as_flat(&dx), steps, M),
        false => Flat::slice_as_flat(&dx).to_vec(),
    };
    match kind {
        "pytorch" => {
            let [b_ih, b_hh] = &mut b;
            pytorch::write_lstm(&grads, &mut w, &mut r, b_ih, b_hh).unwrap();
            assert!(b_hh.iter().all(|b| *b == 0.0));
            b_hh.clone_from(b_ih);
            let [b_ih, b_hh] = b;
            let names = [
                "weight_ih_l0",
                "weight_hh_l0",
                "bias_ih_l0",
                "bias_hh_l0",
                "input",
                "h_0",
                "c_0",
            ];
            compare(kind, &file.grads, &names, &[w, r, b_ih, b_hh, dx, dh, dc]);
        }
        "keras" => {
            keras::write_lstm(&grads, &mut w, &mut r, &mut b[0]).unwrap();
            let [b, _] = b;
            let names = ["kernel", "recurrent_kernel", "bias", "inputs", "h_0", "c_0"];
            compare(kind, &file.grads, &names, &[w, r, b, dx, dh, dc]);
        }
        _ => {
            let mut b = b.concat();
            onnx::write_lstm(&grads, &mut w, &mut r, &mut b).unwrap();
            b.copy_within(..4 * A, 4 * A);
            let names = ["W", "R", "B", "X", "initial_h", "initial_c"];
            compare(kind, &file.grads, &names, &[w, r, b, dx, dh, dc]);
        }
    }
    let mut w = [const { Vec::new() }; 4].map(|_: Vec<f64>| vec![f64::NAN; A * (A + X)]);
    let mut b = [const { Vec::new() }; 4].map(|_: Vec<f64>| vec![f64::NAN; A]);
    textbook::write_lstm(
        &grads,
        w.each_mut().map(|w| &mut w[..]),
        b.each_mut().map(|b| &mut b[..]),
    )
    .unwrap();
    for (name, found) in ["dWf", "dWi", "dWc", "dWo", "dbf", "dbi", "dbc", "dbo"]
        .iter()
        .zip(w.iter().chain(&b))
    {
        close(name, found, &twin.grads[*name].data, TOLERANCE);
    }
}

/// Of the largest entry of a tensor. The worst measured is 1.1e-15: seven steps of arithmetic in
/// f64.
const TOLERANCE: f64 = 4e-15;

/// All tensors of the file, and no others.
fn compare(kind: &str, expected: &BTreeMap<String, Array>, names: &[&str], found: &[Vec<f64>]) {
    assert_eq!(names.len(), expected.len(), "{kind}: {:?}", expected.keys());
    assert_eq!(names.len(), found.len());
    for (name, found) in names.iter().zip(found) {
        let expected = &expected[*name];
        assert_eq!(
            expected.shape.iter().product::<usize>(),
            found.len(),
            "{kind} {name}"
        );
        close(&format!("{kind} {name}"), found, &expected.data, TOLERANCE);
    }
}

fn close(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    let errors = found.iter().zip(expected).map(|(x, y)| (x - y).abs());
    let error = errors.fold(0.0, |max: f64, e| if max >= e { max } else { e });
    println!("{name:40} {:.1e}", error / scale);
    assert!(error <= tolerance * scale, "{name}: {error:e} of {scale:e}");
}

/// Outputs and gradients of all nine files; with `-- --nocapture` it prints the error of each
/// tensor.
#[test]
fn lstm_of_every_framework() {
    all_layouts::<3, 5, 2>("fw0_I3_H5_B2_T4");
    all_layouts::<1, 7, 1>("fw1_I1_H7_B1_T6");
    all_layouts::<4, 2, 3>("fw2_I4_H2_B3_T1");
}

/// No file is left out: nine of LSTMs and five of GRUs.
#[test]
fn fourteen_files() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let layouts = names.filter(|name| name.to_string_lossy().starts_with("layout_"));
    assert_eq!(layouts.count(), 9 + 5);
}

// -------------------------------------------------------------------------------------------------
// GRU: the reference files
// -------------------------------------------------------------------------------------------------

type After = gru::ResetAfter<3, 5, f64>;
type Before = gru::ResetBefore<3, 5, f64>;

/// What the two forms of a GRU differ in, beside what they compute.
trait Form: gru::Gru<3, 5, Scalar = f64> + Default + PartialEq + std::fmt::Debug {
    fn gates(&self) -> [&Affine<3, 5, f64>; 3];
    fn bna(&self) -> &[f64];
    fn read_textbook(&mut self, w: [&[f64]; 3], b: [&[f64]; 3], bna: Option<&Array>);
    fn write_textbook(&self, w: [&mut [f64]; 3], b: [&mut [f64]; 3], bna: &mut [f64]);
}

impl Form for After {
    fn gates(&self) -> [&Affine<3, 5, f64>; 3] {
        [&self.r, &self.u, &self.n]
    }
    fn bna(&self) -> &[f64] {
        self.bna.as_flat()
    }
    fn read_textbook(&mut self, w: [&[f64]; 3], b: [&[f64]; 3], bna: Option<&Array>) {
        textbook::read_gru_after(self, w, b, &bna.unwrap().data).unwrap();
    }
    fn write_textbook(&self, w: [&mut [f64]; 3], b: [&mut [f64]; 3], bna: &mut [f64]) {
        textbook::write_gru_after(self, w, b, bna).unwrap();
    }
}

impl Form for Before {
    fn gates(&self) -> [&Affine<3, 5, f64>; 3] {
        [&self.r, &self.u, &self.n]
    }
    fn bna(&self) -> &[f64] {
        &[]
    }
    fn read_textbook(&mut self, w: [&[f64]; 3], b: [&[f64]; 3], bna: Option<&Array>) {
        assert!(bna.is_none());
        textbook::read_gru_before(self, w, b).unwrap();
    }
    fn write_textbook(&self, w: [&mut [f64]; 3], b: [&mut [f64]; 3], _: &mut [f64]) {
        textbook::write_gru_before(self, w, b).unwrap();
    }
}

/// A file: its kind, what it calls the arrays, and how they become a cell and are made of one.
struct Arrays<C> {
    kind: &'static str,
    /// Those of the weights.
    weights: &'static [&'static str],
    /// The input, the initial state, the output, and the output's gradient.
    sequence: [&'static str; 4],
    /// The last state, where the file has it.
    last: Option<&'static str>,
    batch_first: bool,
    read: fn(&mut C, &[Vec<f64>]) -> Result<(), LengthMismatch>,
    write: fn(&C, &mut [Vec<f64>]) -> Result<(), LengthMismatch>,
    /// What the documentation says of a gradient: the first bias is copied over the second.
    copy_biases: fn(&mut [Vec<f64>]),
    /// And back: −0.
    forget_biases: fn(&mut [Vec<f64>]),
}

/// The gates r and u of A = 5 units; n follows.
const R_AND_U: usize = 2 * 5;
const ALL: usize = 3 * 5;

const PYTORCH: Arrays<After> = Arrays {
    kind: "layout_pytorch_gru_after__g109",
    weights: &["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
    sequence: ["input", "h_0", "output", "d_output"],
    last: Some("h_n"),
    batch_first: false,
    read: |p, v| pytorch::read_gru(p, &v[0], &v[1], Some((&v[2], &v[3]))),
    write: |p, v| {
        let [w, r, b, c] = v else { unreachable!() };
        pytorch::write_gru(p, w, r, b, c)
    },
    copy_biases: |v| {
        let [.., b, c] = v else { unreachable!() };
        c[..R_AND_U].copy_from_slice(&b[..R_AND_U]);
    },
    forget_biases: |v| v[3][..R_AND_U].fill(-0.0),
};

const KERAS_AFTER: Arrays<After> = Arrays {
    kind: "layout_keras_gru_after__g109",
    weights: &["kernel", "recurrent_kernel", "bias"],
    sequence: ["inputs", "initial_h", "output", "d_output"],
    last: None,
    batch_first: true,
    read: |p, v| keras::read_gru_after(p, &v[0], &v[1], Some(&v[2])),
    write: |p, v| {
        let [w, r, b] = v else { unreachable!() };
        keras::write_gru_after(p, w, r, b)
    },
    copy_biases: |v| v[2].copy_within(..R_AND_U, ALL),
    forget_biases: |v| v[2][ALL..][..R_AND_U].fill(-0.0),
};

const KERAS_BEFORE: Arrays<Before> = Arrays {
    kind: "layout_keras_gru_before__g119",
    weights: KERAS_AFTER.weights,
    sequence: KERAS_AFTER.sequence,
    last: None,
    batch_first: true,
    read: |p, v| keras::read_gru_before(p, &v[0], &v[1], Some(&v[2])),
    write: |p, v| {
        let [w, r, b] = v else { unreachable!() };
        keras::write_gru_before(p, w, r, b)
    },
    copy_biases: |_| {}, // There is one.
    forget_biases: |_| {},
};

const ONNX_AFTER: Arrays<After> = Arrays {
    kind: "layout_onnx_gru_after__g109",
    weights: &["W", "R", "B"],
    sequence: ["X", "initial_h", "Y", "d_Y"],
    last: None,
    batch_first: false,
    read: |p, v| onnx::read_gru_after(p, &v[0], &v[1], Some(&v[2])),
    write: |p, v| {
        let [w, r, b] = v else { unreachable!() };
        onnx::write_gru_after(p, w, r, b)
    },
    copy_biases: |v| v[2].copy_within(..R_AND_U, ALL),
    forget_biases: |v| v[2][ALL..][..R_AND_U].fill(-0.0),
};

const ONNX_BEFORE: Arrays<Before> = Arrays {
    kind: "layout_onnx_gru_before__g119",
    weights: ONNX_AFTER.weights,
    sequence: ONNX_AFTER.sequence,
    last: None,
    batch_first: false,
    read: |p, v| onnx::read_gru_before(p, &v[0], &v[1], Some(&v[2])),
    write: |p, v| {
        let [w, r, b] = v else { unreachable!() };
        onnx::write_gru_before(p, w, r, b)
    },
    copy_biases: |v| v[2].copy_within(..ALL, ALL),
    forget_biases: |v| v[2][ALL..].fill(-0.0),
};

fn gru_of<C>(arrays: &Arrays<C>)
where
    C: Form + Cell<3, 5, State<2> = Matrix<5, 2, f64>, Cache<2> = gru::Cache<5, 2, f64>>,
{
    let Arrays { kind, .. } = *arrays;
    let file: File = read(&format!("{kind}_x3_a5_m2_T4.json"));
    let given = |name: &str| file.tensors[name].data.as_slice();
    let weights: Vec<Vec<f64>> = (arrays.weights.iter())
        .map(|name| given(name).to_vec())
        .collect();
    let mut cell = C::default();
    cell.as_flat_mut().fill(f64::NAN); // every one must be overwritten
    (arrays.read)(&mut cell, &weights).unwrap();

    // Written back, the weights are those of the file; of two biases that add up there is the sum.
    let empty = || -> Vec<Vec<f64>> { weights.iter().map(|w| vec![f64::NAN; w.len()]).collect() };
    let mut back = empty();
    (arrays.write)(&cell, &mut back).unwrap();
    let bits = |flat: &[f64]| flat.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for (back, given) in back.iter().zip(&weights).take(2) {
        assert_eq!(bits(back), bits(given), "{kind}");
    }
    let mut again = C::default();
    (arrays.read)(&mut again, &back).unwrap();
    assert_eq!(bits(again.as_flat()), bits(cell.as_flat()), "{kind}");

    // The same network in the textbook's form; only a sum of two biases may be rounded.
    let twin: Twin = read(&file.twin);
    let gate = |name: &str| twin.params[name].data.as_slice();
    let mut same = C::default();
    same.as_flat_mut().fill(f64::NAN);
    same.read_textbook(
        ["Wr", "Wu", "Wn"].map(gate),
        ["br", "bu", "bn"].map(gate),
        twin.params.get("bna"),
    );
    for (gate, same) in cell.gates().into_iter().zip(same.gates()) {
        assert_eq!((&gate.wa, &gate.wx), (&same.wa, &same.wx), "{kind}");
        close("b", gate.b.as_flat(), same.b.as_flat(), 2.0 * f64::EPSILON);
    }
    assert_eq!(cell.bna(), same.bna(), "{kind}");

    // (T, B, N) row-major is (N, B) column-major, step after step.
    const STEPS: usize = 4;
    const M: usize = 2;
    let [x, h_0, output, d_output] = arrays.sequence;
    let steps_first = |name: &str| match arrays.batch_first {
        true => swap_axes(given(name), M, STEPS),
        false => given(name).to_vec(),
    };
    let as_given = |flat: &[f64]| match arrays.batch_first {
        true => swap_axes(flat, STEPS, M),
        false => flat.to_vec(),
    };
    let (x_flat, da_flat) = (steps_first(x), steps_first(d_output));
    let inputs = Matrix::<3, M, f64>::slice_from_flat(&x_flat).unwrap();
    let da = Matrix::<5, M, f64>::slice_from_flat(&da_flat).unwrap();
    let init = Matrix::<5, M, f64>::from_flat(given(h_0)).unwrap();
    let mut a = vec![Matrix::zeros(); STEPS];
    let mut caches = vec![gru::Cache::zeros(); STEPS];
    let tape = cell.forward(inputs, init, &mut a, &mut caches).unwrap();
    let mut names = vec![output];
    let mut found = vec![as_given(Flat::slice_as_flat(tape.a()))];
    if let Some(last) = arrays.last {
        names.push(last);
        found.push(tape.a()[STEPS - 1].as_flat().to_vec());
    }
    compare(kind, &file.outputs, &names, &found);

    let mut grads = C::default();
    let mut dx = vec![Matrix::<3, M, f64>::zeros(); STEPS];
    let mut dstate = Matrix::zeros();
    tape.backward(da, &mut grads, Some(&mut dx), &mut dstate)
        .unwrap();

    // The gradients, exported as if they were weights, and read again.
    let mut exported = empty();
    (arrays.write)(&grads, &mut exported).unwrap();
    (arrays.copy_biases)(&mut exported);
    let mut names = arrays.weights.to_vec();
    names.extend([x, h_0]);
    let mut found = exported.clone();
    found.extend([
        as_given(Flat::slice_as_flat(&dx)),
        dstate.as_flat().to_vec(),
    ]);
    compare(kind, &file.grads, &names, &found);
    (arrays.forget_biases)(&mut exported);
    (arrays.read)(&mut again, &exported).unwrap();
    assert_eq!(bits(again.as_flat()), bits(grads.as_flat()), "{kind}");

    let mut w = [(); 3].map(|()| vec![f64::NAN; 5 * (5 + 3)]);
    let mut b = [(); 3].map(|()| vec![f64::NAN; 5]);
    let mut bna = vec![f64::NAN; grads.bna().len()];
    grads.write_textbook(
        w.each_mut().map(|w| &mut w[..]),
        b.each_mut().map(|b| &mut b[..]),
        &mut bna,
    );
    let found = w.iter().chain(&b).chain((!bna.is_empty()).then_some(&bna));
    let names = ["dWr", "dWu", "dWn", "dbr", "dbu", "dbn", "dbna"];
    for (name, found) in names.iter().zip(found) {
        close(name, found, &twin.grads[*name].data, TOLERANCE);
    }
}

/// Outputs and gradients of all five files; with `-- --nocapture` it prints the error of each
/// tensor.
#[test]
fn gru_of_every_framework() {
    gru_of(&PYTORCH);
    gru_of(&KERAS_AFTER);
    gru_of(&KERAS_BEFORE);
    gru_of(&ONNX_AFTER);
    gru_of(&ONNX_BEFORE);
}

// -------------------------------------------------------------------------------------------------
// The others: the equations of each framework over its flat arrays
// -------------------------------------------------------------------------------------------------

const X: usize = 3;
/// Neither 2 nor 4, for which 2 + A, 2·A and A·A, or A·A and 4·A, would be the same number.
const A: usize = 5;

/// Multiples of 1/64 in ±1, no two neighbours alike: sums of products of some of them are exact.
fn numbers(seed: usize, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| ((seed * 31 + i * 37) % 129) as f64 / 64.0 - 1.0)
        .collect()
}

fn hidden(cell: &impl rnn::Rnn<X, A, Scalar = f64>, x: &[f64], h: &[f64]) -> Vec<f64> {
    let mut next = Matrix::zeros();
    let (x, h) = (Vector::from_flat(x).unwrap(), Vector::from_flat(h).unwrap());
    rnn::cell_forward(cell, x, h, &mut next);
    next.as_flat().to_vec()
}

#[test]
fn rnn_of_every_framework() {
    let mut tanh = rnn::Params::<X, A, f64>::zeros();
    with_activation(&mut tanh, |cell| cell, bptt::activation::tanh);
    let mut relu = rnn::Relu::<X, A, f64>::zeros();
    with_activation(&mut relu, |cell| &mut cell.0, |z| z.max(0.0));
}

fn with_activation<C: rnn::Rnn<X, A, Scalar = f64>>(
    cell: &mut C,
    params: fn(&mut C) -> &mut Affine<X, A, f64>,
    activation: fn(f64) -> f64,
) {
    let (x, h) = (numbers(1, X), numbers(2, A));
    let (wx, wa) = (numbers(3, A * X), numbers(4, A * A));
    let (b, b_hh) = (numbers(5, A), numbers(6, A));
    let f = |z: [f64; A]| z.map(activation).to_vec();
    let dot =
        |z: f64, w: &dyn Fn(usize) -> f64, u: &[f64]| (0..u.len()).fold(z, |z, k| z + w(k) * u[k]);

    // PyTorch: f(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh); ONNX: f(X·Wᵀ + Wb + H·Rᵀ + Rb)
    let expected = f(std::array::from_fn(|r| {
        let z = dot(b[r] + b_hh[r], &|k| wx[r * X + k], &x);
        dot(z, &|k| wa[r * A + k], &h)
    }));
    pytorch::read_rnn(params(cell), &wx, &wa, Some((&b, &b_hh))).unwrap();
    assert_eq!(hidden(cell, &x, &h), expected);
    cell.as_flat_mut().fill(f64::NAN);
    onnx::read_rnn(params(cell), &wx, &wa, Some(&[&b[..], &b_hh].concat())).unwrap();
    assert_eq!(hidden(cell, &x, &h), expected);

    // Keras: f(x·kernel + h·recurrent_kernel + bias)
    let expected = f(std::array::from_fn(|r| {
        let z = dot(b[r], &|k| wx[k * A + r], &x);
        dot(z, &|k| wa[k * A + r], &h)
    }));
    keras::read_rnn(params(cell), &wx, &wa, Some(&b)).unwrap();
    assert_eq!(hidden(cell, &x, &h), expected);

    // The textbook: f(W·[h; x] + b)
    let w = numbers(7, A * (A + X));
    let stacked = [&h[..], &x].concat();
    let expected = f(std::array::from_fn(|r| {
        dot(b[r], &|k| w[r * (A + X) + k], &stacked)
    }));
    textbook::read_affine(params(cell), &w, &b).unwrap();
    assert_eq!(hidden(cell, &x, &h), expected);

    // A gate by itself: f(Wx·x + Wa·h + b)
    let expected = f(std::array::from_fn(|r| {
        let z = dot(b[r], &|k| wx[r * X + k], &x);
        dot(z, &|k| wa[r * A + k], &h)
    }));
    gate::read(params(cell), &wx, &wa, Some(&b)).unwrap();
    assert_eq!(hidden(cell, &x, &h), expected);
}

/// A step of an LSTM from the state (h, c), in the operations of the crate.
fn lstm_of(i: f64, f: f64, g: f64, o: f64, c: f64) -> (f64, f64) {
    let (sigmoid, tanh) = (bptt::activation::sigmoid, bptt::activation::tanh);
    let c = sigmoid(f) * c + sigmoid(i) * tanh(g);
    (sigmoid(o) * tanh(c), c)
}

/// The gates of unit r, before their activations, by a framework's equations, and a step of the cell that was read.
fn same_step(
    cell: &lstm::Params<X, A, f64>,
    state: &lstm::State<A, 1, f64>,
    gates: impl Fn(usize, &[f64]) -> [f64; 4], // of i, f, g, o
) {
    let x = numbers(1, X);
    let both = [&x[..], state.a.as_flat()].concat();
    let mut next = lstm::State::zeros();
    cell.step(Vector::from_flat(&x).unwrap(), state, &mut next);
    for r in 0..A {
        let [i, f, g, o] = gates(r, &both);
        let expected = lstm_of(i, f, g, o, state.c[(r, 0)]);
        assert_eq!((next.a[(r, 0)], next.c[(r, 0)]), expected);
    }
}

/// i, j, f, o = split([x; h]·kernel + bias); c = σ(f + forget_bias)·c + σ(i)·tanh(j).
#[test]
fn lstm_of_tensorflow_1() {
    let (kernel, bias) = (numbers(3, (X + A) * 4 * A), numbers(4, 4 * A));
    let mut state = lstm::State::zeros();
    state.as_flat_mut().copy_from_slice(&numbers(2, 2 * A));
    for forget_bias in [0.0, 1.0, -0.5] {
        let mut cell = lstm::Params::zeros();
        cell.as_flat_mut().fill(f64::NAN);
        tf1::read_lstm(&mut cell, &kernel, &bias, forget_bias).unwrap();
        same_step(&cell, &state, |r, both| {
            let z = |column: usize| {
                (both.iter().enumerate())
                    .fold(bias[column], |z, (k, u)| z + kernel[k * 4 * A + column] * u)
            };
            let [i, j, f, o] = [r, A + r, 2 * A + r, 3 * A + r].map(z);
            [i, f + forget_bias, j, o]
        });

        let (mut kernel_back, mut bias_back) = (vec![f64::NAN; 32 * A], vec![f64::NAN; 4 * A]);
        tf1::write_lstm(&cell, &mut kernel_back, &mut bias_back, forget_bias).unwrap();
        assert_eq!((&kernel_back, &bias_back), (&kernel, &bias)); // exact for such numbers
    }
}

/// The order in which the player takes the numbers from the file: W row by row, of i, f, g, o, over
/// [x; h], then b, then h, then c.
#[test]
fn lstm_of_nam() {
    let layer = numbers(3, 4 * A * (X + A) + 6 * A);
    let mut numbers = layer.iter();
    let mut take = |n: usize| numbers.by_ref().take(n).copied().collect::<Vec<_>>();
    let rows: Vec<_> = (0..4 * A).map(|_| take(X + A)).collect();
    let (b, h, c) = (take(4 * A), take(A), take(A));

    let (mut cell, mut state) = (lstm::Params::zeros(), lstm::State::zeros());
    cell.as_flat_mut().fill(f64::NAN);
    nam::read_lstm(&mut cell, &mut state, &layer).unwrap();
    assert_eq!((state.a.as_flat(), state.c.as_flat()), (&h[..], &c[..]));
    same_step(&cell, &state, |r, both| {
        [r, A + r, 2 * A + r, 3 * A + r].map(|row| {
            let products = rows[row].iter().zip(both);
            products.fold(b[row], |z, (w, u)| z + w * u)
        })
    });
}

#[test]
fn dense_of_every_framework() {
    const Y: usize = 3;
    let (a, w, b) = (numbers(1, A), numbers(2, Y * A), numbers(3, Y));
    let rows: Vec<f64> = (0..Y)
        .map(|r| (0..A).fold(b[r], |y, k| y + w[r * A + k] * a[k]))
        .collect();
    let columns: Vec<f64> = (0..Y)
        .map(|r| (0..A).fold(b[r], |y, k| y + w[k * Y + r] * a[k]))
        .collect();
    let forward = |params: &dense::Params<A, Y, f64>| {
        let mut y = Vector::zeros();
        dense::forward(params, Vector::from_flat(&a).unwrap(), &mut y);
        y.as_flat().to_vec()
    };
    let mut params = dense::Params::zeros();
    pytorch::read_linear(&mut params, &w, Some(&b)).unwrap();
    assert_eq!(forward(&params), rows, "y = x·Aᵀ + b");
    keras::read_dense(&mut params, &w, Some(&b)).unwrap();
    assert_eq!(forward(&params), columns, "y = x·kernel + bias");
    onnx::read_gemm(&mut params, &w, true, Some(&b)).unwrap();
    assert_eq!(forward(&params), rows, "Y = A·Bᵀ + C");
    onnx::read_gemm(&mut params, &w, false, Some(&b)).unwrap();
    assert_eq!(forward(&params), columns, "Y = A·B + C");
}

// -------------------------------------------------------------------------------------------------
// Both ways
// -------------------------------------------------------------------------------------------------

type Read<P> = fn(&mut P, &[Vec<f32>]) -> Result<(), LengthMismatch>;
type Write<P> = fn(&P, &mut [Vec<f32>]) -> Result<(), LengthMismatch>;

/// One layout: the two functions, and the slices that they take.
struct Functions<P: 'static> {
    name: &'static str,
    arguments: &'static [(&'static str, usize)],
    read: Read<P>,
    /// Without biases, where the framework may have none.
    read_without: Option<Read<P>>,
    write: Write<P>,
}

type Lstm = lstm::Params<X, A>;
type GruAfter = gru::ResetAfter<X, A>;
type GruBefore = gru::ResetBefore<X, A>;
type Rnn = rnn::Params<X, A>;
type Dense = dense::Params<A, 3>;

bptt::flat_struct! {
    /// What a layer of a `.nam` file has.
    struct Nam, NamRef, NamMut {
        cell: Lstm,
        state: lstm::State<A, 1>,
    }
}

const NAM: [Functions<Nam>; 1] = [Functions {
    name: "nam",
    arguments: &[("layer", 190)],
    read: |p, v| {
        let NamMut { cell, state } = p.parts_mut();
        nam::read_lstm(cell, state, &v[0])
    },
    read_without: None,
    write: |p, v| {
        let NamRef { cell, state } = p.parts();
        nam::write_lstm(cell, state, &mut v[0])
    },
}];

/// A forget bias changes −0 and rounds: `lstm_of_tensorflow_1` writes and reads back.
const TF1: [Functions<Lstm>; 1] = [Functions {
    name: "tf1",
    arguments: &[("kernel", 160), ("bias", 20)],
    read: |p, v| tf1::read_lstm(p, &v[0], &v[1], 1.0),
    read_without: None,
    write: |p, v| {
        let [kernel, bias] = v else { unreachable!() };
        tf1::write_lstm(p, kernel, bias, 1.0)
    },
}];

const LSTM: [Functions<Lstm>; 4] = [
    Functions {
        name: "pytorch",
        arguments: &[
            ("weight_ih", 60),
            ("weight_hh", 100),
            ("bias_ih", 20),
            ("bias_hh", 20),
        ],
        read: |p, v| pytorch::read_lstm(p, &v[0], &v[1], Some((&v[2], &v[3]))),
        read_without: Some(|p, v| pytorch::read_lstm(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b, c] = v else { unreachable!() };
            pytorch::write_lstm(p, w, r, b, c)
        },
    },
    Functions {
        name: "keras",
        arguments: &[("kernel", 60), ("recurrent_kernel", 100), ("bias", 20)],
        read: |p, v| keras::read_lstm(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| keras::read_lstm(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            keras::write_lstm(p, w, r, b)
        },
    },
    Functions {
        name: "onnx",
        arguments: &[("w", 60), ("r", 100), ("b", 40)],
        read: |p, v| onnx::read_lstm(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| onnx::read_lstm(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            onnx::write_lstm(p, w, r, b)
        },
    },
    Functions {
        name: "textbook",
        arguments: &[
            ("wf", 40),
            ("wi", 40),
            ("wc", 40),
            ("wo", 40),
            ("bf", 5),
            ("bi", 5),
            ("bc", 5),
            ("bo", 5),
        ],
        read: |p, v| {
            let [w0, w1, w2, w3, b0, b1, b2, b3] = v else {
                unreachable!()
            };
            textbook::read_lstm(p, [w0, w1, w2, w3], [b0, b1, b2, b3])
        },
        read_without: None,
        write: |p, v| {
            let [w0, w1, w2, w3, b0, b1, b2, b3] = v else {
                unreachable!()
            };
            textbook::write_lstm(p, [w0, w1, w2, w3], [b0, b1, b2, b3])
        },
    },
];

const GRU_AFTER: [Functions<GruAfter>; 4] = [
    Functions {
        name: "pytorch",
        arguments: &[
            ("weight_ih", 45),
            ("weight_hh", 75),
            ("bias_ih", 15),
            ("bias_hh", 15),
        ],
        read: |p, v| pytorch::read_gru(p, &v[0], &v[1], Some((&v[2], &v[3]))),
        read_without: Some(|p, v| pytorch::read_gru(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b, c] = v else { unreachable!() };
            pytorch::write_gru(p, w, r, b, c)
        },
    },
    Functions {
        name: "keras",
        arguments: &[("kernel", 45), ("recurrent_kernel", 75), ("bias", 30)],
        read: |p, v| keras::read_gru_after(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| keras::read_gru_after(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            keras::write_gru_after(p, w, r, b)
        },
    },
    Functions {
        name: "onnx",
        arguments: &[("w", 45), ("r", 75), ("b", 30)],
        read: |p, v| onnx::read_gru_after(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| onnx::read_gru_after(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            onnx::write_gru_after(p, w, r, b)
        },
    },
    Functions {
        name: "textbook",
        arguments: &[
            ("wr", 40),
            ("wu", 40),
            ("wn", 40),
            ("br", 5),
            ("bu", 5),
            ("bn", 5),
            ("bna", 5),
        ],
        read: |p, v| {
            let [w0, w1, w2, b0, b1, b2, bna] = v else {
                unreachable!()
            };
            textbook::read_gru_after(p, [w0, w1, w2], [b0, b1, b2], bna)
        },
        read_without: None,
        write: |p, v| {
            let [w0, w1, w2, b0, b1, b2, bna] = v else {
                unreachable!()
            };
            textbook::write_gru_after(p, [w0, w1, w2], [b0, b1, b2], bna)
        },
    },
];

const GRU_BEFORE: [Functions<GruBefore>; 3] = [
    Functions {
        name: "keras",
        arguments: &[("kernel", 45), ("recurrent_kernel", 75), ("bias", 15)],
        read: |p, v| keras::read_gru_before(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| keras::read_gru_before(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            keras::write_gru_before(p, w, r, b)
        },
    },
    Functions {
        name: "onnx",
        arguments: &[("w", 45), ("r", 75), ("b", 30)],
        read: |p, v| onnx::read_gru_before(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| onnx::read_gru_before(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            onnx::write_gru_before(p, w, r, b)
        },
    },
    Functions {
        name: "textbook",
        arguments: &[
            ("wr", 40),
            ("wu", 40),
            ("wn", 40),
            ("br", 5),
            ("bu", 5),
            ("bn", 5),
        ],
        read: |p, v| {
            let [w0, w1, w2, b0, b1, b2] = v else {
                unreachable!()
            };
            textbook::read_gru_before(p, [w0, w1, w2], [b0, b1, b2])
        },
        read_without: None,
        write: |p, v| {
            let [w0, w1, w2, b0, b1, b2] = v else {
                unreachable!()
            };
            textbook::write_gru_before(p, [w0, w1, w2], [b0, b1, b2])
        },
    },
];

const RNN: [Functions<Rnn>; 5] = [
    Functions {
        name: "gate",
        arguments: &[("wx", 15), ("wa", 25), ("b", 5)],
        read: |p, v| gate::read(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| gate::read(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [wx, wa, b] = v else { unreachable!() };
            gate::write(p, wx, wa, b)
        },
    },
    Functions {
        name: "pytorch",
        arguments: &[
            ("weight_ih", 15),
            ("weight_hh", 25),
            ("bias_ih", 5),
            ("bias_hh", 5),
        ],
        read: |p, v| pytorch::read_rnn(p, &v[0], &v[1], Some((&v[2], &v[3]))),
        read_without: Some(|p, v| pytorch::read_rnn(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b, c] = v else { unreachable!() };
            pytorch::write_rnn(p, w, r, b, c)
        },
    },
    Functions {
        name: "keras",
        arguments: &[("kernel", 15), ("recurrent_kernel", 25), ("bias", 5)],
        read: |p, v| keras::read_rnn(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| keras::read_rnn(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            keras::write_rnn(p, w, r, b)
        },
    },
    Functions {
        name: "onnx",
        arguments: &[("w", 15), ("r", 25), ("b", 10)],
        read: |p, v| onnx::read_rnn(p, &v[0], &v[1], Some(&v[2])),
        read_without: Some(|p, v| onnx::read_rnn(p, &v[0], &v[1], None)),
        write: |p, v| {
            let [w, r, b] = v else { unreachable!() };
            onnx::write_rnn(p, w, r, b)
        },
    },
    Functions {
        name: "textbook",
        arguments: &[("w", 40), ("b", 5)],
        read: |p, v| textbook::read_affine(p, &v[0], &v[1]),
        read_without: None,
        write: |p, v| {
            let [w, b] = v else { unreachable!() };
            textbook::write_affine(p, w, b)
        },
    },
];

const DENSE: [Functions<Dense>; 4] = [
    Functions {
        name: "pytorch",
        arguments: &[("weight", 15), ("bias", 3)],
        read: |p, v| pytorch::read_linear(p, &v[0], Some(&v[1])),
        read_without: Some(|p, v| pytorch::read_linear(p, &v[0], None)),
        write: |p, v| {
            let [w, b] = v else { unreachable!() };
            pytorch::write_linear(p, w, b)
        },
    },
    Functions {
        name: "keras",
        arguments: &[("kernel", 15), ("bias", 3)],
        read: |p, v| keras::read_dense(p, &v[0], Some(&v[1])),
        read_without: Some(|p, v| keras::read_dense(p, &v[0], None)),
        write: |p, v| {
            let [w, b] = v else { unreachable!() };
            keras::write_dense(p, w, b)
        },
    },
    Functions {
        name: "onnx, transB = 1",
        arguments: &[("b", 15), ("c", 3)],
        read: |p, v| onnx::read_gemm(p, &v[0], true, Some(&v[1])),
        read_without: Some(|p, v| onnx::read_gemm(p, &v[0], true, None)),
        write: |p, v| {
            let [w, b] = v else { unreachable!() };
            onnx::write_gemm(p, w, true, b)
        },
    },
    Functions {
        name: "onnx, transB = 0",
        arguments: &[("b", 15), ("c", 3)],
        read: |p, v| onnx::read_gemm(p, &v[0], false, Some(&v[1])),
        read_without: Some(|p, v| onnx::read_gemm(p, &v[0], false, None)),
        write: |p, v| {
            let [w, b] = v else { unreachable!() };
            onnx::write_gemm(p, w, false, b)
        },
    },
];

fn bits(flat: &[f32]) -> Vec<u32> {
    flat.iter().map(|x| x.to_bits()).collect()
}

/// −0, the extremes and ordinary numbers, all different but for the sign of zero.
fn difficult(n: usize) -> Vec<f32> {
    let special = [
        -0.0,
        0.0,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e-45,
        -1e-45,
        f32::INFINITY,
    ];
    (0..n)
        .map(|i| special.get(i).copied().unwrap_or(0.1 * i as f32))
        .collect()
}

/// Writes every scalar of the parameters, reads it back, and refuses every wrong length.
fn both_ways<P: Flat<Scalar = f32> + Default>(functions: &[Functions<P>]) {
    wrong_lengths(functions);
    for Functions {
        name,
        arguments,
        read,
        read_without,
        write,
    } in functions
    {
        let buffers = || {
            arguments
                .iter()
                .map(|(_, n)| vec![f32::NAN; *n])
                .collect::<Vec<_>>()
        };
        // Each rotation puts the special numbers elsewhere, into the biases too.
        for rotation in 0..P::LEN {
            let mut numbers = difficult(P::LEN);
            numbers.rotate_left(rotation);
            let (mut params, mut back) = (P::default(), P::default());
            params.as_flat_mut().copy_from_slice(&numbers);
            back.as_flat_mut().fill(f32::NAN);
            let mut flat = buffers();
            write(&params, &mut flat).unwrap();
            assert!(
                flat.iter().flatten().all(|x| !x.is_nan()),
                "{name}: not all written"
            );
            read(&mut back, &flat).unwrap();
            assert_eq!(bits(back.as_flat()), bits(&numbers), "{name}");
        }

        let ones: Vec<_> = arguments.iter().map(|(_, n)| vec![1.0; *n]).collect();
        if let Some(read_without) = read_without {
            let mut params = P::default();
            params.as_flat_mut().fill(f32::NAN);
            read_without(&mut params, &ones).unwrap();
            assert!(
                params.as_flat().iter().all(|x| *x == 0.0 || *x == 1.0),
                "{name}"
            );
            assert!(
                params.as_flat().contains(&0.0),
                "{name}: no bias is a bias of zero"
            );
        }
    }
}

/// Each argument shorter and longer than it must be: an error that names it, and nothing is touched.
fn wrong_lengths<P: Flat<Scalar = f32> + Default>(functions: &[Functions<P>]) {
    for Functions {
        name,
        arguments,
        read,
        write,
        ..
    } in functions
    {
        let ones: Vec<_> = arguments.iter().map(|(_, n)| vec![1.0; *n]).collect();
        for (i, &(what, expected)) in arguments.iter().enumerate() {
            for found in [0, expected - 1, expected + 1, 2 * expected] {
                let error = LengthMismatch {
                    what,
                    expected,
                    found,
                };
                let mut flat = ones.clone();
                flat[i] = vec![1.0; found];
                let mut params = P::default();
                params.as_flat_mut().fill(7.0);
                assert_eq!(read(&mut params, &flat), Err(error), "{name}");
                assert!(
                    params.as_flat().iter().all(|x| *x == 7.0),
                    "{name}: half read"
                );
                assert_eq!(write(&params, &mut flat), Err(error), "{name}");
                assert!(
                    flat.iter().flatten().all(|x| *x == 1.0),
                    "{name}: half written"
                );
            }
        }
    }
}

#[test]
fn lstm_both_ways() {
    both_ways(&LSTM);
    both_ways(&NAM);
    wrong_lengths(&TF1);
}

#[test]
fn gru_both_ways() {
    both_ways(&GRU_AFTER);
    both_ways(&GRU_BEFORE);
}

#[test]
fn rnn_both_ways() {
    both_ways(&RNN);
}

#[test]
fn dense_both_ways() {
    both_ways(&DENSE);
}

/// b = bias_ih + bias_hh in the scalar type, rounded once, for any two.
#[test]
fn two_biases_are_rounded_once() {
    let (ih, hh) = ([0.1_f32, 1e8, -0.0, 1.0], [0.2_f32, 1.0, 0.0, -1.0]);
    let mut params = lstm::Params::<1, 1>::zeros();
    pytorch::read_lstm(&mut params, &[0.0; 4], &[0.0; 4], Some((&ih, &hh))).unwrap();
    let b = [&params.i, &params.f, &params.g, &params.o].map(|gate| gate.b[(0, 0)]);
    let once: [f32; 4] =
        std::array::from_fn(|k| f32::from_f64(f64::from(ih[k]) + f64::from(hh[k])));
    assert_eq!(bits(&b), bits(&once));
}

/// The same of the GRU; the files of the form with the reset before the product have a second bias
/// of zeros. Where the reset comes after, the candidate keeps its two.
#[test]
fn two_biases_of_a_gru() {
    let (first, second) = ([0.1_f32, 1e8, 0.3], [0.2_f32, 1.0, 0.4]);
    let sum = |k: usize| f32::from_f64(f64::from(first[k]) + f64::from(second[k]));
    let (w, both) = ([0.0; 3], [first, second].concat());

    let mut before = gru::ResetBefore::<1, 1>::zeros();
    onnx::read_gru_before(&mut before, &w, &w, Some(&both)).unwrap();
    let b = [&before.u, &before.r, &before.n].map(|gate| gate.b[(0, 0)]);
    assert_eq!(b, std::array::from_fn(sum));

    let mut after = gru::ResetAfter::<1, 1>::zeros();
    let after_of = |after: &gru::ResetAfter<1, 1>| {
        let [r, u, n] = [&after.r, &after.u, &after.n].map(|gate| gate.b[(0, 0)]);
        [r, u, n, after.bna[(0, 0)]]
    };
    pytorch::read_gru(&mut after, &w, &w, Some((&first, &second))).unwrap();
    assert_eq!(after_of(&after), [sum(0), sum(1), 0.3, 0.4]);
    keras::read_gru_after(&mut after, &w, &w, Some(&both)).unwrap();
    assert_eq!(after_of(&after), [sum(1), sum(0), 0.3, 0.4]);
    onnx::read_gru_after(&mut after, &w, &w, Some(&both)).unwrap();
    assert_eq!(after_of(&after), [sum(1), sum(0), 0.3, 0.4]);
}
