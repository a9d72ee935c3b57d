//! The laws that hold bit for bit, in f32 and f64:
//!
//! * every kernel gives the bits of the arithmetic contract (`common/contract.rs`), gradients that were not zero before included;
//! * a sequence is a loop of cells, forward and backward; a dense sequence is a loop of dense layers;
//! * `step` is `cell_forward`; the last state of a tape is the state after the last step;
//! * two chained segments are one whole;
//! * without dx, everything else is the same;
//! * a batch of M is M batches of 1;
//! * a NaN in one sample touches no other;
//! * a flat view is the same memory.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/inputs.rs"]
mod inputs;
#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::{self, Cache, State};
use bptt::{Affine, Flat, LengthMismatch, Matrix, Real, Vector, dense, gru, rnn};
use cells::{Plain, garbage, garbage_for, sample, samples};
use inputs::In;
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

/// The lengths of the sequences: none, short ones, and one that is longer than what backward works
/// through at once (64 columns).
fn lengths<const M: usize>() -> [usize; 6] {
    [0, 1, 2, 3, 7, 130 / M + 2]
}

// ----------------------------------------------------------------------------------------- cells

/// a, the first matrix of a state.
fn first<const A: usize, const M: usize, F: Flat>(state: &F) -> Matrix<A, M, F::Scalar> {
    let mut a = Matrix::zeros();
    a.as_flat_mut().copy_from_slice(&state.as_flat()[..A * M]);
    a
}

/// All that comes out.
struct Out<C: Plain<X, A>, const X: usize, const A: usize, const M: usize> {
    a: Vec<Matrix<A, M, C::Scalar>>,
    /// After forward.
    caches: Vec<C::Cache<M>>,
    /// After backward: dz, and what backward leaves.
    dz: Vec<C::Cache<M>>,
    grads: C,
    dx: Vec<Matrix<X, M, C::Scalar>>,
    /// With respect to the initial state.
    dstate: C::State<M>,
}

impl<C: Plain<X, A>, const X: usize, const A: usize, const M: usize> In<C, X, A, M> {
    /// What a run starts from.
    fn start(&self) -> Out<C, X, A, M> {
        let steps = self.x.len();
        Out {
            a: garbage_for(steps),
            caches: garbage_for(steps),
            dz: garbage_for(steps),
            grads: self.grads.clone(),
            dx: garbage_for(steps),
            dstate: self.dstate.clone(),
        }
    }

    /// The state after `t` steps.
    fn state(&self, out: &Out<C, X, A, M>, t: usize) -> C::State<M> {
        match t {
            0 => self.init.clone(),
            t => C::state_after(&out.a[t - 1], &out.caches[t - 1]),
        }
    }

    /// The two calls for a sequence.
    fn sequence(&self, with_dx: bool) -> Out<C, X, A, M> {
        let mut out = self.start();
        let In { cell, x, init, .. } = self;
        let (a, caches) = (&mut out.a, &mut out.caches);
        let _ = cell.forward(x, init, a, caches).unwrap(); // for the caches before backward
        let expected = self.state(&out, x.len());

        let address = out.a.as_ptr();
        let tape = cell.forward(x, init, &mut out.a, &mut out.dz).unwrap();
        assert_eq!((tape.a().as_ptr(), tape.a().len()), (address, x.len()));
        let mut last: C::State<M> = garbage();
        tape.last(&mut last);
        assert_same_bits("last", &[last], &[expected]);
        let dx = with_dx.then_some(&mut *out.dx);
        let (grads, dstate) = (&mut out.grads, &mut out.dstate);
        tape.backward(&self.da, grads, dx, dstate).unwrap();
        out
    }

    /// A loop of cells.
    fn cells(&self) -> Out<C, X, A, M> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            let (prev, mut next) = (self.state(&out, t), garbage::<C::State<M>>());
            let cache = &mut out.caches[t];
            self.cell.cell_forward(x, &prev, &mut next, cache);
            out.a[t] = first(&next);
            assert_same_bits("state", &[self.state(&out, t + 1)], &[next]);
        }
        out.dz.clone_from(&out.caches);
        for (t, x) in self.x.iter().enumerate().rev() {
            let [prev, next] = [t, t + 1].map(|t| self.state(&out, t));
            let dh = out.dstate.as_flat_mut().iter_mut(); // a comes first
            for (dh, da) in dh.zip(self.da[t].as_flat()) {
                *dh = *da + *dh;
            }
            let (dz, dstate, grads) = (&mut out.dz[t], &mut out.dstate, &mut out.grads);
            out.dx[t] = (self.cell).cell_backward(x, [&prev, &next], dz, dstate, grads);
        }
        out
    }

    /// A loop over the arithmetic contract.
    fn contract(&self) -> Out<C, X, A, M> {
        let mut out = self.start();
        for (t, x) in self.x.iter().enumerate() {
            let prev = self.state(&out, t);
            let next = self.cell.contract_forward(x, &prev, &mut out.caches[t]);
            out.a[t] = first(&next);
        }
        out.dz.clone_from(&out.caches);
        for (t, x) in self.x.iter().enumerate().rev() {
            let [prev, next] = [t, t + 1].map(|t| self.state(&out, t));
            let (dz, dstate, grads) = (&mut out.dz[t], &mut out.dstate, &mut out.grads);
            let (states, da) = ([&prev, &next], &self.da[t]);
            out.dx[t] = (self.cell).contract_backward(x, states, dz, da, dstate, grads);
        }
        out
    }

    /// Two segments: the second starts from the state after the first; the first gets the gradients of its last state, and
    /// adds its own to those of the second.
    fn segments(&self, split: usize) -> Out<C, X, A, M> {
        let mut out = self.start();
        let (cell, init) = (&self.cell, &self.init);
        let ((x1, x2), (da1, da2)) = (self.x.split_at(split), self.da.split_at(split));
        let mut middle: C::State<M> = garbage();
        {
            // For the caches before backward.
            let (a1, a2) = out.a.split_at_mut(split);
            let (caches1, caches2) = out.caches.split_at_mut(split);
            let first = cell.forward(x1, init, a1, caches1).unwrap();
            first.last(&mut middle);
            let _ = cell.forward(x2, &middle, a2, caches2).unwrap();
        }
        let (a1, a2) = out.a.split_at_mut(split);
        let (dz1, dz2) = out.dz.split_at_mut(split);
        let (dx1, dx2) = out.dx.split_at_mut(split);
        let (grads, dstate) = (&mut out.grads, &mut out.dstate);
        let first = cell.forward(x1, init, a1, dz1).unwrap();
        let second = cell.forward(x2, &middle, a2, dz2).unwrap();
        second.backward(da2, grads, Some(dx2), dstate).unwrap();
        first.backward(da1, grads, Some(dx1), dstate).unwrap();
        out
    }

    /// One sample of the batch, with gradients that start from zero.
    fn sample(&self, m: usize) -> In<C, X, A, 1> {
        In {
            cell: self.cell.clone(),
            x: samples(&self.x, X, m),
            init: sample(&self.init, A, m),
            da: samples(&self.da, A, m),
            dstate: sample(&self.dstate, A, m),
            grads: C::default(),
        }
    }
}

impl<C: Plain<X, A>, const X: usize, const A: usize, const M: usize> Out<C, X, A, M> {
    #[track_caller]
    fn assert_same(&self, other: &Self, law: &str) {
        let (name, steps) = (C::NAME, self.a.len());
        let at = |what| format!("{name}, {law}, X {X}, A {A}, M {M}, T {steps}: {what}");
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
    fn assert_sample(&self, m: usize, one: &Out<C, X, A, 1>) {
        let (name, steps) = (C::NAME, self.a.len());
        let at = |what| format!("{name}, sample {m} of {M}, T {steps}: {what}");
        assert_same_bits(&at("a"), &samples(&self.a, A, m), &one.a);
        assert_same_bits(&at("caches"), &samples(&self.caches, A, m), &one.caches);
        assert_same_bits(&at("dz"), &samples(&self.dz, A, m), &one.dz);
        assert_same_bits(&at("dx"), &samples(&self.dx, X, m), &one.dx);
        let dstate = slice::from_ref(&one.dstate);
        assert_same_bits(&at("dstate"), &[sample(&self.dstate, A, m)], dstate);
    }
}

/// The laws of a cell for one shape.
fn laws_of<C: Plain<X, A>, const X: usize, const A: usize, const M: usize>() {
    let mut random = Random::new(1);
    for steps in lengths::<M>() {
        let input = In::<C, X, A, M>::random(steps, &mut random);
        let whole = input.sequence(true);
        whole.assert_same(&input.contract(), "sequence = contract");
        for split in [0, 1, steps / 2, steps] {
            if split <= steps {
                whole.assert_same(&input.segments(split), "segments = whole");
            }
        }

        let twice = In {
            grads: whole.grads.clone(),
            ..input.clone()
        };
        (twice.sequence(true)).assert_same(&twice.contract(), "twice accumulated");

        let mut without = input.sequence(false);
        assert_same_bits("dx is left alone", &without.dx, &input.start().dx);
        without.dx.clone_from(&whole.dx);
        without.assert_same(&whole, "without dx");

        // Two states take turns: every second step goes from the later one in memory to the earlier.
        let mut states = [input.init.clone(), garbage()];
        for (t, x) in input.x.iter().enumerate() {
            let [even, odd] = &mut states;
            let (state, next) = if t % 2 == 0 { (even, odd) } else { (odd, even) };
            next.clone_from(&garbage());
            input.cell.step(x, state, next);
            let expected = input.state(&whole, t + 1);
            let name = C::NAME;
            let law = format!("{name}, step = cell_forward, X {X}, A {A}, M {M}, T {steps}");
            assert_same_bits(&law, slice::from_ref(next), &[expected]);
        }
    }
}

/// The laws of all cells for one shape.
fn laws<const X: usize, const A: usize, const M: usize, T: Real>() {
    laws_of::<lstm::Params<X, A, T>, X, A, M>();
    laws_of::<rnn::Params<X, A, T>, X, A, M>();
    laws_of::<gru::ResetAfter<X, A, T>, X, A, M>();
    laws_of::<gru::ResetBefore<X, A, T>, X, A, M>();
}

#[test]
fn cells_in_f32() {
    laws::<1, 1, 1, f32>();
    laws::<7, 43, 3, f32>();
    laws::<2, 50, 1, f32>(); // from A = 46 on the weights are walked column by column
    laws::<6, 22, 5, f32>();
    laws::<3, 64, 2, f32>();
    laws::<16, 3, 4, f32>();
    laws::<15, 17, 3, f32>();
    laws::<20, 9, 8, f32>();
    // Two and three vectors of units, of 16 and of 8 lanes: fewer than three samples keep their sums in registers.
    laws_of::<lstm::Params<2, 20>, 2, 20, 1>();
    laws_of::<lstm::Params<3, 43>, 3, 43, 2>();
    laws_of::<gru::ResetAfter<2, 20>, 2, 20, 1>();
    laws_of::<gru::ResetAfter<3, 43>, 3, 43, 2>();
    laws_of::<gru::ResetBefore<2, 20>, 2, 20, 1>();
    laws_of::<gru::ResetBefore<3, 43>, 3, 43, 2>();
    laws_of::<rnn::Params<33, 100>, 33, 100, 1>(); // the stack of a thread is too small for copies of such an LSTM
    relu::<1, 1, 1, f32>();
    relu::<7, 43, 3, f32>();
    relu::<20, 9, 2, f32>();
}

/// What differs from the RNN with tanh is the activation of a unit, in a column and in a batch.
fn relu<const X: usize, const A: usize, const M: usize, T: Real>() {
    laws_of::<rnn::Relu<X, A, T>, X, A, M>();
}

#[test]
fn cells_in_f64() {
    laws::<5, 33, 2, f64>(); // from A = 33 on the weights are walked column by column
    laws::<15, 2, 1, f64>();
    laws::<3, 23, 8, f64>();
    laws::<4, 32, 1, f64>(); // two whole blocks of the 16 that AVX-512 keeps, and the last A before the columns
    laws::<31, 5, 5, f64>();
    laws::<8, 15, 2, f64>();
    laws::<64, 16, 4, f64>();
    // As in f32: two and three vectors of units.
    laws_of::<lstm::Params<3, 11, f64>, 3, 11, 1>();
    laws_of::<lstm::Params<2, 23, f64>, 2, 23, 2>();
    laws_of::<gru::ResetAfter<3, 11, f64>, 3, 11, 1>();
    laws_of::<gru::ResetAfter<2, 23, f64>, 2, 23, 2>();
    laws_of::<gru::ResetBefore<3, 11, f64>, 3, 11, 1>();
    laws_of::<gru::ResetBefore<2, 23, f64>, 2, 23, 2>();
    relu::<5, 33, 2, f64>();
    relu::<3, 23, 8, f64>();
}

/// A step of more units than there is room for beside it (128) takes some of them after the others, and starts with the last
/// of them where the state before stands after the state that comes.
fn many_units_of<C: Plain<1, 130, Scalar = f32>>() {
    let mut random = Random::new(11);
    let cell: C = random.flat(0.1);
    let (x, prev): (Matrix<1, 1>, C::State<1>) = (random.flat(1.0), random.flat(1.0));
    let expected = cell.contract_forward(&x, &prev, &mut garbage());
    for back in [false, true] {
        let mut states = [prev.clone(), prev.clone()];
        let [first, second] = &mut states;
        let (prev, next) = if back {
            (second, first)
        } else {
            (first, second)
        };
        next.clone_from(&garbage());
        cell.step(&x, prev, next);
        assert_same_bits(C::NAME, slice::from_ref(next), slice::from_ref(&expected));
    }
}

#[test]
fn step_of_many_units() {
    many_units_of::<lstm::Params<1, 130>>();
    many_units_of::<rnn::Params<1, 130>>();
    many_units_of::<gru::ResetAfter<1, 130>>();
    many_units_of::<gru::ResetBefore<1, 130>>();
}

/// A loop of cells is a sequence.
fn loops_of<C: Plain<X, A>, const X: usize, const A: usize, const M: usize>() {
    let mut random = Random::new(10);
    for steps in lengths::<M>() {
        let input = In::<C, X, A, M>::random(steps, &mut random);
        let law = "sequence = loop of cells";
        input.sequence(true).assert_same(&input.cells(), law);
    }
}

fn loops<const X: usize, const A: usize, const M: usize, T: Real>() {
    loops_of::<lstm::Params<X, A, T>, X, A, M>();
    loops_of::<rnn::Params<X, A, T>, X, A, M>();
    loops_of::<rnn::Relu<X, A, T>, X, A, M>();
    loops_of::<gru::ResetAfter<X, A, T>, X, A, M>();
    loops_of::<gru::ResetBefore<X, A, T>, X, A, M>();
}

#[test]
fn sequence_is_a_loop_of_cells() {
    loops::<1, 1, 1, f32>();
    loops::<7, 43, 3, f32>();
    loops::<2, 50, 1, f32>();
    loops::<16, 3, 4, f32>();
    loops::<15, 17, 3, f32>();
    loops::<20, 9, 8, f32>();
    loops::<5, 33, 2, f64>();
    loops::<31, 5, 5, f64>();
}

/// A batch of M gives for every sample what a batch of 1 gives.
fn batch_of<C: Plain<4, 8>, const M: usize>() {
    let mut random = Random::new(2);
    for steps in [1, 3] {
        let input = In::<C, 4, 8, M>::random(steps, &mut random);
        let batch = input.sequence(true);
        for m in 0..M {
            batch.assert_sample(m, &input.sample(m).sequence(true));
        }
    }
}

fn batch<const M: usize>() {
    batch_of::<lstm::Params<4, 8, f32>, M>();
    batch_of::<lstm::Params<4, 8, f64>, M>();
    batch_of::<rnn::Params<4, 8, f32>, M>();
    batch_of::<rnn::Relu<4, 8, f32>, M>();
    batch_of::<gru::ResetAfter<4, 8, f32>, M>();
    batch_of::<gru::ResetBefore<4, 8, f32>, M>();
    batch_of::<rnn::Params<4, 8, f64>, M>();
    batch_of::<rnn::Relu<4, 8, f64>, M>();
    batch_of::<gru::ResetAfter<4, 8, f64>, M>();
    batch_of::<gru::ResetBefore<4, 8, f64>, M>();
}

#[test]
fn batch_is_so_many_samples() {
    batch::<1>();
    batch::<2>();
    batch::<3>();
    batch::<4>();
    batch::<5>();
    batch::<6>();
    batch::<7>();
    batch::<8>();
    batch::<9>();
    batch::<32>();
    batch::<64>();
}

/// Which input of a step gets the NaN. A state has its matrices one after the other: a first.
#[derive(Clone, Copy, Debug)]
enum Place {
    X,
    Init(usize),
    Da,
    Dstate(usize),
}

fn nan_stays_in_its_sample<C: Plain<4, 8>>() {
    use Place::*;
    const STEPS: usize = 3;
    const AT: usize = 1; // the step of the NaN
    let nan = C::Scalar::from_f64(f64::NAN);
    let is_nan = |scalar: &&C::Scalar| scalar.to_f64().is_nan();
    let matrices = C::State::<1>::LEN / 8;
    let states = (0..matrices).flat_map(|matrix| [Init(matrix), Dstate(matrix)]);
    for place in [X, Da].into_iter().chain(states) {
        let clean = In::<C, 4, 8, 5>::random(STEPS, &mut Random::new(3));
        for m in 0..5 {
            let mut input = clean.clone();
            match place {
                X => input.x[AT][(2, m)] = nan,
                Init(matrix) => input.init.as_flat_mut()[(matrix * 5 + m) * 8 + 3] = nan,
                Da => input.da[AT][(3, m)] = nan,
                Dstate(matrix) => input.dstate.as_flat_mut()[(matrix * 5 + m) * 8 + 3] = nan,
            }
            let out = input.sequence(true);
            for other in (0..5).filter(|&other| other != m) {
                out.assert_sample(other, &clean.sample(other).sequence(true));
            }
            // And in the sample itself it is not lost.
            let [a, dx] = match place {
                X => [AT, STEPS - 1],
                Init(_) => [0, STEPS - 1],
                Da => [STEPS, AT],
                Dstate(_) => [STEPS, STEPS - 1],
            };
            for t in a..STEPS {
                // c reaches only its own unit in the first step.
                let units = if matches!(place, Init(1)) && t == 0 {
                    1
                } else {
                    8
                };
                let found = out.a[t].column(m).unwrap().iter().filter(is_nan);
                assert_eq!(found.count(), units, "{place:?}, sample {m}, a of step {t}");
            }
            for t in 0..=dx {
                let lost = out.dx[t].column(m).unwrap().iter().any(|dx| !is_nan(&dx));
                assert!(!lost, "{place:?}, sample {m}, dx of step {t}");
            }
            let da = first::<8, 5, _>(&out.dstate);
            assert!(da.column(m).unwrap().iter().all(|da| is_nan(&da)));
            let last_gate = &out.grads.as_flat()[C::LEN - Affine::<4, 8>::LEN..];
            assert!(last_gate[..8 * 8].iter().any(|g| is_nan(&g))); // its dWa
        }
    }
}

#[test]
fn nan_stays_in_its_sample_of_every_cell() {
    nan_stays_in_its_sample::<lstm::Params<4, 8, f32>>();
    nan_stays_in_its_sample::<lstm::Params<4, 8, f64>>();
    nan_stays_in_its_sample::<rnn::Params<4, 8, f32>>();
    nan_stays_in_its_sample::<rnn::Relu<4, 8, f32>>();
    nan_stays_in_its_sample::<gru::ResetAfter<4, 8, f32>>();
    nan_stays_in_its_sample::<gru::ResetBefore<4, 8, f32>>();
    nan_stays_in_its_sample::<rnn::Params<4, 8, f64>>();
    nan_stays_in_its_sample::<rnn::Relu<4, 8, f64>>();
    nan_stays_in_its_sample::<gru::ResetAfter<4, 8, f64>>();
    nan_stays_in_its_sample::<gru::ResetBefore<4, 8, f64>>();
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

        let (mut y, mut da) = (garbage_for(steps), garbage_for(steps));
        let mut grads = before.clone();
        dense::sequence_forward(&params, &a, &mut y).unwrap();
        dense::sequence_backward(&params, &a, &dy, &mut grads, &mut da).unwrap();

        let (mut y_loop, mut da_loop) = (garbage_for(steps), garbage_for(steps));
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
    dense_laws::<4, 3, 9, f32>(); // more samples than there are steps in what is worked through at once
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
        let (mut one, mut dz_one): (Vector<5>, Vector<5>) = (sample(&z, 5, m), sample(&dy, 5, m));
        dense::softmax(&mut one);
        dense::softmax_backward(&one, &mut dz_one);
        assert_same_bits("y", &[sample(&batch, 5, m)], &[one]);
        assert_same_bits("dz", &[sample(&dz, 5, m)], &[dz_one]);
    }
}

// ------------------------------------------------------------------------------------ flat views

/// A view has the address and the length of what it views, in both directions, read and written.
fn flat_laws<F: Flat>() {
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
    flat_laws::<rnn::Relu<1, 1, T>>();
    flat_laws::<gru::ResetAfter<2, 3, T>>();
    flat_laws::<gru::ResetBefore<2, 3, T>>();
    flat_laws::<gru::Cache<3, 2, T>>();
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

/// The order of the scalars: columns, and in each struct \[Wa | Wx\], b; gates f, i, g, o and r, u, n.
#[test]
fn flat_order() -> Result<(), LengthMismatch> {
    let flat: Vec<f32> = (0..lstm::Params::<2, 3>::LEN).map(|i| i as f32).collect();
    let gates_in_order = |gates: &[&Affine<2, 3>]| {
        for (g, gate) in gates.iter().enumerate() {
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
    };
    let lstm = lstm::Params::<2, 3>::from_flat(&flat)?;
    gates_in_order(&[&lstm.f, &lstm.i, &lstm.g, &lstm.o]);
    gates_in_order(&[&rnn::Relu::<2, 3>::from_flat(&flat[..18])?.0]);
    let gru = gru::ResetBefore::<2, 3>::from_flat(&flat[..54])?;
    gates_in_order(&[&gru.r, &gru.u, &gru.n]);
    let gru = gru::ResetAfter::<2, 3>::from_flat(&flat[..57])?;
    gates_in_order(&[&gru.r, &gru.u, &gru.n]);
    assert_eq!(gru.bna, Vector::from_columns([[54.0, 55.0, 56.0]]));

    let matrices_in_order = |matrices: &[&Matrix<3, 2>]| {
        for (p, matrix) in matrices.iter().enumerate() {
            assert_eq!(matrix[(2, 1)], (6 * p + 5) as f32);
        }
    };
    let cache = Cache::<3, 2>::from_flat(&flat[..30])?;
    matrices_in_order(&[&cache.f, &cache.i, &cache.g, &cache.o, &cache.c]);
    let cache = gru::Cache::<3, 2>::from_flat(&flat[..24])?;
    matrices_in_order(&[&cache.r, &cache.u, &cache.n, &cache.s]);

    let state = State::<3, 2>::from_flat(&flat[..12])?;
    assert_eq!((state.a[(1, 0)], state.c[(0, 1)]), (1.0, 9.0));

    let head = dense::Params::<3, 2>::from_flat(&flat[..8])?;
    assert_eq!((head.w[(1, 2)], head.b[(1, 0)]), (5.0, 7.0));
    Ok(())
}
