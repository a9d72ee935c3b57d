//! What f32 costs: a network over 100 steps in f32 against the same in f64. The docs of each cell state the figure.

use bptt::{Cell, Flat, Matrix, gru, lstm, rnn};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

const X: usize = 6;
const A: usize = 16;
const T: usize = 100;

/// The outputs of all steps, as f64.
fn outputs<C: Cell<X, A, Scalar = S>, S: bptt::Real>(weights: &[f32], x: &[f32]) -> Vec<f64> {
    let scalars = |from: &[f32]| {
        from.iter()
            .map(|&x| S::from_f64(x.into()))
            .collect::<Vec<S>>()
    };
    let (weights, x) = (scalars(weights), scalars(x));
    let cell = C::from_flat(&weights).unwrap();
    let x = Matrix::<X, 1, S>::slice_from_flat(&x).unwrap();
    let mut a = vec![Matrix::zeros(); T];
    let mut caches = vec![C::Cache::<1>::ZEROS; T];
    let _ = (cell.forward(x, &C::State::ZEROS, &mut a, &mut caches)).unwrap();
    let a = Matrix::slice_as_flat(&a).iter();
    a.map(|a| a.to_f64()).collect()
}

/// The largest |a f32 − a f64| over all steps, units and networks is `stated`, and not less than half of it.
fn a_hundred_steps<C, D>(stated: f64)
where
    C: Cell<X, A, Scalar = f32>,
    D: Cell<X, A, Scalar = f64>,
{
    let mut worst = 0.0_f64;
    for seed in 0..100 {
        let mut rng = SmallRng::seed_from_u64(seed);
        // PyTorch's default weights, ±1/√A, and inputs in ±1: the same numbers in f32 and f64.
        let mut draw = |n: usize, limit: f32| -> Vec<f32> {
            (0..n).map(|_| rng.random_range(-limit..limit)).collect()
        };
        let weights = draw(C::LEN, 0.25);
        let x = draw(T * X, 1.0);
        for (single, double) in outputs::<C, f32>(&weights, &x)
            .iter()
            .zip(outputs::<D, f64>(&weights, &x))
        {
            worst = worst.max((single - double).abs());
        }
    }
    println!("largest error of 100 networks over 100 steps: {worst:.3e}");
    assert!(worst <= stated, "{worst:e}");
    assert!(
        worst > stated / 2.0,
        "more than twice the error is stated: {worst:e}"
    );
}

#[test]
fn a_hundred_steps_in_f32() {
    a_hundred_steps::<lstm::Params<X, A>, lstm::Params<X, A, f64>>(1e-7);
    a_hundred_steps::<gru::ResetAfter<X, A>, gru::ResetAfter<X, A, f64>>(2e-7);
    a_hundred_steps::<gru::ResetBefore<X, A>, gru::ResetBefore<X, A, f64>>(2e-7);
    a_hundred_steps::<rnn::Params<X, A>, rnn::Params<X, A, f64>>(2.5e-7);
    a_hundred_steps::<rnn::Relu<X, A>, rnn::Relu<X, A, f64>>(2.5e-7);
}
