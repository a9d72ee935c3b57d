//! What the functions are compared with: double-double arithmetic, about 100 bits, for f64 and
//! f64 arithmetic for f32, and the distance in ULP.
//!
//! `table.rs`, made with mpmath, says whether the double-double functions here are right, and
//! they say whether the f64 functions here are.

/// An unevaluated sum hi + lo with |lo| at most half an ULP of hi.
#[derive(Clone, Copy, Debug)]
pub struct Dd(pub f64, pub f64);

impl Dd {
    pub fn sum(a: f64, b: f64) -> Dd {
        let s = a + b;
        let t = s - a;
        Dd(s, (a - (s - t)) + (b - t))
    }
    fn product(a: f64, b: f64) -> Dd {
        let p = a * b;
        Dd(p, a.mul_add(b, -p))
    }
    pub fn add(self, b: Dd) -> Dd {
        let s = Dd::sum(self.0, b.0);
        let t = Dd::sum(self.1, b.1);
        let u = Dd::sum(s.0, s.1 + t.0);
        Dd::sum(u.0, u.1 + t.1)
    }
    pub fn mul(self, b: Dd) -> Dd {
        let p = Dd::product(self.0, b.0);
        Dd::sum(p.0, p.1 + (self.0 * b.1 + self.1 * b.0))
    }
    pub fn div(self, b: Dd) -> Dd {
        let q0 = self.0 / b.0;
        let r = self.add(b.mul(Dd(-q0, 0.0)));
        let q1 = r.0 / b.0;
        let r = r.add(b.mul(Dd(-q1, 0.0)));
        Dd::sum(q0, q1).add(Dd(r.0 / b.0, 0.0))
    }
    pub fn neg(self) -> Dd {
        Dd(-self.0, -self.1)
    }
    /// self·2^k, for a factor that leaves both parts normal or zero.
    pub fn scale(self, k: i32) -> Dd {
        Dd(self.0 * pow2(k), self.1 * pow2(k))
    }
}

const ONE: Dd = Dd(1.0, 0.0);

/// 2^k for −1022 ≤ k ≤ 1023.
pub fn pow2(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

/// ln 2 in three parts, the first two of 32 bits, so that k times each of them is exact.
const LN_2: [f64; 3] = [
    f64::from_bits(0x3fe62e42fee00000),
    f64::from_bits(0x3dea39ef35600000),
    f64::from_bits(0x3be93c7673007e5f),
];

/// (k, e^r − 1) with x = k·ln 2 + r, |r| at most about 0.35. The value has an error below 2^−90
/// of itself.
pub fn exp_parts(x: f64) -> (i32, Dd) {
    let k = (x * std::f64::consts::LOG2_E).round_ties_even();
    let r = Dd::sum(x, -k * LN_2[0])
        .add(Dd(-k * LN_2[1], 0.0))
        .add(Dd::product(-k, LN_2[2]));
    // e^ρ − 1 for ρ = r/256 by its series; then eight times e^2ρ − 1 = (e^ρ − 1)(e^ρ − 1 + 2).
    let rho = r.scale(-8);
    let mut p = ONE;
    for n in (2..=12).rev() {
        p = p.mul(rho).div(Dd(n as f64, 0.0)).add(ONE);
    }
    p = p.mul(rho);
    for _ in 0..8 {
        p = p.mul(p.add(Dd(2.0, 0.0)));
    }
    (k as i32, p)
}

/// e^x as (m, k), its value m·2^k.
pub fn exp(x: f64) -> (Dd, i32) {
    let (k, p) = exp_parts(x.clamp(-800.0, 800.0));
    (p.add(ONE), k)
}

/// 1 / (1 + e^−x) as (m, k), its value m·2^k.
pub fn sigmoid(x: f64) -> (Dd, i32) {
    // m / (1 + m·2^k), with m·2^k = e^−|x| at most 1.
    let (m, k) = exp(-x.abs());
    let e = if k < -400 { Dd(0.0, 0.0) } else { m.scale(k) };
    if x < 0.0 {
        (m.div(e.add(ONE)), k)
    } else {
        (ONE.div(e.add(ONE)), 0)
    }
}

/// tanh x as (m, k), its value m·2^k.
pub fn tanh(x: f64) -> (Dd, i32) {
    if x.abs() < 1e-9 {
        // x − x³/3, the next term is below 2^−116 of it. Scaled, so that x·x·x stays normal.
        return (Dd(x, 0.0).scale(0).add(Dd::product(x * x, -x / 3.0)), 0);
    }
    // −t / (2 + t) with t = e^−2|x| − 1 = 2^k p + (2^k − 1).
    let (k, p) = exp_parts((-2.0 * x.abs()).max(-200.0));
    let t = p.scale(k).add(Dd::sum(pow2(k), -1.0));
    let y = t.neg().div(t.add(Dd(2.0, 0.0)));
    (if x < 0.0 { y.neg() } else { y }, 0)
}

/// |computed − m·2^k| in units of the last place of m·2^k, for f64.
///
/// The last place of a real number y is 2^(e − 52) with 2^e ≤ |y| < 2^(e+1), and no less than
/// 2^−1074, the smallest subnormal.
pub fn ulp_error_f64(computed: f64, (m, k): (Dd, i32)) -> f64 {
    if computed.is_nan() {
        return f64::INFINITY;
    }
    let e = exponent(m.0) + k;
    if e > 1023 {
        return if computed == f64::INFINITY {
            0.0
        } else {
            f64::INFINITY
        };
    }
    // Both sides times 2^−k: exact, since m is near 1 and computed, if it is near m·2^k, too.
    let half = k / 2;
    let scaled = computed * pow2(-half) * pow2(half - k);
    let unit = e.max(-1022) - 52 - k;
    if unit > 900 {
        return if computed == 0.0 { 0.0 } else { f64::INFINITY };
    }
    ((scaled - m.0) - m.1).abs() * pow2(-unit)
}

/// e with 2^e ≤ |y| < 2^(e+1), for a normal y.
fn exponent(y: f64) -> i32 {
    ((y.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// |computed − exact| in units of the last place of exact, for f32, as a real number.
///
/// The last place of a real number y is 2^(e − 23) with 2^e ≤ |y| < 2^(e+1), no less than 2^−149,
/// the smallest subnormal, and no more than that of the largest f32. An infinity counts as ±2^128,
/// the number that would follow the largest, and is right for everything beyond that. NaN is
/// right for NaN only.
pub fn ulp_error_f32(computed: f32, exact: f64) -> f64 {
    const BEYOND: f64 = f64::from_bits((128 + 1023) << 52);
    if computed.is_nan() || exact.is_nan() {
        return if computed.is_nan() && exact.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    let computed = f64::from(computed);
    if computed.is_infinite() && exact.abs() >= BEYOND {
        return if (computed > 0.0) == (exact > 0.0) {
            0.0
        } else {
            f64::INFINITY
        };
    }
    let computed = computed.clamp(-BEYOND, BEYOND);
    (computed - exact).abs() * pow2(23 - exponent(exact).clamp(-126, 127))
}

/// The value and the derivative of exp, sigmoid or tanh in f64, within a few f64 ULP: enough for
/// f32, whose ULP is 2^29 of those.
#[inline(always)]
pub fn f64_reference(function: usize, x: f64) -> (f64, f64) {
    match function {
        0 => {
            let y = libm::exp(x);
            (y, y)
        }
        1 => {
            let e = libm::exp(-x.abs());
            let d = 1.0 + e;
            (if x < 0.0 { e / d } else { 1.0 / d }, e / (d * d))
        }
        _ => {
            // With e^−2|x| = 1 + t.
            let t = libm::expm1(-2.0 * x.abs());
            let d = 2.0 + t;
            ((-t / d).copysign(x), 4.0 * (1.0 + t) / (d * d))
        }
    }
}
