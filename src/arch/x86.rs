//! Vectors of x86: SSE2 in any case, AVX2 and AVX-512 where the processor has them.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Sub};

use super::wide::Wide;
use super::{Registers, Vector};

/// A place in memory with any alignment. The loads and stores among the intrinsics would do, but in
/// a build with debug assertions each of them checks its pointer.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned<T>(T);

/// A vector of one register.
macro_rules! vector {
    (
        $(#[$doc:meta])* $name:ident($register:ident), $lanes:literal of $float:ident, $registers:ident,
        sixteen $sixteen:ty, half $half:ty,
        splat $splat:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident, max $max:ident, min $min:ident,
        and $and:ident, or $or:ident, flush $flush:ident,
        to_bits $to_bits:ident, from_bits $from_bits:ident,
        left $left:path, right $right:path, sub_bits $sub_bits:ident,
        read_part $read_part:ident, write_part $write_part:ident, sum $sum:ident, sums $sums:ident $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        operators!($name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);

        #[allow(unused_unsafe)] // See `frame`.
        impl $name {
            /// The bits of the sign alone, or of all but it.
            #[inline(always)]
            fn sign(negative: bool) -> Self {
                let sign: $float = -0.0;
                Self::splat(if negative { sign } else { $float::from_bits(!sign.to_bits()) })
            }
        }

        #[allow(unused_unsafe)] // See `frame`.
        impl Vector for $name {
            type Scalar = $float;
            const LANES: usize = $lanes;
            const REGISTERS: Registers = Registers::$registers;
            type Sixteen = $sixteen;
            type Half = $half;

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
                $name(unsafe { (*from.cast::<Unaligned<$register>>()).0 })
            }
            #[inline(always)]
            unsafe fn read_one(from: *const $float) -> $float {
                // SAFETY: the caller's promise.
                unsafe { (*from.cast::<Unaligned<$float>>()).0 }
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $float) {
                // SAFETY: the caller's promise.
                unsafe { *to.cast::<Unaligned<$register>>() = Unaligned(self.0) }
            }
            // Where one of the two is a NaN, the instruction returns the second.
            #[inline(always)]
            fn at_least(self, min: $float) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $max(Self::splat(min).0, self.0) })
            }
            #[inline(always)]
            fn at_most(self, max: $float) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $min(Self::splat(max).0, self.0) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $and(self.0, Self::sign(false).0) })
            }
            #[inline(always)]
            fn flush_as(self, y: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $flush(self.0, y.0) })
            }
            #[inline(always)]
            fn with_sign_of(self, y: Self) -> Self {
                // SAFETY: as for `splat`.
                $name(unsafe { $or(self.0, $and(y.0, Self::sign(true).0)) })
            }
        }
    };
}

// ------------------------------------------------------------------------------------------ SSE2

vector! {
    /// 4 lanes of SSE2.
    F32x4(__m128), 4 of f32, Sixteen,
    sixteen Wide<Wide<F32x4>>, half F32x4,
    splat _mm_set1_ps,
    add _mm_add_ps, sub _mm_sub_ps, mul _mm_mul_ps, div _mm_div_ps, sqrt _mm_sqrt_ps, max _mm_max_ps, min _mm_min_ps,
    and _mm_and_ps, or _mm_or_ps, flush flush_f32x4,
    to_bits _mm_castps_si128, from_bits _mm_castsi128_ps,
    left _mm_slli_epi32::<23>, right _mm_srli_epi32::<1>, sub_bits _mm_sub_epi32,
    read_part read_f32x4, write_part write_f32x4, sum sum_f32x4, sums sums_f32x4,
}

vector! {
    /// 2 lanes of SSE2.
    F64x2(__m128d), 2 of f64, Sixteen,
    sixteen Wide<Wide<Wide<F64x2>>>, half F64x2,
    splat _mm_set1_pd,
    add _mm_add_pd, sub _mm_sub_pd, mul _mm_mul_pd, div _mm_div_pd, sqrt _mm_sqrt_pd, max _mm_max_pd, min _mm_min_pd,
    and _mm_and_pd, or _mm_or_pd, flush flush_f64x2,
    to_bits _mm_castpd_si128, from_bits _mm_castsi128_pd,
    left _mm_slli_epi64::<52>, right _mm_srli_epi64::<1>, sub_bits _mm_sub_epi64,
    read_part read_f64x2, write_part write_f64x2, sum sum_f64x2, sums sums_f64x2,
}

/// v, or zero where no bit of the exponent of y is set.
///
/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn flush_f32x4(v: __m128, y: __m128) -> __m128 {
    // SAFETY: the caller's promise.
    unsafe {
        let infinity = _mm_set1_ps(f32::INFINITY);
        let exponent = _mm_castps_si128(_mm_and_ps(y, infinity));
        let zero = _mm_cmpeq_epi32(exponent, _mm_setzero_si128());
        _mm_andnot_ps(_mm_castsi128_ps(zero), v)
    }
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f32x4(from: *const f32, n: usize) -> __m128 {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        match n {
            0 => _mm_setzero_ps(),
            1 => _mm_load_ss(from),
            2 => _mm_castsi128_ps(_mm_loadl_epi64(from.cast())),
            _ => {
                let two = _mm_castsi128_ps(_mm_loadl_epi64(from.cast()));
                _mm_movelh_ps(two, _mm_load_ss(from.wrapping_add(2)))
            }
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f32x4(to: *mut f32, n: usize, v: __m128) {
    // SAFETY: the caller's promise: no scalar but the first n is written.
    unsafe {
        match n {
            0 => {}
            1 => _mm_store_ss(to, v),
            2 => _mm_storel_epi64(to.cast(), _mm_castps_si128(v)),
            _ => {
                _mm_storel_epi64(to.cast(), _mm_castps_si128(v));
                _mm_store_ss(to.wrapping_add(2), _mm_movehl_ps(v, v));
            }
        }
    }
}

/// (a + c) + (b + d)
///
/// # Safety
/// None but SSE2; the same below for each instruction set.
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sum_f32x4(v: __m128) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let two = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

/// The same sums, two and then four of them side by side.
///
/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f32x4(a: __m128, b: __m128, c: __m128, d: __m128) -> [f32; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
        let cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
        let (even, odd) = (
            _mm_shuffle_ps::<0x88>(ab, cd),
            _mm_shuffle_ps::<0xdd>(ab, cd),
        );
        let mut sums = [0.0; 4];
        _mm_storeu_ps(sums.as_mut_ptr(), _mm_add_ps(even, odd));
        sums
    }
}

/// As [`flush_f32x4`]; SSE2 cannot compare integers of 64 bits.
///
/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn flush_f64x2(v: __m128d, y: __m128d) -> __m128d {
    // SAFETY: the caller's promise.
    unsafe {
        let magnitude = _mm_andnot_pd(_mm_set1_pd(-0.0), y);
        _mm_andnot_pd(_mm_cmplt_pd(magnitude, _mm_set1_pd(f64::MIN_POSITIVE)), v)
    }
}

/// # Safety
/// As [`Vector::read_part`].
#[inline(always)]
unsafe fn read_f64x2(from: *const f64, n: usize) -> __m128d {
    // SAFETY: the caller's promise: no scalar but the first n is read.
    unsafe {
        if n == 0 {
            _mm_setzero_pd()
        } else {
            _mm_load_sd(from)
        }
    }
}

/// # Safety
/// As [`Vector::write_part`].
#[inline(always)]
unsafe fn write_f64x2(to: *mut f64, n: usize, v: __m128d) {
    if n > 0 {
        // SAFETY: the caller's promise: no scalar but the first n is written.
        unsafe { _mm_store_sd(to, v) }
    }
}

/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sum_f64x2(v: __m128d) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v))) }
}

/// # Safety
/// As [`sum_f32x4`].
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn sums_f64x2(a: __m128d, b: __m128d, c: __m128d, d: __m128d) -> [f64; 4] {
    // SAFETY: the caller's promise; the array has four scalars.
    unsafe {
        let ab = _mm_add_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b));
        let cd = _mm_add_pd(_mm_unpacklo_pd(c, d), _mm_unpackhi_pd(c, d));
        let mut sums = [0.0; 4];
        _mm_storeu_pd(sums.as_mut_ptr(), ab);
        _mm_storeu_pd(sums.as_mut_ptr().wrapping_add(2), cd);
        sums
    }
}

// ------------------------------------------------------------------------------------------ AVX2

#[cfg(bptt_avx2)]
pub(super) use avx2::{F32x8, F64x4};

#[cfg(bptt_avx2)]
mod avx2 {
    use super::*;

    vector! {
        /// 8 lanes of AVX2.
        F32x8(__m256), 8 of f32, Sixteen,
        sixteen Wide<F32x8>, half F32x4,
        splat _mm256_set1_ps,
        add _mm256_add_ps, sub _mm256_sub_ps, mul _mm256_mul_ps, div _mm256_div_ps, sqrt _mm256_sqrt_ps,
        max _mm256_max_ps, min _mm256_min_ps,
        and _mm256_and_ps, or _mm256_or_ps, flush flush_f32x8,
        to_bits _mm256_castps_si256, from_bits _mm256_castsi256_ps,
        left _mm256_slli_epi32::<23>, right _mm256_srli_epi32::<1>, sub_bits _mm256_sub_epi32,
        read_part read_f32x8, write_part write_f32x8, sum sum_f32x8, sums sums_f32x8,
    }

    vector! {
        /// 4 lanes of AVX2.
        F64x4(__m256d), 4 of f64, Sixteen,
        sixteen Wide<Wide<F64x4>>, half F64x2,
        splat _mm256_set1_pd,
        add _mm256_add_pd, sub _mm256_sub_pd, mul _mm256_mul_pd, div _mm256_div_pd, sqrt _mm256_sqrt_pd,
        max _mm256_max_pd, min _mm256_min_pd,
        and _mm256_and_pd, or _mm256_or_pd, flush flush_f64x4,
        to_bits _mm256_castpd_si256, from_bits _mm256_castsi256_pd,
        left _mm256_slli_epi64::<52>, right _mm256_srli_epi64::<1>, sub_bits _mm256_sub_epi64,
        read_part read_f64x4, write_part write_f64x4, sum sum_f64x4, sums sums_f64x4,
    }

    /// Eight times all bits, then eight times none: from 8 − n on, the mask of n lanes.
    static MASK: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    /// # Safety
    /// AVX2; n is at most 8.
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        debug_assert!(n <= 8);
        let from = MASK.as_ptr().wrapping_add(8 - n);
        // SAFETY: the caller's promise: 8 of the 16 integers from 8 − n on. The intrinsic would be a
        // call where the user's build checks its own preconditions.
        unsafe { (*from.cast::<Unaligned<__m256i>>()).0 }
    }

    /// v, or zero where no bit of the exponent of y is set.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn flush_f32x8(v: __m256, y: __m256) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe {
            let infinity = _mm256_set1_ps(f32::INFINITY);
            let exponent = _mm256_castps_si256(_mm256_and_ps(y, infinity));
            let zero = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
            _mm256_andnot_ps(_mm256_castsi256_ps(zero), v)
        }
    }

    /// # Safety
    /// As [`Vector::read_part`].
    #[inline(always)]
    unsafe fn read_f32x8(from: *const f32, n: usize) -> __m256 {
        // SAFETY: the caller's promise: no scalar that the mask hides is read.
        unsafe { _mm256_maskload_ps(from, mask(n)) }
    }

    /// # Safety
    /// As [`Vector::write_part`].
    #[inline(always)]
    unsafe fn write_f32x8(to: *mut f32, n: usize, v: __m256) {
        // SAFETY: the caller's promise: no scalar that the mask hides is written.
        unsafe { _mm256_maskstore_ps(to, mask(n), v) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sum_f32x8(v: __m256) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            sum_f32x4(_mm_add_ps(
                _mm256_castps256_ps128(v),
                _mm256_extractf128_ps::<1>(v),
            ))
        }
    }

    /// The sum of both halves.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn half_f32x8(v: __m256) -> __m128 {
        // SAFETY: the caller's promise.
        unsafe { _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sums_f32x8(a: __m256, b: __m256, c: __m256, d: __m256) -> [f32; 4] {
        // SAFETY: the caller's promise.
        unsafe { sums_f32x4(half_f32x8(a), half_f32x8(b), half_f32x8(c), half_f32x8(d)) }
    }

    /// v, or zero where no bit of the exponent of y is set.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn flush_f64x4(v: __m256d, y: __m256d) -> __m256d {
        // SAFETY: the caller's promise.
        unsafe {
            let infinity = _mm256_set1_pd(f64::INFINITY);
            let exponent = _mm256_castpd_si256(_mm256_and_pd(y, infinity));
            let zero = _mm256_cmpeq_epi64(exponent, _mm256_setzero_si256());
            _mm256_andnot_pd(_mm256_castsi256_pd(zero), v)
        }
    }

    /// # Safety
    /// As [`Vector::read_part`].
    #[inline(always)]
    unsafe fn read_f64x4(from: *const f64, n: usize) -> __m256d {
        // SAFETY: the caller's promise: no scalar that the mask hides is read.
        unsafe { _mm256_maskload_pd(from, mask(2 * n)) }
    }

    /// # Safety
    /// As [`Vector::write_part`].
    #[inline(always)]
    unsafe fn write_f64x4(to: *mut f64, n: usize, v: __m256d) {
        // SAFETY: the caller's promise: no scalar that the mask hides is written.
        unsafe { _mm256_maskstore_pd(to, mask(2 * n), v) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sum_f64x4(v: __m256d) -> f64 {
        // SAFETY: the caller's promise.
        unsafe {
            sum_f64x2(_mm_add_pd(
                _mm256_castpd256_pd128(v),
                _mm256_extractf128_pd::<1>(v),
            ))
        }
    }

    /// The sum of both halves.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn half_f64x4(v: __m256d) -> __m128d {
        // SAFETY: the caller's promise.
        unsafe { _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v)) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sums_f64x4(a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> [f64; 4] {
        // SAFETY: the caller's promise.
        unsafe { sums_f64x2(half_f64x4(a), half_f64x4(b), half_f64x4(c), half_f64x4(d)) }
    }
}

// --------------------------------------------------------------------------------------- AVX-512

#[cfg(bptt_avx512)]
pub(super) use avx512::{F32x16, F64x8};

// Compiled only by a compiler that has them (`build.rs`).
#[cfg(bptt_avx512)]
#[allow(clippy::incompatible_msrv)]
mod avx512 {
    use super::*;

    vector! {
        /// 16 lanes of AVX-512.
        F32x16(__m512), 16 of f32, ThirtyTwo,
        sixteen F32x16, half F32x8,
        splat _mm512_set1_ps,
        add _mm512_add_ps, sub _mm512_sub_ps, mul _mm512_mul_ps, div _mm512_div_ps, sqrt _mm512_sqrt_ps,
        max _mm512_max_ps, min _mm512_min_ps,
        and _mm512_and_ps, or _mm512_or_ps, flush flush_f32x16,
        to_bits _mm512_castps_si512, from_bits _mm512_castsi512_ps,
        left _mm512_slli_epi32::<23>, right _mm512_srli_epi32::<1>, sub_bits _mm512_sub_epi32,
        read_part read_f32x16, write_part write_f32x16, sum sum_f32x16, sums sums_f32x16,
    }

    vector! {
        /// 8 lanes of AVX-512.
        F64x8(__m512d), 8 of f64, ThirtyTwo,
        sixteen Wide<F64x8>, half F64x4,
        splat _mm512_set1_pd,
        add _mm512_add_pd, sub _mm512_sub_pd, mul _mm512_mul_pd, div _mm512_div_pd, sqrt _mm512_sqrt_pd,
        max _mm512_max_pd, min _mm512_min_pd,
        and _mm512_and_pd, or _mm512_or_pd, flush flush_f64x8,
        to_bits _mm512_castpd_si512, from_bits _mm512_castsi512_pd,
        left _mm512_slli_epi64::<52>, right _mm512_srli_epi64::<1>, sub_bits _mm512_sub_epi64,
        read_part read_f64x8, write_part write_f64x8, sum sum_f64x8, sums sums_f64x8,
    }

    /// v, or zero where no bit of the exponent of y is set.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn flush_f32x16(v: __m512, y: __m512) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe {
            let infinity = _mm512_castps_si512(_mm512_set1_ps(f32::INFINITY));
            _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(y), infinity), v)
        }
    }

    /// # Safety
    /// As [`Vector::read_part`].
    #[inline(always)]
    unsafe fn read_f32x16(from: *const f32, n: usize) -> __m512 {
        // SAFETY: the caller's promise: no scalar that the mask hides is read.
        unsafe { _mm512_maskz_loadu_ps((1_u32 << (n & 15)).wrapping_sub(1) as u16, from) }
    }

    /// # Safety
    /// As [`Vector::write_part`].
    #[inline(always)]
    unsafe fn write_f32x16(to: *mut f32, n: usize, v: __m512) {
        // SAFETY: the caller's promise: no scalar that the mask hides is written.
        unsafe { _mm512_mask_storeu_ps(to, (1_u32 << (n & 15)).wrapping_sub(1) as u16, v) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sum_f32x16(v: __m512) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let (lower, upper) = (_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
            let half = _mm256_add_ps(lower, upper);
            sum_f32x4(_mm_add_ps(
                _mm256_castps256_ps128(half),
                _mm256_extractf128_ps::<1>(half),
            ))
        }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sums_f32x16(a: __m512, b: __m512, c: __m512, d: __m512) -> [f32; 4] {
        // SAFETY: the caller's promise; the array has sixteen scalars.
        unsafe {
            // Two halves of a and of b, then four quarters of each.
            let ab = _mm512_add_ps(
                _mm512_shuffle_f32x4::<0x44>(a, b),
                _mm512_shuffle_f32x4::<0xee>(a, b),
            );
            let cd = _mm512_add_ps(
                _mm512_shuffle_f32x4::<0x44>(c, d),
                _mm512_shuffle_f32x4::<0xee>(c, d),
            );
            let four = _mm512_add_ps(
                _mm512_shuffle_f32x4::<0x88>(ab, cd),
                _mm512_shuffle_f32x4::<0xdd>(ab, cd),
            );
            let two = _mm512_add_ps(four, _mm512_permute_ps::<0x4e>(four));
            let one = _mm512_add_ps(two, _mm512_permute_ps::<0xb1>(two));
            let mut sums = [0.0; 16];
            _mm512_storeu_ps(sums.as_mut_ptr(), one);
            [sums[0], sums[4], sums[8], sums[12]]
        }
    }

    /// v, or zero where no bit of the exponent of y is set.
    ///
    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn flush_f64x8(v: __m512d, y: __m512d) -> __m512d {
        // SAFETY: the caller's promise.
        unsafe {
            let infinity = _mm512_castpd_si512(_mm512_set1_pd(f64::INFINITY));
            _mm512_maskz_mov_pd(_mm512_test_epi64_mask(_mm512_castpd_si512(y), infinity), v)
        }
    }

    /// # Safety
    /// As [`Vector::read_part`].
    #[inline(always)]
    unsafe fn read_f64x8(from: *const f64, n: usize) -> __m512d {
        // SAFETY: the caller's promise: no scalar that the mask hides is read.
        unsafe { _mm512_maskz_loadu_pd((1_u32 << (n & 7)).wrapping_sub(1) as u8, from) }
    }

    /// # Safety
    /// As [`Vector::write_part`].
    #[inline(always)]
    unsafe fn write_f64x8(to: *mut f64, n: usize, v: __m512d) {
        // SAFETY: the caller's promise: no scalar that the mask hides is written.
        unsafe { _mm512_mask_storeu_pd(to, (1_u32 << (n & 7)).wrapping_sub(1) as u8, v) }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sum_f64x8(v: __m512d) -> f64 {
        // SAFETY: the caller's promise.
        unsafe {
            let half = _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v));
            sum_f64x2(_mm_add_pd(
                _mm256_castpd256_pd128(half),
                _mm256_extractf128_pd::<1>(half),
            ))
        }
    }

    /// # Safety
    /// As [`sum_f32x4`].
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn sums_f64x8(a: __m512d, b: __m512d, c: __m512d, d: __m512d) -> [f64; 4] {
        // SAFETY: the caller's promise.
        unsafe { [sum_f64x8(a), sum_f64x8(b), sum_f64x8(c), sum_f64x8(d)] }
    }
}
