//! Prints the digests on a target with a C library. Not through std, whose build for a
//! target takes three times as long as core's.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int, c_ulonglong};
use core::panic::PanicInfo;

unsafe extern "C" {
    fn printf(format: *const c_char, ...) -> c_int;
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: it may be called anywhere.
    unsafe { abort() }
}

#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    let result = digest::all(&mut |part, value| {
        // SAFETY: the arguments are those of the format, and the length is that of the string.
        unsafe {
            printf(
                c"%016llx %.*s\n".as_ptr(),
                value as c_ulonglong,
                part.len() as c_int,
                part.as_ptr(),
            );
        }
    });
    result.is_err().into()
}
