//! A program that trains an LSTM of one shape.

use user::Lstm;

fn main() {
    let mut lstm = Lstm::<16, 32, 4>::new();
    lstm.train().expect("as many of each as steps");
    println!("{}", lstm.sum());
}
