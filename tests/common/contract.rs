//! The arithmetic contract, one scalar at a time: for every result of a kernel, which operations are done, and in
//! which order. Nothing is blocked, and no two samples, steps or units are looked at together. The products are the plain loops of
//! the crate's own source.
//!
//! The crate must give these bits on every instruction set.
#![allow(dead_code)] // Not every file that compares with it needs all of it.

#[path = "../../src/product/plain.rs"]
pub mod plain;

use bptt::activation::{sigmoid, tanh};
use bptt::lstm::{self, Cache, State};
use bptt::{Affine, Flat, Matrix, Real, Vector, dense, gru};

/// +0 where |x| is less than the smallest normal number of its type, x otherwise.
pub fn flush<T: Real>(x: T) -> T {
    let smallest = match size_of::<T>() {
        4 => f32::MIN_POSITIVE.into(),
        _ => f64::MIN_POSITIVE,
    };
    if x.to_f64().abs() < smallest {
        T::ZERO
    } else {
        x
    }
}

/// b in each column.
fn bias<const A: usize, const M: usize, T: Real>(b: &Vector<A, T>) -> Matrix<A, M, T> {
    let mut z = Matrix::zeros();
    for z in z.columns_mut() {
        z.copy_from_slice(b.as_flat());
    }
    z
}

/// z = z + W·u, the columns of W in ascending order.
fn add_product<const R: usize, const K: usize, const M: usize, T: Real>(
    mut z: Matrix<R, M, T>,
    w: &Matrix<R, K, T>,
    u: &Matrix<K, M, T>,
) -> Matrix<R, M, T> {
    for (z, u) in z.columns_mut().iter_mut().zip(u.columns()) {
        plain::forward(w.as_flat(), u, z);
    }
    z
}

/// z of one gate: starts at b, adds the columns of Wx in ascending order, then the columns of Wa.
fn pre_activation<const X: usize, const A: usize, const M: usize, T: Real>(
    gate: &Affine<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
) -> Matrix<A, M, T> {
    add_product(add_product(bias(&gate.b), &gate.wx, x), &gate.wa, a_prev)
}

/// Σ_g W_gᵀ·dz_g.
fn transposed<const R: usize, const K: usize, const M: usize, T: Real>(
    w: &[&Matrix<R, K, T>],
    dz: &[&Matrix<R, M, T>],
) -> Matrix<K, M, T> {
    let w: Vec<_> = w.iter().map(|w| w.as_flat()).collect();
    let mut du = Matrix::zeros();
    for (m, du) in du.columns_mut().iter_mut().enumerate() {
        let dz: Vec<_> = dz.iter().map(|dz| dz.columns()[m].as_slice()).collect();
        plain::transposed(&w, &dz, du);
    }
    du
}

/// dW = dW + dz·uᵀ, the batch in ascending order.
fn add_outer<const R: usize, const K: usize, const M: usize, T: Real>(
    dw: &mut Matrix<R, K, T>,
    dz: &Matrix<R, M, T>,
    u: &Matrix<K, M, T>,
) {
    for (dz, u) in dz.columns().iter().zip(u.columns()) {
        plain::outer(dw.as_flat_mut(), dz, u);
    }
}

/// db = db + Σ dz, the batch in ascending order.
fn add_columns<const R: usize, const M: usize, T: Real>(
    db: &mut Vector<R, T>,
    dz: &Matrix<R, M, T>,
) {
    for r in 0..R {
        for m in 0..M {
            db[(r, 0)] = db[(r, 0)] + dz[(r, m)];
        }
    }
}

fn add_gradients<const X: usize, const A: usize, const M: usize, T: Real>(
    grads: &mut Affine<X, A, T>,
    dz: &Matrix<A, M, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
) {
    add_outer(&mut grads.wx, dz, x);
    add_outer(&mut grads.wa, dz, a_prev);
    add_columns(&mut grads.b, dz);
}

/// The activation of an RNN.
#[derive(Clone, Copy)]
pub enum Nonlinearity {
    Tanh,
    Relu,
}

impl Nonlinearity {
    fn of<T: Real>(self, z: T) -> T {
        match self {
            Nonlinearity::Tanh => tanh(z),
            Nonlinearity::Relu if z < T::ZERO => T::ZERO,
            Nonlinearity::Relu => z,
        }
    }

    /// dz, where the output is a.
    fn backward<T: Real>(self, a: T, dh: T) -> T {
        match self {
            Nonlinearity::Tanh => dh * (T::ONE - a * a),
            Nonlinearity::Relu if a == T::ZERO => dh * T::ZERO,
            Nonlinearity::Relu if a > T::ZERO => dh,
            Nonlinearity::Relu => dh * a, // a NaN stays one
        }
    }
}

/// a⟨t⟩ of an RNN.
pub fn rnn_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    nonlinearity: Nonlinearity,
    params: &Affine<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
) -> Matrix<A, M, T> {
    let mut a = pre_activation(params, x, a_prev);
    for m in 0..M {
        for r in 0..A {
            a[(r, m)] = flush(nonlinearity.of(a[(r, m)]));
        }
    }
    a
}

/// One step of an RNN backward. `da` in: from the output of this step, `da_state` in: from the step after it. Out: dz and
/// da⟨t−1⟩. Returns dx.
pub fn rnn_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    nonlinearity: Nonlinearity,
    params: &Affine<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    a: &Matrix<A, M, T>,
    da: &mut Matrix<A, M, T>,
    da_state: &mut Matrix<A, M, T>,
    grads: &mut Affine<X, A, T>,
) -> Matrix<X, M, T> {
    for m in 0..M {
        for r in 0..A {
            let dh = flush(da[(r, m)] + da_state[(r, m)]);
            da[(r, m)] = nonlinearity.backward(a[(r, m)], dh);
        }
    }
    add_gradients(grads, da, x, a_prev);
    *da_state = transposed(&[&params.wa], &[da]);
    transposed(&[&params.wx], &[da])
}

/// a⟨t⟩ of an LSTM, with the gates and c⟨t⟩ in a cache.
pub fn lstm_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    c_prev: &Matrix<A, M, T>,
) -> (Matrix<A, M, T>, Cache<A, M, T>) {
    let mut cache = Cache {
        f: pre_activation(&params.f, x, a_prev),
        i: pre_activation(&params.i, x, a_prev),
        g: pre_activation(&params.g, x, a_prev),
        o: pre_activation(&params.o, x, a_prev),
        c: Matrix::zeros(),
    };
    let mut a = Matrix::zeros();
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let f = sigmoid(cache.f[at]);
            let i = sigmoid(cache.i[at]);
            let cc = tanh(cache.g[at]);
            let o = sigmoid(cache.o[at]);
            let c = flush(f * c_prev[at] + i * cc);
            a[at] = o * tanh(c);
            (cache.f[at], cache.i[at]) = (f, i);
            (cache.g[at], cache.o[at]) = (cc, o);
            cache.c[at] = c;
        }
    }
    (a, cache)
}

/// One step of an LSTM backward. `da`: from the output of this step, `dstate` in: from the step after it. Out: the gates in
/// `cache` become dz, `dstate` da⟨t−1⟩ and dc⟨t−1⟩. Returns dx.
pub fn lstm_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &lstm::Params<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    c_prev: &Matrix<A, M, T>,
    cache: &mut Cache<A, M, T>,
    da: &Matrix<A, M, T>,
    dstate: &mut State<A, M, T>,
    grads: &mut lstm::Params<X, A, T>,
) -> Matrix<X, M, T> {
    let one = T::ONE;
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let (f, i) = (cache.f[at], cache.i[at]);
            let (cc, o) = (cache.g[at], cache.o[at]);
            let tanh_c = tanh(cache.c[at]);
            let da = flush(da[at] + dstate.a[at]);
            let dc = flush(dstate.c[at] + da * o * (one - tanh_c * tanh_c));
            cache.f[at] = (dc * c_prev[at]) * (f * (one - f));
            cache.i[at] = (dc * cc) * (i * (one - i));
            cache.g[at] = (dc * i) * (one - cc * cc);
            cache.o[at] = (da * tanh_c) * (o * (one - o));
            dstate.c[at] = dc * f;
        }
    }
    let dz = [&cache.f, &cache.i, &cache.g, &cache.o];
    add_gradients(&mut grads.f, dz[0], x, a_prev);
    add_gradients(&mut grads.i, dz[1], x, a_prev);
    add_gradients(&mut grads.g, dz[2], x, a_prev);
    add_gradients(&mut grads.o, dz[3], x, a_prev);
    let gates = [&params.f, &params.i, &params.g, &params.o];
    dstate.a = transposed(&gates.map(|gate| &gate.wa), &dz);
    transposed(&gates.map(|gate| &gate.wx), &dz)
}

/// a⟨t⟩ = (1 − u) ⊙ n + u ⊙ a⟨t−1⟩ of a GRU.
fn blend<T: Real>(u: T, n: T, a_prev: T) -> T {
    flush((T::ONE - u) * n + u * a_prev)
}

/// a⟨t⟩ of a GRU whose reset comes after the product, with r, u, n and s in a cache.
pub fn gru_after_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
) -> (Matrix<A, M, T>, gru::Cache<A, M, T>) {
    let mut cache = gru::Cache {
        r: pre_activation(&params.r, x, a_prev),
        u: pre_activation(&params.u, x, a_prev),
        n: add_product(bias(&params.n.b), &params.n.wx, x),
        s: add_product(bias(&params.bna), &params.n.wa, a_prev),
    };
    let mut a = Matrix::zeros();
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let (r, u) = (sigmoid(cache.r[at]), sigmoid(cache.u[at]));
            let n = tanh(cache.n[at] + r * cache.s[at]);
            a[at] = blend(u, n, a_prev[at]);
            (cache.r[at], cache.u[at], cache.n[at]) = (r, u, n);
        }
    }
    (a, cache)
}

/// a⟨t⟩ of a GRU whose reset comes before the product, with r, u, n and s in a cache.
pub fn gru_before_forward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
) -> (Matrix<A, M, T>, gru::Cache<A, M, T>) {
    let mut cache = gru::Cache {
        r: pre_activation(&params.r, x, a_prev),
        u: pre_activation(&params.u, x, a_prev),
        n: Matrix::zeros(),
        s: Matrix::zeros(),
    };
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            (cache.r[at], cache.u[at]) = (sigmoid(cache.r[at]), sigmoid(cache.u[at]));
            cache.s[at] = cache.r[at] * a_prev[at];
        }
    }
    cache.n = pre_activation(&params.n, x, &cache.s);
    let mut a = Matrix::zeros();
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            cache.n[at] = tanh(cache.n[at]);
            a[at] = blend(cache.u[at], cache.n[at], a_prev[at]);
        }
    }
    (a, cache)
}

/// What both GRUs do first on the way back: u and n in `cache` become dz_u and dz_n, and `dstate`, which comes from the step after
/// it, dh ⊙ u. `da`: from the output of this step.
fn gru_backward<const A: usize, const M: usize, T: Real>(
    a_prev: &Matrix<A, M, T>,
    cache: &mut gru::Cache<A, M, T>,
    da: &Matrix<A, M, T>,
    dstate: &mut Matrix<A, M, T>,
) {
    let one = T::ONE;
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let (u, n) = (cache.u[at], cache.n[at]);
            let dh = flush(da[at] + dstate[at]);
            cache.u[at] = (dh * (a_prev[at] - n)) * (u * (one - u));
            cache.n[at] = (dh * (one - u)) * (one - n * n);
            dstate[at] = dh * u;
        }
    }
}

/// du = du + Σ.
fn add_all<const A: usize, const M: usize, T: Real>(
    du: &mut Matrix<A, M, T>,
    sums: &Matrix<A, M, T>,
) {
    for (du, sum) in du.as_flat_mut().iter_mut().zip(sums.as_flat()) {
        *du = *du + *sum;
    }
}

/// One step of a GRU backward, whose reset comes after the product. As [`lstm_backward`]; s in `cache` becomes ds.
pub fn gru_after_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &gru::ResetAfter<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    cache: &mut gru::Cache<A, M, T>,
    da: &Matrix<A, M, T>,
    dstate: &mut Matrix<A, M, T>,
    grads: &mut gru::ResetAfter<X, A, T>,
) -> Matrix<X, M, T> {
    gru_backward(a_prev, cache, da, dstate);
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let (r, s, dz_n) = (cache.r[at], cache.s[at], cache.n[at]);
            cache.s[at] = dz_n * r;
            cache.r[at] = (dz_n * s) * (r * (T::ONE - r));
        }
    }
    add_gradients(&mut grads.r, &cache.r, x, a_prev);
    add_gradients(&mut grads.u, &cache.u, x, a_prev);
    add_outer(&mut grads.n.wx, &cache.n, x);
    add_outer(&mut grads.n.wa, &cache.s, a_prev);
    add_columns(&mut grads.n.b, &cache.n);
    add_columns(&mut grads.bna, &cache.s);
    let wa = [&params.r.wa, &params.u.wa, &params.n.wa];
    add_all(dstate, &transposed(&wa, &[&cache.r, &cache.u, &cache.s]));
    let wx = [&params.r.wx, &params.u.wx, &params.n.wx];
    transposed(&wx, &[&cache.r, &cache.u, &cache.n])
}

/// One step of a GRU backward, whose reset comes before the product. As [`lstm_backward`]; s in `cache` stays.
pub fn gru_before_backward<const X: usize, const A: usize, const M: usize, T: Real>(
    params: &gru::ResetBefore<X, A, T>,
    x: &Matrix<X, M, T>,
    a_prev: &Matrix<A, M, T>,
    cache: &mut gru::Cache<A, M, T>,
    da: &Matrix<A, M, T>,
    dstate: &mut Matrix<A, M, T>,
    grads: &mut gru::ResetBefore<X, A, T>,
) -> Matrix<X, M, T> {
    gru_backward(a_prev, cache, da, dstate);
    let ds = transposed(&[&params.n.wa], &[&cache.n]);
    for m in 0..M {
        for r in 0..A {
            let at = (r, m);
            let r = cache.r[at];
            cache.r[at] = (ds[at] * a_prev[at]) * (r * (T::ONE - r));
            dstate[at] = dstate[at] + ds[at] * r;
        }
    }
    add_gradients(&mut grads.r, &cache.r, x, a_prev);
    add_gradients(&mut grads.u, &cache.u, x, a_prev);
    add_gradients(&mut grads.n, &cache.n, x, &cache.s);
    let wa = [&params.r.wa, &params.u.wa];
    add_all(dstate, &transposed(&wa, &[&cache.r, &cache.u]));
    let wx = [&params.r.wx, &params.u.wx, &params.n.wx];
    transposed(&wx, &[&cache.r, &cache.u, &cache.n])
}

/// y of an output layer.
pub fn dense_forward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    a: &Matrix<A, M, T>,
) -> Matrix<Y, M, T> {
    let mut y = Matrix::zeros();
    for (y, a) in y.columns_mut().iter_mut().zip(a.columns()) {
        y.copy_from_slice(params.b.as_flat());
        plain::forward(params.w.as_flat(), a, y);
    }
    y
}

/// An output layer backward for one step. Returns da.
pub fn dense_backward<const A: usize, const Y: usize, const M: usize, T: Real>(
    params: &dense::Params<A, Y, T>,
    a: &Matrix<A, M, T>,
    dy: &Matrix<Y, M, T>,
    grads: &mut dense::Params<A, Y, T>,
) -> Matrix<A, M, T> {
    add_outer(&mut grads.w, dy, a);
    add_columns(&mut grads.b, dy);
    transposed(&[&params.w], &[dy])
}
