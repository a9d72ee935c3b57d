//! Bad input: what is wrong is an error value and nothing is written, what is only unusual has the documented result, and
//! nothing panics.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/random.rs"]
mod random;

use std::fmt::Debug;

use bptt::loss::{self, Reduction};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{
    Affine, Cell, Flat, LengthMismatch, Matrix, Real, TrainingError, dense, dropout, gru, rnn,
};
use cells::{Plain, garbage, garbage_for};
use random::Random;

const X: usize = 2;
const A: usize = 3;
const M: usize = 2;
const Y: usize = 2;

/// The number of steps that is right, and the lengths that are wrong.
const T: usize = 3;
const WRONG: [usize; 4] = [0, 2, 4, 7];

fn mismatch(what: &'static str, expected: usize, found: usize) -> LengthMismatch {
    LengthMismatch {
        what,
        expected,
        found,
    }
}

/// Calls `call` with the lengths of some slices, of which first none and then each in turn is wrong.
///
/// `call` returns what the function returned, and whether everything that it can write is as before.
fn each_wrong<const N: usize>(
    names: [&'static str; N],
    mut call: impl FnMut([usize; N]) -> (Result<(), LengthMismatch>, bool),
) {
    let (result, unchanged) = call([T; N]);
    assert_eq!(result, Ok(()));
    assert!(!unchanged, "{names:?}: the right lengths do nothing");
    for (i, name) in names.into_iter().enumerate() {
        for wrong in WRONG {
            let mut lengths = [T; N];
            lengths[i] = wrong;
            let (result, unchanged) = call(lengths);
            assert_eq!(result, Err(mismatch(name, T, wrong)));
            assert!(unchanged, "{name} of length {wrong}: something was written");
        }
    }
    // The first in the order of the arguments is the one that is reported.
    let (result, unchanged) = call([T + 1; N]);
    assert_eq!(result, Err(mismatch(names[0], T, T + 1)));
    assert!(unchanged);
}

// -------------------------------------------------------------------------------- wrong lengths

fn cell_lengths_of<C: Cell<X, A>>() {
    let random = &mut Random::new(1);
    let cell: C = random.flat(0.5);
    let x = random.sequence::<X, M, C::Scalar>(T, 1.0);
    let init: C::State<M> = random.flat(1.0);
    let caches = |n: usize, random: &mut Random| -> Vec<C::Cache<M>> {
        (0..n).map(|_| random.flat(1.0)).collect()
    };

    each_wrong(["a", "caches"], |[a, n]| {
        let before = (random.sequence::<A, M, _>(a, 1.0), caches(n, random));
        let mut now = before.clone();
        let result = cell.forward(&x, &init, &mut now.0, &mut now.1).map(drop);
        (result, now == before)
    });
    each_wrong(["da", "dx"], |[da, dx]| {
        let (mut a, mut caches) = (random.sequence(T, 1.0), caches(T, random));
        let da = random.sequence::<A, M, _>(da, 1.0);
        let dx = random.sequence::<X, M, _>(dx, 1.0);
        let _ = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
        let before = (caches, random.flat::<C>(1.0), dx, random.flat(1.0));
        let mut now = before.clone();
        let (caches, grads, dx, state) = (&mut now.0, &mut now.1, Some(&mut *now.2), &mut now.3);
        let tape = cell.forward(&x, &init, &mut a, caches).unwrap();
        let result = tape.backward(&da, grads, dx, state);
        (result, now == before)
    });
    each_wrong(["da"], |[da]| {
        let (mut a, mut caches) = (random.sequence(T, 1.0), caches(T, random));
        let da = random.sequence::<A, M, _>(da, 1.0);
        let _ = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
        let before = (caches, random.flat::<C>(1.0), random.flat(1.0));
        let mut now = before.clone();
        let tape = cell.forward(&x, &init, &mut a, &mut now.0).unwrap();
        let result = tape.backward(&da, &mut now.1, None, &mut now.2);
        (result, now == before)
    });
}

#[test]
fn cell_lengths() {
    cell_lengths_of::<rnn::Params<X, A>>();
    cell_lengths_of::<rnn::Relu<X, A>>();
    cell_lengths_of::<lstm::Params<X, A>>();
    cell_lengths_of::<gru::ResetAfter<X, A>>();
    cell_lengths_of::<gru::ResetBefore<X, A>>();
}

#[test]
fn dense_lengths() {
    let random = &mut Random::new(3);
    let params: dense::Params<A, Y> = random.flat(0.5);
    let a = random.sequence::<A, M, f32>(T, 1.0);

    each_wrong(["y"], |[n]| {
        let before = random.sequence::<Y, M, f32>(n, 1.0);
        let mut y = before.clone();
        let result = dense::sequence_forward(&params, &a, &mut y);
        (result, y == before)
    });
    each_wrong(["dy", "da"], |[dy, da]| {
        let dy = random.sequence::<Y, M, f32>(dy, 1.0);
        let grads: dense::Params<A, Y> = random.flat(1.0);
        let before = (grads, random.sequence::<A, M, f32>(da, 1.0));
        let mut now = before.clone();
        let result = dense::sequence_backward(&params, &a, &dy, &mut now.0, &mut now.1);
        (result, now == before)
    });
}

/// The length that was wrong.
#[track_caller]
fn length(error: TrainingError) -> LengthMismatch {
    match error {
        TrainingError::Length(error) => error,
        error => panic!("{error}"),
    }
}

#[test]
fn loss_lengths_and_classes() {
    let random = &mut Random::new(4);
    let z = random.sequence::<Y, M, f32>(T, 1.0);
    let reduction = Reduction::Mean;

    each_wrong(["target", "weights", "dz"], |[target, weights, dz]| {
        let weights = vec![[1.0; M]; weights];
        let target = random.sequence::<Y, M, f32>(target, 1.0);
        let before = random.sequence::<Y, M, f32>(dz, 1.0);
        let mut dz = before.clone();
        let out = Some(&mut dz[..]);
        let result = loss::softmax_cross_entropy(&z, &target, Some(&weights), reduction, out);
        (result.map(drop), dz == before)
    });
    each_wrong(["target", "weights", "dy"], |[target, weights, dy]| {
        let weights = vec![[1.0; M]; weights];
        let target = random.sequence::<Y, M, f32>(target, 1.0);
        let before = random.sequence::<Y, M, f32>(dy, 1.0);
        let mut dy = before.clone();
        let out = Some(&mut dy[..]);
        let result = loss::squared_error(&z, &target, Some(&weights), reduction, out);
        (result.map(drop), dy == before)
    });
    each_wrong(["classes", "weights", "dz"], |[classes, weights, dz]| {
        let weights = vec![[1.0; M]; weights];
        let classes = vec![[1; M]; classes];
        let before = random.sequence::<Y, M, f32>(dz, 1.0);
        let mut dz = before.clone();
        let out = Some(&mut dz[..]);
        let result =
            loss::softmax_cross_entropy_classes(&z, &classes, Some(&weights), reduction, out);
        (result.map(drop).map_err(length), dz == before)
    });

    // A class without an output, wherever it stands.
    for class in [Y, Y + 1, usize::MAX] {
        for t in 0..T {
            for m in 0..M {
                let mut classes = vec![[Y - 1; M]; T];
                classes[t][m] = class;
                let before = random.sequence::<Y, M, f32>(T, 1.0);
                let mut dz = before.clone();
                let expected = Err(TrainingError::Class { class, classes: Y });
                let mut run = |weights: Option<&[[f32; M]]>| {
                    let dz = Some(&mut dz[..]);
                    loss::softmax_cross_entropy_classes(&z, &classes, weights, reduction, dz)
                };
                assert_eq!(run(None), expected);
                assert_eq!(run(Some(&[[1.0; M]; T])), expected);
                // Ignored, it may be any; and no other is taken for it.
                let mut weights = [[1.0; M]; T];
                weights[t][m] = 0.0;
                let mut others = [[0.0; M]; T];
                others[t][m] = 1.0;
                assert_eq!(run(Some(&others)), expected);
                assert!(run(Some(&weights)).is_ok());
                let evaluated =
                    loss::softmax_cross_entropy_classes(&z, &classes, None, reduction, None);
                assert_eq!(evaluated, expected);
            }
        }
    }
}

#[test]
fn optimizer_lengths() {
    let random = &mut Random::new(5);
    let mut vector = |n: usize| {
        let mut vector = vec![0.0_f32; n];
        random.fill(&mut vector, 1.0);
        vector
    };
    each_wrong(["grads"], |[grads]| {
        let before = vector(T);
        let mut weights = before.clone();
        let result = Sgd { learning_rate: 0.1 }.update(&mut weights, &vector(grads));
        (result.map_err(length), weights == before)
    });
    each_wrong(["grads", "velocity"], |[grads, velocity]| {
        let before = (vector(T), vector(velocity));
        let mut now = before.clone();
        let momentum = Momentum {
            learning_rate: 0.1,
            momentum: 0.9,
        };
        let result = momentum.update(&mut now.0, &vector(grads), &mut now.1);
        (result.map_err(length), now == before)
    });
    each_wrong(["grads", "m", "v"], |[grads, m, v]| {
        let v: Vec<_> = vector(v).iter().map(|v| v.abs()).collect();
        let before = (Adam::new(0.1), vector(T), vector(m), v);
        let mut now = before.clone();
        let result = now
            .0
            .update(&mut now.1, &vector(grads), &mut now.2, &mut now.3);
        (result.map_err(length), now == before) // the count of updates included
    });
}

fn flat_lengths_of<F: Flat>() {
    let good = F::LEN;
    for wrong in [0, 1, good - 1, good + 1, 2 * good, 3 * good + 1] {
        if wrong == good {
            continue; // 1 where LEN is 1
        }
        let mut flat = vec![F::Scalar::ZERO; wrong];
        let expected = Some(mismatch("flat", good, wrong));
        assert_eq!(F::from_flat(&flat).err(), expected);
        assert_eq!(F::from_flat_mut(&mut flat).err(), expected);
        let expected = mismatch("flat", wrong / good * good, wrong);
        let result = F::slice_from_flat(&flat).map(|sequence| sequence.len());
        let result_mut = F::slice_from_flat_mut(&mut flat).map(|sequence| sequence.len());
        if wrong % good == 0 {
            assert_eq!((result, result_mut), (Ok(wrong / good), Ok(wrong / good)));
        } else {
            assert_eq!((result, result_mut), (Err(expected), Err(expected)));
        }
    }
}

#[test]
fn flat_lengths() {
    flat_lengths_of::<Matrix<1, 1, f64>>();
    flat_lengths_of::<Matrix<3, 4>>();
    flat_lengths_of::<Affine<2, 3>>();
    flat_lengths_of::<lstm::Params<2, 3, f64>>();
    flat_lengths_of::<State<3, 2>>();
    flat_lengths_of::<Cache<3, 2, f64>>();
    flat_lengths_of::<rnn::Relu<2, 3>>();
    flat_lengths_of::<gru::ResetAfter<2, 3>>();
    flat_lengths_of::<gru::ResetBefore<2, 3, f64>>();
    flat_lengths_of::<gru::Cache<3, 2>>();
    flat_lengths_of::<dense::Params<3, 2>>();
}

// -------------------------------------------------------------------------------- empty sequences

fn no_steps_of<C: Cell<X, A>>(random: &mut Random) {
    let cell: C = random.flat(1.0);
    let state: C::State<M> = random.flat(1.0);
    let before: C = random.flat(1.0);
    let mut grads = C::ZEROS;
    grads.as_flat_mut().copy_from_slice(before.as_flat());
    let (mut now, mut last) = (state.clone(), random.flat(1.0));
    for dx in [None, Some(&mut [][..])] {
        let tape = cell.forward(&[], &state, &mut [], &mut []).unwrap();
        tape.last(&mut last);
        tape.backward(&[], &mut grads, dx, &mut now).unwrap();
    }
    assert_eq!((&now, &last, &grads), (&state, &state, &before));
}

#[test]
fn no_steps() {
    let random = &mut Random::new(6);
    no_steps_of::<rnn::Params<X, A>>(random);
    no_steps_of::<rnn::Relu<X, A>>(random);
    no_steps_of::<lstm::Params<X, A>>(random);
    no_steps_of::<gru::ResetAfter<X, A>>(random);
    no_steps_of::<gru::ResetBefore<X, A>>(random);

    let params: dense::Params<A, Y> = random.flat(1.0);
    let before: dense::Params<A, Y> = random.flat(1.0);
    let mut grads = before.clone();
    dense::sequence_forward::<A, Y, M, f32>(&params, &[], &mut []).unwrap();
    dense::sequence_backward::<A, Y, M, f32>(&params, &[], &[], &mut grads, &mut []).unwrap();
    assert_eq!(grads, before);

    // The mean of nothing is 0 here, not NaN.
    for reduction in [Reduction::Sum, Reduction::Mean] {
        let none: &[Matrix<Y, M>] = &[];
        assert_eq!(
            loss::softmax_cross_entropy(none, none, None, reduction, Some(&mut [])),
            Ok(0.0)
        );
        assert_eq!(
            loss::softmax_cross_entropy_classes(none, &[], Some(&[]), reduction, Some(&mut [])),
            Ok(0.0)
        );
        assert_eq!(
            loss::squared_error(none, none, Some(&[]), reduction, None),
            Ok(0.0)
        );
    }

    let none: &mut [f32] = &mut [];
    assert_eq!(Sgd { learning_rate: 0.1 }.update(none, &[]), Ok(()));
    let momentum = Momentum {
        learning_rate: 0.1,
        momentum: 0.9,
    };
    assert_eq!(momentum.update(none, &[], &mut []), Ok(()));
    assert_eq!(Adam::new(0.1).update(none, &[], &mut [], &mut []), Ok(()));
    assert_eq!(clip_by_global_norm::<f32>(&mut [], 1.0), Ok(0.0));
    assert_eq!(
        clip_by_global_norm::<f32>(&mut [&mut [], &mut []], 1.0),
        Ok(0.0)
    );
}

// ---------------------------------------------------------------------- NaN, infinity, saturation

/// A cell with one input and one unit, all of whose gates are z = x.
fn unit<C: Plain<1, 1>>() -> C {
    let mut cell = C::ZEROS;
    for gate in cell.as_flat_mut().chunks_exact_mut(3) {
        gate[1] = C::Scalar::ONE; // between Wa and b
    }
    cell
}

fn scalar<T: Real>(x: T) -> Matrix<1, 1, T> {
    Matrix::from_rows([[x]])
}

fn numbers<F: Flat>(value: &F) -> Vec<f64> {
    value.as_flat().iter().map(|x| x.to_f64()).collect()
}

/// x = ∞, and then −∞: what the cache begins with, and the output.
fn infinite_input_of<C: Plain<1, 1>>(prev: &[f64], expected: [(&[f64], f64); 2]) {
    let cell: C = unit();
    let mut state = C::State::<1>::ZEROS;
    for (state, &prev) in state.as_flat_mut().iter_mut().zip(prev) {
        *state = C::Scalar::from_f64(prev);
    }
    let infinity = C::Scalar::INFINITY;
    for (x, (kept, a)) in [infinity, -infinity].map(scalar).iter().zip(expected) {
        let (mut next, mut cache) = (garbage(), garbage::<C::Cache<1>>());
        cell.cell_forward(x, &state, &mut next, &mut cache);
        assert_eq!(numbers(&cache)[..kept.len()], *kept, "{}", C::NAME);
        let found = next.as_flat()[0];
        assert_eq!(found, C::Scalar::from_f64(a), "{}", C::NAME);

        // 0·∞ is NaN: a weight of 0 does not hide an infinite input.
        C::ZEROS.step(x, &state, &mut next);
        assert!(next.as_flat()[0].to_f64().is_nan(), "{}", C::NAME);

        // Backward, saturated: nothing comes through, but dWx = 0·∞ is NaN by the same rule.
        cell.step(x, &state, &mut next);
        let (mut dstate, mut grads) = (C::State::ZEROS, C::ZEROS);
        dstate.as_flat_mut().fill(C::Scalar::ONE);
        let dx = cell.cell_backward(x, [&state, &next], &mut cache, &mut dstate, &mut grads);
        if a == f64::INFINITY {
            continue; // ReLU is not saturated there.
        }
        assert_eq!(dx, scalar(C::Scalar::ZERO), "{}", C::NAME);
        for gate in numbers(&grads).chunks_exact(3) {
            assert!(gate[1].is_nan() && gate[2] == 0.0, "{}: {gate:?}", C::NAME);
        }
    }
}

/// Infinite pre-activations: the gates are exactly 0, 1 or ±1.
fn infinite_input<T: Real>() {
    let a = bptt::activation::tanh(T::from_f64(1.25)).to_f64();
    infinite_input_of::<lstm::Params<1, 1, T>>(
        &[0.0, 0.25],
        [
            (&[1.0, 1.0, 1.0, 1.0, 1.25], a),
            (&[0.0, 0.0, -1.0, 0.0, 0.0], 0.0),
        ],
    );
    infinite_input_of::<rnn::Params<1, 1, T>>(&[0.0], [(&[], 1.0), (&[], -1.0)]);
    infinite_input_of::<rnn::Relu<1, 1, T>>(&[0.0], [(&[], f64::INFINITY), (&[], 0.0)]);
    infinite_input_of::<gru::ResetAfter<1, 1, T>>(
        &[0.25],
        [
            (&[1.0, 1.0, 1.0, 0.0], 0.25),
            (&[0.0, 0.0, -1.0, 0.0], -1.0),
        ],
    );
    infinite_input_of::<gru::ResetBefore<1, 1, T>>(
        &[0.25],
        [
            (&[1.0, 1.0, 1.0, 0.25], 0.25),
            (&[0.0, 0.0, -1.0, 0.0], -1.0),
        ],
    );
}

/// Pre-activations of ±1e30: everything that comes out is finite, forward and backward; of the matrices of a cache, the first
/// `gates` are within ±1 and those of `sigmoids` not negative; outputs are within ±1 where they are `bounded`.
fn saturated_of<C: Plain<X, A>>(gates: usize, sigmoids: &[usize], bounded: bool) {
    const STEPS: usize = 3;
    let (zero, one) = (C::Scalar::ZERO, C::Scalar::ONE);
    for size in [1e2, 1e4, 1e30] {
        let random = &mut Random::new(7);
        let mut cell: C = random.flat(1.0);
        for gate in cell.as_flat_mut().chunks_mut(Affine::<X, A>::LEN) {
            let biases = gate.len() - A;
            random.fill(&mut gate[biases..], size);
        }
        let x = random.sequence::<X, M, C::Scalar>(STEPS, 1.0);
        let init: C::State<M> = random.flat(1.0);
        let da = random.sequence::<A, M, C::Scalar>(STEPS, 1.0);
        let (mut a, mut caches) = (garbage_for(STEPS), garbage_for(STEPS));
        let _ = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
        let finite = |values: &[C::Scalar]| values.iter().all(|v| v.is_finite());
        assert!(finite(Flat::slice_as_flat(&a)), "{}", C::NAME);
        assert!(finite(Flat::slice_as_flat(&caches)), "{}", C::NAME);
        let outputs = Flat::slice_as_flat(&a).iter();
        assert!(
            !bounded || outputs.clone().all(|a| a.abs() <= one),
            "{}",
            C::NAME
        );
        for cache in &caches {
            for (i, gate) in cache.as_flat().chunks(A * M).take(gates).enumerate() {
                let least = if sigmoids.contains(&i) { zero } else { -one };
                let in_range = |g: &C::Scalar| *g >= least && *g <= one;
                assert!(gate.iter().all(in_range), "{}: gate {i}", C::NAME);
            }
        }
        let (mut grads, mut dx) = (C::ZEROS, garbage_for(STEPS));
        let mut dstate: C::State<M> = random.flat(1.0);
        let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
        tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)
            .unwrap();
        assert!(finite(grads.as_flat()), "{}", C::NAME);
        assert!(finite(Flat::slice_as_flat(&caches)), "{}", C::NAME);
        assert!(finite(Flat::slice_as_flat(&dx)), "{}", C::NAME);
        assert!(finite(dstate.as_flat()), "{}", C::NAME);
        if size == 1e30 && bounded {
            // Every unit is saturated, and no gradient passes.
            assert!(grads.as_flat().iter().all(|g| *g == zero), "{}", C::NAME);
        }
    }
}

fn saturated<T: Real>() {
    saturated_of::<lstm::Params<X, A, T>>(4, &[0, 1, 3], true);
    saturated_of::<rnn::Params<X, A, T>>(0, &[], true);
    saturated_of::<rnn::Relu<X, A, T>>(0, &[], false);
    saturated_of::<gru::ResetAfter<X, A, T>>(3, &[0, 1], true);
    saturated_of::<gru::ResetBefore<X, A, T>>(3, &[0, 1], true);
}

#[test]
fn infinite_and_saturated_gates() {
    infinite_input::<f32>();
    infinite_input::<f64>();
    saturated::<f32>();
    saturated::<f64>();
}

fn nan_is_kept_by<C: Plain<1, 1, Scalar = f32>>() {
    let mut next = C::State::<1>::ZEROS;
    unit::<C>().step(&scalar(f32::NAN), &C::State::ZEROS, &mut next);
    assert!(next.as_flat().iter().all(|x| x.is_nan()), "{}", C::NAME);
}

/// NaN in, NaN out: in the activations, in `step`, in the output layer.
#[test]
fn nan_is_kept() {
    let nan = f32::NAN;
    assert!(bptt::activation::exp(nan).is_nan());
    assert!(bptt::activation::sigmoid(nan).is_nan());
    assert!(bptt::activation::tanh(nan).is_nan());
    assert!(bptt::activation::exp(f64::NAN).is_nan());
    assert!(bptt::activation::sigmoid(f64::NAN).is_nan());
    assert!(bptt::activation::tanh(f64::NAN).is_nan());

    nan_is_kept_by::<lstm::Params<1, 1>>();
    nan_is_kept_by::<rnn::Params<1, 1>>();
    nan_is_kept_by::<rnn::Relu<1, 1>>();
    nan_is_kept_by::<gru::ResetAfter<1, 1>>();
    nan_is_kept_by::<gru::ResetBefore<1, 1>>();

    let params = dense::Params::<2, 2>::zeros(); // 0·NaN is NaN
    let mut y = Matrix::<2, 2>::zeros();
    let a = Matrix::from_rows([[nan, 1.0], [1.0, 1.0]]);
    dense::forward(&params, &a, &mut y);
    assert!(y[(0, 0)].is_nan() && y[(1, 0)].is_nan());
    assert_eq!((y[(0, 1)], y[(1, 1)]), (0.0, 0.0));

    let (target, mut dy) = (Matrix::zeros(), [Matrix::zeros()]);
    let value = loss::squared_error(&[y], &[target], None, Reduction::Mean, Some(&mut dy)).unwrap();
    assert!(value.is_nan() && dy[0][(0, 0)].is_nan());
    assert_eq!(dy[0][(0, 1)], 0.0);
}

// ---------------------------------------------------------------------------- softmax and losses

/// Softmax of one sample.
fn softmax<const Y: usize, T: Real>(z: [T; Y]) -> [T; Y] {
    let mut z = Matrix::<Y, 1, T>::from_columns([z]);
    dense::softmax(&mut z);
    z.columns()[0]
}

/// Cross-entropy of one sample against a class, and the gradient. Against the same class as probabilities it must be the same.
fn cross_entropy<const Y: usize, T: Real>(z: [T; Y], class: usize) -> (T, [T; Y]) {
    let z = [Matrix::<Y, 1, T>::from_columns([z])];
    let (mut dz, mut dz_p) = ([Matrix::zeros()], [Matrix::zeros()]);
    let value =
        loss::softmax_cross_entropy_classes(&z, &[[class]], None, Reduction::Sum, Some(&mut dz))
            .unwrap();
    let mut p = [Matrix::zeros()];
    p[0][(class, 0)] = T::ONE;
    let value_p =
        loss::softmax_cross_entropy(&z, &p, None, Reduction::Sum, Some(&mut dz_p)).unwrap();
    let nan = |x: T| x.to_f64().is_nan();
    assert!(value == value_p || nan(value) && nan(value_p));
    for (d, d_p) in dz[0].as_flat().iter().zip(dz_p[0].as_flat()) {
        assert!(d == d_p || nan(*d) && nan(*d_p));
    }
    (value, dz[0].columns()[0])
}

fn extreme_logits<T: Real>() {
    let [zero, one, half] = [0.0, 1.0, 0.5].map(T::from_f64);
    let (huge, inf) = (T::from_f64(1e30), T::INFINITY);

    assert_eq!(softmax([huge, -huge, zero]), [one, zero, zero]);
    assert_eq!(softmax([huge, huge]), [half, half]);
    assert_eq!(softmax([-huge, -huge]), [half, half]);
    assert_eq!(softmax([zero, -inf]), [one, zero]);
    assert_eq!(softmax([-huge, -inf]), [one, zero]);
    assert_eq!(softmax([huge]), [one]);

    // The loss is as large as the logits say, and the gradient is exact.
    assert_eq!(cross_entropy([huge, -huge], 0), (zero, [zero, zero]));
    assert_eq!(cross_entropy([huge, zero], 1), (huge, [one, -one]));
    assert_eq!(cross_entropy([zero, -inf], 0), (zero, [zero, zero]));
    assert_eq!(cross_entropy([zero, -inf], 1), (inf, [one, -one]));
    assert_eq!(cross_entropy([-huge], 0), (zero, [zero]));

    // +∞, NaN, or nothing but −∞: NaN, in this sample alone.
    for bad in [inf, T::from_f64(f64::NAN)] {
        for place in 0..3 {
            for others in [zero, -inf] {
                let mut z = [others; 3];
                z[place] = bad;
                assert!(softmax(z).iter().all(|y| y.to_f64().is_nan()));
                for class in 0..3 {
                    let (value, dz) = cross_entropy(z, class);
                    assert!(value.to_f64().is_nan());
                    assert!(dz.iter().all(|dz| dz.to_f64().is_nan()));
                }
            }
        }
    }
    assert!(softmax([-inf, -inf]).iter().all(|y| y.to_f64().is_nan()));
    let mut z = Matrix::<2, 2, T>::from_columns([[inf, zero], [zero, zero]]);
    dense::softmax(&mut z);
    assert_eq!(z.columns()[1], [half, half]);
    let z = [Matrix::<2, 2, T>::from_columns([[inf, zero], [zero, zero]])];
    let mut dz = [Matrix::zeros()];
    loss::softmax_cross_entropy_classes(&z, &[[0, 1]], None, Reduction::Sum, Some(&mut dz))
        .unwrap();
    assert_eq!(dz[0].columns()[1], [half, -half]);
}

#[test]
fn logits_that_are_huge_or_not_finite() {
    extreme_logits::<f32>();
    extreme_logits::<f64>();
}

/// A loss far below the rounding error of 1 is not rounded to 0: ln(1 + Σ exp(z_j − z_max)), against the same in f64 of
/// differences small enough that ln(1 + x) = x − x²/2.
fn loss_near_zero<T: Real>(epsilon: f64, differences: &[f64]) {
    for &difference in differences {
        let exact = |others: f64| {
            let x = others * (-difference).exp();
            x - x * x / 2.0
        };
        let z = T::from_f64(difference);
        let check = |value: T, others: f64| {
            let (value, exact) = (value.to_f64(), exact(others));
            // exp of a difference d that is exact in T is right within a few roundings.
            assert!(
                (value - exact).abs() <= 8.0 * epsilon * exact,
                "{difference}: {value:e} is not {exact:e}"
            );
        };
        check(cross_entropy([z, T::ZERO], 0).0, 1.0);
        check(cross_entropy([T::ZERO, z], 1).0, 1.0);
        check(cross_entropy([T::ZERO, z, T::ZERO, T::ZERO], 1).0, 3.0);
    }
}

#[test]
fn losses_near_zero() {
    loss_near_zero::<f32>(f32::EPSILON.into(), &[12.0, 20.0, 50.0, 80.0]);
    loss_near_zero::<f64>(f64::EPSILON, &[20.0, 50.0, 80.0, 600.0]);
    let (value, _) = cross_entropy([50.0_f32, 0.0], 0);
    assert!((value - 1.93e-22).abs() < 0.01e-22);
}

/// Where a probability is 0 the term is 0, whatever the logit.
#[test]
fn probability_zero() {
    let z = [Matrix::<2, 1>::from_columns([[0.0, f32::NEG_INFINITY]])];
    let p = [Matrix::from_columns([[1.0, 0.0]])];
    let mut dz = [Matrix::zeros()];
    let value = loss::softmax_cross_entropy(&z, &p, None, Reduction::Mean, Some(&mut dz));
    assert_eq!(value, Ok(0.0));
    assert_eq!(dz[0].columns()[0], [0.0, 0.0]);
}

/// But logits that have no softmax are told of even where all probabilities are 0.
#[test]
fn all_probabilities_zero() {
    let [nan, inf] = [f32::NAN, f32::INFINITY];
    for (z, value) in [
        ([0.0, 3.0], 0.0),
        ([0.0, -inf], 0.0),
        ([nan, 0.0], nan),
        ([0.0, nan], nan),
        ([inf, 0.0], nan),
        ([-inf, -inf], nan),
    ] {
        let z = [Matrix::<2, 1>::from_columns([z])];
        let (p, mut dz) = ([Matrix::zeros()], [Matrix::zeros()]);
        for reduction in [Reduction::Sum, Reduction::Mean] {
            let evaluated = loss::softmax_cross_entropy(&z, &p, None, reduction, None).unwrap();
            let out = Some(&mut dz[..]);
            let found = loss::softmax_cross_entropy(&z, &p, None, reduction, out).unwrap();
            for found in [evaluated, found].into_iter().chain(dz[0].columns()[0]) {
                assert!(
                    found == value || found.is_nan() && value.is_nan(),
                    "{z:?}: {found}"
                );
            }
        }
    }
}

// ------------------------------------------------------------------------------------- clipping

#[test]
fn clipping_of_what_is_not_finite() {
    for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        for place in 0..4 {
            let mut grads = [3.0, -4.0, 0.0, 1e30];
            grads[place] = bad;
            let before = grads.map(f32::to_bits);
            let (first, second) = grads.split_at_mut(2);
            let result = clip_by_global_norm(&mut [first, second], 1.0);
            assert_eq!(result, Err(TrainingError::Gradient { index: place }));
            assert_eq!(grads.map(f32::to_bits), before, "nothing is changed");
        }
    }
    // Of several the first.
    let result = clip_by_global_norm(&mut [&mut [0.0, f32::INFINITY], &mut [f32::NAN]], 1.0);
    assert_eq!(result, Err(TrainingError::Gradient { index: 1 }));
}

#[test]
fn clipping_to_what_is_no_norm() {
    for max_norm in [-1.0, -1e-45, -f32::INFINITY, f32::NAN] {
        for grads in [[3.0, -4.0], [0.0, -0.0]] {
            let mut now = grads;
            let result = clip_by_global_norm(&mut [&mut now], max_norm);
            assert_eq!(result, Err(TrainingError::Setting { what: "max_norm" }));
            assert_eq!(now.map(f32::to_bits), grads.map(f32::to_bits));
        }
    }
    for (max_norm, after) in [
        (0.0, [0.0, 0.0]),
        (-0.0, [0.0, 0.0]),
        (f32::INFINITY, [3.0, -4.0]),
    ] {
        let mut now = [3.0, -4.0];
        assert_eq!(clip_by_global_norm(&mut [&mut now], max_norm), Ok(5.0));
        assert_eq!(now, after);
    }
}

// ------------------------------------------------------------------------------------- optimizers

/// A weight vector, and every optimizer with what it remembers.
#[derive(Clone, PartialEq, Debug)]
struct Run<T: Real> {
    sgd: Sgd<T>,
    momentum: Momentum<T>,
    adam: Adam<T>,
    weights: [Vec<T>; 3],
    velocity: Vec<T>,
    moments: [Vec<T>; 2],
}

impl<T: Real> Run<T> {
    fn new(n: usize) -> Self {
        let learning_rate = T::from_f64(0.125);
        Run {
            sgd: Sgd { learning_rate },
            momentum: Momentum {
                learning_rate,
                momentum: T::from_f64(0.5),
            },
            adam: Adam::new(learning_rate),
            weights: [(); 3].map(|()| vec![T::ONE; n]),
            velocity: vec![T::ZERO; n],
            moments: [(); 2].map(|()| vec![T::ZERO; n]),
        }
    }

    /// One update by each.
    fn update(&mut self, grads: &[T]) -> [Result<(), TrainingError>; 3] {
        let [w1, w2, w3] = &mut self.weights;
        let [m, v] = &mut self.moments;
        [
            self.sgd.update(w1, grads),
            self.momentum.update(w2, grads, &mut self.velocity),
            self.adam.update(w3, grads, m, v),
        ]
    }

    fn finite(&self) -> bool {
        let [m, v] = &self.moments;
        let all = self.weights.iter().chain([&self.velocity, m, v]);
        all.flatten().all(|s| s.is_finite())
    }
}

/// `root` is the greatest number whose square is finite, `above` the next one.
fn refused_gradients<T: Real>(root: f64, above: f64) {
    let nan = T::from_f64(f64::NAN);
    let above = T::from_f64(above);
    // Whole vectors of every instruction set, and rests of all lengths.
    for n in 1..70 {
        let mut run = Run::<T>::new(n);
        assert_eq!(run.update(&vec![T::ONE; n]), [Ok(()); 3]);
        let before = run.clone();
        for bad in [nan, T::INFINITY, -T::INFINITY, above, -above] {
            for place in [0, n / 2, n - 1] {
                let mut grads = vec![T::ONE; n];
                grads[place] = bad;
                grads[n - 1] = bad; // the first is named
                let expected = Err(TrainingError::Gradient { index: place });
                assert_eq!(run.update(&grads), [expected; 3], "{bad} at {place} of {n}");
                assert!(run == before, "nothing is updated, Adam's count included");
            }
        }
    }
    // The greatest that are let through, for ever: nothing overflows, and the weight still learns afterwards.
    for beta2 in [0.0, 0.5, 0.999, 1.0 - 1e-6] {
        let mut run = Run::<T>::new(2);
        run.adam.beta2 = T::from_f64(beta2);
        for _ in 0..20_000 {
            let grads = [root, -root].map(T::from_f64);
            assert_eq!(run.update(&grads), [Ok(()); 3]);
            assert!(run.finite(), "{run:?}");
        }
    }
    let mut run = Run::<T>::new(1);
    assert_eq!(run.update(&[T::from_f64(root)]), [Ok(()); 3]);
    let before = run.weights[2][0];
    for _ in 0..200_000 {
        assert_eq!(run.update(&[T::ONE])[2], Ok(()));
    }
    assert!(run.weights[2][0] < before, "frozen at {before}");
}

#[test]
fn gradients_that_are_not_finite() {
    refused_gradients::<f32>(18446742974197923840.0, 18446744073709551616.0); // 2⁶⁴·(1 − 2⁻²⁴), 2⁶⁴
    let root = f64::from_bits(f64::MAX.sqrt().to_bits() - 1);
    refused_gradients::<f64>(root, 1.3407807929942597e154); // 2⁵¹²
}

/// The optimizer number `of` says that `what` is wrong after `change`, and has changed nothing.
#[track_caller]
fn refused_setting<T: Real>(of: usize, what: &'static str, change: impl Fn(&mut Run<T>)) {
    let mut run = Run::new(3);
    change(&mut run);
    let before = run.clone();
    let result = run.update(&[T::ONE, T::ZERO, T::ONE])[of];
    assert_eq!(result, Err(TrainingError::Setting { what }));
    assert_eq!(run.weights[of], before.weights[of]);
    if of == 1 {
        assert_eq!(run.velocity, before.velocity);
    }
    if of == 2 {
        let count = |run: &Run<T>| [run.adam.beta1_power, run.adam.beta2_power];
        assert_eq!(
            (&run.moments, count(&run)),
            (&before.moments, count(&before))
        );
    }
}

fn refused_settings<T: Real>() {
    let [zero, one] = [T::ZERO, T::ONE];
    let (nan, inf) = (T::from_f64(f64::NAN), T::INFINITY);
    for x in [nan, inf, -inf] {
        refused_setting::<T>(0, "learning_rate", |run| run.sgd.learning_rate = x);
        refused_setting::<T>(1, "learning_rate", |run| run.momentum.learning_rate = x);
        refused_setting::<T>(2, "learning_rate", |run| run.adam.learning_rate = x);
        refused_setting::<T>(1, "momentum", |run| run.momentum.momentum = x);
        refused_setting::<T>(2, "weight_decay", |run| run.adam.weight_decay = x);
    }
    for x in [nan, inf, -inf, -one, one, one + one] {
        refused_setting::<T>(2, "beta1", |run| run.adam.beta1 = x);
        refused_setting::<T>(2, "beta2", |run| run.adam.beta2 = x);
    }
    for x in [nan, inf, -inf, -one, zero] {
        refused_setting::<T>(2, "epsilon", |run| run.adam.epsilon = x);
    }

    // At the borders of what is allowed: numbers, and a weight without a gradient stays where it is.
    let smallest = T::from_f64(if size_of::<T>() == 4 { 1e-45 } else { 5e-324 });
    let greatest_below_1 = one - T::from_f64(if size_of::<T>() == 4 { 6e-8 } else { 1.2e-16 });
    assert!(greatest_below_1 < one && smallest > zero);
    for beta in [zero, greatest_below_1] {
        let mut run = Run::new(2);
        (run.adam.beta1, run.adam.beta2, run.adam.epsilon) = (beta, beta, smallest);
        for _ in 0..100 {
            assert_eq!(run.update(&[one, zero]), [Ok(()); 3]);
            assert!(run.finite());
        }
        assert!(run.weights[2][0] < one && run.weights[2][1] == one);
    }
}

#[test]
fn settings_that_give_no_number() {
    refused_settings::<f32>();
    refused_settings::<f64>();
}

// ---------------------------------------------------------------------------------------- dropout

#[test]
fn probabilities_that_are_none() {
    for p in [
        -1e-30,
        1.000_000_1,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ] {
        let mut mask = Matrix::<2, 2>::from_rows([[7.0; 2]; 2]);
        let result = dropout::fill(&mut mask, p, || panic!("nothing is drawn"));
        assert_eq!(result, Err(TrainingError::Setting { what: "p" }));
        assert_eq!(mask, Matrix::from_rows([[7.0; 2]; 2]));
    }
}
