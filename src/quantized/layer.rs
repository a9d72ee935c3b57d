//! What all quantised cells consist of: the rows of G gates of A units, which see X inputs and K
//! states. Quantising them and back, and their bytes.

use super::core::Rows;
use super::packed::{Order, Packed};
use super::scale::{RowScale, nearest, power};
use super::{QuantizeError, Scale, Weight, order};
use crate::arch::integers::MOST;
use crate::shape::part;

/// G·A rows; K = A in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Layer<const X: usize, const K: usize, const A: usize, const G: usize, W> {
    bias: [[i32; G]; A],
    scale: [[RowScale; G]; A],
    pub(crate) x: Scale,
    pub(crate) a: Scale,
    wx: Packed<X, A, G, W>,
    wa: Packed<K, A, G, W>,
}

/// The numbers of one row in f32, and what its integers stand for.
pub(crate) struct Row<'a> {
    /// Wa and Wx of the gate, column after column, and which row of it this is.
    pub(crate) wa: &'a [f32],
    pub(crate) wx: &'a [f32],
    pub(crate) b: f32,
    /// A second bias that the row has room for.
    pub(crate) second: f32,
    pub(crate) unit: usize,
    pub(crate) units: usize,
    /// What one of a row's sum is in z, as a multiple of the scale of Wa: 2^gain.
    pub(crate) gain: i8,
    /// What is added to b for (17) to round: half of one z.
    pub(crate) half: bool,
}

/// The weights of a row of a matrix with `units` rows.
fn row(w: &[f32], unit: usize, units: usize) -> impl Iterator<Item = f32> + Clone {
    let columns = w.len().checked_div(units).unwrap_or(0);
    (0..columns).map(move |k| w.get(k * units + unit).copied().unwrap_or(0.0))
}

/// A row's numbers as they are stored.
pub(crate) struct Quantized {
    bias: i32,
    second: i32,
    scale: RowScale,
    /// The scales of Wa and of Wx.
    wa: f32,
    wx: f32,
}

impl Row<'_> {
    /// The scales of the row: the finest with which every weight fits and no sum can leave 32 bits,
    /// whatever the inputs and states.
    pub(crate) fn quantize<W: Weight>(
        &self,
        (x, a): (Scale, Scale),
        number: usize,
    ) -> Result<Quantized, QuantizeError> {
        let limit = W::LIMIT as f32;
        let wa = row(self.wa, self.unit, self.units);
        let wx = row(self.wx, self.unit, self.units);
        let largest = |w: &mut dyn Iterator<Item = f32>| w.fold(0.0, |l: f32, w| l.max(w.abs()));
        let sum = |w: &mut dyn Iterator<Item = f32>| w.fold(0.0, |sum, w| sum + w.abs());
        let (sum_a, sum_x) = (sum(&mut wa.clone()), sum(&mut wx.clone()));
        let b = self.b.abs().max(self.second.abs());
        // A sum, as the greatest of two passes over NaN.
        let all = sum_a + sum_x + self.b.abs() + self.second.abs();
        if !all.is_finite() {
            return Err(QuantizeError::NotFinite { row: number });
        }
        // Of Wx in units of Wa·2^k, where k = 0.
        let to_x = power(x.q() - a.q());
        let largest_x = largest(&mut wx.clone()) / limit / to_x;
        let most = sum_a * 32768.0 + sum_x * 32768.0 / to_x + b * power(a.q());
        let mut scale = (largest(&mut wa.clone()) / limit)
            .max(largest_x * power(-(RowScale::X_SHIFT as i8)))
            .max(most * power(-31));
        loop {
            let factor = scale * power(self.gain);
            if factor >= 0.499_99 {
                return Err(QuantizeError::TooLarge {
                    row: number,
                    scale,
                    largest: 0.499_99 * power(-self.gain),
                });
            }
            // factor ≤ m / 2^(16 + s), with as large an s as there is.
            let mut s = RowScale::SHIFT;
            while s > 1 && factor * power(16 + s as i8) > 65535.0 {
                s -= 1;
            }
            let exact = factor * power(16 + s as i8);
            let floor = exact as u32;
            let m = (floor + u32::from(exact > floor as f32)).clamp(1, 65535);
            let exact = m as f32 * power(-16 - s as i8 - self.gain);
            let mut k = 0;
            while k < RowScale::X_SHIFT && largest_x > exact * power(k as i8) {
                k += 1;
            }
            let scales = Quantized {
                scale: RowScale::new(m as u16, s, k),
                bias: nearest(
                    self.b / exact * power(a.q())
                        + if self.half {
                            0.5 / RowScale::new(m as u16, s, 0).factor()
                        } else {
                            0.0
                        },
                ),
                second: nearest(self.second / exact * power(a.q())),
                wa: exact,
                wx: exact * to_x * power(k as i8),
            };
            if largest_x <= exact * power(k as i8) * 1.000_01 && self.fits(&scales) {
                return Ok(scales);
            }
            scale = exact * 1.0625; // Rounding made the row larger.
        }
    }

    /// Whether no sum can leave 32 bits.
    fn fits(&self, scales: &Quantized) -> bool {
        let sum = |w: &[f32], scale: f32| -> u64 {
            row(w, self.unit, self.units)
                .map(|w| u64::from(nearest(w / scale).unsigned_abs()))
                .sum()
        };
        let x = sum(self.wx, scales.wx) << scales.scale.x_shift();
        let all = (sum(self.wa, scales.wa) + x) * 32768
            + u64::from(scales.bias.unsigned_abs().max(scales.second.unsigned_abs()));
        all < 1 << 31
    }
}

impl<const X: usize, const K: usize, const A: usize, const G: usize, W: Weight>
    Layer<X, K, A, G, W>
{
    const ORDER: Order = order(G, size_of::<W>());

    pub(crate) const ZEROS: Self = Layer {
        bias: [[0; G]; A],
        scale: [[RowScale::ZERO; G]; A],
        wx: Packed::ZEROS,
        wa: Packed::ZEROS,
        x: Scale::UNIT,
        a: Scale::UNIT,
    };

    /// Bytes of a layer: the scales, b and scale of each row, Wx, Wa.
    pub(crate) const BYTES: usize = 4 + G * A * (8 + size_of::<W>() * (X + K));

    /// The value of these bytes, from `at` on.
    pub(crate) const fn read(bytes: &[u8], at: usize) -> Self {
        let mut layer = Self::ZEROS;
        layer.x = Scale::new(byte(bytes, at) as i8);
        layer.a = Scale::new(byte(bytes, at + 1) as i8);
        let (mut at, mut row) = (at + 4, 0);
        while row < G * A {
            let to = Self::ORDER.row([G, A], [row / A, row % A]);
            let scale = word(bytes, at + 4) as u32;
            layer.bias[to / G % A][to % G] = word(bytes, at);
            layer.scale[to / G % A][to % G] = RowScale::from_bits(scale);
            (at, row) = (at + 8, row + 1);
        }
        let mut n = 0;
        while n < G * A * X {
            let place = [n / X / A, n / X % A, n % X];
            layer.wx.set(place, weight::<W>(bytes, at));
            (at, n) = (at + size_of::<W>(), n + 1);
        }
        n = 0;
        while n < G * A * K {
            let place = [n / K / A, n / K % A, n % K];
            layer.wa.set(place, weight::<W>(bytes, at));
            (at, n) = (at + size_of::<W>(), n + 1);
        }
        layer
    }

    /// Hands out the bytes of [`read`](Self::read), one after the other.
    pub(crate) fn write(&self, to: &mut impl FnMut(&[u8])) {
        to(&[self.x.q() as u8, self.a.q() as u8, 0, 0]);
        let (bias, scale) = (self.bias.as_flattened(), self.scale.as_flattened());
        for row in 0..G * A {
            let at = Self::ORDER.row([G, A], [row / A, row % A]);
            to(&bias.get(at).copied().unwrap_or(0).to_le_bytes());
            to(&scale.get(at).map_or(0, |scale| scale.bits()).to_le_bytes());
        }
        for n in 0..G * A * X {
            to(bytes_of::<W>(
                &self.wx.get([n / X / A, n / X % A, n % X]).to_le_bytes(),
            ));
        }
        for n in 0..G * A * K {
            to(bytes_of::<W>(
                &self.wa.get([n / K / A, n / K % A, n % K]).to_le_bytes(),
            ));
        }
    }

    /// What the core reads.
    pub(crate) fn rows(&self) -> Rows<'_, W> {
        const {
            assert!(
                cfg!(bptt_integers = "plain") || G * A <= MOST && X <= MOST && K <= MOST,
                "on a controller a layer has at most 65535 rows and 65535 columns"
            );
        }
        Rows {
            bias: self.bias.as_flattened(),
            scale: self.scale.as_flattened(),
            wx: self.wx.flat(),
            wa: self.wa.flat(),
        }
    }

    /// Becomes what `row` gives for each gate and unit; where that is an error, nothing is
    /// written.
    pub(crate) fn quantize<'a>(
        &mut self,
        scales: (Scale, Scale),
        first: usize,
        row: impl Fn(usize, usize) -> Row<'a>,
    ) -> Result<(), QuantizeError> {
        for n in 0..G * A {
            row(n / A, n % A).quantize::<W>(scales, first + n)?;
        }
        (self.x, self.a) = scales;
        for n in 0..G * A {
            let (gate, unit) = (n / A, n % A);
            let from = row(gate, unit);
            let numbers = from.quantize::<W>(scales, first + n)?;
            let at = Self::ORDER.row([G, A], [gate, unit]);
            if let Some(bias) = self.bias.as_flattened_mut().get_mut(at) {
                *bias = numbers.bias;
            }
            if let Some(scale) = self.scale.as_flattened_mut().get_mut(at) {
                *scale = numbers.scale;
            }
            for (k, w) in self::row(from.wx, unit, from.units).enumerate() {
                self.wx.set([gate, unit, k], nearest(w / numbers.wx));
            }
            for (k, w) in self::row(from.wa, unit, from.units).enumerate() {
                self.wa.set([gate, unit, k], nearest(w / numbers.wa));
            }
        }
        Ok(())
    }

    fn row_scale(&self, gate: usize, unit: usize) -> RowScale {
        let at = Self::ORDER.row([G, A], [gate, unit]);
        self.scale
            .as_flattened()
            .get(at)
            .copied()
            .unwrap_or(RowScale::ZERO)
    }

    /// A second bias of a row, quantised as the first one.
    pub(crate) fn bias(&self, gate: usize, unit: usize, gain: i8, b: f32) -> i32 {
        let one = self.row_scale(gate, unit).factor() * power(-gain);
        nearest(b / one * power(self.a.q()))
    }

    /// What [`bias`](Self::bias) stands for.
    pub(crate) fn bias_value(&self, gate: usize, unit: usize, gain: i8, b: i32) -> f32 {
        let one = self.row_scale(gate, unit).factor() * power(-gain);
        b as f32 * one * power(-self.a.q())
    }

    /// Wa, Wx and b of a gate, column after column, with the gain that it was quantised
    /// with.
    pub(crate) fn dequantize(
        &self,
        gate: usize,
        gain: i8,
        half: bool,
        [wa, wx, b]: [&mut [f32]; 3],
    ) {
        for (unit, b) in b.iter_mut().enumerate() {
            let at = Self::ORDER.row([G, A], [gate, unit]);
            let bias = self.bias.as_flattened().get(at).copied().unwrap_or(0);
            let scale = self
                .scale
                .as_flattened()
                .get(at)
                .copied()
                .unwrap_or(RowScale::ZERO);
            let one = scale.factor() * power(-gain);
            let half = if half { 0.5 / scale.factor() } else { 0.0 };
            *b = (bias as f32 - half) * one * power(-self.a.q());
            for k in 0..K {
                if let Some(w) = wa.get_mut(k * A + unit) {
                    *w = self.wa.get([gate, unit, k]) as f32 * one;
                }
            }
            let one = one * power(self.x.q() - self.a.q() + scale.x_shift() as i8);
            for k in 0..X {
                if let Some(w) = wx.get_mut(k * A + unit) {
                    *w = self.wx.get([gate, unit, k]) as f32 * one;
                }
            }
        }
    }
}

/// A byte; 0 beyond the end.
const fn byte(bytes: &[u8], at: usize) -> u8 {
    if at < bytes.len() { bytes[at] } else { 0 }
}

/// Four bytes as an integer, the lowest first.
pub(crate) const fn word(bytes: &[u8], at: usize) -> i32 {
    let bytes = [
        byte(bytes, at),
        byte(bytes, at + 1),
        byte(bytes, at + 2),
        byte(bytes, at + 3),
    ];
    i32::from_le_bytes(bytes)
}

/// A weight; the lowest integer, which no quantised weight is, becomes its neighbour.
const fn weight<W: Weight>(bytes: &[u8], at: usize) -> i32 {
    let weight = match W::BITS {
        8 => byte(bytes, at) as i8 as i32,
        _ => i16::from_le_bytes([byte(bytes, at), byte(bytes, at + 1)]) as i32,
    };
    if weight < -W::LIMIT {
        -W::LIMIT
    } else {
        weight
    }
}

/// Of the bytes of a weight, those that it has as a W.
fn bytes_of<W: Weight>(bytes: &[u8; 4]) -> &[u8] {
    part(bytes, 0, size_of::<W>())
}
