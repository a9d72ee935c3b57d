//! What the example `import` writes: for networks of every kind, with random weights, a module that
//! compiles without `std`, that clippy has nothing to say about, and whose proof holds. With the
//! functions for C it compiles, too; `.ci/targets firmware-c` calls them.

use std::fs;
use std::path::Path;
use std::process::Command;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

#[path = "common/example.rs"]
mod example;
#[path = "../examples/import/plain.rs"]
mod plain;
#[allow(dead_code)] // Not all of it is needed here.
#[path = "../examples/import/read/mod.rs"]
mod read;
#[allow(dead_code)] // The tests choose the names of the modules.
#[path = "../examples/import/write/mod.rs"]
mod write;

use example::{example, folder, place};
use read::network::{Activation, Cell, Dense, Gate, Kind, Layer, Network, Samples};
use write::{Integers, Order, Weights};

/// Numbers in ±limit.
fn numbers(rng: &mut ChaCha8Rng, count: usize, limit: f32) -> Vec<f32> {
    (0..count)
        .map(|_| rng.random_range(-limit..=limit))
        .collect()
}

fn cell(rng: &mut ChaCha8Rng, kind: Kind, inputs: usize, units: usize) -> Cell {
    let gates = (0..kind.gates()).map(|_| Gate {
        wx: numbers(rng, units * inputs, 0.5),
        wa: numbers(rng, units * units, 0.5),
        b: numbers(rng, units, 0.5),
    });
    Cell {
        kind,
        inputs,
        units,
        gates: gates.collect(),
        bna: match kind {
            Kind::GruAfter => numbers(rng, units, 0.5),
            _ => Vec::new(),
        },
        a: vec![0.0; units],
        c: match kind {
            Kind::Lstm => vec![0.0; units],
            _ => Vec::new(),
        },
    }
}

fn dense(rng: &mut ChaCha8Rng, inputs: usize, outputs: usize, activation: Activation) -> Layer {
    Layer::Dense(Dense {
        inputs,
        outputs,
        w: numbers(rng, inputs * outputs, 0.5),
        b: numbers(rng, outputs, 0.5),
        activation,
    })
}

/// Each with a name, and what its weights become.
fn networks() -> Vec<(String, Network, Weights)> {
    use Activation::{None as Linear, Relu, Sigmoid, Softmax, Tanh};
    use Kind::{GruAfter, GruBefore, Lstm, RnnRelu, RnnTanh};
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let mut all = Vec::new();
    let mut add = |name: &str, weights: &[Weights], network: Network| {
        for weights in weights {
            let name = format!("{name}_{weights:?}").to_lowercase();
            all.push((name, network.clone(), *weights));
        }
    };
    let every = &[Weights::F32, Weights::I16, Weights::I8];
    let (small, float) = (&[Weights::F32, Weights::I8], &[Weights::F32]);

    for (name, kind) in [
        ("lstm", Lstm),
        ("gru", GruAfter),
        ("gru_before", GruBefore),
        ("rnn", RnnTanh),
        ("relu", RnnRelu),
    ] {
        // A cell alone, of sizes that are no multiple of anything.
        let layer = Layer::Forward(cell(rng, kind, 3, 5));
        add(name, small, Network::new(vec![layer]).unwrap());
        // The smallest; two layers and an output, started somewhere.
        let layer = Layer::Forward(cell(rng, kind, 1, 1));
        add(
            &format!("{name}_least"),
            float,
            Network::new(vec![layer]).unwrap(),
        );
        let [mut first, mut second] = [cell(rng, kind, 2, 7), cell(rng, kind, 7, 4)];
        for cell in [&mut first, &mut second] {
            cell.a = numbers(rng, cell.units, 0.9);
            cell.c = numbers(rng, cell.c.len(), 2.0);
        }
        if kind == RnnRelu {
            first.a.iter_mut().for_each(|a| *a = a.abs());
            second.a.fill(0.0);
        }
        let layers = vec![
            Layer::Forward(first),
            Layer::Forward(second),
            dense(rng, 4, 3, Linear),
        ];
        add(
            &format!("{name}_stack"),
            every,
            Network::new(layers).unwrap(),
        );
        // Both directions, one layer of which goes backward only.
        let layers = vec![
            Layer::Both(cell(rng, kind, 2, 3), cell(rng, kind, 2, 4)),
            Layer::Backward(cell(rng, kind, 7, 5)),
            dense(rng, 5, 2, Tanh),
        ];
        add(
            &format!("{name}_both"),
            float,
            Network::new(layers).unwrap(),
        );
    }
    for (name, activation) in [
        ("tanh", Tanh),
        ("sigmoid", Sigmoid),
        ("softmax", Softmax),
        ("rectified", Relu),
    ] {
        let layers = vec![
            Layer::Forward(cell(rng, Lstm, 1, 4)),
            dense(rng, 4, 3, activation),
            dense(rng, 3, 2, Linear),
        ];
        add(name, float, Network::new(layers).unwrap());
    }
    let audio = Network::new(vec![
        Layer::Forward(cell(rng, Lstm, 1, 8)),
        dense(rng, 8, 1, Linear),
    ]);
    let mut audio = audio.unwrap();
    (audio.gain, audio.skip) = ([0.5, 3.0], true);
    add("audio", float, audio.clone());
    audio.gain = [1.0, 1.0];
    add("skipped", float, audio);
    let mut whole = Network::new(vec![Layer::Backward(cell(rng, GruAfter, 2, 2))]).unwrap();
    (whole.gain, whole.skip) = ([0.5, 3.0], true);
    add("backward", float, whole);
    // Outputs so large that one of an integer stands for more than 1.
    let mut large = cell(rng, RnnRelu, 2, 3);
    large.gates[0].wx.fill(6e4);
    large.gates[0].wa.fill(0.0);
    let large = Network::new(vec![Layer::Forward(large)]).unwrap();
    add("large", &[Weights::I8], large);
    all
}

/// Runs cargo, and gives what it prints.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--quiet", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(place("target"))
        .args(if arguments == ["clippy"] {
            &["--", "-D", "warnings"][..]
        } else {
            &[]
        })
        .output()
        .unwrap();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|s| String::from_utf8_lossy(s));
    assert!(output.status.success(), "{arguments:?}\n{stdout}\n{stderr}");
    if arguments == ["test"] {
        let passed = format!("{} passed", networks().len());
        assert!(stdout.contains(&passed), "{stdout}");
    }
    stdout.into_owned()
}

fn write_files(folder: &Path, order: &Order) {
    for (name, content) in order.files().0 {
        fs::write(folder.join("src").join(name), content).unwrap();
    }
}

#[test]
fn modules_of_every_kind() {
    let [every, for_c] = ["every", "for_c"].map(|name| {
        let folder = folder(name);
        fs::create_dir(folder.join("src")).unwrap();
        folder
    });
    let mut lib = "//! Networks of every kind.\n#![no_std]\n\n".to_owned();
    let mut lib_for_c = lib.clone();
    lib += "#![forbid(unsafe_code)]\n";
    for (name, network, weights) in networks() {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut samples = Samples {
            batch: 2,
            x: numbers(rng, 2 * 20 * network.inputs(), 2.0),
            y: Vec::new(),
            last: false,
            from: String::new(),
        };
        // One of them has been run by another program, which gave the outputs of the last step alone.
        if name == "lstm_f32" {
            samples.x = numbers(rng, 2 * 100 * network.inputs(), 2.0);
            let y: Vec<f64> = plain::run(&network, &samples.x, 2);
            samples.y = y[y.len() - 2 * network.outputs()..].to_vec();
            samples.last = true;
        }
        let integers = match weights {
            Weights::F32 => None,
            weights => Some(Integers::new(&network, weights, &samples.x, 2, 2.0).unwrap()),
        };
        let mut order = Order {
            network: &network,
            name: &name,
            from: "nowhere",
            samples: &samples,
            integers: integers.as_ref(),
            c: false,
            bench: false,
        };
        let modules = format!("pub mod {name};\npub mod {name}_proof;\n");
        order.bench = name == "lstm_least_f32";
        write_files(&every, &order);
        lib += &modules;
        if network.streams() {
            order.c = true;
            write_files(&for_c, &order);
            lib_for_c += &modules;
        }
    }
    let manifest = format!(
        "[package]\nname = \"generated\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nbptt.path = {:?}\n\n[lints.rust]\nmissing_docs = \"deny\"\n",
        env!("CARGO_MANIFEST_DIR")
    );
    for (folder, lib) in [(&every, lib), (&for_c, lib_for_c)] {
        fs::write(folder.join("src/lib.rs"), lib).unwrap();
        fs::write(folder.join("Cargo.toml"), &manifest).unwrap();
    }
    // The bench of one of them, as a program of its own.
    let example = every.join("examples/bench");
    fs::create_dir_all(&example).unwrap();
    for name in ["lstm_least_f32.rs", "lstm_least_f32.bin"] {
        fs::copy(every.join("src").join(name), example.join(name)).unwrap();
    }
    let bench = every.join("src/lstm_least_f32_bench.rs");
    fs::rename(bench, example.join("main.rs")).unwrap();
    let printed = cargo(&every, &["run", "--example", "bench"]);
    assert!(printed.contains(" ns a step, "), "{printed}");
    assert!(printed.contains(" % of a sample at 48000 Hz"), "{printed}");

    let proof = fs::read_to_string(every.join("src/lstm_f32_proof.rs")).unwrap();
    assert!(
        proof.contains("static THEIRS: [[[f64; Y]; 1]; 2]"),
        "{proof}"
    );
    cargo(&every, &["test"]);
    cargo(&every, &["clippy"]);
    // The room that the header has for a network is compared when the module is compiled.
    cargo(&for_c, &["clippy"]);
}

/// What the firmware in C has is what the example writes now.
#[test]
fn modules_of_the_firmware() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = root.join("examples/import/files/network.safetensors");
    let out = folder("firmware");
    for (name, weights) in [("activity", "f32"), ("activity_i8", "i8")] {
        let output = example("import")
            .arg(&model)
            .args(["--name", name, "--weights", weights, "--c", "--out"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        for end in [".rs", ".bin", ".h", "_proof.rs"] {
            let name = format!("{name}{end}");
            let [written, there] = [&out, &root.join("tests/firmware/c/src")]
                .map(|folder| fs::read(folder.join(&name)).unwrap());
            assert!(written == there, "{name} is not what `import` writes");
        }
    }
}

/// The name of a file stands in comments, which it neither ends nor goes out of.
#[test]
fn names_in_comments() {
    assert_eq!(write::in_a_comment("a*/b\nc.onnx"), "a* /b c.onnx");
    assert_eq!(write::in_a_comment("é `*.onnx"), "é `*.onnx");
}

/// What it cannot write is one line, and nothing is written.
#[test]
fn what_cannot_be_written() {
    let file = |name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/import/files")
            .join(name)
    };
    for (model, options, reason) in [
        (
            "network.onnx",
            &["--name", "fn"][..],
            "`fn` is no name of a module",
        ),
        (
            "network.onnx",
            &["--name", "gen"],
            "`gen` is no name of a module",
        ),
        (
            "network.onnx",
            &["--name", "lib"],
            "`lib` is a name that crates have for something else",
        ),
        (
            "network.onnx",
            &["--name", "Amp"],
            "`Amp` is no name of a module",
        ),
        (
            "network.onnx",
            &["--name", "../amp"],
            "`../amp` is no name of a module",
        ),
        (
            "bidirectional/network.onnx",
            &["--c"],
            "functions for C and benches are for one input after the other: not for a layer that goes backward",
        ),
        (
            "bidirectional/network.onnx",
            &["--weights", "i8"],
            "there are no integers for a layer that goes backward: take --weights f32",
        ),
        (
            "json/guitarml.json",
            &["--weights", "i16"],
            "there are no integers for gains and inputs that are added to the outputs: take --weights f32",
        ),
    ] {
        let out = folder("refused");
        let output = example("import")
            .arg(file(model))
            .args(options)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        let expected = format!("{}: {reason}\n", file(model).display());
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    }
}
