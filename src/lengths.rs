//! Sequences of different lengths in one batch, for every cell: padding that changes neither state
//! nor gradient.
//!
//! M sequences of the lengths ℓ₁ … ℓ_M stand in one batch of T ≥ max ℓ steps; what stands in column
//! m from step ℓ_m on is padding. No sample of a batch touches another, so **forward needs nothing
//! new**: [`Cell::forward`] over all T steps is right up to step ℓ_m in column m, and what it says
//! about the padding is not looked at. The last state of each sample stands at its own length:
//! [`last`].
//!
//! Backward must bring nothing in from the padding: there da counts as zero, and the gradient from
//! beyond the end enters each sample at its own last step. [`backward`] walks through the padding
//! with gradients that are zero. A zero gradient stays zero, and adds to the weight gradients zeros
//! alone.
//!
//! So each sample has, bit for bit, the outputs, dx and gradient of the initial state that it has
//! on its own; and the gradients of the weights are those of the same batch without the padding,
//! added up in the documented order. Where `grads` held a −0 before, a zero from the padding can
//! make it +0.
//!
//! A second direction reads each sample from its own last step to its first: [`reverse`] turns a
//! padded batch round, where `x.reverse()` would begin in the padding
//! ([`patterns`](crate::patterns#both-directions) has a whole layer). Where the padding stands in
//! front, as Keras' `pad_sequences` puts it, [`padding_to_back`] moves it, and [`padding_to_front`]
//! moves it back.
//!
//! The padding itself must be finite and so small that no pre-activation overflows, since 0·∞ and ∞
//! − ∞ are NaN. Zeros always are; [`zero_beyond`] writes them. (The state of an RNN with ReLU has no
//! bound, so its weights must not let it overflow in the padding.)

use crate::cell::{Cell, Tape};
use crate::sequence::{Arriving, Recurrent};
use crate::shape::{Shape, copy, part, part_mut};
use crate::{Flat, LengthMismatch, Matrix, Real};

/// Writes zeros into column m of step t for every t ≥ `lengths[m]`.
///
/// For inputs, and for what comes out of a loss over all steps.
///
/// ```
/// use bptt::{Matrix, lengths};
///
/// let mut x = [const { Matrix::<1, 2>::from_rows([[7.0, 8.0]]) }; 3];
/// lengths::zero_beyond(&[3, 1], &mut x);
/// assert_eq!(x.map(|x| x.columns().to_vec()), [[[7.0], [8.0]], [[7.0], [0.0]], [[7.0], [0.0]]]);
/// ```
pub fn zero_beyond<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) {
    for (t, step) in sequence.iter_mut().enumerate() {
        for (column, &length) in step.0.iter_mut().zip(lengths) {
            if t >= length {
                column.fill(T::ZERO);
            }
        }
    }
}

/// The weights of a loss over a padded batch: 1 for the steps of a sample, 0 for its padding.
///
/// ```
/// use bptt::lengths;
///
/// let mut weights = [[9.0; 2]; 3];
/// lengths::mask(&[3, 1], &mut weights);
/// assert_eq!(weights, [[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]);
/// ```
pub fn mask<const M: usize, T: Real>(lengths: &[usize; M], weights: &mut [[T; M]]) {
    for (t, step) in weights.iter_mut().enumerate() {
        for (weight, &length) in step.iter_mut().zip(lengths) {
            *weight = if t < length { T::ONE } else { T::ZERO };
        }
    }
}

/// Turns each sample of a padded batch round: column m of step t goes to step `lengths[m]` − 1 − t.
/// The padding stays.
///
/// Twice is once nothing: the same function brings outputs and gradients of the second direction
/// back.
///
/// # Errors
/// [`LengthMismatch`] where one of `lengths` is greater than the number of steps; nothing is moved
/// then.
///
/// ```
/// use bptt::{Matrix, lengths};
///
/// let mut x = [[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]].map(|x| Matrix::<1, 2>::from_rows([x]));
/// lengths::reverse(&[3, 2], &mut x)?;
/// assert_eq!(x, [[3.0, 5.0], [2.0, 4.0], [1.0, 0.0]].map(|x| Matrix::from_rows([x])));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn reverse<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {
    check(lengths, sequence.len())?;
    for (m, &length) in lengths.iter().enumerate() {
        reverse_column(m, sequence.get_mut(..length).unwrap_or_default());
    }
    Ok(())
}

/// Moves the padding of each sample from in front of it to behind it, where this module wants it.
/// The order of the steps stays.
///
/// # Errors
/// As of [`reverse`].
///
/// ```
/// use bptt::{Matrix, lengths};
///
/// let mut x = [[1.0, 0.0], [2.0, 4.0], [3.0, 5.0]].map(|x| Matrix::<1, 2>::from_rows([x]));
/// lengths::padding_to_back(&[3, 2], &mut x)?;
/// assert_eq!(x, [[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]].map(|x| Matrix::from_rows([x])));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn padding_to_back<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {
    check(lengths, sequence.len())?;
    for (m, &length) in lengths.iter().enumerate() {
        reverse_column(m, sequence);
        let (front, back) = sequence.split_at_mut_checked(length).unwrap_or_default();
        reverse_column(m, front);
        reverse_column(m, back);
    }
    Ok(())
}

/// Moves the padding of each sample from behind it to in front of it: undoes [`padding_to_back`],
/// for outputs and gradients.
///
/// # Errors
/// As of [`reverse`].
///
/// ```
/// use bptt::{Matrix, lengths};
///
/// let mut a = [[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]].map(|a| Matrix::<1, 2>::from_rows([a]));
/// lengths::padding_to_front(&[3, 2], &mut a)?;
/// assert_eq!(a, [[1.0, 0.0], [2.0, 4.0], [3.0, 5.0]].map(|a| Matrix::from_rows([a])));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn padding_to_front<const R: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    sequence: &mut [Matrix<R, M, T>],
) -> Result<(), LengthMismatch> {
    check(lengths, sequence.len())?;
    for (m, &length) in lengths.iter().enumerate() {
        let (front, back) = sequence.split_at_mut_checked(length).unwrap_or_default();
        reverse_column(m, front);
        reverse_column(m, back);
        reverse_column(m, sequence);
    }
    Ok(())
}

/// Column m of the first step changes places with that of the last, and so on.
fn reverse_column<const R: usize, const M: usize, T: Real>(
    m: usize,
    steps: &mut [Matrix<R, M, T>],
) {
    let half = steps.len() / 2;
    let (front, back) = steps.split_at_mut_checked(half).unwrap_or_default();
    for (first, last) in front.iter_mut().zip(back.iter_mut().rev()) {
        if let (Some(first), Some(last)) = (first.0.get_mut(m), last.0.get_mut(m)) {
            core::mem::swap(first, last);
        }
    }
}

/// The last state of each sample, at its own length: column m of `last` becomes that of the state
/// after step `lengths[m]`, of the initial state where that is 0.
///
/// # Errors
/// [`LengthMismatch`] where one of `lengths` is greater than the number of steps; nothing is
/// written then.
///
/// ```
/// use bptt::{Cell, Matrix, lengths, lstm};
///
/// let mut cell = lstm::Params::<1, 4>::zeros();
/// cell.g.wx.fill(1.0);
/// // One sequence of three steps and one of two.
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let init = lstm::State::zeros();
/// let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
///
/// let mut last = lstm::State::zeros();
/// lengths::last(&[3, 2], &tape, &mut last)?;
/// assert_eq!(last.a.column(0), tape.a()[2].column(0));
/// assert_eq!(last.a.column(1), tape.a()[1].column(1));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn last<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    lengths: &[usize; M],
    tape: &Tape<'_, C, X, A, M>,
    last: &mut C::State<M>,
) -> Result<(), LengthMismatch> {
    check(lengths, tape.a.len())?;
    let (init, last) = (tape.init.as_flat(), last.as_flat_mut());
    for (m, &length) in lengths.iter().enumerate() {
        let step = length.checked_sub(1);
        let step = step.and_then(|t| tape.a.get(t).zip(tape.caches.get(t)));
        let (a, kept) = match step {
            None => init.split_at_checked(A * M).unwrap_or_default(),
            Some((a, cache)) => {
                let kept = C::Recurrent::kept(Shape::of::<X, A, M>(), cache.as_flat());
                (a.as_flat(), kept)
            }
        };
        let mut first = m * A;
        copy(part(a, first, A), part_mut(last, first, A));
        while first < kept.len() {
            copy(part(kept, first, A), part_mut(last, A * M + first, A));
            first += A * M;
        }
    }
    Ok(())
}

/// A padded batch backward.
///
/// In: `lengths`; `tape`, of [`Cell::forward`] over all steps; `da`, one (A, M) matrix a step, the
/// gradient with respect to the outputs, of which nothing beyond the end of a sample is looked at;
/// column m of `dlast`, the gradient that reaches the state of sample m after step `lengths[m]`
/// from beyond its end: zeros, or what comes from an output layer that reads [`last`].
///
/// Out: as of [`Tape::backward`]: the gradients of the weights are added to `grads`; `dx`, where it
/// is given, is overwritten, and zero beyond the end of each sample; `dstate` is overwritten by the
/// gradient of the initial state.
///
/// # Errors
/// [`LengthMismatch`] where `da` or `dx` has not the length of the sequence, or one of `lengths` is
/// greater than that; nothing is written then.
///
/// ```
/// use bptt::{Cell, Matrix, lengths, lstm};
///
/// let mut cell = lstm::Params::<1, 4>::zeros();
/// cell.g.wx.fill(1.0);
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let init = lstm::State::zeros();
/// let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
///
/// // The gradient of the sum of the last outputs; those of all steps have none of their own.
/// let mut dlast = lstm::State::zeros();
/// dlast.a.fill(1.0);
/// let da = [const { Matrix::zeros() }; 3];
/// let (mut grads, mut dx) = (lstm::Params::zeros(), [const { Matrix::zeros() }; 3]);
/// let mut dstate = lstm::State::zeros();
/// lengths::backward(&[3, 2], tape, &da, &dlast, &mut grads, Some(&mut dx), &mut dstate)?;
/// assert_eq!(dx[2][(0, 1)], 0.0);
/// assert!(dx[1][(0, 1)] > dx[1][(0, 0)] && dx[1][(0, 0)] > 0.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
///
/// Two arguments that have changed places do not compile:
///
/// ```compile_fail,E0308
/// # use bptt::{Cell, Vector, lengths, rnn};
/// # let (cell, x, init) = (rnn::Params::<1, 1>::zeros(), [Vector::zeros()], Vector::zeros());
/// # let (mut a, mut caches, da) = ([Vector::zeros()], [Vector::zeros()], [Vector::zeros()]);
/// # let (mut grads, mut dstate, dlast) = (rnn::Params::zeros(), Vector::zeros(), Vector::zeros());
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
/// lengths::backward(&[1], tape, &da, &mut dstate, &mut grads, None, &dlast)?;
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn backward<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    lengths: &[usize; M],
    tape: Tape<'_, C, X, A, M>,
    da: &[Matrix<A, M, C::Scalar>],
    dlast: &C::State<M>,
    grads: &mut C,
    dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
    dstate: &mut C::State<M>,
) -> Result<(), LengthMismatch> {
    tape.check(da, dx.as_deref())?;
    check(lengths, da.len())?;
    dstate.as_flat_mut().fill(C::Scalar::ZERO);
    let da = Arriving {
        da: Matrix::slice_as_flat(da),
        lengths,
        last: dlast.as_flat(),
    };
    tape.run_backward(da, grads, dx, dstate);
    Ok(())
}

/// An error where one of `lengths` is greater than `steps`: there are too few.
#[inline(always)]
fn check<const M: usize>(lengths: &[usize; M], steps: usize) -> Result<(), LengthMismatch> {
    let longest = lengths.iter().copied().fold(steps, usize::max);
    LengthMismatch::check("steps", longest, steps)
}
