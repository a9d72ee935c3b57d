//! The dimensions that a shell hands to the core.

use crate::loss::Reduction;
use crate::{LengthMismatch, Real};

/// X inputs, A units, M samples; for an output layer A inputs and Y units. None is zero.
#[derive(Clone, Copy)]
pub struct Shape {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
}

impl Shape {
    /// What a shell hands on; checked when the program is compiled.
    #[inline(always)]
    pub(crate) const fn of<const X: usize, const A: usize, const M: usize>() -> Self {
        const {
            assert!(
                X > 0 && A > 0 && M > 0,
                "a matrix has at least one row and one column"
            )
        }
        Shape {
            inputs: X,
            units: A,
            batch: M,
        }
    }
}

/// The samples of a loss, M a step, and what becomes of their losses.
#[derive(Clone, Copy)]
pub struct Samples<'a, T> {
    /// M·T
    count: usize,
    pub(crate) weights: Option<&'a [T]>,
    reduction: Reduction,
}

impl<'a, T: Real> Samples<'a, T> {
    #[inline(always)]
    pub(crate) fn of<const M: usize>(
        steps: usize,
        weights: Option<&'a [[T; M]]>,
        reduction: Reduction,
    ) -> Result<Self, LengthMismatch> {
        if let Some(weights) = weights {
            LengthMismatch::check("weights", steps, weights.len())?;
        }
        Ok(Samples {
            count: steps * M,
            weights: weights.map(|weights| weights.as_flattened()),
            reduction,
        })
    }

    /// s: 1 for a sum, 1/(n·Σ w) for a mean over n terms a sample, 0 where nothing counts.
    pub(crate) fn scale(&self, n: usize) -> T {
        let terms = match (self.reduction, self.weights) {
            (Reduction::Sum, _) => T::ONE,
            (Reduction::Mean, None) => T::from_usize(self.count * n),
            (Reduction::Mean, Some(weights)) => {
                weights.iter().fold(T::ZERO, |sum, &w| sum + w) * T::from_usize(n)
            }
        };
        let s = T::ONE / terms;
        if s.abs() == T::INFINITY { T::ZERO } else { s }
    }

    /// The weights one after the other.
    pub(crate) fn weights(&self) -> impl FnMut() -> T {
        let mut weights = self.weights.unwrap_or_default().iter();
        move || weights.next().copied().unwrap_or(T::ONE)
    }
}

/// How many steps are worked through at a time, so that what one product writes is still in the
/// cache when the next one reads it.
pub(crate) const fn steps_at_a_time(batch: usize) -> usize {
    match crate::tuning::SEGMENT.checked_div(batch) {
        None | Some(0) => 1,
        Some(steps) => steps,
    }
}

/// Scalars first .. first + len of a slice; none where it has not so many.
#[inline(always)]
pub(crate) fn part<T>(of: &[T], first: usize, len: usize) -> &[T] {
    of.get(first..)
        .and_then(|rest| rest.get(..len))
        .unwrap_or_default()
}

/// [`part`], to be written.
#[inline(always)]
pub(crate) fn part_mut<T>(of: &mut [T], first: usize, len: usize) -> &mut [T] {
    of.get_mut(first..)
        .and_then(|rest| rest.get_mut(..len))
        .unwrap_or_default()
}

/// Overwrites `to` with as many of `from` as both have.
#[inline(always)]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The first N parts of `len` scalars each.
#[inline(always)]
pub(crate) fn parts<T, const N: usize>(of: &[T], len: usize) -> [&[T]; N] {
    let mut rest = of;
    let mut parts = [of; N];
    for part in &mut parts {
        (*part, rest) = rest.split_at_checked(len).unwrap_or_default();
    }
    parts
}

/// [`parts`], to be written.
#[inline(always)]
pub(crate) fn parts_mut<T, const N: usize>(of: &mut [T], len: usize) -> [&mut [T]; N] {
    let mut rest = of;
    [(); N].map(|()| {
        let (part, after) = core::mem::take(&mut rest)
            .split_at_mut_checked(len)
            .unwrap_or_default();
        rest = after;
        part
    })
}
