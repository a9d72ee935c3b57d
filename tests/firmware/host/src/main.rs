//! The job of the firmware on the host, with the argument `integers` that in integers. What it prints is
//! what the device must print.

#[allow(dead_code)] // of which this needs no more than `Stream`
#[path = "../../../../examples/activity/model.rs"]
mod model;

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("integers") {
        job::Integers::new().run(&mut |line| println!("{line}"))?;
        return Ok(());
    }
    is_that_of_the_example()?;
    job::classify(&mut |line| println!("{line}"));
    job::Learner::new().learn(&mut |line| println!("{line}"))?;
    Ok(())
}

/// The network of the firmware says what that of the example `activity` says, after every sample.
fn is_that_of_the_example() -> Result<(), Box<dyn Error>> {
    let net = model::Net::from(model::NetRef {
        cell: &job::CELL,
        head: &job::HEAD,
    });
    for recording in &job::RECORDINGS {
        let mut example = model::Stream::new(&net);
        let mut firmware = job::Stream::new(&job::CELL, &job::HEAD);
        for sample in recording {
            let (example, firmware) = (example.push(*sample), firmware.push(*sample));
            if example.map(f32::to_bits) != firmware.map(f32::to_bits) {
                return Err(
                    format!("the example has {example:?}, the firmware {firmware:?}").into(),
                );
            }
        }
    }
    Ok(())
}
