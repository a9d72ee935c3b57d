//! What an integer stands for: scales of inputs and states, scales of rows, and errors.

use core::error::Error;
use core::fmt;

use crate::LengthMismatch;

/// A power of two: an i16 n stands for n·2^−q.
///
/// ```
/// use bptt::quantized::Scale;
///
/// let scale = Scale::of(&[0.5, -29.0]); // the inputs that a network will see, or a sample of them
/// let mut x = [0; 3];
/// let saturated = scale.quantize(&[1.0, -29.0, 1e6], &mut x)?;
/// assert_eq!((x, saturated), ([1024, -29696, 32767], 1));
/// # Ok::<(), bptt::LengthMismatch>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(i8);

impl Scale {
    /// 2⁻¹⁵, of numbers in ±1: that of the hidden states of an LSTM, a GRU and an RNN with tanh, and
    /// so of the inputs of a layer above one.
    ///
    /// ```
    /// let mut a = [0.0];
    /// bptt::quantized::Scale::UNIT.dequantize(&[-32768], &mut a)?;
    /// assert_eq!(a, [-1.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub const UNIT: Scale = Scale(15);

    /// The scale 2^−q; q outside of −15 … 30 becomes the nearer of the two.
    ///
    /// ```
    /// use bptt::quantized::Scale;
    ///
    /// assert_eq!(Scale::new(15), Scale::UNIT);
    /// ```
    pub const fn new(q: i8) -> Self {
        Scale(if q < -15 {
            -15
        } else if q > 30 {
            30
        } else {
            q
        })
    }

    /// q of 2^−q.
    ///
    /// ```
    /// assert_eq!(bptt::quantized::Scale::UNIT.q(), 15);
    /// ```
    pub const fn q(self) -> i8 {
        self.0
    }

    /// The finest scale with which the largest of the values in magnitude fits; NaN is passed over.
    ///
    /// For several slices take the [`coarser`](Self::coarser) of their scales.
    ///
    /// ```
    /// use bptt::quantized::Scale;
    ///
    /// assert_eq!(Scale::of(&[0.9, -0.1]), Scale::UNIT);
    /// assert_eq!(Scale::of(&[-29.0]).q(), 10);
    /// ```
    pub fn of(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0, |largest, value| {
            let value = value.abs();
            if value > largest { value } else { largest }
        });
        let mut q = if largest > 0.0 { 30 } else { 15 };
        while q > -15 && largest * power(q) > 32767.0 {
            q -= 1;
        }
        Scale(q)
    }

    /// The one of the two that larger numbers fit.
    ///
    /// ```
    /// use bptt::quantized::Scale;
    ///
    /// assert_eq!(Scale::of(&[29.0]).coarser(Scale::UNIT).q(), 10);
    /// ```
    pub const fn coarser(self, other: Scale) -> Scale {
        if self.0 < other.0 { self } else { other }
    }

    /// The integers nearest to the values (ties away from zero), and how many of the values did not
    /// fit: those beyond ±32767·2^−q became ±32767, NaN became 0.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `integers` has not the length of `values`; nothing is written then.
    ///
    /// ```
    /// use bptt::quantized::Scale;
    ///
    /// let mut x = [0; 2];
    /// assert_eq!(Scale::UNIT.quantize(&[0.5, 1.0], &mut x), Ok(1));
    /// assert_eq!(x, [16384, 32767]);
    /// ```
    pub fn quantize(self, values: &[f32], integers: &mut [i16]) -> Result<usize, LengthMismatch> {
        LengthMismatch::check("integers", values.len(), integers.len())?;
        let power = power(self.0);
        let mut saturated = 0;
        for (n, &value) in integers.iter_mut().zip(values) {
            let nearest = nearest(value * power);
            let fits = nearest.clamp(-32767, 32767);
            *n = fits as i16;
            if nearest != fits || value.is_nan() {
                saturated += 1;
            }
        }
        Ok(saturated)
    }

    /// The values that the integers stand for.
    ///
    /// # Errors
    /// [`LengthMismatch`] where `values` has not the length of `integers`; nothing is written then.
    ///
    /// ```
    /// use bptt::quantized::Scale;
    ///
    /// let mut a = [0.0; 2];
    /// Scale::UNIT.dequantize(&[16384, -32768], &mut a)?;
    /// assert_eq!(a, [0.5, -1.0]);
    /// # Ok::<(), bptt::LengthMismatch>(())
    /// ```
    pub fn dequantize(self, integers: &[i16], values: &mut [f32]) -> Result<(), LengthMismatch> {
        LengthMismatch::check("values", integers.len(), values.len())?;
        let unit = power(-self.0);
        for (value, &n) in values.iter_mut().zip(integers) {
            *value = f32::from(n) * unit;
        }
        Ok(())
    }
}

/// The scale of a row: z = ⌊sum·m / 2^(16 + s)⌋, and the sum over x times 2^k is one over a.
///
/// Its [bits](Self::bits) are m in bits 0 to 15, s in bits 16 to 23, k in bits 24 to 31. In memory it
/// is that, too, or where the upper half of a product is one instruction m·2^(16 − s) + k: as
/// s ≤ 12, k has the four lowest bits for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct RowScale(u32);

impl RowScale {
    /// The greatest s.
    pub(crate) const SHIFT: u32 = 12;
    /// The greatest k.
    pub(crate) const X_SHIFT: u32 = 12;
    /// Of a row of zeros.
    pub(crate) const ZERO: RowScale = RowScale::new(0, 1, 0);
    /// Whether m·2^(16 − s) + k is what stands in memory.
    const FACTOR: bool = cfg!(any(
        bptt_integers = "m3",
        bptt_integers = "m4",
        bptt_integers = "rv32"
    ));

    /// s outside of 1 … 12 and k above 12 become the nearest of these; s is as large as it can be,
    /// where m is even.
    pub(crate) const fn new(m: u16, s: u32, k: u32) -> Self {
        let mut s = if s < 1 {
            1
        } else if s > Self::SHIFT {
            Self::SHIFT
        } else {
            s
        };
        let mut m = m as u32;
        while s < Self::SHIFT && m < 1 << 15 {
            (m, s) = (2 * m, s + 1);
        }
        let k = if k > Self::X_SHIFT { Self::X_SHIFT } else { k };
        RowScale(if Self::FACTOR {
            m << (16 - s) | k
        } else {
            m | s << 16 | k << 24
        })
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self::new(bits as u16, bits >> 16 & 0xff, bits >> 24)
    }

    pub(crate) fn bits(self) -> u32 {
        self.m() | self.shift() << 16 | self.x_shift() << 24
    }

    /// s
    pub(crate) fn shift(self) -> u32 {
        if Self::FACTOR {
            // The greatest with which m has 16 bits.
            self.0.leading_zeros().clamp(1, Self::SHIFT)
        } else {
            self.0 >> 16 & 0xff
        }
    }

    /// k
    #[inline(always)]
    pub(crate) fn x_shift(self) -> u32 {
        if Self::FACTOR {
            self.0 & 15
        } else {
            self.0 >> 24
        }
    }

    /// m
    pub(crate) fn m(self) -> u32 {
        if Self::FACTOR {
            self.0 >> (16 - self.shift())
        } else {
            self.0 & 0xffff
        }
    }

    /// What one of a sum is in z: m / 2^(16 + s).
    pub(crate) fn factor(self) -> f32 {
        self.m() as f32 * power(-16 - self.shift() as i8)
    }

    /// ⌊sum·m / 2^(16 + s)⌋
    #[inline(always)]
    pub(crate) fn of(self, sum: i32) -> i32 {
        if Self::FACTOR {
            return ((i64::from(sum) * i64::from(self.0 & !15)) >> 32) as i32;
        }
        let m = (self.0 & 0xffff) as i32;
        // ⌊sum·m / 2¹⁶⌋ has 32 bits; where there is no product of 64, it is that of both halves.
        let product = if cfg!(bptt_integers = "m0") {
            (sum >> 16) * m + (((sum & 0xffff) as u32 * m as u32) >> 16) as i32
        } else {
            ((i64::from(sum) * i64::from(m)) >> 16) as i32
        };
        product >> (self.0 >> 16 & 31)
    }
}

/// Why a row could not be quantised; the rows of all gates are counted, in the order of the fields,
/// then the units.
///
/// ```
/// use bptt::quantized::{Cell, QuantizeError, Rnn, Scale};
/// use bptt::rnn;
///
/// let mut params = rnn::Params::<1, 2>::zeros();
/// params.wa[(1, 0)] = 100.0;
/// let error = Rnn::<1, 2>::zeros().quantize(&params, Scale::UNIT).unwrap_err();
/// assert!(matches!(error, QuantizeError::TooLarge { row: 1, .. }));
/// let text = "the weights of row 1 need a scale of 0.78740156, more than 0.1249975";
/// assert_eq!(error.to_string(), text); // 100 / 127
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizeError {
    /// A weight or a bias of the row is ±∞ or NaN, or the sum of their magnitudes is +∞.
    NotFinite {
        /// The row.
        row: usize,
    },
    /// One integer would stand for more than [`largest`](Self::TooLarge::largest), because of a weight
    /// or because the row could exceed 32 bits.
    TooLarge {
        /// The row.
        row: usize,
        /// The scale that the recurrent weights of the row would need.
        scale: f32,
        /// The largest that there is.
        largest: f32,
    },
}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { row } => write!(f, "row {row} is not finite"),
            Self::TooLarge {
                row,
                scale,
                largest,
            } => write!(
                f,
                "the weights of row {row} need a scale of {scale}, more than {largest}"
            ),
        }
    }
}

impl Error for QuantizeError {}

/// The integer nearest to `t`, ties away from zero; saturating, NaN is 0.
pub(crate) fn nearest(t: f32) -> i32 {
    // From 2²³ on all are integers, and to add a half could round.
    let half = if t.abs() < 8_388_608.0 { 0.5 } else { 0.0 };
    (if t < 0.0 { t - half } else { t + half }) as i32
}

/// 2^n, n in −126 … 127.
pub(crate) fn power(n: i8) -> f32 {
    f32::from_bits(((i32::from(n) + 127) as u32) << 23)
}
