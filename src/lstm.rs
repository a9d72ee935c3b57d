//! The LSTM cell: equations, both derivations of its gradient, forward, and directly under it
//! backward.
//!
//! The cell of Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
//! Cummins (2000), without peepholes: what PyTorch, Keras and ONNX call LSTM. The four gates stand
//! in the order f, i, g, o everywhere in this crate.
//!
//! # Equations
//!
//! With x⟨t⟩ of shape (X, M), a⟨t⟩ and c⟨t⟩ of shape (A, M), t = 1 … T, a⟨0⟩ and c⟨0⟩ given. Each
//! gate g has its own [`Affine`]: z_g = b_g + Wx_g·x⟨t⟩ + Wa_g·a⟨t−1⟩. In the textbook form that is
//! W_g·\[a⟨t−1⟩; x⟨t⟩\] + b_g with W_g = \[Wa_g | Wx_g\] of shape (A, A + X).
//!
//! | | forward | |
//! |---|---|---|
//! | (1) | f = σ(z_f) | forget gate: how much of the old cell state stays |
//! | (2) | i = σ(z_i) | update gate: how much of the candidate goes in |
//! | (3) | g = tanh(z_g) | candidate |
//! | (4) | o = σ(z_o) | output gate: how much of the cell state is shown |
//! | (5) | c⟨t⟩ = f ⊙ c⟨t−1⟩ + i ⊙ g | cell state |
//! | (6) | a⟨t⟩ = o ⊙ tanh(c⟨t⟩) | hidden state, the output |
//!
//! # The gradient, step by step through the local gradients
//!
//! Write da for the whole gradient that reaches a⟨t⟩ (from the output of step t and from
//! step t + 1) and dc_next for the one that reaches c⟨t⟩ from step t + 1. Walk from the output back
//! to the input; each line multiplies what has arrived by one local derivative.
//!
//! Through (6), a = o ⊙ tanh(c):
//!
//! | | |
//! |---|---|
//! | (7) | do = da ⊙ tanh(c⟨t⟩) |
//! | (8) | dc = dc_next + da ⊙ o ⊙ (1 − tanh²(c⟨t⟩)), all that reaches the cell state |
//!
//! Through (5), c = f ⊙ c⟨t−1⟩ + i ⊙ g:
//!
//! | | |
//! |---|---|
//! | (9) | df = dc ⊙ c⟨t−1⟩ |
//! | (10) | di = dc ⊙ g |
//! | (11) | dg = dc ⊙ i |
//! | (12) | dc⟨t−1⟩ = dc ⊙ f |
//!
//! Through the activations (1) to (4), with σ′ = σ(1 − σ) and tanh′ = 1 − tanh²:
//!
//! | | |
//! |---|---|
//! | (13) | dz_f = df ⊙ f ⊙ (1 − f) |
//! | (14) | dz_i = di ⊙ i ⊙ (1 − i) |
//! | (15) | dz_g = dg ⊙ (1 − g²) |
//! | (16) | dz_o = do ⊙ o ⊙ (1 − o) |
//!
//! Through the four affine maps, for each gate g:
//!
//! | | |
//! |---|---|
//! | (17) | dWa_g = dWa_g + Σₜ dz_g·a⟨t−1⟩ᵀ |
//! | (18) | dWx_g = dWx_g + Σₜ dz_g·x⟨t⟩ᵀ |
//! | (19) | db_g = db_g + Σₜ dz_g, summed over the batch |
//! | (20) | da⟨t−1⟩ = Σ_g Wa_gᵀ·dz_g |
//! | (21) | dx⟨t⟩ = Σ_g Wx_gᵀ·dz_g |
//!
//! # The gradient, pre-multiplied
//!
//! Courses print another form. It never names dc, and folds the derivative of each activation into
//! the gate's gradient at once, so that its "gate gradients" are those of the pre-activations:
//!
//! | | |
//! |---|---|
//! | (16′) | dz_o = da ⊙ tanh(c⟨t⟩) ⊙ o ⊙ (1 − o) |
//! | (15′) | dz_g = \[dc_next ⊙ i + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ i ⊙ da\] ⊙ (1 − g²) |
//! | (14′) | dz_i = \[dc_next ⊙ g + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ g ⊙ da\] ⊙ i ⊙ (1 − i) |
//! | (13′) | dz_f = \[dc_next ⊙ c⟨t−1⟩ + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ c⟨t−1⟩ ⊙ da\] ⊙ f ⊙ (1 − f) |
//! | (12′) | dc⟨t−1⟩ = dc_next ⊙ f + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ f ⊙ da |
//!
//! The brackets matter: the derivative of the activation multiplies both terms. Take the common
//! factor out of a bracket, i in (15′) say, and what is left is (8); then (15′) is (11) put into
//! (15), and likewise (14′) is (10) in (14), (13′) is (9) in (13), (12′) is (12), (16′) is (7) in
//! (16). The two forms are equal term by term. The code follows the first: it computes the bracket
//! once instead of four times. `tests/derivation.rs` computes both.
//!
//! # Memory
//!
//! A [`Cache`] a step, 5·A·M scalars: the four gates and c. tanh(c) is computed again, not stored.
//! Backward works in place: the gates of a step are replaced by the gradients of their
//! pre-activations, dz_g. No other buffer is needed than what forward was given; how much of the
//! stack is used, the README says (Memory layout). A sequence is worked through in segments of so
//! many steps that they make 64 columns of the batch, which stay in the cache: the products with Wx
//! over a segment are one matrix product before its recurrence, (17), (18), (19) and (21) are one
//! each after it; only those with Wa stay inside the time loop.
//!
//! # Precision
//!
//! An LSTM with 6 inputs and 16 units in f32 stays within 10⁻⁷ of the same in f64 over 100 steps,
//! in every output of 100 networks with weights evenly distributed in ±1/√A and inputs in ±1
//! (`tests/precision.rs` measures it). The activations contribute what
//! [`activation`](crate::activation) states.
//!
//! # Numbers that are not finite
//!
//! A NaN in a column of x, a, c or da reaches what depends on it and no other column of the batch
//! (the gradients of the weights depend on all of them). ±∞ follow IEEE-754: a gate with z = ±∞ is
//! exactly 0, 1 or ±1, and 0·∞ is NaN.

pub(crate) mod core;

use ::core::slice;

use crate::arch::Core as _;
use crate::shape::Shape;
use crate::{Affine, Flat, LengthMismatch, Matrix, Real};

/// The weights of an LSTM cell, or a gradient with respect to them: one [`Affine`] a gate.
///
/// ```
/// use bptt::{Flat, lstm};
///
/// static ZERO: lstm::Params<6, 16> = lstm::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 4 * 16 * (16 + 6 + 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Params<const X: usize, const A: usize, T: Real = f32> {
    /// The forget gate, (1).
    pub f: Affine<X, A, T>,
    /// The update gate, (2); often called the input gate.
    pub i: Affine<X, A, T>,
    /// The candidate, (3); often called the cell gate, g.
    pub g: Affine<X, A, T>,
    /// The output gate, (4).
    pub o: Affine<X, A, T>,
}

impl<const X: usize, const A: usize, T: Real> Params<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// ```
    /// let grads = bptt::lstm::Params::<3, 5>::zeros();
    /// assert_eq!(grads.f.b[(4, 0)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        Params {
            f: Affine::zeros(),
            i: Affine::zeros(),
            g: Affine::zeros(),
            o: Affine::zeros(),
        }
    }

    /// The four gates in the order of the fields.
    pub(crate) fn gates(&self) -> [&Affine<X, A, T>; 4] {
        [&self.f, &self.i, &self.g, &self.o]
    }

    /// The four gates in the order of the fields, to be written.
    pub(crate) fn gates_mut(&mut self) -> [&mut Affine<X, A, T>; 4] {
        [&mut self.f, &mut self.i, &mut self.g, &mut self.o]
    }
}

/// What one step hands to the next, or a gradient with respect to it.
///
/// ```
/// let start = bptt::lstm::State::<16, 1>::zeros();
/// assert_eq!(start.c[(15, 0)], 0.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct State<const A: usize, const M: usize, T: Real = f32> {
    /// The hidden state a, shape (A, M).
    pub a: Matrix<A, M, T>,
    /// The cell state c, shape (A, M).
    pub c: Matrix<A, M, T>,
}

impl<const A: usize, const M: usize, T: Real> State<A, M, T> {
    /// The state that a sequence usually starts from, and the gradient that comes from beyond its
    /// end where there is nothing.
    ///
    /// ```
    /// assert_eq!(bptt::lstm::State::<2, 1>::zeros(), bptt::lstm::State::default());
    /// ```
    pub const fn zeros() -> Self {
        State {
            a: Matrix::zeros(),
            c: Matrix::zeros(),
        }
    }
}

/// What backward needs to know of one step forward: 5·A·M scalars.
///
/// Forward writes the gates f, i, g and o and the cell state c⟨t⟩; backward replaces the gates by
/// dz_f, dz_i, dz_g and dz_o, and leaves c.
///
/// ```
/// use bptt::lstm::Cache;
///
/// const STEPS: usize = 100;
/// static CACHES: [Cache<16, 1>; STEPS] = [const { Cache::zeros() }; STEPS];
/// assert_eq!(size_of_val(&CACHES), 100 * 5 * 16 * 4);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Cache<const A: usize, const M: usize, T: Real = f32> {
    /// f, then dz_f.
    pub f: Matrix<A, M, T>,
    /// i, then dz_i.
    pub i: Matrix<A, M, T>,
    /// g, then dz_g.
    pub g: Matrix<A, M, T>,
    /// o, then dz_o.
    pub o: Matrix<A, M, T>,
    /// The cell state c⟨t⟩.
    pub c: Matrix<A, M, T>,
}

impl<const A: usize, const M: usize, T: Real> Cache<A, M, T> {
    /// A cache to be written by forward.
    ///
    /// ```
    /// assert_eq!(bptt::lstm::Cache::<2, 1>::zeros(), bptt::lstm::Cache::default());
    /// ```
    pub const fn zeros() -> Self {
        Cache {
            f: Matrix::zeros(),
            i: Matrix::zeros(),
            g: Matrix::zeros(),
            o: Matrix::zeros(),
            c: Matrix::zeros(),
        }
    }
}

/// One step of inference: (1) to (6), without a cache.
///
/// `x` is x⟨t⟩ (X, M), `prev` holds a⟨t−1⟩ and c⟨t−1⟩, `next` becomes a⟨t⟩ and c⟨t⟩, (A, M) each.
/// The same bits as [`cell_forward`]. Where the instruction set has vectors and the layer does not fit
/// its registers, 512 pre-activations stand on the stack.
/// The caller alternates two states:
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// static PARAMS: lstm::Params<1, 4> = lstm::Params::zeros();
/// let (mut state, mut next) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
/// for sample in [0.1, 0.2, 0.3] {
///     lstm::step(&PARAMS, &Matrix::from_rows([[sample]]), &state, &mut next);
///     core::mem::swap(&mut state, &mut next);
/// }
/// assert_eq!(state, lstm::State::zeros()); // all weights are zero
/// ```
pub fn step<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    next: &mut State<A, M, T>,
) {
    let shape = Shape::of::<X, A, M>();
    T::Core::lstm_step_all(
        shape,
        params.as_flat(),
        x.as_flat(),
        prev.as_flat(),
        next.as_flat_mut(),
    );
}

/// One step forward: (1) to (6), keeping in `cache` what [`cell_backward`] needs.
///
/// `x` is x⟨t⟩ (X, M), `prev` holds a⟨t−1⟩ and c⟨t−1⟩, `next` becomes a⟨t⟩ and c⟨t⟩, (A, M) each.
/// The same bits as [`forward`] over one step.
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.g.wx.fill(1.0);
/// let prev = lstm::State::zeros();
/// let (mut next, mut cache) = (lstm::State::<1, 1>::zeros(), lstm::Cache::zeros());
/// lstm::cell_forward(&params, &Matrix::from_rows([[0.8]]), &prev, &mut next, &mut cache);
/// assert_eq!(cache.i[(0, 0)], 0.5); // σ(0)
/// assert!((next.c[(0, 0)] - 0.5 * 0.8_f32.tanh()).abs() < 1e-7);
/// assert_eq!(next.c, cache.c);
/// ```
pub fn cell_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    next: &mut State<A, M, T>,
    cache: &mut Cache<A, M, T>,
) {
    let State { a, c } = next;
    sequence_forward(
        params,
        slice::from_ref(x),
        prev,
        slice::from_mut(a),
        slice::from_mut(cache),
    );
    c.0 = cache.c.0;
}

/// One step backward: (7) to (21).
///
/// In: `x` (X, M), `prev` and `cache` as they were in [`cell_forward`]; `dstate`, the whole
/// gradient with respect to a⟨t⟩ and what reaches c⟨t⟩ from step t + 1: da and dc_next.
///
/// Out: the gates in `cache` become dz_f, dz_i, dz_g, dz_o; `dstate` becomes da⟨t−1⟩ and dc⟨t−1⟩;
/// the gradients of the weights are added to `grads`; `dx` (X, M) is overwritten.
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.g.wx.fill(1.0);
/// let (x, prev) = (Matrix::from_rows([[0.8]]), lstm::State::zeros());
/// let (mut next, mut cache) = (lstm::State::<1, 1>::zeros(), lstm::Cache::zeros());
/// lstm::cell_forward(&params, &x, &prev, &mut next, &mut cache);
///
/// // The gradient of c⟨t⟩ itself, which is 0.5·tanh(0.8).
/// let mut dstate = lstm::State { a: Matrix::zeros(), c: Matrix::from_rows([[1.0]]) };
/// let (mut grads, mut dx) = (lstm::Params::zeros(), Matrix::zeros());
/// lstm::cell_backward(&params, &x, &prev, &mut cache, &mut dstate, &mut grads, &mut dx);
/// let expected = 0.5 * (1.0 - 0.8_f32.tanh().powi(2));
/// assert!((dx[(0, 0)] - expected).abs() < 1e-7);
/// assert_eq!(dstate.c[(0, 0)], 0.5); // (12): the forget gate is σ(0)
/// ```
pub fn cell_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &Matrix<X, M, T>,
    prev: &State<A, M, T>,
    cache: &mut Cache<A, M, T>,
    dstate: &mut State<A, M, T>,
    grads: &mut Params<X, A, T>,
    dx: &mut Matrix<X, M, T>,
) {
    // `dstate` has all that reaches the step: there is no da to add.
    let (x, cache, dx) = (
        slice::from_ref(x),
        slice::from_mut(cache),
        slice::from_mut(dx),
    );
    sequence_backward(params, x, prev, &[], cache, None, grads, Some(dx), dstate);
}

/// A sequence forward: (1) to (6) for t = 1 … T.
///
/// `x` has one (X, M) matrix a step, `init` is a⟨0⟩ and c⟨0⟩, (A, M) each; `a`, one (A, M) matrix a
/// step, and `caches`, one a step, are overwritten. With no steps nothing happens. The same bits as
/// a loop of [`cell_forward`].
///
/// The last state, from which a following segment starts, is `a[T − 1]` and `caches[T − 1].c`.
///
/// # Errors
/// [`LengthMismatch`] where `a` or `caches` has not the length of `x`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// let mut params = lstm::Params::<1, 2>::zeros();
/// params.g.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let mut a = [const { Matrix::zeros() }; 3];
/// let mut caches = [const { lstm::Cache::zeros() }; 3];
/// lstm::forward(&params, &x, &lstm::State::zeros(), &mut a, &mut caches)?;
/// // All gates are σ(0) = 0.5.
/// let c = 0.5 * (0.5 * (0.5 * 0.1_f32.tanh()) + 0.5 * 0.2_f32.tanh()) + 0.5 * 0.3_f32.tanh();
/// assert!((a[2][(1, 0)] - 0.5 * c.tanh()).abs() < 1e-7);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    LengthMismatch::check("caches", x.len(), caches.len())?;
    sequence_forward(params, x, init, a, caches);
    Ok(())
}

/// The shell of forward: `a` and `caches` have the length of `x`.
#[inline(always)]
fn sequence_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &mut [Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
) {
    T::Core::lstm_forward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(x),
        (init.a.as_flat(), init.c.as_flat()),
        Matrix::slice_as_flat_mut(a),
        Cache::slice_as_flat_mut(caches),
    );
}

/// A sequence backward: (7) to (21) for t = T … 1.
///
/// In: `x`, `init`, `a` and `caches` as they were in and after [`forward`]; `da`, one (A, M) matrix
/// a step, the gradient with respect to the output of each step; `dstate`, the gradients that reach
/// a⟨T⟩ and c⟨T⟩ from beyond the end, zeros if there is nothing.
///
/// Out: the gates in `caches` become the dz_g, so that a second backward needs a forward first; the
/// gradients of the weights are added to `grads`; `dx`, one (X, M) matrix a step, is overwritten,
/// where it is given; `dstate` becomes the gradient of the initial state. With no steps `dstate`
/// stays as it is.
///
/// The same bits as a loop of [`cell_backward`] from the last step to the first.
///
/// # Errors
/// [`LengthMismatch`] where `a`, `caches`, `da` or `dx` has not the length of `x`; nothing is written then.
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// let mut params = lstm::Params::<1, 2>::zeros();
/// params.g.wx.fill(1.0);
/// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
/// let init = lstm::State::zeros();
/// let mut a = [const { Matrix::zeros() }; 3];
/// let mut caches = [const { lstm::Cache::zeros() }; 3];
/// lstm::forward(&params, &x, &init, &mut a, &mut caches)?;
///
/// // The gradients of the last output.
/// let mut da = [const { Matrix::zeros() }; 3];
/// da[2].fill(1.0);
/// let (mut grads, mut dstate) = (lstm::Params::zeros(), lstm::State::zeros());
/// lstm::backward(&params, &x, &init, &a, &mut caches, &da, &mut grads, None, &mut dstate)?;
/// assert!(grads.g.wx[(0, 0)] > 0.0);
/// assert_eq!(grads.f.b[(0, 0)], grads.f.b[(1, 0)]); // the two units are alike
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: &[Matrix<A, M, T>],
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("a", x.len(), a.len())?;
    LengthMismatch::check("caches", x.len(), caches.len())?;
    LengthMismatch::check("da", x.len(), da.len())?;
    LengthMismatch::check("dx", x.len(), dx.as_ref().map_or(x.len(), |dx| dx.len()))?;
    sequence_backward(params, x, init, a, caches, Some(da), grads, dx, dstate);
    Ok(())
}

/// The shell of backward: all that there is has the length of `x`, but for one step no a is needed.
#[inline(always)]
fn sequence_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    x: &[Matrix<X, M, T>],
    init: &State<A, M, T>,
    a: &[Matrix<A, M, T>],
    caches: &mut [Cache<A, M, T>],
    da: Option<&[Matrix<A, M, T>]>,
    grads: &mut Params<X, A, T>,
    dx: Option<&mut [Matrix<X, M, T>]>,
    dstate: &mut State<A, M, T>,
) {
    T::Core::lstm_backward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        Matrix::slice_as_flat(x),
        (init.a.as_flat(), init.c.as_flat()),
        Matrix::slice_as_flat(a),
        Cache::slice_as_flat_mut(caches),
        da.map(Matrix::slice_as_flat),
        grads.as_flat_mut(),
        dx.map(Matrix::slice_as_flat_mut),
        dstate.as_flat_mut(),
    );
}
