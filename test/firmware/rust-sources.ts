// Firmware in Rust with every helper twice, in Rust and in C, and a BPF program for each signature that calls both.

import {
  formatPrototype,
  type Parameter,
  type Prototype,
  type ResultType,
  type ValueType,
} from '../../src/base/prototype.ts'

/** ctx of the programs: five arguments, two results. */
export const CALL_BYTES = 56
export const RUST_RESULT = 40
export const C_RESULT = 48

export const rustName = (index: number): string => `rust_helper${index}`
export const cName = (index: number): string => `c_helper${index}`
export const programName = (index: number): string => `program${index}`
/** Helper numbers of signature `index`: in Rust, and the next one in C. */
export const rustNumber = (index: number): number => 1000 + 2 * index

const SEED = '0x8081828384858687'

/** The header for thumbpf and for BPF programs. */
export function header(prototypes: readonly Prototype[]): string {
  const lines = prototypes.flatMap((prototype, index) =>
    [rustName(index), cName(index)].map((name, inC) => {
      const pointer = formatPrototype({ ...prototype, name: `(*${name})` })
      return `static ${pointer} = (void *)${rustNumber(index) + inC};`
    }),
  )
  return `#include <stdbool.h>\n#include <stdint.h>\n${lines.join('\n')}\n`
}

const asU64 = (type: ValueType, name: string): string =>
  type === 'pointer' ? `(uint64_t)(uintptr_t)${name}` : `(uint64_t)${name}`

/** The programs in C, one that has data, and one that traps. */
export function programs(prototypes: readonly Prototype[]): string {
  const functions = prototypes.map(({ parameters, result }, index) => {
    const values = parameters.map(({ type }, at) =>
      type === 'pointer' ? `(void *)call->arguments[${at}]` : `(${cType(type)})call->arguments[${at}]`,
    )
    const calls = [rustName(index), cName(index)].map((name, inC) => {
      const call = `${name}(${values.join(', ')})`
      if (result === 'void') return `${call};`
      return `call->results[${inC}] = ${result === 'pointer' ? '(uint64_t)' : `(uint64_t)`}${call};`
    })
    return `uint64_t ${programName(index)}(struct call *call) {
  ${calls.join('\n  ')}
  return call->results[0] == call->results[1];
}`
  })
  return `#include "helpers.h"
struct call { uint64_t arguments[5]; uint64_t results[2]; };
${functions.join('\n')}
static uint64_t count = 41;
uint64_t counter(void) { return ++count; }
uint64_t misaligned(unsigned char *ctx) {
  __sync_fetch_and_add((uint32_t *)(ctx + 1), 1);
  return 0;
}
`
}

const cType = (type: ResultType): string =>
  formatPrototype({ name: '', result: type, parameters: [] }).replace(/\(.*$/, '').trim()

/** The helpers in C. Each writes down what it was given. */
export function helpersInC(prototypes: readonly Prototype[]): string {
  const functions = prototypes.map(({ parameters, result }, index) => {
    const name = cName(index)
    const values = parameters.map(({ type }, at) => asU64(type, `p${at}`))
    const answer =
      result === 'void' ? '(void)sum;' : result === 'pointer' ? 'return (void *)(uintptr_t)sum;' : 'return sum;'
    return `${formatPrototype({ name, result, parameters: named(parameters) })} {
  uint64_t sum = record(${parameters.length}, (uint64_t[5]){ ${[...values, '0'].slice(0, 5).join(', ')} });
  ${answer}
}`
  })
  return `#include <stdbool.h>
#include <stdint.h>
extern uint64_t C_RECORD[5];
static uint64_t record(unsigned count, const uint64_t *values) {
  uint64_t sum = ${SEED}u;
  for (unsigned at = 0; at < count; at++) {
    C_RECORD[at] = values[at];
    sum += values[at] * (2 * at + 3);
  }
  return sum;
}
${functions.join('\n')}
`
}

const named = (parameters: readonly Parameter[]): Parameter[] =>
  parameters.map(({ type }, at) => ({ type, name: `p${at}` }))

function rustType(type: ResultType): string {
  if (type === 'void') return '()'
  if (type === 'bool') return type
  if (type === 'pointer' || type === 'map') return '*mut u8'
  return `${type.startsWith('u') ? 'u' : 'i'}${type.slice(1)}`
}

/** The firmware: the helpers in Rust, calls of all programs, of two that are
 * Rust source, one that traps and one with bit 0 clear. `example` is its folder. */
export function firmware(example: string, prototypes: readonly Prototype[], inputs: readonly bigint[][]): string {
  const helpers = prototypes.map(({ parameters, result }, index) => {
    const list = parameters.map(({ type }, at) => `p${at}: ${rustType(type)}`).join(', ')
    const values = parameters.map((_, at) => `p${at} as u64`).join(', ')
    const answer =
      result === 'void'
        ? ''
        : result === 'bool'
          ? 'sum != 0'
          : result === 'pointer'
            ? 'sum as usize as *mut u8'
            : `sum as ${rustType(result)}`
    return `#[no_mangle]
pub extern "C" fn ${rustName(index)}(${list}) -> ${rustType(result)} {
    let ${result === 'void' ? '_sum' : 'sum'} = record(&[${values}]);
    ${answer}
}`
  })
  const names = prototypes.map((_, index) => programName(index))
  const module = (name: string): string => `#[path = ${JSON.stringify(`${example}/src/${name}.rs`)}]\nmod ${name};`
  return `#![no_std]
#![no_main]

${['board', 'start', 'thumbpf'].map(module).join('\n')}
${['counter', 'last'].map((name) => `mod ${name} {\n    include!(concat!(env!("PROGRAMS"), "/${name}.rs"));\n}`).join('\n')}
use core::ptr::addr_of;
use thumbpf::{Entry, Env};

static mut RUST_RECORD: [u64; 5] = [0; 5];
#[no_mangle]
pub static mut C_RECORD: [u64; 5] = [0; 5];

fn record(values: &[u64]) -> u64 {
    let mut sum = ${SEED}u64;
    for (at, value) in values.iter().enumerate() {
        unsafe { RUST_RECORD[at] = *value };
        sum = sum.wrapping_add(value.wrapping_mul(2 * at as u64 + 3));
    }
    sum
}

${helpers.join('\n\n')}

extern "C" {
${[...names, 'counter', 'misaligned'].map((name) => `    fn ${name}(ctx: *mut u8, len: u32, env: *mut Env) -> u64;`).join('\n')}
}

#[repr(C)]
struct Call {
    arguments: [u64; 5],
    results: [u64; 2],
}

const PROGRAMS: [Entry; ${names.length}] = [${names.join(', ')}];
const INPUTS: [[u64; 5]; ${inputs.length}] = [
${inputs.map((values) => `    [${values.map((value) => `0x${value.toString(16)}`).join(', ')}],`).join('\n')}
];

pub fn run() {
    for (index, program) in PROGRAMS.iter().enumerate() {
        for arguments in INPUTS {
            unsafe {
                RUST_RECORD = [0; 5];
                C_RECORD = [0; 5];
                let mut call = Call { arguments, results: [0; 2] };
                let r0 = thumbpf::call(*program, &mut call);
                board::print(format_args!(
                    "{} {:?} {:x?} {:x?} {:x?}\\n",
                    index, r0, call.results, *addr_of!(RUST_RECORD), *addr_of!(C_RECORD)
                ));
            }
        }
    }
    unsafe {
        for _ in 0..2 {
            let linked = thumbpf::call(counter, &mut ());
            let included = counter::counter(core::ptr::null_mut(), 0, core::ptr::null_mut());
            let mut call = Call { arguments: INPUTS[0], results: [0; 2] };
            let same = last::last((&mut call as *mut Call).cast(), 56, core::ptr::null_mut());
            board::print(format_args!("{:?} {} {} {:x?}\\n", linked, included, same, call.results));
        }
        let trap = thumbpf::call(misaligned, &mut [0u64; 2]).unwrap_err();
        let start = misaligned as *const () as usize & !1;
        board::print(format_args!("trap {} in {}\\n", trap.code, (trap.address as usize - start) < 256));
        let even: Entry = core::mem::transmute(PROGRAMS[0] as usize & !1);
        let _ = thumbpf::call(even, &mut [0u64; 2]);
    }
}
`
}
