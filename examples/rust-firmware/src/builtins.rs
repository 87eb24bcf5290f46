//! What the compiler calls by itself and libgcc does not have: the crate compiler_builtins, which Debian's sources of Rust lack.
//! Division and other arithmetic are libgcc's.
#![feature(compiler_builtins)]
#![allow(unknown_lints, internal_features)]
#![compiler_builtins]
#![no_builtins]
#![no_std]

#[no_mangle]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    for at in 0..count {
        *to.add(at) = *from.add(at);
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        return memcpy(to, from, count);
    }
    for at in (0..count).rev() {
        *to.add(at) = *from.add(at);
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
    for at in 0..count {
        *to.add(at) = value as u8;
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    for at in 0..count {
        let difference = i32::from(*a.add(at)) - i32::from(*b.add(at));
        if difference != 0 {
            return difference;
        }
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    memcmp(a, b, count)
}

/// The names that the ABI for ARM has for the same (RTABI, section 4.3.4), also for addresses that are known to be aligned.
macro_rules! aliases {
    ($($copy:ident $move_:ident $set:ident $clear:ident)*) => {$(
        #[no_mangle]
        pub unsafe extern "C" fn $copy(to: *mut u8, from: *const u8, count: usize) {
            memcpy(to, from, count);
        }
        #[no_mangle]
        pub unsafe extern "C" fn $move_(to: *mut u8, from: *const u8, count: usize) {
            memmove(to, from, count);
        }
        #[no_mangle]
        pub unsafe extern "C" fn $set(to: *mut u8, count: usize, value: i32) {
            memset(to, value, count);
        }
        #[no_mangle]
        pub unsafe extern "C" fn $clear(to: *mut u8, count: usize) {
            memset(to, 0, count);
        }
    )*};
}
aliases! {
    __aeabi_memcpy __aeabi_memmove __aeabi_memset __aeabi_memclr
    __aeabi_memcpy4 __aeabi_memmove4 __aeabi_memset4 __aeabi_memclr4
    __aeabi_memcpy8 __aeabi_memmove8 __aeabi_memset8 __aeabi_memclr8
}
