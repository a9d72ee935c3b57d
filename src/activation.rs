//! e^x, the logistic sigmoid and tanh, with an error bound proved by trying every f32.
//!
//! ```text
//! exp(x)     = e^x
//! sigmoid(x) = 1 / (1 + e^−x)
//! tanh(x)    = (e^x − e^−x) / (e^x + e^−x)
//! ```
//!
//! # What is promised
//!
//! The constants of this module hold the largest error of each function. For f32 they were
//! measured on all 2³² inputs, for f64 on a sample of ten million per function, and the
//! test fails when a constant is too small or larger than it needs to be:
//!
//! ```text
//! cargo test --release --test activation -- --ignored --nocapture
//! ```
//!
//! * A unit in the last place (ULP) of a real number y, with 2^e ≤ |y| < 2^(e+1), is 2^(e−23) in
//!   f32 and 2^(e−52) in f64, and never less than the smallest subnormal. The error is the
//!   distance of the result from the exact real value, in units of the last place of the latter.
//!   It holds for subnormal results as well, and where e^x overflows.
//! * In f32 each function is monotone over all floats:
//!   [`F32_MONOTONICITY_VIOLATIONS`] pairs of neighbours are out of order. In f64 none was found.
//! * 0 ≤ sigmoid ≤ 1, |tanh| ≤ 1, tanh(−x) = −tanh(x) bit for bit, tanh(x) = x bit for bit for
//!   |x| < 2^−25 in f32 and 2^−54 in f64, exp(0) = 1, sigmoid(0) = 1/2, and the values at ±∞
//!   are exact.
//! * NaN in gives NaN out.
//! * The same bits on every target, in a slice of any length or alone: there are only IEEE
//!   additions, subtractions, multiplications, one division, selections and integer operations
//!   on the bits, in the order written. No fused multiply-add, no table, no branch, so a loop
//!   over them is vectorised at whatever width the target has.
//!
//! # How
//!
//! All three reduce x to k·ln 2 + r with an integer k and |r| ≤ ln(2)/2, so that
//!
//! ```text
//! e^x = 2^k + 2^k·p,   p = e^r − 1 = r + r²·(1/2 + c3·r + c4·r² + …)
//! ```
//!
//! k is found by adding a number so large that the sum has no fraction bits (`ROUND`). The sum's
//! lowest bits then hold k, and with the exponent bias added to `ROUND` beforehand they hold
//! the exponent field of 2^k: one shift makes 2^k of them. Then
//!
//! * exp: (1 + p)·2^⌊k/2⌋·2^⌈k/2⌉, as 2^k itself can be out of range where e^x is not;
//! * sigmoid: C / (C + C·e^−x) with a power of two C, so small that C·e^−x does not overflow.
//!   For one k each of its operations is monotone in p. In e/(1 + e) with e = e^−|x|, the usual
//!   form for x < 0, both sides of the fraction grow, and the quotient at times falls;
//! * tanh: (1 − e^−2|x|) / (1 + e^−2|x|) as ((1 − 2^k) − 2^k·p) / ((1 + 2^k) + 2^k·p), with the
//!   sign of x. For small x, where k = 0, 1 − 2^k is zero and no digit cancels. For one k the upper
//!   side falls and the lower one rises with p, so it is monotone too.
//!
//! On a target with vectors sigmoid and tanh of several vectors are computed stage by stage:
//! reduction, polynomial, division. The same operations on each, so the same bits.
//!
//! The f32 and the f64 functions are one text. They differ in their constants, which
//! `tests/activation/fit.sollya` prints, and in how tanh reduces and divides. To refit, edit the
//! script, run it, and copy its output into the two modules of constants. Reduction and scaling are
//! those of Cody and Waite (*Software Manual for the Elementary Functions*, 1980) and of Tang
//! (*Table-driven implementation of the exponential function*, 1989), without the table.
//!
//! # The derivatives
//!
//! Backward computes them from the cached value: [`sigmoid`]′ = a·(1 − a) and [`tanh`]′ = 1 − a·a.
//! Their absolute error is bounded ([`SIGMOID_DERIVATIVE_F32_MAX_ERROR`] and so on). Their
//! relative error is not: where a rounds to 1 the form gives 0, and the true derivative is some
//! 10^−8.

use crate::Real;
use crate::arch::{self, Core as _, Registers, Vector, Whole, one_by_one};
use crate::tuning::SIDE_BY_SIDE;

/// Largest error of [`exp`] in f32, in ULP, over all inputs.
///
/// ```
/// use bptt::activation::{EXP_F32_MAX_ULP, exp};
///
/// let error = f64::from(exp(1_f32)) - 1_f64.exp();
/// assert!(error.abs() <= EXP_F32_MAX_ULP * 2_f64.powi(-22));
/// ```
pub const EXP_F32_MAX_ULP: f64 = 0.938;
/// Largest error of [`sigmoid`] in f32, in ULP, over all inputs.
///
/// ```
/// use bptt::activation::{SIGMOID_F32_MAX_ULP, sigmoid};
///
/// let error = f64::from(sigmoid(1_f32)) - 1.0 / (1.0 + (-1_f64).exp());
/// assert!(error.abs() <= SIGMOID_F32_MAX_ULP * 2_f64.powi(-24));
/// ```
pub const SIGMOID_F32_MAX_ULP: f64 = 1.770;
/// Largest error of [`tanh`] in f32, in ULP, over all inputs.
///
/// ```
/// use bptt::activation::{TANH_F32_MAX_ULP, tanh};
///
/// let error = f64::from(tanh(1_f32)) - 1_f64.tanh();
/// assert!(error.abs() <= TANH_F32_MAX_ULP * 2_f64.powi(-24));
/// ```
pub const TANH_F32_MAX_ULP: f64 = 1.969;
/// Number of neighbouring f32 x < x′ with f(x) > f(x′), for each of the three functions.
///
/// ```
/// use bptt::activation::{F32_MONOTONICITY_VIOLATIONS, tanh};
///
/// let (x, next) = (0.5_f32, f32::from_bits(0.5_f32.to_bits() + 1));
/// assert!(F32_MONOTONICITY_VIOLATIONS == 0 && tanh(x) <= tanh(next));
/// ```
pub const F32_MONOTONICITY_VIOLATIONS: u64 = 0;
/// Largest |a·(1 − a) − sigmoid′(x)| with a = [`sigmoid`]`(x)` in f32, in units of
/// [`f32::EPSILON`], over all inputs.
///
/// ```
/// use bptt::activation::{SIGMOID_DERIVATIVE_F32_MAX_ERROR, sigmoid};
///
/// let (a, exact) = (sigmoid(1_f32), 1.0 / (1.0 + (-1_f64).exp()));
/// let error = f64::from(a * (1.0 - a)) - (exact * (1.0 - exact));
/// assert!(error.abs() <= SIGMOID_DERIVATIVE_F32_MAX_ERROR * f64::from(f32::EPSILON));
/// ```
pub const SIGMOID_DERIVATIVE_F32_MAX_ERROR: f64 = 0.749;
/// Largest |(1 − a·a) − tanh′(x)| with a = [`tanh`]`(x)` in f32, in units of
/// [`f32::EPSILON`], over all inputs.
///
/// ```
/// use bptt::activation::{TANH_DERIVATIVE_F32_MAX_ERROR, tanh};
///
/// let (a, exact) = (tanh(1_f32), 1_f64.tanh());
/// let error = f64::from(1.0 - a * a) - (1.0 - exact * exact);
/// assert!(error.abs() <= TANH_DERIVATIVE_F32_MAX_ERROR * f64::from(f32::EPSILON));
/// ```
pub const TANH_DERIVATIVE_F32_MAX_ERROR: f64 = 1.829;

/// Largest error of [`exp`] in f64, in ULP, over a sample.
///
/// ```
/// use bptt::activation::{EXP_F64_MAX_ULP, exp};
///
/// let error = exp(1_f64) - core::f64::consts::E; // itself rounded
/// assert!(error.abs() <= (EXP_F64_MAX_ULP + 0.5) * 2_f64.powi(-51));
/// ```
pub const EXP_F64_MAX_ULP: f64 = 0.87;
/// Largest error of [`sigmoid`] in f64, in ULP, over a sample.
///
/// ```
/// use bptt::activation::{SIGMOID_F64_MAX_ULP, sigmoid};
///
/// let error = sigmoid(1_f64) - 0.731_058_578_630_004_9; // itself rounded
/// assert!(error.abs() <= (SIGMOID_F64_MAX_ULP + 0.5) * 2_f64.powi(-53));
/// ```
pub const SIGMOID_F64_MAX_ULP: f64 = 1.76;
/// Largest error of [`tanh`] in f64, in ULP, over a sample.
///
/// ```
/// use bptt::activation::{TANH_F64_MAX_ULP, tanh};
///
/// let error = tanh(1_f64) - 0.761_594_155_955_764_9; // itself rounded
/// assert!(error.abs() <= (TANH_F64_MAX_ULP + 0.5) * 2_f64.powi(-53));
/// ```
pub const TANH_F64_MAX_ULP: f64 = 1.83;
/// Largest |a·(1 − a) − sigmoid′(x)| with a = [`sigmoid`]`(x)` in f64, in units of
/// [`f64::EPSILON`], over a sample.
///
/// ```
/// use bptt::activation::{SIGMOID_DERIVATIVE_F64_MAX_ERROR, sigmoid};
///
/// let a = sigmoid(1_f64);
/// let error = a * (1.0 - a) - 0.196_611_933_241_481_85; // itself rounded
/// assert!(error.abs() <= (SIGMOID_DERIVATIVE_F64_MAX_ERROR + 0.5) * f64::EPSILON);
/// ```
pub const SIGMOID_DERIVATIVE_F64_MAX_ERROR: f64 = 0.75;
/// Largest |(1 − a·a) − tanh′(x)| with a = [`tanh`]`(x)` in f64, in units of
/// [`f64::EPSILON`], over a sample.
///
/// ```
/// use bptt::activation::{TANH_DERIVATIVE_F64_MAX_ERROR, tanh};
///
/// let a = tanh(1_f64);
/// let error = (1.0 - a * a) - 0.419_974_341_614_026_07; // itself rounded
/// assert!(error.abs() <= (TANH_DERIVATIVE_F64_MAX_ERROR + 0.5) * f64::EPSILON);
/// ```
pub const TANH_DERIVATIVE_F64_MAX_ERROR: f64 = 1.83;

/// e^x.
///
/// The error is at most [`EXP_F32_MAX_ULP`] in f32 and [`EXP_F64_MAX_ULP`] in f64, subnormal
/// results included. Overflow gives +∞, underflow 0.
///
/// ```
/// use bptt::activation::exp;
///
/// assert_eq!(exp(0.0_f32), 1.0);
/// assert_eq!(exp(f32::NEG_INFINITY), 0.0);
/// assert!((exp(1.0_f64) - core::f64::consts::E).abs() < 1e-15);
/// ```
#[inline]
pub fn exp<T: Real>(x: T) -> T {
    x.exp()
}

/// The logistic sigmoid 1 / (1 + e^−x).
///
/// The error is at most [`SIGMOID_F32_MAX_ULP`] in f32 and [`SIGMOID_F64_MAX_ULP`] in f64,
/// subnormal results included. Its derivative is a·(1 − a) with a = sigmoid(x), which in
/// floating point is off by at most [`SIGMOID_DERIVATIVE_F32_MAX_ERROR`] epsilons.
///
/// ```
/// use bptt::activation::sigmoid;
///
/// assert_eq!(sigmoid(0.0_f32), 0.5);
/// assert_eq!(sigmoid(f32::INFINITY), 1.0);
/// assert!((sigmoid(-1.0_f64) - 0.268_941_421_369_995_1).abs() < 1e-16);
///
/// let a = sigmoid(2.0_f32);
/// assert!((a * (1.0 - a) - 0.104_993_59).abs() < f32::EPSILON);
/// ```
#[inline]
pub fn sigmoid<T: Real>(x: T) -> T {
    x.sigmoid()
}

/// The hyperbolic tangent (e^x − e^−x) / (e^x + e^−x).
///
/// The error is at most [`TANH_F32_MAX_ULP`] in f32 and [`TANH_F64_MAX_ULP`] in f64. Its
/// derivative is 1 − a·a with a = tanh(x), which in floating point is off by at most
/// [`TANH_DERIVATIVE_F32_MAX_ERROR`] epsilons.
///
/// ```
/// use bptt::activation::tanh;
///
/// assert_eq!(tanh(-0.5_f32), -tanh(0.5_f32));
/// assert_eq!(tanh(f32::INFINITY), 1.0);
/// assert!((tanh(0.5_f64) - 0.462_117_157_260_009_8).abs() < 1e-15);
///
/// let a = tanh(0.5_f32);
/// assert!((1.0 - a * a - 0.786_447_73).abs() < f32::EPSILON);
/// ```
#[inline]
pub fn tanh<T: Real>(x: T) -> T {
    x.tanh()
}

/// Replaces each element by [`exp`] of it: the same bits, vectorised.
///
/// ```
/// use bptt::activation::{exp, exp_slice};
///
/// let mut x = [-1.0_f32, 0.0, 1.0];
/// exp_slice(&mut x);
/// assert_eq!(x, [exp(-1.0), 1.0, exp(1.0)]);
/// ```
#[inline]
pub fn exp_slice<T: Real>(x: &mut [T]) {
    T::Core::exp(x);
}

/// Replaces each element by [`sigmoid`] of it: the same bits, vectorised.
///
/// ```
/// use bptt::activation::{sigmoid, sigmoid_slice};
///
/// let mut x = [-1.0_f32, 0.0, 1.0];
/// sigmoid_slice(&mut x);
/// assert_eq!(x, [sigmoid(-1.0), 0.5, sigmoid(1.0)]);
/// ```
#[inline]
pub fn sigmoid_slice<T: Real>(x: &mut [T]) {
    T::Core::sigmoid(x);
}

/// Replaces each element by [`tanh`] of it: the same bits, vectorised.
///
/// ```
/// use bptt::activation::{tanh, tanh_slice};
///
/// let mut x = [-1.0_f32, 0.0, 1.0];
/// tanh_slice(&mut x);
/// assert_eq!(x, [tanh(-1.0), 0.0, tanh(1.0)]);
/// ```
#[inline]
pub fn tanh_slice<T: Real>(x: &mut [T]) {
    T::Core::tanh(x);
}

/// The constants of the f32 functions.
mod single {
    use crate::arch::Vector;

    /// 1.5·2^23: added to a small number, it leaves no fraction bits.
    pub const ROUND: f32 = 12_582_912.0;
    /// The exponent field of 1.
    pub const BIAS: f32 = 127.0;

    pub const LOG2_E: f32 = core::f32::consts::LOG2_E;
    /// ln 2 in two parts, the upper one of 16 bits: its product with a k of 8 bits is exact.
    pub const LN_2_HI: f32 = f32::from_bits(0x3f31_7200);
    pub const LN_2_LO: f32 = f32::from_bits(0x35bf_be8e);

    /// e^−104 is less than half the smallest subnormal, e^89 overflows.
    pub const EXP_MIN: f32 = -104.0;
    pub const EXP_MAX: f32 = 89.0;
    /// The power of two C of sigmoid and its logarithm: C·e^104 does not overflow, and beyond 60
    /// C·e^−x no longer counts.
    pub const C: f32 = f32::from_bits((127 - 30) << 23);
    pub const LOG2_C: f32 = -30.0;
    pub const SIGMOID_MIN: f32 = -104.0;
    pub const SIGMOID_MAX: f32 = 60.0;
    /// From about 9.01 on tanh rounds to 1.
    pub const TANH_MAX: f32 = 10.0;

    /// e^r − 1 − r for |r| ≤ ln(2)/2.
    #[inline(always)]
    pub fn expm1_less_r<V: Vector<Scalar = f32>>(r: V) -> V {
        const C3: f32 = f32::from_bits(0x3e2a_aa52);
        const C4: f32 = f32::from_bits(0x3d2a_aae5);
        const C5: f32 = f32::from_bits(0x3c09_19d5);
        const C6: f32 = f32::from_bits(0x3ab6_2ab9);
        let c = V::splat;
        let r2 = r * r;
        r2 * ((c(0.5) + c(C3) * r) + r2 * ((c(C4) + c(C5) * r) + r2 * c(C6)))
    }

    /// For tanh, which takes k·ln 2 from a y ≤ 0 near it, one constant is enough. The f32 nearest
    /// ln 2 is off by 2^−29 only and ends in three zero bits, which makes k·ln 2 exact down to
    /// k = −8; further out e^y is less than 2^−8 and its error counts that much less.
    pub const TANH_LN_2_HI: f32 = core::f32::consts::LN_2;

    /// p, for tanh
    #[inline(always)]
    pub fn tanh_power<V: Vector<Scalar = f32>>(r: V) -> V {
        r + expm1_less_r(r)
    }

    /// (1 − s − s·p) / (1 + s + s·p), for tanh.
    #[inline(always)]
    pub fn quotient<V: Vector<Scalar = f32>>(p: V, s: V, _k: V) -> V {
        let one = V::splat(1.0);
        ((one - s) - s * p) / ((one + s) + s * p)
    }
}

/// The constants of the f64 functions, as in [`single`].
mod double {
    use crate::arch::Vector;

    /// 1.5·2^52
    pub const ROUND: f64 = 6_755_399_441_055_744.0;
    pub const BIAS: f64 = 1023.0;

    pub const LOG2_E: f64 = core::f64::consts::LOG2_E;
    /// The upper part has 42 bits, for a k of 11 bits.
    pub const LN_2_HI: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
    pub const LN_2_LO: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

    pub const EXP_MIN: f64 = -746.0;
    pub const EXP_MAX: f64 = 710.0;
    pub const C: f64 = f64::from_bits((1023 - 60) << 52);
    pub const LOG2_C: f64 = -60.0;
    pub const SIGMOID_MIN: f64 = -746.0;
    pub const SIGMOID_MAX: f64 = 60.0;
    /// From about 19.1 on tanh rounds to 1.
    pub const TANH_MAX: f64 = 20.0;

    #[inline(always)]
    pub fn expm1_less_r<V: Vector<Scalar = f64>>(r: V) -> V {
        const C3: f64 = f64::from_bits(0x3fc5_5555_5555_555a);
        const C4: f64 = f64::from_bits(0x3fa5_5555_5555_5545);
        const C5: f64 = f64::from_bits(0x3f81_1111_1110_f03a);
        const C6: f64 = f64::from_bits(0x3f56_c16c_16c1_dfd8);
        const C7: f64 = f64::from_bits(0x3f2a_01a0_1b2c_3051);
        const C8: f64 = f64::from_bits(0x3efa_01a0_17f9_f775);
        const C9: f64 = f64::from_bits(0x3ec7_1ddf_07ab_5fea);
        const C10: f64 = f64::from_bits(0x3e92_7e52_c5d0_5693);
        const C11: f64 = f64::from_bits(0x3e5a_f6d5_2893_5645);
        const C12: f64 = f64::from_bits(0x3e21_efcd_84bf_59cc);
        let c = V::splat;
        let r2 = r * r;
        let q = (c(C8) + c(C9) * r) + r2 * ((c(C10) + c(C11) * r) + r2 * c(C12));
        let q = (c(C4) + c(C5) * r) + r2 * ((c(C6) + c(C7) * r) + r2 * q);
        r2 * ((c(0.5) + c(C3) * r) + r2 * q)
    }

    /// The f64 nearest ln 2 has no zero bits at its end, so here tanh takes both parts.
    pub const TANH_LN_2_HI: f64 = LN_2_HI;

    /// Both parts of p are needed to the end, for tanh: see `quotient`.
    #[inline(always)]
    pub fn tanh_power<V: Vector<Scalar = f64>>(hi: V) -> V {
        hi
    }

    /// (1 − s − s·p) / (1 + s + s·p) with p = hi + w, for tanh.
    ///
    /// With p rounded as in f32 the error would reach 2.03 ULP. Here both sides round once: 1 ∓ s ∓
    /// s·hi is kept as a sum and what that sum lost, which is exact since 1 ∓ s is the larger term.
    #[inline(always)]
    pub fn quotient<V: Vector<Scalar = f64>>(hi: V, s: V, k: V) -> V {
        let (one, lo) = (V::splat(1.0), k * V::splat(LN_2_LO));
        let w = expm1_less_r(hi - lo) - lo;
        let (below, above) = (one - s, one + s);
        let (n, d) = (below - s * hi, above + s * hi);
        let n_lost = (below - n) - s * hi;
        let d_lost = s * hi - (d - above);
        (n + (n_lost - s * w)) / (d + (d_lost + s * w))
    }
}

/// The constants of a scalar, and the two expressions that differ with its precision.
pub(crate) trait Constants: Real {
    /// Added to a small number, it leaves no fraction bits.
    const ROUND: Self;
    /// The exponent field of 1.
    const BIAS: Self;
    const LOG2_E: Self;
    const LN_2_HI: Self;
    const LN_2_LO: Self;
    const TANH_LN_2_HI: Self;
    const EXP_MIN: Self;
    const EXP_MAX: Self;
    const C: Self;
    const LOG2_C: Self;
    const SIGMOID_MIN: Self;
    const SIGMOID_MAX: Self;
    const TANH_MAX: Self;
    /// The smallest normal number, and its reciprocal.
    const SMALLEST: [Self; 2];

    /// e^r − 1 − r for |r| ≤ ln(2)/2.
    fn expm1_less_r<V: Vector<Scalar = Self>>(r: V) -> V;
    /// p, for tanh; in f64 still the larger part of r.
    fn tanh_power<V: Vector<Scalar = Self>>(r: V) -> V;
    /// (1 − s − s·p) / (1 + s + s·p), for tanh.
    fn quotient<V: Vector<Scalar = Self>>(p: V, s: V, k: V) -> V;
}

macro_rules! constants {
    ($float:ident, $module:ident) => {
        impl Constants for $float {
            const ROUND: $float = $module::ROUND;
            const BIAS: $float = $module::BIAS;
            const LOG2_E: $float = $module::LOG2_E;
            const LN_2_HI: $float = $module::LN_2_HI;
            const LN_2_LO: $float = $module::LN_2_LO;
            const TANH_LN_2_HI: $float = $module::TANH_LN_2_HI;
            const EXP_MIN: $float = $module::EXP_MIN;
            const EXP_MAX: $float = $module::EXP_MAX;
            const C: $float = $module::C;
            const LOG2_C: $float = $module::LOG2_C;
            const SIGMOID_MIN: $float = $module::SIGMOID_MIN;
            const SIGMOID_MAX: $float = $module::SIGMOID_MAX;
            const TANH_MAX: $float = $module::TANH_MAX;
            const SMALLEST: [$float; 2] = [$float::MIN_POSITIVE, 1.0 / $float::MIN_POSITIVE];

            #[inline(always)]
            fn expm1_less_r<V: Vector<Scalar = $float>>(r: V) -> V {
                $module::expm1_less_r(r)
            }
            #[inline(always)]
            fn tanh_power<V: Vector<Scalar = $float>>(r: V) -> V {
                $module::tanh_power(r)
            }
            #[inline(always)]
            fn quotient<V: Vector<Scalar = $float>>(p: V, s: V, k: V) -> V {
                $module::quotient(p, s, k)
            }
        }
    };
}
constants!(f32, single);
constants!(f64, double);

/// e^x = (1 + p)·2^⌊k/2⌋·2^⌈k/2⌉
#[inline(always)]
pub(crate) fn exp_vector<V: Vector>(x: V) -> V {
    let c = V::splat;
    // Twice the bias, for half of it goes to each power of two.
    let shift = c(V::Scalar::ROUND + V::Scalar::BIAS + V::Scalar::BIAS);
    let x = x.at_least(V::Scalar::EXP_MIN).at_most(V::Scalar::EXP_MAX);
    // x = k·ln 2 + r, r = hi − lo
    let t = x * c(V::Scalar::LOG2_E) + shift;
    let k = t - shift;
    let hi = x - k * c(V::Scalar::LN_2_HI);
    let lo = k * c(V::Scalar::LN_2_LO);
    // 1 + p with lo subtracted last, where its rounding counts least
    let y = c(V::Scalar::ONE) + (hi + (V::Scalar::expm1_less_r(hi - lo) - lo));
    let floor = t.halve_bits().lowest_bits_to_exponent();
    let ceil = t.lowest_bits_to_exponent().subtract_bits(floor);
    y * floor * ceil
}

/// r with −x = k·ln 2 + r, and t, whose lowest bits hold k.
#[inline(always)]
fn sigmoid_reduce<V: Vector>(x: V) -> (V, V) {
    let c = V::splat;
    let shift = c(V::Scalar::ROUND + (V::Scalar::BIAS + V::Scalar::LOG2_C));
    let x = x
        .at_least(V::Scalar::SIGMOID_MIN)
        .at_most(V::Scalar::SIGMOID_MAX);
    let t = x * c(-V::Scalar::LOG2_E) + shift;
    let k = t - shift;
    (
        (k * c(-V::Scalar::LN_2_HI) - x) - k * c(V::Scalar::LN_2_LO),
        t,
    )
}

/// p = e^r − 1
#[inline(always)]
fn sigmoid_power<V: Vector>(r: V) -> V {
    r + V::Scalar::expm1_less_r(r)
}

/// 1 / (1 + e^−x) = C / (C + s + s·p) with s = C·2^k
#[inline(always)]
fn sigmoid_divide<V: Vector>(p: V, t: V) -> V {
    let c = V::splat(V::Scalar::C);
    let s = t.lowest_bits_to_exponent();
    // C + s is exact until s is so large that C is lost in it, whole or in part.
    let sum = c + s;
    let lost = c - (sum - s);
    c / (sum + (s * p + lost))
}

/// r with −2|x| = k·ln 2 + r (in f64 the part of it that the first constant leaves), and t, whose
/// lowest bits hold k.
#[inline(always)]
fn tanh_reduce<V: Vector>(x: V) -> (V, V) {
    let c = V::splat;
    let two = V::Scalar::ONE + V::Scalar::ONE;
    let shift = c(V::Scalar::ROUND + V::Scalar::BIAS);
    let a = x.abs().at_most(V::Scalar::TANH_MAX);
    let t = a * c(-two * V::Scalar::LOG2_E) + shift;
    (c(-two) * a - (t - shift) * c(V::Scalar::TANH_LN_2_HI), t)
}

/// tanh |x| = (1 − s − s·p) / (1 + s + s·p) with s = 2^k, with the sign of x.
#[inline(always)]
fn tanh_divide<V: Vector>(p: V, t: V, x: V) -> V {
    let shift = V::splat(V::Scalar::ROUND + V::Scalar::BIAS);
    V::Scalar::quotient(p, t.lowest_bits_to_exponent(), t - shift).with_sign_of(x)
}

/// The sigmoid of one vector.
#[inline(always)]
pub(crate) fn sigmoid_vector<V: Vector>(x: V) -> V {
    let (r, t) = sigmoid_reduce(x);
    sigmoid_divide(sigmoid_power(r), t)
}

/// tanh of one vector.
#[inline(always)]
pub(crate) fn tanh_vector<V: Vector>(x: V) -> V {
    let (r, t) = tanh_reduce(x);
    tanh_divide(V::Scalar::tanh_power(r), t, x)
}

/// The sigmoid of N vectors, stage by stage.
///
/// One vector is a chain of thirty instructions, most of which wait for the one before. With N of
/// them side by side there is always one that need not wait. Without vectors there is nothing to
/// wait for: one scalar after the other.
#[inline(always)]
pub(crate) fn sigmoid_vectors<V: Vector, const N: usize>(x: [V; N]) -> [V; N] {
    let (mut y, mut t) = (x, x);
    if V::REGISTERS == Registers::Scalars {
        for n in 0..N {
            y[n] = x[n].sigmoid();
        }
        return y;
    }
    for n in 0..N {
        (y[n], t[n]) = sigmoid_reduce(x[n]);
    }
    for n in 0..N {
        y[n] = sigmoid_power(y[n]);
    }
    for n in 0..N {
        y[n] = sigmoid_divide(y[n], t[n]);
    }
    y
}

/// tanh of N vectors, stage by stage.
#[inline(always)]
pub(crate) fn tanh_vectors<V: Vector, const N: usize>(x: [V; N]) -> [V; N] {
    let (mut y, mut t) = (x, x);
    if V::REGISTERS == Registers::Scalars {
        for n in 0..N {
            y[n] = x[n].tanh();
        }
        return y;
    }
    for n in 0..N {
        (y[n], t[n]) = tanh_reduce(x[n]);
    }
    for n in 0..N {
        y[n] = V::Scalar::tanh_power(y[n]);
    }
    for n in 0..N {
        y[n] = tanh_divide(y[n], t[n], x[n]);
    }
    y
}

/// σ(f), σ(i), tanh(g) and σ(o) for the four gates of an LSTM, N vectors each: all of them stage by
/// stage.
#[inline(always)]
pub(crate) fn gates_vectors<V: Vector, const N: usize>([f, i, g, o]: [[V; N]; 4]) -> [[V; N]; 4] {
    if V::REGISTERS == Registers::Scalars {
        return [
            sigmoid_vectors(f),
            sigmoid_vectors(i),
            tanh_vectors(g),
            sigmoid_vectors(o),
        ];
    }
    let (mut y_f, mut y_i, mut y_g, mut y_o) = (f, i, g, o);
    let (mut t_f, mut t_i, mut t_g, mut t_o) = (f, i, g, o);
    for n in 0..N {
        (y_f[n], t_f[n]) = sigmoid_reduce(f[n]);
        (y_i[n], t_i[n]) = sigmoid_reduce(i[n]);
        (y_g[n], t_g[n]) = tanh_reduce(g[n]);
        (y_o[n], t_o[n]) = sigmoid_reduce(o[n]);
    }
    for n in 0..N {
        y_f[n] = sigmoid_power(y_f[n]);
        y_i[n] = sigmoid_power(y_i[n]);
        y_g[n] = V::Scalar::tanh_power(y_g[n]);
        y_o[n] = sigmoid_power(y_o[n]);
    }
    for n in 0..N {
        y_f[n] = sigmoid_divide(y_f[n], t_f[n]);
        y_i[n] = sigmoid_divide(y_i[n], t_i[n]);
        y_g[n] = tanh_divide(y_g[n], t_g[n], g[n]);
        y_o[n] = sigmoid_divide(y_o[n], t_o[n]);
    }
    [y_f, y_i, y_g, y_o]
}

/// [`exp_slice`]
#[inline(always)]
pub(crate) fn exp_all<V: Vector>(x: &mut [V::Scalar]) {
    if one_by_one::<V>() {
        return exp_all::<V::Half>(x);
    }
    for i in (0..x.len()).step_by(V::LANES) {
        exp_vector(V::load(x, i)).store(x, i);
    }
}

/// What is done to each scalar of a slice, to N vectors at a time.
pub(crate) trait Map {
    fn map<V: Vector, const N: usize>(x: [V; N]) -> [V; N];
}

/// x = F(x): several vectors side by side, then one by one.
#[inline(always)]
pub(crate) fn map_all<F: Map, V: Vector>(x: &mut [V::Scalar]) {
    if one_by_one::<V>() {
        return map_all::<F, V::Half>(x);
    }
    let mut i = 0;
    while V::REGISTERS != Registers::Scalars && x.len() - i >= SIDE_BY_SIDE * V::LANES {
        let v: [V; SIDE_BY_SIDE] = arch::load(x, i, Whole);
        arch::store(F::map(v), x, i, Whole);
        i += SIDE_BY_SIDE * V::LANES;
    }
    while i < x.len() {
        let [v] = F::map([V::load(x, i)]);
        v.store(x, i);
        i += V::LANES;
    }
}

struct Sigmoid;
impl Map for Sigmoid {
    #[inline(always)]
    fn map<V: Vector, const N: usize>(x: [V; N]) -> [V; N] {
        sigmoid_vectors(x)
    }
}

/// [`sigmoid_slice`]
#[inline(always)]
pub(crate) fn sigmoid_all<V: Vector>(x: &mut [V::Scalar]) {
    map_all::<Sigmoid, V>(x);
}

struct Tanh;
impl Map for Tanh {
    #[inline(always)]
    fn map<V: Vector, const N: usize>(x: [V; N]) -> [V; N] {
        tanh_vectors(x)
    }
}

/// [`tanh_slice`]
#[inline(always)]
pub(crate) fn tanh_all<V: Vector>(x: &mut [V::Scalar]) {
    map_all::<Tanh, V>(x);
}
