//! σ by table and interpolation: equation (1), its table, its bounds.
//!
//! | | |
//! |---|---|
//! | (1) | σ(z) = vₙ + (vₙ₊₁ − vₙ)·(z − zₙ)/h for z in segment n, zₙ = −11 + n·h, h = 1/16, n = 0 … 351; 0 below, 1 above |
//! | (2) | tanh(z) = 2σ(2z) − 1 |
//! | (3) | vₙ = f(zₙ) − f″(zₙ)·h²/16, f being the exact σ, rounded to 2⁻¹⁶ |
//! | (4) | f″ = f·(1 − f)·(1 − 2f), which is odd, so that v(−z) = 1 − v(z) |
//!
//! In integers (1) is ⌊vₙ + (vₙ₊₁ − vₙ)·(16·part + 1)/2¹⁶⌋, part being the lower 12 bits of z: the
//! rise stays in the lower half of the entry, which is a 2⁻¹⁶ of a segment more.
//!
//! A chord of a curve is at most f″·h²/8 beside it. (3) moves each knot by half of that, so that the
//! error is as great in the middle of a segment as at its ends.

/// The greatest error of σ in a cell before it is cut to 15 bits, absolute, for any z: measured on all
/// z of 2⁻¹⁶ in ±12.
///
/// ```
/// assert!(bptt::quantized::SIGMOID_ERROR < 4.0 / 65536.0);
/// ```
pub const SIGMOID_ERROR: f64 = 4.6e-5;
/// The greatest error of tanh in a cell, absolute, for any z: measured on all z of 2⁻¹⁷ in ±6.
///
/// ```
/// assert!(bptt::quantized::TANH_ERROR < 4.0 / 32768.0);
/// ```
pub const TANH_ERROR: f64 = 9.2e-5;

/// −11, where the table begins, in 2⁻¹⁶.
pub(crate) const FIRST: i32 = -11 << 16;
/// z of a segment, in 2⁻¹⁶, as a power of two: 1/16.
pub(crate) const SEGMENT: u32 = 12;

/// (1) for z in 2⁻¹⁶; the result in 2⁻¹⁶, from 0 to 65535.
#[inline(always)]
pub(crate) fn sigmoid(z: i32) -> i32 {
    let u = z.wrapping_sub(FIRST) as u32;
    let Some(&entry) = TABLE.get((u >> SEGMENT) as usize) else {
        return if z < 0 { 0 } else { 65535 };
    };
    let (slope, part) = (entry & 0xffff, u << (32 - SEGMENT) >> 16);
    (entry.wrapping_add(slope * part) >> 16) as i32
}

/// (2) for 2z in 2⁻¹⁶; the result in 2⁻¹⁵, from −32768 to 32767.
#[inline(always)]
pub(crate) fn tanh(twice_z: i32) -> i32 {
    sigmoid(twice_z) - 32768
}

/// vₙ·2³² + the rise of the segment, in 2⁻¹⁶.
#[rustfmt::skip]
pub(crate) static TABLE: [u32; 352] = [
    0x00010000, 0x00010000, 0x00010000, 0x00010000, 0x00010000, 0x00010001, 0x00020000, 0x00020000,
    0x00020000, 0x00020000, 0x00020000, 0x00020000, 0x00020000, 0x00020001, 0x00030000, 0x00030000,
    0x00030000, 0x00030000, 0x00030001, 0x00040000, 0x00040000, 0x00040000, 0x00040001, 0x00050000,
    0x00050000, 0x00050001, 0x00060000, 0x00060000, 0x00060001, 0x00070000, 0x00070001, 0x00080000,
    0x00080001, 0x00090000, 0x00090001, 0x000a0000, 0x000a0001, 0x000b0001, 0x000c0001, 0x000d0000,
    0x000d0001, 0x000e0001, 0x000f0001, 0x00100001, 0x00110001, 0x00120001, 0x00130002, 0x00150001,
    0x00160001, 0x00170002, 0x00190002, 0x001b0001, 0x001c0002, 0x001e0002, 0x00200002, 0x00220002,
    0x00240003, 0x00270002, 0x00290003, 0x002c0002, 0x002e0003, 0x00310004, 0x00350003, 0x00380004,
    0x003c0004, 0x00400004, 0x00440004, 0x00480005, 0x004d0005, 0x00520005, 0x00570005, 0x005c0006,
    0x00620007, 0x00690006, 0x006f0008, 0x00770007, 0x007e0008, 0x00860009, 0x008f0009, 0x0098000a,
    0x00a2000a, 0x00ac000c, 0x00b8000b, 0x00c3000d, 0x00d0000d, 0x00dd000e, 0x00eb0010, 0x00fb0010,
    0x010b0011, 0x011c0012, 0x012e0013, 0x01410015, 0x01560016, 0x016c0017, 0x01830019, 0x019c001b,
    0x01b7001c, 0x01d3001d, 0x01f00020, 0x02100022, 0x02320024, 0x02560026, 0x027c0029, 0x02a5002b,
    0x02d0002e, 0x02fe0031, 0x032f0033, 0x03620037, 0x0399003b, 0x03d4003e, 0x04120042, 0x04540046,
    0x049a004b, 0x04e5004f, 0x05340054, 0x0588005a, 0x05e2005e, 0x06400065, 0x06a5006a, 0x070f0072,
    0x07810078, 0x07f9007f, 0x08780087, 0x08ff008f, 0x098e0097, 0x0a2500a1, 0x0ac600aa, 0x0b7000b3,
    0x0c2300bf, 0x0ce200c9, 0x0dab00d5, 0x0e8000e1, 0x0f6100ee, 0x104f00fb, 0x114a0109, 0x12530117,
    0x136a0127, 0x14910137, 0x15c80147, 0x170f0159, 0x1868016a, 0x19d2017d, 0x1b4f0190, 0x1cdf01a4,
    0x1e8301b8, 0x203b01ce, 0x220901e3, 0x23ec01f9, 0x25e50210, 0x27f50227, 0x2a1c023f, 0x2c5b0257,
    0x2eb2026f, 0x31210287, 0x33a802a1, 0x364902b8, 0x390102d2, 0x3bd302e9, 0x3ebc0302, 0x41be031a,
    0x44d80331, 0x48090347, 0x4b50035e, 0x4eae0372, 0x52200386, 0x55a6039a, 0x594003ab, 0x5ceb03bb,
    0x60a603c9, 0x646f03d7, 0x684603e3, 0x6c2903ec, 0x701503f4, 0x740903f9, 0x780203fe, 0x7c000400,
    0x80000400, 0x840003fe, 0x87fe03f9, 0x8bf703f4, 0x8feb03ec, 0x93d703e3, 0x97ba03d7, 0x9b9103c9,
    0x9f5a03bb, 0xa31503ab, 0xa6c0039a, 0xaa5a0386, 0xade00372, 0xb152035e, 0xb4b00347, 0xb7f70331,
    0xbb28031a, 0xbe420302, 0xc14402e9, 0xc42d02d2, 0xc6ff02b8, 0xc9b702a1, 0xcc580287, 0xcedf026f,
    0xd14e0257, 0xd3a5023f, 0xd5e40227, 0xd80b0210, 0xda1b01f9, 0xdc1401e3, 0xddf701ce, 0xdfc501b8,
    0xe17d01a4, 0xe3210190, 0xe4b1017d, 0xe62e016a, 0xe7980159, 0xe8f10147, 0xea380137, 0xeb6f0127,
    0xec960117, 0xedad0109, 0xeeb600fb, 0xefb100ee, 0xf09f00e1, 0xf18000d5, 0xf25500c9, 0xf31e00bf,
    0xf3dd00b3, 0xf49000aa, 0xf53a00a1, 0xf5db0097, 0xf672008f, 0xf7010087, 0xf788007f, 0xf8070078,
    0xf87f0072, 0xf8f1006a, 0xf95b0065, 0xf9c0005e, 0xfa1e005a, 0xfa780054, 0xfacc004f, 0xfb1b004b,
    0xfb660046, 0xfbac0042, 0xfbee003e, 0xfc2c003b, 0xfc670037, 0xfc9e0033, 0xfcd10031, 0xfd02002e,
    0xfd30002b, 0xfd5b0029, 0xfd840026, 0xfdaa0024, 0xfdce0022, 0xfdf00020, 0xfe10001d, 0xfe2d001c,
    0xfe49001b, 0xfe640019, 0xfe7d0017, 0xfe940016, 0xfeaa0015, 0xfebf0013, 0xfed20012, 0xfee40011,
    0xfef50010, 0xff050010, 0xff15000e, 0xff23000d, 0xff30000d, 0xff3d000b, 0xff48000c, 0xff54000a,
    0xff5e000a, 0xff680009, 0xff710009, 0xff7a0008, 0xff820007, 0xff890008, 0xff910006, 0xff970007,
    0xff9e0006, 0xffa40005, 0xffa90005, 0xffae0005, 0xffb30005, 0xffb80004, 0xffbc0004, 0xffc00004,
    0xffc40004, 0xffc80003, 0xffcb0004, 0xffcf0003, 0xffd20002, 0xffd40003, 0xffd70002, 0xffd90003,
    0xffdc0002, 0xffde0002, 0xffe00002, 0xffe20002, 0xffe40001, 0xffe50002, 0xffe70002, 0xffe90001,
    0xffea0001, 0xffeb0002, 0xffed0001, 0xffee0001, 0xffef0001, 0xfff00001, 0xfff10001, 0xfff20001,
    0xfff30000, 0xfff30001, 0xfff40001, 0xfff50001, 0xfff60000, 0xfff60001, 0xfff70000, 0xfff70001,
    0xfff80000, 0xfff80001, 0xfff90000, 0xfff90001, 0xfffa0000, 0xfffa0000, 0xfffa0001, 0xfffb0000,
    0xfffb0000, 0xfffb0001, 0xfffc0000, 0xfffc0000, 0xfffc0000, 0xfffc0001, 0xfffd0000, 0xfffd0000,
    0xfffd0000, 0xfffd0000, 0xfffd0001, 0xfffe0000, 0xfffe0000, 0xfffe0000, 0xfffe0000, 0xfffe0000,
    0xfffe0000, 0xfffe0000, 0xfffe0001, 0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000,
];

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{assert, assert_eq, println};

    use super::*;

    /// σ in f64.
    fn exact(z: f64) -> f64 {
        1.0 / (1.0 + (-z).exp())
    }

    /// Every z from −12 to 12, and the ends of i32.
    fn inputs() -> impl Iterator<Item = i32> {
        let ends = 0..1 << 12;
        let lowest = ends.clone().map(|n| i32::MIN + n);
        let highest = ends.rev().map(|n| i32::MAX - n);
        lowest.chain(-12 << 16..=12 << 16).chain(highest)
    }

    /// Measures `error`, and holds the bound to it: not less, and not more than 2 % above.
    fn holds(name: &str, error: impl Fn(i32) -> f64, bound: f64) {
        let measured = inputs().map(|z| error(z).abs()).fold(0.0, f64::max);
        println!("{name}: greatest error {measured:.4e}, bound {bound:.4e}");
        assert!(
            measured <= bound && bound <= 1.02 * measured,
            "{name}: {measured:e}"
        );
    }

    #[test]
    fn bounds() {
        let z = |z| f64::from(z) / 65536.0;
        let error = |n| f64::from(sigmoid(n)) / 65536.0 - exact(z(n));
        holds("sigmoid", error, SIGMOID_ERROR);
        let error = |n| f64::from(tanh(n)) / 32768.0 - (z(n) / 2.0).tanh();
        holds("tanh", error, TANH_ERROR);
    }

    #[test]
    fn monotone_and_in_range() {
        let values = || inputs().map(sigmoid);
        assert!(values().zip(values().skip(1)).all(|(a, b)| a <= b));
        assert_eq!((values().min(), values().max()), (Some(0), Some(65535)));
        assert_eq!((sigmoid(0), tanh(0)), (32768, 0));
    }

    /// (3) and (4).
    #[test]
    fn table_is_what_its_description_says() {
        let knot = |n: usize| {
            let z = n as f64 / 16.0 - 11.0;
            let (f, h) = (exact(z), 1.0 / 16.0);
            let second_derivative = f * (1.0 - f) * (1.0 - 2.0 * f);
            (65536.0 * (f - second_derivative * h * h / 16.0)).round() as u32
        };
        for (n, entry) in TABLE.iter().enumerate() {
            let (value, rise) = (entry >> 16, entry & 0xffff);
            let next = if n == 351 { value } else { knot(n + 1) };
            assert_eq!((value, rise), (knot(n), next - value), "segment {n}");
            assert_eq!(knot(n) + knot(352 - n), 65536, "segment {n}");
        }
    }
}
