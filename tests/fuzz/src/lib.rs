//! What must hold for any bytes: no panic, the bits of the arithmetic contract, no NaN from finite
//! numbers whose products do not overflow, an error and nothing written where a length is wrong.
//!
//! Every function takes bytes and makes numbers of them. The first byte chooses which: all bit
//! patterns, NaN and infinities among them, or finite numbers below a bound, subnormals and signed
//! zeros among them.

#[path = "../../common/contract.rs"]
mod contract;

use std::slice;

use bptt::layout::{keras, onnx, pytorch, textbook};
use bptt::loss::{self, Reduction};
use bptt::lstm::{Cache, Params, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Affine, Flat, LengthMismatch, Matrix, checkpoint, dense, lengths};

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

    fn flat<F: Flat<Scalar = f32> + Default>(&mut self) -> F {
        let mut flat = F::default();
        flat.as_flat_mut().fill_with(|| self.scalar());
        flat
    }

    fn sequence<F: Flat<Scalar = f32> + Default>(&mut self, len: usize) -> Vec<F> {
        (0..len).map(|_| self.flat()).collect()
    }
}

/// The bits, all NaN being one.
fn bits<F: Flat<Scalar = f32>>(values: &[F]) -> Vec<u32> {
    let scalars = F::slice_as_flat(values).iter();
    scalars
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
    assert_eq!(bits(found), bits(expected));
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
    let mut back = P::default();
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
fn le_bytes<P: Flat<Scalar = f32> + Default + Clone>(bytes: &mut Bytes) {
    let params: P = bytes.flat();
    let right = 4 * P::LEN;
    let mut file = vec![0; right];
    params.to_le_bytes(&mut file).unwrap();
    for (found, scalar) in file.chunks(4).zip(params.as_flat()) {
        assert_eq!(found, scalar.to_le_bytes());
    }
    let mut back = P::default();
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

// ------------------------------------------------------------------------------------------- LSTM

/// An LSTM forward and backward against the contract, with recomputation, with lengths, with wrong
/// lengths.
pub fn lstm(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 8);
    let (steps, k) = (bytes.below(4), 1 + bytes.below(4));
    let ends = [bytes.below(steps + 1), bytes.below(steps + 1)];
    let wrong = [
        bytes.length(steps),
        bytes.length(steps),
        bytes.length(steps),
    ];
    let params: Params<X, A> = bytes.flat();
    let (init, dstate): (State<A, M>, State<A, M>) = (bytes.flat(), bytes.flat());
    let x: Vec<Matrix<X, M>> = bytes.sequence(steps);
    let da: Vec<Matrix<A, M>> = bytes.sequence(steps);

    // Forward, and step by step.
    let mut a = vec![Matrix::zeros(); steps];
    let mut caches = vec![Cache::zeros(); steps];
    bptt::lstm::forward(&params, &x, &init, &mut a, &mut caches).unwrap();
    let (mut state, mut next) = (init.clone(), State::zeros());
    for t in 0..steps {
        let (a_t, cache) = contract::lstm_forward(&params, &x[t], &state.a, &state.c);
        same(&a[t..=t], &[a_t]);
        same(&caches[t..=t], &[cache]);
        bptt::lstm::step(&params, &x[t], &state, &mut next);
        same_one(&a[t], &next.a);
        core::mem::swap(&mut state, &mut next);
    }

    // Backward.
    let mut dz = caches.clone();
    let mut dx = vec![Matrix::zeros(); steps];
    let (mut grads, mut d) = (Params::zeros(), dstate.clone());
    let out = Some(&mut dx[..]);
    bptt::lstm::backward(
        &params, &x, &init, &a, &mut dz, &da, &mut grads, out, &mut d,
    )
    .unwrap();
    let mut expected = (caches.clone(), Params::zeros(), dstate.clone());
    for t in (0..steps).rev() {
        let (a_prev, c_prev) = match t {
            0 => (&init.a, &init.c),
            t => (&a[t - 1], &caches[t - 1].c),
        };
        let (cache, grads, d) = (&mut expected.0[t], &mut expected.1, &mut expected.2);
        let dx_t = contract::lstm_backward(&params, &x[t], a_prev, c_prev, cache, &da[t], d, grads);
        same(&dx[t..=t], &[dx_t]);
    }
    same(&dz, &expected.0);
    same_one(&grads, &expected.1);
    same_one(&d, &expected.2);
    if bytes.limit.is_some() {
        finite(&a);
        finite(&dz);
        finite(&dx);
        finite(slice::from_ref(&grads));
        finite(slice::from_ref(&d));
    }

    // With recomputation.
    let mut states = vec![State::zeros(); steps.div_ceil(k)];
    let (mut a_k, mut caches_k) = (vec![Matrix::zeros(); k], vec![Cache::zeros(); k]);
    let mut da_k = vec![Matrix::zeros(); k];
    checkpoint::lstm_forward(&params, &x, &init, &mut states, &mut a_k, &mut caches_k).unwrap();
    let (mut grads_k, mut d_k) = (Params::zeros(), dstate.clone());
    checkpoint::lstm_backward(
        &params,
        &x,
        &init,
        &states,
        &mut a_k,
        &mut caches_k,
        &mut da_k,
        |t, _, segment| segment.clone_from_slice(&da[t..t + segment.len()]),
        &mut grads_k,
        None,
        &mut d_k,
    )
    .unwrap();
    same_one(&grads_k, &grads);
    same_one(&d_k, &d);

    // With lengths: what is in da beyond them is not looked at.
    let mut last = State::zeros();
    lengths::lstm_last(&ends, &init, &a, &caches, &mut last).unwrap();
    let run = |mut da: Vec<Matrix<A, M>>| {
        let (mut grads, mut d) = (Params::zeros(), dstate.clone());
        let (mut dz, mut dx) = (caches.clone(), vec![Matrix::zeros(); steps]);
        let mut scratch = [State::zeros(), State::zeros()];
        lengths::lstm_backward(
            &params,
            &ends,
            &x,
            &init,
            &a,
            &mut dz,
            &mut da,
            &mut grads,
            Some(&mut dx),
            &mut d,
            &mut scratch,
        )
        .unwrap();
        (grads, d, dx)
    };
    let mut other = da.clone();
    for (t, da) in other.iter_mut().enumerate() {
        for m in (0..M).filter(|&m| t >= ends[m]) {
            da.column_mut(m).unwrap().fill(f32::INFINITY);
        }
    }
    let (found, expected) = (run(other), run(da.clone()));
    same_one(&found.0, &expected.0);
    same_one(&found.1, &expected.1);
    same(&found.2, &expected.2);
    if bytes.limit.is_some() {
        finite(slice::from_ref(&expected.0));
    }

    // Wrong lengths: an error, and nothing is written.
    let before = [caches.clone(), vec![Cache::zeros(); 8]].concat();
    let mut now = before.clone();
    let mut a_wrong = vec![Matrix::zeros(); wrong[0]];
    let result = bptt::lstm::forward(&params, &x, &init, &mut a_wrong, &mut now[..wrong[1]]);
    let right = wrong[0] == steps && wrong[1] == steps;
    assert_eq!(result.is_ok(), right);
    if !right {
        same(&now, &before);
        same(&a_wrong, &vec![Matrix::zeros(); wrong[0]]);
    }
    let (mut grads, mut d) = (Params::zeros(), dstate.clone());
    let mut now = before.clone();
    let da_wrong = vec![Matrix::zeros(); wrong[2]];
    let caches_wrong = &mut now[..wrong[1]];
    let (g, d_) = (&mut grads, &mut d);
    let result = bptt::lstm::backward(&params, &x, &init, &a, caches_wrong, &da_wrong, g, None, d_);
    let right = wrong[1] == steps && wrong[2] == steps;
    assert_eq!(result.is_ok(), right);
    if !right {
        same(&now, &before);
        same_one(&grads, &Params::zeros());
        same_one(&d, &dstate);
    }
}

// -------------------------------------------------------------------------------------------- RNN

/// An RNN forward and backward against the contract, with recomputation, with lengths.
pub fn rnn(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 8);
    let (steps, k) = (bytes.below(4), 1 + bytes.below(4));
    let ends = [bytes.below(steps + 1), bytes.below(steps + 1)];
    let params: Affine<X, A> = bytes.flat();
    let (a0, da_state): (Matrix<A, M>, Matrix<A, M>) = (bytes.flat(), bytes.flat());
    let x: Vec<Matrix<X, M>> = bytes.sequence(steps);
    let da: Vec<Matrix<A, M>> = bytes.sequence(steps);

    let mut a = vec![Matrix::zeros(); steps];
    bptt::rnn::forward(&params, &x, &a0, &mut a).unwrap();
    for t in 0..steps {
        let a_prev = if t == 0 { &a0 } else { &a[t - 1] };
        same(&a[t..=t], &[contract::rnn_forward(&params, &x[t], a_prev)]);
    }

    let (mut dz, mut dx) = (da.clone(), vec![Matrix::zeros(); steps]);
    let (mut grads, mut d) = (Affine::zeros(), da_state.clone());
    let out = Some(&mut dx[..]);
    bptt::rnn::backward(&params, &x, &a0, &a, &mut dz, &mut grads, out, &mut d).unwrap();
    let mut expected = (da.clone(), Affine::zeros(), da_state.clone());
    for t in (0..steps).rev() {
        let a_prev = if t == 0 { &a0 } else { &a[t - 1] };
        let (dz, grads, d) = (&mut expected.0[t], &mut expected.1, &mut expected.2);
        let dx_t = contract::rnn_backward(&params, &x[t], a_prev, &a[t], dz, d, grads);
        same(&dx[t..=t], &[dx_t]);
    }
    same(&dz, &expected.0);
    same_one(&grads, &expected.1);
    same_one(&d, &expected.2);
    if bytes.limit.is_some() {
        finite(&a);
        finite(&dz);
        finite(&dx);
        finite(slice::from_ref(&grads));
        finite(slice::from_ref(&d));
    }

    let mut states = vec![Matrix::zeros(); steps.div_ceil(k)];
    let (mut a_k, mut da_k) = (vec![Matrix::zeros(); k], vec![Matrix::zeros(); k]);
    checkpoint::rnn_forward(&params, &x, &a0, &mut states, &mut a_k).unwrap();
    let (mut grads_k, mut d_k) = (Affine::zeros(), da_state.clone());
    checkpoint::rnn_backward(
        &params,
        &x,
        &a0,
        &states,
        &mut a_k,
        &mut da_k,
        |t, _, segment| segment.clone_from_slice(&da[t..t + segment.len()]),
        &mut grads_k,
        None,
        &mut d_k,
    )
    .unwrap();
    same_one(&grads_k, &grads);
    same_one(&d_k, &d);

    let mut last = Matrix::zeros();
    lengths::rnn_last(&ends, &a0, &a, &mut last).unwrap();
    let (mut grads, mut d, mut dz) = (Affine::zeros(), da_state, da);
    let mut scratch = Matrix::zeros();
    let (g, d) = (&mut grads, &mut d);
    lengths::rnn_backward(
        &params,
        &ends,
        &x,
        &a0,
        &a,
        &mut dz,
        g,
        None,
        d,
        &mut scratch,
    )
    .unwrap();
    if bytes.limit.is_some() {
        finite(&dz);
        finite(slice::from_ref(&grads));
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

    let mut dz = vec![Matrix::zeros(); steps];
    let value = loss::softmax_cross_entropy(&y, &p, reduction, &mut dz).unwrap();
    if bounded {
        finite(&dp);
        finite(&dz);
        assert!(value >= 0.0 && value.is_finite(), "{value}");
    }
    let bad = classes.as_flattened().iter().any(|&class| class >= Y);
    let mut dz = vec![Matrix::zeros(); steps];
    match loss::softmax_cross_entropy_classes(&y, &classes, reduction, &mut dz) {
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
    let value = loss::squared_error(&a, &da.clone(), reduction, &mut da).unwrap();
    assert!(!bounded || value >= 0.0 && value.is_finite(), "{value}");

    let mut dz = vec![Matrix::zeros(); wrong];
    let result = loss::squared_error(&y, &target, reduction, &mut dz);
    assert_eq!(result.is_ok(), wrong == steps);
    if wrong != steps {
        same(&dz, &vec![Matrix::zeros(); wrong]);
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
        sgd.update(&mut w1, grads).unwrap();
        momentum.update(&mut w2, grads, &mut velocity).unwrap();
        adam.update(&mut w3, grads, &mut m, &mut v).unwrap();
    }
    if bounded {
        let scalars = [w1, w2, w3, velocity.clone(), m.clone(), v.clone()].concat();
        assert!(scalars.iter().all(|s| s.is_finite()), "{scalars:?}");
    }

    let mut w = weights.clone();
    let (mut m, mut v) = (vec![1.0; wrong[1]], vec![2.0; wrong[2]]);
    let before = adam;
    let result = adam.update(&mut w, &wrong_grads, &mut m, &mut v);
    let right = wrong == [n; 3];
    assert_eq!(result.is_ok(), right);
    if !right {
        let bits = |w: &[f32]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&w), bits(&weights));
        assert!(m.iter().all(|m| *m == 1.0) && v.iter().all(|v| *v == 2.0) && adam == before);
    }

    let [mut g1, mut g2, _] = all;
    let norm = clip_by_global_norm(&mut [&mut g1, &mut g2], 1.0);
    assert!(!bounded || norm.is_finite() && norm >= 0.0);
    if norm.is_finite() {
        let after = clip_by_global_norm(&mut [&mut g1, &mut g2], f32::MAX);
        assert!(after <= 1.0 + 1e-5 && after.is_finite(), "{norm} {after}");
    }
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
    fn rnn() {
        random(20_000, 600, super::rnn);
    }

    #[test]
    fn losses() {
        random(20_000, 400, super::losses);
    }

    #[test]
    fn optimizers() {
        random(20_000, 200, super::optimizers);
    }
}
