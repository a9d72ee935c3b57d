//! Kernels of the quantised cells: which one runs on which target, and how it reads the weights.

use crate::quantized::{Order, Plain};

/// What the compile target has in any case.
pub(crate) type Baseline = Plain;

/// How the kernels of this target read the weights of so many gates, of so many bytes each.
pub(crate) const fn order(gates: usize, bytes: usize) -> Order {
    let _ = (gates, bytes);
    Order {
        units: 4,
        columns: 1,
        together: false,
        offset: false,
        pairs: false,
    }
}
