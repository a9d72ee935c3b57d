//! Layers that read in both directions over padded batches, against PyTorch: the `lengths_*` files of `tests/reference`.
//!
//! The second direction reads each sample from its own last step to its first, through `lengths::reverse`. Weights come in, and
//! gradients go out, as PyTorch's arrays, through `layout`. Every tensor of a file is compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bptt::layout::pytorch;
use bptt::{Cell, Flat, LengthMismatch, Matrix, gru, lengths, lstm, rnn};
use serde::Deserialize;

/// The greatest error that is allowed, relative to the largest entry of a tensor.
const TOLERANCE: f64 = 1e-14;

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

type Arrays = BTreeMap<String, Array>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    kind: String,
    dims: BTreeMap<String, usize>,
    lengths: Vec<usize>,
    tensors: Arrays,
    outputs: Arrays,
    grads: Arrays,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    kind: String,
}

fn read<D: for<'a> Deserialize<'a>>(file: &str) -> D {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// A cell with PyTorch's arrays of its weights. What is written are gradients: both biases have one.
trait PyTorch<const X: usize, const A: usize>: Cell<X, A, Scalar = f64> {
    fn read(&mut self, w: [&[f64]; 2], b: (&[f64], &[f64])) -> Result<(), LengthMismatch>;
    fn write(&self, w: [&mut [f64]; 2], b: [&mut [f64]; 2]) -> Result<(), LengthMismatch>;
}

/// The first so many biases of A units each add up to one, whose gradient both have.
macro_rules! pytorch {
    ($cell:ty, $read:ident, $write:ident, $sums:literal) => {
        impl<const X: usize, const A: usize> PyTorch<X, A> for $cell {
            fn read(
                &mut self,
                [ih, hh]: [&[f64]; 2],
                b: (&[f64], &[f64]),
            ) -> Result<(), LengthMismatch> {
                pytorch::$read(self, ih, hh, Some(b))
            }
            fn write(
                &self,
                [ih, hh]: [&mut [f64]; 2],
                [b_ih, b_hh]: [&mut [f64]; 2],
            ) -> Result<(), LengthMismatch> {
                pytorch::$write(self, ih, hh, b_ih, b_hh)?;
                b_hh[..$sums * A].copy_from_slice(&b_ih[..$sums * A]);
                Ok(())
            }
        }
    };
}
pytorch!(lstm::Params<X, A, f64>, read_lstm, write_lstm, 4);
pytorch!(gru::ResetAfter<X, A, f64>, read_gru, write_gru, 2);
pytorch!(rnn::Params<X, A, f64>, read_rnn, write_rnn, 1);

/// The matrices of a state, in their order, by PyTorch's names: initial, gradient of the initial, last, gradient of the last.
/// The last cell states of the files have no gradient.
const STATES: [[&str; 3]; 2] = [["h_0", "h_n", "d_h_n"], ["c_0", "c_n", ""]];

/// Everything found, by its name; and how often a name was asked for.
struct Found<'a> {
    file: &'a File,
    outputs: BTreeMap<String, Vec<f64>>,
    grads: BTreeMap<String, Vec<f64>>,
}

impl Found<'_> {
    /// Every tensor of the file, and no other, within the tolerance; returns the greatest error in units of it.
    fn compare(&self) -> f64 {
        let mut worst = 0.0_f64;
        for (expected, found) in [
            (&self.file.outputs, &self.outputs),
            (&self.file.grads, &self.grads),
        ] {
            assert!(expected.keys().eq(found.keys()), "{:?}", found.keys());
            for (name, expected) in expected {
                let (found, what) = (&found[name], format!("{}: {name}", self.file.name));
                assert_eq!(
                    expected.data.len(),
                    expected.shape.iter().product::<usize>(),
                    "{what}"
                );
                assert_eq!(found.len(), expected.data.len(), "{what}");
                let largest = expected.data.iter().fold(0.0_f64, |l, e| l.max(e.abs()));
                assert!(largest > 0.0, "{what} is zero");
                for (found, expected) in found.iter().zip(&expected.data) {
                    let error = (found - expected).abs() / largest / TOLERANCE;
                    assert!(error <= 1.0, "{what}: {found} is not {expected}"); // NaN neither
                    worst = worst.max(error);
                }
            }
        }
        worst
    }
}

/// One file through a layer of these cells; returns the greatest error in units of the tolerance.
fn layer<C: PyTorch<X, A>, const X: usize, const A: usize, const M: usize>(file: &File) -> f64 {
    let sizes = ["n_x", "n_a", "m"].map(|name| file.dims[name]);
    assert_eq!(sizes, [X, A, M]);
    let lengths: [usize; M] = file.lengths[..].try_into().unwrap();
    let given = |name: &str| file.tensors[name].data.as_slice();
    let steps = file.dims["T"];
    let x = Matrix::<X, M, f64>::slice_from_flat(given("input")).unwrap();
    assert_eq!(x.len(), steps);

    let mut found = Found {
        file,
        outputs: BTreeMap::new(),
        grads: BTreeMap::new(),
    };
    // (T, M, 2·A): in each column the first direction stands before the second.
    let mut output = vec![f64::NAN; steps * M * 2 * A];
    let mut dx_sum = vec![0.0; steps * M * X];
    for (direction, suffix) in ["", "_reverse"].into_iter().enumerate() {
        let name = |of: &str| format!("{of}_l0{suffix}");
        let [ih, hh, b_ih, b_hh] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(name);
        let mut cell = C::ZEROS;
        cell.as_flat_mut().fill(f64::NAN); // every one must be overwritten
        let bias = (given(&b_ih), given(&b_hh));
        cell.read([given(&ih), given(&hh)], bias).unwrap();

        // A state has its matrices one after the other; PyTorch has of each those of both directions.
        let (mut init, mut dlast) = (C::State::<M>::ZEROS, C::State::<M>::ZEROS);
        let at = direction * A * M..(direction + 1) * A * M;
        let matrices = init.as_flat_mut().chunks_exact_mut(A * M);
        for ((init, dlast), [init_name, _, dlast_name]) in matrices
            .zip(dlast.as_flat_mut().chunks_exact_mut(A * M))
            .zip(STATES)
        {
            init.copy_from_slice(&given(init_name)[at.clone()]);
            if !dlast_name.is_empty() {
                dlast.copy_from_slice(&given(dlast_name)[at.clone()]);
            }
        }
        let mut da = vec![Matrix::<A, M, f64>::zeros(); steps];
        let columns = Flat::slice_as_flat_mut(&mut da).chunks_exact_mut(A);
        for (da, both) in columns.zip(given("d_output").chunks_exact(2 * A)) {
            da.copy_from_slice(&both[direction * A..][..A]);
        }

        let mut x = x.to_vec();
        if direction == 1 {
            lengths::reverse(&lengths, &mut x).unwrap();
            lengths::reverse(&lengths, &mut da).unwrap();
        }
        let mut a = vec![Matrix::<A, M, f64>::zeros(); steps];
        let mut caches = vec![C::Cache::<M>::ZEROS; steps];
        let (mut last, mut grads, mut dstate) = (C::State::ZEROS, C::ZEROS, C::State::ZEROS);
        let mut dx = vec![Matrix::<X, M, f64>::zeros(); steps];
        let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
        lengths::last(&lengths, &tape, &mut last).unwrap();
        let out = Some(&mut *dx);
        lengths::backward(&lengths, tape, &da, &dlast, &mut grads, out, &mut dstate).unwrap();
        lengths::zero_beyond(&lengths, &mut a); // as PyTorch unpacks it
        if direction == 1 {
            lengths::reverse(&lengths, &mut a).unwrap();
            lengths::reverse(&lengths, &mut dx).unwrap();
        }

        let columns = Flat::slice_as_flat(&a).chunks_exact(A);
        for (a, both) in columns.zip(output.chunks_exact_mut(2 * A)) {
            both[direction * A..][..A].copy_from_slice(a);
        }
        for (sum, dx) in dx_sum.iter_mut().zip(Flat::slice_as_flat(&dx)) {
            *sum += dx;
        }
        let matrices = last.as_flat().chunks_exact(A * M);
        for ((last, dinit), [init_name, last_name, _]) in matrices
            .zip(dstate.as_flat().chunks_exact(A * M))
            .zip(STATES)
        {
            let outputs = found.outputs.entry(last_name.to_owned()).or_default();
            outputs.extend(last);
            let grads = found.grads.entry(init_name.to_owned()).or_default();
            grads.extend(dinit);
        }
        // The gradients, exported as if they were weights.
        let mut w = [&ih, &hh].map(|name| vec![f64::NAN; given(name).len()]);
        let mut b = [&b_ih, &b_hh].map(|name| vec![f64::NAN; given(name).len()]);
        let views = (
            w.each_mut().map(Vec::as_mut_slice),
            b.each_mut().map(Vec::as_mut_slice),
        );
        grads.write(views.0, views.1).unwrap();
        let ([dw_ih, dw_hh], [db_ih, db_hh]) = (w, b);
        let arrays = [(ih, dw_ih), (hh, dw_hh), (b_ih, db_ih), (b_hh, db_hh)];
        found.grads.extend(arrays);
    }
    found.outputs.insert("output".to_owned(), output);
    found.grads.insert("input".to_owned(), dx_sum);
    found.compare()
}

#[test]
fn both_directions_of_a_padded_batch() {
    let index: Vec<Entry> = read("index.json");
    let mut run = vec![];
    for entry in index
        .iter()
        .filter(|entry| entry.kind.starts_with("lengths_"))
    {
        let file: File = read(&entry.file);
        assert_eq!(file.kind, entry.kind);
        let worst = match file.name.as_str() {
            "gru_s2" => layer::<gru::ResetAfter<2, 4, f64>, 2, 4, 4>(&file),
            "lstm_s1" => layer::<lstm::Params<3, 5, f64>, 3, 5, 3>(&file),
            "rnn_s3" => layer::<rnn::Params<1, 3, f64>, 1, 3, 2>(&file),
            name => panic!("no arm for {name}"),
        };
        println!(
            "{}: the worst error is {worst:.1e} of its tolerance",
            file.name
        );
        run.push(file.name);
    }
    assert_eq!(run, ["gru_s2", "lstm_s1", "rnn_s3"]);
}
