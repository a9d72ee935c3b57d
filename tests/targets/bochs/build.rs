fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    // A flat image, without an operating system's start.
    for argument in [
        "-nostartfiles",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,--no-eh-frame-hdr",
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{here}/image.x");
    println!("cargo::rerun-if-changed=image.x");
    println!("cargo::rerun-if-changed=build.rs");
}
