//! What the programs share: numbers that no compiler knows, and one training.

use bptt::{Cell, Flat, LengthMismatch, Matrix, lstm};

/// Time steps of a sequence.
pub const STEPS: usize = 20;

/// Small numbers of both signs.
pub fn numbers(len: usize) -> Vec<f32> {
    let seed = std::env::args().count(); // the same in every run, which the compiler does not know
    (0..len)
        .map(|i| ((i + seed) * 37 % 101) as f32 / 500.0 - 0.1)
        .collect()
}

/// An LSTM with all that a training of it reads and writes.
pub struct Lstm<const X: usize, const A: usize, const M: usize> {
    params: Vec<f32>,
    x: Vec<f32>,
    da: Vec<f32>,
    a: Vec<Matrix<A, M>>,
    caches: Vec<lstm::Cache<A, M>>,
    dx: Vec<Matrix<X, M>>,
    grads: Vec<lstm::Params<X, A>>,
    init: lstm::State<A, M>,
}

impl<const X: usize, const A: usize, const M: usize> Lstm<X, A, M> {
    /// An LSTM of small weights and a sequence for it.
    #[expect(clippy::new_without_default, reason = "no default is meant")]
    pub fn new() -> Self {
        Lstm {
            params: numbers(lstm::Params::<X, A>::LEN),
            x: numbers(STEPS * X * M),
            da: numbers(STEPS * A * M),
            a: vec![Matrix::zeros(); STEPS],
            caches: vec![lstm::Cache::zeros(); STEPS],
            dx: vec![Matrix::zeros(); STEPS],
            grads: vec![lstm::Params::zeros()],
            init: lstm::State::zeros(),
        }
    }

    /// Forward and backward over the sequence; the gradient is added to what was there.
    pub fn train(&mut self) -> Result<(), LengthMismatch> {
        let params = lstm::Params::<X, A>::from_flat(&self.params)?;
        let x = Matrix::<X, M>::slice_from_flat(&self.x)?;
        let da = Matrix::<A, M>::slice_from_flat(&self.da)?;
        let tape = params.forward(x, &self.init, &mut self.a, &mut self.caches)?;
        let (grads, mut dstate) = (&mut self.grads[0], lstm::State::zeros());
        tape.backward(da, grads, Some(&mut self.dx), &mut dstate)
    }

    /// A number that depends on all of the training.
    pub fn sum(&self) -> f32 {
        let grads = self.grads[0].as_flat().iter();
        grads.chain(Matrix::slice_as_flat(&self.dx)).sum()
    }
}
