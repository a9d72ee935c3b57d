//! The same in integers: the network quantised on the device, recordings classified in integers, and
//! the output layer learnt anew in f32 for a wearer who has the watch on the other arm.
//!
//! The LSTM stays as it is, so that all of it fits into 16 KB of RAM: the mean of its hidden states is
//! what the output layer learns from. A firmware that never learns leaves the network in flash, as a
//! `static` made by `quantized::Lstm::from_le_bytes`.

use bptt::loss::{Reduction, softmax_cross_entropy_classes};
use bptt::optimizer::Adam;
use bptt::quantized::{self, Cell as _, Scale, State};
use bptt::{Flat, Matrix, TrainingError, dense};

use crate::learn::turned;
use crate::{A, CELL, CLASSES, HEAD, Head, Print, RECORDINGS, STEPS, X, Y};

/// Samples to learn from: the first half of each recording.
const T: usize = STEPS / 2;
/// Updates, each with the excerpts of all activities.
const ROUNDS: usize = 40;
/// The step of Adam.
const LEARNING_RATE: f32 = 0.03;

/// All that the device keeps.
pub struct Integers {
    cell: quantized::Lstm<X, A>,
    head: quantized::Dense<A, Y>,
    /// What learns, its gradients and their two moments.
    learnt: Head,
    grads: Head,
    moments: [Head; 2],
}

impl Integers {
    /// Before the first use.
    pub const fn new() -> Self {
        Integers {
            cell: quantized::Lstm::zeros(),
            head: quantized::Dense::zeros(),
            learnt: Head::zeros(),
            grads: Head::zeros(),
            moments: [const { Head::zeros() }; 2],
        }
    }

    /// Classifies, learns the new wearer, and classifies again.
    pub fn run(&mut self, print: Print) -> Result<(), &'static str> {
        // The scale of the inputs is that of samples like those that will come.
        let x = Scale::of(RECORDINGS.as_flattened().as_flattened());
        self.cell
            .quantize(&CELL, x)
            .map_err(|_| "the LSTM has no scale")?;
        self.learnt.clone_from(&HEAD);
        self.quantize()?;

        for (name, recording) in CLASSES.iter().zip(&RECORDINGS) {
            self.classify(name, recording.iter().copied(), print);
        }
        print(format_args!("other arm:"));
        self.judge(print);
        self.learn(print)
            .map_err(|_| "the output layer cannot learn")?;
        self.quantize()?;
        self.judge(print);
        Ok(())
    }

    /// The output layer in integers becomes that in f32.
    fn quantize(&mut self) -> Result<(), &'static str> {
        self.head
            .quantize(&self.learnt, Scale::UNIT)
            .map_err(|_| "the output layer has no scale")
    }

    /// The mean of the hidden states, in integers.
    fn mean(&self, samples: impl Iterator<Item = [f32; X]>) -> [i16; A] {
        let (mut state, mut sums, mut count) = (State::zeros(), [0; A], 0);
        for sample in samples {
            let (mut x, mut next) = ([[0; X]], State::zeros());
            // The lengths are the same; inputs beyond the scale are cut.
            let _ = self.cell.x_scale().quantize(&sample, x.as_flattened_mut());
            self.cell.step(&x, &state, &mut next);
            for (sum, a) in sums.iter_mut().zip(next.a.as_flattened()) {
                *sum += i32::from(*a);
            }
            state = next;
            count += 1;
        }
        sums.map(|sum: i32| (sum / count.max(1)) as i16)
    }

    /// Prints y in 2⁻¹⁶ and the class that has the greatest.
    fn classify(&self, name: &str, samples: impl Iterator<Item = [f32; X]>, print: Print) {
        let mut y = [[0; Y]];
        self.head.forward(&[self.mean(samples)], &mut y);
        let [y] = y;
        let found = CLASSES.iter().zip(y).max_by_key(|(_, y)| *y);
        let found = found.map_or("", |(found, _)| found);
        print(format_args!("{name}: {y:?}, {found}"));
    }

    /// Classifies the second half of each recording of the new wearer, which is not learnt from.
    fn judge(&self, print: Print) {
        for (class, name) in CLASSES.iter().enumerate() {
            self.classify(name, turned(class).skip(T), print);
        }
    }

    /// Updates the output layer in f32 by the mean hidden states of all activities at a time.
    fn learn(&mut self, print: Print) -> Result<(), TrainingError> {
        let mut a = Matrix::<A, Y>::zeros();
        for (class, a) in a.as_flat_mut().chunks_exact_mut(A).enumerate() {
            Scale::UNIT.dequantize(&self.mean(turned(class).take(T)), a)?;
        }
        let mut adam = Adam::new(LEARNING_RATE);
        for round in 1..=ROUNDS {
            let (mut y, mut dy) = ([Matrix::<Y, Y>::zeros()], [Matrix::zeros()]);
            dense::sequence_forward(&self.learnt, core::slice::from_ref(&a), &mut y)?;
            let classes = [core::array::from_fn(|class| class)];
            let loss =
                softmax_cross_entropy_classes(&y, &classes, None, Reduction::Mean, Some(&mut dy))?;
            self.grads.as_flat_mut().fill(0.0);
            let ([dy], mut da) = (&dy, Matrix::zeros());
            dense::backward(&self.learnt, &a, dy, &mut self.grads, &mut da);
            let [m, v] = &mut self.moments;
            adam.update(
                self.learnt.as_flat_mut(),
                self.grads.as_flat(),
                m.as_flat_mut(),
                v.as_flat_mut(),
            )?;
            if round % 10 == 0 {
                print(format_args!(
                    "    {:08x} {loss:9.6} loss, round {round}",
                    loss.to_bits()
                ));
            }
        }
        Ok(())
    }
}

impl Default for Integers {
    fn default() -> Self {
        Self::new()
    }
}
