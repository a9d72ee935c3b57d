//! Prints what the kernels cost: first, to be believed, two functions whose cost is known.
//!
//! Each line is a name and numbers, with `|` between them; `.ci/targets table` makes tables of them.
#![no_std]
#![no_main]

use core::arch::asm;
use core::hint::black_box;
use core::panic::PanicInfo;

use bptt::loss::{self, Reduction};
use bptt::lstm::{self, Cache, State};
use bptt::optimizer::{Adam, Momentum, Sgd, clip_by_global_norm};
use bptt::{Flat, Matrix, activation, dense, init, rnn};
use cortex_m::peripheral::SYST;
use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::{debug, hprintln};
use measure::{instructions, stack_depth};

#[entry]
fn main() -> ! {
    let Some(mut peripherals) = cortex_m::Peripherals::take() else {
        exit(false)
    };
    let syst = &mut peripherals.SYST;
    calibrate(syst);

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
        "`job::Stream`, all that inference keeps|{}",
        size_of::<job::Stream>()
    );
    hprintln!(
        "`job::Learner`, all that training keeps, 50 steps|{}",
        size_of::<job::Learner>()
    );

    hprintln!("instructions");
    instructions_of::<6, 16>(syst);
    instructions_of::<16, 32>(syst);
    instructions_of::<32, 64>(syst);

    hprintln!("stack");
    stack_of_kernels();
    exit(true)
}

/// Two instructions before the loop and two thousand in it.
#[inline(always)]
fn two_thousand_and_two() {
    // SAFETY: changes one register.
    unsafe {
        asm!(
            "movs {n}, #250",
            "lsls {n}, {n}, #2",
            "2:",
            "subs {n}, {n}, #1",
            "bne 2b",
            n = out(reg) _,
            options(nomem, nostack),
        )
    }
}

#[inline(never)]
fn one_kibibyte() {
    black_box(&mut [0u32; 256]);
}

fn calibrate(syst: &mut SYST) {
    let nothing = stack_depth(&mut || {});
    let kibibyte = stack_depth(&mut one_kibibyte);
    assert!(nothing <= 16 && (1024..1024 + 64).contains(&kibibyte));
    let nothing = instructions(syst, 4000, &mut || {});
    let known = instructions(syst, 400, &mut two_thousand_and_two);
    assert!(nothing == 0 && known == 2002);
}

/// Numbers in ±0.5, the same in every run.
fn random<F: Flat<Scalar = f32> + Default>() -> F {
    let mut flat = F::default();
    let mut n = 1_u32;
    init::uniform(&mut flat, 0.5, || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / 16_777_216.0
    });
    flat
}

const STEPS: usize = 10;

#[inline(never)]
fn instructions_of<const X: usize, const A: usize>(syst: &mut SYST) {
    let cell: lstm::Params<X, A> = random();
    let x: [Matrix<X, 1>; STEPS] = core::array::from_fn(|_| random());
    let (prev, mut next): (State<A, 1>, State<A, 1>) = (random(), random());
    let mut step = || {
        lstm::step(
            black_box(&cell),
            black_box(&x[0]),
            black_box(&prev),
            &mut next,
        )
    };
    let step = instructions(syst, 400, &mut step);

    let mut a = [const { Matrix::<A, 1>::zeros() }; STEPS];
    let mut caches = [const { Cache::<A, 1>::zeros() }; STEPS];
    let da: [Matrix<A, 1>; STEPS] = core::array::from_fn(|_| random());
    let mut grads = lstm::Params::<X, A>::zeros();
    let mut dstate = State::zeros();
    let mut training = || {
        let (cell, x) = (black_box(&cell), black_box(x.as_slice()));
        let forward = lstm::forward(cell, x, &prev, &mut a, &mut caches);
        let da = black_box(da.as_slice());
        let backward = lstm::backward(
            cell,
            x,
            &prev,
            &a,
            &mut caches,
            da,
            &mut grads,
            None,
            &mut dstate,
        );
        black_box((forward.is_ok(), backward.is_ok()));
    };
    let training = instructions(syst, 4, &mut training) / STEPS as u32;
    hprintln!("({}, {})|{}|{}", X, A, step, training);
}

fn stack_of_kernels() {
    const X: usize = 6;
    const A: usize = 16;
    // One sample and four go through different code.
    let mut names = ["", ""].map(|_| [("", 0); 24]);
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
    let x: [Matrix<X, M>; STEPS] = core::array::from_fn(|_| random());
    let x = x.as_slice();
    let mut dx: [Matrix<X, M>; STEPS] = core::array::from_fn(|_| random());
    let mut a: [Matrix<A, M>; STEPS] = core::array::from_fn(|_| random());
    let mut da = a.clone();
    let (prev, mut next): (State<A, M>, State<A, M>) = (random(), random());
    let mut caches: [Cache<A, M>; STEPS] = core::array::from_fn(|_| random());

    let cell: lstm::Params<X, A> = random();
    let cell = black_box(&cell);
    let mut grads = cell.clone();
    stack("lstm::step", &mut || {
        lstm::step(cell, &x[0], &prev, black_box(&mut next))
    });
    stack("lstm::cell_forward", &mut || {
        lstm::cell_forward(cell, &x[0], &prev, black_box(&mut next), &mut caches[0]);
    });
    stack("lstm::cell_backward", &mut || {
        let cache = black_box(&mut caches[0]);
        lstm::cell_backward(cell, &x[0], &prev, cache, &mut next, &mut grads, &mut dx[0]);
    });
    stack("lstm::forward", &mut || {
        let _ = black_box(lstm::forward(
            cell,
            black_box(x),
            &prev,
            black_box(&mut a),
            &mut caches,
        ));
    });
    stack("lstm::backward", &mut || {
        let (x, caches, dx) = (
            black_box(x),
            black_box(&mut caches),
            Some(dx.as_mut_slice()),
        );
        let _ = black_box(lstm::backward(
            cell, x, &prev, &a, caches, &da, &mut grads, dx, &mut next,
        ));
    });

    let cell: rnn::Params<X, A> = random();
    let cell = black_box(&cell);
    let mut grads = cell.clone();
    stack("rnn::cell_forward", &mut || {
        rnn::cell_forward(cell, &x[0], &prev.a, black_box(&mut next.a))
    });
    stack("rnn::cell_backward", &mut || {
        let (dz, grads) = (black_box(&mut da[0]), &mut grads);
        rnn::cell_backward(
            cell,
            &x[0],
            &prev.a,
            &a[0],
            dz,
            grads,
            &mut dx[0],
            &mut next.a,
        );
    });
    stack("rnn::forward", &mut || {
        let _ = black_box(rnn::forward(cell, black_box(x), &prev.a, black_box(&mut a)));
    });
    stack("rnn::backward", &mut || {
        let (x, da, dx) = (black_box(x), black_box(&mut da), Some(dx.as_mut_slice()));
        let _ = black_box(rnn::backward(
            cell,
            x,
            &prev.a,
            &a,
            da,
            &mut grads,
            dx,
            &mut next.a,
        ));
    });

    let mut head: dense::Params<A, Y> = random();
    let mut dhead = head.clone();
    let target: [Matrix<Y, M>; STEPS] = core::array::from_fn(|_| random());
    let (mut y, mut dy) = (target.clone(), target.clone());
    stack("dense::forward", &mut || {
        dense::forward(black_box(&head), &a[0], black_box(&mut y[0]))
    });
    stack("dense::backward", &mut || {
        dense::backward(
            black_box(&head),
            &a[0],
            &dy[0],
            black_box(&mut dhead),
            &mut da[0],
        );
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
            Reduction::Mean,
            &mut dy,
        ));
    });
    stack("loss::softmax_cross_entropy_classes", &mut || {
        let y = black_box(y.as_slice());
        let _ = black_box(loss::softmax_cross_entropy_classes(
            y,
            &classes,
            Reduction::Mean,
            &mut dy,
        ));
    });
    stack("loss::squared_error", &mut || {
        let _ = black_box(loss::squared_error(
            black_box(&y),
            &target,
            Reduction::Mean,
            &mut dy,
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
        black_box(clip_by_global_norm(
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
        activation::tanh_slice(black_box(a[0].as_flat_mut()))
    });
}

/// Ends the emulation; the emulator's exit status is 0 or not.
fn exit(ok: bool) -> ! {
    debug::exit(if ok {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
    loop {}
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
