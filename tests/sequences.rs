//! The laws of long sequences and of sequences of different lengths, bit for bit, in f32 and f64:
//!
//! * backward with recomputation gives what the full backward gives, for every length and every
//!   segment;
//! * padding changes nothing: each sample of a padded batch has what it has on its own, and the
//!   gradients of the weights are the sum over the steps that are no padding, in the documented
//!   order;
//! * a batch is turned round, and its padding moved, as an index computation does it.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/inputs.rs"]
mod inputs;
#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::State;
use bptt::{Cell, Flat, LengthMismatch, Matrix, Real, checkpoint, gru, lengths, lstm, rnn};
use cells::{Plain, garbage, garbage_for, sample, samples};
use random::Random;

const X: usize = 3;
const A: usize = 5;
const M: usize = 3;

/// All bits are the same. No result here is NaN.
#[track_caller]
fn assert_same_bits<F: Flat>(what: &str, found: &[F], expected: &[F]) {
    let (found, expected) = (F::slice_as_flat(found), F::slice_as_flat(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (f, e) = (found.to_f64(), expected.to_f64()); // exact, the sign of zero included
        assert!(!f.is_nan(), "{what}, scalar {i} is NaN");
        assert!(
            f.to_bits() == e.to_bits(),
            "{what}, scalar {i}: {found:?} is not {expected:?}"
        );
    }
}

/// [`assert_same_bits`] of one value.
#[track_caller]
fn assert_same<F: Flat>(what: &str, found: &F, expected: &F) {
    assert_same_bits(what, slice::from_ref(found), slice::from_ref(expected));
}

// ---------------------------------------------------------------------------------- recomputation

type In<C> = inputs::In<C, X, A, M>;

/// What the segments must come to: in the order of the calls, and every step once.
struct Segments<'a, T: Real> {
    /// The first step of the segment before, or T.
    end: usize,
    k: usize,
    a: &'a [Matrix<A, M, T>],
    da: &'a [Matrix<A, M, T>],
}

impl<T: Real> Segments<'_, T> {
    fn gradient(&mut self, start: usize, a: &[Matrix<A, M, T>], da: &mut [Matrix<A, M, T>]) {
        assert!(start % self.k == 0 && (1..=self.k).contains(&a.len()));
        assert_eq!((start + a.len(), da.len()), (self.end, a.len()));
        assert_same_bits("a of a segment", a, &self.a[start..self.end]);
        assert_same_bits("da before", da, &vec![Matrix::zeros(); da.len()]);
        da.clone_from_slice(&self.da[start..self.end]);
        self.end = start;
    }
}

fn recomputation_of<C: Plain<X, A>>(steps: usize, k: usize) {
    let what = |what| format!("{}, T {steps}, k {k}: {what}", C::NAME);
    let random = &mut Random::new((1000 * steps + k) as u64);
    let net = In::<C>::random(steps, random);
    let In { cell, x, init, .. } = &net;

    let (mut a, mut caches) = (garbage_for(steps), garbage_for::<C::Cache<M>>(steps));
    let _ = cell.forward(x, init, &mut a, &mut caches).unwrap(); // for the caches before backward
    let state_after = |t: usize| C::state_after(&a[t], &caches[t]);
    let states_expected: Vec<_> = (0..steps.div_ceil(k))
        .map(|s| state_after(steps.min((s + 1) * k) - 1))
        .collect();
    let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
    let (mut grads, mut dx) = (net.grads.clone(), garbage_for(steps));
    let mut dstate = net.dstate.clone();
    (tape.backward(&net.da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();

    for with_dx in [true, false] {
        let mut states = garbage_for::<C::State<M>>(steps.div_ceil(k));
        let (mut a_k, mut caches_k, mut da_k) = (garbage_for(k), garbage_for(k), garbage_for(k));
        let tape =
            checkpoint::forward(cell, x, init, &mut states, &mut a_k, &mut caches_k).unwrap();
        assert_same_bits(&what("states"), tape.states(), &states_expected);
        let mut segments = Segments {
            end: steps,
            k,
            a: &a,
            da: &net.da,
        };
        let (mut grads_k, mut dx_k) = (net.grads.clone(), garbage_for(steps));
        let mut dstate_k = net.dstate.clone();
        tape.backward(
            &mut da_k,
            |start, a, da| segments.gradient(start, a, da),
            &mut grads_k,
            with_dx.then_some(&mut dx_k),
            &mut dstate_k,
        )
        .unwrap();
        assert_eq!(segments.end, 0);
        assert_same(&what("grads"), &grads_k, &grads);
        assert_same(&what("dstate"), &dstate_k, &dstate);
        if with_dx {
            assert_same_bits(&what("dx"), &dx_k, &dx);
        }
    }
}

#[test]
fn recomputation_changes_no_bit() {
    // 70 steps are more than the kernels work through at once.
    for steps in [0, 1, 2, 7, 12, 70] {
        for k in [1, 2, 3, 5, 12, 33, 100] {
            recomputation_of::<lstm::Params<X, A, f32>>(steps, k);
            recomputation_of::<lstm::Params<X, A, f64>>(steps, k);
            recomputation_of::<rnn::Params<X, A, f32>>(steps, k);
            recomputation_of::<rnn::Relu<X, A, f32>>(steps, k);
            recomputation_of::<gru::ResetAfter<X, A, f32>>(steps, k);
            recomputation_of::<gru::ResetBefore<X, A, f32>>(steps, k);
            recomputation_of::<rnn::Params<X, A, f64>>(steps, k);
            recomputation_of::<rnn::Relu<X, A, f64>>(steps, k);
            recomputation_of::<gru::ResetAfter<X, A, f64>>(steps, k);
            recomputation_of::<gru::ResetBefore<X, A, f64>>(steps, k);
        }
    }
}

/// For 7 steps with the buffers of a segment, caches, a and da, the states, and dx as long as this: what the calls return.
fn recomputation_with<C: Plain<X, A>>(
    [k, a, da, states, dx]: [usize; 5],
) -> Result<(), LengthMismatch> {
    let net = In::<C>::random(7, &mut Random::new(1));
    let (mut a, mut caches) = (garbage_for(a), garbage_for::<C::Cache<M>>(k));
    let (mut states, mut dx) = (garbage_for::<C::State<M>>(states), garbage_for(dx));
    let before = (a.clone(), caches.clone(), states.clone());
    let In { cell, x, init, .. } = &net;
    let forward = checkpoint::forward(cell, x, init, &mut states, &mut a, &mut caches).map(drop);
    let written = (a.clone(), caches, states.clone()) != before;
    assert_eq!(written, forward.is_ok());
    forward?;

    let mut caches = garbage_for::<C::Cache<M>>(k);
    let tape = checkpoint::forward(cell, x, init, &mut states, &mut a, &mut caches)?;
    let mut da = garbage_for(da);
    let (mut grads, mut dstate, mut called) = (net.grads.clone(), net.dstate.clone(), false);
    let (before, at) = ((da.clone(), dx.clone()), Some(&mut *dx));
    let backward = tape.backward(
        &mut da,
        |_, _, _| called = true,
        &mut grads,
        at,
        &mut dstate,
    );
    let written = (da, dx) != before || (&grads, &dstate) != (&net.grads, &net.dstate);
    assert_eq!((called, written), (backward.is_ok(), backward.is_ok()));
    backward
}

fn recomputation_lengths_of<C: Plain<X, A>>() {
    let right = [3, 3, 3, 3, 7]; // segments of 3 steps
    assert_eq!(recomputation_with::<C>(right), Ok(()));
    for (i, what) in [(1, "a"), (2, "da"), (3, "states"), (4, "dx")] {
        for found in [0, 2, 4, 8] {
            let (mut lengths, expected) = (right, right[i]);
            lengths[i] = found;
            let error = LengthMismatch {
                what,
                expected,
                found,
            };
            assert_eq!(recomputation_with::<C>(lengths), Err(error));
        }
    }
    let no_segment = LengthMismatch {
        what: "caches",
        expected: 1,
        found: 0,
    };
    assert_eq!(recomputation_with::<C>([0, 0, 0, 0, 7]), Err(no_segment));
}

#[test]
fn recomputation_lengths() {
    recomputation_lengths_of::<lstm::Params<X, A>>();
    recomputation_lengths_of::<rnn::Params<X, A>>();
    recomputation_lengths_of::<rnn::Relu<X, A>>();
    recomputation_lengths_of::<gru::ResetAfter<X, A>>();
    recomputation_lengths_of::<gru::ResetBefore<X, A>>();
}

// ------------------------------------------------------------------------------- different lengths

/// A sample on its own: its outputs, state and gradients.
struct Sample<C: Plain<X, A>> {
    a: Vec<Matrix<A, 1, C::Scalar>>,
    last: C::State<1>,
    dx: Vec<Matrix<X, 1, C::Scalar>>,
    dstate: C::State<1>,
    /// The caches after forward.
    caches: Vec<C::Cache<1>>,
    /// And after backward: they begin with dz of every gate.
    dz: Vec<C::Cache<1>>,
}

impl<C: Plain<X, A>> Sample<C> {
    /// Sample `m` of a batch, without the steps from `length` on.
    fn of(net: &In<C>, m: usize, length: usize) -> Self {
        let x: Vec<Matrix<X, 1, _>> = samples(&net.x[..length], X, m);
        let da: Vec<Matrix<A, 1, _>> = samples(&net.da[..length], A, m);
        let init: C::State<1> = sample(&net.init, A, m);
        let (mut a, mut dz) = (garbage_for(length), garbage_for(length));
        let (mut last, mut dx) = (garbage(), garbage_for(length));
        let (mut grads, mut dstate) = (C::default(), sample(&net.dstate, A, m));
        let tape = net.cell.forward(&x, &init, &mut a, &mut dz).unwrap();
        tape.last(&mut last);
        let caches = dz.clone();
        let tape = net.cell.forward(&x, &init, &mut a, &mut dz).unwrap();
        (tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)).unwrap();
        Sample {
            a,
            last,
            dx,
            dstate,
            caches,
            dz,
        }
    }
}

/// What stands where nothing must be looked at.
#[derive(Clone, Copy, Debug)]
enum Padding {
    Zeros,
    Small,
    Large,
}

const PADDINGS: [Padding; 3] = [Padding::Zeros, Padding::Small, Padding::Large];

/// x with this padding, da with NaN in the place of it, and here and there a zero with a sign.
fn pad<C: Plain<X, A>>(
    net: &mut In<C>,
    lengths: [usize; M],
    padding: Padding,
    random: &mut Random,
) {
    for (t, (x, da)) in net.x.iter_mut().zip(&mut net.da).enumerate() {
        for m in (0..M).filter(|&m| t >= lengths[m]) {
            let column = x.column_mut(m).unwrap();
            match padding {
                Padding::Zeros => column.fill(C::Scalar::ZERO),
                Padding::Small => random.fill(column, 1.0),
                Padding::Large => random.fill(column, 1e30),
            }
            da.column_mut(m)
                .unwrap()
                .fill(C::Scalar::from_f64(f64::NAN));
        }
        for m in (0..M).filter(|&m| t < lengths[m] && random.index(2) == 0) {
            da.column_mut(m).unwrap().fill(-C::Scalar::ZERO);
        }
    }
    for scalar in net.dstate.as_flat_mut() {
        if random.index(3) == 0 {
            *scalar = -C::Scalar::ZERO;
        }
    }
}

fn padding_of<C: Plain<X, A>>(lengths: [usize; M], steps: usize, padding: Padding) {
    let what = |what| format!("{}, {lengths:?} of {steps}, {padding:?}: {what}", C::NAME);
    let random = &mut Random::new(lengths.iter().fold(1, |seed, l| 100 * seed + *l as u64));
    let mut net = In::<C>::random(steps, random);
    pad(&mut net, lengths, padding, random);
    let In { cell, x, init, .. } = &net;

    let alone: [Sample<C>; M] = std::array::from_fn(|m| Sample::of(&net, m, lengths[m]));
    // The steps that are no padding, in the order in which they are added up.
    let mut expected = net.grads.clone();
    let mut dstates: [C::State<1>; M] = std::array::from_fn(|m| sample(&net.dstate, A, m));
    for t in (0..steps).rev() {
        for m in (0..M).filter(|&m| t < lengths[m]) {
            let Sample { a, caches, .. } = &alone[m];
            let prev = match t {
                0 => sample(init, A, m),
                _ => C::state_after(&a[t - 1], &caches[t - 1]),
            };
            let (next, mut cache) = (C::state_after(&a[t], &caches[t]), caches[t].clone());
            let (x, da, dstate) = (
                sample(&x[t], X, m),
                sample(&net.da[t], A, m),
                &mut dstates[m],
            );
            cell.contract_backward(&x, [&prev, &next], &mut cache, &da, dstate, &mut expected);
        }
    }

    let (mut a, mut caches) = (garbage_for(steps), garbage_for(steps));
    let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
    let mut last: C::State<M> = garbage();
    lengths::last(&lengths, &tape, &mut last).unwrap();
    let mut dx = garbage_for(steps);
    let (mut grads, mut dstate) = (net.grads.clone(), garbage());
    let (da, dlast, at) = (&net.da, &net.dstate, Some(&mut *dx));
    lengths::backward(&lengths, tape, da, dlast, &mut grads, at, &mut dstate).unwrap();
    for (m, alone) in alone.iter().enumerate() {
        let n = lengths[m];
        assert_same_bits(&what("a"), &samples(&a[..n], A, m), &alone.a);
        assert_same(&what("last"), &sample(&last, A, m), &alone.last);
        assert_same_bits(&what("dz"), &samples(&caches[..n], A, m), &alone.dz);
        assert_same_bits(&what("dx"), &samples(&dx[..n], X, m), &alone.dx);
        let zeros = vec![Matrix::<X, 1, _>::zeros(); steps - n];
        assert_same_bits(&what("dx of padding"), &samples(&dx[n..], X, m), &zeros);
        assert_same(&what("dstate"), &sample(&dstate, A, m), &alone.dstate);
    }
    assert_same(&what("grads"), &grads, &expected);

    // Without dx, everything else is the same.
    let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
    let (mut without, mut dstate_without) = (net.grads.clone(), garbage());
    let at = &mut dstate_without;
    lengths::backward(&lengths, tape, da, dlast, &mut without, None, at).unwrap();
    assert_same(&what("grads without dx"), &without, &expected);
    assert_same(&what("dstate without dx"), &dstate_without, &dstate);
}

#[test]
fn padding_changes_no_bit() {
    let mut cases = vec![([70, 33, 65], 70), ([0, 64, 65], 130), ([0; M], 0)];
    let some = [0, 1, 4, 6];
    for l0 in some {
        for l1 in some {
            cases.extend(some.map(|l2| ([l0, l1, l2], 6)));
        }
    }
    for (lengths, steps) in cases {
        for padding in PADDINGS {
            padding_of::<lstm::Params<X, A, f32>>(lengths, steps, padding);
            padding_of::<lstm::Params<X, A, f64>>(lengths, steps, padding);
            padding_of::<rnn::Params<X, A, f32>>(lengths, steps, padding);
            padding_of::<rnn::Relu<X, A, f32>>(lengths, steps, padding);
            padding_of::<gru::ResetAfter<X, A, f32>>(lengths, steps, padding);
            padding_of::<gru::ResetBefore<X, A, f32>>(lengths, steps, padding);
            padding_of::<rnn::Params<X, A, f64>>(lengths, steps, padding);
            padding_of::<rnn::Relu<X, A, f64>>(lengths, steps, padding);
            padding_of::<gru::ResetAfter<X, A, f64>>(lengths, steps, padding);
            padding_of::<gru::ResetBefore<X, A, f64>>(lengths, steps, padding);
        }
    }
}

fn lengths_that_do_not_fit_of<C: Plain<X, A>>() {
    let net = In::<C>::random(4, &mut Random::new(1));
    let In { cell, x, init, .. } = &net;
    let run = |[da, dx, longest]: [usize; 3], at: usize| {
        let (mut a, mut caches) = (garbage_for(4), garbage_for::<C::Cache<M>>(4));
        let _ = cell.forward(x, init, &mut a, &mut caches).unwrap();
        let (da, mut dx) = (garbage_for(da), garbage_for(dx));
        let (mut grads, mut dstate) = (net.grads.clone(), garbage::<C::State<M>>());
        let before = (caches.clone(), dx.clone(), dstate.clone());

        let mut lengths = [3, 0, 4];
        lengths[at] = longest;
        let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
        let (dlast, out) = (&net.dstate, Some(&mut *dx));
        let result = lengths::backward(&lengths, tape, &da, dlast, &mut grads, out, &mut dstate);
        let written = (caches, dx, dstate) != before || grads != net.grads;
        assert_eq!(written, result.is_ok());
        result
    };
    for at in 0..M {
        let right = [4; 3];
        assert_eq!(run(right, at), Ok(()));
        for (i, what) in ["da", "dx", "steps"].into_iter().enumerate() {
            // Shorter lengths are right.
            let wrong: &[usize] = if i == 2 { &[5, usize::MAX] } else { &[0, 3, 5] };
            for &found in wrong {
                let mut lengths = right;
                lengths[i] = found;
                // It is the steps that are too few for a length.
                let (expected, found) = if i == 2 { (found, 4) } else { (4, found) };
                let error = LengthMismatch {
                    what,
                    expected,
                    found,
                };
                assert_eq!(run(lengths, at), Err(error));
            }
        }
        let (mut a, mut caches) = (garbage_for(4), garbage_for(4));
        let tape = cell.forward(x, init, &mut a, &mut caches).unwrap();
        let (mut lengths, mut last) = ([0; M], garbage::<C::State<M>>());
        lengths[at] = 5;
        let error = LengthMismatch {
            what: "steps",
            expected: 5,
            found: 4,
        };
        assert_eq!(lengths::last(&lengths, &tape, &mut last), Err(error));
        assert_same("last after an error", &last, &garbage());
    }
}

#[test]
fn last_state_of_more_samples_than_units() {
    const LENGTHS: [usize; 7] = [3, 0, 1, 2, 2, 0, 3];
    let random = &mut Random::new(1);
    let cell: lstm::Params<X, 2> = random.flat(0.5);
    let (x, init) = (random.sequence::<X, 7, f32>(3, 1.0), random.flat(1.0));
    let (mut a, mut caches) = (garbage_for(3), garbage_for(3));
    let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();
    let mut last: State<2, 7> = garbage();
    lengths::last(&LENGTHS, &tape, &mut last).unwrap();
    for (m, length) in LENGTHS.into_iter().enumerate() {
        let (a, c) = match length {
            0 => (&init.a, &init.c),
            t => (&a[t - 1], &caches[t - 1].c),
        };
        assert_eq!(last.a.column(m), a.column(m));
        assert_eq!(last.c.column(m), c.column(m));
    }
}

#[test]
fn lengths_that_do_not_fit() {
    lengths_that_do_not_fit_of::<lstm::Params<X, A>>();
    lengths_that_do_not_fit_of::<rnn::Params<X, A>>();
    lengths_that_do_not_fit_of::<rnn::Relu<X, A>>();
    lengths_that_do_not_fit_of::<gru::ResetAfter<X, A>>();
    lengths_that_do_not_fit_of::<gru::ResetBefore<X, A>>();
}

/// Moves the steps of a padded batch: [`lengths::reverse`] and the like.
type Move<T> = fn(&[usize; M], &mut [Matrix<X, M, T>]) -> Result<(), LengthMismatch>;

/// All lengths from 0 to `steps`.
fn all_lengths(steps: usize) -> impl Iterator<Item = [usize; M]> {
    let n = steps + 1;
    (0..n.pow(M as u32)).map(move |i| [i % n, i / n % n, i / (n * n)])
}

fn moves_are_index_computations<T: Real>() {
    type From = fn(usize, usize, usize) -> usize;
    // Where the column comes from that afterwards stands at step t, with a length of l, of T steps.
    let moves: [(&str, Move<T>, From); 3] = [
        ("reverse", lengths::reverse, |t, l, _| {
            if t < l { l - 1 - t } else { t }
        }),
        (
            "padding_to_back",
            lengths::padding_to_back,
            |t, l, steps| (t + steps - l) % steps,
        ),
        (
            "padding_to_front",
            lengths::padding_to_front,
            |t, l, steps| (t + l) % steps,
        ),
    ];
    let random = &mut Random::new(2);
    for steps in 0..=6 {
        let before = random.sequence::<X, M, T>(steps, 1.0);
        for (name, run, from) in moves {
            for lengths in all_lengths(steps) {
                let mut expected = before.clone();
                for (t, expected) in expected.iter_mut().enumerate() {
                    for (m, &l) in lengths.iter().enumerate() {
                        for r in 0..X {
                            expected[(r, m)] = before[from(t, l, steps)][(r, m)];
                        }
                    }
                }
                let mut found = before.clone();
                assert_eq!(run(&lengths, &mut found), Ok(()));
                assert_same_bits(
                    &format!("{name}, {lengths:?} of {steps}"),
                    &found,
                    &expected,
                );
            }
            for m in 0..M {
                let (mut lengths, mut found) = ([steps; M], before.clone());
                lengths[m] = steps + 1;
                let error = LengthMismatch {
                    what: "steps",
                    expected: steps + 1,
                    found: steps,
                };
                assert_eq!(run(&lengths, &mut found), Err(error));
                assert_same_bits(&format!("{name} after an error"), &found, &before);
            }
        }
    }
}

#[test]
fn samples_are_turned_round_and_moved() {
    moves_are_index_computations::<f32>();
    moves_are_index_computations::<f64>();
}

/// [`lengths::zero_beyond`] leaves what is before the end, and needs no length to fit.
#[test]
fn zeros_stand_beyond_the_ends() {
    let before = Random::new(3).sequence::<X, M, f32>(4, 1.0);
    for lengths in all_lengths(5) {
        let mut found = before.clone();
        lengths::zero_beyond(&lengths, &mut found);
        let mut expected = before.clone();
        for (t, step) in expected.iter_mut().enumerate() {
            for m in (0..M).filter(|&m| t >= lengths[m]) {
                *step.column_mut(m).unwrap() = [0.0; X];
            }
        }
        assert_same_bits(&format!("{lengths:?}"), &found, &expected);
    }
}
