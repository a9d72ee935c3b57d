//! The training: Adam on excerpts of the recordings, in small batches.

use std::error::Error;

use bptt::loss::{Reduction, softmax_cross_entropy_classes};
use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Flat, Matrix, dense, init};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::data::Recording;
use crate::model::{A, Net, NetMut, NetRef, Normalisation, Recurrent, X, Y, include, most_likely};

/// Recordings in a batch.
pub const M: usize = 8;
/// Adam's step at the start; from there it falls in a straight line to 0 at the end.
pub const LEARNING_RATE: f32 = 0.02;
/// The greatest norm of the gradient of a batch.
pub const CLIP: f32 = 1.0;
/// Standard deviation of the noise that is added to the samples, in units of the standard deviation of their channel.
const NOISE: f32 = 0.3;

/// How one pass over the recordings went.
#[derive(Clone, Copy)]
pub struct Epoch {
    /// The mean of the loss over all batches.
    pub loss: f32,
    /// The part of the excerpts that were classified right at their end, before the batch's own update.
    pub accuracy: f32,
}

/// Weights that take samples as they are measured.
///
/// Forty recordings are few: a network of this size knows each of them by heart after some passes. So it never gets
/// to see the same thing twice. Each time it sees another part of a recording, of half its length to all of it, with fresh noise.
/// The seed decides about that, about the order and about the first weights, and so about every bit of the result.
pub fn train<C: Recurrent>(
    recordings: &[Recording],
    epochs: usize,
    seed: u64,
    mut report: impl FnMut(Epoch),
) -> Result<Net<C>, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normalisation = Normalisation::of(recordings.iter().flat_map(|r| &r.samples));
    let mut net = initial_weights::<C>(&mut rng);
    let [mut grads, mut m, mut v]: [Net<C>; 3] = [Net::zeros(), Net::zeros(), Net::zeros()];
    let mut adam = Adam::new(LEARNING_RATE);
    let mut batch = Batch::<C>::empty();

    let mut order: Vec<&Recording> = recordings.iter().collect();
    let batches = recordings.len().div_ceil(M);
    for epoch in 0..epochs {
        order.shuffle(&mut rng);
        let (mut loss, mut right) = (0.0, 0);
        for number in 0..batches {
            // The last batch is filled up from the start of the order.
            let chosen = std::array::from_fn(|m| order[(number * M + m) % order.len()]);
            batch.fill(chosen, &normalisation, &mut rng);

            grads.set_zeros();
            loss += batch.gradient(&net, &mut grads)?;
            right += batch.right();
            clip_by_global_norm(&mut [grads.as_flat_mut()], CLIP)?;
            let done = (epoch * batches + number) as f32 / (epochs * batches) as f32;
            adam.learning_rate = LEARNING_RATE * (1.0 - done);
            let (m, v) = (m.as_flat_mut(), v.as_flat_mut());
            adam.update(net.as_flat_mut(), grads.as_flat(), m, v)?;
        }
        report(Epoch {
            loss: loss / batches as f32,
            accuracy: right as f32 / (batches * M) as f32,
        });
    }
    normalisation.fold_into(net.parts_mut().cell);
    Ok(net)
}

/// Glorot for what comes from below, orthogonal for what comes from the step before, and a cell that remembers at first.
pub fn initial_weights<C: Recurrent>(rng: &mut ChaCha8Rng) -> Net<C> {
    let mut net = Net::zeros();
    let NetMut { cell, head }: NetMut<C> = net.parts_mut();
    let mut uniform = || rng.random::<f32>();
    for gate in cell.gates() {
        init::glorot_uniform(&mut gate.wx, &mut uniform);
        init::orthogonal(&mut gate.wa, &mut uniform);
    }
    cell.remember();
    init::glorot_uniform(&mut head.w, &mut uniform);
    net
}

/// M excerpts of equal length side by side, and everything that is computed from them on the way to their gradient. The
/// vectors have one entry a step.
pub struct Batch<C: Recurrent> {
    /// The activity of each excerpt at each step, always the same.
    classes: Vec<[usize; M]>,
    x: Vec<Matrix<X, M>>,
    a: Vec<Matrix<A, M>>,
    caches: Vec<C::Cache<M>>,
    /// ā
    mean: Vec<Matrix<A, M>>,
    z: Vec<Matrix<Y, M>>,
    dz: Vec<Matrix<Y, M>>,
    /// The gradient with respect to ā, then to a.
    da: Vec<Matrix<A, M>>,
}

impl<C: Recurrent> Batch<C> {
    pub fn empty() -> Self {
        Batch {
            classes: vec![],
            x: vec![],
            a: vec![],
            caches: vec![],
            mean: vec![],
            z: vec![],
            dz: vec![],
            da: vec![],
        }
    }

    /// Draws an excerpt of each of the recordings and noise for each of its samples.
    pub fn fill(
        &mut self,
        recordings: [&Recording; M],
        normalisation: &Normalisation,
        rng: &mut ChaCha8Rng,
    ) {
        let all = recordings[0].samples.len();
        let steps = rng.random_range(all.div_ceil(2)..=all);
        self.resize(steps);
        self.classes
            .fill(recordings.map(|recording| recording.class));
        for (m, recording) in recordings.into_iter().enumerate() {
            let start = rng.random_range(0..=all - steps);
            for (x, sample) in self.x.iter_mut().zip(&recording.samples[start..]) {
                let sample = normalisation.apply(sample);
                // Evenly distributed numbers within ±1 have the standard deviation 1/√3.
                let noise = |_| NOISE * 3.0_f32.sqrt() * rng.random_range(-1.0..1.0_f32);
                let noise: [f32; X] = std::array::from_fn(noise);
                x.columns_mut()[m] = std::array::from_fn(|k| sample[k] + noise[k]);
            }
        }
    }

    fn resize(&mut self, steps: usize) {
        self.classes.resize(steps, [0; M]);
        self.x.resize(steps, Matrix::zeros());
        self.a.resize(steps, Matrix::zeros());
        self.caches.resize(steps, C::Cache::ZEROS);
        self.mean.resize(steps, Matrix::zeros());
        self.z.resize(steps, Matrix::zeros());
        self.dz.resize(steps, Matrix::zeros());
        self.da.resize(steps, Matrix::zeros());
    }

    /// Adds the gradient of the loss to `grads`; returns the loss,
    ///
    /// (5) L = −(1/(M·T)) Σₘ Σₜ ln y⟨t⟩\[class of m\]:
    ///
    /// the network is to be right at every step, as soon as it can. The numbers of the other equations are those of `model`.
    pub fn gradient(&mut self, net: &Net<C>, grads: &mut Net<C>) -> Result<f32, Box<dyn Error>> {
        let NetRef { cell, head } = net.parts();
        let NetMut {
            cell: dcell,
            head: dhead,
        } = grads.parts_mut();
        let start = C::State::ZEROS;

        let tape = cell.forward(&self.x, &start, &mut self.a, &mut self.caches)?; // (1)
        let mut mean = Matrix::zeros();
        for (i, a) in tape.a().iter().enumerate() {
            include(&mut mean, a, i + 1); // (2)
            self.mean[i].clone_from(&mean);
        }
        dense::sequence_forward(head, &self.mean, &mut self.z)?; // (3)
        // (4) and (5)
        let loss = softmax_cross_entropy_classes(
            &self.z,
            &self.classes,
            None,
            Reduction::Mean,
            Some(&mut self.dz),
        )?;

        dense::sequence_backward(head, &self.mean, &self.dz, dhead, &mut self.da)?;
        through_mean(&mut self.da);
        let mut beyond = C::State::ZEROS; // nothing comes after the last step
        tape.backward(&self.da, dcell, None, &mut beyond)?;
        Ok(loss)
    }

    /// How many of the excerpts were classified right at their last step.
    fn right(&self) -> usize {
        let last = self.z.last().zip(self.classes.last());
        last.map_or(0, |(z, classes)| {
            let both = z.columns().iter().zip(classes);
            both.filter(|(z, class)| most_likely(z) == **class).count()
        })
    }
}

/// The gradient of (2), in place. ā⟨t⟩ is (a⟨1⟩ + … + a⟨t⟩)/t, so that a⟨s⟩ has a share of 1/t in all t from s on:
///
/// (6) da⟨s⟩ = Σ dā⟨t⟩/t over t = s … T
fn through_mean(da: &mut [Matrix<A, M>]) {
    let mut sum = Matrix::<A, M>::zeros();
    for (i, da) in da.iter_mut().enumerate().rev() {
        for (sum, da) in sum.as_flat_mut().iter_mut().zip(da.as_flat_mut()) {
            *sum += *da / (i + 1) as f32;
            *da = *sum;
        }
    }
}
