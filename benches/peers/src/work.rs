//! What is computed: a layer of given sizes, its weights and inputs in one neutral layout, and the
//! comparison of two results.

use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// Time steps of a sequence.
pub const STEPS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    Lstm,
    /// With the reset after the product.
    Gru,
    Rnn,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// As many calls as there are steps, each one step of inference that starts from the state
    /// which the one before has left. Results: a of all steps.
    Step,
    /// One call over all steps. Results: a of all steps.
    Forward,
    /// Forward and backward: the gradients of Σ da ⊙ a. Results: a of all steps, dwx, dwa, db, dx.
    Training,
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub cell: Cell,
    pub task: Task,
    /// Inputs.
    pub x: usize,
    /// Units.
    pub a: usize,
    /// Samples of a batch.
    pub m: usize,
}

impl Case {
    /// Four in an LSTM, three in a GRU, one in an RNN.
    pub fn gates(&self) -> usize {
        match self.cell {
            Cell::Lstm => 4,
            Cell::Gru => 3,
            Cell::Rnn => 1,
        }
    }

    /// The parts of the results and their lengths.
    fn parts(&self) -> Vec<(&'static str, usize)> {
        let (rows, samples) = (self.gates() * self.a, STEPS * self.m);
        let mut parts = vec![("a", samples * self.a)];
        if self.task == Task::Training {
            parts.extend([
                ("dwx", rows * self.x),
                ("dwa", rows * self.a),
                ("db", rows),
                ("dx", samples * self.x),
            ]);
        }
        parts
    }
}

/// The layout is PyTorch's: matrices by rows; the gates of an LSTM in the order input, forget,
/// candidate, output, those of a GRU in the order reset, update, candidate, whose second bias is
/// zero; sequences as (step, sample, feature). The initial state is zero.
pub struct Layer {
    pub case: Case,
    /// (gates · a, x)
    pub wx: Vec<f32>,
    /// (gates · a, a)
    pub wa: Vec<f32>,
    /// (gates · a)
    pub b: Vec<f32>,
    /// (step, m, x)
    pub x: Vec<f32>,
    /// (step, m, a)
    pub da: Vec<f32>,
}

impl Layer {
    /// Weights in ±1/√a, inputs and gradients in ±1.
    pub fn random(case: Case) -> Self {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut numbers = |len: usize, limit: f32| -> Vec<f32> {
            (0..len)
                .map(|_| limit * rng.random_range(-1.0..1.0))
                .collect()
        };
        let Case { x, a, m, .. } = case;
        let (rows, limit) = (case.gates() * a, 1.0 / (a as f32).sqrt());
        Layer {
            case,
            wx: numbers(rows * x, limit),
            wa: numbers(rows * a, limit),
            b: numbers(rows, limit),
            x: numbers(STEPS * m * x, 1.0),
            da: numbers(STEPS * m * a, 1.0),
        }
    }
}

/// One engine that has been given one layer. A call does the whole task once; given a vector, it
/// puts the results there as well.
pub type Run = Box<dyn FnMut(Option<&mut Vec<f32>>)>;

/// The largest difference allowed between two engines, relative to the largest entry of the part of
/// the results that it occurs in. The entries are sums of up to 100·32 products, each rounded to
/// 2⁻²⁴ and added up in an order that differs from engine to engine, and activations are
/// approximated to a few units of 2⁻²⁴.
const TOLERANCE: f32 = 1e-4;

/// Stops with a message where `found` is not `expected`.
pub fn compare(case: &Case, engine: &str, found: &[f32], expected: &[f32]) {
    let mut start = 0;
    for (part, len) in case.parts() {
        let end = start + len;
        let (Some(found), Some(expected)) = (found.get(start..end), expected.get(start..end))
        else {
            panic!("{engine}, {case:?}: too few results for {part}");
        };
        let largest = expected.iter().fold(0.0, |max: f32, v| max.max(v.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= TOLERANCE * largest,
                "{engine}, {case:?}: {part} is {found}, not {expected}"
            );
        }
        start = end;
    }
    assert_eq!(found.len(), start, "{engine}, {case:?}: too many results");
}
