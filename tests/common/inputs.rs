//! What goes into a cell over a sequence, made of random numbers.

use bptt::Matrix;

use crate::cells::Plain;
use crate::random::Random;

/// All that goes into a cell over a sequence, forward and backward.
#[derive(Clone)]
pub struct In<C: Plain<X, A>, const X: usize, const A: usize, const M: usize> {
    pub cell: C,
    pub x: Vec<Matrix<X, M, C::Scalar>>,
    pub init: C::State<M>,
    pub da: Vec<Matrix<A, M, C::Scalar>>,
    /// From beyond the end.
    pub dstate: C::State<M>,
    /// What the gradients are added to.
    pub grads: C,
}

impl<C: Plain<X, A>, const X: usize, const A: usize, const M: usize> In<C, X, A, M> {
    /// Weights with entries in ±1/√A, all else in ±1.
    pub fn random(steps: usize, random: &mut Random) -> Self {
        In {
            cell: random.flat(1.0 / (A as f64).sqrt()),
            x: random.sequence(steps, 1.0),
            init: random.flat(1.0),
            da: random.sequence(steps, 1.0),
            dstate: random.flat(1.0),
            grads: random.flat(1.0),
        }
    }
}
