//! What is carried from step to step and from update to update is zero or normal: after silence no state is subnormal, behind a loss far away no
//! gradient of a state, without gradients no moment. What does not decay is left as it is,
//! and around the smallest normal number all bits are those of the contract.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/random.rs"]
mod random;

use bptt::optimizer::{Adam, Momentum};
use bptt::{Affine, Flat, Matrix, Real, gru, lstm, rnn};
use cells::{Plain, garbage};
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

fn has_subnormal<T: Real>(scalars: &[T]) -> bool {
    scalars.iter().any(|x| is_subnormal(*x))
}

fn is_positive_zero<T: Real>(x: &T) -> bool {
    x.to_f64().to_bits() == 0
}

/// A cell whose state decays when x is zero.
trait Decaying<const X: usize, const A: usize>: Plain<X, A> {
    fn decaying() -> Self;
}

/// Its forget gate keeps σ(1) of the state.
impl<const X: usize, const A: usize, T: Real> Decaying<X, A> for lstm::Params<X, A, T> {
    fn decaying() -> Self {
        let mut cell: Self = Random::new(1).flat(1.0 / (A as f64).sqrt());
        for gate in [&mut cell.f, &mut cell.i, &mut cell.g, &mut cell.o] {
            gate.b.fill(T::ZERO);
        }
        cell.f.b.fill(T::ONE);
        cell
    }
}

/// Their update gate keeps σ(1) of the state.
macro_rules! gru {
    ($cell:ident $(, $second_bias:ident)?) => {
        impl<const X: usize, const A: usize, T: Real> Decaying<X, A> for gru::$cell<X, A, T> {
            fn decaying() -> Self {
                let mut cell: Self = Random::new(1).flat(1.0 / (A as f64).sqrt());
                for b in [&mut cell.r.b, &mut cell.n.b $(, &mut cell.$second_bias)?] {
                    b.fill(T::ZERO);
                }
                cell.u.b.fill(T::ONE);
                cell
            }
        }
    };
}
gru!(ResetAfter, bna);
gru!(ResetBefore);

/// Units that keep 0.9 of themselves, with both signs.
impl<const X: usize, const A: usize, T: Real> Decaying<X, A> for rnn::Params<X, A, T> {
    fn decaying() -> Self {
        let mut cell = Self::zeros();
        for r in 0..A {
            cell.wa[(r, r)] = T::from_f64(0.9);
            cell.wx[(r, 0)] = T::from_f64(if r % 2 == 0 { 1.0 } else { -1.0 });
        }
        cell
    }
}

/// The same, all positive where x is.
impl<const X: usize, const A: usize, T: Real> Decaying<X, A> for rnn::Relu<X, A, T> {
    fn decaying() -> Self {
        let mut cell = Self::zeros();
        cell.0.wx.fill(T::ONE);
        (0..A).for_each(|r| cell.0.wa[(r, r)] = T::from_f64(0.9));
        cell
    }
}

/// `steps` inputs from 0 to `limit`.
fn noise<const M: usize, T: Real>(steps: usize, limit: f64) -> Vec<Matrix<2, M, T>> {
    let mut x: Vec<Matrix<2, M, T>> = Random::new(2).sequence(steps, limit);
    for x in Flat::slice_as_flat_mut(&mut x) {
        *x = x.abs();
    }
    x
}

/// `step` and `forward` over noise, then silence, until the state is zero.
fn silence_ends_in_zeros<C: Decaying<2, A>, const A: usize, const M: usize>() {
    let cell = C::decaying();
    let mut x = noise(20, 1.0);
    x.resize(8000, Matrix::zeros());
    // The last matrix of a state is the one that is carried on: c, where there is one.
    let carried = |state: &C::State<M>| state.as_flat()[C::State::<M>::LEN - A * M..].to_vec();

    let (mut state, mut next) = (C::State::<M>::ZEROS, garbage());
    for x in &x {
        cell.step(x, &state, &mut next);
        core::mem::swap(&mut state, &mut next);
        assert!(!has_subnormal(&carried(&state)));
    }
    assert!(state.as_flat().iter().all(is_positive_zero), "{state:?}");

    let mut a = vec![Matrix::zeros(); x.len()];
    let mut caches = vec![C::Cache::<M>::ZEROS; x.len()];
    let init = C::State::<M>::ZEROS;
    let _ = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let states = a.iter().zip(&caches);
    let states: Vec<_> = states.map(|(a, cache)| C::state_after(a, cache)).collect();
    assert!(!states.iter().any(|state| has_subnormal(&carried(state))));
    assert!(a.last().unwrap().as_flat().iter().all(is_positive_zero));
    // It was not zero from the start.
    assert!(carried(&states[30]).iter().all(|c| *c != C::Scalar::ZERO));
}

fn silence<const A: usize, const M: usize, T: Real>() {
    silence_ends_in_zeros::<lstm::Params<2, A, T>, A, M>();
    silence_ends_in_zeros::<rnn::Params<2, A, T>, A, M>();
    silence_ends_in_zeros::<rnn::Relu<2, A, T>, A, M>();
    silence_ends_in_zeros::<gru::ResetAfter<2, A, T>, A, M>();
    silence_ends_in_zeros::<gru::ResetBefore<2, A, T>, A, M>();
}

#[test]
fn state_after_silence_is_zero() {
    silence::<1, 1, f32>();
    silence::<16, 1, f32>();
    silence::<37, 1, f32>();
    silence::<19, 9, f32>();
    silence::<7, 2, f64>();
}

/// Behind a loss at the last of many steps the gradient of the state is zero, and not a subnormal number for ever.
fn gradient_ends_in_zeros<C: Decaying<2, A>, const A: usize, const M: usize>(
    steps: usize,
    limit: f64,
) {
    let cell = C::decaying();
    let x = noise(steps, limit);
    let init = C::State::<M>::ZEROS;
    let mut a = vec![Matrix::<A, M, C::Scalar>::zeros(); steps];
    let mut caches = vec![C::Cache::<M>::ZEROS; steps];
    let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let mut da = vec![Matrix::zeros(); steps];
    da[steps - 1].fill(C::Scalar::ONE);
    let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
    tape.backward(&da, &mut grads, None, &mut dstate).unwrap();
    let gates = C::LEN / Affine::<2, A>::LEN;
    let dz = |t: usize| &caches[t].as_flat()[..gates * A * M];
    let is_zero = |scalars: &[C::Scalar]| scalars.iter().all(|x| *x == C::Scalar::ZERO);
    assert!(is_zero(dz(0)), "{}: {:?}", C::NAME, dz(0));
    assert!(is_zero(dstate.as_flat()), "{}: {dstate:?}", C::NAME);
    assert!(!is_zero(dz(steps - 30)), "{}", C::NAME);
    if gates == 1 {
        // The derivative of tanh without input is 1, as that of ReLU: dz is dh.
        assert!((0..steps).all(|t| !has_subnormal(dz(t))), "{}", C::NAME);
    }
}

fn gradient<const A: usize, const M: usize, T: Real>(steps: usize) {
    gradient_ends_in_zeros::<lstm::Params<2, A, T>, A, M>(steps, 1.0);
    gradient_ends_in_zeros::<rnn::Params<2, A, T>, A, M>(steps, 0.0);
    gradient_ends_in_zeros::<rnn::Relu<2, A, T>, A, M>(steps, 1.0);
    gradient_ends_in_zeros::<gru::ResetAfter<2, A, T>, A, M>(steps, 1.0);
    gradient_ends_in_zeros::<gru::ResetBefore<2, A, T>, A, M>(steps, 1.0);
}

#[test]
fn gradient_behind_a_loss_far_away_is_zero() {
    gradient::<1, 1, f32>(1500);
    gradient::<16, 1, f32>(1500);
    gradient::<33, 2, f32>(2500);
    gradient::<7, 9, f64>(8000);
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

/// A step forward and backward whose states and gradients lie around the smallest normal number, and one unit with a NaN.
fn contract_holds_for<C: Decaying<2, A>, const A: usize, const M: usize>() {
    let (mut random, tiny) = (Random::new(4), 8.0 * smallest_normal::<C::Scalar>());
    let mut cell = C::decaying();
    let x = Matrix::<2, M, C::Scalar>::zeros();
    let prev: C::State<M> = random.flat(tiny);
    let da: Matrix<A, M, C::Scalar> = random.flat(tiny);

    let mut forward = |nan: f64| {
        cell.as_flat_mut()[C::LEN - A] = C::Scalar::from_f64(nan); // the last bias of the first unit
        let (mut next, mut stepped) = (garbage(), garbage());
        let (mut cache, mut expected) = (C::Cache::<M>::ZEROS, C::Cache::<M>::ZEROS);
        cell.cell_forward(&x, &prev, &mut next, &mut cache);
        cell.step(&x, &prev, &mut stepped);
        let expected_next = cell.contract_forward(&x, &prev, &mut expected);
        assert_same_bits(&cache, &expected);
        assert_same_bits(&next, &expected_next);
        assert_same_bits(&stepped, &expected_next);
        (next, cache)
    };
    forward(f64::NAN);
    let (next, mut cache) = forward(0.0);

    let mut expected = cache.clone();
    let mut expected_dstate: C::State<M> = random.flat(tiny);
    expected_dstate.as_flat_mut()[..A * M].fill(C::Scalar::ZERO);
    let mut dstate = expected_dstate.clone();
    dstate.as_flat_mut()[..A * M].copy_from_slice(da.as_flat());
    let (mut grads, mut expected_grads) = (C::ZEROS, C::ZEROS);
    let states = [&prev, &next];
    let dx = cell.cell_backward(&x, states, &mut cache, &mut dstate, &mut grads);
    let expected_dx = cell.contract_backward(
        &x,
        states,
        &mut expected,
        &da,
        &mut expected_dstate,
        &mut expected_grads,
    );
    assert_same_bits(&dx, &expected_dx);
    assert_same_bits(&cache, &expected);
    assert_same_bits(&dstate, &expected_dstate);
    assert_same_bits(&grads, &expected_grads);
}

fn contract_holds<const A: usize, const M: usize, T: Real>() {
    contract_holds_for::<lstm::Params<2, A, T>, A, M>();
    contract_holds_for::<rnn::Params<2, A, T>, A, M>();
    contract_holds_for::<rnn::Relu<2, A, T>, A, M>();
    contract_holds_for::<gru::ResetAfter<2, A, T>, A, M>();
    contract_holds_for::<gru::ResetBefore<2, A, T>, A, M>();
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
