//! The vectors of x86: SSE2 in any case, AVX2 and AVX-512 where the processor has them.
//!
//! Intrinsics are `unsafe` to call, or not, depending on the version of the language. A call is
//! sound since a vector's type is named only where the processor has its instructions.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::lanes::{self, Lanes};
use crate::quantized::Weight;

/// A place in memory with any alignment, as in [`arch::x86`](crate::arch).
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned<T>(T);

/// # Safety
/// A T can be read.
#[inline(always)]
unsafe fn read<T: Copy, F>(from: *const F) -> T {
    // SAFETY: the caller's promise.
    unsafe { (*from.cast::<Unaligned<T>>()).0 }
}

/// # Safety
/// A T can be written.
#[inline(always)]
unsafe fn write<T, F>(to: *mut F, value: T) {
    // SAFETY: the caller's promise.
    unsafe { *to.cast::<Unaligned<T>>() = Unaligned(value) }
}

/// v\[0\] and v\[1\] as the halves of 32 bits; 0 in the place of v\[1\] where there is one column.
///
/// # Safety
/// `columns` integers can be read.
#[inline(always)]
unsafe fn pair(columns: usize, v: *const i16) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        match columns {
            2 => read(v),
            _ => i32::from(read::<u16, _>(v)),
        }
    }
}

// ------------------------------------------------------------------------------------------ SSE2

/// 4 lanes of SSE2.
#[derive(Clone, Copy)]
pub(crate) struct I32x4(__m128i);

impl Lanes for I32x4 {
    const LANES: usize = 4;
    const COLUMNS: usize = 2;

    #[inline(always)]
    unsafe fn read(from: *const i32) -> Self {
        // SAFETY: the caller's promise.
        I32x4(unsafe { read(from) })
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { write(to, self.0) }
    }
    #[inline(always)]
    unsafe fn add<W: Weight>(self, columns: usize, w: *const W, v: *const i16) -> Self {
        // SAFETY: the caller's promise: 4 weights a column.
        unsafe {
            // A weight of 8 bits goes to the upper half of 16 and is shifted down. With one column
            // the second of each pair is 0.
            let w = match (W::BITS, columns) {
                (8, 2) => {
                    let w = lower_half(read(w));
                    _mm_srai_epi16::<8>(_mm_unpacklo_epi8(w, w))
                }
                (8, _) => {
                    let w = _mm_cvtsi32_si128(read(w));
                    let w = _mm_srai_epi16::<8>(_mm_unpacklo_epi8(w, w));
                    _mm_unpacklo_epi16(w, _mm_setzero_si128())
                }
                (_, 2) => read(w),
                _ => _mm_unpacklo_epi16(lower_half(read(w)), _mm_setzero_si128()),
            };
            let products = _mm_madd_epi16(w, _mm_set1_epi32(pair(columns, v)));
            I32x4(_mm_add_epi32(self.0, products))
        }
    }
    #[inline(never)]
    fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
        lanes::add::<Self, W>(sums, w, v);
    }
}

/// 64 bits in the lower half; with 32 bits there is no instruction for it.
///
/// # Safety
/// None but SSE2.
#[inline(always)]
#[allow(unused_unsafe)]
unsafe fn lower_half(n: i64) -> __m128i {
    // SAFETY: the caller's promise.
    unsafe { _mm_set_epi64x(0, n) }
}

// ------------------------------------------------------------------------------------------ AVX2

#[cfg(bptt_avx2)]
pub(super) use avx2::I32x8;

#[cfg(bptt_avx2)]
mod avx2 {
    use super::*;
    use crate::arch::integers::lanes::Arithmetic;

    /// 8 lanes of AVX2.
    #[derive(Clone, Copy)]
    pub(crate) struct I32x8(__m256i);

    impl Lanes for I32x8 {
        const LANES: usize = 8;
        const COLUMNS: usize = 2;

        #[inline(always)]
        unsafe fn read(from: *const i32) -> Self {
            // SAFETY: the caller's promise.
            I32x8(unsafe { read(from) })
        }
        #[inline(always)]
        unsafe fn write(self, to: *mut i32) {
            // SAFETY: the caller's promise.
            unsafe { write(to, self.0) }
        }
        #[inline(always)]
        unsafe fn add<W: Weight>(self, columns: usize, w: *const W, v: *const i16) -> Self {
            // SAFETY: the caller's promise: 8 weights a column. With one column, the upper half of
            // a weight of 32 bits meets 0.
            unsafe {
                let w = match (W::BITS, columns) {
                    (8, 2) => _mm256_cvtepi8_epi16(read(w)),
                    (8, _) => _mm256_cvtepi8_epi32(_mm_set_epi64x(0, read(w))),
                    (_, 2) => read(w),
                    _ => _mm256_cvtepi16_epi32(read(w)),
                };
                let products = _mm256_madd_epi16(w, _mm256_set1_epi32(pair(columns, v)));
                I32x8(_mm256_add_epi32(self.0, products))
            }
        }
        #[inline(always)]
        fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
            #[inline(never)]
            #[target_feature(enable = "avx2")]
            unsafe fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
                lanes::add::<I32x8, W>(sums, w, v);
            }
            // SAFETY: this type is named only where the processor has the instructions.
            unsafe { add_all(sums, w, v) }
        }
    }

    /// Eight times all bits, then eight times none: from 8 − n on, the mask of n lanes.
    static MASK: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    /// # Safety
    /// n is at most 8.
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        // SAFETY: the caller's promise: 8 of the 16 integers from 8 − n on.
        unsafe { read(MASK.as_ptr().wrapping_add(8 - n)) }
    }

    #[allow(unused_unsafe)] // See above.
    impl Arithmetic for I32x8 {
        #[inline(always)]
        fn splat(n: i32) -> Self {
            // SAFETY: this type is named only where the processor has the instructions.
            I32x8(unsafe { _mm256_set1_epi32(n) })
        }
        #[inline(always)]
        unsafe fn read_part(from: *const i32, n: usize) -> Self {
            // SAFETY: the caller's promise: no integer that the mask hides is read.
            I32x8(unsafe { _mm256_maskload_epi32(from, mask(n)) })
        }
        #[inline(always)]
        unsafe fn write_part(self, to: *mut i32, n: usize) {
            // SAFETY: the caller's promise: no integer that the mask hides is written.
            unsafe { _mm256_maskstore_epi32(to, mask(n), self.0) }
        }
        #[inline(always)]
        unsafe fn read_16(from: *const i16) -> Self {
            // SAFETY: the caller's promise.
            I32x8(unsafe { _mm256_cvtepi16_epi32(read(from)) })
        }
        #[inline(always)]
        unsafe fn write_16(self, to: *mut i16) {
            // SAFETY: the caller's promise. The lower bytes of each half go to its lower 64 bits.
            unsafe {
                let lower = _mm256_setr_epi8(
                    0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, //
                    0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1,
                );
                let halves = _mm256_shuffle_epi8(self.0, lower);
                let all = _mm256_permute4x64_epi64::<0b1000>(halves);
                write(to, _mm256_castsi256_si128(all));
            }
        }
        #[inline(always)]
        unsafe fn read_part_16(from: *const i16, n: usize) -> Self {
            let mut room = [0_i16; 8];
            for (i, to) in room.iter_mut().enumerate().take(n) {
                // SAFETY: the caller's promise.
                *to = unsafe { *from.wrapping_add(i) };
            }
            // SAFETY: there are 8 integers.
            unsafe { Self::read_16(room.as_ptr()) }
        }
        #[inline(always)]
        unsafe fn write_part_16(self, to: *mut i16, n: usize) {
            let mut room = [0_i16; 8];
            // SAFETY: there are 8 integers.
            unsafe { self.write_16(room.as_mut_ptr()) };
            for (i, from) in room.iter().enumerate().take(n) {
                // SAFETY: the caller's promise.
                unsafe { *to.wrapping_add(i) = *from };
            }
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            // SAFETY: as for `splat`; the same below.
            I32x8(unsafe { _mm256_add_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_sub_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn times(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_mullo_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn and(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_and_si256(self.0, other.0) })
        }
        #[inline(always)]
        fn clamp(self, least: i32, most: i32) -> Self {
            // SAFETY: as above.
            I32x8(unsafe {
                let at_least = _mm256_max_epi32(self.0, _mm256_set1_epi32(least));
                _mm256_min_epi32(at_least, _mm256_set1_epi32(most))
            })
        }
        #[inline(always)]
        fn left(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn right(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_sra_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn right_unsigned(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn left_by(self, n: Self) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_sllv_epi32(self.0, n.0) })
        }
        #[inline(always)]
        fn right_by(self, n: Self) -> Self {
            // SAFETY: as above.
            I32x8(unsafe { _mm256_srav_epi32(self.0, n.0) })
        }
        #[inline(always)]
        fn where_at_least(self, z: Self, least: i32) -> Self {
            // SAFETY: as above.
            I32x8(unsafe {
                let less = _mm256_cmpgt_epi32(_mm256_set1_epi32(least), z.0);
                _mm256_andnot_si256(less, self.0)
            })
        }
        #[inline(always)]
        unsafe fn look_up(table: *const u32, index: Self) -> Self {
            // SAFETY: the caller's promise.
            I32x8(unsafe { _mm256_i32gather_epi32::<4>(table.cast(), index.0) })
        }
    }
}

// --------------------------------------------------------------------------------------- AVX-512

#[cfg(bptt_avx512)]
pub(super) use avx512::I32x16;

// Compiled only by a compiler that has them (`build.rs`).
#[cfg(bptt_avx512)]
#[allow(clippy::incompatible_msrv)]
mod avx512 {
    use super::*;
    use crate::arch::integers::lanes::Arithmetic;

    /// 16 lanes of AVX-512.
    #[derive(Clone, Copy)]
    pub(crate) struct I32x16(__m512i);

    impl Lanes for I32x16 {
        const LANES: usize = 16;
        const COLUMNS: usize = 2;

        #[inline(always)]
        unsafe fn read(from: *const i32) -> Self {
            // SAFETY: the caller's promise.
            I32x16(unsafe { read(from) })
        }
        #[inline(always)]
        unsafe fn write(self, to: *mut i32) {
            // SAFETY: the caller's promise.
            unsafe { write(to, self.0) }
        }
        #[inline(always)]
        unsafe fn add<W: Weight>(self, columns: usize, w: *const W, v: *const i16) -> Self {
            // SAFETY: the caller's promise: 16 weights a column. With one column, the upper half of
            // a weight of 32 bits meets 0.
            unsafe {
                let w = match (W::BITS, columns) {
                    (8, 2) => _mm512_cvtepi8_epi16(read(w)),
                    (8, _) => _mm512_cvtepi8_epi32(read(w)),
                    (_, 2) => read(w),
                    _ => _mm512_cvtepi16_epi32(read(w)),
                };
                let products = _mm512_madd_epi16(w, _mm512_set1_epi32(pair(columns, v)));
                I32x16(_mm512_add_epi32(self.0, products))
            }
        }
        #[inline(always)]
        fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
            #[inline(never)]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn add_all<W: Weight>(sums: &mut [i32], w: &[W], v: &[i16]) {
                lanes::add::<I32x16, W>(sums, w, v);
            }
            // SAFETY: this type is named only where the processor has the instructions.
            unsafe { add_all(sums, w, v) }
        }
    }

    /// The mask of n lanes, less than 16.
    #[inline(always)]
    fn mask(n: usize) -> u16 {
        (1_u32 << (n & 15)).wrapping_sub(1) as u16
    }

    #[allow(unused_unsafe)] // See above.
    impl Arithmetic for I32x16 {
        #[inline(always)]
        fn splat(n: i32) -> Self {
            // SAFETY: this type is named only where the processor has the instructions.
            I32x16(unsafe { _mm512_set1_epi32(n) })
        }
        #[inline(always)]
        unsafe fn read_part(from: *const i32, n: usize) -> Self {
            // SAFETY: the caller's promise: no integer that the mask hides is read.
            I32x16(unsafe { _mm512_maskz_loadu_epi32(mask(n), from) })
        }
        #[inline(always)]
        unsafe fn write_part(self, to: *mut i32, n: usize) {
            // SAFETY: the caller's promise: no integer that the mask hides is written.
            unsafe { _mm512_mask_storeu_epi32(to, mask(n), self.0) }
        }
        #[inline(always)]
        unsafe fn read_16(from: *const i16) -> Self {
            // SAFETY: the caller's promise.
            I32x16(unsafe { _mm512_cvtepi16_epi32(read(from)) })
        }
        #[inline(always)]
        unsafe fn write_16(self, to: *mut i16) {
            // SAFETY: the caller's promise.
            unsafe { write(to, _mm512_cvtepi32_epi16(self.0)) }
        }
        #[inline(always)]
        unsafe fn read_part_16(from: *const i16, n: usize) -> Self {
            // SAFETY: the caller's promise: no integer that the mask hides is read.
            I32x16(unsafe { _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(mask(n), from)) })
        }
        #[inline(always)]
        unsafe fn write_part_16(self, to: *mut i16, n: usize) {
            // SAFETY: the caller's promise: no integer that the mask hides is written.
            unsafe { _mm256_mask_storeu_epi16(to, mask(n), _mm512_cvtepi32_epi16(self.0)) }
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            // SAFETY: as for `splat`; the same below.
            I32x16(unsafe { _mm512_add_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_sub_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn times(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_mullo_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn and(self, other: Self) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_and_si512(self.0, other.0) })
        }
        #[inline(always)]
        fn clamp(self, least: i32, most: i32) -> Self {
            // SAFETY: as above.
            I32x16(unsafe {
                let at_least = _mm512_max_epi32(self.0, _mm512_set1_epi32(least));
                _mm512_min_epi32(at_least, _mm512_set1_epi32(most))
            })
        }
        #[inline(always)]
        fn left(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_sll_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn right(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_sra_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn right_unsigned(self, n: i32) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(n)) })
        }
        #[inline(always)]
        fn left_by(self, n: Self) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_sllv_epi32(self.0, n.0) })
        }
        #[inline(always)]
        fn right_by(self, n: Self) -> Self {
            // SAFETY: as above.
            I32x16(unsafe { _mm512_srav_epi32(self.0, n.0) })
        }
        #[inline(always)]
        fn where_at_least(self, z: Self, least: i32) -> Self {
            // SAFETY: as above.
            I32x16(unsafe {
                let least = _mm512_set1_epi32(least);
                _mm512_maskz_mov_epi32(_mm512_cmpge_epi32_mask(z.0, least), self.0)
            })
        }
        #[inline(always)]
        unsafe fn look_up(table: *const u32, index: Self) -> Self {
            // SAFETY: the caller's promise.
            I32x16(unsafe { _mm512_i32gather_epi32::<4>(index.0, table.cast()) })
        }
    }
}
