//! What is carried from step to step and from update to update is zero or normal: after silence no state is subnormal, behind a loss far away no
//! gradient of a state, without gradients no moment. What does not decay is left as it is,
//! and around the smallest normal number all bits are those of the contract.

#[path = "common/contract.rs"]
mod contract;
use contract::Nonlinearity;
#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum};
use bptt::{Cell, Flat, Matrix, Real, rnn};
use random::Random;

/// Not zero, and less than the smallest normal number of its type.
fn is_subnormal<T: Real>(x: T) -> bool {
    x != T::ZERO && x.to_f64().abs() < smallest_normal::<T>()
}

fn smallest_normal<T: Real>() -> f64 {
    match size_of::<T>() {
        4 => f32::MIN_POSITIVE.into(),
        _ => f64::MIN_POSITIVE,
    }
}

fn subnormals<F: Flat>(flat: &[F]) -> usize {
    let scalars = F::slice_as_flat(flat).iter();
    scalars.filter(|x| is_subnormal(**x)).count()
}

fn is_positive_zero<T: Real>(x: &T) -> bool {
    x.to_f64().to_bits() == 0
}

/// A cell whose state decays when x is zero: its forget gate keeps σ(1) of it.
fn decaying<const X: usize, const A: usize, T: Real>() -> lstm::Params<X, A, T> {
    let mut random = Random::new(1);
    let mut params: lstm::Params<X, A, T> = random.flat(1.0 / (A as f64).sqrt());
    for gate in [&mut params.f, &mut params.i, &mut params.g, &mut params.o] {
        gate.b.fill(T::ZERO);
    }
    params.f.b.fill(T::ONE);
    params
}

/// `step` and `forward` over noise, then silence, until the state is zero.
fn silence_ends_in_zeros<const A: usize, const M: usize, T: Real>() {
    let params = decaying::<2, A, T>();
    let mut x: Vec<Matrix<2, M, T>> = Random::new(2).sequence(20, 1.0);
    x.resize(8000, Matrix::zeros());

    let (mut state, mut next) = (State::<A, M, T>::zeros(), State::zeros());
    for x in &x {
        params.step(x, &state, &mut next);
        core::mem::swap(&mut state, &mut next);
        assert_eq!(subnormals(slice::from_ref(&state.c)), 0);
    }
    assert!(state.as_flat().iter().all(is_positive_zero), "{state:?}");

    let mut a = vec![Matrix::zeros(); x.len()];
    let mut caches = vec![Cache::zeros(); x.len()];
    let init = State::zeros();
    let _ = params.forward(&x, &init, &mut a, &mut caches).unwrap();
    assert!(
        caches
            .iter()
            .all(|cache| subnormals(slice::from_ref(&cache.c)) == 0)
    );
    assert!(a.last().unwrap().as_flat().iter().all(is_positive_zero));
    // It was not zero from the start.
    assert!(caches[30].c.as_flat().iter().all(|c| *c != T::ZERO));
}

#[test]
fn state_of_an_lstm_after_silence_is_zero() {
    silence_ends_in_zeros::<1, 1, f32>();
    silence_ends_in_zeros::<16, 1, f32>();
    silence_ends_in_zeros::<33, 1, f32>();
    silence_ends_in_zeros::<19, 9, f32>();
    silence_ends_in_zeros::<7, 2, f64>();
}

/// Units that keep 0.9 of themselves, with both signs.
fn decaying_rnn<const A: usize, T: Real>() -> rnn::Params<1, A, T> {
    let mut params = rnn::Params::<1, A, T>::zeros();
    for r in 0..A {
        params.wa[(r, r)] = T::from_f64(0.9);
        params.wx[(r, 0)] = T::from_f64(if r % 2 == 0 { 1.0 } else { -1.0 });
    }
    params
}

fn rnn_ends_in_zeros<const A: usize, const M: usize, T: Real>(steps: usize) {
    let params = decaying_rnn::<A, T>();
    let mut x = vec![Matrix::<1, M, T>::zeros(); steps];
    x[0].fill(T::ONE);
    let (init, mut a) = (Matrix::zeros(), vec![Matrix::<A, M, T>::zeros(); steps]);
    let mut dz = a.clone();
    let tape = params.forward(&x, &init, &mut a, &mut dz).unwrap();
    assert_eq!(subnormals(tape.a()), 0);
    assert!(tape.a()[steps - 1].as_flat().iter().all(is_positive_zero));

    // Back from the last step, where a is 0 and its derivative 1.
    let mut da = vec![Matrix::<A, M, T>::zeros(); steps];
    da[steps - 1].fill(-T::ONE);
    let (mut grads, mut dstate) = (rnn::Params::zeros(), Matrix::zeros());
    tape.backward(&da, &mut grads, None, &mut dstate).unwrap();
    assert_eq!(subnormals(&dz), 0);
    assert!(dstate.as_flat().iter().all(is_positive_zero));
    assert!(dz[steps - 20].as_flat().iter().all(|dz| *dz < T::ZERO));
}

#[test]
fn state_of_an_rnn_and_its_gradient_decay_to_zero() {
    rnn_ends_in_zeros::<1, 1, f32>(1100);
    rnn_ends_in_zeros::<37, 1, f32>(1100);
    rnn_ends_in_zeros::<19, 9, f32>(1100);
    rnn_ends_in_zeros::<5, 2, f64>(7500);
}

/// Behind a loss at the last of many steps the gradient of the state is zero, and not a subnormal number for ever.
fn gradient_ends_in_zeros<const A: usize, const M: usize, T: Real>(steps: usize) {
    let params = decaying::<2, A, T>();
    let x: Vec<Matrix<2, M, T>> = Random::new(3).sequence(steps, 1.0);
    let init = State::zeros();
    let mut a = vec![Matrix::<A, M, T>::zeros(); steps];
    let mut caches = vec![Cache::zeros(); steps];
    let tape = params.forward(&x, &init, &mut a, &mut caches).unwrap();
    let mut da = vec![Matrix::zeros(); steps];
    da[steps - 1].fill(T::ONE);
    let (mut grads, mut dstate) = (lstm::Params::zeros(), State::zeros());
    tape.backward(&da, &mut grads, None, &mut dstate).unwrap();
    let first = &caches[0];
    for dz in [&first.f, &first.i, &first.g, &first.o] {
        assert!(dz.as_flat().iter().all(|dz| *dz == T::ZERO), "{dz:?}");
    }
    assert!(dstate.as_flat().iter().all(|d| *d == T::ZERO), "{dstate:?}");
    assert_ne!(caches[steps - 30].f, Matrix::zeros());
}

#[test]
fn gradient_of_an_lstm_decays_to_zero() {
    gradient_ends_in_zeros::<1, 1, f32>(1500);
    gradient_ends_in_zeros::<16, 1, f32>(1500);
    gradient_ends_in_zeros::<33, 2, f32>(2500);
    gradient_ends_in_zeros::<7, 9, f64>(8000);
}

fn moments_end_in_zeros<T: Real>(updates: usize) {
    let start = [1.0, -1.0, 1e-3, -1e-30, 0.5].map(T::from_f64);
    let mut adam = Adam {
        beta2: T::from_f64(0.9), // As fast as the first moment: 0.999 takes 90,000 updates.
        ..Adam::new(T::from_f64(1e-3))
    };
    let (mut w, mut m, mut v) = ([T::ONE; 5], [T::ZERO; 5], [T::ZERO; 5]);
    let (mut w_momentum, mut velocity) = (w, m);
    let momentum = Momentum {
        learning_rate: T::from_f64(1e-3),
        momentum: T::from_f64(0.9),
    };
    for t in 0..updates {
        let grads = if t == 0 { start } else { [T::ZERO; 5] };
        adam.update(&mut w, &grads, &mut m, &mut v).unwrap();
        momentum
            .update(&mut w_momentum, &grads, &mut velocity)
            .unwrap();
        for moment in [&m, &v, &velocity] {
            assert!(!moment.iter().any(|m| is_subnormal(*m)), "{moment:?}");
        }
        if t == 20 {
            assert!(m[..3].iter().chain(&velocity).all(|m| *m != T::ZERO));
        }
    }
    assert!([m, v, velocity].as_flattened().iter().all(is_positive_zero));
}

#[test]
fn moments_without_gradients_become_zero() {
    moments_end_in_zeros::<f32>(1000);
    moments_end_in_zeros::<f64>(7500);
}

/// The smallest normal number stays, the greatest subnormal one becomes +0 whatever its sign.
fn limits<T: Real>(epsilon: f64) {
    let smallest = smallest_normal::<T>();
    let below = T::from_f64(smallest * (1.0 - epsilon)); // exact: subnormal numbers are as far apart
    assert!(is_subnormal(below));
    let smallest = T::from_f64(smallest);
    let zero = T::ZERO;
    let grads = [smallest, -smallest, below, -below, zero, -zero];
    let expected = [smallest, -smallest, zero, zero, zero, zero];
    // Each number of each lane, and in the rest behind the vectors.
    for shift in 0..grads.len() {
        let len = 6 * 8 + shift;
        let at = |of: &[T; 6], i: usize| of[(i + shift) % 6];
        let grads: Vec<T> = (0..len).map(|i| at(&grads, i)).collect();
        let (mut w, mut velocity) = (vec![zero; len], vec![zero; len]);
        let sgd = Momentum {
            learning_rate: zero,
            momentum: zero,
        };
        sgd.update(&mut w, &grads, &mut velocity).unwrap();
        for (i, v) in velocity.iter().enumerate() {
            let (v, expected) = (v.to_f64(), at(&expected, i).to_f64());
            assert_eq!(
                v.to_bits(),
                expected.to_bits(),
                "{v:e} in the place of {expected:e}"
            );
        }
    }
}

#[test]
fn nothing_but_subnormal_numbers_becomes_zero() {
    limits::<f32>(f32::EPSILON.into());
    limits::<f64>(f64::EPSILON);
}

/// All bits are the same; of a NaN only that it is one.
#[track_caller]
fn assert_same_bits<F: Flat>(found: &F, expected: &F) {
    for (f, e) in found.as_flat().iter().zip(expected.as_flat()) {
        let (f, e) = (f.to_f64(), e.to_f64());
        let same = f.to_bits() == e.to_bits() || f.is_nan() && e.is_nan();
        assert!(same, "{f:e} is not {e:e}");
    }
}

/// A step forward and backward whose states and gradients lie around the smallest normal number, and one unit whose output gate is NaN.
fn contract_holds<const A: usize, const M: usize, T: Real>() {
    let (mut random, tiny) = (Random::new(4), 8.0 * smallest_normal::<T>());
    let mut params = decaying::<2, A, T>();
    let x = Matrix::zeros();
    let prev: State<A, M, T> = random.flat(tiny);
    let da: Matrix<A, M, T> = random.flat(tiny);

    params.o.b[(0, 0)] = T::from_f64(f64::NAN);
    let (mut next, mut stepped, mut cache) = (State::zeros(), State::zeros(), Cache::zeros());
    lstm::cell_forward(&params, &x, &prev, &mut next, &mut cache);
    params.step(&x, &prev, &mut stepped);
    let (a, expected) = contract::lstm_forward(&params, &x, &prev.a, &prev.c);
    assert_same_bits(&cache, &expected);
    assert_same_bits(
        &next,
        &State {
            a: a.clone(),
            c: expected.c.clone(),
        },
    );
    assert_same_bits(&stepped, &next);

    params.o.b[(0, 0)] = T::ZERO;
    lstm::cell_forward(&params, &x, &prev, &mut next, &mut cache);
    let mut expected = cache.clone();
    let (mut dstate, mut grads, mut dx) = (State::zeros(), lstm::Params::zeros(), Matrix::zeros());
    dstate.a = da.clone();
    dstate.c = random.flat(tiny);
    let (mut expected_dstate, mut expected_grads) = (State::zeros(), lstm::Params::zeros());
    expected_dstate.c = dstate.c.clone();
    lstm::cell_backward(
        &params,
        &x,
        &prev,
        &mut cache,
        &mut dstate,
        &mut grads,
        &mut dx,
    );
    contract::lstm_backward(
        &params,
        &x,
        &prev.a,
        &prev.c,
        &mut expected,
        &da,
        &mut expected_dstate,
        &mut expected_grads,
    );
    assert_same_bits(&cache, &expected);
    assert_same_bits(&dstate, &expected_dstate);
    assert_same_bits(&grads, &expected_grads);

    let (params, mut a) = (random.flat(1.0), Matrix::zeros());
    rnn::cell_forward(&params, &x, &prev.a, &mut a);
    assert_same_bits(
        &a,
        &contract::rnn_forward(Nonlinearity::Tanh, &params, &x, &prev.a),
    );
    let (mut dz, mut dstate, mut grads) = (Matrix::zeros(), da.clone(), rnn::Params::zeros());
    let (mut expected_dz, mut expected_da, mut expected) =
        (da, Matrix::zeros(), rnn::Params::zeros());
    rnn::cell_backward(
        &params,
        &x,
        &prev.a,
        &a,
        &mut dz,
        &mut dstate,
        &mut grads,
        &mut dx,
    );
    contract::rnn_backward(
        Nonlinearity::Tanh,
        &params,
        &x,
        &prev.a,
        &a,
        &mut expected_dz,
        &mut expected_da,
        &mut expected,
    );
    assert_same_bits(&dz, &expected_dz);
    assert_same_bits(&dstate, &expected_da);
    assert_same_bits(&grads, &expected);
}

#[test]
fn bits_around_the_smallest_normal_number_are_those_of_the_contract() {
    contract_holds::<1, 1, f32>();
    contract_holds::<7, 1, f32>();
    contract_holds::<16, 3, f32>();
    contract_holds::<33, 1, f32>();
    contract_holds::<70, 1, f32>();
    contract_holds::<150, 2, f32>();
    contract_holds::<37, 9, f32>();
    contract_holds::<3, 1, f64>();
    contract_holds::<33, 2, f64>();
    contract_holds::<19, 9, f64>();
}
