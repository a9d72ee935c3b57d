//! Hands one scalar too few to a kernel, on purpose: what watches memory must stop this program (`.ci/sanitize`).
//!
//! ```text
//! sanitize KERNEL whole      all scalars: must end well
//! sanitize KERNEL short      the last one is missing: must be caught in the kernel
//! ```

use std::hint::black_box;
use std::slice::{from_mut, from_ref};

use bptt::lstm::{Cache, Params, State};
use bptt::{Cell, Flat, Matrix, Tape, activation};

/// No multiple of a vector: the last weights, inputs and outputs are at the edge of one.
const X: usize = 5;
const A: usize = 20;
const M: usize = 3;

/// The heap's memory of so many scalars, or of one less, as an `F`.
///
/// It is the lie for which this program is there: of a short one, the last scalar must not be touched.
fn lie<F: Flat<Scalar = f32>>(short: bool) -> &'static mut F {
    let memory = vec![0.25_f32; F::LEN - usize::from(short)].leak();
    // SAFETY: none where `short`. An `F` is `F::LEN` scalars in a row, as `Flat` says.
    unsafe { &mut *black_box(memory.as_mut_ptr()).cast::<F>() }
}

/// Calls into the library and nothing else, each a function of its own even where the library is inlined into it: its name
/// stands in the trace of a wrong access.
mod kernel {
    use super::*;

    /// Reads to the end of the weights.
    #[inline(never)]
    pub fn step(params: &Params<X, A>, x: &Matrix<X, 1>, next: &mut State<A, 1>) {
        params.step(x, &State::zeros(), next);
    }

    /// Reads to the end of the inputs.
    #[inline(never)]
    pub fn forward<'t>(
        params: &'t Params<X, A>,
        x: &'t Matrix<X, M>,
        init: &'t State<A, M>,
        a: &'t mut Matrix<A, M>,
        cache: &'t mut Cache<A, M>,
    ) -> Tape<'t, Params<X, A>, X, A, M> {
        let (x, a, caches) = (from_ref(x), from_mut(a), from_mut(cache));
        params.forward(x, init, a, caches).unwrap()
    }

    /// Reads and writes to the end of the gradients.
    #[inline(never)]
    pub fn backward(tape: Tape<Params<X, A>, X, A, M>, grads: &mut Params<X, A>) {
        let (da, mut dstate) = (tape.a(), State::zeros());
        tape.backward(da, grads, None, &mut dstate).unwrap();
    }

    /// Reads and writes to the end of a slice.
    #[inline(never)]
    pub fn sigmoid(x: &mut Matrix<A, 1>) {
        activation::sigmoid_slice(x.as_flat_mut());
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, kernel, memory] = arguments.as_slice() else {
        panic!("a kernel and whether its memory is whole or short");
    };
    let short = match memory.as_str() {
        "whole" => false,
        "short" => true,
        other => panic!("memory is whole or short, not {other}"),
    };
    println!("{:?}", bptt::backend());
    // What may be short is not read here: the kernel is to be caught, not this program.
    let params = || lie::<Params<X, A>>(false);
    let (init, mut a, mut cache) = (State::zeros(), Matrix::zeros(), Cache::zeros());
    match kernel.as_str() {
        "step" => {
            let mut next = State::zeros();
            kernel::step(lie(short), &Matrix::zeros(), &mut next);
            black_box(next);
        }
        "forward" => {
            let _ = kernel::forward(params(), lie(short), &init, &mut a, &mut cache);
        }
        "backward" => {
            let x = Matrix::zeros();
            let tape = kernel::forward(params(), &x, &init, &mut a, &mut cache);
            let grads = lie(short);
            kernel::backward(tape, grads);
            black_box(grads);
        }
        "sigmoid" => {
            let x = lie(short);
            kernel::sigmoid(x);
            black_box(x);
        }
        other => panic!("no kernel {other}"),
    }
    black_box((a, cache));
}
