//! Nothing: this package holds the benches that compare `bptt` with other crates.
