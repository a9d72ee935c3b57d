//! The training of the example `threads`: the same bits of every loss and weight, whatever the number of threads.

#[path = "../examples/threads/train.rs"]
mod train;

use bptt::Flat;
use train::{Trained, train};

const ROUNDS: usize = 25;

fn bits(trained: &Trained) -> Vec<u32> {
    let all = trained.losses.iter().chain(trained.net.as_flat());
    all.map(|x| x.to_bits()).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let one = train(1, ROUNDS).unwrap();
    assert_eq!(one.losses.len(), ROUNDS);
    // Something has been learnt: the bits depend on every gradient before.
    assert!(
        one.losses[ROUNDS - 1] < 0.98 * one.losses[0],
        "{:?}",
        one.losses
    );
    // 3 does not divide the number of shards; 16 are more than there are shards.
    for threads in [2, 3, 4, 16] {
        let several = train(threads, ROUNDS).unwrap();
        assert!(
            bits(&several) == bits(&one),
            "{threads} threads: other bits"
        );
    }
}
