//! Targets whose f32 and f64 are not those of IEEE-754 do not compile: on them results would be
//! wrong, some by all their digits, without a word.
//!
//! What a target does not decide, such as a mode that a program has set, is told at run time:
//! [`check_float_environment`](crate::check_float_environment).
//!
//! These compile, since their arithmetic is that of IEEE-754:
//!
//! * x86-64 without SSE2 (`x86_64-unknown-none`) and 32-bit x86 for UEFI: floats in software.
//! * PowerPC without vectors, and with VSX: there the compiler uses it instead of AltiVec.
//! * 32-bit ARM with NEON, whose vectors take subnormals for zero: for that reason the compiler
//!   does not use them for floats, except for Apple's systems.

// The x87 unit rounds to 64 bits of significand, and to those of f32 and f64 only when it stores.
#[cfg(all(
    target_arch = "x86",
    not(target_feature = "sse2"),
    not(target_os = "uefi")
))]
compile_error!(
    "bptt needs the arithmetic of IEEE-754: x86 without SSE2 computes with 80 bits (use a target of i686)"
);

// AltiVec takes subnormals for zero.
#[cfg(bptt_altivec)]
compile_error!(
    "bptt needs the arithmetic of IEEE-754: PowerPC with AltiVec and without VSX flushes subnormals \
     (use -Ctarget-cpu=pwr8 or later, or -Ctarget-feature=-altivec)"
);

// The floats of an e500 core are zero where they should be subnormal.
#[cfg(all(target_arch = "powerpc", target_abi = "spe"))]
compile_error!("bptt needs the arithmetic of IEEE-754: PowerPC with SPE flushes subnormals");

// The vectors of 32-bit NEON take subnormals for zero, and for Apple's systems the compiler uses
// them.
#[cfg(all(target_arch = "arm", target_vendor = "apple"))]
compile_error!(
    "bptt needs the arithmetic of IEEE-754: 32-bit ARM for Apple's systems flushes subnormals"
);

// The 68881 computes with 64 bits of significand, as the x87 does.
#[cfg(bptt_68881)]
compile_error!("bptt needs the arithmetic of IEEE-754: the 68881 computes with 80 bits");
