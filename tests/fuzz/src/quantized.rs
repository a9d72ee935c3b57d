//! The cells in integers, made of any bytes or quantised from any numbers, against the plain ones.

use bptt::quantized::{
    Cell, Dense, Hidden, Lstm, QuantizeError, Relu, ResetAfter, ResetBefore, Rnn, Scale, State,
    Weight,
};
use bptt::{Flat, dense};

use super::{Bytes, M};
use integers::{Kind, Layer};

#[path = "../../common/integer_model.rs"]
mod integers;

/// Steps with one cell.
const STEPS: usize = 3;

/// Calls `cell` with a cell of bytes.
macro_rules! cell {
    ($bytes:ident, $cell:ident<$x:literal, $a:literal, $weight:ident>, $scales:expr) => {{
        type Net = $cell<$x, $a, $weight>;
        cell::<Net, $x, $a, { Net::BYTES }, $weight>(
            $bytes,
            Kind::$cell,
            |bytes| Net::from_le_bytes(bytes),
            $scales,
        )
    }};
}

/// Calls `cell` with one of several shapes.
macro_rules! shapes {
    ($bytes:ident, $cell:ident, $scales:expr) => {
        match $bytes.below(6) {
            0 => cell!($bytes, $cell<3, 5, i8>, $scales),
            1 => cell!($bytes, $cell<3, 5, i16>, $scales),
            2 => cell!($bytes, $cell<2, 19, i8>, $scales),
            3 => cell!($bytes, $cell<2, 19, i16>, $scales),
            4 => cell!($bytes, $cell<1, 1, i8>, $scales),
            _ => cell!($bytes, $cell<1, 1, i16>, $scales),
        }
    };
}

/// Calls `output` with an output layer of bytes.
macro_rules! output {
    ($bytes:ident, $a:literal, $y:literal, $weight:ident) => {{
        type Net = Dense<$a, $y, $weight>;
        output::<$a, $y, { Net::BYTES }, $weight>($bytes, |bytes| Net::from_le_bytes(bytes))
    }};
}

/// Any cell, or any output layer.
pub fn quantized(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes, 3);
    match bytes.below(6) {
        0 => shapes!(bytes, Lstm, |x, _| x),
        1 => shapes!(bytes, ResetAfter, |x, _| x),
        2 => shapes!(bytes, ResetBefore, |x, _| x),
        3 => shapes!(bytes, Rnn, |x, _| x),
        4 => shapes!(bytes, Relu, |x, a| (x, a)),
        _ => match bytes.below(4) {
            0 => output!(bytes, 5, 4, i8),
            1 => output!(bytes, 5, 4, i16),
            2 => output!(bytes, 19, 1, i8),
            _ => output!(bytes, 1, 7, i16),
        },
    }
}

/// What a state consists of.
trait Parts<const A: usize> {
    fn a(&mut self) -> &mut [[i16; A]; M];
    /// Nothing, but of an LSTM.
    fn c(&mut self) -> &mut [[i32; A]];
}

impl<const A: usize> Parts<A> for State<A, M> {
    fn a(&mut self) -> &mut [[i16; A]; M] {
        &mut self.a
    }
    fn c(&mut self) -> &mut [[i32; A]] {
        &mut self.c
    }
}

impl<const A: usize> Parts<A> for Hidden<A, M> {
    fn a(&mut self) -> &mut [[i16; A]; M] {
        &mut self.0
    }
    fn c(&mut self) -> &mut [[i32; A]] {
        &mut []
    }
}

/// Steps from any state: with the cell of any bytes, then with one that was quantised.
fn cell<C, const X: usize, const A: usize, const N: usize, W: Weight>(
    bytes: &mut Bytes,
    kind: Kind,
    read: fn(&[u8; N]) -> C,
    scales: fn(Scale, Scale) -> C::Scales,
) where
    C: Cell<X, A> + PartialEq + std::fmt::Debug + Clone,
    C::State<M>: Parts<A>,
{
    let any: [u8; N] = std::array::from_fn(|_| bytes.byte());
    let mut cell = read(&any);
    let plain = integers::Cell::read(kind, size_of::<W>(), [X, A], &any);
    let mut written = [0; N];
    cell.to_le_bytes(&mut written).unwrap();
    assert_eq!(written[..], plain.bytes());
    assert_eq!(read(&written), cell);
    assert!(cell.to_le_bytes(&mut vec![0; N + 1]).is_err());
    steps(bytes, &cell, &plain);
    let mut params = C::Float::ZEROS;
    cell.dequantize(&mut params); // which can be no panic

    let before = cell.clone();
    let params: C::Float = bytes.flat();
    let (x, a) = (scale(bytes), scale(bytes));
    let result = cell.quantize(&params, scales(x, a));
    if !could_be_quantized(result, params.as_flat()) {
        assert_eq!(cell, before);
        return;
    }
    assert_eq!(cell.x_scale(), x);
    cell.to_le_bytes(&mut written).unwrap();
    assert_eq!(read(&written), cell);
    let plain = integers::Cell::read(kind, size_of::<W>(), [X, A], &written);
    assert_eq!(written[..], plain.bytes());
    assert!(plain.greatest_sum() < 1 << 31);
    steps(bytes, &cell, &plain);
}

/// Some steps with any inputs, as the plain cell takes them.
fn steps<C, const X: usize, const A: usize>(bytes: &mut Bytes, cell: &C, plain: &integers::Cell)
where
    C: Cell<X, A>,
    C::State<M>: Parts<A>,
{
    let mut state = C::State::<M>::default();
    state
        .a()
        .as_flattened_mut()
        .fill_with(|| integer(bytes) as i16);
    state.c().as_flattened_mut().fill_with(|| integer(bytes));
    for _ in 0..STEPS {
        let mut x = [[0; X]; M];
        x.as_flattened_mut().fill_with(|| integer(bytes) as i16);
        let mut next = C::State::<M>::default();
        cell.step(&x, &state, &mut next);
        for m in 0..M {
            let c = state.c().get(m).copied().unwrap_or([0; A]);
            let (a, c) = plain.step(&x[m], &state.a()[m], &c);
            assert_eq!(next.a()[m][..], a);
            assert_eq!(next.c().get(m).map_or(&[][..], |c| c), c);
        }
        assert_eq!(C::a(&next.clone()), next.a());
        state = next;
    }
}

/// The output layer of any bytes, then one that was quantised.
fn output<const A: usize, const Y: usize, const N: usize, W: Weight>(
    bytes: &mut Bytes,
    read: fn(&[u8; N]) -> Dense<A, Y, W>,
) {
    let any: [u8; N] = std::array::from_fn(|_| bytes.byte());
    let mut layer = read(&any);
    let mut written = [0; N];
    let compare = |bytes: &mut Bytes, layer: &Dense<A, Y, W>, plain: &Layer| {
        let (mut a, mut y) = ([[0; A]; M], [[0; Y]; M]);
        a.as_flattened_mut().fill_with(|| integer(bytes) as i16);
        layer.forward(&a, &mut y);
        for (a, y) in a.iter().zip(y) {
            assert_eq!(y[..], plain.dense(a));
        }
    };
    let plain = Layer::read(size_of::<W>(), [Y, 0, A], &any);
    layer.to_le_bytes(&mut written).unwrap();
    assert_eq!(written[..], plain.bytes());
    assert_eq!(read(&written), layer);
    compare(bytes, &layer, &plain);
    layer.dequantize(&mut dense::Params::zeros());

    let before = layer.clone();
    let params: dense::Params<A, Y> = bytes.flat();
    let result = layer.quantize(&params, scale(bytes));
    if !could_be_quantized(result, params.as_flat()) {
        assert_eq!(layer, before);
        return;
    }
    layer.to_le_bytes(&mut written).unwrap();
    assert_eq!(read(&written), layer);
    let plain = Layer::read(size_of::<W>(), [Y, 0, A], &written);
    assert!(plain.greatest_sum(&[]) < 1 << 31);
    compare(bytes, &layer, &plain);
}

/// Whether it was quantised; never, where a number is not finite.
fn could_be_quantized(result: Result<(), QuantizeError>, numbers: &[f32]) -> bool {
    let finite = numbers.iter().all(|number| number.is_finite());
    match result {
        Ok(()) => assert!(finite, "{numbers:?}"),
        Err(QuantizeError::TooLarge { scale, largest, .. }) => assert!(scale >= largest),
        // The sum of a row can be infinite where its numbers are not.
        Err(_) => assert!(!finite || numbers.iter().any(|n| n.abs() > 1e30)),
    }
    result.is_ok()
}

/// Any of the scales that there are, and others, which become the nearest.
fn scale(bytes: &mut Bytes) -> Scale {
    Scale::new(bytes.byte() as i8 % 40)
}

/// Any 32 bits, the least and the greatest integers among them; of the low 16 bits the same.
fn integer(bytes: &mut Bytes) -> i32 {
    match bytes.byte() {
        0..16 => i32::MAX,
        16..32 => i32::from_le_bytes([0, 0x80, 0, 0x80]),
        low => i32::from_le_bytes([low, bytes.byte(), bytes.byte(), bytes.byte()]),
    }
}
