//! The engines, and how they are timed: all in one run, on one thread, taking turns, after their
//! results have been compared.
//!
//! Each has the features and flags that it is fastest with. Some engines select their vector
//! instructions when they are compiled, so all of the program is compiled for its processor
//! (`RUSTFLAGS="-C target-cpu=native"`), and stops where it is not. `bptt` needs no such flag: it
//! selects at run time, as onnxruntime and the like do.

mod burn;
mod candle;
mod nam;
mod nexus;
mod onnx;
mod rust_lstm;

use cpu_time::ProcessTime;
use peers::work::{Case, Layer, Run, STEPS, Task, compare};
use peers::{ours, textbook};

/// The names of the engines, in the order of the columns.
pub const NAMES: [&str; 9] = [
    "bptt",
    "nexus-inference",
    "nam-rs",
    "rust-lstm",
    "candle",
    "burn",
    "tract",
    "rten",
    "plain loops",
];

/// The engines that have been given `layer`; none where an engine cannot do the task.
fn engines(layer: &Layer) -> [Option<Run>; NAMES.len()] {
    [
        Some(ours::run(layer)),
        nexus::run(layer),
        nam::run(layer),
        rust_lstm::run(layer),
        candle::run(layer),
        Some(burn::run(layer)),
        onnx::tract(layer),
        onnx::rten(layer),
        Some(textbook::run(layer)),
    ]
}

/// Seconds of processor time, all threads together, which a busy neighbour does not add to: the
/// median over the rounds, and the quartiles.
#[derive(Clone, Copy)]
pub struct Time {
    pub median: f64,
    pub quartiles: (f64, f64),
}

/// Rounds of a measurement, if they do not take too long.
const ROUNDS: usize = 101;
/// No engine is timed over less than this at once.
const TURN: f64 = 200e-6;
/// The rounds of one case should be done in about this time, but there are at least 7.
const BUDGET: f64 = 3.0;
/// What takes longer than this fetches its data into the caches itself.
const LONG: f64 = 20e-3;

/// Compares the results of all engines with ours, then times them.
pub fn measure(case: Case) -> [Option<Time>; NAMES.len()] {
    let layer = Layer::random(case);
    let mut engines = engines(&layer);
    let mut expected = vec![];
    let mut turns = [0; NAMES.len()];
    let mut warm_up = [true; NAMES.len()];
    let mut round = 0.0;
    for (i, run) in engines.iter_mut().enumerate() {
        let Some(run) = run else { continue };
        let mut found = vec![];
        run(Some(&mut found));
        if i == 0 {
            expected = found;
        } else {
            compare(&case, NAMES[i], &found, &expected);
        }
        let start = ProcessTime::now();
        run(None);
        let once = start.elapsed().as_secs_f64();
        turns[i] = (TURN / once).ceil() as usize;
        warm_up[i] = once < LONG;
        round += (turns[i] + usize::from(warm_up[i])) as f64 * once;
    }
    let rounds = ((BUDGET / round) as usize).clamp(7, ROUNDS);
    let mut times = [const { vec![] }; NAMES.len()];
    for _ in 0..rounds {
        for (i, run) in engines.iter_mut().enumerate() {
            let (Some(run), turns) = (run, turns[i]) else {
                continue;
            };
            if warm_up[i] {
                // So that what the others have displaced from the caches is there again.
                run(None);
            }
            let start = ProcessTime::now();
            for _ in 0..turns {
                run(None);
            }
            let runs = match case.task {
                Task::Step => turns * STEPS,
                Task::Forward | Task::Training => turns,
            };
            times[i].push(start.elapsed().as_secs_f64() / runs as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Some(Time {
            median: *times.get(times.len() / 2)?,
            quartiles: (times[times.len() / 4], times[times.len() * 3 / 4]),
        })
    })
}

/// Stops with a message where this program has been compiled for less than the processor has.
fn assert_compiled_for_this_processor() {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = !is_x86_feature_detected!("avx2") || cfg!(target_feature = "avx2");
        let fma = !is_x86_feature_detected!("fma") || cfg!(target_feature = "fma");
        let avx512 = !is_x86_feature_detected!("avx512f") || cfg!(target_feature = "avx512f");
        assert!(
            avx2 && fma && avx512,
            "some engines would be measured below their best: set RUSTFLAGS=\"-C target-cpu=native\""
        );
    }
}

/// Runs `f` where every engine keeps to one thread: candle and rten read the variables, and what
/// runs in rten's own pool of one thread is spared the way there at each call.
pub fn on_one_thread(f: impl FnOnce() + Send) {
    assert_compiled_for_this_processor();
    // SAFETY: no other thread has been started yet that could read the environment.
    unsafe {
        std::env::set_var("RAYON_NUM_THREADS", "1");
        std::env::set_var("RTEN_NUM_THREADS", "1");
    }
    rten::thread_pool().run(f);
}
