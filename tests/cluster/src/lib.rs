//! Data parallelism with the same bits for any number of workers: the LSTM of `examples/activity`, on batches that are cut into
//! shards.
//!
//! 1. A batch is [`SHARDS`] shards. Their number and size, and the random numbers of each, do not depend on who computes them.
//! 2. A shard gives a row: its gradient as a flat slice, from zeros, and its loss.
//! 3. All rows come together, each at the place of its shard, and are added up in the order of the shards.
//! 4. The optimizer makes of the same weights and the same gradient the same new weights, wherever it runs.
//!
//! Only (2) and the coming together of (3) are divided: that is what a [`Workers`] does. The sums of (3) and (4) are done by
//! everybody, and nobody sends weights.

#[path = "../../../examples/activity/data.rs"]
pub mod data;
#[path = "../../../examples/activity/model.rs"]
pub mod model;
#[path = "../../../examples/activity/train.rs"]
pub mod train;

use std::array;
use std::ops::Range;

use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Flat, lstm};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use data::Recording;
use model::{A, Normalisation, Stream, X, most_likely};
use train::{Batch, CLIP, LEARNING_RATE, initial_weights};

/// Shards in a batch, of [`train::M`] excerpts each, whatever the number of workers.
pub const SHARDS: usize = 8;

/// The folder of the recordings.
pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

/// Where the random numbers start.
const SEED: u64 = 1;

type Cell = lstm::Params<X, A>;
pub type Net = model::Net<Cell>;

/// Scalars of a row.
pub const ROW: usize = Net::LEN + 1;

/// What a shard gives: its gradient, and last its loss, which is NaN where there is no gradient.
pub type Row = [f32; ROW];

/// Those who compute the rows.
pub trait Workers {
    /// Computes the next row of every shard, in the order of the shards.
    fn rows(&mut self, net: &Net, rows: &mut [Row; SHARDS]);
}

/// The shards of worker number `worker` of `workers`: as many as the others have, or one more. It has none where there are
/// more workers than shards.
pub fn shards_of(worker: usize, workers: usize) -> Range<usize> {
    worker * SHARDS / workers..(worker + 1) * SHARDS / workers
}

/// A part of every batch: its random numbers, and all that is computed from them.
pub struct Shard<'a> {
    number: usize,
    recordings: &'a [Recording],
    normalisation: Normalisation,
    batch: Batch<Cell>,
    rng: ChaCha8Rng,
}

impl<'a> Shard<'a> {
    /// Its random numbers are a stream of their own, so that nobody has to draw those of the others.
    pub fn new(number: usize, recordings: &'a [Recording]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(1 + number as u64); // 0 is that of the first weights
        Shard {
            number,
            recordings,
            normalisation: normalisation(recordings),
            batch: Batch::empty(),
            rng,
        }
    }

    /// Computes the row of the next batch.
    pub fn row(&mut self, net: &Net, row: &mut Row) {
        let mut any = || self.rng.random_range(0..self.recordings.len());
        let chosen = array::from_fn(|_| &self.recordings[any()]);
        self.batch.fill(chosen, &self.normalisation, &mut self.rng);

        let mut grads = Net::zeros();
        let [gradient @ .., loss] = row;
        *loss = self
            .batch
            .gradient(net, &mut grads)
            .unwrap_or_else(|error| {
                eprintln!("shard {}: {error}", self.number);
                f32::NAN
            });
        gradient.copy_from_slice(grads.as_flat());
    }
}

/// One worker, without threads and without processes: the plain loop.
pub struct Alone<'a>([Shard<'a>; SHARDS]);

impl<'a> Alone<'a> {
    pub fn new(recordings: &'a [Recording]) -> Self {
        Alone(array::from_fn(|number| Shard::new(number, recordings)))
    }
}

impl Workers for Alone<'_> {
    fn rows(&mut self, net: &Net, rows: &mut [Row; SHARDS]) {
        for (shard, row) in self.0.iter_mut().zip(rows) {
            shard.row(net, row);
        }
    }
}

/// What has come of a training.
pub struct Trained {
    /// For samples as they are measured.
    pub net: Net,
    /// The mean loss of each batch.
    pub losses: Vec<f32>,
}

impl Trained {
    /// All bits of the weights and the losses, by FNV-1a.
    pub fn digest(&self) -> u64 {
        let all = self.losses.iter().chain(self.net.as_flat());
        all.flat_map(|x| x.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
                (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }

    /// How many recordings are taken for what they are.
    pub fn right(&self, recordings: &[Recording]) -> usize {
        let right = |recording: &&Recording| {
            let mut stream = Stream::new(&self.net);
            let y = recording.samples.iter().map(|x| stream.push(*x)).last();
            y.is_some_and(|y| most_likely(&y) == recording.class)
        };
        recordings.iter().filter(right).count()
    }
}

/// Trains for `rounds` updates. Every kind and number of workers gives the same bits, or the same error.
pub fn train(
    recordings: &[Recording],
    rounds: usize,
    workers: &mut impl Workers,
) -> Result<Trained, String> {
    let mut net = initial_weights::<Cell>(&mut ChaCha8Rng::seed_from_u64(SEED));
    let [mut m, mut v] = [Net::zeros(), Net::zeros()];
    let mut adam = Adam::new(LEARNING_RATE);
    let mut rows = [[0.0; ROW]; SHARDS];
    let mut losses = vec![];
    for round in 0..rounds {
        workers.rows(&net, &mut rows); // (2)
        let failed = rows.iter().position(|[.., loss]| loss.is_nan());
        if let Some(number) = failed {
            return Err(format!("round {round}: shard {number} has no gradient"));
        }
        let mut mean = sum(&rows); // (3)
        mean.iter_mut().for_each(|x| *x /= SHARDS as f32);
        let [gradient @ .., loss] = &mut mean;
        losses.push(*loss);
        let told = |error| format!("round {round}: {error}");
        clip_by_global_norm(&mut [&mut *gradient], CLIP).map_err(told)?;
        adam.learning_rate = LEARNING_RATE * (1.0 - round as f32 / rounds as f32);
        let (m, v) = (m.as_flat_mut(), v.as_flat_mut());
        adam.update(net.as_flat_mut(), gradient, m, v)
            .map_err(told)?; // (4)
    }
    normalisation(recordings).fold_into(net.parts_mut().cell);
    Ok(Trained { net, losses })
}

/// ((row 0 + row 1) + row 2) + …
pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Row {
    let mut sum = [0.0; ROW];
    for row in rows {
        for (sum, x) in sum.iter_mut().zip(row) {
            *sum += x;
        }
    }
    sum
}

fn normalisation(recordings: &[Recording]) -> Normalisation {
    Normalisation::of(recordings.iter().flat_map(|r| &r.samples))
}
