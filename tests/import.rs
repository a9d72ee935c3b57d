//! The example `import` as its user meets it: networks of any shape from a PyTorch `state_dict` and
//! from an ONNX graph, what they compute, and what is said of a file that is wrong. Its JSON and
//! `.nam` are in import_json.rs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

#[path = "common/example.rs"]
mod example;
#[path = "../examples/import/plain.rs"]
mod plain;
#[path = "common/random.rs"]
mod random;
#[allow(dead_code)] // Not all of it is needed here.
#[path = "../examples/import/read/mod.rs"]
mod read;

use example::{example, folder, place};
use random::Random;
use read::from_onnx::proto::{
    self, AttributeProto, DataType, DimensionProto, GraphProto, ModelProto, NodeProto, TensorProto,
    ValueInfoProto,
};
use read::network::{Activation, Kind, Layer, Network};
use read::tensor::{Tensor, Tensors};
use read::{from_onnx, from_safetensors, from_state_dict};

/// What `make.py` made.
struct Sample {
    folder: &'static str,
    network: &'static str,
    /// What a `.safetensors` of it needs to be said, where there is one.
    options: Option<&'static [&'static str]>,
}

const SAMPLES: [Sample; 8] = [
    Sample {
        folder: "",
        network: "LSTM (6, 16), dense (16, 4)",
        options: Some(&[]),
    },
    Sample {
        folder: "gru/",
        network: "GRU (6, 16), dense (16, 4)",
        options: Some(&[]),
    },
    Sample {
        folder: "gru_before/",
        network: "GRU (reset before) (6, 16), dense (16, 4)",
        options: None,
    },
    Sample {
        folder: "relu/",
        network: "RNN (ReLU) (6, 16), dense (16, 4)",
        options: Some(&["--relu"]),
    },
    Sample {
        folder: "bidirectional/",
        network: "bidirectional LSTM (2, 3), bidirectional LSTM (6, 3), dense (6, 2)",
        options: Some(&[]),
    },
    Sample {
        folder: "two_rnns/",
        network: "RNN (2, 3), RNN (3, 3), dense (3, 2)",
        options: Some(&[]),
    },
    Sample {
        folder: "cell/",
        network: "LSTM (2, 3), dense (3, 2)",
        options: Some(&[]),
    },
    Sample {
        folder: "state/",
        network: "GRU (reset before) (2, 3), dense (softmax) (3, 2)",
        options: None,
    },
];

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files");
    folder.join(name)
}

fn file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

/// Runs the example: exit code, standard output, standard error.
fn run(arguments: &[&Path]) -> (Option<i32>, String, String) {
    // What is written is for import_write.rs.
    let out = place("out");
    example::run(example("import").arg("--out").arg(out).args(arguments))
}

fn from_onnx(folder: &str) -> Network {
    let bytes = file(&format!("{folder}network.onnx"));
    from_onnx::read(&bytes, None).unwrap().0
}

fn from_safetensors(folder: &str, relu: bool) -> Network {
    from_safetensors::read(&file(&format!("{folder}network.safetensors")), relu).unwrap()
}

// -------------------------------------------------------------------------------------------------
// What is right
// -------------------------------------------------------------------------------------------------

#[test]
fn the_example_reads_and_compares() {
    for sample in SAMPLES {
        let safetensors = sample
            .options
            .map(|options| ("network.safetensors", options));
        for (name, options) in [("network.onnx", &[][..])].into_iter().chain(safetensors) {
            let model = path(&format!("{}{name}", sample.folder));
            let mut arguments = vec![model.as_path()];
            arguments.extend(options.iter().map(Path::new));
            let (code, stdout, stderr) = run(&arguments);
            assert_eq!((code, stderr.as_str()), (Some(0), ""), "{model:?}");
            let mut lines = stdout.lines();
            assert_eq!(lines.next(), Some(sample.network), "{model:?}");
            let compared = lines.next().unwrap_or_default();
            let expected = "greatest difference from onnxruntime: ";
            assert!(compared.starts_with(expected), "{model:?}: {stdout}");
        }
    }
}

#[test]
fn both_formats_are_the_same_network() {
    for sample in SAMPLES {
        if let Some(options) = sample.options {
            let safetensors = from_safetensors(sample.folder, options.contains(&"--relu"));
            assert_eq!(from_onnx(sample.folder), safetensors, "{}", sample.folder);
        }
    }
}

/// The two biases of a gate are added in f32: 3.1e-9 is the largest error in f64. In f32 it is
/// 5.9e-8, and 7.6e-8 is the largest difference from onnxruntime, whose own error is 6.2e-8.
#[test]
fn they_compute_what_the_graph_says() {
    for sample in SAMPLES {
        let outputs = file(&format!("{}outputs.json", sample.folder));
        let outputs: serde_json::Value = serde_json::from_slice(&outputs).unwrap();
        let numbers = |name: &str| -> Vec<f64> {
            let array = outputs[name].as_array().unwrap().iter();
            array.map(|number| number.as_f64().unwrap()).collect()
        };
        let x: Vec<f32> = numbers("x").iter().map(|&x| x as f32).collect();
        let network = from_onnx(sample.folder);
        let double: Vec<f64> = plain::run(&network, &x, 2);
        let single: Vec<f32> = plain::run(&network, &x, 2);
        let single: Vec<f64> = single.into_iter().map(f64::from).collect();
        let steps = match outputs["last"] == true {
            true => 1,
            false => x.len() / (2 * network.inputs()),
        };
        let folder = sample.folder;
        for (found, runtime, tolerance) in [
            (&double, "float64", 5e-9),
            (&single, "float64", 1e-7),
            (&single, "onnxruntime", 1.5e-7),
        ] {
            let expected = numbers(runtime);
            assert_eq!(expected.len(), steps * 2 * network.outputs(), "{folder}");
            let found = &found[found.len() - expected.len()..];
            let apart = plain::greatest_difference(found, &expected);
            assert!(apart <= tolerance, "{folder}{runtime}: {apart:e}");
        }
    }
}

/// A network with tanh, from a state dict that does not say otherwise, and from the same graph with
/// the default activation.
#[test]
fn rnn_with_tanh() {
    let [tanh, relu] = [false, true].map(|relu| from_safetensors("relu/", relu));
    let with = |kind| {
        let mut network = relu.clone();
        let Layer::Forward(cell) = &mut network.layers[0] else {
            panic!("{network:?}");
        };
        cell.kind = kind;
        network
    };
    assert_eq!(with(Kind::RnnRelu), relu);
    assert_eq!(with(Kind::RnnTanh), tanh);

    for activations in [None, Some("Tanh")] {
        let found = read_changed("relu/", |graph| {
            let rnn = node(graph, "RNN");
            rnn.attribute.retain(|a| a.name != "activations");
            if let Some(name) = activations {
                rnn.attribute.push(strings("activations", &[name]));
            }
        });
        assert_eq!(found.as_ref(), Ok(&tanh));
    }
}

/// Without the attribute a GRU has its reset before the product.
#[test]
fn gru_by_default() {
    let found = read_changed("gru/", |graph| {
        let gru = node(graph, "GRU");
        gru.attribute.retain(|a| a.name != "linear_before_reset");
    });
    assert_eq!(found, Ok(from_onnx("gru_before/")));
}

/// What exporters write otherwise, and means the same.
#[test]
fn other_ways_to_write_the_same_graph() {
    let same = |folder: &str, change: &dyn Fn(&mut GraphProto)| {
        assert_eq!(read_changed(folder, change), Ok(from_onnx(folder)));
    };
    let numbers_in_fields = |graph: &mut GraphProto| {
        let weight = initializer(graph, "head.weight");
        let bytes = std::mem::take(&mut weight.raw_data);
        let numbers = bytes.chunks_exact(4);
        weight.float_data = numbers
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
    };
    same("", &numbers_in_fields);
    same("", &|graph| {
        node(graph, "Gemm").attribute.clear(); // transB = 0
        let weight = initializer(graph, "head.weight");
        weight.dims = vec![16, 4];
        let numbers: Vec<&[u8]> = weight.raw_data.chunks_exact(4).collect();
        let by_column = (0..64).map(|k| numbers[k % 4 * 16 + k / 4]);
        weight.raw_data = by_column.collect::<Vec<_>>().concat();
    });
    same("", &|graph| {
        let lstm = node(graph, "LSTM");
        let activations = strings("activations", &["Sigmoid", "Tanh", "Tanh"]);
        lstm.attribute
            .extend([activations, text("direction", "forward")]);
        lstm.attribute.push(integer("input_forget", 0));
    });
    // The last step of all, in three ways; the first dimension is 12.
    for (op_type, indices, more) in [
        ("Gather", vec![-1], None),
        ("Gather", vec![11], None),
        ("Slice", vec![-1], Some(i64::MAX)),
        ("Slice", vec![11], Some(12)),
    ] {
        same("", &|graph| {
            let squeeze = node(graph, "Squeeze");
            squeeze.input[0] = "h_all".to_owned();
            squeeze.output[0] = "h".to_owned();
            initializer(graph, "zero").raw_data = 1_i64.to_le_bytes().to_vec();
            let mut inputs = vec!["h", "first"];
            graph.initializer.push(integers("first", None, &indices));
            if let Some(end) = more {
                graph.initializer.push(integers("end", Some(1), &[end]));
                graph.initializer.last_mut().unwrap().dims = vec![1];
                initializer(graph, "first").dims = vec![1];
                inputs.push("end");
            }
            let gemm = graph.node.pop().unwrap();
            let output = if more.is_some() { "one_step" } else { "last" };
            graph.node.push(made(op_type, &inputs, output));
            if more.is_some() {
                graph.initializer.push(integers("squeezed", Some(1), &[0]));
                graph
                    .node
                    .push(made("Squeeze", &["one_step", "squeezed"], "last"));
            }
            graph.node.push(gemm);
        });
    }
    // States that begin at zero, for a batch of a size that is not known.
    same("bidirectional/", &|graph| {
        graph.input[0] = unknown_sizes("x", 2);
        graph.initializer.push(integers("k1", None, &[1]));
        graph.initializer.push(integers("zeroth", Some(1), &[0]));
        graph.initializer.push(integers("front", Some(1), &[2]));
        graph.initializer.push(integers("units", Some(1), &[3]));
        let zeros = [
            made("Shape", &["x"], "sizes"),
            made("Gather", &["sizes", "k1"], "batch"),
            made("Unsqueeze", &["batch", "zeroth"], "batches"),
            made("Concat", &["front", "batches", "units"], "shape"),
            made("ConstantOfShape", &["shape"], "zeros"),
        ];
        graph.node.splice(0..0, zeros);
        let lstm = node(graph, "LSTM");
        lstm.input.extend(["", "zeros", "zeros"].map(str::to_owned));
    });
    // A state of one sequence, expanded to (-1, a batch that is not known, -1).
    same("state/", &|graph| {
        graph.input[0] = unknown_sizes("x", 2);
        let h0 = initializer(graph, "h0");
        h0.dims[1] = 1;
        h0.raw_data.truncate(3 * 4);
        let mut ones = made("ConstantOfShape", &["rank"], "ones");
        ones.attribute.push(attribute("value", |a| {
            a.t = Some(integers("", Some(1), &[1]));
        }));
        graph.initializer.push(integers("k1", None, &[1]));
        graph.initializer.push(integers("first", Some(1), &[0]));
        graph
            .initializer
            .push(integers("minus_one", Some(1), &[-1]));
        let expanded = [
            made("Shape", &["x"], "sizes"),
            made("Gather", &["sizes", "k1"], "batch"),
            made("Unsqueeze", &["batch", "first"], "batches"),
            made("Concat", &["minus_one", "batches", "minus_one"], "wide"),
            made("Reshape", &["wide", "minus_one"], "wide_vector"),
            made("Shape", &["wide_vector"], "rank"),
            ones,
            made("Mul", &["ones", "minus_one"], "minus_ones"),
            made("Equal", &["wide_vector", "minus_ones"], "kept"),
            made("Where", &["kept", "ones", "wide_vector"], "to"),
            made("Expand", &["h0", "to"], "state"),
        ];
        graph.node.splice(0..0, expanded);
        node(graph, "GRU").input[5] = "state".to_owned();
    });
    // The batch first, outside.
    same("cell/", &|graph| {
        graph.input[0] = unknown_sizes("x", 2);
        graph.node.insert(0, made("Transpose", &["x"], "steps"));
        graph.node[0].attribute.push(list("perm", &[1, 0, 2]));
        node(graph, "LSTM").input[0] = "steps".to_owned();
        let add = graph.node.pop().unwrap();
        graph
            .node
            .push(made("Transpose", &["product"], "sequences"));
        let turn = graph.node.last_mut().unwrap();
        turn.attribute.push(list("perm", &[1, 0, 2]));
        graph.node.push(add);
        let add = graph.node.last_mut().unwrap();
        add.input = ["head.bias", "sequences"].map(str::to_owned).to_vec();
    });
    // Another output, which has fewer layers.
    same("two_rnns/", &|graph| {
        graph.output.insert(0, unknown_sizes("h", 3))
    });

    let mut without = from_onnx("");
    let Layer::Forward(cell) = &mut without.layers[0] else {
        panic!("{without:?}");
    };
    cell.gates.iter_mut().for_each(|gate| gate.b.fill(0.0));
    let Layer::Dense(dense) = &mut without.layers[1] else {
        panic!("{without:?}");
    };
    dense.b.fill(0.0);
    for (operator, activation) in [
        ("Tanh", Activation::Tanh),
        ("Sigmoid", Activation::Sigmoid),
        ("Relu", Activation::Relu),
        ("Softmax", Activation::Softmax),
    ] {
        let no_bias = read_changed("", |graph| {
            node(graph, "LSTM").input.truncate(3);
            let gemm = node(graph, "Gemm");
            gemm.input.truncate(2);
            gemm.output[0] = "logits".to_owned();
            graph
                .initializer
                .retain(|t| t.name != "B" && t.name != "head.bias");
            graph.node.push(made(operator, &["logits"], "y"));
        });
        if let Layer::Dense(dense) = &mut without.layers[1] {
            dense.activation = activation;
        }
        assert_eq!(no_bias.as_ref(), Ok(&without));
    }
}

/// Weights that are inputs of the graph, with their numbers and the expected output beside it, as
/// the tests of ONNX have them; `layout` 0 and 1, one direction and both.
#[test]
fn the_sample_beside_the_graph() {
    for (name, directions, layout) in [("gru", 1, 0), ("gru", 1, 1), ("both", 2, 0), ("both", 2, 1)]
    {
        let folder = folder(&format!("sample_{name}_{layout}"));
        let data = folder.join("test_data_set_0");
        fs::create_dir(&data).unwrap();
        let (steps, batch, inputs, units) = (3, 2, 2, 4);
        let mut random = Random::new(7);
        let mut tensor = |name: &str, dims: &[usize]| {
            let mut numbers = vec![0.0_f32; dims.iter().product()];
            random.fill(&mut numbers, 0.5);
            floats(name, dims, &numbers)
        };
        let w = tensor("W", &[directions, 3 * units, inputs]);
        let r = tensor("R", &[directions, 3 * units, units]);
        let x = tensor("X", &[steps, batch, inputs]);
        let mut node = made("GRU", &["X", "W", "R"], "Y");
        node.attribute.push(integer("layout", layout));
        if directions == 2 {
            node.attribute.push(text("direction", "bidirectional"));
        }
        let graph = GraphProto {
            node: vec![node],
            input: ["X", "W", "R"].map(|name| unknown_sizes(name, 2)).to_vec(),
            output: vec![unknown_sizes("Y", 9)],
            ..GraphProto::default()
        };
        let mut with_weights = graph.clone();
        with_weights.initializer = vec![w.clone(), r.clone()];
        with_weights.node[0].attribute[0].i = 0;
        let (network, _) = from_onnx::read(&encoded(with_weights), None).unwrap();
        let of = |tensor: &TensorProto| tensor.float_data.clone();
        let y: Vec<f32> = plain::run(&network, &of(&x), batch);

        // (steps, batch, features) to (batch, steps, features); directions come before the batch
        // or, batch first, before the features.
        let turned = |numbers: &[f32], width: usize| -> Vec<f32> {
            let at = |sequence, step| &numbers[(step * batch + sequence) * width..][..width];
            let rows = (0..batch).flat_map(|s| (0..steps).map(move |t| (s, t)));
            rows.flat_map(|(s, t)| at(s, t).to_vec()).collect()
        };
        let (x, y) = match layout {
            0 => {
                let mut y_steps = Vec::new();
                for step in y.chunks(batch * directions * units) {
                    for d in 0..directions {
                        for sequence in step.chunks(directions * units) {
                            y_steps.extend(&sequence[d * units..][..units]);
                        }
                    }
                }
                (x, floats("Y", &[steps, directions, batch, units], &y_steps))
            }
            _ => (
                floats("X", &[batch, steps, inputs], &turned(&of(&x), inputs)),
                floats(
                    "Y",
                    &[batch, steps, directions, units],
                    &turned(&y, directions * units),
                ),
            ),
        };
        for (file, tensor) in [
            ("input_0", &x),
            ("input_1", &w),
            ("input_2", &r),
            ("output_0", &y),
        ] {
            fs::write(data.join(format!("{file}.pb")), tensor.encode_to_vec()).unwrap();
        }
        let model = folder.join("model.onnx");
        fs::write(&model, encoded(graph)).unwrap();
        let (code, stdout, stderr) = run(&[&model]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name} {layout}");
        let both = if directions == 2 {
            "bidirectional "
        } else {
            ""
        };
        let expected = format!(
            "{both}GRU (reset before) (2, 4)\ngreatest difference from output_0.pb: 0.0e0\n"
        );
        assert!(stdout.starts_with(&expected), "{layout}: {stdout}");

        let mut other = y;
        other.float_data[5] += 1.0;
        fs::write(data.join("output_0.pb"), other.encode_to_vec()).unwrap();
        let reason = "the outputs differ by 1.0e0 from those of output_0.pb";
        rejected(&model, &[], &format!("{}: {reason}", model.display()));
    }
}

/// One sequence, without a dimension for the batch.
#[test]
fn the_sample_without_a_batch() {
    let folder = folder("without_a_batch");
    let data = folder.join("test_data_set_0");
    fs::create_dir(&data).unwrap();
    let mut graph = onnx("cell/");
    graph
        .node
        .insert(0, made("Unsqueeze", &["x", "one"], "batch"));
    node(&mut graph, "LSTM").input[0] = "batch".to_owned();
    initializer(&mut graph, "one").raw_data = 1_i64.to_le_bytes().to_vec();
    let numbers = [0.5, -1.0, 0.25, 1.5, -0.5, 0.125];
    let y: Vec<f32> = plain::run(&from_onnx("cell/"), &numbers, 1);
    for (file, tensor) in [
        ("input_0", floats("x", &[3, 2], &numbers)),
        ("output_0", floats("y", &[3, 1, 2], &y)),
    ] {
        fs::write(data.join(format!("{file}.pb")), tensor.encode_to_vec()).unwrap();
    }
    let model = folder.join("model.onnx");
    fs::write(&model, encoded(graph)).unwrap();
    let (code, stdout, stderr) = run(&[&model]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let expected = "LSTM (2, 3), dense (3, 2)\ngreatest difference from output_0.pb: 0.0e0\n";
    assert!(stdout.starts_with(expected), "{stdout}");

    let short = floats("y", &[3, 2], &y[1..]);
    fs::write(data.join("output_0.pb"), short.encode_to_vec()).unwrap();
    let reason = "`output_0.pb` has shape [3, 2] and 20 bytes";
    rejected(&model, &[], &format!("{}: {reason}", model.display()));
    let short = floats("y", &[5], &y[1..]);
    fs::write(data.join("output_0.pb"), short.encode_to_vec()).unwrap();
    let reason = "output_0.pb: 5 numbers, expected 6";
    rejected(&model, &[], &format!("{}: {reason}", model.display()));
}

/// The order of modules, which a state dict does not have.
#[test]
fn the_order_of_modules() {
    let dense = |tensors: &mut Tensors, name: &str, [inputs, outputs]: [usize; 2]| {
        zeros(tensors, &format!("{name}.weight"), &[outputs, inputs]);
    };
    let rnn = |tensors: &mut Tensors, name: &str, [inputs, units]: [usize; 2]| {
        zeros(tensors, &format!("{name}.weight_ih_l0"), &[units, inputs]);
        zeros(tensors, &format!("{name}.weight_hh_l0"), &[units, units]);
    };
    let order = |rnns: &[(&str, [usize; 2])], denses: &[(&str, [usize; 2])]| {
        let mut tensors = Tensors::default();
        rnns.iter()
            .for_each(|(name, sizes)| rnn(&mut tensors, name, *sizes));
        denses
            .iter()
            .for_each(|(name, sizes)| dense(&mut tensors, name, *sizes));
        from_state_dict::read(tensors, false).map(|network| network.to_string())
    };
    let is = |expected: &str| Ok(expected.to_owned());

    // A dense layer comes last, though the names have it first and 8 -> 1 -> 8 would fit.
    assert_eq!(
        order(&[("gru", [1, 8]), ("gru2", [8, 8])], &[("dense", [8, 1])]),
        is("RNN (1, 8), RNN (8, 8), dense (8, 1)")
    );
    // 10 comes after 9.
    assert_eq!(
        order(&[("a9", [4, 4]), ("a10", [4, 5]), ("a8", [4, 4])], &[]),
        is("RNN (4, 4), RNN (4, 4), RNN (4, 5)")
    );
    // Numbers are the order.
    assert_eq!(
        order(&[("1", [4, 4])], &[("0", [4, 4]), ("2", [4, 4])]),
        is("dense (4, 4), RNN (4, 4), dense (4, 4)")
    );
    // Only one order fits.
    assert_eq!(
        order(
            &[("b", [3, 4]), ("a", [4, 5])],
            &[("z_in", [2, 3]), ("out", [5, 1])]
        ),
        is("dense (2, 3), RNN (3, 4), RNN (4, 5), dense (5, 1)")
    );
    let fit = |how: &str| Err(format!("the modules fit onto each other {how}"));
    let note = "(and no tensor says what is between dense layers in a row)";
    assert_eq!(
        order(&[("rnn", [4, 4])], &[("in", [4, 4]), ("out", [4, 4])]),
        fit(&format!(
            "in more than one order: in (4, 4), out (4, 4), rnn (4, 4) {note}"
        ))
    );
    assert_eq!(
        order(&[("rnn", [4, 5])], &[("out", [4, 4])]),
        is("dense (4, 4), RNN (4, 5)")
    );
    assert_eq!(
        order(&[("rnn", [4, 5])], &[("fc1", [5, 6]), ("fc2", [6, 2])]),
        fit(&format!(
            "in no order: fc1 (5, 6), fc2 (6, 2), rnn (4, 5) {note}"
        ))
    );
    assert_eq!(
        order(&[("a", [4, 5]), ("b", [4, 5])], &[]),
        fit("in no order: a (4, 5), b (4, 5)")
    );
    // The order of the alphabet is not that of the calls.
    assert_eq!(
        order(&[("encoder", [4, 4]), ("decoder", [4, 4])], &[]),
        Err(
            "nothing says which comes first, decoder (4, 4) or encoder (4, 4): number their names"
                .to_owned()
        )
    );
    assert_eq!(
        order(&[("lstm", [4, 4]), ("lstm2", [4, 4])], &[]),
        is("RNN (4, 4), RNN (4, 4)")
    );
    let names: Vec<String> = (1..10).map(|k| format!("rnn{k}")).collect();
    let in_order: Vec<_> = (names.iter().zip(1..))
        .map(|(name, k)| (&name[..], [11 - k, 10 - k]))
        .collect();
    assert!(order(&in_order, &[]).is_ok());
    let reversed: Vec<_> = (names.iter().zip(1..))
        .map(|(name, k)| (&name[..], [k + 1, k]))
        .collect();
    let sizes: Vec<_> = (1..10)
        .map(|k| format!("rnn{k} ({}, {k})", k + 1))
        .collect();
    let how = "in another order than that of their names";
    assert_eq!(
        order(&reversed, &[]),
        fit(&format!("{how}: {}", sizes.join(", ")))
    );
    assert!(order(&reversed[..8], &[]).is_ok());
    assert_eq!(
        order(&[], &[("out", [6, 4])]),
        Err("there is no recurrent layer".to_owned())
    );
}

/// Tensors without the name of a module, and of a module in a module.
#[test]
fn names_of_modules() {
    let bytes = file("cell/network.safetensors");
    let all = tensors(&bytes);
    let renamed = |from: &str, to: &str| {
        let mut tensors = all.clone();
        for (name, tensor) in &all {
            if let Some(rest) = name.strip_prefix(from) {
                tensors.remove(name);
                tensors.insert(format!("{to}{rest}"), tensor.clone());
            }
        }
        from_safetensors::read(&serialized(&tensors), false)
    };
    for to in ["", "a.b.c."] {
        assert_eq!(renamed("lstm.", to), Ok(from_onnx("cell/")));
        assert_eq!(renamed("head.", to), Ok(from_onnx("cell/")));
    }
}

// -------------------------------------------------------------------------------------------------
// What is wrong: one line each, and exit code 1
// -------------------------------------------------------------------------------------------------

#[track_caller]
fn rejected(model: &Path, more: &[&str], expected: &str) {
    let mut arguments = vec![model];
    arguments.extend(more.iter().map(Path::new));
    let (code, _, stderr) = run(&arguments);
    assert_eq!((code, stderr.trim_end_matches('\n')), (Some(1), expected));
}

/// A model of these bytes is rejected, and this is all that is said, after the name of the file.
#[track_caller]
fn rejected_model(name: &str, bytes: &[u8], reason: &str) {
    let caller = std::panic::Location::caller().line();
    let model = folder(&format!("model_{caller}")).join(name);
    fs::write(&model, bytes).unwrap();
    rejected(&model, &[], &format!("{}: {reason}", model.display()));
}

/// The tensors of a .safetensors, to be changed.
type Changed = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn tensors(bytes: &[u8]) -> Changed {
    let all = SafeTensors::deserialize(bytes).unwrap();
    let tensors = all.iter().map(|(name, view)| {
        let tensor = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name.to_owned(), tensor)
    });
    tensors.collect()
}

fn serialized(tensors: &Changed) -> Vec<u8> {
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        let view = TensorView::new(*dtype, shape.clone(), data).unwrap();
        (name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

#[track_caller]
fn rejected_safetensors(folder: &str, change: impl Fn(&mut Changed), reason: &str) {
    let mut tensors = tensors(&file(&format!("{folder}network.safetensors")));
    change(&mut tensors);
    rejected_model("model.safetensors", &serialized(&tensors), reason);
}

#[test]
fn wrong_safetensors() {
    rejected_safetensors(
        "",
        |tensors| {
            tensors.get_mut("head.bias").unwrap().2[4..8].copy_from_slice(&f32::NAN.to_le_bytes())
        },
        "layer 2 has a weight that is infinite or no number",
    );
    rejected_safetensors(
        "",
        |tensors| {
            tensors.get_mut("lstm.weight_hh_l0").unwrap().2[..4]
                .copy_from_slice(&f32::INFINITY.to_le_bytes())
        },
        "layer 1 has a weight that is infinite or no number",
    );
    rejected_safetensors(
        "",
        |tensors| drop(tensors.remove("lstm.bias_hh_l0")),
        "no tensor `lstm.bias_hh_l0`",
    );
    rejected_safetensors(
        "",
        |tensors| tensors.get_mut("lstm.weight_hh_l0").unwrap().1 = vec![32, 32],
        "`lstm.weight_ih_l0` has shape [64, 6], expected [32, 6]", // That of an RNN.
    );
    rejected_safetensors(
        "",
        |tensors| tensors.get_mut("lstm.weight_hh_l0").unwrap().1 = vec![16, 64],
        "`lstm.weight_hh_l0` has shape [16, 64], expected [256, 64] (LSTM), [192, 64] (GRU) or \
         [64, 64] (RNN)",
    );
    rejected_safetensors(
        "",
        |tensors| tensors.get_mut("lstm.weight_ih_l0").unwrap().1 = vec![32, 12],
        "`lstm.weight_ih_l0` has shape [32, 12], expected [64, 12]",
    );
    rejected_safetensors(
        "",
        |tensors| {
            let head = tensors.get_mut("head.weight").unwrap();
            *head = (Dtype::F64, vec![4, 16], vec![0; 512]);
        },
        "`head.weight` is F64, expected F32",
    );
    rejected_safetensors(
        "",
        |tensors| tensors.get_mut("head.bias").unwrap().1 = vec![1, 4],
        "`head.bias` has shape [1, 4], expected [4]",
    );
    rejected_safetensors(
        "",
        |tensors| {
            let projection = (Dtype::F32, vec![2, 16], vec![0; 128]);
            tensors.insert("lstm.weight_hr_l0".to_owned(), projection);
        },
        "`lstm.weight_hr_l0`: projections (proj_size) are not supported",
    );
    rejected_safetensors(
        "gru/",
        |tensors| {
            let norm = (Dtype::F32, vec![2], vec![0; 8]);
            tensors.insert("norm.weight".to_owned(), norm.clone());
            tensors.insert("two\nlines".to_owned(), norm);
        },
        "not used: norm.weight, two lines",
    );
    rejected_safetensors(
        "",
        |tensors| {
            let nothing = (Dtype::F32, vec![0, usize::MAX / 8], vec![]);
            tensors.insert("lstm.weight_hh_l0".to_owned(), nothing);
        },
        &format!(
            "`lstm.weight_hh_l0` has shape [0, {}], expected a matrix",
            usize::MAX / 8
        ),
    );
    let relu = path("gru/network.safetensors");
    let reason = "there is no RNN, which --relu is for";
    rejected(&relu, &["--relu"], &format!("{}: {reason}", relu.display()));

    let whole = file("network.safetensors");
    let incomplete = "no whole safetensors file: incomplete metadata, file not fully covered";
    rejected_model("a.safetensors", &whole[..whole.len() - 1], incomplete);
    let no_header = "no whole safetensors file: invalid header length";
    rejected_model("a.safetensors", &whole[..20], no_header);
    let empty = "no whole safetensors file: header too small";
    rejected_model("a.safetensors", &[], empty);
}

/// Every tensor of a second layer and of the other direction is used, or said not to be.
#[test]
fn no_tensor_is_dropped() {
    let without = |part: &'static str| {
        move |tensors: &mut Changed| tensors.retain(|name, _| !name.ends_with(part))
    };
    rejected_safetensors(
        "bidirectional/",
        without("_l1"),
        "not used: lstm.bias_hh_l1_reverse, lstm.bias_ih_l1_reverse, lstm.weight_hh_l1_reverse, \
         lstm.weight_ih_l1_reverse",
    );
    rejected_safetensors(
        "bidirectional/",
        without("_l0_reverse"),
        "layer 1 has 3 outputs, and layer 2 takes 6 inputs",
    );
    rejected_safetensors(
        "bidirectional/",
        without("weight_ih_l0_reverse"),
        "not used: lstm.bias_hh_l0_reverse, lstm.bias_ih_l0_reverse, lstm.weight_hh_l0_reverse",
    );
    rejected_safetensors(
        "bidirectional/",
        without("weight_hh_l1_reverse"),
        "no tensor `lstm.weight_hh_l1_reverse`, what is left are lstm.bias_hh_l1_reverse, \
         lstm.bias_ih_l1_reverse, lstm.weight_ih_l1_reverse",
    );
    rejected_safetensors(
        "two_rnns/",
        without("weight_ih_l0"),
        "not used: rnn.weight_hh_l0, rnn.weight_hh_l1, rnn.weight_ih_l1",
    );
    // Each of them alone.
    for folder in ["bidirectional/", "two_rnns/", "cell/"] {
        let all = tensors(&file(&format!("{folder}network.safetensors")));
        let head = ["head.bias".to_owned(), "head.weight".to_owned()];
        for name in all.keys().filter(|name| !head.contains(name)) {
            let mut tensors = all.clone();
            tensors.remove(name);
            let read = from_safetensors::read(&serialized(&tensors), false);
            assert!(read.is_err(), "{folder}: {name}");
        }
        let mut tensors = all;
        tensors.insert("more".to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
        let read = from_safetensors::read(&serialized(&tensors), false);
        assert_eq!(read, Err("not used: more".to_owned()), "{folder}");
    }
}

fn onnx(folder: &str) -> GraphProto {
    let model = ModelProto::decode(&file(&format!("{folder}network.onnx"))[..]).unwrap();
    model.graph.unwrap()
}

fn encoded(graph: GraphProto) -> Vec<u8> {
    let opset = proto::OperatorSetIdProto {
        domain: String::new(),
        version: 17,
    };
    let model = ModelProto {
        graph: Some(graph),
        opset_import: vec![opset],
    };
    model.encode_to_vec()
}

fn read_changed(folder: &str, change: impl Fn(&mut GraphProto)) -> Result<Network, String> {
    let mut graph = onnx(folder);
    change(&mut graph);
    from_onnx::read(&encoded(graph), None).map(|(network, _)| network)
}

#[track_caller]
fn rejected_onnx(folder: &str, change: impl Fn(&mut GraphProto), reason: &str) {
    let mut graph = onnx(folder);
    change(&mut graph);
    rejected_model("model.onnx", &encoded(graph), reason);
}

fn initializer<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    let mut all = graph.initializer.iter_mut();
    all.find(|tensor| tensor.name == name).unwrap()
}

fn node<'a>(graph: &'a mut GraphProto, op_type: &str) -> &'a mut NodeProto {
    let mut all = graph.node.iter_mut();
    all.find(|node| node.op_type == op_type).unwrap()
}

fn made(op_type: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op_type.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn attribute(name: &str, set: impl Fn(&mut AttributeProto)) -> AttributeProto {
    let mut attribute = AttributeProto {
        name: name.to_owned(),
        ..AttributeProto::default()
    };
    set(&mut attribute);
    attribute
}

fn integer(name: &str, i: i64) -> AttributeProto {
    attribute(name, |a| a.i = i)
}

fn text(name: &str, s: &str) -> AttributeProto {
    attribute(name, |a| a.s = s.as_bytes().to_vec())
}

fn list(name: &str, ints: &[i64]) -> AttributeProto {
    attribute(name, |a| a.ints = ints.to_vec())
}

fn strings(name: &str, all: &[&str]) -> AttributeProto {
    let all: Vec<_> = all.iter().map(|s| s.as_bytes().to_vec()).collect();
    attribute(name, |a| a.strings.clone_from(&all))
}

/// A vector where it has a length, a number where it has none.
fn integers(name: &str, length: Option<i64>, numbers: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: length.into_iter().collect(),
        data_type: DataType::Int64.into(),
        int64_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

fn floats(name: &str, dims: &[usize], numbers: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|&n| n as i64).collect(),
        data_type: DataType::Float.into(),
        float_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

/// (?, ?, features)
fn unknown_sizes(name: &str, features: i64) -> ValueInfoProto {
    let dim = [None, None, Some(features)].map(|dim_value| DimensionProto { dim_value });
    let shape = proto::TensorShapeProto { dim: dim.to_vec() };
    let tensor_type = proto::TensorTypeProto { shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(proto::TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

/// What a recurrent node can have and the crate has no counterpart for; and what is said of a cell
/// that it is not.
#[test]
fn wrong_attributes() {
    for (folder, op_type, other) in [
        ("gru/", "GRU", attribute("clip", |a| a.f = 1.0)),
        (
            "gru/",
            "GRU",
            strings("activations", &["HardSigmoid", "Tanh"]),
        ),
        ("gru/", "GRU", strings("activations", &["Sigmoid", "Relu"])),
        ("gru/", "GRU", text("direction", "sideways")),
        ("gru/", "GRU", integer("input_forget", 0)),
        ("gru/", "GRU", integer("linear_before_reset", 2)),
        ("gru/", "GRU", integer("layout", 2)),
        ("relu/", "RNN", attribute("clip", |a| a.f = 1.0)),
        ("relu/", "RNN", strings("activations", &["Relu", "Relu"])),
        ("relu/", "RNN", strings("activations", &["Sigmoid"])),
        ("relu/", "RNN", attribute("activation_alpha", |a| a.f = 1.0)),
        ("relu/", "RNN", integer("linear_before_reset", 1)),
        ("", "LSTM", integer("input_forget", 1)),
        ("", "Gemm", attribute("alpha", |a| a.f = 0.5)),
        ("", "Gemm", integer("transA", 1)),
        ("state/", "Softmax", integer("axis", 0)),
        (
            "bidirectional/",
            "LSTM",
            strings("activations", &["Sigmoid", "Tanh", "Tanh"]),
        ),
        ("bidirectional/", "Reshape", integer("allowzero", 1)),
        ("bidirectional/", "MatMul", integer("other", 1)),
    ] {
        let reason = format!("the {op_type} has an unsupported `{}`", other.name);
        let change = |graph: &mut GraphProto| node(graph, op_type).attribute.push(other.clone());
        rejected_onnx(folder, change, &reason);
    }
    let relu = path("relu/network.onnx");
    let reason = "the file says itself what --relu says";
    rejected(&relu, &["--relu"], &format!("{}: {reason}", relu.display()));
}

#[test]
fn wrong_tensors() {
    rejected_onnx(
        "",
        |graph| graph.initializer.retain(|tensor| tensor.name != "R"),
        "`R` is neither in the file nor computed from the input",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "W").dims = vec![1, 6, 64],
        "W of the LSTM is for 64 inputs, not for 6",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "W").dims = vec![2, 32, 6],
        "`W` has shape [2, 32, 6], expected [1, 64, 6]",
    );
    rejected_onnx(
        "gru/",
        |graph| initializer(graph, "B").dims = vec![1, 2, 48],
        "`B` has shape [1, 2, 48], expected [1, 96]",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "B").data_type = DataType::Double.into(),
        "`B` is Double, expected Float",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "B").data_type = 99,
        "`B` is of data type 99, expected Float",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "head.bias").raw_data.truncate(15),
        "`head.bias` has shape [4] and 15 bytes",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "R").data_location = 1,
        "the numbers of `R` are in another file",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "R").dims = vec![-1, 64, 16],
        "`R` has shape [-1, 64, 16]",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "R").dims = vec![1 << 40; 3],
        "`R` has shape [1099511627776, 1099511627776, 1099511627776]",
    );
    rejected_onnx(
        "",
        |graph| initializer(graph, "R").dims = vec![0, 64, i64::MAX],
        "`R` has shape [0, 64, 9223372036854775807] and 4096 bytes",
    );
    rejected_onnx(
        "",
        |graph| graph.initializer.push(floats("more", &[1], &[0.0])),
        "not used: more",
    );
    // A second dense layer that another output has.
    rejected_onnx(
        "",
        |graph| {
            let mut gemm = node(graph, "Gemm").clone();
            gemm.input[1] = "other".to_owned();
            gemm.output[0] = "other_y".to_owned();
            graph.node.push(gemm);
            graph.output.push(unknown_sizes("other_y", 4));
            graph
                .initializer
                .push(floats("other", &[4, 16], &[0.0; 64]));
        },
        "not used: other",
    );
    rejected_onnx(
        "",
        |graph| node(graph, "LSTM").input.truncate(2),
        "not used: B, R",
    );
    rejected_onnx(
        "",
        |graph| {
            node(graph, "LSTM").input.truncate(2);
            graph.initializer.retain(|t| t.name != "R" && t.name != "B");
        },
        "the LSTM has no input R",
    );
    rejected_onnx(
        "",
        |graph| graph.input[0] = unknown_sizes("x", 7),
        "W of the LSTM is for 6 inputs, not for 7",
    );
}

#[test]
fn wrong_states() {
    rejected_onnx(
        "",
        |graph| {
            let lstm = node(graph, "LSTM");
            lstm.input.extend(["", "", "", "P"].map(str::to_owned));
            graph.initializer.push(floats("P", &[1, 48], &[0.1; 48]));
        },
        "the LSTM has peepholes (P), which are not supported",
    );
    let h0 = |numbers: [f32; 6], dims: [usize; 3]| {
        move |graph: &mut GraphProto| *initializer(graph, "h0") = floats("h0", &dims, &numbers)
    };
    let same = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3];
    assert!(read_changed("state/", h0(same, [1, 2, 3])).is_ok());
    rejected_onnx(
        "state/",
        h0([0.1, 0.2, 0.3, 0.1, 0.2, 0.4], [1, 2, 3]),
        "initial_h is not the same for all sequences",
    );
    rejected_onnx(
        "state/",
        h0(same, [1, 3, 2]),
        "initial_h has shape [1, 3, 2]",
    );
    rejected_onnx(
        "state/",
        h0(same, [2, 1, 3]),
        "initial_h has shape [2, 1, 3]",
    );
    rejected_onnx(
        "state/",
        |graph| *initializer(graph, "h0") = floats("h0", &[1, 0, 3], &[]),
        "initial_h has shape [1, 0, 3]",
    );
    rejected_onnx(
        "state/",
        |graph| {
            graph.initializer.retain(|tensor| tensor.name != "h0");
            graph.input.push(unknown_sizes("h0", 3));
        },
        "`h0` is neither in the file nor computed from the input",
    );
    let lengths = |lengths: [i64; 2]| {
        move |graph: &mut GraphProto| {
            node(graph, "GRU").input[4] = "lengths".to_owned();
            graph
                .initializer
                .push(integers("lengths", Some(2), &lengths));
        }
    };
    assert_eq!(
        read_changed("state/", lengths([4, 4])),
        Ok(from_onnx("state/"))
    );
    let reason = "sequence_lens of the GRU are not all steps";
    rejected_onnx("state/", lengths([4, 3]), reason);
    rejected_onnx(
        "state/",
        |graph| {
            lengths([4, 4])(graph);
            graph.input[0] = unknown_sizes("x", 2);
        },
        reason,
    );
}

#[test]
fn wrong_graphs() {
    rejected_onnx(
        "",
        |graph| node(graph, "Gemm").op_type = "Einsum".to_owned(),
        "the operator `Einsum` is not supported",
    );
    rejected_onnx(
        "",
        |graph| node(graph, "LSTM").domain = "com.example".to_owned(),
        "the operator `com.example.LSTM` is not supported",
    );
    rejected_onnx(
        "",
        |graph| {
            graph.node.truncate(2);
            graph.node.push(made("Tanh", &["last"], "y"));
            graph.initializer.retain(|t| !t.name.starts_with("head"));
        },
        "the operator `Tanh` is supported on a dense layer alone",
    );
    rejected_onnx(
        "",
        |graph| {
            graph.node.push(made("Add", &["y", "y"], "sum"));
            graph.output[0].name = "sum".to_owned();
        },
        "the operator `Add` is supported for biases alone",
    );
    rejected_onnx(
        "",
        |graph| {
            graph.initializer.push(floats("b", &[3], &[0.0; 3]));
            graph.node.push(made("Add", &["y", "b"], "sum"));
            graph.output[0].name = "sum".to_owned();
        },
        "the biases have shape [3], expected [4]",
    );
    // h_last of a direction that goes backward is after the first step.
    rejected_onnx(
        "",
        |graph| {
            node(graph, "LSTM")
                .attribute
                .push(text("direction", "reverse"))
        },
        "Y_h of a layer that runs backward is not supported",
    );
    rejected_onnx(
        "",
        |graph| {
            node(graph, "LSTM").output.push("c".to_owned());
            node(graph, "Squeeze").input[0] = "c".to_owned();
        },
        "Y_c, the last cell state, is not supported",
    );
    rejected_onnx(
        "cell/",
        |graph| {
            graph.initializer.push(integers("k", None, &[2]));
            graph.node.push(made("Gather", &["y", "k"], "one"));
            graph.output[0].name = "one".to_owned();
        },
        "the Gather is not of the last step",
    );
    for (start, end, axis) in [
        (2, i64::MAX, 0),
        (-2, -1, 0),
        (0, 1, 0),
        (1, 2, 2),
        (-1, i64::MAX, 1),
    ] {
        let name = |name: &str, n: i64| integers(name, Some(1), &[n]);
        rejected_onnx(
            "cell/",
            |graph| {
                let numbers = [name("start", start), name("end", end), name("axis", axis)];
                graph.initializer.extend(numbers);
                let inputs = ["y", "start", "end", "axis"];
                graph.node.push(made("Slice", &inputs, "some"));
                graph.output[0].name = "some".to_owned();
            },
            "the Slice is not of the last step",
        );
    }
    rejected_onnx(
        "cell/",
        |graph| initializer(graph, "one").raw_data = 2_i64.to_le_bytes().to_vec(),
        "the Squeeze is of a dimension that is not 1",
    );
    // The features of all sequences are not those of one.
    rejected_onnx(
        "cell/",
        |graph| {
            let add = graph.node.pop().unwrap();
            let mut mat_mul = graph.node.pop().unwrap();
            mat_mul.input[0] = "flat".to_owned();
            graph.initializer.push(integers("sizes", Some(2), &[4, 6]));
            graph.node.push(made("Reshape", &["h", "sizes"], "flat"));
            graph.node.extend([mat_mul, add]);
        },
        "the MatMul is not over the features of one step",
    );
    rejected_onnx(
        "cell/",
        |graph| {
            graph.initializer.push(floats("first", &[5, 2], &[0.0; 10]));
            graph
                .node
                .insert(0, made("MatMul", &["x", "first"], "from"));
            node(graph, "LSTM").input[0] = "from".to_owned();
        },
        "`first` has shape [5, 2], which does not fit the MatMul",
    );
    // Forward and backward of the first feature, then of the second.
    rejected_onnx(
        "bidirectional/",
        |graph| node(graph, "Transpose").attribute[0].ints = vec![0, 2, 3, 1],
        "X of the LSTM is not (steps, batch, features)",
    );
    rejected_onnx(
        "bidirectional/",
        |graph| {
            graph
                .initializer
                .push(integers("shape", Some(3), &[2, 1 << 40, 3]));
            graph
                .node
                .insert(0, made("ConstantOfShape", &["shape"], "zeros"));
            let lstm = node(graph, "LSTM");
            lstm.input.extend(["", "zeros", "zeros"].map(str::to_owned));
        },
        "a tensor of shape [1] cannot become [2, 1099511627776, 3]",
    );
    // Both directions, not turned: the features of one sequence are not beside each other.
    rejected_onnx(
        "bidirectional/",
        |graph| {
            node(graph, "Transpose").attribute[0].ints = vec![0, 1, 2, 3];
            initializer(graph, "together").raw_data = [4_i64, 2, 6].map(i64::to_le_bytes).concat();
        },
        "X of the LSTM is not (steps, batch, features)",
    );
    rejected_onnx(
        "bidirectional/",
        |graph| {
            initializer(graph, "together").raw_data = [5_i64, 2, -1].map(i64::to_le_bytes).concat();
        },
        "the Reshape mixes what is not in one dimension",
    );
    rejected_onnx(
        "two_rnns/",
        |graph| {
            let second = graph.node.iter_mut().filter(|node| node.op_type == "RNN");
            second.last().unwrap().attribute.push(integer("layout", 1));
        },
        "the RNN runs over the batch of another layer",
    );
    rejected_onnx(
        "",
        |graph| graph.node.retain(|node| node.op_type != "LSTM"),
        "not used: B, R, W",
    );
    rejected_model("a.onnx", &[], "no ONNX file: it has no graph");
    rejected_model(
        "a.onnx",
        &encoded(GraphProto::default()),
        "the graph has no input",
    );

    let whole = file("network.onnx");
    let model = folder("truncated").join("a.onnx");
    fs::write(&model, &whole[..whole.len() / 2]).unwrap();
    let (code, _, stderr) = run(&[&model]);
    let start = format!("{}: no whole ONNX file: ", model.display());
    assert!(stderr.starts_with(&start), "{stderr}");
    assert_eq!((code, stderr.lines().count()), (Some(1), 1));
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
        "the name ends in none of .safetensors, .onnx, .json and .nam",
    );

    let model = path("network.onnx");
    let outputs = folder("outputs").join("outputs.json");
    let name = outputs.to_str().unwrap();
    let rejected_outputs = |change: &dyn Fn(&mut serde_json::Value), reason: &str| {
        let mut value = serde_json::from_slice(&file("outputs.json")).unwrap();
        change(&mut value);
        fs::write(&outputs, value.to_string()).unwrap();
        rejected(
            &model,
            &["--outputs", name],
            &format!("{}: {reason}", model.display()),
        );
    };
    rejected_outputs(
        &|value| value["onnxruntime"][0] = 3.0.into(),
        "the outputs differ by 3.2e0 from those of onnxruntime",
    );
    rejected_outputs(
        &|value| drop(value["onnxruntime"].as_array_mut().unwrap().pop()),
        &format!("{name}: 7 numbers in y, expected 8"),
    );
    rejected_outputs(
        &|value| drop(value["x"].as_array_mut().unwrap().pop()),
        &format!("{name}: 143 numbers in x are no batch of 2, of 6 inputs"),
    );
    rejected_outputs(
        &|value| value["batch"] = 0.into(),
        &format!("{name}: 144 numbers in x are no batch of 0, of 6 inputs"),
    );
    rejected_outputs(
        &|value| value["batch"] = u64::MAX.into(),
        &format!(
            "{name}: 144 numbers in x are no batch of {}, of 6 inputs",
            u64::MAX
        ),
    );
}

// -------------------------------------------------------------------------------------------------
// Nothing that a file may be is a panic
// -------------------------------------------------------------------------------------------------

/// What is read computes.
fn runs(network: &Network) {
    let y: Vec<f64> = plain::run(network, &vec![0.5; 2 * 3 * network.inputs()], 2);
    assert_eq!(y.len(), 2 * 3 * network.outputs());
}

/// Cut anywhere, a file is rejected. (What follows the graph in an ONNX file has no weights.)
#[test]
fn truncated_anywhere() {
    for sample in SAMPLES {
        if sample.options.is_some() {
            let whole = file(&format!("{}network.safetensors", sample.folder));
            for n in 0..whole.len() {
                assert!(from_safetensors::read(&whole[..n], false).is_err(), "{n}");
            }
        }
        let whole = file(&format!("{}network.onnx", sample.folder));
        let network = from_onnx(sample.folder);
        for n in 0..whole.len() {
            if let Ok((found, _)) = from_onnx::read(&whole[..n], None) {
                assert!(n >= whole.len() - 16 && found == network, "{n}");
            }
        }
    }
}

/// Of bytes that are not weights most changes are errors.
#[test]
fn changed_bytes() {
    let mut random = Random::new(3);
    let mut read = [0; 2];
    for sample in SAMPLES {
        for (format, name) in ["network.onnx", "network.safetensors"].iter().enumerate() {
            if format == 1 && sample.options.is_none() {
                continue;
            }
            let whole = file(&format!("{}{name}", sample.folder));
            for _ in 0..3000 {
                let mut bytes = whole.clone();
                for _ in 0..=random.index(4) {
                    let at = random.index(bytes.len());
                    bytes[at] = match random.index(4) {
                        0 => 0,
                        1 => 255,
                        2 => bytes[at] ^ (1 << random.index(8)),
                        _ => random.index(256) as u8,
                    };
                }
                let network = match format {
                    0 => from_onnx::read(&bytes, None).map(|(network, _)| network),
                    _ => from_safetensors::read(&bytes, false),
                };
                if let Ok(network) = network {
                    runs(&network);
                    read[format] += 1;
                }
            }
        }
    }
    assert!(read.iter().all(|&n| n > 1000), "{read:?}");
}

/// Each number of a graph becomes each of these.
#[test]
fn absurd_numbers() {
    let absurd = [
        0,
        1,
        -1,
        2,
        3,
        -7,
        64,
        1 << 20,
        1 << 40,
        1 << 62,
        i64::MAX,
        i64::MIN,
    ];
    for sample in SAMPLES {
        // Whether a graph has a number of this number, which is then changed.
        let change = |graph: &mut GraphProto, place: usize, to: i64| {
            let mut numbers: Vec<&mut i64> = Vec::new();
            let dims = |info: &'_ mut ValueInfoProto| {
                let shape = info.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
                shape
                    .shape
                    .as_mut()
                    .unwrap()
                    .dim
                    .iter_mut()
                    .for_each(|dim| {
                        dim.dim_value.get_or_insert(0);
                    });
            };
            graph.input.iter_mut().for_each(dims);
            for tensor in &mut graph.initializer {
                if tensor.data_type == DataType::Int64 as i32 && !tensor.raw_data.is_empty() {
                    let bytes = std::mem::take(&mut tensor.raw_data);
                    let numbers = bytes.chunks_exact(8);
                    tensor.int64_data = numbers
                        .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
                        .collect();
                }
                numbers.extend(&mut tensor.dims);
                numbers.extend(&mut tensor.int64_data);
            }
            for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
                numbers.push(&mut attribute.i);
                numbers.extend(&mut attribute.ints);
            }
            for info in &mut graph.input {
                let shape = info.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
                let dim = &mut shape.shape.as_mut().unwrap().dim;
                numbers.extend(dim.iter_mut().filter_map(|dim| dim.dim_value.as_mut()));
            }
            numbers.get_mut(place).map(|number| **number = to).is_some()
        };
        let mut graph = onnx(sample.folder);
        if sample.folder == "bidirectional/" {
            // States as exporters write them.
            for (name, numbers) in [("shape", &[4_i64, 2, 3][..]), ("from", &[0]), ("to", &[2])] {
                let length = Some(numbers.len() as i64);
                graph.initializer.push(integers(name, length, numbers));
            }
            graph
                .initializer
                .push(integers("wide", Some(3), &[2, 2, 3]));
            let zeros = [
                made("ConstantOfShape", &["shape"], "zeros"),
                made("Slice", &["zeros", "from", "to", "from"], "first"),
                made("Expand", &["first", "wide"], "state"),
            ];
            graph.node.splice(0..0, zeros);
            let lstm = node(&mut graph, "LSTM");
            lstm.input.extend(["", "state", "state"].map(str::to_owned));
            assert!(from_onnx::read(&encoded(graph.clone()), None).is_ok());
        }
        let mut place = 0;
        while change(&mut graph.clone(), place, 0) {
            for to in absurd {
                let mut graph = graph.clone();
                change(&mut graph, place, to);
                if let Ok((network, _)) = from_onnx::read(&encoded(graph), None) {
                    runs(&network);
                }
            }
            place += 1;
        }
        assert!(place > 15, "{}: {place}", sample.folder);
    }
}

fn zeros(tensors: &mut Tensors, name: &str, shape: &[usize]) {
    let numbers = vec![0.0; shape.iter().product()];
    let shape = shape.to_vec();
    tensors.0.insert(name.to_owned(), Tensor { shape, numbers });
}
