//! The network: a recurrent cell, and a dense layer on its last hidden state.
//!
//! (1) a⟨t⟩ = cell(x⟨t⟩, a⟨t−1⟩), a⟨0⟩ = 0; an LSTM has c⟨t⟩ beside a⟨t⟩, and c⟨0⟩ = 0
//! (2) y = W·a⟨T⟩ + b
//!
//! To import a network of another size, change the three numbers; of another form, this file.

use bptt::{Flat, LengthMismatch, Vector, dense, gru, lstm, rnn};

/// Inputs.
pub const X: usize = 6;
/// Hidden units.
pub const A: usize = 16;
/// Outputs.
pub const Y: usize = 4;

pub type Head = dense::Params<A, Y>;

#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub cell: Cell,
    pub head: Head,
}

/// The cells that a file may have. They are of different sizes, and so stand on the heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Lstm(Box<lstm::Params<X, A>>),
    /// The reset after the product: PyTorch, ONNX with `linear_before_reset` = 1.
    GruAfter(Box<gru::ResetAfter<X, A>>),
    /// The reset before it: ONNX with `linear_before_reset` = 0.
    GruBefore(Box<gru::ResetBefore<X, A>>),
    RnnTanh(Box<rnn::Params<X, A>>),
    RnnRelu(Box<rnn::Relu<X, A>>),
}

/// Parameters as `read` writes them.
pub fn made<P: Default>(
    read: impl FnOnce(&mut P) -> Result<(), LengthMismatch>,
) -> Result<Box<P>, String> {
    let mut params = Box::<P>::default();
    read(&mut params).map_err(|error| error.to_string())?;
    Ok(params)
}

impl Network {
    /// `x` has the samples of the first step, one a sequence, then those of the second, and so on:
    /// (T, batch, X) row-major. So have the hidden states that are returned, (T, batch, A); the
    /// outputs are (batch, Y).
    pub fn run(&self, x: &[Vector<X>], batch: usize) -> (Vec<Vector<A>>, Vec<Vector<Y>>) {
        let hidden = match &self.cell {
            Cell::Lstm(cell) => hidden(&**cell, x, batch),
            Cell::GruAfter(cell) => hidden(&**cell, x, batch),
            Cell::GruBefore(cell) => hidden(&**cell, x, batch),
            Cell::RnnTanh(cell) => hidden(&**cell, x, batch),
            Cell::RnnRelu(cell) => hidden(&**cell, x, batch),
        };
        let output = |a: &Vector<A>| {
            let mut y = Vector::zeros();
            dense::forward(&self.head, a, &mut y); // (2)
            y
        };
        let last = hidden.iter().skip(hidden.len() - batch);
        let outputs = last.map(output).collect();
        (hidden, outputs)
    }

    /// The flat file: the bytes of the cell, then those of the dense layer.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        let cell = match &self.cell {
            Cell::Lstm(cell) => cell.as_flat(),
            Cell::GruAfter(cell) => cell.as_flat(),
            Cell::GruBefore(cell) => cell.as_flat(),
            Cell::RnnTanh(cell) => cell.as_flat(),
            Cell::RnnRelu(cell) => cell.as_flat(),
        };
        let numbers = cell.iter().chain(self.head.as_flat());
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Rust source for a program that has the flat file, as `network.bin`, beside it: the weights
    /// are compiled in, and a file of another length does not compile.
    pub fn source(&self) -> String {
        let (module, name) = match self.cell {
            Cell::Lstm(_) => ("lstm", "Params"),
            Cell::GruAfter(_) => ("gru", "ResetAfter"),
            Cell::GruBefore(_) => ("gru", "ResetBefore"),
            Cell::RnnTanh(_) => ("rnn", "Params"),
            Cell::RnnRelu(_) => ("rnn", "Relu"),
        };
        format!(
            r#"// The weights in network.bin. Both files were written by `cargo run --example import`.

use bptt::{{dense, {module}}};

pub type Cell = {module}::{name}<{X}, {A}>;
pub type Head = dense::Params<{A}, {Y}>;

const CELL_SIZE: usize = size_of::<Cell>();
const HEAD_SIZE: usize = size_of::<Head>();
const FILE: &[u8; CELL_SIZE + HEAD_SIZE] = include_bytes!("network.bin");

pub static CELL: Cell = Cell::from_le_bytes(FILE.first_chunk::<CELL_SIZE>().unwrap());
pub static HEAD: Head = Head::from_le_bytes(FILE.last_chunk::<HEAD_SIZE>().unwrap());
"#
        )
    }
}

/// The hidden states of all steps, step by step as a program on a device has them.
fn hidden<C: bptt::Cell<X, A, Scalar = f32>>(
    cell: &C,
    x: &[Vector<X>],
    batch: usize,
) -> Vec<Vector<A>> {
    let mut states: Vec<C::State<1>> = (0..batch).map(|_| C::State::ZEROS).collect();
    let mut hidden = Vec::new();
    for step in x.chunks(batch) {
        for (x, state) in step.iter().zip(&mut states) {
            let mut next = C::State::ZEROS;
            cell.step(x, state, &mut next); // (1)
            let mut a = Vector::zeros();
            a.as_flat_mut().copy_from_slice(&next.as_flat()[..A]); // First in every state.
            hidden.push(a);
            *state = next;
        }
    }
    hidden
}
