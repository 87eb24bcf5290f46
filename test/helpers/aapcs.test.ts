// Typed calls against what arm-none-eabi-gcc's callees read: for many signatures a C function writes its arguments down as 64-bit
// numbers and gives a result that depends on all of them. BPF programs call it with all 64 bits of R1 to R5 full; the same
// signature is called on the interpreter and through a gate.

import { expect, it } from 'vitest'
import { extendResult, formatPrototype, narrowValue, type Prototype, type ValueType } from '../../src/base/prototype.ts'
import { assemble } from '../../src/bpf/asm.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { parsePrototype } from '../../src/bpf/prototypes.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { callFunction } from '../../src/machine/call.ts'
import { instantiate } from '../../src/machine/instance.ts'
import type { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import { describeWith } from '../support/tools.ts'
import { inputs, signatures } from './signatures.ts'
import { boardWith, buildFirmware, type Firmware, FIRMWARE, RECORD } from './support.ts'

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

const asNumber = (type: ValueType, name: string): string =>
  type === 'pointer' ? `(uint64_t)(uintptr_t)${name}` : `(uint64_t)${name}`

function source(prototypes: readonly Prototype[]): string {
  const functions = prototypes.map((prototype) => {
    const { parameters, result } = prototype
    const values = parameters.map((one, index) => asNumber(one.type, `p${index}`))
    const sum = ['0x8081828384858687u', ...values.map((value, index) => `${value} * ${2 * index + 3}u`)].join(' + ')
    const answer = result === 'void' ? '' : result === 'pointer' ? 'return (void *)(uintptr_t)sum;' : 'return sum;'
    return `${formatPrototype(prototype)} {
  volatile uint64_t *record = (volatile uint64_t *)0x${RECORD.toString(16)};
  ${values.map((value, index) => `record[${index}] = ${value};`).join(' ')}
  uint64_t sum = ${sum};
  (void)sum;
  ${answer}
}`
  })
  return `#include <stdint.h>\n#include <stdbool.h>\n${functions.join('\n')}
uint32_t add(uint32_t a, uint32_t b) { return a + 3 * b; }
`
}

/** R1 to R5 and R6 to R9 from the context; the result and R6 to R9 go there. */
const caller = (number: number): Uint8Array =>
  assemble(`
r0 = r1
*(u64 *)(r10 - 8) = r1
r6 = *(u64 *)(r0 + 40)
r7 = *(u64 *)(r0 + 48)
r1 = *(u64 *)(r0 + 0)
r2 = *(u64 *)(r0 + 8)
r3 = *(u64 *)(r0 + 16)
r4 = *(u64 *)(r0 + 24)
r5 = *(u64 *)(r0 + 32)
call ${number}
r1 = *(u64 *)(r10 - 8)
*(u64 *)(r1 + 56) = r0
*(u64 *)(r1 + 64) = r6
*(u64 *)(r1 + 72) = r7
exit
`)

describeWith(['arm-none-eabi-gcc'], 'helpers with prototypes', () => {
  let board: Simulator | undefined
  let firmware: Firmware | undefined
  const prototypes = signatures()
  const prepare = async (): Promise<{ machine: Simulator; built: Firmware }> => {
    firmware ??= buildFirmware(source(prototypes))
    board ??= await boardWith(firmware)
    return { machine: board, built: firmware }
  }

  it.each(prototypes.map((prototype): [string, Prototype] => [formatPrototype(prototype), prototype]))(
    '%s',
    async (_, prototype) => {
      const { machine, built } = await prepare()
      const number = 300
      const program = readProgram(caller(number))
      const { parameters, result } = prototype
      for (const input of inputs) {
        const seen = parameters.map(({ type }, index) => u64(narrowValue(input[index]!, type)))
        const sum = seen.reduce((total, value, index) => total + value * BigInt(2 * index + 3), 0x8081_8283_8485_8687n)
        const r0 = result === 'bool' ? 1n : extendResult(u64(sum), result)
        const ctx = new Uint8Array(80)
        const view = new DataView(ctx.buffer)
        input.forEach((value, index) => view.setBigUint64(8 * index, value, true))
        view.setBigUint64(40, 0x1122_3344_5566_7788n, true)
        view.setBigUint64(48, 0x99aa_bbcc_ddee_ff00n, true)
        const expected = ctx.slice()
        new DataView(expected.buffer).setBigUint64(56, r0, true)
        expected.copyWithin(64, 40, 56)

        const host: HostHelper = (...values) => {
          const given = (values.slice(0, 5) as bigint[]).map(u64)
          expect(given).toEqual([...seen, 0n, 0n, 0n, 0n, 0n].slice(0, 5))
          return result === 'bool' ? 1n : sum
        }
        for (const optimize of [0, 2] as const) {
          const image = compile(program, { helpers: new Map([[number, prototype]]), optimize, check: true })
          for (const binding of [{ address: built.symbols.get(prototype.name)! }, host]) {
            await machine.write(RECORD, new Uint8Array(40).fill(0xee))
            const instance = await instantiate(image, machine, { helpers: new Map([[number, binding]]) })
            const after = await instance.call({ ctx })
            instance.free()
            expect(after.outcome).toEqual({ kind: 'returned', r0 })
            expect(after.ctx).toEqual(expected)
            if (typeof binding === 'function') continue
            const record = await machine.read(RECORD, 8 * parameters.length)
            const recorded = new DataView(record.buffer, record.byteOffset)
            expect(parameters.map((__, index) => recorded.getBigUint64(8 * index, true))).toEqual(seen)
          }
        }
        const memory = new RegionMemory([{ base: 0x2000_0000, bytes: ctx }])
        const helpers = { helpers: new Map([[number, { name: prototype.name, fn: host, prototype }]]) }
        const { outcome } = interpret(program, { memory, r1: 0x2000_0000, r2: ctx.length, helpers })
        expect(outcome).toEqual({ kind: 'returned', r0 })
        expect(ctx).toEqual(expected)
      }
    },
  )

  it('a call with two 32-bit arguments costs at most 8 cycles more than gcc’s own', async () => {
    const { machine, built } = await prepare()
    const ctx = Uint8Array.of(7, 0, 0, 0, 5, 0, 0, 0)
    const program = assemble('r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\ncall 1\nexit')
    const address = built.symbols.get('add')!
    // What a C compiler makes of the program for a function at a known address.
    const place = FIRMWARE + 0x8_0000
    const own = buildFirmware(
      `#include <stdint.h>
      uint64_t entry(const uint32_t *ctx) { return ((uint32_t (*)(uint32_t, uint32_t))${address | 1})(ctx[0], ctx[1]); }`,
      place,
    )
    await machine.write(place, own.code)
    const workspace = await Workspace.of(machine)
    const helpers = new Map([[1, parsePrototype('u32 add(u32 a, u32 b)')]])
    const instance = await instantiate(compile(program, { helpers }), machine, { helpers: new Map([[1, { address }]]) })
    const ours = await instance.call({ ctx })
    expect(ours.outcome).toEqual({ kind: 'returned', r0: 22n })
    const theirs = await callFunction(machine, {
      address: own.symbols.get('entry')! | 1,
      args: [instance.ctxAddress],
      stackTop: workspace.stackTop,
      returnAddress: workspace.returnAddress,
    })
    expect(theirs).toEqual({ kind: 'returned', low: 22, high: 0 })
    expect(ours.cycles! - machine.counters.cycles!).toBeLessThanOrEqual(8)
  })
})
