//! The arithmetic contract of the products: plain loops, which say to the last bit what is
//! computed.
//!
//! A matrix is a slice, column by column: entry (r, k) of R rows stands at k·R + r. Tests, fuzz
//! targets and benches compare with this text.

use core::ops::{Add, Mul};

/// What the contract needs of a scalar.
pub trait Scalar: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
impl<T: Copy + Default + Add<Output = T> + Mul<Output = T>> Scalar for T {}

/// z = z + W·u for one column: z of shape (R), W of shape (R, K), u of shape (K). The columns of W
/// in ascending order.
pub fn forward<T: Scalar>(w: &[T], u: &[T], z: &mut [T]) {
    let rows = z.len();
    for r in 0..rows {
        for k in 0..u.len() {
            z[r] = z[r] + w[k * rows + r] * u[k];
        }
    }
}

/// du = Σ_g W_gᵀ·dz_g for one column: each W of shape (R, K), each dz of shape (R), du of shape
/// (K).
///
/// Each entry of du is the sum of 16 partial sums, which start at +0. The product in row r of a
/// gate is added to partial sum r mod 16, gate by gate, the rows in ascending order. At the end the
/// upper half of the sums is added to the lower, until one is left.
pub fn transposed<T: Scalar>(w: &[&[T]], dz: &[&[T]], du: &mut [T]) {
    for k in 0..du.len() {
        let mut sums = [T::default(); 16];
        for (w, dz) in w.iter().zip(dz) {
            for r in 0..dz.len() {
                sums[r % 16] = sums[r % 16] + w[k * dz.len() + r] * dz[r];
            }
        }
        for half in [8, 4, 2, 1] {
            for s in 0..half {
                sums[s] = sums[s] + sums[s + half];
            }
        }
        du[k] = sums[0];
    }
}

/// dW = dW + dz·uᵀ for one column: dW of shape (R, K), dz of shape (R), u of shape (K). Of a
/// sequence, time descending, then batch ascending.
pub fn outer<T: Scalar>(dw: &mut [T], dz: &[T], u: &[T]) {
    for k in 0..u.len() {
        for r in 0..dz.len() {
            dw[k * dz.len() + r] = dw[k * dz.len() + r] + dz[r] * u[k];
        }
    }
}
