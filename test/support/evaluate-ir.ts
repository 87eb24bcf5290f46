// Runs functions of one block without memory on numbers: constants through what the folder uses (evaluate.ts), pairs of
// words by their definition.

import type { Func, Value } from '../../src/ir/func.ts'
import { I64, Op, opNames } from '../../src/ir/op.ts'
import { evaluateDouble, evaluateWord } from '../../src/passes/evaluate.ts'

const u32 = (value: bigint): bigint => BigInt.asUintN(32, value)
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value)

const single: Record<number, number> = {
  [Op.eq2]: Op.eq,
  [Op.ne2]: Op.ne,
  [Op.ult2]: Op.ult,
  [Op.ule2]: Op.ule,
  [Op.slt2]: Op.slt,
  [Op.sle2]: Op.sle,
}

/** What an operation gives on unsigned numbers; `wide`: its first operand (of a select, its result) has 64 bits. */
export function evaluateOp(op: number, imm: number, args: readonly bigint[], wide: boolean): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = args
  const pair = single[op]
  if (pair !== undefined) return evaluateDouble(pair, a | (b << 32n), c | (d << 32n))!
  switch (op) {
    case Op.trunc:
      return u32(a)
    case Op.high:
      return a >> 32n
    case Op.zext:
      return a
    case Op.sext:
      return u64(s32(a))
    case Op.concat:
      return a | (b << 32n)
    case Op.select:
      return a === 0n ? c : b
    case Op.word:
      return imm === 0 ? u32(a) : a >> 32n
    case Op.add2:
      return u64((a | (b << 32n)) + (c | (d << 32n)))
    case Op.sub2:
      return u64((a | (b << 32n)) - (c | (d << 32n)))
    case Op.umul:
      return a * b
    case Op.smul:
      return u64(s32(a) * s32(b))
    case Op.umla:
      return u64((a | (b << 32n)) + c * d)
    case Op.umaal:
      return a + b + c * d
    case Op.smla:
      return u64((a | (b << 32n)) + s32(c) * s32(d))
    case Op.branch:
      return a === 0n ? 0n : 1n
    case Op.store8:
      return (a << 8n) | (b & 0xffn)
    case Op.store16:
      return (a << 16n) | (b & 0xffffn)
    case Op.bswap:
      if (wide) {
        const half = (word: bigint): bigint => u32(BigInt(evaluateWord(op, Number(s32(word)), 0)!))
        return (half(a) << 32n) | half(a >> 32n)
      }
      break
    default:
      break
  }
  const result = wide ? evaluateDouble(op, a, b) : evaluateWord(op, Number(s32(a)), Number(s32(b)))
  if (result === undefined) throw new Error(`${opNames[op]} can't be evaluated`)
  return typeof result === 'bigint' ? result : u32(BigInt(result))
}

/** What a function returns for these 64-bit parameters, its words joined. Legal functions take the parameters' words. */
export function evaluateFunc(func: Func, params: readonly bigint[]): bigint {
  const legal = func.params.every((type) => type !== I64)
  const values = new Map<Value, bigint>()
  const of = (value: Value): bigint => {
    if (value.op !== Op.const) return values.get(value)!
    const low = BigInt(value.imm >>> 0)
    return value.type === I64 ? (BigInt(value.immHigh >>> 0) << 32n) | low : low
  }
  for (const value of func.blocks[0]!.values) {
    const { op, imm } = value
    const args = value.args.map(of)
    if (op === Op.ret) return args.reduce((sum, arg, index) => sum | (arg << BigInt(32 * index)), 0n)
    if (op === Op.param) values.set(value, legal ? u32(params[imm >> 1]! >> BigInt(32 * (imm & 1))) : params[imm]!)
    else values.set(value, evaluateOp(op, imm, args, value.args[op === Op.select ? 1 : 0]!.type === I64))
  }
  throw new Error('no ret')
}
