//! Training on the device: a wearer who has the watch on the other arm, turned around.

use bptt::loss::{Reduction, softmax_cross_entropy_classes};
use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Cell as _, Flat, Matrix, TrainingError, Vector, dense, lstm};

use crate::classify::{Stream, include};
use crate::{A, CELL, CLASSES, Cell, HEAD, Head, Print, RECORDINGS, STEPS, X, Y};

/// Samples of an excerpt to learn from: the first half of a recording.
const T: usize = STEPS / 2;
/// How often each excerpt is learnt from.
const ROUNDS: usize = 20;
/// The step of Adam.
const LEARNING_RATE: f32 = 0.003;

/// All the memory that learning takes.
pub struct Learner {
    cell: Cell,
    head: Head,
    grads: (Cell, Head),
    /// First and second moment.
    moments: [(Cell, Head); 2],
    x: [Vector<X>; T],
    a: [Vector<A>; T],
    caches: [lstm::Cache<A, 1>; T],
    mean: [Vector<A>; T],
    z: [Vector<Y>; T],
    dz: [Vector<Y>; T],
    da: [Vector<A>; T],
}

impl Learner {
    /// Before the first use, all zero: a `static` of it takes no flash.
    pub const fn new() -> Self {
        const LAYERS: (Cell, Head) = (Cell::zeros(), Head::zeros());
        Learner {
            cell: Cell::zeros(),
            head: Head::zeros(),
            grads: LAYERS,
            moments: [LAYERS; 2],
            x: [const { Matrix::zeros() }; T],
            a: [const { Matrix::zeros() }; T],
            caches: [const { lstm::Cache::zeros() }; T],
            mean: [const { Matrix::zeros() }; T],
            z: [const { Matrix::zeros() }; T],
            dz: [const { Matrix::zeros() }; T],
            da: [const { Matrix::zeros() }; T],
        }
    }

    /// Starts from the trained weights and goes on with excerpts of the new wearer, one an update.
    pub fn learn(&mut self, print: Print) -> Result<(), TrainingError> {
        self.start();
        self.judge(print);
        let mut adam = (Adam::new(LEARNING_RATE), Adam::new(LEARNING_RATE));
        for round in 1..=ROUNDS {
            for (class, name) in CLASSES.iter().enumerate() {
                let loss = self.update(class, turned(class), &mut adam)?;
                print(format_args!(
                    "    {:08x} {loss:9.6} loss of {name}, round {round}",
                    loss.to_bits()
                ));
            }
        }
        self.judge(print);
        Ok(())
    }

    /// From the trained weights.
    pub fn start(&mut self) {
        self.cell.clone_from(&CELL);
        self.head.clone_from(&HEAD);
    }

    /// One update with the first `T` samples; returns the loss before it.
    pub fn update(
        &mut self,
        class: usize,
        samples: impl Iterator<Item = [f32; X]>,
        adam: &mut (Adam, Adam),
    ) -> Result<f32, TrainingError> {
        for (x, sample) in self.x.iter_mut().zip(samples) {
            *x = Matrix::from_columns([sample]);
        }
        let start = lstm::State::zeros();

        let (a, caches) = (&mut self.a, &mut self.caches);
        let tape = self.cell.forward(&self.x, &start, a, caches)?;
        let mut mean = Matrix::zeros();
        for (i, (to, a)) in self.mean.iter_mut().zip(tape.a()).enumerate() {
            include(&mut mean, a, i + 1);
            to.clone_from(&mean);
        }
        dense::sequence_forward(&self.head, &self.mean, &mut self.z)?;
        let loss = softmax_cross_entropy_classes(
            &self.z,
            &[[class]; T],
            None,
            Reduction::Mean,
            Some(&mut self.dz),
        )?;

        let (dcell, dhead) = &mut self.grads;
        dcell.as_flat_mut().fill(0.0);
        dhead.as_flat_mut().fill(0.0);
        dense::sequence_backward(&self.head, &self.mean, &self.dz, dhead, &mut self.da)?;
        through_mean(&mut self.da);
        let mut beyond = lstm::State::zeros(); // nothing comes after the last step
        tape.backward(&self.da, dcell, None, &mut beyond)?;

        clip_by_global_norm(&mut [dcell.as_flat_mut(), dhead.as_flat_mut()], 1.0)?;
        let [m, v] = &mut self.moments;
        adam.0.update(
            self.cell.as_flat_mut(),
            dcell.as_flat(),
            m.0.as_flat_mut(),
            v.0.as_flat_mut(),
        )?;
        adam.1.update(
            self.head.as_flat_mut(),
            dhead.as_flat(),
            m.1.as_flat_mut(),
            v.1.as_flat_mut(),
        )?;
        Ok(loss)
    }

    /// The probability of the right activity in the second half of each recording, which is not learnt from.
    fn judge(&self, print: Print) {
        for (class, name) in CLASSES.iter().enumerate() {
            let mut stream = Stream::new(&self.cell, &self.head);
            let y = turned(class)
                .skip(T)
                .fold([0.0; Y], |_, sample| stream.push(sample));
            let y = y.get(class).copied().unwrap_or_default();
            print(format_args!(
                "    {:08x} {y:9.6} probability of {name}",
                y.to_bits()
            ));
        }
    }
}

impl Default for Learner {
    fn default() -> Self {
        Self::new()
    }
}

/// The samples of the new wearer: the first two axes of both sensors point the other way.
pub(crate) fn turned(class: usize) -> impl Iterator<Item = [f32; X]> {
    let recording = RECORDINGS.get(class).into_iter().flatten();
    recording.map(|[a, b, c, d, e, f]| [-a, -b, *c, -d, -e, *f])
}

/// The gradient of the running mean, in place: da⟨s⟩ = Σ dā⟨t⟩/t over t = s … T.
fn through_mean(da: &mut [Vector<A>]) {
    let mut sum = Vector::<A>::zeros();
    for (i, da) in da.iter_mut().enumerate().rev() {
        for (sum, da) in sum.as_flat_mut().iter_mut().zip(da.as_flat_mut()) {
            *sum += *da / (i + 1) as f32;
            *da = *sum;
        }
    }
}
