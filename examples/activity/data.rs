//! Recordings from a CSV file. Whatever is wrong with the file is told with its line.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::model::{X, Y};

/// The header that a file must have. The last six columns are the inputs of the network.
const COLUMNS: [&str; 3 + X] = [
    "recording",
    "activity",
    "step",
    "accel_x",
    "accel_y",
    "accel_z",
    "gyro_x",
    "gyro_y",
    "gyro_z",
];

/// What one person did for some seconds, and what the watch measured meanwhile.
pub struct Recording {
    /// The first column: what tells this recording from the others of its file.
    pub name: String,
    /// The activity, as an index into the names of the classes.
    pub class: usize,
    /// One sample a step.
    pub samples: Vec<[f32; X]>,
}

/// What is wrong with a file, and where: one line for the user.
#[derive(Debug)]
pub struct Invalid {
    file: PathBuf,
    fault: Fault,
}

#[derive(Debug)]
struct Fault {
    /// Unknown if the file cannot even be read.
    line: Option<u64>,
    reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.fault.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.fault.reason)
    }
}

impl std::error::Error for Invalid {}

/// Reads the file to train on. Its activities become the classes, in the order in which they appear.
pub fn read_training(file: &Path) -> Result<(Vec<String>, Vec<Recording>), Invalid> {
    let mut classes: Vec<String> = Vec::new();
    let class_of = |activity: &str| {
        let known = classes.iter().position(|class| class == activity);
        if known.is_none() {
            classes.push(activity.to_owned());
        }
        match known.unwrap_or(classes.len() - 1) {
            // The first four have the numbers 0 to 3.
            Y => Err(format!(
                "{activity:?} is one activity too many, this network tells {Y} apart"
            )),
            class => Ok(class),
        }
    };
    let wrap = |fault| Invalid {
        file: file.to_owned(),
        fault,
    };
    let rows = read_rows(file).map_err(wrap)?;
    let recordings = group(&rows, None, class_of).map_err(wrap)?;
    match rows.last() {
        Some(last) if classes.len() < Y => Err(wrap(last.fault(format!(
            "the file ends with the activities {classes:?}, but this network tells {Y} apart"
        )))),
        _ => Ok((classes, recordings)),
    }
}

/// Reads the file to test on: the same classes, and recordings of as many steps as in training.
pub fn read_test(file: &Path, classes: &[String], steps: usize) -> Result<Vec<Recording>, Invalid> {
    let class_of = |activity: &str| {
        let class = classes.iter().position(|class| class == activity);
        class.ok_or_else(|| {
            format!("activity {activity:?} is none of those trained on, {classes:?}")
        })
    };
    read_rows(file)
        .and_then(|rows| group(&rows, Some(steps), class_of))
        .map_err(|fault| Invalid {
            file: file.to_owned(),
            fault,
        })
}

/// One line of the file below the header.
struct Row {
    line: u64,
    recording: String,
    activity: String,
    step: usize,
    sample: [f32; X],
}

impl Row {
    fn fault(&self, reason: String) -> Fault {
        Fault {
            line: Some(self.line),
            reason,
        }
    }
}

fn read_rows(file: &Path) -> Result<Vec<Row>, Fault> {
    let text = read_text(file)?;
    let mut lines = ReaderBuilder::new()
        .has_headers(false) // the header is checked like any other line,
        .flexible(true) // and so is the number of fields
        .trim(Trim::All)
        .from_reader(text.as_bytes())
        .into_records()
        .map(|fields| match fields {
            Ok(fields) => Ok((line_of(&fields, &text), fields)),
            Err(error) => Err(Fault {
                line: error.position().map(csv::Position::line),
                reason: error.to_string(),
            }),
        });
    match lines.next().transpose()? {
        None => return Err(at(1, "the file is empty".to_owned())),
        Some((line, header)) => check_header(&header).map_err(|reason| at(line, reason))?,
    }
    let rows = lines.map(|fields| {
        let (line, fields) = fields?;
        parse(line, &fields).map_err(|reason| at(line, reason))
    });
    let rows = rows.collect::<Result<Vec<Row>, Fault>>()?;
    match rows.is_empty() {
        true => Err(at(1, "there is nothing below the header".to_owned())),
        false => Ok(rows),
    }
}

fn read_text(file: &Path) -> Result<String, Fault> {
    let bytes = fs::read(file).map_err(|error| Fault {
        line: None,
        reason: error.to_string(),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        at(1 + newlines(good), "this is not UTF-8 text".to_owned())
    })
}

fn at(line: u64, reason: String) -> Fault {
    Fault {
        line: Some(line),
        reason,
    }
}

/// The line on which `fields` start. For the reader they start with the empty lines before them, which it skips.
fn line_of(fields: &StringRecord, text: &str) -> u64 {
    let Some(position) = fields.position() else {
        return 1;
    };
    let rest = &text.as_bytes()[position.byte() as usize..];
    let skipped = rest.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    position.line() + newlines(&rest[..skipped.unwrap_or(0)])
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn check_header(header: &StringRecord) -> Result<(), String> {
    let length = COLUMNS.len().max(header.len());
    let Some(i) = (0..length).find(|&i| header.get(i) != COLUMNS.get(i).copied()) else {
        return Ok(());
    };
    let column = i + 1;
    Err(match (header.get(i), COLUMNS.get(i)) {
        (Some(found), Some(name)) => {
            format!("column {column} of the header is {found:?}, expected {name:?}")
        }
        (Some(found), None) => format!("column {column} of the header, {found:?}, is one too many"),
        (None, _) => {
            let missing = COLUMNS[i..].join(", ");
            format!("the header has {i} columns, missing are {missing}")
        }
    })
}

fn parse(line: u64, fields: &StringRecord) -> Result<Row, String> {
    if fields.len() != COLUMNS.len() {
        let (found, expected) = (fields.len(), COLUMNS.len());
        return Err(format!("the row has {found} fields, expected {expected}"));
    }
    for name in 0..2 {
        if fields[name].is_empty() {
            return Err(format!("{} is empty", COLUMNS[name]));
        }
    }
    let mut sample = [0.0; X];
    for (i, value) in sample.iter_mut().enumerate() {
        *value = number(&fields[3 + i], COLUMNS[3 + i])?;
    }
    Ok(Row {
        line,
        recording: fields[0].to_owned(),
        activity: fields[1].to_owned(),
        step: fields[2]
            .parse()
            .map_err(|_| format!("step is {:?}, expected a whole number", &fields[2]))?,
        sample,
    })
}

fn number(text: &str, column: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if f32::is_finite(value) => Ok(value),
        _ => Err(format!("{column} is {text:?}, expected a finite number")),
    }
}

/// Rows that follow each other under one name are a recording. All have `steps` steps, or as many as the first.
fn group(
    rows: &[Row],
    steps: Option<usize>,
    mut class_of: impl FnMut(&str) -> Result<usize, String>,
) -> Result<Vec<Recording>, Fault> {
    let mut recordings: Vec<Recording> = Vec::new();
    let mut steps = steps;
    for rows in rows.chunk_by(|a, b| a.recording == b.recording) {
        let name = &rows[0].recording;
        if recordings.iter().any(|earlier| earlier.name == *name) {
            let reason = format!("recording {name:?} had ended, and here are more rows of it");
            return Err(rows[0].fault(reason));
        }
        check_order(rows)?;
        check_length(rows, *steps.get_or_insert(rows.len()))?;
        recordings.push(Recording {
            name: name.clone(),
            class: class_of(&rows[0].activity).map_err(|reason| rows[0].fault(reason))?,
            samples: rows.iter().map(|row| row.sample).collect(),
        });
    }
    Ok(recordings)
}

/// The steps of one recording count up from 0, and the activity stays the same.
fn check_order(rows: &[Row]) -> Result<(), Fault> {
    let activity = &rows[0].activity;
    for (expected, row) in rows.iter().enumerate() {
        if row.activity != *activity {
            return Err(row.fault(format!(
                "recording {:?} changes from {activity:?} to {:?}",
                row.recording, row.activity
            )));
        }
        if row.step != expected {
            return Err(row.fault(format!(
                "step {} of recording {:?}, expected step {expected}",
                row.step, row.recording
            )));
        }
    }
    Ok(())
}

fn check_length(rows: &[Row], steps: usize) -> Result<(), Fault> {
    let name = &rows[0].recording;
    let (row, what) = match (rows.get(steps), rows.last()) {
        (Some(row), _) => (row, format!("has more than {steps} steps")),
        (None, Some(row)) if rows.len() < steps => {
            (row, format!("ends after {} steps", rows.len()))
        }
        _ => return Ok(()),
    };
    Err(row.fault(format!(
        "recording {name:?} {what}, all must have {steps} like the first one trained on"
    )))
}
