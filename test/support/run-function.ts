// Runs a function of the IR before legalization, as far as analyses of values need it: memory is one array at every address, what
// is called gives any number.

import type { Block, Func, Value } from '../../src/ir/func.ts'
import { I64, Op } from '../../src/ir/op.ts'
import { evaluateDouble, evaluateWord } from '../../src/passes/evaluate.ts'

const MEMORY = 1024
const sizes: Record<number, number> = {
  [Op.load8]: 1,
  [Op.load8s]: 1,
  [Op.store8]: 1,
  [Op.load16]: 2,
  [Op.load16s]: 2,
  [Op.store16]: 2,
  [Op.load32]: 4,
  [Op.store32]: 4,
  [Op.load64]: 8,
  [Op.store64]: 8,
}

/** Tells `see` each value as it is made, unsigned, for at most `steps` operations. `any` gives words. */
export function runFunction(
  func: Func,
  params: readonly bigint[],
  any: () => number,
  steps: number,
  see: (value: Value, is: bigint) => void,
): void {
  const memory = Uint8Array.from({ length: MEMORY }, () => any() & 0xff)
  const is = new Map<Value, bigint>()
  const read = (value: Value): bigint => {
    if (value.op !== Op.const) return is.get(value)!
    const low = BigInt(value.imm >>> 0)
    return value.type === I64 ? (BigInt(value.immHigh >>> 0) << 32n) | low : low
  }
  const cut = (value: Value, bits: bigint): bigint => BigInt.asUintN(value.type === I64 ? 64 : 32, bits)
  const random = (): bigint => (BigInt(any() >>> 0) << 32n) | BigInt(any() >>> 0)
  const place = (value: Value): number => Number((read(value.args[0]!) + BigInt(value.imm)) & BigInt(MEMORY / 2 - 1))
  const compute = (value: Value): bigint => {
    const { op, args } = value
    const [a, b] = args
    const size = sizes[op]
    switch (op) {
      case Op.param:
        return cut(value, params[value.imm] ?? 0n)
      case Op.frame:
        return BigInt((0x20001000 + value.imm) >>> 0)
      case Op.trunc:
      case Op.zext:
        return cut(value, read(a!))
      case Op.high:
        return read(a!) >> 32n
      case Op.sext:
        return cut(value, BigInt.asIntN(32, read(a!)))
      case Op.concat:
        return (read(b!) << 32n) | read(a!)
      case Op.select:
        return read(read(a!) !== 0n ? b! : args[2]!)
      case Op.bswap:
        if (value.type !== I64) break
        return BigInt(`0x${read(a!).toString(16).padStart(16, '0').match(/../g)!.toReversed().join('')}`)
      default:
        break
    }
    if (size !== undefined) {
      let bits = 0n
      for (let at = size - 1; at >= 0; at--) bits = (bits << 8n) | BigInt(memory[place(value) + at]!)
      return cut(value, op === Op.load8s || op === Op.load16s ? BigInt.asIntN(8 * size, bits) : bits)
    }
    if (a?.type === I64) {
      const result = evaluateDouble(op, read(a), b === undefined ? 0n : read(b))
      if (result !== undefined) return result
    } else if (a !== undefined) {
      const result = evaluateWord(
        op,
        Number(BigInt.asIntN(32, read(a))),
        b === undefined ? 0 : Number(BigInt.asIntN(32, read(b))),
      )
      if (result !== undefined) return cut(value, BigInt(result))
    }
    return cut(value, random())
  }
  let from: Block | undefined
  let block = func.blocks[0]!
  for (let left = steps; left > 0;) {
    const edge = from === undefined ? -1 : block.predecessors.indexOf(from)
    const phis = block.values.filter(({ op }) => op === Op.phi).map((phi) => [phi, read(phi.args[edge]!)] as const)
    for (const [phi, bits] of phis) {
      is.set(phi, bits)
      see(phi, bits)
    }
    for (const value of block.values) {
      if (value.op === Op.phi || value === block.terminator) continue
      left--
      const size = sizes[value.op]
      if (value.type !== 0) {
        const bits = compute(value)
        is.set(value, bits)
        see(value, bits)
      } else if (size !== undefined) {
        const bits = read(value.args[1]!)
        for (let at = 0; at < size; at++) memory[place(value) + at] = Number((bits >> BigInt(8 * at)) & 0xffn)
      }
    }
    const { terminator, successors } = block
    if (successors.length === 0) return
    left--
    from = block
    block = successors[terminator.op === Op.branch && read(terminator.args[0]!) === 0n ? 1 : 0]!
  }
}
