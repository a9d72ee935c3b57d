//! The weights: a file, read when the program is compiled, and left in flash.

use crate::{Cell, Head};

const CELL_BYTES: usize = size_of::<Cell>();
const HEAD_BYTES: usize = size_of::<Head>();

/// What `cargo run --release --example activity` wrote: the LSTM, then the output layer. A file of another length
/// does not compile.
const FILE: &[u8; CELL_BYTES + HEAD_BYTES] = include_bytes!("../weights.bin");

/// The trained LSTM.
pub static CELL: Cell = Cell::from_le_bytes(FILE.first_chunk::<CELL_BYTES>().unwrap());

/// The trained output layer.
pub static HEAD: Head = Head::from_le_bytes(FILE.last_chunk::<HEAD_BYTES>().unwrap());
