//! A RISC-V controller of the board `virt`, which prints through its serial port.

use core::fmt::{Arguments, Write};
use core::hint::black_box;

use riscv::register::minstret;

/// Counts instructions: the processor has a counter of them, which is exact under `-icount shift=0`.
pub struct Counter(());

impl Counter {
    pub fn new() -> Option<Self> {
        Some(Self(()))
    }

    /// Instructions of `calls` calls of `f`: no more than 32 bits hold.
    #[inline(never)]
    pub fn count(&mut self, calls: u32, f: &mut dyn FnMut()) -> u32 {
        let f = black_box(f);
        let start = minstret::read64();
        for _ in 0..calls {
            f();
        }
        let count = minstret::read64() - start;
        assert!(count <= u64::from(u32::MAX));
        count as u32
    }
}

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
