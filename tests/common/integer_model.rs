//! The cells in integers, plainly: the equations of `bptt::quantized` in 64 bits, from the bytes of a
//! cell. Sums wrap to 32 bits, which only cells that nobody has quantised can notice.

#[allow(dead_code)] // The knots alone are taken from it.
#[path = "../../src/quantized/table.rs"]
mod table;

/// Which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Lstm,
    ResetAfter,
    ResetBefore,
    Rnn,
    Relu,
}

/// A cell as its bytes have it.
pub struct Cell {
    kind: Kind,
    layers: Vec<Layer>,
    bna: Vec<i32>,
}

impl Cell {
    /// From as many bytes as such a cell has.
    pub fn read(kind: Kind, weight_bytes: usize, [x, a]: [usize; 2], bytes: &[u8]) -> Self {
        let (layers, gates) = match kind {
            Kind::Lstm => (1, 4),
            Kind::ResetAfter => (1, 3),
            Kind::ResetBefore => (3, 1),
            Kind::Rnn | Kind::Relu => (1, 1),
        };
        let mut bytes = Bytes(bytes);
        let layers = (0..layers)
            .map(|_| Layer::read_next(weight_bytes, [gates * a, x, a], &mut bytes))
            .collect();
        let second = if kind == Kind::ResetAfter { a } else { 0 };
        let bna = (0..second).map(|_| bytes.word()).collect();
        assert!(bytes.0.is_empty());
        Cell { kind, layers, bna }
    }

    /// The bytes of the nearest cell to those it was read from.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.layers.iter().flat_map(Layer::bytes).collect();
        bytes.extend(self.bna.iter().flat_map(|b| b.to_le_bytes()));
        bytes
    }

    /// No sum of any inputs and states is greater in magnitude.
    pub fn greatest_sum(&self) -> i64 {
        let sums = self
            .layers
            .iter()
            .map(|layer| layer.greatest_sum(&self.bna));
        sums.max().unwrap_or(0)
    }

    /// a⟨t⟩ and, of an LSTM, c⟨t⟩ of one sample.
    pub fn step(&self, x: &[i16], a: &[i16], c: &[i32]) -> (Vec<i16>, Vec<i32>) {
        let (first, units) = (&self.layers[0], a.len());
        let mut states = (Vec::new(), Vec::new());
        for unit in 0..units {
            let z = |gate: usize| {
                let row = &first.rows[gate * units + unit];
                row.z(row.sum_x(x) + row.sum_a(a)) // (1), (2)
            };
            let a_prev = i64::from(a[unit]);
            let next = match self.kind {
                Kind::Lstm => {
                    let (f, i, o) = (gate(z(0)), gate(z(1)), gate(z(3))); // (5), (6), (8)
                    let g = tanh(z(2)); // (7)
                    let sum = ((f * i64::from(c[unit])) >> 15) + ((i * g) >> 10);
                    // Only from a c that no step has written can it leave 32 bits.
                    let c = i64::from(sum as i32).clamp(-32 << 20, 32 << 20); // (9)
                    states.1.push(c as i32);
                    rounded(o * tanh(c >> 3)) // (10)
                }
                Kind::ResetAfter => {
                    let (r, u) = (gate(z(0)), gate(z(1))); // (11), (12)
                    let n = &first.rows[2 * units + unit];
                    let z_a = n.z(n.sum_a(a) + i64::from(self.bna[unit]));
                    let n = tanh(n.z(n.sum_x(x)) + ((r * z_a) >> 15)); // (13)
                    n + rounded(u * (a_prev - n)) // (15)
                }
                Kind::ResetBefore => {
                    let reset: Vec<i16> = (first.rows.iter().zip(a))
                        .map(|(row, a_prev)| {
                            let r = gate(row.z(row.sum_x(x) + row.sum_a(a))); // (11)
                            rounded(r * i64::from(*a_prev)) as i16
                        })
                        .collect();
                    let (u, n) = (&self.layers[1].rows[unit], &self.layers[2].rows[unit]);
                    let u = gate(u.z(u.sum_x(x) + u.sum_a(a))); // (12)
                    let n = tanh(n.z(n.sum_x(x) + n.sum_a(&reset))); // (14)
                    n + rounded(u * (a_prev - n)) // (15)
                }
                Kind::Rnn => tanh(z(0)),            // (16)
                Kind::Relu => z(0).clamp(0, 32767), // (17)
            };
            states.0.push(i16::try_from(next).unwrap());
        }
        states
    }
}

/// The rows of a layer, and the scales of what they see.
pub struct Layer {
    weight_bytes: usize,
    scales: [i8; 2],
    rows: Vec<Row>,
}

struct Row {
    b: i32,
    m: u16,
    s: u8,
    k: u8,
    wx: Vec<i16>,
    wa: Vec<i16>,
}

impl Layer {
    /// From as many bytes as a layer with so many rows, inputs and states has.
    pub fn read(weight_bytes: usize, shape: [usize; 3], bytes: &[u8]) -> Self {
        let mut bytes = Bytes(bytes);
        let layer = Self::read_next(weight_bytes, shape, &mut bytes);
        assert!(bytes.0.is_empty());
        layer
    }

    fn read_next(weight_bytes: usize, [rows, x, a]: [usize; 3], bytes: &mut Bytes) -> Self {
        let [x_scale, a_scale, _, _] = bytes.take();
        let mut rows: Vec<Row> = (0..rows)
            .map(|_| {
                let b = bytes.word();
                let [m0, m1, s, k] = bytes.take();
                let (mut m, mut s) = (u16::from_le_bytes([m0, m1]), s.clamp(1, 12));
                // The same number with as large an s as there is: so it is written.
                while s < 12 && m < 1 << 15 {
                    (m, s) = (2 * m, s + 1);
                }
                Row {
                    b,
                    m,
                    s,
                    k: k.min(12),
                    wx: Vec::new(),
                    wa: Vec::new(),
                }
            })
            .collect();
        let mut weights = |count| -> Vec<i16> {
            let weight = |_| match weight_bytes {
                1 => i16::from(i8::from_le_bytes(bytes.take()).max(-127)),
                _ => i16::from_le_bytes(bytes.take()).max(-32767),
            };
            (0..count).map(weight).collect()
        };
        for row in &mut rows {
            row.wx = weights(x);
        }
        for row in &mut rows {
            row.wa = weights(a);
        }
        Layer {
            weight_bytes,
            scales: [x_scale, a_scale].map(|q| (q as i8).clamp(-15, 30)),
            rows,
        }
    }

    /// The bytes of the nearest layer to those it was read from.
    pub fn bytes(&self) -> Vec<u8> {
        let [x_scale, a_scale] = self.scales.map(|q| q as u8);
        let mut bytes = vec![x_scale, a_scale, 0, 0];
        for row in &self.rows {
            bytes.extend(row.b.to_le_bytes());
            bytes.extend(row.m.to_le_bytes());
            bytes.extend([row.s, row.k]);
        }
        let (wx, wa) = (
            self.rows.iter().map(|r| &r.wx),
            self.rows.iter().map(|r| &r.wa),
        );
        for weight in wx.chain(wa).flatten() {
            bytes.extend(&weight.to_le_bytes()[..self.weight_bytes]);
        }
        bytes
    }

    /// No sum of any inputs and states is greater in magnitude, with a second bias of the last rows.
    pub fn greatest_sum(&self, second: &[i32]) -> i64 {
        let all = |w: &[i16]| w.iter().map(|w| i64::from(*w).abs()).sum::<i64>();
        let second = second.iter().rev().chain(std::iter::repeat(&0));
        let rows = self.rows.iter().rev().zip(second);
        let sums = rows.map(|(row, second)| {
            let b = row.b.unsigned_abs().max(second.unsigned_abs());
            ((all(&row.wx) << row.k) + all(&row.wa)) * 32768 + i64::from(b)
        });
        sums.max().unwrap_or(0)
    }

    /// (18) for one sample.
    pub fn dense(&self, a: &[i16]) -> Vec<i32> {
        let y = |row: &Row| row.z(row.sum_x(&[]) + row.sum_a(a));
        self.rows.iter().map(|row| y(row) as i32).collect()
    }
}

impl Row {
    /// The part of (1) with x, and b.
    fn sum_x(&self, x: &[i16]) -> i64 {
        (product(&self.wx, x) << self.k) + i64::from(self.b)
    }

    /// The part of (1) with a.
    fn sum_a(&self, a: &[i16]) -> i64 {
        product(&self.wa, a)
    }

    /// (2)
    fn z(&self, sum: i64) -> i64 {
        (i64::from(sum as i32) * i64::from(self.m)) >> (16 + self.s)
    }
}

fn product(w: &[i16], v: &[i16]) -> i64 {
    let products = w.iter().zip(v).map(|(w, v)| i64::from(*w) * i64::from(*v));
    products.sum()
}

/// ⌊q / 2¹⁵⌉
fn rounded(q: i64) -> i64 {
    (q + (1 << 14)) >> 15
}

/// ⌊σ(z)⌋ in 2⁻¹⁵
fn gate(z: i64) -> i64 {
    sigmoid(z) >> 1
}

/// (4) for 2z: in 2⁻¹⁵.
fn tanh(twice_z: i64) -> i64 {
    sigmoid(twice_z) - 32768
}

/// (3), in 2⁻¹⁶: a line from knot to knot, a knot every sixteenth from −11 on.
fn sigmoid(z: i64) -> i64 {
    let from_first = z + (11 << 16);
    let Ok(segment) = usize::try_from(from_first.div_euclid(1 << 12)) else {
        return 0;
    };
    match table::TABLE.get(segment) {
        None => 65535,
        Some(&entry) => {
            // The knot in 2⁻³², the rise to the next one in 2⁻¹⁶.
            let (knot, rise) = (i64::from(entry), i64::from(entry & 0xffff));
            let part = from_first.rem_euclid(1 << 12); // in 2⁻¹² of a segment
            (knot + rise * part * 16) >> 16
        }
    }
}

/// What has not been read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk().expect("more bytes");
        self.0 = rest;
        *taken
    }

    fn word(&mut self) -> i32 {
        i32::from_le_bytes(self.take())
    }
}
