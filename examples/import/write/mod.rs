//! What is written: a Rust module, its weights as bytes, a proof; on request functions for C, and a bench.
//!
//! | | |
//! |---|---|
//! | `NAME.rs`, `NAME.bin` | the network: `module.rs`, and for C `c.rs` |
//! | `NAME_proof.rs` | inputs, outputs and bits that the network must give on any target: `proof.rs` |
//! | `NAME_bench.rs` | how long a step takes: `bench.rs` |
//! | `NAME.h` | the header of the C functions: `c.rs` |

mod bench;
mod c;
#[allow(dead_code)] // Layers are read and run.
#[path = "../../../tests/common/integer_model.rs"]
mod integer_model;
mod integers;
mod module;
mod proof;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::read::network::{Layer, Network, Samples};
pub use integers::Integers;

/// What the weights become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Weights {
    F32,
    I16,
    I8,
}

/// What is to be written.
pub struct Order<'a> {
    pub network: &'a Network,
    /// The name of the module, a word of Rust and of C.
    pub name: &'a str,
    /// The name of the file that the network is from.
    pub from: &'a str,
    pub samples: &'a Samples,
    /// The network in integers, where the weights are.
    pub integers: Option<&'a Integers>,
    /// Whether functions for C are wanted, and a bench; only for what [streams](Network::streams).
    pub c: bool,
    pub bench: bool,
}

/// A file: its name and its content.
pub type File = (String, Vec<u8>);

impl Order<'_> {
    /// All files, and how far the outputs in the proof are from those of a computation in f64, at most.
    pub fn files(&self) -> (Vec<File>, f64) {
        let (module, weights) = module::write(self);
        let (proof, error) = proof::write(self);
        let name = self.name;
        let text = |name: String, text: String| (name, formatted(text).into_bytes());
        let mut files = vec![
            text(format!("{name}.rs"), module),
            (format!("{name}.bin"), weights),
            text(format!("{name}_proof.rs"), proof),
        ];
        if self.bench {
            files.push(text(format!("{name}_bench.rs"), bench::write(self)));
        }
        if self.c {
            files.push((format!("{name}.h"), c::header(self).into_bytes()));
        }
        (files, error)
    }
}

/// As `rustfmt` has it, where there is one; what it cannot take stays as it is.
fn formatted(source: String) -> String {
    let run = || {
        let mut rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = rustfmt.stdin.take() {
            input.write_all(source.as_bytes())?;
        }
        rustfmt.wait_with_output()
    };
    match run() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        _ => source,
    }
}

/// The name of a module for a file: its stem, where that is a word of Rust and of C.
pub fn name_of(file: &Path) -> Result<String, String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let name = stem.unwrap_or_default().to_lowercase().replace('-', "_");
    check_name(&name).map_err(|error| format!("{error}; say another one with --name"))?;
    Ok(name)
}

pub fn check_name(name: &str) -> Result<(), String> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let keyword = name == "gen" || syn::parse_str::<syn::Ident>(name).is_err();
    if !starts || !name.chars().all(word) || keyword {
        return Err(format!("`{name}` is no name of a module"));
    }
    // Files that a crate has already, and names that would hide what a program uses.
    match name {
        "main" | "lib" | "build" | "array" | "bptt" | "core" | "std" => Err(format!(
            "`{name}` is a name that crates have for something else"
        )),
        _ => Ok(()),
    }
}

/// The name of a file, such that it neither ends a comment nor goes on in the next line.
pub fn in_a_comment(name: &str) -> String {
    name.replace(char::is_control, " ").replace("*/", "* /")
}

/// The layers, each with its number from 1 on.
fn layers(network: &Network) -> impl Iterator<Item = (usize, &Layer)> {
    (1..).zip(&network.layers)
}
