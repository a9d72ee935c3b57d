//! Calls every function of the cells in integers, with weights of 8 and of 16 bits.

use core::hint::black_box;

use bptt::quantized::{
    Cell, Dense, Lstm, Relu, ResetAfter, ResetBefore, Rnn, Scale, State, Weight,
};
use bptt::{LengthMismatch, dense};

use super::Numbers;

/// A cell in several shapes.
macro_rules! shapes {
    ($n:ident, $bytes:ident, $cell:ident, $scales:expr) => {
        cell!($n, $bytes, $cell<6, 16, i8>, 6, 16, 1, $scales);
        cell!($n, $bytes, $cell<6, 16, i16>, 6, 16, 1, $scales);
        cell!($n, $bytes, $cell<3, 5, i8>, 3, 5, 2, $scales);
        cell!($n, $bytes, $cell<3, 5, i16>, 3, 5, 2, $scales);
        cell!($n, $bytes, $cell<1, 1, i8>, 1, 1, 5, $scales);
        cell!($n, $bytes, $cell<1, 1, i16>, 1, 1, 5, $scales);
    };
}

/// A cell in one shape, of zeros and of bytes.
macro_rules! cell {
    ($n:ident, $bytes:ident, $net:ty, $x:literal, $a:literal, $m:literal, $scales:expr) => {{
        if let Some(bytes) = $bytes.first_chunk::<{ <$net>::BYTES }>() {
            cell::<$net, $x, $a, $m>($n, <$net>::zeros(), <$net>::from_le_bytes(bytes), $scales)?;
        }
    }};
}

/// An output layer, of zeros and of bytes.
macro_rules! output {
    ($n:ident, $bytes:ident, $net:ty, $a:literal, $y:literal, $m:literal) => {{
        if let Some(bytes) = $bytes.first_chunk::<{ <$net>::BYTES }>() {
            output::<$a, $y, $m, _>($n, <$net>::zeros(), <$net>::from_le_bytes(bytes))?;
        }
    }};
}

/// Everything in integers, quantised from `numbers` and to them; cells are made of `bytes`, too.
pub fn integers(numbers: &mut [f32], bytes: &[u8]) -> Result<(), LengthMismatch> {
    /// Of a cell whose states are in 2⁻¹⁵.
    fn unit(x: Scale) -> Scale {
        x
    }
    /// Of one whose states have no bound.
    fn unbounded(x: Scale) -> (Scale, Scale) {
        (x, Scale::new(black_box(10)).coarser(x))
    }
    let n = &mut Numbers(numbers);
    shapes!(n, bytes, Lstm, unit);
    shapes!(n, bytes, ResetAfter, unit);
    shapes!(n, bytes, ResetBefore, unit);
    shapes!(n, bytes, Rnn, unit);
    shapes!(n, bytes, Relu, unbounded);
    output!(n, bytes, Dense<16, 4, i8>, 16, 4, 1);
    output!(n, bytes, Dense<16, 4, i16>, 16, 4, 1);
    output!(n, bytes, Dense<5, 3, i8>, 5, 3, 2);
    output!(n, bytes, Dense<1, 1, i16>, 1, 1, 5);
    Ok(())
}

/// What every cell has.
fn cell<C: Cell<X, A> + Clone + PartialEq, const X: usize, const A: usize, const M: usize>(
    n: &mut Numbers<f32>,
    mut cell: C,
    other: C,
    scales: fn(Scale) -> C::Scales,
) -> Result<(), LengthMismatch> {
    let sample = n.take(10 * X)?;
    let params: &mut C::Float = n.one()?;
    black_box(cell == other);
    let _ = black_box(cell.quantize(params, scales(Scale::of(sample))));
    black_box(cell.x_scale().q());

    let mut x = black_box([[0; X]; M]);
    black_box(cell.x_scale().quantize(sample, x.as_flattened_mut())?);
    let (state, mut next) = (C::State::<M>::default(), C::State::<M>::default());
    cell.step(&x, black_box(&state), &mut next);
    other.step(&x, &next.clone(), black_box(&mut next));
    black_box(state == next);
    let a = C::a(&next).as_flattened();
    other.a_scale().dequantize(a, n.take(A * M)?)?;

    other.dequantize(params);
    other.clone().to_le_bytes(black_box(&mut [0; 10_000][..]))
}

/// The output layer.
fn output<const A: usize, const Y: usize, const M: usize, W: Weight>(
    n: &mut Numbers<f32>,
    mut layer: Dense<A, Y, W>,
    other: Dense<A, Y, W>,
) -> Result<(), LengthMismatch> {
    let params: &mut dense::Params<A, Y> = n.one()?;
    black_box((layer == other, W::LIMIT));
    let _ = black_box(layer.quantize(params, Scale::new(black_box(12))));
    let (state, mut y) = (black_box(State::<A, M>::zeros()), [[0; Y]; M]);
    layer.forward(&state.a, &mut y);
    other.forward(&state.a, black_box(&mut y));
    other.clone().dequantize(params);
    layer.to_le_bytes(black_box(&mut [0; 10_000][..]))
}
