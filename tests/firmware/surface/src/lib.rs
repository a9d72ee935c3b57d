//! Calls every public kernel of the crate, in both scalars, with one, two and five samples a batch,
//! and every function of the cells in integers, with weights of 8 and of 16 bits.
//!
//! Nothing is known of the arguments, the lengths of slices included, so that every error and, if there
//! were one, every panic could be reached.
#![no_std]
#![forbid(unsafe_code)]

mod integers;

pub use integers::integers;

use core::hint::black_box;

use bptt::gru::{self, Gru, ResetAfter, ResetBefore};
use bptt::loss::{Reduction, softmax_cross_entropy, softmax_cross_entropy_classes, squared_error};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::rnn::{self, Rnn};
use bptt::{
    Cell, Flat, LengthMismatch, Matrix, Real, TrainingError, activation, checkpoint, dense,
    dropout, init, layout, lengths, schedule,
};

/// Everything in `f32`.
pub fn single(numbers: &mut [f32], classes: &[usize]) -> Result<(), TrainingError> {
    every_batch(numbers, classes)
}

/// Everything in `f64`.
pub fn double(numbers: &mut [f64], classes: &[usize]) -> Result<(), TrainingError> {
    every_batch(numbers, classes)
}

fn every_batch<T: Real>(numbers: &mut [T], classes: &[usize]) -> Result<(), TrainingError> {
    network::<6, 16, 1, 4, T>(&mut Numbers(numbers), classes)?;
    network::<3, 5, 2, 3, T>(&mut Numbers(numbers), classes)?;
    network::<2, 9, 5, 1, T>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Params<6, 16, T>, 6, 16, 1>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Params<3, 5, T>, 3, 5, 2>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Params<2, 9, T>, 2, 9, 5>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Relu<6, 16, T>, 6, 16, 1>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Relu<3, 5, T>, 3, 5, 2>(&mut Numbers(numbers), classes)?;
    cell::<rnn::Relu<2, 9, T>, 2, 9, 5>(&mut Numbers(numbers), classes)?;
    cell::<lstm::Params<6, 16, T>, 6, 16, 1>(&mut Numbers(numbers), classes)?;
    cell::<lstm::Params<3, 5, T>, 3, 5, 2>(&mut Numbers(numbers), classes)?;
    cell::<lstm::Params<2, 9, T>, 2, 9, 5>(&mut Numbers(numbers), classes)?;
    cell::<ResetAfter<6, 16, T>, 6, 16, 1>(&mut Numbers(numbers), classes)?;
    cell::<ResetAfter<3, 5, T>, 3, 5, 2>(&mut Numbers(numbers), classes)?;
    cell::<ResetAfter<2, 9, T>, 2, 9, 5>(&mut Numbers(numbers), classes)?;
    cell::<ResetBefore<6, 16, T>, 6, 16, 1>(&mut Numbers(numbers), classes)?;
    cell::<ResetBefore<3, 5, T>, 3, 5, 2>(&mut Numbers(numbers), classes)?;
    cell::<ResetBefore<2, 9, T>, 2, 9, 5>(&mut Numbers(numbers), classes)?;
    layouts::<3, 5, 2, T>(&mut Numbers(numbers))?;
    activations(numbers);
    Ok(())
}

/// Memory that is handed out piece by piece.
struct Numbers<'a, T>(&'a mut [T]);

impl<'a, T: Real> Numbers<'a, T> {
    fn take(&mut self, count: usize) -> Result<&'a mut [T], LengthMismatch> {
        let all = core::mem::take(&mut self.0);
        let found = all.len();
        match all.split_at_mut_checked(black_box(count)) {
            Some((taken, left)) => {
                self.0 = left;
                Ok(taken)
            }
            None => Err(LengthMismatch {
                what: "numbers",
                expected: count,
                found,
            }),
        }
    }

    fn one<F: Flat<Scalar = T>>(&mut self) -> Result<&'a mut F, LengthMismatch> {
        F::from_flat_mut(self.take(F::LEN)?)
    }

    fn sequence<F: Flat<Scalar = T>>(&mut self) -> Result<&'a mut [F], LengthMismatch> {
        F::slice_from_flat_mut(self.take(black_box(7) * F::LEN)?)
    }

    fn scalar(&mut self) -> T {
        self.0.first().copied().unwrap_or_default()
    }
}

bptt::flat_struct! {
    struct Net<const X: usize, const A: usize, const Y: usize, T: Real>, NetRef, NetMut {
        cell: lstm::Params<X, A, T>,
        head: dense::Params<A, Y, T>,
    }
}

fn network<const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    n: &mut Numbers<T>,
    classes: &[usize],
) -> Result<(), TrainingError> {
    let (a, da): (&mut [Matrix<A, M, T>], &mut [Matrix<A, M, T>]) = (n.sequence()?, n.sequence()?);
    let (one_x, one_dx) = (n.one::<Matrix<X, M, T>>()?, n.one::<Matrix<X, M, T>>()?);
    let (one_a, one_da): (&mut Matrix<A, M, T>, &mut Matrix<A, M, T>) = (n.one()?, n.one()?);

    let cell: &mut rnn::Params<X, A, T> = n.one()?;
    init::uniform_hidden(cell, || n.scalar());
    rnn_step::<rnn::Params<X, A, T>, X, A, M>(n)?;
    rnn_step::<rnn::Relu<X, A, T>, X, A, M>(n)?;
    gru_step::<ResetAfter<X, A, T>, X, A, M>(n)?;
    gru_step::<ResetBefore<X, A, T>, X, A, M>(n)?;

    let (cell, grads): (&mut lstm::Params<X, A, T>, &mut lstm::Params<X, A, T>) =
        (n.one()?, n.one()?);
    let (prev, next): (&mut State<A, M, T>, &mut State<A, M, T>) = (n.one()?, n.one()?);
    let (cache, caches): (&mut Cache<A, M, T>, &mut [Cache<A, M, T>]) = (n.one()?, n.sequence()?);
    init::uniform(cell, T::ONE, || n.scalar());
    init::forget_bias(cell, T::ONE);
    init::orthogonal(&mut cell.o.wa, || n.scalar());
    init::glorot_uniform(&mut cell.o.wx, || n.scalar());
    lstm::cell_forward(cell, one_x, prev, next, cache);
    lstm::cell_backward(cell, one_x, prev, cache, next, grads, one_dx);

    let (head, dhead): (&mut dense::Params<A, Y, T>, &mut dense::Params<A, Y, T>) =
        (n.one()?, n.one()?);
    let (y, dy): (&mut [Matrix<Y, M, T>], &mut [Matrix<Y, M, T>]) = (n.sequence()?, n.sequence()?);
    let (one_y, one_dy): (&mut Matrix<Y, M, T>, &mut Matrix<Y, M, T>) = (n.one()?, n.one()?);
    let target: &mut [Matrix<Y, M, T>] = n.sequence()?;
    dense::forward(head, one_a, one_y);
    dense::softmax(one_y);
    dense::softmax_backward(one_y, one_dy);
    dense::backward(head, one_a, one_dy, dhead, one_da);
    dense::sequence_forward(head, a, y)?;
    dense::sequence_backward(head, a, dy, dhead, da)?;
    let (classes, _) = classes.as_chunks::<M>();
    let (weights, _) = n.take(7 * M)?.as_chunks::<M>();
    for reduction in [Reduction::Sum, Reduction::Mean] {
        for weights in [None, Some(weights)] {
            black_box(squared_error(y, target, weights, reduction, Some(dy))?);
            black_box(squared_error(y, target, weights, reduction, None)?);
            black_box(softmax_cross_entropy(
                y,
                target,
                weights,
                reduction,
                Some(dy),
            )?);
            black_box(softmax_cross_entropy(y, target, weights, reduction, None)?);
            let out = Some(&mut *dy);
            black_box(softmax_cross_entropy_classes(
                y, classes, weights, reduction, out,
            )?);
            black_box(softmax_cross_entropy_classes(
                y, classes, weights, reduction, None,
            )?);
        }
    }
    let mut found = [[0; M]; 7];
    dense::sequence_argmax(y, black_box(&mut found[..]))?;
    black_box((found, one_y.columns().each_ref().map(dense::argmax)));
    dropout::fill(one_a, n.scalar(), || n.scalar())?;
    dropout::apply(one_a, one_da);

    let (g, m, v) = (n.take(100)?, n.take(100)?, n.take(100)?);
    let (learning_rate, momentum) = (n.scalar(), n.scalar());
    black_box(clip_by_global_norm(
        &mut [g, dhead.as_flat_mut()],
        n.scalar(),
    )?);
    let (step, first, last) = (black_box(7), black_box(1), black_box(9));
    let learning_rate = learning_rate
        * schedule::cosine(step, first..last)
        * schedule::step_decay(step, last, learning_rate);
    Sgd { learning_rate }.update(cell.as_flat_mut(), g)?;
    Momentum {
        learning_rate,
        momentum,
    }
    .update(cell.as_flat_mut(), g, m)?;
    Adam::new(learning_rate).update(cell.as_flat_mut(), g, m, v)?;

    black_box(Matrix::<A, M, T>::slice_from_flat(g)?);
    black_box(Matrix::<A, M, T>::from_flat(State::slice_as_flat(&[
        prev.clone()
    ]))?);
    black_box(Cache::slice_as_flat_mut(caches).len());
    let mut bytes = [0; 1000];
    let bytes = black_box(bytes.as_mut_slice());
    cell.to_le_bytes(bytes)?;
    cell.read_le_bytes(bytes)?;
    let (net, other): (&mut Net<X, A, Y, T>, &mut Net<X, A, Y, T>) = (n.one()?, n.one()?);
    let NetMut { cell, head } = net.parts_mut();
    cell.f.b.fill(T::ONE);
    head.set_zeros();
    other.clone_from(net);
    black_box(*other == *net);
    *other = Net::from(net.parts());
    black_box(Matrix::<2, 1>::from_le_bytes(black_box(&[0; 8])));
    let k = black_box(classes.len());
    black_box((
        one_a.column(k),
        one_a.row(k).map(|row| row.len()),
        one_a.get(k, k),
    ));
    if let Some(column) = one_a.column_mut(k) {
        column.fill(T::ONE);
    }
    if let Some(entry) = one_a.get_mut(k, k) {
        *entry = T::ONE;
    }
    one_a.fill(T::ONE);
    black_box(bptt::backend());
    let _ = black_box(bptt::check_float_environment());
    Ok(())
}

/// A single step of an RNN, forward and backward.
fn rnn_step<C: Rnn<X, A>, const X: usize, const A: usize, const M: usize>(
    n: &mut Numbers<C::Scalar>,
) -> Result<(), LengthMismatch> {
    let (cell, grads): (&mut C, &mut C) = (n.one()?, n.one()?);
    let (x, dx) = (n.one::<Matrix<X, M, C::Scalar>>()?, n.one()?);
    let (a_prev, a) = (n.one::<Matrix<A, M, C::Scalar>>()?, n.one()?);
    let (dz, dstate) = (n.one()?, n.one()?);
    rnn::cell_forward(cell, x, a_prev, a);
    rnn::cell_backward(cell, x, a_prev, a, dz, dstate, grads, dx);
    Ok(())
}

/// A single step of a GRU, forward and backward.
fn gru_step<C: Gru<X, A>, const X: usize, const A: usize, const M: usize>(
    n: &mut Numbers<C::Scalar>,
) -> Result<(), LengthMismatch> {
    let (cell, grads): (&mut C, &mut C) = (n.one()?, n.one()?);
    let (x, dx) = (n.one::<Matrix<X, M, C::Scalar>>()?, n.one()?);
    let (a_prev, a) = (n.one::<Matrix<A, M, C::Scalar>>()?, n.one()?);
    let (cache, dstate) = (n.one()?, n.one()?);
    gru::cell_forward(cell, x, a_prev, a, cache);
    gru::cell_backward(cell, x, a_prev, cache, dstate, grads, dx);
    Ok(())
}

/// What every cell has: steps and sequences, recomputation, batches of sequences of different lengths.
fn cell<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
    n: &mut Numbers<C::Scalar>,
    lengths: &[usize],
) -> Result<(), LengthMismatch>
where
    C: 'static,
    C::State<M>: 'static,
    C::Cache<M>: 'static,
{
    let Some(lengths) = lengths.first_chunk::<M>() else {
        return Ok(());
    };
    let (cell, grads): (&mut C, &mut C) = (n.one()?, n.one()?);
    let x: &mut [Matrix<X, M, C::Scalar>] = n.sequence()?;
    let dx: &mut [Matrix<X, M, C::Scalar>] = n.sequence()?;
    let a: &mut [Matrix<A, M, C::Scalar>] = n.sequence()?;
    let da: &mut [Matrix<A, M, C::Scalar>] = n.sequence()?;
    let caches: &mut [C::Cache<M>] = n.sequence()?;
    let states: &mut [C::State<M>] = n.sequence()?;
    let (init, state): (&mut C::State<M>, &mut C::State<M>) = (n.one()?, n.one()?);
    let one_x = n.one()?;

    cell.step(one_x, init, state);
    let tape = cell.forward(x, init, a, caches)?;
    black_box(tape.a().len());
    tape.last(state);
    tape.backward(da, grads, None, state)?;
    let tape = cell.forward(x, init, a, caches)?;
    tape.backward(da, grads, Some(dx), state)?;

    let mut gradient = |t: usize, a: &[_], da: &mut [_]| _ = black_box((t, a.len(), da.len()));
    let tape = checkpoint::forward(cell, x, init, states, a, caches)?;
    black_box(tape.states().len());
    tape.backward(da, &mut gradient, grads, None, state)?;
    let tape = checkpoint::forward(cell, x, init, states, a, caches)?;
    tape.backward(da, &mut gradient, grads, Some(dx), state)?;

    let dlast = n.one()?;
    let tape = cell.forward(x, init, a, caches)?;
    lengths::last(lengths, &tape, state)?;
    lengths::backward(lengths, tape, da, dlast, grads, None, state)?;
    let tape = cell.forward(x, init, a, caches)?;
    lengths::backward(lengths, tape, da, dlast, grads, Some(dx), state)?;
    lengths::zero_beyond(lengths, x);
    lengths::mask(lengths, black_box(&mut [[C::Scalar::ZERO; M]; 2]));
    lengths::reverse(lengths, x)?;
    lengths::padding_to_back(lengths, x)?;
    lengths::padding_to_front(lengths, x)?;
    *cell = C::ZEROS;
    black_box(cell.as_flat());
    Ok(())
}

fn layouts<const X: usize, const A: usize, const Y: usize, T: Real>(
    n: &mut Numbers<T>,
) -> Result<(), LengthMismatch> {
    let (w, r, b, b2) = (n.take(60)?, n.take(100)?, n.take(40)?, n.take(20)?);
    let cell: &mut lstm::Params<X, A, T> = n.one()?;
    layout::pytorch::read_lstm(cell, w, r, Some((b, b2)))?;
    layout::pytorch::write_lstm(cell, w, r, b, b2)?;
    layout::keras::read_lstm(cell, w, r, Some(b))?;
    layout::keras::write_lstm(cell, w, r, b)?;
    layout::onnx::read_lstm(cell, w, r, Some(b))?;
    layout::onnx::write_lstm(cell, w, r, b)?;
    layout::textbook::read_lstm(cell, [w, w, w, w], [b, b, b, b])?;
    let (w2, w3, w4) = (n.take(40)?, n.take(40)?, n.take(40)?);
    let (b3, b4) = (n.take(5)?, n.take(5)?);
    layout::textbook::write_lstm(cell, [w, w2, w3, w4], [b, b2, b3, b4])?;
    layout::tf1::read_lstm(cell, w, b, n.scalar())?;
    layout::tf1::write_lstm(cell, w, b, n.scalar())?;
    let state: &mut lstm::State<A, 1, T> = n.one()?;
    layout::nam::read_lstm(cell, state, w)?;
    layout::nam::write_lstm(cell, state, w)?;
    let cell: &mut rnn::Params<X, A, T> = n.one()?;
    layout::pytorch::read_rnn(cell, w, r, Some((b, b2)))?;
    layout::pytorch::write_rnn(cell, w, r, b, b2)?;
    layout::keras::read_rnn(cell, w, r, Some(b))?;
    layout::keras::write_rnn(cell, w, r, b)?;
    layout::onnx::read_rnn(cell, w, r, Some(b))?;
    layout::onnx::write_rnn(cell, w, r, b)?;
    layout::textbook::read_affine(cell, w, b)?;
    layout::textbook::write_affine(cell, w, b)?;
    layout::gate::read(cell, w, r, Some(b))?;
    layout::gate::write(cell, w, r, b)?;
    let head: &mut dense::Params<A, Y, T> = n.one()?;
    layout::pytorch::read_linear(head, w, Some(b))?;
    layout::pytorch::write_linear(head, w, b)?;
    layout::keras::read_dense(head, w, Some(b))?;
    layout::keras::write_dense(head, w, b)?;
    layout::onnx::read_gemm(head, w, black_box(true), Some(b))?;
    layout::onnx::write_gemm(head, w, black_box(true), b)?;
    gru_layouts::<X, A, T>(n)
}

fn gru_layouts<const X: usize, const A: usize, T: Real>(
    n: &mut Numbers<T>,
) -> Result<(), LengthMismatch> {
    let (w, r, b, b2) = (n.take(45)?, n.take(75)?, n.take(15)?, n.take(15)?);
    let (w1, w2, w3) = (n.take(40)?, n.take(40)?, n.take(40)?);
    let (b3, b4, b5) = (n.take(5)?, n.take(5)?, n.take(5)?);
    let cell: &mut bptt::gru::ResetAfter<X, A, T> = n.one()?;
    layout::pytorch::read_gru(cell, w, r, Some((b, b2)))?;
    layout::pytorch::write_gru(cell, w, r, b, b2)?;
    layout::keras::read_gru_after(cell, w, r, Some(b))?;
    layout::keras::write_gru_after(cell, w, r, b)?;
    layout::onnx::read_gru_after(cell, w, r, Some(b))?;
    layout::onnx::write_gru_after(cell, w, r, b)?;
    layout::textbook::read_gru_after(cell, [w1, w2, w3], [b3, b4, b5], b2)?;
    layout::textbook::write_gru_after(cell, [w1, w2, w3], [b3, b4, b5], b2)?;
    let cell: &mut bptt::gru::ResetBefore<X, A, T> = n.one()?;
    layout::keras::read_gru_before(cell, w, r, Some(b))?;
    layout::keras::write_gru_before(cell, w, r, b)?;
    layout::onnx::read_gru_before(cell, w, r, Some(b))?;
    layout::onnx::write_gru_before(cell, w, r, b)?;
    layout::textbook::read_gru_before(cell, [w1, w2, w3], [b3, b4, b5])?;
    layout::textbook::write_gru_before(cell, [w1, w2, w3], [b3, b4, b5])
}

fn activations<T: Real>(numbers: &mut [T]) {
    let x = numbers.first().copied().unwrap_or_default();
    black_box((
        activation::exp(x),
        activation::sigmoid(x),
        activation::tanh(x),
    ));
    activation::exp_slice(numbers);
    activation::sigmoid_slice(numbers);
    activation::tanh_slice(numbers);
}
