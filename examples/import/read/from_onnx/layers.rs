//! The operators that are layers, with all that the crate has no counterpart for.

use std::rc::Rc;

use super::proto::NodeProto;
use super::reader::{Reader, attribute, input};
use super::value::{Axis, Run, Value, transposed_matrix};
use crate::read::network::{Activation, Cell, Dense, Kind, Layer, Stacked};
use crate::read::tensor::Tensor;

/// What the attributes of a recurrent node say.
struct Form {
    kind: Kind,
    /// Which block of ONNX each gate of [`Kind::gates`] is.
    blocks: &'static [usize],
    direction: Vec<u8>,
    /// 1 or 2.
    directions: usize,
    /// `layout`: where X has its steps and its sequences.
    steps: usize,
    sequences: usize,
    hidden_size: Option<i64>,
}

/// An attribute that the crate has no counterpart for is an error.
fn form(node: &NodeProto) -> Result<Form, String> {
    let op_type = &node.op_type[..];
    let activations: &[&str] = match op_type {
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        _ => &["Tanh"],
    };
    let direction = attribute(node, "direction").map_or(&b"forward"[..], |a| &a.s);
    let directions = if direction == b"bidirectional" { 2 } else { 1 };
    let (mut layout, mut reset_after, mut relu) = (0, false, false);
    for attribute in &node.attribute {
        let i = attribute.i;
        let named = |names: &[&str]| {
            let names = names.iter().map(|n| n.as_bytes());
            let all = names.cycle().take(directions * activations.len());
            attribute.strings.iter().map(|s| &s[..]).eq(all)
        };
        let as_here = match (op_type, attribute.name.as_str()) {
            (_, "hidden_size") => true,
            (_, "layout") => {
                layout = i;
                matches!(i, 0 | 1)
            }
            (_, "direction") => matches!(direction, b"forward" | b"reverse" | b"bidirectional"),
            ("RNN", "activations") => {
                relu = named(&["Relu"]);
                relu || named(activations)
            }
            (_, "activations") => named(activations),
            ("LSTM", "input_forget") => i == 0,
            ("GRU", "linear_before_reset") => {
                reset_after = i == 1;
                matches!(i, 0 | 1)
            }
            _ => false,
        };
        if !as_here {
            let name = &attribute.name;
            return Err(format!("the {op_type} has an unsupported `{name}`"));
        }
    }
    let (kind, blocks): (_, &[usize]) = match (op_type, reset_after, relu) {
        ("LSTM", ..) => (Kind::Lstm, &[2, 0, 3, 1]), // i, o, f, c
        ("GRU", true, _) => (Kind::GruAfter, &[1, 0, 2]), // z, r, h
        ("GRU", false, _) => (Kind::GruBefore, &[1, 0, 2]),
        (_, _, false) => (Kind::RnnTanh, &[0]),
        (_, _, true) => (Kind::RnnRelu, &[0]),
    };
    let (steps, sequences) = if layout == 1 { (1, 0) } else { (0, 1) };
    Ok(Form {
        kind,
        blocks,
        direction: direction.to_vec(),
        directions,
        steps,
        sequences,
        hidden_size: attribute(node, "hidden_size").map(|a| a.i),
    })
}

impl<'a> Reader<'a> {
    /// Y, Y_h and Y_c of a recurrent layer.
    pub fn recurrent(&self, node: &'a NodeProto) -> Result<[Value; 3], String> {
        let op_type = &node.op_type;
        let form = form(node)?;
        if form.kind == Kind::Lstm && input(node, 7).is_some() {
            return Err("the LSTM has peepholes (P), which are not supported".to_owned());
        }
        let Value::Run(x) = self.required(node, 0, "X")?.clone() else {
            return Err(format!("X of the {op_type} does not come from the input"));
        };
        let time = time(&x, &form).ok_or_else(|| {
            let order = ["(steps, batch, features)", "(batch, steps, features)"][form.steps];
            format!("X of the {op_type} is not {order}")
        })?;
        if x.time.is_some_and(|before| before != time) {
            return Err(format!(
                "the {op_type} runs over the batch of another layer"
            ));
        }
        if input(node, 4).is_some() {
            let all = self.size(&x, &[Axis::Input(time)]).map(|n| n as i64);
            let lengths = self.known(node, 4, "sequence_lens")?;
            if lengths.iter().any(|&length| Some(length) != all) {
                return Err(format!("sequence_lens of the {op_type} are not all steps"));
            }
        }

        let mut cells = self.cells(node, &form, x.features)?;
        let units = cells[0].units;
        let layer = match (&form.direction[..], cells.pop(), cells.pop()) {
            (b"forward", Some(cell), None) => Layer::Forward(cell),
            (b"reverse", Some(cell), None) => Layer::Backward(cell),
            (_, Some(second), Some(first)) => Layer::Both(first, second),
            _ => return Err(format!("the {op_type} has no direction")),
        };
        let streams = matches!(layer, Layer::Forward(_));

        let both = match form.directions {
            2 => vec![Axis::Direction],
            _ => Vec::new(),
        };
        let [step, batch] = [form.steps, form.sequences].map(|k| x.dimensions[k].clone());
        let features = vec![Axis::Features];
        let (all, last) = match form.steps {
            0 => (
                vec![step, both.clone(), batch.clone(), features.clone()],
                vec![both, batch, features],
            ),
            _ => (
                vec![batch.clone(), step, both.clone(), features.clone()],
                vec![batch, both, features],
            ),
        };
        let mut layers = x.layers;
        layers.push(Rc::new(layer));
        let y = Run {
            dimensions: all,
            features: Some(units),
            layers,
            time: Some(time),
            last: false,
        };
        let y_h = match streams {
            true => Value::Run(Run {
                dimensions: last,
                last: true,
                ..y.clone()
            }),
            // The last step of a direction that goes backward is the first of the outputs.
            false => {
                let why = "Y_h of a layer that runs backward is not supported";
                Value::Unsupported(why.to_owned())
            }
        };
        let why = "Y_c, the last cell state, is not supported";
        Ok([Value::Run(y), y_h, Value::Unsupported(why.to_owned())])
    }

    /// The cell of each direction.
    fn cells(
        &self,
        node: &'a NodeProto,
        form: &Form,
        features: Option<usize>,
    ) -> Result<Vec<Cell>, String> {
        let op_type = &node.op_type;
        let (w, r) = (self.numbers(node, 1, "W")?, self.numbers(node, 2, "R")?);
        let (&[_, _, inputs], &[_, rows, units]) = (&w.shape[..], &r.shape[..]) else {
            let (w, r) = (&w.shape, &r.shape);
            return Err(format!(
                "W and R of the {op_type} have the shapes {w:?} and {r:?}"
            ));
        };
        if form
            .hidden_size
            .is_some_and(|size| usize::try_from(size) != Ok(units))
        {
            return Err(format!("the {op_type} has another `hidden_size` than R"));
        }
        if units == 0 || Some(rows) != units.checked_mul(form.kind.gates()) {
            return Err(format!("R of the {op_type} has shape {:?}", r.shape));
        }
        if inputs == 0 || features.is_some_and(|features| features != inputs) {
            let found = features.unwrap_or(0);
            return Err(format!(
                "W of the {op_type} is for {inputs} inputs, not for {found}"
            ));
        }
        let directions = form.directions;
        let w = self.shaped(node, 1, "W", &[directions, rows, inputs])?;
        let r = self.shaped(node, 2, "R", &[directions, rows, units])?;
        let b = match input(node, 3) {
            Some(_) => self.shaped(node, 3, "B", &[directions, 2 * rows])?,
            None => &[],
        };
        let a = self.initial(node, 5, "initial_h", form, units)?;
        let c = match form.kind {
            Kind::Lstm => self.initial(node, 6, "initial_c", form, units)?,
            _ => vec![Vec::new(); directions],
        };
        let states = a.into_iter().zip(c).enumerate();
        let cells = states.map(|(direction, (a, c))| {
            let (b, b_recurrent) =
                part(b, direction, directions).split_at(b.len() / directions / 2);
            let stacked = Stacked {
                kind: form.kind,
                inputs,
                units,
                blocks: form.blocks,
                transposed: false,
                wx: part(w, direction, directions),
                wa: part(r, direction, directions),
                b,
                b_recurrent,
            };
            Cell {
                a,
                c,
                ..stacked.cell()
            }
        });
        Ok(cells.collect())
    }

    /// An initial state for each direction: constant, and the same for all sequences.
    fn initial(
        &self,
        node: &'a NodeProto,
        k: usize,
        role: &str,
        form: &Form,
        units: usize,
    ) -> Result<Vec<Vec<f32>>, String> {
        let directions = form.directions;
        if input(node, k).is_none() {
            return Ok(vec![vec![0.0; units]; directions]);
        }
        let tensor = self.numbers(node, k, role)?;
        let misfit = || format!("{role} has shape {:?}", tensor.shape);
        let &[_, _, columns] = &tensor.shape[..] else {
            return Err(misfit());
        };
        // The directions stand where X has its steps.
        let (found, batch) = (tensor.shape[form.steps], tensor.shape[form.sequences]);
        if (found, columns) != (directions, units) || batch == 0 {
            return Err(misfit());
        }
        let row = |direction: usize, sequence: usize| {
            let at = match form.steps {
                0 => direction * batch + sequence,
                _ => sequence * directions + direction,
            };
            &tensor.numbers[at * units..][..units]
        };
        for direction in 0..directions {
            if (1..batch).any(|sequence| row(direction, sequence) != row(direction, 0)) {
                return Err(format!("{role} is not the same for all sequences"));
            }
        }
        Ok((0..directions)
            .map(|direction| row(direction, 0).to_vec())
            .collect())
    }

    pub fn gemm(&self, node: &'a NodeProto, run: Run) -> Result<Value, String> {
        for attribute in &node.attribute {
            let as_here = match attribute.name.as_str() {
                "alpha" | "beta" => attribute.f == 1.0,
                "transA" => attribute.i == 0,
                _ => true,
            };
            if !as_here {
                return Err(format!("the Gemm has an unsupported `{}`", attribute.name));
            }
        }
        let transposed = attribute(node, "transB").is_none_or(|a| a.i == 0);
        let run = self.dense(node, run, transposed)?;
        match input(node, 2) {
            Some(_) => bias(run, self.numbers(node, 2, "C")?),
            None => Ok(Value::Run(run)),
        }
    }

    /// Puts a dense layer without biases on. `transposed`: the weights are (inputs, outputs).
    pub fn dense(
        &self,
        node: &'a NodeProto,
        mut run: Run,
        transposed: bool,
    ) -> Result<Run, String> {
        let weight = self.numbers(node, 1, "B")?;
        let (name, op_type) = (&node.input[1], &node.op_type);
        let &[first, second] = &weight.shape[..] else {
            return Err(format!(
                "`{name}` has shape {:?}, expected a matrix",
                weight.shape
            ));
        };
        let (inputs, outputs) = if transposed {
            (first, second)
        } else {
            (second, first)
        };
        if inputs == 0 || outputs == 0 || run.features.is_some_and(|n| n != inputs) {
            let shape = &weight.shape;
            return Err(format!(
                "`{name}` has shape {shape:?}, which does not fit the {op_type}"
            ));
        }
        if !run.ends_with_features() {
            return Err(format!(
                "the {op_type} is not over the features of one step"
            ));
        }
        let w = match transposed {
            true => transposed_matrix(weight).numbers,
            false => weight.numbers.clone(),
        };
        run.features = Some(outputs);
        run.layers.push(Rc::new(Layer::Dense(Dense {
            inputs,
            outputs,
            w,
            b: vec![0.0; outputs],
            activation: Activation::None,
        })));
        Ok(run)
    }

    /// The biases of a dense layer.
    pub fn add(&self, node: &'a NodeProto) -> Result<Value, String> {
        match (self.required(node, 0, "A")?, self.required(node, 1, "B")?) {
            (Value::Run(run), Value::Numbers(b)) | (Value::Numbers(b), Value::Run(run)) => {
                bias(run.clone(), b)
            }
            _ => Err("the operator `Add` is supported for biases alone".to_owned()),
        }
    }
}

/// What is for one direction.
fn part(numbers: &[f32], direction: usize, directions: usize) -> &[f32] {
    let length = numbers.len() / directions;
    &numbers[direction * length..][..length]
}

/// Which dimension of the input its steps are, where X has the dimensions that the node takes.
fn time(x: &Run, form: &Form) -> Option<usize> {
    let [_, _, features] = &x.dimensions[..] else {
        return None;
    };
    let (steps, batch) = (&x.dimensions[form.steps], &x.dimensions[form.sequences]);
    match (&steps[..], &batch[..], &features[..]) {
        ([Axis::Input(time)], [] | [Axis::Input(_)], [Axis::Features]) if !x.last => Some(*time),
        _ => None,
    }
}

/// An activation is part of the dense layer below it.
pub fn activation(node: &NodeProto, mut run: Run, activation: Activation) -> Result<Value, String> {
    match (run.dense(), run.ends_with_features()) {
        (Some(dense), true) => {
            run.layers.pop();
            run.layers.push(Rc::new(Layer::Dense(Dense {
                activation,
                ..dense
            })));
            Ok(Value::Run(run))
        }
        _ => {
            let op_type = &node.op_type;
            Err(format!(
                "the operator `{op_type}` is supported on a dense layer alone"
            ))
        }
    }
}

/// Adds biases to the dense layer that has just been put on.
pub fn bias(mut run: Run, b: &Tensor) -> Result<Value, String> {
    match (run.dense(), run.ends_with_features()) {
        (Some(mut dense), true)
            if b.numbers.len() == dense.outputs && b.shape.last() == Some(&dense.outputs) =>
        {
            for (b, more) in dense.b.iter_mut().zip(&b.numbers) {
                *b += more;
            }
            run.layers.pop();
            run.layers.push(Rc::new(Layer::Dense(dense)));
            Ok(Value::Run(run))
        }
        (Some(dense), true) => {
            let (found, expected) = (&b.shape, dense.outputs);
            Err(format!(
                "the biases have shape {found:?}, expected [{expected}]"
            ))
        }
        _ => Err("the operator `Add` is supported for biases alone".to_owned()),
    }
}
