//! The trainings, each from a fixed seed and with one digest.
//!
//! Not every shape with every loss and optimizer in both scalars, but each of them somewhere: fewer units than
//! any block of a kernel and more than the largest, with and without a rest; one sample, a few, more than four.

use bptt::gru::{self, Gru, ResetAfter, ResetBefore};
use bptt::loss::{Reduction, softmax_cross_entropy, softmax_cross_entropy_classes, squared_error};
use bptt::lstm::{self, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::rnn::{self, Rnn};
use bptt::{Cell, Flat, Matrix, Real, TrainingError, activation, dense, init};

use super::fold::{Digest, Random};

/// Updates of a training.
const UPDATES: usize = 50;
/// Steps of a sequence.
const STEPS: usize = 5;

/// What a training minimises.
#[derive(Clone, Copy)]
enum Loss {
    Classes,
    Probabilities,
    Squared,
}

/// How it does so.
#[derive(Clone, Copy)]
enum Rule {
    Sgd,
    Momentum,
    Adam,
}

type Emit<'a> = &'a mut dyn FnMut(&str, u64);

/// Runs every part and hands its name and its digest to `emit`.
pub fn all(emit: Emit) -> Result<(), TrainingError> {
    use Loss::*;
    few(emit)?;
    emit(
        "LSTM f32 X=1 A=1 M=1, classes, SGD",
        lstm::<1, 1, 1, 2, f32>(Classes, Rule::Sgd)?,
    );
    emit(
        "LSTM f32 X=6 A=16 M=1, classes, Adam",
        lstm::<6, 16, 1, 4, f32>(Classes, Rule::Adam)?,
    );
    emit(
        "LSTM f32 X=5 A=20 M=8, squared error, Adam",
        lstm::<5, 20, 8, 3, f32>(Squared, Rule::Adam)?,
    );
    emit(
        "LSTM f32 X=2 A=33 M=3, probabilities, SGD",
        lstm::<2, 33, 3, 3, f32>(Probabilities, Rule::Sgd)?,
    );
    emit(
        "RNN f32 X=6 A=7 M=8, classes, momentum",
        rnn::<rnn::Params<6, 7, f32>, 6, 7, 8, 4, f32>(Classes, Rule::Momentum)?,
    );
    emit(
        "RNN f32 X=3 A=33 M=1, squared error, Adam",
        rnn::<rnn::Params<3, 33, f32>, 3, 33, 1, 1, f32>(Squared, Rule::Adam)?,
    );
    emit(
        "LSTM f64 X=6 A=16 M=3, squared error, Adam",
        lstm::<6, 16, 3, 2, f64>(Squared, Rule::Adam)?,
    );
    emit(
        "LSTM f64 X=1 A=7 M=8, classes, momentum",
        lstm::<1, 7, 8, 3, f64>(Classes, Rule::Momentum)?,
    );
    emit(
        "LSTM f64 X=2 A=33 M=1, probabilities, SGD",
        lstm::<2, 33, 1, 3, f64>(Probabilities, Rule::Sgd)?,
    );
    emit(
        "RNN f64 X=1 A=1 M=1, squared error, SGD",
        rnn::<rnn::Params<1, 1, f64>, 1, 1, 1, 1, f64>(Squared, Rule::Sgd)?,
    );
    emit(
        "LSTM f32 X=4 A=48 M=1, inference with large weights",
        large::<lstm::Params<4, 48>>(),
    );
    gru_and_relu(emit)
}

/// The same variety of the cells that came later.
fn gru_and_relu(emit: Emit) -> Result<(), TrainingError> {
    use Loss::*;
    emit(
        "GRU, reset after, f32 X=1 A=1 M=1, classes, SGD",
        gru::<ResetAfter<1, 1>, 1, 1, 1, 2, f32>(Classes, Rule::Sgd)?,
    );
    emit(
        "GRU, reset after, f32 X=6 A=16 M=1, classes, Adam",
        gru::<ResetAfter<6, 16>, 6, 16, 1, 4, f32>(Classes, Rule::Adam)?,
    );
    emit(
        "GRU, reset after, f32 X=5 A=20 M=8, squared error, Adam",
        gru::<ResetAfter<5, 20>, 5, 20, 8, 3, f32>(Squared, Rule::Adam)?,
    );
    emit(
        "GRU, reset after, f64 X=6 A=16 M=3, squared error, Adam",
        gru::<ResetAfter<6, 16, f64>, 6, 16, 3, 2, f64>(Squared, Rule::Adam)?,
    );
    emit(
        "GRU, reset after, f64 X=2 A=33 M=1, probabilities, SGD",
        gru::<ResetAfter<2, 33, f64>, 2, 33, 1, 3, f64>(Probabilities, Rule::Sgd)?,
    );
    emit(
        "GRU, reset after, f32 X=3 A=7 M=3, at the limits",
        limits::<ResetAfter<3, 7>>(1e-40, true)?,
    );
    emit(
        "GRU, reset after, f32 X=4 A=48 M=1, inference with large weights",
        large::<ResetAfter<4, 48>>(),
    );
    emit(
        "GRU, reset before, f32 X=6 A=16 M=1, classes, Adam",
        gru::<ResetBefore<6, 16>, 6, 16, 1, 4, f32>(Classes, Rule::Adam)?,
    );
    emit(
        "GRU, reset before, f32 X=2 A=33 M=3, probabilities, SGD",
        gru::<ResetBefore<2, 33>, 2, 33, 3, 3, f32>(Probabilities, Rule::Sgd)?,
    );
    emit(
        "GRU, reset before, f64 X=5 A=20 M=8, squared error, Adam",
        gru::<ResetBefore<5, 20, f64>, 5, 20, 8, 3, f64>(Squared, Rule::Adam)?,
    );
    emit(
        "GRU, reset before, f32 X=3 A=7 M=3, at the limits",
        limits::<ResetBefore<3, 7>>(1e-40, true)?,
    );
    emit(
        "GRU, reset before, f32 X=4 A=48 M=1, inference with large weights",
        large::<ResetBefore<4, 48>>(),
    );
    emit(
        "RNN with ReLU, f32 X=6 A=7 M=8, classes, momentum",
        rnn::<rnn::Relu<6, 7>, 6, 7, 8, 4, f32>(Classes, Rule::Momentum)?,
    );
    emit(
        "RNN with ReLU, f32 X=3 A=33 M=1, squared error, Adam",
        rnn::<rnn::Relu<3, 33>, 3, 33, 1, 1, f32>(Squared, Rule::Adam)?,
    );
    emit(
        "RNN with ReLU, f32 X=3 A=7 M=3, at the limits",
        limits::<rnn::Relu<3, 7>>(1e-40, false)?,
    );
    emit(
        "RNN with ReLU, f32 X=4 A=48 M=1, inference with large weights",
        large::<rnn::Relu<4, 48>>(),
    );
    Ok(())
}

/// Runs the parts that are quickly compiled.
pub fn few(emit: Emit) -> Result<(), TrainingError> {
    use Loss::*;
    emit("activations f32", activations::<f32>(1e-40));
    emit("activations f64", activations::<f64>(1e-310));
    emit("initial weights f32", initial_weights::<f32>());
    emit("initial weights f64", initial_weights::<f64>());
    emit(
        "LSTM f32 X=3 A=7 M=3, probabilities, momentum",
        lstm::<3, 7, 3, 4, f32>(Probabilities, Rule::Momentum)?,
    );
    emit(
        "LSTM f32 X=3 A=7 M=3, at the limits",
        limits::<lstm::Params<3, 7>>(1e-40, true)?,
    );
    emit(
        "RNN f64 X=3 A=20 M=3, probabilities, Adam",
        rnn::<rnn::Params<3, 20, f64>, 3, 20, 3, 3, f64>(Probabilities, Rule::Adam)?,
    );
    emit(
        "GRU, reset after, f32 X=3 A=7 M=3, probabilities, momentum",
        gru::<ResetAfter<3, 7>, 3, 7, 3, 4, f32>(Probabilities, Rule::Momentum)?,
    );
    emit(
        "GRU, reset before, f64 X=1 A=7 M=8, classes, momentum",
        gru::<ResetBefore<1, 7, f64>, 1, 7, 8, 3, f64>(Classes, Rule::Momentum)?,
    );
    emit(
        "RNN with ReLU, f64 X=3 A=20 M=3, probabilities, Adam",
        rnn::<rnn::Relu<3, 20, f64>, 3, 20, 3, 3, f64>(Probabilities, Rule::Adam)?,
    );
    Ok(())
}

// ---------------------------------------------------------------------------------------- trainings

/// The output layer, its loss, and what both work on.
struct Output<const A: usize, const Y: usize, const M: usize, T: Real> {
    params: dense::Params<A, Y, T>,
    grads: dense::Params<A, Y, T>,
    moments: [dense::Params<A, Y, T>; 2],
    y: [Matrix<Y, M, T>; STEPS],
    dy: [Matrix<Y, M, T>; STEPS],
}

impl<const A: usize, const Y: usize, const M: usize, T: Real> Output<A, Y, M, T> {
    fn new(random: &mut Random) -> Self {
        let mut params = dense::Params::zeros();
        init::glorot_uniform(&mut params.w, || random.uniform());
        Output {
            params,
            grads: dense::Params::zeros(),
            moments: [dense::Params::zeros(), dense::Params::zeros()],
            y: [const { Matrix::zeros() }; STEPS],
            dy: [const { Matrix::zeros() }; STEPS],
        }
    }

    /// Forward, a loss with random targets, and backward to `da`.
    fn gradient(
        &mut self,
        loss: Loss,
        random: &mut Random,
        a: &[Matrix<A, M, T>],
        da: &mut [Matrix<A, M, T>; STEPS],
        digest: &mut Digest,
    ) -> Result<(), TrainingError> {
        self.grads = dense::Params::zeros();
        dense::sequence_forward(&self.params, a, &mut self.y)?;
        let mut target = [const { Matrix::<Y, M, T>::zeros() }; STEPS];
        random.fill(&mut target, 1.0);
        let value = match loss {
            Loss::Classes => {
                let mut classes = [[0; M]; STEPS];
                classes.as_flattened_mut().fill_with(|| random.below(Y));
                softmax_cross_entropy_classes(
                    &self.y,
                    &classes,
                    None,
                    Reduction::Mean,
                    Some(&mut self.dy),
                )?
            }
            Loss::Probabilities => {
                target.iter_mut().for_each(dense::softmax);
                softmax_cross_entropy(&self.y, &target, None, Reduction::Sum, Some(&mut self.dy))?
            }
            Loss::Squared => {
                squared_error(&self.y, &target, None, Reduction::Mean, Some(&mut self.dy))?
            }
        };
        dense::sequence_backward(&self.params, a, &self.dy, &mut self.grads, da)?;
        digest.scalar(value);
        digest.sequence(&self.y);
        digest.sequence(&self.dy);
        digest.sequence(da);
        digest.flat(&self.grads);
        Ok(())
    }

    fn update(&mut self, rule: &mut Updater<T>) -> Result<(), TrainingError> {
        rule.update(&mut self.params, &self.grads, &mut self.moments)
    }

    /// The functions for one step, and softmax on its own.
    fn one_step(&mut self, a: &Matrix<A, M, T>, digest: &mut Digest) {
        let [y, ..] = &mut self.y;
        let [dy, ..] = &mut self.dy;
        let mut da = Matrix::zeros();
        dense::forward(&self.params, a, y);
        dense::softmax(y);
        dense::softmax_backward(y, dy);
        dense::backward(&self.params, a, dy, &mut self.grads, &mut da);
        digest.flat(y);
        digest.flat(dy);
        digest.flat(&da);
        digest.flat(&self.grads);
    }
}

/// An optimizer of one layer.
struct Updater<T: Real> {
    rule: Rule,
    adam: Adam<T>,
}

impl<T: Real> Updater<T> {
    fn new(rule: Rule) -> Self {
        let weight_decay = T::from_f64(0.01);
        Updater {
            rule,
            adam: Adam {
                weight_decay,
                ..Adam::new(T::from_f64(0.01))
            },
        }
    }

    fn update<P: Flat<Scalar = T>>(
        &mut self,
        params: &mut P,
        grads: &P,
        [m, v]: &mut [P; 2],
    ) -> Result<(), TrainingError> {
        let (w, g, m, v) = (
            params.as_flat_mut(),
            grads.as_flat(),
            m.as_flat_mut(),
            v.as_flat_mut(),
        );
        let (learning_rate, momentum) = (T::from_f64(0.05), T::from_f64(0.9));
        match self.rule {
            Rule::Sgd => Sgd { learning_rate }.update(w, g)?,
            Rule::Momentum => Momentum {
                learning_rate,
                momentum,
            }
            .update(w, g, m)?,
            Rule::Adam => self.adam.update(w, g, m, v)?,
        }
        Ok(())
    }
}

/// A cell with its output layer, and what both work on.
struct Training<C: Cell<X, A>, const X: usize, const A: usize, const M: usize, const Y: usize> {
    digest: Digest,
    random: Random,
    cell: C,
    output: Output<A, Y, M, C::Scalar>,
    start: [C::State<M>; 1],
    x: [Matrix<X, M, C::Scalar>; STEPS],
    dx: [Matrix<X, M, C::Scalar>; STEPS],
    a: [Matrix<A, M, C::Scalar>; STEPS],
    da: [Matrix<A, M, C::Scalar>; STEPS],
    caches: [C::Cache<M>; STEPS],
}

impl<C: Cell<X, A>, const X: usize, const A: usize, const M: usize, const Y: usize>
    Training<C, X, A, M, Y>
{
    fn new() -> Self {
        let (mut cell, mut random) = (C::ZEROS, Random::new(1));
        let limit = C::Scalar::ONE / C::Scalar::from_usize(A).sqrt();
        init::uniform(&mut cell, limit, || random.uniform());
        Training {
            digest: Digest::new(),
            cell,
            output: Output::new(&mut random),
            random,
            start: [C::State::ZEROS],
            x: [Matrix::ZEROS; STEPS],
            dx: [Matrix::ZEROS; STEPS],
            a: [Matrix::ZEROS; STEPS],
            da: [Matrix::ZEROS; STEPS],
            caches: [C::Cache::<M>::ZEROS; STEPS],
        }
    }

    /// Trains. `cached` says whether forward writes the caches.
    fn run(&mut self, loss: Loss, rule: Rule, cached: bool) -> Result<(), TrainingError> {
        let Training {
            digest,
            random,
            cell,
            output,
            start,
            x,
            dx,
            a,
            da,
            caches,
        } = self;
        let mut moments = [const { C::ZEROS }; 2];
        let (mut updater, mut output_updater) = (Updater::new(rule), Updater::new(rule));
        for _ in 0..UPDATES {
            random.fill(x, 1.0);
            random.fill(start, 0.5);
            forward(cell, x, &start[0], a, caches, cached, digest)?;
            let tape = cell.forward(x, &start[0], a, caches)?;
            output.gradient(loss, random, tape.a(), da, digest)?;
            let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
            tape.backward(da, &mut grads, Some(dx), &mut dstate)?;
            digest.sequence(caches);
            digest.sequence(dx);
            digest.flat(&dstate);
            let both = &mut [grads.as_flat_mut(), output.grads.as_flat_mut()];
            digest.scalar(clip_by_global_norm(both, Real::from_f64(0.25))?);
            digest.flat(&grads);
            updater.update(cell, &grads, &mut moments)?;
            output.update(&mut output_updater)?;
            digest.flat(cell);
            digest.flat(&output.params);
        }
        Ok(())
    }

    /// One step of inference.
    fn step(&mut self) {
        let mut next = C::State::ZEROS;
        self.cell.step(&self.x[0], &self.start[0], &mut next);
        self.digest.flat(&next);
    }

    /// What a single step backward has left, with the caches and dx of so many steps, then the output layer's functions
    /// for one step.
    fn finish(
        mut self,
        steps: usize,
        dstate: &C::State<M>,
        grads: &C,
        a: &Matrix<A, M, C::Scalar>,
    ) -> Result<u64, TrainingError> {
        self.digest.sequence(&self.caches[..steps]);
        self.digest.sequence(&self.dx[..steps]);
        self.digest.flat(dstate);
        self.digest.flat(grads);
        self.output.one_step(a, &mut self.digest);
        Ok(self.digest.value())
    }
}

/// Forward, for the digest of what it writes alone: a tape does not let go of the caches before backward.
fn forward<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    cell: &C,
    x: &[Matrix<X, M, C::Scalar>],
    start: &C::State<M>,
    a: &mut [Matrix<A, M, C::Scalar>],
    caches: &mut [C::Cache<M>],
    cached: bool,
    digest: &mut Digest,
) -> Result<(), TrainingError> {
    let _ = cell.forward(x, start, a, caches)?;
    digest.sequence(a);
    if cached {
        digest.sequence(caches);
    }
    Ok(())
}

/// Trains an LSTM, then takes one step with the functions for one step.
fn lstm<const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    loss: Loss,
    rule: Rule,
) -> Result<u64, TrainingError> {
    let mut t = Training::<lstm::Params<X, A, T>, X, A, M, Y>::new();
    init::forget_bias(&mut t.cell, T::ONE);
    t.run(loss, rule, true)?;
    t.step();

    let (cell, x, start) = (&t.cell, &t.x[0], &t.start[0]);
    let (mut next, mut grads) = (State::zeros(), lstm::Params::zeros());
    lstm::cell_forward(cell, x, start, &mut next, &mut t.caches[0]);
    t.digest.flat(&next);
    let mut dstate = State {
        a: t.da[0].clone(),
        c: t.a[1].clone(),
    };
    let (cache, dx) = (&mut t.caches[0], &mut t.dx[0]);
    lstm::cell_backward(cell, x, start, cache, &mut dstate, &mut grads, dx);
    t.finish(STEPS, &dstate, &grads, &next.a)
}

/// The same for a GRU.
fn gru<C, const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    loss: Loss,
    rule: Rule,
) -> Result<u64, TrainingError>
where
    C: Gru<X, A>
        + Cell<X, A, Scalar = T, State<M> = Matrix<A, M, T>, Cache<M> = gru::Cache<A, M, T>>,
{
    let mut t = Training::<C, X, A, M, Y>::new();
    t.run(loss, rule, true)?;
    t.step();

    let (cell, x, start) = (&t.cell, &t.x[0], &t.start[0]);
    let (mut next, mut grads) = (Matrix::ZEROS, C::ZEROS);
    gru::cell_forward(cell, x, start, &mut next, &mut t.caches[0]);
    t.digest.flat(&next);
    let mut dstate = t.da[0].clone();
    let (cache, dx) = (&mut t.caches[0], &mut t.dx[0]);
    gru::cell_backward(cell, x, start, cache, &mut dstate, &mut grads, dx);
    t.finish(STEPS, &dstate, &grads, &next)
}

/// The same for an RNN, with either activation.
fn rnn<C, const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    loss: Loss,
    rule: Rule,
) -> Result<u64, TrainingError>
where
    C: Rnn<X, A> + Cell<X, A, Scalar = T, State<M> = Matrix<A, M, T>, Cache<M> = Matrix<A, M, T>>,
{
    let mut t = Training::<C, X, A, M, Y>::new();
    t.run(loss, rule, false)?;

    let (cell, x, start) = (&t.cell, &t.x[0], &t.start[0]);
    let (mut next, mut grads) = (Matrix::ZEROS, C::ZEROS);
    rnn::cell_forward(cell, x, start, &mut next);
    t.digest.flat(&next);
    let mut dstate = t.caches[0].clone();
    let (dz, dx) = (&mut t.caches[0], &mut t.dx[0]);
    rnn::cell_backward(cell, x, start, &next, dz, &mut dstate, &mut grads, dx);
    t.finish(1, &dstate, &grads, &next)
}

// ---------------------------------------------------------------------------------------- the rest

/// Inference with weights that do not fit into a first-level cache, which some targets walk another way.
fn large<C: Cell<4, 48>>() -> u64 {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    let mut cell = [C::ZEROS];
    random.fill(&mut cell, 0.2);
    let mut x = [Matrix::<4, 1, C::Scalar>::ZEROS];
    let mut state = C::State::<1>::ZEROS;
    for _ in 0..20 {
        random.fill(&mut x, 1.0);
        let mut next = C::State::ZEROS;
        cell[0].step(&x[0], &state, &mut next);
        digest.flat(&next);
        state = next;
    }
    digest.value()
}

/// All activations of numbers of all sizes, of those that are not numbers, and of subnormal ones.
fn activations<T: Real>(subnormal: f64) -> u64 {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    for limit in [1.0, 20.0, 120.0, 1000.0, 1e30, 1e-6, subnormal] {
        let mut x = [Matrix::<37, 1, T>::zeros()];
        random.fill(&mut x, limit);
        let [mut exp] = x;
        let (mut sigmoid, mut tanh) = (exp.clone(), exp.clone());
        for x in exp.as_flat() {
            digest.scalar(activation::exp(*x));
            digest.scalar(activation::sigmoid(*x));
            digest.scalar(activation::tanh(*x));
        }
        activation::exp_slice(exp.as_flat_mut());
        activation::sigmoid_slice(sigmoid.as_flat_mut());
        activation::tanh_slice(tanh.as_flat_mut());
        digest.flat(&exp);
        digest.flat(&sigmoid);
        digest.flat(&tanh);
    }
    for x in [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let x = T::from_f64(x);
        digest.scalars(&[
            activation::exp(x),
            activation::sigmoid(x),
            activation::tanh(x),
        ]);
    }
    digest.value()
}

/// Every initialiser.
fn initial_weights<T: Real>() -> u64 {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    let mut params = lstm::Params::<3, 7, T>::zeros();
    init::uniform(&mut params, T::from_f64(0.1), || random.uniform());
    init::uniform_hidden(&mut params.i, || random.uniform());
    init::glorot_uniform(&mut params.g.wx, || random.uniform());
    init::orthogonal(&mut params.o.wa, || random.uniform());
    init::orthogonal(&mut params.f.wa, || T::ZERO); // not random
    init::forget_bias(&mut params, T::ONE);
    digest.flat(&params);
    digest.value()
}

/// Saturated gates, subnormal numbers, and a sample with a NaN, forward and backward.
fn limits<C: Cell<3, 7>>(subnormal: f64, cached: bool) -> Result<u64, TrainingError> {
    const M: usize = 3;
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    for (weights, inputs) in [
        (100.0, 1.0),
        (1e4, 1e4),
        (1.0, subnormal),
        (subnormal, 1.0),
        (1e30, 1e30),
    ] {
        let mut cell = [C::ZEROS];
        let mut x = [Matrix::<3, M, C::Scalar>::ZEROS; STEPS];
        let mut start = [C::State::<M>::ZEROS];
        random.fill(&mut cell, weights);
        random.fill(&mut x, inputs);
        random.fill(&mut start, inputs);
        if let Some(first) = x[1].as_flat_mut().first_mut() {
            *first = Real::from_f64(f64::NAN);
        }
        let (mut a, mut caches) = ([Matrix::ZEROS; STEPS], [C::Cache::<M>::ZEROS; STEPS]);
        let (mut da, mut dx) = ([Matrix::ZEROS; STEPS], x.clone());
        random.fill(&mut da, inputs);
        forward(
            &cell[0],
            &x,
            &start[0],
            &mut a,
            &mut caches,
            cached,
            &mut digest,
        )?;
        let tape = cell[0].forward(&x, &start[0], &mut a, &mut caches)?;
        let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
        tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)?;
        digest.sequence(&caches);
        digest.sequence(&dx);
        digest.flat(&grads);
        digest.flat(&dstate);
        dense::softmax(&mut x[0]);
        digest.flat(&x[0]);
        // A gradient that is not finite has no norm.
        let norm = clip_by_global_norm(&mut [grads.as_flat_mut()], C::Scalar::ONE);
        digest.scalar(norm.unwrap_or(Real::from_f64(f64::NAN)));
        digest.flat(&grads);
    }
    Ok(digest.value())
}
