//! The instruction set that the kernels run on is the one that was asked for with `--cfg bptt_backend="…"`, or the best
//! of this processor; without optimisation it is that of the target.
//!
//! Where a set was asked for that this processor does not have, the test fails.

use bptt::{Backend, backend};

/// What the standard library says of this processor.
#[cfg(target_arch = "x86_64")]
fn best() -> Backend {
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    // Compilers before Rust 1.89 cannot compile for AVX-512.
    if avx512 && cfg!(bptt_avx512) {
        Backend::Avx512
    } else if is_x86_feature_detected!("avx2") {
        Backend::Avx2
    } else {
        Backend::Baseline
    }
}

/// Other targets have one set of instructions, which the compiler knows.
#[cfg(not(target_arch = "x86_64"))]
fn best() -> Backend {
    Backend::Baseline
}

#[test]
fn kernels_run_on_what_was_asked_for() {
    let expected = if cfg!(any(
        bptt_unoptimized,
        bptt_backend = "scalars",
        bptt_backend = "baseline"
    )) {
        Backend::Baseline
    } else if cfg!(bptt_backend = "avx2") {
        Backend::Avx2
    } else if cfg!(bptt_backend = "avx512") {
        Backend::Avx512
    } else {
        best()
    };
    assert_eq!(backend(), expected);
    println!("{expected:?}");
}
