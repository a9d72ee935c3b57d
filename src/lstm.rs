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
//! gate q has its own [`Affine`]; W_q·\[a⟨t−1⟩; x⟨t⟩\] + b_q with W_q = \[Wa_q | Wx_q\] of shape
//! (A, A + X) is the textbook form of (0).
//!
//! | | forward | |
//! |---|---|---|
//! | (0) | z_q = b_q + Wx_q·x⟨t⟩ + Wa_q·a⟨t−1⟩ | for q = f, i, g, o: the pre-activations |
//! | (1) | f = σ(z_f) | forget gate: how much of the old cell state stays |
//! | (2) | i = σ(z_i) | input gate: how much of the candidate goes in |
//! | (3) | g = tanh(z_g) | candidate |
//! | (4) | o = σ(z_o) | output gate: how much of the cell state is shown |
//! | (5) | c⟨t⟩ = f ⊙ c⟨t−1⟩ + i ⊙ g | cell state |
//! | (6) | a⟨t⟩ = o ⊙ tanh(c⟨t⟩) | hidden state, the output |
//!
//! # The gradient, step by step through the local gradients
//!
//! da⟨t⟩ is the gradient with respect to the output of step t (from a loss, or from the layer
//! above). dh is the whole gradient that reaches a⟨t⟩, da⟨t⟩ and what step t + 1 has propagated;
//! dc_next is what reaches c⟨t⟩ from step t + 1. Beyond the end both come from the caller. Walk
//! from the output back to the input; each line multiplies what has arrived by one local
//! derivative.
//!
//! Through (6), a = o ⊙ tanh(c):
//!
//! | | |
//! |---|---|
//! | (7) | do = dh ⊙ tanh(c⟨t⟩) |
//! | (8) | dc = dc_next + dh ⊙ o ⊙ (1 − tanh²(c⟨t⟩)), all that reaches the cell state |
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
//! Through the four affine maps, for each gate q:
//!
//! | | |
//! |---|---|
//! | (17) | dWa_q = dWa_q + Σₜ dz_q·a⟨t−1⟩ᵀ |
//! | (18) | dWx_q = dWx_q + Σₜ dz_q·x⟨t⟩ᵀ |
//! | (19) | db_q = db_q + Σₜ dz_q, summed over the batch |
//! | (20) | dh⟨t−1⟩ = da⟨t−1⟩ + Σ_q Wa_qᵀ·dz_q, where da⟨0⟩ = 0: dh⟨0⟩ is the gradient of a⟨0⟩ |
//! | (21) | dx⟨t⟩ = Σ_q Wx_qᵀ·dz_q |
//!
//! # The gradient, pre-multiplied
//!
//! Courses print another form. It never names dc, and folds the derivative of each activation into
//! the gate's gradient at once, so that its "gate gradients" are those of the pre-activations:
//!
//! | | |
//! |---|---|
//! | (16′) | dz_o = dh ⊙ tanh(c⟨t⟩) ⊙ o ⊙ (1 − o) |
//! | (15′) | dz_g = \[dc_next ⊙ i + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ i ⊙ dh\] ⊙ (1 − g²) |
//! | (14′) | dz_i = \[dc_next ⊙ g + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ g ⊙ dh\] ⊙ i ⊙ (1 − i) |
//! | (13′) | dz_f = \[dc_next ⊙ c⟨t−1⟩ + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ c⟨t−1⟩ ⊙ dh\] ⊙ f ⊙ (1 − f) |
//! | (12′) | dc⟨t−1⟩ = dc_next ⊙ f + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ f ⊙ dh |
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
//! pre-activations, dz_q. No other buffer is needed than what forward was given, beside some
//! hundred bytes of stack (on a machine with vectors a step of a large layer keeps 512 scalars
//! there). A sequence is worked through in segments of so many steps that they make 64 columns of
//! the batch, which stay in the cache: the products with Wx over a segment are one matrix product
//! before its recurrence, (17), (18), (19) and (21) are one each after it; only those with Wa stay
//! inside the time loop.
//!
//! # Precision
//!
//! An LSTM with 6 inputs and 16 units in f32 stays within 10⁻⁷ of the same in f64 over 100 steps,
//! in every output of 100 networks with weights evenly distributed in ±1/√A and inputs in ±1
//! (`tests/precision.rs` measures it). The activations contribute what
//! [`activation`](crate::activation) states.
//!
//! # Subnormal numbers
//!
//! What is carried from step to step becomes +0 where it is less than the smallest normal number of
//! its type in magnitude, 2⁻¹²⁶ in f32: c⟨t⟩ of (5), and backward all that reaches a⟨t⟩ and c⟨t⟩,
//! dh in (7) and (8) and dc of (8). −0 becomes +0 as well, a NaN stays. Otherwise c would stick at
//! a few times 2⁻¹⁴⁹ for ever after silence, where f ⊙ c is rounded to c, and many processors take
//! longer over such numbers.
//!
//! It is a rounding, with an absolute error of less than 2⁻¹²⁶ or 1.2·10⁻³⁸, and the same on every
//! target. Nothing else is flushed: a⟨t⟩ = o ⊙ tanh(c⟨t⟩) and the dz_g may be subnormal while c or
//! the gradient passes the last decades above zero, and not after that. A state that the caller
//! hands in is read as it is.
//!
//! # Numbers that are not finite
//!
//! A NaN in a column of x, a, c or da reaches what depends on it and no other column of the batch
//! (the gradients of the weights depend on all of them). ±∞ follow IEEE-754: a gate with z = ±∞ is
//! exactly 0, 1 or ±1, and 0·∞ is NaN.

pub(crate) mod core;

use crate::arch::Core as _;
use crate::cell::{Cell, sealed::Sealed};
use crate::sequence::{Arriving, Recurrent};
use crate::shape::Shape;
use crate::{Affine, Flat, Matrix, Real, flat};

/// The weights of an LSTM cell, or a gradient with respect to them: one [`Affine`] a gate.
///
/// ```
/// use bptt::{Flat, lstm};
///
/// static ZERO: lstm::Params<6, 16> = lstm::Params::zeros();
/// assert_eq!(ZERO.as_flat().len(), 4 * 16 * (16 + 6 + 1));
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Params<const X: usize, const A: usize, T: Real = f32> {
    /// The forget gate, (1).
    pub f: Affine<X, A, T>,
    /// The input gate, (2); some books call it the update gate.
    pub i: Affine<X, A, T>,
    /// The candidate, (3); some books write c̃.
    pub g: Affine<X, A, T>,
    /// The output gate, (4).
    pub o: Affine<X, A, T>,
}

impl<const X: usize, const A: usize, T: Real> Params<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let grads = bptt::lstm::Params::<3, 5>::zeros();
    /// assert_eq!(grads.f.b[(4, 0)], 0.0);
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
    /// use bptt::lstm;
    ///
    /// # /*
    /// static FILE: &[u8; 4 * 24] = include_bytes!("weights.bin");
    /// # */
    /// # static FILE: &[u8; 4 * 24] = &[0; 4 * 24];
    /// static CELL: lstm::Params<4, 1> = lstm::Params::from_le_bytes(FILE);
    /// assert_eq!(CELL.f.b[(0, 0)], 0.0);
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
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

impl<const X: usize, const A: usize, T: Real> Sealed for Params<X, A, T> {
    type Recurrent = core::Lstm;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for Params<X, A, T> {
    type State<const M: usize> = State<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}

/// What one step hands to the next, or a gradient with respect to it.
///
/// ```
/// let start = bptt::lstm::State::<16, 1>::zeros();
/// assert_eq!(start.c[(15, 0)], 0.0);
/// ```
#[derive(Debug, PartialEq)]
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
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// assert_eq!(bptt::lstm::State::<2, 1>::zeros(), bptt::lstm::State::default());
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }

    /// The state whose 4·`LEN` (`f32`) or 8·`LEN` (`f64`) bytes these are, at compile time too; see
    /// [`Flat::to_le_bytes`].
    ///
    /// Another number of bytes does not compile.
    ///
    /// ```
    /// let state: bptt::lstm::State<1, 1> = bptt::lstm::State::from_le_bytes(&[0; 2 * 4]);
    /// assert_eq!(state, bptt::lstm::State::zeros());
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
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
#[derive(Debug, PartialEq)]
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
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// assert_eq!(bptt::lstm::Cache::<2, 1>::zeros(), bptt::lstm::Cache::default());
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }
}

/// One step forward: (1) to (6), keeping in `cache` what [`cell_backward`] needs.
///
/// `x` is x⟨t⟩ (X, M), `prev` holds a⟨t−1⟩ and c⟨t−1⟩, `next` becomes a⟨t⟩ and c⟨t⟩, (A, M) each.
/// The same bits as [`Cell::forward`] over one step, and as [`Cell::step`].
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
    core::Lstm::FORWARD(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        prev.as_flat(),
        next.a.as_flat_mut(),
        cache.as_flat_mut(),
    );
    next.c.0 = cache.c.0;
}

/// One step backward: (7) to (21).
///
/// In: `x` (X, M), `prev` and `cache` as they were in and after [`cell_forward`]; `dstate`, the
/// whole gradient with respect to a⟨t⟩ and what reaches c⟨t⟩ from step t + 1: dh and dc_next.
///
/// Out: the gates in `cache` become dz_f, dz_i, dz_g, dz_o; `dstate` becomes the gradient of
/// `prev`: dc⟨t−1⟩ and Σ_q Wa_qᵀ·dz_q, to which the loop of a sequence adds da⟨t−1⟩, (20); the
/// gradients of the weights are added to `grads`; `dx` (X, M) is overwritten.
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
    T::Core::lstm_backward(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        prev.as_flat(),
        &[], // a⟨t⟩ itself is not needed
        cache.as_flat_mut(),
        Arriving::at(&[]), // `dstate` has all that reaches the step
        grads.as_flat_mut(),
        Some(dx.as_flat_mut()),
        dstate.as_flat_mut(),
    );
}
