//! A guitar for want of one: plucked strings after Karplus and Strong (1983).

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::wav::Sound;

pub const RATE: u32 = 48_000;

/// When a string is plucked, in seconds, and its period in samples.
type Pluck = (f32, usize);

/// Three seconds: chords of E, fifth and octave, then some notes alone.
const RIFF: [Pluck; 13] = [
    (0.0, 582),  // E2
    (0.0, 389),  // B2
    (0.0, 291),  // E3
    (0.75, 490), // G2
    (0.75, 327), // D3
    (0.75, 245), // G3
    (1.25, 436), // A2
    (1.25, 291), // E3
    (1.25, 218), // A3
    (2.0, 146),  // E4
    (2.25, 122), // G4
    (2.5, 109),  // A4
    (2.75, 97),  // B4
];

pub fn riff() -> Sound {
    Sound {
        rate: RATE,
        channels: vec![plucked(&RIFF, 3 * RATE as usize, 1)],
    }
}

/// `samples` of sound. A string is noise that goes round; a finger makes it softer first.
pub fn plucked(plucks: &[Pluck], samples: usize, seed: u64) -> Vec<f32> {
    let mut sound = vec![0.0; samples];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for &(second, period) in plucks {
        let noise = (0..period).map(|_| random.random_range(-0.5..0.5));
        let mut string: Vec<f32> = noise.collect();
        (0..4 * period).for_each(|t| average(&mut string, t, 0.5));
        let begin = ((second * RATE as f32) as usize).min(samples);
        for (t, sample) in sound[begin..].iter_mut().enumerate() {
            *sample += string[t % period];
            average(&mut string, t, 0.498);
        }
    }
    sound
}

/// The string loses what is high, and where the factor is less than a half, all of it.
fn average(string: &mut [f32], t: usize, factor: f32) {
    let (here, next) = (t % string.len(), (t + 1) % string.len());
    string[here] = factor * (string[here] + string[next]);
}
