//! Helpers in Rust: functions by the C ABI that the linker finds by name. Their prototypes are those of helpers.h.

use crate::board;
use core::sync::atomic::{AtomicU32, Ordering};

static STEPS: AtomicU32 = AtomicU32::new(0);

/// Degrees Celsius. QEMU has no sensor: each call gives the next of a few values.
#[no_mangle]
pub extern "C" fn temperature(_channel: u8) -> i16 {
    const READINGS: [i16; 5] = [-5, 21, 38, 61, 40];
    READINGS[STEPS.fetch_add(1, Ordering::Relaxed) as usize % READINGS.len()]
}

/// Microseconds.
#[no_mangle]
pub extern "C" fn now() -> u64 {
    0x1_0000_0000 + 1000 * u64::from(STEPS.load(Ordering::Relaxed))
}

/// # Safety
///
/// `text` must end with a zero byte.
#[no_mangle]
pub unsafe extern "C" fn report(code: u32, at: u64, text: *const u8) {
    board::print(format_args!("  at {} us: ", at));
    let mut byte = text;
    while *byte != 0 {
        board::print(format_args!("{}", char::from(*byte)));
        byte = byte.add(1);
    }
    board::print(format_args!(" {}\n", code));
}
