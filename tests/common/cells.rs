//! What the laws need of a cell beside `bptt::Cell`: its single step, and the plain contract of that. One implementation a cell.
#![allow(dead_code)] // Not every file needs all of it.

use std::fmt::Debug;

use bptt::lstm::{self, Cache, State};
use bptt::{Affine, Cell, Flat, Matrix, Real, gru, rnn};

use crate::contract::{self, Nonlinearity};

/// A cell, the functions for one step of it, and those of the contract.
pub trait Plain<const X: usize, const A: usize>:
    Cell<X, A> + Clone + Debug + Default + PartialEq
{
    const NAME: &'static str;

    /// The crate's `cell_forward`.
    fn cell_forward<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev: &Self::State<M>,
        next: &mut Self::State<M>,
        cache: &mut Self::Cache<M>,
    );
    /// The crate's `cell_backward`. Before, `dstate` has all that reaches the step. Returns dx.
    fn cell_backward<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev_and_next: [&Self::State<M>; 2],
        cache: &mut Self::Cache<M>,
        dstate: &mut Self::State<M>,
        grads: &mut Self,
    ) -> Matrix<X, M, Self::Scalar>;
    /// The contract of `cell_forward`: returns the state after the step, and writes in `cache` what forward does.
    fn contract_forward<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev: &Self::State<M>,
        cache: &mut Self::Cache<M>,
    ) -> Self::State<M>;
    /// The contract of a step backward. `da` is from its output, `dstate` from the step after it. Returns dx.
    fn contract_backward<const M: usize>(
        &self,
        x: &Matrix<X, M, Self::Scalar>,
        prev_and_next: [&Self::State<M>; 2],
        cache: &mut Self::Cache<M>,
        da: &Matrix<A, M, Self::Scalar>,
        dstate: &mut Self::State<M>,
        grads: &mut Self,
    ) -> Matrix<X, M, Self::Scalar>;
    /// The state after a step with this output and this cache.
    fn state_after<const M: usize>(
        a: &Matrix<A, M, Self::Scalar>,
        cache: &Self::Cache<M>,
    ) -> Self::State<M>;
}

impl<const X: usize, const A: usize, T: Real> Plain<X, A> for lstm::Params<X, A, T> {
    const NAME: &'static str = "LSTM";

    fn cell_forward<const M: usize>(
        &self,
        x: &Matrix<X, M, T>,
        prev: &State<A, M, T>,
        next: &mut State<A, M, T>,
        cache: &mut Cache<A, M, T>,
    ) {
        lstm::cell_forward(self, x, prev, next, cache);
    }

    fn cell_backward<const M: usize>(
        &self,
        x: &Matrix<X, M, T>,
        [prev, _]: [&State<A, M, T>; 2],
        cache: &mut Cache<A, M, T>,
        dstate: &mut State<A, M, T>,
        grads: &mut Self,
    ) -> Matrix<X, M, T> {
        let mut dx = garbage();
        lstm::cell_backward(self, x, prev, cache, dstate, grads, &mut dx);
        dx
    }

    fn contract_forward<const M: usize>(
        &self,
        x: &Matrix<X, M, T>,
        prev: &State<A, M, T>,
        cache: &mut Cache<A, M, T>,
    ) -> State<A, M, T> {
        let a;
        (a, *cache) = contract::lstm_forward(self, x, &prev.a, &prev.c);
        let c = cache.c.clone();
        State { a, c }
    }

    fn contract_backward<const M: usize>(
        &self,
        x: &Matrix<X, M, T>,
        [prev, _]: [&State<A, M, T>; 2],
        cache: &mut Cache<A, M, T>,
        da: &Matrix<A, M, T>,
        dstate: &mut State<A, M, T>,
        grads: &mut Self,
    ) -> Matrix<X, M, T> {
        contract::lstm_backward(self, x, &prev.a, &prev.c, cache, da, dstate, grads)
    }

    fn state_after<const M: usize>(a: &Matrix<A, M, T>, cache: &Cache<A, M, T>) -> State<A, M, T> {
        State {
            a: a.clone(),
            c: cache.c.clone(),
        }
    }
}

/// The RNN with either activation.
macro_rules! rnn {
    ($params:ident, $name:literal, $nonlinearity:ident $(, $field:tt)?) => {
        impl<const X: usize, const A: usize, T: Real> Plain<X, A> for rnn::$params<X, A, T> {
            const NAME: &'static str = $name;

            fn cell_forward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                prev: &Matrix<A, M, T>,
                next: &mut Matrix<A, M, T>,
                _: &mut Matrix<A, M, T>,
            ) {
                rnn::cell_forward(self, x, prev, next);
            }

            fn cell_backward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                [prev, next]: [&Matrix<A, M, T>; 2],
                cache: &mut Matrix<A, M, T>,
                dstate: &mut Matrix<A, M, T>,
                grads: &mut Self,
            ) -> Matrix<X, M, T> {
                let mut dx = garbage();
                rnn::cell_backward(self, x, prev, next, cache, dstate, grads, &mut dx);
                dx
            }

            /// The cache is left alone.
            fn contract_forward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                prev: &Matrix<A, M, T>,
                _: &mut Matrix<A, M, T>,
            ) -> Matrix<A, M, T> {
                contract::rnn_forward(Nonlinearity::$nonlinearity, &self$(.$field)?, x, prev)
            }

            fn contract_backward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                [prev, next]: [&Matrix<A, M, T>; 2],
                cache: &mut Matrix<A, M, T>,
                da: &Matrix<A, M, T>,
                dstate: &mut Matrix<A, M, T>,
                grads: &mut Self,
            ) -> Matrix<X, M, T> {
                cache.clone_from(da);
                let affine: &Affine<X, A, T> = &self$(.$field)?;
                let grads: &mut Affine<X, A, T> = &mut (*grads)$(.$field)?;
                let nonlinearity = Nonlinearity::$nonlinearity;
                contract::rnn_backward(nonlinearity, affine, x, prev, next, cache, dstate, grads)
            }

            fn state_after<const M: usize>(
                a: &Matrix<A, M, T>,
                _: &Matrix<A, M, T>,
            ) -> Matrix<A, M, T> {
                a.clone()
            }
        }
    };
}
rnn!(Params, "RNN with tanh", Tanh);
rnn!(Relu, "RNN with ReLU", Relu, 0);

/// The GRU in either convention.
macro_rules! gru {
    ($params:ident, $name:literal, $forward:ident, $backward:ident) => {
        impl<const X: usize, const A: usize, T: Real> Plain<X, A> for gru::$params<X, A, T> {
            const NAME: &'static str = $name;

            fn cell_forward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                prev: &Matrix<A, M, T>,
                next: &mut Matrix<A, M, T>,
                cache: &mut gru::Cache<A, M, T>,
            ) {
                gru::cell_forward(self, x, prev, next, cache);
            }

            fn cell_backward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                [prev, _]: [&Matrix<A, M, T>; 2],
                cache: &mut gru::Cache<A, M, T>,
                dstate: &mut Matrix<A, M, T>,
                grads: &mut Self,
            ) -> Matrix<X, M, T> {
                let mut dx = garbage();
                gru::cell_backward(self, x, prev, cache, dstate, grads, &mut dx);
                dx
            }

            fn contract_forward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                prev: &Matrix<A, M, T>,
                cache: &mut gru::Cache<A, M, T>,
            ) -> Matrix<A, M, T> {
                let a;
                (a, *cache) = contract::$forward(self, x, prev);
                a
            }

            fn contract_backward<const M: usize>(
                &self,
                x: &Matrix<X, M, T>,
                [prev, _]: [&Matrix<A, M, T>; 2],
                cache: &mut gru::Cache<A, M, T>,
                da: &Matrix<A, M, T>,
                dstate: &mut Matrix<A, M, T>,
                grads: &mut Self,
            ) -> Matrix<X, M, T> {
                contract::$backward(self, x, prev, cache, da, dstate, grads)
            }

            fn state_after<const M: usize>(
                a: &Matrix<A, M, T>,
                _: &gru::Cache<A, M, T>,
            ) -> Matrix<A, M, T> {
                a.clone()
            }
        }
    };
}
gru!(
    ResetAfter,
    "GRU, reset after",
    gru_after_forward,
    gru_after_backward
);
gru!(
    ResetBefore,
    "GRU, reset before",
    gru_before_forward,
    gru_before_backward
);

/// Values that no result may be mistaken for: where one is left, something was not overwritten.
pub fn garbage<F: Flat>() -> F {
    let mut garbage = F::ZEROS;
    garbage.as_flat_mut().fill(F::Scalar::from_f64(1e30));
    garbage
}

/// As many of them as a sequence has steps.
pub fn garbage_for<F: Flat>(steps: usize) -> Vec<F> {
    (0..steps).map(|_| garbage()).collect()
}

/// Sample `m` of a batch: that column of every matrix with `rows` rows that `batch` consists of.
pub fn sample<F: Flat, One: Flat<Scalar = F::Scalar>>(batch: &F, rows: usize, m: usize) -> One {
    let mut one = One::ZEROS;
    let matrices = One::LEN / rows;
    let from = batch.as_flat().chunks_exact(F::LEN / matrices);
    for (one, matrix) in one.as_flat_mut().chunks_exact_mut(rows).zip(from) {
        one.copy_from_slice(&matrix[m * rows..][..rows]);
    }
    one
}

/// [`sample`] of every step.
pub fn samples<F: Flat, One: Flat<Scalar = F::Scalar>>(
    sequence: &[F],
    rows: usize,
    m: usize,
) -> Vec<One> {
    sequence.iter().map(|step| sample(step, rows, m)).collect()
}
