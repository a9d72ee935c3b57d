//! Losses: softmax cross-entropy and mean squared error, value and gradient.
//!
//! Every loss takes a sequence, one (Y, M) matrix a step; for a single step pass
//! [`core::slice::from_ref`] and [`core::slice::from_mut`]. The value is added up with time, batch
//! and classes ascending. With no steps it is 0.

use core::error::Error;
use core::fmt;

use crate::arch::Core as _;
use crate::dense::softmax_column;
use crate::shape::Shape;
use crate::{Flat, LengthMismatch, Matrix, Real};

/// What becomes of the losses of all samples and steps.
///
/// ```
/// use bptt::{Matrix, loss};
/// use bptt::loss::Reduction;
///
/// let (y, target) = ([Matrix::from_rows([[3.0, 1.0]])], [Matrix::<1, 2>::zeros()]);
/// let mut dy = [Matrix::zeros()];
/// assert_eq!(loss::squared_error(&y, &target, Reduction::Sum, &mut dy), Ok(10.0));
/// assert_eq!(loss::squared_error(&y, &target, Reduction::Mean, &mut dy), Ok(5.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// They are added up.
    Sum,
    /// Their mean: over all steps and samples, and for the squared error over the Y outputs too.
    Mean,
}

impl Reduction {
    /// The factor s that turns a sum over `n` terms into what is asked for.
    fn scale<T: Real>(self, n: usize) -> T {
        match self {
            Reduction::Sum => T::ONE,
            Reduction::Mean => T::ONE / T::from_usize(n),
        }
    }
}

/// A class index that the network has no output for, or a length that does not fit.
///
/// ```
/// use bptt::loss::{self, Reduction, TargetError};
/// use bptt::Matrix;
///
/// let (z, mut dz) = ([Matrix::<3, 1>::zeros()], [Matrix::zeros()]);
/// let error = loss::softmax_cross_entropy_classes(&z, &[[3]], Reduction::Mean, &mut dz).unwrap_err();
/// assert_eq!(error, TargetError::Class { class: 3, classes: 3 });
/// assert_eq!(error.to_string(), "class 3 of 3 classes, which are counted from 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// Two lengths that must be equal are not.
    Length(LengthMismatch),
    /// `class` is not below `classes`.
    Class {
        /// The index that was given.
        class: usize,
        /// The number of classes, Y.
        classes: usize,
    },
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Length(error) => error.fmt(f),
            TargetError::Class { class, classes } => {
                write!(
                    f,
                    "class {class} of {classes} classes, which are counted from 0"
                )
            }
        }
    }
}

impl Error for TargetError {}

impl From<LengthMismatch> for TargetError {
    fn from(error: LengthMismatch) -> Self {
        TargetError::Length(error)
    }
}

/// Softmax cross-entropy against probabilities: L = −s·Σ p_k·ln softmax(z)_k.
///
/// `z` are the logits and `target` the probabilities p, one (Y, M) matrix a step; s is 1 for a sum
/// and 1/(M·T) for a mean. Returns L and overwrites `dz` with its gradient, dz = s·(softmax(z)·Σⱼ
/// p_j − p).
///
/// ln softmax(z)_k is computed as (z_k − z_max) − ln(1 + Σ exp(z_j − z_max)), the sum without the
/// greatest logit: right near 0 (a loss far below the rounding error of 1 is not rounded to 0), and
/// without overflow for any finite logits whose difference is finite. Where p_k = 0 the term is 0,
/// whatever the logit. A NaN or +∞ among the logits of a sample makes L and the gradient of that
/// sample NaN.
///
/// # Errors
/// [`LengthMismatch`] where `target` or `dz` has not the length of `z`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let z = [Matrix::<2, 1>::from_rows([[0.0], [0.0]])];
/// let target = [Matrix::from_rows([[0.25], [0.75]])];
/// let mut dz = [Matrix::zeros()];
/// let value = loss::softmax_cross_entropy(&z, &target, loss::Reduction::Mean, &mut dz)?;
/// assert!((value - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(dz[0], Matrix::from_rows([[0.25], [-0.25]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn softmax_cross_entropy<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    reduction: Reduction,
    dz: &mut [Matrix<Y, M, T>],
) -> Result<T, LengthMismatch> {
    LengthMismatch::check("target", z.len(), target.len())?;
    LengthMismatch::check("dz", z.len(), dz.len())?;
    let s: T = reduction.scale(z.len() * M);
    let sum = T::Core::cross_entropy(
        Shape::of::<Y, Y, M>().units,
        s,
        Matrix::slice_as_flat(z),
        Matrix::slice_as_flat(target),
        Matrix::slice_as_flat_mut(dz),
    );
    Ok(scaled(s, sum, z.len()))
}

/// −Σ p_k·ln softmax(z)_k over all samples, and dz.
pub(crate) fn cross_entropy<T: Real>(
    classes: usize,
    s: T,
    z: &[T],
    target: &[T],
    dz: &mut [T],
) -> T {
    let mut sum = T::ZERO;
    let (mut z, mut target, mut dz) = (z, target, dz);
    while !dz.is_empty() {
        let (z_now, z_rest) = z.split_at_checked(classes).unwrap_or_default();
        let (p, p_rest) = target.split_at_checked(classes).unwrap_or_default();
        let (dz_now, dz_rest) = dz.split_at_mut_checked(classes).unwrap_or_default();
        (z, target, dz) = (z_rest, p_rest, dz_rest);
        for (dz, z) in dz_now.iter_mut().zip(z_now) {
            *dz = *z;
        }
        let (max, ln_sum) = softmax_column(dz_now);
        let mut all = T::ZERO; // Σⱼ p_j
        for (&z, &p) in z_now.iter().zip(p) {
            all = all + p;
            if p != T::ZERO {
                sum = sum - p * ((z - max) - ln_sum);
            }
        }
        for (dz, &p) in dz_now.iter_mut().zip(p) {
            *dz = s * (*dz * all - p);
        }
    }
    sum
}

/// Softmax cross-entropy against class indices: L = −s·Σ ln softmax(z)_class.
///
/// As [`softmax_cross_entropy`] with the probability 1 for one class of each sample: `classes`
/// holds M indices a step, counted from 0.
///
/// # Errors
/// [`TargetError`] where `classes` or `dz` has not the length of `z`, or an index is not below Y; nothing is written then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let z = [Matrix::<2, 1>::from_rows([[0.0], [0.0]])];
/// let mut dz = [Matrix::zeros()];
/// let value = loss::softmax_cross_entropy_classes(&z, &[[1]], loss::Reduction::Mean, &mut dz)?;
/// assert!((value - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(dz[0], Matrix::from_rows([[0.5], [-0.5]]));
/// # Ok::<(), loss::TargetError>(())
/// ```
pub fn softmax_cross_entropy_classes<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &[[usize; M]],
    reduction: Reduction,
    dz: &mut [Matrix<Y, M, T>],
) -> Result<T, TargetError> {
    LengthMismatch::check("classes", z.len(), classes.len())?;
    LengthMismatch::check("dz", z.len(), dz.len())?;
    if let Some(&class) = classes.as_flattened().iter().find(|&&class| class >= Y) {
        return Err(TargetError::Class { class, classes: Y });
    }
    let s: T = reduction.scale(z.len() * M);
    let sum = T::Core::cross_entropy_classes(
        Shape::of::<Y, Y, M>().units,
        s,
        Matrix::slice_as_flat(z),
        classes.as_flattened(),
        Matrix::slice_as_flat_mut(dz),
    );
    Ok(scaled(s, sum, z.len()))
}

/// −Σ ln softmax(z)_class over all samples, and dz.
pub(crate) fn cross_entropy_classes<T: Real>(
    classes: usize,
    s: T,
    z: &[T],
    class: &[usize],
    dz: &mut [T],
) -> T {
    let mut sum = T::ZERO;
    let (mut z, mut dz) = (z, dz);
    for &class in class {
        let (z_now, z_rest) = z.split_at_checked(classes).unwrap_or_default();
        let (dz_now, dz_rest) = dz.split_at_mut_checked(classes).unwrap_or_default();
        (z, dz) = (z_rest, dz_rest);
        for (dz, z) in dz_now.iter_mut().zip(z_now) {
            *dz = *z;
        }
        let (max, ln_sum) = softmax_column(dz_now);
        for (k, (dz, &z)) in dz_now.iter_mut().zip(z_now).enumerate() {
            if k == class {
                sum = sum - ((z - max) - ln_sum);
                *dz = *dz - T::ONE;
            }
            *dz = s * *dz;
        }
    }
    sum
}

/// Squared error: L = s·Σ (y − target)².
///
/// `y` and `target` have one (Y, M) matrix a step; s is 1 for a sum and 1/(Y·M·T) for a mean.
/// Returns L and overwrites `dy` with its gradient, dy = 2·s·(y − target).
///
/// # Errors
/// [`LengthMismatch`] where `target` or `dy` has not the length of `y`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let (y, target) = ([Matrix::<1, 1>::from_rows([[3.0]])], [Matrix::from_rows([[1.0]])]);
/// let mut dy = [Matrix::zeros()];
/// assert_eq!(loss::squared_error(&y, &target, loss::Reduction::Sum, &mut dy)?, 4.0);
/// assert_eq!(dy[0][(0, 0)], 4.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn squared_error<const Y: usize, const M: usize, T: Real>(
    y: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    reduction: Reduction,
    dy: &mut [Matrix<Y, M, T>],
) -> Result<T, LengthMismatch> {
    LengthMismatch::check("target", y.len(), target.len())?;
    LengthMismatch::check("dy", y.len(), dy.len())?;
    let s: T = reduction.scale(y.len() * M * Y);
    let (y_flat, target) = (Matrix::slice_as_flat(y), Matrix::slice_as_flat(target));
    let sum = T::Core::squared_error(s, y_flat, target, Matrix::slice_as_flat_mut(dy));
    Ok(scaled(s, sum, y.len()))
}

/// Σ (y − target)², and dy.
pub(crate) fn squared_error_all<T: Real>(s: T, y: &[T], target: &[T], dy: &mut [T]) -> T {
    let two_s = s + s;
    let mut sum = T::ZERO;
    for ((y, target), dy) in y.iter().zip(target).zip(dy) {
        let error = *y - *target;
        sum = sum + error * error;
        *dy = two_s * error;
    }
    sum
}

/// s·sum, and 0 where there were no steps and s is infinite.
fn scaled<T: Real>(s: T, sum: T, steps: usize) -> T {
    if steps == 0 { T::ZERO } else { s * sum }
}
