//! Sequences whose arrays have the batch first: shape (M, T, R), row-major, R the inputs or units.
//!
//! What PyTorch calls `batch_first=True`, ONNX `layout` = 1, TensorFlow 1 and TFLite `time_major` =
//! false, and Keras' only form. A state has no time: (M, A), also (1, M, A) or (M, 1, A), row-major
//! is the (A, M) matrix as it stands.

use super::*;

/// Reads (M, T, R) into one (R, M) matrix a step.
///
/// # Errors
/// [`LengthMismatch`] where `array` has not M·T·R scalars, T the length of `sequence`; nothing
/// is written then.
///
/// ```
/// use bptt::{Matrix, layout::batch_first};
///
/// let mut x = [const { Matrix::<1, 2>::zeros() }; 3];
/// batch_first::read(&mut x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?; // two samples of three steps
/// assert_eq!(x[1], Matrix::from_rows([[2.0, 5.0]]));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn read<const R: usize, const M: usize, T: Real>(
    sequence: &mut [Matrix<R, M, T>],
    array: &[T],
) -> Result<(), LengthMismatch> {
    let steps = sequence.len();
    LengthMismatch::check("array", Matrix::slice_as_flat(sequence).len(), array.len())?;
    for (t, step) in sequence.iter_mut().enumerate() {
        Place::side_by_side::<R>(t, steps).read(step, array);
    }
    Ok(())
}

/// Writes one (R, M) matrix a step as (M, T, R).
///
/// # Errors
/// [`LengthMismatch`] where `array` has not M·T·R scalars, T the length of `sequence`; nothing
/// is written then.
///
/// ```
/// use bptt::{Matrix, layout::batch_first};
///
/// let a = [Matrix::<1, 2>::from_rows([[1.0, 4.0]]), Matrix::from_rows([[2.0, 5.0]])];
/// let mut array = [0.0; 4];
/// batch_first::write(&a, &mut array)?;
/// assert_eq!(array, [1.0, 2.0, 4.0, 5.0]);
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
pub fn write<const R: usize, const M: usize, T: Real>(
    sequence: &[Matrix<R, M, T>],
    array: &mut [T],
) -> Result<(), LengthMismatch> {
    let steps = sequence.len();
    LengthMismatch::check("array", Matrix::slice_as_flat(sequence).len(), array.len())?;
    for (t, step) in sequence.iter().enumerate() {
        Place::side_by_side::<R>(t, steps).write(step, array);
    }
    Ok(())
}
