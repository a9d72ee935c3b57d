//! One interface for every cell: a step, a sequence forward, and the [`Tape`] that goes backward.
//!
//! A cell is its parameters: [`lstm::Params`](crate::lstm::Params),
//! [`gru::ResetAfter`](crate::gru::ResetAfter), [`gru::ResetBefore`](crate::gru::ResetBefore),
//! [`rnn::Params`](crate::rnn::Params), [`rnn::Relu`](crate::rnn::Relu). The shell here checks
//! shapes when the program is compiled and lengths once at run time, and calls the core.

use crate::sequence::{Arriving, Recurrent};
use crate::shape::{Shape, copy};
use crate::{Flat, LengthMismatch, Matrix};

pub(crate) mod sealed {
    /// Nothing that a user can reach: the trait behind the type cannot be named.
    pub trait Sealed: crate::Flat {
        /// The doors to the core.
        type Recurrent: crate::sequence::Recurrent<Self::Scalar>;
    }
}

use sealed::Sealed;

/// A recurrent cell with X inputs and A units: what a program needs of it, whichever it is.
///
/// Sealed; these are the cells:
///
/// | | |
/// |---|---|
/// | [`lstm::Params`](crate::lstm::Params) | LSTM |
/// | [`gru::ResetAfter`](crate::gru::ResetAfter), [`gru::ResetBefore`](crate::gru::ResetBefore) | GRU with the reset gate after the product (PyTorch) or before it |
/// | [`rnn::Params`](crate::rnn::Params), [`rnn::Relu`](crate::rnn::Relu) | RNN with tanh or with ReLU |
///
/// Their equations stand in [`lstm`](crate::lstm), [`gru`](crate::gru) and [`rnn`](crate::rnn).
///
/// A training that is written once, for all of them:
///
/// ```
/// use bptt::optimizer::Adam;
/// use bptt::{Cell, Flat, TrainingError, Vector, gru, init, lstm, rnn};
/// use rand::{RngExt, SeedableRng, rngs::SmallRng};
///
/// /// Teaches the cell to say with its first unit what it read two steps ago; returns the last loss.
/// fn train<C: Cell<1, 8, Scalar = f32>>(cell: &mut C) -> Result<f32, TrainingError> {
///     const T: usize = 10;
///     let mut rng = SmallRng::seed_from_u64(1);
///     init::uniform(cell, 0.4, || rng.random());
///     let (mut adam, mut m, mut v) = (Adam::new(0.01), C::ZEROS, C::ZEROS);
///     let init = C::State::<1>::ZEROS;
///     let (mut a, mut caches) = ([Vector::ZEROS; T], [C::Cache::<1>::ZEROS; T]);
///     let mut loss = 0.0;
///     for _ in 0..2000 {
///         let x: [Vector<1>; T] = std::array::from_fn(|_| Vector::from_columns([[rng.random()]]));
///         let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
///         let mut da = [Vector::<8>::ZEROS; T];
///         loss = 0.0;
///         for t in 2..T {
///             let error = tape.a()[t][(0, 0)] - 0.5 * x[t - 2][(0, 0)];
///             loss += error * error / 8.0;
///             da[t][(0, 0)] = 2.0 * error / 8.0;
///         }
///         let (mut grads, mut dstate) = (C::ZEROS, C::State::ZEROS);
///         tape.backward(&da, &mut grads, None, &mut dstate)?;
///         adam.update(cell.as_flat_mut(), grads.as_flat(), m.as_flat_mut(), v.as_flat_mut())?;
///     }
///     Ok(loss)
/// }
/// assert!(train(&mut lstm::Params::zeros())? < 0.002);
/// assert!(train(&mut gru::ResetAfter::zeros())? < 0.002);
/// assert!(train(&mut gru::ResetBefore::zeros())? < 0.002);
/// assert!(train(&mut rnn::Params::zeros())? < 0.002);
/// assert!(train(&mut rnn::Relu::zeros())? < 0.002);
/// # Ok::<(), TrainingError>(())
/// ```
pub trait Cell<const X: usize, const A: usize>: Sealed {
    /// What one step hands to the next, or a gradient with respect to it, for M samples:
    /// a matrix (A, M) of the RNNs and GRUs, [`lstm::State`](crate::lstm::State) of the LSTM.
    ///
    /// ```
    /// use bptt::{Cell, Matrix, rnn};
    ///
    /// type State = <rnn::Params<2, 3> as Cell<2, 3>>::State<4>;
    /// let _: State = Matrix::<3, 4>::zeros();
    /// ```
    type State<const M: usize>: Flat<Scalar = Self::Scalar>;

    /// What backward needs of one step, for M samples: [`lstm::Cache`](crate::lstm::Cache) of the
    /// LSTM, [`gru::Cache`](crate::gru::Cache) of the GRUs; of the RNNs, whose outputs say all, a
    /// matrix (A, M) for the gradient of z, which forward leaves alone.
    ///
    /// ```
    /// use bptt::{Cell, Flat, gru, lstm, rnn};
    ///
    /// assert_eq!(<lstm::Params<2, 3> as Cell<2, 3>>::Cache::<4>::LEN, 5 * 3 * 4);
    /// assert_eq!(<gru::ResetAfter<2, 3> as Cell<2, 3>>::Cache::<4>::LEN, 4 * 3 * 4);
    /// assert_eq!(<rnn::Params<2, 3> as Cell<2, 3>>::Cache::<4>::LEN, 3 * 4);
    /// ```
    type Cache<const M: usize>: Flat<Scalar = Self::Scalar>;

    /// One step of inference, without a cache: `next` becomes the state after `x`.
    ///
    /// `x` is (X, M). The same bits as [`Cell::forward`]. The caller alternates two states:
    ///
    /// ```
    /// use bptt::{Cell, Matrix, lstm};
    ///
    /// static CELL: lstm::Params<1, 4> = lstm::Params::zeros();
    /// let (mut state, mut next) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
    /// for sample in [0.1, 0.2, 0.3] {
    ///     CELL.step(&Matrix::from_rows([[sample]]), &state, &mut next);
    ///     core::mem::swap(&mut state, &mut next);
    /// }
    /// assert_eq!(state, lstm::State::zeros()); // all weights are zero
    /// ```
    #[inline]
    fn step<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev: &Self::State<M>,
        next: &mut Self::State<M>,
    ) {
        Self::Recurrent::STEP(
            Shape::of::<X, A, M>(),
            self.as_flat(),
            x.as_flat(),
            prev.as_flat(),
            next.as_flat_mut(),
        );
    }

    /// A sequence forward, t = 1 … T.
    ///
    /// `x` has one (X, M) matrix a step, `init` is the state before the first one; `a`, one (A, M)
    /// matrix a step, and `caches`, one a step, are overwritten. With no steps nothing happens. The
    /// same bits as a loop of the cell's `cell_forward`.
    ///
    /// What is returned has the outputs, the last state, and the way back. It keeps the cell, `x`,
    /// `init`, `a` and `caches` borrowed, so that none of them can change before
    /// [`Tape::backward`].
    ///
    /// # Errors
    /// [`LengthMismatch`] where `a` or `caches` has not the length of `x`; nothing is written then.
    ///
    /// ```
    /// use bptt::{Cell, Matrix, lstm};
    ///
    /// let mut cell = lstm::Params::<1, 2>::zeros();
    /// cell.g.wx.fill(1.0);
    /// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
    /// let init = lstm::State::zeros();
    /// let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
    /// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
    /// // All gates are σ(0) = 0.5.
    /// let c = 0.5 * (0.5 * (0.5 * 0.1_f32.tanh()) + 0.5 * 0.2_f32.tanh()) + 0.5 * 0.3_f32.tanh();
    /// assert!((tape.a()[2][(1, 0)] - 0.5 * c.tanh()).abs() < 1e-7);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    fn forward<'t, const M: usize>(
        &'t self,
        x: &'t [Matrix<X, M, Self::Scalar>],
        init: &'t Self::State<M>,
        a: &'t mut [Matrix<A, M, Self::Scalar>],
        caches: &'t mut [Self::Cache<M>],
    ) -> Result<Tape<'t, Self, X, A, M>, LengthMismatch> {
        LengthMismatch::check("a", x.len(), a.len())?;
        LengthMismatch::check("caches", x.len(), caches.len())?;
        Self::Recurrent::FORWARD(
            Shape::of::<X, A, M>(),
            self.as_flat(),
            Matrix::slice_as_flat(x),
            init.as_flat(),
            Matrix::slice_as_flat_mut(a),
            Flat::slice_as_flat_mut(caches),
        );
        Ok(Tape {
            cell: self,
            x,
            init,
            a,
            caches,
        })
    }
}

/// A sequence that has gone forward: its outputs, and the way back, once.
///
/// [`Cell::forward`] returns it. It costs nothing: five references to what the caller has.
///
/// ```
/// use bptt::{Cell, Tape, Vector, lstm, rnn};
///
/// /// The sum of the last outputs, of any cell.
/// fn sum<C: Cell<1, 2, Scalar = f32>>(tape: &Tape<C, 1, 2, 1>) -> f32 {
///     tape.a().last().map_or(0.0, |a| a[(0, 0)] + a[(1, 0)])
/// }
///
/// let (cell, x, init) = (rnn::Params::zeros(), [Vector::zeros()], Vector::zeros());
/// let (mut a, mut caches) = ([Vector::zeros()], [Vector::zeros()]);
/// assert_eq!(sum(&cell.forward(&x, &init, &mut a, &mut caches)?), 0.0);
///
/// let (cell, init, mut caches) = (lstm::Params::zeros(), lstm::State::zeros(), [lstm::Cache::zeros()]);
/// assert_eq!(sum(&cell.forward(&x, &init, &mut a, &mut caches)?), 0.0);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
///
/// What would give a wrong gradient does not compile. A second backward on caches that the first
/// one has used:
///
/// ```compile_fail,E0382
/// # use bptt::{Cell, LengthMismatch, Vector, rnn};
/// # let (cell, x, init) = (rnn::Params::<1, 1>::zeros(), [Vector::zeros()], Vector::zeros());
/// # let (mut a, mut caches, da) = ([Vector::zeros()], [Vector::zeros()], [Vector::zeros()]);
/// # let (mut grads, mut dstate) = (rnn::Params::zeros(), Vector::zeros());
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
/// tape.backward(&da, &mut grads, None, &mut dstate)?;
/// tape.backward(&da, &mut grads, None, &mut dstate)?; // used after it was moved
/// # Ok::<(), LengthMismatch>(())
/// ```
///
/// Another `a`, an `x` or weights that have changed since forward:
///
/// ```compile_fail,E0506
/// # use bptt::{Cell, LengthMismatch, Vector, rnn};
/// # let (cell, x, init) = (rnn::Params::<1, 1>::zeros(), [Vector::zeros()], Vector::zeros());
/// # let (mut a, mut caches, da) = ([Vector::zeros()], [Vector::zeros()], [Vector::zeros()]);
/// # let (mut grads, mut dstate) = (rnn::Params::zeros(), Vector::zeros());
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
/// a[0] = Vector::zeros(); // borrowed by the tape
/// tape.backward(&da, &mut grads, None, &mut dstate)?;
/// # Ok::<(), LengthMismatch>(())
/// ```
///
/// ```compile_fail,E0502
/// # use bptt::{Cell, LengthMismatch, Vector, rnn};
/// # let (mut cell, x, init) = (rnn::Params::<1, 1>::zeros(), [Vector::zeros()], Vector::zeros());
/// # let (mut a, mut caches, da) = ([Vector::zeros()], [Vector::zeros()], [Vector::zeros()]);
/// # let (mut grads, mut dstate) = (rnn::Params::zeros(), Vector::zeros());
/// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
/// cell.wx.fill(0.0); // borrowed by the tape
/// tape.backward(&da, &mut grads, None, &mut dstate)?;
/// # Ok::<(), LengthMismatch>(())
/// ```
///
/// And `da` is read only, for every cell: it stays da, and never becomes the gradient of something
/// else.
#[must_use = "call `backward`, or `let _ =` where only the outputs are wanted"]
pub struct Tape<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize> {
    pub(crate) cell: &'t C,
    pub(crate) x: &'t [Matrix<X, M, C::Scalar>],
    pub(crate) init: &'t C::State<M>,
    pub(crate) a: &'t [Matrix<A, M, C::Scalar>],
    pub(crate) caches: &'t mut [C::Cache<M>],
}

impl<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize> Tape<'t, C, X, A, M> {
    /// The outputs: one (A, M) matrix a step. Read them here; the buffer itself is borrowed.
    ///
    /// ```
    /// use bptt::{Cell, Vector, rnn};
    ///
    /// let (cell, x) = (rnn::Params::<1, 2>::zeros(), [const { Vector::zeros() }; 3]);
    /// let (mut a, mut caches) = ([const { Vector::zeros() }; 3], [const { Vector::zeros() }; 3]);
    /// let init = Vector::zeros();
    /// assert_eq!(cell.forward(&x, &init, &mut a, &mut caches)?.a().len(), 3);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn a(&self) -> &'t [Matrix<A, M, C::Scalar>] {
        self.a
    }

    /// The state after the last step, from which a following segment starts; the initial state
    /// where there are no steps.
    ///
    /// ```
    /// use bptt::{Cell, Vector, lstm};
    ///
    /// let mut cell = lstm::Params::<1, 2>::zeros();
    /// cell.g.b.fill(1.0);
    /// let (x, mut state) = ([const { Vector::zeros() }; 3], lstm::State::zeros());
    /// let (mut a, mut caches) = ([const { Vector::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
    /// let mut last = lstm::State::zeros();
    /// cell.forward(&x, &state, &mut a, &mut caches)?.last(&mut last);
    /// assert_eq!((&last.a, &last.c), (&a[2], &caches[2].c));
    /// state = last; // and on with the next segment
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn last(&self, last: &mut C::State<M>) {
        let last = last.as_flat_mut();
        let Some((a, cache)) = self.a.last().zip(self.caches.last()) else {
            return copy(self.init.as_flat(), last);
        };
        let (first, second) = last.split_at_mut_checked(A * M).unwrap_or_default();
        copy(a.as_flat(), first);
        copy(
            C::Recurrent::kept(Shape::of::<X, A, M>(), cache.as_flat()),
            second,
        );
    }

    /// The sequence backward, t = T … 1.
    ///
    /// In: `da`, one (A, M) matrix a step, the gradient with respect to the output of each step;
    /// `dstate`, the gradient that reaches the last state from beyond the end, zeros if there is
    /// nothing (not what the batch before has left there).
    ///
    /// Out: the gradients of the weights are added to `grads`; `dx`, one (X, M) matrix a step, is
    /// overwritten, where it is given; `dstate` becomes the gradient of the initial state. With no
    /// steps it stays as it is. Each cache now begins with the gradients of the pre-activations.
    ///
    /// The same bits as a loop of the cell's `cell_backward` from the last step to the first.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `da` or `dx` has not the length of the sequence; nothing is written
    /// then.
    ///
    /// ```
    /// use bptt::{Cell, Matrix, rnn};
    ///
    /// let mut cell = rnn::Params::<1, 2>::zeros();
    /// cell.wx.fill(1.0);
    /// let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
    /// let init = Matrix::zeros();
    /// let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { Matrix::zeros() }; 3]);
    /// let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
    ///
    /// // The gradients of the sum of all outputs.
    /// let da = [const { Matrix::from_rows([[1.0], [1.0]]) }; 3];
    /// let (mut grads, mut dstate) = (rnn::Params::zeros(), Matrix::zeros());
    /// tape.backward(&da, &mut grads, None, &mut dstate)?;
    /// let db: f32 = a.iter().map(|a| 1.0 - a[(0, 0)] * a[(0, 0)]).sum();
    /// assert!((grads.b[(0, 0)] - db).abs() < 1e-6);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    #[inline]
    pub fn backward(
        self,
        da: &[Matrix<A, M, C::Scalar>],
        grads: &mut C,
        dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
        dstate: &mut C::State<M>,
    ) -> Result<(), LengthMismatch> {
        self.check(da, dx.as_deref())?;
        self.run_backward(Arriving::at(Matrix::slice_as_flat(da)), grads, dx, dstate);
        Ok(())
    }

    /// An error where `da` or `dx` has not the length of the sequence.
    #[inline(always)]
    pub(crate) fn check(
        &self,
        da: &[Matrix<A, M, C::Scalar>],
        dx: Option<&[Matrix<X, M, C::Scalar>]>,
    ) -> Result<(), LengthMismatch> {
        let steps = self.x.len();
        LengthMismatch::check("da", steps, da.len())?;
        LengthMismatch::check("dx", steps, dx.map_or(steps, <[_]>::len))
    }

    /// The shell of backward: all lengths have been checked.
    #[inline(always)]
    pub(crate) fn run_backward(
        self,
        da: Arriving<C::Scalar>,
        grads: &mut C,
        dx: Option<&mut [Matrix<X, M, C::Scalar>]>,
        dstate: &mut C::State<M>,
    ) {
        C::Recurrent::BACKWARD(
            Shape::of::<X, A, M>(),
            self.cell.as_flat(),
            Matrix::slice_as_flat(self.x),
            self.init.as_flat(),
            Matrix::slice_as_flat(self.a),
            Flat::slice_as_flat_mut(self.caches),
            da,
            grads.as_flat_mut(),
            dx.map(Matrix::slice_as_flat_mut),
            dstate.as_flat_mut(),
        );
    }
}
