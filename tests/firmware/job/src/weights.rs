//! The weights: a file, read when the program is compiled.

use bptt::{Affine, Flat, Matrix};

use crate::{Cell, Head};

/// What `cargo run --release --example activity` wrote: the LSTM, then the output layer, little-endian. A file of
/// another length does not compile.
const FILE: &[u8; 4 * (Cell::LEN + Head::LEN)] = include_bytes!("../weights.bin");

/// The trained layers.
const LAYERS: (Cell, Head) = {
    let at = &mut 0;
    let cell = Cell {
        forget: affine(at),
        update: affine(at),
        candidate: affine(at),
        output: affine(at),
    };
    let head = Head {
        w: matrix(at),
        b: matrix(at),
    };
    assert!(*at == FILE.len());
    (cell, head)
};

/// The trained LSTM, which is read where it lies: in flash.
pub static CELL: Cell = LAYERS.0;
/// The trained output layer, in flash too.
pub static HEAD: Head = LAYERS.1;

const fn affine<const X: usize, const A: usize>(at: &mut usize) -> Affine<X, A> {
    Affine {
        wa: matrix(at),
        wx: matrix(at),
        b: matrix(at),
    }
}

/// The matrix that begins at byte `at`, which becomes the byte after its end.
const fn matrix<const R: usize, const C: usize>(at: &mut usize) -> Matrix<R, C> {
    let mut columns = [[0.0; R]; C];
    let mut n = 0;
    while n < R * C {
        let bytes = [FILE[*at], FILE[*at + 1], FILE[*at + 2], FILE[*at + 3]];
        columns[n / R][n % R] = f32::from_le_bytes(bytes);
        *at += 4;
        n += 1;
    }
    Matrix::from_columns(columns)
}
