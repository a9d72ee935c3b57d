//! What is a person doing? An RNN, a GRU or an LSTM listens to a smart watch and tells standing, walking, running and
//! badminton apart.
//!
//! ```text
//! cargo run --release --example activity
//! ```
//!
//! trains an LSTM on 40 recordings of ten seconds, tests it on 40 others, says what each cell takes, and writes the
//! weights and a picture. `-- --cell gru` or `rnn` takes another cell, `-- --weights i8` or `i16` tests it in integers as
//! well, `-- --seeds 10` goes from ten seeds and reports each; `-- --help` lists what else there is.
//!
//! To read from top to bottom: `model.rs` has the equations of the network and runs it sample by sample, `train.rs` finds its weights,
//! `integers.rs` quantises them, `data.rs` reads the recordings, `cost.rs` compares the cells, `picture.rs` draws, and this file puts them together.

mod cost;
mod data;
mod integers;
mod model;
mod picture;
mod train;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use bptt::{Flat, gru, lstm, rnn};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use data::Recording;
use integers::Integers;
use model::{A, Net, Recurrent, Stream, X, Y, most_likely};
use picture::{Picture, Trace};
use train::Epoch;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Trains a recurrent network to tell from a smart watch what a person is doing.
#[derive(Parser)]
#[command(after_help = FORMATS)]
struct Options {
    /// The recurrent cell
    #[arg(long, value_enum, default_value_t = Cell::Lstm)]
    cell: Cell,

    /// The recordings to train on
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/basic_motions_train.csv"))]
    train: PathBuf,

    /// The recordings to test on; they have no part in the training
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/basic_motions_test.csv"))]
    test: PathBuf,

    /// The folder for weights.bin and picture.svg, made if there is none
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/activity"))]
    out: PathBuf,

    /// How many times to go through the recordings
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Where the random numbers start; one seed gives the same weights on every run
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Trains from this many seeds, the first being --seed, and reports each; writes nothing
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,

    /// The weights to test with as well: those of 16 or 8 bits in integers alone
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    weights: Weights,

    /// Samples a second, for the time axis of the picture
    #[arg(long, value_name = "HERTZ", default_value_t = 10.0, value_parser = positive)]
    rate: f32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cell {
    /// A plain RNN with tanh
    Rnn,
    /// A long short-term memory
    Lstm,
    /// A gated recurrent unit, its reset after the product
    Gru,
}

#[derive(Clone, Copy, ValueEnum)]
enum Weights {
    F32,
    I16,
    I8,
}

fn positive(text: &str) -> std::result::Result<f32, String> {
    match text.parse() {
        Ok(rate) if (1e-6..=1e6).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0.000001 to 1000000".to_owned()),
    }
}

const FORMATS: &str = "\
The CSV files have the header
    recording,activity,step,accel_x,accel_y,accel_z,gyro_x,gyro_y,gyro_z
and one row a sample. The rows of a recording stand together, its steps count from 0, and all
recordings have the same number of steps. There are 4 activities, with any names, numbered as they
first appear in the file to train on.

weights.bin holds 436 (RNN), 1188 (GRU) or 1540 (LSTM) numbers, f32 little-endian: the cell,
bptt::rnn::Params<6, 16>, bptt::gru::ResetAfter<6, 16> or bptt::lstm::Params<6, 16>, then
bptt::dense::Params<16, 4>, each in the order of its flat view. The network takes the samples as
they are measured: the normalisation is part of the weights. A program that declares the same Net
compiles them in with Net::from_le_bytes(include_bytes!(..)): see bptt::Flat::to_le_bytes.";

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.cell {
        Cell::Rnn => run::<rnn::Params<X, A>>(&options),
        Cell::Lstm => run::<lstm::Params<X, A>>(&options),
        Cell::Gru => run::<gru::ResetAfter<X, A>>(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run<C: Integers>(options: &Options) -> Result<()> {
    if let Err(error) = bptt::check_float_environment() {
        eprintln!("{error}"); // The example works all the same, with weights that no other machine gets.
    }
    let (classes, training) = data::read_training(&options.train)?;
    let steps = training[0].samples.len();
    let test = data::read_test(&options.test, &classes, steps)?;
    println!(
        "{} recordings to train on, {} to test on, {steps} steps each",
        training.len(),
        test.len()
    );
    match options.seeds {
        Some(count) => compare_seeds::<C>(options, count, &training, &test),
        None => train_one::<C>(options, &classes, &training, &test),
    }
}

/// One seed: train, test, write.
fn train_one<C: Integers>(
    options: &Options,
    classes: &[String],
    training: &[Recording],
    test: &[Recording],
) -> Result<()> {
    let start = Instant::now();
    let bar = bar(options, options.seed)?;
    let (net, epochs) = train_with_bar::<C>(options, options.seed, training, &bar)?;
    bar.finish();
    println!(
        "{}, seed {}: {} epochs in {:.2} s",
        C::NAME,
        options.seed,
        options.epochs,
        start.elapsed().as_secs_f32()
    );

    let confusion = confusion(&net, test);
    let summary = format!(
        "{} of {} test recordings right, {:.1} %",
        right(&confusion),
        test.len(),
        100.0 * accuracy(&confusion)
    );
    println!("{summary}\n");
    print_confusion(&confusion, classes);
    match options.weights {
        Weights::F32 => {}
        Weights::I16 => integers::print::<C, i16>(&net, training, test)?,
        Weights::I8 => integers::print::<C, i8>(&net, training, test)?,
    }
    cost::print();

    let traces = one_of_each_class(&net, test);
    let picture = Picture {
        title: format!("What is the wearer doing? {summary}"),
        epochs: &epochs,
        classes,
        traces: &traces,
        samples_per_second: options.rate,
    };
    let mut bytes = vec![0; size_of::<Net<C>>()];
    net.to_le_bytes(&mut bytes)?;
    write_all(
        &options.out,
        &[
            ("weights.bin", bytes.as_slice()),
            ("picture.svg", picture.svg()?.as_bytes()),
        ],
    )
}

/// Many seeds: train and test, and count those that reach 95 %.
fn compare_seeds<C: Recurrent>(
    options: &Options,
    count: u32,
    training: &[Recording],
    test: &[Recording],
) -> Result<()> {
    let mut reached = 0;
    for seed in (0..count).map(|n| options.seed.wrapping_add(n.into())) {
        let start = Instant::now();
        let bar = bar(options, seed)?;
        let (net, _) = train_with_bar::<C>(options, seed, training, &bar)?;
        bar.finish_and_clear();
        let seconds = start.elapsed().as_secs_f32();
        let accuracy = accuracy(&confusion(&net, test));
        reached += u32::from(accuracy >= 0.95);
        println!(
            "seed {seed:>4}: test accuracy {:>5.1} %, trained in {seconds:.2} s",
            100.0 * accuracy
        );
    }
    println!("{reached} of {count} seeds reach 95 %");
    Ok(())
}

fn bar(options: &Options, seed: u64) -> Result<ProgressBar> {
    let style = "seed {prefix} [{bar:30}] {pos}/{len} epochs, {msg}";
    Ok(ProgressBar::new(options.epochs.into())
        .with_style(ProgressStyle::with_template(style)?.progress_chars("=> "))
        .with_prefix(seed.to_string()))
}

fn train_with_bar<C: Recurrent>(
    options: &Options,
    seed: u64,
    training: &[Recording],
    bar: &ProgressBar,
) -> Result<(Net<C>, Vec<Epoch>)> {
    let mut epochs = Vec::new();
    let net = train::train(training, options.epochs as usize, seed, |epoch| {
        let (loss, percent) = (epoch.loss, 100.0 * epoch.accuracy);
        bar.set_message(format!("loss {loss:.3}, accuracy {percent:.1} %"));
        bar.inc(1);
        epochs.push(epoch);
    })?;
    Ok((net, epochs))
}

/// The probability of each class after each sample: the network as a device would run it.
fn listen<C: Recurrent>(net: &Net<C>, recording: &Recording) -> Vec<[f32; Y]> {
    let mut stream = Stream::new(net);
    let samples = recording.samples.iter();
    samples.map(|sample| stream.push(*sample)).collect()
}

/// How often recordings of each class (row) were taken for each class (column).
type Confusion = [[usize; Y]; Y];

fn confusion<C: Recurrent>(net: &Net<C>, test: &[Recording]) -> Confusion {
    let mut confusion = [[0; Y]; Y];
    for recording in test {
        if let Some(y) = listen(net, recording).last() {
            confusion[recording.class][most_likely(y)] += 1;
        }
    }
    confusion
}

fn right(confusion: &Confusion) -> usize {
    (0..Y).map(|k| confusion[k][k]).sum()
}

fn accuracy(confusion: &Confusion) -> f32 {
    right(confusion) as f32 / confusion.as_flattened().iter().sum::<usize>() as f32
}

fn print_confusion(confusion: &Confusion, classes: &[String]) {
    let widest = |names: &[String]| names.iter().map(|name| name.chars().count()).max();
    let width = widest(classes).unwrap_or(0).max(4);
    println!("{:>width$}   taken for", "");
    print!("{:>width$} ", "");
    for class in classes {
        print!("  {class:>width$}");
    }
    println!();
    for (class, row) in classes.iter().zip(confusion) {
        print!("{class:>width$} ");
        for count in row {
            print!("  {count:>width$}");
        }
        println!();
    }
    println!();
}

/// The first recording of each class, and what the network says of it.
fn one_of_each_class<'a, C: Recurrent>(net: &Net<C>, test: &'a [Recording]) -> Vec<Trace<'a>> {
    let firsts = (0..Y).filter_map(|class| test.iter().find(|r| r.class == class));
    firsts
        .map(|recording| Trace {
            name: &recording.name,
            class: recording.class,
            samples: &recording.samples,
            probabilities: listen(net, recording),
        })
        .collect()
}

/// Writes all files. Each is written under another name first, so that a full disk leaves the files of an earlier run as they were.
fn write_all(folder: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| told(folder, error))?;
    let unfinished = |name: &str| folder.join(format!("{name}.unfinished"));
    for (name, bytes) in files {
        let path = unfinished(name);
        fs::write(&path, bytes).map_err(|error| told(&path, error))?;
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::rename(unfinished(name), &path).map_err(|error| told(&path, error))?;
        println!("{} ({} bytes)", path.display(), bytes.len());
    }
    Ok(())
}
