//! exp, sigmoid and tanh: the bounds that `bptt::activation` states, its special values, and
//! the measures that both are taken with. The same for ln(1 + x) and the cosine of an initialiser in
//! `activation/elementary.rs`.
//!
//! The tests that run by default sample. The ignored ones prove the f32 bounds on all
//! 2^32 inputs and measure the f64 bounds on a larger sample, and print what they found:
//!
//! ```text
//! cargo test --release --test activation -- --ignored --nocapture
//! ```

#[path = "activation/elementary.rs"]
mod elementary;
#[path = "activation/reference.rs"]
mod reference;
#[path = "activation/table.rs"]
mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bptt::activation::*;
use reference::{Dd, ulp_error_f32, ulp_error_f64};

const NAMES: [&str; 3] = ["exp", "sigmoid", "tanh"];
const F32: [fn(f32) -> f32; 3] = [exp, sigmoid, tanh];
const F64: [fn(f64) -> f64; 3] = [exp, sigmoid, tanh];
const F32_SLICE: [fn(&mut [f32]); 3] = [exp_slice, sigmoid_slice, tanh_slice];
const F64_SLICE: [fn(&mut [f64]); 3] = [exp_slice, sigmoid_slice, tanh_slice];

const F32_MAX_ULP: [f64; 3] = [EXP_F32_MAX_ULP, SIGMOID_F32_MAX_ULP, TANH_F32_MAX_ULP];
const F64_MAX_ULP: [f64; 3] = [EXP_F64_MAX_ULP, SIGMOID_F64_MAX_ULP, TANH_F64_MAX_ULP];
/// exp is its own derivative.
const F32_DERIVATIVE: [f64; 3] = [
    f64::INFINITY,
    SIGMOID_DERIVATIVE_F32_MAX_ERROR,
    TANH_DERIVATIVE_F32_MAX_ERROR,
];
const F64_DERIVATIVE: [f64; 3] = [
    f64::INFINITY,
    SIGMOID_DERIVATIVE_F64_MAX_ERROR,
    TANH_DERIVATIVE_F64_MAX_ERROR,
];

/// A bound may exceed what was measured on all inputs by this much,
const SLACK: f64 = 0.01;
/// and what was measured on a sample, which does not meet the worst input, by this much.
const SAMPLE_SLACK: f64 = 0.03;

/// The backward pass's derivative from the value a.
fn derivative_f32(function: usize, a: f32) -> f32 {
    match function {
        1 => a * (1.0 - a),
        2 => 1.0 - a * a,
        _ => a,
    }
}

fn derivative_f64(function: usize, a: f64) -> f64 {
    match function {
        1 => a * (1.0 - a),
        2 => 1.0 - a * a,
        _ => a,
    }
}

/// f64 near m·2^k.
fn rounded((m, k): (Dd, i32)) -> f64 {
    let half = k / 2;
    m.0 * reference::pow2(half) * reference::pow2(k - half)
}

fn reference_dd(function: usize, x: f64) -> (Dd, i32) {
    [reference::exp, reference::sigmoid, reference::tanh][function](x)
}

/// xorshift64*, seeded.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    /// Uniform in [low, high).
    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// An argument worth trying: any size that matters, and what the reduction finds hard.
    fn argument(&mut self) -> f64 {
        let x = match self.bits() % 10 {
            0 => self.uniform(0.0, 1.0),
            1 => self.uniform(0.0, 4.0),
            2 => self.uniform(0.0, 40.0),
            3 => self.uniform(0.0, 760.0),
            4 => 10f64.powf(self.uniform(-320.0, 0.0)),
            5 => 10f64.powf(self.uniform(-5.0, 1.0)),
            // Where k changes, for tanh and for the other two.
            6 => {
                let k = self.uniform(-0.5, 30.0).round() + 0.5;
                k * std::f64::consts::LN_2 / 2.0 * (1.0 + self.uniform(-1e-6, 1e-6))
            }
            // Where r is zero.
            7 => {
                let k = self.uniform(0.5, 1080.0).round();
                k * std::f64::consts::LN_2 * (1.0 + self.uniform(-1e-6, 1e-6))
            }
            // Where the errors of tanh and of sigmoid are largest.
            8 => self.uniform(18.0, 18.4),
            _ => self.uniform(1.08, 1.16),
        };
        if self.bits() % 2 == 0 { x } else { -x }
    }
}

// The measures themselves.

#[test]
fn ulp_error_f32_measures_what_it_says() {
    let inf = f32::INFINITY;
    let tiny = f32::from_bits(1); // the smallest subnormal
    let below_one = 1.0 - 2f64.powi(-25);
    for (computed, exact, error) in [
        (1.0, 1.0, 0.0),
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, 0.0),
        (0.0, 1.0, 2f64.powi(23)),
        (1.0, 0.0, 2f64.powi(149)),
        (-1.0, 1.0, 2f64.powi(24)),
        (1.0, 1.0 + 2f64.powi(-24), 0.5),
        (1.0 + f32::EPSILON, 1.0, 1.0),
        // Below a power of two the unit is half as large.
        (1.0, below_one, 0.5),
        (1.0 - f32::EPSILON / 2.0, below_one, 0.5),
        (1.0 - f32::EPSILON / 2.0, 1.0, 0.5),
        // Subnormals: the unit is the smallest of them.
        (0.0, f64::from(tiny), 1.0),
        (tiny, 0.0, 1.0),
        (-tiny, f64::from(tiny), 2.0),
        (0.0, f64::from(tiny) * 0.25, 0.25),
        (f32::MIN_POSITIVE, f64::from(f32::MIN_POSITIVE - tiny), 1.0),
        // Overflow: infinity counts as 2^128, the number after the largest.
        (inf, 2f64.powi(128), 0.0),
        (inf, 1e300, 0.0),
        (inf, f64::INFINITY, 0.0),
        (-inf, f64::NEG_INFINITY, 0.0),
        (inf, f64::from(f32::MAX), 1.0),
        (f32::MAX, 2f64.powi(128), 1.0),
        (f32::MAX, f64::INFINITY, f64::INFINITY),
        (-inf, f64::INFINITY, f64::INFINITY),
        // NaN.
        (f32::NAN, 1.0, f64::INFINITY),
        (f32::NAN, f64::INFINITY, f64::INFINITY),
        (1.0, f64::NAN, f64::INFINITY),
        (inf, f64::NAN, f64::INFINITY),
        (f32::NAN, f64::NAN, 0.0),
    ] {
        let got = ulp_error_f32(computed, exact);
        assert_eq!(got, error, "{computed:e} for {exact:e}");
    }
}

#[test]
fn ulp_error_f64_measures_what_it_says() {
    let half_unit = Dd(1.0, 2f64.powi(-53));
    for (computed, exact, error) in [
        (1.0, (Dd(1.0, 0.0), 0), 0.0),
        (0.0, (Dd(1.0, 0.0), 0), 2f64.powi(52)),
        (-1.0, (Dd(1.0, 0.0), 0), 2f64.powi(53)),
        (1.0, (half_unit, 0), 0.5),
        (1.0 + f64::EPSILON, (half_unit, 0), 0.5),
        (8.0, (half_unit, 3), 0.5),
        (1.0 - f64::EPSILON / 2.0, (Dd(1.0, 0.0), 0), 0.5),
        (f64::from_bits(1), (Dd(1.0, 0.0), -1074), 0.0),
        (0.0, (Dd(1.0, 0.0), -1074), 1.0),
        (0.0, (Dd(1.0, 0.0), -1076), 0.25),
        (f64::from_bits(3), (Dd(1.25, 0.0), -1073), 0.5),
        (0.0, (Dd(0.0, 0.0), 0), 0.0),
        (f64::INFINITY, (Dd(1.0, 0.0), 1024), 0.0),
        (f64::INFINITY, (Dd(1.5, 0.0), 1022), f64::INFINITY),
        (f64::MAX, (Dd(1.5, 0.0), 1024), f64::INFINITY),
        (f64::NAN, (Dd(1.0, 0.0), 0), f64::INFINITY),
    ] {
        let got = ulp_error_f64(computed, exact);
        assert_eq!(got, error, "{computed:e} for {exact:?}");
    }
}

#[test]
fn double_double_reference_agrees_with_the_mpmath_table() {
    for &(x, values) in table::TABLE {
        let x = f64::from_bits(x);
        for (function, (hi, lo, k)) in values.into_iter().enumerate() {
            let exact = Dd(f64::from_bits(hi), f64::from_bits(lo));
            let (m, e) = reference_dd(function, x);
            let difference = m.scale(e - k).add(exact.neg());
            assert!(
                difference.0.abs() < 2f64.powi(-100),
                "{}({x:e}): {m:?}·2^{e} is not {exact:?}·2^{k}",
                NAMES[function]
            );
        }
    }
}

/// So the exhaustive test's reference adds less than 2^−20 f32 ULP to what it measures.
#[test]
fn f64_reference_agrees_with_double_double() {
    let mut random = Random(3);
    for _ in 0..20_000 {
        let x = random.argument() as f32;
        for (function, name) in NAMES.iter().enumerate() {
            let (value, derivative) = reference::f64_reference(function, x.into());
            let exact = reference_dd(function, x.into());
            // Far below the smallest f32 the size of the error no longer matters.
            if value.abs() > 1e-290 && value < 1e290 {
                assert!(ulp_error_f64(value, exact) < 8.0, "{name}({x:e})");
            }
            let y = rounded(exact);
            let by_form = match function {
                1 => y * rounded(reference::sigmoid(-f64::from(x))),
                2 => (1.0 - y) * (1.0 + y),
                _ => continue,
            };
            assert!((derivative - by_form).abs() < 1e-15, "{name}({x:e})");
        }
    }
}

// Values that are known.

#[test]
fn special_values_f32() {
    let inf = f32::INFINITY;
    let bits = |y: f32| y.to_bits();
    for (y, exact) in [
        (exp(0.0f32), 1.0),
        (exp(-0.0f32), 1.0),
        (exp(inf), inf),
        (exp(-inf), 0.0),
        (exp(f32::MAX), inf),
        (exp(f32::MIN), 0.0),
        (exp(88.722_84f32), inf),
        (exp(-103.972_09f32), 0.0),
        (exp(-103.972_08f32), f32::from_bits(1)),
        (sigmoid(0.0f32), 0.5),
        (sigmoid(-0.0f32), 0.5),
        (sigmoid(inf), 1.0),
        (sigmoid(-inf), 0.0),
        (sigmoid(f32::MAX), 1.0),
        (sigmoid(f32::MIN), 0.0),
        (sigmoid(-103.972_08f32), f32::from_bits(1)),
        (tanh(0.0f32), 0.0),
        (tanh(-0.0f32), -0.0),
        (tanh(inf), 1.0),
        (tanh(-inf), -1.0),
        (tanh(f32::MAX), 1.0),
        (tanh(f32::MIN), -1.0),
    ] {
        assert_eq!(bits(y), bits(exact), "{y:e} for {exact:e}");
    }
    assert!(exp(88.722_83f32).is_finite());
    for nan in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xffff_ffff] {
        for f in F32 {
            assert!(f(f32::from_bits(nan)).is_nan());
        }
    }
}

#[test]
fn special_values_f64() {
    let inf = f64::INFINITY;
    let bits = |y: f64| y.to_bits();
    for (y, exact) in [
        (exp(0.0), 1.0),
        (exp(-0.0), 1.0),
        (exp(inf), inf),
        (exp(-inf), 0.0),
        (exp(709.782_712_893_384_1), inf),
        (exp(-745.133_219_101_941_2), 0.0),
        (exp(-745.133_219_101_941_1), f64::from_bits(1)),
        (sigmoid(0.0), 0.5),
        (sigmoid(-0.0), 0.5),
        (sigmoid(inf), 1.0),
        (sigmoid(-inf), 0.0),
        (sigmoid(f64::MAX), 1.0),
        (sigmoid(f64::MIN), 0.0),
        (sigmoid(-745.133_219_101_941_1), f64::from_bits(1)),
        (tanh(0.0), 0.0),
        (tanh(-0.0), -0.0),
        (tanh(inf), 1.0),
        (tanh(-inf), -1.0),
        (tanh(f64::MAX), 1.0),
        (tanh(f64::MIN), -1.0),
    ] {
        assert_eq!(bits(y), bits(exact), "{y:e} for {exact:e}");
    }
    assert!(exp(709.782_712_893_384f64).is_finite());
    for nan in [0x7ff8 << 48, 0xfff8 << 48, (0x7ff0 << 48) + 1, u64::MAX] {
        for f in F64 {
            assert!(f(f64::from_bits(nan)).is_nan());
        }
    }
}

#[test]
fn tanh_of_a_tiny_number_is_that_number() {
    for bits in (0..2f32.powi(-25).to_bits()).step_by(1009) {
        let x = f32::from_bits(bits);
        assert_eq!(tanh(x).to_bits(), x.to_bits());
        assert_eq!(tanh(-x).to_bits(), (-x).to_bits());
    }
    for bits in (0..2f64.powi(-54).to_bits()).step_by((1 << 44) + 1) {
        let x = f64::from_bits(bits);
        assert_eq!(tanh(x).to_bits(), x.to_bits());
        assert_eq!(tanh(-x).to_bits(), (-x).to_bits());
    }
}

#[test]
fn tanh_is_odd_bit_for_bit() {
    let mut random = Random(5);
    for _ in 0..100_000 {
        let x = f32::from_bits(random.bits() as u32);
        if !x.is_nan() {
            assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits(), "{x:e}");
        }
        let x = random.argument();
        assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits(), "{x:e}");
    }
}

#[test]
fn a_slice_of_any_length_gives_the_bits_of_the_scalar() {
    let mut random = Random(7);
    let x: Vec<f64> = (0..1000).map(|_| random.argument()).collect();
    for length in (0..=67).chain([127, 128, 129, 255, 511, 999, 1000]) {
        for function in 0..3 {
            let mut y: Vec<f32> = x[..length].iter().map(|&x| x as f32).collect();
            F32_SLICE[function](&mut y);
            for (&x, y) in x.iter().zip(y) {
                assert_eq!(y.to_bits(), F32[function](x as f32).to_bits(), "{x:e}");
            }
            let mut y = x[..length].to_vec();
            F64_SLICE[function](&mut y);
            for (&x, y) in x.iter().zip(y) {
                assert_eq!(y.to_bits(), F64[function](x).to_bits(), "{x:e}");
            }
        }
    }
}

// The bounds, on samples.

#[test]
fn f32_bounds_hold_on_a_sample() {
    let mut found = [Found::default(); 3];
    // Every 9973rd float, and three neighbours of it.
    for start in (0..1u64 << 32).step_by(9973 * 16) {
        for (function, found) in found.iter_mut().enumerate() {
            found.merge(&try_f32(function, start, 4));
        }
    }
    check_f32(&found, f64::INFINITY);
}

/// Around the inputs where the errors are largest, and where sigmoid's sum C + s loses C.
#[test]
fn f32_bounds_hold_where_it_is_hardest() {
    for (function, x) in [
        (0, -5.161_654f32),
        (0, 4.505_978),
        (1, -1.105_763_8),
        (1, -16.642_534),
        (2, 0.111_428_37),
        (2, 0.519_607_4),
        (2, 8.664_34),
    ] {
        let found = try_f32(function, place_of(x) - 5_000, 10_000);
        let name = NAMES[function];
        check_bound(name, found.max_ulp, F32_MAX_ULP[function], f64::INFINITY);
        assert_eq!(found.disorder, F32_MONOTONICITY_VIOLATIONS, "{name}");
    }
}

/// The bounds leave room for a wrong last digit of a constant. At each of these inputs the result is the float nearest to the
/// exact value, and would be another one if the constant were off by that many units in its last place. They were found by
/// trying random inputs near both ends of the range of r, where a coefficient counts most.
#[test]
fn f64_constants_are_right_to_the_last_digit_that_counts() {
    for (constant, x) in [
        ("C3 + 1", -0.32433998755475657),
        ("C3 - 1", -0.34533420726763037),
        ("C4 + 1", 0.3407082788452966),
        ("C4 - 1", -0.32767647821362084),
        ("C5 + 1", 0.341659691866982),
        ("C5 - 1", -0.33847271544241264),
        ("C6 + 1", -0.3423632662418579),
        ("C6 - 1", 0.3372814188220106),
        ("C7 + 1", -0.34086303635878756),
        ("C7 - 1", -0.32393238848992134),
        ("C8 + 2^4", 0.343918180673495),
        ("C8 - 2^4", -0.32937662017144814),
        ("C9 + 2^8", 0.32041613356365295),
        ("C9 - 2^8", 0.3441421835905797),
        ("C10 + 2^13", -0.32486861877407847),
        ("C10 - 2^13", 0.3452082995016935),
        ("C11 + 2^19", -0.3242137655525885),
        ("C11 - 2^19", 0.3397362791747186),
        ("C12 + 2^23", -0.3390893528067045),
        ("C12 - 2^23", 0.323151819640523),
        ("LN_2_LO + 2^16", -695.3930023084722),
        ("LN_2_LO - 2^16", 645.9807167020915),
    ] {
        let error = ulp_error_f64(exp(x), reference::exp(x));
        assert!(error < 0.5, "{constant}: exp({x}) is off by {error} ULP");
    }
    // And what the denominator of tanh loses, with the right sign.
    for x in [0.10318847305654821, 0.6000803395114651] {
        let error = ulp_error_f64(tanh(x), reference::tanh(x));
        assert!(error < 0.5, "tanh({x}) is off by {error} ULP");
    }
}

#[test]
fn f64_bounds_hold_on_a_sample() {
    check_f64(
        &[0, 1, 2].map(|function| try_f64(function, 11, 10_000)),
        f64::INFINITY,
    );
}

/// The proof: every f32 there is.
#[test]
#[ignore = "tries all 2^32 inputs of three functions: minutes, with --release"]
fn f32_bounds_hold_on_every_input() {
    const CHUNK: u64 = 1 << 22;
    let found = [0, 1, 2].map(|function| {
        in_parallel((1 << 32) / CHUNK, |chunk| {
            try_f32(function, chunk * CHUNK, CHUNK)
        })
    });
    for found in &found {
        assert_eq!(found.tried, 1 << 32);
    }
    check_f32(&found, SLACK);
}

/// The f64 bounds are measured here: 30 million arguments.
#[test]
#[ignore = "a minute, with --release"]
fn f64_bounds_hold_on_a_large_sample() {
    let found = [0, 1, 2].map(|function| {
        in_parallel(100, |chunk| {
            try_f64(function, chunk * 1_000_003 + 1, 100_000)
        })
    });
    check_f64(&found, SAMPLE_SLACK);
}

/// What a run over some inputs of one function found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    tried: u64,
    max_ulp: f64,
    max_ulp_at: f64,
    /// In epsilons.
    max_derivative: f64,
    max_derivative_at: f64,
    /// Neighbours out of order.
    disorder: u64,
    /// Results outside of the function's range, NaN for a number, or a number for NaN.
    outside: u64,
    /// tanh(−x) ≠ −tanh(x)
    not_odd: u64,
}

impl Found {
    fn error(&mut self, x: f64, ulp: f64, derivative: f64) {
        if ulp > self.max_ulp {
            (self.max_ulp, self.max_ulp_at) = (ulp, x);
        }
        if derivative > self.max_derivative {
            (self.max_derivative, self.max_derivative_at) = (derivative, x);
        }
    }
    fn merge(&mut self, other: &Found) {
        self.tried += other.tried;
        self.error(other.max_ulp_at, other.max_ulp, 0.0);
        self.error(other.max_derivative_at, 0.0, other.max_derivative);
        self.disorder += other.disorder;
        self.outside += other.outside;
        self.not_odd += other.not_odd;
    }
}

/// Runs `job(0)` to `job(jobs − 1)` on as many threads as there are processors.
fn in_parallel(jobs: u64, job: impl Fn(u64) -> Found + Sync) -> Found {
    let next = AtomicU64::new(0);
    let found = Mutex::new(Found::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= jobs {
                        break;
                    }
                    let one = job(index);
                    found.lock().unwrap().merge(&one);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// The float at `place` in the order of their values: NaN, −∞ .. −0, +0 .. +∞, NaN.
fn float_at(place: u64) -> f32 {
    let place = place as u32;
    f32::from_bits(if place < 1 << 31 {
        !place
    } else {
        place - (1 << 31)
    })
}

/// The place of x in that order.
fn place_of(x: f32) -> u64 {
    let bits = x.to_bits();
    u64::from(if x < 0.0 { !bits } else { bits + (1 << 31) })
}

/// Tries the floats at the places from `start` on, `count` of them, and the order of each and
/// the one before it.
fn try_f32(function: usize, start: u64, count: u64) -> Found {
    match function {
        0 => try_f32_of::<0>(start, count),
        1 => try_f32_of::<1>(start, count),
        _ => try_f32_of::<2>(start, count),
    }
}

fn try_f32_of<const FUNCTION: usize>(start: u64, count: u64) -> Found {
    const BLOCK: usize = 256;
    let (low, high) = [(0.0, f32::INFINITY), (0.0, 1.0), (-1.0, 1.0)][FUNCTION];
    let mut found = Found::default();
    let mut before = match start {
        0 => f32::NAN,
        _ => F32[FUNCTION](float_at(start - 1)),
    };
    let mut done = 0;
    while done < count {
        let length = BLOCK.min((count - done) as usize);
        let mut x = [0.0; BLOCK];
        for (i, x) in x.iter_mut().enumerate() {
            *x = float_at((start + done + i as u64) & 0xffff_ffff);
        }
        let mut y = x;
        let mut mirrored = x.map(|x| -x);
        F32_SLICE[FUNCTION](&mut y);
        if FUNCTION == 2 {
            F32_SLICE[FUNCTION](&mut mirrored);
        }
        for i in 0..length {
            let (x, y) = (x[i], y[i]);
            found.tried += 1;
            if x.is_nan() {
                found.outside += u64::from(!y.is_nan());
                continue;
            }
            found.outside += u64::from(!(low <= y && y <= high));
            found.disorder += u64::from(before > y);
            before = y;
            if FUNCTION == 2 {
                found.not_odd += u64::from(mirrored[i].to_bits() != (-y).to_bits());
            }
            let (exact, slope) = reference::f64_reference(FUNCTION, x.into());
            let derivative = if FUNCTION == 0 {
                0.0
            } else {
                (f64::from(derivative_f32(FUNCTION, y)) - slope).abs() / f64::from(f32::EPSILON)
            };
            found.error(x.into(), ulp_error_f32(y, exact), derivative);
        }
        done += length as u64;
    }
    found
}

fn try_f64(function: usize, seed: u64, count: u64) -> Found {
    let (low, high) = [(0.0, f64::INFINITY), (0.0, 1.0), (-1.0, 1.0)][function];
    let mut random = Random(seed);
    let mut found = Found::default();
    for _ in 0..count {
        let x = random.argument();
        let y = F64[function](x);
        found.tried += 1;
        found.outside += u64::from(!(low <= y && y <= high));
        if x != 0.0 {
            // The neighbour of x that is further from zero.
            let further = F64[function](f64::from_bits(x.to_bits() + 1));
            found.disorder += u64::from(if x > 0.0 { y > further } else { further > y });
        }
        if function == 2 {
            found.not_odd += u64::from(F64[function](-x).to_bits() != (-y).to_bits());
        }
        let exact = reference_dd(function, x);
        let derivative = match function {
            0 => 0.0,
            1 => {
                // σ(x)·σ(−x)
                let (m, k) = reference::sigmoid(x);
                let (n, l) = reference::sigmoid(-x);
                (derivative_f64(1, y) - rounded((m.mul(n), k + l))).abs() / f64::EPSILON
            }
            _ => {
                let (m, k) = exact;
                let square = m.mul(m).scale((2 * k).max(-1000));
                let slope = Dd(1.0, 0.0).add(square.neg());
                (Dd(derivative_f64(2, y), 0.0).add(slope.neg()).0).abs() / f64::EPSILON
            }
        };
        found.error(x, ulp_error_f64(y, exact), derivative);
    }
    found
}

fn print(kind: &str, found: &[Found; 3]) {
    println!();
    println!(
        "{kind}      inputs      max ULP at                 derivative at              disorder  outside  not odd"
    );
    for (name, f) in NAMES.iter().zip(found) {
        let derivative = if *name == "exp" {
            format!("{:>26}", "-")
        } else {
            format!("{:>10.5} {:<15.8e}", f.max_derivative, f.max_derivative_at)
        };
        println!(
            "{name:7} {:>10} {:>9.5} {:<15.8e} {derivative} {:>9} {:>8} {:>8}",
            f.tried, f.max_ulp, f.max_ulp_at, f.disorder, f.outside, f.not_odd
        );
    }
}

/// Fails if a bound does not hold or is more than `slack` above what was measured.
fn check_bound(what: &str, measured: f64, bound: f64, slack: f64) {
    assert!(
        measured <= bound,
        "{what}: measured {measured}, stated {bound}"
    );
    assert!(
        bound <= measured + slack,
        "{what}: measured {measured}, slack bound {bound}"
    );
}

fn check_f32(found: &[Found; 3], slack: f64) {
    print("f32 ", found);
    for (function, f) in found.iter().enumerate() {
        let name = NAMES[function];
        check_bound(name, f.max_ulp, F32_MAX_ULP[function], slack);
        if function > 0 {
            check_bound(name, f.max_derivative, F32_DERIVATIVE[function], slack);
        }
        assert_eq!((f.outside, f.not_odd), (0, 0), "{name}");
        assert_eq!(f.disorder, F32_MONOTONICITY_VIOLATIONS, "{name}");
    }
}

fn check_f64(found: &[Found; 3], slack: f64) {
    print("f64 ", found);
    for (function, f) in found.iter().enumerate() {
        let name = NAMES[function];
        check_bound(name, f.max_ulp, F64_MAX_ULP[function], slack);
        if function > 0 {
            check_bound(name, f.max_derivative, F64_DERIVATIVE[function], slack);
        }
        assert_eq!((f.disorder, f.outside, f.not_odd), (0, 0, 0), "{name}");
    }
}
