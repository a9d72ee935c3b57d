//! The laws that hold bit for bit, in f32 and f64:
//!
//! * every kernel gives the bits of the arithmetic contract (`common/contract.rs`), gradients that were not zero before included;
//! * a sequence is a loop of cells, forward and backward; a dense sequence is a loop of dense layers;
//! * `step` is `cell_forward`;
//! * two chained segments are one whole;
//! * without dx, everything else is the same;
//! * a batch of M is M batches of 1;
//! * a NaN in one sample touches no other;
//! * a flat view is the same memory.

#[path = "common/contract.rs"]
mod contract;
#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::{self, Cache, State};
use bptt::{Affine, Flat, LengthMismatch, Matrix, Real, Vector, dense, rnn};
use random::Random;

/// All bits are the same; of a NaN only that it is one.
#[track_caller]
fn assert_same_bits<F: Flat>(what: &str, found: &[F], expected: &[F]) {
    let (found, expected) = (F::slice_as_flat(found), F::slice_as_flat(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (f, e) = (found.to_f64(), expected.to_f64()); // exact, the sign of zero included
        let same = f.to_bits() == e.to_bits() || f.is_nan() && e.is_nan();
        assert!(same, "{what}, scalar {i}: {found:?} is not {expected:?}");
    }
}

/// A matrix that no result may be mistaken for: where it is left, something was not overwritten.
fn garbage<const R: usize, const C: usize, T: Real>() -> Matrix<R, C, T> {
    let mut w = Matrix::zeros();
    w.fill(T::from_f64(1e30));
    w
}

/// The lengths of the sequences: none, short ones, and one that is longer than what backward works
/// through at once (64 columns).
fn lengths<const M: usize>() -> [usize; 6] {
    [0, 1, 2, 3, 7, 130 / M + 2]
}

// ------------------------------------------------------------------------------------------ LSTM

/// All that goes into an LSTM over a sequence, forward and backward.
#[derive(Clone)]
struct LstmIn<const X: usize, const A: usize, const M: usize, T: Real> {
    params: lstm::Params<X, A, T>,
    x: Vec<Matrix<X, M, T>>,
    init: State<A, M, T>,
    da: Vec<Matrix<A, M, T>>,
    /// From beyond the end.
    dstate: State<A, M, T>,
    /// What the gradients are added to.
    grads: lstm::Params<X, A, T>,
}

/// All that comes out.
struct LstmOut<const X: usize, const A: usize, const M: usize, T: Real> {
    a: Vec<Matrix<A, M, T>>,
    /// The gates and c after forward.
    caches: Vec<Cache<A, M, T>>,
    /// dz and c after backward.
    dz: Vec<Cache<A, M, T>>,
    grads: lstm::Params<X, A, T>,
    dx: Vec<Matrix<X, M, T>>,
    /// With respect to the initial state.
    dstate: State<A, M, T>,
}

impl<const X: usize, const A: usize, const M: usize, T: Real> LstmIn<X, A, M, T> {
    fn random(steps: usize, random: &mut Random) -> Self {
        LstmIn {
            params: random.flat(1.0 / (A as f64).sqrt()),
            x: random.sequence(steps, 1.0),
            init: random.flat(1.0),
            da: random.sequence(steps, 1.0),
            dstate: random.flat(1.0),
            grads: random.flat(1.0),
        }
    }

    /// What a run starts from.
    fn start(&self) -> LstmOut<X, A, M, T> {
        let steps = self.x.len();
        let cache = Cache {
            f: garbage(),
            i: garbage(),
            g: garbage(),
            o: garbage(),
            c: garbage(),
        };
        LstmOut {
            a: vec![garbage(); steps],
            caches: vec![cache; steps],
            dz: vec![],
            grads: self.grads.clone(),
            dx: vec![garbage(); steps],
            dstate: self.dstate.clone(),
        }
    }

    /// The state after `t` steps.
    fn state(&self, out: &LstmOut<X, A, M, T>, t: usize) -> State<A, M, T> {
        match t {
            0 => self.init.clone(),
            t => State {
                a: out.a[t - 1].clone(),
                c: out.caches[t - 1].c.clone(),
            },
        }
    }

    /// The two calls for a sequence.
    fn sequence(&self) -> LstmOut<X, A, M, T> {
        let mut out = self.start();
        let LstmIn {
            params,
            x,
            init,
            da,
            ..
        } = self;
        lstm::forward(params, x, init, &mut out.a, &mut out.caches).unwrap();
        out.dz = out.caches.clone();
        let (a, dz, dx) = (&out.a, &mut out.dz, Some(&mut *out.dx));
        lstm::backward(
            params,
            x,
            init,
            a,
            dz,
            da,
            &mut out.grads,
            dx,
            &mut out.dstate,
        )
        .unwrap();
        out
    }

    /// A loop of cells.
    fn cells(&self) -> LstmOut<X, A, M, T> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            let prev = self.state(&out, t);
            let mut next = State {
                a: garbage(),
                c: garbage(),
            };
            lstm::cell_forward(&self.params, x, &prev, &mut next, &mut out.caches[t]);
            assert_same_bits("c", slice::from_ref(&next.c), &[out.caches[t].c.clone()]);
            out.a[t] = next.a;
        }
        out.dz = out.caches.clone();
        for (t, x) in self.x.iter().enumerate().rev() {
            let prev = self.state(&out, t);
            for (da_next, da) in out
                .dstate
                .a
                .as_flat_mut()
                .iter_mut()
                .zip(self.da[t].as_flat())
            {
                *da_next = *da + *da_next;
            }
            lstm::cell_backward(
                &self.params,
                x,
                &prev,
                &mut out.dz[t],
                &mut out.dstate,
                &mut out.grads,
                &mut out.dx[t],
            );
        }
        out
    }

    /// A loop over the arithmetic contract.
    fn contract(&self) -> LstmOut<X, A, M, T> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            let prev = self.state(&out, t);
            (out.a[t], out.caches[t]) = contract::lstm_forward(&self.params, x, &prev.a, &prev.c);
        }
        out.dz = out.caches.clone();
        for (t, x) in self.x.iter().enumerate().rev() {
            let prev = self.state(&out, t);
            out.dx[t] = contract::lstm_backward(
                &self.params,
                x,
                &prev.a,
                &prev.c,
                &mut out.dz[t],
                &self.da[t],
                &mut out.dstate,
                &mut out.grads,
            );
        }
        out
    }

    /// Two segments: the second starts from the state after the first; the first gets the gradients of its last state, and
    /// adds its own to those of the second.
    fn segments(&self, split: usize) -> LstmOut<X, A, M, T> {
        let mut whole = self.start();
        whole.dz = whole.caches.clone();
        let params = &self.params;
        let ((x1, x2), (da1, da2)) = (self.x.split_at(split), self.da.split_at(split));
        {
            let (a1, a2) = whole.a.split_at_mut(split);
            let (caches1, caches2) = whole.caches.split_at_mut(split);
            lstm::forward(params, x1, &self.init, a1, caches1).unwrap();
            let middle = match split {
                0 => self.init.clone(),
                t => State {
                    a: a1[t - 1].clone(),
                    c: caches1[t - 1].c.clone(),
                },
            };
            lstm::forward(params, x2, &middle, a2, caches2).unwrap();
        }
        whole.dz.clone_from(&whole.caches);
        let middle = self.state(&whole, split);
        let (a1, a2) = whole.a.split_at(split);
        let (dz1, dz2) = whole.dz.split_at_mut(split);
        let (dx1, dx2) = whole.dx.split_at_mut(split);
        let (grads, dstate) = (&mut whole.grads, &mut whole.dstate);
        lstm::backward(params, x2, &middle, a2, dz2, da2, grads, Some(dx2), dstate).unwrap();
        lstm::backward(
            params,
            x1,
            &self.init,
            a1,
            dz1,
            da1,
            grads,
            Some(dx1),
            dstate,
        )
        .unwrap();
        whole
    }

    /// One sample of the batch, with gradients that start from zero.
    fn sample(&self, m: usize) -> LstmIn<X, A, 1, T> {
        LstmIn {
            params: self.params.clone(),
            x: columns(&self.x, m),
            init: state_column(&self.init, m),
            da: columns(&self.da, m),
            dstate: state_column(&self.dstate, m),
            grads: lstm::Params::zeros(),
        }
    }
}

impl<const X: usize, const A: usize, const M: usize, T: Real> LstmOut<X, A, M, T> {
    #[track_caller]
    fn assert_same(&self, other: &Self, law: &str) {
        let at = |what| format!("{law}, X {X}, A {A}, M {M}, T {}: {what}", self.a.len());
        assert_same_bits(&at("a"), &self.a, &other.a);
        assert_same_bits(&at("caches"), &self.caches, &other.caches);
        assert_same_bits(&at("dz"), &self.dz, &other.dz);
        assert_same_bits(&at("dx"), &self.dx, &other.dx);
        let (dstate, grads) = (slice::from_ref(&self.dstate), slice::from_ref(&self.grads));
        assert_same_bits(&at("dstate"), dstate, slice::from_ref(&other.dstate));
        assert_same_bits(&at("grads"), grads, slice::from_ref(&other.grads));
    }

    /// Sample `m` of this batch has the bits of `one`.
    #[track_caller]
    fn assert_sample(&self, m: usize, one: &LstmOut<X, A, 1, T>) {
        let at = |what| format!("sample {m} of {M}, T {}: {what}", self.a.len());
        assert_same_bits(&at("a"), &columns(&self.a, m), &one.a);
        let caches: Vec<_> = self.caches.iter().map(|c| cache_column(c, m)).collect();
        assert_same_bits(&at("caches"), &caches, &one.caches);
        let dz: Vec<_> = self.dz.iter().map(|c| cache_column(c, m)).collect();
        assert_same_bits(&at("dz"), &dz, &one.dz);
        assert_same_bits(&at("dx"), &columns(&self.dx, m), &one.dx);
        let dstate = state_column(&self.dstate, m);
        assert_same_bits(&at("dstate"), &[dstate], slice::from_ref(&one.dstate));
    }
}

fn column<const R: usize, const M: usize, T: Real>(
    w: &Matrix<R, M, T>,
    m: usize,
) -> Matrix<R, 1, T> {
    Matrix::from_columns([*w.column(m).unwrap()])
}

fn columns<const R: usize, const M: usize, T: Real>(
    sequence: &[Matrix<R, M, T>],
    m: usize,
) -> Vec<Matrix<R, 1, T>> {
    sequence.iter().map(|w| column(w, m)).collect()
}

fn state_column<const A: usize, const M: usize, T: Real>(
    state: &State<A, M, T>,
    m: usize,
) -> State<A, 1, T> {
    State {
        a: column(&state.a, m),
        c: column(&state.c, m),
    }
}

fn cache_column<const A: usize, const M: usize, T: Real>(
    cache: &Cache<A, M, T>,
    m: usize,
) -> Cache<A, 1, T> {
    Cache {
        f: column(&cache.f, m),
        i: column(&cache.i, m),
        g: column(&cache.g, m),
        o: column(&cache.o, m),
        c: column(&cache.c, m),
    }
}

/// The laws of the LSTM for one shape.
fn lstm_laws<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(1);
    for steps in lengths::<M>() {
        let input = LstmIn::<X, A, M, T>::random(steps, &mut random);
        let whole = input.sequence();
        whole.assert_same(&input.contract(), "sequence = contract");
        for split in [0, 1, steps / 2, steps] {
            if split <= steps {
                whole.assert_same(&input.segments(split), "segments = whole");
            }
        }

        let twice = LstmIn {
            grads: whole.grads.clone(),
            ..input.clone()
        };
        twice
            .sequence()
            .assert_same(&twice.contract(), "twice accumulated");

        let mut without = input.start();
        let LstmIn {
            params,
            x,
            init,
            da,
            ..
        } = &input;
        without.a.clone_from(&whole.a);
        without.caches.clone_from(&whole.caches);
        without.dz.clone_from(&whole.caches);
        without.dx.clone_from(&whole.dx);
        let (grads, dstate) = (&mut without.grads, &mut without.dstate);
        lstm::backward(
            params,
            x,
            init,
            &whole.a,
            &mut without.dz,
            da,
            grads,
            None,
            dstate,
        )
        .unwrap();
        without.assert_same(&whole, "without dx");

        let mut state = init.clone();
        for (t, x) in x.iter().enumerate() {
            let mut next = State {
                a: garbage(),
                c: garbage(),
            };
            lstm::step(params, x, &state, &mut next);
            let expected = input.state(&whole, t + 1);
            let law = format!("step = cell_forward, X {X}, A {A}, M {M}, T {steps}");
            assert_same_bits(&law, slice::from_ref(&next), &[expected]);
            state = next;
        }
    }
}

/// A loop of cells is a sequence.
fn lstm_cells<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(10);
    for steps in lengths::<M>() {
        let input = LstmIn::<X, A, M, T>::random(steps, &mut random);
        let law = "sequence = loop of cells";
        input.sequence().assert_same(&input.cells(), law);
    }
}

/// A batch of M gives for every sample what a batch of 1 gives.
fn lstm_batch<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(2);
    for steps in [1, 3] {
        let input = LstmIn::<X, A, M, T>::random(steps, &mut random);
        let batch = input.sequence();
        for m in 0..M {
            batch.assert_sample(m, &input.sample(m).sequence());
        }
    }
}

#[test]
fn lstm_in_f32() {
    lstm_laws::<1, 1, 1, f32>();
    lstm_laws::<7, 43, 3, f32>();
    lstm_laws::<2, 50, 1, f32>(); // from A = 46 on the weights are walked column by column
    lstm_laws::<6, 22, 5, f32>();
    lstm_laws::<3, 64, 2, f32>();
    lstm_laws::<16, 3, 4, f32>();
}

#[test]
fn lstm_in_f64() {
    lstm_laws::<5, 33, 2, f64>(); // from A = 33 on the weights are walked column by column
    lstm_laws::<15, 2, 1, f64>();
    lstm_laws::<3, 23, 8, f64>();
    lstm_laws::<4, 32, 1, f64>(); // two whole blocks of the 16 that AVX-512 keeps, and the last A before the columns
}

#[test]
fn lstm_sequence_is_a_loop_of_cells() {
    lstm_cells::<7, 43, 3, f32>();
    lstm_cells::<2, 50, 1, f32>();
    lstm_cells::<16, 3, 4, f32>();
    lstm_cells::<5, 33, 2, f64>();
}

#[test]
fn lstm_batch_is_so_many_samples() {
    lstm_batch::<4, 8, 1, f32>();
    lstm_batch::<4, 8, 2, f32>();
    lstm_batch::<4, 8, 3, f32>();
    lstm_batch::<4, 8, 4, f32>();
    lstm_batch::<4, 8, 5, f32>();
    lstm_batch::<4, 8, 6, f32>();
    lstm_batch::<4, 8, 7, f32>();
    lstm_batch::<4, 8, 8, f32>();
    lstm_batch::<4, 8, 9, f32>();
    lstm_batch::<4, 8, 32, f32>();
    lstm_batch::<4, 8, 64, f32>();
}

/// Which input of a step gets the NaN.
#[derive(Clone, Copy, Debug)]
enum Place {
    X,
    InitA,
    InitC,
    Da,
    DstateA,
    DstateC,
}

#[test]
fn lstm_nan_stays_in_its_sample() {
    use Place::*;
    const STEPS: usize = 3;
    const AT: usize = 1; // the step of the NaN
    for place in [X, InitA, InitC, Da, DstateA, DstateC] {
        let clean = LstmIn::<4, 8, 5, f32>::random(STEPS, &mut Random::new(3));
        for m in 0..5 {
            let mut input = clean.clone();
            match place {
                X => input.x[AT][(2, m)] = f32::NAN,
                InitA => input.init.a[(3, m)] = f32::NAN,
                InitC => input.init.c[(3, m)] = f32::NAN,
                Da => input.da[AT][(3, m)] = f32::NAN,
                DstateA => input.dstate.a[(3, m)] = f32::NAN,
                DstateC => input.dstate.c[(3, m)] = f32::NAN,
            }
            let out = input.sequence();
            for other in (0..5).filter(|&other| other != m) {
                out.assert_sample(other, &clean.sample(other).sequence());
            }
            // And in the sample itself it is not lost.
            let [a, dx] = match place {
                X => [AT, STEPS - 1],
                InitA | InitC => [0, STEPS - 1],
                Da => [STEPS, AT],
                DstateA | DstateC => [STEPS, STEPS - 1],
            };
            for t in a..STEPS {
                assert!(out.a[t].column(m).unwrap().iter().any(|a| a.is_nan()));
            }
            for t in 0..=dx {
                let lost = out.dx[t].column(m).unwrap().iter().any(|dx| !dx.is_nan());
                assert!(!lost, "{place:?}, sample {m}, dx of step {t}");
            }
            assert!(out.dstate.a.column(m).unwrap().iter().all(|a| a.is_nan()));
            assert!(out.grads.o.wa.as_flat().iter().any(|g| g.is_nan()));
        }
    }
}

// ------------------------------------------------------------------------------------------- RNN

/// All that goes into an RNN over a sequence, forward and backward.
#[derive(Clone)]
struct RnnIn<const X: usize, const A: usize, const M: usize, T: Real> {
    params: rnn::Params<X, A, T>,
    x: Vec<Matrix<X, M, T>>,
    a0: Matrix<A, M, T>,
    da: Vec<Matrix<A, M, T>>,
    /// From beyond the end.
    da_state: Matrix<A, M, T>,
    /// What the gradients are added to.
    grads: rnn::Params<X, A, T>,
}

/// All that comes out.
struct RnnOut<const X: usize, const A: usize, const M: usize, T: Real> {
    a: Vec<Matrix<A, M, T>>,
    dz: Vec<Matrix<A, M, T>>,
    grads: rnn::Params<X, A, T>,
    dx: Vec<Matrix<X, M, T>>,
    /// With respect to the initial state.
    da_state: Matrix<A, M, T>,
}

impl<const X: usize, const A: usize, const M: usize, T: Real> RnnIn<X, A, M, T> {
    fn random(steps: usize, random: &mut Random) -> Self {
        RnnIn {
            params: random.flat(1.0 / (A as f64).sqrt()),
            x: random.sequence(steps, 1.0),
            a0: random.flat(1.0),
            da: random.sequence(steps, 1.0),
            da_state: random.flat(1.0),
            grads: random.flat(1.0),
        }
    }

    /// What a run starts from.
    fn start(&self) -> RnnOut<X, A, M, T> {
        let steps = self.x.len();
        RnnOut {
            a: vec![garbage(); steps],
            dz: self.da.clone(),
            grads: self.grads.clone(),
            dx: vec![garbage(); steps],
            da_state: self.da_state.clone(),
        }
    }

    /// The state before step `t`.
    fn before<'a>(&'a self, a: &'a [Matrix<A, M, T>], t: usize) -> &'a Matrix<A, M, T> {
        if t == 0 { &self.a0 } else { &a[t - 1] }
    }

    /// The two calls for a sequence.
    fn sequence(&self) -> RnnOut<X, A, M, T> {
        let mut out = self.start();
        let RnnIn { params, x, a0, .. } = self;
        rnn::forward(params, x, a0, &mut out.a).unwrap();
        let (a, dz, dx) = (&out.a, &mut out.dz, Some(&mut *out.dx));
        let (grads, da_state) = (&mut out.grads, &mut out.da_state);
        rnn::backward(params, x, a0, a, dz, grads, dx, da_state).unwrap();
        out
    }

    /// A loop of cells.
    fn cells(&self) -> RnnOut<X, A, M, T> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            let a_prev = self.before(&out.a, t).clone();
            rnn::cell_forward(&self.params, x, &a_prev, &mut out.a[t]);
        }
        for (t, x) in self.x.iter().enumerate().rev() {
            let a_prev = self.before(&out.a, t);
            let from_after = out.da_state.as_flat();
            for (da, from_after) in out.dz[t].as_flat_mut().iter_mut().zip(from_after) {
                *da = *da + *from_after;
            }
            rnn::cell_backward(
                &self.params,
                x,
                a_prev,
                &out.a[t],
                &mut out.dz[t],
                &mut out.grads,
                &mut out.dx[t],
                &mut out.da_state,
            );
        }
        out
    }

    /// A loop over the arithmetic contract.
    fn contract(&self) -> RnnOut<X, A, M, T> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            out.a[t] = contract::rnn_forward(&self.params, x, self.before(&out.a, t));
        }
        for (t, x) in self.x.iter().enumerate().rev() {
            out.dx[t] = contract::rnn_backward(
                &self.params,
                x,
                self.before(&out.a, t),
                &out.a[t],
                &mut out.dz[t],
                &mut out.da_state,
                &mut out.grads,
            );
        }
        out
    }

    /// Two segments: the second starts from the state after the first; the first gets the gradient of its last state, and
    /// adds its own to those of the second.
    fn segments(&self, split: usize) -> RnnOut<X, A, M, T> {
        let mut out = self.start();
        let (params, (x1, x2)) = (&self.params, self.x.split_at(split));
        let (a1, a2) = out.a.split_at_mut(split);
        rnn::forward(params, x1, &self.a0, a1).unwrap();
        let middle = self.before(a1, split);
        rnn::forward(params, x2, middle, a2).unwrap();
        let (dz1, dz2) = out.dz.split_at_mut(split);
        let (dx1, dx2) = out.dx.split_at_mut(split);
        let (grads, da) = (&mut out.grads, &mut out.da_state);
        rnn::backward(params, x2, middle, a2, dz2, grads, Some(dx2), da).unwrap();
        rnn::backward(params, x1, &self.a0, a1, dz1, grads, Some(dx1), da).unwrap();
        out
    }

    /// One sample of the batch, with gradients that start from zero.
    fn sample(&self, m: usize) -> RnnIn<X, A, 1, T> {
        RnnIn {
            params: self.params.clone(),
            x: columns(&self.x, m),
            a0: column(&self.a0, m),
            da: columns(&self.da, m),
            da_state: column(&self.da_state, m),
            grads: rnn::Params::zeros(),
        }
    }
}

impl<const X: usize, const A: usize, const M: usize, T: Real> RnnOut<X, A, M, T> {
    #[track_caller]
    fn assert_same(&self, other: &Self, law: &str) {
        let at = |what| format!("{law}, X {X}, A {A}, M {M}, T {}: {what}", self.a.len());
        assert_same_bits(&at("a"), &self.a, &other.a);
        assert_same_bits(&at("dz"), &self.dz, &other.dz);
        assert_same_bits(&at("dx"), &self.dx, &other.dx);
        let (da, grads) = (
            slice::from_ref(&self.da_state),
            slice::from_ref(&self.grads),
        );
        assert_same_bits(&at("da_state"), da, slice::from_ref(&other.da_state));
        assert_same_bits(&at("grads"), grads, slice::from_ref(&other.grads));
    }

    /// Sample `m` of this batch has the bits of `one`.
    #[track_caller]
    fn assert_sample(&self, m: usize, one: &RnnOut<X, A, 1, T>) {
        let at = |what| format!("sample {m} of {M}, T {}: {what}", self.a.len());
        assert_same_bits(&at("a"), &columns(&self.a, m), &one.a);
        assert_same_bits(&at("dz"), &columns(&self.dz, m), &one.dz);
        assert_same_bits(&at("dx"), &columns(&self.dx, m), &one.dx);
        let da = column(&self.da_state, m);
        assert_same_bits(&at("da_state"), &[da], slice::from_ref(&one.da_state));
    }
}

/// The laws of the RNN for one shape.
fn rnn_laws<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(4);
    for steps in lengths::<M>() {
        let input = RnnIn::<X, A, M, T>::random(steps, &mut random);
        let whole = input.sequence();
        whole.assert_same(&input.contract(), "sequence = contract");
        for split in [0, 1, steps / 2, steps] {
            if split <= steps {
                whole.assert_same(&input.segments(split), "segments = whole");
            }
        }

        let twice = RnnIn {
            grads: whole.grads.clone(),
            ..input.clone()
        };
        twice
            .sequence()
            .assert_same(&twice.contract(), "twice accumulated");

        let mut without = input.start();
        without.a.clone_from(&whole.a);
        without.dx.clone_from(&whole.dx);
        let RnnIn { params, x, a0, .. } = &input;
        let (dz, grads, da) = (&mut without.dz, &mut without.grads, &mut without.da_state);
        rnn::backward(params, x, a0, &whole.a, dz, grads, None, da).unwrap();
        without.assert_same(&whole, "without dx");
    }
}

/// A loop of cells is a sequence.
fn rnn_cells<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(11);
    for steps in lengths::<M>() {
        let input = RnnIn::<X, A, M, T>::random(steps, &mut random);
        let law = "sequence = loop of cells";
        input.sequence().assert_same(&input.cells(), law);
    }
}

/// A batch of M gives for every sample what a batch of 1 gives.
fn rnn_batch<const X: usize, const A: usize, const M: usize, T: Real>() {
    let mut random = Random::new(5);
    for steps in [1, 3] {
        let input = RnnIn::<X, A, M, T>::random(steps, &mut random);
        let batch = input.sequence();
        for m in 0..M {
            batch.assert_sample(m, &input.sample(m).sequence());
        }
    }
}

#[test]
fn rnn_in_f32() {
    rnn_laws::<1, 1, 1, f32>();
    rnn_laws::<15, 17, 3, f32>();
    rnn_laws::<20, 9, 8, f32>();
    rnn_laws::<33, 100, 1, f32>();
}

#[test]
fn rnn_in_f64() {
    rnn_laws::<31, 5, 5, f64>();
    rnn_laws::<8, 15, 2, f64>();
    rnn_laws::<64, 16, 4, f64>();
}

#[test]
fn rnn_sequence_is_a_loop_of_cells() {
    rnn_cells::<15, 17, 3, f32>();
    rnn_cells::<20, 9, 8, f32>();
    rnn_cells::<1, 1, 1, f32>();
    rnn_cells::<31, 5, 5, f64>();
}

#[test]
fn rnn_batch_is_so_many_samples() {
    rnn_batch::<4, 8, 1, f64>();
    rnn_batch::<4, 8, 2, f64>();
    rnn_batch::<4, 8, 3, f64>();
    rnn_batch::<4, 8, 4, f64>();
    rnn_batch::<4, 8, 5, f64>();
    rnn_batch::<4, 8, 6, f64>();
    rnn_batch::<4, 8, 7, f64>();
    rnn_batch::<4, 8, 8, f64>();
    rnn_batch::<4, 8, 9, f64>();
    rnn_batch::<4, 8, 32, f64>();
    rnn_batch::<4, 8, 64, f64>();
}

#[test]
fn rnn_nan_stays_in_its_sample() {
    use Place::*;
    const STEPS: usize = 3;
    const AT: usize = 1; // the step of the NaN
    for place in [X, InitA, Da, DstateA] {
        let clean = RnnIn::<4, 8, 5, f64>::random(STEPS, &mut Random::new(6));
        for m in 0..5 {
            let mut input = clean.clone();
            match place {
                X => input.x[AT][(2, m)] = f64::NAN,
                InitA => input.a0[(3, m)] = f64::NAN,
                Da => input.da[AT][(3, m)] = f64::NAN,
                _ => input.da_state[(3, m)] = f64::NAN,
            }
            let out = input.sequence();
            for other in (0..5).filter(|&other| other != m) {
                out.assert_sample(other, &clean.sample(other).sequence());
            }
            // And in the sample itself it is not lost.
            let [a, dx] = match place {
                X => [AT, STEPS - 1],
                InitA => [0, STEPS - 1],
                Da => [STEPS, AT],
                _ => [STEPS, STEPS - 1],
            };
            for t in a..STEPS {
                assert!(out.a[t].column(m).unwrap().iter().all(|a| a.is_nan()));
            }
            for t in 0..=dx {
                let lost = out.dx[t].column(m).unwrap().iter().any(|dx| !dx.is_nan());
                assert!(!lost, "{place:?}, sample {m}, dx of step {t}");
            }
            assert!(out.da_state.column(m).unwrap().iter().all(|a| a.is_nan()));
            assert!(out.grads.wa.as_flat().iter().any(|g| g.is_nan()));
        }
    }
}

// ----------------------------------------------------------------------------------------- dense

/// The laws of the output layer for one shape.
fn dense_laws<const A: usize, const Y: usize, const M: usize, T: Real>() {
    let mut random = Random::new(7);
    for steps in lengths::<M>() {
        let at = |what| format!("dense, A {A}, Y {Y}, M {M}, T {steps}: {what}");
        let params: dense::Params<A, Y, T> = random.flat(1.0);
        let a = random.sequence::<A, M, T>(steps, 1.0);
        let dy = random.sequence::<Y, M, T>(steps, 1.0);
        let before: dense::Params<A, Y, T> = random.flat(1.0);

        let (mut y, mut da) = (vec![garbage(); steps], vec![garbage(); steps]);
        let mut grads = before.clone();
        dense::sequence_forward(&params, &a, &mut y).unwrap();
        dense::sequence_backward(&params, &a, &dy, &mut grads, &mut da).unwrap();

        let (mut y_loop, mut da_loop) = (vec![garbage(); steps], vec![garbage(); steps]);
        let (mut y_contract, mut da_contract) = (y_loop.clone(), da_loop.clone());
        let (mut grads_loop, mut grads_contract) = (before.clone(), before);
        for t in (0..steps).rev() {
            dense::forward(&params, &a[t], &mut y_loop[t]);
            dense::backward(&params, &a[t], &dy[t], &mut grads_loop, &mut da_loop[t]);
            y_contract[t] = contract::dense_forward(&params, &a[t]);
            da_contract[t] = contract::dense_backward(&params, &a[t], &dy[t], &mut grads_contract);
        }
        assert_same_bits(&at("y, loop"), &y, &y_loop);
        assert_same_bits(&at("y, contract"), &y, &y_contract);
        assert_same_bits(&at("da, loop"), &da, &da_loop);
        assert_same_bits(&at("da, contract"), &da, &da_contract);
        let grads = slice::from_ref(&grads);
        assert_same_bits(&at("grads, loop"), grads, slice::from_ref(&grads_loop));
        assert_same_bits(
            &at("grads, contract"),
            grads,
            slice::from_ref(&grads_contract),
        );
    }
}

#[test]
fn dense_in_f32() {
    dense_laws::<1, 1, 1, f32>();
    dense_laws::<31, 3, 3, f32>();
    dense_laws::<100, 64, 1, f32>(); // from 64 inputs on the columns of W come in two parts
}

#[test]
fn dense_in_f64() {
    dense_laws::<16, 7, 2, f64>();
    dense_laws::<3, 17, 5, f64>();
}

#[test]
fn softmax_is_per_sample() {
    let mut random = Random::new(8);
    let z: Matrix<5, 7, f32> = random.flat(20.0);
    let dy: Matrix<5, 7, f32> = random.flat(1.0);
    let (mut batch, mut dz) = (z.clone(), dy.clone());
    dense::softmax(&mut batch);
    dense::softmax_backward(&batch, &mut dz);
    for m in 0..7 {
        let (mut one, mut dz_one) = (column(&z, m), column(&dy, m));
        dense::softmax(&mut one);
        dense::softmax_backward(&one, &mut dz_one);
        assert_same_bits("y", &[column(&batch, m)], &[one]);
        assert_same_bits("dz", &[column(&dz, m)], &[dz_one]);
    }
}

// ------------------------------------------------------------------------------------ flat views

/// A view has the address and the length of what it views, in both directions, read and written.
fn flat_laws<F: Flat + Default + Clone + PartialEq + std::fmt::Debug>() {
    let original: F = Random::new(9).flat(1.0);
    let mut value = original.clone();
    let address = (&raw const value).cast::<F::Scalar>();

    let flat = value.as_flat();
    assert_eq!((flat.as_ptr(), flat.len()), (address, F::LEN));
    assert!(std::ptr::eq(F::from_flat(flat).unwrap(), &value));

    let flat = value.as_flat_mut();
    assert_eq!((flat.as_ptr(), flat.len()), (address, F::LEN));
    let back: *const F = F::from_flat_mut(flat).unwrap();
    assert!(std::ptr::eq(back, &value));

    // What is written through one side is seen from the other.
    let last = F::LEN - 1;
    value.as_flat_mut()[last] = F::Scalar::from_f64(7.0);
    assert_ne!(value, original);
    assert_eq!(value.as_flat()[last], F::Scalar::from_f64(7.0));
    let mut flat = value.as_flat().to_vec();
    *F::from_flat_mut(&mut flat).unwrap() = original.clone();
    assert_eq!(flat, original.as_flat());

    let mut sequence = vec![original.clone(), value.clone(), original.clone()];
    let address = sequence.as_ptr();
    let flat = F::slice_as_flat(&sequence);
    assert_eq!(
        (flat.as_ptr(), flat.len()),
        (address.cast(), sequence.len() * F::LEN)
    );
    assert_eq!(flat[F::LEN..2 * F::LEN], *value.as_flat());
    let back = F::slice_from_flat(flat).unwrap();
    assert_eq!((back.as_ptr(), back.len()), (address, 3));
    let flat = F::slice_as_flat_mut(&mut sequence);
    assert_eq!((flat.as_ptr(), flat.len()), (address.cast(), 3 * F::LEN));
    let back = F::slice_from_flat_mut(flat).unwrap();
    assert_eq!((back.as_ptr(), back.len()), (address, 3));

    assert!(F::slice_as_flat(&[]).is_empty());
    assert_eq!(F::slice_from_flat(&[]).unwrap().len(), 0);
    assert!(F::slice_as_flat_mut(&mut []).is_empty());
    assert_eq!(F::slice_from_flat_mut(&mut []).unwrap().len(), 0);
}

fn flat_laws_of_all<T: Real>() {
    flat_laws::<Matrix<1, 1, T>>();
    flat_laws::<Matrix<3, 5, T>>();
    flat_laws::<Vector<7, T>>();
    flat_laws::<Affine<2, 3, T>>();
    flat_laws::<rnn::Params<1, 1, T>>();
    flat_laws::<lstm::Params<2, 3, T>>();
    flat_laws::<State<3, 2, T>>();
    flat_laws::<Cache<3, 2, T>>();
    flat_laws::<dense::Params<3, 4, T>>();
}

#[test]
fn flat_view_is_the_same_memory() {
    flat_laws_of_all::<f32>();
    flat_laws_of_all::<f64>();
}

/// The order of the scalars: columns, and in each struct \[Wa | Wx\], b; gates f, i, g, o.
#[test]
fn flat_order() -> Result<(), LengthMismatch> {
    let flat: Vec<f32> = (0..lstm::Params::<2, 3>::LEN).map(|i| i as f32).collect();
    let params = lstm::Params::<2, 3>::from_flat(&flat)?;
    let gates = [&params.f, &params.i, &params.g, &params.o];
    for (g, gate) in gates.into_iter().enumerate() {
        let at = |i: usize| (g * Affine::<2, 3>::LEN + i) as f32;
        for r in 0..3 {
            for k in 0..3 {
                assert_eq!(gate.wa[(r, k)], at(3 * k + r));
            }
            for k in 0..2 {
                assert_eq!(gate.wx[(r, k)], at(9 + 3 * k + r));
            }
            assert_eq!(gate.b[(r, 0)], at(15 + r));
        }
    }

    let flat: Vec<f32> = (0..Cache::<3, 2>::LEN).map(|i| i as f32).collect();
    let cache = Cache::<3, 2>::from_flat(&flat)?;
    let parts = [&cache.f, &cache.i, &cache.g, &cache.o, &cache.c];
    for (p, part) in parts.into_iter().enumerate() {
        assert_eq!(part[(2, 1)], (6 * p + 5) as f32);
    }

    let state = State::<3, 2>::from_flat(&flat[..12])?;
    assert_eq!((state.a[(1, 0)], state.c[(0, 1)]), (1.0, 9.0));

    let head = dense::Params::<3, 2>::from_flat(&flat[..8])?;
    assert_eq!((head.w[(1, 2)], head.b[(1, 0)]), (5.0, 7.0));
    Ok(())
}
