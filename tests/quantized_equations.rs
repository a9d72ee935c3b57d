//! The cells in integers against a second writing of their equations, bit for bit: every cell, weights
//! of 8 and 16 bits, shapes of all remainders, inputs and weights up to the ends of their types.

#[path = "common/integers.rs"]
mod integers;
#[path = "common/quantized.rs"]
mod model;

use std::array::from_fn;

use bptt::dense;
use bptt::quantized::{self, Cell, Scale, Weight};
use integers::{Integers, random, uniform};
use model::{Kind, Model};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

/// Steps of `cell` against those of its model: inputs of all sizes, the ends of i16 among them.
fn steps_are_those_of_the_model<C, const X: usize, const A: usize, const M: usize>(
    cell: &C,
    what: &str,
    rng: &mut ChaCha8Rng,
) where
    C: Integers<X, A>,
{
    let model = cell.model();
    let mut state = C::State::<M>::default();
    let (mut a, mut c) = ([[0; A]; M], [[0; A]; M]);
    for step in 0..40 {
        let x: [[i16; X]; M] = from_fn(|_| {
            from_fn(|_| match step % 4 {
                0 => rng.random_range(-99..99),
                1 => *[i16::MIN, 0, i16::MAX].get(rng.random_range(0..3)).unwrap(),
                _ => rng.random(),
            })
        });
        let mut next = C::State::default();
        cell.step(&x, &state, &mut next);
        state = next;
        for m in 0..M {
            model.step(&x[m], &mut a[m], &mut c[m]);
        }
        let found = (C::a(&state), C::c(&state).unwrap_or(&c));
        assert_eq!(
            found,
            (&a, &c),
            "{} {what}, ({X}, {A}, {M}), step {step}",
            C::NAME
        );
    }
}

fn equations<C, const X: usize, const A: usize, const M: usize>(read: impl Fn(&[u8]) -> C)
where
    C: Integers<X, A>,
{
    let mut rng = random((100 * X + A) as u64);
    let mut cell = C::zeros();
    for limit in [0.1, 1.0, 5.0] {
        // So many inputs are too large for the largest scale of a row.
        let limit = limit / (1.0 + A as f32 / 8.0);
        let params: C::Float = uniform(limit, &mut rng);
        cell.quantize(&params, C::scales(Scale::new(12), Scale::new(11)))
            .unwrap();
        assert_eq!(read(&cell.bytes()), cell);
        steps_are_those_of_the_model::<C, X, A, M>(&cell, "quantised", &mut rng);
    }
    // Whatever the bytes: sums beyond 32 bits too, which are modulo 2³².
    let mut bytes = cell.bytes();
    rng.fill_bytes(&mut bytes);
    let mut cell = read(&bytes);
    steps_are_those_of_the_model::<C, X, A, M>(&cell, "of random bytes", &mut rng);
    // The greatest numbers that there are: c of an LSTM reaches its limits.
    for byte in [0x7f, 0x80] {
        bytes.fill(byte);
        cell = read(&bytes);
        steps_are_those_of_the_model::<C, X, A, M>(&cell, "of equal bytes", &mut rng);
    }
}

macro_rules! equations {
    ($W:ident, $M:literal, $([$X:literal, $A:literal])*) => {
        $(equations!(one, $X, $A, $M, $W, Lstm, ResetAfter, ResetBefore, Rnn, Relu);)*
    };
    (one, $X:literal, $A:literal, $M:literal, $W:ident, $($name:ident),*) => {
        $({
            type C = quantized::$name<$X, $A, $W>;
            const BYTES: usize = <C as Cell<$X, $A>>::BYTES;
            equations::<C, $X, $A, $M>(|bytes| {
                C::from_le_bytes::<BYTES>(bytes.try_into().unwrap())
            });
        })*
    };
}

/// A from 1 to 40 and X from 1 to 17, of each cell.
macro_rules! many_equations {
    ($W:ident) => {
        equations!($W, 1, [1, 1] [8, 2] [17, 3] [5, 4] [2, 7] [16, 8] [6, 16]);
        equations!($W, 2, [12, 5] [3, 15] [11, 17] [9, 33]);
        equations!($W, 3, [7, 11] [4, 23] [15, 32] [10, 40]);
    };
}

#[test]
fn equations_with_weights_of_8_bits() {
    many_equations!(i8);
}

#[test]
fn equations_with_weights_of_16_bits() {
    many_equations!(i16);
}

/// (18), of so many inputs and outputs.
fn output_layer<W: Weight, const A: usize, const Y: usize>() {
    let mut rng = random(A as u64);
    let mut layer = quantized::Dense::<A, Y, W>::zeros();
    for (limit, q) in [(0.1, 15), (1.0, 15), (0.3, 11)] {
        let params: dense::Params<A, Y> = uniform(limit / (1.0 + A as f32 / 8.0), &mut rng);
        layer.quantize(&params, Scale::new(q)).unwrap();
        let mut bytes = vec![0; quantized::Dense::<A, Y, W>::BYTES];
        layer.to_le_bytes(&mut bytes).unwrap();
        let model = Model::read(Kind::Dense, [0, Y, A], size_of::<W>(), &bytes);
        let a: [[i16; A]; 3] = from_fn(|_| from_fn(|_| rng.random()));
        let mut y = [[0; Y]; 3];
        layer.forward(&a, &mut y);
        for (a, y) in a.iter().zip(y) {
            assert_eq!(model.outputs(a), y, "({A}, {Y})");
        }
    }
}

#[test]
fn output_layers() {
    output_layer::<i8, 1, 1>();
    output_layer::<i8, 16, 4>();
    output_layer::<i8, 33, 7>();
    output_layer::<i16, 5, 2>();
    output_layer::<i16, 16, 4>();
    output_layer::<i16, 40, 10>();
}
