//! What this core can do at best, measured beside the kernels: multiply-and-adds whose operands never leave the registers, and
//! reading a buffer once from whichever cache it lives in.

use std::hint::black_box;
use std::time::Instant;

use bptt::{Backend, Real, backend};

/// Seconds for one call of `f`: the least of many, each over so many calls that the clock does not count.
pub fn seconds(mut f: impl FnMut()) -> f64 {
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
        .take(25)
        .fold(f64::INFINITY, f64::min)
}

/// Multiply-and-adds a second, not fused, on the instruction set that the kernels run on.
pub fn peak<T: Real>() -> f64 {
    // As many sums as registers, less two. A product and a sum take some three cycles each: with fewer sums the loop
    // would wait for them.
    match (backend(), size_of::<T>()) {
        (Backend::Baseline, 4) => chains::<4, 14, T>(|n, sums| chain(n, sums)),
        (Backend::Baseline, _) => chains::<2, 14, T>(|n, sums| chain(n, sums)),
        #[cfg(target_arch = "x86_64")]
        (Backend::Avx2, 4) => chains::<8, 14, T>(|n, sums| {
            // SAFETY: `backend` names AVX2 only where the processor has it.
            unsafe { x86::avx2(n, sums) }
        }),
        #[cfg(target_arch = "x86_64")]
        (Backend::Avx2, _) => chains::<4, 14, T>(|n, sums| {
            // SAFETY: as above.
            unsafe { x86::avx2(n, sums) }
        }),
        #[cfg(bptt_avx512)]
        (Backend::Avx512, 4) => chains::<16, 30, T>(|n, sums| {
            // SAFETY: `backend` names AVX-512 only where the processor has it.
            unsafe { x86::avx512(n, sums) }
        }),
        #[cfg(bptt_avx512)]
        (Backend::Avx512, _) => chains::<8, 30, T>(|n, sums| {
            // SAFETY: as above.
            unsafe { x86::avx512(n, sums) }
        }),
        #[cfg(not(all(target_arch = "x86_64", bptt_avx512)))]
        (other, _) => panic!("no loop for {other:?}"),
    }
}

fn chains<const L: usize, const N: usize, T: Real>(run: impl Fn(usize, &mut [[T; L]; N])) -> f64 {
    let mut sums = [[T::ONE; L]; N];
    let n = 2000;
    (n * N * L) as f64 / seconds(|| run(n, black_box(&mut sums)))
}

/// s = s·w + w, n times, for N sums of L lanes.
#[inline(always)]
fn chain<const L: usize, const N: usize, T: Real>(n: usize, sums: &mut [[T; L]; N]) {
    let w = black_box([T::from_f64(0.5); L]);
    let mut s = *sums;
    for _ in 0..n {
        for s in &mut s {
            for l in 0..L {
                s[l] = s[l] * w[l] + w[l];
            }
        }
    }
    *sums = s;
}

/// Seconds to read `buffer` once, after it has been read before.
pub fn read<T: Real>(buffer: &[T]) -> f64 {
    seconds(|| match backend() {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => {
            // SAFETY: `backend` names AVX2 only where the processor has it.
            unsafe { x86::read_avx2(black_box(buffer)) }
        }
        #[cfg(bptt_avx512)]
        Backend::Avx512 => {
            // SAFETY: `backend` names AVX-512 only where the processor has it.
            unsafe { x86::read_avx512(black_box(buffer)) }
        }
        _ => sum(black_box(buffer)),
    })
}

/// 64 interleaved sums.
#[inline(always)]
fn sum<T: Real>(buffer: &[T]) {
    let mut sums = [T::ZERO; 64];
    for chunk in buffer.chunks_exact(64) {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    black_box(sums);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use bptt::Real;

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn avx2<const L: usize, const N: usize, T: Real>(n: usize, sums: &mut [[T; L]; N]) {
        super::chain(n, sums);
    }

    /// # Safety
    /// The processor has AVX-512 F.
    #[cfg(bptt_avx512)]
    #[target_feature(enable = "avx512f")]
    pub unsafe fn avx512<const L: usize, const N: usize, T: Real>(
        n: usize,
        sums: &mut [[T; L]; N],
    ) {
        super::chain(n, sums);
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn read_avx2<T: Real>(buffer: &[T]) {
        super::sum(buffer);
    }

    /// # Safety
    /// The processor has AVX-512 F.
    #[cfg(bptt_avx512)]
    #[target_feature(enable = "avx512f")]
    pub unsafe fn read_avx512<T: Real>(buffer: &[T]) {
        super::sum(buffer);
    }
}
