//! Tells the crate which instruction sets of x86-64 to compile its kernels for, all that the compiler
//! can (AVX-512 since Rust 1.89), or no more than `--cfg bptt_backend="…"` allows; and whether the code is
//! to be small (opt-level "s" or "z").

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(bptt_avx2, bptt_avx512, bptt_small)");
    let most = env::var("CARGO_CFG_BPTT_BACKEND").unwrap_or_default();
    if most != "baseline" {
        println!("cargo::rustc-cfg=bptt_avx2");
    }
    if most != "baseline" && most != "avx2" && minor_version().is_some_and(|minor| minor >= 89) {
        println!("cargo::rustc-cfg=bptt_avx512");
    }
    if matches!(env::var("OPT_LEVEL").as_deref(), Ok("s" | "z")) {
        println!("cargo::rustc-cfg=bptt_small");
    }
}

/// The 95 of `rustc 1.95.0 (…)`.
fn minor_version() -> Option<u32> {
    let output = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    String::from_utf8(output.stdout)
        .ok()?
        .split('.')
        .nth(1)?
        .parse()
        .ok()
}
