//! What a training run needs beside the kernels: losses, softmax, optimizers and initialisers against numbers computed in
//! another way, and two small tasks that are learnt from end to end.

#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::loss::{self, Reduction};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{
    Affine, Cell, Flat, Matrix, Real, activation, dense, dropout, gru, init, lstm, rnn, schedule,
};
use random::Random;

/// The distance from 1 to the next scalar.
fn epsilon<T: Real>() -> f64 {
    if size_of::<T>() == 4 {
        f32::EPSILON.into()
    } else {
        f64::EPSILON
    }
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let close = (found - expected).abs() <= tolerance; // false for NaN
    assert!(close, "{found:e} is not {expected:e} ± {tolerance:e}");
}

// ------------------------------------------------------------------------------------- optimizers

/// Gradients of `N` updates of three weights.
const N: usize = 50;

fn gradients<T: Real>() -> [[T; 3]; N] {
    let random = &mut Random::new(1);
    [(); N].map(|()| {
        let mut g = [T::ZERO; 3];
        random.fill(&mut g, 2.0);
        g
    })
}

/// Σ β^(t−i)·f(gᵢ) for i = 1 … t: what a moment is, written as a sum.
fn moment<T: Real>(grads: &[[T; 3]], weight: usize, beta: f64, f: impl Fn(f64) -> f64) -> f64 {
    let powers = (0..grads.len() as i32).rev().map(|n| beta.powi(n));
    let terms = grads.iter().zip(powers);
    terms.map(|(g, power)| power * f(g[weight].to_f64())).sum()
}

const START: [f64; 3] = [1.0, -0.5, 0.0];

fn sgd<T: Real>() {
    let grads = gradients::<T>();
    let learning_rate = T::from_f64(0.05);
    let mut w = START.map(T::from_f64);
    for g in &grads {
        Sgd { learning_rate }.update(&mut w, g).unwrap();
    }
    for i in 0..3 {
        let sum: f64 = grads.iter().map(|g| g[i].to_f64()).sum();
        let expected = START[i] - learning_rate.to_f64() * sum;
        // Each update rounds a product and a weight, both of order 1.
        assert_close(w[i].to_f64(), expected, N as f64 * 2.0 * epsilon::<T>());
    }
}

fn momentum<T: Real>() {
    let grads = gradients::<T>();
    let optimizer = Momentum {
        learning_rate: T::from_f64(0.01),
        momentum: T::from_f64(0.9),
    };
    let [eta, mu] = [optimizer.learning_rate, optimizer.momentum].map(T::to_f64);
    let (mut w, mut velocity) = (START.map(T::from_f64), [T::ZERO; 3]);
    let mut expected = START;
    for t in 0..N {
        optimizer.update(&mut w, &grads[t], &mut velocity).unwrap();
        for i in 0..3 {
            let v = moment(&grads[..=t], i, mu, |g| g);
            expected[i] -= eta * v;
            // The velocity, at most 20, is a sum whose rounding errors fade by μ: 10 times that of one step.
            let tolerance = 10.0 * 20.0 * epsilon::<T>();
            assert_close(velocity[i].to_f64(), v, tolerance);
            let tolerance = (t + 1) as f64 * (eta * tolerance + 2.0 * epsilon::<T>());
            assert_close(w[i].to_f64(), expected[i], tolerance);
        }
    }
}

fn adam<T: Real>(weight_decay: f64) {
    let grads = gradients::<T>();
    let mut adam = Adam {
        weight_decay: T::from_f64(weight_decay),
        ..Adam::new(T::from_f64(0.02))
    };
    let [b1, b2, eps] = [adam.beta1, adam.beta2, adam.epsilon].map(T::to_f64);
    assert_close(b1, 0.9, epsilon::<T>());
    assert_close(b2, 0.999, epsilon::<T>());
    assert_close(eps, 1e-8, 1e-8 * epsilon::<T>());
    let [eta, lambda] = [adam.learning_rate, adam.weight_decay].map(T::to_f64);
    let (mut w, mut m, mut v) = (START.map(T::from_f64), [T::ZERO; 3], [T::ZERO; 3]);
    let mut expected = START;
    for t in 0..N {
        adam.update(&mut w, &grads[t], &mut m, &mut v).unwrap();
        let n = t as i32 + 1;
        for i in 0..3 {
            let m_hat = (1.0 - b1) * moment(&grads[..=t], i, b1, |g| g) / (1.0 - b1.powi(n));
            let v_hat = (1.0 - b2) * moment(&grads[..=t], i, b2, |g| g * g) / (1.0 - b2.powi(n));
            expected[i] -= eta * (m_hat / (v_hat.sqrt() + eps) + lambda * expected[i]);
            // The worst is 1 − β₂ᵗ: about t·(1 − β₂), with t rounding errors of β₂ᵗ in it.
            let tolerance = f64::from(n) * epsilon::<T>() * (2.0 + 2.0 * eta / (1.0 - b2));
            assert_close(w[i].to_f64(), expected[i], tolerance);
        }
        assert_close(adam.beta1_power.to_f64(), b1.powi(n), epsilon::<T>());
        assert_close(
            adam.beta2_power.to_f64(),
            b2.powi(n),
            f64::from(n) * epsilon::<T>(),
        );
    }
}

#[test]
fn optimizers_against_closed_forms() {
    sgd::<f32>();
    sgd::<f64>();
    momentum::<f32>();
    momentum::<f64>();
    for weight_decay in [0.0, 0.5] {
        adam::<f32>(weight_decay);
        adam::<f64>(weight_decay);
    }
}

/// A run that is stopped, stored and continued is the run that was not stopped.
#[test]
fn adam_continues_from_a_checkpoint() {
    let grads = gradients::<f32>();
    let (mut adam, mut w, mut m, mut v) = (Adam::new(0.1), [1.0; 3], [0.0; 3], [0.0; 3]);
    let mut stored = None;
    for (t, g) in grads.iter().enumerate() {
        if t == 20 {
            stored = Some((adam, w, m, v));
        }
        adam.update(&mut w, g, &mut m, &mut v).unwrap();
    }
    let (mut adam, mut w2, mut m, mut v) = stored.unwrap();
    for g in &grads[20..] {
        adam.update(&mut w2, g, &mut m, &mut v).unwrap();
    }
    assert_eq!(w.map(f32::to_bits), w2.map(f32::to_bits));
}

// --------------------------------------------------------------------------------------- clipping

fn clipping<T: Real>(sizes: &[f64]) {
    for &size in sizes {
        let mut random = Random::new(2);
        let mut grads = [
            vec![T::ZERO; 5],
            vec![],
            vec![T::ZERO; 1],
            vec![T::ZERO; 40],
        ];
        for grads in &mut grads {
            random.fill(grads, size);
        }
        let before = grads.clone();
        let norm_of = |grads: &[Vec<T>; 4]| -> f64 {
            let all = grads.iter().flatten().map(|g| g.to_f64() / size);
            all.map(|g| g * g).sum::<f64>().sqrt() * size
        };
        let expected = norm_of(&before);
        let relative = 50.0 * epsilon::<T>(); // 46 squares are added up

        let clip = |grads: &mut [Vec<T>; 4], max_norm: f64| {
            let [a, b, c, d] = grads;
            clip_by_global_norm(&mut [a, b, c, d], T::from_f64(max_norm))
                .unwrap()
                .to_f64()
        };
        // Below the limit: nothing changes.
        let norm = clip(&mut grads, 2.0 * expected);
        assert_close(norm, expected, relative * expected);
        assert_eq!(grads, before);
        // Above: the norm is the limit, the direction stays.
        let limit = 0.01 * expected;
        let norm = clip(&mut grads, limit);
        assert_close(norm, expected, relative * expected);
        assert_close(norm_of(&grads), limit, relative * limit);
        for (g, before) in grads.iter().flatten().zip(before.iter().flatten()) {
            let expected = before.to_f64() * 0.01;
            assert_close(g.to_f64(), expected, relative * expected.abs());
        }
    }
}

#[test]
fn clipping_by_the_global_norm() {
    // Squares of the large ones overflow, those of the small ones vanish.
    clipping::<f32>(&[1.0, 1e30, 1e-30]);
    clipping::<f64>(&[1.0, 1e300, 1e-300]);

    let mut grads = [3e30_f32, 4e30];
    assert_close(
        clip_by_global_norm(&mut [&mut grads], 1.0).unwrap().into(),
        5e30,
        1e24,
    );
    assert_close(grads[0].into(), 0.6, 1e-6);
    assert_close(grads[1].into(), 0.8, 1e-6);

    // max_norm / norm is subnormal here: a scale would have lost its digits.
    for max_norm in [1e-3_f32, 1e-7] {
        let mut grads = [3e38_f32];
        clip_by_global_norm(&mut [&mut grads], max_norm).unwrap();
        assert_eq!(grads, [max_norm]);
    }

    // No gradient: nothing to divide by.
    let mut zeros = [0.0_f32, -0.0];
    assert_eq!(clip_by_global_norm(&mut [&mut zeros], 1.0), Ok(0.0));
    assert_eq!(clip_by_global_norm(&mut [&mut zeros], 0.0), Ok(0.0));
    assert_eq!(zeros.map(f32::to_bits), [0.0_f32, -0.0].map(f32::to_bits));

    // A norm that is too large for the type: not finite, and the direction stays all the same.
    let mut grads = [3e38_f32, -3e38, 3e38, 3e38];
    let norm = clip_by_global_norm(&mut [&mut grads], 1.0);
    assert_eq!((norm, grads), (Ok(f32::INFINITY), [0.5, -0.5, 0.5, 0.5]));
    let norm = clip_by_global_norm(&mut [&mut [3e38_f32; 4]], f32::INFINITY);
    assert_eq!(norm, Ok(f32::INFINITY));
}

/// What its documentation says of the norm afterwards: at most max_norm·(1 + (n + 8)·ε/2), by its own measure.
fn clipped_norm<T: Real>() {
    let random = &mut Random::new(13);
    let mut above = 0;
    for round in 0..20_000 {
        let n = 1 + round % 40;
        let mut grads = vec![T::ZERO; n];
        random.fill(&mut grads, 100.0);
        let max_norm: T = random.uniform();
        let (first, second) = grads.split_at_mut(n / 2);
        let clip = |grads: &mut [&mut [T]], max_norm| clip_by_global_norm(grads, max_norm).unwrap();
        let before = clip(&mut [first, second], max_norm).to_f64();
        let after = clip(&mut [&mut grads], T::INFINITY).to_f64();
        let max_norm = max_norm.to_f64();
        if before > max_norm {
            let slack = (n as f64 + 8.0) * epsilon::<T>() / 2.0;
            assert_close(after, max_norm, slack * max_norm);
            above += u32::from(after > max_norm);
        }
    }
    assert!(
        above > 0,
        "the documentation need not say that it can be exceeded"
    );
}

#[test]
fn the_norm_after_clipping() {
    clipped_norm::<f32>();
    clipped_norm::<f64>();
}

// ------------------------------------------------------------------------------------ initialisers

/// `weights` look evenly distributed in \[−limit, limit): the range; and mean and variance within six standard deviations
/// of what they have to be.
#[track_caller]
fn assert_uniform<T: Real>(weights: &[T], limit: f64) {
    let n = weights.len() as f64;
    let weights: Vec<f64> = weights.iter().map(|w| w.to_f64() / limit).collect();
    let slack = 1.0 + 2.0 * epsilon::<T>(); // the limit is rounded
    assert!(weights.iter().all(|w| (-slack..slack).contains(w)));
    assert!(weights.iter().any(|&w| w < -0.9) && weights.iter().any(|&w| w > 0.9));
    let mean = weights.iter().sum::<f64>() / n;
    assert_close(mean, 0.0, 6.0 / (3.0 * n).sqrt()); // the variance of one is 1/3
    let square = weights.iter().map(|w| w * w).sum::<f64>() / n;
    assert_close(square, 1.0 / 3.0, 6.0 * (4.0 / 45.0 / n).sqrt()); // that of a square 1/5 − 1/9
}

fn uniform<T: Real>() {
    let mut random = Random::new(3);
    let mut draw = || random.uniform::<T>();

    let mut params = lstm::Params::<7, 20, T>::zeros();
    init::uniform(&mut params, T::from_f64(0.1), &mut draw);
    assert_uniform(params.as_flat(), 0.1);

    let mut params = rnn::Params::<9, 30, T>::zeros();
    init::uniform_hidden(&mut params, &mut draw);
    assert_uniform(params.as_flat(), 1.0 / 30_f64.sqrt());
    assert_uniform(params.b.as_flat(), 1.0 / 30_f64.sqrt()); // the biases too
    let mut params = gru::ResetAfter::<9, 30, T>::zeros();
    init::uniform_hidden(&mut params, &mut draw);
    assert_uniform(params.as_flat(), 1.0 / 30_f64.sqrt());
    assert!(params.bna.as_flat().iter().all(|b| *b != T::ZERO));

    let mut w = Matrix::<40, 25, T>::zeros();
    init::glorot_uniform(&mut w, &mut draw);
    assert_uniform(w.as_flat(), (6.0 / 65_f64).sqrt());

    // The first number drawn is the first of the flat array, and so on.
    let mut drawn = 0.0;
    let mut affine = Affine::<1, 2, T>::zeros();
    init::uniform(&mut affine, T::from_f64(2.0), || {
        drawn += 1.0 / 16.0;
        T::from_f64(drawn - 1.0 / 16.0)
    });
    let expected = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| T::from_f64(f64::from(n) / 4.0 - 2.0));
    assert_eq!(affine.as_flat(), expected);
}

#[test]
fn uniform_initialisers() {
    uniform::<f32>();
    uniform::<f64>();

    let mut params: lstm::Params<2, 3> = Random::new(4).flat(1.0);
    let mut expected = params.clone();
    expected.f.b.fill(1.5);
    init::forget_bias(&mut params, 1.5);
    assert_eq!(params, expected); // nothing else
}

/// wᵀ·w = 1 within 4·√A·ε in every entry: each is a sum over A entries that are rounded by ε/2 up or down.
fn assert_orthogonal<const A: usize, T: Real>(w: &Matrix<A, A, T>, closure: &str) {
    for (i, a) in w.columns().iter().enumerate() {
        for (j, b) in w.columns().iter().enumerate() {
            let products = a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64());
            let expected = f64::from(i == j);
            let error = (products.sum::<f64>() - expected).abs();
            let tolerance = 4.0 * (A as f64).sqrt() * epsilon::<T>();
            assert!(
                error <= tolerance, // false for NaN
                "{closure}, A {A}: columns {i} and {j} are off by {error:e}"
            );
        }
    }
}

fn orthogonal<const A: usize, T: Real>() {
    let mut w = Matrix::<A, A, T>::zeros();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let before = w.clone();
        init::orthogonal(&mut w, || random.uniform());
        assert_orthogonal(&w, "random");
        if A > 1 {
            assert_ne!(w, before, "another seed, another matrix");
        }
        // Columns that are nearly parallel: little is left of each after the projections.
        let mut crowded = w.clone();
        init::orthogonal(&mut crowded, || {
            T::from_f64(0.3 + 0.03 * random.uniform::<T>().to_f64())
        });
        assert_orthogonal(&crowded, "crowded");
    }
    // What is not random does not break it, nor what is not in [0, 1).
    for u in [
        0.0,
        0.25,
        0.5,
        1.0 - epsilon::<T>(),
        1.0,
        -3.0,
        f64::NAN,
        f64::INFINITY,
    ] {
        init::orthogonal(&mut w, || T::from_f64(u));
        assert_orthogonal(&w, &format!("always {u}"));
    }
    let mut n = 0;
    init::orthogonal(&mut w, || {
        n += 1;
        T::from_f64(f64::from(n % 2) / 2.0)
    });
    assert_orthogonal(&w, "two in turn");
    let mut n = 0;
    init::orthogonal(&mut w, || {
        n += 1;
        T::from_f64(f64::from(n % 3) * 1e-12 + 0.3)
    });
    assert_orthogonal(&w, "nearly constant");
}

fn orthogonal_of_all_sizes<T: Real>() {
    orthogonal::<1, T>();
    orthogonal::<2, T>();
    orthogonal::<3, T>();
    orthogonal::<8, T>();
    orthogonal::<17, T>();
    orthogonal::<32, T>();
    orthogonal::<64, T>();

    // Its entries have mean 0 and variance 1/A, and both signs are as frequent.
    let mut random = Random::new(5);
    let mut w = Matrix::<64, 64, T>::zeros();
    init::orthogonal(&mut w, || random.uniform());
    let n = 64.0 * 64.0;
    let mean = w.as_flat().iter().map(|w| w.to_f64()).sum::<f64>() / n;
    assert_close(mean, 0.0, 6.0 / (64.0 * n).sqrt());
    let positive = w.as_flat().iter().filter(|w| **w > T::ZERO).count() as f64;
    assert_close(positive, n / 2.0, 6.0 * n.sqrt() / 2.0);
    let diagonal: f64 = (0..64).map(|i| w[(i, i)].to_f64().abs()).sum();
    assert!(
        diagonal < 64.0 * 0.25,
        "a diagonal like that of the unit matrix"
    );
}

#[test]
fn orthogonal_initialiser() {
    orthogonal_of_all_sizes::<f32>();
    orthogonal_of_all_sizes::<f64>();
}

/// All orthogonal matrices are equally likely. Those of two rows are rotations or reflections: the angle
/// of the first column and the sign of the determinant fall into 32·2 cells that are equally likely,
/// which they are only if what the columns are drawn from is normally distributed. The sum of χ² has the
/// mean 63 and the variance 126. In a larger matrix an entry has E w⁴ = 3/(A(A + 2)) and
/// E w⁸ = 105/(A(A + 2)(A + 4)(A + 6)). Five standard deviations are allowed.
fn orthogonal_is_evenly_distributed<T: Real>() {
    let random = &mut Random::new(6);
    let n = 400_000;
    let mut counts = [0.0; 64];
    for _ in 0..n {
        let mut w = Matrix::<2, 2, T>::zeros();
        init::orthogonal(&mut w, || random.uniform());
        let [[a, b], [c, d]] = w.columns().map(|column| column.map(T::to_f64));
        let turns = b.atan2(a) / std::f64::consts::TAU + 0.5;
        let cell = (turns * 32.0) as usize % 32;
        counts[2 * cell + usize::from(a * d < b * c)] += 1.0;
    }
    let expected = f64::from(n) / 64.0;
    let terms = counts.map(|count: f64| (count - expected).powi(2) / expected);
    assert_close(terms.iter().sum(), 63.0, 5.0 * 126_f64.sqrt());

    const A: usize = 8;
    let n = 20_000;
    let mut sums = [0.0; 2];
    for _ in 0..n {
        let mut w = Matrix::<A, A, T>::zeros();
        init::orthogonal(&mut w, || random.uniform());
        sums[0] += w[(0, 0)].to_f64().powi(4);
        sums[1] += w[(A - 1, A - 1)].to_f64().powi(4);
    }
    let mean = 3.0 / (8.0 * 10.0);
    let variance = 105.0 / (8.0 * 10.0 * 12.0 * 14.0) - mean * mean;
    for sum in sums {
        let n = f64::from(n);
        assert_close(sum / n, mean, 5.0 * (variance / n).sqrt());
    }
}

#[test]
fn orthogonal_matrices_are_evenly_distributed() {
    orthogonal_is_evenly_distributed::<f32>();
    orthogonal_is_evenly_distributed::<f64>();
}

// ------------------------------------------------------------------------------ losses and softmax

const Y: usize = 4;
const M: usize = 3;
const STEPS: usize = 5;

/// softmax as it stands in a textbook, in f64.
fn textbook_softmax<T: Real>(z: &[T; Y]) -> [f64; Y] {
    let e = z.map(|z| z.to_f64().exp());
    e.map(|y| y / e.iter().sum::<f64>())
}

fn softmax_and_losses<T: Real>() {
    let eps = epsilon::<T>();
    let random = &mut Random::new(6);
    let z = random.sequence::<Y, M, T>(STEPS, 4.0);
    let target = random.sequence::<Y, M, T>(STEPS, 1.0);
    let classes: Vec<[usize; M]> = (0..STEPS)
        .map(|_| [0; M].map(|_| random.index(Y)))
        .collect();

    let (mut probabilities, mut by_class, mut squared) = (0.0, 0.0, 0.0);
    for t in 0..STEPS {
        let mut y = z[t].clone();
        dense::softmax(&mut y);
        for m in 0..M {
            let expected = textbook_softmax(&z[t].columns()[m]);
            let y = y.columns()[m].map(T::to_f64);
            // Y + 3 roundings, and exp of a difference of up to 8, itself rounded.
            for (y, expected) in y.into_iter().zip(expected) {
                assert_close(y, expected, 16.0 * eps * expected);
            }
            assert_close(y.iter().sum(), 1.0, Y as f64 * eps);
            by_class -= expected[classes[t][m]].ln();
            for k in 0..Y {
                probabilities -= target[t][(k, m)].to_f64() * expected[k].ln();
                let error = z[t][(k, m)].to_f64() - target[t][(k, m)].to_f64();
                squared += error * error;
            }
        }
    }

    let samples = (STEPS * M) as f64;
    let mut value = [T::ZERO; 3];
    let mut dz = [(); 3].map(|()| vec![Matrix::zeros(); STEPS]);
    for (reduction, terms) in [
        (Reduction::Sum, [1.0; 3]),
        (Reduction::Mean, [samples, samples, samples * Y as f64]),
    ] {
        let [dz0, dz1, dz2] = &mut dz;
        value = [
            loss::softmax_cross_entropy(&z, &target, None, reduction, Some(dz0)).unwrap(),
            loss::softmax_cross_entropy_classes(&z, &classes, None, reduction, Some(dz1)).unwrap(),
            loss::squared_error(&z, &target, None, reduction, Some(dz2)).unwrap(),
        ];
        let expected = [probabilities, by_class, squared];
        for ((value, expected), terms) in value.iter().zip(expected).zip(terms) {
            // At most 60 terms are added up, whose sizes add up to at most 1500 (60·25).
            assert_close(
                value.to_f64(),
                expected / terms,
                60.0 * eps * 1500.0 / terms,
            );
        }
        // The gradients of softmax cross-entropy of a sample add up to 0.
        for dz in dz[0].iter().chain(&dz[1]) {
            for column in dz.columns() {
                let sum: f64 = column.iter().map(|dz| dz.to_f64()).sum();
                assert_close(sum, 0.0, 32.0 * eps);
            }
        }
    }
    assert!(value.iter().all(|value| *value != T::ZERO));

    // The gradient of the mean is the gradient of the sum, divided.
    let mut of_sum = vec![Matrix::zeros(); STEPS];
    for (i, terms) in [samples, samples, samples * Y as f64]
        .into_iter()
        .enumerate()
    {
        match i {
            0 => drop(loss::softmax_cross_entropy(
                &z,
                &target,
                None,
                Reduction::Sum,
                Some(&mut of_sum),
            )),
            1 => drop(loss::softmax_cross_entropy_classes(
                &z,
                &classes,
                None,
                Reduction::Sum,
                Some(&mut of_sum),
            )),
            _ => drop(loss::squared_error(
                &z,
                &target,
                None,
                Reduction::Sum,
                Some(&mut of_sum),
            )),
        }
        let pairs = Matrix::slice_as_flat(&dz[i])
            .iter()
            .zip(Matrix::slice_as_flat(&of_sum));
        for (of_mean, of_sum) in pairs {
            let expected = of_sum.to_f64() / terms;
            assert_close(of_mean.to_f64(), expected, 2.0 * eps * expected.abs());
        }
    }
}

#[test]
fn losses_against_the_textbook() {
    softmax_and_losses::<f32>();
    softmax_and_losses::<f64>();

    // By hand.
    let y = [
        Matrix::<2, 1>::from_rows([[1.0], [5.0]]),
        Matrix::from_rows([[0.0], [2.0]]),
    ];
    let target = [Matrix::from_rows([[0.0], [2.0]]), Matrix::zeros()];
    let mut dy = vec![Matrix::zeros(); 2];
    let sum = loss::squared_error(&y, &target, None, Reduction::Sum, Some(&mut dy));
    assert_eq!(sum, Ok(1.0 + 9.0 + 0.0 + 4.0));
    assert_eq!(Matrix::slice_as_flat(&dy), [2.0, 6.0, 0.0, 4.0]);
    let mean = loss::squared_error(&y, &target, None, Reduction::Mean, Some(&mut dy));
    assert_eq!(mean, Ok(3.5));
    assert_eq!(Matrix::slice_as_flat(&dy), [0.5, 1.5, 0.0, 1.0]);
}

/// softmax as its documentation says it: the first of the greatest logits counts exactly 1, the others, as great or not,
/// are added up on their own, in their order.
fn plain_softmax<const Y: usize, T: Real>(z: &[T; Y]) -> [T; Y] {
    let first = (0..Y)
        .find(|&k| z.iter().all(|other| *other <= z[k]))
        .unwrap();
    let e = z.map(|x| activation::exp(x - z[first]));
    let others = (0..Y).filter(|&k| k != first);
    let others = others.fold(T::ZERO, |sum, k| sum + e[k]);
    e.map(|e| e / (T::ONE + others))
}

/// Which of several greatest logits counts 1 decides in which order the rest is added up, and so the last bits.
fn softmax_of_tied_logits<T: Real>() {
    const Y: usize = 7;
    let random = &mut Random::new(12);
    for round in 0..200 {
        let mut z: Matrix<Y, 1, T> = random.flat(4.0);
        // Two to four places, some of which may be the same.
        let greatest = T::from_f64(4.5);
        for _ in 0..2 + round % 3 {
            z[(random.index(Y), 0)] = greatest;
        }
        let expected = plain_softmax(&z.columns()[0]);
        let bits = |y: &[T]| y.iter().map(|y| y.to_f64().to_bits()).collect::<Vec<_>>();

        let mut y = z.clone();
        dense::softmax(&mut y);
        assert_eq!(bits(y.as_flat()), bits(&expected), "{z:?}");

        let class = random.index(Y);
        let mut less_one = expected;
        less_one[class] = less_one[class] - T::ONE;
        let (z, dz) = (slice::from_ref(&z), slice::from_mut(&mut y));
        loss::softmax_cross_entropy_classes(z, &[[class]], None, Reduction::Sum, Some(dz)).unwrap();
        assert_eq!(bits(dz[0].as_flat()), bits(&less_one), "{z:?}");
    }
}

#[test]
fn softmax_of_tied_logits_bit_for_bit() {
    softmax_of_tied_logits::<f32>();
    softmax_of_tied_logits::<f64>();
}

// -------------------------------------------------------------------------- weights and evaluation

/// The three losses with what they compare to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    Probabilities,
    Classes,
    Squared,
}

const LOSSES: [Loss; 3] = [Loss::Probabilities, Loss::Classes, Loss::Squared];

/// Outputs and what they are compared to, of [`STEPS`] steps.
#[derive(Clone)]
struct Targets<T: Real> {
    z: Vec<Matrix<Y, M, T>>,
    p: Vec<Matrix<Y, M, T>>,
    classes: Vec<[usize; M]>,
}

impl<T: Real> Targets<T> {
    fn new(random: &mut Random) -> Self {
        Targets {
            z: random.sequence(STEPS, 4.0),
            p: random.sequence(STEPS, 1.0),
            classes: (0..STEPS)
                .map(|_| [0; M].map(|_| random.index(Y)))
                .collect(),
        }
    }

    fn value(
        &self,
        loss: Loss,
        weights: Option<&[[T; M]]>,
        reduction: Reduction,
        dz: Option<&mut [Matrix<Y, M, T>]>,
    ) -> T {
        let Targets { z, p, classes } = self;
        match loss {
            Loss::Probabilities => {
                loss::softmax_cross_entropy(z, p, weights, reduction, dz).unwrap()
            }
            Loss::Classes => {
                loss::softmax_cross_entropy_classes(z, classes, weights, reduction, dz).unwrap()
            }
            Loss::Squared => loss::squared_error(z, p, weights, reduction, dz).unwrap(),
        }
    }

    fn gradient(
        &self,
        loss: Loss,
        weights: Option<&[[T; M]]>,
        reduction: Reduction,
    ) -> (T, Vec<Matrix<Y, M, T>>) {
        // What was there is overwritten.
        let mut dz = vec![Matrix::from_rows([[T::from_f64(f64::NAN); M]; Y]); STEPS];
        let value = self.value(loss, weights, reduction, Some(&mut dz));
        (value, dz)
    }

    /// ℓ of one sample at a step, as it stands in a textbook, in f64.
    fn one(&self, loss: Loss, t: usize, m: usize) -> f64 {
        let z = &self.z[t].columns()[m];
        let p = self.p[t].columns()[m].map(T::to_f64);
        match loss {
            Loss::Classes => -textbook_softmax(z)[self.classes[t][m]].ln(),
            Loss::Probabilities => {
                let terms = p.iter().zip(textbook_softmax(z)).map(|(p, y)| p * y.ln());
                -terms.sum::<f64>()
            }
            Loss::Squared => {
                let terms = z.iter().zip(p).map(|(z, p)| (z.to_f64() - p).powi(2));
                terms.sum()
            }
        }
    }

    /// The weighted loss in f64.
    fn expected(&self, loss: Loss, weights: &[[T; M]], reduction: Reduction) -> f64 {
        let (mut sum, mut terms) = (0.0, 0.0);
        for t in 0..STEPS {
            for m in 0..M {
                let w = weights[t][m].to_f64();
                if w != 0.0 {
                    sum += w * self.one(loss, t, m);
                    terms += w * if loss == Loss::Squared { Y as f64 } else { 1.0 };
                }
            }
        }
        match reduction {
            Reduction::Sum => sum,
            Reduction::Mean if terms == 0.0 => 0.0,
            Reduction::Mean => sum / terms,
        }
    }
}

fn scalar_bits<T: Real>(scalars: &[T]) -> Vec<u64> {
    scalars.iter().map(|s| s.to_f64().to_bits()).collect()
}

/// Weights of all kinds: zeros and ones, any that are not negative, and a single one that counts.
fn some_weights<T: Real>(random: &mut Random, kind: usize) -> [[T; M]; STEPS] {
    let mut weights = [[T::ZERO; M]; STEPS];
    for w in weights.as_flattened_mut() {
        let keep = random.index(3) > 0;
        *w = match kind {
            0 => T::from_usize(usize::from(keep)),
            _ if keep => random.uniform(),
            _ => T::ZERO,
        };
    }
    if kind == 2 {
        weights = [[T::ZERO; M]; STEPS];
    }
    weights[random.index(STEPS)][random.index(M)] = T::from_f64(0.75);
    weights
}

fn weighted_losses<T: Real>() {
    let random = &mut Random::new(14);
    for round in 0..60 {
        let targets = Targets::<T>::new(random);
        let weights = some_weights::<T>(random, round % 3);
        let mask = Some(&weights[..]);
        for loss in LOSSES {
            for reduction in [Reduction::Sum, Reduction::Mean] {
                let (value, dz) = targets.gradient(loss, mask, reduction);
                let expected = targets.expected(loss, &weights, reduction);
                // At most 60 terms, each at most 25 or, as a probability, 1·9, are rounded some ten times and added
                // up; the mean of them is not larger than one of them times Y.
                let size = if reduction == Reduction::Sum {
                    1500.0
                } else {
                    100.0
                };
                assert_close(value.to_f64(), expected, 60.0 * epsilon::<T>() * size);

                // Evaluation: the same bits.
                let evaluated = targets.value(loss, mask, reduction, None);
                assert_eq!(scalar_bits(&[evaluated]), scalar_bits(&[value]), "{loss:?}");

                // What is ignored has no effect, whatever it is.
                let mut other = targets.clone();
                let nan = T::from_f64(f64::NAN);
                for (t, weights) in weights.iter().enumerate() {
                    for (m, _) in weights.iter().enumerate().filter(|(_, w)| **w == T::ZERO) {
                        other.z[t].columns_mut()[m] = [nan, T::INFINITY, T::ZERO, -T::INFINITY];
                        other.p[t].columns_mut()[m] = [nan; Y];
                        other.classes[t][m] = usize::MAX;
                        let zeros = [0.0_f64.to_bits(); Y];
                        assert_eq!(scalar_bits(&dz[t].columns()[m]), zeros);
                    }
                }
                let (value_other, dz_other) = other.gradient(loss, mask, reduction);
                assert_eq!(scalar_bits(&[value_other]), scalar_bits(&[value]));
                let flat = |dz| scalar_bits(Matrix::slice_as_flat(dz));
                assert_eq!(flat(&dz_other), flat(&dz), "{loss:?} {reduction:?}");
                let evaluated = other.value(loss, mask, reduction, None);
                assert_eq!(scalar_bits(&[evaluated]), scalar_bits(&[value]));

                // No weights are weights of 1.
                let ones = [[T::ONE; M]; STEPS];
                let ones = Some(&ones[..]);
                let (value, dz) = targets.gradient(loss, None, reduction);
                let (value_ones, dz_ones) = targets.gradient(loss, ones, reduction);
                assert_eq!(scalar_bits(&[value_ones]), scalar_bits(&[value]));
                assert_eq!(flat(&dz_ones), flat(&dz));
                let evaluated = targets.value(loss, None, reduction, None);
                assert_eq!(scalar_bits(&[evaluated]), scalar_bits(&[value]));
            }
        }
    }
}

#[test]
fn weighted_losses_against_the_textbook() {
    weighted_losses::<f32>();
    weighted_losses::<f64>();
}

/// dz against central differences of the value in f64: with a step h of 1e-5 both the third derivative's h²/6 and the rounding
/// of a value of up to 1500, ε·1500/h, stay far below 1e-6 but for the latter: 3.4e-8.
#[test]
fn weighted_gradients_against_differences() {
    let random = &mut Random::new(15);
    for kind in 0..3 {
        let targets = Targets::<f64>::new(random);
        let mut weights = some_weights(random, kind);
        if kind == 1 {
            weights[0][0] = -0.5; // as an advantage may be
        }
        let weights = Some(&weights[..]);
        for loss in LOSSES {
            for reduction in [Reduction::Sum, Reduction::Mean] {
                let (_, dz) = targets.gradient(loss, weights, reduction);
                for i in 0..STEPS * M * Y {
                    let at = |h: f64| {
                        let mut moved = targets.clone();
                        Matrix::slice_as_flat_mut(&mut moved.z)[i] += h;
                        moved.value(loss, weights, reduction, None)
                    };
                    let h = 1e-5;
                    let difference = (at(h) - at(-h)) / (2.0 * h);
                    assert_close(Matrix::slice_as_flat(&dz)[i], difference, 2e-7);
                }
            }
        }
    }
}

/// Where nothing counts there is neither a mean nor a gradient, and no NaN.
fn nothing_counts<T: Real>(smallest: f64) {
    let mut targets = Targets::<T>::new(&mut Random::new(16));
    let tiny = T::from_f64(smallest);
    for (weights, ignored) in [
        ([[T::ZERO; M]; STEPS], true),
        ([[T::ZERO, tiny, -tiny]; STEPS], false),
        ([[T::ZERO, tiny, T::ZERO]; STEPS], false), // 1/Σ w is infinite
    ] {
        if ignored {
            targets.z[0].fill(T::from_f64(f64::NAN));
        }
        for loss in LOSSES {
            let (value, dz) = targets.gradient(loss, Some(&weights), Reduction::Mean);
            assert_eq!(value, T::ZERO, "{loss:?} {weights:?}");
            assert!(Matrix::slice_as_flat(&dz).iter().all(|dz| *dz == T::ZERO));
            assert_eq!(
                targets.value(loss, Some(&weights), Reduction::Mean, None),
                value
            );
            let (sum, _) = targets.gradient(loss, Some(&weights), Reduction::Sum);
            assert!(if ignored {
                sum == T::ZERO
            } else {
                sum.is_finite()
            });
        }
        if ignored {
            targets = Targets::new(&mut Random::new(17));
        }
    }
    // A weight that is no number is not ignored.
    let weights = [[T::from_f64(f64::NAN); M]; STEPS];
    for loss in LOSSES {
        let value = targets.value(loss, Some(&weights), Reduction::Mean, None);
        assert!(value.to_f64().is_nan());
    }
}

#[test]
fn losses_where_nothing_counts() {
    nothing_counts::<f32>(1e-45);
    nothing_counts::<f64>(5e-324);
}

/// Against the numbers of a loop that looks at every entry.
fn most_likely<T: Real>() {
    let random = &mut Random::new(18);
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0];
    for round in 0..2000 {
        let mut z = random.sequence::<Y, M, T>(STEPS, 4.0);
        if round % 2 == 1 {
            for z in Matrix::slice_as_flat_mut(&mut z) {
                *z = T::from_f64(special[random.index(special.len())]);
            }
        }
        let mut classes = [[usize::MAX; M]; STEPS];
        dense::sequence_argmax(&z, &mut classes).unwrap();
        for (z, classes) in z.iter().zip(classes) {
            for (column, class) in z.columns().iter().zip(classes) {
                let z = column.map(T::to_f64);
                let nan = z.iter().position(|z| z.is_nan());
                let greatest = z.iter().position(|z| {
                    z.partial_cmp(&f64::MAX).is_some() && {
                        column.iter().all(|other| other.to_f64() <= *z)
                    }
                });
                assert_eq!(Some(class), nan.or(greatest), "{z:?}");
                assert_eq!(dense::argmax(column), class);
            }
        }
    }
    let none = dense::sequence_argmax::<Y, M, T>(&[], &mut []);
    assert_eq!(none, Ok(()));
    let mut classes = [[7; M]; 2];
    let error = dense::sequence_argmax(&vec![Matrix::<Y, M, T>::zeros(); 3], &mut classes);
    assert_eq!(error.unwrap_err().what, "classes");
    assert_eq!(classes, [[7; M]; 2]);
}

#[test]
fn argmax_first_of_the_greatest() {
    most_likely::<f32>();
    most_likely::<f64>();
}

// ------------------------------------------------------------------------- schedules and dropout

fn schedules<T: Real>() {
    // Against the formulas in f64: the cosine of the standard library, and powi.
    for (start, end) in [
        (0, 1),
        (0, 1000),
        (1, 7),
        (100, 1000),
        (10, 10),
        (10, 5),
        (0, 0),
    ] {
        let mut before = 0.0;
        for step in 0..end + 20 {
            let found = schedule::cosine::<T>(step, start..end).to_f64();
            let expected = if step < start {
                (step + 1) as f64 / (start + 1) as f64
            } else if step >= end {
                0.0
            } else {
                let done = (step - start) as f64 / (end - start) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            };
            // In f64 the difference of 1 and the cosine is what is right within an ε of 1.
            let tolerance = 4.0 * f64::EPSILON + epsilon::<T>() * expected;
            assert_close(found, expected, tolerance);
            assert!(
                step >= start || found > before && found < 1.0,
                "the warm-up rises"
            );
            assert!(
                step <= start || found < before || found == 0.0,
                "then it falls"
            );
            before = found;
        }
        if start < end {
            assert_eq!(schedule::cosine::<T>(start, start..end), T::ONE);
        }
    }
    // Far beyond: no overflow.
    assert_eq!(schedule::cosine::<T>(usize::MAX, 0..usize::MAX), T::ZERO);
    assert_eq!(schedule::cosine::<T>(0, 0..usize::MAX), T::ONE);
    assert!(schedule::cosine::<T>(usize::MAX - 1, usize::MAX..usize::MAX) <= T::ONE);

    for factor in [0.5, 0.9, 1.0] {
        for every in [1, 7, 100] {
            for step in 0..300 {
                let factor = T::from_f64(factor);
                let found = schedule::step_decay(step, every, factor).to_f64();
                let n = (step / every) as i32;
                let expected = factor.to_f64().powi(n);
                // As many roundings as factors, at most, and those of powi.
                let tolerance = 2.0 * f64::from(n) * epsilon::<T>() * expected;
                assert_close(found, expected, tolerance.max(1e-45));
            }
        }
    }
    assert_eq!(
        schedule::step_decay(usize::MAX, 0, T::from_f64(0.5)),
        T::ONE
    );
    assert_eq!(
        schedule::step_decay(usize::MAX, 1, T::from_f64(0.5)),
        T::ZERO
    );
}

#[test]
fn learning_rate_schedules() {
    schedules::<f32>();
    schedules::<f64>();
    // The same bits everywhere: these.
    let bits = [3, 60, 400, 999].map(|step| schedule::cosine::<f64>(step, 50..1000).to_bits());
    assert_eq!(bits.map(|bits| format!("{bits:x}")), SCHEDULE_BITS);
}

const SCHEDULE_BITS: [&str; 4] = [
    "3fb4141414141414",
    "3feffdc2b2e28f28",
    "3fe66d582e7d65ba",
    "3ec6ef226020f48c",
];

fn dropout_masks<T: Real>() {
    let random = &mut Random::new(19);
    let n = 40_000.0;
    for p in [0.0, 0.1, 0.5, 0.9] {
        let mut mask = vec![Matrix::<50, 8, T>::zeros(); 100];
        for mask in &mut mask {
            dropout::fill(mask, T::from_f64(p), || random.uniform()).unwrap();
        }
        let flat = Matrix::slice_as_flat(&mask);
        let dropped = flat.iter().filter(|r| **r == T::ZERO).count() as f64;
        // Six standard deviations of a binomial distribution.
        assert_close(dropped, n * p, 6.0 * (n * p * (1.0 - p)).sqrt());
        let kept = flat.iter().filter(|r| **r != T::ZERO);
        for r in kept {
            let expected = 1.0 / (1.0 - p);
            assert_close(r.to_f64(), expected, 4.0 * epsilon::<T>() * expected);
        }
    }
    // p = 0 changes no bit, p = 1 leaves nothing, and the largest p below 1 no infinity.
    let x: Matrix<5, 3, T> = random.flat(3.0);
    let fill = |p: T, random: &mut Random| {
        let mut mask = Matrix::zeros();
        dropout::fill(&mut mask, p, || random.uniform()).unwrap();
        mask
    };
    let mut y = x.clone();
    dropout::apply(&fill(T::ZERO, random), &mut y);
    assert_eq!(scalar_bits(y.as_flat()), scalar_bits(x.as_flat()));
    assert_eq!(fill(T::ONE, random), Matrix::zeros());
    let mut mask = Matrix::<5, 3, T>::zeros();
    let p = T::from_f64(1.0 - epsilon::<T>() / 2.0);
    dropout::fill(&mut mask, p, || p).unwrap();
    assert!(mask.as_flat().iter().all(|r| *r > T::ONE && r.is_finite()));
    // Even a closure that returns 1 makes no infinity of p = 1.
    dropout::fill(&mut mask, T::ONE, || T::ONE).unwrap();
    assert_eq!(mask, Matrix::zeros());

    // Forward and backward: each entry by its own factor, whatever the size.
    fn entries<const R: usize, const C: usize, T: Real>(random: &mut Random) {
        let x: Matrix<R, C, T> = random.flat(3.0);
        let mask: Matrix<R, C, T> = random.flat(2.0);
        let mut y = x.clone();
        dropout::apply(&mask, &mut y);
        for ((y, x), r) in y.as_flat().iter().zip(x.as_flat()).zip(mask.as_flat()) {
            assert_eq!(scalar_bits(&[*y]), scalar_bits(&[*x * *r]));
        }
    }
    entries::<1, 1, T>(random);
    entries::<3, 1, T>(random);
    entries::<7, 3, T>(random);
    entries::<16, 4, T>(random);
    entries::<33, 3, T>(random);
}

#[test]
fn dropout_of_all_probabilities() {
    dropout_masks::<f32>();
    dropout_masks::<f64>();
}

// ----------------------------------------------------------------------------------- whole tasks

/// The weights of a network and of the layer on top of it, their gradients, and what the optimizer remembers.
struct Training<P: Flat, const A: usize, const Y: usize> {
    params: P,
    head: dense::Params<A, Y>,
    grads: P,
    dhead: dense::Params<A, Y>,
    /// Of the network and of the layer on top: the optimizer and its moments.
    adam: [(Adam, Vec<f32>, Vec<f32>); 2],
}

impl<P: Flat<Scalar = f32> + Default, const A: usize, const Y: usize> Training<P, A, Y> {
    fn new(random: &mut Random, learning_rate: f32) -> Self {
        let limit = 1.0 / (A as f32).sqrt();
        let (mut params, mut head) = (P::default(), dense::Params::<A, Y>::zeros());
        init::uniform(&mut params, limit, || random.uniform());
        init::glorot_uniform(&mut head.w, || random.uniform());
        let lengths = [P::LEN, dense::Params::<A, Y>::LEN];
        Training {
            params,
            head,
            grads: P::default(),
            dhead: dense::Params::zeros(),
            adam: lengths.map(|n| (Adam::new(learning_rate), vec![0.0; n], vec![0.0; n])),
        }
    }

    /// Clips the gradients, updates all weights, and sets the gradients back to zero.
    fn update(&mut self) {
        let (grads, dhead) = (self.grads.as_flat_mut(), self.dhead.as_flat_mut());
        clip_by_global_norm(&mut [grads, dhead], 1.0).unwrap();
        let [(adam, m, v), (adam_head, m_head, v_head)] = &mut self.adam;
        adam.update(self.params.as_flat_mut(), grads, m, v).unwrap();
        let head = self.head.as_flat_mut();
        adam_head.update(head, dhead, m_head, v_head).unwrap();
        grads.fill(0.0);
        dhead.fill(0.0);
    }
}

/// An RNN reads six numbers and says their mean: the error falls below a hundredth of the variance.
fn learns_to_add<C>(start: fn(&mut C, &mut Random))
where
    C: Cell<1, 8, Scalar = f32> + Default,
{
    const A: usize = 8;
    const M: usize = 8;
    const STEPS: usize = 6;
    let random = &mut Random::new(7);
    let mut net = Training::<C, A, 1>::new(random, 0.01);
    start(&mut net.params, random);

    let (init, mut recent) = (C::State::<M>::ZEROS, 0.0);
    let (mut a, mut da) = (
        vec![Matrix::<A, M>::zeros(); STEPS],
        vec![Matrix::zeros(); STEPS],
    );
    let mut caches = vec![C::Cache::<M>::ZEROS; STEPS];
    let mut first = None;
    for _ in 0..1500 {
        let x = random.sequence::<1, M, f32>(STEPS, 1.0);
        let mut target = Matrix::<1, M>::zeros();
        for m in 0..M {
            target[(0, m)] = x.iter().map(|x| x[(0, m)]).sum::<f32>() / STEPS as f32;
        }
        let tape = (net.params.forward(&x, &init, &mut a, &mut caches)).unwrap();
        let last = &tape.a()[STEPS - 1];
        let (mut y, mut dy) = (Matrix::zeros(), Matrix::zeros());
        dense::forward(&net.head, last, &mut y);
        let (y, target) = (slice::from_ref(&y), slice::from_ref(&target));
        let value = loss::squared_error(
            y,
            target,
            None,
            Reduction::Mean,
            Some(slice::from_mut(&mut dy)),
        )
        .unwrap();
        first.get_or_insert(value);
        recent += (value - recent) / 100.0;

        da.fill(Matrix::zeros());
        dense::backward(&net.head, last, &dy, &mut net.dhead, &mut da[STEPS - 1]);
        let mut beyond = C::State::ZEROS;
        (tape.backward(&da, &mut net.grads, None, &mut beyond)).unwrap();
        net.update();
    }
    let variance = 1.0 / 3.0 / STEPS as f32;
    assert!(first.unwrap() > 0.1 * variance, "at first {first:?}");
    assert!(recent < 0.01 * variance, "at last {recent}");
}

#[test]
fn rnn_learns_to_add() {
    learns_to_add::<rnn::Params<1, 8>>(|cell, random| {
        init::orthogonal(&mut cell.wa, || random.uniform());
    });
}

#[test]
fn rnn_with_relu_learns_to_add() {
    learns_to_add::<rnn::Relu<1, 8>>(|cell, _| {
        cell.0.wa.set_zeros();
        (0..8).for_each(|r| cell.0.wa[(r, r)] = 1.0);
        cell.0.b.set_zeros();
    });
}

const SYMBOLS: usize = 4;

/// A cell reads random symbols and repeats each three steps later: hardly ever a wrong one.
fn learns_to_echo<C>(start: fn(&mut C))
where
    C: Cell<SYMBOLS, 16, Scalar = f32> + Default,
{
    const A: usize = 16;
    const M: usize = 8;
    const STEPS: usize = 12;
    const DELAY: usize = 3;
    let random = &mut Random::new(8);
    let mut net = Training::<C, A, SYMBOLS>::new(random, 0.02);
    start(&mut net.params);

    let init = C::State::<M>::ZEROS;
    let mut caches = vec![C::Cache::<M>::ZEROS; STEPS];
    let (mut a, mut da) = (
        vec![Matrix::<A, M>::zeros(); STEPS],
        vec![Matrix::zeros(); STEPS],
    );
    let (mut y, mut dy) = (vec![Matrix::zeros(); STEPS], vec![Matrix::zeros(); STEPS]);
    let mut losses = vec![];
    for _ in 0..500 {
        let symbols: Vec<[usize; M]> = (0..STEPS)
            .map(|_| [0; M].map(|_| random.index(SYMBOLS)))
            .collect();
        let mut x = vec![Matrix::<SYMBOLS, M>::zeros(); STEPS];
        for (x, symbols) in x.iter_mut().zip(&symbols) {
            for (m, &symbol) in symbols.iter().enumerate() {
                x[(symbol, m)] = 1.0;
            }
        }
        let tape = (net.params.forward(&x, &init, &mut a, &mut caches)).unwrap();
        dense::sequence_forward(&net.head, tape.a(), &mut y).unwrap();
        // Nothing is asked for in the first steps.
        dy.fill(Matrix::zeros());
        let value = loss::softmax_cross_entropy_classes(
            &y[DELAY..],
            &symbols[..STEPS - DELAY],
            None,
            Reduction::Mean,
            Some(&mut dy[DELAY..]),
        );
        losses.push(value.unwrap());
        (dense::sequence_backward(&net.head, tape.a(), &dy, &mut net.dhead, &mut da)).unwrap();
        let mut beyond = C::State::ZEROS;
        (tape.backward(&da, &mut net.grads, None, &mut beyond)).unwrap();
        net.update();
    }
    let guess = (SYMBOLS as f32).ln(); // the loss of a blind guess
    assert!(losses[0] > 0.9 * guess, "at first {}", losses[0]);
    let recent = losses[450..].iter().sum::<f32>() / 50.0;
    assert!(recent < 0.02 * guess, "at last {recent}");
}

#[test]
fn lstm_learns_to_echo() {
    learns_to_echo::<lstm::Params<SYMBOLS, 16>>(|cell| init::forget_bias(cell, 1.0));
}

#[test]
fn grus_learn_to_echo() {
    learns_to_echo::<gru::ResetAfter<SYMBOLS, 16>>(|cell| cell.u.b.fill(1.0));
    learns_to_echo::<gru::ResetBefore<SYMBOLS, 16>>(|cell| cell.u.b.fill(1.0));
}
