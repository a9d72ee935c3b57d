//! Dropout: a mask from the caller's random numbers, applied forward and backward by the same call.
//!
//! Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), inverted, as their section
//! 10 has it: what is kept is scaled up in training, and inference knows nothing of it. With p the
//! probability that an entry is dropped, independently of the others:
//!
//! | | |
//! |---|---|
//! | r = 0 with probability p, else 1/(1 − p) | [`fill`] |
//! | x = r ⊙ x | [`apply`] to the inputs of a layer, forward |
//! | dx = r ⊙ dx | [`apply`] to their gradient, with the same mask |
//!
//! Each r has the mean 1. A mask for each step is dropout between layers; one mask for all steps of
//! a sequence is what Gal and Ghahramani (2016) call variational, where it belongs on a recurrent
//! net.
//!
//! ```
//! use bptt::{Matrix, dropout};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut a = [const { Matrix::<4, 2>::from_rows([[1.0; 2]; 4]) }; 3];
//!
//! // A mask for each step.
//! let mut masks = [const { Matrix::zeros() }; 3];
//! for (a, mask) in a.iter_mut().zip(&mut masks) {
//!     dropout::fill(mask, 0.5, || rng.random())?;
//!     dropout::apply(mask, a);
//! }
//! assert_eq!(a, masks); // ones, dropped or doubled
//! // … forward, loss and backward, which gives da …
//! let mut da = [const { Matrix::<4, 2>::from_rows([[3.0; 2]; 4]) }; 3];
//! for (da, mask) in da.iter_mut().zip(&masks) {
//!     dropout::apply(mask, da);
//! }
//! assert!(da.iter().flat_map(|da| da.columns().as_flattened()).all(|d| [0.0, 6.0].contains(d)));
//!
//! // One for all steps.
//! let [mask, ..] = &masks;
//! for x in &mut a {
//!     dropout::apply(mask, x);
//! }
//! # Ok::<(), bptt::TrainingError>(())
//! ```

use crate::arch::{Core as _, Vector, one_by_one};
use crate::optimizer::setting;
use crate::real::sealed::Sealed;
use crate::{Flat, Real, TrainingError};

/// Overwrites `mask` with 0 or 1/(1 − p), entry by entry in the order of the flat array.
///
/// `uniform` returns numbers evenly distributed in \[0, 1), and is called once for each entry
/// whatever p is; an entry is dropped where the number is below p. So p = 0 gives ones. With p = 1
/// everything is dropped, and all entries are 0 rather than 0·∞.
///
/// # Errors
/// [`TrainingError::Setting`] where p is not from 0 to 1; nothing is written then, nothing drawn.
///
/// ```
/// use bptt::{Vector, dropout};
///
/// let mut mask = Vector::<4>::zeros();
/// let mut numbers = [0.1, 0.2, 0.3, 0.9].into_iter();
/// dropout::fill(&mut mask, 0.2, || numbers.next().unwrap())?;
/// assert_eq!(mask, Vector::from_columns([[0.0, 1.25, 1.25, 1.25]]));
/// # Ok::<(), bptt::TrainingError>(())
/// ```
pub fn fill<F: Flat>(
    mask: &mut F,
    p: F::Scalar,
    mut uniform: impl FnMut() -> F::Scalar,
) -> Result<(), TrainingError> {
    let (zero, one) = (F::Scalar::ZERO, F::Scalar::ONE);
    setting("p", (zero..=one).contains(&p))?;
    let kept = if p == one { zero } else { one / (one - p) };
    for r in mask.as_flat_mut() {
        *r = if uniform() < p { zero } else { kept };
    }
    Ok(())
}

/// x = mask ⊙ x, entry by entry: forward with the inputs of a layer, backward with their gradient.
///
/// ```
/// use bptt::{Vector, dropout};
///
/// let mut x = Vector::<2>::from_columns([[3.0, 4.0]]);
/// dropout::apply(&Vector::from_columns([[0.0, 2.0]]), &mut x);
/// assert_eq!(x, Vector::from_columns([[0.0, 8.0]]));
/// ```
pub fn apply<F: Flat>(mask: &F, x: &mut F) {
    <F::Scalar as Sealed>::Core::multiply(x.as_flat_mut(), mask.as_flat());
}

/// x = x·factor
#[inline(always)]
pub(crate) fn multiply<V: Vector>(x: &mut [V::Scalar], factor: &[V::Scalar]) {
    if one_by_one::<V>() {
        return self::multiply::<V::Half>(x, factor);
    }
    for i in (0..x.len()).step_by(V::LANES) {
        (V::load(x, i) * V::load(factor, i)).store(x, i);
    }
}
