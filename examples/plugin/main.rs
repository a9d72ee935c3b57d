//! An audio plug-in's loop: a trained amp plays a WAV file, block by block, without allocation.
//!
//! ```text
//! cargo run --release --example plugin -- MODEL.nam INPUT.wav --out OUT.wav
//! ```
//!
//! To read: `amp.rs` is the plug-in, `host.rs` calls it. The models are read as the example `import`
//! reads them. `train.rs` has made the amp that plays where none is named, `amp.json`:
//!
//! ```text
//! cargo run --release --example plugin -- --train examples/plugin/amp.json
//! ```

mod amp;
#[path = "../../tests/common/counting.rs"]
mod counting;
mod guitar;
mod host;
mod picture;
#[allow(dead_code)] // Not all of it is needed here.
#[path = "../import/read/mod.rs"]
mod read;
mod train;
mod wav;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use host::{Blocks, Host};
use read::from_json;
use wav::Sound;

/// Plays a WAV file through a trained amp, as an audio plug-in does.
#[derive(Parser)]
struct Options {
    /// The amp: .nam (LSTM), .json (RTNeural, AIDA-X, GuitarML), .onnx or .safetensors [default:
    /// one that this program has trained]
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/plugin/amp.json"), hide_default_value = true)]
    model: PathBuf,

    /// What to play: integers of 16 or 24 bits or floats of 32, any number of channels [default: a
    /// guitar that this program plays]
    input: Option<PathBuf>,

    /// Where the sound goes; a picture goes beside it
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/plugin/out.wav"))]
    out: PathBuf,

    /// How many frames a block has: a number, or random
    #[arg(long, value_name = "FRAMES", default_value = "128")]
    block: Blocks,

    /// Trains the amp that is the default, writes it to this file and does nothing else
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.train {
        Some(file) => learn(file).map_err(of(file)),
        None => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// An error of this file.
fn of(file: &Path) -> impl Fn(String) -> String {
    move |error| format!("{}: {error}", file.display())
}

fn run(options: &Options) -> Result<(), String> {
    // Hosts set modes in which the bits are others, though the sound is not (bptt::environment).
    match bptt::check_float_environment() {
        Ok(()) => println!("floats       as promised: the same bits everywhere"),
        Err(error) => println!("floats       {error}"),
    }
    let (network, _) = read::read(&options.model, false).map_err(of(&options.model))?;
    let name = options.model.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let skip = if network.skip {
        ", the input added"
    } else {
        ""
    };
    println!("amp          {name}: {network}{skip}");

    let input = match &options.input {
        Some(file) => wav::read(file).map_err(of(file))?,
        None => guitar::riff(),
    };
    let frames = input.channels[0].len();
    let seconds = frames as f64 / f64::from(input.rate);
    let (channels, rate) = (input.channels.len(), input.rate);
    println!("sound        {channels} channel(s), {rate} Hz, {seconds:.3} s");
    if let Some(trained) = network.sample_rate.filter(|r| *r != f64::from(rate)) {
        println!("warning: the amp was trained at {trained} Hz and sounds different at {rate} Hz");
    }

    let amps = (0..channels).map(|_| amp::build(&network));
    let amps = amps.collect::<Result<_, _>>().map_err(of(&options.model))?;
    let mut host = Host::new(amps);
    let mut output = input.clone();
    let before = counting::allocations();
    let times = host.play(&mut output.channels, options.block, rate);
    let allocations = counting::allocations() - before;
    assert_eq!(allocations, 0, "the loop has allocated");

    let (blocks, all) = (times.blocks, times.all.as_secs_f64());
    let a_sample = 1e9 * all / (frames * channels) as f64;
    println!("blocks       {blocks}, without any allocation");
    println!(
        "time         {a_sample:.0} ns a sample, {:.0} times as fast as it sounds",
        seconds / all
    );
    let [worst, deadline] = [times.worst, times.deadline].map(|time| 1e3 * time.as_secs_f64());
    println!(
        "worst block  {worst:.3} ms of {deadline:.3} ms, {} late",
        times.late
    );

    save(&options.out, &format!("{name}: {network}"), &input, &output)
}

/// Trains an amp and plays the riff, which it has not heard.
fn learn(file: &Path) -> Result<(), String> {
    let net = train::train(|error| println!("error to signal {error:.4}"));
    let net = net.map_err(|error| error.to_string())?;
    let json = train::json(&net).map_err(|error| error.to_string())?;
    let (network, _) = from_json::read(json.as_bytes(), false)?;
    fs::write(file, json).map_err(|error| error.to_string())?;
    let mut sound = guitar::riff().channels.remove(0);
    let target = train::amp(&sound);
    amp::build(&network)?.process(&mut sound);
    let error = train::error_to_signal(&sound, &target);
    println!("error to signal of the riff {error:.4}");
    Ok(())
}

/// Writes the sound and the picture of its first channel.
fn save(out: &Path, title: &str, input: &Sound, output: &Sound) -> Result<(), String> {
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).map_err(|error| of(folder)(error.to_string()))?;
    }
    wav::write(out, output).map_err(of(out))?;
    let picture = out.with_extension("svg");
    let svg = picture::svg(title, &input.channels[0], &output.channels[0], input.rate);
    let svg = svg.map_err(|error| of(&picture)(error.to_string()))?;
    fs::write(&picture, svg).map_err(|error| of(&picture)(error.to_string()))?;
    println!("written      {}, {}", out.display(), picture.display());
    Ok(())
}
