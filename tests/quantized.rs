//! The cells in integers against the same in floating point.

use bptt::quantized::{self, Cell, Scale};
use bptt::{Flat, Matrix, init};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// rms and greatest difference of a over 100 steps: against the f32 cell `float` of the same shape.
fn error<C, F, const X: usize, const A: usize>(cell: &C, float: &F, x: &[[f32; X]]) -> (f64, f64)
where
    C: Cell<X, A, Float = F>,
    F: bptt::Cell<X, A, Scalar = f32>,
    F: bptt::Cell<X, A>,
{
    let mut inputs = vec![Matrix::<X, 1>::zeros(); x.len()];
    for (m, x) in inputs.iter_mut().zip(x) {
        m.as_flat_mut().copy_from_slice(x);
    }
    let mut a = vec![Matrix::<A, 1>::zeros(); x.len()];
    let mut caches = vec![F::Cache::<1>::ZEROS; x.len()];
    let _ = float
        .forward(&inputs, &F::State::<1>::ZEROS, &mut a, &mut caches)
        .unwrap();
    let mut state = C::State::<1>::default();
    let (mut sum, mut most) = (0.0, 0.0_f64);
    for (x, a) in x.iter().zip(&a) {
        let mut q = [[0; X]];
        cell.x_scale().quantize(x, &mut q[0]).unwrap();
        let mut next = C::State::default();
        cell.step(&q, &state, &mut next);
        state = next;
        let mut values = [0.0; A];
        cell.a_scale()
            .dequantize(&C::a(&state)[0], &mut values)
            .unwrap();
        for (v, a) in values.iter().zip(a.as_flat()) {
            let d = f64::from(v - a).abs();
            sum += d * d;
            most = most.max(d);
        }
    }
    ((sum / (x.len() * A) as f64).sqrt(), most)
}

fn try_cell<C, const X: usize, const A: usize>(
    mut cell: C,
    scales: impl Fn(Scale) -> C::Scales,
    name: &str,
) where
    C: Cell<X, A>,
{
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut float = C::Float::ZEROS;
    init::uniform(&mut float, 0.4, || rng.random());
    let x: Vec<[f32; X]> = (0..100)
        .map(|_| std::array::from_fn(|_| rng.random_range(-1.0..1.0)))
        .collect();
    cell.quantize(&float, scales(Scale::of(x.as_flattened())))
        .unwrap();
    let mut grid = C::Float::ZEROS;
    cell.dequantize(&mut grid);
    println!(
        "{name} ({X}, {A}): grid {:?}, f32 {:?}",
        error(&cell, &grid, &x),
        error(&cell, &float, &x)
    );
}

#[test]
fn try_all() {
    try_cell::<_, 6, 16>(quantized::Lstm::<6, 16, i8>::zeros(), |x| x, "lstm 8");
    try_cell::<_, 6, 16>(quantized::Lstm::<6, 16, i16>::zeros(), |x| x, "lstm 16");
    try_cell::<_, 32, 64>(quantized::Lstm::<32, 64, i8>::zeros(), |x| x, "lstm 8");
    try_cell::<_, 6, 17>(
        quantized::ResetAfter::<6, 17, i8>::zeros(),
        |x| x,
        "after 8",
    );
    try_cell::<_, 6, 17>(
        quantized::ResetAfter::<6, 17, i16>::zeros(),
        |x| x,
        "after 16",
    );
    try_cell::<_, 6, 17>(
        quantized::ResetBefore::<6, 17, i8>::zeros(),
        |x| x,
        "before 8",
    );
    try_cell::<_, 6, 17>(
        quantized::ResetBefore::<6, 17, i16>::zeros(),
        |x| x,
        "before 16",
    );
    try_cell::<_, 6, 13>(quantized::Rnn::<6, 13, i8>::zeros(), |x| x, "rnn 8");
    try_cell::<_, 6, 13>(quantized::Rnn::<6, 13, i16>::zeros(), |x| x, "rnn 16");
    try_cell::<_, 6, 5>(
        quantized::Relu::<6, 5, i8>::zeros(),
        |x| (x, Scale::new(12)),
        "relu 8",
    );
    try_cell::<_, 6, 5>(
        quantized::Relu::<6, 5, i16>::zeros(),
        |x| (x, Scale::new(12)),
        "relu 16",
    );
}
