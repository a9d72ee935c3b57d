//! What the parts are made of: a digest of scalars, and random numbers that are the same everywhere.

use bptt::{Flat, Real};

/// A digest of scalars: every bit of each, and their order.
#[derive(Clone, Copy)]
pub struct Digest(u64);

impl Digest {
    pub fn new() -> Self {
        Digest(0)
    }

    fn bits(&mut self, bits: u64) {
        // Each operation can be undone, so that one scalar that differs always shows. The multiplier is that
        // of Knuth's MMIX generator.
        let mixed = (self.0 ^ bits).wrapping_mul(6_364_136_223_846_793_005);
        self.0 = (mixed ^ (mixed >> 32)).wrapping_add(1);
    }

    /// `scalar`. A NaN counts as one value: its payload is not promised.
    ///
    /// An f32 goes in as the f64 that it is, which loses nothing, not even the sign of zero.
    pub fn scalar<T: Real>(&mut self, scalar: T) {
        let scalar = scalar.to_f64();
        self.bits(if scalar.is_nan() {
            f64::NAN.to_bits()
        } else {
            scalar.to_bits()
        });
    }

    /// All scalars of `value`.
    pub fn flat<F: Flat>(&mut self, value: &F) {
        self.scalars(value.as_flat());
    }

    /// All scalars of a sequence.
    pub fn sequence<F: Flat>(&mut self, sequence: &[F]) {
        self.scalars(F::slice_as_flat(sequence));
    }

    pub fn scalars<T: Real>(&mut self, scalars: &[T]) {
        for &scalar in scalars {
            self.scalar(scalar);
        }
    }

    pub fn integers<T: Copy + Into<i64>>(&mut self, integers: &[T]) {
        for &integer in integers {
            self.bits(integer.into() as u64);
        }
    }

    pub fn value(&self) -> u64 {
        self.0
    }
}

/// Random numbers: Knuth's MMIX generator, its upper bits.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    /// In \[0, 1), a multiple of 2⁻²⁴, so that it is exact in f32 too.
    pub fn uniform<T: Real>(&mut self) -> T {
        T::from_f64((self.bits() >> 8) as f64 / 16_777_216.0)
    }

    /// Overwrites all scalars of a sequence with numbers in \[−limit, limit).
    pub fn fill<F: Flat>(&mut self, sequence: &mut [F], limit: f64) {
        for scalar in F::slice_as_flat_mut(sequence) {
            let u: F::Scalar = self.uniform();
            *scalar = (u + u - F::Scalar::ONE) * F::Scalar::from_f64(limit);
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.bits() as usize % n
    }
}
