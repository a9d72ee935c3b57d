//! Without MPI: threads instead of processes give the bits of the plain loop, and what the comparison rests on holds.

use std::path::Path;
use std::thread;

use bptt::Flat;
use cluster::data::{Recording, read_training};
use cluster::{Alone, DATA, Net, ROW, Row, SHARDS, Shard, Workers, shards_of, sum, train};

const ROUNDS: usize = 40;

fn recordings() -> Vec<Recording> {
    let file = Path::new(DATA).join("basic_motions_train.csv");
    read_training(&file).unwrap().1
}

/// Threads, as in `examples/threads`, each with the shards that a process has.
struct Threads<'a> {
    shards: Vec<Shard<'a>>,
    threads: usize,
}

impl<'a> Threads<'a> {
    fn new(threads: usize, recordings: &'a [Recording]) -> Self {
        let shards = (0..SHARDS).map(|number| Shard::new(number, recordings));
        Threads {
            shards: shards.collect(),
            threads,
        }
    }
}

impl Workers for Threads<'_> {
    fn rows(&mut self, net: &Net, rows: &mut [Row; SHARDS]) {
        let mut pairs = self.shards.iter_mut().zip(rows);
        thread::scope(|scope| {
            for thread in 0..self.threads {
                let count = shards_of(thread, self.threads).len();
                let own: Vec<_> = pairs.by_ref().take(count).collect();
                scope.spawn(move || own.into_iter().for_each(|(shard, row)| shard.row(net, row)));
            }
        });
    }
}

#[test]
fn any_number_of_threads_gives_the_bits_of_the_loop() {
    let recordings = recordings();
    let alone = train(&recordings, ROUNDS, &mut Alone::new(&recordings)).unwrap();
    let (first, last) = (alone.losses[0], alone.losses[ROUNDS - 1]);
    assert!(last < 0.5 * first, "learnt nothing: {first} to {last}");
    for threads in [1, 2, 3, 4, 8, 11] {
        let several = train(&recordings, ROUNDS, &mut Threads::new(threads, &recordings));
        let several = several.unwrap();
        assert_eq!(several.digest(), alone.digest(), "{threads} threads");
        assert!(several.net.as_flat() == alone.net.as_flat());
    }
}

/// Otherwise the other tests could not fail.
#[test]
fn another_order_or_other_shards_give_other_bits() {
    let recordings = recordings();
    let mut rows = [[0.0; ROW]; SHARDS];
    Alone::new(&recordings).rows(&Net::zeros(), &mut rows);
    assert_ne!(sum(&rows), sum(rows.iter().rev()));
    let halves = [sum(&rows[..SHARDS / 2]), sum(&rows[SHARDS / 2..])];
    assert_ne!(sum(&rows), sum(&halves));
}

#[test]
fn every_shard_has_one_worker() {
    for workers in 1..=3 * SHARDS {
        let shards = (0..workers).flat_map(|worker| shards_of(worker, workers));
        assert!(shards.eq(0..SHARDS), "{workers} workers");
        let count = |worker| shards_of(worker, workers).len();
        let least = SHARDS / workers;
        assert!((0..workers).all(|worker| (least..=least + 1).contains(&count(worker))));
    }
}

/// Halves before halves: ((0 + 1) + (2 + 3)) + …
fn tree(rows: &[Row]) -> Row {
    match rows {
        [row] => *row,
        _ => {
            let (left, right) = rows.split_at(rows.len() / 2);
            sum(&[tree(left), tree(right)])
        }
    }
}

/// What the README says of a tree over shards: each process adds up its own part, then they add what they have in pairs, at
/// distances 1, 2, 4, …, and all have the sum.
#[test]
fn a_tree_over_shards_has_the_same_bits_in_any_number_of_processes() {
    let recordings = recordings();
    let mut rows = [[0.0; ROW]; SHARDS];
    Alone::new(&recordings).rows(&Net::zeros(), &mut rows);
    for processes in [1, 2, 4, 8] {
        let mut sums: Vec<Row> = rows.chunks(SHARDS / processes).map(tree).collect();
        let distances = (0..).map(|k| 1 << k).take_while(|d| *d < processes);
        for distance in distances {
            let of_pair = |process: usize| sum(&[sums[process], sums[process ^ distance]]);
            sums = (0..processes).map(of_pair).collect();
        }
        assert!(sums.iter().all(|sum| *sum == tree(&rows)));
    }
    assert_ne!(tree(&rows), sum(&rows));
}
