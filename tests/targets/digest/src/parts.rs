//! The trainings, each from a fixed seed and with one digest.
//!
//! Not every shape with every loss and optimizer in both scalars, but each of them somewhere: fewer units than
//! any block of a kernel and more than the largest, with and without a rest; one sample, a few, more than four.

use bptt::loss::{Reduction, softmax_cross_entropy, softmax_cross_entropy_classes, squared_error};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Cell, Flat, Matrix, Real, TrainingError, activation, dense, init, rnn};

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
        rnn::<6, 7, 8, 4, f32>(Classes, Rule::Momentum)?,
    );
    emit(
        "RNN f32 X=3 A=33 M=1, squared error, Adam",
        rnn::<3, 33, 1, 1, f32>(Squared, Rule::Adam)?,
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
        rnn::<1, 1, 1, 1, f64>(Squared, Rule::Sgd)?,
    );
    emit(
        "LSTM f32 X=4 A=48 M=1, inference with large weights",
        large(),
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
    emit("LSTM f32 X=3 A=7 M=3, at the limits", limits::<f32>(1e-40)?);
    emit(
        "RNN f64 X=3 A=20 M=3, probabilities, Adam",
        rnn::<3, 20, 3, 3, f64>(Probabilities, Rule::Adam)?,
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

/// Trains an LSTM, then takes one step with the functions for one step.
fn lstm<const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    loss: Loss,
    rule: Rule,
) -> Result<u64, TrainingError> {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    let mut cell = lstm::Params::<X, A, T>::zeros();
    for gate in [&mut cell.f, &mut cell.i, &mut cell.g, &mut cell.o] {
        init::uniform_hidden(gate, || random.uniform());
    }
    init::forget_bias(&mut cell, T::ONE);
    let mut output = Output::<A, Y, M, T>::new(random);
    let mut moments = [const { lstm::Params::<X, A, T>::zeros() }; 2];
    let (mut updater, mut output_updater) = (Updater::new(rule), Updater::new(rule));

    let mut start = [State::<A, M, T>::zeros()];
    let mut x = [const { Matrix::<X, M, T>::zeros() }; STEPS];
    let (mut a, mut dx) = ([const { Matrix::zeros() }; STEPS], x.clone());
    let mut da = a.clone();
    let mut caches = [const { Cache::zeros() }; STEPS];
    for _ in 0..UPDATES {
        random.fill(&mut x, 1.0);
        random.fill(&mut start, 0.5);
        forward(&cell, &x, &start[0], &mut a, &mut caches, &mut digest)?;
        let tape = cell.forward(&x, &start[0], &mut a, &mut caches)?;
        output.gradient(loss, random, tape.a(), &mut da, &mut digest)?;
        let (mut grads, mut dstate) = (lstm::Params::zeros(), State::zeros());
        tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)?;
        digest.sequence(&caches);
        digest.sequence(&dx);
        digest.flat(&dstate);
        let both = &mut [grads.as_flat_mut(), output.grads.as_flat_mut()];
        digest.scalar(clip_by_global_norm(both, T::from_f64(0.25))?);
        digest.flat(&grads);
        updater.update(&mut cell, &grads, &mut moments)?;
        output.update(&mut output_updater)?;
        digest.flat(&cell);
        digest.flat(&output.params);
    }

    let (mut next, mut grads) = (State::zeros(), lstm::Params::zeros());
    cell.step(&x[0], &start[0], &mut next);
    digest.flat(&next);
    lstm::cell_forward(&cell, &x[0], &start[0], &mut next, &mut caches[0]);
    digest.flat(&next);
    let mut dstate = State {
        a: da[0].clone(),
        c: a[1].clone(),
    };
    lstm::cell_backward(
        &cell,
        &x[0],
        &start[0],
        &mut caches[0],
        &mut dstate,
        &mut grads,
        &mut dx[0],
    );
    digest.sequence(&caches);
    digest.sequence(&dx);
    digest.flat(&dstate);
    digest.flat(&grads);
    output.one_step(&next.a, &mut digest);
    Ok(digest.value())
}

/// An LSTM forward, for the digest of what it writes alone: a tape does not let go of the caches before backward.
fn forward<const X: usize, const A: usize, const M: usize, T: Real>(
    cell: &lstm::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    start: &State<A, M, T>,
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    digest: &mut Digest,
) -> Result<(), TrainingError> {
    let _ = cell.forward(x, start, a, caches)?;
    digest.sequence(a);
    digest.sequence(caches);
    Ok(())
}

/// The same for an RNN.
fn rnn<const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    loss: Loss,
    rule: Rule,
) -> Result<u64, TrainingError> {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    let mut cell = rnn::Params::<X, A, T>::zeros();
    init::uniform_hidden(&mut cell, || random.uniform());
    let mut output = Output::<A, Y, M, T>::new(random);
    let mut moments = [const { rnn::Params::<X, A, T>::zeros() }; 2];
    let (mut updater, mut output_updater) = (Updater::new(rule), Updater::new(rule));

    let mut start = [Matrix::<A, M, T>::zeros()];
    let mut x = [const { Matrix::<X, M, T>::zeros() }; STEPS];
    let (mut a, mut dx) = ([const { Matrix::zeros() }; STEPS], x.clone());
    let (mut da, mut caches) = (a.clone(), a.clone());
    for _ in 0..UPDATES {
        random.fill(&mut x, 1.0);
        random.fill(&mut start, 0.5);
        let tape = cell.forward(&x, &start[0], &mut a, &mut caches)?;
        digest.sequence(tape.a());
        output.gradient(loss, random, tape.a(), &mut da, &mut digest)?;
        let (mut grads, mut dstate) = (rnn::Params::zeros(), Matrix::zeros());
        tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)?;
        digest.sequence(&caches);
        digest.sequence(&dx);
        digest.flat(&dstate);
        let both = &mut [grads.as_flat_mut(), output.grads.as_flat_mut()];
        digest.scalar(clip_by_global_norm(both, T::from_f64(0.25))?);
        digest.flat(&grads);
        updater.update(&mut cell, &grads, &mut moments)?;
        output.update(&mut output_updater)?;
        digest.flat(&cell);
        digest.flat(&output.params);
    }

    let (mut next, mut grads) = (Matrix::zeros(), rnn::Params::zeros());
    rnn::cell_forward(&cell, &x[0], &start[0], &mut next);
    digest.flat(&next);
    let mut dstate = caches[0].clone();
    rnn::cell_backward(
        &cell,
        &x[0],
        &start[0],
        &next,
        &mut caches[0],
        &mut dstate,
        &mut grads,
        &mut dx[0],
    );
    digest.flat(&caches[0]);
    digest.flat(&dx[0]);
    digest.flat(&dstate);
    digest.flat(&grads);
    output.one_step(&next, &mut digest);
    Ok(digest.value())
}

// ---------------------------------------------------------------------------------------- the rest

/// Inference with weights that do not fit into a first-level cache, which some targets walk another way.
fn large() -> u64 {
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    let mut cell = [lstm::Params::<4, 48>::zeros()];
    random.fill(&mut cell, 0.2);
    let mut x = [Matrix::<4, 1>::zeros()];
    let mut state = State::<48, 1>::zeros();
    for _ in 0..20 {
        random.fill(&mut x, 1.0);
        let mut next = State::zeros();
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
fn limits<T: Real>(subnormal: f64) -> Result<u64, TrainingError> {
    const M: usize = 3;
    let (mut digest, random) = (Digest::new(), &mut Random::new(1));
    for (weights, inputs) in [
        (100.0, 1.0),
        (1e4, 1e4),
        (1.0, subnormal),
        (subnormal, 1.0),
        (1e30, 1e30),
    ] {
        let mut cell = [lstm::Params::<3, 7, T>::zeros()];
        let mut x = [const { Matrix::<3, M, T>::zeros() }; STEPS];
        let mut start = [State::<7, M, T>::zeros()];
        random.fill(&mut cell, weights);
        random.fill(&mut x, inputs);
        random.fill(&mut start, inputs);
        if let Some(first) = x[1].as_flat_mut().first_mut() {
            *first = T::from_f64(f64::NAN);
        }
        let (mut a, mut caches) = (
            [const { Matrix::zeros() }; STEPS],
            [const { Cache::zeros() }; STEPS],
        );
        let (mut da, mut dx) = ([const { Matrix::zeros() }; STEPS], x.clone());
        random.fill(&mut da, inputs);
        forward(&cell[0], &x, &start[0], &mut a, &mut caches, &mut digest)?;
        let tape = cell[0].forward(&x, &start[0], &mut a, &mut caches)?;
        let (mut grads, mut dstate) = (lstm::Params::zeros(), State::zeros());
        tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)?;
        digest.sequence(&caches);
        digest.sequence(&dx);
        digest.flat(&grads);
        digest.flat(&dstate);
        dense::softmax(&mut x[0]);
        digest.flat(&x[0]);
        // A gradient that is not finite has no norm.
        let norm = clip_by_global_norm(&mut [grads.as_flat_mut()], T::ONE);
        digest.scalar(norm.unwrap_or(T::from_f64(f64::NAN)));
        digest.flat(&grads);
    }
    Ok(digest.value())
}
