//! Bad input: what is wrong is an error value and nothing is written, what is only unusual has the documented result, and
//! nothing panics.

#[path = "common/random.rs"]
mod random;

use bptt::loss::{self, Reduction, TargetError};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Affine, Flat, LengthMismatch, Matrix, Real, dense, rnn};
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

#[test]
fn rnn_lengths() {
    let random = &mut Random::new(1);
    let params: rnn::Params<X, A> = random.flat(0.5);
    let x = random.sequence::<X, M, f32>(T, 1.0);
    let a0: Matrix<A, M> = random.flat(1.0);

    each_wrong(["a"], |[n]| {
        let before = random.sequence::<A, M, f32>(n, 1.0);
        let mut a = before.clone();
        let result = rnn::forward(&params, &x, &a0, &mut a);
        (result, a == before)
    });
    each_wrong(["a", "da", "dx"], |[a, da, dx]| {
        let a = random.sequence::<A, M, f32>(a, 1.0);
        let da = random.sequence::<A, M, f32>(da, 1.0);
        let dx = random.sequence::<X, M, f32>(dx, 1.0);
        let grads: rnn::Params<X, A> = random.flat(1.0);
        let state: Matrix<A, M> = random.flat(1.0);
        let before = (da, grads, dx, state);
        let mut now = before.clone();
        let (da, grads, dx, state) = (&mut now.0, &mut now.1, Some(&mut *now.2), &mut now.3);
        let result = rnn::backward(&params, &x, &a0, &a, da, grads, dx, state);
        (result, now == before)
    });
    each_wrong(["a", "da"], |[a, da]| {
        let a = random.sequence::<A, M, f32>(a, 1.0);
        let da = random.sequence::<A, M, f32>(da, 1.0);
        let before = (da, random.flat(1.0), random.flat(1.0));
        let mut now = before.clone();
        let (da, grads, state) = (&mut now.0, &mut now.1, &mut now.2);
        let result = rnn::backward(&params, &x, &a0, &a, da, grads, None, state);
        (result, now == before)
    });
}

#[test]
fn lstm_lengths() {
    let random = &mut Random::new(2);
    let params: lstm::Params<X, A> = random.flat(0.5);
    let x = random.sequence::<X, M, f32>(T, 1.0);
    let init: State<A, M> = random.flat(1.0);
    let caches = |n: usize, random: &mut Random| -> Vec<Cache<A, M>> {
        (0..n).map(|_| random.flat(1.0)).collect()
    };

    each_wrong(["a", "caches"], |[a, n]| {
        let before = (random.sequence::<A, M, f32>(a, 1.0), caches(n, random));
        let mut now = before.clone();
        let result = lstm::forward(&params, &x, &init, &mut now.0, &mut now.1);
        (result, now == before)
    });
    each_wrong(["a", "caches", "da", "dx"], |[a, n, da, dx]| {
        let a = random.sequence::<A, M, f32>(a, 1.0);
        let da = random.sequence::<A, M, f32>(da, 1.0);
        let dx = random.sequence::<X, M, f32>(dx, 1.0);
        let grads: lstm::Params<X, A> = random.flat(1.0);
        let state: State<A, M> = random.flat(1.0);
        let before = (caches(n, random), grads, dx, state);
        let mut now = before.clone();
        let (caches, grads, dx, state) = (&mut now.0, &mut now.1, Some(&mut *now.2), &mut now.3);
        let result = lstm::backward(&params, &x, &init, &a, caches, &da, grads, dx, state);
        (result, now == before)
    });
    each_wrong(["a", "caches", "da"], |[a, n, da]| {
        let a = random.sequence::<A, M, f32>(a, 1.0);
        let da = random.sequence::<A, M, f32>(da, 1.0);
        let before = (caches(n, random), random.flat(1.0), random.flat(1.0));
        let mut now = before.clone();
        let (caches, grads, state) = (&mut now.0, &mut now.1, &mut now.2);
        let result = lstm::backward(&params, &x, &init, &a, caches, &da, grads, None, state);
        (result, now == before)
    });
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

#[test]
fn loss_lengths_and_classes() {
    let random = &mut Random::new(4);
    let z = random.sequence::<Y, M, f32>(T, 1.0);
    let reduction = Reduction::Mean;

    each_wrong(["target", "dz"], |[target, dz]| {
        let target = random.sequence::<Y, M, f32>(target, 1.0);
        let before = random.sequence::<Y, M, f32>(dz, 1.0);
        let mut dz = before.clone();
        let result = loss::softmax_cross_entropy(&z, &target, reduction, &mut dz);
        (result.map(drop), dz == before)
    });
    each_wrong(["target", "dy"], |[target, dy]| {
        let target = random.sequence::<Y, M, f32>(target, 1.0);
        let before = random.sequence::<Y, M, f32>(dy, 1.0);
        let mut dy = before.clone();
        let result = loss::squared_error(&z, &target, reduction, &mut dy);
        (result.map(drop), dy == before)
    });
    each_wrong(["classes", "dz"], |[classes, dz]| {
        let classes = vec![[1; M]; classes];
        let before = random.sequence::<Y, M, f32>(dz, 1.0);
        let mut dz = before.clone();
        let result = loss::softmax_cross_entropy_classes(&z, &classes, reduction, &mut dz);
        let result = result.map(drop).map_err(|error| match error {
            TargetError::Length(error) => error,
            TargetError::Class { .. } => panic!("{error}"),
        });
        (result, dz == before)
    });

    // A class without an output, wherever it stands.
    for class in [Y, Y + 1, usize::MAX] {
        for t in 0..T {
            for m in 0..M {
                let mut classes = vec![[Y - 1; M]; T];
                classes[t][m] = class;
                let before = random.sequence::<Y, M, f32>(T, 1.0);
                let mut dz = before.clone();
                let result = loss::softmax_cross_entropy_classes(&z, &classes, reduction, &mut dz);
                assert_eq!(result, Err(TargetError::Class { class, classes: Y }));
                assert_eq!(dz, before);
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
        (result, weights == before)
    });
    each_wrong(["grads", "velocity"], |[grads, velocity]| {
        let before = (vector(T), vector(velocity));
        let mut now = before.clone();
        let momentum = Momentum {
            learning_rate: 0.1,
            momentum: 0.9,
        };
        let result = momentum.update(&mut now.0, &vector(grads), &mut now.1);
        (result, now == before)
    });
    each_wrong(["grads", "m", "v"], |[grads, m, v]| {
        let v: Vec<_> = vector(v).iter().map(|v| v.abs()).collect();
        let before = (Adam::new(0.1), vector(T), vector(m), v);
        let mut now = before.clone();
        let result = now
            .0
            .update(&mut now.1, &vector(grads), &mut now.2, &mut now.3);
        (result, now == before) // the count of updates included
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
    flat_lengths_of::<dense::Params<3, 2>>();
}

// -------------------------------------------------------------------------------- empty sequences

#[test]
fn no_steps() {
    let random = &mut Random::new(6);
    let state: State<A, M> = random.flat(1.0);
    let mut now = state.clone();
    let params: rnn::Params<X, A> = random.flat(1.0);
    let before: rnn::Params<X, A> = random.flat(1.0);
    let mut rnn_grads = before.clone();
    rnn::forward::<X, A, M, f32>(&params, &[], &state.a, &mut []).unwrap();
    for dx in [None, Some(&mut [][..])] {
        rnn::backward(
            &params,
            &[],
            &state.a,
            &[],
            &mut [],
            &mut rnn_grads,
            dx,
            &mut now.a,
        )
        .unwrap();
    }
    assert_eq!((&now, &rnn_grads), (&state, &before));

    let params: lstm::Params<X, A> = random.flat(1.0);
    let before: lstm::Params<X, A> = random.flat(1.0);
    let mut grads = before.clone();
    lstm::forward::<X, A, M, f32>(&params, &[], &state, &mut [], &mut []).unwrap();
    for dx in [None, Some(&mut [][..])] {
        lstm::backward(
            &params,
            &[],
            &state,
            &[],
            &mut [],
            &[],
            &mut grads,
            dx,
            &mut now,
        )
        .unwrap();
    }
    assert_eq!((&now, &grads), (&state, &before));

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
            loss::softmax_cross_entropy(none, none, reduction, &mut []),
            Ok(0.0)
        );
        assert_eq!(
            loss::softmax_cross_entropy_classes(none, &[], reduction, &mut []),
            Ok(0.0)
        );
        assert_eq!(loss::squared_error(none, none, reduction, &mut []), Ok(0.0));
    }

    let none: &mut [f32] = &mut [];
    assert_eq!(Sgd { learning_rate: 0.1 }.update(none, &[]), Ok(()));
    let momentum = Momentum {
        learning_rate: 0.1,
        momentum: 0.9,
    };
    assert_eq!(momentum.update(none, &[], &mut []), Ok(()));
    assert_eq!(Adam::new(0.1).update(none, &[], &mut [], &mut []), Ok(()));
    assert_eq!(clip_by_global_norm::<f32>(&mut [], 1.0), 0.0);
    assert_eq!(
        clip_by_global_norm::<f32>(&mut [&mut [], &mut []], 1.0),
        0.0
    );
}

// ---------------------------------------------------------------------- NaN, infinity, saturation

/// A cell with one input and one unit, all of whose gates are z = b + x.
fn unit_lstm<T: Real>() -> lstm::Params<1, 1, T> {
    let mut params = lstm::Params::zeros();
    for gate in [&mut params.f, &mut params.i, &mut params.g, &mut params.o] {
        gate.wx.fill(T::ONE);
    }
    params
}

fn scalar<T: Real>(x: T) -> Matrix<1, 1, T> {
    Matrix::from_rows([[x]])
}

/// Infinite pre-activations: the gates are exactly 0, 1 or ±1.
fn infinite_input<T: Real>() {
    let params = unit_lstm::<T>();
    let prev = State {
        a: scalar(T::ZERO),
        c: scalar(T::from_f64(0.25)),
    };
    for (x, gate, candidate, c) in [
        (T::INFINITY, T::ONE, T::ONE, 1.25),
        (-T::INFINITY, T::ZERO, -T::ONE, 0.0),
    ] {
        let (mut next, mut cache) = (State::zeros(), Cache::zeros());
        lstm::cell_forward(&params, &scalar(x), &prev, &mut next, &mut cache);
        assert_eq!(cache.f, scalar(gate));
        assert_eq!(cache.i, scalar(gate));
        assert_eq!(cache.g, scalar(candidate));
        assert_eq!(cache.o, scalar(gate));
        assert_eq!(cache.c, scalar(T::from_f64(c)));

        let mut a = scalar(T::ZERO);
        rnn::cell_forward(&params.f, &scalar(x), &prev.a, &mut a);
        assert_eq!(a, scalar(candidate));

        // 0·∞ is NaN: a weight of 0 does not hide an infinite input.
        let zero = rnn::Params::zeros();
        rnn::cell_forward(&zero, &scalar(x), &prev.a, &mut a);
        assert!(a[(0, 0)].to_f64().is_nan());

        // Backward, saturated: nothing comes through, but dWx = 0·∞ is NaN by the same rule.
        let mut dstate = State {
            a: scalar(T::ONE),
            c: scalar(T::ONE),
        };
        let (mut grads, mut dx) = (lstm::Params::zeros(), scalar(T::ONE));
        lstm::cell_backward(
            &params,
            &scalar(x),
            &prev,
            &mut cache,
            &mut dstate,
            &mut grads,
            &mut dx,
        );
        assert_eq!(dx, scalar(T::ZERO));
        assert_eq!(grads.g.b, scalar(T::ZERO));
        assert!(grads.g.wx[(0, 0)].to_f64().is_nan());
    }
}

/// Pre-activations of ±1e30: everything that comes out is finite, forward and backward.
fn saturated<T: Real>() {
    const STEPS: usize = 3;
    for size in [1e2, 1e4, 1e30] {
        let random = &mut Random::new(7);
        let mut params: lstm::Params<X, A, T> = random.flat(1.0);
        for gate in [&mut params.f, &mut params.i, &mut params.g, &mut params.o] {
            random.fill(gate.b.as_flat_mut(), size);
        }
        let x = random.sequence::<X, M, T>(STEPS, 1.0);
        let init: State<A, M, T> = random.flat(1.0);
        let da = random.sequence::<A, M, T>(STEPS, 1.0);
        let (mut a, mut caches) = (vec![Matrix::zeros(); STEPS], vec![Cache::zeros(); STEPS]);
        lstm::forward(&params, &x, &init, &mut a, &mut caches).unwrap();
        let finite = |values: &[T]| values.iter().all(|v| v.is_finite());
        assert!(finite(Flat::slice_as_flat(&a)));
        assert!(finite(Flat::slice_as_flat(&caches)));
        for cache in &caches {
            let gates = [&cache.f, &cache.i, &cache.o];
            let in_range = |g: &T| *g >= T::ZERO && *g <= T::ONE;
            assert!(gates.iter().all(|g| g.as_flat().iter().all(in_range)));
            assert!(cache.g.as_flat().iter().all(|g| g.abs() <= T::ONE));
        }
        let (mut grads, mut dx) = (lstm::Params::zeros(), vec![Matrix::zeros(); STEPS]);
        let mut dstate: State<A, M, T> = random.flat(1.0);
        lstm::backward(
            &params,
            &x,
            &init,
            &a,
            &mut caches,
            &da,
            &mut grads,
            Some(&mut dx),
            &mut dstate,
        )
        .unwrap();
        assert!(finite(grads.as_flat()));
        assert!(finite(Flat::slice_as_flat(&caches)));
        assert!(finite(Flat::slice_as_flat(&dx)));
        assert!(finite(dstate.as_flat()));

        let (params, mut grads) = (&params.i, rnn::Params::zeros());
        rnn::forward(params, &x, &init.a, &mut a).unwrap();
        assert!(Matrix::slice_as_flat(&a).iter().all(|a| a.abs() <= T::ONE));
        let (mut dz, mut da0) = (da.clone(), init.a.clone());
        rnn::backward(
            params,
            &x,
            &init.a,
            &a,
            &mut dz,
            &mut grads,
            Some(&mut dx),
            &mut da0,
        )
        .unwrap();
        assert!(finite(grads.as_flat()));
        assert!(finite(Flat::slice_as_flat(&dz)));
        assert!(finite(Flat::slice_as_flat(&dx)));
        assert!(finite(da0.as_flat()));
        if size == 1e30 {
            // Every unit is saturated: ±1, and no gradient passes.
            assert!(Matrix::slice_as_flat(&a).iter().all(|a| a.abs() == T::ONE));
            assert!(grads.as_flat().iter().all(|g| *g == T::ZERO));
        }
    }
}

#[test]
fn infinite_and_saturated_gates() {
    infinite_input::<f32>();
    infinite_input::<f64>();
    saturated::<f32>();
    saturated::<f64>();
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

    let prev = State::zeros();
    let mut next = State::zeros();
    lstm::step(&unit_lstm(), &scalar(nan), &prev, &mut next);
    assert!(next.a[(0, 0)].is_nan() && next.c[(0, 0)].is_nan());

    let params = dense::Params::<2, 2>::zeros(); // 0·NaN is NaN
    let mut y = Matrix::<2, 2>::zeros();
    let a = Matrix::from_rows([[nan, 1.0], [1.0, 1.0]]);
    dense::forward(&params, &a, &mut y);
    assert!(y[(0, 0)].is_nan() && y[(1, 0)].is_nan());
    assert_eq!((y[(0, 1)], y[(1, 1)]), (0.0, 0.0));

    let (target, mut dy) = (Matrix::zeros(), [Matrix::zeros()]);
    let value = loss::squared_error(&[y], &[target], Reduction::Mean, &mut dy).unwrap();
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
        loss::softmax_cross_entropy_classes(&z, &[[class]], Reduction::Sum, &mut dz).unwrap();
    let mut p = [Matrix::zeros()];
    p[0][(class, 0)] = T::ONE;
    let value_p = loss::softmax_cross_entropy(&z, &p, Reduction::Sum, &mut dz_p).unwrap();
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
    loss::softmax_cross_entropy_classes(&z, &[[0, 1]], Reduction::Sum, &mut dz).unwrap();
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
    let value = loss::softmax_cross_entropy(&z, &p, Reduction::Mean, &mut dz);
    assert_eq!(value, Ok(0.0));
    assert_eq!(dz[0].columns()[0], [0.0, 0.0]);
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
            let norm = clip_by_global_norm(&mut [first, second], 1.0);
            assert!(norm.is_nan() == bad.is_nan() && !norm.is_finite() && norm != -f32::INFINITY);
            assert_eq!(grads.map(f32::to_bits), before, "nothing is changed");
        }
    }
    // Of several that are not finite, the norm is not finite either.
    let norm = clip_by_global_norm(&mut [&mut [f32::INFINITY], &mut [f32::NAN]], 1.0);
    assert!(!norm.is_finite());
}
