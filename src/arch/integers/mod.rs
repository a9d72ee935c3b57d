//! Kernels of the quantised cells: which one runs on which target, and how it reads the weights.
//!
//! | file | |
//! |---|---|
//! | `lanes.rs` | the products in vectors |
//! | `units.rs` | all the rest in vectors |
//! | `x86.rs` `neon.rs` `wasm.rs` | the vectors |
//! | `controller.rs` | what the loops of controllers are handed, and the check that makes them sound |
//! | `thumb.rs` `riscv.rs` | these loops in assembly, of a Cortex-M and of RV32 |
//! | `lstm_m4.rs` | a step of an LSTM on a Cortex-M with the DSP extension |

#[cfg(not(bptt_integers = "plain"))]
mod controller;
#[cfg(not(any(bptt_baseline = "scalars", bptt_unoptimized)))]
mod lanes;
#[cfg(bptt_integers = "m4")]
mod lstm_m4;
#[cfg(all(bptt_baseline = "neon", not(bptt_unoptimized)))]
mod neon;
#[cfg(bptt_integers = "rv32")]
mod riscv;
#[cfg(test)]
mod tests;
#[cfg(any(bptt_integers = "m0", bptt_integers = "m3", bptt_integers = "m4"))]
mod thumb;
#[cfg(bptt_avx2)]
mod units;
#[cfg(all(bptt_baseline = "simd128", not(bptt_unoptimized)))]
mod wasm;
#[cfg(all(bptt_baseline = "sse2", not(bptt_unoptimized)))]
mod x86;

#[cfg(any(bptt_avx2, bptt_avx512))]
use super::detect::{Backend, found};
use crate::quantized::core::{self, Rows};
use crate::quantized::{Order, Weight};

/// What the compile target has in any case.
#[cfg(all(
    bptt_integers = "plain",
    any(bptt_baseline = "scalars", bptt_unoptimized)
))]
pub(crate) type Baseline = core::Plain;
#[cfg(not(bptt_integers = "plain"))]
pub(crate) type Baseline = controller::Controller;
#[cfg(all(bptt_baseline = "sse2", not(bptt_unoptimized)))]
pub(crate) type Baseline = lanes::Products<x86::I32x4>;
#[cfg(all(bptt_baseline = "neon", not(bptt_unoptimized)))]
pub(crate) type Baseline = lanes::Products<neon::I32x8>;
#[cfg(all(bptt_baseline = "simd128", not(bptt_unoptimized)))]
pub(crate) type Baseline = lanes::Products<wasm::I32x4>;
#[cfg(bptt_avx2)]
type Avx2 = units::Vectors<x86::I32x8>;
#[cfg(bptt_avx512)]
type Avx512 = units::Vectors<x86::I32x16>;

/// How the kernels of this target read the weights of so many gates, of so many bytes each.
#[cfg(bptt_integers = "plain")]
pub(crate) const fn order(gates: usize, bytes: usize) -> Order {
    let _ = bytes;
    let vectors = cfg!(not(any(bptt_baseline = "scalars", bptt_unoptimized)));
    Order {
        units: match (vectors, gates) {
            (false, _) => 4,
            (true, 1) => core::ROWS,
            (true, _) => core::ROWS / 4,
        },
        // Multiply-adds of pairs, which all vectors but those of NEON have.
        columns: if vectors && cfg!(not(bptt_baseline = "neon")) {
            2
        } else {
            1
        },
        together: vectors,
        offset: false,
        pairs: false,
    }
}

/// How the kernels of this target read the weights: in runs of eight or, with the DSP extension, of
/// four units of one gate.
#[cfg(not(bptt_integers = "plain"))]
pub(crate) const fn order(gates: usize, bytes: usize) -> Order {
    let dsp = cfg!(bptt_integers = "m4");
    // There a run is a unit of an LSTM.
    let unit = dsp && gates == 4;
    Order {
        units: if unit { 1 } else { controller::RUN },
        columns: if dsp { 2 } else { 1 },
        together: unit,
        offset: cfg!(bptt_integers = "m0"),
        pairs: dsp && bytes == 1,
    }
}

/// The most rows, and the most columns, that a layer can have on a controller, where the number of its
/// weights is a product of 32 bits.
pub(crate) const MOST: usize = 0xffff;

/// The steps of the core, each by the best kernel that this machine has.
macro_rules! steps {
    ($( fn $name:ident($($arg:ident: $type:ty),* $(,)?); )*) => { $(
        #[inline(always)]
        pub(crate) fn $name<W: Weight>($($arg: $type),*) {
            #[cfg(bptt_avx512)]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn avx512<W: Weight>($($arg: $type),*) {
                core::$name::<W, Avx512>($($arg),*)
            }
            #[cfg(bptt_avx2)]
            #[target_feature(enable = "avx2")]
            unsafe fn avx2<W: Weight>($($arg: $type),*) {
                core::$name::<W, Avx2>($($arg),*)
            }
            #[cfg(any(bptt_avx2, bptt_avx512))]
            match found() {
                #[cfg(bptt_avx512)]
                // SAFETY: `found` names AVX-512 only where the processor has all of it.
                Backend::Avx512 => return unsafe { avx512::<W>($($arg),*) },
                #[cfg(bptt_avx2)]
                // SAFETY: `found` names AVX2 only where the processor has it.
                Backend::Avx2 => return unsafe { avx2::<W>($($arg),*) },
                _ => {}
            }
            core::$name::<W, Baseline>($($arg),*)
        }
    )* };
}

steps! {
    fn lstm_step(layer: Rows<W>, x: &[i16], prev: (&[i16], &[i32]), next: (&mut [i16], &mut [i32]));
    fn gru_after_step(layer: Rows<W>, bna: &[i32], x: &[i16], a_prev: &[i16], a: &mut [i16]);
    fn gru_before_step(layers: [Rows<W>; 3], x: &[i16], a_prev: &[i16], reset: &mut [i16], a: &mut [i16]);
    fn rnn_step(layer: Rows<W>, x: &[i16], a_prev: &[i16], a: &mut [i16]);
    fn relu_step(layer: Rows<W>, x: &[i16], a_prev: &[i16], a: &mut [i16]);
    fn dense(layer: Rows<W>, a: &[i16], y: &mut [i32]);
}
