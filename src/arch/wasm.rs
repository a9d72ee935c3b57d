//! Vectors of WebAssembly's 128-bit SIMD, where the compile target has it.

use core::arch::wasm32::*;
use core::ops::{Add, Div, Mul, Sub};

use super::wide::Wide;
use super::{Registers, Vector};

/// A vector of one register.
macro_rules! vector {
    (
        $(#[$doc:meta])* $name:ident, $lanes:literal of $float:ident,
        sixteen $sixteen:ty,
        splat $splat:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident, max $max:ident, min $min:ident,
        abs $abs:ident, less $less:ident, left $left:ident $exponent:literal, right $right:ident, sub_bits $sub_bits:ident,
        read_part $read_part:ident, write_part $write_part:ident, sum $sum:ident, sums $sums:ident $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name(v128);

        operators!($name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);

        #[allow(unused_unsafe)] // See `frame`.
        impl Vector for $name {
            type Scalar = $float;
            const LANES: usize = $lanes;
            const REGISTERS: Registers = Registers::Sixteen;
            type Sixteen = $sixteen;
            type Half = Self;

            calls! {
                $name, $float, splat $splat, sqrt $sqrt,
                read_part $read_part, write_part $write_part, sum $sum, sums $sums
            }
            #[inline(always)]
            unsafe fn read(from: *const $float) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { v128_load(from.cast()) })
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $float) {
                // SAFETY: the caller's promise.
                unsafe { v128_store(to.cast(), self.0) }
            }
            // Where one of the two is a NaN, the instruction returns the first.
            #[inline(always)]
            fn at_least(self, min: $float) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $max(self.0, $splat(min)) })
            }
            #[inline(always)]
            fn at_most(self, max: $float) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $min(self.0, $splat(max)) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            fn flush_as(self, y: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { v128_andnot(self.0, $less($abs(y.0), $splat($float::MIN_POSITIVE))) })
            }
            #[inline(always)]
            fn with_sign_of(self, y: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { v128_or(self.0, v128_and(y.0, $splat(-0.0))) })
            }
            #[inline(always)]
            fn lowest_bits_to_exponent(self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $left(self.0, $exponent) })
            }
            #[inline(always)]
            fn halve_bits(self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $right(self.0, 1) })
            }
            #[inline(always)]
            fn subtract_bits(self, other: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $sub_bits(self.0, other.0) })
            }
        }
    };
}

vector! {
    /// 4 lanes.
    F32x4, 4 of f32,
    sixteen Wide<Wide<F32x4>>,
    splat f32x4_splat,
    add f32x4_add, sub f32x4_sub, mul f32x4_mul, div f32x4_div, sqrt f32x4_sqrt, max f32x4_pmax, min f32x4_pmin,
    abs f32x4_abs, less f32x4_lt, left u32x4_shl 23, right u32x4_shr, sub_bits u32x4_sub,
    read_part read_f32x4, write_part write_f32x4, sum sum_f32x4, sums sums_f32x4,
}

vector! {
    /// 2 lanes.
    F64x2, 2 of f64,
    sixteen Wide<Wide<Wide<F64x2>>>,
    splat f64x2_splat,
    add f64x2_add, sub f64x2_sub, mul f64x2_mul, div f64x2_div, sqrt f64x2_sqrt, max f64x2_pmax, min f64x2_pmin,
    abs f64x2_abs, less f64x2_lt, left u64x2_shl 52, right u64x2_shr, sub_bits u64x2_sub,
    read_part read_f64x2, write_part write_f64x2, sum sum_f64x2, sums sums_f64x2,
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f32x4(from: *const f32, n: usize) -> v128 {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        match n {
            0 => f32x4_splat(0.0),
            1 => v128_load32_zero(from.cast()),
            2 => v128_load64_zero(from.cast()),
            _ => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.wrapping_add(2).cast()),
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f32x4(to: *mut f32, n: usize, v: v128) {
    // SAFETY: the caller's promise: no scalar but the first n is written.
    unsafe {
        match n {
            0 => {}
            1 => v128_store32_lane::<0>(v, to.cast()),
            2 => v128_store64_lane::<0>(v, to.cast()),
            _ => {
                v128_store64_lane::<0>(v, to.cast());
                v128_store32_lane::<2>(v, to.wrapping_add(2).cast());
            }
        }
    }
}

/// (a + c) + (b + d)
///
/// # Safety
/// None but 128-bit SIMD; the same below.
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sum_f32x4(v: v128) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let two = f32x4_add(v, u32x4_shuffle::<2, 3, 0, 1>(v, v));
        f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
    }
}

/// The same sums, two and then four of them side by side.
///
/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f32x4(a: v128, b: v128, c: v128, d: v128) -> [f32; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let ab = f32x4_add(
            u32x4_shuffle::<0, 1, 4, 5>(a, b),
            u32x4_shuffle::<2, 3, 6, 7>(a, b),
        );
        let cd = f32x4_add(
            u32x4_shuffle::<0, 1, 4, 5>(c, d),
            u32x4_shuffle::<2, 3, 6, 7>(c, d),
        );
        let even = u32x4_shuffle::<0, 2, 4, 6>(ab, cd);
        let odd = u32x4_shuffle::<1, 3, 5, 7>(ab, cd);
        let mut sums = [0.0_f32; 4];
        v128_store(sums.as_mut_ptr().cast(), f32x4_add(even, odd));
        sums
    }
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f64x2(from: *const f64, n: usize) -> v128 {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        if n == 0 {
            f64x2_splat(0.0)
        } else {
            v128_load64_zero(from.cast())
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f64x2(to: *mut f64, n: usize, v: v128) {
    if n > 0 {
        // SAFETY: the caller's promise: no scalar but the first n is written.
        unsafe { v128_store64_lane::<0>(v, to.cast()) }
    }
}

/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sum_f64x2(v: v128) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { f64x2_extract_lane::<0>(v) + f64x2_extract_lane::<1>(v) }
}

/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f64x2(a: v128, b: v128, c: v128, d: v128) -> [f64; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let ab = f64x2_add(u64x2_shuffle::<0, 2>(a, b), u64x2_shuffle::<1, 3>(a, b));
        let cd = f64x2_add(u64x2_shuffle::<0, 2>(c, d), u64x2_shuffle::<1, 3>(c, d));
        let mut sums = [0.0_f64; 4];
        v128_store(sums.as_mut_ptr().cast(), ab);
        v128_store(sums.as_mut_ptr().wrapping_add(2).cast(), cd);
        sums
    }
}
