//! An example as its user meets it, and folders for what it writes.
//!
//! `cargo test` builds the examples and then runs the tests. (`cargo test --test NAME` alone does not
//! build them: then `cargo build --example` comes first, with the same profile.)
#![allow(dead_code)] // No test file needs all of it.

use std::env::{self, consts};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beside the tests' own executables, which are in `deps`, cargo puts the examples into `examples`.
pub fn example(name: &str) -> Command {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let file = format!("{name}{}", consts::EXE_SUFFIX);
    let example = profile.join("examples").join(file);
    assert!(
        example.exists(),
        "{} is missing: `cargo test` builds it, `cargo test --test {}` does not",
        example.display(),
        env!("CARGO_CRATE_NAME")
    );
    Command::new(example)
}

/// Runs it: exit code, standard output, standard error.
pub fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap());
    (output.status.code(), stdout, stderr)
}

/// A folder of this name, of this test file.
pub fn place(name: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
    all.join(env!("CARGO_CRATE_NAME")).join(name)
}

/// The same, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = place(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
