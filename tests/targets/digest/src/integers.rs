//! Cells in integers: quantised on the target, from bytes and back, and 20 steps of inference.
//!
//! Fewer units than a block of any kernel, a whole number of blocks, and odd ones; weights as they are
//! trained, and such that gates saturate.

use bptt::quantized::{
    Cell, Dense, Hidden, Lstm, QuantizeError, Relu, ResetAfter, ResetBefore, Rnn, Scale, State,
};
use bptt::{Flat, dense};

use super::fold::{Digest, Random};

/// Steps of a sequence.
const STEPS: usize = 20;
/// Limits of weights and inputs: the second one saturates gates and states.
const LIMITS: [(f64, f64); 2] = [(0.3, 1.0), (15.0, 8.0)];

/// The digest of a cell in four shapes, with one sample and with two.
macro_rules! shapes {
    ($cell:ident, $weight:ty, $scales:expr) => {{
        let mut digest = Digest::new();
        shape!(digest, $cell<1, 1, 1, $weight>, $scales);
        shape!(digest, $cell<3, 5, 2, $weight>, $scales);
        shape!(digest, $cell<6, 16, 1, $weight>, $scales);
        shape!(digest, $cell<2, 33, 2, $weight>, $scales);
        digest.value()
    }};
}

/// A cell in one shape.
macro_rules! shape {
    ($digest:ident, $cell:ident<$x:literal, $a:literal, $m:literal, $weight:ty>, $scales:expr) => {{
        type Net = $cell<$x, $a, $weight>;
        let mut bytes = [0; Net::BYTES];
        cell::<Net, $x, $a, $m, { Net::BYTES }>(
            &mut $digest,
            Net::zeros(),
            $scales,
            &mut bytes,
            |bytes| Net::from_le_bytes(bytes),
        );
    }};
}

/// The digest of an output layer in four shapes, with one sample and with two.
macro_rules! dense_shapes {
    ($weight:ty) => {{
        let mut digest = Digest::new();
        dense_shape!(digest, 1, 1, 1, $weight);
        dense_shape!(digest, 5, 3, 2, $weight);
        dense_shape!(digest, 16, 4, 1, $weight);
        dense_shape!(digest, 33, 9, 2, $weight);
        digest.value()
    }};
}

/// An output layer in one shape.
macro_rules! dense_shape {
    ($digest:ident, $a:literal, $y:literal, $m:literal, $weight:ty) => {{
        type Net = Dense<$a, $y, $weight>;
        let (mut digest, random) = ($digest, &mut Random::new(1));
        for (weights, _) in LIMITS {
            let mut layer = Net::zeros();
            let mut params = [dense::Params::<$a, $y>::zeros()];
            random.fill(&mut params, weights);
            quantized(&mut digest, layer.quantize(&params[0], Scale::UNIT));
            let mut bytes = [0; Net::BYTES];
            assert_eq!(layer.to_le_bytes(&mut bytes), Ok(()));
            digest.integers(&bytes);
            assert!(Net::from_le_bytes(&bytes) == layer);
            layer.dequantize(&mut params[0]);
            digest.flat(&params[0]);
            for _ in 0..STEPS {
                let (mut a, mut y) = ([[0; $a]; $m], [[0; $y]; $m]);
                a.as_flattened_mut().fill_with(|| random.bits() as i16);
                layer.forward(&a, &mut y);
                digest.integers(y.as_flattened());
            }
        }
        $digest = digest;
    }};
}

/// Runs every part and hands its name and its digest to `emit`.
pub fn integers(emit: &mut dyn FnMut(&str, u64)) {
    /// Of a cell whose states are in 2⁻¹⁵.
    fn unit(x: Scale) -> Scale {
        x
    }
    /// Of one whose states have no bound.
    fn unbounded(x: Scale) -> (Scale, Scale) {
        (x, Scale::new(9))
    }
    emit("LSTM in integers, i8", shapes!(Lstm, i8, unit));
    emit("LSTM in integers, i16", shapes!(Lstm, i16, unit));
    emit(
        "GRU, reset after, in integers, i8",
        shapes!(ResetAfter, i8, unit),
    );
    emit(
        "GRU, reset after, in integers, i16",
        shapes!(ResetAfter, i16, unit),
    );
    emit(
        "GRU, reset before, in integers, i8",
        shapes!(ResetBefore, i8, unit),
    );
    emit(
        "GRU, reset before, in integers, i16",
        shapes!(ResetBefore, i16, unit),
    );
    emit("RNN in integers, i8", shapes!(Rnn, i8, unit));
    emit("RNN in integers, i16", shapes!(Rnn, i16, unit));
    emit(
        "RNN with ReLU, in integers, i8",
        shapes!(Relu, i8, unbounded),
    );
    emit(
        "RNN with ReLU, in integers, i16",
        shapes!(Relu, i16, unbounded),
    );
    emit("output layer in integers, i8", dense_shapes!(i8));
    emit("output layer in integers, i16", dense_shapes!(i16));
    emit("tanh in integers", tanh());
}

/// Integers of a state.
pub trait Integers {
    fn fold(&self, digest: &mut Digest);
}

impl<const A: usize, const M: usize> Integers for State<A, M> {
    fn fold(&self, digest: &mut Digest) {
        digest.integers(self.a.as_flattened());
        digest.integers(self.c.as_flattened());
    }
}

impl<const A: usize, const M: usize> Integers for Hidden<A, M> {
    fn fold(&self, digest: &mut Digest) {
        digest.integers(self.0.as_flattened());
    }
}

/// Quantises, writes and reads the cell, and takes its steps.
fn cell<C, const X: usize, const A: usize, const M: usize, const N: usize>(
    digest: &mut Digest,
    mut cell: C,
    scales: fn(Scale) -> C::Scales,
    bytes: &mut [u8; N],
    read: fn(&[u8; N]) -> C,
) where
    C: Cell<X, A> + PartialEq,
    C::State<M>: Integers,
{
    let random = &mut Random::new(1);
    let mut params = [C::Float::ZEROS];
    for (weights, limit) in LIMITS {
        let mut inputs = [[0.0; X]; STEPS];
        let inputs = inputs.as_flattened_mut();
        inputs.fill_with(|| (random.uniform::<f32>() - 0.5) * 2.0 * limit as f32);
        random.fill(&mut params, weights);
        let result = cell.quantize(&params[0], scales(Scale::of(inputs)));
        quantized(digest, result);
        assert_eq!(cell.to_le_bytes(bytes), Ok(()));
        digest.integers(bytes);
        assert!(read(bytes) == cell);
        cell.dequantize(&mut params[0]);
        digest.flat(&params[0]);

        let mut state = C::State::<M>::default();
        for step in 0..STEPS {
            let mut x = [[0; X]; M];
            for (m, x) in x.iter_mut().enumerate() {
                // The samples of a batch walk the inputs in opposite directions.
                let at = if m == 0 { step } else { STEPS - 1 - step };
                let saturated = cell.x_scale().quantize(&inputs[at * X..][..X], x);
                assert_eq!(saturated, Ok(0));
            }
            let mut next = C::State::default();
            cell.step(&x, &state, &mut next);
            next.fold(digest);
            state = next;
        }
        let mut a = [0.0; A];
        assert_eq!(cell.a_scale().dequantize(&C::a(&state)[0], &mut a), Ok(()));
        digest.scalars(&a);
    }
    // Rows that have no scale.
    for refused in [1e9, 1e38, f64::INFINITY] {
        random.fill(&mut params, refused);
        quantized(digest, cell.quantize(&params[0], scales(Scale::UNIT)));
    }
}

/// Whether it could be quantised, and if not, which row could not and why.
fn quantized(digest: &mut Digest, result: Result<(), QuantizeError>) {
    match result {
        Ok(()) => digest.integers(&[0]),
        Err(QuantizeError::NotFinite { row }) => digest.integers(&[1, row as i64]),
        Err(QuantizeError::TooLarge {
            row,
            scale,
            largest,
        }) => {
            digest.integers(&[2, row as i64]);
            digest.scalars(&[scale, largest]);
        }
        Err(_) => digest.integers(&[3]),
    }
}

/// Equation (16) over the whole table, and beyond both of its ends: an RNN of one unit with nothing but
/// a bias, in every segment of the table several times.
fn tanh() -> u64 {
    type Net = Rnn<1, 1, i8>;
    let mut digest = Digest::new();
    let mut bytes = [0; Net::BYTES];
    // z = ⌊b·2¹⁵ / 2¹⁶⁺¹⌋, with m = 2¹⁵ and s = 1.
    bytes[8..12].copy_from_slice(&(1_u32 << 15 | 1 << 16).to_le_bytes());
    let near = (-12 << 18..12 << 18).step_by(1201);
    for b in near.chain([i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX]) {
        bytes[4..8].copy_from_slice(&b.to_le_bytes());
        let mut next = Hidden::default();
        Net::from_le_bytes(&bytes).step(&[[0]], &Hidden::default(), &mut next);
        next.fold(&mut digest);
    }
    digest.value()
}
