//! Long sequences in little memory: backward with recomputation, for every cell.
//!
//! [`Cell::forward`] keeps of every step what backward needs, T caches. Here the state at the end
//! of every k-th step alone is kept, and the caches of one segment of k steps are computed again
//! when backward comes to it, from the last segment to the first (Chen et al., 2016, "Training Deep
//! Nets with Sublinear Memory Cost"; Gruslys et al., 2016, for recurrent networks). The price is
//! one more forward.
//!
//! | | full | with recomputation |
//! |---|---|---|
//! | LSTM, scalars | T·7·A·M: caches, a, da | ⌈T/k⌉·2·A·M + k·7·A·M, least at k ≈ √(2T/7) |
//! | GRU, scalars | T·6·A·M: caches, a, da | ⌈T/k⌉·A·M + k·6·A·M, least at k ≈ √(T/6) |
//! | RNN, scalars | T·3·A·M: caches, a, da | ⌈T/k⌉·A·M + k·3·A·M, least at k ≈ √(T/3) |
//!
//! The same bits as the full backward: the weight gradients are added up in the same order, time
//! descending, and a segment that is computed again comes to the same bits again.
//!
//! The caller does not need the outputs of all steps either. Backward hands over the outputs of one
//! segment at a time, and asks for the gradients with respect to them: there is the place for the
//! output layer and the loss. `k` is the length of the buffers for one segment; the last segment
//! may be shorter.

use crate::cell::Cell;
use crate::shape::{part, part_mut};
use crate::{Flat, LengthMismatch, Matrix, Real};

/// A sequence forward, of which only the states at the ends of the segments are kept.
///
/// `x` has one (X, M) matrix a step, T in all; `init` is the state before the first one. `a` and
/// `caches` are for one segment and set its length k, at least 1. `states` has ⌈T/k⌉ states and is
/// overwritten: `states[s]` becomes the state after step (s + 1)·k, the last one that after step T.
///
/// What is returned has the states and the way back, and keeps the rest borrowed until then, as
/// [`Cell::forward`] does.
///
/// # Errors
/// [`LengthMismatch`] where `caches` is empty, `a` has not the length of `caches`, or `states` not
/// ⌈T/k⌉; nothing is written then.
///
/// ```
/// use bptt::{Cell, Matrix, checkpoint, lstm};
///
/// let mut cell = lstm::Params::<1, 2>::zeros();
/// cell.g.wx.fill(1.0);
/// let x = [const { Matrix::<1, 1>::from_rows([[0.1]]) }; 10];
/// let init = lstm::State::zeros();
/// let mut states = [const { lstm::State::zeros() }; 10_usize.div_ceil(4)];
/// let (mut a, mut caches) = ([const { Matrix::zeros() }; 4], [const { lstm::Cache::zeros() }; 4]);
/// let tape = checkpoint::forward(&cell, &x, &init, &mut states, &mut a, &mut caches)?;
///
/// let (mut state, mut next) = (init.clone(), lstm::State::zeros());
/// for x in &x {
///     cell.step(x, &state, &mut next);
///     core::mem::swap(&mut state, &mut next);
/// }
/// assert_eq!(tape.states()[2], state); // after step 10
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn forward<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    cell: &'t C,
    x: &'t [Matrix<X, M, C::Scalar>],
    init: &'t C::State<M>,
    states: &'t mut [C::State<M>],
    a: &'t mut [Matrix<A, M, C::Scalar>],
    caches: &'t mut [C::Cache<M>],
) -> Result<Tape<'t, C, X, A, M>, LengthMismatch> {
    let k = caches.len();
    LengthMismatch::check("caches", k.max(1), k)?;
    LengthMismatch::check("a", k, a.len())?;
    LengthMismatch::check("states", x.len().div_ceil(k), states.len())?;
    let (mut prev, mut rest) = (init, x);
    for state in &mut *states {
        let steps = k.min(rest.len());
        let (now, later) = rest.split_at_checked(steps).unwrap_or_default();
        let (a, caches) = segment(steps, a, caches);
        cell.forward(now, prev, a, caches)?.last(state);
        (prev, rest) = (state, later);
    }
    Ok(Tape {
        cell,
        x,
        init,
        states,
        a,
        caches,
    })
}

/// A sequence that has gone forward: the states that were kept, and the way back, once.
///
/// As with [`Cell::forward`], neither a second backward compiles nor a change of what is borrowed.
///
/// ```
/// use bptt::{Vector, checkpoint, rnn};
///
/// let (cell, x, init) = (rnn::Params::<1, 1>::zeros(), [const { Vector::zeros() }; 4], Vector::zeros());
/// let (mut states, mut a) = ([const { Vector::zeros() }; 2], [const { Vector::zeros() }; 2]);
/// let (mut caches, mut da) = (a.clone(), a.clone());
/// let tape = checkpoint::forward(&cell, &x, &init, &mut states, &mut a, &mut caches)?;
/// let (mut grads, mut dstate) = (rnn::Params::zeros(), Vector::zeros());
/// let ones = |_, _: &[_], da: &mut [Vector<1>]| da.iter_mut().for_each(|da| da.fill(1.0));
/// tape.backward(&mut da, ones, &mut grads, None, &mut dstate)?;
/// assert_eq!(grads.b[(0, 0)], 4.0); // (1 − tanh² 0) in each of four steps
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[must_use = "call `backward`, or `let _ =` where only the states are wanted"]
pub struct Tape<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize> {
    cell: &'t C,
    x: &'t [Matrix<X, M, C::Scalar>],
    init: &'t C::State<M>,
    states: &'t [C::State<M>],
    a: &'t mut [Matrix<A, M, C::Scalar>],
    caches: &'t mut [C::Cache<M>],
}

impl<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize> Tape<'t, C, X, A, M> {
    /// The states at the ends of the segments; the last one is that after step T.
    ///
    /// ```
    /// use bptt::{Matrix, checkpoint, rnn};
    ///
    /// let mut cell = rnn::Params::<1, 2>::zeros();
    /// cell.wx.fill(1.0);
    /// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
    /// let (init, mut states) = (Matrix::zeros(), [const { Matrix::zeros() }; 2]);
    /// let (mut a, mut caches) = ([const { Matrix::zeros() }; 2], [const { Matrix::zeros() }; 2]);
    /// let tape = checkpoint::forward(&cell, &x, &init, &mut states, &mut a, &mut caches)?;
    /// assert!((tape.states()[0][(0, 0)] - 0.2_f32.tanh()).abs() < 1e-7); // after step 2
    /// assert!((tape.states()[1][(0, 0)] - 0.3_f32.tanh()).abs() < 1e-7); // after step 3
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn states(&self) -> &'t [C::State<M>] {
        self.states
    }

    /// The sequence backward, one segment at a time, from the last to the first.
    ///
    /// In: `dstate`, the gradient that reaches the last state from beyond the end, zeros if there
    /// is nothing. `da` is for one segment, of length k, and is overwritten.
    ///
    /// For every segment `gradient` is called with the number of steps before it, its outputs, and
    /// the gradients with respect to them, which are zeros and may be written.
    ///
    /// Out: as of [`Tape::backward`](crate::Tape::backward) of the whole sequence, bit for bit: the
    /// gradients of the weights are added to `grads`; `dx`, one (X, M) matrix a step, is
    /// overwritten, where it is given; `dstate` becomes the gradient of the initial state.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `da` has not the length k, or `dx` not that of `x`; nothing is
    /// written then, and `gradient` is not called.
    ///
    /// An output layer that says one number after 1000 steps, in 15 kB of working memory instead of
    /// 448 kB:
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
    /// let (mut a, mut caches) = ([const { Vector::zeros() }; K], [const { Cache::zeros() }; K]);
    /// let tape = checkpoint::forward(&cell, &x, &init, &mut states, &mut a, &mut caches)?;
    ///
    /// // y is to be 1: the gradient of (y − 1)².
    /// let mut y = Matrix::<1, 1>::zeros();
    /// dense::forward(&head, &tape.states()[STATES - 1].a, &mut y);
    /// let dy = Matrix::from_rows([[2.0 * (y[(0, 0)] - 1.0)]]);
    ///
    /// let mut da = [const { Vector::zeros() }; K];
    /// let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
    /// let mut dstate = State::zeros();
    /// let gradient = |t: usize, a: &[Vector<16>], da: &mut [Vector<16>]| {
    ///     if t + a.len() == STEPS { // the last segment
    ///         let last = a.len() - 1;
    ///         dense::backward(&head, &a[last], &dy, &mut grads_head, &mut da[last]);
    ///     }
    /// };
    /// tape.backward(&mut da, gradient, &mut grads, None, &mut dstate)?;
    /// assert!(grads.g.wx[(0, 0)] != 0.0 && grads_head.w[(0, 0)] != 0.0);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn backward(
        self,
        da: &mut [Matrix<A, M, C::Scalar>],
        mut gradient: impl FnMut(usize, &[Matrix<A, M, C::Scalar>], &mut [Matrix<A, M, C::Scalar>]),
        grads: &mut C,
        mut dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
        dstate: &mut C::State<M>,
    ) -> Result<(), LengthMismatch> {
        let (k, steps) = (self.caches.len(), self.x.len());
        LengthMismatch::check("da", k, da.len())?;
        LengthMismatch::check("dx", steps, dx.as_deref().map_or(steps, <[_]>::len))?;
        let mut end = steps;
        for s in (0..self.states.len()).rev() {
            let start = s * k;
            let n = end - start;
            let x = part(self.x, start, n);
            let prev = s.checked_sub(1).and_then(|s| self.states.get(s));
            let (a, caches) = segment(n, self.a, self.caches);
            let da = da.get_mut(..n).unwrap_or_default();
            let dx = dx.as_deref_mut().map(|dx| part_mut(dx, start, n));
            let tape = self.cell.forward(x, prev.unwrap_or(self.init), a, caches)?;
            Matrix::slice_as_flat_mut(da).fill(C::Scalar::ZERO);
            gradient(start, tape.a(), da);
            tape.backward(da, grads, dx, dstate)?;
            end = start;
        }
        Ok(())
    }
}

/// The buffers of one segment.
#[inline(always)]
fn segment<'s, A, B>(
    steps: usize,
    a: &'s mut [A],
    caches: &'s mut [B],
) -> (&'s mut [A], &'s mut [B]) {
    (
        a.get_mut(..steps).unwrap_or_default(),
        caches.get_mut(..steps).unwrap_or_default(),
    )
}
