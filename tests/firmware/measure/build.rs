use std::env;

fn main() {
    println!("cargo::rerun-if-changed=arm/memory.x");
    println!("cargo::rerun-if-changed=riscv/memory.x");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return; // The host has no board.
    }
    let here = env::var("CARGO_MANIFEST_DIR").unwrap();
    // What the linker script of each architecture's runtime leaves to the board.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("arm") {
        println!("cargo::rustc-link-search={here}/arm");
    } else {
        println!("cargo::rustc-link-search={here}/riscv");
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
