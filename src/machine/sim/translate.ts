// Hot blocks as JavaScript functions: each instruction that has a statement here becomes it, with its fields as
// literals; the others are called as the run loop would. Needs a host that lets code be made of text (a page's content
// security policy may forbid it): without it blocks go on being interpreted. Flags that the block itself overwrites
// before anyone can see them are not computed. The meanings are those of data-processing.ts, load-store.ts and
// branch-system.ts; tests run everything both ways.

import { F, type FormName, formNames } from '../../thumb/forms.ts'
import type { Core, Op } from './core.ts'
import { Flow } from './core.ts'
import type { Memory } from './memory.ts'

/** Runs all of a block. If it throws, `core.at` is the index of the op at fault. */
export type Translation = (core: Core, r: Int32Array, memory: Memory) => void

const PC = 15
const N = 1
const Z = 2
const C = 4
const V = 8
const ALL = N | Z | C | V

/** The statements of one op. */
interface Statements {
  readonly text: string
  /** Flags that it may set, if it sets any it sets these always. */
  readonly sets: number
  /** Flags that it reads; ALL if it may fault, for then all of them can be seen. */
  readonly reads: number
}

/** What an op is translated with: its index (for names), and the flags that are needed after it. */
interface Place {
  readonly index: number
  readonly live: number
}

type Template = (op: Op, place: Place) => Statements

/** One of the block's ops by number where a handler is called. */
const call = (index: number): Statements => ({
  text: `core.at=${index};o${index}.run(core,o${index});`,
  sets: 0,
  reads: ALL,
})
const plain = (text: string): Statements => ({ text, sets: 0, reads: 0 })

/** Register m, shifted by a constant as the instruction says. */
function shifted(value: string, shift: number, amount: number): string {
  if (amount === 0 && shift !== 4) return value
  switch (shift) {
    case 0:
      return `(${value}<<${amount})`
    case 1:
      return amount === 32 ? '0' : `(${value}>>>${amount})`
    case 2:
      return `(${value}>>${Math.min(amount, 31)})`
    case 3:
      return `((${value}>>>${amount})|(${value}<<${32 - amount}))`
    default:
      return `((${value}>>>1)|(core.c<<31))`
  }
}
/** Carry out of that shift; undefined where C stays. */
function shiftCarry(value: string, shift: number, amount: number): string | undefined {
  if (shift === 4) return `${value}&1`
  if (amount === 0) return undefined
  return shift === 0 ? `(${value}>>>${32 - amount})&1` : `(${value}>>>${amount - 1})&1`
}

const setNZ = (value: string, live: number): string => (live & (N | Z) ? `core.n=core.z=${value};` : '')

/** A logical operation: `b` is operand 2, `carry` its carry out. `d` is -1 for a test. */
function logic(op: Op, { index, live }: Place, d: number, value: string, carry: string | undefined): Statements {
  const x = `x${index}`
  if (op.s === 0 && d >= 0) return plain(`r[${d}]=${value};`)
  const setsCarry = carry !== undefined && (live & C) !== 0 ? `core.c=${carry};` : ''
  // The carry is computed from the operands, which d may be one of.
  return {
    text: `const ${x}=${value};${setsCarry}${setNZ(x, live)}${d >= 0 ? `r[${d}]=${x};` : ''}`,
    sets: N | Z | (carry === undefined ? 0 : C),
    reads: 0,
  }
}

/** AddWithCarry(a, b or its complement, carry). */
function sum(
  op: Op,
  { index, live }: Place,
  d: number,
  a: string,
  b: string,
  kind: 'add' | 'sub' | 'adc' | 'sbc',
): Statements {
  const withCarry = kind === 'adc' || kind === 'sbc'
  const reads = withCarry ? C : 0
  const minus = kind === 'sub' || kind === 'sbc'
  const carry = withCarry ? `+core.c${minus ? '-1' : ''}` : ''
  const value = `(${a}${minus ? '-' : '+'}${b}${carry})|0`
  if (op.s === 0 && d >= 0) return { text: `r[${d}]=${value};`, sets: 0, reads }
  const [an, bn, x] = [`a${index}`, `b${index}`, `x${index}`]
  const text = [`const ${an}=${a},${bn}=${b},${x}=(${an}${minus ? '-' : '+'}${bn}${carry})|0;`]
  if (live & (N | Z)) text.push(`core.n=core.z=${x};`)
  if (live & V) text.push(`core.v=(${an}^${x})&(${minus ? `${an}^${bn}` : `${bn}^${x}`});`)
  if (live & C) {
    if (kind === 'sub') text.push(`core.c=(${an}>>>0)>=(${bn}>>>0)?1:0;`)
    else {
      const second = minus ? `~${bn}` : bn
      text.push(`core.c=((${an}&${second})|((${an}|${second})&~${x}))>>>31;`)
    }
  }
  if (d >= 0) text.push(`r[${d}]=${x};`)
  return { text: text.join(''), sets: ALL, reads }
}

const R = (register: number): string => `r[${register}]`
const immediate = (value: number): string => (value < 0 ? `(${value})` : `${value}`)
const fixedCarry = (op: Op): string | undefined => (op.carry < 0 ? undefined : `${op.carry}`)

function logicRows(name: string, value: (n: string, b: string) => string): Partial<Record<string, Template>> {
  return {
    [`${name}_i`]: (op, place) => logic(op, place, op.d, value(R(op.n), immediate(op.imm)), fixedCarry(op)),
    [`${name}_r`]: (op, place) =>
      logic(
        op,
        place,
        op.d,
        value(R(op.n), shifted(R(op.m), op.shift, op.amount)),
        shiftCarry(R(op.m), op.shift, op.amount),
      ),
  }
}
function testRows(name: string, operator: string): Partial<Record<string, Template>> {
  return {
    [`${name}_i`]: (op, place) => logic(op, place, -1, `${R(op.n)}${operator}${immediate(op.imm)}`, fixedCarry(op)),
    [`${name}_r`]: (op, place) =>
      logic(
        op,
        place,
        -1,
        `${R(op.n)}${operator}${shifted(R(op.m), op.shift, op.amount)}`,
        shiftCarry(R(op.m), op.shift, op.amount),
      ),
  }
}
type Kind = 'add' | 'sub' | 'adc' | 'sbc'
function sumRows(
  name: string,
  kind: Kind,
  options: { reversed?: boolean; test?: boolean } = {},
): Partial<Record<string, Template>> {
  const row =
    (second: (op: Op) => string): Template =>
    (op, place) => {
      const [n, b] = [R(op.n), second(op)]
      return sum(
        op,
        place,
        options.test === true ? -1 : op.d,
        options.reversed === true ? b : n,
        options.reversed === true ? n : b,
        kind,
      )
    }
  return {
    [`${name}_i`]: row((op) => immediate(op.imm)),
    [`${name}_r`]: row((op) => `(${shifted(R(op.m), op.shift, op.amount)}|0)`),
  }
}
const shiftRow =
  (shift: number): Template =>
  (op, place) =>
    logic(op, place, op.d, `${shifted(R(op.m), shift, op.imm)}|0`, shiftCarry(R(op.m), shift, op.imm))

const rotated = (op: Op): string => shifted(R(op.m), 3, op.amount)
const extendRow =
  (value: (m: string) => string, add: boolean): Template =>
  (op) =>
    plain(`r[${op.d}]=${add ? `${R(op.n)}+` : ''}(${value(rotated(op))});`)

/** A load or store: the address, then write-back and what goes in or out. All flags can be seen if it faults. */
function access(
  op: Op,
  { index }: Place,
  address: string,
  width: string,
  load: ((value: string) => string) | undefined,
): Statements {
  const back = op.index !== 0 ? `r[${op.n}]=${R(op.n)}+${immediate(op.imm)};` : ''
  const text =
    load === undefined
      ? `memory.store${width}(${address},${R(op.d)});${back}`
      : `const x${index}=${load(`memory.load${width}(${address})`)};${back}r[${op.d}]=x${index};`
  return { text: `core.at=${index};${text}`, sets: 0, reads: ALL }
}
function accessRows(name: string, width: string, load?: (value: string) => string): Partial<Record<string, Template>> {
  return {
    [`${name}_i`]: (op, place) =>
      access(op, place, op.index === 2 || op.imm === 0 ? R(op.n) : `(${R(op.n)}+${immediate(op.imm)})|0`, width, load),
    [`${name}_r`]: (op, place) => access(op, place, `(${R(op.n)}+(${R(op.m)}<<${op.amount}))|0`, width, load),
    [`${name}_l`]: (op, place) => access(op, place, `${((op.pc & ~3) + op.imm) | 0}`, width, load),
  }
}

const conditions = [
  'core.z===0',
  'core.z!==0',
  'core.c!==0',
  'core.c===0',
  'core.n<0',
  'core.n>=0',
  'core.v<0',
  'core.v>=0',
  'core.c!==0&&core.z!==0',
  'core.c===0||core.z===0',
  '(core.n^core.v)>=0',
  '(core.n^core.v)<0',
  'core.z!==0&&(core.n^core.v)>=0',
  'core.z===0||(core.n^core.v)<0',
  'true',
]

function branchIf(op: Op, condition: string): string {
  return `if(${condition}){r[${PC}]=${op.target};core.flow=${Flow.TAKEN};core.stall++}else{r[${PC}]=${op.next};core.flow=${Flow.NEXT}}`
}
const nothing: Template = () => plain('')

const templates: Partial<Record<string, Template>> = {
  ...logicRows('AND', (n, b) => `${n}&${b}`),
  ...logicRows('EOR', (n, b) => `${n}^${b}`),
  ...logicRows('ORR', (n, b) => `${n}|${b}`),
  ...logicRows('BIC', (n, b) => `${n}&~${b}`),
  ...logicRows('ORN', (n, b) => `${n}|~${b}`),
  ...logicRows('MVN', (_n, b) => `~${b}`),
  MOV_i: (op, place) => logic(op, place, op.d, `${op.imm}`, fixedCarry(op)),
  MOV_r: (op, place) => logic(op, place, op.d, R(op.m), undefined),
  ...testRows('TST', '&'),
  ...testRows('TEQ', '^'),
  ...sumRows('ADD', 'add'),
  ...sumRows('ADC', 'adc'),
  ...sumRows('SUB', 'sub'),
  ...sumRows('SBC', 'sbc'),
  ...sumRows('RSB', 'sub', { reversed: true }),
  ...sumRows('CMP', 'sub', { test: true }),
  ...sumRows('CMN', 'add', { test: true }),
  MOVT: (op) => plain(`r[${op.d}]=(${R(op.d)}&65535)|${op.imm << 16};`),
  ADR: (op) => plain(`r[${op.d}]=${((op.pc & ~3) + op.imm) | 0};`),
  LSL_i: shiftRow(0),
  LSR_i: shiftRow(1),
  ASR_i: shiftRow(2),
  ROR_i: shiftRow(3),
  SXTB: extendRow((m) => `(${m}<<24)>>24`, false),
  SXTH: extendRow((m) => `(${m}<<16)>>16`, false),
  UXTB: extendRow((m) => `${m}&255`, false),
  UXTH: extendRow((m) => `${m}&65535`, false),
  SXTAB: extendRow((m) => `(${m}<<24)>>24`, true),
  SXTAH: extendRow((m) => `(${m}<<16)>>16`, true),
  UXTAB: extendRow((m) => `${m}&255`, true),
  UXTAH: extendRow((m) => `${m}&65535`, true),
  UBFX: (op) => plain(`r[${op.d}]=(${R(op.n)}<<${32 - op.imm - op.amount})>>>${32 - op.amount};`),
  SBFX: (op) => plain(`r[${op.d}]=(${R(op.n)}<<${32 - op.imm - op.amount})>>${32 - op.amount};`),
  CLZ: (op) => plain(`r[${op.d}]=Math.clz32(${R(op.m)});`),
  MLA: (op) => plain(`r[${op.d}]=Math.imul(${R(op.n)},${R(op.m)})+${R(op.a)};`),
  MLS: (op) => plain(`r[${op.d}]=${R(op.a)}-Math.imul(${R(op.n)},${R(op.m)});`),
  MUL: (op, place) => logic(op, place, op.d, `Math.imul(${R(op.n)},${R(op.m)})`, undefined),
  ...accessRows('LDR', '32', (value) => value),
  ...accessRows('LDRH', '16', (value) => value),
  ...accessRows('LDRB', '8', (value) => value),
  ...accessRows('LDRSH', '16', (value) => `(${value}<<16)>>16`),
  ...accessRows('LDRSB', '8', (value) => `(${value}<<24)>>24`),
  ...accessRows('STR', '32'),
  ...accessRows('STRH', '16'),
  ...accessRows('STRB', '8'),
  CBZ: (op) => plain(branchIf(op, `${R(op.n)}===0`)),
  CBNZ: (op) => plain(branchIf(op, `${R(op.n)}!==0`)),
  BL: (op) => plain(`r[14]=${op.next | 1};r[${PC}]=${op.target};core.flow=${Flow.TAKEN};`),
  BX: (op) => plain(`r[${PC}]=${R(op.m)}^1;core.flow=${Flow.TAKEN};`),
  IT: nothing,
  NOP: nothing,
}
const byForm: readonly (Template | undefined)[] = formNames.map((name: FormName) => templates[name])

/** The condition of a branch right after a comparison or subtraction of a-b, read off its operands; else off the flags. */
function fused(cond: number, index: number): string {
  const [a, b] = [`a${index}`, `b${index}`]
  const unsigned = (operator: string): string => `(${a}>>>0)${operator}(${b}>>>0)`
  const texts = [
    `${a}===${b}`,
    `${a}!==${b}`,
    unsigned('>='),
    unsigned('<'),
    `x${index}<0`,
    `x${index}>=0`,
    undefined,
    undefined,
  ]
  return (
    [...texts, unsigned('>'), unsigned('<='), `${a}>=${b}`, `${a}<${b}`, `${a}>${b}`, `${a}<=${b}`][cond] ??
    conditions[cond]!
  )
}
const subtractions = new Set<number>([F.CMP_i, F.CMP_r, F.SUB_i, F.SUB_r])

/** One op's statements, its condition in an IT block aside; undefined if the handler must be called. */
function unconditional(op: Op, place: Place): Statements | undefined {
  return op.inner === op.meaning ? byForm[op.form]?.(op, place) : undefined
}

function translateOp(ops: readonly Op[], index: number, live: number): Statements {
  const op = ops[index]!
  const place = { index, live }
  if (op.form === F.B && op.it === 0) {
    const before = ops[index - 1]
    const fusible =
      before !== undefined &&
      before.it === 0 &&
      before.run === before.meaning &&
      before.s === 1 &&
      subtractions.has(before.form)
    return { text: branchIf(op, fusible ? fused(op.cond, index - 1) : conditions[op.cond]!), sets: 0, reads: ALL }
  }
  if (op.it === 0 || op.cond === 14) return unconditional(op, place) ?? call(index)
  // In an IT block: what wrappers do for the run loop (block.ts), branches at its end left to them.
  const body = index === ops.length - 1 ? undefined : unconditional(op, place)
  if (body === undefined) return call(index)
  const passes = `if(core.skipped){core.stall+=${op.costAfterSkip};core.skipped=false}${body.text}`
  const fails = `core.stall+=${1 - op.cost + op.costOfSkip};core.skipped=${(op.it & 15) !== 8};`
  return { text: `if(${conditions[op.cond]}){${passes}}else{${fails}}`, sets: 0, reads: ALL }
}

let allowed = true

/** A function that does what running all of these ops does; null where the host forbids making one. */
export function translate(ops: readonly Op[]): Translation | null {
  if (!allowed) return null
  const statements: string[] = []
  let live = ALL
  for (let index = ops.length - 1; index >= 0; index--) {
    const { text, sets, reads } = translateOp(ops, index, live)
    statements.push(text)
    live = (live & ~sets) | reads
  }
  const names = ops.map((_, index) => `const o${index}=ops[${index}];`).join('')
  const body = `${names}return function(core,r,memory){${statements.toReversed().join('\n')}}`
  try {
    return (new Function('ops', body) as (ops: readonly Op[]) => Translation)(ops)
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    allowed = false
    return null
  }
}
