//! Weights as bytes: little-endian on every target, in the order of the flat view, at compile time and at run time.

use bptt::{Affine, Flat, LengthMismatch, Matrix, Vector, dense, gru, lstm, rnn};

/// 1, −2 and 0.15625 in f32 (0x3f800000, 0xc0000000, 0x3e200000), the least significant byte first.
const THREE: [u8; 12] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x20, 0x3e];
static CONSTANT: Vector<3> = Vector::<3, f32>::from_le_bytes(&THREE);

/// −1/3 in f64: 0xbfd5555555555555.
const THIRD: [u8; 8] = [0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5, 0xbf];

#[test]
fn bytes_are_little_endian() -> Result<(), LengthMismatch> {
    assert_eq!(CONSTANT.as_flat(), [1.0, -2.0, 0.15625]);
    let mut bytes = [0xff; 12];
    CONSTANT.to_le_bytes(&mut bytes)?;
    assert_eq!(bytes, THREE);

    let third = Matrix::<1, 1, f64>::from_le_bytes(&THIRD);
    assert_eq!(third[(0, 0)], -1.0 / 3.0);
    let mut bytes = [0; 8];
    third.to_le_bytes(&mut bytes)?;
    assert_eq!(bytes, THIRD);
    Ok(())
}

/// The bytes of 0, 1, 2, …, and the value that has these scalars.
fn counted<F: Flat>() -> (Vec<u8>, F) {
    let mut value = F::ZEROS;
    for (i, scalar) in value.as_flat_mut().iter_mut().enumerate() {
        *scalar = bptt::Real::from_usize(i);
    }
    let mut bytes = vec![0; size_of::<F>()];
    value.to_le_bytes(&mut bytes).unwrap();
    let mut again = F::ZEROS;
    again.read_le_bytes(&bytes).unwrap();
    assert_eq!(again.as_flat(), value.as_flat());
    (bytes, value)
}

#[test]
fn every_field_is_in_its_place() {
    macro_rules! check {
        ($($kind:ty),+) => {$(
            let (bytes, value) = counted::<$kind>();
            let bytes = bytes.first_chunk::<{ size_of::<$kind>() }>().unwrap();
            assert_eq!(<$kind>::from_le_bytes(bytes), value);
        )+};
    }
    check!(Matrix<3, 2, f32>, Affine<2, 3, f32>, lstm::Params<2, 3, f32>);
    check!(lstm::State<3, 2, f32>, dense::Params<3, 2, f32>, rnn::Relu<2, 3, f32>);
    check!(gru::ResetAfter<2, 3, f32>, gru::ResetBefore<2, 3, f32>);
    check!(Matrix<3, 2, f64>, Affine<2, 3, f64>, lstm::Params<2, 3, f64>);
    check!(lstm::State<3, 2, f64>, dense::Params<3, 2, f64>, rnn::Relu<2, 3, f64>);
    check!(gru::ResetAfter<2, 3, f64>, gru::ResetBefore<2, 3, f64>);
}

#[test]
fn every_bit_survives() {
    let odd = [0x7fc0_1234_u32, 0x8000_0000, 1, 0x7f80_0000];
    let value = Matrix::<4, 1>::from_columns([odd.map(f32::from_bits)]);
    let mut bytes = [0; 16];
    value.to_le_bytes(&mut bytes).unwrap();
    let again = Matrix::<4, 1, f32>::from_le_bytes(&bytes);
    assert_eq!(again.columns()[0].map(f32::to_bits), odd);
}

#[test]
fn a_wrong_length_changes_nothing() {
    let mut value = Vector::<3>::from_columns([[1.0, 2.0, 3.0]]);
    for found in [0, 11, 13, 24] {
        let mut bytes = vec![7; found];
        let error = LengthMismatch {
            what: "bytes",
            expected: 12,
            found,
        };
        assert_eq!(value.to_le_bytes(&mut bytes), Err(error));
        assert!(bytes.iter().all(|&byte| byte == 7));
        assert_eq!(value.read_le_bytes(&bytes), Err(error));
        assert_eq!(value.as_flat(), [1.0, 2.0, 3.0]);
    }
}
