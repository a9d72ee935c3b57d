//! The network: an LSTM, and a dense layer on its last hidden state.
//!
//! (1) a⟨t⟩, c⟨t⟩ = LSTM(x⟨t⟩, a⟨t−1⟩, c⟨t−1⟩), a⟨0⟩ = c⟨0⟩ = 0
//! (2) y = W·a⟨T⟩ + b
//!
//! To import a network of another size, change the three numbers; of another form, this file.

use bptt::{Cell as _, Flat, LengthMismatch, Vector, dense, lstm};

/// Inputs.
pub const X: usize = 6;
/// Hidden units.
pub const A: usize = 16;
/// Outputs.
pub const Y: usize = 4;

pub type Cell = lstm::Params<X, A>;
pub type Head = dense::Params<A, Y>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    pub cell: Cell,
    pub head: Head,
}

impl Network {
    /// `x` has the samples of the first step, one a sequence, then those of the second, and so on:
    /// (T, batch, X) row-major. So have the hidden states that are returned, (T, batch, A); the
    /// outputs are (batch, Y).
    pub fn run(&self, x: &[Vector<X>], batch: usize) -> (Vec<Vector<A>>, Vec<Vector<Y>>) {
        let mut states = vec![lstm::State::zeros(); batch];
        let mut hidden = Vec::new();
        for step in x.chunks(batch) {
            for (x, state) in step.iter().zip(&mut states) {
                let mut next = lstm::State::zeros();
                self.cell.step(x, state, &mut next); // (1)
                hidden.push(next.a.clone());
                *state = next;
            }
        }
        let output = |state: &lstm::State<A, 1>| {
            let mut y = Vector::zeros();
            dense::forward(&self.head, &state.a, &mut y); // (2)
            y
        };
        (hidden, states.iter().map(output).collect())
    }

    /// The flat file: the bytes of the LSTM, then those of the dense layer.
    pub fn to_le_bytes(&self) -> Result<Vec<u8>, LengthMismatch> {
        let mut bytes = vec![0; size_of::<Cell>() + size_of::<Head>()];
        let (cell, head) = bytes.split_at_mut(size_of::<Cell>());
        self.cell.to_le_bytes(cell)?;
        self.head.to_le_bytes(head)?;
        Ok(bytes)
    }
}

/// Rust source for a program that has the flat file, as `network.bin`, beside it: the weights are
/// compiled in, and a file of another length does not compile.
pub fn source() -> String {
    format!(
        r#"// The weights in network.bin. Both files were written by `cargo run --example import`.

use bptt::{{dense, lstm}};

pub type Cell = lstm::Params<{X}, {A}>;
pub type Head = dense::Params<{A}, {Y}>;

const CELL_SIZE: usize = size_of::<Cell>();
const HEAD_SIZE: usize = size_of::<Head>();
const FILE: &[u8; CELL_SIZE + HEAD_SIZE] = include_bytes!("network.bin");

pub static CELL: Cell = Cell::from_le_bytes(FILE.first_chunk::<CELL_SIZE>().unwrap());
pub static HEAD: Head = Head::from_le_bytes(FILE.last_chunk::<HEAD_SIZE>().unwrap());
"#
    )
}
