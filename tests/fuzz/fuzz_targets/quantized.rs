//! `bptt_fuzz::quantized` on what the fuzzer makes up.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bptt_fuzz::quantized(bytes));

#[cfg(not(fuzzing))]
fn main() {
    panic!("built without a fuzzer: cargo +nightly fuzz run --fuzz-dir tests/fuzz quantized");
}
