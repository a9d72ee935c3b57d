//! What can be wrong at run time: a length, a class.

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
