//! What both GRUs have in common over slices: what a unit computes once its sums are there. The
//! numbers are those of the equations in [`gru`](crate::gru).
//!
//! Parameters are three gates r, u, n after one another, each Wa (A, A), Wx (A, X), b (A), and after
//! them bna (A) where the reset comes after the product. A state is a; a cache is r, u, n, s. The
//! rest stands in [`after`](super::after) and [`before`](super::before).

use crate::Real;
use crate::activation::tanh_vectors;
use crate::arch::Vector;
use crate::sequence::Weights;
use crate::shape::Shape;

/// The gates: r, u, n.
pub(super) const GATES: usize = 3;
/// The matrices of a cache: r, u, n, s.
pub(super) const CACHE: usize = 4;

/// One sample of a step: of the number of units, the weights, x, a⟨t−1⟩ and a⟨t⟩.
type Sample<T> = fn(usize, Weights<T>, &[T], &[T], &mut [T]);

/// A step of inference, sample by sample.
#[inline(always)]
pub(super) fn each_sample<T: Real>(
    shape: Shape,
    params: &[T],
    x: &[T],
    prev: &[T],
    next: &mut [T],
    sample: Sample<T>,
) {
    let Shape { inputs, units, .. } = shape;
    let weights = Weights::new(params, shape);
    let (mut x, mut a_prev, mut a) = (x, prev, next);
    while !a.is_empty() {
        let (x_now, x_rest) = x.split_at_checked(inputs).unwrap_or_default();
        let (a_prev_now, a_prev_rest) = a_prev.split_at_checked(units).unwrap_or_default();
        let (a_now, a_rest) = a.split_at_mut_checked(units).unwrap_or_default();
        sample(units, weights, x_now, a_prev_now, a_now);
        (x, a_prev, a) = (x_rest, a_prev_rest, a_rest);
    }
}

/// (5) and (6) for N vectors of units: n and a⟨t⟩.
#[inline(always)]
pub(super) fn candidate<V: Vector, const N: usize>(
    z_n: [V; N],
    u: [V; N],
    a_prev: [V; N],
) -> ([V; N], [V; N]) {
    let one = V::splat(V::Scalar::ONE);
    let n = tanh_vectors(z_n); // (5)
    let mut a = n;
    for j in 0..N {
        a[j] = ((one - u[j]) * n[j] + u[j] * a_prev[j]).flush(); // (6)
    }
    (n, a)
}

/// (7) to (10) for a vector of units, and the first term of (19): dz_u, dz_n and dh ⊙ u, of u, n,
/// a⟨t−1⟩ and dh.
#[inline(always)]
pub(super) fn candidate_backward<V: Vector>(u: V, n: V, a_prev: V, dh: V) -> [V; 3] {
    let one = V::splat(V::Scalar::ONE);
    let dh = dh.flush();
    let d_u = dh * (a_prev - n); // (7)
    let d_n = dh * (one - u); // (8)
    let dz_u = d_u * (u * (one - u)); // (9)
    let dz_n = d_n * (one - n * n); // (10)
    [dz_u, dz_n, dh * u] // (19) dh ⊙ u …
}

/// (13): dz_r.
#[inline(always)]
pub(super) fn gate_backward<V: Vector>(r: V, d_r: V) -> V {
    let one = V::splat(V::Scalar::ONE);
    d_r * (r * (one - r)) // (13)
}
