//! The laws of long sequences and of sequences of different lengths, bit for bit, in f32 and f64:
//!
//! * backward with recomputation gives what the full backward gives, for every length and every segment.

#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::{self, Cache, State};
use bptt::{Flat, LengthMismatch, Matrix, Real, checkpoint, rnn};
use random::Random;

const X: usize = 3;
const A: usize = 5;
const M: usize = 2;

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

/// Values that no result may be mistaken for: where one is left, something was not overwritten.
fn garbage<F: Flat + Default + Clone>(len: usize) -> Vec<F> {
    let mut garbage = F::default();
    garbage.as_flat_mut().fill(F::Scalar::from_f64(1e30));
    vec![garbage; len]
}

// ---------------------------------------------------------------------------------- recomputation

/// All that a network and its gradients start from.
struct In<P, S, T: Real> {
    params: P,
    x: Vec<Matrix<X, M, T>>,
    init: S,
    da: Vec<Matrix<A, M, T>>,
    /// From beyond the end.
    dstate: S,
    /// What the gradients are added to.
    grads: P,
}

impl<P: Flat<Scalar = T> + Default, S: Flat<Scalar = T> + Default, T: Real> In<P, S, T> {
    fn random(steps: usize, random: &mut Random) -> Self {
        In {
            params: random.flat(0.5),
            x: random.sequence(steps, 1.0),
            init: random.flat(1.0),
            da: random.sequence(steps, 1.0),
            dstate: random.flat(1.0),
            grads: random.flat(1.0),
        }
    }
}

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

fn lstm_with_recomputation<T: Real>(steps: usize, k: usize) {
    let what = |what| format!("LSTM, T {steps}, k {k}: {what}");
    let random = &mut Random::new((1000 * steps + k) as u64);
    let net = In::<lstm::Params<X, A, T>, State<A, M, T>, T>::random(steps, random);
    let (params, x, init, da) = (&net.params, &net.x, &net.init, &net.da);

    let (mut a, mut caches) = (garbage(steps), garbage::<Cache<A, M, T>>(steps));
    lstm::forward(params, x, init, &mut a, &mut caches).unwrap();
    let c: Vec<_> = caches.iter().map(|cache| cache.c.clone()).collect();
    let (mut grads, mut dx, mut dstate) = (net.grads.clone(), garbage(steps), net.dstate.clone());
    let full = Some(&mut *dx);
    lstm::backward(
        params,
        x,
        init,
        &a,
        &mut caches,
        da,
        &mut grads,
        full,
        &mut dstate,
    )
    .unwrap();

    let mut states = garbage::<State<A, M, T>>(steps.div_ceil(k));
    let (mut a_k, mut caches_k, mut da_k) = (garbage(k), garbage(k), garbage(k));
    checkpoint::lstm_forward(params, x, init, &mut states, &mut a_k, &mut caches_k).unwrap();
    for (s, state) in states.iter().enumerate() {
        let t = steps.min((s + 1) * k) - 1;
        assert_same(&what("a"), &state.a, &a[t]);
        assert_same(&what("c"), &state.c, &c[t]);
    }
    // What is left in the buffers does not matter.
    (a_k, caches_k) = (garbage(k), garbage(k));
    for with_dx in [true, false] {
        let mut segments = Segments {
            end: steps,
            k,
            a: &a,
            da,
        };
        let (mut grads_k, mut dx_k, mut dstate_k) =
            (net.grads.clone(), garbage(steps), net.dstate.clone());
        checkpoint::lstm_backward(
            params,
            x,
            init,
            &states,
            &mut a_k,
            &mut caches_k,
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

fn rnn_with_recomputation<T: Real>(steps: usize, k: usize) {
    let what = |what| format!("RNN, T {steps}, k {k}: {what}");
    let random = &mut Random::new((1000 * steps + k) as u64);
    let net = In::<rnn::Params<X, A, T>, Matrix<A, M, T>, T>::random(steps, random);
    let (params, x, a0) = (&net.params, &net.x, &net.init);

    let mut a = garbage(steps);
    rnn::forward(params, x, a0, &mut a).unwrap();
    let (mut grads, mut dx, mut dstate) = (net.grads.clone(), garbage(steps), net.dstate.clone());
    let (mut dz, full) = (net.da.clone(), Some(&mut *dx));
    rnn::backward(params, x, a0, &a, &mut dz, &mut grads, full, &mut dstate).unwrap();

    let mut states = garbage(steps.div_ceil(k));
    let (mut a_k, mut da_k) = (garbage(k), garbage(k));
    checkpoint::rnn_forward(params, x, a0, &mut states, &mut a_k).unwrap();
    for (s, state) in states.iter().enumerate() {
        assert_same(&what("a"), state, &a[steps.min((s + 1) * k) - 1]);
    }
    a_k = garbage(k);
    for with_dx in [true, false] {
        let mut segments = Segments {
            end: steps,
            k,
            a: &a,
            da: &net.da,
        };
        let (mut grads_k, mut dx_k, mut dstate_k) =
            (net.grads.clone(), garbage(steps), net.dstate.clone());
        checkpoint::rnn_backward(
            params,
            x,
            a0,
            &states,
            &mut a_k,
            &mut da_k,
            |start, a, da| segments.gradient(start, a, da),
            &mut grads_k,
            with_dx.then_some(&mut dx_k),
            &mut dstate_k,
        )
        .unwrap();
        assert_eq!(segments.end, 0);
        assert_same(&what("grads"), &grads_k, &grads);
        assert_same(&what("da_state"), &dstate_k, &dstate);
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
            lstm_with_recomputation::<f32>(steps, k);
            lstm_with_recomputation::<f64>(steps, k);
            rnn_with_recomputation::<f32>(steps, k);
            rnn_with_recomputation::<f64>(steps, k);
        }
    }
}

/// Lengths for 7 steps in segments of 3: the buffers of a segment, the states, dx.
const RIGHT: [usize; 5] = [3, 3, 3, 3, 7];

/// The lengths that are right, with each in turn wrong; and what the error must be.
fn wrong(names: [(usize, &'static str); 4]) -> Vec<([usize; 5], LengthMismatch)> {
    let mut all = vec![];
    for (i, what) in names {
        for found in [0, 2, 4, 8] {
            let (mut lengths, expected) = (RIGHT, RIGHT[i]);
            lengths[i] = found;
            all.push((
                lengths,
                LengthMismatch {
                    what,
                    expected,
                    found,
                },
            ));
        }
    }
    all
}

#[test]
fn recomputation_lengths() {
    let random = &mut Random::new(1);
    let net = In::<lstm::Params<X, A, f32>, State<A, M>, f32>::random(7, random);
    let run = |[k, a, da, states, dx]: [usize; 5]| {
        let (mut a, mut caches, mut da) = (garbage(a), garbage(k), garbage(da));
        let (mut states, mut dx) = (garbage(states), garbage(dx));
        let (params, x, init) = (&net.params, &net.x, &net.init);
        let forward = checkpoint::lstm_forward(params, x, init, &mut states, &mut a, &mut caches);
        let written = states != garbage::<State<A, M>>(states.len())
            || a != garbage(a.len())
            || caches != garbage::<Cache<A, M>>(k);
        assert_eq!(written, forward.is_ok());
        (a, caches) = (garbage(a.len()), garbage(k));
        let (mut grads, mut dstate, mut called) = (net.grads.clone(), net.dstate.clone(), false);
        let backward = checkpoint::lstm_backward(
            params,
            x,
            init,
            &states,
            &mut a,
            &mut caches,
            &mut da,
            |_, _, _| called = true,
            &mut grads,
            Some(&mut dx),
            &mut dstate,
        );
        let written = a != garbage(a.len())
            || caches != garbage::<Cache<A, M>>(k)
            || da != garbage(da.len())
            || dx != garbage(dx.len())
            || (&grads, &dstate) != (&net.grads, &net.dstate);
        assert_eq!((called, written), (backward.is_ok(), backward.is_ok()));
        (forward, backward)
    };
    assert_eq!(run(RIGHT), (Ok(()), Ok(())));
    for (lengths, error) in wrong([(1, "a"), (2, "da"), (3, "states"), (4, "dx")]) {
        let (forward, backward) = run(lengths);
        assert_eq!(backward, Err(error));
        let of_forward = matches!(error.what, "a" | "states");
        assert_eq!(forward, if of_forward { Err(error) } else { Ok(()) });
    }
    let no_segment = LengthMismatch {
        what: "caches",
        expected: 1,
        found: 0,
    };
    assert_eq!(run([0, 0, 0, 0, 7]), (Err(no_segment), Err(no_segment)));

    let net = In::<rnn::Params<X, A, f32>, Matrix<A, M>, f32>::random(7, random);
    let run = |[a, _, da, states, dx]: [usize; 5]| {
        let (mut a, mut da) = (garbage(a), garbage(da));
        let (mut states, mut dx) = (garbage(states), garbage(dx));
        let (params, x, a0) = (&net.params, &net.x, &net.init);
        let forward = checkpoint::rnn_forward(params, x, a0, &mut states, &mut a);
        let written = states != garbage(states.len()) || a != garbage(a.len());
        assert_eq!(written, forward.is_ok());
        a = garbage(a.len());
        let (mut grads, mut dstate, mut called) = (net.grads.clone(), net.dstate.clone(), false);
        let backward = checkpoint::rnn_backward(
            params,
            x,
            a0,
            &states,
            &mut a,
            &mut da,
            |_, _, _| called = true,
            &mut grads,
            Some(&mut dx),
            &mut dstate,
        );
        let written = a != garbage(a.len())
            || da != garbage(da.len())
            || dx != garbage(dx.len())
            || (&grads, &dstate) != (&net.grads, &net.dstate);
        assert_eq!((called, written), (backward.is_ok(), backward.is_ok()));
        (forward, backward)
    };
    assert_eq!(run(RIGHT), (Ok(()), Ok(())));
    for (lengths, error) in wrong([(2, "da"), (3, "states"), (4, "dx"), (4, "dx")]) {
        let (forward, backward) = run(lengths);
        assert_eq!(backward, Err(error));
        assert_eq!(
            forward,
            if error.what == "states" {
                Err(error)
            } else {
                Ok(())
            }
        );
    }
    let no_segment = LengthMismatch {
        what: "a",
        expected: 1,
        found: 0,
    };
    assert_eq!(run([0, 0, 0, 0, 7]), (Err(no_segment), Err(no_segment)));
}
