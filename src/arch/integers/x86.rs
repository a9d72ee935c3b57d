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
#[cfg(bptt_avx2)]
use crate::quantized::core::Rows;

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
    use crate::arch::integers::units::{self, Arithmetic};
    use crate::quantized::table::{FIRST, SEGMENT, TABLE};

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
        fn all_sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]) {
            #[inline(never)]
            #[target_feature(enable = "avx2")]
            unsafe fn all_sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]) {
                units::sums::<I32x8, W>(sums, rows, x, a);
            }
            // SAFETY: this type is named only where the processor has the instructions.
            unsafe { all_sums(sums, rows, x, a) }
        }
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
        fn sigmoids([a, b]: [Self; 2]) -> [Self; 2] {
            [Self::sigmoid(a), Self::sigmoid(b)]
        }
        #[inline(always)]
        fn sigmoid(z: Self) -> Self {
            // Above the table's end the last entry is 65535 and rises no more.
            let u = z.clamp(FIRST, -FIRST - 1).minus(Self::splat(FIRST));
            const { assert!((-2 * FIRST - 1) >> SEGMENT < TABLE.len() as i32) }
            let index = u.right_unsigned(SEGMENT as i32);
            // SAFETY: u is from 0 to −2·FIRST − 1, whatever z is, so that each index is less than the
            // table's length.
            let entry =
                I32x8(unsafe { _mm256_i32gather_epi32::<4>(TABLE.as_ptr().cast(), index.0) });
            let part = u.left(32 - SEGMENT as i32).right_unsigned(16);
            let rise = entry.and(Self::splat(0xffff)).times(part);
            let value = entry.plus(rise).right_unsigned(16);
            // SAFETY: as for `splat`.
            I32x8(unsafe {
                let less = _mm256_cmpgt_epi32(_mm256_set1_epi32(FIRST), z.0);
                _mm256_andnot_si256(less, value.0)
            })
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
    use crate::arch::integers::units::{self, Arithmetic};
    use crate::quantized::table::{FIRST, SEGMENT, TABLE};

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

    /// Segments of the table on each side of 0.
    const SEGMENTS: i16 = TABLE.len() as i16 / 2;

    /// One number of each segment from 0 on, then zeros: a table that fits in six registers.
    #[repr(align(64))]
    struct Words([u16; 192]);

    static VALUES: Words = words(16);
    static SLOPES: Words = words(0);

    /// Those bits of each entry of the table.
    const fn words(shift: u32) -> Words {
        let half = TABLE.len() / 2;
        let (mut words, mut n) = ([0; 192], 0);
        while n < half {
            words[n] = (TABLE[half + n] >> shift) as u16;
            // σ(−z) = 1 − σ(z): as steep on the other side, and from 1 − v − slope on.
            let (entry, other) = (TABLE[half + n], TABLE[half - 1 - n]);
            assert!(entry as u16 == other as u16);
            assert!((entry >> 16) + (entry & 0xffff) + (other >> 16) == 1 << 16);
            n += 1;
        }
        // The last segment is flat, and the one beyond it is 0.
        assert!(TABLE[TABLE.len() - 1] == 0xffff_0000 && half < 192);
        assert!(FIRST == -((half as i32) << SEGMENT));
        Words(words)
    }

    /// The numbers of these indices, each from 0 to 191.
    ///
    /// # Safety
    /// None but AVX-512.
    #[inline(always)]
    #[allow(unused_unsafe)]
    unsafe fn look_up(words: &'static Words, index: __m512i) -> __m512i {
        // SAFETY: the caller's promise; six times 32 words are there.
        unsafe {
            let register = |n: usize| read::<__m512i, _>(words.0.as_ptr().wrapping_add(32 * n));
            let of_two = |n| _mm512_permutex2var_epi16(register(n), index, register(n + 1));
            let (from_64, from_128) = (
                _mm512_test_epi16_mask(index, _mm512_set1_epi16(64)),
                _mm512_test_epi16_mask(index, _mm512_set1_epi16(128)),
            );
            let lower = _mm512_mask_mov_epi16(of_two(0), from_64, of_two(2));
            _mm512_mask_mov_epi16(lower, from_128, of_two(4))
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
        fn all_sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]) {
            #[inline(never)]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn all_sums<W: Weight>(sums: &mut [i32], rows: &Rows<W>, x: &[i16], a: &[i16]) {
                units::sums::<I32x16, W>(sums, rows, x, a);
            }
            // SAFETY: this type is named only where the processor has the instructions.
            unsafe { all_sums(sums, rows, x, a) }
        }
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
        fn sigmoids([a, b]: [Self; 2]) -> [Self; 2] {
            // SAFETY: as for `splat`. 16 bits suffice for all that follows. In each half of 128
            // bits the words of a come first, then those of b.
            unsafe {
                let segment =
                    _mm512_packs_epi32(a.right(SEGMENT as i32).0, b.right(SEGMENT as i32).0);
                // The segment before the first is 0, above the last one all is as in the last one.
                let segment = _mm512_max_epi16(segment, _mm512_set1_epi16(-SEGMENTS - 1));
                let segment = _mm512_min_epi16(segment, _mm512_set1_epi16(SEGMENTS - 1));
                let negative = _mm512_movepi16_mask(segment);
                // ~n for a negative n: the segment on the other side of 0.
                let index = _mm512_xor_si512(segment, _mm512_srai_epi16::<15>(segment));

                let inside = I32x16::splat((1 << SEGMENT) - 1);
                let part = _mm512_packus_epi32(a.and(inside).0, b.and(inside).0);
                let part = _mm512_slli_epi16::<{ 16 - SEGMENT }>(part);
                // v·2¹⁶ + slope + slope·part, the upper half.
                let part = _mm512_or_si512(part, _mm512_set1_epi16(1));

                let (value, slope) = (look_up(&VALUES, index), look_up(&SLOPES, index));
                let end = _mm512_add_epi16(value, slope);
                let value = _mm512_mask_sub_epi16(value, negative, _mm512_setzero_si512(), end);
                let sigmoid = _mm512_add_epi16(value, _mm512_mulhi_epu16(slope, part));
                let zero = _mm512_setzero_si512();
                [
                    I32x16(_mm512_unpacklo_epi16(sigmoid, zero)),
                    I32x16(_mm512_unpackhi_epi16(sigmoid, zero)),
                ]
            }
        }
        #[inline(always)]
        fn sigmoid(z: Self) -> Self {
            Self::sigmoids([z, z])[0]
        }
    }
}
