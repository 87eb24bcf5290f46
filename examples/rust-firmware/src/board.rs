//! The board: QEMU's mps2-an386, a Cortex-M4. Text goes to its first UART, and the end is told by semihosting.

use core::arch::asm;
use core::fmt::{Arguments, Write};
use core::ptr::{read_volatile, write_volatile};

const UART: usize = 0x4000_4000;
const DATA: *mut u32 = UART as *mut u32;
const STATE: *mut u32 = (UART + 4) as *mut u32;
const CONTROL: *mut u32 = (UART + 8) as *mut u32;
const DIVISOR: *mut u32 = (UART + 16) as *mut u32;

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        unsafe {
            write_volatile(DIVISOR, 16);
            write_volatile(CONTROL, 1); // transmit
            for byte in text.bytes() {
                while read_volatile(STATE) & 1 != 0 {} // full
                write_volatile(DATA, u32::from(byte));
            }
        }
        Ok(())
    }
}

/// Writes to the serial line; returns when all is in the transmitter.
pub fn print(text: Arguments) {
    let _ = Serial.write_fmt(text);
}

/// Ends QEMU with this status (semihosting's SYS_EXIT_EXTENDED).
pub fn exit(status: u32) -> ! {
    const APPLICATION_EXIT: u32 = 0x2_0026;
    let arguments = [APPLICATION_EXIT, status];
    unsafe {
        while read_volatile(STATE) & 1 != 0 {} // the last byte
        asm!("bkpt #0xab", inout("r0") 0x20 => _, in("r1") arguments.as_ptr());
    }
    loop {}
}
