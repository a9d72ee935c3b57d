//! Tells the crate which vectors the compile target has in any case, and which instruction sets of
//! x86-64 to compile its kernels for besides, all that the compiler can (AVX-512 since Rust 1.89),
//! or no more than `--cfg bptt_backend="…"` allows (with "scalars", on any target, no vectors at
//! all); whether the loops in assembly are for it, those of the cells in integers too; whether the code is to be small (opt-level "s" or
//! "z") or not optimised at all (0); and whether the target computes otherwise than IEEE-754 says,
//! where the compiler does not tell the source (`src/target.rs`).

use std::env;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-check-cfg=cfg(bptt_avx2, bptt_avx512, bptt_cortex_m, bptt_small, bptt_unoptimized)"
    );
    println!("cargo::rustc-check-cfg=cfg(bptt_altivec, bptt_68881)");
    println!(
        "cargo::rustc-check-cfg=cfg(bptt_integers, values(\"m0\", \"m3\", \"m4\", \"rv32\", \"plain\"))"
    );
    println!(
        "cargo::rustc-check-cfg=cfg(bptt_baseline, values(\"sse2\", \"neon\", \"simd128\", \"scalars\"))"
    );
    // Unset without the option, empty where it has no value, with commas where it has several.
    let most = match env::var("CARGO_CFG_BPTT_BACKEND").as_deref() {
        Err(_) => "avx512",
        Ok("scalars") => "scalars",
        Ok("baseline") => "baseline",
        Ok("avx2") => "avx2",
        Ok("avx512") => "avx512",
        Ok(other) => {
            println!(
                "cargo::error=--cfg bptt_backend takes one of \"scalars\", \"baseline\", \"avx2\" and \"avx512\", not {other:?}"
            );
            return ExitCode::FAILURE;
        }
    };
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let feature = |name| features.split(',').any(|feature| feature == name);
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").as_deref() == Ok("little");
    let baseline = match arch.as_str() {
        _ if most == "scalars" => "scalars",
        "x86" | "x86_64" if feature("sse2") => "sse2",
        "aarch64" if feature("neon") && little => "neon",
        "wasm32" if feature("simd128") => "simd128",
        _ => "scalars",
    };
    println!("cargo::rustc-cfg=bptt_baseline=\"{baseline}\"");
    // Not where a target leaves the vector registers alone, as a kernel's does. And not without
    // optimisation: each instruction is a call then, and all that a kernel ever holds stands in its
    // frame, which is 3.7 MB for AVX-512, where threads have stacks of 2 MiB, and 0.7 MB for SSE2.
    let unoptimized = env::var("OPT_LEVEL").as_deref() == Ok("0");
    let vectors = arch == "x86_64" && !unoptimized && feature("sse2");
    if unoptimized {
        println!("cargo::rustc-cfg=bptt_unoptimized");
    }
    if vectors && matches!(most, "avx2" | "avx512") {
        println!("cargo::rustc-cfg=bptt_avx2");
    }
    if vectors && most == "avx512" && minor_version().is_some_and(|minor| minor >= 89) {
        println!("cargo::rustc-cfg=bptt_avx512");
    }
    let small = matches!(env::var("OPT_LEVEL").as_deref(), Ok("s" | "z"));
    if small {
        println!("cargo::rustc-cfg=bptt_small");
    }
    let hard_float = env::var("CARGO_CFG_TARGET_ABI").as_deref() == Ok("eabihf");
    if arch == "arm" && hard_float && !small {
        println!("cargo::rustc-cfg=bptt_cortex_m");
    }
    println!("cargo::rustc-cfg=bptt_integers=\"{}\"", integers(&arch));
    if matches!(arch.as_str(), "powerpc" | "powerpc64") && has("altivec") && !has("vsx") {
        println!("cargo::rustc-cfg=bptt_altivec");
    }
    if arch == "m68k" && has("isa-68881") {
        println!("cargo::rustc-cfg=bptt_68881");
    }
    ExitCode::SUCCESS
}

/// The controllers that have kernels of their own for the cells in integers: a Cortex-M without
/// (m0) or with (m3) Thumb-2, or with the DSP extension (m4), and a RISC-V with 32 registers of 32
/// bits that multiplies.
fn integers(arch: &str) -> &'static str {
    let target = env::var("TARGET").unwrap_or_default();
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").as_deref() == Ok("little");
    match arch {
        "arm" if little && has("mclass") && has("thumb-mode") => {
            if has("dsp") {
                "m4"
            } else if has("thumb2") {
                "m3"
            } else {
                "m0"
            }
        }
        "riscv32" if has("m") && !has("e") && !target.starts_with("riscv32e") => "rv32",
        _ => "plain",
    }
}

/// The 95 of `rustc 1.95.0 (…)`.
fn minor_version() -> Option<u32> {
    rustc(&["--version"])?.split('.').nth(1)?.parse().ok()
}

/// Whether code is compiled for a feature of the target whose name is not stable.
///
/// Stable compilers tell neither the source nor this program of such features, though they use them.
/// They do tell who asks them as a nightly compiler, which changes nothing but the answer. The name of
/// a target that is described by a file says nothing to them; these take a nightly compiler, which
/// tells of all features by itself.
fn has(feature: &str) -> bool {
    let listed = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut question = vec!["--print", "cfg", "--target", &target];
    question.extend(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    let line = format!("target_feature=\"{feature}\"");
    listed.split(',').any(|listed| listed == feature)
        || rustc(&question).is_some_and(|answer| answer.lines().any(|other| other == line))
}

/// What the compiler prints.
fn rustc(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(env::var_os("RUSTC")?);
    let output = command
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()
}
