//! Whether the floating-point environment is the one in which this crate keeps its promise of the
//! same bits: rounding to nearest, subnormals as they are, no fused multiply-add.

use core::error::Error;
use core::fmt;
use core::hint::black_box;

use crate::{Flat, Matrix, dense};

/// In what the floating-point environment gives other bits than the promised ones.
///
/// ```
/// if let Err(error) = bptt::check_float_environment() {
///     println!("{error}"); // says which of these
///     let flushed = error.flushed_results || error.flushed_operands;
///     assert!(flushed || error.rounding || error.fused);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FloatEnvironmentError {
    /// Results are not rounded to the nearest float, and between two to the even one.
    pub rounding: bool,
    /// Results that should be subnormal are zero.
    pub flushed_results: bool,
    /// Operands that are subnormal count as zero.
    pub flushed_operands: bool,
    /// A product is added without having been rounded.
    pub fused: bool,
}

impl fmt::Display for FloatEnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the floating-point environment gives other bits")?;
        let mut separator = ": ";
        for (deviates, what) in [
            (self.rounding, "rounding is not to nearest, ties to even"),
            (self.flushed_results, "subnormal results are zero"),
            (self.flushed_operands, "subnormal operands count as zero"),
            (self.fused, "products are added without being rounded"),
        ] {
            if deviates {
                write!(f, "{separator}{what}")?;
                separator = "; ";
            }
        }
        Ok(())
    }
}

impl Error for FloatEnvironmentError {}

/// Whether this thread computes, here and now, as the crate promises.
///
/// The promised bits need the environment that IEEE-754 has by default and in which Rust programs
/// start:
///
/// * rounding is to nearest, ties to even;
/// * subnormals are neither flushed to zero as results (FTZ) nor taken for zero as operands (DAZ);
/// * no floating-point exception is trapped, which this function cannot tell;
/// * the compiler was not told to fuse multiplications and additions
///   (`-Cllvm-args=-fp-contract=fast`).
///
/// All but the last are modes of a thread, in MXCSR on x86, in FPCR on AArch64. Hosts set FTZ and
/// DAZ on the threads on which they call audio plugins; a C library built with `-ffast-math` may
/// set them when it is loaded. With another rounding other bits come everywhere.
///
/// With FTZ or DAZ they come where a number on the way is subnormal. The kernels do not need these
/// modes to be fast: what is carried from step to step is never subnormal
/// ([`lstm`](crate::lstm#subnormal-numbers)), and it is flushed by a test of its bits that they do
/// not change. But they flush the products on the way too, which the contract does not. What
/// differs first are sums of less than some 10⁻³¹ in f32 (2⁻¹⁰², 24 bits above the smallest normal
/// number), to which such a product was added, then what is computed from these. Who needs the
/// promised bits clears the modes for the call and sets them again as the host wants them; an
/// effect whose user hears no difference of 10⁻³¹ may leave them set.
///
/// The function computes some numbers in f32 and f64, and an output layer with the instruction set
/// of the kernels, and compares with what must come out. Call it where a thread begins.
///
/// # Errors
/// [`FloatEnvironmentError`], which says all that deviates.
///
/// ```
/// assert_eq!(bptt::check_float_environment(), Ok(()));
/// ```
// Never compiled in the caller's crate: it is the flags of this one that count.
#[inline(never)]
pub fn check_float_environment() -> Result<(), FloatEnvironmentError> {
    let (single, double) = (deviations_f32(), deviations_f64());
    let found = FloatEnvironmentError {
        rounding: single.rounding || double.rounding,
        flushed_results: single.flushed_results || double.flushed_results,
        flushed_operands: single.flushed_operands || double.flushed_operands,
        fused: single.fused || double.fused,
    };
    if found.rounding || found.flushed_results || found.flushed_operands || found.fused {
        Err(found)
    } else {
        Ok(())
    }
}

/// The optimiser computes by the rules, whatever the processor does: `black_box` keeps the operands
/// from it. Constants are computed by the compiler, by the rules as well.
macro_rules! deviations {
    ($name:ident, $float:ident) => {
        fn $name() -> FloatEnvironmentError {
            const NORMAL: $float = $float::MIN_POSITIVE;
            const HALF: $float = NORMAL / 2.0; // subnormal
            const EPSILON: $float = $float::EPSILON; // 1 + EPSILON is the float after 1.
            const THIRD: $float = 1.0 / 3.0;
            // As bits, for where subnormals count as zero they are equal to it.
            let differ = |pairs: &[($float, $float)]| {
                let bits = |x: $float| x.to_bits();
                pairs.iter().any(|(y, exact)| bits(*y) != bits(*exact))
            };

            let (one, half, three) = (black_box(1.0), black_box(EPSILON / 2.0), black_box(3.0));
            let rounding = [
                // In the middle between two floats; the even one is below, then above.
                (one + half, 1.0),
                (-one - half, -1.0),
                (one + three * half, 1.0 + 2.0 * EPSILON),
                (-one - three * half, -1.0 - 2.0 * EPSILON),
                // Not in the middle.
                (one / three, THIRD),
                (-one / three, -THIRD),
                ((one + 2.0 * half) * (one - half), 1.0),
                ((one + 2.0 * half) * (half - one), -1.0),
            ];

            let (normal, more) = (black_box(NORMAL), black_box(1.5 * NORMAL));
            let results = [
                (normal * black_box(0.5), HALF),
                (normal / black_box(2.0), HALF),
                (more - normal, HALF),
            ];
            let subnormal = black_box(HALF);
            let operands = [
                (subnormal * black_box(4.0), 2.0 * NORMAL),
                (subnormal / black_box(0.25), 2.0 * NORMAL),
                (subnormal + more, 2.0 * NORMAL),
            ];

            // (1 + s)² = 1 + 2s + s², of which s² is lost when the product is rounded.
            const S: $float = 1.0 / (1_u64 << $float::MANTISSA_DIGITS.div_ceil(2)) as $float;
            let (factor, summand) = (black_box(1.0 + S), black_box(-1.0 - 2.0 * S));
            // The kernels may be compiled for more instructions than this function.
            let mut layer = dense::Params::<1, 33, $float>::zeros();
            layer.w.fill(factor);
            layer.b.fill(summand);
            let mut y = Matrix::zeros();
            dense::forward(&layer, &black_box(Matrix::from_rows([[1.0 + S]])), &mut y);
            let fused = summand + factor * factor == S * S || y.as_flat().contains(&(S * S));

            FloatEnvironmentError {
                rounding: differ(&rounding),
                flushed_results: differ(&results),
                flushed_operands: differ(&operands),
                fused,
            }
        }
    };
}

deviations!(deviations_f32, f32);
deviations!(deviations_f64, f64);
