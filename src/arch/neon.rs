//! Vectors of NEON, which a 64-bit Arm processor has in any case.
//!
//! No operation here is a fused multiply-add: it rounds once where the contract says that each
//! operation rounds.

use core::arch::aarch64::*;
use core::ops::{Add, Div, Mul, Sub};

use super::wide::Wide;
use super::{Registers, Vector};

/// A vector of one register.
macro_rules! vector {
    (
        $(#[$doc:meta])* $name:ident($register:ident), $lanes:literal of $float:ident,
        sixteen $sixteen:ty,
        splat $splat:ident, read $read:ident, write $write:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident, max $max:ident, min $min:ident,
        abs $abs:ident, and $and:ident, test $test:ident, select $select:ident,
        to_bits $to_bits:ident, from_bits $from_bits:ident,
        left $left:path, right $right:path, sub_bits $sub_bits:ident,
        read_part $read_part:ident, write_part $write_part:ident, sum $sum:ident, sums $sums:ident $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        operators!($name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);

        #[allow(unused_unsafe)] // See `frame`.
        impl Vector for $name {
            type Scalar = $float;
            const LANES: usize = $lanes;
            const REGISTERS: Registers = Registers::ThirtyTwo;
            type Sixteen = $sixteen;
            type Half = Self;

            calls! {
                $name, $float, splat $splat, sqrt $sqrt,
                read_part $read_part, write_part $write_part, sum $sum, sums $sums
            }
            bits! {
                $name, to_bits $to_bits, from_bits $from_bits,
                left $left, right $right, sub_bits $sub_bits
            }
            #[inline(always)]
            unsafe fn read(from: *const $float) -> Self {
                // SAFETY: the caller's promise.
                $name(unsafe { $read(from) })
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $float) {
                // SAFETY: the caller's promise.
                unsafe { $write(to, self.0) }
            }
            // Where one of the two is a NaN, the instruction returns a NaN.
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
                $name(unsafe {
                    let normal = $test($to_bits(y.0), $to_bits($splat($float::INFINITY)));
                    $from_bits($and($to_bits(self.0), normal))
                })
            }
            #[inline(always)]
            fn with_sign_of(self, y: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $select($to_bits($splat(-0.0)), y.0, self.0) })
            }
        }
    };
}

vector! {
    /// 4 lanes of NEON.
    F32x4(float32x4_t), 4 of f32,
    sixteen Wide<Wide<F32x4>>,
    splat vdupq_n_f32, read vld1q_f32, write vst1q_f32,
    add vaddq_f32, sub vsubq_f32, mul vmulq_f32, div vdivq_f32, sqrt vsqrtq_f32, max vmaxq_f32, min vminq_f32,
    abs vabsq_f32, and vandq_u32, test vtstq_u32, select vbslq_f32,
    to_bits vreinterpretq_u32_f32, from_bits vreinterpretq_f32_u32,
    left vshlq_n_u32::<23>, right vshrq_n_u32::<1>, sub_bits vsubq_u32,
    read_part read_f32x4, write_part write_f32x4, sum sum_f32x4, sums sums_f32x4,
}

vector! {
    /// 2 lanes of NEON.
    F64x2(float64x2_t), 2 of f64,
    sixteen Wide<Wide<Wide<F64x2>>>,
    splat vdupq_n_f64, read vld1q_f64, write vst1q_f64,
    add vaddq_f64, sub vsubq_f64, mul vmulq_f64, div vdivq_f64, sqrt vsqrtq_f64, max vmaxq_f64, min vminq_f64,
    abs vabsq_f64, and vandq_u64, test vtstq_u64, select vbslq_f64,
    to_bits vreinterpretq_u64_f64, from_bits vreinterpretq_f64_u64,
    left vshlq_n_u64::<52>, right vshrq_n_u64::<1>, sub_bits vsubq_u64,
    read_part read_f64x2, write_part write_f64x2, sum vpaddd_f64, sums sums_f64x2,
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f32x4(from: *const f32, n: usize) -> float32x4_t {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        match n {
            0 => vdupq_n_f32(0.0),
            1 => vld1q_lane_f32::<0>(from, vdupq_n_f32(0.0)),
            2 => vcombine_f32(vld1_f32(from), vdup_n_f32(0.0)),
            _ => {
                let two = vcombine_f32(vld1_f32(from), vdup_n_f32(0.0));
                vld1q_lane_f32::<2>(from.wrapping_add(2), two)
            }
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f32x4(to: *mut f32, n: usize, v: float32x4_t) {
    // SAFETY: the caller's promise: no scalar but the first n is written.
    unsafe {
        match n {
            0 => {}
            1 => vst1q_lane_f32::<0>(to, v),
            2 => vst1_f32(to, vget_low_f32(v)),
            _ => {
                vst1_f32(to, vget_low_f32(v));
                vst1q_lane_f32::<2>(to.wrapping_add(2), v);
            }
        }
    }
}

/// (a + c) + (b + d)
///
/// # Safety
/// None but NEON; the same below.
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sum_f32x4(v: float32x4_t) -> f32 {
    // SAFETY: the caller's promise.
    unsafe { vpadds_f32(vadd_f32(vget_low_f32(v), vget_high_f32(v))) }
}

/// The same sums: the halves of two vectors side by side, then the neighbours of all four.
///
/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f32x4(a: float32x4_t, b: float32x4_t, c: float32x4_t, d: float32x4_t) -> [f32; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let lower = |x, y| vcombine_f32(vget_low_f32(x), vget_low_f32(y));
        let upper = |x, y| vcombine_f32(vget_high_f32(x), vget_high_f32(y));
        let ab = vaddq_f32(lower(a, b), upper(a, b));
        let cd = vaddq_f32(lower(c, d), upper(c, d));
        let mut sums = [0.0; 4];
        vst1q_f32(sums.as_mut_ptr(), vpaddq_f32(ab, cd));
        sums
    }
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f64x2(from: *const f64, n: usize) -> float64x2_t {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        let zero = vdupq_n_f64(0.0);
        if n == 0 {
            zero
        } else {
            vld1q_lane_f64::<0>(from, zero)
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f64x2(to: *mut f64, n: usize, v: float64x2_t) {
    if n > 0 {
        // SAFETY: the caller's promise: no scalar but the first n is written.
        unsafe { vst1q_lane_f64::<0>(to, v) }
    }
}

/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f64x2(a: float64x2_t, b: float64x2_t, c: float64x2_t, d: float64x2_t) -> [f64; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let mut sums = [0.0; 4];
        vst1q_f64(sums.as_mut_ptr(), vpaddq_f64(a, b));
        vst1q_f64(sums.as_mut_ptr().wrapping_add(2), vpaddq_f64(c, d));
        sums
    }
}
