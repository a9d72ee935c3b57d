//! The same bits everywhere, on this host: some of the trainings that `.ci/targets` runs on every target have
//! here, too, the digests that are committed.

#[allow(dead_code)] // Not all trainings are run here: each shape takes seconds to compile.
#[path = "targets/digest/src/fold.rs"]
mod fold;
#[path = "targets/digest/src/integers.rs"]
mod integers;
#[allow(dead_code)]
#[path = "targets/digest/src/parts.rs"]
mod parts;

#[test]
fn the_digests_are_those_of_every_target() {
    let committed = include_str!("targets/digests.txt");
    let mut compared = 0;
    let mut compare = |part: &str, digest| {
        let line = format!("{digest:016x} {part}");
        assert!(
            committed.lines().any(|committed| committed == line),
            "{line} is not in tests/targets/digests.txt"
        );
        compared += 1;
    };
    parts::few(&mut compare).unwrap();
    integers::integers(&mut compare);
    assert_eq!(compared, 23);
}
