//! The network: a recurrent cell, the mean of its hidden states, and a softmax over the activities.
//!
//! For the samples x⟨1⟩, x⟨2⟩, … of one recording, starting from a state of zeros:
//!
//! (1) a⟨t⟩ = RNN(x⟨t⟩, a⟨t−1⟩), or GRU(x⟨t⟩, a⟨t−1⟩), or a⟨t⟩, c⟨t⟩ = LSTM(x⟨t⟩, a⟨t−1⟩, c⟨t−1⟩)
//! (2) ā⟨t⟩ = ā⟨t−1⟩ + (a⟨t⟩ − ā⟨t−1⟩)/t, which is the mean of a⟨1⟩ … a⟨t⟩
//! (3) z⟨t⟩ = W·ā⟨t⟩ + b
//! (4) y⟨t⟩ = softmax z⟨t⟩, the probability of each activity after t samples
//!
//! The mean sums up all that was seen, where a⟨t⟩ alone shows the last swing of the arm. It costs a device A numbers of
//! memory and does not grow with time; to go on for ever, stop counting t at, say, 100.

use bptt::{Affine, Cell, Flat, Matrix, Vector, dense, gru, init, lstm, rnn};

/// Channels of the watch.
pub const X: usize = 6;
/// Hidden units.
pub const A: usize = 16;
/// Activities.
pub const Y: usize = 4;

/// A cell of (1) with X inputs and A units: what the network needs of it beside [`Cell`].
///
/// The compiler takes `Cell<X, A>` and `Cell<6, 16>` for two traits here.
pub trait Recurrent: Cell<6, 16, Scalar = f32> {
    const NAME: &'static str;

    /// The weights of each gate.
    fn gates(&mut self) -> Vec<&mut Affine<X, A>>;

    /// Lets the gate that decides about it keep most of the state at first.
    fn remember(&mut self) {}

    /// a⟨t⟩ of the state after step t.
    fn output(state: &Self::State<1>) -> &Vector<A>;
}

impl Recurrent for rnn::Params<X, A> {
    const NAME: &'static str = "RNN";

    fn gates(&mut self) -> Vec<&mut Affine<X, A>> {
        vec![self]
    }

    fn output(state: &Vector<A>) -> &Vector<A> {
        state
    }
}

impl Recurrent for lstm::Params<X, A> {
    const NAME: &'static str = "LSTM";

    fn gates(&mut self) -> Vec<&mut Affine<X, A>> {
        let lstm::Params { f, i, g, o } = self;
        vec![f, i, g, o]
    }

    fn remember(&mut self) {
        init::forget_bias(self, 1.0);
    }

    fn output(state: &lstm::State<A, 1>) -> &Vector<A> {
        &state.a
    }
}

impl Recurrent for gru::ResetAfter<X, A> {
    const NAME: &'static str = "GRU";

    fn gates(&mut self) -> Vec<&mut Affine<X, A>> {
        let gru::ResetAfter { r, u, n, bna: _ } = self;
        vec![r, u, n]
    }

    fn remember(&mut self) {
        self.u.b.fill(1.0);
    }

    fn output(state: &Vector<A>) -> &Vector<A> {
        state
    }
}

bptt::flat_struct! {
    /// The weights, one flat array: that is what the optimizer updates and what the weights file holds.
    pub struct Net<C: Recurrent>, NetRef, NetMut {
        /// Of (1).
        pub cell: C,
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

/// A network at work: takes one sample after the other, keeps its state and the mean between them, and needs no heap. This
/// is what runs on a device.
pub struct Stream<'a, C: Recurrent> {
    net: NetRef<'a, C>,
    state: C::State<1>,
    mean: Vector<A>,
    t: usize,
}

impl<'a, C: Recurrent> Stream<'a, C> {
    pub fn new(net: &'a Net<C>) -> Self {
        Stream {
            net: net.parts(),
            state: C::State::ZEROS,
            mean: Vector::zeros(),
            t: 0,
        }
    }

    /// The probability of each activity, this sample included.
    pub fn push(&mut self, sample: [f32; X]) -> [f32; Y] {
        let x = Vector::from_columns([sample]);
        let mut next = C::State::ZEROS;
        self.net.cell.step(&x, &self.state, &mut next); // (1)
        self.state = next;
        self.t += 1;
        include(&mut self.mean, C::output(&self.state), self.t); // (2)
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
    pub fn fold_into<C: Recurrent>(&self, cell: &mut C) {
        for gate in cell.gates() {
            for k in 0..X {
                for i in 0..A {
                    gate.wx[(i, k)] /= self.deviation[k];
                    gate.b[(i, 0)] -= gate.wx[(i, k)] * self.mean[k];
                }
            }
        }
    }
}
