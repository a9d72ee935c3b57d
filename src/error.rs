//! What can be wrong at run time: a length, a class, a setting, a gradient.

use core::error::Error;
use core::fmt;

/// Two lengths that must be equal are not.
///
/// Shapes are checked when the program is compiled. A slice's length is known only when it runs;
/// where it does not fit, the call returns this and has written nothing.
///
/// ```
/// use bptt::{Flat, LengthMismatch, Matrix};
///
/// let error = Matrix::<2, 3>::from_flat(&[0.0; 5]).unwrap_err();
/// assert_eq!(error, LengthMismatch { what: "flat", expected: 6, found: 5 });
/// assert_eq!(error.to_string(), "`flat` has length 5, expected 6");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    /// The argument whose length does not fit.
    pub what: &'static str,
    /// The length that it must have.
    pub expected: usize,
    /// The length that it has.
    pub found: usize,
}

impl LengthMismatch {
    /// An error where `found` is not `expected`.
    #[inline(always)]
    pub(crate) fn check(what: &'static str, expected: usize, found: usize) -> Result<(), Self> {
        if found == expected {
            Ok(())
        } else {
            Err(LengthMismatch {
                what,
                expected,
                found,
            })
        }
    }
}

impl fmt::Display for LengthMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` has length {}, expected {}",
            self.what, self.found, self.expected
        )
    }
}

impl Error for LengthMismatch {}

/// Why a loss or an update was refused.
///
/// Every function that returns it has written nothing then: no gradient, no weight, no moment. One
/// type for the whole of a training step, and [`LengthMismatch`] becomes it by `?`, so that a
/// function that returns it needs no other.
///
/// ```
/// use bptt::optimizer::{Adam, clip_by_global_norm};
/// use bptt::TrainingError;
///
/// fn update(adam: &mut Adam, w: &mut [f32], g: &mut [f32]) -> Result<(), TrainingError> {
///     clip_by_global_norm(&mut [g], 1.0)?;
///     adam.update(w, g, &mut [0.0; 2], &mut [0.0; 2])
/// }
///
/// let (mut adam, mut w) = (Adam::new(0.01), [0.5, 0.5]);
/// let error = update(&mut adam, &mut w, &mut [1.0, f32::NAN]).unwrap_err();
/// assert_eq!(error, TrainingError::Gradient { index: 1 });
/// assert_eq!(error.to_string(), "the gradient is not finite, or too large, at 1");
/// assert_eq!((adam, w), (Adam::new(0.01), [0.5, 0.5]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainingError {
    /// Two lengths that must be equal are not.
    Length(LengthMismatch),
    /// A class index that the network has no output for: `class` is not below `classes`.
    Class {
        /// The index that was given.
        class: usize,
        /// The number of classes, Y.
        classes: usize,
    },
    /// A setting with which the result would be no number, or not what the setting is for.
    Setting {
        /// The field or argument.
        what: &'static str,
    },
    /// An entry of the gradient that is infinite or NaN or, for an update, so large that its square
    /// is: from about 1.8·10¹⁹ on in `f32` and 1.3·10¹⁵⁴ in `f64`.
    Gradient {
        /// Where the first such entry stands; several slices are counted through.
        index: usize,
    },
}

impl fmt::Display for TrainingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainingError::Length(error) => error.fmt(f),
            TrainingError::Class { class, classes } => {
                write!(
                    f,
                    "class {class} of {classes} classes, which are counted from 0"
                )
            }
            TrainingError::Setting { what } => write!(f, "`{what}` is out of its range"),
            TrainingError::Gradient { index } => {
                write!(f, "the gradient is not finite, or too large, at {index}")
            }
        }
    }
}

impl Error for TrainingError {}

impl From<LengthMismatch> for TrainingError {
    fn from(error: LengthMismatch) -> Self {
        TrainingError::Length(error)
    }
}
