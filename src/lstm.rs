//! The LSTM cell: equations, both derivations of its gradient, forward, and directly under it
//! backward.
//!
//! The cell of Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
//! Cummins (2000), without peepholes: what PyTorch, Keras and ONNX call LSTM. The four gates stand
//! in the order forget, update, candidate, output everywhere in this crate.
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
//! | (3) | c̃ = tanh(z_c) | candidate |
//! | (4) | o = σ(z_o) | output gate: how much of the cell state is shown |
//! | (5) | c⟨t⟩ = f ⊙ c⟨t−1⟩ + i ⊙ c̃ | cell state |
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
//! Through (5), c = f ⊙ c⟨t−1⟩ + i ⊙ c̃:
//!
//! | | |
//! |---|---|
//! | (9) | df = dc ⊙ c⟨t−1⟩ |
//! | (10) | di = dc ⊙ c̃ |
//! | (11) | dc̃ = dc ⊙ i |
//! | (12) | dc⟨t−1⟩ = dc ⊙ f |
//!
//! Through the activations (1) to (4), with σ′ = σ(1 − σ) and tanh′ = 1 − tanh²:
//!
//! | | |
//! |---|---|
//! | (13) | dz_f = df ⊙ f ⊙ (1 − f) |
//! | (14) | dz_i = di ⊙ i ⊙ (1 − i) |
//! | (15) | dz_c = dc̃ ⊙ (1 − c̃²) |
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
//! | (15′) | dz_c = \[dc_next ⊙ i + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ i ⊙ da\] ⊙ (1 − c̃²) |
//! | (14′) | dz_i = \[dc_next ⊙ c̃ + o ⊙ (1 − tanh²(c⟨t⟩)) ⊙ c̃ ⊙ da\] ⊙ i ⊙ (1 − i) |
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

use core::slice;

use crate::activation::Passes;
use crate::dispatch::{self, Kernel, VECTORS};
use crate::product::{
    Blocks, Lanes, block, block_mut, forward as product, in_blocks, in_blocks_of_columns,
    side_by_side, steps_at_a_time, transposed, walk,
};
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
    pub forget: Affine<X, A, T>,
    /// The update gate, (2); often called the input gate.
    pub update: Affine<X, A, T>,
    /// The candidate, (3); often called the cell gate, g.
    pub candidate: Affine<X, A, T>,
    /// The output gate, (4).
    pub output: Affine<X, A, T>,
}

impl<const X: usize, const A: usize, T: Real> Params<X, A, T> {
    /// All weights zero: what a gradient starts from.
    ///
    /// ```
    /// let grads = bptt::lstm::Params::<3, 5>::zeros();
    /// assert_eq!(grads.forget.b[(4, 0)], 0.0);
    /// ```
    pub const fn zeros() -> Self {
        Params {
            forget: Affine::zeros(),
            update: Affine::zeros(),
            candidate: Affine::zeros(),
            output: Affine::zeros(),
        }
    }

    /// The four gates in the order of the fields.
    #[inline(always)]
    pub(crate) fn gates(&self) -> [&Affine<X, A, T>; 4] {
        [&self.forget, &self.update, &self.candidate, &self.output]
    }

    /// The four gates in the order of the fields, to be written.
    #[inline(always)]
    pub(crate) fn gates_mut(&mut self) -> [&mut Affine<X, A, T>; 4] {
        [
            &mut self.forget,
            &mut self.update,
            &mut self.candidate,
            &mut self.output,
        ]
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
/// Forward writes the gates f, i, c̃ and o and the cell state c⟨t⟩; backward replaces the gates by
/// dz_f, dz_i, dz_c and dz_o, and leaves c.
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
    pub forget: Matrix<A, M, T>,
    /// i, then dz_i.
    pub update: Matrix<A, M, T>,
    /// c̃, then dz_c.
    pub candidate: Matrix<A, M, T>,
    /// o, then dz_o.
    pub output: Matrix<A, M, T>,
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
            forget: Matrix::zeros(),
            update: Matrix::zeros(),
            candidate: Matrix::zeros(),
            output: Matrix::zeros(),
            c: Matrix::zeros(),
        }
    }
}

/// The number of matrices in a [`Cache`].
const MATRICES: usize = 5;

/// The matrices of all caches in a row: gate g of step t is number t·MATRICES + g.
#[inline(always)]
fn matrices<const A: usize, const M: usize, T: Real>(
    caches: &[Cache<A, M, T>],
) -> &[Matrix<A, M, T>] {
    Matrix::slice_from_flat(Cache::slice_as_flat(caches)).unwrap_or_default()
}

/// [`matrices`], to be written.
#[inline(always)]
fn matrices_mut<const A: usize, const M: usize, T: Real>(
    caches: &mut [Cache<A, M, T>],
) -> &mut [Matrix<A, M, T>] {
    Matrix::slice_from_flat_mut(Cache::slice_as_flat_mut(caches)).unwrap_or_default()
}

/// Covers the units of M samples: in blocks so large that [`units`] makes passes over them, where
/// there are vectors.
#[inline(always)]
fn in_blocks_of_units<const L: usize, const W: usize, const A: usize, const M: usize>(
    work: &mut impl Blocks,
) {
    if const { VECTORS } {
        in_blocks_of_columns::<A, M, W>(work);
    } else {
        in_blocks_of_columns::<A, M, L>(work);
    }
}

/// (1) to (6) for B units: their pre-activations `z` become the gates.
///
/// L at a time in registers; where there are more, all gates together in passes.
#[inline(always)]
fn units<const L: usize, const W: usize, const B: usize, T: Real>(
    passes: &mut [Passes<W, T>; 4],
    z: [&mut [T; B]; 4],
    c_prev: &[T; B],
    c: &mut [T; B],
    a: &mut [T; B],
) {
    let [f, i, cc, o] = z;
    if const { VECTORS && B > L } {
        let [f_passes, i_passes, cc_passes, o_passes] = passes;
        f_passes.reduce(f, T::sigmoid_reduce);
        i_passes.reduce(i, T::sigmoid_reduce);
        cc_passes.reduce(cc, T::tanh_reduce);
        o_passes.reduce(o, T::sigmoid_reduce);
        f_passes.power(f, T::sigmoid_power);
        i_passes.power(i, T::sigmoid_power);
        cc_passes.power(cc, T::tanh_power);
        o_passes.power(o, T::sigmoid_power);
        f_passes.divide(f, T::sigmoid_divide); // (1)
        i_passes.divide(i, T::sigmoid_divide); // (2)
        cc_passes.divide(cc, T::tanh_divide); // (3)
        o_passes.divide(o, T::sigmoid_divide); // (4)
        for j in 0..B {
            c[j] = f[j] * c_prev[j] + i[j] * cc[j]; // (5)
            a[j] = c[j];
        }
        f_passes.tanh(a);
        for j in 0..B {
            a[j] = o[j] * a[j]; // (6)
        }
        return;
    }
    let [z_f, z_i, z_c, z_o] = [Lanes(*f), Lanes(*i), Lanes(*cc), Lanes(*o)];
    let forget = z_f.map(T::sigmoid); // (1)
    let update = z_i.map(T::sigmoid); // (2)
    let candidate = z_c.map(T::tanh); // (3)
    let output = z_o.map(T::sigmoid); // (4)
    let mut next = forget.times(Lanes(*c_prev));
    next.add_product(update, candidate); // (5)
    *a = output.times(next.map(T::tanh)).0; // (6)
    (*f, *i, *cc, *o, *c) = (forget.0, update.0, candidate.0, output.0, next.0);
}

/// One step of inference: (1) to (6), without a cache.
///
/// `x` is x⟨t⟩ (X, M), `prev` holds a⟨t−1⟩ and c⟨t−1⟩, `next` becomes a⟨t⟩ and c⟨t⟩, (A, M) each.
/// The same bits as [`cell_forward`]. Where the instruction set has vectors, pre-activations of one
/// sample stand on the stack: 512 scalars at most, or 4·A where the weights Wa do not fit into
/// 32 KiB.
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
    dispatch::run::<T, _>(Step {
        params,
        x,
        prev,
        next,
    });
}

struct Step<'a, const X: usize, const A: usize, const M: usize, T: Real> {
    params: &'a Params<X, A, T>,
    x: &'a Matrix<X, M, T>,
    prev: &'a State<A, M, T>,
    next: &'a mut State<A, M, T>,
}

/// Whether the weights of the recurrence are walked column by column: where they do not fit into
/// the first-level cache. Otherwise a block of units and its four gates stay in registers.
const fn walked<const A: usize, const L: usize, T>() -> bool {
    L >= 8 && 4 * A * A * size_of::<T>() > 32 * 1024
}

impl<const X: usize, const A: usize, const M: usize, T: Real> Kernel for Step<'_, X, A, M, T> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize, const W: usize>(self) {
        let Step {
            params,
            x,
            prev,
            next,
        } = self;
        let mut passes = [Passes::<W, T>::ZERO; 4];
        for m in 0..M {
            let (x, a_prev, c_prev) = (&x.0[m], &prev.a.0[m], &prev.c.0[m]);
            let (a, c) = (&mut next.a.0[m], &mut next.c.0[m]);
            if const { !walked::<A, L, T>() } {
                in_blocks_of_units::<L, W, A, 1>(&mut StepBlock::<L, W, X, A, T> {
                    params,
                    x,
                    a_prev,
                    c_prev,
                    a,
                    c,
                    passes: &mut passes,
                });
                continue;
            }
            let mut z = [[T::ZERO; A]; 4];
            for (z, gate) in z.iter_mut().zip(params.gates()) {
                *z = gate.b.0[0];
                walk(&gate.wx, x, z);
                walk(&gate.wa, a_prev, z);
            }
            in_blocks_of_units::<L, W, A, 1>(&mut Activation::<L, W, T> {
                passes: &mut passes,
                z: z.each_mut().map(|z| z.as_mut_slice()),
                c_prev,
                c,
                a,
            }); // (1) to (6)
        }
    }
}

/// Some units of one column of one step of inference: their four pre-activations stay in
/// registers or, where they are many, on the stack.
struct StepBlock<'a, const L: usize, const W: usize, const X: usize, const A: usize, T: Real> {
    params: &'a Params<X, A, T>,
    x: &'a [T; X],
    a_prev: &'a [T; A],
    c_prev: &'a [T; A],
    a: &'a mut [T; A],
    c: &'a mut [T; A],
    passes: &'a mut [Passes<W, T>; 4],
}

impl<const L: usize, const W: usize, const X: usize, const A: usize, T: Real> Blocks
    for StepBlock<'_, L, W, X, A, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let mut z = [[T::ZERO; B]; 4];
        in_blocks::<B, L>(&mut StepGates {
            step: &*self,
            i,
            z: &mut z,
        });
        let [z_f, z_i, z_c, z_o] = &mut z;
        if let (Some(c_prev), Some(c), Some(a)) = (
            block(self.c_prev, i),
            block_mut(self.c, i),
            block_mut(self.a, i),
        ) {
            units::<L, W, B, T>(self.passes, [z_f, z_i, z_c, z_o], c_prev, c, a); // (1) to (6)
        }
    }
}

/// z_g of some units, the first of which is unit i of the step.
struct StepGates<
    'a,
    'b,
    const L: usize,
    const W: usize,
    const X: usize,
    const A: usize,
    const N: usize,
    T: Real,
> {
    step: &'a StepBlock<'b, L, W, X, A, T>,
    i: usize,
    z: &'a mut [[T; N]; 4],
}

impl<const L: usize, const W: usize, const X: usize, const A: usize, const N: usize, T: Real> Blocks
    for StepGates<'_, '_, L, W, X, A, N, T>
{
    #[inline(always)]
    fn block<const B: usize>(&mut self, j: usize) {
        let i = self.i + j;
        let [f, u, c, o] = self.step.params.gates();
        let b = |gate: &Affine<X, A, T>| Lanes::<B, T>::load(&gate.b.0[0], i);
        let z = [b(f), b(u), b(c), b(o)];
        let z = four_gates(z, [&f.wx, &u.wx, &c.wx, &o.wx], i, self.step.x);
        let z = four_gates(z, [&f.wa, &u.wa, &c.wa, &o.wa], i, self.step.a_prev);
        let z = side_by_side(z);
        for g in 0..4 {
            z[g].store(&mut self.z[g], j);
        }
    }
}

/// z_g + W_g·u for L rows of one column and all four gates, the sums over the columns of W
/// ascending.
#[inline(always)]
fn four_gates<const L: usize, const R: usize, const K: usize, T: Real>(
    z: [Lanes<L, T>; 4],
    w: [&Matrix<R, K, T>; 4],
    i: usize,
    u: &[T; K],
) -> [Lanes<L, T>; 4] {
    if let Some(z) = Lanes::four_gates(z, w, i, u) {
        return z;
    }
    let [mut z_f, mut z_i, mut z_c, mut z_o] = z;
    let [w_f, w_i, w_c, w_o] = w;
    for k in 0..K {
        z_f.add_scaled(Lanes::load(&w_f.0[k], i), u[k]);
        z_i.add_scaled(Lanes::load(&w_i.0[k], i), u[k]);
        z_c.add_scaled(Lanes::load(&w_c.0[k], i), u[k]);
        z_o.add_scaled(Lanes::load(&w_o.0[k], i), u[k]);
    }
    [z_f, z_i, z_c, z_o]
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
/// params.candidate.wx.fill(1.0);
/// let prev = lstm::State::zeros();
/// let (mut next, mut cache) = (lstm::State::<1, 1>::zeros(), lstm::Cache::zeros());
/// lstm::cell_forward(&params, &Matrix::from_rows([[0.8]]), &prev, &mut next, &mut cache);
/// assert_eq!(cache.update[(0, 0)], 0.5); // σ(0)
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
    let caches = slice::from_mut(cache);
    dispatch::run::<T, _>(Forward {
        params,
        x: slice::from_ref(x),
        init: prev,
        a: slice::from_mut(a),
        caches,
    });
    c.0.as_flattened_mut()
        .copy_from_slice(cache.c.0.as_flattened());
}

/// One step backward: (7) to (21).
///
/// In: `x` (X, M), `prev` and `cache` as they were in [`cell_forward`]; `dstate`, the whole
/// gradient with respect to a⟨t⟩ and what reaches c⟨t⟩ from step t + 1: da and dc_next.
///
/// Out: the gates in `cache` become dz_f, dz_i, dz_c, dz_o; `dstate` becomes da⟨t−1⟩ and dc⟨t−1⟩;
/// the gradients of the weights are added to `grads`; `dx` (X, M) is overwritten.
///
/// ```
/// use bptt::{Matrix, lstm};
///
/// let mut params = lstm::Params::<1, 1>::zeros();
/// params.candidate.wx.fill(1.0);
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
    dispatch::run::<T, _>(Backward {
        params,
        x: slice::from_ref(x),
        init: prev,
        a: &[],
        caches: slice::from_mut(cache),
        da: &[],
        grads,
        dx: Some(slice::from_mut(dx)),
        dstate,
    });
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
/// params.candidate.wx.fill(1.0);
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
    dispatch::run::<T, _>(Forward {
        params,
        x,
        init,
        a,
        caches,
    });
    Ok(())
}

struct Forward<'a, const X: usize, const A: usize, const M: usize, T: Real> {
    params: &'a Params<X, A, T>,
    x: &'a [Matrix<X, M, T>],
    init: &'a State<A, M, T>,
    a: &'a mut [Matrix<A, M, T>],
    caches: &'a mut [Cache<A, M, T>],
}

impl<const X: usize, const A: usize, const M: usize, T: Real> Kernel for Forward<'_, X, A, M, T> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize, const W: usize>(self) {
        let Forward {
            params,
            x,
            init,
            a,
            caches,
        } = self;
        let steps = steps_at_a_time::<M>();
        let mut passes = [Passes::<W, T>::ZERO; 4];
        let (mut a_prev, mut c_prev) = (&init.a, &init.c);
        // Not zipped: see `transposed`.
        let (mut a, mut caches) = (a.chunks_mut(steps), caches.chunks_mut(steps));
        for x in x.chunks(steps) {
            let a = a.next().unwrap_or_default();
            let caches = caches.next().unwrap_or_default();
            // z_g, first part: b_g + Wx_g·x⟨t⟩ for all these steps, written into the caches
            for (g, gate) in params.gates().into_iter().enumerate() {
                let (b, z) = (Some(&gate.b), matrices_mut(caches));
                product::<L, W, A, X, M, T>(&gate.wx, b, x, z, g, MATRICES);
            }
            for (a, cache) in a.iter_mut().zip(caches) {
                recurrence::<L, W, X, A, M, T>(params, a_prev, cache); // z_g … + Wa_g·a⟨t−1⟩
                let activation = &mut Activation::<L, W, T> {
                    passes: &mut passes,
                    z: [
                        cache.forget.0.as_flattened_mut(),
                        cache.update.0.as_flattened_mut(),
                        cache.candidate.0.as_flattened_mut(),
                        cache.output.0.as_flattened_mut(),
                    ],
                    c_prev: c_prev.0.as_flattened(),
                    c: cache.c.0.as_flattened_mut(),
                    a: a.0.as_flattened_mut(),
                };
                in_blocks_of_units::<L, W, A, M>(activation); // (1) to (6)
                (a_prev, c_prev) = (a, &cache.c);
            }
        }
    }
}

/// z_g + Wa_g·a⟨t−1⟩ for all four gates, in place.
#[inline(always)]
fn recurrence<
    const L: usize,
    const W: usize,
    const X: usize,
    const A: usize,
    const M: usize,
    T: Real,
>(
    params: &Params<X, A, T>,
    a_prev: &Matrix<A, M, T>,
    cache: &mut Cache<A, M, T>,
) {
    if const { M < 4 && !walked::<A, L, T>() } {
        for m in 0..M {
            let z = [
                &mut cache.forget.0[m],
                &mut cache.update.0[m],
                &mut cache.candidate.0[m],
                &mut cache.output.0[m],
            ];
            let a_prev = &a_prev.0[m];
            in_blocks::<A, L>(&mut Recurrence { params, a_prev, z });
        }
        return;
    }
    let z = matrices_mut(slice::from_mut(cache));
    for (g, gate) in params.gates().into_iter().enumerate() {
        if const { M >= 3 } {
            product::<L, W, A, A, M, T>(&gate.wa, None, slice::from_ref(a_prev), z, g, MATRICES);
        } else if let Some(z) = z.get_mut(g) {
            for m in 0..M {
                walk(&gate.wa, &a_prev.0[m], &mut z.0[m]);
            }
        }
    }
}

/// (1) to (6) for all units of a step: the pre-activations become the gates.
struct Activation<'a, const L: usize, const W: usize, T> {
    passes: &'a mut [Passes<W, T>; 4],
    z: [&'a mut [T]; 4],
    c_prev: &'a [T],
    c: &'a mut [T],
    a: &'a mut [T],
}

impl<const L: usize, const W: usize, T: Real> Blocks for Activation<'_, L, W, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, r: usize) {
        let [z_f, z_i, z_c, z_o] = &mut self.z;
        if let (Some(z_f), Some(z_i), Some(z_c), Some(z_o), Some(c_prev), Some(c), Some(a)) = (
            block_mut(z_f, r),
            block_mut(z_i, r),
            block_mut(z_c, r),
            block_mut(z_o, r),
            block(self.c_prev, r),
            block_mut(self.c, r),
            block_mut(self.a, r),
        ) {
            units::<L, W, B, T>(self.passes, [z_f, z_i, z_c, z_o], c_prev, c, a); // (1) to (6)
        }
    }
}

/// z_g + Wa_g·a⟨t−1⟩ of all four gates for one column.
struct Recurrence<'a, const X: usize, const A: usize, T: Real> {
    params: &'a Params<X, A, T>,
    a_prev: &'a [T; A],
    z: [&'a mut [T; A]; 4],
}

impl<const X: usize, const A: usize, T: Real> Blocks for Recurrence<'_, X, A, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, i: usize) {
        let [f, u, c, o] = self.params.gates();
        let [z_f, z_i, z_c, z_o] = &mut self.z;
        let z = [
            Lanes::<B, T>::load(z_f, i),
            Lanes::load(z_i, i),
            Lanes::load(z_c, i),
            Lanes::load(z_o, i),
        ];
        let z = four_gates(z, [&f.wa, &u.wa, &c.wa, &o.wa], i, self.a_prev);
        z[0].store(z_f, i);
        z[1].store(z_i, i);
        z[2].store(z_c, i);
        z[3].store(z_o, i);
    }
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
/// params.candidate.wx.fill(1.0);
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
/// assert!(grads.candidate.wx[(0, 0)] > 0.0);
/// assert_eq!(grads.forget.b[(0, 0)], grads.forget.b[(1, 0)]); // the two units are alike
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
    dispatch::run::<T, _>(Backward {
        params,
        x,
        init,
        a,
        caches,
        da,
        grads,
        dx,
        dstate,
    });
    Ok(())
}

/// (7) to (21); a missing da counts as whole already in `dstate`.
struct Backward<'a, const X: usize, const A: usize, const M: usize, T: Real> {
    params: &'a Params<X, A, T>,
    x: &'a [Matrix<X, M, T>],
    init: &'a State<A, M, T>,
    a: &'a [Matrix<A, M, T>],
    caches: &'a mut [Cache<A, M, T>],
    da: &'a [Matrix<A, M, T>],
    grads: &'a mut Params<X, A, T>,
    dx: Option<&'a mut [Matrix<X, M, T>]>,
    dstate: &'a mut State<A, M, T>,
}

impl<const X: usize, const A: usize, const M: usize, T: Real> Kernel for Backward<'_, X, A, M, T> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize, const W: usize>(self) {
        let Backward {
            params,
            x,
            init,
            a,
            caches,
            da,
            grads,
            dx,
            dstate,
        } = self;
        let mut dx = dx;
        let mut end = x.len();
        while end > 0 {
            let start = end.saturating_sub(steps_at_a_time::<M>());
            for t in (start..end).rev() {
                let Some((before, [cache, ..])) = caches.split_at_mut_checked(t) else {
                    return; // There are as many caches as steps.
                };
                if let Some(da) = da.get(t) {
                    dstate.a.add(da); // from the output of step t and from step t + 1
                }
                let c_prev = before.last().map_or(&init.c, |cache| &cache.c);
                through_step::<L, X, A, M, T>(params, c_prev, cache, dstate); // (7) to (16), (20)
            }
            // (17), (18), (19), (21)
            let x = x.get(start..end).unwrap_or_default();
            let a_first = start
                .checked_sub(1)
                .and_then(|t| a.get(t))
                .unwrap_or(&init.a);
            let a_later = a.get(start..end - 1).unwrap_or_default();
            let dz = matrices(caches.get(start..end).unwrap_or_default());
            for (g, grads) in grads.gates_mut().into_iter().enumerate() {
                grads.add_gradients::<L, M>(x, a_first, a_later, dz, g, MATRICES);
            }
            if let Some(dx) = dx.as_mut().and_then(|dx| dx.get_mut(start..end)) {
                let [f, i, cc, o] = params.gates();
                let wx = [&f.wx, &i.wx, &cc.wx, &o.wx];
                transposed::<L, 4, A, X, M, T>(wx, dz, MATRICES, dx);
            }
            end = start;
        }
    }
}

/// `dstate` in: da and dc_next, out: da⟨t−1⟩ (20) and dc⟨t−1⟩ (12); `cache` out: the dz_g.
#[inline(always)]
fn through_step<const L: usize, const X: usize, const A: usize, const M: usize, T: Real>(
    params: &Params<X, A, T>,
    c_prev: &Matrix<A, M, T>,
    cache: &mut Cache<A, M, T>,
    dstate: &mut State<A, M, T>,
) {
    for m in 0..M {
        let (f, i) = (&mut cache.forget.0[m], &mut cache.update.0[m]);
        let (cc, o) = (&mut cache.candidate.0[m], &mut cache.output.0[m]);
        let (c, c_prev) = (&cache.c.0[m], &c_prev.0[m]);
        let (da, dc) = (&dstate.a.0[m], &mut dstate.c.0[m]);
        for r in 0..A {
            let (gf, gi, gc, go, tanh_c) = (f[r], i[r], cc[r], o[r], c[r].tanh());
            let d_o = da[r] * tanh_c; // (7)
            let d_c = dc[r] + da[r] * go * (T::ONE - tanh_c * tanh_c); // (8)
            let d_f = d_c * c_prev[r]; // (9)
            let d_i = d_c * gc; // (10)
            let d_cc = d_c * gi; // (11)
            dc[r] = d_c * gf; // (12)
            f[r] = d_f * (gf * (T::ONE - gf)); // (13)
            i[r] = d_i * (gi * (T::ONE - gi)); // (14)
            cc[r] = d_cc * (T::ONE - gc * gc); // (15)
            o[r] = d_o * (go * (T::ONE - go)); // (16)
        }
    }
    let [f, i, cc, o] = params.gates();
    let dz = matrices(slice::from_ref(&*cache));
    transposed::<L, 4, A, A, M, T>(
        [&f.wa, &i.wa, &cc.wa, &o.wa],
        dz,
        MATRICES,
        slice::from_mut(&mut dstate.a),
    ); // (20)
}
