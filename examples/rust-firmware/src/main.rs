//! Firmware that runs two programs compiled by thumbpf, one that was linked and one that it loads. Both call helpers in Rust and C.
#![no_std]
#![no_main]

mod board;
mod helpers;
mod loader;
mod start;
mod thumbpf;

use loader::{Helper, Place};

extern "C" {
    /// fan.c, compiled by thumbpf.
    fn fan(ctx: *mut u8, len: u32, env: *mut thumbpf::Env) -> u64;
    /// helpers.c
    fn scale(value: i32, factor: i64, shift: u8) -> i32;
}

/// `struct fan` of fan.c.
#[repr(C)]
#[derive(Default)]
struct Fan {
    celsius: i16,
    percent: u8,
    boost: bool,
    changes: u32,
}

/// average.c, compiled by thumbpf: an image that could as well have come over a wire.
static AVERAGE: &[u8] = include_bytes!(concat!(env!("PROGRAMS"), "/average.tbpf"));

/// What an image may call.
static HELPERS: [Helper; 2] = [
    Helper::new(64, helpers::temperature as *const (), "s16(u8)\0"),
    Helper::new(68, scale as *const (), "s32(s32,s64,u8)\0"),
];

/// The firmware's work, called by start.rs.
pub fn run() {
    run_linked();
    let mut place = Place::<64, 16>::new();
    run_loaded(&mut place, &AVERAGE[..AVERAGE.len() - 1]); // cut short
    run_loaded(&mut place, AVERAGE);
}

fn run_linked() {
    let mut state = Fan::default();
    for _ in 0..5 {
        match unsafe { thumbpf::call(fan, &mut state) } {
            Ok(_) => board::print(format_args!(
                "{} degrees: {} %, boost {}, {} changes\n",
                state.celsius, state.percent, state.boost, state.changes
            )),
            Err(trap) => board::print(format_args!("trap {} at 0x{:08x}\n", trap.code, trap.address)),
        }
    }
}

fn run_loaded<const CODE: usize, const DATA: usize>(place: &mut Place<CODE, DATA>, image: &'static [u8]) {
    let mut program = match place.load(image, &HELPERS) {
        Ok(program) => program,
        Err(refused) => return board::print(format_args!("not loaded: {}\n", refused)),
    };
    for _ in 0..5 {
        match unsafe { program.call(&mut ()) } {
            Ok(average) => board::print(format_args!("average {}\n", average as i32)),
            Err(trap) => board::print(format_args!("trap {} at instruction {}\n", trap.code, trap.instruction)),
        }
    }
}
