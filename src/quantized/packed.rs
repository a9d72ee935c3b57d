//! The weights of the gates that see one vector, in the order in which the target's kernel reads
//! them.
//!
//! Units stand in blocks of [`Order::units`], the last one may be smaller. In a block of w units the
//! rows of all gates stand in one run, or those of each gate in a run of their own; in a run of R
//! rows the columns stand in groups of [`Order::columns`]: \[columns / p\]\[R\]\[p\], the last group may
//! be smaller. Nothing is padded, so that the array has the same size for every target.

use super::{Weight, order};
use crate::flat::{integer, value};

/// How a target's kernel reads the weights.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Units in a block.
    pub(crate) units: usize,
    /// Neighbouring columns that stand side by side.
    pub(crate) columns: usize,
    /// Whether the gates of a block stand in one run.
    pub(crate) together: bool,
    /// Whether 128 (32768) is added to each weight, modulo 2⁸ (2¹⁶), so that a load without a sign
    /// will do.
    pub(crate) offset: bool,
    /// Whether two rows of a block with all of its units share 16 bits, 256·odd + even, of weights of
    /// 8 bits.
    pub(crate) pairs: bool,
}

impl Order {
    /// Where the weight of (gate, unit, k) stands among gates × units × columns, and whether it is
    /// the second of a pair of rows, or the first of one.
    pub(crate) const fn place(
        &self,
        [gates, units, columns]: [usize; 3],
        [gate, unit, k]: [usize; 3],
    ) -> (usize, Half) {
        let first = down(unit, self.units);
        let width = least(self.units, units - first);
        let (rows, row, start) = if self.together {
            (
                gates * width,
                gate * width + unit - first,
                first * gates * columns,
            )
        } else {
            (
                width,
                unit - first,
                (first * gates + gate * width) * columns,
            )
        };
        let group = down(k, self.columns);
        let (p, k) = (least(self.columns, columns - group), k - group);
        let start = start + group * rows;
        // The plain form, which takes the rows of a smaller block, knows no pairs.
        if self.pairs && width == self.units && row | 1 < rows {
            let half = if row & 1 == 0 {
                Half::First
            } else {
                Half::Second
            };
            (start + (row & !1) * p + 2 * k + (row & 1), half)
        } else {
            (start + row * p + k, Half::Alone)
        }
    }

    /// Where the number of a row stands among gates × units.
    pub(crate) const fn row(&self, [gates, units]: [usize; 2], [gate, unit]: [usize; 2]) -> usize {
        let first = down(unit, self.units);
        first * gates + gate * least(self.units, units - first) + unit - first
    }
}

/// Which of a pair of rows.
#[derive(Clone, Copy)]
pub(crate) enum Half {
    Alone,
    First,
    Second,
}

/// The greatest multiple of `step` up to `n`.
const fn down(n: usize, step: usize) -> usize {
    match n.checked_div(step) {
        Some(steps) => steps * step,
        None => 0,
    }
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// The weights of G gates of A units that see K columns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C, align(4))] // The kernels load weights as words too.
pub(crate) struct Packed<const K: usize, const A: usize, const G: usize, W>([[[W; G]; K]; A]);

impl<const K: usize, const A: usize, const G: usize, W: Weight> Packed<K, A, G, W> {
    const ORDER: Order = order(G, size_of::<W>());
    /// What is added to each weight.
    const OFFSET: i32 = if Self::ORDER.offset {
        1 << (W::BITS - 1)
    } else {
        0
    };

    pub(crate) const ZEROS: Self = Packed([[[integer(Self::OFFSET); G]; K]; A]);

    pub(crate) fn flat(&self) -> &[W] {
        self.0.as_flattened().as_flattened()
    }

    /// What stands at a place, as it is stored.
    const fn stored(&self, at: usize) -> i32 {
        match G * K {
            0 => 0,
            columns => value(self.0[at / columns % A][at / G % K][at % G]),
        }
    }

    const fn store(&mut self, at: usize, weight: i32) {
        match G * K {
            0 => {}
            columns => self.0[at / columns % A][at / G % K][at % G] = integer(weight),
        }
    }

    /// The weight of \[gate, unit, k\].
    pub(crate) const fn get(&self, at: [usize; 3]) -> i32 {
        let (at, half) = Self::ORDER.place([G, A, K], at);
        let stored = self.stored(at);
        let weight = match half {
            Half::Alone | Half::First => stored,
            // Of 256·odd + even the upper byte is odd, less one where even is negative.
            Half::Second => stored + (self.stored(at.wrapping_sub(1)) < 0) as i32,
        };
        value(integer::<W>(weight - Self::OFFSET))
    }

    /// Sets the weight of \[gate, unit, k\], in ±[`Weight::LIMIT`].
    pub(crate) const fn set(&mut self, at: [usize; 3], weight: i32) {
        let (at, half) = Self::ORDER.place([G, A, K], at);
        let weight = weight + Self::OFFSET;
        match half {
            Half::Alone => self.store(at, weight),
            Half::First => {
                let odd = self.stored(at + 1) + (self.stored(at) < 0) as i32;
                self.store(at, weight);
                self.store(at + 1, odd - (weight < 0) as i32);
            }
            Half::Second => {
                let even = self.stored(at.wrapping_sub(1));
                self.store(at, weight - (even < 0) as i32);
            }
        }
    }
}
