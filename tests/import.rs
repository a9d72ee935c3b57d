//! The example `import` as its user meets it: the same weights from both formats, the source that
//! it writes, and what it says of a file that is wrong.
//!
//! Like `tests/activity.rs` this runs the example that `cargo test` has built; alone,
//! `cargo build --example import` comes first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bptt::{Flat, Vector};
use prost::Message;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

#[path = "../examples/import/from_onnx.rs"]
mod from_onnx;
#[path = "../examples/import/from_safetensors.rs"]
mod from_safetensors;
#[path = "../examples/import/model.rs"]
mod model;
#[path = "../examples/import/tensor.rs"]
mod tensor;

// What the example wrote, as a program would use it.
#[path = "../examples/import/files/gru/network.rs"]
mod gru;
#[path = "../examples/import/files/gru_before/network.rs"]
mod gru_before;
#[path = "../examples/import/files/network.rs"]
mod network;
#[path = "../examples/import/files/relu/network.rs"]
mod relu;

use from_onnx::{AttributeProto, DataType, GraphProto, ModelProto, NodeProto, TensorProto};
use model::{Cell, Network, X};

/// A cell of each kind, its sample files, and what a program compiles in.
struct Sample {
    folder: &'static str,
    /// What a `.safetensors` of it needs to be said, where there is one.
    options: Option<&'static [&'static str]>,
    /// How far it may be from float64; the states of ReLU are not within ±1.
    tolerance: f64,
    compiled_in: fn() -> Network,
}

const SAMPLES: [Sample; 4] = [
    Sample {
        folder: "",
        options: Some(&[]),
        tolerance: 1e-7,
        compiled_in: || Network {
            cell: Cell::Lstm(Box::new(network::CELL.clone())),
            head: network::HEAD.clone(),
        },
    },
    Sample {
        folder: "gru/",
        options: Some(&["--layer", "gru"]),
        tolerance: 1e-7,
        compiled_in: || Network {
            cell: Cell::GruAfter(Box::new(gru::CELL.clone())),
            head: gru::HEAD.clone(),
        },
    },
    Sample {
        folder: "gru_before/",
        options: None,
        tolerance: 1e-7,
        compiled_in: || Network {
            cell: Cell::GruBefore(Box::new(gru_before::CELL.clone())),
            head: gru_before::HEAD.clone(),
        },
    },
    Sample {
        folder: "relu/",
        options: Some(&["--layer", "rnn", "--relu"]),
        tolerance: 1.5e-7,
        compiled_in: || Network {
            cell: Cell::RnnRelu(Box::new(relu::CELL.clone())),
            head: relu::HEAD.clone(),
        },
    },
];

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files");
    folder.join(name)
}

fn file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("import")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the example: exit code, standard output, standard error.
fn run(arguments: &[&Path]) -> (Option<i32>, String, String) {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let name = format!("import{}", std::env::consts::EXE_SUFFIX);
    let example = profile.join("examples").join(name);
    assert!(
        example.exists(),
        "{} is missing: `cargo test` builds it, `cargo test --test import` does not",
        example.display()
    );
    let output = Command::new(example).args(arguments).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap());
    (output.status.code(), stdout, stderr)
}

// -------------------------------------------------------------------------------------------------
// What is right
// -------------------------------------------------------------------------------------------------

#[test]
fn both_formats_give_the_same_files() {
    for Sample {
        folder, options, ..
    } in SAMPLES
    {
        let safetensors = options.map(|options| ("network.safetensors", options));
        for (name, options) in [("network.onnx", &[][..])].into_iter().chain(safetensors) {
            let model = path(&format!("{folder}{name}"));
            let out = self::folder(&format!("{folder}{name}"));
            let mut arguments = vec![model.as_path(), "--out".as_ref(), &out];
            arguments.extend(options.iter().map(Path::new));
            let (code, stdout, stderr) = run(&arguments);
            assert_eq!((code, stderr.as_str()), (Some(0), ""), "{folder}{name}");
            assert!(stdout.starts_with("largest difference from onnxruntime: "));
            for name in ["network.bin", "network.rs"] {
                let expected = file(&format!("{folder}{name}"));
                assert!(
                    fs::read(out.join(name)).unwrap() == expected,
                    "{folder}{name}"
                );
            }
        }
    }
}

#[test]
fn what_is_compiled_in_is_what_was_imported() {
    for Sample {
        folder,
        compiled_in,
        ..
    } in SAMPLES
    {
        let imported = from_onnx::read(&file(&format!("{folder}network.onnx"))).unwrap();
        assert_eq!(
            imported.to_le_bytes(),
            file(&format!("{folder}network.bin"))
        );
        let source = imported.source();
        assert_eq!(source.as_bytes(), file(&format!("{folder}network.rs")));
        assert_eq!(compiled_in(), imported);
    }
}

/// The largest error is 7.3e-8, of ReLU 1.0e-7; that of onnxruntime 8.3e-8.
#[test]
fn it_computes_what_the_graph_says() {
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        let array = value.as_array().unwrap().iter();
        array.map(|number| number.as_f64().unwrap()).collect()
    };
    for Sample {
        folder,
        compiled_in,
        tolerance,
        ..
    } in SAMPLES
    {
        let outputs = file(&format!("{folder}outputs.json"));
        let outputs: serde_json::Value = serde_json::from_slice(&outputs).unwrap();
        let x: Vec<f32> = numbers(&outputs["x"]).iter().map(|&x| x as f32).collect();
        let (h, y) = compiled_in().run(Vector::<X>::slice_from_flat(&x).unwrap(), 2);
        let found = [Flat::slice_as_flat(&h), Flat::slice_as_flat(&y)].concat();
        for (runtime, tolerance) in [("float64", tolerance), ("onnxruntime", 2e-7)] {
            let outputs = &outputs[runtime];
            let expected = [numbers(&outputs["h"]), numbers(&outputs["y"])].concat();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= tolerance, "{folder}{runtime}: {error:e}");
            }
        }
    }
}

/// A network with tanh, from a state dict that does not say otherwise, and from the same graph with
/// the default activation.
#[test]
fn rnn_with_tanh() {
    let read =
        |relu| from_safetensors::read(&file("relu/network.safetensors"), "rnn", "head", relu);
    let [tanh, relu] = [false, true].map(|relu| read(relu).unwrap());
    let (Cell::RnnTanh(with_tanh), Cell::RnnRelu(with_relu)) = (&tanh.cell, &relu.cell) else {
        panic!("{tanh:?} {relu:?}");
    };
    assert_eq!(**with_tanh, with_relu.0);

    for activations in [None, Some("Tanh")] {
        let mut model = ModelProto::decode(&file("relu/network.onnx")[..]).unwrap();
        let rnn = node(model.graph.as_mut().unwrap(), "RNN");
        let at = rnn.attribute.iter().position(|a| a.name == "activations");
        let mut attribute = rnn.attribute.remove(at.unwrap());
        if let Some(name) = activations {
            attribute.strings = vec![name.as_bytes().to_vec()];
            rnn.attribute.push(attribute);
        }
        assert_eq!(from_onnx::read(&model.encode_to_vec()).as_ref(), Ok(&tanh));
    }
}

/// Without the attribute a GRU has its reset before the product.
#[test]
fn gru_by_default() {
    let mut model = ModelProto::decode(&file("gru/network.onnx")[..]).unwrap();
    let gru = node(model.graph.as_mut().unwrap(), "GRU");
    gru.attribute.retain(|a| a.name != "linear_before_reset");
    let before = from_onnx::read(&file("gru_before/network.onnx"));
    assert_eq!(from_onnx::read(&model.encode_to_vec()), before);
}

// -------------------------------------------------------------------------------------------------
// What is wrong: one line each, exit code 1, and nothing written
// -------------------------------------------------------------------------------------------------

#[track_caller]
fn rejected(model: &Path, more: &[&Path], expected: &str) {
    let caller = std::panic::Location::caller().line();
    let out = folder(&format!("out_{caller}")).join("out");
    let mut arguments = vec![model, "--out".as_ref(), &out];
    arguments.extend(more);
    let (code, _, stderr) = run(&arguments);
    assert_eq!((code, stderr.trim_end_matches('\n')), (Some(1), expected));
    assert!(!out.exists());
}

/// A model of these bytes is rejected, and this is all that is said, after the name of the file.
#[track_caller]
fn rejected_model(name: &str, bytes: &[u8], reason: &str) {
    let caller = std::panic::Location::caller().line();
    let model = folder(&format!("model_{caller}")).join(name);
    fs::write(&model, bytes).unwrap();
    rejected(&model, &[], &format!("{}: {reason}", model.display()));
}

/// The tensors of network.safetensors, to be changed.
type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

#[track_caller]
fn rejected_safetensors(change: impl Fn(&mut Tensors), reason: &str) {
    let bytes = file("network.safetensors");
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Tensors = (all.iter())
        .map(|(name, view)| {
            let tensor = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
            (name.to_owned(), tensor)
        })
        .collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        let view = TensorView::new(*dtype, shape.clone(), data).unwrap();
        (name, view)
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    rejected_model("model.safetensors", &bytes, reason);
}

#[test]
fn wrong_safetensors() {
    rejected_safetensors(
        |tensors| drop(tensors.remove("lstm.bias_hh_l0")),
        "no tensor `lstm.bias_hh_l0`, there are head.bias, head.weight, lstm.bias_ih_l0, \
         lstm.weight_hh_l0, lstm.weight_ih_l0",
    );
    rejected_safetensors(
        |tensors| tensors.get_mut("lstm.weight_ih_l0").unwrap().1 = vec![32, 12],
        "`lstm.weight_ih_l0` has shape [32, 12], expected [64, 6] (LSTM), [48, 6] (GRU) or [16, 6] \
         (RNN)",
    );
    rejected_safetensors(
        |tensors| {
            let head = tensors.get_mut("head.weight").unwrap();
            *head = (Dtype::F64, vec![4, 16], vec![0; 512]);
        },
        "`head.weight` is F64, expected F32",
    );
    rejected_safetensors(
        |tensors| tensors.get_mut("head.bias").unwrap().1 = vec![1, 4],
        "`head.bias` has shape [1, 4], expected [4]",
    );

    let whole = file("network.safetensors");
    let incomplete = "no whole safetensors file: incomplete metadata, file not fully covered";
    rejected_model("a.safetensors", &whole[..whole.len() - 1], incomplete);
    let no_header = "no whole safetensors file: invalid header length";
    rejected_model("a.safetensors", &whole[..20], no_header);
    let empty = "no whole safetensors file: header too small";
    rejected_model("a.safetensors", &[], empty);

    let names: [&Path; 2] = ["--layer".as_ref(), "rnn".as_ref()];
    let model = path("network.safetensors");
    rejected(
        &model,
        &names,
        &format!(
            "{}: no tensor `rnn.weight_ih_l0`, there are head.bias, head.weight, \
             lstm.bias_hh_l0, lstm.bias_ih_l0, lstm.weight_hh_l0, lstm.weight_ih_l0",
            model.display()
        ),
    );
}

fn onnx() -> ModelProto {
    ModelProto::decode(&file("network.onnx")[..]).unwrap()
}

#[track_caller]
fn rejected_onnx(change: impl Fn(&mut GraphProto), reason: &str) {
    rejected_onnx_of("", change, reason);
}

#[track_caller]
fn rejected_onnx_of(folder: &str, change: impl Fn(&mut GraphProto), reason: &str) {
    let model = file(&format!("{folder}network.onnx"));
    let mut model = ModelProto::decode(&model[..]).unwrap();
    change(model.graph.as_mut().unwrap());
    rejected_model("model.onnx", &model.encode_to_vec(), reason);
}

fn initializer<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    let mut all = graph.initializer.iter_mut();
    all.find(|tensor| tensor.name == name).unwrap()
}

fn node<'a>(graph: &'a mut GraphProto, op_type: &str) -> &'a mut NodeProto {
    let mut all = graph.node.iter_mut();
    all.find(|node| node.op_type == op_type).unwrap()
}

fn attribute(name: &str, set: impl Fn(&mut AttributeProto)) -> AttributeProto {
    let mut attribute = AttributeProto {
        name: name.to_owned(),
        ..AttributeProto::default()
    };
    set(&mut attribute);
    attribute
}

/// What a GRU or an RNN can have and the crate has no counterpart for; and what is said of a cell
/// that it is not.
#[test]
fn wrong_gru_and_rnn() {
    let names = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        attribute("activations", |a| a.strings.clone_from(&names))
    };
    for (folder, op_type, other) in [
        ("gru/", "GRU", attribute("clip", |a| a.f = 1.0)),
        ("gru/", "GRU", names(&["HardSigmoid", "Tanh"])),
        ("gru/", "GRU", names(&["Sigmoid", "Relu"])),
        (
            "gru/",
            "GRU",
            attribute("direction", |a| a.s = b"bidirectional".to_vec()),
        ),
        ("gru/", "GRU", attribute("input_forget", |a| a.i = 0)),
        (
            "gru/",
            "GRU",
            attribute("linear_before_reset", |a| (a.r#type, a.i) = (2, 2)),
        ),
        (
            "gru_before/",
            "GRU",
            attribute("linear_before_reset", |a| (a.r#type, a.f) = (1, 1.0)),
        ),
        ("relu/", "RNN", attribute("clip", |a| a.f = 1.0)),
        ("relu/", "RNN", names(&["Relu", "Relu"])),
        ("relu/", "RNN", names(&["Sigmoid"])),
        (
            "relu/",
            "RNN",
            attribute("direction", |a| a.s = b"reverse".to_vec()),
        ),
        (
            "relu/",
            "RNN",
            attribute("linear_before_reset", |a| a.i = 1),
        ),
    ] {
        let reason = format!("the {op_type} has an unsupported `{}`", other.name);
        let change = |graph: &mut GraphProto| node(graph, op_type).attribute.push(other.clone());
        rejected_onnx_of(folder, change, &reason);
    }
    rejected_onnx_of(
        "gru/",
        |graph| initializer(graph, "B").dims = vec![1, 48],
        "`B` has shape [1, 48], expected [1, 96]",
    );
    rejected_onnx_of(
        "gru/",
        |graph| {
            let second = node(graph, "GRU").clone();
            graph.node.push(second);
        },
        "2 nodes LSTM or GRU or RNN, expected 1",
    );

    let rejected_as = |model: &str, options: &[&str], reason: &str| {
        let model = path(model);
        let options: Vec<_> = options.iter().map(Path::new).collect();
        rejected(&model, &options, &format!("{}: {reason}", model.display()));
    };
    rejected_as(
        "gru/network.safetensors",
        &[],
        "no tensor `lstm.weight_ih_l0`, there are gru.bias_hh_l0, gru.bias_ih_l0, \
         gru.weight_hh_l0, gru.weight_ih_l0, head.bias, head.weight",
    );
    rejected_as(
        "gru/network.safetensors",
        &["--layer", "gru", "--relu"],
        "`gru.weight_ih_l0` is not that of an RNN with ReLU",
    );
    rejected_as(
        "relu/network.onnx",
        &["--relu"],
        "the graph says itself what --relu says",
    );
}

#[test]
fn wrong_onnx() {
    rejected_onnx(
        |graph| graph.initializer.retain(|tensor| tensor.name != "R"),
        "no tensor `R`, which is R of the LSTM",
    );
    rejected_onnx(
        |graph| initializer(graph, "W").dims = vec![1, 6, 64],
        "`W` has shape [1, 6, 64], expected [1, 64, 6]",
    );
    rejected_onnx(
        |graph| initializer(graph, "B").data_type = DataType::Double.into(),
        "`B` is Double, expected Float",
    );
    rejected_onnx(
        |graph| initializer(graph, "B").data_type = 99,
        "`B` is of data type 99, expected Float",
    );
    rejected_onnx(
        |graph| initializer(graph, "head.bias").raw_data.truncate(15),
        "`head.bias` has 15 bytes, expected 16",
    );
    rejected_onnx(
        |graph| initializer(graph, "R").data_location = 1,
        "the numbers of `R` are in another file",
    );
    rejected_onnx(
        |graph| graph.node.retain(|node| node.op_type != "LSTM"),
        "0 nodes LSTM or GRU or RNN, expected 1",
    );
    rejected_onnx(
        |graph| graph.node.push(node(&mut graph.clone(), "Gemm").clone()),
        "2 nodes Gemm, expected 1",
    );
    rejected_onnx(
        |graph| node(graph, "LSTM").input.truncate(2),
        "the LSTM has no input R",
    );
    rejected_onnx(
        |graph| {
            node(graph, "LSTM")
                .input
                .extend(["", "", "", "P"].map(str::to_owned))
        },
        "the LSTM has peepholes (P), which is not supported",
    );
    let reverse = attribute("direction", |a| a.s = b"reverse".to_vec());
    rejected_onnx(
        |graph| node(graph, "LSTM").attribute.push(reverse.clone()),
        "the LSTM has an unsupported `direction`",
    );
    let half = attribute("alpha", |a| a.f = 0.5);
    rejected_onnx(
        |graph| node(graph, "Gemm").attribute.push(half.clone()),
        "the Gemm has an unsupported `alpha`",
    );

    rejected_model("a.onnx", &[], "no ONNX file: it has no graph");
    let whole = file("network.onnx");
    let model = folder("truncated").join("a.onnx");
    fs::write(&model, &whole[..whole.len() / 2]).unwrap();
    let (code, _, stderr) = run(&[&model]);
    let start = format!("{}: no whole ONNX file: ", model.display());
    assert!(stderr.starts_with(&start), "{stderr}");
    assert_eq!((code, stderr.lines().count()), (Some(1), 1));
}

/// Cut anywhere, a file is rejected. (What follows the graph in an ONNX file has no weights.)
#[test]
fn truncated_anywhere() {
    let whole = file("network.safetensors");
    for n in 0..whole.len() {
        assert!(
            from_safetensors::read(&whole[..n], "lstm", "head", false).is_err(),
            "{n}"
        );
    }
    let whole = file("network.onnx");
    let network = from_onnx::read(&whole).unwrap();
    for n in 0..whole.len() {
        match from_onnx::read(&whole[..n]) {
            Ok(found) => assert!(n > whole.len() - 16 && found == network, "{n}"),
            Err(_) => continue,
        }
    }
}

/// What exporters may write otherwise, and means the same.
#[test]
fn other_ways_to_write_the_same_graph() {
    let expected = from_onnx::read(&file("network.onnx")).unwrap();
    let read = |change: &dyn Fn(&mut GraphProto)| {
        let mut model = onnx();
        change(model.graph.as_mut().unwrap());
        from_onnx::read(&model.encode_to_vec())
    };
    let numbers = read(&|graph| {
        let weight = initializer(graph, "head.weight");
        let bytes = std::mem::take(&mut weight.raw_data);
        let numbers = bytes.chunks_exact(4);
        weight.float_data = numbers
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
    });
    assert_eq!(numbers, Ok(expected.clone()));

    let transposed = read(&|graph| {
        node(graph, "Gemm").attribute.clear(); // transB = 0
        let weight = initializer(graph, "head.weight");
        weight.dims = vec![16, 4];
        let numbers: Vec<&[u8]> = weight.raw_data.chunks_exact(4).collect();
        let by_column = (0..64).map(|k| numbers[k % 4 * 16 + k / 4]);
        weight.raw_data = by_column.collect::<Vec<_>>().concat();
    });
    assert_eq!(transposed, Ok(expected.clone()));

    let defaults = read(&|graph| {
        let lstm = node(graph, "LSTM");
        let activations = ["Sigmoid", "Tanh", "Tanh"].map(|name| name.as_bytes().to_vec());
        let named = attribute("activations", |a| a.strings = activations.to_vec());
        let forward = attribute("direction", |a| a.s = b"forward".to_vec());
        lstm.attribute.extend([named, forward]);
        lstm.input.extend(["", "h0", "c0"].map(str::to_owned));
    });
    assert_eq!(defaults, Ok(expected.clone()));

    let mut without = expected;
    let Cell::Lstm(cell) = &mut without.cell else {
        panic!("{without:?}");
    };
    for gate in [&mut cell.f, &mut cell.i, &mut cell.g, &mut cell.o] {
        gate.b.fill(0.0);
    }
    without.head.b.fill(0.0);
    let no_bias = read(&|graph| {
        node(graph, "LSTM").input[3].clear();
        node(graph, "Gemm").input.truncate(2);
    });
    assert_eq!(no_bias, Ok(without));
}

#[test]
fn wrong_files() {
    let missing = folder("missing").join("none.onnx");
    let (code, _, stderr) = run(&[&missing]);
    assert!(stderr.starts_with(&format!("{}: ", missing.display())));
    assert_eq!((code, stderr.lines().count()), (Some(1), 1));

    rejected_model(
        "a.pt",
        &[],
        "the name ends neither in .safetensors nor in .onnx",
    );

    let model = path("network.onnx");
    let outputs = folder("outputs").join("outputs.json");
    let rejected_outputs = |change: &dyn Fn(&mut serde_json::Value), reason: &str| {
        let mut value = serde_json::from_slice(&file("outputs.json")).unwrap();
        change(&mut value);
        fs::write(&outputs, value.to_string()).unwrap();
        let expected = format!("{}: {reason}", outputs.display());
        rejected(&model, &["--outputs".as_ref(), &outputs], &expected);
    };
    rejected_outputs(
        &|value| value["onnxruntime"]["y"][0] = 3.0.into(),
        "the outputs differ by 3.2e0 from those of onnxruntime",
    );
    rejected_outputs(
        &|value| drop(value["float64"]["h"].as_array_mut().unwrap().pop()),
        "383 numbers in h against 384",
    );
    rejected_outputs(
        &|value| drop(value["x"].as_array_mut().unwrap().pop()),
        "143 numbers in x, expected a multiple of 6",
    );
    rejected_outputs(
        &|value| value["batch"] = 0.into(),
        "24 samples are no batch of 0 sequences",
    );
}
