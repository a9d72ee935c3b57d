//! ln(1 + x) and cos(2π·v): the bounds that `src/elementary.rs` states, and special values.

#[allow(dead_code)] // The logarithm is tried as the crate's users reach it.
#[path = "../../src/elementary.rs"]
mod source;
#[path = "elementary_table.rs"]
mod table;

use bptt::Real;
use source::{COSINE_MAX_ULP, LN_1P_F32_MAX_ULP, LN_1P_F64_MAX_ULP, cosine};

use crate::reference::{self, Dd, pow2, ulp_error_f32, ulp_error_f64};
use crate::{
    F32_MONOTONICITY_VIOLATIONS, Found, Random, SAMPLE_SLACK, SLACK, check_bound, float_at,
    in_parallel, place_of,
};

// The references.

const ONE: Dd = Dd(1.0, 0.0);

/// ln(1 + x) as (m, k), its value m·2^k.
fn ln_1p_dd(x: f64) -> (Dd, i32) {
    if x.abs() < 2f64.powi(-60) {
        // x − x²/2, the next term is below 2^−120 of it. Scaled, so that x² stays normal.
        let x = x * pow2(100);
        return (Dd(x * pow2(100), -0.5 * x * x), -200);
    }
    // Halley's step from y = ln(1 + x), nearly, which triples its digits:
    // y + 2·(w − p) / (2 + w + p) with e^y = 2^k·(1 + p) and 1 + x = 2^k·(1 + w).
    let y = libm::log1p(x);
    let (k, p) = reference::exp_parts(y);
    let w = match k {
        0 => Dd(x, 0.0),
        _ => Dd::sum(1.0, x)
            .scale(-k / 2)
            .scale(-k - -k / 2)
            .add(ONE.neg()),
    };
    let step = w.add(p.neg()).div(w.add(p).add(Dd(2.0, 0.0))).scale(1);
    (Dd(y, 0.0).add(step), 0)
}

/// cos(2π·v): the series of cosine or sine at most an eighth of a turn from the next quarter.
fn cosine_dd(v: f64) -> Dd {
    const TURN: Dd = Dd(
        std::f64::consts::TAU,
        f64::from_bits(0x3cb1_a626_3314_5c07), // 2π less its f64
    );
    let quarter = (4.0 * v).round();
    let x = TURN.mul(Dd(v - quarter / 4.0, 0.0));
    let odd = quarter as i32 % 2;
    // 1 − x²/2·(1 − x²/12·(…)), for the sine x·(1 − x²/6·(1 − x²/20·(…)))
    let mut y = ONE;
    for n in (1..=15).rev() {
        let n = 2 * n + odd;
        let term = x.mul(x).div(Dd(f64::from(n * (n - 1)), 0.0));
        y = ONE.add(term.mul(y).neg());
    }
    if odd == 1 {
        y = y.mul(x);
    }
    if matches!(quarter as i32, 1 | 2) {
        y.neg()
    } else {
        y
    }
}

#[test]
fn references_agree_with_the_mpmath_table() {
    let compare = |what: &str, rows: &[table::Row], f: &dyn Fn(f64) -> (Dd, i32)| {
        for &(x, (hi, lo, k)) in rows {
            let x = f64::from_bits(x);
            let exact = Dd(f64::from_bits(hi), f64::from_bits(lo));
            let (m, e) = f(x);
            // Both times 2^−e, as a subnormal exact value must not be.
            let difference = m.scale((e - k) / 2).scale(e - k - (e - k) / 2);
            let difference = difference.add(exact.neg());
            let error = difference.0.abs();
            assert!(error < 2f64.powi(-90), "{what} {x:e}: off by {error:e}");
        }
    };
    compare("ln_1p", table::LN_1P, &ln_1p_dd);
    compare("cosine", table::COSINE, &|v| (cosine_dd(v), 0));
}

/// So the exhaustive test's reference adds less than 2^−26 f32 ULP to what it measures.
#[test]
fn f64_reference_agrees_with_double_double_for_ln_1p() {
    let mut random = Random(17);
    for _ in 0..20_000 {
        let x = argument(&mut random);
        let error = ulp_error_f64(libm::log1p(x), ln_1p_dd(x));
        assert!(error < 8.0, "{x:e}: {error}");
    }
}

/// An x > −1 worth trying: any size, and what the reduction finds hard.
fn argument(random: &mut Random) -> f64 {
    let x = match random.bits() % 9 {
        0 => random.uniform(-1.0, 0.0),
        1 => random.uniform(0.0, 1.0),
        2 => 10f64.powf(random.uniform(-320.0, 0.0)),
        3 => -(10f64.powf(random.uniform(-320.0, 0.0))),
        4 => 10f64.powf(random.uniform(0.0, 308.0)),
        5 => 10f64.powf(random.uniform(-16.0, 0.0)) - 1.0,
        // Where k changes.
        6 => {
            let k = random.uniform(-53.0, 60.0).round() + 0.5;
            k.exp2() * (1.0 + random.uniform(-1e-6, 1e-6)) - 1.0
        }
        // Where the errors are largest.
        7 => random.uniform(0.41, 0.42),
        _ => random.uniform(-0.30, -0.28),
    };
    if x > -1.0 { x } else { 0.5 }
}

/// A v worth trying: any, one with the digits of an f32, one near the zeros and the greatest values,
/// one where the quarter changes.
fn turn(random: &mut Random) -> f64 {
    let v = match random.bits() % 4 {
        0 => random.uniform(0.0, 1.0),
        1 => f64::from((random.bits() >> 40) as u32) * pow2(-24),
        2 => {
            let quarter = random.uniform(-0.5, 4.5).round() / 4.0;
            let near = 10f64.powf(random.uniform(-20.0, -1.0));
            quarter + if random.bits() % 2 == 0 { near } else { -near }
        }
        _ => {
            let eighth = random.uniform(-0.5, 3.5).round() / 4.0 + 0.125;
            eighth * (1.0 + random.uniform(-1e-6, 1e-6))
        }
    };
    if (0.0..1.0).contains(&v) { v } else { 0.3 }
}

// Values that are known.

#[test]
fn special_values() {
    let inf = f64::INFINITY;
    for (x, exact) in [(0.0, 0.0), (-0.0, -0.0), (-1.0, -inf), (inf, inf)] {
        assert_eq!(Real::ln_1p(x).to_bits(), exact.to_bits(), "{x:e}");
        let (x, exact) = (x as f32, exact as f32);
        assert_eq!(Real::ln_1p(x).to_bits(), exact.to_bits(), "{x:e}");
    }
    for x in [f64::NAN, -inf, f64::MIN, -2.0, -1.0 - f64::EPSILON] {
        assert!(Real::ln_1p(x).is_nan(), "{x:e}");
    }
    for x in [f32::NAN, -f32::INFINITY, f32::MIN, -1.0 - f32::EPSILON] {
        assert!(Real::ln_1p(x).is_nan(), "{x:e}");
    }
    for (v, exact) in [(0.0, 1.0), (0.25, 0.0), (0.5, -1.0), (0.75, 0.0)] {
        assert_eq!(cosine(v), exact, "{v}");
    }
}

#[test]
fn ln_1p_of_a_tiny_number_is_that_number() {
    for bits in (0..2f32.powi(-25).to_bits()).step_by(1009) {
        for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
            assert_eq!(Real::ln_1p(x).to_bits(), x.to_bits());
        }
    }
    for bits in (0..2f64.powi(-54).to_bits()).step_by((1 << 44) + 1) {
        for x in [f64::from_bits(bits), -f64::from_bits(bits)] {
            assert_eq!(Real::ln_1p(x).to_bits(), x.to_bits());
        }
    }
}

// The bounds, on samples.

#[test]
fn ln_1p_f32_bound_holds_on_a_sample() {
    let mut found = Found::default();
    // Every 9973rd float, and three neighbours of it.
    for start in (0..1u64 << 32).step_by(9973 * 16) {
        found.merge(&try_ln_1p_f32(start, 4));
    }
    check("ln_1p f32", &found, LN_1P_F32_MAX_ULP, f64::INFINITY);
    // Where the error is largest.
    let found = try_ln_1p_f32(place_of(0.413_318_5) - 5_000, 10_000);
    check("ln_1p f32", &found, LN_1P_F32_MAX_ULP, SLACK);
}

#[test]
fn ln_1p_f64_bound_holds_on_a_sample() {
    let found = try_ln_1p_f64(11, 20_000);
    check("ln_1p f64", &found, LN_1P_F64_MAX_ULP, f64::INFINITY);
}

#[test]
fn cosine_bound_holds_on_a_sample() {
    let found = try_cosine(11, 20_000);
    check("cosine", &found, COSINE_MAX_ULP, f64::INFINITY);
}

/// A constant that is off shows in the mean of the errors over u = 2^k·m, for one k, where it does not in
/// their maximum. Roundings of standard deviation √(1/12) each have a mean within five times √(1/12)/√N.
#[test]
fn errors_of_ln_1p_have_no_bias() {
    const N: u32 = 40_000;
    let bound = 5.0 / (12.0 * f64::from(N)).sqrt();
    let mut random = Random(23);
    for k in (-12..=12).chain([60, 127, 500, 1023]) {
        let mut sums = [0.0; 2];
        for _ in 0..N {
            let x = random.uniform(-0.5, 0.5).exp2() * pow2(k) - 1.0;
            let (y, (exact, _)) = (Real::ln_1p(x), ln_1p_dd(x));
            let error = (y - exact.0) - exact.1;
            sums[0] += error.signum() * ulp_error_f64(y, (exact, 0));
            let x = x as f32;
            if x.is_finite() {
                let (y, exact) = (Real::ln_1p(x), libm::log1p(x.into()));
                sums[1] += (f64::from(y) - exact).signum() * ulp_error_f32(y, exact);
            }
        }
        for (sum, scalar) in sums.iter().zip(["f64", "f32"]) {
            let mean = sum / f64::from(N);
            assert!(mean.abs() < bound, "{scalar}, k {k}: {mean}");
        }
    }
}

/// The proof: every f32 there is.
#[test]
#[ignore = "tries all 2^32 inputs: minutes, with --release"]
fn ln_1p_f32_bound_holds_on_every_input() {
    const CHUNK: u64 = 1 << 22;
    let found = in_parallel((1 << 32) / CHUNK, |chunk| {
        try_ln_1p_f32(chunk * CHUNK, CHUNK)
    });
    assert_eq!(found.tried, 1 << 32);
    check("ln_1p f32", &found, LN_1P_F32_MAX_ULP, SLACK);
}

/// The f64 bounds are measured here: 10 million arguments each.
#[test]
#[ignore = "a minute, with --release"]
fn elementary_f64_bounds_hold_on_a_large_sample() {
    let large =
        |of: fn(u64, u64) -> Found| in_parallel(100, |chunk| of(chunk * 1_000_003 + 1, 100_000));
    let found = large(try_ln_1p_f64);
    check("ln_1p f64", &found, LN_1P_F64_MAX_ULP, SAMPLE_SLACK);
    let found = large(try_cosine);
    check("cosine", &found, COSINE_MAX_ULP, SAMPLE_SLACK);
}

/// Tries the floats at the places from `start` on, `count` of them, and the order of each and
/// the one before it.
fn try_ln_1p_f32(start: u64, count: u64) -> Found {
    let mut found = Found::default();
    let mut before = match start {
        0 => f32::NAN,
        _ => Real::ln_1p(float_at(start - 1)),
    };
    for place in start..start + count {
        let x = float_at(place & 0xffff_ffff);
        let y = Real::ln_1p(x);
        found.tried += 1;
        found.disorder += u64::from(before > y);
        before = y;
        found.outside += u64::from(y.is_nan() != (x.is_nan() || x < -1.0));
        if !x.is_nan() {
            let exact = libm::log1p(x.into());
            found.error(x.into(), ulp_error_f32(y, exact), 0.0);
        }
    }
    found
}

fn try_ln_1p_f64(seed: u64, count: u64) -> Found {
    let mut random = Random(seed);
    let mut found = Found::default();
    for _ in 0..count {
        let x = argument(&mut random);
        let y = Real::ln_1p(x);
        found.tried += 1;
        if x != 0.0 {
            // The neighbour of x that is further from zero.
            let further = Real::ln_1p(f64::from_bits(x.to_bits() + 1));
            found.disorder += u64::from(if x > 0.0 { y > further } else { further > y });
        }
        found.error(x, ulp_error_f64(y, ln_1p_dd(x)), 0.0);
    }
    found
}

fn try_cosine(seed: u64, count: u64) -> Found {
    let mut random = Random(seed);
    let mut found = Found::default();
    for _ in 0..count {
        let v = turn(&mut random);
        let y = cosine(v);
        found.tried += 1;
        found.outside += u64::from(!(-1.0..=1.0).contains(&y));
        found.error(v, ulp_error_f64(y, (cosine_dd(v), 0)), 0.0);
    }
    found
}

fn check(name: &str, found: &Found, bound: f64, slack: f64) {
    println!(
        "{name:9} {:>10} inputs, max ULP {:.5} at {:.8e}, disorder {}, outside {}",
        found.tried, found.max_ulp, found.max_ulp_at, found.disorder, found.outside
    );
    check_bound(name, found.max_ulp, bound, slack);
    assert_eq!(found.outside, 0, "{name}");
    assert_eq!(found.disorder, F32_MONOTONICITY_VIOLATIONS, "{name}");
}
