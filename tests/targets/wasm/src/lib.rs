//! The digests as a WebAssembly module; `run.mjs` is the other side.
#![cfg_attr(target_family = "wasm", no_std)]

#[cfg_attr(target_family = "wasm", link(wasm_import_module = "env"))]
unsafe extern "C" {
    fn emit(name: *const u8, len: usize, value: u64);
}

/// Whether every part ran to its end.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> bool {
    // SAFETY: `emit` reads `len` bytes of a `str` before it returns.
    digest::all(&mut |part, value| unsafe { emit(part.as_ptr(), part.len(), value) }).is_ok()
}

#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
