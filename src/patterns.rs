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
//! * [A whole training](#a-whole-training)
//! * [Large networks](#large-networks)
//! * [Both directions](#both-directions)
//! * [Encoder and decoder](#encoder-and-decoder)
//! * [Truncated backpropagation through time](#truncated-backpropagation-through-time)
//! * [Inputs that must be normalised](#inputs-that-must-be-normalised)
//! * [Arrays of other programs](#arrays-of-other-programs)
//! * [On the device in integers](#on-the-device-in-integers)
//! * Sequences that do not fit into memory: [`checkpoint`](crate::checkpoint)
//! * Sequences of different lengths in one batch: [`lengths`](crate::lengths)
//!
//! # One sample at a time
//!
//! [`Cell::step`](crate::Cell::step) needs no cache. Two states take turns; the state is all that
//! the network remembers.
//!
//! ```
//! use bptt::{Cell, Matrix, Vector, dense, lstm};
//!
//! static CELL: lstm::Params<2, 4> = lstm::Params::zeros(); // in flash
//! static HEAD: dense::Params<4, 1> = dense::Params::zeros();
//!
//! let (mut state, mut next) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
//! let mut y = Matrix::<1, 1>::zeros();
//! for sample in [[0.1, -0.2], [0.3, 0.1], [0.0, 0.5]] {
//!     let x = Vector::from_columns([sample]);
//!     CELL.step(&x, &state, &mut next);
//!     core::mem::swap(&mut state, &mut next);
//!     dense::forward(&HEAD, &state.a, &mut y);
//! }
//! assert_eq!(y[(0, 0)], 0.0); // all weights are zero
//! ```
//!
//! Another cell likewise; the state of a GRU or of an RNN is a matrix.
//!
//! # Chunk by chunk
//!
//! A chunk starts from the state after the one before it. The same bits as the whole sequence at
//! once, wherever it is cut.
//!
//! ```
//! use bptt::{Cell, Flat, Vector, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut cell = lstm::Params::<2, 4>::zeros();
//! init::uniform(&mut cell, 0.5, || rng.random());
//! let mut x = [const { Vector::<2>::zeros() }; 10];
//! x.iter_mut().for_each(|x| init::uniform(x, 1.0, || rng.random()));
//!
//! let (mut state, mut next) = (lstm::State::zeros(), lstm::State::zeros());
//! let (mut a, mut caches) = ([const { Vector::<4>::zeros() }; 10], [const { lstm::Cache::zeros() }; 10]);
//! let whole = cell.forward(&x, &lstm::State::ZEROS, &mut a, &mut caches)?;
//!
//! let (mut a, mut caches) = ([const { Vector::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
//! for (x, same) in x.chunks(3).zip(whole.a().chunks(3)) {
//!     let n = x.len(); // 3, 3, 3, 1
//!     let tape = cell.forward(x, &state, &mut a[..n], &mut caches[..n])?;
//!     assert_eq!(tape.a(), same);
//!     tape.last(&mut next);
//!     core::mem::swap(&mut state, &mut next);
//! }
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Sequence to one
//!
//! The output layer reads the last step; its gradient is that of the last step, and all others are
//! zero.
//!
//! ```
//! use bptt::loss::{Reduction, softmax_cross_entropy_classes};
//! use bptt::{Cell, Matrix, Vector, dense, lstm};
//!
//! let (cell, head) = (lstm::Params::<2, 4>::zeros(), dense::Params::<4, 3>::zeros());
//! let x = [const { Vector::zeros() }; 5];
//! let init = lstm::State::zeros();
//! let (mut a, mut caches) = ([const { Vector::zeros() }; 5], [const { lstm::Cache::zeros() }; 5]);
//! let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
//! let (mut z, mut dz) = ([Matrix::<3, 1>::zeros()], [Matrix::zeros()]);
//! dense::forward(&head, &tape.a()[4], &mut z[0]);
//! let loss = softmax_cross_entropy_classes(&z, &[[2]], None, Reduction::Mean, Some(&mut dz))?;
//! assert_eq!(loss, 3_f32.ln()); // three classes, all alike
//!
//! let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
//! let (mut da, mut dstate) = ([const { Vector::zeros() }; 5], lstm::State::zeros());
//! dense::backward(&head, &tape.a()[4], &dz[0], &mut grads_head, &mut da[4]);
//! tape.backward(&da, &mut grads, None, &mut dstate)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sequence to sequence
//!
//! The output layer reads every step, in one call; what it hands back is `da`.
//!
//! ```
//! use bptt::loss::{Reduction, squared_error};
//! use bptt::{Cell, Matrix, Vector, dense, rnn};
//!
//! let (cell, head) = (rnn::Params::<2, 4>::zeros(), dense::Params::<4, 1>::zeros());
//! let (x, target) = ([const { Vector::zeros() }; 5], [const { Matrix::from_rows([[2.0]]) }; 5]);
//! let init = Vector::zeros();
//! let (mut a, mut caches) = ([const { Vector::zeros() }; 5], [const { Vector::zeros() }; 5]);
//! let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
//! let (mut y, mut dy) = ([const { Matrix::zeros() }; 5], [const { Matrix::zeros() }; 5]);
//! dense::sequence_forward(&head, tape.a(), &mut y)?;
//! let loss = squared_error(&y, &target, None, Reduction::Mean, Some(&mut dy))?;
//! assert_eq!(loss, 4.0);
//!
//! let (mut grads, mut grads_head) = (rnn::Params::zeros(), dense::Params::zeros());
//! let (mut da, mut dstate) = ([const { Vector::zeros() }; 5], Vector::zeros());
//! dense::sequence_backward(&head, tape.a(), &dy, &mut grads_head, &mut da)?;
//! tape.backward(&da, &mut grads, None, &mut dstate)?;
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Stacked layers, and all weights as one slice
//!
//! The `a` of one layer is the `x` of the next, and the `dx` of a layer is the `da` of the one
//! below. [`flat_struct!`](crate::flat_struct) makes one network of them: one optimizer with one
//! pair of moments serves all its layers, and its weights are one array to store and to load.
//! Gradients and moments have the same type.
//!
//! ```
//! use bptt::optimizer::Adam;
//! use bptt::{Cell, Flat, TrainingError, Vector, dense, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! bptt::flat_struct! {
//!     struct Net, NetRef, NetMut {
//!         lower: lstm::Params<2, 4>,
//!         upper: lstm::Params<4, 4>,
//!         head: dense::Params<4, 1>,
//!     }
//! }
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let (mut net, mut m, mut v) = (Net::zeros(), Net::zeros(), Net::zeros());
//! init::uniform(&mut net, 0.5, || rng.random());
//! let mut adam = Adam::new(0.05);
//! let x = [const { Vector::from_columns([[0.3, -0.4]]) }; 5];
//! let init = lstm::State::zeros();
//! let [mut a1, mut a2] = [const { [const { Vector::zeros() }; 5] }; 2];
//! let [mut caches1, mut caches2] = [const { [const { lstm::Cache::zeros() }; 5] }; 2];
//! let mut loss = 0.0;
//! for _ in 0..100 {
//!     let net_ref = net.parts();
//!     let lower = net_ref.lower.forward(&x, &init, &mut a1, &mut caches1)?;
//!     let upper = net_ref.upper.forward(lower.a(), &init, &mut a2, &mut caches2)?;
//!     let mut y = Vector::<1>::zeros();
//!     dense::forward(net_ref.head, &upper.a()[4], &mut y);
//!     let error = y[(0, 0)] - 0.7;
//!     loss = error * error;
//!
//!     let mut grads = Net::zeros();
//!     let d = grads.parts_mut();
//!     let dy = Vector::from_columns([[2.0 * error]]);
//!     let [mut da1, mut da2] = [const { [const { Vector::zeros() }; 5] }; 2];
//!     dense::backward(net_ref.head, &upper.a()[4], &dy, d.head, &mut da2[4]);
//!     upper.backward(&da2, d.upper, Some(&mut da1), &mut lstm::State::zeros())?;
//!     lower.backward(&da1, d.lower, None, &mut lstm::State::zeros())?;
//!     adam.update(net.as_flat_mut(), grads.as_flat(), m.as_flat_mut(), v.as_flat_mut())?;
//! }
//! assert!(loss < 1e-4);
//! # Ok::<(), TrainingError>(())
//! ```
//!
//! # A whole training
//!
//! Shuffled mini-batches with an incomplete last one, whose empty places have weight 0; evaluation
//! without gradients; a learning rate with warm-up; clipping; early stopping, which keeps the best
//! weights; and before all that, the gradient held against differences in `f64`.
//!
//! ```
//! use bptt::loss::{Reduction, softmax_cross_entropy_classes};
//! use bptt::optimizer::{Adam, clip_by_global_norm};
//! use bptt::{Cell, Flat, Matrix, Real, TrainingError, dense, init, lstm, schedule};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};
//!
//! const STEPS: usize = 6;
//! const M: usize = 16; // samples of a batch
//!
//! bptt::flat_struct! {
//!     struct Net<T: Real = f32>, NetRef, NetMut {
//!         cell: lstm::Params<1, 8, T>,
//!         head: dense::Params<8, 2, T>,
//!     }
//! }
//!
//! struct Sample {
//!     x: [f32; STEPS],
//!     class: usize, // whether the first half is greater than the second
//! }
//!
//! /// The mean loss of up to M samples; its gradient is added to `grads`, where they are given.
//! fn run<T: Real>(
//!     net: &Net<T>,
//!     samples: &[Sample],
//!     grads: Option<&mut Net<T>>,
//! ) -> Result<T, TrainingError> {
//!     let mut x = [const { Matrix::<1, M, T>::zeros() }; STEPS];
//!     let (mut classes, mut weights) = ([[0; M]], [[T::ZERO; M]]); // nothing counts but samples
//!     for (m, sample) in samples.iter().enumerate() {
//!         (classes[0][m], weights[0][m]) = (sample.class, T::ONE);
//!         for t in 0..STEPS {
//!             x[t][(0, m)] = T::from_f64(sample.x[t].into());
//!         }
//!     }
//!     let NetRef { cell, head } = net.parts();
//!     let init = lstm::State::zeros();
//!     let mut a = [const { Matrix::zeros() }; STEPS];
//!     let mut caches = [const { lstm::Cache::zeros() }; STEPS];
//!     let tape = cell.forward(&x, &init, &mut a, &mut caches)?;
//!     let (mut z, mut dz) = ([Matrix::zeros()], [Matrix::zeros()]);
//!     dense::forward(head, &tape.a()[STEPS - 1], &mut z[0]);
//!     let (weights, mean) = (Some(&weights[..]), Reduction::Mean);
//!     let Some(grads) = grads else {
//!         return softmax_cross_entropy_classes(&z, &classes, weights, mean, None);
//!     };
//!     let loss = softmax_cross_entropy_classes(&z, &classes, weights, mean, Some(&mut dz))?;
//!     let d = grads.parts_mut();
//!     let mut da = [const { Matrix::zeros() }; STEPS];
//!     dense::backward(head, &tape.a()[STEPS - 1], &dz[0], d.head, &mut da[STEPS - 1]);
//!     tape.backward(&da, d.cell, None, &mut lstm::State::zeros())?;
//!     Ok(loss)
//! }
//!
//! /// The mean loss of any number of samples.
//! fn evaluate(net: &Net, samples: &[Sample]) -> Result<f32, TrainingError> {
//!     let mut sum = 0.0;
//!     for batch in samples.chunks(M) {
//!         sum += run(net, batch, None)? * batch.len() as f32;
//!     }
//!     Ok(sum / samples.len() as f32)
//! }
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut samples = |n| -> Vec<Sample> {
//!     let x = std::iter::repeat_with(|| [(); STEPS].map(|()| rng.random_range(-1.0..1.0)));
//!     let class = |x: [f32; STEPS]| (x[..3].iter().sum::<f32>() > x[3..].iter().sum()) as usize;
//!     x.take(n).map(|x| Sample { x, class: class(x) }).collect()
//! };
//! let (mut training, validation) = (samples(200), samples(50)); // the last batch has 8 of 16
//!
//! // The gradient of every 17th weight, against a central difference.
//! let (mut net, mut grads) = (Net::<f64>::zeros(), Net::<f64>::zeros());
//! init::uniform(&mut net, 0.5, || rng.random());
//! run(&net, &training[..10], Some(&mut grads))?;
//! for i in (0..Net::<f64>::LEN).step_by(17) {
//!     let w = net.as_flat()[i];
//!     let mut loss_at = |w| {
//!         net.as_flat_mut()[i] = w;
//!         run(&net, &training[..10], None)
//!     };
//!     let difference = (loss_at(w + 1e-5)? - loss_at(w - 1e-5)?) / 2e-5;
//!     loss_at(w)?;
//!     assert!((grads.as_flat()[i] - difference).abs() < 1e-9);
//! }
//!
//! let mut net: Net = Net::zeros();
//! init::uniform(&mut net, 0.5, || rng.random());
//! let (mut m, mut v): (Net, Net) = (Net::zeros(), Net::zeros());
//! let (mut adam, mut step) = (Adam::new(0.0), 0);
//! let (mut best, mut best_loss, mut patience) = (net.clone(), f32::INFINITY, 10);
//! for _epoch in 0..100 {
//!     training.shuffle(&mut rng);
//!     for batch in training.chunks(M) {
//!         let mut grads = Net::zeros();
//!         run(&net, batch, Some(&mut grads))?;
//!         clip_by_global_norm(&mut [grads.as_flat_mut()], 1.0)?;
//!         adam.learning_rate = 0.02 * schedule::cosine::<f32>(step, 20..1300);
//!         step += 1;
//!         adam.update(net.as_flat_mut(), grads.as_flat(), m.as_flat_mut(), v.as_flat_mut())?;
//!     }
//!     let loss = evaluate(&net, &validation)?;
//!     if loss < best_loss {
//!         (best, best_loss, patience) = (net.clone(), loss, 10);
//!     } else if patience == 0 {
//!         break;
//!     } else {
//!         patience -= 1;
//!     }
//! }
//! assert!(best_loss < 0.3 && evaluate(&best, &validation)? == best_loss); // guessing has ln 2
//! # Ok::<(), TrainingError>(())
//! ```
//!
//! # Large networks
//!
//! What returns a value, as `zeros()`, `clone()` and `from_le_bytes` do, may copy it on the stack,
//! and a build without optimisation does so at each hand it passes through. A thread has 2 MiB;
//! `lstm::Params<128, 256>` have 1.5 MiB. So the value of a large network is never made: its
//! scalars are in a `Vec`, and the network is a view of them. With `Boxed` that looks as if it were
//! a `Box`:
//!
//! ```
//! use bptt::{Flat, Real, dense, lstm};
//! use std::marker::PhantomData;
//! use std::ops::{Deref, DerefMut};
//!
//! /// A flat value on the heap.
//! struct Boxed<F: Flat>(Vec<F::Scalar>, PhantomData<F>);
//!
//! impl<F: Flat> Boxed<F> {
//!     fn zeros() -> Self {
//!         Boxed(vec![F::Scalar::ZERO; F::LEN], PhantomData)
//!     }
//! }
//! impl<F: Flat> Deref for Boxed<F> {
//!     type Target = F;
//!     fn deref(&self) -> &F {
//!         F::from_flat(&self.0).unwrap()
//!     }
//! }
//! impl<F: Flat> DerefMut for Boxed<F> {
//!     fn deref_mut(&mut self) -> &mut F {
//!         F::from_flat_mut(&mut self.0).unwrap()
//!     }
//! }
//!
//! bptt::flat_struct! {
//!     struct Net, NetRef, NetMut {
//!         cell: lstm::Params<64, 1024>,
//!         head: dense::Params<1024, 4>,
//!     }
//! }
//! let (mut net, mut best) = (Boxed::<Net>::zeros(), Boxed::<Net>::zeros()); // 17 MiB each
//! let mut caches = Boxed::<[lstm::Cache<1024, 8>; 20]>::zeros(); // an array is flat too
//! net.parts_mut().cell.f.b.fill(1.0);
//! best.clone_from(&net); // in place, not `*best = (*net).clone()`
//! net.set_zeros(); // in place, not `*net = Net::zeros()`
//! assert_eq!(best.parts().cell.f.b[(0, 0)], 1.0);
//! assert_eq!(caches.last_mut().unwrap().c[(0, 7)], 0.0);
//! ```
//!
//! A sequence of a length that is known at run time is `vec![0.0; steps * Cache::LEN]` with
//! [`slice_from_flat_mut`](crate::Flat::slice_from_flat_mut); weights from a file are
//! [`read_le_bytes`](crate::Flat::read_le_bytes), in place; a `static` of any size is laid out by
//! the compiler.
//!
//! # Both directions
//!
//! Two passes with weights of their own, the second over the reversed sequence. Where all samples
//! of a batch are of one length, `x.reverse()` is that. Where they are not, it would begin in the
//! padding: [`lengths::reverse`](crate::lengths::reverse) turns each sample round within its own
//! length. What reads both has 2·A inputs; where it is an output layer, that is two layers whose
//! outputs are added, and no copy is needed. The gradients with respect to x are added up.
//!
//! ```
//! use bptt::{Cell, Flat, Matrix, init, lengths, rnn};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! const T: usize = 5;
//! const M: usize = 3;
//! const LENGTHS: [usize; M] = [5, 3, 1];
//! type Steps<const R: usize> = [Matrix<R, M>; T];
//!
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut cells = [const { rnn::Params::<2, 4>::zeros() }; 2];
//! cells.iter_mut().for_each(|cell| init::uniform(cell, 0.5, || rng.random()));
//! let mut x: Steps<2> = [const { Matrix::zeros() }; T];
//! x.iter_mut().for_each(|x| init::uniform(x, 1.0, || rng.random()));
//! lengths::zero_beyond(&LENGTHS, &mut x);
//! let mut x_reversed = x.clone();
//! lengths::reverse(&LENGTHS, &mut x_reversed)?;
//!
//! let init = Matrix::zeros();
//! let [mut a_f, mut a_b]: [Steps<4>; 2] = [const { [const { Matrix::zeros() }; T] }; 2];
//! let [mut caches_f, mut caches_b] = [a_f.clone(), a_b.clone()];
//! let tape_f = cells[0].forward(&x, &init, &mut a_f, &mut caches_f)?;
//! let tape_b = cells[1].forward(&x_reversed, &init, &mut a_b, &mut caches_b)?;
//! let mut a_back = tape_b.a().to_vec();
//! lengths::reverse(&LENGTHS, &mut a_back)?; // a_back[t] has read x[t], x[t + 1], …
//!
//! // The gradients of the sum of all outputs; beyond the end of a sample nothing is looked at.
//! let da: Steps<4> = [const { Matrix::from_columns([[1.0; 4]; M]) }; T];
//! let mut da_b = da.clone();
//! lengths::reverse(&LENGTHS, &mut da_b)?;
//! let mut grads = [const { rnn::Params::zeros() }; 2];
//! let [mut dx, mut dx_b]: [Steps<2>; 2] = [const { [const { Matrix::zeros() }; T] }; 2];
//! let (dlast, mut dstate) = (Matrix::zeros(), Matrix::zeros());
//! lengths::backward(&LENGTHS, tape_f, &da, &dlast, &mut grads[0], Some(&mut dx), &mut dstate)?;
//! lengths::backward(&LENGTHS, tape_b, &da_b, &dlast, &mut grads[1], Some(&mut dx_b), &mut dstate)?;
//! lengths::reverse(&LENGTHS, &mut dx_b)?;
//! for (dx, dx_b) in Flat::slice_as_flat_mut(&mut dx).iter_mut().zip(Flat::slice_as_flat(&dx_b)) {
//!     *dx += dx_b;
//! }
//! assert!(dx[4][(0, 0)] != 0.0 && dx[4][(0, 1)] == 0.0);
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # Encoder and decoder
//!
//! The last state of one network is the first of another; the gradient goes the other way: what the
//! decoder's backward leaves in `dstate` is what the encoder's takes.
//!
//! ```
//! use bptt::{Cell, Matrix, lstm};
//!
//! let mut encoder = lstm::Params::<1, 2>::zeros();
//! encoder.g.wx.fill(1.0);
//! let decoder = lstm::Params::<1, 2>::zeros();
//! let x: [Matrix<1, 1>; 3] = [0.1, 0.2, 0.3].map(|x| Matrix::from_rows([[x]]));
//! let y = [const { Matrix::<1, 1>::zeros() }; 2];
//!
//! let (init, mut meaning) = (lstm::State::zeros(), lstm::State::zeros());
//! let (mut a, mut caches) = ([const { Matrix::zeros() }; 3], [const { lstm::Cache::zeros() }; 3]);
//! let tape = encoder.forward(&x, &init, &mut a, &mut caches)?;
//! tape.last(&mut meaning);
//! let mut a_out = [const { Matrix::zeros() }; 2];
//! let mut caches_out = [const { lstm::Cache::zeros() }; 2];
//! let tape_out = decoder.forward(&y, &meaning, &mut a_out, &mut caches_out)?;
//!
//! let da_out = [const { Matrix::from_rows([[1.0], [1.0]]) }; 2]; // from a loss
//! let (mut grads, mut grads_out) = (lstm::Params::zeros(), lstm::Params::zeros());
//! let mut dstate = lstm::State::zeros();
//! tape_out.backward(&da_out, &mut grads_out, None, &mut dstate)?;
//! let da = [const { Matrix::zeros() }; 3]; // only its last state is used
//! tape.backward(&da, &mut grads, None, &mut dstate)?;
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
//! use bptt::{Cell, Flat, Matrix, Vector, dense, lstm};
//!
//! const K: usize = 8; // steps in a segment
//!
//! let (mut cell, mut head) = (lstm::Params::<2, 4>::zeros(), dense::Params::<4, 1>::zeros());
//! cell.g.wx.fill(0.5);
//! head.w.fill(0.5);
//! let sgd = Sgd { learning_rate: 0.2 };
//! let (mut state, mut next) = (lstm::State::<4, 1>::zeros(), lstm::State::zeros());
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
//!     let tape = cell.forward(&x, &state, &mut a, &mut caches)?;
//!     dense::sequence_forward(&head, tape.a(), &mut y)?;
//!     *loss = squared_error(&y, &target, None, Reduction::Mean, Some(&mut dy))?;
//!     tape.last(&mut next);
//!
//!     let (mut grads, mut grads_head) = (lstm::Params::zeros(), dense::Params::zeros());
//!     dense::sequence_backward(&head, tape.a(), &dy, &mut grads_head, &mut da)?;
//!     let mut dstate = lstm::State::zeros(); // the gradient stops here
//!     tape.backward(&da, &mut grads, None, &mut dstate)?;
//!     sgd.update(cell.as_flat_mut(), grads.as_flat())?;
//!     sgd.update(head.as_flat_mut(), grads_head.as_flat())?;
//!     core::mem::swap(&mut state, &mut next);
//! }
//! assert!(losses[199] < 0.1 * losses[0]);
//! # Ok::<(), bptt::TrainingError>(())
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
//! use bptt::{Affine, Cell, Vector, init, lstm};
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
//! cell.step(&Vector::from_columns([normalised]), &start, &mut expected);
//! folded.step(&Vector::from_columns([x]), &start, &mut found);
//! for r in 0..4 {
//!     assert!((found.a[(r, 0)] - expected.a[(r, 0)]).abs() < 1e-6);
//! }
//! ```
//!
//! # Arrays of other programs
//!
//! An array of shape (T, M, X) in C order, time first, is a sequence as it stands: no copy. One of
//! shape (M, T, X), batch first, is copied, there and back, by
//! [`layout::batch_first`](crate::layout::batch_first).
//!
//! ```
//! use bptt::{Flat, Matrix, layout::batch_first};
//!
//! const X: usize = 2; // T = 3 steps of M = 2 samples
//! const M: usize = 2;
//! let time_first = [1.0, 2.0, 7.0, 8.0, 3.0, 4.0, 9.0, 10.0, 5.0, 6.0, 11.0, 12.0];
//! let x = Matrix::<X, M>::slice_from_flat(&time_first)?;
//! assert_eq!(x[1], Matrix::from_columns([[3.0, 4.0], [9.0, 10.0]])); // step 1 of both samples
//!
//! let batch_first = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0];
//! let mut same = [const { Matrix::<X, M>::zeros() }; 3];
//! batch_first::read(&mut same, &batch_first)?;
//! assert_eq!(same, x);
//! # Ok::<(), bptt::LengthMismatch>(())
//! ```
//!
//! # On the device in integers
//!
//! Learn in f32, [`quantise`](crate::quantized), run. The training goes on with the weights of the grid
//! in the forward and the backward pass, while the optimizer updates the f32 weights behind them
//! (straight-through): so the network learns what the grid does to it. What [`Cell::forward`] returns
//! keeps its cell borrowed; here that is the one on the grid.
//!
//! [`Cell::forward`]: crate::Cell::forward
//!
//! ```
//! use bptt::loss::{Reduction, squared_error};
//! use bptt::optimizer::Adam;
//! use bptt::quantized::{self, Cell as _, Scale};
//! use bptt::{Cell, Flat, Vector, dense, init, lstm};
//! use rand::{RngExt, SeedableRng, rngs::SmallRng};
//!
//! bptt::flat_struct! {
//!     struct Net, NetRef, NetMut { cell: lstm::Params<1, 8>, head: dense::Params<8, 1> }
//! }
//! const T: usize = 5;
//! let mut rng = SmallRng::seed_from_u64(1);
//! let mut net = Net::zeros();
//! init::uniform(&mut net, 0.4, || rng.random());
//! let x_scale = Scale::of(&[1.0, -1.0]); // the inputs, or a sample of them
//!
//! // The same in integers, and what those stand for.
//! let mut cell = quantized::Lstm::<1, 8>::zeros();
//! let mut head = quantized::Dense::<8, 1>::zeros();
//! let mut grid = Net::zeros();
//!
//! let (mut adam, mut m, mut v) = (Adam::new(0.01), Net::zeros(), Net::zeros());
//! let (mut a, mut caches) = ([Vector::ZEROS; T], [lstm::Cache::ZEROS; T]);
//! let (start, mut y, mut dy, mut loss) = (lstm::State::ZEROS, [Vector::ZEROS], [Vector::ZEROS], 1.0);
//! for round in 0..3000 {
//!     let x: [Vector<1>; T] = std::array::from_fn(|_| Vector::from_columns([[rng.random()]]));
//!     let mean = [Vector::from_columns([[x.iter().map(|x| x[(0, 0)]).sum::<f32>() / T as f32]])];
//!     let on_grid = round >= 2000; // fine-tuning
//!     if on_grid {
//!         cell.quantize(net.parts().cell, x_scale)?;
//!         head.quantize(net.parts().head, Scale::UNIT)?;
//!         let NetMut { cell: grid_cell, head: grid_head } = grid.parts_mut();
//!         cell.dequantize(grid_cell);
//!         head.dequantize(grid_head);
//!     }
//!     let NetRef { cell, head } = if on_grid { grid.parts() } else { net.parts() };
//!     let tape = cell.forward(&x, &start, &mut a, &mut caches)?;
//!     dense::forward(head, &tape.a()[T - 1], &mut y[0]);
//!     let now = squared_error(&y, &mean, None, Reduction::Mean, Some(&mut dy))?;
//!     loss += 0.01 * (now - loss); // of the last hundred or so
//!     let (mut grads, mut da) = (Net::zeros(), [Vector::ZEROS; T]);
//!     let NetMut { cell: dcell, head: dhead } = grads.parts_mut();
//!     dense::backward(head, &tape.a()[T - 1], &dy[0], dhead, &mut da[T - 1]);
//!     tape.backward(&da, dcell, None, &mut lstm::State::zeros())?;
//!     adam.update(net.as_flat_mut(), grads.as_flat(), m.as_flat_mut(), v.as_flat_mut())?;
//! }
//! assert!(loss < 0.003);
//!
//! // Run: the mean of 0.1, 0.9, 0.3, 0.5 and 0.7, without floating point between x and y.
//! cell.quantize(net.parts().cell, x_scale)?;
//! head.quantize(net.parts().head, Scale::UNIT)?;
//! let (mut state, mut next) = (quantized::State::<8, 1>::zeros(), quantized::State::zeros());
//! for sample in [0.1, 0.9, 0.3, 0.5, 0.7] {
//!     let mut x = [[0]];
//!     let saturated = cell.x_scale().quantize(&[sample], &mut x[0])?;
//!     assert_eq!(saturated, 0);
//!     quantized::Cell::step(&cell, &x, &state, &mut next);
//!     core::mem::swap(&mut state, &mut next);
//! }
//! let mut y = [[0]];
//! head.forward(&state.a, &mut y);
//! assert!((y[0][0] as f32 / 65536.0 - 0.5).abs() < 0.1);
//!
//! // For firmware: a file, which a `static` there is made of with `from_le_bytes`.
//! let mut file = [0; quantized::Lstm::<1, 8>::BYTES];
//! cell.to_le_bytes(&mut file)?;
//! assert!(file.len() < bptt::lstm::Params::<1, 8>::LEN * 4 / 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
