//! Prints the digests on the emulator Bochs, which has processors with AVX-512.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

use bptt::Backend;

// At the start of the image; `boot.s` calls it.
global_asm!(
    ".section .text.start,\"ax\"",
    ".globl start",
    "start: jmp run",
    ".text"
);

/// The emulator prints what is written to port 0xe9.
struct Port;

impl Write for Port {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        s.bytes().for_each(|byte| out(0xe9, byte));
        Ok(())
    }
}

fn out(port: u16, byte: u8) {
    // SAFETY: neither port of this program reaches memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") byte, options(nomem, nostack)) }
}

#[unsafe(no_mangle)]
extern "C" fn run() -> ! {
    if bptt::backend() != Backend::Avx512 {
        let _ = writeln!(Port, "this is {:?}", bptt::backend());
        end();
    }
    let result = digest::all(&mut |part, value| {
        let _ = writeln!(Port, "{value:016x} {part}");
    });
    if result.is_err() {
        let _ = writeln!(Port, "{result:?}");
    }
    end()
}

/// Ends the emulation.
fn end() -> ! {
    "Shutdown".bytes().for_each(|byte| out(0x8900, byte));
    loop {}
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(Port, "{info}");
    end()
}

// What the compiler takes for granted of a C library.

/// # Safety
/// As of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("rep movsb", inout("rcx") n => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack))
    }
    to
}

/// # Safety
/// As of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= n {
        // SAFETY: the caller's promise, and upwards nothing is overwritten before it is read.
        return unsafe { memcpy(to, from, n) };
    }
    let (last_to, last_from) = (
        to.wrapping_add(n).wrapping_sub(1),
        from.wrapping_add(n).wrapping_sub(1),
    );
    // SAFETY: the caller's promise.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") n => _, inout("rdi") last_to => _, inout("rsi") last_from => _, options(nostack))
    }
    to
}

/// # Safety
/// As of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("rep stosb", inout("rcx") n => _, inout("rdi") to => _, in("al") byte as u8, options(nostack))
    }
    to
}

/// # Safety
/// As of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        // SAFETY: the caller's promise.
        let (a, b) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// # Safety
/// As of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(a, b, n) }
}

/// The unwinder's, which nothing calls: a panic ends the emulation.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
