//! Prints the digests on the emulated RISC-V board `virt`.
#![no_std]
#![no_main]

use core::fmt::Write;
use core::panic::PanicInfo;
use riscv_rt::entry;

/// The board's serial port, a 16550.
struct Serial;

impl Write for Serial {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        for byte in s.bytes() {
            // SAFETY: the transmit register of the port.
            unsafe { (0x1000_0000 as *mut u8).write_volatile(byte) }
        }
        Ok(())
    }
}

#[entry]
fn main() -> ! {
    let result = digest::all(&mut |part, value| {
        let _ = writeln!(Serial, "{value:016x} {part}");
    });
    exit(result.is_ok())
}

/// Ends the emulation through the board's test device; the emulator's exit status is 0 or not.
fn exit(ok: bool) -> ! {
    let status: u32 = if ok { 0x5555 } else { 1 << 16 | 0x3333 };
    // SAFETY: the register of the test device.
    unsafe { (0x0010_0000 as *mut u32).write_volatile(status) }
    loop {}
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(Serial, "{info}");
    exit(false)
}

#[riscv_rt::exception(riscv::interrupt::Exception::IllegalInstruction)]
fn illegal(_: &riscv_rt::TrapFrame) -> ! {
    let _ = writeln!(Serial, "illegal instruction");
    exit(false)
}
