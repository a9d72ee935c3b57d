//! Random numbers for tests: everything from one seed.
#![allow(dead_code)] // No test file needs all of it.

use bptt::{Flat, Matrix, Real};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// A source of random scalars and of everything that consists of them.
pub struct Random(SmallRng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(SmallRng::seed_from_u64(seed))
    }

    /// Evenly distributed in \[0, 1).
    pub fn uniform<T: Real>(&mut self) -> T {
        // An f32 from f32, so that the scalar nearest to it is not 1.
        T::from_f64(self.0.random::<f32>().into())
    }

    /// Below `n`.
    pub fn index(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// Overwrites `scalars` with numbers in \[−limit, limit) with all their digits in use.
    pub fn fill<T: Real>(&mut self, scalars: &mut [T], limit: f64) {
        for scalar in scalars {
            *scalar = T::from_f64(limit * self.0.random_range(-1.0..1.0));
        }
    }

    /// A matrix, or the parameters of a layer, with entries in \[−limit, limit).
    pub fn flat<F: Flat>(&mut self, limit: f64) -> F {
        let mut flat = F::ZEROS;
        self.fill(flat.as_flat_mut(), limit);
        flat
    }

    /// `steps` matrices with entries in \[−limit, limit).
    pub fn sequence<const R: usize, const C: usize, T: Real>(
        &mut self,
        steps: usize,
        limit: f64,
    ) -> Vec<Matrix<R, C, T>> {
        (0..steps).map(|_| self.flat(limit)).collect()
    }
}
