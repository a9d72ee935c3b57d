//! Weights as bytes: a file that firmware includes, or that a host reads and writes.
//!
//! The format stands at [`Flat::to_le_bytes`]: all scalars in their order in memory, each as the
//! bytes of its IEEE-754 bits, the least significant first, whatever the byte order of the target.
//! No header, no padding: a value of `LEN` scalars is 4·`LEN` bytes in `f32` and 8·`LEN` in `f64`,
//! and several values stand one after the other.

use crate::arch::Core as _;
use crate::real::{Bytes, sealed::Sealed};
use crate::{Affine, Flat, LengthMismatch, Matrix, dense, lstm};

/// [`Flat::to_le_bytes`]
pub(crate) fn write<F: Flat>(value: &F, bytes: &mut [u8]) -> Result<(), LengthMismatch> {
    let size = size_of::<F::Scalar>();
    LengthMismatch::check("bytes", F::LEN * size, bytes.len())?;
    <F::Scalar as Sealed>::Core::write_le(value.as_flat(), bytes);
    Ok(())
}

/// [`Flat::read_le_bytes`]
pub(crate) fn read<F: Flat>(value: &mut F, bytes: &[u8]) -> Result<(), LengthMismatch> {
    let size = size_of::<F::Scalar>();
    LengthMismatch::check("bytes", F::LEN * size, bytes.len())?;
    <F::Scalar as Sealed>::Core::read_le(value.as_flat_mut(), bytes);
    Ok(())
}

/// The scalars one after the other.
pub(crate) fn write_all<T: Bytes>(scalars: &[T], bytes: &mut [u8]) {
    let mut rest = bytes; // Not zipped: a zip of chunks divides, and nothing tells it that the divisor is not 0.
    for scalar in scalars {
        let (bytes, after) = rest
            .split_at_mut_checked(size_of::<T>())
            .unwrap_or_default();
        scalar.write_le(bytes);
        rest = after;
    }
}

/// The scalars one after the other.
pub(crate) fn read_all<T: Bytes>(scalars: &mut [T], bytes: &[u8]) {
    let mut rest = bytes;
    for scalar in scalars {
        let (bytes, after) = rest.split_at_checked(size_of::<T>()).unwrap_or_default();
        *scalar = T::read_le(bytes);
        rest = after;
    }
}

// The first scalar and the rest; the length has been checked by then. A slice pattern is evaluated
// four times faster at compile time than `split_first_chunk`.

const fn split_f32(bytes: &[u8]) -> (f32, &[u8]) {
    match bytes {
        [b0, b1, b2, b3, rest @ ..] => (f32::from_le_bytes([*b0, *b1, *b2, *b3]), rest),
        _ => (0.0, bytes),
    }
}

const fn split_f64(bytes: &[u8]) -> (f64, &[u8]) {
    match bytes {
        [b0, b1, b2, b3, b4, b5, b6, b7, rest @ ..] => {
            let scalar = [*b0, *b1, *b2, *b3, *b4, *b5, *b6, *b7];
            (f64::from_le_bytes(scalar), rest)
        }
        _ => (0.0, bytes),
    }
}

// Constant functions cannot be generic over what a scalar does, so the two scalars are stamped out.
// Each reader takes what it needs from the front of the bytes and returns it with the rest; the
// length has been checked by then.
macro_rules! from_le_bytes {
    ($float:ident, $size:literal, $split:ident) => {
        const _: () = {
            const fn matrix<const R: usize, const C: usize>(
                mut bytes: &[u8],
            ) -> (Matrix<R, C, $float>, &[u8]) {
                let mut columns = [[0.0; R]; C];
                let mut c = 0;
                while c < C {
                    let mut r = 0;
                    while r < R {
                        (columns[c][r], bytes) = $split(bytes);
                        r += 1;
                    }
                    c += 1;
                }
                (Matrix::from_columns(columns), bytes)
            }

            const fn affine<const X: usize, const A: usize>(
                bytes: &[u8],
            ) -> (Affine<X, A, $float>, &[u8]) {
                let (wa, bytes) = matrix(bytes);
                let (wx, bytes) = matrix(bytes);
                let (b, bytes) = matrix(bytes);
                (Affine { wa, wx, b }, bytes)
            }

            impl<const R: usize, const C: usize> Matrix<R, C, $float> {
                #[doc = concat!("The matrix whose ", stringify!($size), "·`LEN` bytes these are; see [`Flat::to_le_bytes`].")]
                ///
                /// Another number of bytes does not compile.
                ///
                /// ```
                #[doc = concat!("let bytes = [0; 2 * ", stringify!($size), "];")]
                #[doc = concat!("let w = bptt::Matrix::<2, 1, ", stringify!($float), ">::from_le_bytes(&bytes);")]
                /// assert_eq!(w, bptt::Matrix::zeros());
                /// ```
                pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                    const { assert!(N == size_of::<Self>(), "another number of bytes") }
                    matrix(bytes).0
                }
            }

            impl<const X: usize, const A: usize> Affine<X, A, $float> {
                #[doc = concat!("The map whose ", stringify!($size), "·`LEN` bytes these are; see [`Flat::to_le_bytes`].")]
                ///
                /// Another number of bytes does not compile.
                ///
                /// ```
                #[doc = concat!("let bytes = [0; 6 * ", stringify!($size), "];")]
                #[doc = concat!("let cell = bptt::rnn::Params::<4, 1, ", stringify!($float), ">::from_le_bytes(&bytes);")]
                /// assert_eq!(cell, bptt::Affine::zeros());
                /// ```
                pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                    const { assert!(N == size_of::<Self>(), "another number of bytes") }
                    affine(bytes).0
                }
            }

            impl<const X: usize, const A: usize> lstm::Params<X, A, $float> {
                #[doc = concat!("The weights whose ", stringify!($size), "·`LEN` bytes these are; see [`Flat::to_le_bytes`].")]
                ///
                /// Another number of bytes does not compile. In firmware the bytes are a file:
                ///
                /// ```
                /// use bptt::lstm;
                ///
                /// # /*
                /// static FILE: &[u8; 24 * SIZE] = include_bytes!("weights.bin");
                /// # */
                #[doc = concat!("# const SIZE: usize = ", stringify!($size), ";")]
                /// # static FILE: &[u8; 24 * SIZE] = &[0; 24 * SIZE];
                #[doc = concat!("static CELL: lstm::Params<4, 1, ", stringify!($float), "> = lstm::Params::<4, 1, ", stringify!($float), ">::from_le_bytes(FILE);")]
                /// assert_eq!(CELL.f.b[(0, 0)], 0.0);
                /// ```
                pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                    const { assert!(N == size_of::<Self>(), "another number of bytes") }
                    let (f, bytes) = affine(bytes);
                    let (i, bytes) = affine(bytes);
                    let (g, bytes) = affine(bytes);
                    let (o, _) = affine(bytes);
                    lstm::Params { f, i, g, o }
                }
            }

            impl<const A: usize, const M: usize> lstm::State<A, M, $float> {
                #[doc = concat!("The state whose ", stringify!($size), "·`LEN` bytes these are; see [`Flat::to_le_bytes`].")]
                ///
                /// Another number of bytes does not compile.
                ///
                /// ```
                #[doc = concat!("let bytes = [0; 2 * ", stringify!($size), "];")]
                #[doc = concat!("let state = bptt::lstm::State::<1, 1, ", stringify!($float), ">::from_le_bytes(&bytes);")]
                /// assert_eq!(state, bptt::lstm::State::zeros());
                /// ```
                pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                    const { assert!(N == size_of::<Self>(), "another number of bytes") }
                    let (a, bytes) = matrix(bytes);
                    let (c, _) = matrix(bytes);
                    lstm::State { a, c }
                }
            }

            impl<const A: usize, const Y: usize> dense::Params<A, Y, $float> {
                #[doc = concat!("The weights whose ", stringify!($size), "·`LEN` bytes these are; see [`Flat::to_le_bytes`].")]
                ///
                /// Another number of bytes does not compile.
                ///
                /// ```
                #[doc = concat!("let bytes = [0; 4 * ", stringify!($size), "];")]
                #[doc = concat!("let head = bptt::dense::Params::<3, 1, ", stringify!($float), ">::from_le_bytes(&bytes);")]
                /// assert_eq!(head, bptt::dense::Params::zeros());
                /// ```
                pub const fn from_le_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
                    const { assert!(N == size_of::<Self>(), "another number of bytes") }
                    let (w, bytes) = matrix(bytes);
                    let (b, _) = matrix(bytes);
                    dense::Params { w, b }
                }
            }
        };
    };
}

from_le_bytes!(f32, 4, split_f32);
from_le_bytes!(f64, 8, split_f64);
