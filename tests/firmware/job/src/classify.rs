//! Inference: one sample after the other.

use bptt::{Cell as _, Flat, Matrix, Vector, dense, lstm};

use crate::{A, CELL, CLASSES, Cell, HEAD, Head, Print, RECORDINGS, X, Y};

/// A network at work. Keeps 3·A numbers from sample to sample.
pub struct Stream<'a> {
    cell: &'a Cell,
    head: &'a Head,
    state: lstm::State<A, 1>,
    mean: Vector<A>,
    t: usize,
}

impl<'a> Stream<'a> {
    pub const fn new(cell: &'a Cell, head: &'a Head) -> Self {
        Stream {
            cell,
            head,
            state: lstm::State::zeros(),
            mean: Matrix::zeros(),
            t: 0,
        }
    }

    /// The probability of each activity, this sample included.
    pub fn push(&mut self, sample: [f32; X]) -> [f32; Y] {
        let mut next = lstm::State::zeros();
        self.cell
            .step(&Matrix::from_columns([sample]), &self.state, &mut next);
        self.state = next;
        self.t += 1;
        include(&mut self.mean, &self.state.a, self.t);
        let mut y = Matrix::zeros();
        dense::forward(self.head, &self.mean, &mut y);
        dense::softmax(&mut y);
        let [y] = *y.columns();
        y
    }
}

/// `mean` of t − 1 hidden states becomes that of t: ā⟨t⟩ = ā⟨t−1⟩ + (a⟨t⟩ − ā⟨t−1⟩)/t
pub fn include(mean: &mut Vector<A>, a: &Vector<A>, t: usize) {
    for (mean, a) in mean.as_flat_mut().iter_mut().zip(a.as_flat()) {
        *mean += (a - *mean) / t as f32;
    }
}

/// Classifies the recordings with the trained network.
pub fn classify(print: Print) {
    for (name, recording) in CLASSES.iter().zip(&RECORDINGS) {
        let mut stream = Stream::new(&CELL, &HEAD);
        let y = recording
            .iter()
            .fold([0.0; Y], |_, sample| stream.push(*sample));
        print(format_args!("{name}:"));
        for (name, y) in CLASSES.iter().zip(y) {
            print(format_args!("    {:08x} {y:9.6} {name}", y.to_bits()));
        }
    }
}
