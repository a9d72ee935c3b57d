//! ln(1 + x) for the losses and the initialisers, and the cosine of 2π·v for the latter.
//!
//! ```text
//! ln_1p(x)  = ln(1 + x)
//! cosine(v) = cos(2π·v), an angle in turns
//! ```
//!
//! The constants below hold the largest error of each, in units in the last place as in
//! [`activation`](crate::activation): that of `ln_1p` in f32 was measured on all 2³² inputs, the
//! others on a sample of ten million, by the test of the activations. In f32 `ln_1p` is monotone
//! over all floats. The same bits on every target: there are only IEEE additions, subtractions,
//! multiplications and divisions, comparisons and integer operations on the bits, in the order
//! written. No fused multiply-add and no table.
//!
//! # The logarithm
//!
//! ```text
//! u = 1 + x in floating point, lost = (1 + x) − u
//! u = 2^k·m,   √½ ≤ m < √2,   f = m − 1
//! ln(1 + x) = ln u + ln(1 + lost/u) = k·ln 2 + ln(1 + f) + lost/u
//! ```
//!
//! up to terms that are far below the last digit. Where k = 0 the x itself is f and nothing is
//! lost, so that ln(1 + x) is right to the last digits near 0 as well. With
//!
//! ```text
//! s = f / (2 + f),   h = f²/2
//! ln(1 + f) = ln((1 + s) / (1 − s)) = 2·s + s·R,   R = 2/3·s² + 2/5·s⁴ + …
//!           = f − (h − s·(h + R))
//! ```
//!
//! f, which is exact, is the largest term, and the rounding of the others counts little. ln 2 is
//! split in two as in [`activation`](crate::activation).
//!
//! # The cosine
//!
//! With the angle in turns its reduction is exact: 4·v is rounded to the integer k, and the
//! rest r = v − k/4, |r| ≤ 1/8, is a float. Then
//!
//! ```text
//! cos(2π·v) = cos(2π·r), −sin(2π·r), −cos(2π·r), sin(2π·r)   for k mod 4 = 0, 1, 2, 3
//! ```
//!
//! of which both are polynomials in r² that contain the 2π, and the sine's is right to the last
//! digits near its zero.
//!
//! `tests/activation/elementary.sollya` prints the constants. To refit, edit it, run it and copy
//! its output. Nothing here uses the rest of the crate: the test takes this file as a module of its
//! own.

/// Largest error of [`ln_1p_f32`], in ULP, over all inputs.
#[allow(dead_code)] // Read by the test.
pub const LN_1P_F32_MAX_ULP: f64 = 0.840;
/// Largest error of [`ln_1p_f64`], in ULP, over a sample.
#[allow(dead_code)] // Read by the test.
pub const LN_1P_F64_MAX_ULP: f64 = 0.86;
/// Largest error of [`cosine`], in ULP, over a sample: so less than 1.4·10⁻¹⁶, as no ULP exceeds
/// 2^−53 but that of 1, which is exact.
#[allow(dead_code)] // Read by the test.
pub const COSINE_MAX_ULP: f64 = 1.24;

/// The constants of the f32 logarithm.
mod single {
    /// Bits of the fraction, which the exponent field stands above.
    pub const FRACTION: u32 = 23;
    /// ln 2 in two parts, the upper one of 16 bits: its product with a k of 8 bits is exact.
    pub const LN_2_HI: f32 = f32::from_bits(0x3f31_7200);
    pub const LN_2_LO: f32 = f32::from_bits(0x35bf_be8e);

    /// R of t = s².
    pub fn rest(t: f32) -> f32 {
        const C1: f32 = f32::from_bits(0x3f2a_aabd);
        const C2: f32 = f32::from_bits(0x3ecc_af6d);
        const C3: f32 = f32::from_bits(0x3e98_eff5);
        t * (C1 + t * (C2 + t * C3))
    }
}

/// The constants of the f64 logarithm, as in [`single`].
mod double {
    pub const FRACTION: u32 = 52;
    /// The upper part has 42 bits, for a k of 11 bits.
    pub const LN_2_HI: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
    pub const LN_2_LO: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

    pub fn rest(t: f64) -> f64 {
        const C1: f64 = f64::from_bits(0x3fe5_5555_5555_5592);
        const C2: f64 = f64::from_bits(0x3fd9_9999_9997_ff68);
        const C3: f64 = f64::from_bits(0x3fd2_4924_941d_ae89);
        const C4: f64 = f64::from_bits(0x3fcc_71c5_21a6_fa59);
        const C5: f64 = f64::from_bits(0x3fc7_4663_b910_6090);
        const C6: f64 = f64::from_bits(0x3fc3_9a20_d7ef_53b9);
        const C7: f64 = f64::from_bits(0x3fc2_f023_ef68_3b87);
        t * (C1 + t * (C2 + t * (C3 + t * (C4 + t * (C5 + t * (C6 + t * C7))))))
    }
}

macro_rules! ln_1p {
    ($name:ident, $float:ident, $signed:ident, $unsigned:ident, $constants:ident) => {
        /// ln(1 + x): −∞ for −1, +∞ for +∞, ±0 for ±0, NaN below −1 and for NaN.
        pub fn $name(x: $float) -> $float {
            use $constants::*;
            const SQRT_HALF: $float = core::$float::consts::FRAC_1_SQRT_2;
            if x < -1.0 {
                return $float::NAN;
            }
            if x == -1.0 {
                return $float::NEG_INFINITY;
            }
            if x == 0.0 || x == $float::INFINITY || x.is_nan() {
                return x;
            }
            // lost as in Knuth's exact sum of two floats, whichever is larger
            let u = 1.0 + x;
            let added = u - 1.0;
            let lost = (x - added) + (1.0 - (u - added));
            // u = 2^k·m: the bits of a float are in the order of its value, so those of √½ are
            // taken from them for the k.
            let k = u.to_bits().wrapping_sub(SQRT_HALF.to_bits()) as $signed >> FRACTION;
            let m = $float::from_bits(u.to_bits().wrapping_sub((k << FRACTION) as $unsigned));
            let (f, lost) = if k == 0 {
                (x, 0.0)
            } else {
                (m - 1.0, lost / u)
            };
            let s = f / (2.0 + f);
            let h = 0.5 * f * f;
            let k = k as i32 as $float;
            k * LN_2_HI + (f - (h - (s * (h + rest(s * s)) + (k * LN_2_LO + lost))))
        }
    };
}

ln_1p!(ln_1p_f32, f32, i32, u32, single);
ln_1p!(ln_1p_f64, f64, i64, u64, double);

/// cos(2π·v) for 0 ≤ v < 1.
pub fn cosine(v: f64) -> f64 {
    /// 1.5·2^52: added to a small number, it leaves no fraction bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let rounded = 4.0 * v + ROUND;
    let r = v - 0.25 * (rounded - ROUND);
    match rounded.to_bits() & 3 {
        0 => small_cosine(r),
        1 => -small_sine(r),
        2 => -small_cosine(r),
        _ => small_sine(r),
    }
}

/// cos(2π·r) for |r| ≤ 1/8.
fn small_cosine(r: f64) -> f64 {
    const C1: f64 = f64::from_bits(0xc033_bd3c_c9be_45de);
    const C2: f64 = f64::from_bits(0x4050_3c1f_081b_5a65);
    const C3: f64 = f64::from_bits(0xc055_5d3c_7e3c_2d7c);
    const C4: f64 = f64::from_bits(0x404e_1f50_67b0_5ae7);
    const C5: f64 = f64::from_bits(0xc03a_6d1e_6b56_0f57);
    const C6: f64 = f64::from_bits(0x401f_9c84_0f8b_0ea7);
    const C7: f64 = f64::from_bits(0xbffb_14b6_a5c4_47f9);
    let t = r * r;
    1.0 + t * (C1 + t * (C2 + t * (C3 + t * (C4 + t * (C5 + t * (C6 + t * C7))))))
}

/// sin(2π·r) for |r| ≤ 1/8.
fn small_sine(r: f64) -> f64 {
    /// 2π as the sum of two f64, the lower of which is added to what is small as well.
    const TURN_HI: f64 = f64::from_bits(0x4019_21fb_5444_2d18);
    const TURN_LO: f64 = f64::from_bits(0x3cb1_a626_3314_5c07);
    const C1: f64 = f64::from_bits(0xc044_abbc_e625_be46);
    const C2: f64 = f64::from_bits(0x4054_66bc_6775_8c6a);
    const C3: f64 = f64::from_bits(0xc053_2d2c_ce31_fa29);
    const C4: f64 = f64::from_bits(0x4045_0783_0084_1253);
    const C5: f64 = f64::from_bits(0xc02e_3009_539b_825a);
    const C6: f64 = f64::from_bits(0x400e_3fe1_57a2_2815);
    let t = r * r;
    r * (TURN_HI + (TURN_LO + t * (C1 + t * (C2 + t * (C3 + t * (C4 + t * (C5 + t * C6)))))))
}
