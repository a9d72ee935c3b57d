//! Which path: what to use where the network is to run, and the command of the repository that
//! shows it. No code.
//!
//! | | cell | scalars | profile | kernels |
//! |---|---|---|---|---|
//! | [browser](#browser) | LSTM, GRU, a step a sample | `f32` | release, whole program | simd128, by a flag |
//! | [audio plug-in](#audio-plug-in) | the same | `f32` | release | chosen at run time |
//! | [controller with a floating-point unit](#microcontroller-with-a-floating-point-unit) | LSTM, GRU | `f32`, or `i8` to save flash | "s", this crate at 3 | for Cortex-M in assembly |
//! | [controller without](#microcontroller-without-a-floating-point-unit) | GRU, RNN | `i8`, or `i16` | "s" | integers |
//! | [Linux board](#linux-board) | any | `f32` | release | NEON on AArch64 |
//! | [learning on the device](#learning-on-the-device) | any that fits | `f32` | "s", this crate at 3 | of the device |
//! | [host](#host) | any, in batches | `f32`; `f64` to check | release | chosen at run time |
//!
//! A GRU, reset after the product, has about three quarters of the weights of an LSTM of as many
//! units, an RNN a quarter. `cargo run --release --example activity` learns with an LSTM (`-- --cell
//! gru` or `rnn` with another) and prints what each takes. Whatever the path, the bits are those of
//! the host: compute there what the device must print.
//!
//! # From a trained model
//!
//! ```sh
//! cargo run --release --example import -- MODEL --out DIR
//! ```
//!
//! reads `.safetensors`, `.onnx`, RTNeural's, AIDA-X's and GuitarML's JSON and `.nam`, compares with
//! outputs that the file comes with, and writes a Rust module for a path without files and heap;
//! `--weights i8` or `i16` for integers, `--c` with functions for a program in C. What has other
//! arrays is read by [`layout`](crate::layout).
//!
//! # Browser
//!
//! [`Cell::step`] a sample, in the `process` of an AudioWorklet; the module is built with `panic =
//! "abort"`, `lto = "fat"`, `codegen-units = 1` and `RUSTFLAGS="-C target-feature=+simd128"`, without
//! which the same bits come late. `benches/browser` has such a module, its worklet, and at the head
//! of `run.mjs` the commands; on a Debian with the toolchain that `.ci/targets` installs, and with
//! its `chromium` for the second half,
//!
//! ```sh
//! .ci/browser
//! ```
//!
//! does all of it, compares the bits of both modules in Node.js and in the browser, and prints for
//! both what a sample takes, and what share of a render quantum (128 samples at 48 kHz, 2.667 ms) a
//! block. On an AMD EPYC (a shared virtual machine):
//!
//! | AudioWorklet, Chrome/156 | simd128, ns a sample | of a quantum | without, ns a sample | of a quantum |
//! |---|---|---|---|---|
//! | LSTM (1, 16) | 206 | 1.0 % | 643 | 3.1 % |
//! | LSTM (1, 40) | 591 | 2.8 % | 2266 | 10.9 % |
//! | GRU (1, 16) | 158 | 0.8 % | 507 | 2.4 % |
//! | GRU (1, 40) | 418 | 2.0 % | 1624 | 7.8 % |
//! | no network | 15 | 0.1 % | 15 | 0.1 % |
//!
//! # Audio plug-in
//!
//! [`Cell::step`] again, or [`Cell::forward`] a block; the state is a field of the plug-in, and
//! blocks may have any length ([patterns](crate::patterns#chunk-by-chunk)). Hosts switch flushing of
//! subnormal numbers on: switch it off in the audio thread, or the bits are others;
//! [`check_float_environment`](crate::check_float_environment) tells. The example runs a model of any
//! of the formats above over a WAV file, block by block, without an allocation; times a step are in
//! [RESULTS.md].
//!
//! ```sh
//! cargo run --release --example plugin
//! ```
//!
//! # Microcontroller with a floating-point unit
//!
//! `f32`, weights in a `static` in flash, [`Cell::step`]. A Cortex-M4F or M7 has loops in assembly
//! where this crate is built at opt-level 3 (`[profile.release.package.bptt] opt-level = 3`),
//! whatever the rest of the image is.
//!
//! ```sh
//! cd tests/firmware && cargo run --profile firmware -p job-cortex-m --target thumbv7em-none-eabihf
//! ```
//!
//! What it needs, flash, RAM, stack and instructions a step: `tests/firmware/README.md`.
//!
//! # Microcontroller without a floating-point unit
//!
//! [`quantized`](crate::quantized): weights of 8 bits, or of 16 where 8 lose too much; that page
//! says how to choose. Every operation in `f32` would be a call of software.
//!
//! ```sh
//! cd tests/firmware && cargo run --profile size -p job-integers --target riscv32imac-unknown-none-elf
//! ```
//!
//! For a Cortex-M0 with 16 KB of RAM, and for what both take: `tests/firmware/README.md`.
//!
//! # Linux board
//!
//! As on a host: on AArch64 the vectors are there without a flag, on 32-bit ARM the plain loops run,
//! since its vectors flush subnormal numbers. `cargo run --release --example activity` on the board;
//! from elsewhere, with emulation, `.ci/targets aarch64`.
//!
//! # Learning on the device
//!
//! [`Cell::forward`] and [`Tape::backward`](crate::Tape::backward) on short sequences, or only the
//! output layer where RAM is short; [`checkpoint`](crate::checkpoint) for long ones. Momentum has
//! one moment, Adam two. The job of `tests/firmware` learns a new wearer on a Cortex-M (the command
//! above) and on a RISC-V (`-p job-riscv --target riscv32imac-unknown-none-elf`), and says what of
//! the RAM is for what. A network that runs in integers learns in `f32`
//! ([patterns](crate::patterns#on-the-device-in-integers)).
//!
//! # Host
//!
//! Batches of samples, [`Cell::forward`], one optimizer over one flat array
//! ([patterns](crate::patterns#a-whole-training)). In a dev build optimise this crate alone
//! (`[profile.dev.package.bptt] opt-level = 3`). Times beside other engines: [RESULTS.md].
//! Threads with fixed shards keep the bits, and so do processes over MPI (`tests/cluster`):
//!
//! ```sh
//! cargo run --release --example threads
//! ```
//!
//! [`Cell::step`]: crate::Cell::step
//! [`Cell::forward`]: crate::Cell::forward
//! [RESULTS.md]: https://docs.rs/crate/bptt/latest/source/benches/RESULTS.md
