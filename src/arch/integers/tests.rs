//! Every kernel that this processor has against the plain form, bit for bit: all cells, both kinds
//! of weights, all small shapes.

extern crate std;

use std::vec::Vec;
use std::{assert_eq, println, vec};

#[cfg(bptt_avx2)]
use super::Avx2;
#[cfg(bptt_avx512)]
use super::Avx512;
#[cfg(any(bptt_avx2, bptt_avx512))]
use super::{Backend, found};
use super::{Baseline, Rows};
use crate::flat::integer;
use crate::quantized::Weight;
use crate::quantized::core::{
    C_LIMIT, Kernel, Plain, dense, gru_after_step, gru_before_step, lstm_step, relu_step, rnn_step,
};
use crate::quantized::scale::RowScale;

/// Steele, Lea and Flood's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// From −`limit` to `limit`; where the numbers are to be extreme, one of these two.
    fn within(&mut self, limit: i64, extreme: bool) -> i64 {
        let n = self.next();
        match extreme {
            true => [-limit, limit][(n >> 63) as usize],
            false => (n >> 1) as i64 % (2 * limit + 1) - limit,
        }
    }

    fn many<T>(&mut self, n: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..n).map(|_| one(self)).collect()
    }

    /// As a vector that a kernel multiplies: with extreme numbers the lowest is among them.
    fn vector(&mut self, n: usize, extreme: bool) -> Vec<i16> {
        self.many(n, |r| match extreme && r.next() >> 63 == 0 {
            true => i16::MIN,
            false => r.within(32767, extreme) as i16,
        })
    }
}

/// The numbers of four gates, of which cells with fewer use the first.
struct Layer<W> {
    bias: Vec<i32>,
    scale: Vec<RowScale>,
    wx: Vec<W>,
    wa: Vec<W>,
}

struct Case<W> {
    layers: [Layer<W>; 3],
    bna: Vec<i32>,
    x: Vec<i16>,
    a: Vec<i16>,
    c: Vec<i32>,
}

impl<W: Weight> Case<W> {
    fn new(inputs: usize, units: usize, extreme: [bool; 3], random: &mut Random) -> Self {
        let [weights, vectors, rows] = extreme;
        let layer = |random: &mut Random| {
            let w = |n, random: &mut Random| {
                let limit = W::LIMIT.into();
                random.many(n, |r| integer(r.within(limit, weights) as i32))
            };
            // Large factors saturate every gate, small ones none.
            let scale = |r: &mut Random| match rows {
                true => RowScale::new(65535, 1, 12),
                false => {
                    let [m, s, k] = [r.next(), r.next(), r.next()];
                    let m = (m as u16) >> (m >> 32 & 7);
                    RowScale::new(m, 1 + s as u32 % 12, k as u32 % 13)
                }
            };
            Layer {
                bias: random.many(4 * units, |r| r.within(i64::from(i32::MAX), rows) as i32),
                scale: random.many(4 * units, scale),
                wx: w(4 * units * inputs, random),
                wa: w(4 * units * units, random),
            }
        };
        let layers = [layer(random), layer(random), layer(random)];
        Case {
            layers,
            bna: random.many(units, |r| r.within(i64::from(i32::MAX), rows) as i32),
            x: random.vector(inputs, vectors),
            a: random.vector(units, vectors),
            c: random.many(units, |r| r.within(C_LIMIT.into(), vectors) as i32),
        }
    }

    /// The first so many gates of a layer.
    fn rows(&self, layer: usize, gates: usize) -> Rows<'_, W> {
        let Layer {
            bias,
            scale,
            wx,
            wa,
        } = &self.layers[layer];
        let rows = gates * self.a.len();
        Rows {
            bias: &bias[..rows],
            scale: &scale[..rows],
            wx: &wx[..rows * self.x.len()],
            wa: &wa[..rows * self.a.len()],
        }
    }

    /// What all cells and the output layer compute with a kernel.
    #[inline(always)]
    fn run<K: Kernel<W>>(&self) -> (Vec<i16>, Vec<i32>) {
        let Case { bna, x, a, c, .. } = self;
        let units = a.len();
        let (mut states, mut sums) = (vec![0; 6 * units], vec![0; 2 * units]);
        {
            let mut to = states.chunks_mut(units);
            let mut next = || to.next().unwrap();
            let (c_next, y) = sums.split_at_mut(units);
            lstm_step::<W, K>(self.rows(0, 4), x, (a, c), (next(), c_next));
            gru_after_step::<W, K>(self.rows(0, 3), bna, x, a, next());
            let gates = [self.rows(0, 1), self.rows(1, 1), self.rows(2, 1)];
            gru_before_step::<W, K>(gates, x, a, next(), next());
            rnn_step::<W, K>(self.rows(0, 1), x, a, next());
            relu_step::<W, K>(self.rows(1, 1), x, a, next());
            let layer = Rows {
                wa: self.rows(0, 1).wx,
                wx: &[],
                ..self.rows(0, 1)
            };
            dense::<W, K>(layer, x, y);
        }
        (states, sums)
    }
}

/// Compares a case with the plain form by each kernel; says which there are.
fn compare<W: Weight>(case: &Case<W>, what: &str) -> Vec<&'static str> {
    #[cfg(bptt_avx512)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn avx512<W: Weight>(case: &Case<W>) -> (Vec<i16>, Vec<i32>) {
        case.run::<Avx512>()
    }
    #[cfg(bptt_avx2)]
    #[target_feature(enable = "avx2")]
    unsafe fn avx2<W: Weight>(case: &Case<W>) -> (Vec<i16>, Vec<i32>) {
        case.run::<Avx2>()
    }
    let expected = case.run::<Plain>();
    let mut names = vec!["baseline"];
    assert_eq!(case.run::<Baseline>(), expected, "baseline, {what}");
    #[cfg(bptt_avx2)]
    if found() != Backend::Baseline {
        names.push("AVX2");
        // SAFETY: `found` names another than the baseline only where the processor has AVX2.
        assert_eq!(unsafe { avx2(case) }, expected, "AVX2, {what}");
    }
    #[cfg(bptt_avx512)]
    if found() == Backend::Avx512 {
        names.push("AVX-512");
        // SAFETY: `found` names AVX-512 only where the processor has all of it.
        assert_eq!(unsafe { avx512(case) }, expected, "AVX-512, {what}");
    }
    names
}

fn all_shapes<W: Weight>() {
    let mut random = Random(15);
    let small = (1..=40).flat_map(|inputs| (1..=70).map(move |units| (inputs, units)));
    let large = [(6, 128), (64, 128), (33, 131), (200, 97), (128, 256)];
    let mut names = vec![];
    for (inputs, units) in small.chain(large) {
        let mut try_one = |extreme| {
            let case = Case::<W>::new(inputs, units, extreme, &mut random);
            let what = std::format!("({inputs}, {units}), {} bits, {extreme:?}", W::BITS);
            names = compare(&case, &what);
        };
        try_one([false; 3]);
        if units < 20 || inputs == 40 {
            try_one([true, true, false]);
            try_one([true; 3]);
            try_one([false, false, true]);
        }
    }
    println!("{} bits: {names:?}", W::BITS);
    if names.len() < 3 {
        println!("NOT RUN: the kernels of what this processor or this build has not got");
    }
}

#[test]
fn every_kernel_has_the_bits_of_the_plain_form() {
    all_shapes::<i8>();
    all_shapes::<i16>();
}
