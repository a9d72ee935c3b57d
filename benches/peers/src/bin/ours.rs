//! Our side of `frameworks.py`. Reads commands from the standard input, one a line, and answers
//! each with a line:
//!
//! * `load CELL TASK X A M FILE`: takes the layer from FILE (the vectors of `Layer` in their order,
//!   little-endian f32), runs it once and writes the results to FILE.out.
//! * `time N`: runs it once, then N times, and answers with the seconds of processor time that one
//!   of those took.

use std::error::Error;
use std::io::{self, Write};
use std::{fs, iter};

use cpu_time::ProcessTime;
use peers::ours;
use peers::work::{Case, Cell, Layer, Run, STEPS, Task};

fn load(words: &[&str]) -> Result<Run, Box<dyn Error>> {
    let [cell, task, x, a, m, file] = words else {
        return Err("load CELL TASK X A M FILE".into());
    };
    let case = Case {
        cell: match *cell {
            "lstm" => Cell::Lstm,
            "gru" => Cell::Gru,
            _ => Cell::Rnn,
        },
        task: if *task == "forward" {
            Task::Forward
        } else {
            Task::Training
        },
        x: x.parse()?,
        a: a.parse()?,
        m: m.parse()?,
    };
    let bytes = fs::read(file)?;
    let mut bytes = bytes.as_chunks().0.iter();
    let mut take = |len| {
        bytes
            .by_ref()
            .take(len)
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    };
    let (rows, samples) = (case.gates() * case.a, STEPS * case.m);
    let layer = Layer {
        case,
        wx: take(rows * case.x),
        wa: take(rows * case.a),
        b: take(rows),
        x: take(samples * case.x),
        da: take(samples * case.a),
    };
    let mut run = ours::run(&layer);
    let mut results = vec![];
    run(Some(&mut results));
    let results: Vec<u8> = results.iter().flat_map(|v| v.to_le_bytes()).collect();
    fs::write(format!("{file}.out"), results)?;
    Ok(run)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", bptt::backend());
    let mut layer: Option<Run> = None;
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&words[..], &mut layer) {
            (["load", words @ ..], _) => {
                layer = Some(load(words)?);
                println!("loaded");
            }
            (["time", n], Some(run)) => {
                let n: u32 = n.parse()?;
                run(None);
                let start = ProcessTime::now();
                iter::repeat_n((), n as usize).for_each(|()| run(None));
                println!("{}", start.elapsed().as_secs_f64() / f64::from(n));
            }
            _ => return Err(format!("not a command: {line}").into()),
        }
        io::stdout().flush()?;
    }
    Ok(())
}
