//! The readers of JSON and `.nam` of the example `import`: what `make_json.py` made is computed as
//! its float64 equations compute it, and what is wrong is said in one line.

#[path = "common/example.rs"]
mod example;
#[path = "../examples/import/plain.rs"]
mod plain;
#[path = "common/random.rs"]
mod random;
#[allow(dead_code)] // Not all of it is needed here.
#[path = "../examples/import/read/mod.rs"]
mod read;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use example::{example, folder, place};
use random::Random;
use read::network::{Kind, Layer, Model, Network};
use read::{from_json, from_nam};

const SAMPLES: [(&str, &str); 7] = [
    ("keras_lstm.json", "LSTM (1, 8), dense (8, 1)"),
    (
        "keras_gru.json",
        "GRU (2, 6), dense (tanh) (6, 4), dense (sigmoid) (4, 3)",
    ),
    (
        "torch_gru.json",
        "GRU (1, 5), GRU (5, 4), GRU (4, 4), dense (4, 1)",
    ),
    ("aida.json", "LSTM (1, 4), dense (4, 1)"),
    ("guitarml.json", "LSTM (1, 8), dense (8, 1)"),
    ("one_layer.nam", "LSTM (1, 3), dense (3, 1)"),
    ("two_layers.nam", "LSTM (1, 3), LSTM (3, 3), dense (3, 1)"),
];

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import/files/json");
    folder.join(name)
}

fn sample(name: &str) -> Value {
    serde_json::from_slice(&fs::read(path(name)).unwrap()).unwrap()
}

fn read_bytes(name: &str, bytes: &[u8], relu: bool) -> Result<Model, String> {
    match name.ends_with(".nam") {
        true => from_nam::read(bytes).map(|network| (network, None)),
        false => from_json::read(bytes, relu),
    }
}

fn read_value(name: &str, file: &Value) -> Result<Model, String> {
    read_bytes(name, file.to_string().as_bytes(), false)
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

/// The input that belongs to a sample, and the output of the equations.
fn outputs(name: &str) -> (Vec<f32>, Vec<f64>) {
    let outputs = sample(&format!("{}.outputs.json", name.split_once('.').unwrap().0));
    let x = numbers(&outputs["x"]).into_iter().map(|x| x as f32);
    (x.collect(), numbers(&outputs["float64"]))
}

fn apart(a: impl IntoIterator<Item = f64>, b: &[f64]) -> f64 {
    let a: Vec<f64> = a.into_iter().collect();
    assert_eq!(a.len(), b.len());
    plain::greatest_difference(&a, b)
}

#[test]
fn every_sample_is_computed_as_its_equations_say() {
    for (name, shape) in SAMPLES {
        let (network, samples) = read::read(&path(name), false).unwrap();
        assert_eq!(network.to_string(), shape, "{name}");
        assert_eq!(samples, None, "{name}");
        let (x, y) = outputs(name);
        let exact: Vec<f64> = plain::run(&network, &x, 1);
        let error = apart(exact, &y);
        assert!(error < 2e-15, "{name}: {error:e}");
        let rounded: Vec<f32> = plain::run(&network, &x, 1);
        let error = apart(rounded.into_iter().map(f64::from), &y);
        assert!(error < 1e-6, "{name}: {error:e}");
    }
}

#[test]
fn what_stands_beside_the_layers_is_read() {
    let beside = |name: &str| {
        let network = read::read(&path(name), false).unwrap().0;
        (network.skip, network.gain, network.sample_rate)
    };
    let gain = [10_f64.powf(-0.15) as f32, 10_f64.powf(0.225) as f32];
    assert_eq!(beside("aida.json"), (true, gain, Some(44100.0)));
    assert_eq!(beside("guitarml.json"), (true, [1.0; 2], None));
    assert_eq!(beside("keras_lstm.json"), (false, [1.0; 2], None));
    assert_eq!(beside("one_layer.nam"), (false, [1.0; 2], Some(48000.0)));

    // .nam has -1 where the rate is not known; -90 dB are silence.
    let with = |name: &str, key: &str, value: Value| {
        let mut file = sample(name);
        file[key] = value;
        read_value(name, &file).unwrap().0
    };
    assert_eq!(
        with("one_layer.nam", "sample_rate", json!(-1.0)).sample_rate,
        None
    );
    let rate = with("keras_lstm.json", "samplerate", json!(96000)).sample_rate;
    assert_eq!(rate, Some(96000.0));
    assert_eq!(
        with("aida.json", "out_gain", json!(-90)).gain,
        [gain[0], 0.0]
    );
    assert_eq!(
        with("aida.json", "in_gain", Value::Null).gain,
        [1.0, gain[1]]
    );
}

#[test]
fn the_batches_of_aida_x_are_samples() {
    let name = "keras_lstm.json";
    let (mut file, (x, y)) = (sample(name), outputs(name));
    file["input_batch"] = json!(x);
    file["output_batch"] = json!(y);
    let (network, samples) = read_value(name, &file).unwrap();
    let samples = samples.unwrap();
    assert_eq!((&samples.x, &samples.y, samples.batch), (&x, &y, 1));
    let exact: Vec<f64> = plain::run(&network, &samples.x, 1);
    assert!(apart(exact, &samples.y) < 2e-15);

    file["output_batch"] = json!(y[1..]);
    let error = read_value(name, &file).unwrap_err();
    assert_eq!(error, "39 numbers in y, expected 40");
    file["output_batch"] = json!(y);

    // They were computed without the gains.
    file["out_gain"] = json!(3);
    assert_eq!(read_value(name, &file).unwrap().1, None);
}

/// Runs the example: exit code, standard output, standard error.
fn run(arguments: &[&Path]) -> (Option<i32>, String, String) {
    // What is written is for import_write.rs.
    let out = place("out");
    example::run(example("import").arg("--out").arg(out).args(arguments))
}

#[test]
fn the_program_compares_the_outputs() {
    for (name, shape) in SAMPLES {
        let outputs = path(&format!("{}.outputs.json", name.split_once('.').unwrap().0));
        let (code, stdout, stderr) = run(&[&path(name), Path::new("--outputs"), &outputs]);
        assert_eq!((code, &*stderr), (Some(0), ""), "{stdout}");
        assert!(stdout.contains(shape), "{stdout}");
        let said = "greatest difference from float64: ";
        assert!(stdout.contains(said), "{stdout}");
    }
}

/// A loud amp is further from the exact numbers in f32: so may the outputs in its file be.
#[test]
fn outputs_in_the_file_may_be_as_far_off_as_f32() {
    let name = "keras_lstm.json";
    let mut file = sample(name);
    for weight in file["layers"][1]["weights"][0].as_array_mut().unwrap() {
        weight[0] = json!(1000.0 * weight[0].as_f64().unwrap());
    }
    let network = read_value(name, &file).unwrap().0;
    let x = outputs(name).0;
    let exact: Vec<f64> = plain::run(&network, &x, 1);
    let rounded: Vec<f32> = plain::run(&network, &x, 1);
    let error = apart(rounded.iter().copied().map(f64::from), &exact);
    assert!(error > 1e-5, "{error:e}");

    let file_name = folder("loud").join("loud.json");
    file["input_batch"] = json!(x);
    for (errors, expected) in [(-0.9, Some(0)), (3.5, Some(1))] {
        let y: Vec<f64> = exact.iter().map(|y| y + errors * error).collect();
        file["output_batch"] = json!(y);
        fs::write(&file_name, file.to_string()).unwrap();
        let (code, stdout, stderr) = run(&[&file_name]);
        assert_eq!(code, expected, "{stdout}{stderr}");
    }
}

/// The sample with one unit type that `make_json.py` does not write: the first gate alone.
#[test]
fn an_rnn_of_guitarml_has_tanh_or_relu() {
    let mut file = sample("guitarml.json");
    file["model_data"]["unit_type"] = json!("RNN");
    for (name, tensor) in file["state_dict"].as_object_mut().unwrap() {
        if name.starts_with("rec.") {
            tensor.as_array_mut().unwrap().truncate(8);
        }
    }
    let bytes = file.to_string().into_bytes();
    for (relu, kind) in [(false, Kind::RnnTanh), (true, Kind::RnnRelu)] {
        let network = from_json::read(&bytes, relu).unwrap().0;
        let [Layer::Forward(cell), Layer::Dense(_)] = &network.layers[..] else {
            panic!("{network}");
        };
        assert_eq!(cell.kind, kind);
    }
}

/// The sample, the place of a value (JSON Pointer), what stands there instead, what is said.
#[rustfmt::skip]
fn wrong() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let (lstm, gru, torch) = ("keras_lstm.json", "keras_gru.json", "torch_gru.json");
    let (aida, guitarml, nam) = ("aida.json", "guitarml.json", "one_layer.nam");
    vec![
        (lstm, "", json!([1]), "the file is a list, not an object"),
        (lstm, "/in_shape", json!([null, null]), "\"in_shape\" does not end with a size"),
        (lstm, "/in_shape/2", json!(2), "layer 1: \"lstm\": the kernel has shape [1, 32], expected [2, 32]"),
        (lstm, "/layers", json!([]), "there is no recurrent layer"),
        (lstm, "/layers", json!({}), "\"layers\" is an object, expected a list"),
        (lstm, "/layers/0", json!(1), "layer 1: a number, expected an object"),
        (lstm, "/layers/0/type", json!("conv1d"), "layer 1: \"conv1d\": not supported, lstm, gru and dense are"),
        (lstm, "/layers/0/type", json!("batchnorm"), "layer 1: \"batchnorm\": not supported, lstm, gru and dense are"),
        (lstm, "/layers/1/type", json!("prelu"), "layer 2: \"prelu\": not supported, lstm, gru and dense are"),
        (lstm, "/layers/1/type", json!("activation"), "layer 2: \"activation\": not supported, lstm, gru and dense are"),
        (lstm, "/layers/1/type", json!("a\nb"), "layer 2: \"a\\nb\": not supported, lstm, gru and dense are"),
        (lstm, "/layers/0/activation", json!("relu"), "layer 1: \"lstm\": the activation (ReLU) is not supported"),
        (lstm, "/layers/0/activation", json!("hard_sigmoid"), "layer 1: \"lstm\": the activation \"hard_sigmoid\" is not supported"),
        (lstm, "/layers/1/activation", json!("elu"), "layer 2: \"dense\": the activation \"elu\" is not supported"),
        (lstm, "/layers/1/activation", json!(1), "layer 2: \"dense\": \"activation\" is no text"),
        (lstm, "/layers/0/shape/2", json!(9), "layer 1: \"lstm\": \"shape\" ends with 9, the weights with 8"),
        (lstm, "/layers/0/weights/1/3", json!([1, 2]), "layer 1: \"lstm\": the recurrent kernel: a list of 2 beside a list of 32"),
        (lstm, "/layers/0/weights/1/3", json!(1), "layer 1: \"lstm\": the recurrent kernel: a number beside a list"),
        (lstm, "/layers/0/weights/1/3/5", json!("1"), "layer 1: \"lstm\": the recurrent kernel: a text where a number is expected"),
        (lstm, "/layers/0/weights/2/0", json!(null), "layer 1: \"lstm\": the bias: null where a number is expected"),
        (lstm, "/layers/0/weights/2/0", json!(1e39), "layer 1: \"lstm\": the bias: 1e39 is too large for f32"),
        (lstm, "/layers/0/weights/2", json!([0, 0]), "layer 1: \"lstm\": the bias has shape [2], expected [32]"),
        (lstm, "/layers/0/weights/1", json!([]), "layer 1: \"lstm\": the recurrent kernel has shape [0], expected [0, 0]"),
        (lstm, "/layers/0/weights", json!([[[1]]]), "layer 1: \"lstm\": there is no recurrent kernel"),
        (lstm, "/layers/1/weights", json!([[[1]], [1], [1]]), "layer 2: \"dense\": 3 weights, expected a kernel and a bias"),
        (gru, "/layers/0/weights/2", json!([0, 0]), "layer 1: \"gru\": the bias has shape [2], expected [2, 18]"),
        (aida, "/in_skip", json!(2), "\"in_skip\" must be 0 or 1"),
        (gru, "/in_skip", json!(1), "\"in_skip\" is for a network with one input and one output"),
        (aida, "/in_gain", json!("loud"), "\"in_gain\" is no number of decibels"),
        (aida, "/out_gain", json!(1000), "\"out_gain\" is 1000 dB"),
        (aida, "/metadata/samplerate", json!("fast"), "\"samplerate\" is no sample rate"),
        (aida, "/metadata", json!(1), "\"metadata\" is a number, expected an object"),
        (aida, "/clip", json!(true), "\"clip\" is not known"),
        (aida, "/layers/0/recurrent_dropout", json!(1), "layer 1: \"lstm\": \"recurrent_dropout\" is not known"),
        (aida, "/layers/0/recurrent_activation", json!("hard_sigmoid"), "layer 1: \"lstm\": \"recurrent_activation\" is not known"),
        (lstm, "/output_batch", json!([0, 0]), "there is no \"input_batch\""),
        (lstm, "/input_batch", json!({}), "\"input_batch\" is an object, expected a list"),
        (lstm, "/input_batch", json!([0, 1e39]), "\"input_batch\" is no list of numbers"),
        (torch, "/gru.weight_ih_l0/1", json!([1, 2]), "`gru.weight_ih_l0`: a list of 2 beside a list of 1"),
        (torch, "/gru.weight_ih_l0", json!("x"), "`gru.weight_ih_l0` is a text, not a list"),
        (torch, "/epoch", json!(5), "`epoch` is a number, not a list"),
        (torch, "/a\nb", json!([5]), "\"a\\nb\" is no name of a tensor"),
        (torch, "/architecture", json!("LSTM"), "what has an \"architecture\" is a .nam, and must be named so"),
        (guitarml, "/model_data", json!(null), "there is no \"model_data\""),
        (guitarml, "/model_data/model", json!("GatedConvNet"), "the model \"GatedConvNet\" is not supported, SimpleRNN is"),
        (guitarml, "/model_data/skip", json!(2), "\"skip\" must be 0 or 1"),
        (guitarml, "/model_data/unit_type", json!("MGU"), "the \"unit_type\" \"MGU\" is not supported"),
        (guitarml, "/model_data/unit_type", json!("GRU"), "\"unit_type\" says GRU, \"state_dict\" has LSTM (1, 8), dense (8, 1)"),
        (guitarml, "/model_data/hidden_size", json!(7), "\"hidden_size\" is 7, \"state_dict\" has 8"),
        (guitarml, "/model_data/num_layers", json!(2), "\"num_layers\" is 2, \"state_dict\" has 1"),
        (guitarml, "/model_data/input_size", json!(2), "\"input_size\" is 2, \"state_dict\" has 1"),
        (guitarml, "/model_data/output_size", json!(0), "\"output_size\" is no size: a whole number from 1 on"),
        (guitarml, "/model_data/bias_fl", json!(false), "\"bias_fl\" is false, `lin.bias` says true"),
        (guitarml, "/model_data/bidirectional", json!(true), "\"bidirectional\" is not known"),
        (guitarml, "/state_dict/clip.a", json!([1]), "not used: clip.a"),
        (nam, "/architecture", json!("WaveNet"), "the architecture \"WaveNet\" is not supported, LSTM is"),
        (nam, "/architecture", json!("ConvNet"), "the architecture \"ConvNet\" is not supported, LSTM is"),
        (nam, "/architecture", json!("Linear"), "the architecture \"Linear\" is not supported, LSTM is"),
        (nam, "/config/hidden_size", json!(4), "70 weights, expected 109 for LSTM (1, 4), dense (4, 1)"),
        (nam, "/config/num_layers", json!(2), "70 weights, expected 160 for 2 layers of LSTM (1, 3), dense (3, 1)"),
        (nam, "/config/num_layers", json!(0), "\"num_layers\" is no size: a whole number from 1 on"),
        (nam, "/config/input_size", json!(2), "1 input channels, \"input_size\" is 2"),
        (nam, "/config/gain", json!(2), "\"gain\" is not known"),
        (nam, "/config/activation", json!("relu"), "\"activation\" is not known"),
        (nam, "/weights/5", json!([1]), "\"weights\": a list where a number is expected"),
        (nam, "/weights", json!([[1]]), "\"weights\" has shape [1, 1], expected one list"),
        (nam, "/sample_rate", json!([]), "\"sample_rate\" is no sample rate"),
    ]
}

/// Puts a value to a place that need not be there yet.
fn put(file: &mut Value, place: &str, value: Value) {
    if let Some(found) = file.pointer_mut(place) {
        *found = value;
        return;
    }
    let (object, key) = place.rsplit_once('/').unwrap();
    file.pointer_mut(object).unwrap()[key] = value;
}

#[test]
fn what_is_wrong_is_said() {
    for (name, place, value, said) in wrong() {
        let mut file = sample(name);
        put(&mut file, place, value.clone());
        let error = read_value(name, &file).expect_err(said);
        assert_eq!(error, said, "{name} with {value} at {place}");
    }
    let bytes = fs::read(path("keras_lstm.json")).unwrap();
    let error = from_json::read(&bytes, true).unwrap_err();
    assert_eq!(error, "the file says itself what --relu says");
    let error = from_json::read(b"{\"a\": NaN}", false).unwrap_err();
    assert_eq!(error, "no whole JSON: expected value at line 1 column 7");
    let deep = "[".repeat(1_000_000);
    let error = from_json::read(deep.as_bytes(), false).unwrap_err();
    assert_eq!(
        error,
        "no whole JSON: recursion limit exceeded at line 1 column 128"
    );
}

/// Reads it: there is a network that can be computed, or one line.
fn try_to_read(name: &str, bytes: &[u8]) -> Result<Network, String> {
    let network = read_bytes(name, bytes, false).map(|(network, _)| network);
    match &network {
        Ok(network) => {
            let x = vec![0.5; 3 * network.inputs()];
            let y: Vec<f32> = plain::run(network, &x, 1);
            assert_eq!(y.len(), 3 * network.outputs());
        }
        Err(error) => assert!(!error.is_empty() && !error.contains('\n'), "{error:?}"),
    }
    network
}

#[test]
fn a_file_that_ends_early_is_an_error() {
    for (name, _) in SAMPLES {
        let bytes = fs::read(path(name)).unwrap();
        let whole = bytes.trim_ascii_end();
        for len in 0..whole.len() {
            try_to_read(name, &whole[..len]).unwrap_err();
        }
        try_to_read(name, whole).unwrap();
    }
}

#[test]
fn no_byte_that_is_wrong_panics() {
    let random = &mut Random::new(1);
    for (name, _) in SAMPLES {
        let bytes = fs::read(path(name)).unwrap();
        let mut errors = 0;
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            let at = random.index(bytes.len());
            bytes[at] = random.index(256) as u8;
            errors += usize::from(try_to_read(name, &bytes).is_err());
        }
        assert!(errors > 100, "{name}: {errors}");
    }
}

/// Calls `f` with each value of the file.
fn each(value: &Value, place: &mut String, f: &mut impl FnMut(&str)) {
    f(place);
    let len = place.len();
    let mut inner = |key: &str, value: &Value| {
        place.push('/');
        place.push_str(key);
        each(value, place, f);
        place.truncate(len);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| inner(key, value)),
        // One list of numbers is like the next.
        Value::Array(list) => list
            .iter()
            .enumerate()
            .filter(|(n, _)| *n < 2 || n + 1 == list.len())
            .for_each(|(n, value)| inner(&n.to_string(), value)),
        _ => {}
    }
}

#[test]
fn no_value_that_is_wrong_panics() {
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(2),
        json!(0.5),
        json!(u64::MAX),
        json!(u64::MAX / 4),
        json!(i64::MIN),
        json!(1e308),
        json!(""),
        json!("\n"),
        json!([]),
        json!([[]]),
        json!([[], []]),
        json!([[[1.0]]]),
        json!({}),
    ];
    for (name, _) in SAMPLES {
        let file = sample(name);
        let mut errors = 0;
        each(&file, &mut String::new(), &mut |place| {
            for value in &values {
                let mut file = file.clone();
                *file.pointer_mut(place).unwrap() = value.clone();
                let read = try_to_read(name, file.to_string().as_bytes());
                errors += usize::from(read.is_err());
            }
        });
        assert!(errors > 100, "{name}: {errors}");
    }
}
