//! 1, 2, 4 and other numbers of processes end with the bits of the plain loop, over MPI.
//!
//! Builds the binary and starts it with `mpirun`. Where there is no MPI it says NOT RUN, and fails if `BPTT_CLUSTER` is
//! `required`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use cluster::data::{Recording, read_training};
use cluster::{Alone, DATA, train};

const ROUNDS: usize = 40;
const TRAININGS: usize = 2;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let required = env::var_os("BPTT_CLUSTER").is_some_and(|value| value == "required");
    if let Some(missing) = ["mpicc", "mpirun"].into_iter().find(|name| !starts(name)) {
        println!("processes over MPI: NOT RUN, there is no {missing}");
        return ExitCode::from(u8::from(required));
    }
    match same_bits().and_then(|()| one_shard_without_a_gradient()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null());
    command.stderr(Stdio::null()).status().is_ok()
}

/// 3 does not divide the number of shards; of 11 processes some have none.
fn same_bits() -> Result<()> {
    let recordings = recordings(&data())?;
    let alone = train(&recordings, ROUNDS, &mut Alone::new(&recordings))?;
    let expected = format!("{:016x}", alone.digest());
    println!("without MPI: {expected}");
    let program = build()?;
    for processes in [1, 2, 3, 4, 8, 11] {
        let output = run(&program, processes, &data())?;
        let row = String::from_utf8(output.stdout)?;
        let found = row.trim_end().trim_end_matches(" |").rsplit(' ').next();
        if !output.status.success() || found != Some(&expected) {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{processes} processes: {row}{errors}").into());
        }
        println!("{processes} processes: the same bits");
    }
    Ok(())
}

/// A recording so far from the others that its normalised samples are infinite. The process whose shard draws it says so; all of
/// them end, and in the round in which the plain loop ends.
fn one_shard_without_a_gradient() -> Result<()> {
    let file = program_folder()?.join("far.csv");
    let text = fs::read_to_string(data())?;
    let far = |line: &str| {
        let mut fields: Vec<&str> = line.split(',').collect();
        if fields[0] != "recording" {
            let value = if fields[0] == "7" {
                "3.3e38"
            } else {
                "-3.3e38"
            };
            fields[3..].fill(value);
        }
        fields.join(",") + "\n"
    };
    fs::write(&file, text.lines().map(far).collect::<String>())?;
    let recordings = recordings(&file)?;
    let Err(expected) = train(&recordings, ROUNDS, &mut Alone::new(&recordings)) else {
        return Err("the plain loop has learnt from infinite samples".into());
    };
    println!("without MPI: {expected}");
    for processes in [2, 4] {
        let output = run(&build()?, processes, &file)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || !errors.contains(&expected) {
            return Err(format!("{processes} processes: {errors}").into());
        }
        println!("{processes} processes: the same error");
    }
    Ok(())
}

fn data() -> PathBuf {
    Path::new(DATA).join("basic_motions_train.csv")
}

fn recordings(file: &Path) -> Result<Vec<Recording>> {
    Ok(read_training(file)?.1)
}

/// The folder in which cargo builds programs: this one is in `release/deps` or `debug/deps`.
fn program_folder() -> Result<PathBuf> {
    let test = env::current_exe()?;
    let target = test.ancestors().nth(3).ok_or("no target folder")?;
    Ok(target.join("release"))
}

/// The binary, which the other tests do without: it needs MPI.
fn build() -> Result<PathBuf> {
    let folder = program_folder()?;
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--features",
            "mpi",
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .arg("--target-dir")
        .arg(folder.parent().unwrap_or(&folder))
        .status()?;
    match built.success() {
        true => Ok(folder.join("cluster")),
        false => Err("the binary cannot be built".into()),
    }
}

/// Also as root, also on fewer processors than processes, and never for ever.
fn run(program: &Path, processes: usize, file: &Path) -> Result<Output> {
    let [processes, rounds, trainings] =
        [processes, ROUNDS, TRAININGS].map(|number| number.to_string());
    let output = Command::new("mpirun")
        .args("--allow-run-as-root --oversubscribe --bind-to none".split(' '))
        .args("--mca mpi_yield_when_idle 1 --timeout 120".split(' '))
        .args(["-n", &processes])
        .arg(program)
        .args([&rounds, &trainings])
        .arg(file)
        .output()?;
    Ok(output)
}
