//! How whole jobs are put together from the functions of this crate. No code, only examples that
//! run.
//!
//! The two facts behind all of them: the length of a slice is the number of time steps, and what
//! goes into one call (`init`, `x`, `da`, `dstate`) is of the type that comes out of another. So
//! time is cut with `split_at`, layers are joined by handing slices on, and nothing is copied but a
//! state.
//!
//! * [One sample at a time](#one-sample-at-a-time)
//! * [Chunk by chunk](#chunk-by-chunk)
//! * [Sequence to one](#sequence-to-one)
//! * [Sequence to sequence](#sequence-to-sequence)
//! * [Stacked layers, and all weights as one slice](#stacked-layers-and-all-weights-as-one-slice)
//! * [Both directions](#both-directions)
//! * [Encoder and decoder](#encoder-and-decoder)
//! * [Truncated backpropagation through time](#truncated-backpropagation-through-time)
//! * [Inputs that must be normalised](#inputs-that-must-be-normalised)
//! * Sequences that do not fit into memory: [`checkpoint`](crate::checkpoint)
//! * Sequences of different lengths in one batch: [`lengths`](crate::lengths)
//!
//! # One sample at a time
//!
//! [`lstm::step`](crate::lstm::step) needs no cache. Two states take turns; the state is all that
//! the network remembers.
//!
//! ```
//! use bptt::{Matrix, Vector, dense, lstm};
//!
//! static CELL: lstm::Params<2, 4> = lstm::Params::zeros(); // in flash
//! static HEAD: dense::Params<4, 1> = dense::Params::zeros();
//!
//! let (mut state, mut next) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
//! let mut y = Matrix::<1, 1>::zeros();
//! for sample in [[0.1, -0.2], [0.3, 0.1], [0.0, 0.5]] {
//!     let x = Vector::from_columns([sample]);
//!     lstm::step(&CELL, &x, &state, &mut next);
//!     core::mem::swap(&mut state, &mut next);
//!     dense::forward(&HEAD, &state.a, &mut y);
//! }
//! assert_eq!(y[(0, 0)], 0.0); // all weights are zero
//! ```
//!
//! An RNN likewise, with [`rnn::cell_forward`](crate::rnn::cell_forward) and two matrices.
//!
//! # Chunk by chunk
//!
//! A chunk starts from the state after the one before it. The same bits as the whole sequence at
//! once, wherever it is cut.
//!
//! ```
//! use bptt::{Vector, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut cell = lstm::Params::<2, 4>::zeros();
//! init::uniform(&mut cell, 0.5, || rng.random());
//! let mut x = [const { Vector::<2>::zeros() }; 10];
//! x.iter_mut().for_each(|x| init::uniform(x, 1.0, || rng.random()));
//!
//! let mut a = [const { Vector::<4>::zeros() }; 10];
//! let mut caches = [const { lstm::Cache::zeros() }; 10];
//! lstm::forward(&cell, &x, &lstm::State::zeros(), &mut a, &mut caches)?;
//!
//! let mut state = lstm::State::<4, 1>::zeros();
//! let mut a_3 = [const { Vector::zeros() }; 3];
//! let mut caches_3 = [const { lstm::Cache::zeros() }; 3];
//! for (x, a) in x.chunks(3).zip(a.chunks(3)) {
//!     let n = x.len(); // 3, 3, 3, 1
//!     lstm::forward(&cell, x, &state, &mut a_3[..n], &mut caches_3[..n])?;
//!     assert_eq!(&a_3[..n], a);
//!     state.a.clone_from(&a_3[n - 1]);
//!     state.c.clone_from(&caches_3[n - 1].c);
//! }
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Sequence to one
//!
//! The output layer reads the last step; its gradient is that of the last step, and all others are
//! zero. A whole program is in the [README](crate#a-network-that-learns).
//!
//! ```
//! use bptt::loss::{Reduction, softmax_cross_entropy_classes};
//! use bptt::{Matrix, Vector, dense, lstm};
//!
//! let (cell, head) = (lstm::Params::<2, 4>::zeros(), dense::Params::<4, 3>::zeros());
//! let x = [const { Vector::zeros() }; 5];
//! let init = lstm::State::zeros();
//! let (mut a, mut caches) = ([const { Vector::zeros() }; 5], [const { lstm::Cache::zeros() }; 5]);
//! lstm::forward(&cell, &x, &init, &mut a, &mut caches)?;
//! let (mut z, mut dz) = ([Matrix::<3, 1>::zeros()], [Matrix::zeros()]);
//! dense::forward(&head, &a[4], &mut z[0]);
//! let loss = softmax_cross_entropy_classes(&z, &[[2]], Reduction::Mean, &mut dz)?;
//! assert_eq!(loss, 3_f32.ln()); // three classes, all alike
//!
//! let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
//! let (mut da, mut dstate) = ([const { Vector::zeros() }; 5], lstm::State::zeros());
//! dense::backward(&head, &a[4], &dz[0], &mut grads_head, &mut da[4]);
//! lstm::backward(&cell, &x, &init, &a, &mut caches, &da, &mut grads, None, &mut dstate)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sequence to sequence
//!
//! The output layer reads every step, in one call; what it hands back is `da`.
//!
//! ```
//! use bptt::loss::{Reduction, squared_error};
//! use bptt::{Matrix, Vector, dense, rnn};
//!
//! let (cell, head) = (rnn::Params::<2, 4>::zeros(), dense::Params::<4, 1>::zeros());
//! let (x, target) = ([const { Vector::zeros() }; 5], [const { Matrix::from_rows([[2.0]]) }; 5]);
//! let a0 = Vector::zeros();
//! let mut a = [const { Vector::zeros() }; 5];
//! rnn::forward(&cell, &x, &a0, &mut a)?;
//! let (mut y, mut dy) = ([const { Matrix::zeros() }; 5], [const { Matrix::zeros() }; 5]);
//! dense::sequence_forward(&head, &a, &mut y)?;
//! let loss = squared_error(&y, &target, Reduction::Mean, &mut dy)?;
//! assert_eq!(loss, 4.0);
//!
//! let (mut grads, mut grads_head) = (rnn::Params::zeros(), dense::Params::zeros());
//! let (mut da, mut da_state) = ([const { Vector::zeros() }; 5], Vector::zeros());
//! dense::sequence_backward(&head, &a, &dy, &mut grads_head, &mut da)?;
//! rnn::backward(&cell, &x, &a0, &a, &mut da, &mut grads, None, &mut da_state)?;
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Stacked layers, and all weights as one slice
//!
//! The `a` of one layer is the `x` of the next, and the `dx` of a layer is the `da` of the one
//! below. A network of one's own is a struct of views into one flat slice: then one optimizer with
//! one pair of moments serves all its layers, and its weights are one array to store and to load.
//! Gradients have the same struct.
//!
//! ```
//! use bptt::optimizer::Adam;
//! use bptt::{Flat, LengthMismatch, Vector, dense, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! type Lower = lstm::Params<2, 4>;
//! type Upper = lstm::Params<4, 4>;
//! type Head = dense::Params<4, 1>;
//! const LEN: usize = Lower::LEN + Upper::LEN + Head::LEN;
//!
//! struct Network<'a> {
//!     lower: &'a mut Lower,
//!     upper: &'a mut Upper,
//!     head: &'a mut Head,
//! }
//!
//! fn network(flat: &mut [f32; LEN]) -> Result<Network<'_>, LengthMismatch> {
//!     let (lower, rest) = flat.split_at_mut(Lower::LEN);
//!     let (upper, head) = rest.split_at_mut(Upper::LEN);
//!     Ok(Network {
//!         lower: Lower::from_flat_mut(lower)?,
//!         upper: Upper::from_flat_mut(upper)?,
//!         head: Head::from_flat_mut(head)?,
//!     })
//! }
//!
//! let (mut weights, mut m, mut v) = ([0.0; LEN], [0.0; LEN], [0.0; LEN]);
//! let mut rng = SmallRng::seed_from_u64(1);
//! weights.iter_mut().for_each(|w| *w = rng.random_range(-0.5..0.5));
//! let mut adam = Adam::new(0.05);
//! let x = [const { Vector::from_columns([[0.3, -0.4]]) }; 5];
//! let init = lstm::State::zeros();
//! let mut loss = 0.0;
//! for _ in 0..100 {
//!     let mut gradient = [0.0; LEN];
//!     let (net, grads) = (network(&mut weights)?, network(&mut gradient)?);
//!     let (mut a1, mut a2) = ([const { Vector::zeros() }; 5], [const { Vector::zeros() }; 5]);
//!     let mut caches = [const { [const { lstm::Cache::zeros() }; 5] }; 2];
//!     let [caches1, caches2] = &mut caches;
//!     lstm::forward(net.lower, &x, &init, &mut a1, caches1)?;
//!     lstm::forward(net.upper, &a1, &init, &mut a2, caches2)?;
//!     let mut y = Vector::<1>::zeros();
//!     dense::forward(net.head, &a2[4], &mut y);
//!     loss = (y[(0, 0)] - 0.7).powi(2);
//!
//!     let dy = Vector::from_columns([[2.0 * (y[(0, 0)] - 0.7)]]);
//!     let (mut da1, mut da2) = ([const { Vector::zeros() }; 5], [const { Vector::zeros() }; 5]);
//!     dense::backward(net.head, &a2[4], &dy, grads.head, &mut da2[4]);
//!     let (mut dstate1, mut dstate2) = (lstm::State::zeros(), lstm::State::zeros());
//!     let dx2 = Some(&mut da1[..]);
//!     lstm::backward(net.upper, &a1, &init, &a2, caches2, &da2, grads.upper, dx2, &mut dstate2)?;
//!     lstm::backward(net.lower, &x, &init, &a1, caches1, &da1, grads.lower, None, &mut dstate1)?;
//!     adam.update(&mut weights, &gradient, &mut m, &mut v)?;
//! }
//! assert!(loss < 1e-4);
//! # Ok::<(), LengthMismatch>(())
//! ```
//!
//! # Both directions
//!
//! Two passes with weights of their own, the second over the reversed sequence. `reverse` turns a
//! slice round in place. What reads both has 2·A inputs; where it is an output layer, that is two
//! layers whose outputs are added, and no copy is needed. The gradients with respect to x are added
//! up.
//!
//! ```
//! use bptt::{Flat, Vector, init, rnn};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut cells = [const { rnn::Params::<2, 4>::zeros() }; 2];
//! cells.iter_mut().for_each(|cell| init::uniform(cell, 0.5, || rng.random()));
//! let [forward, backward] = &cells;
//! let mut x = [const { Vector::<2>::zeros() }; 5];
//! x.iter_mut().for_each(|x| init::uniform(x, 1.0, || rng.random()));
//!
//! let a0 = Vector::zeros();
//! let mut a_f = [const { Vector::<4>::zeros() }; 5];
//! let mut a_b = [const { Vector::<4>::zeros() }; 5];
//! rnn::forward(forward, &x, &a0, &mut a_f)?;
//! x.reverse();
//! rnn::forward(backward, &x, &a0, &mut a_b)?;
//! a_b.reverse(); // a_b[t] now has read x[t], x[t + 1], …
//!
//! // The gradients of the sum of all outputs.
//! let mut da_f = [const { Vector::from_columns([[1.0; 4]]) }; 5];
//! let mut da_b = da_f.clone();
//! let mut grads = [const { rnn::Params::zeros() }; 2];
//! let [grads_f, grads_b] = &mut grads;
//! let (mut dx, mut dx_b) = ([const { Vector::zeros() }; 5], [const { Vector::zeros() }; 5]);
//! let (mut dstate_f, mut dstate_b) = (Vector::zeros(), Vector::zeros());
//! a_b.reverse();
//! da_b.reverse(); // x, a_b and da_b run backward in time
//! rnn::backward(backward, &x, &a0, &a_b, &mut da_b, grads_b, Some(&mut dx_b), &mut dstate_b)?;
//! x.reverse();
//! dx_b.reverse(); // and forward again
//! rnn::backward(forward, &x, &a0, &a_f, &mut da_f, grads_f, Some(&mut dx), &mut dstate_f)?;
//! for (dx, dx_b) in Flat::slice_as_flat_mut(&mut dx).iter_mut().zip(Flat::slice_as_flat(&dx_b)) {
//!     *dx += dx_b;
//! }
//! # assert!(dx.iter().all(|dx| dx[(0, 0)] != 0.0));
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Encoder and decoder
//!
//! The last state of one network is the first of another; the gradient goes the other way: what the
//! decoder's backward leaves in `dstate` is what the encoder's takes.
//!
//! ```
//! use bptt::{Matrix, lstm};
//!
//! let mut encoder = lstm::Params::<1, 2>::zeros();
//! encoder.g.wx.fill(1.0);
//! let decoder = lstm::Params::<1, 2>::zeros();
//! let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
//! let y = [const { Matrix::<1, 1>::zeros() }; 2];
//!
//! let init = lstm::State::zeros();
//! let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
//! lstm::forward(&encoder, &x, &init, &mut a, &mut caches)?;
//! let meaning = lstm::State { a: a[2].clone(), c: caches[2].c.clone() };
//! let mut a_out = [const { Matrix::zeros() }; 2];
//! let mut caches_out = [const { lstm::Cache::zeros() }; 2];
//! lstm::forward(&decoder, &y, &meaning, &mut a_out, &mut caches_out)?;
//!
//! let da_out = [const { Matrix::from_rows([[1.0], [1.0]]) }; 2]; // from a loss
//! let (mut grads, mut grads_out) = (lstm::Params::zeros(), lstm::Params::zeros());
//! let mut dstate = lstm::State::zeros();
//! lstm::backward(
//!     &decoder, &y, &meaning, &a_out, &mut caches_out, &da_out, &mut grads_out, None, &mut dstate,
//! )?;
//! let da = [const { Matrix::zeros() }; 3]; // only its last state is used
//! lstm::backward(&encoder, &x, &init, &a, &mut caches, &da, &mut grads, None, &mut dstate)?;
//! assert!(grads.g.wx[(0, 0)] > 0.0);
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Truncated backpropagation through time
//!
//! A stream is cut into segments. The state goes from one to the next; the gradient stops at the
//! cut: `dstate` starts from zeros in every segment. The weights may change between two segments.
//!
//! ```
//! use bptt::loss::{Reduction, squared_error};
//! use bptt::optimizer::Sgd;
//! use bptt::{Flat, Matrix, Vector, dense, lstm};
//!
//! const K: usize = 8; // steps in a segment
//!
//! let (mut cell, mut head) = (lstm::Params::<2, 4>::zeros(), dense::Params::<4, 1>::zeros());
//! cell.g.wx.fill(0.5);
//! head.w.fill(0.5);
//! let sgd = Sgd { learning_rate: 0.2 };
//! let mut state = lstm::State::<4, 1>::zeros();
//! let (mut a, mut da) = ([const { Vector::zeros() }; K], [const { Vector::zeros() }; K]);
//! let mut caches = [const { lstm::Cache::zeros() }; K];
//! let (mut y, mut dy) = ([const { Matrix::<1, 1>::zeros() }; K], [const { Matrix::zeros() }; K]);
//!
//! let mut losses = [0.0; 200];
//! for (segment, loss) in losses.iter_mut().enumerate() {
//!     // The job: to say what the last sample was.
//!     let sample = |t: usize| ((segment * K + t) as f32 * 0.8).sin();
//!     let x: [Vector<2>; K] = core::array::from_fn(|t| Vector::from_columns([[sample(t), 1.0]]));
//!     let target: [Matrix<1, 1>; K] = core::array::from_fn(|t| Matrix::from_rows([[sample(t)]]));
//!
//!     lstm::forward(&cell, &x, &state, &mut a, &mut caches)?;
//!     dense::sequence_forward(&head, &a, &mut y)?;
//!     *loss = squared_error(&y, &target, Reduction::Mean, &mut dy)?;
//!     let next = lstm::State { a: a[K - 1].clone(), c: caches[K - 1].c.clone() };
//!
//!     let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
//!     dense::sequence_backward(&head, &a, &dy, &mut grads_head, &mut da)?;
//!     let mut dstate = lstm::State::zeros(); // the gradient stops here
//!     lstm::backward(&cell, &x, &state, &a, &mut caches, &da, &mut grads, None, &mut dstate)?;
//!     sgd.update(cell.as_flat_mut(), grads.as_flat())?;
//!     sgd.update(head.as_flat_mut(), grads_head.as_flat())?;
//!     state = next;
//! }
//! assert!(losses[199] < 0.1 * losses[0]);
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! Where the weights do not change and the gradient must not stop, hand `dstate` on from each
//! segment to the one before it: that is the whole backward, bit for bit, and what
//! [`checkpoint`](crate::checkpoint) does.
//!
//! # Inputs that must be normalised
//!
//! A network that was trained on (x − μ)/σ reads x itself when μ and σ are folded into its weights,
//! once, on the host: W·((x − μ)/σ) + b = (W/σ)·x + (b − (W/σ)·μ), column by column of Wx. The same
//! outputs within rounding.
//!
//! ```
//! use bptt::{Affine, Vector, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! fn fold<const X: usize, const A: usize>(
//!     gate: &mut Affine<X, A>,
//!     mean: [f32; X],
//!     std: [f32; X],
//! ) {
//!     for k in 0..X {
//!         for r in 0..A {
//!             let w = gate.wx[(r, k)] / std[k];
//!             gate.wx[(r, k)] = w;
//!             gate.b[(r, 0)] -= w * mean[k];
//!         }
//!     }
//! }
//!
//! let (mean, std) = ([20.0, -3.0], [5.0, 0.5]);
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut cell = lstm::Params::<2, 4>::zeros();
//! init::uniform(&mut cell, 0.5, || rng.random());
//! let mut folded = cell.clone();
//! let lstm::Params { f, i, g, o } = &mut folded;
//! for gate in [f, i, g, o] {
//!     fold(gate, mean, std);
//! }
//!
//! let x = [23.0, -2.5];
//! let normalised = [(x[0] - mean[0]) / std[0], (x[1] - mean[1]) / std[1]];
//! let start = lstm::State::zeros();
//! let (mut expected, mut found) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
//! lstm::step(&cell, &Vector::from_columns([normalised]), &start, &mut expected);
//! lstm::step(&folded, &Vector::from_columns([x]), &start, &mut found);
//! for r in 0..4 {
//!     assert!((found.a[(r, 0)] - expected.a[(r, 0)]).abs() < 1e-6);
//! }
//! ```
