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

/// A program that has gone forward, and goes on with this.
macro_rules! with_tape {
    ($program:literal) => {
        concat!(
            "let (mut cell, mut x, mut init) = (lstm::Params::<1, 1>::zeros(), [Vector::zeros()], lstm::State::zeros());\n",
            "let (mut a, mut caches) = ([Vector::zeros()], [lstm::Cache::zeros()]);\n",
            "let mut da = [Vector::<1>::zeros()]; let mut grads = lstm::Params::zeros();\n",
            "let (mut dlast, mut dstate) = (lstm::State::<1, 1>::zeros(), lstm::State::<1, 1>::zeros());\n",
            "let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();\n",
            $program
        )
    };
}

/// The same of a GRU.
macro_rules! with_gru {
    ($program:literal) => {
        concat!(
            "let (cell, x, init) = (gru::ResetAfter::<1, 1>::zeros(), [Vector::zeros()], Vector::zeros());\n",
            "let (mut a, mut caches, da) = ([Vector::zeros()], [gru::Cache::zeros()], [Vector::zeros()]);\n",
            "let (mut grads, mut dstate) = (gru::ResetAfter::zeros(), Vector::zeros());\n",
            "let tape = cell.forward(&x, &init, &mut a, &mut caches).unwrap();\n",
            $program
        )
    };
}

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
    ("gru_after_inputs", "let _ = gru::ResetAfter::<0, 1>::from_flat(&[0.0; 7]);", Some(EMPTY)),
    ("gru_after_units", "let _ = gru::ResetAfter::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("gru_before_inputs", "let _ = gru::ResetBefore::<0, 1>::from_flat(&[0.0; 6]);", Some(EMPTY)),
    ("gru_before_units", "let _ = gru::ResetBefore::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("gru_cache_units", "let _ = gru::Cache::<0, 1>::from_flat(&[0.0]);", Some(EMPTY)),
    ("gru_cache_samples", "let _ = gru::Cache::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
    ("relu_inputs", "let _ = rnn::Relu::<0, 1>::from_flat(&[0.0; 2]);", Some(EMPTY)),
    ("relu_units", "let _ = rnn::Relu::<1, 0>::from_flat(&[0.0]);", Some(EMPTY)),
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
    ("step", "let _ = <lstm::Params<1, 1> as Cell<1, 1>>::step::<0> as *const ();", Some(EMPTY)),
    ("lstm_forward", "let _ = <lstm::Params<1, 1> as Cell<1, 1>>::forward::<0> as *const ();", Some(EMPTY)),
    ("lstm_backward", "let _ = Tape::<lstm::Params<1, 1>, 1, 1, 0>::backward as *const ();", Some(EMPTY)),
    ("rnn_forward", "let _ = <rnn::Params<1, 1> as Cell<1, 1>>::forward::<0> as *const ();", Some(EMPTY)),
    ("rnn_backward", "let _ = Tape::<rnn::Params<1, 1>, 1, 1, 0>::backward as *const ();", Some(EMPTY)),
    ("gru_step", "let _ = <gru::ResetAfter<1, 1> as Cell<1, 1>>::step::<0> as *const ();", Some(EMPTY)),
    ("gru_forward", "let _ = <gru::ResetBefore<1, 1> as Cell<1, 1>>::forward::<0> as *const ();", Some(EMPTY)),
    ("gru_backward", "let _ = Tape::<gru::ResetAfter<1, 1>, 1, 1, 0>::backward as *const ();", Some(EMPTY)),
    ("gru_cell_forward", "let _ = gru::cell_forward::<gru::ResetBefore<1, 1>, 1, 1, 0> as *const ();", Some(EMPTY)),
    ("relu_forward", "let _ = <rnn::Relu<1, 1> as Cell<1, 1>>::forward::<0> as *const ();", Some(EMPTY)),
    ("dense_sequence_forward", "let _ = dense::sequence_forward::<4, 2, 0, f32>(&dense::Params::zeros(), &[], &mut []);", Some(EMPTY)),
    ("dense_sequence_backward", "let _ = dense::sequence_backward::<4, 2, 0, f32> as *const ();", Some(EMPTY)),
    ("softmax", "let _: fn(&mut Matrix<2, 0>) = dense::softmax;", Some(EMPTY)),
    ("softmax_backward", "let _: fn(&Matrix<2, 0>, &mut Matrix<2, 0>) = dense::softmax_backward;", Some(EMPTY)),
    ("cross_entropy", "let _ = loss::softmax_cross_entropy::<2, 0, f32> as *const ();", Some(EMPTY)),
    ("cross_entropy_classes", "let _ = loss::softmax_cross_entropy_classes::<2, 0, f32> as *const ();", Some(EMPTY)),
    ("squared_error", "let _ = loss::squared_error::<2, 0, f32> as *const ();", Some(EMPTY)),
    // What would give a wrong gradient: a second backward, a change between forward and backward, arguments that have changed places.
    ("backward", with_tape!("tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), None),
    ("second_backward", with_tape!("tape.backward(&da, &mut grads, None, &mut dstate).unwrap(); tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("use of moved value: `tape`")),
    ("changed_cell", with_tape!("cell = lstm::Params::zeros(); tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("cannot assign to `cell` because it is borrowed")),
    ("changed_x", with_tape!("x = [Vector::zeros()]; tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("cannot assign to `x` because it is borrowed")),
    ("changed_init", with_tape!("init = lstm::State::zeros(); tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("cannot assign to `init` because it is borrowed")),
    ("changed_a", with_tape!("a = [Vector::zeros()]; tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("cannot assign to `a` because it is borrowed")),
    ("changed_caches", with_tape!("caches = [lstm::Cache::zeros()]; tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("cannot assign to `caches` because it is borrowed")),
    ("with_lengths", with_tape!("lengths::backward(&[1], tape, &da, &dlast, &mut grads, None, &mut dstate).unwrap();"), None),
    ("da_and_dlast", with_tape!("lengths::backward(&[1], tape, &dlast, &da, &mut grads, None, &mut dstate).unwrap();"), Some("arguments to this function are incorrect")),
    ("dlast_and_dstate", with_tape!("lengths::backward(&[1], tape, &da, &mut dstate, &mut grads, None, &dlast).unwrap();"), Some("types differ in mutability")),
    ("da_and_dstate", with_tape!("lengths::backward(&[1], tape, &dstate, &dlast, &mut grads, None, &mut da).unwrap();"), Some("arguments to this function are incorrect")),
    // What one cell is, another is not: the two GRUs, the two RNNs, and the caches.
    ("gru_backward_twice", with_gru!("tape.backward(&da, &mut grads, None, &mut dstate).unwrap(); tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("use of moved value: `tape`")),
    ("gru_trained", with_gru!("tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), None),
    ("gru_gradient_of_the_other", with_gru!("let mut grads = gru::ResetBefore::zeros(); tape.backward(&da, &mut grads, None, &mut dstate).unwrap();"), Some("expected `&mut ResetAfter<1, 1>`, found `&mut ResetBefore<")),
    ("gru_the_other", "fn f(_: &gru::ResetAfter<1, 1>) {} f(&gru::ResetBefore::zeros());", Some("expected `&ResetAfter<1, 1>`, found `&ResetBefore<")),
    ("gru_cell_backward_of_the_other", "let (x, mut d, mut k) = (Vector::<1>::zeros(), Vector::<1>::zeros(), gru::Cache::zeros());
    gru::cell_backward(&gru::ResetAfter::<1, 1>::zeros(), &x, &x, &mut k, &mut d, &mut gru::ResetBefore::zeros(), &mut Vector::zeros());", Some("expected `&mut ResetAfter<1, 1>`, found `&mut ResetBefore<")),
    ("gru_cache_for_an_lstm", "let (x, init) = ([Vector::zeros()], lstm::State::zeros());
    let _ = lstm::Params::<1, 1>::zeros().forward(&x, &init, &mut [Vector::zeros()], &mut [gru::Cache::zeros()]);", Some("found struct `bptt::gru::Cache<")),
    ("gru_of_an_lstm", "fn f<G: gru::Gru<1, 1>>(_: &G) {} f(&lstm::Params::<1, 1>::zeros());", Some("Gru<1, 1>` is not implemented for")),
    ("own_gru", "struct Mine; impl gru::Gru<1, 1> for Mine {}", Some("is not implemented for `Mine`")),
    ("relu_is_no_tanh", "fn f(_: &rnn::Params<1, 1>) {} f(&rnn::Relu::zeros());", Some("expected `&Affine<1, 1>`, found `&Relu<")),
    // Nothing internal can be reached, and a user's trait may have any name.
    ("core", "fn f<T: Real>(x: &mut [T]) { T::Core::exp(x) }", Some("not found")),
    ("core_qualified", "fn f<T: Real>(x: &mut [T]) { <T as bptt::real::sealed::Sealed>::Core::exp(x) }", Some("private")),
    ("layout", "fn f<F: Flat>() { F::CHECKED }", Some("not found")),
    ("layout_qualified", "fn f<F: Flat>() { F::Layout::CHECKED }", Some("not found")),
    ("layout_of_a_type", "Matrix::<1, 1>::CHECKED", Some("not in scope")),
    ("recurrent", "fn f<C: Cell<1, 1>>() { let _ = C::Recurrent::kept; }", Some("not found")),
    ("recurrent_qualified", "fn f<C: Cell<1, 1>>() { let _: <C as bptt::cell::sealed::Sealed>::Recurrent; }", Some("private")),
    ("recurrent_named", "fn f<C: Cell<1, 1>>() where C::Recurrent: bptt::sequence::Recurrent<f32> {}", Some("private")),
    ("tape_field", with_tape!("let _ = tape.caches;"), Some("private")),
    ("tape_by_hand", "fn f<'t, C: Cell<1, 1>>(cell: &'t C, init: &'t C::State<1>) { let _ = Tape { cell, x: &[], init, a: &[], caches: &mut [] }; }", Some("private")),
    ("own_cell", "struct Mine; impl Cell<1, 1> for Mine { type State<const M: usize> = Vector<1>; type Cache<const M: usize> = Vector<1>; }", Some("Sealed")),
    ("generic", "fn f<C: Cell<1, 1>>(tape: Tape<'_, C, 1, 1, 1>, dstate: &mut C::State<1>) { tape.last(dstate); tape.backward(&[], &mut C::ZEROS, None, dstate).unwrap(); }", None),
    ("own_trait", "trait Mine: Sized { fn write_le(&self) {} fn four_sums(&self) {} fn exp_all(&self) {} } impl<T: Real> Mine for T {}
    fn f<T: Real>(x: T) { x.write_le(); x.four_sums(); x.exp_all(); } f(1.0);", None),
    // A user's own network: no dimension is zero, nothing is forged, whatever safe code says.
    ("pair_dimensions", "let _ = Pair::<Vector<1>, Vector<0>>::from_flat(&[0.0]);", Some(EMPTY)),
    ("pair_zeros", "let _ = Pair::<Vector<0>, Vector<1>>::zeros();", Some(EMPTY)),
    ("pair_from_le_bytes", "let _: Pair<Vector<0>, Vector<1>> = Pair::from_le_bytes(&[0; 4]);", Some(EMPTY)),
    ("array_empty", "let _ = <[Vector<1>; 0]>::from_flat(&[]);", Some("at least one entry")),
    ("array_of_empty", "let _ = <[Vector<0>; 1]>::from_flat(&[]);", Some(EMPTY)),
    ("clone_empty", "let _: fn(&Pair<Vector<0>, Vector<1>>) -> Pair<Vector<0>, Vector<1>> = Clone::clone;", Some(EMPTY)),
    ("struct_dimensions", "flat_struct! { struct N<const A: usize>, R, M { b: Vector<A>, c: Vector<1> } } let _ = N::<0>::zeros();", Some(EMPTY)),
    ("struct_from_le_bytes", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } let _ = N::from_le_bytes(&[0; 7]);",
        Some("another number of bytes")),
    ("mixed_pair", "Pair { first: Vector::<1, f32>::zeros(), second: Vector::<1, f64>::zeros() }.as_flat();", Some("but its trait bounds were not satisfied")),
    ("mixed_struct", "flat_struct! { struct N, R, M { b: Vector<1, f32>, c: Vector<1, f64> } }", Some("type mismatch")),
    ("half_flat", "fn flat<F: Flat>() {} flat::<Pair<Vector<1>, u8>>();", Some("is not scalars in a row")),
    ("not_flat", "flat_struct! { struct N, R, M { b: Vector<1>, name: String } }", Some("`String` is not scalars in a row")),
    ("interior", "flat_struct! { struct N, R, M { b: std::cell::Cell<Vector<1>>, c: Vector<1> } }", Some("is not scalars in a row")),
    ("reference", "flat_struct! { struct N, R, M { b: &'static Vector<1>, c: Vector<1> } }", Some("is not scalars in a row")),
    ("scalars", "flat_struct! { struct N, R, M { b: [f32; 2], c: Vector<1> } }", Some("`f32` is not scalars in a row")),
    ("own_struct", "#[repr(C)] #[derive(Clone, Debug, PartialEq)] struct S(Vector<1>); impl Flat for S { type Scalar = f32; }", Some("Sealed` is not implemented")),
    ("own_seal", "struct S; unsafe impl bptt::flat::sealed::Sealed for S { type Layout = S; }", Some("is private")),
    ("own_length", "impl<F: Fields> Flat for FlatStruct<F> { type Scalar = f32; const LEN: usize = 1000; }", Some("only traits defined in the current crate")),
    ("chain_bool", "struct S; impl Fields for S { type Chain = [bool; 4]; type Parts<'a> = (); type PartsMut<'a> = ();
    fn parts(_: &[bool; 4]) {} fn parts_mut(_: &mut [bool; 4]) {} }", Some("`bool` is not scalars in a row")),
    ("chain_of_itself", "struct S; impl Fields for S { type Chain = FlatStruct<S>; type Parts<'a> = (); type PartsMut<'a> = ();
    fn parts(_: &FlatStruct<S>) {} fn parts_mut(_: &mut FlatStruct<S>) {} } let _ = FlatStruct::<S>::from_flat(&[0.0]);", Some("overflow evaluating")),
    ("chain_in_a_circle", "struct S; struct Q; impl Fields for S { type Chain = Pair<Vector<1>, FlatStruct<Q>>; type Parts<'a> = (); type PartsMut<'a> = ();
    fn parts(_: &Self::Chain) {} fn parts_mut(_: &mut Self::Chain) {} } impl Fields for Q { type Chain = FlatStruct<S>; type Parts<'a> = ();
    type PartsMut<'a> = (); fn parts(_: &Self::Chain) {} fn parts_mut(_: &mut Self::Chain) {} } let _ = FlatStruct::<S>::ZEROS;", Some("overflow evaluating")),
    ("chain_leaks", "struct S; impl Fields for S { type Chain = Vector<1>; type Parts<'a> = &'static Vector<1>; type PartsMut<'a> = ();
    fn parts(chain: &Vector<1>) -> &'static Vector<1> { chain } fn parts_mut(_: &mut Vector<1>) {} }", Some("lifetime may not live long enough")),
    ("chain_twice", "struct S; impl Fields for S { type Chain = Vector<1>; type Parts<'a> = (); type PartsMut<'a> = [&'a mut Vector<1>; 2];
    fn parts(_: &Vector<1>) {} fn parts_mut(chain: &mut Vector<1>) -> [&mut Vector<1>; 2] { [chain, chain] } }", Some("cannot move out of `chain` because it is borrowed")),
    ("parts_outlive", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } let r = { let n = N::zeros(); n.parts().b }; r.as_flat();",
        Some("does not live long enough")),
    ("parts_twice", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } let mut n = N::zeros(); let (b, c) = (n.parts_mut().b, n.parts_mut().c); b.fill(c[(0, 0)]);",
        Some("cannot borrow `n` as mutable more than once")),
    ("parts_and_whole", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } let mut n = N::zeros(); let M { b, .. } = n.parts_mut(); let all = n.as_flat(); b.fill(all[0]);",
        Some("cannot borrow `n` as immutable")),
    ("parts_read_only", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } N::zeros().parts().b.fill(1.0);", Some("cannot borrow data in a `&` reference as mutable")),
    ("whole_read_only", "flat_struct! { struct N, R, M { b: Vector<1>, c: Vector<1> } } static S: N = N::zeros(); S.as_flat_mut();", Some("cannot borrow immutable static")),
    ("one_name", "flat_struct! { struct N { b: Vector<1> } }", Some("three names")),
    ("no_parts", "flat_struct! { struct N, R, M {} }", Some("no rules expected `}`")),
    ("marker_is_not_kept", "struct S(*mut u8); impl Fields for S { type Chain = Vector<1>; type Parts<'a> = (); type PartsMut<'a> = ();
    fn parts(_: &Vector<1>) {} fn parts_mut(_: &mut Vector<1>) {} } fn send<T: Send + Sync>(_: T) {} send(FlatStruct::<S>::zeros());", None),
    // The whole of it in a crate without `unsafe`.
    ("forbidden", "flat_struct! {
        /// A network.
        pub struct Net<const A: usize, T: Real = f32>, NetRef, NetMut {
            /// A cell.
            pub cell: lstm::Params<2, A, T>,
            /// Its output layer.
            pub head: dense::Params<A, 1, T>,
        }
    }
    static NET: Net<3> = Net::zeros();
    let mut net: Net<3> = Net::from_le_bytes(&[0; 4 * 76]);
    let NetMut { cell, head } = net.parts_mut();
    (cell.f.b.fill(1.0), head.set_zeros());
    net.clone_from(&NET);
    assert_eq!((net.as_flat().len(), net.parts().head.b[(0, 0)]), (76, 0.0));", None),
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
            "#![allow(unused_imports)]\n#![forbid(unsafe_code)]\nuse bptt::{{Affine, Cell, Fields, Flat, FlatStruct, Matrix, Pair, Real, Tape, Vector, dense, flat_struct, gru, lengths, loss, lstm, rnn}};\nfn main() {{\n    {body}\n}}\n"
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
    let mut failures = vec![];
    for (name, body, sentence) in CASES {
        let errors = &said[*name];
        match sentence {
            None if errors.is_empty() => {}
            None => failures.push(format!("{name}, {body}, does not compile: {errors:#?}")),
            Some(sentence) if errors.iter().any(|error| error.contains(sentence)) => {}
            Some(sentence) => failures.push(format!(
                "{name}, {body}, does not fail with \"{sentence}\": {errors:#?}"
            )),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
