//! Prints what the kernels take of RAM on a Cortex-M: their types, and the stack. First, to be believed, it
//! measures two functions whose depth is known.
//!
//! Each line is a name and numbers, with `|` between them; `.ci/targets table` makes tables of them.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::loss::{self, Reduction};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::quantized::{self, Dense, Lstm};
use bptt::{Cell, Flat, Matrix, activation, dense, gru, init, rnn};
use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::hprintln;
use measure::{STEPS, exit, random, stack_depth};

#[entry]
fn main() -> ! {
    calibrate();

    hprintln!("memory");
    hprintln!("`lstm::Params<6, 16>`|{}", size_of::<lstm::Params<6, 16>>());
    hprintln!(
        "`dense::Params<16, 4>`|{}",
        size_of::<dense::Params<16, 4>>()
    );
    hprintln!("`lstm::State<16, 1>`|{}", size_of::<State<16, 1>>());
    hprintln!(
        "`lstm::Cache<16, 1>`, per step of training|{}",
        size_of::<Cache<16, 1>>()
    );
    hprintln!(
        "`gru::ResetAfter<6, 16>`|{}",
        size_of::<gru::ResetAfter<6, 16>>()
    );
    hprintln!(
        "`gru::ResetBefore<6, 16>`|{}",
        size_of::<gru::ResetBefore<6, 16>>()
    );
    hprintln!(
        "`gru::Cache<16, 1>`, per step of training|{}",
        size_of::<gru::Cache<16, 1>>()
    );
    hprintln!(
        "`job::Stream`, all that inference keeps|{}",
        size_of::<job::Stream>()
    );
    hprintln!(
        "`job::Learner`, all that training keeps, 50 steps|{}",
        size_of::<job::Learner>()
    );
    hprintln!("`quantized::Lstm<6, 16>`, in flash or RAM|{}", size_of::<Lstm<6, 16>>());
    hprintln!("`quantized::Lstm<6, 16, i16>`|{}", size_of::<Lstm<6, 16, i16>>());
    hprintln!("`quantized::Dense<16, 4>`|{}", size_of::<Dense<16, 4>>());
    hprintln!("`quantized::Dense<16, 4, i16>`|{}", size_of::<Dense<16, 4, i16>>());
    hprintln!("`quantized::State<16, 1>`|{}", size_of::<quantized::State<16, 1>>());
    hprintln!("`quantized::Hidden<16, 1>`|{}", size_of::<quantized::Hidden<16, 1>>());

    hprintln!("stack");
    stack_of_kernels();
    exit(true)
}

#[inline(never)]
fn one_kibibyte() {
    black_box(&mut [0u32; 256]);
}

fn calibrate() {
    let nothing = stack_depth(&mut || {});
    let kibibyte = stack_depth(&mut one_kibibyte);
    assert!(nothing <= 16 && (1024..1024 + 64).contains(&kibibyte));
}

fn stack_of_kernels() {
    const X: usize = 6;
    const A: usize = 16;
    // One sample and four go through different code.
    let mut names = ["", ""].map(|_| [("", 0); 37]);
    kernels::<X, A, 1>(&mut names[0]);
    kernels::<X, A, 4>(&mut names[1]);
    let [one, four] = names;
    for ((name, one), (_, four)) in one
        .into_iter()
        .zip(four)
        .filter(|((name, _), _)| !name.is_empty())
    {
        hprintln!("`{}`|{}|{}", name, one, four);
    }
}

#[inline(never)]
fn kernels<const X: usize, const A: usize, const M: usize>(found: &mut [(&'static str, usize)]) {
    const Y: usize = 4;
    let mut found = found.iter_mut();
    let mut stack = |name, f: &mut dyn FnMut()| {
        if let Some(next) = found.next() {
            *next = (name, stack_depth(f));
        }
    };
    sequence::<lstm::Params<X, A>, X, A, M>(
        &mut stack,
        [
            "lstm::Params::step",
            "lstm::Params::forward",
            "Tape<lstm::Params>::backward",
        ],
    );
    sequence::<rnn::Params<X, A>, X, A, M>(
        &mut stack,
        [
            "rnn::Params::step",
            "rnn::Params::forward",
            "Tape<rnn::Params>::backward",
        ],
    );

    sequence::<rnn::Relu<X, A>, X, A, M>(
        &mut stack,
        [
            "rnn::Relu::step",
            "rnn::Relu::forward",
            "Tape<rnn::Relu>::backward",
        ],
    );
    sequence::<gru::ResetAfter<X, A>, X, A, M>(
        &mut stack,
        [
            "gru::ResetAfter::step",
            "gru::ResetAfter::forward",
            "Tape<gru::ResetAfter>::backward",
        ],
    );
    sequence::<gru::ResetBefore<X, A>, X, A, M>(
        &mut stack,
        [
            "gru::ResetBefore::step",
            "gru::ResetBefore::forward",
            "Tape<gru::ResetBefore>::backward",
        ],
    );

    let (x, mut dx): (Matrix<X, M>, Matrix<X, M>) = (random(), random());
    let (mut a, mut da): (Matrix<A, M>, Matrix<A, M>) = (random(), random());
    let (prev, mut next): (State<A, M>, State<A, M>) = (random(), random());
    let mut cache: Cache<A, M> = random();

    let cell: lstm::Params<X, A> = random();
    let cell = black_box(&cell);
    let mut grads = cell.clone();
    stack("lstm::cell_forward", &mut || {
        lstm::cell_forward(cell, &x, &prev, black_box(&mut next), &mut cache);
    });
    stack("lstm::cell_backward", &mut || {
        let (cache, x) = (black_box(&mut cache), black_box(&x));
        lstm::cell_backward(cell, x, &prev, cache, &mut next, &mut grads, &mut dx);
    });

    let cell: rnn::Params<X, A> = random();
    let cell = black_box(&cell);
    let mut grads = cell.clone();
    stack("rnn::cell_forward", &mut || {
        rnn::cell_forward(cell, &x, &prev.a, black_box(&mut next.a))
    });
    stack("rnn::cell_backward", &mut || {
        let (dz, dstate, dx) = (black_box(&mut da), &mut next.a, &mut dx);
        rnn::cell_backward(cell, &x, &prev.a, &a, dz, dstate, &mut grads, dx);
    });

    gru_step::<gru::ResetAfter<X, A>, X, A, M>(
        &mut stack,
        [
            "gru::cell_forward, reset after",
            "gru::cell_backward, reset after",
        ],
    );
    gru_step::<gru::ResetBefore<X, A>, X, A, M>(
        &mut stack,
        [
            "gru::cell_forward, reset before",
            "gru::cell_backward, reset before",
        ],
    );

    let mut head: dense::Params<A, Y> = random();
    let mut dhead = head.clone();
    let target: [Matrix<Y, M>; STEPS] = core::array::from_fn(|_| random());
    let (mut y, mut dy) = (target.clone(), target.clone());
    stack("dense::forward", &mut || {
        dense::forward(black_box(&head), &a, black_box(&mut y[0]))
    });
    stack("dense::backward", &mut || {
        dense::backward(black_box(&head), &a, &dy[0], black_box(&mut dhead), &mut da);
    });
    stack("dense::softmax", &mut || {
        dense::softmax(black_box(&mut y[0]))
    });
    stack("dense::softmax_backward", &mut || {
        dense::softmax_backward(black_box(&y[0]), &mut dy[0])
    });
    let classes = [[1; M]; STEPS];
    stack("loss::softmax_cross_entropy", &mut || {
        let y = black_box(y.as_slice());
        let _ = black_box(loss::softmax_cross_entropy(
            y,
            &target,
            None,
            Reduction::Mean,
            Some(&mut dy),
        ));
    });
    stack("loss::softmax_cross_entropy_classes", &mut || {
        let y = black_box(y.as_slice());
        let _ = black_box(loss::softmax_cross_entropy_classes(
            y,
            &classes,
            None,
            Reduction::Mean,
            Some(&mut dy),
        ));
    });
    stack("loss::squared_error", &mut || {
        let _ = black_box(loss::squared_error(
            black_box(&y),
            &target,
            None,
            Reduction::Mean,
            Some(&mut dy),
        ));
    });
    let learning_rate = 0.1;
    let (mut m, mut v) = (dhead.clone(), dhead.clone());
    stack("optimizer::Sgd::update", &mut || {
        let _ =
            black_box(Sgd { learning_rate }.update(black_box(head.as_flat_mut()), dhead.as_flat()));
    });
    stack("optimizer::Momentum::update", &mut || {
        let momentum = Momentum {
            learning_rate,
            momentum: 0.9,
        };
        let (w, v) = (black_box(head.as_flat_mut()), v.as_flat_mut());
        let _ = black_box(momentum.update(w, dhead.as_flat(), v));
    });
    stack("optimizer::Adam::update", &mut || {
        let (w, m, v) = (
            black_box(head.as_flat_mut()),
            m.as_flat_mut(),
            v.as_flat_mut(),
        );
        let _ = black_box(black_box(Adam::new(learning_rate)).update(w, dhead.as_flat(), m, v));
    });
    stack("optimizer::clip_by_global_norm", &mut || {
        let _ = black_box(clip_by_global_norm(
            &mut [black_box(dhead.as_flat_mut())],
            0.1,
        ));
    });
    stack("init::orthogonal", &mut || {
        let mut u = 0.0;
        let uniform = || {
            u = black_box(if u < 0.9 { u + 0.1 } else { 0.05 });
            u
        };
        init::orthogonal(black_box(&mut grads.wa), uniform);
    });
    stack("activation::tanh_slice", &mut || {
        activation::tanh_slice(black_box(a.as_flat_mut()))
    });
}

/// A step of a cell, a sequence forward and the same backward.
#[inline(never)]
fn sequence<C: Cell<X, A, Scalar = f32>, const X: usize, const A: usize, const M: usize>(
    stack: &mut dyn FnMut(&'static str, &mut dyn FnMut()),
    [step, forward, backward]: [&'static str; 3],
) {
    let (cell, mut grads): (C, C) = (random(), random());
    let x: [Matrix<X, M>; STEPS] = core::array::from_fn(|_| random());
    let da: [Matrix<A, M>; STEPS] = core::array::from_fn(|_| random());
    let (init, mut state): (C::State<M>, C::State<M>) = (random(), random());
    let mut a = [Matrix::ZEROS; STEPS];
    let mut caches = [C::Cache::<M>::ZEROS; STEPS];
    let mut dx = [Matrix::ZEROS; STEPS];
    let (cell, x) = (black_box(&cell), black_box(x.as_slice()));
    stack(step, &mut || cell.step(&x[0], &init, black_box(&mut state)));
    stack(forward, &mut || {
        let tape = cell.forward(x, &init, black_box(&mut a), &mut caches);
        black_box(tape.is_ok());
    });
    let mut tape = cell.forward(x, &init, &mut a, &mut caches).ok();
    stack(backward, &mut || {
        let (dx, tape) = (Some(dx.as_mut_slice()), black_box(&mut tape).take());
        let done = tape.map(|tape| tape.backward(&da, &mut grads, dx, &mut state));
        let _ = black_box(done);
    });
}

/// A single step of a GRU, forward and backward.
#[inline(never)]
fn gru_step<C, const X: usize, const A: usize, const M: usize>(
    stack: &mut dyn FnMut(&'static str, &mut dyn FnMut()),
    [forward, backward]: [&'static str; 2],
) where
    C: gru::Gru<X, A> + Cell<X, A, Scalar = f32>,
{
    let (cell, mut grads): (C, C) = (random(), random());
    let cell = black_box(&cell);
    let (x, mut dx): (Matrix<X, M>, Matrix<X, M>) = (random(), random());
    let (prev, mut next): (Matrix<A, M>, Matrix<A, M>) = (random(), random());
    let mut cache: gru::Cache<A, M> = random();
    stack(forward, &mut || {
        gru::cell_forward(cell, &x, &prev, black_box(&mut next), &mut cache);
    });
    stack(backward, &mut || {
        let (cache, x) = (black_box(&mut cache), black_box(&x));
        gru::cell_backward(cell, x, &prev, cache, &mut next, &mut grads, &mut dx);
    });
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    hprintln!("{}", info);
    exit(false)
}

// SAFETY: it never returns, so it need not leave anything as it was.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    hprintln!("hard fault");
    exit(false)
}
