//! No kernel allocates: an allocator that counts, for each thread by itself, sees nothing during any call.

#[path = "common/random.rs"]
mod random;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::{array, hint, slice};

use bptt::loss::{self, Reduction};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Cell as _, Flat, Matrix, Real, dense, init, rnn};
use random::Random;

struct Counting;

thread_local! {
    /// How often this thread has asked for memory. Needs neither memory nor a destructor of its own.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread at its very end has no counter any more; nothing is measured there.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` asks for memory.
fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = COUNT.get();
    hint::black_box(f());
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1, 2, 3]), 1);
    assert_eq!(allocations(|| vec![0; 100]), 1);
    let mut vector = vec![1];
    assert_eq!(allocations(|| vector.extend([2; 100])), 1);
    assert_eq!(allocations(|| [1, 2, 3]), 0);
}

fn no_kernel_allocates<T: Real>() {
    const X: usize = 3;
    const A: usize = 5;
    const M: usize = 2;
    const Y: usize = 4;
    const STEPS: usize = 3;
    let random = &mut Random::new(1);
    let half = T::from_f64(0.5);

    let x: [Matrix<X, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let da: [Matrix<A, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let start: State<A, M, T> = random.flat(1.0);
    let mut a: [Matrix<A, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let (mut dz, mut dx) = (da.clone(), x.clone());

    let params: rnn::Params<X, A, T> = random.flat(1.0);
    let mut grads = params.clone();
    let mut end = start.clone();
    let calls = allocations(|| {
        rnn::cell_forward(&params, &x[0], &start.a, &mut a[0]);
        rnn::cell_backward(
            &params, &x[0], &start.a, &a[0], &mut dz[0], &mut end.a, &mut grads, &mut dx[0],
        );
        params.step(&x[0], &start.a, &mut end.a);
        let tape = params.forward(&x, &start.a, &mut a, &mut dz).unwrap();
        tape.last(&mut end.a);
        tape.backward(&da, &mut grads, Some(&mut dx), &mut end.a)
            .unwrap();
        params
            .forward(&x, &start.a, &mut [], &mut dz)
            .map(drop)
            .unwrap_err()
    });
    assert_eq!(calls, 0, "RNN");

    let params: lstm::Params<X, A, T> = random.flat(1.0);
    let mut grads = params.clone();
    let mut caches: [Cache<A, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let calls = allocations(|| {
        params.step(&x[0], &start, &mut end);
        lstm::cell_forward(&params, &x[0], &start, &mut end, &mut caches[0]);
        lstm::cell_backward(
            &params,
            &x[0],
            &start,
            &mut caches[0],
            &mut end,
            &mut grads,
            &mut dx[0],
        );
        let tape = params.forward(&x, &start, &mut a, &mut caches).unwrap();
        tape.last(&mut end);
        tape.backward(&da, &mut grads, Some(&mut dx), &mut end)
            .unwrap();
        params
            .forward(&x, &start, &mut a, &mut [])
            .map(drop)
            .unwrap_err()
    });
    assert_eq!(calls, 0, "LSTM");

    let mut head: dense::Params<A, Y, T> = random.flat(1.0);
    let mut dhead = head.clone();
    let target: [Matrix<Y, M, T>; STEPS] = array::from_fn(|_| random.flat(1.0));
    let (mut y, mut dy) = (target.clone(), target.clone());
    let calls = allocations(|| {
        dense::forward(&head, &a[0], &mut y[0]);
        dense::backward(&head, &a[0], &dy[0], &mut dhead, &mut dz[0]);
        dense::sequence_forward(&head, &a, &mut y).unwrap();
        loss::squared_error(&y, &target, None, Reduction::Mean, Some(&mut dy)).unwrap();
        loss::softmax_cross_entropy(&y, &target, None, Reduction::Mean, Some(&mut dy)).unwrap();
        let classes = [[Y - 1; M]; STEPS];
        loss::softmax_cross_entropy_classes(&y, &classes, None, Reduction::Sum, Some(&mut dy))
            .unwrap();
        dense::sequence_backward(&head, &a, &dy, &mut dhead, &mut dz).unwrap();
        dense::softmax(&mut y[0]);
        dense::softmax_backward(&y[0], &mut dy[0]);
        loss::squared_error(&y, &[], None, Reduction::Mean, Some(&mut dy)).unwrap_err()
    });
    assert_eq!(calls, 0, "output layer and losses");

    let mut weights = params.clone();
    let zeros = vec![T::ZERO; params.as_flat().len()];
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
        init::uniform_hidden(&mut weights.i, &mut uniform);
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
