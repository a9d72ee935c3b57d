//! The two derivations of the LSTM's gradient that are printed in `src/lstm.rs` are the same gradient, and the crate's.
//!
//! Both are written out as plain scalar code, (7) to (16) in `tests/common/textbook.rs` and (12′) to (16′) here, and compared with
//! each other and with `lstm::cell_backward`. The equations of `src/rnn.rs` are compared with `Tape::backward` of an RNN in the
//! same way. The mistakes that are common in print must come out different, so that the comparison is
//! known to tell right from wrong.
//!
//! The tolerance is no guess: every number carries a bound of its rounding error ([`Bounded`]).

#[path = "common/random.rs"]
mod random;
#[path = "common/textbook.rs"]
mod textbook;

use std::ops::{Add, Mul, Sub};
use std::slice;

use bptt::{Cell, Flat, Matrix, lstm, rnn};
use random::Random;
use textbook::{ACTIVATION, Gate, Gradients, Local, Number, Sizes, Through};

/// The greatest relative error of one rounding in f64: u = 2⁻⁵³.
const U: f64 = f64::EPSILON / 2.0;

/// Random networks of each shape.
const CASES: u64 = 50;

/// How many times its tolerance a wrong gradient must be away from the right one.
const FAR: f64 = 1e6;

/// A number computed in f64, and a bound of its distance to the exact result.
///
/// Each operation hands on the errors of its operands, to first order, and adds its own rounding: u of the result, or
/// [`ACTIVATION`]·u for the value of a function. A sum of n terms adds (n − 1)·u·Σ|term|, which holds whatever the
/// order of the terms; so the bound holds for the crate's order too.
#[derive(Clone, Copy)]
struct Bounded {
    value: f64,
    error: f64,
}

impl Bounded {
    /// `value` after a rounding of `units`·u, with the error `error` from the operands.
    fn rounded(value: f64, error: f64, units: f64) -> Bounded {
        Bounded {
            value,
            error: error + units * U * value.abs(),
        }
    }
}

impl Add for Bounded {
    type Output = Bounded;
    fn add(self, other: Bounded) -> Bounded {
        Bounded::rounded(self.value + other.value, self.error + other.error, 1.0)
    }
}
impl Sub for Bounded {
    type Output = Bounded;
    fn sub(self, other: Bounded) -> Bounded {
        Bounded::rounded(self.value - other.value, self.error + other.error, 1.0)
    }
}
impl Mul for Bounded {
    type Output = Bounded;
    fn mul(self, other: Bounded) -> Bounded {
        let error = self.error * other.value.abs() + other.error * self.value.abs();
        Bounded::rounded(self.value * other.value, error, 1.0)
    }
}
impl Number for Bounded {
    fn from_f64(value: f64) -> Bounded {
        Bounded { value, error: 0.0 }
    }
    fn apply(self, f: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> Bounded {
        let error = slope(self.value).abs() * self.error;
        Bounded::rounded(f(self.value), error, ACTIVATION)
    }
    fn sum(terms: impl Iterator<Item = Bounded>) -> Bounded {
        let (mut sum, mut magnitude, mut roundings) = (Bounded::from_f64(0.0), 0.0, -1.0);
        for term in terms {
            sum.value += term.value;
            sum.error += term.error;
            magnitude += term.value.abs();
            roundings += 1.0;
        }
        sum.error += roundings * U * magnitude;
        sum
    }
}

/// A gradient by the names of its parts.
type Named<N> = Vec<(&'static str, Vec<N>)>;

/// The greatest distance of two gradients, in units of what rounding explains.
fn distance(left: &[(&str, Vec<Bounded>)], right: &[(&str, Vec<Bounded>)]) -> f64 {
    let mut greatest = 0.0;
    assert_eq!(left.len(), right.len());
    for ((name, left), (other_name, right)) in left.iter().zip(right) {
        assert_eq!((name, left.len()), (other_name, right.len()));
        for (left, right) in left.iter().zip(right) {
            let difference = (left.value - right.value).abs();
            if difference > 0.0 {
                greatest = f64::max(greatest, difference / (left.error + right.error));
            }
            assert!(difference.is_finite(), "{name}");
        }
    }
    greatest
}

/// The crate's gradient, with the error bounds of the textbook's: it has the same roundings in another order.
fn as_bounded(found: Named<f64>, textbook: &Named<Bounded>) -> Named<Bounded> {
    assert_eq!(found.len(), textbook.len());
    let with_errors = |((name, found), (_, bounds)): ((_, Vec<f64>), &(_, Vec<Bounded>))| {
        assert_eq!(found.len(), bounds.len());
        let entries = found.into_iter().zip(bounds);
        let entries = entries.map(|(value, &Bounded { error, .. })| Bounded { value, error });
        (name, entries.collect())
    };
    found.into_iter().zip(textbook).map(with_errors).collect()
}

fn bounded(values: &[f64]) -> Vec<Bounded> {
    values.iter().map(|&x| Bounded::from_f64(x)).collect()
}

fn random(rng: &mut Random, len: usize, limit: f64) -> Vec<f64> {
    let mut numbers = vec![0.0; len];
    rng.fill(&mut numbers, limit);
    numbers
}

/// Random weights \[Wa | Wx\] and b of a gate, column-major, as the crate has them.
fn random_weights(rng: &mut Random, s: Sizes) -> Vec<f64> {
    let limit = 2.0 / ((s.a + s.x) as f64).sqrt();
    random(rng, s.a * (s.a + s.x + 1), limit)
}

fn gate(weights: &[f64], s: Sizes) -> Gate<Bounded> {
    let (w, b) = weights.split_at(s.a * (s.a + s.x));
    Gate {
        w: bounded(w),
        b: bounded(b),
    }
}

// ---------------------------------------------------------------------------------------------------------------
// LSTM
// ---------------------------------------------------------------------------------------------------------------

/// The pre-multiplied form, (12′) to (16′), of `src/lstm.rs`.
fn pre_multiplied(local: Local<Bounded>) -> Through<Bounded> {
    let one = Bounded::from_f64(1.0);
    let Local {
        da,
        dc_next,
        f,
        i,
        cc,
        o,
        tanh_c,
        c_prev,
    } = local;
    Through {
        dz: [
            (dc_next * c_prev + o * (one - tanh_c * tanh_c) * c_prev * da) * f * (one - f), // (13′)
            (dc_next * cc + o * (one - tanh_c * tanh_c) * cc * da) * i * (one - i),         // (14′)
            (dc_next * i + o * (one - tanh_c * tanh_c) * i * da) * (one - cc * cc),         // (15′)
            da * tanh_c * o * (one - o),                                                    // (16′)
        ],
        dc_prev: dc_next * f + o * (one - tanh_c * tanh_c) * f * da, // (12′)
    }
}

/// The pre-multiplied form as it is often misread: without the brackets of gate `g`, so that the derivative of its
/// activation multiplies the second term alone.
fn brackets_dropped(local: Local<Bounded>, g: usize) -> Through<Bounded> {
    let one = Bounded::from_f64(1.0);
    let Local {
        da,
        dc_next,
        f,
        i,
        cc,
        o,
        tanh_c,
        c_prev,
    } = local;
    let mut through = pre_multiplied(local);
    through.dz[g] = match g {
        0 => dc_next * c_prev + o * (one - tanh_c * tanh_c) * c_prev * da * f * (one - f),
        1 => dc_next * cc + o * (one - tanh_c * tanh_c) * cc * da * i * (one - i),
        2 => dc_next * i + o * (one - tanh_c * tanh_c) * i * da * (one - cc * cc),
        _ => panic!("(16′) has no brackets"),
    };
    through
}

fn lstm_named<N>(gradients: Gradients<N, 4>, dc_prev: Vec<N>) -> Named<N> {
    let mut named = vec![
        ("dx", gradients.dx),
        ("da_prev", gradients.da0),
        ("dc_prev", dc_prev),
    ];
    named.extend(
        ["dz_f", "dz_i", "dz_g", "dz_o"]
            .into_iter()
            .zip(gradients.dz),
    );
    for (gate, [dw, db]) in gradients.gates.into_iter().zip([
        ["dW_f", "db_f"],
        ["dW_i", "db_i"],
        ["dW_c", "db_c"],
        ["dW_o", "db_o"],
    ]) {
        named.extend([(dw, gate.w), (db, gate.b)]);
    }
    named
}

/// What `lstm::cell_forward` and `lstm::cell_backward` make of one step.
fn lstm_of_the_crate<const X: usize, const A: usize, const M: usize>(
    params: &[f64],
    x: &[f64],
    prev: &[f64],
    dstate: &[f64],
) -> Named<f64> {
    let params = lstm::Params::<X, A, f64>::from_flat(params).unwrap();
    let x = Matrix::<X, M, f64>::from_flat(x).unwrap();
    let prev = lstm::State::<A, M, f64>::from_flat(prev).unwrap();
    let (mut next, mut cache) = (lstm::State::zeros(), lstm::Cache::zeros());
    lstm::cell_forward(params, x, prev, &mut next, &mut cache);

    let mut dstate = lstm::State::from_flat(dstate).unwrap().clone();
    let (mut grads, mut dx) = (lstm::Params::zeros(), Matrix::zeros());
    lstm::cell_backward(
        params,
        x,
        prev,
        &mut cache,
        &mut dstate,
        &mut grads,
        &mut dx,
    );
    let dz = [cache.f, cache.i, cache.g, cache.o];
    let gates = [&grads.f, &grads.i, &grads.g, &grads.o];
    let gradients = Gradients {
        dz: dz.map(|dz| dz.as_flat().to_vec()),
        gates: gates.map(|gate| {
            let (w, b) = gate.as_flat().split_at(A * (A + X));
            Gate {
                w: w.to_vec(),
                b: b.to_vec(),
            }
        }),
        dx: dx.as_flat().to_vec(),
        da0: dstate.a.as_flat().to_vec(),
    };
    lstm_named(gradients, dstate.c.as_flat().to_vec())
}

/// Random cells of one shape; returns the greatest distance of the right gradients.
fn lstm_cells<const X: usize, const A: usize, const M: usize>() -> f64 {
    let s = Sizes {
        x: X,
        a: A,
        m: M,
        t: 1,
    };
    let mut greatest = 0.0;
    for seed in 0..CASES {
        let rng = &mut Random::new(seed);
        let weights = [(); 4].map(|()| random_weights(rng, s));
        let gates = weights.each_ref().map(|weights| gate(weights, s));
        let x = random(rng, X * M, 1.0);
        let prev = random(rng, 2 * A * M, 1.0); // a, then c
        let dstate = random(rng, 2 * A * M, 1.0);

        let (a0, c0) = prev.split_at(A * M);
        let (da, dc_next) = dstate.split_at(A * M);
        let [x_bounded, a0, c0, da, dc_next] = [&x[..], a0, c0, da, dc_next].map(bounded);
        let forward = textbook::lstm_forward(s, &gates, &x_bounded, &a0, &c0);
        let gradient = |through: &dyn Fn(Local<Bounded>) -> Through<Bounded>| {
            let start = (&a0[..], &c0[..]);
            let (gradients, dc_prev) = textbook::lstm_backward(
                s, &gates, &x_bounded, start, &forward, &da, &dc_next, through,
            );
            lstm_named(gradients, dc_prev)
        };

        let first = gradient(&textbook::step_by_step);
        let second = gradient(&pre_multiplied);
        let found = lstm_of_the_crate::<X, A, M>(&weights.concat(), &x, &prev, &dstate);
        let found = as_bounded(found, &first);
        for (what, distance) in [
            ("the two derivations", distance(&first, &second)),
            ("(7) to (21) and the crate", distance(&first, &found)),
            ("(12′) to (16′) and the crate", distance(&second, &found)),
        ] {
            assert!(
                distance <= 1.0,
                "{what} differ by {distance} tolerances; {s:?}, seed {seed}"
            );
            greatest = f64::max(greatest, distance);
        }
        for g in 0..3 {
            let wrong = gradient(&|local| brackets_dropped(local, g));
            let distance = distance(&wrong, &found);
            assert!(
                distance > FAR,
                "gate {g} without brackets is only {distance} tolerances away; {s:?}, seed {seed}"
            );
        }
    }
    greatest
}

/// Step by step, pre-multiplied, and `cell_backward`: one gradient; without the brackets, another.
#[test]
fn both_derivations_of_the_lstm_are_the_gradient_of_the_crate() {
    let greatest = [
        lstm_cells::<1, 1, 1>(),
        lstm_cells::<3, 5, 2>(),
        lstm_cells::<2, 8, 4>(),
        lstm_cells::<4, 17, 1>(),
    ];
    println!("greatest differences, in units of the tolerance: {greatest:.3?}");
    assert!(
        greatest.iter().all(|&greatest| greatest > 0.01),
        "the tolerance is far wider than the differences: {greatest:?}"
    );
}

// ---------------------------------------------------------------------------------------------------------------
// RNN
// ---------------------------------------------------------------------------------------------------------------

fn rnn_named<N>(gradients: Gradients<N, 1>) -> Named<N> {
    let Gradients {
        dz: [dz],
        gates: [Gate { w, b }],
        dx,
        da0,
    } = gradients;
    vec![("dz", dz), ("dW", w), ("db", b), ("da0", da0), ("dx", dx)]
}

/// What the crate makes of a sequence, forward and backward.
fn rnn_of_the_crate<const X: usize, const A: usize, const M: usize>(
    params: &[f64],
    x: &[f64],
    a0: &[f64],
    da: &[f64],
) -> Named<f64> {
    let params = rnn::Params::<X, A, f64>::from_flat(params).unwrap();
    let x = Matrix::<X, M, f64>::slice_from_flat(x).unwrap();
    let a0 = Matrix::<A, M, f64>::from_flat(a0).unwrap();
    let da = Matrix::<A, M, f64>::slice_from_flat(da).unwrap();
    let (mut a, mut dz) = (da.to_vec(), da.to_vec()); // to be overwritten
    let tape = params.forward(x, a0, &mut a, &mut dz).unwrap();

    let (mut grads, mut da_state) = (rnn::Params::zeros(), Matrix::zeros());
    let mut dx = x.to_vec(); // to be overwritten
    (tape.backward(da, &mut grads, Some(&mut dx), &mut da_state)).unwrap();
    let (w, b) = grads.as_flat().split_at(A * (A + X));
    rnn_named(Gradients {
        dz: [Flat::slice_as_flat(&dz).to_vec()],
        gates: [Gate {
            w: w.to_vec(),
            b: b.to_vec(),
        }],
        dx: Flat::slice_as_flat(&dx).to_vec(),
        da0: da_state.as_flat().to_vec(),
    })
}

/// Random sequences of one shape; returns the greatest distance of the right gradients.
fn rnn_sequences<const X: usize, const A: usize, const M: usize>() -> f64 {
    let mut greatest = 0.0;
    for seed in 0..CASES {
        let rng = &mut Random::new(seed);
        let s = Sizes {
            x: X,
            a: A,
            m: M,
            t: 2 + rng.index(5),
        };
        let weights = random_weights(rng, s);
        let x = random(rng, X * M * s.t, 1.0);
        let a0 = random(rng, A * M, 1.0);
        let da = random(rng, A * M * s.t, 1.0);

        let gate = gate(&weights, s);
        let [x_bounded, a0_bounded, da_bounded] = [&x, &a0, &da].map(|values| bounded(values));
        let a = textbook::rnn_forward(s, &gate, &x_bounded, &a0_bounded, Number::tanh);
        let gradient = |through: fn(Bounded, Bounded) -> Bounded| {
            textbook::rnn_backward(s, &gate, &x_bounded, &a0_bounded, &a, &da_bounded, through)
        };

        let right = rnn_named(gradient(textbook::through_tanh));
        let found = as_bounded(rnn_of_the_crate::<X, A, M>(&weights, &x, &a0, &da), &right);
        let difference = distance(&right, &found);
        assert!(
            difference <= 1.0,
            "(3) to (9) and the crate differ by {difference} tolerances; {s:?}, seed {seed}"
        );
        greatest = f64::max(greatest, difference);

        // The first mistake: without (4) the products take dh in the place of dz. It spoils every part.
        let without_derivative = rnn_named(gradient(|dh, _| dh));
        for (wrong, found) in without_derivative.iter().zip(&found) {
            let distance = distance(slice::from_ref(wrong), slice::from_ref(found));
            assert!(
                distance > FAR,
                "{} without (4) is only {distance} tolerances away; {s:?}, seed {seed}",
                found.0
            );
        }
        // The second: dx⟨t+1⟩ added to dx⟨t⟩.
        let mut carried = gradient(textbook::through_tanh);
        for i in (0..X * M * (s.t - 1)).rev() {
            carried.dx[i] = carried.dx[i] + carried.dx[i + X * M];
        }
        let distance = distance(&rnn_named(carried), &found);
        assert!(
            distance > FAR,
            "dx with dx⟨t+1⟩ is only {distance} tolerances away; {s:?}, seed {seed}"
        );
    }
    greatest
}

/// The equations of `src/rnn.rs` are what the crate computes; the two common mistakes are not.
#[test]
fn the_equations_of_the_rnn_are_the_gradient_of_the_crate() {
    let greatest = [
        rnn_sequences::<1, 1, 1>(),
        rnn_sequences::<3, 5, 2>(),
        rnn_sequences::<2, 8, 4>(),
        rnn_sequences::<4, 17, 1>(),
    ];
    println!("greatest differences, in units of the tolerance: {greatest:.3?}");
    assert!(
        greatest.iter().all(|&greatest| greatest > 0.01),
        "the tolerance is far wider than the differences: {greatest:?}"
    );
}
