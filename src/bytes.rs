//! Weights as bytes: a file that firmware includes, or that a host reads and writes.
//!
//! The format stands at [`Flat::to_le_bytes`]: all scalars in their order in memory, each as the
//! bytes of its IEEE-754 bits, the least significant first, whatever the byte order of the target.
//! No header, no padding: a value of `LEN` scalars is 4·`LEN` bytes in `f32` and 8·`LEN` in `f64`,
//! and several values stand one after the other.

use crate::arch::Core as _;
use crate::real::{Bytes, sealed::Sealed};
use crate::{Flat, LengthMismatch};

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

/// Of every `size` bytes, a power of two, the last first; N is a multiple of it. For targets with
/// the most significant byte first.
pub(crate) const fn reversed<const N: usize>(bytes: &[u8; N], size: usize) -> [u8; N] {
    let mut reversed = [0; N];
    let mut i = 0;
    while i < N {
        reversed[i] = bytes[i ^ (size - 1)];
        i += 1;
    }
    reversed
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_scalar_is_reversed() {
        let bytes = [0, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(super::reversed(&bytes, 4), [3, 2, 1, 0, 7, 6, 5, 4]);
        assert_eq!(super::reversed(&bytes, 8), [7, 6, 5, 4, 3, 2, 1, 0]);
    }
}
