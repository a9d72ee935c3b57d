//! A program that uses one LSTM forward and backward: by how much does it make a program larger?

use std::io::Read;

use bptt::{Cell, Flat, Matrix, lstm};

const X: usize = 16;
const A: usize = 32;
const M: usize = 1;

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("input");
    let mut numbers: Vec<f32> = input.iter().map(|&byte| f32::from(byte)).collect();
    numbers.resize(lstm::Params::<X, A>::LEN, 0.0);
    let params = lstm::Params::<X, A>::from_flat(&numbers).expect("all weights");
    let x = Matrix::<X, M>::slice_from_flat(&numbers[..10 * X]).expect("ten steps");
    let (init, mut dstate) = (lstm::State::zeros(), lstm::State::zeros());
    let mut a = vec![Matrix::<A, M>::zeros(); 10];
    let mut caches = vec![lstm::Cache::zeros(); 10];
    let mut dx = vec![Matrix::zeros(); 10];
    let mut grads = lstm::Params::zeros();
    let tape = params.forward(x, &init, &mut a, &mut caches);
    let tape = tape.expect("ten of each");
    let da = tape.a().to_vec();
    tape.backward(&da, &mut grads, Some(&mut dx), &mut dstate)
        .expect("ten of each");
    println!("{:?}", &grads.as_flat()[..8]);
}
