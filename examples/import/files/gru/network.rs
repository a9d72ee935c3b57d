// The weights in network.bin. Both files were written by `cargo run --example import`.

use bptt::{dense, gru};

pub type Cell = gru::ResetAfter<6, 16>;
pub type Head = dense::Params<16, 4>;

const CELL_SIZE: usize = size_of::<Cell>();
const HEAD_SIZE: usize = size_of::<Head>();
const FILE: &[u8; CELL_SIZE + HEAD_SIZE] = include_bytes!("network.bin");

pub static CELL: Cell = Cell::from_le_bytes(FILE.first_chunk::<CELL_SIZE>().unwrap());
pub static HEAD: Head = Head::from_le_bytes(FILE.last_chunk::<HEAD_SIZE>().unwrap());
