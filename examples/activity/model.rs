//! The network: an LSTM, the mean of its hidden states, and a softmax over the activities.
//!
//! For the samples x⟨1⟩, x⟨2⟩, … of one recording, starting from a⟨0⟩ = c⟨0⟩ = 0:
//!
//! (1) a⟨t⟩, c⟨t⟩ = LSTM(x⟨t⟩, a⟨t−1⟩, c⟨t−1⟩)
//! (2) ā⟨t⟩ = ā⟨t−1⟩ + (a⟨t⟩ − ā⟨t−1⟩)/t, which is the mean of a⟨1⟩ … a⟨t⟩
//! (3) z⟨t⟩ = W·ā⟨t⟩ + b
//! (4) y⟨t⟩ = softmax z⟨t⟩, the probability of each activity after t samples
//!
//! The mean sums up all that was seen, where a⟨t⟩ alone shows the last swing of the arm. It costs a device A numbers of
//! memory and does not grow with time; to go on for ever, stop counting t at, say, 100.

use bptt::{Cell as _, Flat, Matrix, Vector, dense, lstm};

/// Channels of the watch.
pub const X: usize = 6;
/// Hidden units.
pub const A: usize = 16;
/// Activities.
pub const Y: usize = 4;

bptt::flat_struct! {
    /// The weights, one flat array: that is what the optimizer updates and what the weights file holds.
    pub struct Net, NetRef, NetMut {
        /// Of (1).
        pub cell: lstm::Params<X, A>,
        /// Of (3).
        pub head: dense::Params<A, Y>,
    }
}

/// (2): `mean` of t − 1 hidden states becomes that of t.
pub fn include<const M: usize>(mean: &mut Matrix<A, M>, a: &Matrix<A, M>, t: usize) {
    for (mean, a) in mean.as_flat_mut().iter_mut().zip(a.as_flat()) {
        *mean += (a - *mean) / t as f32;
    }
}

/// A network at work: takes one sample after the other, keeps 3·A numbers between them, and needs no heap. This is what
/// runs on a device.
pub struct Stream<'a> {
    net: NetRef<'a>,
    state: lstm::State<A, 1>,
    mean: Vector<A>,
    t: usize,
}

impl<'a> Stream<'a> {
    pub fn new(net: &'a Net) -> Self {
        Stream {
            net: net.parts(),
            state: lstm::State::zeros(),
            mean: Vector::zeros(),
            t: 0,
        }
    }

    /// The probability of each activity, this sample included.
    pub fn push(&mut self, sample: [f32; X]) -> [f32; Y] {
        let x = Vector::from_columns([sample]);
        let mut next = lstm::State::zeros();
        self.net.cell.step(&x, &self.state, &mut next); // (1)
        self.state = next;
        self.t += 1;
        include(&mut self.mean, &self.state.a, self.t); // (2)
        let mut y = Vector::zeros();
        dense::forward(self.net.head, &self.mean, &mut y); // (3)
        dense::softmax(&mut y); // (4)
        let [y] = *y.columns();
        y
    }
}

/// The index of the greatest entry.
pub fn most_likely(y: &[f32; Y]) -> usize {
    (0..Y).fold(0, |best, k| if y[k] > y[best] { k } else { best })
}

/// Mean μ and standard deviation σ of each channel. The network is trained on (x − μ)/σ.
pub struct Normalisation {
    mean: [f32; X],
    deviation: [f32; X],
}

impl Normalisation {
    /// Of all samples. A channel that never changes keeps its scale: σ = 1.
    pub fn of<'a>(samples: impl Iterator<Item = &'a [f32; X]> + Clone) -> Self {
        let n = samples.clone().count() as f64;
        let (mut mean, mut deviation) = ([0.0; X], [1.0; X]);
        for k in 0..X {
            let channel = samples.clone().map(|x| f64::from(x[k]));
            let mu = channel.clone().sum::<f64>() / n;
            let variance = channel.map(|x| (x - mu) * (x - mu)).sum::<f64>() / n;
            mean[k] = mu as f32;
            if variance > 0.0 {
                deviation[k] = variance.sqrt() as f32;
            }
        }
        Normalisation { mean, deviation }
    }

    /// (x − μ)/σ
    pub fn apply(&self, x: &[f32; X]) -> [f32; X] {
        std::array::from_fn(|k| (x[k] - self.mean[k]) / self.deviation[k])
    }

    /// Makes a network for normalised samples one for samples as they are measured. For each gate
    ///
    /// Wx·((x − μ)/σ) + b = (Wx/σ)·x + (b − (Wx/σ)·μ),
    ///
    /// so that nobody who has the weights needs μ and σ.
    pub fn fold_into(&self, cell: &mut lstm::Params<X, A>) {
        let lstm::Params { f, i, g, o } = cell;
        for gate in [f, i, g, o] {
            for k in 0..X {
                for i in 0..A {
                    gate.wx[(i, k)] /= self.deviation[k];
                    gate.b[(i, 0)] -= gate.wx[(i, k)] * self.mean[k];
                }
            }
        }
    }
}
