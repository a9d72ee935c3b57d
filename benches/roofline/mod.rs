//! What this core can do at best, measured beside the kernels: multiply-and-adds whose operands never leave the registers, and
//! reading a buffer once from whichever cache it lives in.
//!
//! On x86-64 both loops are written in vectors of the instruction set that the kernels run on, so that nothing depends on what
//! a compiler makes of them. Elsewhere they are plain arrays, and a limit is only as good as the compiler's vectors.

use std::hint::black_box;
use std::time::Instant;

use bptt::{Backend, Real, backend};

/// Seconds for one call of `f`: the least of `rounds`, each over so many calls that the clock does not count.
pub fn seconds(rounds: usize, mut f: impl FnMut()) -> f64 {
    f();
    let start = Instant::now();
    f();
    let calls = (2e-4 / start.elapsed().as_secs_f64()).ceil().max(1.0) as usize;
    let run = || {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        start.elapsed().as_secs_f64() / calls as f64
    };
    std::iter::repeat_with(run)
        .take(rounds)
        .fold(f64::INFINITY, f64::min)
}

/// Multiply-and-adds a second, not fused, on the instruction set that the kernels run on.
pub fn peak<T: Real>() -> f64 {
    const ROUNDS: usize = 10;
    let n = 2000;
    let (sums, run): (usize, unsafe fn(usize)) = match (backend(), size_of::<T>()) {
        #[cfg(target_arch = "x86_64")]
        (Backend::Baseline, 4) => (14 * 4, x86::sse2_f32),
        #[cfg(target_arch = "x86_64")]
        (Backend::Baseline, _) => (14 * 2, x86::sse2_f64),
        #[cfg(target_arch = "x86_64")]
        (Backend::Avx2, 4) => (14 * 8, x86::avx2_f32),
        #[cfg(target_arch = "x86_64")]
        (Backend::Avx2, _) => (14 * 4, x86::avx2_f64),
        #[cfg(bptt_avx512)]
        (Backend::Avx512, 4) => (28 * 16, x86::avx512_f32),
        #[cfg(bptt_avx512)]
        (Backend::Avx512, _) => (28 * 8, x86::avx512_f64),
        #[cfg(not(target_arch = "x86_64"))]
        (Backend::Baseline, _) => (56, plain::chains::<T>),
        #[allow(unreachable_patterns)] // Nothing is left where all are compiled.
        (other, _) => panic!("no loop for {other:?}"),
    };
    // SAFETY: `backend` names an instruction set only where the processor has it.
    (n * sums) as f64 / seconds(ROUNDS, || unsafe { run(black_box(n)) })
}

/// Seconds to read `buffer` once, after it has been read before: in the same order each time, or
/// its halves in turned order every second time, so that the first half to be read is still in the
/// nearest cache, whichever takes less.
pub fn read<T: Real>(buffer: &[T]) -> f64 {
    const ROUNDS: usize = 25;
    let run: unsafe fn(&[T]) = match backend() {
        #[cfg(target_arch = "x86_64")]
        Backend::Baseline => x86::read_sse2,
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => x86::read_avx2,
        #[cfg(bptt_avx512)]
        Backend::Avx512 => x86::read_avx512,
        #[cfg(not(target_arch = "x86_64"))]
        Backend::Baseline => plain::read,
        #[allow(unreachable_patterns)] // Nothing is left where all are compiled.
        other => panic!("no loop for {other:?}"),
    };
    // SAFETY: `backend` names an instruction set only where the processor has it.
    let read = |part| unsafe { run(black_box(part)) };
    let (first, second) = buffer.split_at(buffer.len() / 2);
    let there_and_back = seconds(ROUNDS, || {
        for part in [first, second, second, first] {
            read(part);
        }
    });
    seconds(ROUNDS, || read(buffer)).min(there_and_back / 2.0)
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::incompatible_msrv)] // `bptt_avx512` is set only where the compiler is new enough.
#[allow(unused_unsafe)] // The arithmetic of `std::arch` is safe here in later versions of the language.
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// s = s·w + w, n times, for 14 or 28 sums, all but a few of the registers. A product and a sum take some three cycles
    /// each, and two of each can start in a cycle: with fewer than 12 sums the loop would wait for them.
    macro_rules! chains {
        ($name:ident, $feature:literal, $sums:literal, $splat:ident, $mul:ident, $add:ident) => {
            /// # Safety
            /// The processor has the instruction set of the name.
            #[target_feature(enable = $feature)]
            pub unsafe fn $name(n: usize) {
                // SAFETY: the caller's promise.
                unsafe {
                    let w = black_box($splat(0.5));
                    let mut sums = [$splat(1.0); $sums];
                    for _ in 0..n {
                        for s in &mut sums {
                            *s = $add($mul(*s, w), w);
                        }
                    }
                    black_box(sums);
                }
            }
        };
    }
    chains!(sse2_f32, "sse2", 14, _mm_set1_ps, _mm_mul_ps, _mm_add_ps);
    chains!(sse2_f64, "sse2", 14, _mm_set1_pd, _mm_mul_pd, _mm_add_pd);
    #[rustfmt::skip]
    chains!(avx2_f32, "avx2", 14, _mm256_set1_ps, _mm256_mul_ps, _mm256_add_ps);
    #[rustfmt::skip]
    chains!(avx2_f64, "avx2", 14, _mm256_set1_pd, _mm256_mul_pd, _mm256_add_pd);
    #[cfg(bptt_avx512)]
    #[rustfmt::skip]
    chains!(avx512_f32, "avx512f", 28, _mm512_set1_ps, _mm512_mul_ps, _mm512_add_ps);
    #[cfg(bptt_avx512)]
    #[rustfmt::skip]
    chains!(avx512_f64, "avx512f", 28, _mm512_set1_pd, _mm512_mul_pd, _mm512_add_pd);

    /// Loads every whole vector and joins it to one of eight others by a bit operation. A kernel needs a product and a sum for
    /// each vector of weights, which the processor has fewer units for: no kernel reads as much in less time.
    macro_rules! read {
        ($name:ident, $feature:literal, $vector:ty, $zero:ident, $load:ident, $xor:ident) => {
            /// # Safety
            /// The processor has the instruction set of the name.
            #[target_feature(enable = $feature)]
            pub unsafe fn $name<T>(buffer: &[T]) {
                let vectors = size_of_val(buffer) / size_of::<$vector>();
                let start = buffer.as_ptr().cast::<$vector>();
                // SAFETY: the caller's promise; and what is loaded are the whole vectors that the buffer holds.
                unsafe {
                    let mut joined = [$zero(); 8];
                    for i in 0..vectors / 8 {
                        for (k, joined) in joined.iter_mut().enumerate() {
                            *joined = $xor(*joined, $load(start.add(8 * i + k)));
                        }
                    }
                    for i in vectors / 8 * 8..vectors {
                        joined[0] = $xor(joined[0], $load(start.add(i)));
                    }
                    black_box(joined);
                }
            }
        };
    }
    #[rustfmt::skip]
    read!(read_sse2, "sse2", __m128i, _mm_setzero_si128, _mm_loadu_si128, _mm_xor_si128);
    #[rustfmt::skip]
    read!(read_avx2, "avx2", __m256i, _mm256_setzero_si256, _mm256_loadu_si256, _mm256_xor_si256);
    #[cfg(bptt_avx512)]
    #[rustfmt::skip]
    read!(read_avx512, "avx512f", __m512i, _mm512_setzero_si512, _mm512_loadu_si512, _mm512_xor_si512);
}

#[cfg(not(target_arch = "x86_64"))]
mod plain {
    use std::hint::black_box;

    use bptt::Real;

    /// s = s·w + w, n times, for 56 sums: 14 vectors of 4.
    pub fn chains<T: Real>(n: usize) {
        let w = black_box([T::from_f64(0.5); 56]);
        let mut sums = [T::ONE; 56];
        for _ in 0..n {
            for (s, &w) in sums.iter_mut().zip(&w) {
                *s = *s * w + w;
            }
        }
        black_box(sums);
    }

    /// 32 interleaved sums.
    pub fn read<T: Real>(buffer: &[T]) {
        let mut sums = [T::ZERO; 32];
        for chunk in buffer.chunks(32) {
            for (sum, &x) in sums.iter_mut().zip(chunk) {
                *sum += x;
            }
        }
        black_box(sums);
    }
}
