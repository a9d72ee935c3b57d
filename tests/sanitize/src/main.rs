//! Hands one scalar too few to a kernel, on purpose: what watches memory must stop this program (`.ci/sanitize`).
//!
//! ```text
//! sanitize CELL KERNEL whole      all scalars, layers of all sizes: must end well
//! sanitize CELL KERNEL short      the last one is missing: must be caught in the kernel
//! ```
//!
//! CELL is `lstm`, `gru_after`, `gru_before`, `rnn` or `relu`, and KERNEL `step`, `forward` or `backward`; or CELL is
//! `integers` and KERNEL one of these cells in integers; or they are `slice` and `sigmoid`.

use std::alloc::{self, Layout};
use std::hint::black_box;

use bptt::{Cell, Flat, Matrix, Real, Tape, Vector, activation, gru, lstm, quantized, rnn};

const STEPS: usize = 2;

/// The heap's memory of so many scalars, or of one less, as an `F`.
///
/// It is the lie for which this program is there: of a short one, the last scalar must not be touched.
fn lie<F: Flat>(short: bool) -> &'static mut F {
    let memory = vec![F::Scalar::from_f64(0.25); F::LEN - usize::from(short)].leak();
    // SAFETY: none where `short`. An `F` is `F::LEN` scalars in a row, as `Flat` says.
    unsafe { &mut *black_box(memory.as_mut_ptr()).cast::<F>() }
}

/// The same with all scalars, each in a block of its own.
fn whole<F: Flat>() -> &'static mut F {
    lie(false)
}

/// The heap's memory of a cell in integers, with zeros, or of two bytes less: of a short one, the last weights are missing.
///
/// The lie is as above.
fn integers<C>(short: bool) -> &'static C {
    let layout = Layout::new::<C>();
    let size = layout.size() - if short { 4 } else { 0 };
    let layout = Layout::from_size_align(size, layout.align()).unwrap();
    // SAFETY: the size is not zero. As above, a cell in integers is integers alone, of which zero is a valid one.
    unsafe { &*black_box(alloc::alloc_zeroed(layout)).cast::<C>() }
}

/// Calls into the library and nothing else, each a function of its own even where the library is inlined into it: its name
/// stands in the trace of a wrong access.
mod kernel {
    use super::*;

    /// Reads to the end of the weights.
    #[inline(never)]
    pub fn step<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
        cell: &C,
        x: &Matrix<X, M, C::Scalar>,
        prev: &C::State<M>,
        next: &mut C::State<M>,
    ) {
        cell.step(x, prev, next);
    }

    /// Reads to the end of the inputs.
    #[inline(never)]
    pub fn forward<'t, C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
        cell: &'t C,
        x: &'t [Matrix<X, M, C::Scalar>; STEPS],
        init: &'t C::State<M>,
        a: &'t mut [Matrix<A, M, C::Scalar>; STEPS],
        caches: &'t mut [C::Cache<M>; STEPS],
    ) -> Tape<'t, C, X, A, M> {
        cell.forward(x, init, a, caches).unwrap()
    }

    /// Reads and writes to the end of the gradients.
    #[inline(never)]
    pub fn backward<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(
        tape: Tape<C, X, A, M>,
        da: &[Matrix<A, M, C::Scalar>; STEPS],
        grads: &mut C,
        dx: &mut [Matrix<X, M, C::Scalar>; STEPS],
        dstate: &mut C::State<M>,
    ) {
        tape.backward(da, grads, Some(dx), dstate).unwrap();
    }

    /// Reads to the end of the weights.
    #[inline(never)]
    pub fn step_in_integers<C: quantized::Cell<X, A>, const X: usize, const A: usize>(cell: &C) {
        let mut next = C::State::<1>::default();
        cell.step(&[[100; X]], &C::State::default(), &mut next);
        black_box(next);
    }

    /// Reads and writes to the end of a slice.
    #[inline(never)]
    pub fn sigmoid<T: Real, const N: usize>(x: &mut Vector<N, T>) {
        activation::sigmoid_slice(x.as_flat_mut());
    }
}

/// A kernel of a cell. What may be short is not read here: the kernel is to be caught, not this program.
fn run<C: Cell<X, A>, const X: usize, const A: usize, const M: usize>(kernel: &str, short: bool) {
    match kernel {
        "step" => kernel::step::<C, X, A, M>(lie(short), whole(), whole(), whole()),
        "forward" => {
            let _ = kernel::forward::<C, X, A, M>(whole(), lie(short), whole(), whole(), whole());
        }
        "backward" => {
            let tape = kernel::forward::<C, X, A, M>(whole(), whole(), whole(), whole(), whole());
            kernel::backward(tape, whole(), lie(short), whole(), whole());
        }
        other => panic!("no kernel {other}"),
    }
}

/// Whole memory for layers of one to four vectors of every instruction set, of a unit more, and of less than one; short for
/// one that is no multiple of a vector, whose last weights, inputs and outputs are at the edge of one.
macro_rules! run {
    ($cells:ident::$cell:ident, $kernel:expr, $short:expr) => {
        run!($cells::$cell, $kernel, $short, 1 3 4 5 8 9 12 13 16 17 25 32 33 48 49 64 65)
    };
    ($cells:ident::$cell:ident, $kernel:expr, $short:expr, $($a:literal)*) => {
        match $short {
            true => run::<$cells::$cell<5, 20>, 5, 20, 3>($kernel, true),
            false => {$(
                run::<$cells::$cell<5, $a>, 5, $a, 1>($kernel, false);
                run::<$cells::$cell<5, $a>, 5, $a, 2>($kernel, false);
                run::<$cells::$cell<5, $a>, 5, $a, 3>($kernel, false);
                run::<$cells::$cell<5, $a, f64>, 5, $a, 1>($kernel, false);
                run::<$cells::$cell<5, $a, f64>, 5, $a, 2>($kernel, false);
                run::<$cells::$cell<5, $a, f64>, 5, $a, 3>($kernel, false);
            )*}
        }
    };
}

/// The same for cells in integers, with weights of 8 and of 16 bits; short is one whose bytes of weights are a multiple of 4.
macro_rules! run_in_integers {
    ($cell:ident, $short:expr) => {
        run_in_integers!($cell, $short, 1 3 4 5 8 9 12 13 16 17 25 32 33 48 49 64 65)
    };
    ($cell:ident, $short:expr, $($a:literal)*) => {
        match $short {
            true => kernel::step_in_integers::<_, 5, 20>(integers::<quantized::$cell<5, 20>>(true)),
            false => {$(
                kernel::step_in_integers::<_, 5, $a>(integers::<quantized::$cell<5, $a, i8>>(false));
                kernel::step_in_integers::<_, 5, $a>(integers::<quantized::$cell<5, $a, i16>>(false));
                kernel::step_in_integers::<_, 6, $a>(integers::<quantized::$cell<6, $a, i8>>(false));
                kernel::step_in_integers::<_, 6, $a>(integers::<quantized::$cell<6, $a, i16>>(false));
            )*}
        }
    };
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, cell, kernel, memory] = arguments.as_slice() else {
        panic!("a cell, a kernel and whether its memory is whole or short");
    };
    let short = match memory.as_str() {
        "whole" => false,
        "short" => true,
        other => panic!("memory is whole or short, not {other}"),
    };
    println!("{:?}", bptt::backend());
    match cell.as_str() {
        "lstm" => run!(lstm::Params, kernel, short),
        "gru_after" => run!(gru::ResetAfter, kernel, short),
        "gru_before" => run!(gru::ResetBefore, kernel, short),
        "rnn" => run!(rnn::Params, kernel, short),
        "relu" => run!(rnn::Relu, kernel, short),
        "integers" => match kernel.as_str() {
            "lstm" => run_in_integers!(Lstm, short),
            "gru_after" => run_in_integers!(ResetAfter, short),
            "gru_before" => run_in_integers!(ResetBefore, short),
            "rnn" => run_in_integers!(Rnn, short),
            "relu" => run_in_integers!(Relu, short),
            other => panic!("no cell {other}"),
        },
        "slice" => kernel::sigmoid::<f32, 20>(lie(short)),
        other => panic!("no cell {other}"),
    }
}
