//! Programs that are loaded at run time: what runtime/thumbpf.h declares, for one program at a time. The C functions check the
//! image, place it and bind its helpers. helpers.c checks the sizes of the structures here.

use core::fmt;
use core::mem::{size_of, zeroed};
use core::ptr::{null, null_mut};

/// `struct thumbpf_helper`: a function that images may call by its number.
#[repr(C)]
pub struct Helper {
    number: u32,
    function: *const (),
    prototype: *const u8,
}

// Nobody writes through its pointers.
unsafe impl Sync for Helper {}

impl Helper {
    /// `prototype` is in the types of thumbpf.h and ends with a zero byte, as in `"s16(u8)\0"`. An image that has another one for this
    /// number is refused.
    pub const fn new(number: u32, function: *const (), prototype: &'static str) -> Helper {
        let bytes = prototype.as_bytes();
        assert!(bytes[bytes.len() - 1] == 0);
        Helper { number, function, prototype: prototype.as_ptr() }
    }
}

/// Memory for one program: words of code, and double words of data.
pub struct Place<const CODE: usize, const DATA: usize> {
    programs: Programs,
    program: RawProgram,
    code: [u32; CODE],
    data: [u64; DATA],
}

impl<const CODE: usize, const DATA: usize> Place<CODE, DATA> {
    pub const fn new() -> Self {
        Place { programs: Programs::NONE, program: RawProgram([0; 13]), code: [0; CODE], data: [0; DATA] }
    }

    /// Loads an image, whose constants stay where they are. The place must be in RAM that the processor may execute.
    pub fn load<'a>(
        &'a mut self,
        image: &'static [u8],
        helpers: &'static [Helper],
    ) -> Result<Program<'a>, Refused> {
        self.programs = Programs::NONE;
        let setup = Setup {
            helpers: helpers.as_ptr(),
            helper_count: helpers.len() as u32,
            maps: null(),
            map_count: 0,
            code: Memory { at: self.code.as_mut_ptr().cast(), size: 4 * CODE as u32 },
            data: Memory { at: self.data.as_mut_ptr().cast(), size: 8 * DATA as u32 },
            most_stack: 0,
            transient: 0,
        };
        let (list, program, name) = (&mut self.programs, &mut self.program, b"program\0".as_ptr());
        let status = unsafe { thumbpf_load(list, program, name, image.as_ptr(), image.len() as u32, &setup) };
        match status {
            0 => Ok(Program { programs: list, program }),
            _ => Err(Refused { status, detail: list.detail }),
        }
    }
}

/// Why an image was not loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub status: u8,
    pub detail: u32,
}

/// The status by its name in thumbpf.h.
impl fmt::Display for Refused {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        let mut byte = unsafe { thumbpf_status_name(self.status) };
        unsafe {
            while *byte != 0 {
                write!(to, "{}", char::from(*byte))?;
                byte = byte.add(1);
            }
        }
        Ok(())
    }
}

/// A program that is loaded, until it is dropped.
pub struct Program<'a> {
    programs: &'a mut Programs,
    program: &'a mut RawProgram,
}

/// How a program ends that does not return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// 1: an atomic operation on an address that is not a multiple of its size. 2: callx of what is no helper.
    pub code: u32,
    /// The BPF instruction, from 0; -1 if it is not known.
    pub instruction: i32,
}

impl Program<'_> {
    /// Runs it: its R1 is `ctx`, its R2 the size of `T`, and the answer its R0.
    ///
    /// # Safety
    ///
    /// As that of `thumbpf::call`.
    pub unsafe fn call<T>(&mut self, ctx: &mut T) -> Result<u64, Trap> {
        let mut result: CallResult = zeroed();
        thumbpf_call(self.program, (ctx as *mut T).cast(), size_of::<T>() as u32, &mut result);
        match result.trap {
            0 => Ok(result.r0),
            code => Err(Trap { code, instruction: result.instruction }),
        }
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        unsafe { thumbpf_unload(self.programs, self.program) };
    }
}

/// `struct thumbpf_program`: what is in it is known to C alone.
#[repr(C)]
struct RawProgram([usize; 13]);

/// `struct thumbpf_programs`.
#[repr(C)]
struct Programs {
    first: *mut RawProgram,
    detail: u32,
}

impl Programs {
    const NONE: Programs = Programs { first: null_mut(), detail: 0 };
}

/// `struct thumbpf_memory`.
#[repr(C)]
struct Memory {
    at: *mut u8,
    size: u32,
}

/// `struct thumbpf_setup`.
#[repr(C)]
struct Setup {
    helpers: *const Helper,
    helper_count: u32,
    maps: *const u8,
    map_count: u32,
    code: Memory,
    data: Memory,
    most_stack: u32,
    transient: i32,
}

/// `struct thumbpf_result`.
#[repr(C)]
struct CallResult {
    r0: u64,
    trap: u32,
    offset: u32,
    instruction: i32,
}

// A status is an enumeration, for which arm-none-eabi-gcc takes one byte; all values fit.
extern "C" {
    fn thumbpf_load(
        programs: *mut Programs,
        program: *mut RawProgram,
        name: *const u8,
        image: *const u8,
        size: u32,
        setup: *const Setup,
    ) -> u8;
    fn thumbpf_unload(programs: *mut Programs, program: *mut RawProgram) -> u8;
    fn thumbpf_call(program: *mut RawProgram, ctx: *mut u8, len: u32, result: *mut CallResult);
    fn thumbpf_status_name(status: u8) -> *const u8;
}
