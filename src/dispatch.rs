//! Which instruction set a kernel runs on, decided once, at run time, without `std`.
//!
//! One of the two files with `unsafe`. On x86-64 every kernel is compiled three times from the same
//! source: for the baseline (SSE2), for AVX2 and, by a compiler that can (Rust 1.89), for AVX-512.
//! On every other target it is compiled once, for whatever vectors the target has, and there is
//! nothing to detect.
//!
//! The choice changes how many scalars one instruction handles and nothing else: no instruction set
//! changes the operations, their order, or a bit of a result.

use crate::Real;

/// One call of a kernel: its arguments, and what is to be done with them.
pub(crate) trait Kernel {
    type Output;

    /// Runs the kernel. `L` is the number of rows whose sums, for four columns or four gates, are
    /// kept in registers at once; `W` (for wide) is the number of rows for one column and one gate.
    /// Neither changes a bit of the result.
    ///
    /// An implementation is `#[inline(always)]`, as is all that it calls: that is how the code
    /// comes to be compiled for the instruction set of its caller.
    fn run<const L: usize, const W: usize>(self) -> Self::Output;
}

/// Runs `kernel`, whose scalar is `T`, on the best instruction set of this machine.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn run<T: Real, K: Kernel>(kernel: K) -> K::Output {
    baseline::<T, K>(kernel)
}

/// Runs `kernel`, whose scalar is `T`, on the best instruction set of this machine.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn run<T: Real, K: Kernel>(kernel: K) -> K::Output {
    match x86::backend() {
        #[cfg(bptt_avx512)]
        // SAFETY: `backend` names AVX-512 only where the processor has F, BW, DQ and VL, and the
        // operating system keeps the registers.
        Backend::Avx512 => unsafe { x86::avx512::<T, K>(kernel) },
        #[cfg(bptt_avx2)]
        // SAFETY: `backend` names AVX2 only where the processor has it, and the operating system
        // keeps the registers.
        Backend::Avx2 => unsafe { x86::avx2::<T, K>(kernel) },
        _ => baseline::<T, K>(kernel),
    }
}

/// What the target has in any case: SSE2 on x86-64, NEON on AArch64, scalars on Cortex-M, …
#[inline(always)]
fn baseline<T: Real, K: Kernel>(kernel: K) -> K::Output {
    if const { !VECTORS && (cfg!(bptt_small) || size_of::<T>() > size_of::<usize>()) } {
        kernel.run::<2, 2>() // Little code: it is to be small, or each operation is a call anyway.
    } else if const { !VECTORS } {
        kernel.run::<4, 8>() // Four gates by four units are half of the 32 registers of a Cortex-M4F.
    } else if const { size_of::<T>() == 4 } {
        kernel.run::<8, 32>() // 16 registers of 4 f32 on SSE2.
    } else {
        kernel.run::<4, 16>()
    }
}

/// Whether the compiler makes vector instructions for the target. Without them a wide block does
/// not fit into the registers.
pub(crate) const VECTORS: bool = cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "loongarch64",
    target_arch = "powerpc64",
    all(target_family = "wasm", target_feature = "simd128"),
));

/// z_g = z_g + W_g·u for the rows i .. i + 4 of four matrices of K columns, on an ARM core with a
/// scalar floating-point unit: the inner loop of a step on a Cortex-M4F. False where nothing was
/// done.
///
/// `vldm` loads four weights at once. The compiler never uses it here, because it hands out
/// registers before it looks for loads to join, and spends one instruction on each weight. `vmla`
/// rounds the product and then the sum, as the contract wants it; it is not the fused `vfma`.
#[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
#[inline(always)]
pub(crate) fn four_gates<const R: usize, const K: usize>(
    z: &mut [[f32; 4]; 4],
    w: [&[[f32; R]; K]; 4],
    i: usize,
    u: &[f32; K],
) -> bool {
    if cfg!(bptt_small) || K == 0 || R < 4 || i > R - 4 {
        return false;
    }
    let [f, update, c, o] = w.map(|w| w.as_ptr().cast::<f32>().wrapping_add(i));
    // SAFETY: each of the K rounds reads one scalar of u, and of each matrix the rows i .. i + 4 of
    // one column, the next one each time. They are in bounds, since i + 4 is at most R and each
    // matrix has K columns. Nothing is written but the 16 scalars of z and the registers that are
    // listed.
    unsafe {
        core::arch::asm!(
            "vldmia {z}, {{s16-s31}}",
            "2:",
            "vldmia {u}!, {{s8}}",
            "vldmia {f}, {{s0-s3}}",
            "add {f}, {f}, {column}",
            "vldmia {i}, {{s4-s7}}",
            "add {i}, {i}, {column}",
            "vmla.f32 s16, s0, s8",
            "vmla.f32 s17, s1, s8",
            "vmla.f32 s18, s2, s8",
            "vmla.f32 s19, s3, s8",
            "vldmia {c}, {{s0-s3}}",
            "add {c}, {c}, {column}",
            "vmla.f32 s20, s4, s8",
            "vmla.f32 s21, s5, s8",
            "vmla.f32 s22, s6, s8",
            "vmla.f32 s23, s7, s8",
            "vldmia {o}, {{s4-s7}}",
            "add {o}, {o}, {column}",
            "vmla.f32 s24, s0, s8",
            "vmla.f32 s25, s1, s8",
            "vmla.f32 s26, s2, s8",
            "vmla.f32 s27, s3, s8",
            "subs {k}, {k}, #1",
            "vmla.f32 s28, s4, s8",
            "vmla.f32 s29, s5, s8",
            "vmla.f32 s30, s6, s8",
            "vmla.f32 s31, s7, s8",
            "bne 2b",
            "vstmia {z}, {{s16-s31}}",
            z = in(reg) z.as_mut_ptr(),
            u = inout(reg) u.as_ptr() => _,
            f = inout(reg) f => _,
            i = inout(reg) update => _,
            c = inout(reg) c => _,
            o = inout(reg) o => _,
            k = inout(reg) K => _,
            column = in(reg) R * 4,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
            out("s4") _, out("s5") _, out("s6") _, out("s7") _, out("s8") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        );
    }
    true
}

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
    #[cfg(target_arch = "x86_64")]
    return x86::backend();
    #[cfg(not(target_arch = "x86_64"))]
    return Backend::Baseline;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
    use core::sync::atomic::{AtomicU8, Ordering};

    use super::Backend;
    #[cfg(bptt_avx2)]
    use super::Kernel;
    #[cfg(bptt_avx2)]
    use crate::Real;

    /// # Safety
    /// The processor has AVX2 and the operating system keeps its registers.
    #[cfg(bptt_avx2)]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn avx2<T: Real, K: Kernel>(kernel: K) -> K::Output {
        if const { size_of::<T>() == 4 } {
            kernel.run::<16, 64>()
        } else {
            kernel.run::<8, 32>()
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW, DQ and VL and the operating system keeps their registers.
    #[cfg(bptt_avx512)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) unsafe fn avx512<T: Real, K: Kernel>(kernel: K) -> K::Output {
        if const { size_of::<T>() == 4 } {
            kernel.run::<32, 128>()
        } else {
            kernel.run::<16, 64>()
        }
    }

    /// What `detect` said: 0 before the first call, then 1 + the backend.
    static DETECTED: AtomicU8 = AtomicU8::new(0);

    #[inline(always)]
    pub(super) fn backend() -> Backend {
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
        let found = compiled(detect());
        DETECTED.store(1 + found as u8, Ordering::Relaxed);
        found
    }

    /// No more than the kernels are compiled for (`build.rs`).
    fn compiled(found: Backend) -> Backend {
        match found {
            Backend::Avx512 if cfg!(bptt_avx512) => Backend::Avx512,
            Backend::Avx512 | Backend::Avx2 if cfg!(bptt_avx2) => Backend::Avx2,
            _ => Backend::Baseline,
        }
    }

    /// The best backend of this processor under this operating system
    /// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2).
    #[allow(unused_unsafe)] // `__cpuid` is a safe function in later versions of the language.
    fn detect() -> Backend {
        if cfg!(miri) {
            return Backend::Baseline; // It cannot run `cpuid`.
        }
        const OSXSAVE: u32 = 1 << 27; // leaf 1, ecx
        const AVX: u32 = 1 << 28;
        const AVX2: u32 = 1 << 5; // leaf 7, ebx
        const AVX512: u32 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31; // F, DQ, BW, VL
        const YMM: u64 = 0b110; // XCR0: the system keeps xmm and ymm
        const ZMM: u64 = 0b1110_0110; // and the mask and zmm registers

        // SAFETY: every x86-64 processor has `cpuid`.
        let (leaves, leaf_1) = unsafe { (__cpuid(0).eax, __cpuid(1).ecx) };
        if leaves < 7 || leaf_1 & (OSXSAVE | AVX) != OSXSAVE | AVX {
            return Backend::Baseline;
        }
        // SAFETY: the processor has leaf 7, and OSXSAVE says that the system has enabled `xgetbv`.
        let (leaf_7, kept) = unsafe { (__cpuid_count(7, 0).ebx, xcr0()) };
        if kept & YMM != YMM || leaf_7 & AVX2 == 0 {
            Backend::Baseline
        } else if kept & ZMM != ZMM || leaf_7 & AVX512 != AVX512 {
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
