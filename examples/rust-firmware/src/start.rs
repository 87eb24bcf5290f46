//! From reset to `run`: the vector table, the memory that Rust expects, and what becomes of faults and panics.

use crate::board;
use core::arch::global_asm;
use core::panic::PanicInfo;
use core::ptr::{addr_of, addr_of_mut, read_volatile};

extern "C" {
    // Of firmware.ld; only their addresses mean something.
    static __stack_top: u32;
    static __data_load: u32;
    static mut __data_start: u32;
    static __data_end: u32;
    static mut __bss_start: u32;
    static __bss_end: u32;
    fn hard_fault_entry();
}

#[repr(C)]
union Vector {
    stack: *const u32,
    handler: unsafe extern "C" fn(),
    none: usize,
}

// Read by the processor alone.
unsafe impl Sync for Vector {}

/// The initial SP, and the handlers of exceptions 1 to 15. What is not handled escalates to HardFault.
#[used]
#[link_section = ".vectors"]
#[allow(unused_unsafe)] // To take the address of an extern static is safe since Rust 1.82.
static VECTORS: [Vector; 16] = {
    const NONE: Vector = Vector { none: 0 };
    let mut vectors = [NONE; 16];
    vectors[0] = Vector { stack: unsafe { addr_of!(__stack_top) } };
    vectors[1] = Vector { handler: reset };
    vectors[3] = Vector { handler: hard_fault_entry };
    vectors
};

/// Copies what has first values, zeroes the rest, goes on in the program.
#[no_mangle]
unsafe extern "C" fn reset() {
    let mut from = addr_of!(__data_load);
    let mut to = addr_of_mut!(__data_start);
    while (to as *const u32) < addr_of!(__data_end) {
        to.write_volatile(from.read());
        to = to.add(1);
        from = from.add(1);
    }
    to = addr_of_mut!(__bss_start);
    while (to as *const u32) < addr_of!(__bss_end) {
        to.write_volatile(0);
        to = to.add(1);
    }
    crate::run();
    board::exit(0);
}

// The registers that the processor pushed are on the stack that was in use: its address is the argument.
global_asm!(
    ".thumb_func",
    ".global hard_fault_entry",
    "hard_fault_entry:",
    "tst lr, #4",
    "ite eq",
    "mrseq r0, msp",
    "mrsne r0, psp",
    "b hard_fault",
);

/// Registers as an exception pushes them.
#[repr(C)]
struct Frame {
    r0: u32,
    r1: u32,
    r2: u32,
    r3: u32,
    r12: u32,
    lr: u32,
    pc: u32,
    xpsr: u32,
}

#[no_mangle]
unsafe extern "C" fn hard_fault(frame: *const Frame) -> ! {
    const CFSR: *const u32 = 0xe000_ed28 as *const u32;
    let cfsr = read_volatile(CFSR);
    // UsageFault's INVSTATE: the address that was called had bit 0 clear.
    let name = if cfsr & 1 << 17 != 0 { " INVSTATE" } else { "" };
    board::print(format_args!("fault at 0x{:08x}: CFSR 0x{:08x}{}\n", (*frame).pc, cfsr, name));
    board::exit(2);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::print(format_args!("{}\n", info));
    board::exit(1);
}
