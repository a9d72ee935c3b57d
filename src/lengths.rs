//! Sequences of different lengths in one batch: padding that changes neither state nor gradient.
//!
//! M sequences of the lengths ℓ₁ … ℓ_M stand in one batch of T ≥ max ℓ steps; what stands in column
//! m from step ℓ_m on is padding. No sample of a batch touches another, so **forward needs nothing
//! new**: [`lstm::forward`] and [`rnn::forward`] over all T steps are right up to step ℓ_m in
//! column m, and what they say about the padding is not looked at. The last state of each sample
//! stands at its own length: [`lstm_last`], [`rnn_last`].
//!
//! Backward must bring nothing in from the padding: there da counts as zero, and the gradient from
//! beyond the end enters each sample at its own last step. [`lstm_backward`] and [`rnn_backward`]
//! walk through the padding with gradients that are zero and stop where a sample ends, to put its
//! own in. A zero gradient stays zero, and adds to the weight gradients zeros alone.
//!
//! So each sample has, bit for bit, the outputs, dx and gradient of the initial state that it has
//! on its own; and the gradients of the weights are those of the same batch without the padding,
//! added up in the documented order. Where `grads` held a −0 before, a zero from the padding can
//! make it +0.
//!
//! The padding itself must be finite and so small that no pre-activation overflows, since 0·∞ and ∞
//! − ∞ are NaN. Zeros always are; [`zero_beyond`] writes them.

use core::mem;

use crate::lstm::{self, Cache, State};
use crate::{LengthMismatch, Matrix, Real, rnn};

/// Writes zeros into column m of step t for every t ≥ `lengths[m]`.
///
/// For inputs, and for what comes out of a loss over all steps: `dy` beyond the end of a sample is
/// no gradient. The loss itself and its mean still count all steps: with zeros in output and target
/// too, a sum of squared errors does not.
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

/// The last state of each sample of an LSTM, at its own length.
///
/// `init`, `a` and `caches` as they were in and after [`lstm::forward`]; column m of `last` becomes
/// that of the state after step `lengths[m]`, of `init` where that is 0.
///
/// # Errors
/// [`LengthMismatch`] where `caches` has not the length of `a`, or one of `lengths` is greater than
/// that; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lengths, lstm};
///
/// let mut params = lstm::Params::<1, 4>::zeros();
/// params.g.wx.fill(1.0);
/// // One sequence of three steps and one of two.
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let init = lstm::State::zeros();
/// let mut a = [const { Matrix::zeros() }; 3];
/// let mut caches = [const { lstm::Cache::zeros() }; 3];
/// lstm::forward(&params, &x, &init, &mut a, &mut caches)?;
///
/// let mut last = lstm::State::zeros();
/// lengths::lstm_last(&[3, 2], &init, &a, &caches, &mut last)?;
/// assert_eq!(last.a.column(0), a[2].column(0));
/// assert_eq!(last.a.column(1), a[1].column(1));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn lstm_last<const A: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &[Cache<A, M, T>],
    last: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("caches", a.len(), caches.len())?;
    check(lengths, a.len())?;
    for m in 0..M {
        let t = lengths[m].checked_sub(1);
        last.a.0[m] = t.and_then(|t| a.get(t)).unwrap_or(&init.a).0[m];
        last.c.0[m] = t
            .and_then(|t| caches.get(t))
            .map_or(&init.c, |cache| &cache.c)
            .0[m];
    }
    Ok(())
}

/// An LSTM over a padded batch backward.
///
/// In: `lengths`; `x`, `init`, `a` and `caches` as they were in and after [`lstm::forward`] over
/// all steps; `da`, one (A, M) matrix a step, the gradient with respect to the outputs; column m of
/// `dstate`, the gradients that reach sample m after step `lengths[m]` from beyond its end: zeros,
/// or what comes from an output layer that reads the last state ([`lstm_last`]). `scratch` is
/// overwritten; what it holds does not matter.
///
/// Out: as of [`lstm::backward`]: the dz_g in `caches`, the gradients of the weights added to
/// `grads`, `dx`, where it is given, and the gradient of the initial state in `dstate`. Beyond the
/// end of each sample `da` becomes zero whatever it was, and `dx` is zero.
///
/// # Errors
/// [`LengthMismatch`] where `a`, `caches`, `da` or `dx` has not the length of `x`, or one of
/// `lengths` is greater than that; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lengths, lstm};
///
/// let mut params = lstm::Params::<1, 4>::zeros();
/// params.g.wx.fill(1.0);
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let init = lstm::State::zeros();
/// let mut a = [const { Matrix::zeros() }; 3];
/// let mut caches = [const { lstm::Cache::zeros() }; 3];
/// lstm::forward(&params, &x, &init, &mut a, &mut caches)?;
///
/// // The gradients of the last a of each sample.
/// let mut da = [const { Matrix::zeros() }; 3];
/// let mut dstate = lstm::State::zeros();
/// dstate.a.fill(1.0);
/// let (mut grads, mut dx) = (lstm::Params::zeros(), [const { Matrix::zeros() }; 3]);
/// let mut scratch = [const { lstm::State::zeros() }; 2];
/// lengths::lstm_backward(
///     &params, &[3, 2], &x, &init, &a, &mut caches, &mut da, &mut grads, Some(&mut dx),
///     &mut dstate, &mut scratch,
/// )?;
/// assert!(dx[1][(0, 1)] != 0.0 && dx[2][(0, 0)] != 0.0);
/// assert_eq!(dx[2][(0, 1)], 0.0); // the second sample has no third step
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn lstm_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    lengths: &[usize; M],
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut lstm::Params<X, A, T>,
    mut dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
    scratch: &mut [State<A, M, T>; 2],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    LengthMismatch::check("caches", x.len(), caches.len())?;
    LengthMismatch::check("da", x.len(), da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    check(lengths, x.len())?;
    zero_beyond(lengths, da);
    let [from_beyond, before] = scratch;
    mem::swap(from_beyond, dstate);
    dstate.a.fill(T::ZERO);
    dstate.c.fill(T::ZERO);
    let mut end = x.len();
    loop {
        for m in 0..M {
            if lengths[m] == end {
                dstate.a.0[m] = from_beyond.a.0[m];
                dstate.c.0[m] = from_beyond.c.0[m];
            }
        }
        if end == 0 {
            return Ok(());
        }
        // Back to where the next sample ends.
        let start = next_end(lengths, end);
        let (caches_before, caches) = caches.split_at_mut_checked(start).unwrap_or_default();
        let mut prev = init;
        if let (Some(a), Some(cache)) = (
            start.checked_sub(1).and_then(|t| a.get(t)),
            caches_before.last(),
        ) {
            before.a.0 = a.0;
            before.c.0 = cache.c.0;
            prev = before;
        }
        lstm::backward(
            params,
            x.get(start..end).unwrap_or_default(),
            prev,
            a.get(start..end).unwrap_or_default(),
            caches.get_mut(..end - start).unwrap_or_default(),
            da.get(start..end).unwrap_or_default(),
            grads,
            dx.as_mut().and_then(|dx| dx.get_mut(start..end)),
            dstate,
        )?;
        end = start;
    }
}

/// The last state of each sample of an RNN, at its own length.
///
/// `a0` and `a` as they were in and after [`rnn::forward`]; column m of `last` becomes that of a
/// after step `lengths[m]`, of `a0` where that is 0.
///
/// # Errors
/// [`LengthMismatch`] where one of `lengths` is greater than that of `a`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lengths, rnn};
///
/// let mut params = rnn::Params::<1, 1>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let (a0, mut a) = (Matrix::zeros(), [const { Matrix::zeros() }; 3]);
/// rnn::forward(&params, &x, &a0, &mut a)?;
///
/// let mut last = Matrix::<1, 2>::zeros();
/// lengths::rnn_last(&[3, 2], &a0, &a, &mut last)?;
/// assert_eq!(last, Matrix::from_rows([[a[2][(0, 0)], a[1][(0, 1)]]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn rnn_last<const A: usize, const M: usize, T: Real>(
    lengths: &[usize; M],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    last: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {
    check(lengths, a.len())?;
    for m in 0..M {
        let t = lengths[m].checked_sub(1);
        last.0[m] = t.and_then(|t| a.get(t)).unwrap_or(a0).0[m];
    }
    Ok(())
}

/// An RNN over a padded batch backward.
///
/// In: `lengths`; `x`, `a0` and `a` as they were in and after [`rnn::forward`] over all steps;
/// `da`, one (A, M) matrix a step, the gradient with respect to the outputs; column m of
/// `da_state`, the gradient that reaches sample m after step `lengths[m]` from beyond its end:
/// zeros, or what comes from an output layer that reads the last state ([`rnn_last`]). `scratch` is
/// overwritten; what it holds does not matter.
///
/// Out: as of [`rnn::backward`]: `da` becomes dz, zero beyond the end of each sample whatever it
/// was; the gradients of the weights are added to `grads`; `dx`, where it is given, is overwritten,
/// zero beyond the ends; `da_state` becomes the gradient of a⟨0⟩.
///
/// # Errors
/// [`LengthMismatch`] where `a`, `da` or `dx` has not the length of `x`, or one of `lengths` is
/// greater than that; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lengths, rnn};
///
/// let mut params = rnn::Params::<1, 1>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 2>; 3] = [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]].map(|x| Matrix::from_rows([x]));
/// let (a0, mut a) = (Matrix::zeros(), [const { Matrix::zeros() }; 3]);
/// rnn::forward(&params, &x, &a0, &mut a)?;
///
/// // The gradients of the last a of each sample.
/// let mut da = [const { Matrix::zeros() }; 3];
/// let (mut da_state, mut scratch) = (Matrix::from_rows([[1.0, 1.0]]), Matrix::zeros());
/// let mut grads = rnn::Params::zeros();
/// lengths::rnn_backward(
///     &params, &[3, 2], &x, &a0, &a, &mut da, &mut grads, None, &mut da_state, &mut scratch,
/// )?;
/// let db = (1.0 - a[2][(0, 0)].powi(2)) + (1.0 - a[1][(0, 1)].powi(2));
/// assert_eq!(grads.b[(0, 0)], db);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn rnn_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    lengths: &[usize; M],
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    a: &[Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    grads: &mut rnn::Params<X, A, T>,
    mut dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
    scratch: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    LengthMismatch::check("da", x.len(), da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    check(lengths, x.len())?;
    zero_beyond(lengths, da);
    let from_beyond = scratch;
    mem::swap(from_beyond, da_state);
    da_state.fill(T::ZERO);
    let mut end = x.len();
    loop {
        for m in 0..M {
            if lengths[m] == end {
                da_state.0[m] = from_beyond.0[m];
            }
        }
        if end == 0 {
            return Ok(());
        }
        // Back to where the next sample ends.
        let start = next_end(lengths, end);
        rnn::backward(
            params,
            x.get(start..end).unwrap_or_default(),
            start.checked_sub(1).and_then(|t| a.get(t)).unwrap_or(a0),
            a.get(start..end).unwrap_or_default(),
            da.get_mut(start..end).unwrap_or_default(),
            grads,
            dx.as_mut().and_then(|dx| dx.get_mut(start..end)),
            da_state,
        )?;
        end = start;
    }
}

/// The greatest of `lengths` below `end`, or 0.
#[inline(always)]
fn next_end<const M: usize>(lengths: &[usize; M], end: usize) -> usize {
    let below = lengths.iter().copied().filter(|&length| length < end);
    below.max().unwrap_or(0)
}

/// An error where one of `lengths` is greater than `steps`.
#[inline(always)]
fn check<const M: usize>(lengths: &[usize; M], steps: usize) -> Result<(), LengthMismatch> {
    let longest = lengths.iter().copied().fold(steps, usize::max);
    LengthMismatch::check("lengths", steps, longest)
}
