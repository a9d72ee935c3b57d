//! The equations in plain loops, as one writes them first: W of shape (A, A + X) by rows, the
//! activations of the standard library, sizes known at run time, all memory allocated beforehand.

use crate::work::{Case, Cell, Layer, Run, STEPS, Task};

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Σ w·u
fn dot(w: &[f32], u: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (w, u) in w.iter().zip(u) {
        sum += w * u;
    }
    sum
}

/// sum = sum + factor·v
fn add(sum: &mut [f32], factor: f32, v: &[f32]) {
    for (sum, v) in sum.iter_mut().zip(v) {
        *sum += factor * v;
    }
}

/// A layer, what forward leaves for backward, and the gradients.
struct Plain {
    case: Case,
    /// A gate after the other (f, i, g, o of an LSTM; r, u, n of a GRU), each (a, a + x) by rows:
    /// [Wa | Wx].
    w: Vec<Vec<f32>>,
    b: Vec<Vec<f32>>,
    /// (step, m, x)
    x: Vec<f32>,
    /// (step, m, a)
    da: Vec<f32>,
    /// [a⟨t−1⟩; x⟨t⟩] of all steps and samples.
    u: Vec<Vec<f32>>,
    /// The gates of all steps and samples, then their gradients, (step, m, a) each.
    gates: Vec<Vec<f32>>,
    /// a and c of all steps and samples, after zeros for the state before the first.
    a: Vec<f32>,
    c: Vec<f32>,
    /// In a GRU s = Wa_n·a⟨t−1⟩ of all steps and samples, then ds, (step, m, a).
    s: Vec<f32>,
    /// (m, a): the gradient that step t + 1 has left.
    da_next: Vec<f32>,
    dc_next: Vec<f32>,
    dw: Vec<Vec<f32>>,
    db: Vec<Vec<f32>>,
    dx: Vec<f32>,
}

/// The place of gate g in the layout of `Layer`, where an LSTM has i, f, g, o.
fn place(cell: Cell, g: usize) -> usize {
    match cell {
        Cell::Lstm => [1, 0, 2, 3][g],
        Cell::Gru | Cell::Rnn => g,
    }
}

impl Plain {
    fn new(layer: &Layer) -> Self {
        let case = layer.case;
        let Case { x, a, m, .. } = case;
        let gates = case.gates();
        let mut w = vec![vec![]; gates];
        let mut b = vec![vec![]; gates];
        for g in 0..gates {
            let start = place(case.cell, g) * a;
            for r in start..start + a {
                w[g].extend(&layer.wa[r * a..(r + 1) * a]);
                w[g].extend(&layer.wx[r * x..(r + 1) * x]);
                b[g].push(layer.b[r]);
            }
        }
        Plain {
            case,
            dw: w.clone(),
            db: b.clone(),
            w,
            b,
            x: layer.x.clone(),
            da: layer.da.clone(),
            u: vec![vec![0.0; a + x]; STEPS * m],
            gates: vec![vec![0.0; STEPS * m * a]; gates],
            a: vec![0.0; (STEPS + 1) * m * a],
            c: vec![0.0; (STEPS + 1) * m * a],
            s: vec![0.0; STEPS * m * a],
            da_next: vec![0.0; m * a],
            dc_next: vec![0.0; m * a],
            dx: vec![0.0; STEPS * m * x],
        }
    }

    fn forward(&mut self) {
        let Case { cell, x, a, m, .. } = self.case;
        for s in 0..STEPS * m {
            // s = t·m + sample; what belongs to step t − 1 stands m samples before.
            let u = &mut self.u[s];
            u[..a].copy_from_slice(&self.a[s * a..(s + 1) * a]);
            u[a..].copy_from_slice(&self.x[s * x..(s + 1) * x]);
            for r in 0..a {
                let z =
                    |g: usize| dot(&self.w[g][r * (a + x)..(r + 1) * (a + x)], u) + self.b[g][r];
                let (before, now) = (s * a + r, (s + m) * a + r);
                match cell {
                    Cell::Lstm => {
                        let f = sigmoid(z(0));
                        let i = sigmoid(z(1));
                        let cc = z(2).tanh();
                        let o = sigmoid(z(3));
                        self.c[now] = f * self.c[before] + i * cc;
                        self.a[now] = o * self.c[now].tanh();
                        for (gates, gate) in self.gates.iter_mut().zip([f, i, cc, o]) {
                            gates[before] = gate;
                        }
                    }
                    Cell::Gru => {
                        let (reset, update) = (sigmoid(z(0)), sigmoid(z(1)));
                        let (wa, wx) = self.w[2][r * (a + x)..(r + 1) * (a + x)].split_at(a);
                        self.s[before] = dot(wa, u);
                        let n = (dot(wx, &u[a..]) + self.b[2][r] + reset * self.s[before]).tanh();
                        self.a[now] = (1.0 - update) * n + update * self.a[before];
                        for (gates, gate) in self.gates.iter_mut().zip([reset, update, n]) {
                            gates[before] = gate;
                        }
                    }
                    Cell::Rnn => self.a[now] = z(0).tanh(),
                }
            }
        }
    }

    fn backward(&mut self) {
        let Case { cell, x, a, m, .. } = self.case;
        for dw in self.dw.iter_mut().chain(&mut self.db) {
            dw.fill(0.0);
        }
        self.da_next.fill(0.0);
        self.dc_next.fill(0.0);
        self.dx.fill(0.0);
        for s in (0..STEPS * m).rev() {
            let sample = s % m;
            for r in 0..a {
                let (state, before, now) = (sample * a + r, s * a + r, (s + m) * a + r);
                let da = self.da[before] + self.da_next[state];
                self.da_next[state] = 0.0;
                match cell {
                    Cell::Lstm => {
                        let [f, i, cc, o] = [0, 1, 2, 3].map(|g| self.gates[g][before]);
                        let tanh_c = self.c[now].tanh();
                        let dc = self.dc_next[state] + da * o * (1.0 - tanh_c * tanh_c);
                        self.dc_next[state] = dc * f;
                        self.gates[0][before] = dc * self.c[before] * f * (1.0 - f);
                        self.gates[1][before] = dc * cc * i * (1.0 - i);
                        self.gates[2][before] = dc * i * (1.0 - cc * cc);
                        self.gates[3][before] = da * tanh_c * o * (1.0 - o);
                    }
                    Cell::Gru => {
                        let [reset, update, n] = [0, 1, 2].map(|g| self.gates[g][before]);
                        let dz_n = da * (1.0 - update) * (1.0 - n * n);
                        let du = da * (self.a[before] - n);
                        self.da_next[state] = da * update;
                        self.gates[0][before] = dz_n * self.s[before] * reset * (1.0 - reset);
                        self.gates[1][before] = du * update * (1.0 - update);
                        self.gates[2][before] = dz_n;
                        self.s[before] = dz_n * reset;
                    }
                    Cell::Rnn => {
                        self.gates[0][before] = da * (1.0 - self.a[now] * self.a[now]);
                    }
                }
            }
            let da_next = &mut self.da_next[sample * a..(sample + 1) * a];
            let dx = &mut self.dx[s * x..(s + 1) * x];
            for g in 0..self.gates.len() {
                for r in 0..a {
                    let dz = self.gates[g][s * a + r];
                    let w = &self.w[g][r * (a + x)..(r + 1) * (a + x)];
                    let dw = &mut self.dw[g][r * (a + x)..(r + 1) * (a + x)];
                    self.db[g][r] += dz;
                    // What reaches Wa·a⟨t−1⟩: in the candidate of a GRU ds.
                    let ds = match (cell, g) {
                        (Cell::Gru, 2) => self.s[s * a + r],
                        _ => dz,
                    };
                    let ((wa, wx), (dwa, dwx)) = (w.split_at(a), dw.split_at_mut(a));
                    let (a_prev, x) = self.u[s].split_at(a);
                    add(dwa, ds, a_prev);
                    add(dwx, dz, x);
                    add(da_next, ds, wa);
                    add(dx, dz, wx);
                }
            }
        }
    }

    fn results(&self, out: &mut Vec<f32>) {
        let Case { cell, x, a, m, .. } = self.case;
        out.extend(&self.a[m * a..]);
        if self.case.task == Task::Training {
            let gates = 0..self.gates.len();
            for g in gates.clone() {
                let rows = self.dw[place(cell, g)].chunks_exact(a + x);
                out.extend(rows.flat_map(|row| &row[a..]));
            }
            for g in gates.clone() {
                let rows = self.dw[place(cell, g)].chunks_exact(a + x);
                out.extend(rows.flat_map(|row| &row[..a]));
            }
            for g in gates {
                out.extend(&self.db[place(cell, g)]);
            }
            out.extend(&self.dx);
        }
    }
}

/// A step and a sequence are the same loop.
pub fn run(layer: &Layer) -> Run {
    let mut plain = Plain::new(layer);
    Box::new(move |out| {
        plain.forward();
        if plain.case.task == Task::Training {
            plain.backward();
        }
        if let Some(out) = out {
            plain.results(out);
        }
    })
}
