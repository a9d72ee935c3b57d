//! Weights as bytes: the format, byte by byte, through the compile-time and the run-time functions.

use bptt::{Affine, Flat, LengthMismatch, Matrix, Real, dense, lstm, rnn};

/// The scalars 0, 1, 2, … as the format says they stand, written out by hand: no function of the
/// standard library or of the crate turns a number into bytes here.
const F32: [u8; 4 * 32] = {
    let mut bytes = [0; 4 * 32];
    let mut n = 1;
    while n < 32_u32 {
        let exponent = n.ilog2(); // n = 2^exponent · (1 + fraction)
        let fraction = (n << (23 - exponent)) & 0x7f_ffff;
        let bits = (127 + exponent) << 23 | fraction;
        let mut k = 0;
        while k < 4 {
            bytes[4 * n as usize + k] = (bits >> (8 * k) & 255) as u8;
            k += 1;
        }
        n += 1;
    }
    bytes
};

const F64: [u8; 8 * 32] = {
    let mut bytes = [0; 8 * 32];
    let mut n = 1;
    while n < 32_u64 {
        let exponent = n.ilog2() as u64;
        let fraction = (n << (52 - exponent)) & 0xf_ffff_ffff_ffff;
        let bits = (1023 + exponent) << 52 | fraction;
        let mut k = 0;
        while k < 8 {
            bytes[8 * n as usize + k] = (bits >> (8 * k) & 255) as u8;
            k += 1;
        }
        n += 1;
    }
    bytes
};

static MATRIX: Matrix<2, 3> =
    Matrix::<2, 3>::from_le_bytes(F32.first_chunk::<{ size_of::<Matrix<2, 3>>() }>().unwrap());
static RNN: rnn::Params<3, 2> = Affine::<3, 2>::from_le_bytes(
    F32.first_chunk::<{ size_of::<rnn::Params<3, 2>>() }>()
        .unwrap(),
);
static LSTM: lstm::Params<1, 2> = lstm::Params::<1, 2>::from_le_bytes(
    F32.first_chunk::<{ size_of::<lstm::Params<1, 2>>() }>()
        .unwrap(),
);
static STATE: lstm::State<2, 3> = lstm::State::<2, 3>::from_le_bytes(
    F32.first_chunk::<{ size_of::<lstm::State<2, 3>>() }>()
        .unwrap(),
);
static HEAD: dense::Params<3, 4> = dense::Params::<3, 4>::from_le_bytes(
    F32.first_chunk::<{ size_of::<dense::Params<3, 4>>() }>()
        .unwrap(),
);
static MATRIX_F64: Matrix<2, 3, f64> = Matrix::<2, 3, f64>::from_le_bytes(
    F64.first_chunk::<{ size_of::<Matrix<2, 3, f64>>() }>()
        .unwrap(),
);
static RNN_F64: rnn::Params<3, 2, f64> = Affine::<3, 2, f64>::from_le_bytes(
    F64.first_chunk::<{ size_of::<rnn::Params<3, 2, f64>>() }>()
        .unwrap(),
);
static LSTM_F64: lstm::Params<1, 2, f64> = lstm::Params::<1, 2, f64>::from_le_bytes(
    F64.first_chunk::<{ size_of::<lstm::Params<1, 2, f64>>() }>()
        .unwrap(),
);
static STATE_F64: lstm::State<2, 3, f64> = lstm::State::<2, 3, f64>::from_le_bytes(
    F64.first_chunk::<{ size_of::<lstm::State<2, 3, f64>>() }>()
        .unwrap(),
);
static HEAD_F64: dense::Params<3, 4, f64> = dense::Params::<3, 4, f64>::from_le_bytes(
    F64.first_chunk::<{ size_of::<dense::Params<3, 4, f64>>() }>()
        .unwrap(),
);

/// The scalars are 0, 1, 2, …, and come back through the functions that run when the program does.
fn check<F: Flat + Default + PartialEq + std::fmt::Debug>(value: &F, bytes: &[u8]) {
    let counted: Vec<F::Scalar> = (0..F::LEN).map(F::Scalar::from_usize).collect();
    assert_eq!(value.as_flat(), counted);

    let size = size_of::<F>();
    let mut out = vec![0xaa; size];
    value.to_le_bytes(&mut out).unwrap();
    assert_eq!(out, bytes[..size]);
    let mut read = F::default();
    read.read_le_bytes(&out).unwrap();
    assert_eq!(&read, value);

    for found in [0, 1, size - 1, size + 1, 2 * size] {
        let (expected, mut out) = (size, vec![0xaa; found]);
        let error = value.to_le_bytes(&mut out).unwrap_err();
        assert_eq!(
            error,
            LengthMismatch {
                what: "out",
                expected,
                found
            }
        );
        assert!(out.iter().all(|byte| *byte == 0xaa), "half written");
        let error = read.read_le_bytes(&out).unwrap_err();
        assert_eq!(
            error,
            LengthMismatch {
                what: "bytes",
                expected,
                found
            }
        );
        assert_eq!(&read, value, "half read");
    }
}

#[test]
fn every_type_is_its_scalars_least_significant_byte_first() {
    check(&MATRIX, &F32);
    check(&RNN, &F32);
    check(&LSTM, &F32);
    check(&STATE, &F32);
    check(&HEAD, &F32);
    check(&MATRIX_F64, &F64);
    check(&RNN_F64, &F64);
    check(&LSTM_F64, &F64);
    check(&STATE_F64, &F64);
    check(&HEAD_F64, &F64);
    check(
        &lstm::Cache::<2, 2>::from_flat(&std::array::from_fn::<f32, 20, _>(|n| n as f32))
            .unwrap()
            .clone(),
        &F32,
    );
}

/// Two known numbers, so that the table above cannot be wrong in the same way as the crate.
#[test]
fn known_bytes() {
    static PI: Matrix<1, 1> = Matrix::<1, 1>::from_le_bytes(&[0xdb, 0x0f, 0x49, 0x40]);
    assert_eq!(PI[(0, 0)], std::f32::consts::PI);
    static PI_F64: Matrix<1, 1, f64> =
        Matrix::<1, 1, f64>::from_le_bytes(&[0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40]);
    assert_eq!(PI_F64[(0, 0)], std::f64::consts::PI);
}

/// NaNs with a payload, −0, subnormals, infinities: every bit goes both ways.
#[test]
fn every_bit_comes_back() {
    let bits = [
        0x7fc0_0001_u32,
        0xffa5_5a5a,
        0x8000_0000,
        1,
        0x807f_ffff,
        0xff80_0000,
    ];
    let bytes: [u8; 24] = std::array::from_fn(|k| (bits[k / 4] >> (8 * (k % 4))) as u8);
    let (at_once, mut later) = (
        Matrix::<2, 3>::from_le_bytes(&bytes),
        Matrix::<2, 3>::zeros(),
    );
    later.read_le_bytes(&bytes).unwrap();
    for matrix in [at_once, later] {
        assert!(matrix.as_flat().iter().map(|x| x.to_bits()).eq(bits));
        let mut out = [0; 24];
        matrix.to_le_bytes(&mut out).unwrap();
        assert_eq!(out, bytes);
    }
}
