//! The textbook: the equations of `src/rnn.rs`, `src/lstm.rs` and `src/gru.rs` as plain loops, over any kind of number.
//!
//! Shares no code with the crate. One scalar at a time, one step after the other, nothing blocked and nothing in
//! place, so that each line can be held against its equation. The numbers may be `f64`, or a type
//! that keeps account of rounding errors beside the value.
//!
//! Every array is flat and column-major, as in the crate: the entry of unit r in sample m at step t stands at
//! (t·M + m)·A + r, and the weights of a gate are \[Wa | Wx\], column by column.
#![allow(dead_code)] // Not every file needs all of it.

use std::ops::{Add, Mul, Sub};

/// The greatest relative error of a function value, in units of the rounding error u (half a unit in the last place at
/// most): 2 units in the last place, which is what the crate promises and the standard library keeps.
pub const ACTIVATION: f64 = 4.0;

const _: () = {
    use bptt::activation::*;
    assert!(2.0 * EXP_F32_MAX_ULP <= ACTIVATION && 2.0 * EXP_F64_MAX_ULP <= ACTIVATION);
    assert!(2.0 * SIGMOID_F32_MAX_ULP <= ACTIVATION && 2.0 * SIGMOID_F64_MAX_ULP <= ACTIVATION);
    assert!(2.0 * TANH_F32_MAX_ULP <= ACTIVATION && 2.0 * TANH_F64_MAX_ULP <= ACTIVATION);
};

/// A number that the equations can be computed in.
pub trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// The number nearest to `x`.
    fn from_f64(x: f64) -> Self;
    /// `f` of the number, where `slope` is the derivative of `f` there.
    fn apply(self, f: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> Self;

    /// σ
    fn sigmoid(self) -> Self {
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        self.apply(sigmoid, |z| sigmoid(z) * sigmoid(-z))
    }
    /// tanh
    fn tanh(self) -> Self {
        self.apply(f64::tanh, |z| 1.0 - z.tanh() * z.tanh())
    }
    /// The sum of `terms`, of which there is at least one, from the first to the last.
    fn sum(terms: impl Iterator<Item = Self>) -> Self {
        terms.reduce(Self::add).unwrap()
    }
}

/// The sizes X, A, M and the number of time steps T.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub x: usize,
    pub a: usize,
    pub m: usize,
    pub t: usize,
}

impl Sizes {
    /// The numbers of all columns of a sequence, t·M + m, from the last step to the first, each with t and m.
    fn backwards(self) -> impl Iterator<Item = (usize, usize, usize)> {
        let Sizes { m, t, .. } = self;
        (0..t)
            .rev()
            .flat_map(move |t| (0..m).map(move |sample| (t * m + sample, t, sample)))
    }
}

/// The weights of one gate: `w` is \[Wa | Wx\], (A, A + X).
#[derive(Clone)]
pub struct Gate<N> {
    pub w: Vec<N>,
    pub b: Vec<N>,
}

/// The gradients that a whole sequence gives, for a cell of G gates.
pub struct Gradients<N, const G: usize> {
    /// With respect to the pre-activations, (A, M) a step.
    pub dz: [Vec<N>; G],
    /// With respect to the weights.
    pub gates: [Gate<N>; G],
    pub dx: Vec<N>,
    pub da0: Vec<N>,
}

/// The cell state and the gates of an LSTM, and its output; each (A, M) a step.
pub struct Lstm<N> {
    /// f, i, g, o
    pub gates: [Vec<N>; 4],
    pub c: Vec<N>,
    pub a: Vec<N>,
}

/// What the gradient of one unit of an LSTM cell, in one sample of one step, is made of.
#[derive(Clone, Copy)]
pub struct Local<N> {
    /// The whole gradient that reaches a⟨t⟩.
    pub da: N,
    /// The gradient that reaches c⟨t⟩ from step t + 1.
    pub dc_next: N,
    pub f: N,
    pub i: N,
    pub cc: N,
    pub o: N,
    pub tanh_c: N,
    pub c_prev: N,
}

/// dz_f, dz_i, dz_g, dz_o, and dc⟨t−1⟩ of one unit.
pub struct Through<N> {
    pub dz: [N; 4],
    pub dc_prev: N,
}

/// Column `at` of an array with `rows` rows.
fn column<N>(array: &[N], rows: usize, at: usize) -> &[N] {
    &array[at * rows..][..rows]
}

/// What step t − 1 gave in sample m: a column of `start` for the first step, of `sequence` for the others.
fn before<'a, N>(start: &'a [N], sequence: &'a [N], s: Sizes, t: usize, m: usize) -> &'a [N] {
    match t.checked_sub(1) {
        None => column(start, s.a, m),
        Some(t) => column(sequence, s.a, t * s.m + m),
    }
}

/// b + Wx·x + Wa·a for one sample.
fn affine<N: Number>(gate: &Gate<N>, a: &[N], x: &[N]) -> Vec<N> {
    let rows = gate.b.len();
    let (wa, wx) = gate.w.split_at(rows * a.len());
    let term = |r, w: &[N], u: &[N], k: usize| w[k * rows + r] * u[k];
    (0..rows)
        .map(|r| {
            let from_x = (0..x.len()).map(|k| term(r, wx, x, k));
            let from_a = (0..a.len()).map(|k| term(r, wa, a, k));
            N::sum([gate.b[r]].into_iter().chain(from_x).chain(from_a))
        })
        .collect()
}

/// \[da; dx\] = Σ_g W_gᵀ·dz_g for column `at`: LSTM (20) and (21), RNN (8) and (9).
fn transposed<N: Number, const G: usize>(
    gates: [&Gate<N>; G],
    dz: [&[N]; G],
    s: Sizes,
    at: usize,
) -> Vec<N> {
    (0..s.a + s.x)
        .map(|k| {
            let of_gate = |g: usize| {
                let (w, dz) = (column(&gates[g].w, s.a, k), column(dz[g], s.a, at));
                w.iter().zip(dz).map(|(&w, &dz)| w * dz)
            };
            N::sum((0..G).flat_map(of_gate))
        })
        .collect()
}

/// Σₜ dz·uᵀ, where `u` gives the column of step t and sample m, of which it is column number t·M + m.
fn outer<'u, N: Number + 'u>(
    dz: &[N],
    s: Sizes,
    rows: usize,
    u: impl Fn((usize, usize, usize)) -> &'u [N],
) -> Vec<N> {
    let entry = |at| {
        let (k, r) = (at / s.a, at % s.a);
        N::sum((s.backwards()).map(|at| column(dz, s.a, at.0)[r] * u(at)[k]))
    };
    (0..rows * s.a).map(entry).collect()
}

/// Σₜ dz
fn bias_gradient<N: Number>(dz: &[N], s: Sizes) -> Vec<N> {
    let entry = |r| N::sum(s.backwards().map(|(at, ..)| column(dz, s.a, at)[r]));
    (0..s.a).map(entry).collect()
}

/// Σₜ dz·aᵀ, Σₜ dz·xᵀ and Σₜ dz for one gate: LSTM (17) to (19), RNN (5) to (7).
fn weight_gradients<N: Number>(dz: &[N], x: &[N], a0: &[N], a: &[N], s: Sizes) -> Gate<N> {
    let mut w = outer(dz, s, s.a, |(_, t, m)| before(a0, a, s, t, m));
    w.extend(outer(dz, s, s.x, |(at, ..)| column(x, s.x, at)));
    Gate {
        w,
        b: bias_gradient(dz, s),
    }
}

/// RNN (1) and (2): a, (A, M) a step; `activation` is the one of (2).
pub fn rnn_forward<N: Number>(
    s: Sizes,
    gate: &Gate<N>,
    x: &[N],
    a0: &[N],
    activation: impl Fn(N) -> N,
) -> Vec<N> {
    let mut a = Vec::new();
    for t in 0..s.t {
        for m in 0..s.m {
            let z = affine(gate, before(a0, &a, s, t, m), column(x, s.x, t * s.m + m)); // (1)
            a.extend(z.into_iter().map(&activation)); // (2)
        }
    }
    a
}

/// RNN (4): dz = dh ⊙ (1 − a²)
pub fn through_tanh<N: Number>(dh: N, a: N) -> N {
    dh * (N::from_f64(1.0) - a * a)
}

/// max(0, z), with no rounding
pub fn relu<N: Number + PartialOrd>(z: N) -> N {
    let zero = N::from_f64(0.0);
    if z > zero { z } else { zero }
}

/// RNN (4) with ReLU: dz = dh where a > 0, else 0
pub fn through_relu<N: Number + PartialOrd>(dh: N, a: N) -> N {
    let zero = N::from_f64(0.0);
    if a > zero { dh } else { zero }
}

/// RNN (3) to (9); (4) is what `through` computes from dh and a.
pub fn rnn_backward<N: Number>(
    s: Sizes,
    gate: &Gate<N>,
    x: &[N],
    a0: &[N],
    a: &[N],
    da: &[N],
    through: impl Fn(N, N) -> N,
) -> Gradients<N, 1> {
    let mut dz = [vec![N::from_f64(0.0); a.len()]];
    let mut dx = vec![N::from_f64(0.0); x.len()];
    let mut da_next = vec![None; a0.len()]; // Waᵀ·dz⟨t+1⟩: there is none beyond the end
    for (at, _, m) in s.backwards() {
        for r in 0..s.a {
            let i = at * s.a + r;
            let dh = da_next[m * s.a + r].map_or(da[i], |da_next| da[i] + da_next); // (3)
            dz[0][i] = through(dh, a[i]); // (4)
        }
        let du = transposed([gate], [&dz[0]], s, at);
        for r in 0..s.a {
            da_next[m * s.a + r] = Some(du[r]); // (8)
        }
        dx[at * s.x..][..s.x].copy_from_slice(&du[s.a..]); // (9)
    }
    Gradients {
        gates: [weight_gradients(&dz[0], x, a0, a, s)], // (5) to (7)
        dz,
        dx,
        da0: da_next.into_iter().flatten().collect(),
    }
}

/// LSTM (1) to (6).
pub fn lstm_forward<N: Number>(
    s: Sizes,
    gates: &[Gate<N>; 4],
    x: &[N],
    a0: &[N],
    c0: &[N],
) -> Lstm<N> {
    let mut out = Lstm {
        gates: Default::default(),
        c: Vec::new(),
        a: Vec::new(),
    };
    for t in 0..s.t {
        for m in 0..s.m {
            let a_prev = before(a0, &out.a, s, t, m);
            let c_prev = before(c0, &out.c, s, t, m).to_vec();
            let z = gates
                .each_ref()
                .map(|gate| affine(gate, a_prev, column(x, s.x, t * s.m + m)));
            for r in 0..s.a {
                let f = z[0][r].sigmoid(); // (1)
                let i = z[1][r].sigmoid(); // (2)
                let cc = z[2][r].tanh(); // (3)
                let o = z[3][r].sigmoid(); // (4)
                let c = f * c_prev[r] + i * cc; // (5)
                let a = o * c.tanh(); // (6)
                for (column, gate) in out.gates.iter_mut().zip([f, i, cc, o]) {
                    column.push(gate);
                }
                out.c.push(c);
                out.a.push(a);
            }
        }
    }
    out
}

/// LSTM (7) to (16), step by step through the local gradients.
pub fn step_by_step<N: Number>(local: Local<N>) -> Through<N> {
    let one = N::from_f64(1.0);
    let Local {
        da,
        dc_next,
        f,
        i,
        cc,
        o,
        tanh_c,
        c_prev,
    } = local;
    let d_o = da * tanh_c; // (7)
    let dc = dc_next + da * o * (one - tanh_c * tanh_c); // (8)
    let df = dc * c_prev; // (9)
    let di = dc * cc; // (10)
    let dcc = dc * i; // (11)
    let dc_prev = dc * f; // (12)
    let dz_f = df * f * (one - f); // (13)
    let dz_i = di * i * (one - i); // (14)
    let dz_g = dcc * (one - cc * cc); // (15)
    let dz_o = d_o * o * (one - o); // (16)
    Through {
        dz: [dz_f, dz_i, dz_g, dz_o],
        dc_prev,
    }
}

/// LSTM (7) to (21); (7) to (16) are what `through` computes. Also returns dc⟨0⟩.
pub fn lstm_backward<N: Number>(
    s: Sizes,
    gates: &[Gate<N>; 4],
    x: &[N],
    start: (&[N], &[N]),
    forward: &Lstm<N>,
    da: &[N],
    dc_last: &[N],
    through: impl Fn(Local<N>) -> Through<N>,
) -> (Gradients<N, 4>, Vec<N>) {
    let (a0, c0) = start;
    let Lstm {
        gates: [f, i, cc, o],
        c,
        a,
    } = forward;
    let mut dz = [(); 4].map(|()| vec![N::from_f64(0.0); a.len()]);
    let mut dx = vec![N::from_f64(0.0); x.len()];
    let mut da_next = vec![None; a0.len()]; // from step t + 1: there is none beyond the end
    let mut dc_next = dc_last.to_vec();
    for (at, t, m) in s.backwards() {
        for r in 0..s.a {
            let (at, state) = (at * s.a + r, m * s.a + r);
            let unit = through(Local {
                da: da_next[state].map_or(da[at], |da_next| da[at] + da_next),
                dc_next: dc_next[state],
                f: f[at],
                i: i[at],
                cc: cc[at],
                o: o[at],
                tanh_c: c[at].tanh(),
                c_prev: before(c0, c, s, t, m)[r],
            });
            for (dz, unit) in dz.iter_mut().zip(unit.dz) {
                dz[at] = unit;
            }
            dc_next[state] = unit.dc_prev;
        }
        let du = transposed(gates.each_ref(), dz.each_ref().map(|dz| &dz[..]), s, at);
        for r in 0..s.a {
            da_next[m * s.a + r] = Some(du[r]); // (20)
        }
        dx[at * s.x..][..s.x].copy_from_slice(&du[s.a..]); // (21)
    }
    let gradients = Gradients {
        gates: dz.each_ref().map(|dz| weight_gradients(dz, x, a0, a, s)), // (17) to (19)
        dz,
        dx,
        da0: da_next.into_iter().flatten().collect(),
    };
    (gradients, dc_next)
}

/// The gates of a GRU, what the candidate sees of the state, and the output; each (A, M) a step.
pub struct Gru<N> {
    /// r, u, n
    pub gates: [Vec<N>; 3],
    pub s: Vec<N>,
    pub a: Vec<N>,
}

/// GRU (0) to (6). The reset comes after the product where there is a second bias `bna`, before it where there is none.
pub fn gru_forward<N: Number>(
    s: Sizes,
    gates: &[Gate<N>; 3],
    bna: Option<&[N]>,
    x: &[N],
    a0: &[N],
) -> Gru<N> {
    let one = N::from_f64(1.0);
    let [gate_r, gate_u, gate_n] = gates;
    let (wa, wx) = gate_n.w.split_at(s.a * s.a);
    let of_a = bna.map(|bna| Gate {
        w: wa.to_vec(),
        b: bna.to_vec(),
    });
    let of_x = Gate {
        w: wx.to_vec(),
        b: gate_n.b.clone(),
    };
    let mut out = Gru {
        gates: Default::default(),
        s: Vec::new(),
        a: Vec::new(),
    };
    for t in 0..s.t {
        for m in 0..s.m {
            let a_prev = before(a0, &out.a, s, t, m).to_vec();
            let x = column(x, s.x, t * s.m + m);
            let products = |left: &[N], right: &[N]| -> Vec<N> {
                left.iter().zip(right).map(|(&l, &r)| l * r).collect()
            };
            let gate = |gate| affine(gate, &a_prev, x).into_iter().map(N::sigmoid); // (0)
            let r: Vec<N> = gate(gate_r).collect(); // (1)
            let u: Vec<N> = gate(gate_u).collect(); // (2)
            let (seen, z): (Vec<N>, Vec<N>) = match &of_a {
                Some(of_a) => {
                    let seen = affine(of_a, &a_prev, &[]); // (3)
                    let z = affine(&of_x, &[], x).into_iter();
                    let z = z.zip(products(&r, &seen)).map(|(z, rs)| z + rs).collect(); // (4)
                    (seen, z)
                }
                None => {
                    let seen = products(&r, &a_prev); // (3)
                    let z = affine(gate_n, &seen, x); // (4)
                    (seen, z)
                }
            };
            let n: Vec<N> = z.into_iter().map(N::tanh).collect(); // (5)
            for i in 0..s.a {
                out.a.push((one - u[i]) * n[i] + u[i] * a_prev[i]); // (6)
            }
            for (all, gate) in out.gates.iter_mut().zip([r, u, n]) {
                all.extend(gate);
            }
            out.s.extend(seen);
        }
    }
    out
}

/// GRU (7) to (20), and the gradient of `bna` where there is one.
pub fn gru_backward<N: Number>(
    s: Sizes,
    gates: &[Gate<N>; 3],
    bna: Option<&[N]>,
    x: &[N],
    a0: &[N],
    forward: &Gru<N>,
    da: &[N],
) -> (Gradients<N, 3>, Option<Vec<N>>) {
    let (zero, one) = (N::from_f64(0.0), N::from_f64(1.0));
    let [gate_r, gate_u, gate_n] = gates;
    let [r, u, n] = &forward.gates;
    let after = bna.is_some();
    let mut dz = [(); 3].map(|()| vec![zero; da.len()]);
    let mut ds = vec![zero; da.len()];
    let mut dx = vec![zero; x.len()];
    let mut dh_next = vec![None; a0.len()]; // from step t + 1: there is none beyond the end
    for (at, t, m) in s.backwards() {
        let a_prev = before(a0, &forward.a, s, t, m);
        let units = at * s.a..(at + 1) * s.a;
        let dh = units.clone().zip(&dh_next[m * s.a..]);
        let dh = dh.map(|(i, next)| next.map_or(da[i], |next| da[i] + next));
        let dh: Vec<N> = dh.collect();
        for (i, k) in units.clone().zip(0..) {
            let du = dh[k] * (a_prev[k] - n[i]); // (7)
            let dn = dh[k] * (one - u[i]); // (8)
            dz[1][i] = du * u[i] * (one - u[i]); // (9)
            dz[2][i] = dn * (one - n[i] * n[i]); // (10)
        }
        if !after {
            let of_z = transposed([gate_n], [&dz[2]], s, at);
            ds[units.clone()].copy_from_slice(&of_z[..s.a]); // (11)
        }
        for (i, k) in units.clone().zip(0..) {
            let dr = if after {
                ds[i] = dz[2][i] * r[i]; // (11)
                dz[2][i] * forward.s[i] // (12)
            } else {
                ds[i] * a_prev[k] // (12)
            };
            dz[0][i] = dr * r[i] * (one - r[i]); // (13)
        }
        let through_gates = if after {
            transposed([gate_r, gate_u, gate_n], [&dz[0], &dz[1], &ds], s, at)
        } else {
            transposed([gate_r, gate_u], [&dz[0], &dz[1]], s, at)
        };
        for (i, k) in units.zip(0..) {
            let straight = if after {
                dh[k] * u[i]
            } else {
                dh[k] * u[i] + ds[i] * r[i]
            };
            dh_next[m * s.a + k] = Some(straight + through_gates[k]); // (19)
        }
        let du = transposed(gates.each_ref(), dz.each_ref().map(|dz| &dz[..]), s, at);
        dx[at * s.x..][..s.x].copy_from_slice(&du[s.a..]); // (20)
    }
    let mut all = dz
        .each_ref()
        .map(|dz| weight_gradients(dz, x, a0, &forward.a, s)); // (14) to (17)
    let wa = if after {
        outer(&ds, s, s.a, |(_, t, m)| before(a0, &forward.a, s, t, m)) // (15)
    } else {
        outer(&dz[2], s, s.a, |(at, ..)| column(&forward.s, s.a, at)) // (15)
    };
    all[2].w[..s.a * s.a].copy_from_slice(&wa);
    let gradients = Gradients {
        gates: all,
        dz,
        dx,
        da0: dh_next.into_iter().flatten().collect(),
    };
    (gradients, after.then(|| bias_gradient(&ds, s))) // (18)
}
