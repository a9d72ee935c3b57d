//! A program that trains LSTMs of twenty shapes, that of `one_shape.rs` among them.

use user::Lstm;

macro_rules! train {
    ($(($x:literal, $a:literal, $m:literal))*) => {$(
        let mut lstm = Lstm::<$x, $a, $m>::new();
        lstm.train().expect("as many of each as steps");
        println!("{}", lstm.sum());
    )*};
}

fn main() {
    train! {
        (16, 32, 4)
        (1, 8, 1) (2, 12, 1) (3, 16, 2) (4, 20, 1) (5, 24, 8) (6, 16, 1) (7, 43, 3) (8, 8, 8) (9, 28, 2) (10, 30, 5)
        (11, 33, 1) (12, 36, 16) (13, 10, 1) (14, 48, 2) (20, 50, 1) (24, 40, 6) (28, 56, 1) (32, 64, 8) (64, 128, 32)
    }
}
