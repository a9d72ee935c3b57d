//! The gated recurrent unit in both conventions: equations, derivation of its gradient, forward, and
//! directly under it backward.
//!
//! The cell of Cho et al. (2014, arXiv:1406.1078v3) has its reset gate before the product with the
//! recurrent weights of the candidate, [`ResetBefore`]; their first preprint (v1) and cuDNN have it
//! after that product, where one matrix product serves all gates, and cuDNN gives the candidate a
//! second bias, [`ResetAfter`]. They are different functions of the same weights: what was trained as
//! one does not run as the other, though the flat array of the one begins as that of the other.
//!
//! | | the reset stands |
//! |---|---|
//! | PyTorch, cuDNN, JAX (flax), RTNeural; Keras (`reset_after=True`, its default); ONNX with `linear_before_reset = 1` | after: [`ResetAfter`] |
//! | Cho et al. (2014); Keras with `reset_after=False`; ONNX with `linear_before_reset = 0`, its default | before: [`ResetBefore`] |
//!
//! # Equations
//!
//! With x⟨t⟩ of shape (X, M), a⟨t⟩ of shape (A, M), t = 1 … T, and a⟨0⟩ given. The gates stand in
//! the order r, u, n everywhere in this crate, and each gate q has its own [`Affine`]. s is what the
//! candidate sees of the old state.
//!
//! | | forward | |
//! |---|---|---|
//! | (0) | z_q = b_q + Wx_q·x⟨t⟩ + Wa_q·a⟨t−1⟩ | for q = r, u: the pre-activations |
//! | (1) | r = σ(z_r) | reset gate: how much of the old state the candidate sees |
//! | (2) | u = σ(z_u) | update gate: how much of the old state stays; many books write z |
//! | (5) | n = tanh(z_n) | candidate; some books write h̃ |
//! | (6) | a⟨t⟩ = (1 − u) ⊙ n + u ⊙ a⟨t−1⟩ | the new state, the output |
//!
//! and between them, in the two conventions:
//!
//! | | reset after the product | reset before the product |
//! |---|---|---|
//! | (3) | s = bna + Wa_n·a⟨t−1⟩ | s = r ⊙ a⟨t−1⟩ |
//! | (4) | z_n = b_n + Wx_n·x⟨t⟩ + r ⊙ s | z_n = b_n + Wx_n·x⟨t⟩ + Wa_n·s |
//!
//! In print u and 1 − u are exchanged as often as not (Cho et al. write it as here, Chung et al.
//! (2014) the other way round). All of the software above has it as here.
//!
//! # The gradient
//!
//! da⟨t⟩ is the gradient with respect to the output of step t (from a loss, or from the layer
//! above). dh is the whole gradient that reaches a⟨t⟩, da⟨t⟩ and what step t + 1 has propagated.
//! Beyond the end the second one comes from the caller. Walk from the output back to the input; each
//! line multiplies what has arrived by one local derivative.
//!
//! Through (6), a = (1 − u) ⊙ n + u ⊙ a⟨t−1⟩:
//!
//! | | |
//! |---|---|
//! | (7) | du = dh ⊙ (a⟨t−1⟩ − n) |
//! | (8) | dn = dh ⊙ (1 − u) |
//!
//! Through the activations (2) and (5), with σ′ = σ(1 − σ) and tanh′ = 1 − tanh²:
//!
//! | | |
//! |---|---|
//! | (9) | dz_u = du ⊙ u ⊙ (1 − u) |
//! | (10) | dz_n = dn ⊙ (1 − n²) |
//!
//! Through (4), and, where the reset comes before, (3), to r; then through (1):
//!
//! | | reset after the product | reset before the product |
//! |---|---|---|
//! | (11) | ds = dz_n ⊙ r | ds = Wa_nᵀ·dz_n |
//! | (12) | dr = dz_n ⊙ s | dr = ds ⊙ a⟨t−1⟩ |
//! | (13) | dz_r = dr ⊙ r ⊙ (1 − r) | the same |
//!
//! Through the affine maps:
//!
//! | | reset after the product | reset before the product |
//! |---|---|---|
//! | (14) | dWa_q = dWa_q + Σₜ dz_q·a⟨t−1⟩ᵀ for q = r, u | the same |
//! | (15) | dWa_n = dWa_n + Σₜ ds·a⟨t−1⟩ᵀ | dWa_n = dWa_n + Σₜ dz_n·sᵀ |
//! | (16) | dWx_q = dWx_q + Σₜ dz_q·x⟨t⟩ᵀ for q = r, u, n | the same |
//! | (17) | db_q = db_q + Σₜ dz_q, summed over the batch, for q = r, u, n | the same |
//! | (18) | dbna = dbna + Σₜ ds, summed over the batch | |
//! | (19) | dh⟨t−1⟩ = da⟨t−1⟩ + dh ⊙ u + (Wa_rᵀ·dz_r + Wa_uᵀ·dz_u + Wa_nᵀ·ds) | dh⟨t−1⟩ = da⟨t−1⟩ + dh ⊙ u + ds ⊙ r + (Wa_rᵀ·dz_r + Wa_uᵀ·dz_u) |
//! | (20) | dx⟨t⟩ = Σ_q Wx_qᵀ·dz_q for q = r, u, n | the same |
//!
//! where da⟨0⟩ = 0, so that dh⟨0⟩ is the gradient of a⟨0⟩. a⟨t−1⟩ reaches step t in four ways, and
//! each has its term in (19): straight through u, and through r, u and n. To forget dh ⊙ u, or, where
//! the reset comes after, to take dz_n for ds in (15) and (18), are the common mistakes.
//!
//! # Memory
//!
//! The state is a⟨t⟩, a `Matrix<A, M>`, and a step has a [`Cache`] of 4·A·M scalars: the three gates
//! and s. Backward works in place: the gates of a step are replaced by the gradients of their
//! pre-activations. No other buffer is needed than what forward was given, beside the stack (on a
//! machine with vectors a step of a large layer keeps up to 512 scalars there). A sequence is worked
//! through in segments as in [`lstm`](crate::lstm#memory): (14) to (18) and (20) are matrix products
//! after a segment, and the products with Wx one before it.
//!
//! # Precision
//!
//! A GRU of either convention with 6 inputs and 16 units in f32 stays within 2·10⁻⁷ of the same in
//! f64 over 100 steps, in every output of 100 networks with weights evenly distributed in ±1/√A and
//! inputs in ±1 (`tests/precision.rs` measures it).
//!
//! # Subnormal numbers
//!
//! As in [`lstm`](crate::lstm#subnormal-numbers), what is carried from step to step becomes +0
//! where it is less than the smallest normal number in magnitude: a⟨t⟩ of (6), and dh where it enters
//! (7), (8) and (19). The gradient of a⟨0⟩ that is returned is as (19) gives it.
//!
//! # Numbers that are not finite
//!
//! A NaN in a column of x, a or da reaches what depends on it and no other column of the batch (the
//! gradients of the weights depend on all of them). ±∞ follow IEEE-754: a gate with z = ±∞ is
//! exactly 0, 1 or ±1, and 0·∞ is NaN.

pub(crate) mod after;
pub(crate) mod before;
mod core;

use crate::cell::{Cell, sealed::Sealed};
use crate::sequence::{Arriving, Recurrent};
use crate::shape::Shape;
use crate::{Affine, Flat, Matrix, Real, Vector, flat};

/// The weights of a GRU whose reset comes after the product, or a gradient with respect to them.
///
/// ```
/// use bptt::{Flat, gru};
///
/// static ZERO: gru::ResetAfter<6, 16> = gru::ResetAfter::zeros();
/// assert_eq!(ZERO.as_flat().len(), 3 * 16 * (16 + 6 + 1) + 16);
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct ResetAfter<const X: usize, const A: usize, T: Real = f32> {
    /// The reset gate, (1).
    pub r: Affine<X, A, T>,
    /// The update gate, (2); z in most books.
    pub u: Affine<X, A, T>,
    /// The candidate, (3) and (4): its b is that of (4).
    pub n: Affine<X, A, T>,
    /// The second bias of the candidate, (3), shape (A, 1): the one that the reset gate reaches.
    pub bna: Vector<A, T>,
}

/// The weights of a GRU whose reset comes before the product, or a gradient with respect to them.
///
/// ```
/// use bptt::{Flat, gru};
///
/// static ZERO: gru::ResetBefore<6, 16> = gru::ResetBefore::zeros();
/// assert_eq!(ZERO.as_flat().len(), 3 * 16 * (16 + 6 + 1));
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct ResetBefore<const X: usize, const A: usize, T: Real = f32> {
    /// The reset gate, (1).
    pub r: Affine<X, A, T>,
    /// The update gate, (2); z in most books.
    pub u: Affine<X, A, T>,
    /// The candidate, (4).
    pub n: Affine<X, A, T>,
}

impl<const X: usize, const A: usize, T: Real> ResetAfter<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let grads = bptt::gru::ResetAfter::<3, 5>::zeros();
    /// assert_eq!(grads.bna[(4, 0)], 0.0);
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
    /// use bptt::gru;
    ///
    /// # /*
    /// static FILE: &[u8; 4 * 19] = include_bytes!("weights.bin");
    /// # */
    /// # static FILE: &[u8; 4 * 19] = &[0; 4 * 19];
    /// static CELL: gru::ResetAfter<4, 1> = gru::ResetAfter::from_le_bytes(FILE);
    /// assert_eq!(CELL.bna[(0, 0)], 0.0);
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}

impl<const X: usize, const A: usize, T: Real> ResetBefore<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// let grads = bptt::gru::ResetBefore::<3, 5>::zeros();
    /// assert_eq!(grads.n.b[(4, 0)], 0.0);
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
    /// use bptt::gru;
    ///
    /// let cell: gru::ResetBefore<4, 1> = gru::ResetBefore::from_le_bytes(&[0; 4 * 18]);
    /// assert_eq!(cell, gru::ResetBefore::zeros());
    /// ```
    pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        flat::from_le_bytes(bytes)
    }
}

impl<const X: usize, const A: usize, T: Real> Sealed for ResetAfter<X, A, T> {
    type Recurrent = after::After;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for ResetAfter<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}

impl<const X: usize, const A: usize, T: Real> Sealed for ResetBefore<X, A, T> {
    type Recurrent = before::Before;
}

impl<const X: usize, const A: usize, T: Real> Cell<X, A> for ResetBefore<X, A, T> {
    type State<const M: usize> = Matrix<A, M, T>;
    type Cache<const M: usize> = Cache<A, M, T>;
}

/// A GRU of either convention: what [`cell_forward`] and [`cell_backward`] take.
///
/// ```
/// use bptt::{Matrix, gru};
///
/// /// One step from a state of zeros.
/// fn first<C: gru::Gru<2, 3, Scalar = f32>>(cell: &C, x: &Matrix<2, 1>) -> Matrix<3, 1> {
///     let (mut a, mut cache) = (Matrix::zeros(), gru::Cache::zeros());
///     gru::cell_forward(cell, x, &Matrix::zeros(), &mut a, &mut cache);
///     a
/// }
/// let x = Matrix::from_rows([[1.0], [2.0]]);
/// assert_eq!(first(&gru::ResetAfter::zeros(), &x), first(&gru::ResetBefore::zeros(), &x));
/// ```
pub trait Gru<const X: usize, const A: usize>: Cell<X, A> {}
impl<const X: usize, const A: usize, T: Real> Gru<X, A> for ResetAfter<X, A, T> {}
impl<const X: usize, const A: usize, T: Real> Gru<X, A> for ResetBefore<X, A, T> {}

/// What backward needs to know of one step forward: 4·A·M scalars.
///
/// Forward writes r, u, n and s; backward replaces the gates by dz_r, dz_u and dz_n, and, where the
/// reset comes after the product, s by ds.
///
/// ```
/// use bptt::gru::Cache;
///
/// const STEPS: usize = 100;
/// static CACHES: [Cache<16, 1>; STEPS] = [const { Cache::zeros() }; STEPS];
/// assert_eq!(size_of_val(&CACHES), 100 * 4 * 16 * 4);
/// ```
#[derive(Debug, PartialEq)]
#[repr(C)]
pub struct Cache<const A: usize, const M: usize, T: Real = f32> {
    /// r, then dz_r.
    pub r: Matrix<A, M, T>,
    /// u, then dz_u.
    pub u: Matrix<A, M, T>,
    /// n, then dz_n.
    pub n: Matrix<A, M, T>,
    /// s of (3), then ds where the reset comes after the product, and s again where it comes before.
    pub s: Matrix<A, M, T>,
}

impl<const A: usize, const M: usize, T: Real> Cache<A, M, T> {
    /// A cache to be written by forward.
    ///
    /// By value, and so over the stack: [large networks](crate::patterns#large-networks) stay on
    /// the heap.
    ///
    /// ```
    /// assert_eq!(bptt::gru::Cache::<2, 1>::zeros(), bptt::gru::Cache::default());
    /// ```
    pub const fn zeros() -> Self {
        flat::zeros()
    }
}

/// One step forward: (0) to (6), keeping in `cache` what [`cell_backward`] needs.
///
/// `x` is x⟨t⟩ (X, M), `a_prev` is a⟨t−1⟩ (A, M), `a_next` becomes a⟨t⟩ (A, M). The same bits as
/// [`Cell::forward`] over one step, and as [`Cell::step`].
///
/// ```
/// use bptt::{Matrix, gru};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.n.wx.fill(1.0);
/// params.bna.fill(0.4);
/// let (x, a_prev) = (Matrix::from_rows([[0.8]]), Matrix::from_rows([[0.2]]));
/// let (mut a_next, mut cache) = (Matrix::zeros(), gru::Cache::zeros());
/// gru::cell_forward(&params, &x, &a_prev, &mut a_next, &mut cache);
/// // r = u = σ(0) = 0.5, and s = 0.4.
/// let n = (0.8_f32 + 0.5 * 0.4).tanh();
/// assert!((a_next[(0, 0)] - (0.5 * n + 0.5 * 0.2)).abs() < 1e-7);
/// ```
pub fn cell_forward<C: Gru<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    a_next: &mut Matrix<A, M, C::Scalar>,
    cache: &mut Cache<A, M, C::Scalar>,
) {
    C::Recurrent::FORWARD(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        a_prev.as_flat(),
        a_next.as_flat_mut(),
        cache.as_flat_mut(),
    );
}

/// One step backward: (7) to (20).
///
/// In: `x` (X, M), `a_prev` (A, M) and `cache` as they were in and after [`cell_forward`]; `dstate`
/// (A, M), the whole gradient with respect to a⟨t⟩, dh.
///
/// Out: the gates in `cache` become dz_r, dz_u, dz_n (and s becomes ds where the reset comes after
/// the product); `dstate` becomes the gradient of `a_prev`, (19) without da⟨t−1⟩, which the loop of
/// a sequence adds; the gradients of the weights are added to `grads`; `dx` (X, M) is overwritten.
///
/// ```
/// use bptt::{Matrix, gru};
///
/// let mut params = gru::ResetAfter::<1, 1>::zeros();
/// params.n.wx.fill(1.0);
/// params.bna.fill(0.4);
/// let (x, a_prev) = (Matrix::from_rows([[0.8]]), Matrix::from_rows([[0.2]]));
/// let (mut a_next, mut cache) = (Matrix::zeros(), gru::Cache::zeros());
/// gru::cell_forward(&params, &x, &a_prev, &mut a_next, &mut cache);
///
/// let mut dstate = Matrix::from_rows([[1.0]]); // the gradient of a⟨t⟩ itself
/// let (mut grads, mut dx) = (gru::ResetAfter::zeros(), Matrix::zeros());
/// gru::cell_backward(&params, &x, &a_prev, &mut cache, &mut dstate, &mut grads, &mut dx);
/// let dz_n = 0.5 * (1.0 - (0.8_f32 + 0.5 * 0.4).tanh().powi(2)); // (8) and (10)
/// assert!((dx[(0, 0)] - dz_n).abs() < 1e-7);
/// assert!((grads.bna[(0, 0)] - 0.5 * dz_n).abs() < 1e-7); // (11)
/// assert_eq!(dstate[(0, 0)], 0.5); // (19): u, since all Wa are zero
/// ```
pub fn cell_backward<C: Gru<X, A>, const X: usize, const A: usize, const M: usize>(
    params: &C,
    x: &Matrix<X, M, C::Scalar>,
    a_prev: &Matrix<A, M, C::Scalar>,
    cache: &mut Cache<A, M, C::Scalar>,
    dstate: &mut Matrix<A, M, C::Scalar>,
    grads: &mut C,
    dx: &mut Matrix<X, M, C::Scalar>,
) {
    C::Recurrent::BACKWARD(
        Shape::of::<X, A, M>(),
        params.as_flat(),
        x.as_flat(),
        a_prev.as_flat(),
        &[], // a⟨t⟩ itself is not needed
        cache.as_flat_mut(),
        Arriving::at(&[]), // `dstate` has all that reaches the step
        grads.as_flat_mut(),
        Some(dx.as_flat_mut()),
        dstate.as_flat_mut(),
    );
}
