// Many signatures of helpers, and arguments for them.

import { formatPrototype, type Prototype, type ValueType } from '../../src/base/prototype.ts'
import { parsePrototype } from '../../src/bpf/prototypes.ts'

const valueTypes: readonly ValueType[] = ['bool', 'u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', 'pointer']

/** Every width and sign in every place, every way that doubles can be aligned, then some at random. */
export function signatures(): Prototype[] {
  const list: string[] = ['void f(void)', 'u64 f(void)', 's8 f(void)']
  for (const type of valueTypes) {
    const c = formatPrototype({ name: 'f', result: type, parameters: [{ type }] })
    list.push(c, `${c.slice(0, -1)}, ${c.slice(c.indexOf('(') + 1, -1)})`)
  }
  // Bit i: parameter i is a double.
  for (let shape = 0; shape < 32; shape++) {
    const parameters = [0, 1, 2, 3, 4].map((index) => ((shape >> index) & 1 ? 's64' : index % 2 === 0 ? 's16' : 'u8'))
    list.push(`s32 f(${parameters.join(', ')})`)
  }
  let x = 12345
  const below = (count: number): number => {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    return (x >>> 8) % count
  }
  const prototypes = list.map((text) => parsePrototype(text))
  for (let count = 0; count < 60; count++) {
    const parameters = Array.from({ length: below(6) }, () => ({ type: valueTypes[below(valueTypes.length)]! }))
    prototypes.push({ name: 'f', result: valueTypes[below(valueTypes.length)]!, parameters })
  }
  return prototypes.map((prototype, index) => ({
    ...prototype,
    name: `f${index}`,
    parameters: prototype.parameters.map((one, at) => ({ ...one, name: `p${at}` })),
  }))
}

/** R1 to R5: all 64 bits full, low parts that are 0, that are negative, that are not. */
export const inputs: readonly bigint[][] = [
  [
    0xfedc_ba98_8765_8381n,
    0x8090_a0b0_c0d0_e0f0n,
    0x1234_5678_7f7f_7f00n,
    0xffff_ffff_0000_0000n,
    0x7fff_ffff_ffff_ffffn,
  ],
  [
    0x5555_5555_0000_0100n,
    0xaaaa_aaaa_ffff_ffffn,
    0x0123_4567_89ab_cdefn,
    0xdead_beef_8000_8001n,
    0x0f0e_0d0c_8b8a_8988n,
  ],
]
