//! The three products of a layer.
//!
//! | product | equation | order of each sum |
//! |---|---|---|
//! | [`forward`] | z = b + W·u | b, then the columns of W in ascending order |
//! | [`transposed`] | du = Σ Wᵀ·dz | 16 partial sums, see [`plain`] |
//! | [`outer`] | dW = dW + Σ dz·uᵀ | dW, then the steps in descending, the batch in ascending order |
//!
//! [`plain`] says in plain loops what each of them computes, to the last bit; each fast form
//! numbers how it departs from them. How large a tile is changes how often an operand is loaded,
//! never the order of a sum.
//!
//! W is stored by columns, so a block of rows of one column is contiguous: the vectors run over
//! rows, and no product but the transposed one ever adds up the lanes of a vector.

mod forward;
mod outer;
#[cfg(any(test, doc))]
mod plain;
#[cfg(test)]
mod tests;
mod transposed;

pub(crate) use forward::{Start, add_recurrence, column, forward, of_inputs};
pub(crate) use outer::{add_columns, outer};
pub(crate) use transposed::transposed;
