//! The training: an LSTM learns to say at each step which symbol it has heard some steps before.
//!
//! Floating-point addition is not associative: where each thread takes what is left to do and adds it to a common gradient, the
//! order of the sums, and with it the last bits, depends on which thread is faster. Here it does not:
//!
//! 1. The batch is cut into shards, whose number and size do not depend on the number of threads.
//! 2. Each shard has a gradient of its own, which starts from zero and to which one thread adds, in the order of the kernels.
//! 3. When all threads are done, one adds up the shards' gradients in the order of the shards, and updates the weights.
//!
//! Which thread works on a shard then changes nothing. The price is a gradient for each shard and the sum of them.

use std::error::Error;
use std::thread;

use bptt::loss::{Reduction, softmax_cross_entropy_classes};
use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Cell, Flat, Matrix, TrainingError, dense, init, lstm};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Different symbols.
const SYMBOLS: usize = 4;
/// Units of the LSTM.
const A: usize = 32;
/// Steps of a sequence.
const T: usize = 20;
/// After how many steps a symbol is to be said.
const DELAY: usize = 3;
/// Sequences in a shard, and shards in a batch.
const M: usize = 8;
const SHARDS: usize = 8;

bptt::flat_struct! {
    /// All weights, their gradients, the moments of the optimizer.
    pub struct Net, NetRef, NetMut {
        cell: lstm::Params<SYMBOLS, A>,
        head: dense::Params<A, SYMBOLS>,
    }
}

/// What has come of a training.
pub struct Trained {
    pub net: Net,
    /// The mean loss of each batch.
    pub losses: Vec<f32>,
}

/// Trains on `threads` threads, at least one; every number of them gives the same bits.
pub fn train(threads: usize, rounds: usize) -> Result<Trained, Box<dyn Error + Send + Sync>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut net = Net::zeros();
    init::uniform(&mut net, 0.2, || rng.random());

    let mut shards: Vec<Shard> = (0..SHARDS).map(|_| Shard::new()).collect();
    let (mut grads, mut m, mut v) = (Net::zeros(), Net::zeros(), Net::zeros());
    let mut adam = Adam::new(0.01);
    let mut losses = vec![];
    for _ in 0..rounds {
        // The random numbers are drawn here, in the order of the shards, and not by the threads.
        for shard in &mut shards {
            shard.draw(&mut rng);
        }
        // (1) and (2): each thread takes some of the shards.
        thread::scope(|scope| {
            let of_each = shards.chunks_mut(SHARDS.div_ceil(threads));
            let workers: Vec<_> = of_each
                .map(|shards| {
                    let net = &net;
                    scope.spawn(move || shards.iter_mut().try_for_each(|s| s.gradient(net)))
                })
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| match worker.join() {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
        })?;
        // (3): the sums of all shards, in their order.
        grads.set_zeros();
        let mut loss = 0.0;
        for shard in &shards {
            loss += shard.loss;
            for (sum, g) in grads.as_flat_mut().iter_mut().zip(shard.grads.as_flat()) {
                *sum += g;
            }
        }
        // A shard hands over sums over its samples; the mean over the batch is what the weights follow.
        let samples = (SHARDS * M * (T - DELAY)) as f32;
        losses.push(loss / samples);
        let g = grads.as_flat_mut();
        g.iter_mut().for_each(|g| *g /= samples);
        clip_by_global_norm(&mut [&mut *g], 1.0)?;
        adam.update(net.as_flat_mut(), g, m.as_flat_mut(), v.as_flat_mut())?;
    }
    Ok(Trained { net, losses })
}

/// M sequences of the batch, and all that is computed from them.
struct Shard {
    symbols: Vec<[usize; M]>,
    x: Vec<Matrix<SYMBOLS, M>>,
    a: Vec<Matrix<A, M>>,
    caches: Vec<lstm::Cache<A, M>>,
    z: Vec<Matrix<SYMBOLS, M>>,
    dz: Vec<Matrix<SYMBOLS, M>>,
    da: Vec<Matrix<A, M>>,
    /// The sum of the losses of its samples, and its gradient.
    loss: f32,
    grads: Net,
}

impl Shard {
    fn new() -> Self {
        Shard {
            symbols: vec![[0; M]; T],
            x: vec![Matrix::zeros(); T],
            a: vec![Matrix::zeros(); T],
            caches: vec![lstm::Cache::zeros(); T],
            z: vec![Matrix::zeros(); T],
            dz: vec![Matrix::zeros(); T],
            da: vec![Matrix::zeros(); T],
            loss: 0.0,
            grads: Net::zeros(),
        }
    }

    /// Draws M sequences of symbols.
    fn draw(&mut self, rng: &mut ChaCha8Rng) {
        for (x, symbols) in self.x.iter_mut().zip(&mut self.symbols) {
            x.fill(0.0);
            for (column, symbol) in x.columns_mut().iter_mut().zip(symbols) {
                *symbol = rng.random_range(0..SYMBOLS);
                column[*symbol] = 1.0;
            }
        }
    }

    /// Computes the sum of the losses and its gradient.
    fn gradient(&mut self, net: &Net) -> Result<(), TrainingError> {
        let NetRef { cell, head } = net.parts();
        self.grads.set_zeros();
        let NetMut {
            cell: dcell,
            head: dhead,
        } = self.grads.parts_mut();
        let start = lstm::State::zeros();

        let tape = cell.forward(&self.x, &start, &mut self.a, &mut self.caches)?;
        dense::sequence_forward(head, tape.a(), &mut self.z)?;
        // Nothing is asked for in the first steps, where dz stays 0.
        self.loss = softmax_cross_entropy_classes(
            &self.z[DELAY..],
            &self.symbols[..T - DELAY],
            None,
            Reduction::Sum,
            Some(&mut self.dz[DELAY..]),
        )?;
        dense::sequence_backward(head, tape.a(), &self.dz, dhead, &mut self.da)?;
        let mut beyond = lstm::State::zeros(); // nothing comes after the last step
        tape.backward(&self.da, dcell, None, &mut beyond)?;
        Ok(())
    }
}
