//! Recurrent layers of given sizes, computed by `bptt` and by plain loops. The benches of this
//! package time them against other crates, `frameworks.py` against frameworks for Python.

pub mod ours;
pub mod textbook;
pub mod work;
