//! What must not compile, and why: each case is a program of its own, and the compiler must say the
//! sentence that belongs to it. A `compile_fail` in the documentation cannot tell one error from another.
//!
//! The programs are built, not only checked: the compiler evaluates an assertion about a dimension
//! where it makes code of the function that it stands in.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const EMPTY: &str = "a matrix has at least one row and one column";

/// Name, what `main` does, and the sentence; none for a program that compiles.
type Case<'a> = (&'a str, &'a str, Option<&'a str>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("control", "Matrix::<1, 1>::from_flat(&[0.0]).unwrap().as_flat();", None),
    // Each dimension of each type.
    ("matrix_rows", "let _ = Matrix::<0, 1>::from_flat(&[0.0]);", Some(EMPTY)),
    ("matrix_columns", "let _ = Matrix::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("affine_inputs", "let _ = Affine::<0, 1>::from_flat(&[0.0; 2]);", Some(EMPTY)),
    ("affine_units", "let _ = Affine::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("lstm_params_inputs", "let _ = lstm::Params::<0, 1>::from_flat(&[0.0; 8]);", Some(EMPTY)),
    ("lstm_params_units", "let _ = lstm::Params::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("state_units", "let _ = lstm::State::<0, 1>::from_flat(&[0.0]);", Some(EMPTY)),
    ("state_samples", "let _ = lstm::State::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("cache_units", "let _ = lstm::Cache::<0, 1>::from_flat(&[0.0]);", Some(EMPTY)),
    ("cache_samples", "let _ = lstm::Cache::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("dense_inputs", "let _ = dense::Params::<0, 1>::from_flat(&[0.0]);", Some(EMPTY)),
    ("dense_outputs", "let _ = dense::Params::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    // Each view.
    ("from_flat_mut", "let _ = Matrix::<0, 1>::from_flat_mut(&mut [0.0]);", Some(EMPTY)),
    ("slice_from_flat", "let _ = Matrix::<0, 1>::slice_from_flat(&[0.0]);", Some(EMPTY)),
    ("slice_from_flat_mut", "let _ = Matrix::<0, 1>::slice_from_flat_mut(&mut [0.0]);", Some(EMPTY)),
    ("as_flat", "let _: fn(&Matrix<0, 1>) -> &[f32] = Matrix::as_flat;", Some(EMPTY)),
    ("as_flat_mut", "let _: fn(&mut Matrix<0, 1>) -> &mut [f32] = Matrix::as_flat_mut;", Some(EMPTY)),
    ("slice_as_flat", "Matrix::<0, 1>::slice_as_flat(&[]);", Some(EMPTY)),
    ("slice_as_flat_mut", "Matrix::<0, 1>::slice_as_flat_mut(&mut []);", Some(EMPTY)),
    // Each constructor.
    ("zeros", "let _: Matrix<0, 1> = Matrix::zeros();", Some(EMPTY)),
    ("from_rows", "let _: Matrix<1, 0> = Matrix::from_rows([[]]);", Some(EMPTY)),
    ("from_columns", "let _: Matrix<0, 1> = Matrix::from_columns([[]]);", Some(EMPTY)),
    ("from_le_bytes", "let _ = Matrix::<0, 3, f32>::from_le_bytes(&[]);", Some(EMPTY)),
    ("affine_from_le_bytes", "let _ = Affine::<0, 1, f32>::from_le_bytes(&[0; 8]);", Some(EMPTY)),
    ("dense_from_le_bytes", "let _ = dense::Params::<0, 1, f32>::from_le_bytes(&[0; 4]);", Some(EMPTY)),
    // No samples.
    ("step", "let _: fn(&lstm::Params<1, 1>, &Matrix<1, 0>, &lstm::State<1, 0>, &mut lstm::State<1, 0>) = lstm::step;", Some(EMPTY)),
    ("lstm_forward", "let _ = lstm::forward::<1, 1, 0, f32> as *const ();", Some(EMPTY)),
    ("lstm_backward", "let _ = lstm::backward::<1, 1, 0, f32> as *const ();", Some(EMPTY)),
    ("rnn_forward", "let _ = rnn::forward::<1, 1, 0, f32> as *const ();", Some(EMPTY)),
    ("rnn_backward", "let _ = rnn::backward::<1, 1, 0, f32> as *const ();", Some(EMPTY)),
    ("dense_sequence_forward", "let _ = dense::sequence_forward::<4, 2, 0, f32>(&dense::Params::zeros(), &[], &mut []);", Some(EMPTY)),
    ("dense_sequence_backward", "let _ = dense::sequence_backward::<4, 2, 0, f32> as *const ();", Some(EMPTY)),
    ("softmax", "let _: fn(&mut Matrix<2, 0>) = dense::softmax;", Some(EMPTY)),
    ("softmax_backward", "let _: fn(&Matrix<2, 0>, &mut Matrix<2, 0>) = dense::softmax_backward;", Some(EMPTY)),
    ("cross_entropy", "let _ = loss::softmax_cross_entropy::<2, 0, f32> as *const ();", Some(EMPTY)),
    ("cross_entropy_classes", "let _ = loss::softmax_cross_entropy_classes::<2, 0, f32> as *const ();", Some(EMPTY)),
    ("squared_error", "let _ = loss::squared_error::<2, 0, f32> as *const ();", Some(EMPTY)),
    // Nothing internal can be reached, and a user's trait may have any name.
    ("core", "fn f<T: Real>(x: &mut [T]) { T::Core::exp(x) }", Some("not found")),
    ("core_qualified", "fn f<T: Real>(x: &mut [T]) { <T as bptt::real::sealed::Sealed>::Core::exp(x) }", Some("private")),
    ("dimensions", "fn f<F: Flat>() -> bool { F::Dimensions::NOT_EMPTY }", Some("not found")),
    ("layout", "fn f<F: Flat>() { F::LAYOUT }", Some("not found")),
    ("own_trait", "trait Mine: Sized { fn write_le(&self) {} fn add_four(&self) {} fn exp_all(&self) {} } impl<T: Real> Mine for T {}
    fn f<T: Real>(x: T) { x.write_le(); x.add_four(); x.exp_all(); } f(1.0);", None),
];

/// Builds all cases and returns what the compiler says of each.
fn compile(cases: &[Case]) -> BTreeMap<String, Vec<String>> {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    let programs = package.join("src/bin");
    let _ = fs::remove_dir_all(&programs);
    fs::create_dir_all(&programs).unwrap();
    let manifest = format!(
        "[package]\nname = \"cases\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nbptt = {{ path = {crate_directory:?} }}\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(
        crate_directory.join("Cargo.lock"),
        package.join("Cargo.lock"),
    )
    .unwrap();
    for (name, body, _) in cases {
        let source = format!(
            "#![allow(unused_imports)]\nuse bptt::{{Affine, Flat, Matrix, Real, dense, loss, lstm, rnn}};\nfn main() {{\n    {body}\n}}\n"
        );
        fs::write(programs.join(name).with_extension("rs"), source).unwrap();
    }

    let output = Command::new(env::var_os("CARGO").unwrap())
        .args([
            "build",
            "--offline",
            "--keep-going",
            "--bins",
            "--message-format=json",
        ])
        .env("CARGO_TARGET_DIR", package.join("target"))
        .current_dir(&package)
        .output()
        .unwrap();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let program = text(&message["target"]["name"]);
        match message["reason"].as_str() {
            Some("compiler-artifact") => drop(said.entry(program).or_default()),
            Some("compiler-message") if message["message"]["level"] == "error" => {
                said.entry(program)
                    .or_default()
                    .push(text(&message["message"]["rendered"]));
            }
            _ => {}
        }
    }
    assert!(
        said.contains_key("bptt"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn each_for_its_own_reason() {
    let said = compile(CASES);
    for (name, body, sentence) in CASES {
        let errors = &said[*name];
        match sentence {
            None => assert!(errors.is_empty(), "{name}, {body}: {errors:#?}"),
            Some(sentence) => assert!(
                errors.iter().any(|error| error.contains(sentence)),
                "{name}, {body}, does not fail with \"{sentence}\": {errors:#?}"
            ),
        }
    }
}
