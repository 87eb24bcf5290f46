// Objects that call helpers as functions which they declare and do not define: the granted helper of that name is meant.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { RejectedError } from '../../src/base/errors.ts'
import { callHelper, type Helper, type HostHelper } from '../../src/bpf/helpers.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { helperTable } from '../../src/bpf/prototypes.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { clangObject } from '../bpf/clang.ts'
import { temporaryFolder, thumbpf } from '../cli/support.ts'
import { describeWith } from '../support/tools.ts'

const source = (attribute = ''): string => `
  typedef unsigned u32; typedef unsigned char u8; typedef unsigned long long u64; typedef short s16;
  extern u32 gpio_read(u32 pin) ${attribute};
  extern s16 scaled(u8 low, u64 wide, s16 sign) ${attribute};
  extern int later(void);
  static __attribute__((noinline)) u64 twice(u64 pin) { return gpio_read(pin) + gpio_read(pin + 1); }
  u64 entry(void *ctx, u64 len) { return twice(len) * 1000 + (u64)(long long)scaled(len + 0x180, len << 33, -(s16)len); }
  u64 pointer(void *ctx, u64 len) { u64 (*f)(u32) = (void *)gpio_read; return (u64)f; }
  u64 other(void) { return later(); }`
const helpers = helperTable({ 70: 'u32 gpio_read(u32 pin)', 300: 's16 scaled(u8 low, u64 wide, s16 sign)' })
const functions = new Map<number, HostHelper>([
  [70, (pin) => pin * 3n],
  [300, (low, wide, sign) => low + (wide >> 33n) + sign * 5n],
])
const expected = (len: number): bigint =>
  BigInt.asUintN(64, BigInt((len * 3 + (len + 1) * 3) * 1000 + ((len + 0x180) & 255) + len - len * 5))

describeWith(['clang-19'], 'helpers called by name', () => {
  it.each(['', '__attribute__((section(".ksyms")))'])('are called by their numbers %s', async (attribute) => {
    const object = clangObject(source(attribute))
    const program = readProgram(object, { entry: 'entry', helpers })
    const named = new Map<number, Helper>(
      [...helpers].map(([number, prototype]) => [
        number,
        { name: prototype.name, prototype, fn: functions.get(number)! },
      ]),
    )
    const instance = await instantiate(compile(object, { entry: 'entry', helpers, check: true }), new Simulator(), {
      helpers: functions,
    })
    for (const len of [0, 3, 200]) {
      const outcome = { kind: 'returned', r0: expected(len) }
      expect(interpret(program, { helpers: { helpers: named }, r2: len }).outcome).toEqual(outcome)
      expect((await instance.call({ len })).outcome).toEqual(outcome)
    }
    expect(
      callHelper(named.get(300)!, [1n, 2n << 33n, 0xffffn, 0n, 0n], { read: () => new Uint8Array(), write() {} }),
    ).toBe(BigInt.asUintN(64, -2n))
  })
  it('are refused where none of that name is granted, and as addresses', () => {
    const object = clangObject(source())
    const refused = (entry: string, granted = helpers): unknown => {
      try {
        return readProgram(object, { entry, helpers: granted })
      } catch (error) {
        if (!(error instanceof RejectedError)) throw error
        return error.rejections.map(({ code, message }) => `${code}: ${message}`)
      }
    }
    const call = "undefined-function: calls 'gpio_read', which is not defined in the object and no granted helper"
    expect(refused('entry', helperTable({ 300: 's16 scaled(u8 low, u64 wide, s16 sign)' }))).toEqual([
      expect.stringContaining(call),
      expect.stringContaining(call),
    ])
    expect(refused('other')).toEqual([expect.stringContaining("calls 'later'")])
    expect(refused('pointer')).toEqual([expect.stringContaining("undefined-symbol: loads the address of 'gpio_read'")])
    expect(() => compile(object, { entry: 'other', helpers: new Set([70]) })).toThrow("calls 'later'")
  })
  it('are found in the header that the command line names', async () => {
    const folder = temporaryFolder()
    const object = join(folder, 'a.o')
    const header = join(folder, 'board.h')
    writeFileSync(
      object,
      clangObject('extern unsigned now_ms(void); unsigned long entry(void) { return now_ms() < 100; }'),
    )
    writeFileSync(header, '#define THUMBPF_HELPER(n)\nTHUMBPF_HELPER(9) u32 now_ms(void);\n')
    for (const machine of ['sim', 'interp']) {
      const run = await thumbpf(['run', object, '--helpers', header, '--machine', machine])
      expect(run).toMatchObject({ status: 0 })
    }
    const listing = await thumbpf(['objdump', object, '--helpers', header])
    expect(listing.stdout).toContain('call 9')
    expect((await thumbpf(['objdump', object])).stderr).toContain("calls 'now_ms', which is not defined")
  })
})
