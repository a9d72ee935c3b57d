//! `bptt`. The shapes are types, so all that are ever timed are listed here.

#[path = "../../buffer/mod.rs"]
mod buffer;

use std::hint::black_box;

use bptt::{Affine, Flat, Matrix, gru, lstm, rnn};
use buffer::Buffer;

use crate::work::{Case, Cell, Layer, Run, STEPS, Task};

pub fn run(layer: &Layer) -> Run {
    let Case {
        cell,
        task,
        x,
        a,
        m,
    } = layer.case;
    match (cell, task, x, a, m) {
        (Cell::Lstm, Task::Step, 1, 8, 1) => lstm_step::<1, 8>(layer),
        (Cell::Lstm, Task::Step, 1, 16, 1) => lstm_step::<1, 16>(layer),
        (Cell::Lstm, Task::Step, 1, 20, 1) => lstm_step::<1, 20>(layer),
        (Cell::Lstm, Task::Step, 1, 24, 1) => lstm_step::<1, 24>(layer),
        (Cell::Lstm, Task::Step, 1, 32, 1) => lstm_step::<1, 32>(layer),
        (Cell::Lstm, Task::Step, 1, 40, 1) => lstm_step::<1, 40>(layer),
        (Cell::Lstm, Task::Step, 8, 8, 1) => lstm_step::<8, 8>(layer),
        (Cell::Lstm, Task::Step, 16, 32, 1) => lstm_step::<16, 32>(layer),
        (Cell::Lstm, Task::Step, 32, 64, 1) => lstm_step::<32, 64>(layer),
        (Cell::Lstm, Task::Step, 64, 128, 1) => lstm_step::<64, 128>(layer),
        (Cell::Lstm, Task::Step, 128, 256, 1) => lstm_step::<128, 256>(layer),
        (Cell::Lstm, _, 32, 64, 1) => lstm::<32, 64, 1>(layer),
        (Cell::Lstm, _, 32, 64, 2) => lstm::<32, 64, 2>(layer),
        (Cell::Lstm, _, 32, 64, 4) => lstm::<32, 64, 4>(layer),
        (Cell::Lstm, _, 32, 64, 8) => lstm::<32, 64, 8>(layer),
        (Cell::Lstm, _, 32, 64, 16) => lstm::<32, 64, 16>(layer),
        (Cell::Lstm, _, 32, 64, 32) => lstm::<32, 64, 32>(layer),
        (Cell::Lstm, _, 32, 64, 64) => lstm::<32, 64, 64>(layer),
        (Cell::Lstm, _, 64, 128, 1) => lstm::<64, 128, 1>(layer),
        (Cell::Lstm, _, 64, 128, 8) => lstm::<64, 128, 8>(layer),
        (Cell::Lstm, _, 64, 128, 32) => lstm::<64, 128, 32>(layer),
        (Cell::Lstm, _, 128, 256, 1) => lstm::<128, 256, 1>(layer),
        (Cell::Lstm, _, 128, 256, 8) => lstm::<128, 256, 8>(layer),
        (Cell::Lstm, _, 128, 256, 32) => lstm::<128, 256, 32>(layer),
        (Cell::Lstm, _, 32, 8, 1) => lstm::<32, 8, 1>(layer),
        (Cell::Lstm, _, 32, 16, 1) => lstm::<32, 16, 1>(layer),
        (Cell::Lstm, _, 32, 32, 1) => lstm::<32, 32, 1>(layer),
        (Cell::Lstm, _, 32, 128, 1) => lstm::<32, 128, 1>(layer),
        (Cell::Lstm, _, 32, 256, 1) => lstm::<32, 256, 1>(layer),
        (Cell::Lstm, _, 32, 512, 1) => lstm::<32, 512, 1>(layer),
        (Cell::Gru, Task::Step, 8, 8, 1) => gru_step::<8, 8>(layer),
        (Cell::Gru, Task::Step, 16, 32, 1) => gru_step::<16, 32>(layer),
        (Cell::Gru, Task::Step, 32, 64, 1) => gru_step::<32, 64>(layer),
        (Cell::Gru, Task::Step, 64, 128, 1) => gru_step::<64, 128>(layer),
        (Cell::Gru, Task::Step, 128, 256, 1) => gru_step::<128, 256>(layer),
        (Cell::Gru, _, 32, 64, 1) => gru::<32, 64, 1>(layer),
        (Cell::Gru, _, 32, 64, 8) => gru::<32, 64, 8>(layer),
        (Cell::Gru, _, 32, 64, 32) => gru::<32, 64, 32>(layer),
        (Cell::Gru, _, 64, 128, 1) => gru::<64, 128, 1>(layer),
        (Cell::Gru, _, 64, 128, 8) => gru::<64, 128, 8>(layer),
        (Cell::Gru, _, 64, 128, 32) => gru::<64, 128, 32>(layer),
        (Cell::Gru, _, 128, 256, 1) => gru::<128, 256, 1>(layer),
        (Cell::Gru, _, 128, 256, 8) => gru::<128, 256, 8>(layer),
        (Cell::Gru, _, 128, 256, 32) => gru::<128, 256, 32>(layer),
        (Cell::Rnn, _, 32, 64, 1) => rnn::<32, 64, 1>(layer),
        (Cell::Rnn, _, 32, 64, 32) => rnn::<32, 64, 32>(layer),
        _ => panic!("{:?} is not in the list", layer.case),
    }
}

/// Gate g of the layer.
fn load<const X: usize, const A: usize>(affine: &mut Affine<X, A>, layer: &Layer, g: usize) {
    for r in 0..A {
        let row = g * A + r;
        for k in 0..X {
            affine.wx[(r, k)] = layer.wx[row * X + k];
        }
        for k in 0..A {
            affine.wa[(r, k)] = layer.wa[row * A + k];
        }
        affine.b[(r, 0)] = layer.b[row];
    }
}

/// The gradients dwx, dwa and db of all gates, by rows.
fn append<const X: usize, const A: usize>(out: &mut Vec<f32>, gates: &[&Affine<X, A>]) {
    for gate in gates {
        (0..A).for_each(|r| out.extend(gate.wx.row(r).unwrap()));
    }
    for gate in gates {
        (0..A).for_each(|r| out.extend(gate.wa.row(r).unwrap()));
    }
    for gate in gates {
        out.extend(gate.b.as_flat());
    }
}

fn lstm_params<const X: usize, const A: usize>(layer: &Layer) -> Buffer<lstm::Params<X, A>> {
    let mut buffer = Buffer::<lstm::Params<X, A>>::zeros(1);
    let params = &mut buffer.all_mut()[0];
    load(&mut params.i, layer, 0);
    load(&mut params.f, layer, 1);
    load(&mut params.g, layer, 2);
    load(&mut params.o, layer, 3);
    buffer
}

fn gru_params<const X: usize, const A: usize>(layer: &Layer) -> Buffer<gru::ResetAfter<X, A>> {
    let mut buffer = Buffer::<gru::ResetAfter<X, A>>::zeros(1);
    let params = &mut buffer.all_mut()[0];
    load(&mut params.r, layer, 0);
    load(&mut params.u, layer, 1);
    load(&mut params.n, layer, 2);
    buffer
}

fn lstm_step<const X: usize, const A: usize>(layer: &Layer) -> Run {
    step::<lstm::Params<X, A>, X, A>(layer, lstm_params(layer))
}

fn gru_step<const X: usize, const A: usize>(layer: &Layer) -> Run {
    step::<gru::ResetAfter<X, A>, X, A>(layer, gru_params(layer))
}

fn step<C, const X: usize, const A: usize>(layer: &Layer, params: Buffer<C>) -> Run
where
    C: bptt::Cell<X, A, Scalar = f32> + 'static,
    C::State<1>: 'static,
{
    let x = Buffer::<Matrix<X, 1>>::new(&layer.x);
    let mut states = [(); 2].map(|()| Buffer::<C::State<1>>::zeros(1));
    Box::new(move |mut out| {
        let params = &params.all()[0];
        let [mut state, mut next] = states.each_mut().map(|state| &mut state.all_mut()[0]);
        state.as_flat_mut().fill(0.0);
        for x in x.all() {
            params.step(x, state, next);
            std::mem::swap(&mut state, &mut next);
            if let Some(out) = &mut out {
                out.extend(&state.as_flat()[..A]); // a
            }
        }
        black_box(&state);
    })
}

fn lstm<const X: usize, const A: usize, const M: usize>(layer: &Layer) -> Run {
    sequence::<lstm::Params<X, A>, X, A, M>(layer, lstm_params(layer), |grads, out| {
        append(out, &[&grads.i, &grads.f, &grads.g, &grads.o]);
    })
}

fn gru<const X: usize, const A: usize, const M: usize>(layer: &Layer) -> Run {
    sequence::<gru::ResetAfter<X, A>, X, A, M>(layer, gru_params(layer), |grads, out| {
        append(out, &[&grads.r, &grads.u, &grads.n]);
    })
}

fn rnn<const X: usize, const A: usize, const M: usize>(layer: &Layer) -> Run {
    let mut params = Buffer::<rnn::Params<X, A>>::zeros(1);
    load(&mut params.all_mut()[0], layer, 0);
    sequence::<rnn::Params<X, A>, X, A, M>(layer, params, |grads, out| append(out, &[grads]))
}

fn sequence<C, const X: usize, const A: usize, const M: usize>(
    layer: &Layer,
    params: Buffer<C>,
    append: fn(&C, &mut Vec<f32>),
) -> Run
where
    C: bptt::Cell<X, A, Scalar = f32> + 'static,
    C::State<M>: 'static,
    C::Cache<M>: 'static,
{
    let task = layer.case.task;
    let x = Buffer::<Matrix<X, M>>::new(&layer.x);
    let da = Buffer::<Matrix<A, M>>::new(&layer.da);
    let mut a = Buffer::<Matrix<A, M>>::zeros(STEPS);
    let mut caches = Buffer::<C::Cache<M>>::zeros(STEPS);
    let mut grads = Buffer::<C>::zeros(1);
    let mut dx = Buffer::<Matrix<X, M>>::zeros(STEPS);
    let init = C::State::<M>::ZEROS;
    Box::new(move |out| {
        let (x, params) = (x.all(), &params.all()[0]);
        let tape = params.forward(x, &init, a.all_mut(), caches.all_mut());
        let tape = tape.unwrap();
        if task == Task::Training {
            grads.flat_mut().fill(0.0);
            let (grads, dx) = (&mut grads.all_mut()[0], Some(dx.all_mut()));
            let mut dstate = C::State::ZEROS;
            tape.backward(da.all(), grads, dx, &mut dstate).unwrap();
        }
        black_box((a.flat(), grads.flat(), dx.flat()));
        if let Some(out) = out {
            out.extend(a.flat());
            if task == Task::Training {
                append(&grads.all()[0], out);
                out.extend(dx.flat());
            }
        }
    })
}
