//! Flat memory for what is timed.

use bptt::{Flat, Real};

/// Parameters or a sequence, which are too large for the stack, in flat memory of their own that starts with a cache line.
pub struct Buffer<F: Flat> {
    memory: Vec<F::Scalar>,
    start: usize,
    end: usize,
}

impl<F: Flat> Buffer<F> {
    pub fn new(values: &[F::Scalar]) -> Self {
        let mut memory = vec![F::Scalar::ZERO; values.len() + 64 / size_of::<F::Scalar>()];
        let start = memory.as_ptr().align_offset(64);
        let end = start + values.len();
        memory[start..end].copy_from_slice(values);
        Buffer { memory, start, end }
    }

    pub fn zeros(len: usize) -> Self {
        Buffer::new(&vec![F::Scalar::ZERO; len * F::LEN])
    }

    pub fn flat(&self) -> &[F::Scalar] {
        &self.memory[self.start..self.end]
    }

    pub fn flat_mut(&mut self) -> &mut [F::Scalar] {
        &mut self.memory[self.start..self.end]
    }

    pub fn all(&self) -> &[F] {
        F::slice_from_flat(self.flat()).unwrap()
    }

    pub fn all_mut(&mut self) -> &mut [F] {
        F::slice_from_flat_mut(self.flat_mut()).unwrap()
    }
}
