//! Takes some recordings out of the data of the example `activity`: one of each class, as Rust source.

use std::env;
use std::fs;
use std::path::Path;

const DATA: &str = "../../../examples/data/basic_motions_test.csv";
/// One recording of each class, in the order of the classes.
const RECORDINGS: [&str; 4] = ["0", "10", "20", "35"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={DATA}");
    let data = fs::read_to_string(DATA).expect(DATA);
    let mut source = String::from("[");
    for recording in RECORDINGS {
        source += "[";
        for row in data.lines() {
            // recording,activity,step, then the six channels
            let mut columns = row.splitn(4, ',');
            if columns.next() == Some(recording) {
                source += &format!("[{}],\n", columns.nth(2).expect(row));
            }
        }
        source += "],\n";
    }
    source += "]";
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("recordings.rs"), source).expect("OUT_DIR can be written");
}
