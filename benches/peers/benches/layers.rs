//! The same layers in `bptt` and in other engines, as tables (`benches/RESULTS.md`):
//!
//! ```text
//! export RUSTFLAGS="-C target-cpu=native"    which nexus-inference needs, and bptt does not
//! cargo bench --bench layers                 all of it, some minutes
//! cargo bench --bench layers -- training     some of step, forward, training
//! cargo bench --bench layers -- gru step     and some of lstm, gru, rnn
//! ```
//!
//! Same weights, same inputs, results compared before anything is timed, one thread, all engines
//! taking turns in one run (`engines/mod.rs`). A cell of a table is the median of the processor
//! time, and how many times our median that is. A dash: the engine has no such thing. What else an
//! engine does that the others do not, or does in f64, the first lines of its file say.

mod engines;

use engines::{NAMES, Time, measure, on_one_thread};
use peers::work::{Case, Cell, Task};

/// Three digits at least.
fn digits(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// The sizes (x, a, m).
fn table(title: &str, cell: Cell, task: Task, sizes: &[(usize, usize, usize)]) -> Vec<Time> {
    let (unit, scale) = match task {
        Task::Step => ("ns", 1e9),
        Task::Forward | Task::Training => ("µs", 1e6),
    };
    println!("\n{title}, {unit}:\n");
    let mut all = vec![];
    let mut columns = [false; NAMES.len()];
    let mut rows = vec![];
    for &(x, a, m) in sizes {
        let times = measure(Case {
            cell,
            task,
            x,
            a,
            m,
        });
        for (column, time) in columns.iter_mut().zip(times) {
            *column |= time.is_some();
        }
        all.extend(times.into_iter().flatten());
        rows.push((x, a, m, times));
    }
    let names = NAMES.iter().zip(columns).filter(|(_, used)| *used);
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    println!("| (X, A) | M | {} |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(names.len()));
    for (x, a, m, times) in rows {
        print!("| ({x}, {a}) | {m} |");
        let ours = times[0].map_or(f64::NAN, |time| time.median);
        for (i, time) in times.iter().enumerate().filter(|(i, _)| columns[*i]) {
            match time {
                None => print!(" – |"),
                Some(time) if i == 0 => print!(" **{}** |", digits(scale * time.median)),
                Some(time) => print!(
                    " {} ({:.1}×) |",
                    digits(scale * time.median),
                    time.median / ours
                ),
            }
        }
        println!();
    }
    all
}

/// The word that chooses a cell, and how the titles call it.
const CELLS: [(&str, (Cell, &str)); 3] = [
    ("lstm", (Cell::Lstm, "LSTM")),
    ("gru", (Cell::Gru, "GRU")),
    ("rnn", (Cell::Rnn, "Plain RNN")),
];
const TASKS: [(&str, (Task, &str)); 3] = [
    (
        "step",
        (Task::Step, "one step of inference, state fed back"),
    ),
    ("forward", (Task::Forward, "100 steps forward")),
    (
        "training",
        (Task::Training, "100 steps forward and backward"),
    ),
];

/// Those that the words name, which are taken out of them; all where no word names one.
fn choose<T>(all: [(&str, T); 3], words: &mut Vec<String>) -> Vec<T> {
    let named = all
        .each_ref()
        .map(|(name, _)| words.iter().any(|word| word == name));
    words.retain(|word| all.iter().all(|(name, _)| word != name));
    let none = named == [false; 3];
    let chosen = all
        .into_iter()
        .zip(named)
        .filter(|(_, named)| none || *named);
    chosen.map(|((_, one), _)| one).collect()
}

fn main() {
    let words = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let mut words: Vec<String> = words.collect();
    let (cells, tasks) = (choose(CELLS, &mut words), choose(TASKS, &mut words));
    assert!(words.is_empty(), "neither a cell nor a task: {words:?}");
    on_one_thread(|| {
        println!("Instruction set of bptt: {:?}", bptt::backend());
        let lstm_steps = [
            (1, 8, 1),
            (1, 16, 1),
            (1, 20, 1),
            (1, 24, 1),
            (1, 32, 1),
            (1, 40, 1),
            (8, 8, 1),
            (16, 32, 1),
            (32, 64, 1),
            (64, 128, 1),
            (128, 256, 1),
        ];
        let gru_steps = [
            (8, 8, 1),
            (16, 32, 1),
            (32, 64, 1),
            (64, 128, 1),
            (128, 256, 1),
        ];
        let sequences = [(32, 64), (64, 128), (128, 256)];
        let sequences = sequences.map(|(x, a)| [1, 8, 32].map(|m| (x, a, m)));
        let (sequences, rnn) = (sequences.as_flattened(), [(32, 64, 1), (32, 64, 32)]);
        let mut times = vec![];
        for &(task, what) in &tasks {
            for &(cell, name) in &cells {
                let sizes: &[_] = match (cell, task) {
                    (Cell::Lstm, Task::Step) => &lstm_steps,
                    (Cell::Gru, Task::Step) => &gru_steps,
                    (Cell::Rnn, Task::Step) => continue,
                    (Cell::Lstm | Cell::Gru, _) => sequences,
                    (Cell::Rnn, _) => &rnn,
                };
                times.extend(table(&format!("{name}, {what}"), cell, task, sizes));
            }
        }
        let spread = times.iter().map(|time| {
            let (lower, upper) = time.quartiles;
            100.0 * (upper - lower) / time.median
        });
        let mut spread: Vec<f64> = spread.collect();
        spread.sort_by(f64::total_cmp);
        if let [.., largest] = spread[..] {
            println!(
                "\nHalf of the rounds lie within {:.0} % of their median (median over the tables; \
                 {largest:.0} % at most).",
                spread[spread.len() / 2]
            );
        }
    });
}
