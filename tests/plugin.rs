//! The example `plugin`: the same bits for blocks of any size, for any number of channels and as
//! the plain equations, and one line for what it cannot play.

#[path = "../examples/plugin/amp.rs"]
mod amp;
#[path = "common/example.rs"]
mod example;
#[path = "../examples/plugin/guitar.rs"]
mod guitar;
#[path = "../examples/plugin/host.rs"]
mod host;
#[allow(dead_code)] // It is run, and nothing is compared with a file.
#[path = "../examples/import/plain.rs"]
mod plain;
#[path = "common/random.rs"]
mod random;
#[allow(dead_code)] // Not all of it is needed here.
#[path = "../examples/import/read/mod.rs"]
mod read;
#[allow(dead_code)] // The training itself is not run here.
#[path = "../examples/plugin/train.rs"]
mod train;
#[path = "../examples/plugin/wav.rs"]
mod wav;

use std::fs;
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};

use example::{example, folder};
use host::{Blocks, Host};
use random::Random;
use read::network::{Activation, Cell, Dense, Gate, Kind, Layer, Network};
use wav::Sound;

/// A network for one sample at a time, with gains and the input added.
fn network(random: &mut Random, kinds: &[Kind], units: usize) -> Network {
    let mut numbers = |len: usize| {
        let mut numbers = vec![0.0; len];
        random.fill(&mut numbers, 0.5);
        numbers
    };
    let mut cell = |(n, kind): (usize, &Kind)| {
        let inputs = if n == 0 { 1 } else { units };
        let mut gate = |_| Gate {
            wx: numbers(units * inputs),
            wa: numbers(units * units),
            b: numbers(units),
        };
        Layer::Forward(Cell {
            kind: *kind,
            inputs,
            units,
            gates: (0..kind.gates()).map(&mut gate).collect(),
            bna: match kind {
                Kind::GruAfter => numbers(units),
                _ => Vec::new(),
            },
            a: numbers(units),
            c: match kind {
                Kind::Lstm => numbers(units),
                _ => Vec::new(),
            },
        })
    };
    let mut layers: Vec<_> = kinds.iter().enumerate().map(&mut cell).collect();
    layers.push(Layer::Dense(Dense {
        inputs: units,
        outputs: 1,
        w: numbers(units),
        b: numbers(1),
        activation: Activation::None,
    }));
    let mut network = Network::new(layers).unwrap();
    network.gain = [0.7, 1.3];
    network.skip = true;
    network
}

const KINDS: [&[Kind]; 4] = [
    &[Kind::Lstm],
    &[Kind::GruAfter],
    &[Kind::Lstm, Kind::Lstm],
    &[Kind::GruAfter, Kind::GruAfter],
];

fn sound(random: &mut Random, frames: usize) -> Vec<f32> {
    let mut sound = vec![0.0; frames];
    random.fill(&mut sound, 1.0);
    sound
}

fn played(network: &Network, channels: &[Vec<f32>], blocks: Blocks) -> Vec<Vec<f32>> {
    let amps = channels.iter().map(|_| amp::build(network).unwrap());
    let mut channels = channels.to_vec();
    let times = Host::new(amps.collect()).play(&mut channels, blocks, 48_000);
    assert!(times.blocks > 0 && times.worst <= times.all);
    channels
}

fn bits(sound: &[f32]) -> Vec<u32> {
    sound.iter().map(|sample| sample.to_bits()).collect()
}

#[test]
fn blocks_of_any_size_give_the_bits_of_the_plain_equations() {
    let random = &mut Random::new(1);
    for kinds in KINDS {
        for units in [1, 3, 8, 16, 20] {
            let network = network(random, kinds, units);
            let x = sound(random, 700);
            let y: Vec<f32> = plain::run(&network, &x, 1);
            let sizes = [1, 7, 128, x.len()].map(Blocks::Of);
            for blocks in sizes.into_iter().chain([Blocks::Random]) {
                let played = played(&network, std::slice::from_ref(&x), blocks);
                assert_eq!(bits(&played[0]), bits(&y), "{network}, {blocks:?}");
            }
            // Without a host, which copies.
            let mut whole = x.clone();
            amp::build(&network).unwrap().process(&mut whole);
            assert_eq!(bits(&whole), bits(&y), "{network}");
        }
    }
}

#[test]
fn each_size_is_there() {
    let random = &mut Random::new(2);
    for kinds in KINDS {
        for units in [1, 2, 3, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96] {
            let network = network(random, kinds, units);
            let mut x = sound(random, 12);
            let y: Vec<f32> = plain::run(&network, &x, 1);
            amp::build(&network).unwrap().process(&mut x);
            assert_eq!(bits(&x), bits(&y), "{network}");
        }
    }
}

#[test]
fn a_channel_does_not_hear_the_other() {
    let random = &mut Random::new(3);
    let network = network(random, &[Kind::Lstm], 8);
    let channels = [sound(random, 500), sound(random, 500)];
    let both = played(&network, &channels, Blocks::Of(64));
    for (channel, together) in channels.iter().zip(&both) {
        let alone = played(&network, std::slice::from_ref(channel), Blocks::Of(64));
        assert_eq!(bits(&alone[0]), bits(together));
    }
    assert_ne!(bits(&both[0]), bits(&both[1]));
}

#[test]
fn what_is_not_compiled_in_is_one_line() {
    let random = &mut Random::new(4);
    let mut softmax = network(random, &[Kind::Lstm], 8);
    let Some(Layer::Dense(head)) = softmax.layers.last_mut() else {
        panic!("the head is dense");
    };
    head.activation = Activation::Softmax;
    let headless = Network {
        layers: softmax.layers[..1].to_vec(),
        ..softmax.clone()
    };
    for network in [
        network(random, &[Kind::Lstm], 5),
        network(random, &[Kind::Lstm; 3], 8),
        network(random, &[Kind::Lstm, Kind::GruAfter], 8),
        network(random, &[Kind::RnnTanh], 8),
        softmax,
        headless,
    ] {
        let error = amp::build(&network).map(drop).unwrap_err();
        let said = format!("{network} is none of the amps that are compiled in: ");
        assert!(error.starts_with(&said), "{error}");
        assert!(error.contains("with 1, 2, 3, 4, 8, 12, 16,"), "{error}");
        assert!(error.contains("`import`") && !error.contains('\n'));
    }
}

/// A WAV of integers, in one channel.
fn integers(file: &Path, bits_per_sample: u16, samples: &[i32]) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(file, spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
}

#[test]
fn a_wav_is_read_as_it_was_written() {
    let folder = folder("wav");
    let random = &mut Random::new(5);
    let sound = Sound {
        rate: 44_100,
        channels: vec![sound(random, 50), sound(random, 50)],
    };
    let file = folder.join("float.wav");
    wav::write(&file, &sound).unwrap();
    assert_eq!(wav::read(&file).unwrap(), sound);

    for bits in [16, 24] {
        let file = folder.join(format!("{bits}.wav"));
        let one = 1 << (bits - 1);
        integers(&file, bits, &[-one, 0, one / 2, one - 1]);
        let largest = (one - 1) as f32 / one as f32;
        let channels = vec![vec![-1.0, 0.0, 0.5, largest]];
        let rate = 8000;
        assert_eq!(wav::read(&file).unwrap(), Sound { rate, channels });
    }
}

#[test]
fn a_broken_wav_is_one_line() {
    let folder = folder("broken");
    let file = folder.join("a.wav");
    let read = |bytes: &[u8]| {
        let read = wav::parse(bytes);
        if let Err(error) = &read {
            assert!(!error.is_empty() && !error.contains('\n'), "{error:?}");
        }
        read
    };
    let random = &mut Random::new(6);
    let channels = vec![sound(random, 20), sound(random, 20)];
    let rate = 48_000;
    wav::write(&file, &Sound { rate, channels }).unwrap();
    let floats = fs::read(&file).unwrap();
    integers(&file, 24, &[1, 2, 3, 4, 5]);
    let integers_24 = fs::read(&file).unwrap();
    integers(&file, 16, &[1, 2, 3, 4, 5]);
    let integers_16 = fs::read(&file).unwrap();

    for whole in [&floats, &integers_24, &integers_16] {
        read(whole).unwrap();
        for len in 0..whole.len() {
            read(&whole[..len]).unwrap_err();
        }
        let mut errors = 0;
        for at in 0..whole.len().min(80) {
            for byte in 0..=u8::MAX {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                errors += usize::from(read(&bytes).is_err());
            }
        }
        assert!(errors > 5000, "{errors}");
    }

    let mut infinite = floats.clone();
    let end = infinite.len() - 4;
    infinite[end..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let error = read(&infinite).unwrap_err();
    assert_eq!(error, "a sample is infinite or not a number");
    integers(&file, 16, &[]);
    assert_eq!(wav::read(&file).unwrap_err(), "there is no sound in it");
    integers(&file, 8, &[1]);
    let error = wav::read(&file).unwrap_err();
    assert!(
        error.starts_with("Int of 8 bits is not supported, "),
        "{error}"
    );
}

/// Runs the example: exit code, standard output, standard error.
fn run(arguments: &[&Path]) -> (Option<i32>, String, String) {
    example::run(example("plugin").args(arguments))
}

#[test]
fn the_program_plays_a_file() {
    let folder = folder("run");
    let [input, output] = ["in.wav", "out.wav"].map(|name| folder.join(name));
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files/json/aida.json");
    let random = &mut Random::new(7);
    let channels = vec![sound(random, 3000), sound(random, 3000)];
    let rate = 44_100;
    wav::write(
        &input,
        &Sound {
            rate,
            channels: channels.clone(),
        },
    )
    .unwrap();
    let network = read::read(&model, false).unwrap().0;
    for blocks in ["1", "500", "random"] {
        let [out, block] = ["--out", "--block"].map(Path::new);
        let arguments = [&*model, &*input, out, &*output, block, Path::new(blocks)];
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, &*stderr), (Some(0), ""), "{stdout}");
        assert!(stdout.contains("without any allocation"), "{stdout}");
        assert!(!stdout.contains("warning"), "{stdout}");
        let played = wav::read(&output).unwrap();
        assert_eq!(played.rate, rate);
        for (x, y) in channels.iter().zip(&played.channels) {
            assert_eq!(bits(y), bits(&plain::run(&network, x, 1)), "{blocks}");
        }
        let svg = fs::read_to_string(output.with_extension("svg")).unwrap();
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    wav::write(
        &input,
        &Sound {
            rate: 8000,
            channels,
        },
    )
    .unwrap();
    let (code, stdout, _) = run(&[&model, &input, Path::new("--out"), &output]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("trained at 44100 Hz"), "{stdout}");

    fs::write(&input, "RIFF").unwrap();
    let missing = folder.join("missing.nam");
    for (arguments, named) in [
        ([&*model, &*input], &input),
        ([&*missing, &*input], &missing),
        ([&*input, &*input], &input),
    ] {
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, Some(1));
        assert!(stderr.starts_with(&*named.to_string_lossy()), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn the_guitar_plays_what_it_always_plays() {
    let riff = guitar::riff();
    assert_eq!((riff.rate, riff.channels[0].len()), (48_000, 144_000));
    assert_eq!(riff, guitar::riff());
    let loudest = riff.channels[0].iter().fold(0.0_f32, |l, x| l.max(x.abs()));
    assert!((0.3..1.0).contains(&loudest), "{loudest}");
}

/// As much as `--train` has printed, 0.0002.
#[test]
fn the_trained_amp_sounds_like_what_it_has_learned() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plugin/amp.json");
    let network = read::read(&model, false).unwrap().0;
    let dry = guitar::riff().channels.remove(0);
    let target = train::amp(&dry);
    let mut sound = dry.clone();
    amp::build(&network).unwrap().process(&mut sound);
    let error = train::error_to_signal(&sound, &target);
    assert!(error < 0.000_25, "{error}");
    assert!(train::error_to_signal(&dry, &target) > 0.1);
}
