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
//!
//! ReLU has no derivatives at its kink. Its networks are drawn so that no z comes near 0, and no
//! difference may turn a unit on or off ([`Drawable`]).

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/random.rs"]
mod random;

use std::{env, slice};

use bptt::loss::{self, Reduction};
use bptt::{Flat, Matrix, dense, gru, lstm, rnn};
use cells::Plain;
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

// ------------------------------------------------------------------------------------------ cells

/// A cell in f64 whose weights and inputs may be any.
trait Drawable<const X: usize, const A: usize>: Plain<X, A, Scalar = f64> {
    /// Moves them to where the cell has its derivatives all around.
    fn move_away<const M: usize>(&mut self, _: &mut [Matrix<X, M, f64>]) {}
    /// What no difference may change.
    fn kinks<const M: usize>(_: &[Matrix<A, M, f64>]) -> Vec<bool> {
        vec![]
    }
}

impl<const X: usize, const A: usize> Drawable<X, A> for lstm::Params<X, A, f64> {}
impl<const X: usize, const A: usize> Drawable<X, A> for rnn::Params<X, A, f64> {}
impl<const X: usize, const A: usize> Drawable<X, A> for gru::ResetAfter<X, A, f64> {}
impl<const X: usize, const A: usize> Drawable<X, A> for gru::ResetBefore<X, A, f64> {}
impl<const X: usize, const A: usize> Drawable<X, A> for rnn::Relu<X, A, f64> {
    /// The first input is ±1 to ±2 and its weights are ±2 to ±3; all the others together change z by less than 1.
    fn move_away<const M: usize>(&mut self, x: &mut [Matrix<X, M, f64>]) {
        for w in self.as_flat_mut() {
            *w *= 0.1 / (A + X) as f64;
        }
        for w in &mut self.0.wx.columns_mut()[0] {
            *w += 2.5_f64.copysign(*w);
        }
        for column in Matrix::slice_as_flat_mut(x).chunks_exact_mut(X) {
            column[0] += 1.0_f64.copysign(column[0]);
        }
    }
    fn kinks<const M: usize>(a: &[Matrix<A, M, f64>]) -> Vec<bool> {
        let on = Matrix::slice_as_flat(a).iter().map(|&a| a > 0.0);
        on.collect()
    }
}

/// A sequence through a cell.
fn sequence<C: Drawable<X, A>, const X: usize, const A: usize, const M: usize, const Y: usize>(
    drawn: &Drawn,
) {
    let random = &mut Random::new(drawn.seed);
    let mut cell: C = random.flat(limit(A));
    let mut x = random.sequence::<X, M, f64>(drawn.steps, 1.0);
    cell.move_away(&mut x);
    let init: C::State<M> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let beyond: C::State<M> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);

    let (mut a, mut caches) = (vec![nan(); x.len()], vec![C::Cache::<M>::ZEROS; x.len()]);
    let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let kinks = C::kinks(tape.a());
    let (dhead, da) = top.gradient(&head, tape.a());
    let (mut grads, mut dx, mut dstate) = (C::ZEROS, vec![nan(); x.len()], beyond.clone());
    (tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();

    let theta = vec![
        ("weights", flat(&cell)),
        ("x", Flat::slice_as_flat(&x).to_vec()),
        ("init", flat(&init)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("weights", flat(&grads)),
        ("x", Flat::slice_as_flat(&dx).to_vec()),
        ("init", flat(&dstate)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("{}, X {X}, A {A}, M {M}, Y {Y}", C::NAME),
        theta,
        gradient,
        |theta| {
            let cell = C::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::slice_from_flat(&theta[1].1).unwrap();
            let init = C::State::<M>::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            let mut last = C::State::<M>::ZEROS;
            let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
            assert_eq!(C::kinks(tape.a()), kinks);
            tape.last(&mut last);
            top.value(head, tape.a()) + inner(last.as_flat(), beyond.as_flat())
        },
    );
}

/// One step through a cell.
fn step<C: Drawable<X, A>, const X: usize, const A: usize, const M: usize, const Y: usize>(
    drawn: &Drawn,
) {
    let drawn = &Drawn {
        steps: 1,
        ..drawn.clone()
    };
    let random = &mut Random::new(drawn.seed);
    let mut cell: C = random.flat(limit(A));
    let mut x: Matrix<X, M, f64> = random.flat(1.0);
    cell.move_away(slice::from_mut(&mut x));
    let prev: C::State<M> = random.flat(1.0);
    let head: dense::Params<A, Y, f64> = random.flat(1.0);
    let beyond: C::State<M> = random.flat(1.0);
    let top = Top::<Y, M>::random(drawn, random);
    let output = |state: &C::State<M>| -> Matrix<A, M, f64> {
        Matrix::from_flat(&state.as_flat()[..A * M])
            .unwrap()
            .clone()
    };
    let rest = |state: &C::State<M>| state.as_flat()[A * M..].to_vec();

    let (mut next, mut cache, mut y) = (C::State::<M>::ZEROS, C::Cache::<M>::ZEROS, nan());
    cell.cell_forward(&x, &prev, &mut next, &mut cache);
    let a = output(&next);
    let kinks = C::kinks(slice::from_ref(&a));
    dense::forward(&head, &a, &mut y);
    let (_, dy) = top.of(slice::from_ref(&y));
    let (mut dhead, mut da) = (dense::Params::zeros(), nan());
    dense::backward(&head, &a, &dy[0], &mut dhead, &mut da);
    let (mut grads, mut dstate) = (C::ZEROS, beyond.clone());
    dstate.as_flat_mut()[..A * M].copy_from_slice(da.as_flat());
    let dx = cell.cell_backward(&x, [&prev, &next], &mut cache, &mut dstate, &mut grads);

    let theta = vec![
        ("weights", flat(&cell)),
        ("x", flat(&x)),
        ("prev", flat(&prev)),
        ("head", flat(&head)),
    ];
    let gradient = vec![
        ("weights", flat(&grads)),
        ("x", flat(&dx)),
        ("prev", flat(&dstate)),
        ("head", flat(&dhead)),
    ];
    check(
        &format!("step of {}, X {X}, A {A}, M {M}, Y {Y}", C::NAME),
        theta,
        gradient,
        |theta| {
            let cell = C::from_flat(&theta[0].1).unwrap();
            let x = Matrix::<X, M, f64>::from_flat(&theta[1].1).unwrap();
            let prev = C::State::<M>::from_flat(&theta[2].1).unwrap();
            let head = dense::Params::from_flat(&theta[3].1).unwrap();
            cell.cell_forward(x, prev, &mut next, &mut cache);
            let a = output(&next);
            assert_eq!(C::kinks(slice::from_ref(&a)), kinks);
            dense::forward(head, &a, &mut y);
            top.of(slice::from_ref(&y)).0 + inner(&rest(&next), &rest(&beyond))
        },
    );
}

/// A sequence and a step of each shape.
macro_rules! shapes {
    ($cells:ident::$cell:ident) => {
        [
            shapes!($cells::$cell, 1, 1, 1, 1),
            shapes!($cells::$cell, 2, 3, 2, 2),
            shapes!($cells::$cell, 3, 1, 3, 3),
            shapes!($cells::$cell, 1, 9, 4, 2),
            shapes!($cells::$cell, 4, 6, 5, 3),
        ]
    };
    ($cells:ident::$cell:ident, $x:literal, $a:literal, $m:literal, $y:literal) => {
        (
            sequence::<$cells::$cell<$x, $a, f64>, $x, $a, $m, $y>,
            step::<$cells::$cell<$x, $a, f64>, $x, $a, $m, $y>,
        )
    };
}
const LSTM: [(Check, Check); 5] = shapes!(lstm::Params);
const RNN: [(Check, Check); 5] = shapes!(rnn::Params);
const RELU: [(Check, Check); 5] = shapes!(rnn::Relu);
const GRU_AFTER: [(Check, Check); 5] = shapes!(gru::ResetAfter);
const GRU_BEFORE: [(Check, Check); 5] = shapes!(gru::ResetBefore);

// ------------------------------------------------------------------------------------------ stack

/// Two layers. The dx of the upper is the da of the lower.
fn stack<
    C: Plain<2, 3, Scalar = f64>,
    D: Plain<3, B, Scalar = f64>,
    const B: usize,
    const M: usize,
>(
    drawn: &Drawn,
) {
    let random = &mut Random::new(drawn.seed);
    let lower: C = random.flat(limit(3));
    let upper: D = random.flat(limit(B));
    let x = random.sequence::<2, M, f64>(drawn.steps, 1.0);
    let a0: C::State<M> = random.flat(1.0);
    let init: D::State<M> = random.flat(1.0);
    let head: dense::Params<B, 2, f64> = random.flat(1.0);
    let beyond_lower: C::State<M> = random.flat(1.0);
    let beyond_upper: D::State<M> = random.flat(1.0);
    let top = Top::<2, M>::random(drawn, random);

    let (mut a, mut b) = (vec![nan(); x.len()], vec![nan(); x.len()]);
    let mut lower_caches = vec![C::Cache::<M>::ZEROS; x.len()];
    let mut caches = vec![D::Cache::<M>::ZEROS; x.len()];
    let below = lower.forward(&x, &a0, &mut a, &mut lower_caches).unwrap();
    let above = (upper.forward(below.a(), &init, &mut b, &mut caches)).unwrap();
    let (dhead, db) = top.gradient(&head, above.a());
    let (mut dlower, mut dupper) = (C::ZEROS, D::ZEROS);
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
        &format!("{} on {}, M {M}", D::NAME, C::NAME),
        theta,
        gradient,
        |theta| {
            let lower = C::from_flat(&theta[0].1).unwrap();
            let upper = D::from_flat(&theta[1].1).unwrap();
            let x = Matrix::<2, M, f64>::slice_from_flat(&theta[2].1).unwrap();
            let a0 = C::State::<M>::from_flat(&theta[3].1).unwrap();
            let init = D::State::<M>::from_flat(&theta[4].1).unwrap();
            let head = dense::Params::from_flat(&theta[5].1).unwrap();
            let (mut last_lower, mut last_upper) = (C::State::ZEROS, D::State::ZEROS);
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
    fn of_a_step_of_an_rnn((_, step) in select(&RNN), drawn in drawn()) {
        step(&drawn);
    }

    #[test]
    fn of_an_rnn_with_relu((sequence, _) in select(&RELU), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_a_step_of_an_rnn_with_relu((_, step) in select(&RELU), drawn in drawn()) {
        step(&drawn);
    }

    #[test]
    fn of_an_lstm((sequence, _) in select(&LSTM), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_a_step_of_an_lstm((_, step) in select(&LSTM), drawn in drawn()) {
        step(&drawn);
    }

    #[test]
    fn of_a_gru_with_the_reset_after((sequence, _) in select(&GRU_AFTER), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_a_step_of_a_gru_with_the_reset_after((_, step) in select(&GRU_AFTER), drawn in drawn()) {
        step(&drawn);
    }

    #[test]
    fn of_a_gru_with_the_reset_before((sequence, _) in select(&GRU_BEFORE), drawn in drawn()) {
        sequence(&drawn);
    }

    #[test]
    fn of_a_step_of_a_gru_with_the_reset_before((_, step) in select(&GRU_BEFORE), drawn in drawn()) {
        step(&drawn);
    }

    #[test]
    fn of_two_layers(drawn in drawn()) {
        stack::<rnn::Params<2, 3, f64>, lstm::Params<3, 2, f64>, 2, 2>(&drawn);
        stack::<gru::ResetBefore<2, 3, f64>, gru::ResetAfter<3, 2, f64>, 2, 2>(&drawn);
    }

    #[test]
    fn of_the_losses(check in select(&LOSSES), drawn in drawn()) {
        check(&drawn);
    }
}
