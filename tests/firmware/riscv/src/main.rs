//! The job as firmware for a RISC-V controller: the board `virt` of the emulator, without a floating-point unit.
#![no_std]
#![no_main]

use core::fmt::Write;
use core::panic::PanicInfo;
use core::ptr::addr_of_mut;

use job::Learner;
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
    static mut LEARNER: Learner = Learner::new();
    // SAFETY: `main` is called once, and nobody else knows the name.
    let learner = unsafe { &mut *addr_of_mut!(LEARNER) };

    let mut print = |line: core::fmt::Arguments| {
        let _ = writeln!(Serial, "{line}");
    };
    job::classify(&mut print);
    let result = learner.learn(&mut print);
    exit(result.is_ok())
}

/// Ends the emulation through the board's test device; the emulator's exit status is 0 or not.
fn exit(ok: bool) -> ! {
    let status: u32 = if ok { 0x5555 } else { 1 << 16 | 0x3333 };
    // SAFETY: the register of the test device.
    unsafe { (0x0010_0000 as *mut u32).write_volatile(status) }
    loop {}
}

/// For what is not a kernel: printing can panic.
#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let _ = writeln!(Serial, "{info}");
    exit(false)
}
