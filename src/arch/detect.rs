//! Which instruction set the kernels run on: decided once, at run time, without `std`.
//!
//! On x86-64 every kernel is compiled up to three times from the same source: for SSE2, for AVX2
//! and, by a compiler that can (Rust 1.89), for AVX-512. On every other target it is compiled once,
//! for whatever vectors the compile target has, and there is nothing to detect. The same holds on
//! x86-64 without an operating system, under UEFI and in an SGX enclave: a kernel may save no
//! vector registers, and `cpuid` faults in an enclave. Nor is there anything to detect at opt-level
//! 0: `build.rs` says why.
//!
//! The choice changes how many scalars one instruction handles and nothing else.

/// The instruction sets that a kernel can run on.
///
/// ```
/// use bptt::{Backend, backend};
///
/// if backend() == Backend::Baseline {
///     println!("no vectors wider than those of the compile target");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// What the compile target has in any case.
    Baseline,
    /// x86-64 with AVX2: 16 registers of 8 `f32`.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL: 32 registers of 16 `f32`.
    Avx512,
}

/// The instruction set that every kernel of this process runs on.
///
/// ```
/// println!("{:?}", bptt::backend());
/// ```
pub fn backend() -> Backend {
    found()
}

/// What the compile target has.
#[cfg(not(all(
    target_arch = "x86_64",
    bptt_avx2,
    not(any(target_os = "none", target_os = "uefi", target_env = "sgx", miri))
)))]
#[inline(always)]
pub(super) fn found() -> Backend {
    if cfg!(all(
        bptt_avx512,
        target_feature = "avx512f",
        target_feature = "avx512bw",
        target_feature = "avx512dq",
        target_feature = "avx512vl"
    )) {
        Backend::Avx512
    } else if cfg!(all(bptt_avx2, target_feature = "avx2")) {
        Backend::Avx2
    } else {
        Backend::Baseline
    }
}

#[cfg(all(
    target_arch = "x86_64",
    bptt_avx2,
    not(any(target_os = "none", target_os = "uefi", target_env = "sgx", miri))
))]
pub(super) use x86::found;

#[cfg(all(
    target_arch = "x86_64",
    bptt_avx2,
    not(any(target_os = "none", target_os = "uefi", target_env = "sgx", miri))
))]
mod x86 {
    use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
    use core::sync::atomic::{AtomicU8, Ordering};

    use super::Backend;

    /// What `detect` said: 0 before the first call, then 1 + the backend.
    static DETECTED: AtomicU8 = AtomicU8::new(0);

    #[inline(always)]
    pub(crate) fn found() -> Backend {
        match DETECTED.load(Ordering::Relaxed) {
            1 => Backend::Baseline,
            2 => Backend::Avx2,
            3 => Backend::Avx512,
            _ => first(),
        }
    }

    /// Threads that come here at once all store the same value.
    #[cold]
    fn first() -> Backend {
        let found = match detect() {
            Backend::Avx512 if cfg!(not(bptt_avx512)) => Backend::Avx2,
            found => found,
        };
        DETECTED.store(1 + found as u8, Ordering::Relaxed);
        found
    }

    /// The best backend of this processor under this operating system
    /// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2).
    ///
    /// What Rust's `avx2` and `avx512…` imply is asked for as well: the compiler may use all of it.
    #[allow(unused_unsafe)] // `__cpuid` is a safe function in later versions of the language.
    fn detect() -> Backend {
        // leaf 1, ecx
        const SSE3: u32 = 1;
        const SSSE3: u32 = 1 << 9;
        const FMA: u32 = 1 << 12;
        const SSE4_1: u32 = 1 << 19;
        const SSE4_2: u32 = 1 << 20;
        const OSXSAVE: u32 = 1 << 27;
        const AVX: u32 = 1 << 28;
        const F16C: u32 = 1 << 29;
        const FOR_AVX2: u32 = SSE3 | SSSE3 | SSE4_1 | SSE4_2 | OSXSAVE | AVX;
        // leaf 7, ebx
        const AVX2: u32 = 1 << 5;
        const AVX512: u32 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31; // F, DQ, BW, VL
        const YMM: u64 = 0b110; // XCR0: the system keeps xmm and ymm
        const ZMM: u64 = 0b1110_0110; // and the mask and zmm registers

        // SAFETY: every x86-64 processor has `cpuid`, and these targets let a program use it.
        let (leaves, leaf_1) = unsafe { (__cpuid(0).eax, __cpuid(1).ecx) };
        if leaves < 7 || leaf_1 & FOR_AVX2 != FOR_AVX2 {
            return Backend::Baseline;
        }
        // SAFETY: the processor has leaf 7, and OSXSAVE says that the system has enabled `xgetbv`.
        let (leaf_7, kept) = unsafe { (__cpuid_count(7, 0).ebx, xcr0()) };
        if kept & YMM != YMM || leaf_7 & AVX2 == 0 {
            Backend::Baseline
        } else if kept & ZMM != ZMM
            || leaf_7 & AVX512 != AVX512
            || leaf_1 & (FMA | F16C) != FMA | F16C
        {
            Backend::Avx2
        } else {
            Backend::Avx512
        }
    }

    /// The register sets that the operating system keeps.
    ///
    /// # Safety
    /// `cpuid` reports OSXSAVE.
    #[target_feature(enable = "xsave")]
    unsafe fn xcr0() -> u64 {
        // SAFETY: the caller's promise.
        unsafe { _xgetbv(0) }
    }
}
