//! Known memory: every type is its scalars and nothing else, parameters are laid out when the program is compiled, and a network
//! of any size trains in the caller's buffers and a small stack, in debug builds too.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::thread;

use bptt::loss::{Reduction, squared_error};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, clip_by_global_norm};
use bptt::{Affine, Cell, Flat, Matrix, Real, TrainingError, Vector, dense, gru, rnn};

// ------------------------------------------------------------------------------------- a large one

const X: usize = 128;
const A: usize = 256;
const M: usize = 2;
const STEPS: usize = 20;

/// What threads have.
const THREAD: usize = 2 * 1024 * 1024;

/// An eighth of it for the first test, whose parameters alone have 1.5 MiB; but where the crate
/// itself is not optimised (a debug build without `[profile.dev.package.bptt] opt-level = 3`), half
/// of it, for then a kernel takes 0.7 MB.
const STACK: usize = if cfg!(bptt_unoptimized) {
    THREAD / 2
} else {
    THREAD / 8
};

/// Numbers that look random: (n·φ mod 1) − ½.
fn spread(n: usize) -> f32 {
    ((n as f64 * 0.618_033_988_749_895).fract() - 0.5) as f32
}

/// Trains an LSTM of shape (128, 256) for some updates; returns the loss before each.
fn train_large() -> Result<Vec<f32>, TrainingError> {
    type Params = lstm::Params<X, A>;

    let numbers = |length: usize, scale: f32| -> Vec<f32> {
        (0..length).map(|n| scale * spread(n)).collect()
    };
    let mut weights = numbers(Params::LEN, 0.1);
    let x = numbers(STEPS * X * M, 2.0);
    let target = numbers(STEPS * A * M, 0.5);
    let init = vec![0.0; State::<A, M>::LEN];
    let mut a = vec![0.0; STEPS * A * M];
    let mut da = a.clone();
    let mut caches = vec![0.0; STEPS * Cache::<A, M>::LEN];
    let mut dx = vec![0.0; STEPS * X * M];
    let mut dstate = vec![0.0; State::<A, M>::LEN];
    let mut grads = vec![0.0; Params::LEN];
    let (mut m, mut v) = (vec![0.0; Params::LEN], vec![0.0; Params::LEN]);

    let mut adam = Adam::new(1e-3);
    let mut losses = vec![];
    for _ in 0..4 {
        grads.fill(0.0);
        dstate.fill(0.0);
        let params = Params::from_flat(&weights)?;
        let x = Matrix::<X, M>::slice_from_flat(&x)?;
        let init = State::<A, M>::from_flat(&init)?;
        let a = Matrix::<A, M>::slice_from_flat_mut(&mut a)?;
        let da = Matrix::<A, M>::slice_from_flat_mut(&mut da)?;
        let caches = Cache::<A, M>::slice_from_flat_mut(&mut caches)?;
        let tape = params.forward(x, init, a, caches)?;
        let target = Matrix::slice_from_flat(&target)?;
        losses.push(squared_error(
            tape.a(),
            target,
            None,
            Reduction::Mean,
            Some(da),
        )?);
        let dx = Matrix::slice_from_flat_mut(&mut dx)?;
        let dstate = State::from_flat_mut(&mut dstate)?;
        let g = Params::from_flat_mut(&mut grads)?;
        tape.backward(da, g, Some(dx), dstate)?;
        adam.update(&mut weights, &grads, &mut m, &mut v)?;

        // Inference too.
        let params = Params::from_flat(&weights)?;
        let mut next = vec![0.0; State::<A, M>::LEN];
        params.step(&x[0], init, State::from_flat_mut(&mut next)?);
        assert!(next.iter().all(|a| a.is_finite()));
    }
    assert!(dx.iter().chain(&dstate).all(|d| d.is_finite()));
    assert!(dx.iter().any(|d| *d != 0.0));
    Ok(losses)
}

#[test]
fn large_lstm_on_a_small_stack() {
    assert!(size_of::<lstm::Params<X, A>>() > STACK);
    let thread = thread::Builder::new().stack_size(STACK).spawn(train_large);
    let losses = thread.unwrap().join().unwrap().unwrap();
    assert!(
        losses.is_sorted_by(|before, after| after < before),
        "{losses:?}"
    );
}

// ------------------------------------------------------------------------ a larger one, as in `patterns`

/// A flat value on the heap: the helper of `patterns`, "Large networks".
struct Boxed<F: Flat>(Vec<F::Scalar>, PhantomData<F>);

impl<F: Flat> Boxed<F> {
    fn zeros() -> Self {
        Boxed(vec![F::Scalar::ZERO; F::LEN], PhantomData)
    }
}
impl<F: Flat> Deref for Boxed<F> {
    type Target = F;
    fn deref(&self) -> &F {
        F::from_flat(&self.0).unwrap()
    }
}
impl<F: Flat> DerefMut for Boxed<F> {
    fn deref_mut(&mut self) -> &mut F {
        F::from_flat_mut(&mut self.0).unwrap()
    }
}

bptt::flat_struct! {
    struct Net<const A: usize>, NetRef, NetMut {
        cell: lstm::Params<8, A>,
        head: dense::Params<A, 2>,
    }
}

/// Two updates of a network of 1024 units by a sequence of two steps, in the stack that a thread
/// has.
fn train_larger() -> Result<(), TrainingError> {
    const A: usize = 1024;
    let mut net = Boxed::<Net<A>>::zeros();
    let [mut grads, mut m, mut v, mut before] = [(); 4].map(|()| Boxed::<Net<A>>::zeros());
    for (n, w) in net.as_flat_mut().iter_mut().enumerate() {
        *w = 0.1 * spread(n);
    }
    let x = [[0.5; 8], [-0.5; 8]].map(|x| Vector::from_columns([x]));
    let target = [Matrix::from_rows([[0.5], [-0.5]])];
    let mut states = Boxed::<[State<A, 1>; 3]>::zeros();
    let mut caches = vec![Cache::<A, 1>::zeros(); 2]; // one of them is 20 KiB
    let mut losses = vec![];
    let mut adam = Adam::new(1e-3);
    for _ in 0..2 {
        let NetRef { cell, head } = net.parts();
        for (t, (x, cache)) in x.iter().zip(&mut caches).enumerate() {
            let (prev, next) = states.split_at_mut(t + 1);
            lstm::cell_forward(cell, x, &prev[t], &mut next[0], cache);
        }
        let (mut y, mut dy) = ([Matrix::zeros()], [Matrix::zeros()]);
        dense::forward(head, &states[2].a, &mut y[0]);
        losses.push(squared_error(
            &y,
            &target,
            None,
            Reduction::Mean,
            Some(&mut dy),
        )?);

        grads.set_zeros();
        let NetMut {
            cell: dcell,
            head: dhead,
        } = grads.parts_mut();
        let (mut dstate, mut dx) = (Boxed::<State<A, 1>>::zeros(), Vector::zeros());
        dense::backward(head, &states[2].a, &dy[0], dhead, &mut dstate.a);
        for t in [1, 0] {
            let (prev, cache) = (&states[t], &mut caches[t]);
            lstm::cell_backward(cell, &x[t], prev, cache, &mut dstate, dcell, &mut dx);
        }
        clip_by_global_norm(&mut [grads.as_flat_mut()], 1.0)?;
        before.clone_from(&net);
        adam.update(
            net.as_flat_mut(),
            grads.as_flat(),
            m.as_flat_mut(),
            v.as_flat_mut(),
        )?;
        assert!(*before != *net);
    }
    assert!(losses[1] < losses[0], "{losses:?}");

    let mut file = vec![0; size_of::<Net<A>>()];
    net.to_le_bytes(&mut file)?;
    before.read_le_bytes(&file)?;
    assert!(*before == *net);
    Ok(())
}

/// In a debug build too (`cargo test --test memory`): `*grads = Net::zeros()` alone would overflow
/// this stack there.
#[test]
fn larger_lstm_on_the_stack_of_a_thread() {
    assert!(size_of::<Net<1024>>() > 8 * THREAD);
    let thread = thread::Builder::new()
        .stack_size(THREAD)
        .spawn(train_larger);
    thread.unwrap().join().unwrap().unwrap();
}

// ------------------------------------------------------------------------------------------- sizes

/// The size of `F` is `LEN` scalars, and `LEN` is `length`.
const fn assert_size<F: Flat>(length: usize) {
    assert!(F::LEN == length);
    assert!(size_of::<F>() == length * size_of::<F::Scalar>());
    assert!(align_of::<F>() == align_of::<F::Scalar>());
}

/// A caller can assert the bytes of working memory when compiling.
const _: () = {
    assert_size::<Matrix<3, 5>>(15);
    assert_size::<Matrix<3, 5, f64>>(15);
    assert_size::<Vector<7>>(7);
    assert_size::<Affine<3, 5, f64>>(5 * (5 + 3 + 1));
    assert_size::<rnn::Params<3, 5>>(5 * (5 + 3 + 1));
    assert_size::<rnn::Relu<3, 5, f64>>(5 * (5 + 3 + 1));
    assert_size::<lstm::Params<3, 5>>(4 * 5 * (5 + 3 + 1));
    assert_size::<lstm::Params<1, 1, f64>>(4 * 3);
    assert_size::<lstm::Params<128, 256>>(4 * 256 * (256 + 128 + 1));
    assert_size::<State<5, 3>>(2 * 5 * 3);
    assert_size::<State<5, 3, f64>>(2 * 5 * 3);
    assert_size::<Cache<5, 3>>(5 * 5 * 3);
    assert_size::<Cache<5, 3, f64>>(5 * 5 * 3);
    assert_size::<gru::ResetAfter<3, 5>>(3 * 5 * (5 + 3 + 1) + 5);
    assert_size::<gru::ResetAfter<3, 5, f64>>(3 * 5 * (5 + 3 + 1) + 5);
    assert_size::<gru::ResetBefore<3, 5>>(3 * 5 * (5 + 3 + 1));
    assert_size::<gru::ResetBefore<3, 5, f64>>(3 * 5 * (5 + 3 + 1));
    assert_size::<gru::Cache<5, 3>>(4 * 5 * 3);
    assert_size::<gru::Cache<5, 3, f64>>(4 * 5 * 3);
    assert_size::<dense::Params<5, 3>>(3 * (5 + 1));
    assert_size::<dense::Params<5, 3, f64>>(3 * (5 + 1));
    assert!(size_of::<[Cache<16, 1>; 100]>() == 100 * 5 * 16 * 4);
};

// ------------------------------------------------------------------------- parameters in a `static`

/// One gate with W = \[w | 2w\] and b = 3w.
const fn gate(w: f32) -> Affine<1, 1> {
    Affine {
        wa: Matrix::from_rows([[w]]),
        wx: Matrix::from_columns([[2.0 * w]]),
        b: Vector::from_rows([[3.0 * w]]),
    }
}

static PARAMS: lstm::Params<1, 1> = lstm::Params {
    f: gate(1.0),
    i: gate(10.0),
    g: gate(100.0),
    o: gate(1000.0),
};

/// Laid out when compiling, without a copy on any stack.
static LARGE: lstm::Params<X, A> = lstm::Params::zeros();

/// As a program reads weights from a file that is part of it.
static DECODED: Matrix<2, 2> = {
    let bytes = [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64_u8];
    let mut w = Matrix::zeros();
    let mut i = 0;
    while i < 4 {
        let four = [
            bytes[4 * i],
            bytes[4 * i + 1],
            bytes[4 * i + 2],
            bytes[4 * i + 3],
        ];
        w.columns_mut()[i / 2][i % 2] = f32::from_le_bytes(four);
        i += 1;
    }
    w
};

#[test]
fn parameters_in_a_static() {
    let expected = [
        1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 100.0, 200.0, 300.0, 1000.0, 2000.0, 3000.0,
    ];
    assert_eq!(PARAMS.as_flat(), expected);
    assert_eq!(LARGE.as_flat().len(), 4 * A * (A + X + 1));
    assert!(LARGE.as_flat().iter().all(|&w| w == 0.0));
    assert_eq!(DECODED, Matrix::from_rows([[1.0, 3.0], [2.0, 4.0]]));
}
