//! Calls of compiled programs: docs/abi.md in Rust.

/// `struct thumbpf_env`, one for each call.
#[repr(C)]
pub struct Env {
    outcome: u32,
    pc: u32,
    sp: u32,
    ctx: u32,
    len: u32,
    tail_calls: u32,
    table: u32,
    reserved: u32,
}

/// The entry of a compiled program. As a number its address has bit 0 set, like that of any Thumb function.
pub type Entry = unsafe extern "C" fn(ctx: *mut u8, len: u32, env: *mut Env) -> u64;

/// How a program ends that does not return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// 1: an atomic operation on an address that is not a multiple of its size. 2: callx of what is no helper.
    pub code: u32,
    /// Behind the instruction that trapped.
    pub address: u32,
}

/// Runs a program: its R1 is `ctx`, its R2 the size of `T`, and the answer its R0.
///
/// # Safety
///
/// The program may read and write whatever addresses it makes. It must be one that is trusted, and mean the same by `ctx` as `T`
/// is: a `#[repr(C)]` structure that has no pointers, or `u64` in their place.
pub unsafe fn call<T>(program: Entry, ctx: &mut T) -> Result<u64, Trap> {
    let len = core::mem::size_of::<T>() as u32;
    let ctx = ctx as *mut T as *mut u8;
    let mut env = Env { outcome: 0, pc: 0, sp: 0, ctx: ctx as u32, len, tail_calls: 0, table: 0, reserved: 0 };
    let r0 = program(ctx, len, &mut env);
    match env.outcome {
        0 => Ok(r0),
        code => Err(Trap { code, address: env.pc & !1 }),
    }
}
