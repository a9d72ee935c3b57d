//! Every reference vector in `tests/reference` against the kernels, in f64 and in f32, every tensor by name.
//!
//! The vectors were computed without this crate; `tests/reference/README.md` describes them. Each network runs through the
//! sequence functions, through a loop of the cell functions, and through `step`.
//!
//! * f64: within 1e-12 of the largest entry of each tensor ([`tolerance_f64`]).
//! * f32: within [`rounding_bound`], which follows from the roundings of the equations and nothing else.
//!
//! The test counts what it compares and fails on a kind, a key or a shape that it does not know. The
//! `layout_*` files hold the same networks in other frameworks' weight formats, the `lengths_*` files
//! layers of both directions; `tests/layout.rs` and `tests/bidirectional.rs` run them, and they are
//! only counted here.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/random.rs"]
mod random;
#[path = "common/textbook.rs"]
mod textbook;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::{Add, Div, Mul, Range, Sub};
use std::path::{Path, PathBuf};

use bptt::loss::{self, Reduction};
use bptt::{Flat, Matrix, Real, dense, gru, lstm, rnn};
use cells::{Plain, garbage, garbage_for};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use textbook::{ACTIVATION, Gate, Number, Sizes};

/// Kind, files, tensors in them.
const INVENTORY: [(&str, usize, usize); 9] = [
    ("gru_after_seq", 10, 130),
    ("gru_before_seq", 10, 120),
    ("lstm_cell", 7, 154),
    ("lstm_loss", 5, 90),
    ("lstm_seq", 14, 252),
    ("rnn_cell", 8, 56),
    ("rnn_loss", 2, 22),
    ("rnn_relu_seq", 4, 24),
    ("rnn_seq", 7, 49),
];

/// The files that `tests/layout.rs` and `tests/bidirectional.rs` run.
const RUN_ELSEWHERE: [(&str, usize); 11] = [
    ("lengths_gru", 1),
    ("lengths_lstm", 1),
    ("lengths_rnn", 1),
    ("layout_keras", 3),
    ("layout_keras_gru_after", 1),
    ("layout_keras_gru_before", 1),
    ("layout_onnx", 3),
    ("layout_onnx_gru_after", 1),
    ("layout_onnx_gru_before", 1),
    ("layout_pytorch", 3),
    ("layout_pytorch_gru_after", 1),
];

/// Comparisons for each scalar type: 897 tensors, each from the sequence and from the cells, and from `step` a, c and y of
/// the 26 LSTM files, a and y of 17 RNN files, a of the 24 files of GRUs and of RNNs with ReLU.
const COMPARISONS: usize = 2 * 897 + 3 * 26 + 2 * 17 + 24;

// ---------------------------------------------------------------------------------------------------------------
// The files
// ---------------------------------------------------------------------------------------------------------------

/// A file of a kind that this test runs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    kind: String,
    dims: Dims,
    flags: Vec<String>,
    loss: Option<String>,
    reduction: Option<String>,
    inputs: BTreeMap<String, Array>,
    params: BTreeMap<String, Array>,
    outputs: BTreeMap<String, Array>,
    grads: BTreeMap<String, Array>,
    err_f64: BTreeMap<String, f64>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
struct Dims {
    n_x: usize,
    n_a: usize,
    /// 0: no output layer.
    #[serde(default)]
    n_y: usize,
    m: usize,
    #[serde(rename = "T")]
    t: usize,
}

/// Row-major.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// A line of `index.json`.
#[derive(Deserialize)]
struct Entry {
    file: String,
    kind: String,
    name: String,
    #[serde(flatten)]
    dims: Dims,
    flags: Vec<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn read(file: &str) -> String {
    fs::read_to_string(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn index() -> Vec<Entry> {
    serde_json::from_str(&read("index.json")).unwrap()
}

impl Array {
    /// The entries column by column, steps last: the order of the crate. It is that of the axes reversed.
    fn column_major(&self) -> Vec<f64> {
        let mut order = vec![0];
        let mut stride = self.data.len();
        for &n in &self.shape {
            stride /= n;
            order = (0..n)
                .flat_map(|i| order.iter().map(move |at| at + i * stride))
                .collect();
        }
        order.into_iter().map(|at| self.data[at]).collect()
    }
}

// ---------------------------------------------------------------------------------------------------------------
// A case: a file under one set of names
// ---------------------------------------------------------------------------------------------------------------

/// Tensors by name, each in the order of the crate.
type Tensors<N = f64> = BTreeMap<&'static str, Vec<N>>;

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    SoftmaxCrossEntropy,
    SquaredError,
}

/// A file as a sequence (of one step, if it is a cell), with the same names for all kinds.
struct Case {
    file: String,
    kind: String,
    dims: Dims,
    flags: Vec<String>,
    loss: Option<(Loss, Reduction)>,
    /// Inputs and parameters.
    given: Tensors,
    /// Outputs and gradients.
    expected: Tensors,
}

/// What the vectors call the parts of a cell.
struct Names {
    /// The parameters and their gradients, in the order of the cell's flat view.
    params: &'static [[&'static str; 2]],
    /// The matrices of a state: initial, all, gradient of the initial.
    state: &'static [[&'static str; 3]],
    /// The matrices that a cache begins with after forward, and after backward.
    cache: [&'static [&'static str]; 2],
}

const LSTM: Names = Names {
    params: &[
        ["Wf", "dWf"],
        ["bf", "dbf"],
        ["Wi", "dWi"],
        ["bi", "dbi"],
        ["Wc", "dWc"],
        ["bc", "dbc"],
        ["Wo", "dWo"],
        ["bo", "dbo"],
    ],
    state: &[["a0", "a", "da0"], ["c0", "c", "dc0"]],
    cache: [&["ft", "it", "cct", "ot"], &["dft", "dit", "dcct", "dot"]],
};

const RNN: Names = Names {
    params: &[["Waa", "dWaa"], ["Wax", "dWax"], ["ba", "dba"]],
    state: &[["a0", "a", "da0"]],
    cache: [&[], &[]],
};

const GRU_AFTER: Names = Names {
    params: &[
        ["Wr", "dWr"],
        ["br", "dbr"],
        ["Wu", "dWu"],
        ["bu", "dbu"],
        ["Wn", "dWn"],
        ["bn", "dbn"],
        ["bna", "dbna"],
    ],
    state: &[["a0", "a", "da0"]],
    cache: [&["r", "u", "n"], &[]],
};

const GRU_BEFORE: Names = Names {
    params: GRU_AFTER.params.split_at(6).0,
    ..GRU_AFTER
};

/// The name of a tensor for all kinds: a cell is a sequence of one step.
fn common_name(key: &str) -> &'static str {
    match key {
        "x" | "xt" => "x",
        "a0" | "a_prev" => "a0",
        "c0" | "c_prev" => "c0",
        "da" | "da_next" => "da",
        "dc_last" | "dc_next" => "dc_last",
        "target" => "target",
        "a" | "a_next" => "a",
        "c" | "c_next" => "c",
        "y" | "y_pred" | "yt_pred" => "y",
        "loss" => "loss",
        "dx" | "dxt" => "dx",
        "da0" | "da_prev" => "da0",
        "dc0" | "dc_prev" => "dc0",
        "Wya" | "Wy" => "Wy",
        "dWya" | "dWy" => "dWy",
        "by" => "by",
        "dby" => "dby",
        _ => [LSTM, RNN, GRU_AFTER]
            .iter()
            .flat_map(|names| {
                let cache = names.cache.into_iter().flatten();
                names.params.as_flattened().iter().chain(cache)
            })
            .find(|name| **name == key)
            .unwrap_or_else(|| panic!("unknown key {key}")),
    }
}

/// The shape that a tensor has in a file.
fn shape(name: &str, dims: Dims, cell: bool) -> Vec<usize> {
    let Dims {
        n_x,
        n_a,
        n_y,
        m,
        t,
    } = dims;
    let sequence = |rows| {
        if cell {
            vec![rows, m]
        } else {
            vec![rows, m, t]
        }
    };
    match name.strip_prefix('d').unwrap_or(name) {
        "x" => sequence(n_x),
        "a" | "c" | "ft" | "it" | "cct" | "ot" | "r" | "u" | "n" => sequence(n_a),
        "y" | "target" => sequence(n_y),
        "a0" | "c0" | "c_last" => vec![n_a, m],
        "Wf" | "Wi" | "Wc" | "Wo" | "Wr" | "Wu" | "Wn" => vec![n_a, n_a + n_x],
        "Waa" => vec![n_a, n_a],
        "Wax" => vec![n_a, n_x],
        "Wy" => vec![n_y, n_a],
        "by" => vec![n_y, 1],
        "bf" | "bi" | "bc" | "bo" | "ba" | "br" | "bu" | "bn" | "bna" => vec![n_a, 1],
        "loss" => vec![1],
        _ => panic!("no shape for {name}"),
    }
}

impl Case {
    fn read(entry: &Entry) -> Case {
        let file: File = serde_json::from_str(&read(&entry.file))
            .unwrap_or_else(|error| panic!("{}: {error}", entry.file));
        assert_eq!(
            (&file.kind, &file.name, file.dims, &file.flags),
            (&entry.kind, &entry.name, entry.dims, &entry.flags),
            "{} and its line in index.json",
            entry.file
        );
        let compared: BTreeSet<_> = file.outputs.keys().chain(file.grads.keys()).collect();
        assert!(
            compared.into_iter().eq(file.err_f64.keys()),
            "{}: a tensor is missing",
            entry.file
        );
        let is_f32 = |x: &f64| f64::from(*x as f32) == *x;
        let all_f32 = file
            .inputs
            .values()
            .chain(file.params.values())
            .all(|array| array.data.iter().all(is_f32));
        assert!(
            all_f32 || !file.flags.iter().any(|flag| flag == "f32"),
            "{}: an input is no f32",
            entry.file
        );

        let cell = file.kind.ends_with("_cell");
        let tensors = |arrays: [&BTreeMap<String, Array>; 2]| -> Tensors {
            let tensor = |(key, array): (&String, &Array)| {
                let name = common_name(key);
                assert_eq!(
                    array.shape,
                    shape(name, file.dims, cell),
                    "{}: shape of {key}",
                    entry.file
                );
                (name, array.column_major())
            };
            arrays.into_iter().flatten().map(tensor).collect()
        };
        let case = Case {
            file: entry.file.clone(),
            kind: file.kind.clone(),
            dims: file.dims,
            flags: file.flags.clone(),
            loss: file.loss.as_deref().map(|loss| {
                let loss = match loss {
                    "softmax_ce" => Loss::SoftmaxCrossEntropy,
                    "linear_mse" => Loss::SquaredError,
                    _ => panic!("{}: unknown loss {loss}", entry.file),
                };
                let reduction = match file.reduction.as_deref() {
                    Some("sum") => Reduction::Sum,
                    Some("mean") => Reduction::Mean,
                    other => panic!("{}: unknown reduction {other:?}", entry.file),
                };
                (loss, reduction)
            }),
            given: tensors([&file.inputs, &file.params]),
            expected: tensors([&file.outputs, &file.grads]),
        };
        case.check_keys();
        case
    }

    /// The cell: the kind without what is done with it.
    fn cell(&self) -> &str {
        self.kind.rsplit_once('_').unwrap().0
    }

    fn names(&self) -> &'static Names {
        match self.cell() {
            "lstm" => &LSTM,
            "rnn" | "rnn_relu" => &RNN,
            "gru_after" => &GRU_AFTER,
            "gru_before" => &GRU_BEFORE,
            cell => panic!("unknown cell {cell}"),
        }
    }

    fn is_saturated(&self) -> bool {
        self.flags.iter().any(|flag| flag.starts_with("sat"))
    }

    /// Fails on an input or parameter that the test would not use, or that is missing.
    fn check_keys(&self) {
        let mut keys: BTreeSet<&str> = ["x"].into();
        keys.insert(if self.loss.is_some() { "target" } else { "da" });
        keys.extend(self.names().state.iter().map(|[initial, ..]| initial));
        keys.extend(self.names().params.iter().map(|[param, _]| param));
        if self.dims.n_y > 0 {
            keys.extend(["Wy", "by"]);
        }
        if self.kind == "lstm_cell" || self.flags.iter().any(|flag| flag == "dc_last") {
            keys.insert("dc_last");
        }
        assert!(
            self.given.keys().eq(&keys),
            "{}: {:?} given, {keys:?} known",
            self.file,
            self.given.keys()
        );
    }

    fn sizes(&self) -> Sizes {
        let Dims { n_x, n_a, m, t, .. } = self.dims;
        Sizes {
            x: n_x,
            a: n_a,
            m,
            t,
        }
    }

    /// The given tensors of these names one after the other, as numbers of another type.
    fn numbers<N>(&self, names: &[&str], from_f64: impl Fn(f64) -> N) -> Vec<N> {
        let values = names.iter().flat_map(|name| &self.given[name]);
        values.map(|&x| from_f64(x)).collect()
    }

    /// [`Case::numbers`] for the crate.
    fn reals<T: Real>(&self, names: &[&str]) -> Vec<T> {
        self.numbers(names, T::from_f64)
    }

    /// The gradient of the last cell state of an LSTM from beyond the end: zeros, if there is none.
    fn dc_last<N>(&self, from_f64: impl Fn(f64) -> N) -> Vec<N> {
        if self.given.contains_key("dc_last") {
            self.numbers(&["dc_last"], from_f64)
        } else {
            let len = self.dims.n_a * self.dims.m;
            (0..len).map(|_| from_f64(0.0)).collect()
        }
    }

    /// The class of every sample of every step, where the targets are exactly 0 and 1.
    fn classes(&self) -> Option<Vec<usize>> {
        let class = |p: &[f64]| {
            let class = p.iter().position(|&p| p == 1.0)?;
            p.iter()
                .enumerate()
                .all(|(k, &p)| k == class || p == 0.0)
                .then_some(class)
        };
        self.given["target"]
            .chunks(self.dims.n_y)
            .map(class)
            .collect()
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Through the crate
// ---------------------------------------------------------------------------------------------------------------

/// Which functions compute a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// `forward` and `backward` over the sequence.
    Sequence,
    /// A loop of `cell_forward` and `cell_backward`.
    Cells,
    /// A loop of `step`: the states and y only.
    Step,
}

/// What the crate computes for a case in one form.
type Run = (Form, Tensors);

fn insert<T: Real>(tensors: &mut Tensors, name: &'static str, values: &[T]) {
    tensors.insert(name, values.iter().map(|x| x.to_f64()).collect());
}

/// As [`insert`], for one matrix of each step.
fn insert_steps<'a, const R: usize, const C: usize, T: Real>(
    tensors: &mut Tensors,
    name: &'static str,
    steps: impl Iterator<Item = &'a Matrix<R, C, T>>,
) {
    let values: Vec<T> = steps.flat_map(Matrix::as_flat).copied().collect();
    insert(tensors, name, &values);
}

/// As [`insert`], for the scalars at `part` of each step.
fn insert_parts<F: Flat>(
    tensors: &mut Tensors,
    name: &'static str,
    steps: &[F],
    part: Range<usize>,
) {
    let values: Vec<F::Scalar> = (steps.iter())
        .flat_map(|step| &step.as_flat()[part.clone()])
        .copied()
        .collect();
    insert(tensors, name, &values);
}

/// The first matrices of all caches, each of `length` scalars.
fn insert_cache<F: Flat>(
    tensors: &mut Tensors,
    names: &[&'static str],
    caches: &[F],
    length: usize,
) {
    for (part, name) in names.iter().enumerate() {
        insert_parts(tensors, name, caches, part * length..(part + 1) * length);
    }
}

/// The output layer and the loss on top of `a`; returns the gradient with respect to `a`, or the given one.
fn head<const A: usize, const M: usize, const Y: usize, T: Real>(
    case: &Case,
    form: Form,
    a: &[T],
    tensors: &mut Tensors,
) -> Vec<T> {
    let a = Matrix::<A, M, T>::slice_from_flat(a).unwrap();
    let params = case.reals(&["Wy", "by"]);
    let params = dense::Params::<A, Y, T>::from_flat(&params).unwrap();
    let mut z = vec![T::ZERO; Y * M * a.len()];
    let z = Matrix::<Y, M, T>::slice_from_flat_mut(&mut z).unwrap();
    if form == Form::Sequence {
        dense::sequence_forward(params, a, z).unwrap();
    } else {
        for (a, z) in a.iter().zip(&mut *z) {
            dense::forward(params, a, z);
        }
    }
    let mut y = z.to_vec();
    if !matches!(case.loss, Some((Loss::SquaredError, _))) {
        y.iter_mut().for_each(dense::softmax);
    }
    insert_steps(tensors, "y", y.iter());

    if form == Form::Step {
        return vec![]; // Inference has no gradient.
    }
    if case.loss.is_none() {
        return case.reals(&["da"]);
    }
    loss_on_top(
        case,
        form,
        Flat::slice_as_flat(a),
        Flat::slice_as_flat(z),
        tensors,
    )
}

/// The loss of the logits `z` of the outputs `a`, and through the output layer back: the gradient with respect to `a`.
fn loss_gradients<const A: usize, const M: usize, const Y: usize, T: Real>(
    case: &Case,
    form: Form,
    a: &[T],
    z: &[T],
    tensors: &mut Tensors,
) -> Vec<T> {
    let (loss, reduction) = case.loss.unwrap();
    let params = case.reals(&["Wy", "by"]);
    let params = dense::Params::<A, Y, T>::from_flat(&params).unwrap();
    let a = Matrix::<A, M, T>::slice_from_flat(a).unwrap();
    let z = Matrix::<Y, M, T>::slice_from_flat(z).unwrap();
    let target = case.reals(&["target"]);
    let target = Matrix::<Y, M, T>::slice_from_flat(&target).unwrap();
    let mut dz = z.to_vec(); // to be overwritten
    let value = match (loss, form, case.classes()) {
        (Loss::SquaredError, ..) => {
            loss::squared_error(z, target, None, reduction, Some(&mut dz)).unwrap()
        }
        (Loss::SoftmaxCrossEntropy, Form::Cells, Some(classes)) => {
            let steps = classes.chunks_exact(M);
            let classes: Vec<[usize; M]> = steps.map(|step| step.try_into().unwrap()).collect();
            loss::softmax_cross_entropy_classes(z, &classes, None, reduction, Some(&mut dz))
                .unwrap()
        }
        (Loss::SoftmaxCrossEntropy, ..) => {
            loss::softmax_cross_entropy(z, target, None, reduction, Some(&mut dz)).unwrap()
        }
    };
    let mut grads = dense::Params::<A, Y, T>::zeros();
    let mut da = vec![T::ZERO; A * M * a.len()];
    let steps = Matrix::<A, M, T>::slice_from_flat_mut(&mut da).unwrap();
    if form == Form::Sequence {
        dense::sequence_backward(params, a, &dz, &mut grads, steps).unwrap();
    } else {
        for ((a, dz), da) in a.iter().zip(&dz).zip(steps).rev() {
            dense::backward(params, a, dz, &mut grads, da);
        }
    }
    insert(tensors, "loss", &[value]);
    insert(tensors, "dWy", grads.w.as_flat());
    insert(tensors, "dby", grads.b.as_flat());
    insert(tensors, "da", &da);
    da
}

/// The case through the functions of one cell, in all forms.
fn runs<C: Plain<X, A>, const X: usize, const A: usize, const M: usize>(case: &Case) -> Vec<Run> {
    let names = case.names();
    let params: Vec<&str> = names.params.iter().map(|[param, _]| *param).collect();
    let initial: Vec<&str> = names.state.iter().map(|[initial, ..]| *initial).collect();
    let (cell, x, init) = (
        case.reals(&params),
        case.reals(&["x"]),
        case.reals(&initial),
    );
    let cell = C::from_flat(&cell).unwrap();
    let x = Matrix::<X, M, C::Scalar>::slice_from_flat(&x).unwrap();
    let init = C::State::<M>::from_flat(&init).unwrap();

    let run = |form| {
        let mut tensors = Tensors::new();
        let mut a: Vec<Matrix<A, M, C::Scalar>> = garbage_for(x.len());
        let mut caches: Vec<C::Cache<M>> = garbage_for(x.len());
        let mut states = vec![init.clone()];
        if form == Form::Sequence {
            let _ = cell.forward(x, init, &mut a, &mut caches).unwrap();
            let of_step = a
                .iter()
                .zip(&caches)
                .map(|(a, cache)| C::state_after(a, cache));
            states.extend(of_step);
        } else {
            for (t, x) in x.iter().enumerate() {
                let mut next = garbage();
                if form == Form::Cells {
                    cell.cell_forward(x, &states[t], &mut next, &mut caches[t]);
                } else {
                    cell.step(x, &states[t], &mut next);
                }
                states.push(next);
            }
        }
        for (part, [_, all, _]) in names.state.iter().enumerate() {
            insert_parts(
                &mut tensors,
                all,
                &states[1..],
                part * A * M..(part + 1) * A * M,
            );
        }
        let outputs: Vec<_> = tensors["a"]
            .iter()
            .map(|&a| C::Scalar::from_f64(a))
            .collect();
        let da = output_layer(case, form, &outputs, &mut tensors);
        if form == Form::Step {
            return (form, tensors); // Inference has no gates to show and no gradient.
        }
        insert_cache(&mut tensors, names.cache[0], &caches, A * M);

        let da = Matrix::<A, M, C::Scalar>::slice_from_flat(&da).unwrap();
        let mut grads = C::ZEROS;
        let mut dx: Vec<Matrix<X, M, C::Scalar>> = garbage_for(x.len());
        let mut dstate = C::State::<M>::ZEROS;
        if case.given.contains_key("dc_last") {
            let dc_last = &mut dstate.as_flat_mut()[A * M..];
            dc_last.copy_from_slice(&case.reals(&["dc_last"]));
        }
        if form == Form::Sequence {
            let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
            (tape.backward(da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();
        } else {
            for t in (0..x.len()).rev() {
                for (sum, &da) in dstate.as_flat_mut().iter_mut().zip(da[t].as_flat()) {
                    *sum += da;
                }
                let states = [&states[t], &states[t + 1]];
                let cache = &mut caches[t];
                dx[t] = cell.cell_backward(&x[t], states, cache, &mut dstate, &mut grads);
            }
        }
        insert_steps(&mut tensors, "dx", dx.iter());
        for (&[.., name], matrix) in names.state.iter().zip(dstate.as_flat().chunks(A * M)) {
            insert(&mut tensors, name, matrix);
        }
        insert_cache(&mut tensors, names.cache[1], &caches, A * M);
        let mut rest = grads.as_flat();
        for [param, name] in names.params {
            let gradient;
            (gradient, rest) = rest.split_at(case.given[param].len());
            insert(&mut tensors, name, gradient);
        }
        assert!(rest.is_empty());
        (form, tensors)
    };
    [Form::Sequence, Form::Cells, Form::Step].map(run).into()
}

/// Calls a function with three sizes of the case as constants; fails on sizes that are not listed.
macro_rules! dispatch {
    ($case:ident, ($($size:ident),*), |$p:ident, $q:ident, $r:ident| $call:expr, $([$i:literal, $j:literal, $k:literal])*) => {{
        let Dims { $($size),*, .. } = $case.dims;
        match ($($size),*) {
            $(($i, $j, $k) => {
                const $p: usize = $i;
                const $q: usize = $j;
                const $r: usize = $k;
                $call
            })*
            other => panic!("{}: no arm for {} = {other:?}", $case.file, stringify!($($size),*)),
        }
    }};
}

/// [`loss_gradients`] for the sizes of the case.
fn loss_on_top<T: Real>(
    case: &Case,
    form: Form,
    a: &[T],
    z: &[T],
    tensors: &mut Tensors,
) -> Vec<T> {
    dispatch!(case, (n_a, m, n_y), |A, M, Y| loss_gradients::<A, M, Y, T>(case, form, a, z, tensors),
        [5, 2, 3] [5, 4, 1] [5, 4, 3] [7, 3, 4] [16, 1, 5])
}

/// [`head`] for the sizes of the case, where it has one.
#[rustfmt::skip]
fn output_layer<T: Real>(case: &Case, form: Form, a: &[T], tensors: &mut Tensors) -> Vec<T> {
    if case.dims.n_y == 0 {
        return case.reals(&["da"]);
    }
    dispatch!(case, (n_a, m, n_y), |A, M, Y| head::<A, M, Y, T>(case, form, a, tensors),
        [1, 1, 1] [1, 1, 2] [2, 3, 2] [4, 2, 2] [5, 2, 2] [5, 2, 3] [5, 3, 2] [5, 4, 1] [5, 4, 2] [5, 4, 3] [5, 10, 2]
        [6, 4, 2] [7, 1, 2] [7, 2, 2] [7, 3, 4] [7, 5, 3] [16, 1, 5] [16, 2, 2] [16, 4, 3] [33, 1, 4] [33, 3, 5])
}

/// The case through the kernels, in all forms.
#[rustfmt::skip]
fn crate_runs<T: Real>(case: &Case) -> Vec<Run> {
    match case.cell() {
        "lstm" => dispatch!(case, (n_x, n_a, m), |X, A, M| runs::<lstm::Params<X, A, T>, X, A, M>(case),
            [1, 1, 1] [1, 7, 1] [1, 16, 1] [2, 5, 2] [2, 5, 4] [2, 7, 2] [2, 33, 1] [3, 4, 2] [3, 5, 2] [3, 5, 3] [3, 5, 4]
            [3, 5, 10] [3, 6, 4] [3, 7, 3] [4, 2, 3] [4, 7, 5] [4, 16, 2] [5, 16, 4] [6, 33, 3]),
        "rnn" => dispatch!(case, (n_x, n_a, m), |X, A, M| runs::<rnn::Params<X, A, T>, X, A, M>(case),
            [1, 1, 1] [1, 7, 2] [2, 5, 2] [2, 33, 1] [3, 4, 2] [3, 5, 4] [3, 5, 10] [3, 6, 4] [3, 7, 3] [4, 7, 5] [5, 16, 4]
            [10, 33, 3]),
        "rnn_relu" => dispatch!(case, (n_x, n_a, m), |X, A, M| runs::<rnn::Relu<X, A, T>, X, A, M>(case),
            [1, 1, 1] [2, 33, 1] [3, 5, 2] [5, 16, 4]),
        "gru_after" => dispatch!(case, (n_x, n_a, m), |X, A, M| runs::<gru::ResetAfter<X, A, T>, X, A, M>(case),
            [1, 1, 1] [1, 7, 2] [2, 33, 1] [3, 5, 2] [4, 20, 3] [5, 16, 4]),
        "gru_before" => dispatch!(case, (n_x, n_a, m), |X, A, M| runs::<gru::ResetBefore<X, A, T>, X, A, M>(case),
            [1, 1, 1] [1, 7, 2] [2, 33, 1] [3, 5, 2] [4, 20, 3] [5, 16, 4]),
        cell => panic!("unknown cell {cell}"),
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Through the textbook
// ---------------------------------------------------------------------------------------------------------------

impl Number for f64 {
    fn from_f64(x: f64) -> f64 {
        x
    }
    fn apply(self, f: impl Fn(f64) -> f64, _: impl Fn(f64) -> f64) -> f64 {
        f(self)
    }
}

/// A number that softmax and the means of the losses can be computed in too.
trait HeadNumber: Number + Div<Output = Self> + PartialOrd {}
impl HeadNumber for f64 {}
impl HeadNumber for Noisy {}

/// The output layer and the loss on top of `a`, as [`head`].
fn textbook_head<N: HeadNumber>(case: &Case, a: &[N], tensors: &mut Tensors<N>) -> Vec<N> {
    let Dims { n_a, n_y, m, t, .. } = case.dims;
    if n_y == 0 {
        return case.numbers(&["da"], N::from_f64);
    }
    let exp = |z: N| z.apply(f64::exp, f64::exp);
    let ln = |z: N| z.apply(f64::ln, f64::recip);
    let w = case.numbers(&["Wy"], N::from_f64);
    let b = case.numbers(&["by"], N::from_f64);
    let mut z = Vec::new();
    for a in a.chunks(n_a) {
        z.extend((0..n_y).map(|r| {
            let products = (0..n_a).map(|k| w[k * n_y + r] * a[k]);
            N::sum([b[r]].into_iter().chain(products))
        }));
    }
    let (mut y, mut log_y) = (z.clone(), Vec::new());
    if !matches!(case.loss, Some((Loss::SquaredError, _))) {
        for y in y.chunks_mut(n_y) {
            let greatest = y.iter().copied().reduce(|a, b| if b > a { b } else { a });
            let shifted: Vec<N> = y.iter().map(|&z| z - greatest.unwrap()).collect();
            let sum = N::sum(shifted.iter().map(|&z| exp(z)));
            for (y, z) in y.iter_mut().zip(shifted) {
                *y = exp(z) / sum;
                log_y.push(z - ln(sum));
            }
        }
    }
    tensors.insert("y", y.clone());

    let Some((loss, reduction)) = case.loss else {
        return case.numbers(&["da"], N::from_f64);
    };
    let target = case.numbers(&["target"], N::from_f64);
    let number = |n: usize| N::from_f64(n as f64);
    let (terms, count): (Vec<N>, usize) = match loss {
        Loss::SquaredError => {
            let square = |(&y, &target): (&N, &N)| (y - target) * (y - target);
            (y.iter().zip(&target).map(square).collect(), n_y * m * t)
        }
        Loss::SoftmaxCrossEntropy => {
            let term = |(&log_y, &p): (&N, &N)| N::from_f64(0.0) - p * log_y;
            (log_y.iter().zip(&target).map(term).collect(), m * t)
        }
    };
    let scale = match reduction {
        Reduction::Sum => number(1),
        Reduction::Mean => number(1) / number(count),
    };
    tensors.insert("loss", vec![scale * N::sum(terms.into_iter())]);

    let mut dz = Vec::new();
    for (y, target) in y.chunks(n_y).zip(target.chunks(n_y)) {
        let all = N::sum(target.iter().copied());
        dz.extend(y.iter().zip(target).map(|(&y, &target)| match loss {
            Loss::SquaredError => number(2) * scale * (y - target),
            Loss::SoftmaxCrossEntropy => scale * (y * all - target),
        }));
    }
    let columns = || (0..m * t).rev();
    let dw = (0..n_a * n_y).map(|at| {
        let (k, r) = (at / n_y, at % n_y);
        N::sum(columns().map(|c| dz[c * n_y + r] * a[c * n_a + k]))
    });
    tensors.insert("dWy", dw.collect());
    let db = (0..n_y).map(|r| N::sum(columns().map(|c| dz[c * n_y + r])));
    tensors.insert("dby", db.collect());
    let da = (0..a.len()).map(|at| {
        let (c, k) = (at / n_a, at % n_a);
        N::sum((0..n_y).map(|r| w[k * n_y + r] * dz[c * n_y + r]))
    });
    let da: Vec<N> = da.collect();
    tensors.insert("da", da.clone());
    da
}

/// The case through the plain equations of `tests/common/textbook.rs`, in numbers of any kind.
fn by_the_textbook<N: HeadNumber>(case: &Case) -> Tensors<N> {
    let s = case.sizes();
    let numbers = |names: &[&str]| case.numbers(names, N::from_f64);
    let (x, a0) = (numbers(&["x"]), numbers(&["a0"]));
    let mut tensors = Tensors::new();
    let mut gates = (case.names().params.chunks_exact(2)).map(|names| Gate {
        w: numbers(&[names[0][0]]),
        b: numbers(&[names[1][0]]),
    });
    match case.cell() {
        "lstm" => {
            let gates = [(); 4].map(|()| gates.next().unwrap());
            let c0 = numbers(&["c0"]);
            let dc_last = case.dc_last(N::from_f64);
            let forward = textbook::lstm_forward(s, &gates, &x, &a0, &c0);
            let da = textbook_head(case, &forward.a, &mut tensors);
            let (grads, dc0) = textbook::lstm_backward(
                s,
                &gates,
                &x,
                (&a0, &c0),
                &forward,
                &da,
                &dc_last,
                textbook::step_by_step,
            );
            tensors.extend(["ft", "it", "cct", "ot"].into_iter().zip(forward.gates));
            tensors.extend([("a", forward.a), ("c", forward.c)]);
            tensors.extend(["dft", "dit", "dcct", "dot"].into_iter().zip(grads.dz));
            tensors.extend([("dx", grads.dx), ("da0", grads.da0), ("dc0", dc0)]);
            let flat = grads.gates.into_iter().flat_map(|gate| [gate.w, gate.b]);
            tensors.extend(LSTM.params.iter().map(|[_, name]| *name).zip(flat));
        }
        "gru_after" | "gru_before" => {
            let gates = [(); 3].map(|()| gates.next().unwrap());
            let bna = (case.given.contains_key("bna")).then(|| numbers(&["bna"]));
            let bna = bna.as_deref();
            let forward = textbook::gru_forward(s, &gates, bna, &x, &a0);
            let da = textbook_head(case, &forward.a, &mut tensors);
            let (grads, dbna) = textbook::gru_backward(s, &gates, bna, &x, &a0, &forward, &da);
            tensors.extend(["r", "u", "n"].into_iter().zip(forward.gates));
            tensors.extend([("a", forward.a), ("dx", grads.dx), ("da0", grads.da0)]);
            let flat = grads.gates.into_iter().flat_map(|gate| [gate.w, gate.b]);
            tensors.extend((GRU_AFTER.params.iter().map(|[_, name]| *name)).zip(flat.chain(dbna)));
        }
        cell => {
            let gate = Gate {
                w: numbers(&["Waa", "Wax"]),
                b: numbers(&["ba"]),
            };
            let with_relu = cell == "rnn_relu";
            let activation: fn(N) -> N = if with_relu { textbook::relu } else { N::tanh };
            let through: fn(N, N) -> N = match with_relu {
                true => textbook::through_relu,
                false => textbook::through_tanh,
            };
            let a = textbook::rnn_forward(s, &gate, &x, &a0, activation);
            let da = textbook_head(case, &a, &mut tensors);
            let grads = textbook::rnn_backward(s, &gate, &x, &a0, &a, &da, through);
            let [gate] = grads.gates;
            let (dwa, dwx) = gate.w.split_at(s.a * s.a);
            tensors.extend([
                ("a", a),
                ("dx", grads.dx),
                ("da0", grads.da0),
                ("dba", gate.b),
            ]);
            tensors.extend([("dWaa", dwa.to_vec()), ("dWax", dwx.to_vec())]);
        }
    }
    tensors
}

// ---------------------------------------------------------------------------------------------------------------
// What a result may differ by
// ---------------------------------------------------------------------------------------------------------------

fn largest(tensor: &[f64]) -> f64 {
    tensor.iter().fold(0.0, |largest, x| x.abs().max(largest))
}

/// 1e-12 of the largest entry, and where the gates are saturated 1e-12 more: there s·(1 − s) of a gate
/// that has been rounded to 1 is 0, and the truth is not.
fn tolerance_f64(case: &Case, expected: &[f64]) -> f64 {
    let floor = if case.is_saturated() { 1e-12 } else { 0.0 };
    1e-12 * largest(expected) + floor
}

/// The greatest relative error of one rounding to f32: u = 2⁻²⁴.
const U: f64 = f32::EPSILON as f64 / 2.0;

/// Half a unit in the last place of the f32 next to `x`: the greatest error of a rounding there. Below the smallest normal
/// f32 that of the smallest, which is more than any rounding can be off by.
fn half_ulp(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    let power_of_two = f64::from_bits(x.to_bits() & EXPONENT);
    U * power_of_two.max(f64::from(f32::MIN_POSITIVE))
}

thread_local! {
    static SIGNS: RefCell<SmallRng> = RefCell::new(SmallRng::seed_from_u64(0));
}

/// A number that carries at every rounding the greatest error which that rounding can have in f32, up or down at
/// random: half a unit in the last place for an operation and for an input that is no f32, [`ACTIVATION`] halves for a
/// function.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Noisy(f64);

impl Noisy {
    fn rounded(x: f64, halves: f64) -> Noisy {
        let up = SIGNS.with_borrow_mut(|signs| signs.random::<bool>());
        let error = halves * half_ulp(x);
        Noisy(if up { x + error } else { x - error })
    }
}

impl Add for Noisy {
    type Output = Noisy;
    fn add(self, other: Noisy) -> Noisy {
        Noisy::rounded(self.0 + other.0, 1.0)
    }
}
impl Sub for Noisy {
    type Output = Noisy;
    fn sub(self, other: Noisy) -> Noisy {
        Noisy::rounded(self.0 - other.0, 1.0)
    }
}
impl Mul for Noisy {
    type Output = Noisy;
    fn mul(self, other: Noisy) -> Noisy {
        Noisy::rounded(self.0 * other.0, 1.0)
    }
}
impl Div for Noisy {
    type Output = Noisy;
    fn div(self, other: Noisy) -> Noisy {
        Noisy::rounded(self.0 / other.0, 1.0)
    }
}
impl Number for Noisy {
    fn from_f64(x: f64) -> Noisy {
        if f64::from(x as f32) == x {
            Noisy(x)
        } else {
            Noisy::rounded(x, 1.0)
        }
    }
    fn apply(self, f: impl Fn(f64) -> f64, _: impl Fn(f64) -> f64) -> Noisy {
        Noisy::rounded(f(self.0), ACTIVATION)
    }
}

/// How often the equations are computed in [`Noisy`] numbers: s below is then known to about 1/√(2·64) = 9 %.
const SAMPLES: usize = 64;

/// How likely a right kernel may be taken for a wrong one, for each tensor.
const RISK: f64 = 1e-6;

/// s for each entry of each tensor of a case: the root mean square error of the [`Noisy`] equations.
fn spread(case: &Case) -> Tensors {
    let mut spread: Tensors = case
        .expected
        .iter()
        .map(|(&name, expected)| (name, vec![0.0; expected.len()]))
        .collect();
    for _ in 0..SAMPLES {
        let noisy = by_the_textbook::<Noisy>(case);
        for (name, expected) in &case.expected {
            let sums = spread.get_mut(name).unwrap().iter_mut();
            for ((sum, noisy), expected) in sums.zip(&noisy[name]).zip(expected) {
                *sum += (noisy.0 - expected).powi(2) / SAMPLES as f64;
            }
        }
    }
    for s in spread.values_mut().flatten() {
        *s = s.sqrt();
    }
    spread
}

/// The greatest error that the roundings to f32 explain in a tensor of which [`spread`] is `spread`.
///
/// Let rounding k of the equations have the error rₖ. It is at most cₖ: half a unit in the last place of what is rounded, so
/// u = 2⁻²⁴ of it or less; two units for the value of a function; nothing for an input that is an f32. To first order an entry of
/// a result is then off by e = Σₖ Jₖ·rₖ, where Jₖ is its derivative. Every rounding of every product and every sum of
/// all time steps is a term, T·(A + X) of them for each entry of the state, and Jₖ carries it through what is
/// left of the recurrence.
///
/// The worst case Σ|Jₖ|·cₖ, bounded as interval arithmetic does, is of no use: over 50 steps it comes to 10²²·u, as it loses the
/// signs within Jₖ. But the roundings are not all against us. If they are independent with mean 0, then by Hoeffding's
/// inequality, whatever their distribution,
///
/// ```text
/// P(|e| > λ·s) ≤ 2·exp(−λ²/2),   s² = Σₖ (Jₖ·cₖ)²
/// ```
///
/// and s is the root mean square of e when each rₖ is cₖ or −cₖ at random, which is what [`spread`] measures. For all n
/// entries at once: λ = √(2·ln(2n/risk)), which is 5.4 for one entry and 6.5 for 1000.
///
/// The crate adds some sums in another order, in partial sums, with no more roundings on the way of a term to the result
/// than here, where every sum runs from its first term to its last.
///
/// What is to be expected: a rounding is anywhere between −cₖ and cₖ, so that its root mean square is cₖ/√3, and a function is mostly
/// far better than promised. The largest of 1000 errors is then at 3.2·s/√3 or below, 0.3 of the bound.
fn rounding_bound(spread: &[f64]) -> f64 {
    let lambda = (2.0 * (2.0 * spread.len() as f64 / RISK).ln()).sqrt();
    lambda * largest(spread)
}

// ---------------------------------------------------------------------------------------------------------------
// The tests
// ---------------------------------------------------------------------------------------------------------------

/// The greatest difference of two tensors; NaN, if there is one in either.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs())
        .fold(0.0, |greatest, d| {
            if d > greatest || d.is_nan() {
                d
            } else {
                greatest
            }
        })
}

/// What has been compared.
#[derive(Default)]
struct Tally {
    files: usize,
    tensors: usize,
    comparisons: [usize; 2],
    /// Error/tolerance, f64 and f32.
    worst: [f64; 2],
    /// The widest f32 bound, in u of the largest entry.
    widest: f64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.files += other.files;
        self.tensors += other.tensors;
        for scalar in 0..2 {
            self.comparisons[scalar] += other.comparisons[scalar];
            self.worst[scalar] = self.worst[scalar].max(other.worst[scalar]);
        }
        self.widest = self.widest.max(other.widest);
    }

    fn row(&self, name: &str) {
        let [f64_ratio, f32_ratio] = self.worst;
        println!(
            "{name:50} {:5} {:7} {:11} {f64_ratio:9.5} {f32_ratio:9.3} {:12.1e}",
            self.files,
            self.tensors,
            self.comparisons.iter().sum::<usize>(),
            self.widest
        );
    }
}

/// Compares every tensor of a case, in both scalars and all forms; adds what differs to `failures`.
fn compare(case: &Case, failures: &mut Vec<String>) -> Tally {
    let mut tally = Tally {
        files: 1,
        tensors: case.expected.len(),
        ..Tally::default()
    };
    let mut check = |what: &str, name: &str, found: Option<&Vec<f64>>, tolerance: f64| {
        let found = found.unwrap_or_else(|| panic!("{}: {what} has no {name}", case.file));
        let error = difference(found, &case.expected[name]);
        if error.is_nan() || error > tolerance {
            failures.push(format!(
                "{}: {what}: {name} is off by {error:.3e}, allowed are {tolerance:.3e}",
                case.file
            ));
        }
        if error == 0.0 { 0.0 } else { error / tolerance }
    };

    let tolerances = [
        (case.expected.iter())
            .map(|(&name, expected)| (name, tolerance_f64(case, expected)))
            .collect(),
        (spread(case).iter())
            .map(|(&name, spread)| (name, rounding_bound(spread)))
            .collect::<BTreeMap<_, _>>(),
    ];
    // The bound is worth nothing if the equations that it comes from are wrong.
    let exact = by_the_textbook::<f64>(case);
    for (name, &tolerance) in &tolerances[0] {
        check("textbook", name, exact.get(name), tolerance);
    }
    for (name, expected) in &case.expected {
        let largest = largest(expected);
        if largest > 0.0 && !case.is_saturated() {
            tally.widest = tally.widest.max(tolerances[1][name] / largest / U);
        }
    }

    let runs = [crate_runs::<f64>(case), crate_runs::<f32>(case)];
    for (scalar, runs) in runs.iter().enumerate() {
        for (form, tensors) in runs {
            let what = format!("{form:?} in {}", ["f64", "f32"][scalar]);
            for (name, &tolerance) in &tolerances[scalar] {
                if *form == Form::Step && !["a", "c", "y"].contains(name) {
                    continue; // Inference has no gates to show and no gradient.
                }
                let ratio = check(&what, name, tensors.get(name), tolerance);
                tally.worst[scalar] = tally.worst[scalar].max(ratio);
                tally.comparisons[scalar] += 1;
            }
        }
    }
    tally
}

/// Every file of the index; with `-- --nocapture` it prints the error/tolerance of each.
#[test]
fn every_vector() {
    let heading = || {
        println!(
            "{:50} {:>5} {:>7} {:>11} {:>9} {:>9} {:>12}",
            "", "files", "tensors", "comparisons", "f64", "f32", "f32 bound/u"
        )
    };
    let mut failures = Vec::new();
    let mut kinds = INVENTORY.map(|(kind, ..)| (kind, Tally::default()));
    let mut elsewhere = RUN_ELSEWHERE.map(|(kind, _)| (kind, 0));
    heading();
    for entry in index() {
        let counted = elsewhere.iter_mut().find(|(kind, _)| *kind == entry.kind);
        if let Some((_, files)) = counted {
            *files += 1;
            continue;
        }
        let Some((_, tally)) = kinds.iter_mut().find(|(kind, _)| *kind == entry.kind) else {
            panic!("{}: unknown kind {}", entry.file, entry.kind);
        };
        let file = compare(&Case::read(&entry), &mut failures);
        file.row(entry.file.trim_end_matches(".json"));
        tally.add(&file);
    }

    println!();
    heading();
    let mut all = Tally::default();
    for (kind, tally) in &kinds {
        tally.row(kind);
        all.add(tally);
    }
    all.row("all");
    println!(
        "f64, f32: the worst error in units of its tolerance. The last column: the widest bound in units of u and"
    );
    println!(
        "of the tensor's largest entry, without saturated files, where entries can be smaller than any error."
    );
    println!("Run by tests/layout.rs and tests/bidirectional.rs: {elsewhere:?}");

    assert!(failures.is_empty(), "{:#?}", failures);
    assert_eq!(
        kinds
            .each_ref()
            .map(|(kind, tally)| (*kind, tally.files, tally.tensors)),
        INVENTORY
    );
    assert_eq!(elsewhere, RUN_ELSEWHERE);
    assert_eq!(all.comparisons, [COMPARISONS; 2]);
    // A bound that no error comes near would be wider than the roundings explain.
    for (kind, tally) in &kinds {
        assert!(tally.worst[1] > 0.05, "{kind}: the f32 bound is too wide");
    }
}

/// The index lists every file of the directory once, and no other.
#[test]
fn index_and_directory_agree() {
    let mut listed: Vec<String> = index().into_iter().map(|entry| entry.file).collect();
    listed.extend(["README.md".into(), "index.json".into()]);
    listed.sort();
    let mut found: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, listed);
}
