//! `check_float_environment` tells each mode of a thread that gives other bits, and nothing else.
//!
//! The modes are set in MXCSR, so on x86-64 only. That fusing is told is shown by `.ci/flags`, which
//! builds a program so.

use bptt::check_float_environment;

#[test]
fn environment_of_a_test_is_the_promised_one() {
    assert_eq!(check_float_environment(), Ok(()));
}

#[cfg(not(target_arch = "x86_64"))]
#[test]
fn modes_of_the_thread_are_told() {
    eprintln!("NOT RUN: this test can set the modes of x86-64 only");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn modes_of_the_thread_are_told() {
    use bptt::FloatEnvironmentError;
    use std::arch::asm;

    const DAZ: u32 = 1 << 6;
    const DOWN: u32 = 1 << 13;
    const UP: u32 = 2 << 13;
    const TO_ZERO: u32 = 3 << 13;
    const FTZ: u32 = 1 << 15;

    /// What is told with these bits of MXCSR set.
    fn with(modes: u32) -> Result<(), FloatEnvironmentError> {
        let mut before = 0_u32;
        // SAFETY: stores the register into the variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut before, options(nostack)) };
        let changed = before | modes;
        // SAFETY: no bit is set that the register has not got, no exception is unmasked, and until
        // the register is as it was nothing runs but the function that exists to be run so.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &changed, options(nostack)) };
        let told = check_float_environment();
        // SAFETY: what it was.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &before, options(nostack)) };
        told
    }

    for (modes, rounding, flushed_results, flushed_operands) in [
        (FTZ, false, true, false),
        (DAZ, false, false, true),
        (FTZ | DAZ, false, true, true),
        (DOWN, true, false, false),
        (UP, true, false, false),
        (TO_ZERO, true, false, false),
        (TO_ZERO | FTZ | DAZ, true, true, true),
    ] {
        let told = with(modes).expect_err("nothing is told");
        assert_eq!(
            (
                told.rounding,
                told.flushed_results,
                told.flushed_operands,
                told.fused
            ),
            (rounding, flushed_results, flushed_operands, false),
            "MXCSR with {modes:#x}: {told}"
        );
    }
    assert_eq!(with(0), Ok(()));
    assert_eq!(
        with(FTZ | DAZ).unwrap_err().to_string(),
        "the floating-point environment gives other bits: subnormal results are zero; subnormal operands count as zero"
    );
}
