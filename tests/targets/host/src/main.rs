//! Prints the digests on a target with std, after it made sure of the instruction set it was asked for.
use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let backend = format!("{:?}", bptt::backend()).to_lowercase();
    if let Some(asked) = env::args().nth(1).filter(|asked| *asked != backend) {
        return Err(format!("{asked} was asked for, this is {backend}").into());
    }
    digest::all(&mut |part, value| println!("{value:016x} {part}"))?;
    Ok(())
}
