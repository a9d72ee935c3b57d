//! What the host of a plug-in does: hands it block after block of sound, each before its deadline.

use std::str::FromStr;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::amp::Amp;

/// How many frames a block has; a frame is a sample of each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blocks {
    Of(usize),
    /// Each another number, as hosts do that cut where an automation has a point.
    Random,
}

/// The greatest block.
const LARGEST: usize = 8192;
/// The greatest random block.
const RANDOM: usize = 512;

impl FromStr for Blocks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(frames @ 1..=LARGEST) => Ok(Blocks::Of(frames)),
            Err(_) if text == "random" => Ok(Blocks::Random),
            _ => Err(format!("expected a number from 1 to {LARGEST}, or random")),
        }
    }
}

/// How long it took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub blocks: usize,
    pub all: Duration,
    /// The block that took the greatest part of the time there is for it.
    pub worst: Duration,
    pub deadline: Duration,
    /// How many blocks took longer than they may.
    pub late: usize,
}

/// A host with an amp for each channel.
pub struct Host {
    amps: Vec<Box<dyn Amp>>,
    /// Where a block is, in and out.
    buffer: Box<[f32]>,
}

impl Host {
    pub fn new(amps: Vec<Box<dyn Amp>>) -> Self {
        Host {
            amps,
            buffer: vec![0.0; LARGEST].into_boxed_slice(),
        }
    }

    /// Replaces the sound, channels of equal length, by what the amps make of it.
    pub fn play(&mut self, channels: &mut [Vec<f32>], blocks: Blocks, rate: u32) -> Times {
        let frames = channels.first().map_or(0, Vec::len);
        let mut random = SmallRng::seed_from_u64(1);
        let mut times = Times::default();
        let mut at = 0;
        while at < frames {
            let len = match blocks {
                Blocks::Of(frames) => frames,
                Blocks::Random => random.random_range(1..=RANDOM),
            };
            let len = len.min(frames - at);
            let began = Instant::now();
            for (amp, channel) in self.amps.iter_mut().zip(&mut *channels) {
                let (block, sound) = (&mut self.buffer[..len], &mut channel[at..][..len]);
                block.copy_from_slice(sound);
                amp.process(block);
                sound.copy_from_slice(block);
            }
            times.add(began.elapsed(), len, rate);
            at += len;
        }
        times
    }
}

impl Times {
    fn add(&mut self, took: Duration, frames: usize, rate: u32) {
        let deadline = Duration::from_secs_f64(frames as f64 / f64::from(rate));
        let part = |took: Duration, deadline: Duration| took.as_secs_f64() / deadline.as_secs_f64();
        if self.blocks == 0 || part(took, deadline) > part(self.worst, self.deadline) {
            (self.worst, self.deadline) = (took, deadline);
        }
        self.blocks += 1;
        self.late += usize::from(took > deadline);
        self.all += took;
    }
}
