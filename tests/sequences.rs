//! The laws of long sequences and of sequences of different lengths, bit for bit, in f32 and f64:
//!
//! * backward with recomputation gives what the full backward gives, for every length and every
//!   segment;
//! * padding changes nothing: each sample of a padded batch has what it has on its own, and the
//!   gradients of the weights are the sum over the steps that are no padding, in the documented
//!   order.

#[path = "common/random.rs"]
mod random;

use std::slice;

use bptt::lstm::{self, Cache, State};
use bptt::{Affine, Flat, LengthMismatch, Matrix, Real, checkpoint, lengths, rnn};
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

// ------------------------------------------------------------------------------- different lengths

fn column<const R: usize, T: Real>(w: &Matrix<R, M, T>, m: usize) -> Matrix<R, 1, T> {
    Matrix::from_columns([*w.column(m).unwrap()])
}

fn columns<const R: usize, T: Real>(w: &[Matrix<R, M, T>], m: usize) -> Vec<Matrix<R, 1, T>> {
    w.iter().map(|w| column(w, m)).collect()
}

fn state_column<T: Real>(state: &State<A, M, T>, m: usize) -> State<A, 1, T> {
    State {
        a: column(&state.a, m),
        c: column(&state.c, m),
    }
}

/// dW + dz·uᵀ and db + dz for one step of one sample.
fn add_gradients<T: Real>(
    grads: &mut Affine<X, A, T>,
    dz: &Matrix<A, 1, T>,
    x: &Matrix<X, 1, T>,
    a_prev: &Matrix<A, 1, T>,
) {
    for r in 0..A {
        for k in 0..X {
            grads.wx[(r, k)] += dz[(r, 0)] * x[(k, 0)];
        }
        for k in 0..A {
            grads.wa[(r, k)] += dz[(r, 0)] * a_prev[(k, 0)];
        }
        grads.b[(r, 0)] += dz[(r, 0)];
    }
}

/// A sample on its own: a, dx, what is left of the gradient at the start, dz of every gate.
struct Sample<S, D, T: Real> {
    a: Vec<Matrix<A, 1, T>>,
    last: S,
    dx: Vec<Matrix<X, 1, T>>,
    dstate: S,
    dz: Vec<D>,
}

/// The steps that are no padding, in the order in which they are added up, with the output before
/// each.
fn steps<S, D, T: Real>(
    samples: &[Sample<S, D, T>],
    lengths: [usize; M],
) -> Vec<(usize, usize, Option<Matrix<A, 1, T>>)> {
    let mut all = vec![];
    for t in (0..lengths.into_iter().max().unwrap()).rev() {
        for m in (0..M).filter(|&m| t < lengths[m]) {
            all.push((t, m, t.checked_sub(1).map(|t| samples[m].a[t].clone())));
        }
    }
    all
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
fn pad<P, S: Flat<Scalar = T>, T: Real>(
    net: &mut In<P, S, T>,
    lengths: [usize; M],
    padding: Padding,
    random: &mut Random,
) {
    for (t, (x, da)) in net.x.iter_mut().zip(&mut net.da).enumerate() {
        for m in (0..M).filter(|&m| t >= lengths[m]) {
            let column = x.column_mut(m).unwrap();
            match padding {
                Padding::Zeros => column.fill(T::ZERO),
                Padding::Small => random.fill(column, 1.0),
                Padding::Large => random.fill(column, 1e30),
            }
            da.column_mut(m).unwrap().fill(T::from_f64(f64::NAN));
        }
        for m in (0..M).filter(|&m| t < lengths[m] && random.index(2) == 0) {
            da.column_mut(m).unwrap().fill(-T::ZERO);
        }
    }
    for scalar in net.dstate.as_flat_mut() {
        if random.index(3) == 0 {
            *scalar = -T::ZERO;
        }
    }
}

fn lstm_with_lengths<T: Real>(lengths: [usize; M], steps_padded: usize, padding: Padding) {
    let what = |what| format!("LSTM, {lengths:?} of {steps_padded}, {padding:?}: {what}");
    let random = &mut Random::new(lengths.iter().fold(1, |seed, l| 100 * seed + *l as u64));
    let mut net = In::<lstm::Params<X, A, T>, State<A, M, T>, T>::random(steps_padded, random);
    pad(&mut net, lengths, padding, random);
    let (params, x, init) = (&net.params, &net.x, &net.init);

    let samples: Vec<_> = (0..M)
        .map(|m| {
            let x = columns(&x[..lengths[m]], m);
            let da = columns(&net.da[..lengths[m]], m);
            let init = state_column(init, m);
            let (mut a, mut dx) = (garbage(x.len()), garbage(x.len()));
            let mut dz = garbage::<Cache<A, 1, T>>(x.len());
            lstm::forward(params, &x, &init, &mut a, &mut dz).unwrap();
            let last = match x.len() {
                0 => init.clone(),
                n => State {
                    a: a[n - 1].clone(),
                    c: dz[n - 1].c.clone(),
                },
            };
            let (mut grads, mut dstate) = (lstm::Params::zeros(), state_column(&net.dstate, m));
            let out = Some(&mut *dx);
            lstm::backward(
                params,
                &x,
                &init,
                &a,
                &mut dz,
                &da,
                &mut grads,
                out,
                &mut dstate,
            )
            .unwrap();
            Sample {
                a,
                last,
                dx,
                dstate,
                dz,
            }
        })
        .collect();
    let mut expected = net.grads.clone();
    for (t, m, a_prev) in steps(&samples, lengths) {
        let (x, dz) = (column(&x[t], m), &samples[m].dz[t]);
        let a_prev = a_prev.unwrap_or_else(|| column(&init.a, m));
        add_gradients(&mut expected.f, &dz.f, &x, &a_prev);
        add_gradients(&mut expected.i, &dz.i, &x, &a_prev);
        add_gradients(&mut expected.g, &dz.g, &x, &a_prev);
        add_gradients(&mut expected.o, &dz.o, &x, &a_prev);
    }

    let (mut a, mut caches) = (
        garbage(steps_padded),
        garbage::<Cache<A, M, T>>(steps_padded),
    );
    lstm::forward(params, x, init, &mut a, &mut caches).unwrap();
    let mut last: State<A, M, T> = State::zeros();
    lengths::lstm_last(&lengths, init, &a, &caches, &mut last).unwrap();
    let (mut dx, mut da) = (garbage(steps_padded), net.da.clone());
    let (mut grads, mut dstate) = (net.grads.clone(), net.dstate.clone());
    let mut scratch = [random.flat(1.0), random.flat(1.0)];
    lengths::lstm_backward(
        params,
        &lengths,
        x,
        init,
        &a,
        &mut caches,
        &mut da,
        &mut grads,
        Some(&mut dx),
        &mut dstate,
        &mut scratch,
    )
    .unwrap();
    for (m, sample) in samples.iter().enumerate() {
        let n = lengths[m];
        assert_same_bits(&what("a"), &columns(&a[..n], m), &sample.a);
        assert_same(&what("last"), &state_column(&last, m), &sample.last);
        assert_same_bits(&what("dx"), &columns(&dx[..n], m), &sample.dx);
        let zeros = vec![Matrix::zeros(); steps_padded - n];
        assert_same_bits(&what("dx of padding"), &columns(&dx[n..], m), &zeros);
        assert_same(&what("dstate"), &state_column(&dstate, m), &sample.dstate);
    }
    assert_same(&what("grads"), &grads, &expected);
}

fn rnn_with_lengths<T: Real>(lengths: [usize; M], steps_padded: usize, padding: Padding) {
    let what = |what| format!("RNN, {lengths:?} of {steps_padded}, {padding:?}: {what}");
    let random = &mut Random::new(lengths.iter().fold(1, |seed, l| 100 * seed + *l as u64));
    let mut net = In::<rnn::Params<X, A, T>, Matrix<A, M, T>, T>::random(steps_padded, random);
    pad(&mut net, lengths, padding, random);
    let (params, x, a0) = (&net.params, &net.x, &net.init);

    let samples: Vec<_> = (0..M)
        .map(|m| {
            let x = columns(&x[..lengths[m]], m);
            let mut dz = columns(&net.da[..lengths[m]], m);
            let a0 = column(a0, m);
            let (mut a, mut dx) = (garbage(x.len()), garbage(x.len()));
            rnn::forward(params, &x, &a0, &mut a).unwrap();
            let last = a.last().unwrap_or(&a0).clone();
            let (mut grads, mut dstate) = (rnn::Params::zeros(), column(&net.dstate, m));
            let out = Some(&mut *dx);
            rnn::backward(params, &x, &a0, &a, &mut dz, &mut grads, out, &mut dstate).unwrap();
            Sample {
                a,
                last,
                dx,
                dstate,
                dz,
            }
        })
        .collect();
    let mut expected = net.grads.clone();
    for (t, m, a_prev) in steps(&samples, lengths) {
        let a_prev = a_prev.unwrap_or_else(|| column(a0, m));
        add_gradients(&mut expected, &samples[m].dz[t], &column(&x[t], m), &a_prev);
    }

    let mut a = garbage(steps_padded);
    rnn::forward(params, x, a0, &mut a).unwrap();
    let mut last: Matrix<A, M, T> = Matrix::zeros();
    lengths::rnn_last(&lengths, a0, &a, &mut last).unwrap();
    let (mut dx, mut da) = (garbage(steps_padded), net.da.clone());
    let (mut grads, mut dstate) = (net.grads.clone(), net.dstate.clone());
    let mut scratch = random.flat(1.0);
    lengths::rnn_backward(
        params,
        &lengths,
        x,
        a0,
        &a,
        &mut da,
        &mut grads,
        Some(&mut dx),
        &mut dstate,
        &mut scratch,
    )
    .unwrap();
    for (m, sample) in samples.iter().enumerate() {
        let n = lengths[m];
        assert_same_bits(&what("a"), &columns(&a[..n], m), &sample.a);
        assert_same(&what("last"), &column(&last, m), &sample.last);
        assert_same_bits(&what("dz"), &columns(&da[..n], m), &sample.dz);
        assert_same_bits(&what("dx"), &columns(&dx[..n], m), &sample.dx);
        let zeros = vec![Matrix::zeros(); steps_padded - n];
        assert_same_bits(&what("dx of padding"), &columns(&dx[n..], m), &zeros);
        assert_same(&what("da_state"), &column(&dstate, m), &sample.dstate);
    }
    assert_same(&what("grads"), &grads, &expected);
}

#[test]
fn padding_changes_no_bit() {
    let mut cases = vec![([70, 33, 65], 70), ([0, 64, 65], 130)];
    let some = [0, 1, 4, 6];
    for l0 in some {
        for l1 in some {
            cases.extend(some.map(|l2| ([l0, l1, l2], 6)));
        }
    }
    for (lengths, steps) in cases {
        for padding in PADDINGS {
            lstm_with_lengths::<f32>(lengths, steps, padding);
            lstm_with_lengths::<f64>(lengths, steps, padding);
            rnn_with_lengths::<f32>(lengths, steps, padding);
            rnn_with_lengths::<f64>(lengths, steps, padding);
        }
    }
}

#[test]
fn lengths_that_do_not_fit() {
    let random = &mut Random::new(1);
    let mismatch = |what, expected, found| {
        Err(LengthMismatch {
            what,
            expected,
            found,
        })
    };
    // a, caches, da, dx, the greatest length
    let right = [4; 5];
    let names = ["a", "caches", "da", "dx", "lengths"];

    let net = In::<lstm::Params<X, A, f32>, State<A, M>, f32>::random(4, random);
    let mut run = |[a, caches, da, dx, longest]: [usize; 5]| {
        let (a, mut caches) = (
            random.sequence(a, 1.0),
            vec![random.flat::<Cache<A, M>>(1.0); caches],
        );
        let (mut da, mut dx) = (garbage(da), garbage(dx));
        let (mut grads, mut dstate) = (net.grads.clone(), net.dstate.clone());
        let mut scratch: [State<A, M>; 2] = [random.flat(1.0), random.flat(1.0)];
        let before = (caches.clone(), da.clone(), dx.clone(), scratch.clone());
        let result = lengths::lstm_backward(
            &net.params,
            &[longest, 0, 3],
            &net.x,
            &net.init,
            &a,
            &mut caches,
            &mut da,
            &mut grads,
            Some(&mut dx),
            &mut dstate,
            &mut scratch,
        );
        let written =
            (caches, da, dx, scratch) != before || (&grads, &dstate) != (&net.grads, &net.dstate);
        assert_eq!(written, result.is_ok());
        result
    };
    assert_eq!(run(right), Ok(()));
    for (i, name) in names.into_iter().enumerate() {
        for wrong in [0, 3, 5] {
            if name == "lengths" && wrong < 4 {
                continue; // shorter is right
            }
            let mut lengths = right;
            lengths[i] = wrong;
            assert_eq!(run(lengths), mismatch(name, 4, wrong));
        }
    }

    let net = In::<rnn::Params<X, A, f32>, Matrix<A, M>, f32>::random(4, random);
    let mut run = |[a, _, da, dx, longest]: [usize; 5]| {
        let a = random.sequence(a, 1.0);
        let (mut da, mut dx) = (garbage(da), garbage(dx));
        let (mut grads, mut dstate) = (net.grads.clone(), net.dstate.clone());
        let mut scratch: Matrix<A, M> = random.flat(1.0);
        let before = (da.clone(), dx.clone(), scratch.clone());
        let result = lengths::rnn_backward(
            &net.params,
            &[longest, 0, 3],
            &net.x,
            &net.init,
            &a,
            &mut da,
            &mut grads,
            Some(&mut dx),
            &mut dstate,
            &mut scratch,
        );
        let written = (da, dx, scratch) != before || (&grads, &dstate) != (&net.grads, &net.dstate);
        assert_eq!(written, result.is_ok());
        result
    };
    assert_eq!(run(right), Ok(()));
    for (i, name) in names.into_iter().enumerate().filter(|&(i, _)| i != 1) {
        for wrong in [0, 3, 5] {
            if name == "lengths" && wrong < 4 {
                continue;
            }
            let mut lengths = right;
            lengths[i] = wrong;
            assert_eq!(run(lengths), mismatch(name, 4, wrong));
        }
    }

    let (state, a) = (State::<A, M>::zeros(), random.sequence::<A, M, f32>(4, 1.0));
    let mut last = state.clone();
    let caches = vec![Cache::zeros(); 3];
    let result = lengths::lstm_last(&[0, 0, 4], &state, &a, &caches, &mut last);
    assert_eq!(result, mismatch("caches", 4, 3));
    let result = lengths::lstm_last(&[3, 4, 1], &state, &a[..3], &caches, &mut last);
    assert_eq!(result, mismatch("lengths", 3, 4));
    let result = lengths::rnn_last(&[5, 4, 1], &state.a, &a, &mut last.a);
    assert_eq!(result, mismatch("lengths", 4, 5));
    assert_eq!(last, state);
}
