//! Initial weights. The random numbers come from a closure of the caller.
//!
//! Every function that draws takes `uniform`, which returns numbers evenly distributed in \[0, 1).
//! They are drawn in the order of the flat array, so one seed gives the same weights on every
//! target.
//!
//! [`uniform_hidden`] suits every cell to begin with. Where more is to be remembered, the usual
//! choice is
//!
//! | | |
//! |---|---|
//! | LSTM | [`forget_bias`] |
//! | GRU | the same in its update gate, which says how much stays: `cell.u.b.fill(1.0)` |
//! | RNN with tanh | [`orthogonal`] for `wa` |
//! | RNN with ReLU | `wa` the identity matrix and `b` zero, so that it starts by adding up what it reads (Le, Jaitly and Hinton, 2015) |

use crate::elementary::cosine;
use crate::{Cell, Flat, Matrix, Real, lstm};

/// Every scalar of `weights` evenly distributed in \[−limit, limit).
///
/// ```
/// use bptt::{Matrix, init};
/// use rand::{RngExt, SeedableRng, rngs::SmallRng};
///
/// let mut rng = SmallRng::seed_from_u64(1);
/// let mut w = Matrix::<4, 3>::zeros();
/// init::uniform(&mut w, 0.1, || rng.random::<f32>());
/// assert!(w[(3, 2)] != 0.0 && w[(3, 2)].abs() <= 0.1);
/// ```
pub fn uniform<F: Flat>(weights: &mut F, limit: F::Scalar, mut uniform: impl FnMut() -> F::Scalar) {
    for w in weights.as_flat_mut() {
        let u = uniform();
        *w = (u + u - F::Scalar::ONE) * limit;
    }
}

/// All weights of a cell, or of one gate, biases included, evenly distributed in \[−1/√A, 1/√A):
/// PyTorch's default.
///
/// ```
/// use bptt::{gru, init};
/// use rand::{RngExt, SeedableRng, rngs::SmallRng};
///
/// let mut rng = SmallRng::seed_from_u64(1);
/// let mut cell = gru::ResetAfter::<3, 4>::zeros();
/// init::uniform_hidden(&mut cell, || rng.random::<f32>());
/// assert!(cell.bna[(3, 0)] != 0.0 && cell.bna[(3, 0)].abs() <= 0.5);
///
/// init::uniform_hidden(&mut cell.u, || rng.random::<f32>()); // one gate anew
/// cell.u.b.fill(1.0); // and it keeps most of the state until it has learnt better
/// ```
pub fn uniform_hidden<C: Cell<X, A>, const X: usize, const A: usize>(
    cell: &mut C,
    uniform: impl FnMut() -> C::Scalar,
) {
    self::uniform(
        cell,
        C::Scalar::ONE / C::Scalar::from_usize(A).sqrt(),
        uniform,
    );
}

/// Evenly distributed in \[−√(6/(R + C)), √(6/(R + C))).
///
/// Glorot and Bengio (2010), equation (16): keeps the variance of activations and gradients from
/// layer to layer.
///
/// ```
/// use bptt::{dense, init};
/// use rand::{RngExt, SeedableRng, rngs::SmallRng};
///
/// let mut rng = SmallRng::seed_from_u64(1);
/// let mut head = dense::Params::<4, 2>::zeros();
/// init::glorot_uniform(&mut head.w, || rng.random::<f32>());
/// assert!(head.w[(1, 3)] != 0.0 && head.w[(1, 3)].abs() <= 1.0);
/// ```
pub fn glorot_uniform<const R: usize, const C: usize, T: Real>(
    w: &mut Matrix<R, C, T>,
    uniform: impl FnMut() -> T,
) {
    self::uniform(w, (T::from_f64(6.0) / T::from_usize(R + C)).sqrt(), uniform);
}

/// A random orthogonal matrix: wᵀ·w = 1 within rounding.
///
/// Saxe, McClelland and Ganguli (2014): keeps the length of what is propagated through the
/// recurrence. The columns are drawn from a normal distribution and made orthonormal one after the
/// other (modified Gram–Schmidt, every projection taken away twice). A closure that is not random
/// does not break it: a column that depends on those before it is replaced by a unit vector that
/// does not.
///
/// ```
/// use bptt::{init, rnn};
/// use rand::{RngExt, SeedableRng, rngs::SmallRng};
///
/// let mut rng = SmallRng::seed_from_u64(1);
/// let mut params = rnn::Params::<3, 4>::zeros();
/// init::orthogonal(&mut params.wa, || rng.random::<f32>());
/// let [a, b, ..] = params.wa.columns();
/// let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
/// assert!(dot.abs() < 1e-6);
/// ```
pub fn orthogonal<const A: usize, T: Real>(
    w: &mut Matrix<A, A, T>,
    mut uniform: impl FnMut() -> T,
) {
    for k in 0..A {
        let (done, rest) = w.0.split_at_mut(k);
        let Some(column) = rest.first_mut() else {
            return;
        };
        for w in column.iter_mut() {
            *w = normal(&mut uniform);
        }
        // One of the A unit vectors has a part of at least 1/√A outside of the columns before. So
        // has a random one, but for a factor that is small too seldom to count: less of it is left
        // than a thousandth of 1/√A in fewer than one of a thousand last columns.
        let enough = T::from_f64(1e-3) / T::from_usize(A).sqrt();
        let mut next = 0;
        while !(normalize(column).is_some() && orthogonalize(column, done) > enough) && next < A {
            column.fill(T::ZERO);
            if let Some(w) = column.get_mut(next) {
                *w = T::ONE;
            }
            next += 1;
        }
        normalize(column);
        orthogonalize(column, done);
        normalize(column);
    }
}

/// A normally distributed number: √(−2·ln(1 − u))·cos(2π·v), by Box and Muller (1958).
fn normal<T: Real>(uniform: &mut impl FnMut() -> T) -> T {
    let (u, v) = (uniform().to_f64(), uniform().to_f64());
    let radius = (-2.0 * (-u).ln_1p()).sqrt();
    T::from_f64(radius * cosine(v))
}

/// The length of `column`, which becomes 1; `None`, and nothing is changed, where it has no
/// direction.
fn normalize<const A: usize, T: Real>(column: &mut [T; A]) -> Option<T> {
    let length = dot(column, column).sqrt();
    if !(length.is_finite() && length > T::ZERO) {
        return None;
    }
    for w in column {
        *w = *w / length;
    }
    Some(length)
}

/// Takes from `column` its projections on the orthonormal columns `done`; returns the length of
/// what is left.
fn orthogonalize<const A: usize, T: Real>(column: &mut [T; A], done: &[[T; A]]) -> T {
    for other in done {
        let projection = dot(column, other);
        for (w, o) in column.iter_mut().zip(other) {
            *w = *w - projection * *o;
        }
    }
    dot(column, column).sqrt()
}

fn dot<const A: usize, T: Real>(a: &[T; A], b: &[T; A]) -> T {
    a.iter().zip(b).fold(T::ZERO, |sum, (&a, &b)| sum + a * b)
}

/// Every bias of the forget gate becomes `bias`; 1 is usual.
///
/// Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015): the cell
/// remembers until it has learnt to forget.
///
/// ```
/// let mut params = bptt::lstm::Params::<3, 4>::zeros();
/// bptt::init::forget_bias(&mut params, 1.0);
/// assert_eq!(params.f.b[(3, 0)], 1.0);
/// assert_eq!(params.i.b[(3, 0)], 0.0);
/// ```
pub fn forget_bias<const X: usize, const A: usize, T: Real>(
    params: &mut lstm::Params<X, A, T>,
    bias: T,
) {
    params.f.b.fill(bias);
}

#[cfg(test)]
mod tests {
    use super::normal;
    use crate::Real;
    use libm::{erfc, fabs, sqrt};
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    /// Means of functions of the numbers of a large sample, and of each number and the one before
    /// it, against those of the normal distribution. The mean of N values of variance s² has the
    /// standard deviation s/√N; five of them are allowed.
    fn has_the_means_of_the_normal_distribution<T: Real>(mut uniform: impl FnMut() -> T) {
        const N: usize = 1_000_000;
        const TAILS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
        let ([mut powers, mut tails], mut products) = ([[0.0; 4]; 2], 0.0);
        let mut before = 0.0;
        for _ in 0..N {
            let x = normal(&mut uniform).to_f64();
            let mut power = 1.0;
            for sum in &mut powers {
                power *= x;
                *sum += power;
            }
            for (sum, tail) in tails.iter_mut().zip(TAILS) {
                *sum += f64::from(fabs(x) > tail);
            }
            products += before * x;
            before = x;
        }

        let n = N as f64;
        let check = |what: &str, sum: f64, mean: f64, variance: f64| {
            let deviations = (sum / n - mean) / sqrt(variance / n);
            assert!(
                fabs(deviations) < 5.0, // false for NaN
                "{what}: {} is {deviations:.1} standard deviations from {mean}",
                sum / n
            );
        };
        check("x", powers[0], 0.0, 1.0);
        check("x²", powers[1], 1.0, 2.0);
        check("x³", powers[2], 0.0, 15.0);
        check("x⁴", powers[3], 3.0, 96.0);
        check("x·x′", products, 0.0, 1.0);
        for (sum, tail) in tails.into_iter().zip(TAILS) {
            let p = erfc(tail / sqrt(2.0));
            check("|x| beyond 1, 2, 3 or 4", sum, p, p * (1.0 - p));
        }
    }

    #[test]
    fn normal_numbers_are_normally_distributed() {
        let mut rng = SmallRng::seed_from_u64(1);
        has_the_means_of_the_normal_distribution::<f32>(|| rng.random());
        has_the_means_of_the_normal_distribution::<f64>(|| rng.random());
    }
}
