//! Two vectors as one of twice as many lanes.

use core::ops::{Add, Div, Mul, Sub};

use super::{Registers, Vector};
use crate::Real;

/// The lower lanes, then the upper ones.
#[derive(Clone, Copy)]
pub(crate) struct Wide<V>(V, V);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<V: Vector> $trait for Wide<V> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Wide(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<V: Vector> Vector for Wide<V> {
    type Scalar = V::Scalar;
    const LANES: usize = 2 * V::LANES;
    const REGISTERS: Registers = V::REGISTERS;
    type Sixteen = V::Sixteen;
    type Half = V;

    #[inline(always)]
    fn splat(x: V::Scalar) -> Self {
        Wide(V::splat(x), V::splat(x))
    }
    #[inline(always)]
    unsafe fn read(from: *const V::Scalar) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Wide(V::read(from), V::read(from.wrapping_add(V::LANES))) }
    }
    #[inline(always)]
    unsafe fn read_part(from: *const V::Scalar, n: usize) -> Self {
        // SAFETY: the caller's promise; n is less than both have.
        unsafe {
            if n < V::LANES {
                Wide(V::read_part(from, n), V::splat(V::Scalar::ZERO))
            } else {
                let upper = from.wrapping_add(V::LANES);
                Wide(V::read(from), V::read_part(upper, n - V::LANES))
            }
        }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut V::Scalar) {
        // SAFETY: the caller's promise.
        unsafe {
            self.0.write(to);
            self.1.write(to.wrapping_add(V::LANES));
        }
    }
    #[inline(always)]
    unsafe fn write_part(self, to: *mut V::Scalar, n: usize) {
        // SAFETY: the caller's promise; n is less than both have.
        unsafe {
            if n < V::LANES {
                self.0.write_part(to, n);
            } else {
                self.0.write(to);
                self.1.write_part(to.wrapping_add(V::LANES), n - V::LANES);
            }
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Wide(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn at_least(self, min: V::Scalar) -> Self {
        Wide(self.0.at_least(min), self.1.at_least(min))
    }
    #[inline(always)]
    fn at_most(self, max: V::Scalar) -> Self {
        Wide(self.0.at_most(max), self.1.at_most(max))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Wide(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn flush_as(self, y: Self) -> Self {
        Wide(self.0.flush_as(y.0), self.1.flush_as(y.1))
    }
    #[inline(always)]
    fn with_sign_of(self, y: Self) -> Self {
        Wide(self.0.with_sign_of(y.0), self.1.with_sign_of(y.1))
    }
    #[inline(always)]
    fn lowest_bits_to_exponent(self) -> Self {
        Wide(
            self.0.lowest_bits_to_exponent(),
            self.1.lowest_bits_to_exponent(),
        )
    }
    #[inline(always)]
    fn halve_bits(self) -> Self {
        Wide(self.0.halve_bits(), self.1.halve_bits())
    }
    #[inline(always)]
    fn subtract_bits(self, other: Self) -> Self {
        Wide(self.0.subtract_bits(other.0), self.1.subtract_bits(other.1))
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Wide(self.0.sigmoid(), self.1.sigmoid())
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Wide(self.0.tanh(), self.1.tanh())
    }
    #[inline(always)]
    fn sum(self) -> V::Scalar {
        (self.0 + self.1).sum()
    }
    #[inline(always)]
    fn sums(of: [Self; 4]) -> [V::Scalar; 4] {
        let [a, b, c, d] = of;
        V::sums([a.0 + a.1, b.0 + b.1, c.0 + c.1, d.0 + d.1])
    }
}
