//! What the tests of the quantised cells need of any of them, and random numbers for them.
#![allow(dead_code)] // No test file needs all of it.

use std::fmt::Debug;

use bptt::quantized::{self, Cell, Scale, Weight};
use bptt::{Flat, gru, init, lstm, rnn};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::model::{Kind, Model};

/// What the tests need of a quantised cell beside [`Cell`].
pub trait Integers<const X: usize, const A: usize>: Cell<X, A> + Clone + Debug + PartialEq {
    const NAME: &'static str;
    const KIND: Kind;
    type Weight: Weight;
    /// The same cell in f64.
    type Double: bptt::Cell<X, A, Scalar = f64>;

    fn zeros() -> Self;
    /// The scales of x and, where it can be chosen, of a.
    fn scales(x: Scale, a: Scale) -> Self::Scales;
    /// c⟨t⟩ of an LSTM.
    fn c<const M: usize>(_state: &Self::State<M>) -> Option<&[[i32; A]; M]> {
        None
    }
    /// The parts of a cell that need not be alike, where there is one: the forget gate remembers.
    fn remember(_params: &mut Self::Float) {}

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; Self::BYTES];
        self.to_le_bytes(&mut bytes).unwrap();
        bytes
    }

    fn model(&self) -> Model {
        Model::read(
            Self::KIND,
            [X, A, A],
            size_of::<Self::Weight>(),
            &self.bytes(),
        )
    }
}

macro_rules! integers {
    ($name:ident, $float:ident :: $params:ident, |$x:ident, $a:ident| $scales:expr $(, $more:item)*) => {
        impl<const X: usize, const A: usize, W: Weight> Integers<X, A> for quantized::$name<X, A, W> {
            const NAME: &'static str = stringify!($name);
            const KIND: Kind = Kind::$name;
            type Weight = W;
            type Double = $float::$params<X, A, f64>;

            fn zeros() -> Self {
                Self::zeros()
            }
            fn scales($x: Scale, $a: Scale) -> Self::Scales {
                $scales
            }
            $($more)*
        }
    };
}
integers!(
    Lstm,
    lstm::Params,
    |x, _a| x,
    fn c<const M: usize>(state: &Self::State<M>) -> Option<&[[i32; A]; M]> {
        Some(&state.c)
    },
    fn remember(params: &mut Self::Float) {
        params.f.b.as_flat_mut().iter_mut().for_each(|b| *b += 1.0);
    }
);
integers!(ResetAfter, gru::ResetAfter, |x, _a| x);
integers!(ResetBefore, gru::ResetBefore, |x, _a| x);
integers!(Rnn, rnn::Params, |x, _a| x);
integers!(Relu, rnn::Relu, |x, a| (x, a));

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Parameters in ±limit.
pub fn uniform<F: Flat<Scalar = f32>>(limit: f32, rng: &mut ChaCha8Rng) -> F {
    let mut params = F::ZEROS;
    init::uniform(&mut params, limit, || rng.random());
    params
}
