//! What f32 costs: a 100-step LSTM in f32 against the same in f64. The docs of `lstm` state the figure.

use bptt::{Cell, Flat, Matrix, lstm};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

const X: usize = 6;
const A: usize = 16;
const T: usize = 100;

/// The largest |a f32 − a f64| over all steps, units and networks that the docs state.
const STATED: f64 = 1e-7;

/// The outputs of all steps, as f64.
fn outputs<S: bptt::Real>(weights: &[f32], x: &[f32]) -> Vec<f64> {
    let scalars = |from: &[f32]| {
        from.iter()
            .map(|&x| S::from_f64(x.into()))
            .collect::<Vec<S>>()
    };
    let (weights, x) = (scalars(weights), scalars(x));
    let params = lstm::Params::<X, A, S>::from_flat(&weights).unwrap();
    let x = Matrix::<X, 1, S>::slice_from_flat(&x).unwrap();
    let mut a = vec![S::ZERO; T * A];
    let mut caches = vec![S::ZERO; T * lstm::Cache::<A, 1, S>::LEN];
    let _ = params
        .forward(
            x,
            &lstm::State::zeros(),
            Matrix::slice_from_flat_mut(&mut a).unwrap(),
            lstm::Cache::slice_from_flat_mut(&mut caches).unwrap(),
        )
        .unwrap();
    a.into_iter().map(S::to_f64).collect()
}

#[test]
fn a_hundred_steps_in_f32() {
    let mut worst = 0.0_f64;
    for seed in 0..100 {
        let mut rng = SmallRng::seed_from_u64(seed);
        // PyTorch's default weights, ±1/√A, and inputs in ±1: the same numbers in f32 and f64.
        let mut draw = |n: usize, limit: f32| -> Vec<f32> {
            (0..n).map(|_| rng.random_range(-limit..limit)).collect()
        };
        let weights = draw(lstm::Params::<X, A>::LEN, 0.25);
        let x = draw(T * X, 1.0);
        for (single, double) in outputs::<f32>(&weights, &x)
            .iter()
            .zip(outputs::<f64>(&weights, &x))
        {
            worst = worst.max((single - double).abs());
        }
    }
    println!("largest error of 100 networks over 100 steps: {worst:.3e}");
    assert!(worst <= STATED, "{worst:e}");
    assert!(
        worst > STATED / 2.0,
        "the docs state more than twice the error: {worst:e}"
    );
}
