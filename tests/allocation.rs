//! No kernel allocates: an allocator that counts, for each thread by itself, sees nothing during any call.

#[path = "common/cells.rs"]
mod cells;
#[path = "common/contract.rs"]
mod contract;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/random.rs"]
mod random;

use std::{array, hint, slice};

use bptt::loss::{self, Reduction};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Flat, Matrix, Real, dense, gru, init, lstm, rnn};
use cells::Plain;
use random::Random;

/// How often `f` asks for memory.
fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = counting::allocations();
    hint::black_box(f());
    counting::allocations() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1, 2, 3]), 1);
    assert_eq!(allocations(|| vec![0; 100]), 1);
    let mut vector = vec![1];
    assert_eq!(allocations(|| vector.extend([2; 100])), 1);
    assert_eq!(allocations(|| [1, 2, 3]), 0);
}

const X: usize = 3;
const A: usize = 5;
const M: usize = 2;
const Y: usize = 4;
const STEPS: usize = 3;

fn no_function_of_a_cell_allocates<C: Plain<X, A>>() {
    let random = &mut Random::new(1);
    let cell: C = random.flat(1.0);
    let x: [Matrix<X, M, C::Scalar>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let da: [Matrix<A, M, C::Scalar>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let start: C::State<M> = random.flat(1.0);
    let (mut a, mut dx, mut end, mut grads) = (da.clone(), x.clone(), start.clone(), cell.clone());
    let mut caches: [C::Cache<M>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let calls = allocations(|| {
        cell.step(&x[0], &start, &mut end);
        cell.cell_forward(&x[0], &start, &mut end, &mut caches[0]);
        let mut dstate = start.clone();
        let states = [&start, &end];
        dx[0] = cell.cell_backward(&x[0], states, &mut caches[0], &mut dstate, &mut grads);
        let tape = cell.forward(&x, &start, &mut a, &mut caches).unwrap();
        tape.last(&mut end);
        tape.backward(&da, &mut grads, Some(&mut dx), &mut end)
            .unwrap();
        let too_few = cell.forward(&x, &start, &mut [], &mut caches);
        too_few.map(drop).unwrap_err();
        let too_few = cell.forward(&x, &start, &mut a, &mut []);
        too_few.map(drop).unwrap_err()
    });
    assert_eq!(calls, 0, "{}", C::NAME);
}

fn no_kernel_allocates<T: Real>() {
    no_function_of_a_cell_allocates::<rnn::Params<X, A, T>>();
    no_function_of_a_cell_allocates::<rnn::Relu<X, A, T>>();
    no_function_of_a_cell_allocates::<lstm::Params<X, A, T>>();
    no_function_of_a_cell_allocates::<gru::ResetAfter<X, A, T>>();
    no_function_of_a_cell_allocates::<gru::ResetBefore<X, A, T>>();

    let random = &mut Random::new(1);
    let half = T::from_f64(0.5);
    let a: [Matrix<A, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let mut da = a.clone();
    let mut head: dense::Params<A, Y, T> = random.flat(1.0);
    let mut dhead = head.clone();
    let target: [Matrix<Y, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let (mut y, mut dy) = (target.clone(), target.clone());
    let calls = allocations(|| {
        dense::forward(&head, &a[0], &mut y[0]);
        dense::backward(&head, &a[0], &dy[0], &mut dhead, &mut da[0]);
        dense::sequence_forward(&head, &a, &mut y).unwrap();
        loss::squared_error(&y, &target, None, Reduction::Mean, Some(&mut dy)).unwrap();
        loss::softmax_cross_entropy(&y, &target, None, Reduction::Mean, Some(&mut dy)).unwrap();
        let classes = [[Y - 1; M]; STEPS];
        loss::softmax_cross_entropy_classes(&y, &classes, None, Reduction::Sum, Some(&mut dy))
            .unwrap();
        dense::sequence_backward(&head, &a, &dy, &mut dhead, &mut da).unwrap();
        dense::softmax(&mut y[0]);
        dense::softmax_backward(&y[0], &mut dy[0]);
        loss::squared_error(&y, &[], None, Reduction::Mean, Some(&mut dy)).unwrap_err()
    });
    assert_eq!(calls, 0, "output layer and losses");

    let mut weights: lstm::Params<X, A, T> = random.flat(1.0);
    let mut grads = weights.clone();
    let zeros = vec![T::ZERO; weights.as_flat().len()];
    let (mut m, mut v) = (zeros.clone(), zeros);
    let calls = allocations(|| {
        let (w, g) = (weights.as_flat_mut(), grads.as_flat_mut());
        let norm = clip_by_global_norm(&mut [g, dhead.as_flat_mut()], half).unwrap();
        let g = grads.as_flat();
        let learning_rate = half;
        Sgd { learning_rate }.update(w, g).unwrap();
        let momentum = Momentum {
            learning_rate,
            momentum: half,
        };
        momentum.update(w, g, &mut m).unwrap();
        let mut adam = Adam::new(half);
        adam.update(w, g, &mut m, &mut v).unwrap();
        norm
    });
    assert_eq!(calls, 0, "optimizers");

    let mut n = 0;
    let mut uniform = || {
        n = (n * 5 + 3) % 16;
        T::from_f64(f64::from(n) / 16.0)
    };
    let calls = allocations(|| {
        init::uniform(&mut weights, half, &mut uniform);
        init::uniform_hidden(&mut weights, &mut uniform);
        init::glorot_uniform(&mut head.w, &mut uniform);
        init::orthogonal(&mut weights.o.wa, &mut uniform);
        init::forget_bias(&mut weights, half);
    });
    assert_eq!(calls, 0, "initialisers");

    let calls = allocations(|| {
        let flat = lstm::Params::<X, A, T>::slice_as_flat(slice::from_ref(&weights));
        lstm::Params::<X, A, T>::from_flat(flat).unwrap();
        bptt::backend()
    });
    assert_eq!(calls, 0, "views");
}

#[test]
fn no_kernel_allocates_in_f32() {
    no_kernel_allocates::<f32>();
}

#[test]
fn no_kernel_allocates_in_f64() {
    no_kernel_allocates::<f64>();
}
