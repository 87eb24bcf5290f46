// What each operation of the IR means, as SMT-LIB text over bit vectors, written from the operation table's words alone:
// test/passes/meaning.test.ts compares it with what evaluate.ts gives and what the simulator does.

import type { Func, Value } from '../../src/ir/func.ts'
import { I32, I64, Op, type Type, opNames } from '../../src/ir/op.ts'
import type { Term } from '../../src/passes/rules/language.ts'

/** A bit vector literal. */
export function literal(value: bigint | number, bits: number): string {
  return `(_ bv${BigInt.asUintN(bits, BigInt(value))} ${bits})`
}

export const widthOf = (type: Type): number => (type === I64 ? 64 : 32)

const truth = (condition: string): string => `(ite ${condition} ${literal(1, 32)} ${literal(0, 32)})`
const extract = (from: number, to: number, term: string): string => `((_ extract ${from} ${to}) ${term})`
const zeroExtend = (bits: number, term: string): string => `((_ zero_extend ${bits}) ${term})`
const signExtend = (bits: number, term: string): string => `((_ sign_extend ${bits}) ${term})`
const wide = (low: string, high: string): string => `(concat ${high} ${low})`

const binary: Partial<Record<number, string>> = {
  [Op.add]: 'bvadd',
  [Op.sub]: 'bvsub',
  [Op.mul]: 'bvmul',
  [Op.and]: 'bvand',
  [Op.or]: 'bvor',
  [Op.xor]: 'bvxor',
}
const shifts: Partial<Record<number, string>> = { [Op.lsl]: 'bvshl', [Op.lsr]: 'bvlshr', [Op.asr]: 'bvashr' }
const comparisons: Partial<Record<number, (a: string, b: string) => string>> = {
  [Op.eq]: (a, b) => `(= ${a} ${b})`,
  [Op.ne]: (a, b) => `(not (= ${a} ${b}))`,
  [Op.ult]: (a, b) => `(bvult ${a} ${b})`,
  [Op.ule]: (a, b) => `(bvule ${a} ${b})`,
  [Op.slt]: (a, b) => `(bvslt ${a} ${b})`,
  [Op.sle]: (a, b) => `(bvsle ${a} ${b})`,
}
const single: Partial<Record<number, number>> = {
  [Op.eq2]: Op.eq,
  [Op.ne2]: Op.ne,
  [Op.ult2]: Op.ult,
  [Op.ule2]: Op.ule,
  [Op.slt2]: Op.slt,
  [Op.sle2]: Op.sle,
}

/** Bytes in the opposite order. */
function swapped(term: string, bits: number): string {
  const bytes = Array.from({ length: bits / 8 }, (_, index) => extract(8 * index + 7, 8 * index, term))
  return `(concat ${bytes.join(' ')})`
}

/** The bits above the highest one that is set, by halves. */
function leadingZeros(term: string): string {
  let result = literal(32, 32)
  for (let bit = 0; bit < 32; bit++) {
    result = `(ite (= ${extract(bit, bit, term)} #b1) ${literal(31 - bit, 32)} ${result})`
  }
  return result
}

/**
 * The meaning of an operation on operands of these meanings. `bits`: width of the first operand. Operations without a
 * result mean what can be seen of them.
 */
export function meaning(op: number, imm: number, args: readonly string[], bits: number): string {
  const [a, b, c, d] = args as [string, string, string, string]
  const operator = binary[op]
  if (operator !== undefined) return `(${operator} ${a} ${b})`
  const shift = shifts[op]
  if (shift !== undefined) {
    const amount = `(bvand ${b} ${literal(0xff, 32)})`
    return `(${shift} ${a} ${bits === 64 ? zeroExtend(32, amount) : amount})`
  }
  const comparison = comparisons[op]
  if (comparison !== undefined) return truth(comparison(a, b))
  const pairComparison = single[op]
  if (pairComparison !== undefined) return truth(comparisons[pairComparison]!(wide(a, b), wide(c, d)))
  const zero = literal(0, bits)
  switch (op) {
    // By 0 SMT-LIB gives all ones, and for remainders the dividend, as we do.
    case Op.udiv:
      return `(ite (= ${b} ${zero}) ${zero} (bvudiv ${a} ${b}))`
    case Op.sdiv:
      return `(ite (= ${b} ${zero}) ${zero} (bvsdiv ${a} ${b}))`
    case Op.urem:
      return `(bvurem ${a} ${b})`
    case Op.srem:
      return `(bvsrem ${a} ${b})`
    case Op.ror: {
      const amount = `(bvand ${b} ${literal(31, 32)})`
      return `(bvor (bvlshr ${a} ${amount}) (bvshl ${a} (bvsub ${literal(32, 32)} ${amount})))`
    }
    case Op.bswap:
      return swapped(a, bits)
    case Op.bswap16:
      return zeroExtend(16, `(concat ${extract(7, 0, a)} ${extract(15, 8, a)})`)
    case Op.clz:
      return leadingZeros(a)
    case Op.sext8:
      return signExtend(24, extract(7, 0, a))
    case Op.sext16:
      return signExtend(16, extract(15, 0, a))
    case Op.trunc:
      return extract(31, 0, a)
    case Op.high:
      return extract(63, 32, a)
    case Op.zext:
      return zeroExtend(32, a)
    case Op.sext:
      return signExtend(32, a)
    case Op.concat:
      return wide(a, b)
    case Op.select:
      return `(ite (= ${a} ${literal(0, 32)}) ${c} ${b})`
    case Op.word:
      return imm === 0 ? extract(31, 0, a) : extract(63, 32, a)
    case Op.add2:
      return `(bvadd ${wide(a, b)} ${wide(c, d)})`
    case Op.sub2:
      return `(bvsub ${wide(a, b)} ${wide(c, d)})`
    case Op.umul:
      return `(bvmul ${zeroExtend(32, a)} ${zeroExtend(32, b)})`
    case Op.smul:
      return `(bvmul ${signExtend(32, a)} ${signExtend(32, b)})`
    case Op.umla:
      return `(bvadd ${wide(a, b)} (bvmul ${zeroExtend(32, c)} ${zeroExtend(32, d)}))`
    case Op.umaal: {
      const product = `(bvmul ${zeroExtend(32, c)} ${zeroExtend(32, d)})`
      return `(bvadd ${zeroExtend(32, a)} (bvadd ${zeroExtend(32, b)} ${product}))`
    }
    case Op.smla:
      return `(bvadd ${wide(a, b)} (bvmul ${signExtend(32, c)} ${signExtend(32, d)}))`
    case Op.branch:
      return truth(`(not (= ${a} ${literal(0, 32)}))`)
    case Op.store8:
      return `(concat ${a} ${extract(7, 0, b)})`
    case Op.store16:
      return `(concat ${a} ${extract(15, 0, b)})`
    default:
      throw new Error(`no meaning for ${opNames[op]}`)
  }
}

/** Names in a term, with their widths; those of `bits` as `bits_NAME`. */
export function namesOf(term: Term, names = new Map<string, number>()): Map<string, number> {
  if (term.kind === 'value' || term.kind === 'constant') names.set(term.name, widthOf(term.type))
  else if (term.kind !== 'literal') {
    for (const arg of term.args) {
      namesOf(arg, names)
      if (term.kind === 'bits' && arg.kind === 'value') names.set(`bits_${arg.name}`, 32)
    }
  }
  return names
}

/** A term of a rule over the variables of its names. */
export function termMeaning(term: Term): string {
  if (term.kind === 'value' || term.kind === 'constant') return term.name
  if (term.kind === 'literal') return literal(term.value, widthOf(term.type))
  if (term.kind === 'bits') {
    const [of] = term.args
    return of?.kind === 'value' ? `bits_${of.name}` : ''
  }
  const args = term.args.map(termMeaning)
  const bits = widthOf(term.args[term.kind === 'operation' && term.op === Op.select ? 1 : 0]!.type)
  if (term.kind === 'operation') return meaning(term.op, term.imm, args, bits)
  // The highest bit that is set.
  let result = literal(0, 32)
  for (let bit = 0; bit < bits; bit++) {
    result = `(ite (= ${extract(bit, bit, args[0]!)} #b1) ${literal(bit, 32)} ${result})`
  }
  return result
}

/**
 * A function of one block as definitions `PREFIXn` of its values over the variables p0, p1, ... of 64-bit parameters, and
 * the bit vector that it returns. Legal functions take the parameters' words. undefined: it calls something.
 */
export function functionMeaning(func: Func, prefix: string): { definitions: string; result: string } | undefined {
  const lines: string[] = []
  const legal = func.params.every((type) => type !== I64)
  const name = (value: Value): string => {
    if (value.op !== Op.const) return `${prefix}${value.id}`
    const low = BigInt(value.imm >>> 0)
    return literal(value.type === I64 ? (BigInt(value.immHigh >>> 0) << 32n) | low : low, widthOf(value.type))
  }
  let result = ''
  for (const value of func.blocks[0]!.values) {
    const { op, type, args, imm } = value
    if (op === Op.call || op === Op.jump || op === Op.phi || func.blocks.length > 1) return undefined
    if (op === Op.ret) {
      // Words, low first.
      result = args.length === 1 ? name(args[0]!) : `(concat ${args.map(name).toReversed().join(' ')})`
      continue
    }
    const half = extract((imm & 1) * 32 + 31, (imm & 1) * 32, `p${imm >> 1}`)
    const parameter = legal ? half : `p${imm}`
    const bits = widthOf(args[op === Op.select ? 1 : 0]?.type ?? I32)
    const text = op === Op.param ? parameter : meaning(op, imm, args.map(name), bits)
    lines.push(`(define-fun ${prefix}${value.id} () (_ BitVec ${widthOf(type)}) ${text})`)
  }
  return { definitions: lines.join('\n'), result }
}
