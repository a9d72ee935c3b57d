//! What must hold for any bytes: no panic, the bits of the arithmetic contract, no NaN from finite
//! numbers whose products do not overflow, an error and nothing written where a length is wrong.
//!
//! Every function takes bytes and makes numbers of them. The first byte chooses which: all bit
//! patterns, NaN and infinities among them, or finite numbers below a bound, subnormals and signed
//! zeros among them.

#[path = "../../common/cells.rs"]
mod cells;
#[path = "../../common/contract.rs"]
mod contract;
mod quantized;

pub use quantized::quantized;

use std::slice;

use bptt::layout::{keras, onnx, pytorch, textbook};
use bptt::loss::{self, Reduction};
use bptt::lstm::{Cache, Params, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{
    Affine, Cell, Flat, LengthMismatch, Matrix, TrainingError, checkpoint, dense, dropout, gru,
    lengths, rnn,
};
use cells::Plain;

const X: usize = 3;
const A: usize = 5;
const M: usize = 2;
const Y: usize = 4;

/// Numbers made of bytes; zeros where there are no more.
struct Bytes<'a> {
    rest: &'a [u8],
    /// All scalars are below 2 to this power in magnitude; `None` for all bit patterns.
    limit: Option<u32>,
}

impl<'a> Bytes<'a> {
    /// The first byte chooses between all bit patterns and finite numbers below 2^`limit`.
    fn new(bytes: &'a [u8], limit: u32) -> Self {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let limit = (first % 4 != 0).then_some(limit);
        Bytes { rest, limit }
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *first
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// `right`, or now and then another length.
    fn length(&mut self, right: usize) -> usize {
        match self.byte() {
            b @ 0..8 => usize::from(b),
            _ => right,
        }
    }

    fn scalar(&mut self) -> f32 {
        let bits = u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()]);
        match self.limit {
            None => f32::from_bits(bits),
            Some(limit) => {
                let exponent = (bits >> 23 & 0xff) % (127 + limit);
                f32::from_bits(bits & 0x807f_ffff | exponent << 23)
            }
        }
    }

    fn flat<F: Flat<Scalar = f32>>(&mut self) -> F {
        let mut flat = F::ZEROS;
        flat.as_flat_mut().fill_with(|| self.scalar());
        flat
    }

    fn sequence<F: Flat<Scalar = f32>>(&mut self, len: usize) -> Vec<F> {
        (0..len).map(|_| self.flat()).collect()
    }
}

/// The bits, all NaN being one.
fn bits(scalars: &[f32]) -> Vec<u32> {
    scalars
        .iter()
        .map(|s| {
            if s.is_nan() {
                f32::NAN.to_bits()
            } else {
                s.to_bits()
            }
        })
        .collect()
}

#[track_caller]
fn same<F: Flat<Scalar = f32>>(found: &[F], expected: &[F]) {
    assert_eq!(
        bits(F::slice_as_flat(found)),
        bits(F::slice_as_flat(expected))
    );
}

#[track_caller]
fn same_one<F: Flat<Scalar = f32>>(found: &F, expected: &F) {
    same(slice::from_ref(found), slice::from_ref(expected));
}

#[track_caller]
fn finite<F: Flat<Scalar = f32>>(values: &[F]) {
    let scalars = F::slice_as_flat(values);
    assert!(scalars.iter().all(|s| s.is_finite()), "{scalars:?}");
}

// ------------------------------------------------------------------------------------- flat views

/// Views of any slice as any type: the same memory, or an error.
pub fn views(bytes: &[u8]) {
    let mut bytes = Bytes {
        rest: bytes,
        limit: None,
    };
    let len = usize::from(bytes.byte());
    let mut flat: Vec<f32> = (0..len).map(|_| bytes.scalar()).collect();
    view::<Matrix<1, 1>>(&mut flat);
    view::<Matrix<3, 2>>(&mut flat);
    view::<Affine<X, A>>(&mut flat);
    view::<Params<1, 2>>(&mut flat);
    view::<State<A, M>>(&mut flat);
    view::<Cache<A, M>>(&mut flat);
    view::<gru::ResetAfter<1, 2>>(&mut flat);
    view::<gru::ResetBefore<1, 2>>(&mut flat);
    view::<gru::Cache<A, M>>(&mut flat);
    view::<rnn::Relu<1, 2>>(&mut flat);
    view::<dense::Params<A, Y>>(&mut flat);
}

fn view<F: Flat<Scalar = f32> + Clone>(flat: &mut [f32]) {
    let (start, found) = (flat.as_ptr(), flat.len());
    let before: Vec<u32> = flat.iter().map(|s| s.to_bits()).collect();
    let mismatch = |expected| LengthMismatch {
        what: "flat",
        expected,
        found,
    };

    match F::from_flat(flat) {
        Ok(one) => assert_eq!(
            (one.as_flat().as_ptr(), one.as_flat().len()),
            (start, found)
        ),
        Err(error) => assert_eq!(error, mismatch(F::LEN)),
    }
    assert_eq!(F::from_flat(flat).is_ok(), found == F::LEN);
    assert_eq!(F::from_flat_mut(flat).is_ok(), found == F::LEN);
    match F::slice_from_flat(flat) {
        Ok(all) => {
            assert_eq!(all.len() * F::LEN, found);
            assert_eq!(
                (F::slice_as_flat(all).as_ptr(), F::slice_as_flat(all).len()),
                (start, found)
            );
            for (one, part) in all.iter().zip(flat.chunks(F::LEN)) {
                let copy = one.clone();
                let bits = |s: &[f32]| s.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(copy.as_flat()), bits(part));
            }
        }
        Err(error) => assert_eq!(error, mismatch(found / F::LEN * F::LEN)),
    }
    if let Ok(all) = F::slice_from_flat_mut(flat) {
        let all = F::slice_as_flat_mut(all);
        all.reverse();
        all.reverse();
        assert_eq!((all.as_ptr(), all.len()), (start, found));
    }
    assert_eq!(before, flat.iter().map(|s| s.to_bits()).collect::<Vec<_>>());
}

// ---------------------------------------------------------------------------- bytes and layouts

/// Weights from and to the arrays of other frameworks and bytes, of right and of wrong lengths.
pub fn layouts(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 60);
    le_bytes::<Params<X, A>>(bytes);
    le_bytes::<gru::ResetAfter<X, A>>(bytes);
    le_bytes::<dense::Params<A, Y>>(bytes);

    type Lstm = Params<X, A>;
    type Rnn = Affine<X, A>;
    type Head = dense::Params<A, Y>;
    let trans_b = bytes.below(2) == 0;
    let (i, h) = (4 * A * X, 4 * A * A);
    layout::<Lstm, 4>(
        bytes,
        [i, h, 4 * A, 4 * A],
        |p, [i, h, b1, b2]| pytorch::read_lstm(p, i, h, Some((b1, b2))),
        |p, [i, h, b1, b2]| pytorch::write_lstm(p, i, h, b1, b2),
    );
    layout::<Rnn, 4>(
        bytes,
        [A * X, A * A, A, A],
        |p, [i, h, b1, b2]| pytorch::read_rnn(p, i, h, Some((b1, b2))),
        |p, [i, h, b1, b2]| pytorch::write_rnn(p, i, h, b1, b2),
    );
    layout::<Head, 2>(
        bytes,
        [Y * A, Y],
        |p, [w, b]| pytorch::read_linear(p, w, Some(b)),
        |p, [w, b]| pytorch::write_linear(p, w, b),
    );
    layout::<Lstm, 3>(
        bytes,
        [i, h, 4 * A],
        |p, [k, r, b]| keras::read_lstm(p, k, r, Some(b)),
        |p, [k, r, b]| keras::write_lstm(p, k, r, b),
    );
    layout::<Rnn, 3>(
        bytes,
        [A * X, A * A, A],
        |p, [k, r, b]| keras::read_rnn(p, k, r, Some(b)),
        |p, [k, r, b]| keras::write_rnn(p, k, r, b),
    );
    layout::<Head, 2>(
        bytes,
        [Y * A, Y],
        |p, [k, b]| keras::read_dense(p, k, Some(b)),
        |p, [k, b]| keras::write_dense(p, k, b),
    );
    layout::<Lstm, 3>(
        bytes,
        [i, h, 8 * A],
        |p, [w, r, b]| onnx::read_lstm(p, w, r, Some(b)),
        |p, [w, r, b]| onnx::write_lstm(p, w, r, b),
    );
    layout::<Rnn, 3>(
        bytes,
        [A * X, A * A, 2 * A],
        |p, [w, r, b]| onnx::read_rnn(p, w, r, Some(b)),
        |p, [w, r, b]| onnx::write_rnn(p, w, r, b),
    );
    layout::<Head, 2>(
        bytes,
        [Y * A, Y],
        |p, [b, c]| onnx::read_gemm(p, b, trans_b, Some(c)),
        |p, [b, c]| onnx::write_gemm(p, b, trans_b, c),
    );
    layout::<Rnn, 2>(
        bytes,
        [A * (A + X), A],
        |p, [w, b]| textbook::read_affine(p, w, b),
        |p, [w, b]| textbook::write_affine(p, w, b),
    );
    let (w, b) = (A * (A + X), A);
    layout::<Lstm, 8>(
        bytes,
        [w, w, w, w, b, b, b, b],
        |p, [w1, w2, w3, w4, b1, b2, b3, b4]| {
            textbook::read_lstm(p, [w1, w2, w3, w4], [b1, b2, b3, b4])
        },
        |p, [w1, w2, w3, w4, b1, b2, b3, b4]| {
            textbook::write_lstm(p, [w1, w2, w3, w4], [b1, b2, b3, b4])
        },
    );
    gru_layouts(bytes);
}

fn gru_layouts(bytes: &mut Bytes) {
    type After = bptt::gru::ResetAfter<X, A>;
    type Before = bptt::gru::ResetBefore<X, A>;
    let (i, h) = (3 * A * X, 3 * A * A);
    layout::<After, 4>(
        bytes,
        [i, h, 3 * A, 3 * A],
        |p, [i, h, b1, b2]| pytorch::read_gru(p, i, h, Some((b1, b2))),
        |p, [i, h, b1, b2]| pytorch::write_gru(p, i, h, b1, b2),
    );
    layout::<After, 3>(
        bytes,
        [i, h, 6 * A],
        |p, [k, r, b]| keras::read_gru_after(p, k, r, Some(b)),
        |p, [k, r, b]| keras::write_gru_after(p, k, r, b),
    );
    layout::<Before, 3>(
        bytes,
        [i, h, 3 * A],
        |p, [k, r, b]| keras::read_gru_before(p, k, r, Some(b)),
        |p, [k, r, b]| keras::write_gru_before(p, k, r, b),
    );
    layout::<After, 3>(
        bytes,
        [i, h, 6 * A],
        |p, [w, r, b]| onnx::read_gru_after(p, w, r, Some(b)),
        |p, [w, r, b]| onnx::write_gru_after(p, w, r, b),
    );
    layout::<Before, 3>(
        bytes,
        [i, h, 6 * A],
        |p, [w, r, b]| onnx::read_gru_before(p, w, r, Some(b)),
        |p, [w, r, b]| onnx::write_gru_before(p, w, r, b),
    );
    let (w, b) = (A * (A + X), A);
    layout::<After, 7>(
        bytes,
        [w, w, w, b, b, b, b],
        |p, [w1, w2, w3, b1, b2, b3, bna]| {
            textbook::read_gru_after(p, [w1, w2, w3], [b1, b2, b3], bna)
        },
        |p, [w1, w2, w3, b1, b2, b3, bna]| {
            textbook::write_gru_after(p, [w1, w2, w3], [b1, b2, b3], bna)
        },
    );
    layout::<Before, 6>(
        bytes,
        [w, w, w, b, b, b],
        |p, [w1, w2, w3, b1, b2, b3]| textbook::read_gru_before(p, [w1, w2, w3], [b1, b2, b3]),
        |p, [w1, w2, w3, b1, b2, b3]| textbook::write_gru_before(p, [w1, w2, w3], [b1, b2, b3]),
    );
}

/// Writes and reads; then the same with lengths that may be wrong, where nothing may change.
fn layout<P: Flat<Scalar = f32> + Default + Clone, const N: usize>(
    bytes: &mut Bytes,
    right: [usize; N],
    read: impl Fn(&mut P, [&[f32]; N]) -> Result<(), LengthMismatch>,
    write: impl Fn(&P, [&mut [f32]; N]) -> Result<(), LengthMismatch>,
) {
    let params: P = bytes.flat();
    let mut arrays = right.map(|n| vec![1.0; n]);
    write(&params, arrays.each_mut().map(|a| a.as_mut_slice())).unwrap();
    let mut back = P::ZEROS;
    read(&mut back, arrays.each_ref().map(|a| a.as_slice())).unwrap();
    same_one(&back, &params);

    let found = right.map(|n| bytes.length(n));
    let mut arrays = found.map(|n| vec![1.0; n]);
    let before = (params.clone(), arrays.clone());
    let mut params = params;
    let result = read(&mut params, arrays.each_ref().map(|a| a.as_slice()));
    assert_eq!(result.is_ok(), found == right);
    if found != right {
        same_one(&params, &before.0);
    }
    let result = write(&params, arrays.each_mut().map(|a| a.as_mut_slice()));
    assert_eq!(result.is_ok(), found == right);
    if found != right {
        assert_eq!(arrays, before.1);
    }
}

/// As little-endian bytes and back; then the same with a length that may be wrong.
fn le_bytes<P: Flat<Scalar = f32>>(bytes: &mut Bytes) {
    let params: P = bytes.flat();
    let right = 4 * P::LEN;
    let mut file = vec![0; right];
    params.to_le_bytes(&mut file).unwrap();
    for (found, scalar) in file.chunks(4).zip(params.as_flat()) {
        assert_eq!(found, scalar.to_le_bytes());
    }
    let mut back = P::ZEROS;
    back.read_le_bytes(&file).unwrap();
    same_one(&back, &params);

    let found = bytes.length(right);
    let mut file = vec![1; found];
    let result = params.to_le_bytes(&mut file);
    assert_eq!(result.is_ok(), found == right);
    assert!(found == right || file.iter().all(|byte| *byte == 1));
    let result = back.read_le_bytes(&file);
    assert_eq!(result.is_ok(), found == right);
    same_one(&back, &params);
}

// ------------------------------------------------------------------------------------------ cells

/// What a step of a cell hands to the next, and what it keeps for backward.
type StateOf<C> = <C as Cell<X, A>>::State<M>;
type CacheOf<C> = <C as Cell<X, A>>::Cache<M>;

/// An LSTM, as [`cell`] does.
pub fn lstm(bytes: &[u8]) {
    cell::<Params<X, A>>(bytes);
}

/// A GRU whose reset comes after the product, as [`cell`] does.
pub fn gru_after(bytes: &[u8]) {
    cell::<gru::ResetAfter<X, A>>(bytes);
}

/// A GRU whose reset comes before the product, as [`cell`] does.
pub fn gru_before(bytes: &[u8]) {
    cell::<gru::ResetBefore<X, A>>(bytes);
}

/// An RNN with tanh, as [`cell`] does.
pub fn rnn(bytes: &[u8]) {
    cell::<rnn::Params<X, A>>(bytes);
}

/// An RNN with ReLU, as [`cell`] does.
pub fn relu(bytes: &[u8]) {
    cell::<rnn::Relu<X, A>>(bytes);
}

/// A cell forward and backward against the contract, with recomputation, with lengths, with wrong lengths.
fn cell<C: Plain<X, A, Scalar = f32>>(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 8);
    let (steps, k) = (bytes.below(4), 1 + bytes.below(4));
    let ends = [bytes.below(steps + 1), bytes.below(steps + 1)];
    let wrong = [(); 4].map(|()| bytes.length(steps));
    let cell: C = bytes.flat();
    let (init, dinit): (StateOf<C>, StateOf<C>) = (bytes.flat(), bytes.flat());
    let x: Vec<Matrix<X, M>> = bytes.sequence(steps);
    let da: Vec<Matrix<A, M>> = bytes.sequence(steps);

    // Forward, and step by step.
    let mut a = vec![Matrix::zeros(); steps];
    let mut caches = vec![CacheOf::<C>::ZEROS; steps];
    let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let mut last = StateOf::<C>::ZEROS;
    tape.last(&mut last);
    let (mut last_each, zeros) = (StateOf::<C>::ZEROS, StateOf::<C>::ZEROS);
    lengths::last(&ends, &tape, &mut last_each).unwrap();
    let mut states = vec![init.clone()];
    for t in 0..steps {
        let mut cache = CacheOf::<C>::ZEROS;
        let state = cell.contract_forward(&x[t], &states[t], &mut cache);
        assert_eq!(bits(a[t].as_flat()), bits(&state.as_flat()[..A * M]));
        same_one(&caches[t], &cache);
        let mut next = zeros.clone();
        cell.step(&x[t], &states[t], &mut next);
        same_one(&next, &state);
        states.push(state);
    }
    same_one(&last, &states[steps]);
    for m in 0..M {
        let columns_of_m = |state: &StateOf<C>| {
            let columns = state.as_flat().chunks(A).skip(m).step_by(M);
            bits(&columns.collect::<Vec<_>>().concat())
        };
        assert_eq!(columns_of_m(&last_each), columns_of_m(&states[ends[m]]));
    }

    // Backward.
    let (mut dz, mut dx) = (caches.clone(), vec![Matrix::zeros(); steps]);
    let (mut grads, mut dstate) = (C::ZEROS, dinit.clone());
    let tape = cell.forward(&x, &init, &mut a, &mut dz).unwrap();
    tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)
        .unwrap();
    let (mut expected, mut d) = (C::ZEROS, dinit.clone());
    for t in (0..steps).rev() {
        let cache = &mut caches[t];
        let (at, g, d) = ([&states[t], &states[t + 1]], &mut expected, &mut d);
        let dx_t = cell.contract_backward(&x[t], at, cache, &da[t], d, g);
        same_one(&dx[t], &dx_t);
    }
    same(&dz, &caches);
    same_one(&grads, &expected);
    same_one(&dstate, &d);
    if bytes.limit.is_some() {
        finite(&a);
        finite(&dz);
        finite(&dx);
        finite(slice::from_ref(&grads));
        finite(slice::from_ref(&dstate));
    }

    // With recomputation.
    let mut states_k = vec![zeros.clone(); steps.div_ceil(k)];
    let (mut a_k, mut caches_k) = (vec![Matrix::zeros(); k], vec![CacheOf::<C>::ZEROS; k]);
    let mut da_k = vec![Matrix::zeros(); k];
    let tape = checkpoint::forward(&cell, &x, &init, &mut states_k, &mut a_k, &mut caches_k);
    let tape = tape.unwrap();
    if let Some(last) = tape.states().last() {
        same_one(last, &states[steps]);
    }
    let (mut grads_k, mut dstate_k) = (C::ZEROS, dinit.clone());
    let gradient = |t: usize, _: &[_], segment: &mut [Matrix<A, M>]| {
        segment.clone_from_slice(&da[t..t + segment.len()]);
    };
    tape.backward(&mut da_k, gradient, &mut grads_k, None, &mut dstate_k)
        .unwrap();
    same_one(&grads_k, &grads);
    same_one(&dstate_k, &dstate);

    // With lengths: what is in da beyond them is not looked at.
    let mut run = |da: &[Matrix<A, M>]| {
        let (mut grads, mut dstate, mut dx) =
            (C::ZEROS, zeros.clone(), vec![Matrix::zeros(); steps]);
        let tape = cell.forward(&x, &init, &mut a, &mut dz).unwrap();
        let (g, d) = (&mut grads, &mut dstate);
        lengths::backward(&ends, tape, da, &dinit, g, Some(&mut dx), d).unwrap();
        if bytes.limit.is_some() {
            finite(&dz);
            finite(slice::from_ref(&grads));
        }
        (grads, dstate, dx)
    };
    let mut other = da.clone();
    for (t, da) in other.iter_mut().enumerate() {
        for m in (0..M).filter(|&m| t >= ends[m]) {
            da.column_mut(m).unwrap().fill(f32::INFINITY);
        }
    }
    let (found, expected) = (run(&other), run(&da));
    same_one(&found.0, &expected.0);
    same_one(&found.1, &expected.1);
    same(&found.2, &expected.2);

    // There and back again.
    let mut moved = x.clone();
    lengths::reverse(&ends, &mut moved).unwrap();
    lengths::reverse(&ends, &mut moved).unwrap();
    same(&moved, &x);
    lengths::padding_to_front(&ends, &mut moved).unwrap();
    lengths::padding_to_back(&ends, &mut moved).unwrap();
    same(&moved, &x);

    // Wrong lengths: an error, and nothing is written.
    let mut a_wrong = vec![Matrix::zeros(); wrong[0]];
    let mut caches_wrong = vec![CacheOf::<C>::ZEROS; wrong[1]];
    let result = cell.forward(&x, &init, &mut a_wrong, &mut caches_wrong);
    let right = wrong[0] == steps && wrong[1] == steps;
    assert_eq!(result.is_ok(), right);
    if !right {
        same(&caches_wrong, &vec![CacheOf::<C>::ZEROS; wrong[1]]);
        same(&a_wrong, &vec![Matrix::zeros(); wrong[0]]);
    }
    let da_wrong = vec![Matrix::zeros(); wrong[2]];
    let mut dx_wrong = vec![Matrix::zeros(); wrong[3]];
    let (mut grads, mut dstate) = (C::ZEROS, dinit.clone());
    let mut after = caches.clone();
    let _ = cell.forward(&x, &init, &mut a, &mut after).unwrap();
    let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let result = tape.backward(&da_wrong, &mut grads, Some(&mut dx_wrong), &mut dstate);
    let right = wrong[2] == steps && wrong[3] == steps;
    assert_eq!(result.is_ok(), right);
    if !right {
        same(&caches, &after);
        same(&dx_wrong, &vec![Matrix::zeros(); wrong[3]]);
        same_one(&grads, &C::ZEROS);
        same_one(&dstate, &dinit);
    }
}

// ------------------------------------------------------------------------- output layer and losses

/// The output layer against the contract, softmax and losses.
pub fn losses(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 60);
    let steps = bytes.below(4);
    let reduction = if bytes.below(2) == 0 {
        Reduction::Sum
    } else {
        Reduction::Mean
    };
    let wrong = bytes.length(steps);
    let classes: Vec<[usize; M]> = (0..steps)
        .map(|_| [bytes.below(Y + 1), bytes.below(Y + 1)])
        .collect();
    // Half of the weights are zero.
    let mut weights = vec![[0.0; M]; steps];
    for w in weights.as_flattened_mut() {
        *w = if bytes.below(2) == 0 {
            0.0
        } else {
            bytes.scalar()
        };
    }
    let params: dense::Params<A, Y> = bytes.flat();
    let a: Vec<Matrix<A, M>> = bytes.sequence(steps);
    let target: Vec<Matrix<Y, M>> = bytes.sequence(steps);
    let bounded = bytes.limit.is_some();

    let mut y = vec![Matrix::zeros(); steps];
    dense::sequence_forward(&params, &a, &mut y).unwrap();
    for t in 0..steps {
        same(&y[t..=t], &[contract::dense_forward(&params, &a[t])]);
    }
    // The products with y as dy would overflow; the targets do not.
    let (mut grads, mut da) = (dense::Params::zeros(), vec![Matrix::zeros(); steps]);
    dense::sequence_backward(&params, &a, &target, &mut grads, &mut da).unwrap();
    let mut expected = dense::Params::zeros();
    for t in (0..steps).rev() {
        let da_t = contract::dense_backward(&params, &a[t], &target[t], &mut expected);
        same(&da[t..=t], &[da_t]);
    }
    same_one(&grads, &expected);
    if bounded {
        finite(&y);
        finite(&da);
        finite(slice::from_ref(&grads));
    }

    let mut p = y.clone();
    p.iter_mut().for_each(dense::softmax);
    for (p, y) in p.iter().zip(&y) {
        for (p, y) in p.columns().iter().zip(y.columns()) {
            let ok = y.iter().all(|y| y.is_finite());
            assert!(
                !ok || p.iter().all(|p| (0.0..=1.0).contains(p)),
                "{y:?} {p:?}"
            );
            assert!(
                !ok || (p.iter().sum::<f32>() - 1.0).abs() < 1e-6,
                "{y:?} {p:?}"
            );
        }
    }
    let mut dp = target.clone();
    for (p, dp) in p.iter().zip(&mut dp) {
        dense::softmax_backward(p, dp);
    }

    let mut found = vec![[usize::MAX; M]; steps];
    dense::sequence_argmax(&y, &mut found).unwrap();
    for (y, found) in y.iter().zip(&found) {
        for (y, found) in y.columns().iter().zip(found) {
            let greatest = y[*found];
            assert!(greatest.is_nan() || y.iter().all(|y| *y <= greatest));
        }
    }

    let mut dz = vec![Matrix::zeros(); steps];
    let value = loss::softmax_cross_entropy(&y, &p, None, reduction, Some(&mut dz)).unwrap();
    if bounded {
        finite(&dp);
        finite(&dz);
        assert!(value >= 0.0 && value.is_finite(), "{value}");
    }
    let bad = classes.as_flattened().iter().any(|&class| class >= Y);
    let mut dz = vec![Matrix::zeros(); steps];
    match loss::softmax_cross_entropy_classes(&y, &classes, None, reduction, Some(&mut dz)) {
        Ok(value) => {
            assert!(!bad);
            assert!(!bounded || value >= 0.0 && value.is_finite(), "{value}");
            assert!(!bounded || dz.iter().flat_map(|d| d.as_flat()).all(|d| d.abs() <= 1.0));
        }
        Err(_) => {
            assert!(bad);
            same(&dz, &vec![Matrix::zeros(); steps]);
        }
    }
    let mut da = vec![Matrix::zeros(); steps];
    let value = loss::squared_error(&a, &da.clone(), None, reduction, Some(&mut da)).unwrap();
    assert!(!bounded || value >= 0.0 && value.is_finite(), "{value}");

    weighted(&y, &target, &classes, &weights, reduction);

    let mut dz = vec![Matrix::zeros(); wrong];
    let result = loss::squared_error(&y, &target, None, reduction, Some(&mut dz));
    assert_eq!(result.is_ok(), wrong == steps);
    if wrong != steps {
        same(&dz, &vec![Matrix::zeros(); wrong]);
    }
}

/// A loss: weights, its gradient; the classes are not always right.
type Loss<'a> =
    &'a dyn Fn(Option<&[[f32; M]]>, Option<&mut [Matrix<Y, M>]>) -> Result<f32, TrainingError>;

/// Every loss with any weights: evaluation has the same bits, and what is ignored the gradient 0.
fn weighted(
    y: &[Matrix<Y, M>],
    target: &[Matrix<Y, M>],
    classes: &[[usize; M]],
    weights: &[[f32; M]],
    reduction: Reduction,
) {
    let losses: [Loss; 3] = [
        &|w, dz| loss::softmax_cross_entropy_classes(y, classes, w, reduction, dz),
        &|w, dz| Ok(loss::softmax_cross_entropy(y, target, w, reduction, dz)?),
        &|w, dz| Ok(loss::squared_error(y, target, w, reduction, dz)?),
    ];
    for loss in losses {
        let mut dz = vec![Matrix::from_rows([[1.0; M]; Y]); y.len()];
        let value = loss(Some(weights), Some(&mut dz));
        let evaluated = loss(Some(weights), None);
        let bits = |value: Result<f32, TrainingError>| value.map(|value| bits(&[value]));
        assert_eq!(bits(value), bits(evaluated));
        let counted = weights
            .iter()
            .zip(classes)
            .flat_map(|(w, c)| w.iter().zip(c));
        let outside = |(w, class): (&f32, &usize)| *w != 0.0 && *class >= Y;
        if value.is_err() {
            assert!(counted.into_iter().any(outside));
            same(&dz, &vec![Matrix::from_rows([[1.0; M]; Y]); y.len()]);
            continue;
        }
        for (dz, weights) in dz.iter().zip(weights) {
            for (dz, w) in dz.columns().iter().zip(weights) {
                assert!(*w != 0.0 || dz.iter().all(|dz| dz.to_bits() == 0));
            }
        }
        if weights.as_flattened().iter().all(|w| *w == 0.0) {
            assert_eq!(value, Ok(0.0));
        }
    }
}

// ------------------------------------------------------------------------------------- optimizers

/// Three updates of some weights by each optimizer, and clipping.
pub fn optimizers(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 20);
    let n = bytes.below(8);
    let wrong = [bytes.length(n), bytes.length(n), bytes.length(n)];
    let rate = f32::from(bytes.byte()) / 256.0;
    let bounded = bytes.limit.is_some();
    let mut scalars = |n: usize| (0..n).map(|_| bytes.scalar()).collect::<Vec<_>>();
    let weights = scalars(n);
    let (all, wrong_grads) = ([scalars(n), scalars(n), scalars(n)], scalars(wrong[0]));

    let (mut w1, mut w2, mut w3) = (weights.clone(), weights.clone(), weights.clone());
    let (mut velocity, mut m, mut v) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let sgd = Sgd {
        learning_rate: rate,
    };
    let momentum = Momentum {
        learning_rate: rate,
        momentum: 0.9,
    };
    let mut adam = Adam {
        weight_decay: 0.01,
        ..Adam::new(rate)
    };
    for grads in &all {
        let refused = grads.iter().position(|g| !(g * g).is_finite());
        let expected = refused.map_or(Ok(()), |index| Err(TrainingError::Gradient { index }));
        let all = |scalars: [&[f32]; 6]| scalars.concat().iter().map(|s| s.to_bits()).collect();
        let before: Vec<u32> = all([&w1, &w2, &w3, &velocity, &m, &v]);
        let counted = adam;
        assert_eq!(sgd.update(&mut w1, grads), expected);
        assert_eq!(momentum.update(&mut w2, grads, &mut velocity), expected);
        assert_eq!(adam.update(&mut w3, grads, &mut m, &mut v), expected);
        // What an optimizer remembers is always finite.
        assert!(
            [&velocity, &m, &v]
                .into_iter()
                .flatten()
                .all(|s| s.is_finite())
        );
        if refused.is_some() {
            assert_eq!(before, all([&w1, &w2, &w3, &velocity, &m, &v]));
            assert_eq!(adam, counted);
        }
    }
    if bounded {
        let scalars = [w1, w2, w3, velocity.clone(), m.clone(), v.clone()].concat();
        assert!(scalars.iter().all(|s| s.is_finite()), "{scalars:?}");
    }

    let mut w = weights.clone();
    let (mut m, mut v) = (vec![1.0; wrong[1]], vec![2.0; wrong[2]]);
    let before = adam;
    let result = adam.update(&mut w, &wrong_grads, &mut m, &mut v);
    let right = wrong == [n; 3] && wrong_grads.iter().all(|g| (g * g).is_finite());
    assert_eq!(result.is_ok(), right);
    if !right {
        let bits = |w: &[f32]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&w), bits(&weights));
        assert!(m.iter().all(|m| *m == 1.0) && v.iter().all(|v| *v == 2.0) && adam == before);
    }

    let [mut g1, mut g2, _] = all;
    let before = [g1.clone(), g2.clone()].concat();
    let first = before.iter().position(|g| !g.is_finite());
    match clip_by_global_norm(&mut [&mut g1, &mut g2], 1.0) {
        Ok(norm) => {
            assert!(first.is_none() && norm >= 0.0 && (norm.is_finite() || !bounded));
            let after = clip_by_global_norm(&mut [&mut g1, &mut g2], f32::INFINITY).unwrap();
            // 16 entries at most: the (n + 8)·ε/2 of the documentation.
            assert!(after <= 1.0 + 12.0 * f32::EPSILON, "{norm} {after}");
        }
        Err(error) => {
            let index = first.unwrap();
            assert_eq!(error, TrainingError::Gradient { index });
            let bits = |g: &[f32]| g.iter().map(|g| g.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&[g1, g2].concat()), bits(&before));
        }
    }
    let bad = clip_by_global_norm(&mut [&mut [1.0_f32]], -rate - 1.0);
    assert_eq!(bad, Err(TrainingError::Setting { what: "max_norm" }));

    // Any p, and a mask of two numbers.
    let p = bytes.scalar();
    let mut mask = Matrix::<A, M>::zeros();
    let filled = dropout::fill(&mut mask, p, || f32::from(bytes.byte()) / 256.0);
    assert_eq!(filled.is_ok(), (0.0..=1.0).contains(&p));
    let kept = if p == 1.0 { 0.0 } else { 1.0 / (1.0 - p) };
    assert!(mask.as_flat().iter().all(|r| *r == 0.0 || *r == kept));
}

#[cfg(test)]
mod tests {
    /// `check` on `runs` strings of random bytes, most of them long enough for all numbers.
    fn random(runs: u32, longest: usize, check: fn(&[u8])) {
        let mut state = 1_u64; // splitmix64
        let mut next = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        };
        for _ in 0..runs {
            let len = longest
                - if next() % 4 == 0 {
                    next() as usize % longest
                } else {
                    0
                };
            let bytes: Vec<u8> = (0..len.div_ceil(8))
                .flat_map(|_| next().to_le_bytes())
                .collect();
            check(&bytes[..len]);
        }
    }

    #[test]
    fn views() {
        random(20_000, 1100, super::views);
    }

    #[test]
    fn layouts() {
        random(20_000, 8000, super::layouts);
    }

    #[test]
    fn lstm() {
        random(20_000, 1200, super::lstm);
    }

    #[test]
    fn gru_after() {
        random(20_000, 1000, super::gru_after);
    }

    #[test]
    fn gru_before() {
        random(20_000, 1000, super::gru_before);
    }

    #[test]
    fn rnn() {
        random(20_000, 600, super::rnn);
    }

    #[test]
    fn relu() {
        random(20_000, 600, super::relu);
    }

    #[test]
    fn losses() {
        random(20_000, 400, super::losses);
    }

    #[test]
    fn optimizers() {
        random(20_000, 200, super::optimizers);
    }

    #[test]
    fn quantized() {
        random(40_000, 6000, super::quantized);
    }
}
