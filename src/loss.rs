//! Losses: softmax cross-entropy and squared error, value and gradient.
//!
//! Every loss takes a sequence, one (Y, M) matrix a step; for a single step pass
//! [`core::slice::from_ref`] and [`core::slice::from_mut`]. With w the weight of a sample at a step
//! and ℓ its loss,
//!
//! | | L | |
//! |---|---|---|
//! | [`Reduction::Sum`] | Σ w·ℓ | s = 1 |
//! | [`Reduction::Mean`] | Σ w·ℓ / Σ w | s = 1/Σ w |
//!
//! For the squared error it is the mean over the outputs as well: 1/(Y·Σ w).
//!
//! The value is added up with time, batch and classes ascending. With no steps it is 0.
//!
//! # Weights and masks
//! `weights` holds M numbers w a step. `None` stands for w = 1 everywhere, and gives the same bits.
//!
//! * A sample whose weight is 0 is ignored: whatever its outputs are, NaN too, and whatever its
//!   target is, an index that is no class too, it has no part in L, and its gradient is exactly 0.
//!   So a mask of zeros and ones is what `ignore_index` is in PyTorch's `CrossEntropyLoss`, and
//!   `Mean` is the mean over what is not ignored, as there. With the weights of the classes, looked
//!   up for each target, it is what `weight` is there. (With probabilities as targets PyTorch
//!   divides by the number of samples instead of Σ w.)
//! * Where nothing counts, Σ w = 0, the mean is 0 and so is its gradient, where PyTorch has NaN.
//!   The same where Σ w is so small that its inverse is not finite.
//! * A weight may be negative, such as the advantage in a policy gradient; one that is NaN makes L
//!   NaN.
//!
//! ```
//! use bptt::{Matrix, loss};
//! use bptt::loss::Reduction;
//!
//! // Two samples, two steps; the second sample is over after the first step.
//! let z = [Matrix::<2, 2>::zeros(), Matrix::from_rows([[0.0, f32::NAN], [0.0, 9.0]])];
//! let classes = [[0, 1], [1, usize::MAX]];
//! let weights = [[1.0, 1.0], [1.0, 0.0]];
//! let mut dz = [const { Matrix::zeros() }; 2];
//! let (weights, out) = (Some(&weights[..]), Some(&mut dz[..]));
//! let value = loss::softmax_cross_entropy_classes(&z, &classes, weights, Reduction::Mean, out)?;
//! assert!((value - 2f32.ln()).abs() < 1e-6);
//! assert_eq!(dz[1].columns(), &[[0.5 / 3.0, -0.5 / 3.0], [0.0, 0.0]]);
//! # Ok::<(), bptt::TrainingError>(())
//! ```
//!
//! # Evaluation
//! Where no gradient is asked for, `None` in its place, only the value is computed: the same bits,
//! without a buffer.

use crate::arch::Core as _;
use crate::dense::{log_sum_exp_column, softmax_column};
use crate::shape::{Samples, Shape};
use crate::{Flat, LengthMismatch, Matrix, Real, TrainingError};

/// What becomes of the losses of all samples and steps.
///
/// ```
/// use bptt::{Matrix, loss};
/// use bptt::loss::Reduction;
///
/// let (y, target) = ([Matrix::from_rows([[3.0, 1.0]])], [Matrix::<1, 2>::zeros()]);
/// assert_eq!(loss::squared_error(&y, &target, None, Reduction::Sum, None), Ok(10.0));
/// assert_eq!(loss::squared_error(&y, &target, None, Reduction::Mean, None), Ok(5.0));
/// let weights = Some(&[[0.0, 1.0]][..]);
/// assert_eq!(loss::squared_error(&y, &target, weights, Reduction::Mean, None), Ok(1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// They are added up.
    Sum,
    /// Their mean, weighted where there are weights: over all steps and samples, and for the
    /// squared error over the Y outputs too.
    Mean,
}

/// Softmax cross-entropy against probabilities: L = −s·Σ w·Σ p_k·ln softmax(z)_k.
///
/// `z` are the logits and `target` the probabilities p, one (Y, M) matrix a step; w and s are those
/// of the [module](self). Returns L and overwrites `dz`, where there is one, with its gradient,
/// dz = s·w·(softmax(z)·Σⱼ p_j − p).
///
/// ln softmax(z)_k is computed as (z_k − z_max) − ln(1 + Σ exp(z_j − z_max)), the sum without the
/// greatest logit: right near 0 (a loss far below the rounding error of 1 is not rounded to 0), and
/// without overflow for any finite logits whose difference is finite. Where p_k = 0 the term is 0,
/// whatever the logit. But a NaN or +∞ among the logits of a sample, or nothing but −∞, makes L and
/// the gradient of that sample NaN, whatever the probabilities; only a weight of 0 takes it out.
///
/// # Errors
/// [`LengthMismatch`] where `target`, `weights` or `dz` has not the length of `z`; nothing is
/// written then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let z = [Matrix::<2, 1>::from_rows([[0.0], [0.0]])];
/// let target = [Matrix::from_rows([[0.25], [0.75]])];
/// let (mut dz, mean) = ([Matrix::zeros()], loss::Reduction::Mean);
/// let value = loss::softmax_cross_entropy(&z, &target, None, mean, Some(&mut dz))?;
/// assert!((value - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(dz[0], Matrix::from_rows([[0.25], [-0.25]]));
/// assert_eq!(loss::softmax_cross_entropy(&z, &target, None, mean, None)?, value);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn softmax_cross_entropy<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dz: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, LengthMismatch> {
    LengthMismatch::check("target", z.len(), target.len())?;
    let samples = Samples::of(z.len(), weights, reduction)?;
    Ok(T::Core::cross_entropy(
        Shape::of::<Y, Y, M>().units,
        samples,
        Matrix::slice_as_flat(z),
        Matrix::slice_as_flat(target),
        gradient("dz", z.len(), dz)?,
    ))
}

/// The gradient as one slice; empty where none is asked for.
#[inline(always)]
fn gradient<'a, const Y: usize, const M: usize, T: Real>(
    what: &'static str,
    steps: usize,
    dz: Option<&'a mut [Matrix<Y, M, T>]>,
) -> Result<&'a mut [T], LengthMismatch> {
    match dz {
        None => Ok(&mut []),
        Some(dz) => {
            LengthMismatch::check(what, steps, dz.len())?;
            Ok(Matrix::slice_as_flat_mut(dz))
        }
    }
}

/// L and, where `dz` is not empty, its gradient.
pub(crate) fn cross_entropy<T: Real>(
    classes: usize,
    samples: Samples<T>,
    z: &[T],
    target: &[T],
    dz: &mut [T],
) -> T {
    let (s, mut weight) = (samples.scale(1), samples.weights());
    let mut sum = T::ZERO;
    let (mut z, mut target, mut dz) = (z, target, dz);
    while !z.is_empty() {
        let (z_now, z_rest) = z.split_at_checked(classes).unwrap_or_default();
        let (p, p_rest) = target.split_at_checked(classes).unwrap_or_default();
        let (dz_now, dz_rest) = dz.split_at_mut_checked(classes).unwrap_or_default();
        (z, target, dz) = (z_rest, p_rest, dz_rest);
        let w = weight();
        if w == T::ZERO {
            dz_now.fill(T::ZERO);
            continue;
        }
        let (max, ln_sum) = softmax_to(z_now, dz_now);
        if !ln_sum.is_finite() {
            sum = sum + ln_sum; // NaN, of which the terms with p = 0 would not tell
        }
        let mut all = T::ZERO; // Σⱼ p_j
        for (&z, &p) in z_now.iter().zip(p) {
            all = all + p;
            if p != T::ZERO {
                sum = sum - w * (p * ((z - max) - ln_sum));
            }
        }
        for (dz, &p) in dz_now.iter_mut().zip(p) {
            *dz = s * w * (*dz * all - p);
        }
    }
    s * sum
}

/// z_max and ln Σⱼ exp(z_j − z_max) of one sample, and its softmax, where `y` is not empty.
#[inline(always)]
fn softmax_to<T: Real>(z: &[T], y: &mut [T]) -> (T, T) {
    if y.is_empty() {
        return log_sum_exp_column(z);
    }
    for (y, z) in y.iter_mut().zip(z) {
        *y = *z;
    }
    softmax_column(y)
}

/// Softmax cross-entropy against class indices: L = −s·Σ w·ln softmax(z)_class.
///
/// As [`softmax_cross_entropy`] with the probability 1 for one class of each sample: `classes`
/// holds M indices a step, counted from 0.
///
/// # Errors
/// [`TrainingError::Length`] where `classes`, `weights` or `dz` has not the length of `z`,
/// [`TrainingError::Class`] where an index whose weight is not 0 is not below Y; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let z = [Matrix::<2, 1>::from_rows([[0.0], [0.0]])];
/// let (mut dz, mean) = ([Matrix::zeros()], loss::Reduction::Mean);
/// let value = loss::softmax_cross_entropy_classes(&z, &[[1]], None, mean, Some(&mut dz))?;
/// assert!((value - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(dz[0], Matrix::from_rows([[0.5], [-0.5]]));
///
/// let error = loss::softmax_cross_entropy_classes(&z, &[[2]], None, mean, None).unwrap_err();
/// assert_eq!(error.to_string(), "class 2 of 2 classes, which are counted from 0");
/// # Ok::<(), bptt::TrainingError>(())
/// ```
pub fn softmax_cross_entropy_classes<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &[[usize; M]],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dz: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, TrainingError> {
    LengthMismatch::check("classes", z.len(), classes.len())?;
    let samples = Samples::of(z.len(), weights, reduction)?;
    let dz = gradient("dz", z.len(), dz)?;
    let mut weight = samples.weights();
    let mut counted = classes
        .as_flattened()
        .iter()
        .filter(|_| weight() != T::ZERO);
    if let Some(&class) = counted.find(|class| **class >= Y) {
        return Err(TrainingError::Class { class, classes: Y });
    }
    Ok(T::Core::cross_entropy_classes(
        Shape::of::<Y, Y, M>().units,
        samples,
        Matrix::slice_as_flat(z),
        classes.as_flattened(),
        dz,
    ))
}

/// L and, where `dz` is not empty, its gradient.
pub(crate) fn cross_entropy_classes<T: Real>(
    classes: usize,
    samples: Samples<T>,
    z: &[T],
    class: &[usize],
    dz: &mut [T],
) -> T {
    let (s, mut weight) = (samples.scale(1), samples.weights());
    let mut sum = T::ZERO;
    let (mut z, mut dz) = (z, dz);
    for &class in class {
        let (z_now, z_rest) = z.split_at_checked(classes).unwrap_or_default();
        let (dz_now, dz_rest) = dz.split_at_mut_checked(classes).unwrap_or_default();
        (z, dz) = (z_rest, dz_rest);
        let w = weight();
        if w == T::ZERO {
            dz_now.fill(T::ZERO);
            continue;
        }
        let (max, ln_sum) = softmax_to(z_now, dz_now);
        if let Some(&z) = z_now.get(class) {
            sum = sum - w * ((z - max) - ln_sum);
        }
        if let Some(dz) = dz_now.get_mut(class) {
            *dz = *dz - T::ONE;
        }
        for dz in dz_now {
            *dz = s * w * *dz;
        }
    }
    s * sum
}

/// Squared error: L = s·Σ w·Σ (y − target)².
///
/// `y` and `target` have one (Y, M) matrix a step; w is that of the [module](self), s is 1 for a
/// sum and 1/(Y·Σ w) for a mean. Returns L and overwrites `dy`, where there is one, with its
/// gradient, dy = 2·s·w·(y − target).
///
/// # Errors
/// [`LengthMismatch`] where `target`, `weights` or `dy` has not the length of `y`; nothing is
/// written then.
///
/// ```
/// use bptt::{Matrix, loss};
///
/// let (y, target) = ([Matrix::<1, 1>::from_rows([[3.0]])], [Matrix::from_rows([[1.0]])]);
/// let (mut dy, sum) = ([Matrix::zeros()], loss::Reduction::Sum);
/// assert_eq!(loss::squared_error(&y, &target, None, sum, Some(&mut dy))?, 4.0);
/// assert_eq!(dy[0][(0, 0)], 4.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn squared_error<const Y: usize, const M: usize, T: Real>(
    y: &[Matrix<Y, M, T>],
    target: &[Matrix<Y, M, T>],
    weights: Option<&[[T; M]]>,
    reduction: Reduction,
    dy: Option<&mut [Matrix<Y, M, T>]>,
) -> Result<T, LengthMismatch> {
    LengthMismatch::check("target", y.len(), target.len())?;
    let samples = Samples::of(y.len(), weights, reduction)?;
    Ok(T::Core::squared_error(
        Shape::of::<Y, Y, M>().units,
        samples,
        Matrix::slice_as_flat(y),
        Matrix::slice_as_flat(target),
        gradient("dy", y.len(), dy)?,
    ))
}

/// L and, where `dy` is not empty, its gradient.
pub(crate) fn squared_error_all<T: Real>(
    outputs: usize,
    samples: Samples<T>,
    y: &[T],
    target: &[T],
    dy: &mut [T],
) -> T {
    let (s, mut weight) = (samples.scale(outputs), samples.weights());
    let two_s = s + s;
    // Without weights everything is one column.
    let column = samples.weights.map_or(y.len(), |_| outputs);
    let mut sum = T::ZERO;
    let (mut y, mut target, mut dy) = (y, target, dy);
    while !y.is_empty() {
        let (y_now, y_rest) = y.split_at_checked(column).unwrap_or_default();
        let (target_now, target_rest) = target.split_at_checked(column).unwrap_or_default();
        let (dy_now, dy_rest) = dy.split_at_mut_checked(column).unwrap_or_default();
        (y, target, dy) = (y_rest, target_rest, dy_rest);
        let w = weight();
        if w == T::ZERO {
            dy_now.fill(T::ZERO);
            continue;
        }
        for (y, target) in y_now.iter().zip(target_now) {
            let error = *y - *target;
            sum = sum + w * (error * error);
        }
        for ((dy, y), target) in dy_now.iter_mut().zip(y_now).zip(target_now) {
            *dy = two_s * w * (*y - *target);
        }
    }
    s * sum
}
