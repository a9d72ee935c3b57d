//! Networks for C: modules and headers as the example `import` writes them, in one static library.
#![cfg_attr(target_os = "none", no_std)]

pub mod activity;
pub mod activity_i8;
pub mod activity_i8_proof;
pub mod activity_proof;

// Without `std` a library must have a panic handler. Nothing refers to this one, so that it is left out;
// if anything did, the image would not link, since nobody defines the function.
#[cfg(target_os = "none")]
unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: it is never called, for the image does not link if it could be.
    unsafe { a_panic_can_be_reached() }
}
