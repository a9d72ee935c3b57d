//! The cells in integers once more, from the equations of `bptt::quantized` and the bytes of a cell
//! alone: every number in 64 bits, every row by itself, a table from its formula. Needs nothing but
//! `std`.
#![allow(dead_code)] // No test file needs all of it.

/// Which equations a cell has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Lstm,
    ResetAfter,
    ResetBefore,
    Rnn,
    Relu,
    Dense,
}

impl Kind {
    /// Layers in the bytes, and gates in each of them.
    pub fn gates(self) -> (usize, usize) {
        match self {
            Kind::Lstm => (1, 4),
            Kind::ResetAfter => (1, 3),
            Kind::ResetBefore => (3, 1),
            Kind::Rnn | Kind::Relu | Kind::Dense => (1, 1),
        }
    }
}

/// One row of a gate.
#[derive(Clone, Debug)]
pub struct Row {
    pub b: i64,
    pub m: i64,
    pub s: u32,
    pub k: u32,
    pub wx: Vec<i64>,
    pub wa: Vec<i64>,
}

impl Row {
    /// Σ Wx·x·2^k
    fn over_x(&self, x: &[i64]) -> i64 {
        self.wx.iter().zip(x).map(|(w, x)| w * x).sum::<i64>() << self.k
    }

    /// Σ Wa·a
    fn over_a(&self, a: &[i64]) -> i64 {
        self.wa.iter().zip(a).map(|(w, a)| w * a).sum()
    }

    /// (2), of a sum modulo 2³².
    fn scaled(&self, sum: i64) -> i64 {
        (i64::from(sum as i32) * self.m) >> (16 + self.s)
    }

    /// (1) and (2)
    fn z(&self, x: &[i64], a: &[i64]) -> i64 {
        self.scaled(self.over_x(x) + self.b + self.over_a(a))
    }
}

/// A cell, or an output layer, as its bytes have it.
#[derive(Clone, Debug)]
pub struct Model {
    pub kind: Kind,
    /// q of the scales of x and a.
    pub q: (i8, i8),
    /// Gate by gate, row by row.
    pub gates: Vec<Vec<Row>>,
    /// The second bias of the candidate of a GRU with the reset after the product.
    pub bna: Vec<i64>,
    table: Vec<i64>,
}

impl Model {
    /// From the bytes of a cell with X inputs, A units (K inputs and A outputs of an output layer
    /// is \[0, A, K\]), and weights of so many bytes.
    pub fn read(kind: Kind, [x, a, k]: [usize; 3], weight: usize, bytes: &[u8]) -> Self {
        let mut bytes = bytes.iter().copied();
        let mut next = || bytes.next().expect("too few bytes");
        let (layers, gates_of_one) = kind.gates();
        let (mut gates, mut q) = (vec![], (0, 0));
        for _ in 0..layers {
            q = (next() as i8, next() as i8);
            assert_eq!((next(), next()), (0, 0));
            let mut word = || i32::from_le_bytes([next(), next(), next(), next()]);
            let mut rows: Vec<Row> = vec![];
            for _ in 0..gates_of_one * a {
                let (b, scale) = (i64::from(word()), word() as u32);
                rows.push(Row {
                    b,
                    m: i64::from(scale & 0xffff),
                    s: scale >> 16 & 0xff,
                    k: scale >> 24,
                    wx: vec![],
                    wa: vec![],
                });
            }
            let mut weight = || match weight {
                1 => i64::from(next() as i8),
                _ => i64::from(i16::from_le_bytes([next(), next()])),
            };
            for row in &mut rows {
                row.wx = (0..x).map(|_| weight()).collect();
            }
            for row in &mut rows {
                row.wa = (0..k).map(|_| weight()).collect();
            }
            gates.extend(rows.chunks(a).map(<[Row]>::to_vec));
        }
        let seconds = if kind == Kind::ResetAfter { a } else { 0 };
        let mut word = || i64::from(i32::from_le_bytes([next(), next(), next(), next()]));
        let bna = (0..seconds).map(|_| word()).collect();
        assert_eq!(bytes.next(), None, "too many bytes");
        Model {
            kind,
            q,
            gates,
            bna,
            table: table(),
        }
    }

    /// ⌊σ(z)⌋ for z in 2⁻¹⁶, in 2⁻¹⁶; a 2⁻¹⁶ of a segment is added to z.
    fn sigmoid(&self, z: i64) -> i64 {
        // 352 segments of 4096 from −11 on.
        let u = z + (11 << 16);
        match (u.div_euclid(4096), u.rem_euclid(4096)) {
            (..0, _) => 0,
            (352.., _) => 65535,
            (n, part) => {
                let (v, next) = (self.table[n as usize], self.table[n as usize + 1]);
                v + (next - v) * (16 * part + 1) / 65536
            }
        }
    }

    /// ⌊σ(z)⌋ in 2⁻¹⁵.
    fn gate(&self, z: i64) -> i64 {
        self.sigmoid(z) / 2
    }

    /// (4), of twice z.
    fn tanh(&self, twice_z: i64) -> i64 {
        self.sigmoid(twice_z) - 32768
    }

    /// One step of one sample: a⟨t⟩ and c⟨t⟩ take the place of those before.
    pub fn step(&self, x: &[i16], a: &mut [i16], c: &mut [i32]) {
        let x: Vec<i64> = x.iter().map(|x| i64::from(*x)).collect();
        let a_prev: Vec<i64> = a.iter().map(|a| i64::from(*a)).collect();
        let row = |gate: usize, unit: usize| &self.gates[gate][unit];
        let z = |gate: usize, unit: usize| row(gate, unit).z(&x, &a_prev);
        let between = |u: i64, n: i64, a: i64| n + nearest(u * (a - n)); // (15)
        // ⌊r·a⌉ of (14)
        let reset: Vec<i64> = match self.kind {
            Kind::ResetBefore => (0..a.len())
                .map(|unit| nearest(self.gate(z(0, unit)) * a_prev[unit]))
                .collect(),
            _ => vec![],
        };
        for unit in 0..a.len() {
            let new = match self.kind {
                Kind::Lstm => {
                    let f = self.gate(z(0, unit)); // (5)
                    let i = self.gate(z(1, unit)); // (6)
                    let g = self.tanh(z(2, unit)); // (7)
                    let o = self.gate(z(3, unit)); // (8)
                    let kept = (f * i64::from(c[unit])).div_euclid(1 << 15);
                    let added = (i * g).div_euclid(1 << 10);
                    let new = (kept + added).clamp(-32 << 20, 32 << 20); // (9)
                    c[unit] = new as i32;
                    nearest(o * self.tanh(new.div_euclid(8))) // (10)
                }
                Kind::ResetAfter => {
                    let (r, u) = (self.gate(z(0, unit)), self.gate(z(1, unit))); // (11), (12)
                    let n = row(2, unit);
                    let z_x = n.scaled(n.over_x(&x) + n.b);
                    let z_a = n.scaled(self.bna[unit] + n.over_a(&a_prev));
                    let n = self.tanh(z_x + (r * z_a).div_euclid(1 << 15)); // (13)
                    between(u, n, a_prev[unit])
                }
                Kind::ResetBefore => {
                    let u = self.gate(z(1, unit)); // (12)
                    let n = self.tanh(row(2, unit).z(&x, &reset)); // (14)
                    between(u, n, a_prev[unit])
                }
                Kind::Rnn => self.tanh(z(0, unit)),       // (16)
                Kind::Relu => z(0, unit).clamp(0, 32767), // (17)
                Kind::Dense => unreachable!("no recurrent cell"),
            };
            a[unit] = i16::try_from(new).expect("a leaves 16 bits");
        }
    }

    /// (18): the outputs of an output layer.
    pub fn outputs(&self, a: &[i16]) -> Vec<i32> {
        let a: Vec<i64> = a.iter().map(|a| i64::from(*a)).collect();
        let rows = self.gates[0].iter();
        rows.map(|row| row.z(&[], &a) as i32).collect()
    }
}

/// ⌊n / 2¹⁵⌉
fn nearest(n: i64) -> i64 {
    (n + (1 << 14)).div_euclid(1 << 15)
}

/// The knots of the table, and once more the last one, on which it ends:
/// v(z) = f(z) − f″(z)·h²/16, rounded to 2⁻¹⁶, z from −11 to 11 in steps of h = 1/16.
fn table() -> Vec<i64> {
    let knot = |n: usize| {
        let (h, n) = (1.0 / 16.0, n as f64);
        let f = 1.0 / (1.0 + (11.0 - n * h).exp());
        let second_derivative = f * (1.0 - f) * (1.0 - 2.0 * f);
        (65536.0 * (f - second_derivative * h * h / 16.0)).round() as i64
    };
    (0..352).chain([351]).map(knot).collect()
}
