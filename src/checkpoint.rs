//! Long sequences in little memory: backward with recomputation.
//!
//! [`lstm::backward`] needs what forward kept of every step, T caches. These functions keep the
//! state at the end of every k-th step alone, and compute the caches of one segment of k steps
//! again when backward comes to it, from the last segment to the first (Chen et al., 2016,
//! "Training Deep Nets with Sublinear Memory Cost"; Gruslys et al., 2016, for recurrent networks).
//! The price is one more forward.
//!
//! | | full | with recomputation |
//! |---|---|---|
//! | LSTM, scalars | T·7·A·M: caches, a, da | ⌈T/k⌉·2·A·M + k·7·A·M, least at k ≈ √(2T/7) |
//! | RNN, scalars | T·2·A·M: a, da | ⌈T/k⌉·A·M + k·2·A·M, least at k ≈ √(T/2) |
//!
//! The same bits as the full backward: the weight gradients are added up in the same order, time
//! descending, and a segment that is computed again comes to the same bits again.
//!
//! The caller does not need the outputs of all steps either. Backward hands over the outputs of one
//! segment at a time, and asks for the gradients with respect to them: there is the place for the
//! output layer and the loss. `k` is the length of the buffers for one segment; the last segment
//! may be shorter.

use crate::lstm::{self, Cache, State};
use crate::{LengthMismatch, Matrix, Real, rnn};

/// An LSTM over a sequence forward, of which only the states at the ends of the segments are kept.
///
/// `x` has one (X, M) matrix a step, T in all; `init` is a⟨0⟩ and c⟨0⟩, (A, M) each. `a` and
/// `caches` are for one segment and set its length k, at least 1. `states` has ⌈T/k⌉ states and is
/// overwritten: `states[s]` becomes the state after step (s + 1)·k, the last one that after step T.
///
/// # Errors
/// [`LengthMismatch`] where `caches` is empty, `a` has not the length of `caches`, or `states` not
/// ⌈T/k⌉; nothing is written then.
///
/// ```
/// use bptt::{Matrix, checkpoint, lstm};
///
/// let mut params = lstm::Params::<1, 2>::zeros();
/// params.g.wx.fill(1.0);
/// let x = [const { Matrix::<1, 1>::from_rows([[0.1]]) }; 10];
/// let init = lstm::State::zeros();
/// let mut states = [const { lstm::State::zeros() }; 10_usize.div_ceil(4)];
/// let mut a = [const { Matrix::zeros() }; 4];
/// let mut caches = [const { lstm::Cache::zeros() }; 4];
/// checkpoint::lstm_forward(&params, &x, &init, &mut states, &mut a, &mut caches)?;
///
/// let (mut state, mut next) = (init, lstm::State::zeros());
/// for x in &x {
///     lstm::step(&params, x, &state, &mut next);
///     core::mem::swap(&mut state, &mut next);
/// }
/// assert_eq!(states[2], state); // after step 10
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn lstm_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    states: &mut [State<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
) -> Result<(), LengthMismatch> {
    let k = segment("caches", caches.len(), x.len(), states.len())?;
    LengthMismatch::check("a", k, a.len())?;
    let mut prev = init;
    for (x, state) in x.chunks(k).zip(states) {
        let a = a.get_mut(..x.len()).unwrap_or_default();
        let caches = caches.get_mut(..x.len()).unwrap_or_default();
        lstm::forward(params, x, prev, a, caches)?;
        if let (Some(a), Some(cache)) = (a.last(), caches.last()) {
            state.a.0 = a.0;
            state.c.0 = cache.c.0;
        }
        prev = state;
    }
    Ok(())
}

/// An LSTM over a sequence backward, one segment at a time, from the last to the first.
///
/// In: `x`, `init` and `states` as they were in and after [`lstm_forward`]; `dstate`, the gradients
/// that reach a⟨T⟩ and c⟨T⟩ from beyond the end, zeros if there is nothing. `a`, `caches` and `da`
/// are for one segment, of length k, and are overwritten.
///
/// For every segment `gradient` is called with the number of steps before it, its outputs, and the
/// gradients with respect to them, which are zeros and may be written.
///
/// Out: as of [`lstm::backward`], bit for bit: the gradients of the weights are added to `grads`;
/// `dx`, one (X, M) matrix a step, is overwritten, where it is given; `dstate` becomes the gradient
/// of the initial state.
///
/// # Errors
/// [`LengthMismatch`] where `caches` is empty, `a` or `da` has not the length of `caches`, `states`
/// not ⌈T/k⌉, or `dx` not that of `x`; nothing is written then, and `gradient` is not called.
///
/// An output layer that says one number after 1000 steps, in 15 kB of working memory instead of 448
/// kB:
///
/// ```
/// use bptt::{Matrix, Vector, checkpoint, dense, lstm};
///
/// const STEPS: usize = 1000;
/// const K: usize = 17; // √(2·1000/7)
/// const STATES: usize = STEPS.div_ceil(K);
/// type State = lstm::State<16, 1>;
/// type Cache = lstm::Cache<16, 1>;
/// const STEP: usize = size_of::<Cache>() + 2 * size_of::<Vector<16>>(); // with a and da
/// const MEMORY: usize = STATES * size_of::<State>() + K * STEP;
/// const { assert!(STEPS * STEP == 448_000 && MEMORY == 15_168) }
///
/// let mut cell = lstm::Params::<1, 16>::zeros();
/// cell.g.wx.fill(1.0);
/// let mut head = dense::Params::<16, 1>::zeros();
/// head.w.fill(0.5);
/// let x = vec![Matrix::<1, 1>::from_rows([[0.1]]); STEPS];
///
/// let init = State::zeros();
/// let mut states = [const { State::zeros() }; STATES];
/// let mut a = [const { Vector::zeros() }; K];
/// let mut caches = [const { Cache::zeros() }; K];
/// checkpoint::lstm_forward(&cell, &x, &init, &mut states, &mut a, &mut caches)?;
///
/// // y is to be 1: the gradient of (y − 1)².
/// let mut y = Matrix::<1, 1>::zeros();
/// dense::forward(&head, &states[STATES - 1].a, &mut y);
/// let dy = Matrix::from_rows([[2.0 * (y[(0, 0)] - 1.0)]]);
///
/// let mut da = [const { Vector::zeros() }; K];
/// let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
/// let mut dstate = State::zeros();
/// checkpoint::lstm_backward(
///     &cell, &x, &init, &states, &mut a, &mut caches, &mut da,
///     |t, a, da| {
///         if t + a.len() == STEPS { // the last segment
///             let last = a.len() - 1;
///             dense::backward(&head, &a[last], &dy, &mut grads_head, &mut da[last]);
///         }
///     },
///     &mut grads, None, &mut dstate,
/// )?;
/// assert!(grads.g.wx[(0, 0)] != 0.0 && grads_head.w[(0, 0)] != 0.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn lstm_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    states: &[State<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    mut gradient: impl FnMut(usize, &[Matrix<A, M, T>], &mut [Matrix<A, M, T>]),
    grads: &mut lstm::Params<X, A, T>,
    mut dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {
    let k = segment("caches", caches.len(), x.len(), states.len())?;
    LengthMismatch::check("a", k, a.len())?;
    LengthMismatch::check("da", k, da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    for (s, x) in x.chunks(k).enumerate().rev() {
        let steps = x.len();
        let a = a.get_mut(..steps).unwrap_or_default();
        let caches = caches.get_mut(..steps).unwrap_or_default();
        let da = da.get_mut(..steps).unwrap_or_default();
        let dx = dx.as_mut().and_then(|dx| dx.get_mut(s * k..s * k + steps));
        let prev = s.checked_sub(1).and_then(|s| states.get(s)).unwrap_or(init);
        lstm::forward(params, x, prev, a, caches)?;
        da.iter_mut().for_each(|da| da.fill(T::ZERO));
        gradient(s * k, a, da);
        lstm::backward(params, x, prev, a, caches, da, grads, dx, dstate)?;
    }
    Ok(())
}

/// An RNN over a sequence forward, of which only the states at the ends of the segments are kept.
///
/// `x` has one (X, M) matrix a step, T in all; `a0` is a⟨0⟩ (A, M). `a` is for one segment and sets
/// its length k, at least 1. `states` has ⌈T/k⌉ matrices (A, M) and is overwritten: `states[s]`
/// becomes a after step (s + 1)·k, the last one a⟨T⟩.
///
/// # Errors
/// [`LengthMismatch`] where `a` is empty or `states` has not the length ⌈T/k⌉; nothing is written
/// then.
///
/// ```
/// use bptt::{Matrix, checkpoint, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let mut states = [const { Matrix::zeros() }; 2];
/// let mut a = [const { Matrix::zeros() }; 2];
/// checkpoint::rnn_forward(&params, &x, &Matrix::zeros(), &mut states, &mut a)?;
/// assert!((states[0][(0, 0)] - 0.2_f32.tanh()).abs() < 1e-7); // after step 2
/// assert!((states[1][(0, 0)] - 0.3_f32.tanh()).abs() < 1e-7); // after step 3
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn rnn_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    states: &mut [Matrix<A, M, T>],
    a: &mut [Matrix<A, M, T>],
) -> Result<(), LengthMismatch> {
    let k = segment("a", a.len(), x.len(), states.len())?;
    let mut prev = a0;
    for (x, state) in x.chunks(k).zip(states) {
        let a = a.get_mut(..x.len()).unwrap_or_default();
        rnn::forward(params, x, prev, a)?;
        if let Some(a) = a.last() {
            state.0 = a.0;
        }
        prev = state;
    }
    Ok(())
}

/// An RNN over a sequence backward, one segment at a time, from the last to the first.
///
/// In: `x`, `a0` and `states` as they were in and after [`rnn_forward`]; `da_state`, the gradient
/// that reaches a⟨T⟩ from beyond the end, zeros if there is nothing. `a` and `da` are for one
/// segment, of length k, and are overwritten.
///
/// For every segment `gradient` is called with the number of steps before it, its outputs, and the
/// gradients with respect to them, which are zeros and may be written.
///
/// Out: as of [`rnn::backward`], bit for bit: the gradients of the weights are added to `grads`;
/// `dx`, one (X, M) matrix a step, is overwritten, where it is given; `da_state` becomes the
/// gradient of a⟨0⟩.
///
/// # Errors
/// [`LengthMismatch`] where `a` is empty, `da` has not its length, `states` not ⌈T/k⌉, or `dx` not
/// that of `x`; nothing is written then, and `gradient` is not called.
///
/// ```
/// use bptt::{Matrix, checkpoint, rnn};
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let a0 = Matrix::zeros();
/// let mut states = [const { Matrix::zeros() }; 2];
/// let (mut a, mut da) = ([const { Matrix::zeros() }; 2], [const { Matrix::zeros() }; 2]);
/// checkpoint::rnn_forward(&params, &x, &a0, &mut states, &mut a)?;
///
/// // The gradients of the sum of all outputs.
/// let (mut grads, mut da_state) = (rnn::Params::zeros(), Matrix::zeros());
/// checkpoint::rnn_backward(
///     &params, &x, &a0, &states, &mut a, &mut da,
///     |_, _, da| da.iter_mut().for_each(|da| da.fill(1.0)),
///     &mut grads, None, &mut da_state,
/// )?;
/// let db: f32 = [0.1_f32, 0.2, 0.3].iter().map(|x| 1.0 - x.tanh().powi(2)).sum();
/// assert!((grads.b[(0, 0)] - db).abs() < 1e-6);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn rnn_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &rnn::Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    a0: &Matrix<A, M, T>,
    states: &[Matrix<A, M, T>],
    a: &mut [Matrix<A, M, T>],
    da: &mut [Matrix<A, M, T>],
    mut gradient: impl FnMut(usize, &[Matrix<A, M, T>], &mut [Matrix<A, M, T>]),
    grads: &mut rnn::Params<X, A, T>,
    mut dx: Option<&mut [Matrix<X, M, T>]>,
    da_state: &mut Matrix<A, M, T>,
) -> Result<(), LengthMismatch> {
    let k = segment("a", a.len(), x.len(), states.len())?;
    LengthMismatch::check("da", k, da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    for (s, x) in x.chunks(k).enumerate().rev() {
        let steps = x.len();
        let a = a.get_mut(..steps).unwrap_or_default();
        let da = da.get_mut(..steps).unwrap_or_default();
        let dx = dx.as_mut().and_then(|dx| dx.get_mut(s * k..s * k + steps));
        let prev = s.checked_sub(1).and_then(|s| states.get(s)).unwrap_or(a0);
        rnn::forward(params, x, prev, a)?;
        da.iter_mut().for_each(|da| da.fill(T::ZERO));
        gradient(s * k, a, da);
        rnn::backward(params, x, prev, a, da, grads, dx, da_state)?;
    }
    Ok(())
}

/// The length k of a segment, that of the buffer `what`; it must not be zero, and `states` must be
/// ⌈steps/k⌉.
#[inline(always)]
fn segment(
    what: &'static str,
    k: usize,
    steps: usize,
    states: usize,
) -> Result<usize, LengthMismatch> {
    LengthMismatch::check(what, k.max(1), k)?;
    LengthMismatch::check("states", steps.div_ceil(k), states)?;
    Ok(k)
}
