//! Every gradient is the true gradient: finite differences in f64 over every single parameter, input and initial state.
//!
//! The objective is a loss on top of a dense layer on top of a network, plus a linear function of the
//! final state, whose coefficients are the gradients that backward is given from beyond the end. proptest draws the
//! shape, the number of steps, the loss, and a seed from which all values come. With
//! `PROPTEST_RNG_SEED` and `PROPTEST_CASES` it draws others, or more.
//!
//! # How exact a difference is
//!
//! The central difference D(h) = (f(θ + h) − f(θ − h)) / 2h is f′ + c₂·h² + c₄·h⁴ + c₆·h⁶ + c₈·h⁸ + …, with c₈ = f⁽⁹⁾/9!. From D(h), D(h/2),
//! D(h/4) and D(h/8) Richardson's extrapolation takes the first three terms away. What is left of the fourth is
//! c₈·h⁸/(4·16·64), and of the rounding errors of f, r at most, 14·r/h.
//!
//! With h = 2⁻⁵ the first is 2⁻⁵²/9!·f⁽⁹⁾ = 6·10⁻²²·f⁽⁹⁾. The ninth derivative of tanh is at most 7936 (of σ: 31/4). It is multiplied by what
//! follows in the network, and added up over steps and samples; weights of at most 1/√A keep that from
//! growing along the sequence. 10¹⁰ is ample, and gives 6·10⁻¹². The second: f is a sum of at most 100 terms of order 1, each
//! through some 10 operations, r < 10³·2⁻⁵³ = 10⁻¹³ at the very worst, which gives 5·10⁻¹¹. So a gradient may differ by `TOLERANCE` = 10⁻¹⁰,
//! and where the objective is larger than 1, by so many times that.

#[path = "common/random.rs"]
mod random;

use std::{env, slice};

use bptt::loss::{self, Reduction};
use bptt::lstm::{self, Cache, State};
use bptt::{Cell, Flat, Matrix, dense, rnn};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use random::Random;

const TOLERANCE: f64 = 1e-10;
const STEP: f64 = 1.0 / 32.0;

/// What the objective depends on, or the gradient with respect to it: named parts, flat.
type Parts = Vec<(&'static str, Vec<f64>)>;

fn flat<F: Flat<Scalar = f64>>(value: &F) -> Vec<f64> {
    value.as_flat().to_vec()
}

/// df/dθ for one scalar θ, of which `f` is given the deviation.
fn derivative(mut f: impl FnMut(f64) -> f64) -> f64 {
    let mut d = [1.0, 2.0, 4.0, 8.0]
        .map(|n| STEP / n)
        .map(|h| (f(h) - f(-h)) / (2.0 * h));
    for (level, factor) in [4.0, 16.0, 64.0].into_iter().enumerate() {
        for i in 0..d.len() - 1 - level {
            d[i] = (factor * d[i + 1] - d[i]) / (factor - 1.0);
        }
    }
    d[0]
}

/// Compares every scalar of `gradient` with the finite difference of `objective` at `theta`.
fn check(
    context: &str,
    mut theta: Parts,
    gradient: Parts,
    mut objective: impl FnMut(&Parts) -> f64,
) {
    let tolerance = TOLERANCE * objective(&theta).abs().max(1.0);
    assert_eq!(theta.len(), gradient.len());
    for part in 0..theta.len() {
        let name = theta[part].0;
        assert_eq!(name, gradient[part].0);
        assert_eq!(theta[part].1.len(), gradient[part].1.len());
        for i in 0..theta[part].1.len() {
            let at = theta[part].1[i];
            let expected = derivative(|h| {
                theta[part].1[i] = at + h;
                objective(&theta)
            });
            theta[part].1[i] = at;
            let found = gradient[part].1[i];
            assert!(
                (found - expected).abs() <= tolerance, // false for NaN
                "{context}: d {name}[{i}] = {found:e}, by finite differences {expected:e}"
            );
        }
    }
}

/// How large the weights of a layer of `a` units are.
fn limit(a: usize) -> f64 {
    1.0 / (a as f64).sqrt()
}

/// Σ of the products of the entries.
fn inner(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A matrix that shows where it was not overwritten.
fn nan<const R: usize, const C: usize>() -> Matrix<R, C, f64> {
    let mut w = Matrix::zeros();
    w.fill(f64::NAN);
    w
}

// --------------------------------------------------------------------------- what stands on top

#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Softmax cross-entropy against probabilities (which need not add up to 1).
    Probabilities,
    /// Softmax cross-entropy against class indices.
    Classes,
    /// Squared error.
    Squared,
    /// Squared error of the probabilities, through softmax and `softmax_backward`.
    SquaredProbabilities,
}

/// A loss with everything that it is compared with.
struct Top<const Y: usize, const M: usize> {
    loss: Loss,
    reduction: Reduction,
    target: Vec<Matrix<Y, M, f64>>,
    classes: Vec<[usize; M]>,
}

impl<const Y: usize, const M: usize> Top<Y, M> {
    fn random(drawn: &Drawn, random: &mut Random) -> Self {
        let mut target = random.sequence::<Y, M, f64>(drawn.steps, 1.0);
        if let Loss::Probabilities = drawn.loss {
            for p in Matrix::slice_as_flat_mut(&mut target) {
                *p = p.abs();
            }
        }
        let classes = (0..drawn.steps).map(|_| [0; M].map(|_| random.index(Y)));
        Top {
            loss: drawn.loss,
            reduction: drawn.reduction,
            target,
            classes: classes.collect(),
        }
    }

    /// The loss of the logits or outputs `y`, and its gradient.
    fn of(&self, y: &[Matrix<Y, M, f64>]) -> (f64, Vec<Matrix<Y, M, f64>>) {
        let mut dy = vec![nan(); y.len()];
        let (target, classes, reduction) = (&self.target, &self.classes, self.reduction);
        let value = match self.loss {
            Loss::Probabilities => {
                loss::softmax_cross_entropy(y, target, None, reduction, Some(&mut dy)).unwrap()
            }
            Loss::Classes => {
                loss::softmax_cross_entropy_classes(y, classes, None, reduction, Some(&mut dy))
                    .unwrap()
            }
            Loss::Squared => {
                loss::squared_error(y, target, None, reduction, Some(&mut dy)).unwrap()
            }
            Loss::SquaredProbabilities => {
                let mut y = y.to_vec();
                y.iter_mut().for_each(dense::softmax);
                let value =
                    loss::squared_error(&y, target, None, reduction, Some(&mut dy)).unwrap();
                for (y, dy) in y.iter().zip(&mut dy) {
                    dense::softmax_backward(y, dy);
                }
                value
            }
        };
        (value, dy)
    }

    /// The loss of a dense layer over a sequence.
    fn value<const A: usize>(
        &self,
        head: &dense::Params<A, Y, f64>,
        a: &[Matrix<A, M, f64>],
    ) -> f64 {
        let mut y = vec![nan(); a.len()];
        dense::sequence_forward(head, a, &mut y).unwrap();
        self.of(&y).0
    }

    /// The gradients with respect to the dense layer and to `a`.
    fn gradient<const A: usize>(
        &self,
        head: &dense::Params<A, Y, f64>,
        a: &[Matrix<A, M, f64>],
    ) -> (dense::Params<A, Y, f64>, Vec<Matrix<A, M, f64>>) {
        let mut y = vec![nan(); a.len()];
        dense::sequence_forward(head, a, &mut y).unwrap();
        let (_, dy) = self.of(&y);
        let (mut grads, mut da) = (dense::Params::zeros(), vec![nan(); a.len()]);
        dense::sequence_backward(head, a, &dy, &mut grads, &mut da).unwrap();
        (grads, da)
    }
}

// ------------------------------------------------------------------------------ what is drawn

#[derive(Clone, Debug)]
struct Drawn {
    steps: usize,
    loss: Loss,
    reduction: Reduction,
    seed: u64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    use Loss::*;
    (
        select(&[0, 1, 2, 5]),
        select(&[Probabilities, Classes, Squared, SquaredProbabilities]),
        select(&[Reduction::Sum, Reduction::Mean]),
        any::<u64>(),
    )
        .prop_map(|(steps, loss, reduction, seed)| Drawn {
            steps,
            loss,
            reduction,
            seed,
        })
}

/// The same draws in every run, unless the environment asks for others.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.failure_persistence = None;
    config.max_shrink_iters = 64;
    config
}

/// A check for one shape.
type Check = fn(&Drawn);

// -------------------------------------------------------------------------------------------- RNN

/// A sequence through an RNN.
fn rnn_sequence<const X: usize, const A: usize, const M: usize, const Y: usize>(drawn: &Drawn) {
    let random = &mut Random::new(drawn.seed);
    let params: rnn::Params<X, A, f64> = random.flat(limit(A));
    let x = random.sequence::<X, M, f64>(drawn.steps, 1.0);
    let a0: Matrix<A, M, f64> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let beyond: Matrix<A, M, f64> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let mut a = vec![nan(); x.len()];
    let mut caches = a.clone();
    let tape = params.forward(&x, &a0, &mut a, &mut caches).unwrap();
    let (dhead, da) = top.gradient(&head, tape.a());
    let (mut grads, mut dx, mut da0) = (rnn::Params::zeros(), vec![nan(); x.len()], beyond.clone());
    (tape.backward(&da, &mut grads, Some(&mut dx), &mut da0)).unwrap();

    let theta = vec![
        ("params", flat(&params)),
        ("x", Flat::slice_as_flat(&x).to_vec()),
        ("a0", flat(&a0)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("params", flat(&grads)),
        ("x", Flat::slice_as_flat(&dx).to_vec()),
        ("a0", flat(&da0)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("RNN, X {X}, A {A}, M {M}, Y {Y}"),
        theta,
        gradient,
        |theta| {
            let params = rnn::Params::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::slice_from_flat(&theta[1].1).unwrap();
            let a0 = Matrix::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            let mut last = nan();
            let tape = params.forward(x, a0, &mut a, &mut caches).unwrap();
            tape.last(&mut last);
            top.value(head, tape.a()) + inner(last.as_flat(), beyond.as_flat())
        },
    );
}

/// One step through an RNN cell.
fn rnn_cell<const X: usize, const A: usize, const M: usize, const Y: usize>(drawn: &Drawn) {
    let drawn = &Drawn {
        steps: 1,
        ..drawn.clone()
    };
    let random = &mut Random::new(drawn.seed);
    let params: rnn::Params<X, A, f64> = random.flat(limit(A));
    let x: Matrix<X, M, f64> = random.flat(1.0);
    let a_prev: Matrix<A, M, f64> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let (mut a, mut y, mut dstate) = (nan(), nan(), nan());
    rnn::cell_forward(&params, &x, &a_prev, &mut a);
    dense::forward(&head, &a, &mut y);
    let (_, dy) = top.of(slice::from_ref(&y));
    let mut dhead = dense::Params::zeros();
    dense::backward(&head, &a, &dy[0], &mut dhead, &mut dstate);
    let (mut grads, mut dx, mut dz) = (rnn::Params::zeros(), nan(), nan());
    rnn::cell_backward(
        &params,
        &x,
        &a_prev,
        &a,
        &mut dz,
        &mut dstate,
        &mut grads,
        &mut dx,
    );

    let theta = vec![
        ("params", flat(&params)),
        ("x", flat(&x)),
        ("a_prev", flat(&a_prev)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("params", flat(&grads)),
        ("x", flat(&dx)),
        ("a_prev", flat(&dstate)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("RNN cell, X {X}, A {A}, M {M}, Y {Y}"),
        theta,
        gradient,
        |theta| {
            let params = rnn::Params::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::from_flat(&theta[1].1).unwrap();
            let a_prev = Matrix::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            rnn::cell_forward(params, x, a_prev, &mut a);
            dense::forward(head, &a, &mut y);
            top.of(slice::from_ref(&y)).0
        },
    );
}

const RNN: [(Check, Check); 5] = [
    (rnn_sequence::<1, 1, 1, 1>, rnn_cell::<1, 1, 1, 1>),
    (rnn_sequence::<2, 3, 2, 2>, rnn_cell::<2, 3, 2, 2>),
    (rnn_sequence::<3, 1, 3, 3>, rnn_cell::<3, 1, 3, 3>),
    (rnn_sequence::<1, 9, 4, 2>, rnn_cell::<1, 9, 4, 2>),
    (rnn_sequence::<4, 6, 5, 3>, rnn_cell::<4, 6, 5, 3>),
];

// ------------------------------------------------------------------------------------------- LSTM

/// A sequence through an LSTM.
fn lstm_sequence<const X: usize, const A: usize, const M: usize, const Y: usize>(drawn: &Drawn) {
    let random = &mut Random::new(drawn.seed);
    let params: lstm::Params<X, A, f64> = random.flat(limit(A));
    let x = random.sequence::<X, M, f64>(drawn.steps, 1.0);
    let init: State<A, M, f64> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let beyond: State<A, M, f64> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let (mut a, mut caches) = (vec![nan(); x.len()], vec![Cache::zeros(); x.len()]);
    let tape = params.forward(&x, &init, &mut a, &mut caches).unwrap();
    let (dhead, da) = top.gradient(&head, tape.a());
    let (mut grads, mut dx, mut dstate) =
        (lstm::Params::zeros(), vec![nan(); x.len()], beyond.clone());
    (tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();

    let theta = vec![
        ("params", flat(&params)),
        ("x", Flat::slice_as_flat(&x).to_vec()),
        ("init", flat(&init)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("params", flat(&grads)),
        ("x", Flat::slice_as_flat(&dx).to_vec()),
        ("init", flat(&dstate)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("LSTM, X {X}, A {A}, M {M}, Y {Y}"),
        theta,
        gradient,
        |theta| {
            let params = lstm::Params::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::slice_from_flat(&theta[1].1).unwrap();
            let init = State::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            let mut last = State::zeros();
            let tape = params.forward(x, init, &mut a, &mut caches).unwrap();
            tape.last(&mut last);
            top.value(head, tape.a()) + inner(last.as_flat(), beyond.as_flat())
        },
    );
}

/// One step through an LSTM cell.
fn lstm_cell<const X: usize, const A: usize, const M: usize, const Y: usize>(drawn: &Drawn) {
    let drawn = &Drawn {
        steps: 1,
        ..drawn.clone()
    };
    let random = &mut Random::new(drawn.seed);
    let params: lstm::Params<X, A, f64> = random.flat(limit(A));
    let x: Matrix<X, M, f64> = random.flat(1.0);
    let prev: State<A, M, f64> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let beyond_c: Matrix<A, M, f64> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let (mut next, mut cache, mut y) = (State::zeros(), Cache::zeros(), nan());
    lstm::cell_forward(&params, &x, &prev, &mut next, &mut cache);
    dense::forward(&head, &next.a, &mut y);
    let (_, dy) = top.of(slice::from_ref(&y));
    let (mut dhead, mut dx) = (dense::Params::zeros(), nan());
    let mut dstate = State {
        a: nan(),
        c: beyond_c.clone(),
    };
    dense::backward(&head, &next.a, &dy[0], &mut dhead, &mut dstate.a);
    let mut grads = lstm::Params::zeros();
    lstm::cell_backward(
        &params,
        &x,
        &prev,
        &mut cache,
        &mut dstate,
        &mut grads,
        &mut dx,
    );

    let theta = vec![
        ("params", flat(&params)),
        ("x", flat(&x)),
        ("prev", flat(&prev)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("params", flat(&grads)),
        ("x", flat(&dx)),
        ("prev", flat(&dstate)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("LSTM cell, X {X}, A {A}, M {M}, Y {Y}"),
        theta,
        gradient,
        |theta| {
            let params = lstm::Params::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::from_flat(&theta[1].1).unwrap();
            let prev = State::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            lstm::cell_forward(params, x, prev, &mut next, &mut cache);
            dense::forward(head, &next.a, &mut y);
            top.of(slice::from_ref(&y)).0 + inner(next.c.as_flat(), beyond_c.as_flat())
        },
    );
}

const LSTM: [(Check, Check); 5] = [
    (lstm_sequence::<1, 1, 1, 1>, lstm_cell::<1, 1, 1, 1>),
    (lstm_sequence::<2, 3, 2, 2>, lstm_cell::<2, 3, 2, 2>),
    (lstm_sequence::<3, 1, 3, 3>, lstm_cell::<3, 1, 3, 3>),
    (lstm_sequence::<1, 9, 4, 2>, lstm_cell::<1, 9, 4, 2>),
    (lstm_sequence::<4, 6, 5, 3>, lstm_cell::<4, 6, 5, 3>),
];

// ------------------------------------------------------------------------------------------ stack

/// Two layers: an RNN, and on its output an LSTM. The dx of the upper is the da of the lower.
fn stack<const X: usize, const A: usize, const B: usize, const M: usize, const Y: usize>(
    drawn: &Drawn,
) {
    let random = &mut Random::new(drawn.seed);
    let lower: rnn::Params<X, A, f64> = random.flat(limit(A));
    let upper: lstm::Params<A, B, f64> = random.flat(limit(B));
    let x = random.sequence::<X, M, f64>(drawn.steps, 1.0);
    let a0: Matrix<A, M, f64> = random.flat(1.0);
    let init: State<B, M, f64> = random.flat(1.0);
    let head: dense::Params<B, Y, f64> = random.flat(1.0);
    let beyond_lower: Matrix<A, M, f64> = random.flat(1.0);
    let beyond_upper: State<B, M, f64> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let (mut a, mut b) = (vec![nan(); x.len()], vec![nan(); x.len()]);
    let (mut lower_caches, mut caches) = (a.clone(), vec![Cache::zeros(); x.len()]);
    let below = lower.forward(&x, &a0, &mut a, &mut lower_caches).unwrap();
    let above = (upper.forward(below.a(), &init, &mut b, &mut caches)).unwrap();
    let (dhead, db) = top.gradient(&head, above.a());
    let (mut dlower, mut dupper) = (rnn::Params::zeros(), lstm::Params::zeros());
    let (mut da, mut dx) = (vec![nan(); x.len()], vec![nan(); x.len()]);
    let (mut da0, mut dinit) = (beyond_lower.clone(), beyond_upper.clone());
    (above.backward(&db, &mut dupper, Some(&mut da), &mut dinit)).unwrap();
    (below.backward(&da, &mut dlower, Some(&mut dx), &mut da0)).unwrap();

    let theta = vec![
        ("lower", flat(&lower)),
        ("upper", flat(&upper)),
        ("x", Flat::slice_as_flat(&x).to_vec()),
        ("a0", flat(&a0)),
        ("init", flat(&init)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("lower", flat(&dlower)),
        ("upper", flat(&dupper)),
        ("x", Flat::slice_as_flat(&dx).to_vec()),
        ("a0", flat(&da0)),
        ("init", flat(&dinit)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("stack, X {X}, A {A}, B {B}, M {M}, Y {Y}"),
        theta,
        gradient,
        |theta| {
            let lower = rnn::Params::from_flat(&theta[0].1).unwrap();
            let upper = lstm::Params::from_flat(&theta[1].1).unwrap();
            let x = Matrix::<X, M, f64>::slice_from_flat(&theta[2].1).unwrap();
            let a0 = Matrix::from_flat(&theta[3].1).unwrap();
            let init = State::from_flat(&theta[4].1).unwrap();
            let head = dense::Params::from_flat(&theta[5].1).unwrap();
            let (mut last_lower, mut last_upper) = (nan(), State::zeros());
            let below = lower.forward(x, a0, &mut a, &mut lower_caches).unwrap();
            let above = upper.forward(below.a(), init, &mut b, &mut caches).unwrap();
            below.last(&mut last_lower);
            above.last(&mut last_upper);
            top.value(head, above.a())
                + inner(last_lower.as_flat(), beyond_lower.as_flat())
                + inner(last_upper.as_flat(), beyond_upper.as_flat())
        },
    );
}

// ------------------------------------------------------------------------------------ the losses

/// The losses by themselves, over some steps and samples.
fn losses<const Y: usize, const M: usize>(drawn: &Drawn) {
    let random = &mut Random::new(drawn.seed);
    let y = random.sequence::<Y, M, f64>(drawn.steps, 3.0);
    let top = Top::<Y, M>::random(drawn, random);
    let (_, dy) = top.of(&y);
    check(
        &format!("loss, Y {Y}, M {M}"),
        vec![("y", Flat::slice_as_flat(&y).to_vec())],
        vec![("y", Flat::slice_as_flat(&dy).to_vec())],
        |theta| top.of(Matrix::slice_from_flat(&theta[0].1).unwrap()).0,
    );
}

const LOSSES: [Check; 4] = [
    losses::<1, 1>,
    losses::<2, 3>,
    losses::<5, 2>,
    losses::<7, 5>,
];

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn of_an_rnn((sequence, _) in select(&RNN), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_an_rnn_cell((_, cell) in select(&RNN), drawn in drawn()) {
        cell(&drawn);
    }

    #[test]
    fn of_an_lstm((sequence, _) in select(&LSTM), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_an_lstm_cell((_, cell) in select(&LSTM), drawn in drawn()) {
        cell(&drawn);
    }

    #[test]
    fn of_two_layers(drawn in drawn()) {
        stack::<2, 3, 2, 2, 2>(&drawn);
    }

    #[test]
    fn of_the_losses(check in select(&LOSSES), drawn in drawn()) {
        check(&drawn);
    }
}
