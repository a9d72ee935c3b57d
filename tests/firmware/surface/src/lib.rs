//! Calls every public kernel of the crate, in both scalars, with one, two and five samples a batch.
//!
//! Nothing is known of the arguments, the lengths of slices included, so that every error and, if there
//! were one, every panic could be reached.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use bptt::loss::{
    Reduction, TargetError, softmax_cross_entropy, softmax_cross_entropy_classes, squared_error,
};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{
    Flat, LengthMismatch, Matrix, Real, activation, checkpoint, dense, init, layout, lengths, rnn,
};

/// Everything in `f32`.
pub fn single(numbers: &mut [f32], classes: &[usize]) -> Result<(), TargetError> {
    every_batch(numbers, classes)
}

/// Everything in `f64`.
pub fn double(numbers: &mut [f64], classes: &[usize]) -> Result<(), TargetError> {
    every_batch(numbers, classes)
}

fn every_batch<T: Real>(numbers: &mut [T], classes: &[usize]) -> Result<(), TargetError> {
    network::<6, 16, 1, 4, T>(&mut Numbers(numbers), classes)?;
    network::<3, 5, 2, 3, T>(&mut Numbers(numbers), classes)?;
    network::<2, 9, 5, 1, T>(&mut Numbers(numbers), classes)?;
    long_and_unequal::<6, 16, 1, T>(&mut Numbers(numbers))?;
    long_and_unequal::<2, 5, 3, T>(&mut Numbers(numbers))?;
    layouts::<3, 5, 2, T>(&mut Numbers(numbers))?;
    long_and_ragged::<3, 5, 2, T>(&mut Numbers(numbers), classes)?;
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

fn network<const X: usize, const A: usize, const M: usize, const Y: usize, T: Real>(
    n: &mut Numbers<T>,
    classes: &[usize],
) -> Result<(), TargetError> {
    let x: &mut [Matrix<X, M, T>] = n.sequence()?;
    let dx: &mut [Matrix<X, M, T>] = n.sequence()?;
    let (a, da): (&mut [Matrix<A, M, T>], &mut [Matrix<A, M, T>]) = (n.sequence()?, n.sequence()?);
    let (one_x, one_dx) = (n.one::<Matrix<X, M, T>>()?, n.one::<Matrix<X, M, T>>()?);
    let (a0, one_a): (&mut Matrix<A, M, T>, &mut Matrix<A, M, T>) = (n.one()?, n.one()?);
    let (one_da, da_prev): (&mut Matrix<A, M, T>, &mut Matrix<A, M, T>) = (n.one()?, n.one()?);

    let (cell, grads): (&mut rnn::Params<X, A, T>, &mut rnn::Params<X, A, T>) =
        (n.one()?, n.one()?);
    init::uniform_hidden(cell, || n.scalar());
    rnn::cell_forward(cell, one_x, a0, one_a);
    rnn::cell_backward(cell, one_x, a0, one_a, one_da, grads, one_dx, da_prev);
    rnn::forward(cell, x, a0, a)?;
    rnn::backward(cell, x, a0, a, da, grads, None, da_prev)?;
    rnn::backward(cell, x, a0, a, da, grads, Some(dx), da_prev)?;

    let (cell, grads): (&mut lstm::Params<X, A, T>, &mut lstm::Params<X, A, T>) =
        (n.one()?, n.one()?);
    let (prev, next): (&mut State<A, M, T>, &mut State<A, M, T>) = (n.one()?, n.one()?);
    let (cache, caches): (&mut Cache<A, M, T>, &mut [Cache<A, M, T>]) = (n.one()?, n.sequence()?);
    init::uniform(cell, T::ONE, || n.scalar());
    init::forget_bias(cell, T::ONE);
    init::orthogonal(&mut cell.o.wa, || n.scalar());
    init::glorot_uniform(&mut cell.o.wx, || n.scalar());
    lstm::step(cell, one_x, prev, next);
    lstm::cell_forward(cell, one_x, prev, next, cache);
    lstm::cell_backward(cell, one_x, prev, cache, next, grads, one_dx);
    lstm::forward(cell, x, prev, a, caches)?;
    lstm::backward(cell, x, prev, a, caches, da, grads, None, next)?;
    lstm::backward(cell, x, prev, a, caches, da, grads, Some(dx), next)?;

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
    for reduction in [Reduction::Sum, Reduction::Mean] {
        black_box(squared_error(y, target, reduction, dy)?);
        black_box(softmax_cross_entropy(y, target, reduction, dy)?);
        black_box(softmax_cross_entropy_classes(y, classes, reduction, dy)?);
    }

    let (g, m, v) = (n.take(100)?, n.take(100)?, n.take(100)?);
    let (learning_rate, momentum) = (n.scalar(), n.scalar());
    black_box(clip_by_global_norm(
        &mut [g, dhead.as_flat_mut()],
        n.scalar(),
    ));
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

fn long_and_unequal<const X: usize, const A: usize, const M: usize, T: Real>(
    n: &mut Numbers<T>,
) -> Result<(), LengthMismatch> {
    let x: &mut [Matrix<X, M, T>] = n.sequence()?;
    let dx: &mut [Matrix<X, M, T>] = n.sequence()?;
    let (a, da): (&mut [Matrix<A, M, T>], &mut [Matrix<A, M, T>]) = (n.sequence()?, n.sequence()?);
    let lengths = &mut [0; M];
    for length in lengths.iter_mut() {
        *length = black_box(*length);
    }
    lengths::zero_beyond(lengths, x);

    let (cell, grads): (&mut rnn::Params<X, A, T>, &mut rnn::Params<X, A, T>) =
        (n.one()?, n.one()?);
    let (a0, last): (&mut Matrix<A, M, T>, &mut Matrix<A, M, T>) = (n.one()?, n.one()?);
    let states: &mut [Matrix<A, M, T>] = n.sequence()?;
    checkpoint::rnn_forward(cell, x, a0, states, a)?;
    let seen = |t, a: &[_], _: &mut [_]| _ = black_box((t, a.len()));
    checkpoint::rnn_backward(cell, x, a0, states, a, da, seen, grads, Some(dx), last)?;
    lengths::rnn_last(lengths, a0, a, last)?;
    let scratch = n.one()?;
    lengths::rnn_backward(cell, lengths, x, a0, a, da, grads, Some(dx), last, scratch)?;

    let (cell, grads): (&mut lstm::Params<X, A, T>, &mut lstm::Params<X, A, T>) =
        (n.one()?, n.one()?);
    let (init, last): (&mut State<A, M, T>, &mut State<A, M, T>) = (n.one()?, n.one()?);
    let states: &mut [State<A, M, T>] = n.sequence()?;
    let caches: &mut [Cache<A, M, T>] = n.sequence()?;
    checkpoint::lstm_forward(cell, x, init, states, a, caches)?;
    let seen = |t, a: &[_], _: &mut [_]| _ = black_box((t, a.len()));
    checkpoint::lstm_backward(
        cell, x, init, states, a, caches, da, seen, grads, None, last,
    )?;
    lengths::lstm_last(lengths, init, a, caches, last)?;
    let Some((scratch, _)) = states.split_first_chunk_mut() else {
        return Ok(());
    };
    lengths::lstm_backward(
        cell, lengths, x, init, a, caches, da, grads, None, last, scratch,
    )
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
    let cell: &mut rnn::Params<X, A, T> = n.one()?;
    layout::pytorch::read_rnn(cell, w, r, Some((b, b2)))?;
    layout::pytorch::write_rnn(cell, w, r, b, b2)?;
    layout::keras::read_rnn(cell, w, r, Some(b))?;
    layout::keras::write_rnn(cell, w, r, b)?;
    layout::onnx::read_rnn(cell, w, r, Some(b))?;
    layout::onnx::write_rnn(cell, w, r, b)?;
    layout::textbook::read_affine(cell, w, b)?;
    layout::textbook::write_affine(cell, w, b)?;
    let head: &mut dense::Params<A, Y, T> = n.one()?;
    layout::pytorch::read_linear(head, w, Some(b))?;
    layout::pytorch::write_linear(head, w, b)?;
    layout::keras::read_dense(head, w, Some(b))?;
    layout::keras::write_dense(head, w, b)?;
    layout::onnx::read_gemm(head, w, black_box(true), Some(b))?;
    layout::onnx::write_gemm(head, w, black_box(true), b)
}

/// Recomputation, and batches of sequences of different lengths.
fn long_and_ragged<const X: usize, const A: usize, const M: usize, T: Real>(
    n: &mut Numbers<T>,
    lengths: &[usize],
) -> Result<(), LengthMismatch> {
    let Some(lengths) = lengths.first_chunk::<M>() else {
        return Ok(());
    };
    let x: &mut [Matrix<X, M, T>] = n.sequence()?;
    let dx: &mut [Matrix<X, M, T>] = n.sequence()?;
    let (a, da): (&mut [Matrix<A, M, T>], &mut [Matrix<A, M, T>]) = (n.sequence()?, n.sequence()?);
    let (a0, a1): (&mut Matrix<A, M, T>, &mut Matrix<A, M, T>) = (n.one()?, n.one()?);
    let scratch: &mut Matrix<A, M, T> = n.one()?;
    let states: &mut [Matrix<A, M, T>] = n.sequence()?;
    let mut gradient = |t: usize, a: &[Matrix<A, M, T>], da: &mut [Matrix<A, M, T>]| {
        black_box((t, a, da));
    };

    let (cell, grads): (&mut rnn::Params<X, A, T>, &mut rnn::Params<X, A, T>) =
        (n.one()?, n.one()?);
    checkpoint::rnn_forward(cell, x, a0, states, a)?;
    checkpoint::rnn_backward(
        cell,
        x,
        a0,
        states,
        a,
        da,
        &mut gradient,
        grads,
        Some(dx),
        a1,
    )?;
    lengths::rnn_last(lengths, a0, a, a1)?;
    lengths::rnn_backward(cell, lengths, x, a0, a, da, grads, Some(dx), a1, scratch)?;
    lengths::zero_beyond(lengths, a);

    let (cell, grads): (&mut lstm::Params<X, A, T>, &mut lstm::Params<X, A, T>) =
        (n.one()?, n.one()?);
    let (init, last): (&mut State<A, M, T>, &mut State<A, M, T>) = (n.one()?, n.one()?);
    let states: &mut [State<A, M, T>] = n.sequence()?;
    let caches: &mut [Cache<A, M, T>] = n.sequence()?;
    checkpoint::lstm_forward(cell, x, init, states, a, caches)?;
    checkpoint::lstm_backward(
        cell,
        x,
        init,
        states,
        a,
        caches,
        da,
        &mut gradient,
        grads,
        Some(dx),
        last,
    )?;
    lengths::lstm_last(lengths, init, a, caches, last)?;
    if let Some(scratch) = states.first_chunk_mut::<2>() {
        lengths::lstm_backward(
            cell,
            lengths,
            x,
            init,
            a,
            caches,
            da,
            grads,
            Some(dx),
            last,
            scratch,
        )?;
    }
    Ok(())
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
