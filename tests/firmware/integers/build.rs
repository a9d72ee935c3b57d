use std::env;

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").unwrap();
    // What the linker script of each architecture's runtime leaves to the board.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("arm") {
        println!("cargo::rustc-link-search={here}/microbit");
    } else {
        println!("cargo::rustc-link-search={here}/virt");
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=microbit/memory.x");
    println!("cargo::rerun-if-changed=virt/memory.x");
    println!("cargo::rerun-if-changed=build.rs");
}
