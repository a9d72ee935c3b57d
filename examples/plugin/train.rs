//! Teaches an LSTM with 16 units to sound like a tube amp that is driven hard.

use bptt::activation::tanh;
use bptt::layout::pytorch;
use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Cell, Flat, LengthMismatch, Matrix, Pair, TrainingError, dense, init, lstm, schedule};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};

use crate::guitar::{self, RATE};

/// Units.
const A: usize = 16;
/// Guitars beside each other.
const M: usize = 16;
/// Samples of each in one go: the gradient goes back no further, the state goes on.
const STEPS: usize = 512;
/// Goes a guitar plays on for.
const GOES: usize = 188;
const GUITARS: usize = 40;
const LEARNING_RATE: f32 = 0.01;

/// What is learned. A first-order high-pass at 120 Hz, a tube that bends one side before the other,
/// and a first-order low-pass at 4 kHz.
pub fn amp(sound: &[f32]) -> Vec<f32> {
    const HIGH_PASS: f32 = 0.015_7;
    const LOW_PASS: f32 = 0.407_6;
    const DRIVE: f32 = 12.0;
    const BIAS: f32 = 0.4;
    let (mut low, mut out) = (0.0, 0.0);
    let sample = |x: &f32| {
        low += HIGH_PASS * (x - low);
        let bent = tanh(DRIVE * (x - low) + BIAS) - tanh(BIAS);
        out += LOW_PASS * (bent - out);
        0.5 * out
    };
    sound.iter().map(sample).collect()
}

/// The energy of the difference over that of what should come out.
pub fn error_to_signal(output: &[f32], target: &[f32]) -> f64 {
    let energy = |x: f32| f64::from(x) * f64::from(x);
    let error: f64 = (output.iter().zip(target))
        .map(|(y, t)| energy(y - t))
        .sum();
    error / target.iter().map(|t| energy(*t)).sum::<f64>()
}

/// The LSTM and the dense layer; their output is added to the input.
type Net = Pair<lstm::Params<1, A>, dense::Params<A, 1>>;

/// Truncated backpropagation through time: each guitar plays on, and the weights change on the way.
/// `report` is told the error-to-signal ratio of all that the guitars have played.
pub fn train(mut report: impl FnMut(f32)) -> Result<Box<Net>, TrainingError> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut net = Box::new(Net::zeros());
    init::uniform_hidden(&mut net.first, || random.random());
    init::forget_bias(&mut net.first, 1.0);
    init::glorot_uniform(&mut net.second.w, || random.random());
    let [mut m, mut v] = [(); 2].map(|()| Box::new(Net::zeros()));
    let mut adam = Adam::new(LEARNING_RATE);
    let mut excerpt = Excerpt::new();
    for guitar in 0..GUITARS {
        let sounds: Vec<_> = (0..M).map(|_| exercise(&mut random)).collect();
        let targets: Vec<_> = sounds.iter().map(|sound| amp(sound)).collect();
        let mut state = lstm::State::zeros();
        let (mut error, mut signal) = (0.0, 0.0);
        for go in 0..GOES {
            excerpt.fill(&sounds, &targets, go * STEPS);
            let mut grads = Box::new(Net::zeros());
            let energies = excerpt.gradient(&net, &mut state, &mut grads)?;
            error += energies.0;
            signal += energies.1;
            clip_by_global_norm(&mut [grads.as_flat_mut()], 1.0)?;
            let done = guitar * GOES + go;
            adam.learning_rate = LEARNING_RATE * schedule::cosine::<f32>(done, 100..GUITARS * GOES);
            let (m, v) = (m.as_flat_mut(), v.as_flat_mut());
            adam.update(net.as_flat_mut(), grads.as_flat(), m, v)?;
        }
        report(error / signal);
    }
    Ok(net)
}

/// Two seconds of some strings, soft or loud.
fn exercise(random: &mut ChaCha8Rng) -> Vec<f32> {
    let samples = GOES * STEPS;
    let seconds = samples as f32 / RATE as f32;
    let mut pluck = |_| {
        (
            random.random_range(0.0..seconds),
            random.random_range(80..600),
        )
    };
    let plucks: Vec<_> = (0..8).map(&mut pluck).collect();
    let level = random.random_range(0.1..2.0);
    let sound = guitar::plucked(&plucks, samples, random.random());
    sound.into_iter().map(|x| level * x).collect()
}

/// What is learned from in one go: STEPS samples of M guitars.
struct Excerpt {
    x: Vec<Matrix<1, M>>,
    target: Vec<Matrix<1, M>>,
    y: Vec<Matrix<1, M>>,
    a: Vec<Matrix<A, M>>,
    da: Vec<Matrix<A, M>>,
    caches: Vec<lstm::Cache<A, M>>,
}

impl Excerpt {
    fn new() -> Self {
        let sound = vec![Matrix::zeros(); STEPS];
        let hidden = vec![Matrix::zeros(); STEPS];
        Excerpt {
            x: sound.clone(),
            target: sound.clone(),
            y: sound,
            a: hidden.clone(),
            da: hidden,
            caches: vec![lstm::Cache::zeros(); STEPS],
        }
    }

    fn fill(&mut self, sounds: &[Vec<f32>], targets: &[Vec<f32>], begin: usize) {
        for t in 0..STEPS {
            for guitar in 0..M {
                self.x[t][(0, guitar)] = sounds[guitar][begin + t];
                self.target[t][(0, guitar)] = targets[guitar][begin + t];
            }
        }
    }

    /// The energies of error and signal; the gradient of their ratio is added to `grads`, and the
    /// state goes on.
    fn gradient(
        &mut self,
        net: &Net,
        state: &mut lstm::State<A, M>,
        grads: &mut Net,
    ) -> Result<(f32, f32), LengthMismatch> {
        let start = state.clone();
        let (cell, head) = (&net.first, &net.second);
        let tape = cell.forward(&self.x, &start, &mut self.a, &mut self.caches)?;
        tape.last(state);
        dense::sequence_forward(head, tape.a(), &mut self.y)?;

        // Σ(y − target)² / Σ target², whose gradient takes the place of y. Silence has no signal.
        let signal = (self.target.iter()).flat_map(|t| t.as_flat().iter().map(|t| t * t));
        let signal = signal.sum::<f32>();
        let mut error = 0.0;
        for ((y, x), target) in self.y.iter_mut().zip(&self.x).zip(&self.target) {
            let pairs = x.as_flat().iter().zip(target.as_flat());
            for (y, (x, target)) in y.as_flat_mut().iter_mut().zip(pairs) {
                let apart = *y + x - target;
                error += apart * apart;
                *y = 2.0 * apart / signal.max(10.0);
            }
        }
        dense::sequence_backward(head, tape.a(), &self.y, &mut grads.second, &mut self.da)?;
        tape.backward(&self.da, &mut grads.first, None, &mut lstm::State::zeros())?;
        Ok((error, signal))
    }
}

/// GuitarML's JSON of the network.
pub fn json(net: &Net) -> Result<String, LengthMismatch> {
    let [mut weight_ih, mut bias_ih, mut bias_hh] = [(); 3].map(|()| [0.0; 4 * A]);
    let mut weight_hh = [0.0; 4 * A * A];
    let biases = (&mut bias_ih, &mut bias_hh);
    pytorch::write_lstm(
        &net.first,
        &mut weight_ih,
        &mut weight_hh,
        biases.0,
        biases.1,
    )?;
    let (mut weight, mut bias) = ([0.0; A], [0.0]);
    pytorch::write_linear(&net.second, &mut weight, &mut bias)?;
    // With the digits that f32 needs: as f64 they would have more.
    let row = |w: &[f32]| -> Vec<Value> {
        let short = |w: &f32| Value::Number(w.to_string().parse().expect("a finite number"));
        w.iter().map(short).collect()
    };
    let rows = |w: &[f32], columns| w.chunks(columns).map(row).collect::<Vec<_>>();
    let file = json!({
        "model_data": {
            "model": "SimpleRNN",
            "input_size": 1,
            "skip": 1,
            "output_size": 1,
            "unit_type": "LSTM",
            "num_layers": 1,
            "hidden_size": A,
            "bias_fl": true,
        },
        "state_dict": {
            "rec.weight_ih_l0": rows(&weight_ih, 1),
            "rec.weight_hh_l0": rows(&weight_hh, A),
            "rec.bias_ih_l0": row(&bias_ih),
            "rec.bias_hh_l0": row(&bias_hh),
            "lin.weight": rows(&weight, A),
            "lin.bias": row(&bias),
        },
    });
    Ok(file.to_string() + "\n")
}
