//! The output layer: y = W·a + b, and softmax; under each its backward.

use core::slice;

use crate::arch::{Core as _, Gates, Steps, StepsMut};
use crate::shape::{Shape, part, part_mut, steps_at_a_time};
use crate::{Flat, LengthMismatch, Matrix, Real, Vector, flat};

/// The weights of an output layer from A hidden units to Y outputs, or a gradient with respect to
/// them.
///
/// ```
/// use bptt::{Flat, dense};
///
/// static ZERO: dense::Params<16, 4> = dense::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 4 * 16 + 4);
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Params<const A: usize, const Y: usize, T: Real = f32> {
    /// W, shape (Y, A).
    pub w: Matrix<Y, A, T>,
    /// b, shape (Y, 1).
    pub b: Vector<Y, T>,
}

impl<const A: usize, const Y: usize, T: Real> Params<A, Y, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// assert_eq!(bptt::dense::Params::<3, 2>::zeros().w[(1, 2)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The weights whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too;
    /// see [`Flat::to_le_bytes`].
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// let bytes = [0; 4 * 8];
    /// let head: bptt::dense::Params<3, 1, f64> = bptt::dense::Params::from_le_bytes(&bytes);
    /// assert_eq!(head, bptt::dense::Params::zeros());
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}

/// y = W·a + b for one step.
///
/// `a` is (A, M), `y` (Y, M) is overwritten. Each sum starts at b and adds the columns of W in
/// ascending order.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let params = dense::Params { w: Matrix::from_rows([[1.0, 2.0]]), b: Matrix::from_rows([[3.0]]) };
/// let mut y = Matrix::<1, 1>::zeros();
/// dense::forward(&params, &Matrix::from_rows([[10.0], [100.0]]), &mut y);
/// assert_eq!(y[(0, 0)], 213.0);
/// ```
pub fn forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &Matrix<A, M, T>,
    y: &mut Matrix<Y, M, T>,
) {
    shell_forward(params, slice::from_ref(a), slice::from_mut(y));
}

/// The gradients of [`forward`]: dW = dW + dy·aᵀ, db = db + Σ dy over the batch, da = Wᵀ·dy.
///
/// `a` is (A, M) as it was in forward, `dy` (Y, M) the gradient with respect to y. The gradients of
/// the weights are added to `grads`; `da` (A, M) is overwritten.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let params = dense::Params { w: Matrix::from_rows([[1.0, 2.0]]), b: Matrix::from_rows([[3.0]]) };
/// let (mut grads, mut da) = (dense::Params::zeros(), Matrix::zeros());
/// let a = Matrix::<2, 1>::from_rows([[10.0], [100.0]]);
/// dense::backward(&params, &a, &Matrix::from_rows([[0.5]]), &mut grads, &mut da);
/// assert_eq!(grads.w, Matrix::from_rows([[5.0, 50.0]]));
/// assert_eq!(grads.b, Matrix::from_rows([[0.5]]));
/// assert_eq!(da, Matrix::from_rows([[0.5], [1.0]]));
/// ```
pub fn backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &Matrix<A, M, T>,
    dy: &Matrix<Y, M, T>,
    grads: &mut Params<A, Y, T>,
    da: &mut Matrix<A, M, T>,
) {
    let (a, dy, da) = (slice::from_ref(a), slice::from_ref(dy), slice::from_mut(da));
    shell_backward(params, a, dy, grads, da);
}

/// [`forward`] for every step of a sequence, as one product.
///
/// `a` has one (A, M) matrix a step, `y` one (Y, M) matrix a step. The same bits as a loop of
/// [`forward`].
///
/// # Errors
/// [`LengthMismatch`] where `y` has not the length of `a`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let params = dense::Params { w: Matrix::from_rows([[2.0]]), b: Matrix::from_rows([[3.0]]) };
/// let mut y = [const { Matrix::<1, 1>::zeros() }; 2];
/// dense::sequence_forward(&params, &[Matrix::from_rows([[10.0]]), Matrix::from_rows([[20.0]])], &mut y)?;
/// assert_eq!(y[1][(0, 0)], 43.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn sequence_forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    y: &mut [Matrix<Y, M, T>],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("y", a.len(), y.len())?;
    shell_forward(params, a, y);
    Ok(())
}

/// The shell of forward: `y` has the length of `a`.
#[inline(always)]
fn shell_forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    y: &mut [Matrix<Y, M, T>],
) {
    T::Core::dense_forward(
        Shape::of::<A, Y, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(a),
        Matrix::slice_as_flat_mut(y),
    );
}

/// y = W·a + b for all columns, a segment of steps at a time.
pub(crate) fn forward_all<T: Real>(shape: Shape, params: &[T], a: &[T], y: &mut [T]) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let (w, b) = params.split_at_checked(inputs * units).unwrap_or_default();
    let (mut a, mut y) = (a, y);
    while !y.is_empty() {
        let columns = (steps_at_a_time(batch) * batch).min(y.len().checked_div(units).unwrap_or(0));
        let (a_now, a_rest) = a.split_at_checked(columns * inputs).unwrap_or_default();
        let (y_now, y_rest) = y.split_at_mut_checked(columns * units).unwrap_or_default();
        (a, y) = (a_rest, y_rest);
        let a_now = Steps::dense(a_now, inputs, batch);
        let y_now = StepsMut::dense(y_now, units, batch);
        T::Core::forward(w, Some(b), &a_now, y_now, columns);
    }
}

/// [`backward`] for every step of a sequence, as one product.
///
/// `a`, `dy` and `da` have one matrix a step. The weight gradients accumulate with time descending,
/// then batch ascending: the same bits as a loop of [`backward`] from the last step to the first.
///
/// # Errors
/// [`LengthMismatch`] where `dy` or `da` has not the length of `a`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let params = dense::Params { w: Matrix::from_rows([[2.0]]), b: Matrix::from_rows([[3.0]]) };
/// let a = [Matrix::<1, 1>::from_rows([[10.0]]), Matrix::from_rows([[20.0]])];
/// let dy = [Matrix::<1, 1>::from_rows([[1.0]]), Matrix::from_rows([[1.0]])];
/// let (mut grads, mut da) = (dense::Params::zeros(), [const { Matrix::zeros() }; 2]);
/// dense::sequence_backward(&params, &a, &dy, &mut grads, &mut da)?;
/// assert_eq!((grads.w[(0, 0)], grads.b[(0, 0)], da[1][(0, 0)]), (30.0, 2.0, 2.0));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn sequence_backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    dy: &[Matrix<Y, M, T>],
    grads: &mut Params<A, Y, T>,
    da: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("dy", a.len(), dy.len())?;
    LengthMismatch::check("da", a.len(), da.len())?;
    shell_backward(params, a, dy, grads, da);
    Ok(())
}

/// The shell of backward: `dy` and `da` have the length of `a`.
#[inline(always)]
fn shell_backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &Params<A, Y, T>,
    a: &[Matrix<A, M, T>],
    dy: &[Matrix<Y, M, T>],
    grads: &mut Params<A, Y, T>,
    da: &mut [Matrix<A, M, T>],
) {
    T::Core::dense_backward(
        Shape::of::<A, Y, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(a),
        Matrix::slice_as_flat(dy),
        grads.as_flat_mut(),
        Matrix::slice_as_flat_mut(da),
    );
}

/// The gradients of all columns, from the last segment of steps to the first.
pub(crate) fn backward_all<T: Real>(
    shape: Shape,
    params: &[T],
    a: &[T],
    dy: &[T],
    grads: &mut [T],
    da: &mut [T],
) {
    let Shape {
        inputs,
        units,
        batch,
    } = shape;
    let (w, _) = params.split_at_checked(inputs * units).unwrap_or_default();
    let (dw, db) = grads
        .split_at_mut_checked(inputs * units)
        .unwrap_or_default();
    let mut end = dy.len().checked_div(units * batch).unwrap_or(0);
    while end > 0 {
        let start = end.saturating_sub(steps_at_a_time(batch));
        let (first, columns) = (start * batch, (end - start) * batch);
        let dy = Steps::dense(part(dy, first * units, columns * units), units, batch);
        let a = Steps::dense(part(a, first * inputs, columns * inputs), inputs, batch);
        let da = part_mut(da, first * inputs, columns * inputs);
        let da = StepsMut::dense(da, inputs, batch);
        T::Core::outer(dw, &dy, &a, None, end - start); // dW = dW + dy·aᵀ
        T::Core::add_columns(db, &dy, end - start); // db = db + Σ dy
        T::Core::transposed(Gates::one(w), 1, &dy, 0, da, columns, false); // da = Wᵀ·dy
        end = start;
    }
}

/// Softmax over the rows, in place, sample by sample: y_k = exp(z_k − z_max) / Σⱼ exp(z_j − z_max).
///
/// `z` is (Y, M): in, the logits; out, probabilities that add up to 1 within rounding. Shifted by
/// the greatest logit of the sample, so that no finite logit overflows. A logit of −∞ gets the
/// probability 0, unless all are −∞; with +∞ or NaN among the logits of a sample, its results are
/// NaN.
///
/// ```
/// let mut y: bptt::Matrix<2, 2> = bptt::Matrix::from_rows([[1e30, 0.0], [-1e30, 0.0]]);
/// bptt::dense::softmax(&mut y);
/// assert_eq!(y, bptt::Matrix::from_rows([[1.0, 0.5], [0.0, 0.5]]));
/// ```
pub fn softmax<const Y: usize, const M: usize, T: Real>(z: &mut Matrix<Y, M, T>) {
    T::Core::softmax(Shape::of::<Y, Y, M>().units, z.as_flat_mut());
}

/// [`softmax`] of all samples.
pub(crate) fn softmax_all<T: Real>(classes: usize, z: &mut [T]) {
    let mut z = z;
    while !z.is_empty() {
        let (column, rest) = z.split_at_mut_checked(classes).unwrap_or_default();
        softmax_column(column);
        z = rest;
    }
}

/// [`softmax`] of one sample; returns z_max and ln Σⱼ exp(z_j − z_max).
///
/// The greatest logit contributes exactly 1 to the sum; the others are added up on their own, so
/// that the logarithm is right to the last digits even where they are far below 1.
#[inline(always)]
pub(crate) fn softmax_column<T: Real>(z: &mut [T]) -> (T, T) {
    let (max, at) = greatest(z);
    let mut others = T::ZERO; // Σ exp(z_k − z_max) without k = at
    for (k, z) in z.iter_mut().enumerate() {
        *z = (*z - max).exp();
        if k != at {
            others = others + *z;
        } else if *z != T::ONE {
            others = *z; // NaN: the greatest logit is infinite, or there is none
        }
    }
    let sum = T::ONE + others;
    for y in z {
        *y = *y / sum;
    }
    (max, others.ln_1p())
}

/// What [`softmax_column`] returns, in the same bits, where the probabilities are not asked for.
pub(crate) fn log_sum_exp_column<T: Real>(z: &[T]) -> (T, T) {
    let (max, at) = greatest(z);
    let mut others = T::ZERO; // As there.
    for (k, &z) in z.iter().enumerate() {
        let y = (z - max).exp();
        if k != at {
            others = others + y;
        } else if y != T::ONE {
            others = y;
        }
    }
    (max, others.ln_1p())
}

/// The greatest logit and the first place where it stands, NaN left out; (−∞, 0) where there is
/// none.
#[inline(always)]
fn greatest<T: Real>(z: &[T]) -> (T, usize) {
    let mut greatest = (-T::INFINITY, 0);
    for (k, &z) in z.iter().enumerate() {
        if z > greatest.0 {
            greatest = (z, k);
        }
    }
    greatest
}

/// The gradient of [`softmax`] in place: dz = y ⊙ (dy − Σⱼ y_j·dy_j), sample by sample.
///
/// `y` (Y, M) is what softmax returned; `dy` (Y, M) is in, the gradient with respect to y; out,
/// with respect to the logits. For the cross-entropy of a softmax use
/// [`loss::softmax_cross_entropy`](crate::loss::softmax_cross_entropy), which does not go through
/// this and is exact where y is 0.
///
/// ```
/// let y: bptt::Matrix<2, 1> = bptt::Matrix::from_rows([[0.25], [0.75]]);
/// let mut dy = bptt::Matrix::from_rows([[1.0], [0.0]]);
/// bptt::dense::softmax_backward(&y, &mut dy);
/// assert_eq!(dy, bptt::Matrix::from_rows([[0.1875], [-0.1875]]));
/// ```
pub fn softmax_backward<const Y: usize, const M: usize, T: Real>(
    y: &Matrix<Y, M, T>,
    dy: &mut Matrix<Y, M, T>,
) {
    T::Core::softmax_backward(Shape::of::<Y, Y, M>().units, y.as_flat(), dy.as_flat_mut());
}

/// [`softmax_backward`] of all samples.
pub(crate) fn softmax_backward_all<T: Real>(classes: usize, y: &[T], dy: &mut [T]) {
    let (mut y, mut dy) = (y, dy);
    while !dy.is_empty() {
        let (y_now, y_rest) = y.split_at_checked(classes).unwrap_or_default();
        let (dy_now, dy_rest) = dy.split_at_mut_checked(classes).unwrap_or_default();
        (y, dy) = (y_rest, dy_rest);
        let mut dot = T::ZERO;
        for (y, dy) in y_now.iter().zip(&*dy_now) {
            dot = dot + *y * *dy; // Σⱼ y_j·dy_j
        }
        for (y, dy) in y_now.iter().zip(dy_now) {
            *dy = *y * (*dy - dot);
        }
    }
}

/// The class of one sample: the index of its greatest output.
///
/// The same for logits and for probabilities. Of several that are equal it is the first. A NaN
/// counts as greater than any number, as in NumPy and PyTorch: `column[argmax(column)]` is NaN
/// where the column contains one, and so an output that is no number is not taken for a class
/// unnoticed.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let z = Matrix::<3, 2>::from_columns([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]]);
/// assert_eq!(z.columns().each_ref().map(dense::argmax), [1, 0]);
/// assert_eq!(dense::argmax(&[0.5, f32::NAN, 1.0]), 1);
/// ```
pub fn argmax<const Y: usize, T: Real>(column: &[T; Y]) -> usize {
    let mut class = 0;
    let units = Shape::of::<Y, Y, 1>().units;
    T::Core::argmax(units, column, slice::from_mut(&mut class));
    class
}

/// [`argmax`] of every sample and step.
///
/// `z` has one (Y, M) matrix a step, `classes` M indices a step, as
/// [`loss::softmax_cross_entropy_classes`](crate::loss::softmax_cross_entropy_classes) takes them;
/// it is overwritten. For a single step pass [`core::slice::from_ref`] and
/// [`core::slice::from_mut`].
///
/// # Errors
/// [`LengthMismatch`] where `classes` has not the length of `z`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, dense};
///
/// let z = [Matrix::<2, 3>::from_rows([[0.1, 0.7, 0.5], [0.2, 0.3, 0.5]])];
/// let (target, mut found) = ([[1, 1, 0]], [[0; 3]]);
/// dense::sequence_argmax(&z, &mut found)?;
/// assert_eq!(found, [[1, 0, 0]]);
/// let both = found.as_flattened().iter().zip(target.as_flattened());
/// assert_eq!(both.filter(|(found, target)| found == target).count(), 2); // of 3 right
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn sequence_argmax<const Y: usize, const M: usize, T: Real>(
    z: &[Matrix<Y, M, T>],
    classes: &mut [[usize; M]],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("classes", z.len(), classes.len())?;
    let units = Shape::of::<Y, Y, M>().units;
    T::Core::argmax(units, Matrix::slice_as_flat(z), classes.as_flattened_mut());
    Ok(())
}

/// [`argmax`] of all samples.
pub(crate) fn argmax_all<T: Real>(units: usize, z: &[T], classes: &mut [usize]) {
    let mut z = z;
    for class in classes {
        let (column, rest) = z.split_at_checked(units).unwrap_or_default();
        z = rest;
        let (mut greatest, mut at) = (-T::INFINITY, 0);
        for (k, &z) in column.iter().enumerate() {
            // `partial_cmp` of a NaN is none, and nothing is greater than the first of them.
            let is_number = |z: T| z.partial_cmp(&z).is_some();
            if z > greatest || is_number(greatest) && !is_number(z) {
                (greatest, at) = (z, k);
            }
        }
        *class = at;
    }
}
