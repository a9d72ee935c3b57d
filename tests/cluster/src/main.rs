//! One of the processes of a training over MPI.
//!
//! ```text
//! mpirun -n 2 cluster ROUNDS TRAININGS FILE
//! ```
//!
//! trains that often on the recordings of the file, and the first process prints the row of the best time for the table in the
//! README. All trainings and all processes must end with the same bits; that another number of processes gives the same is for
//! `tests/processes.rs`.

use std::env;
use std::error::Error;
use std::ops::Range;
use std::panic;
use std::path::Path;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use cluster::data::{Recording, read_test, read_training};
use cluster::{DATA, Net, ROW, Row, SHARDS, Shard, Workers, shards_of, train};
use mpi::Count;
use mpi::datatype::PartitionMut;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;

/// All processes of the world; this one computes its own shards.
struct Processes<'a> {
    world: &'a SimpleCommunicator,
    shards: Vec<Shard<'a>>,
    own: Vec<Row>,
    /// How many scalars each process sends, and where they belong.
    counts: Vec<Count>,
    starts: Vec<Count>,
    /// Time in the collective operation, where this process also waits for the slowest.
    exchanging: Duration,
}

impl<'a> Processes<'a> {
    fn new(world: &'a SimpleCommunicator, recordings: &'a [Recording]) -> Self {
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        let shards: Vec<Range<usize>> = (0..size).map(|rank| shards_of(rank, size)).collect();
        let scalars = |rows: usize| (rows * ROW) as Count;
        let own = shards[rank].clone();
        Processes {
            world,
            own: vec![[0.0; ROW]; own.len()],
            shards: own.map(|number| Shard::new(number, recordings)).collect(),
            counts: shards.iter().map(|s| scalars(s.len())).collect(),
            starts: shards.iter().map(|s| scalars(s.start)).collect(),
            exchanging: Duration::ZERO,
        }
    }
}

impl Workers for Processes<'_> {
    /// Each process sends its rows to all others: one collective operation a step.
    fn rows(&mut self, net: &Net, rows: &mut [Row; SHARDS]) {
        for (shard, row) in self.shards.iter_mut().zip(&mut self.own) {
            shard.row(net, row);
        }
        let start = Instant::now();
        let all = rows.as_flattened_mut();
        let mut all = PartitionMut::new(all, &self.counts[..], &self.starts[..]);
        let own = self.own.as_flattened();
        self.world.all_gather_varcount_into(own, &mut all);
        self.exchanging += start.elapsed();
    }
}

fn main() -> ExitCode {
    // A process that panics must end and not wait for the others; mpirun then ends those.
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tell(panic);
        process::abort();
    }));
    let Some(universe) = mpi::initialize() else {
        eprintln!("MPI has been initialised before");
        return ExitCode::FAILURE;
    };
    let world = universe.world();
    match run(&world) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("process {}: {error}", world.rank());
            world.abort(1) // The others may wait for this one.
        }
    }
}

fn run(world: &SimpleCommunicator) -> Result<(), Box<dyn Error>> {
    bptt::check_float_environment()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [rounds, trainings, file] = &arguments[..] else {
        return Err("expected the arguments ROUNDS TRAININGS FILE".into());
    };
    let (rounds, trainings) = (rounds.parse()?, trainings.parse::<usize>()?);
    let (classes, recordings) = read_training(file.as_ref())?;
    let test = Path::new(DATA).join("basic_motions_test.csv");
    let test = read_test(&test, &classes, recordings[0].samples.len())?;

    let (mut best, mut exchanging, mut digest, mut right) = (Duration::MAX, Duration::MAX, 0, 0);
    for training in 0..trainings {
        let mut workers = Processes::new(world, &recordings);
        world.barrier();
        let start = Instant::now();
        let trained = train(&recordings, rounds, &mut workers)?;
        let elapsed = start.elapsed();
        if elapsed < best {
            (best, exchanging) = (elapsed, workers.exchanging);
        }
        if training > 0 && digest != trained.digest() {
            return Err("the same training has given other bits".into());
        }
        digest = trained.digest();
        right = trained.right(&test);
    }

    let processes = world.size() as usize;
    let mut digests = vec![0; processes];
    world.all_gather_into(&digest, &mut digests[..]);
    if digests.iter().any(|other| *other != digest) {
        return Err(format!("not the same bits in all processes: {digests:x?}").into());
    }
    if world.rank() == 0 {
        let milliseconds = |time: Duration| 1e3 * time.as_secs_f64() / rounds as f64;
        let received = (SHARDS - shards_of(0, processes).len()) * ROW * size_of::<f32>();
        println!(
            "| {processes} | {:.3} | {:.3} | {received} | {right} of {} | {digest:016x} |",
            milliseconds(best),
            milliseconds(exchanging),
            test.len(),
        );
    }
    Ok(())
}
