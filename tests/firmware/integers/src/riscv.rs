//! The board `virt`, which prints through its serial port, a 16550.

use core::fmt::{Arguments, Write};

use riscv as _; // for its critical section
pub use riscv_rt::entry;

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

pub fn print(line: Arguments) {
    let _ = writeln!(Serial, "{line}");
}

/// Ends the emulation through the board's test device; the emulator's exit status is 0 or not.
pub fn exit(ok: bool) -> ! {
    let status: u32 = if ok { 0x5555 } else { 1 << 16 | 0x3333 };
    // SAFETY: the register of the test device.
    unsafe { (0x0010_0000 as *mut u32).write_volatile(status) }
    loop {}
}
