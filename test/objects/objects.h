// What the programs of this folder share. Each is compiled for BPF and for the host, and both must return the same:
// `entry` gets 64 bytes that it may read and write, and a number that may be less than that.
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
#define SEC(name) __attribute__((section(name)))
#define noinline __attribute__((noinline))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
