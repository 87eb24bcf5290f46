// The operations of the IR as one table: 64-bit as BPF computes, then, after legalization, in words as the target does.
// Both stages are the same functions, blocks and values; which operations may occur when is what the pairs below say.

/** Types of values. BOOL-like results of comparisons are I32, 0 or 1. */
export const VOID = 0
export const I32 = 1
export const I64 = 2
export type Type = 0 | 1 | 2

/** Attributes of an operation, bits of `attributes[op]`. */
export const PURE = 1
export const COMMUTATIVE = 2
export const TERMINATOR = 4
/** Reads memory: no store may be moved over it. */
export const READS = 8
/** Writes memory or does something else that one can see: stays, in order. */
export const EFFECT = 16
/** Result is 0 or 1. */
export const COMPARE = 32

// name: [number of operands, -1 for any; attributes]
const table = {
  // Leaves. const: imm (and immHigh for I64). param: imm is the index. frame: the word r10 + imm.
  const: [0, PURE],
  param: [0, PURE],
  frame: [0, PURE],
  /** The word address of `callee` + imm; a function's with bit 0 set. */
  address: [0, PURE],
  /** The same in position-independent code: word imm of the table that env (the operand) leads to. */
  tableaddress: [1, PURE],
  phi: [-1, PURE],
  // Both types, by the type of the result. x / 0 = 0, x % 0 = x, INT_MIN / -1 = INT_MIN (RFC 9669 section 4.1).
  add: [2, PURE | COMMUTATIVE],
  sub: [2, PURE],
  mul: [2, PURE | COMMUTATIVE],
  udiv: [2, PURE],
  sdiv: [2, PURE],
  urem: [2, PURE],
  srem: [2, PURE],
  and: [2, PURE | COMMUTATIVE],
  or: [2, PURE | COMMUTATIVE],
  xor: [2, PURE | COMMUTATIVE],
  // The amount is a word of which the low byte counts, as on the target; what is shifted out is gone: amounts of the width
  // or more give 0 (asr: the sign). ror: words only.
  lsl: [2, PURE],
  lsr: [2, PURE],
  asr: [2, PURE],
  ror: [2, PURE],
  bswap: [1, PURE],
  /** The two low bytes swapped, zero-extended to a word. */
  bswap16: [1, PURE],
  clz: [1, PURE],
  sext8: [1, PURE],
  sext16: [1, PURE],
  // Between the types.
  trunc: [1, PURE],
  high: [1, PURE],
  zext: [1, PURE],
  sext: [1, PURE],
  concat: [2, PURE], // low word, high word
  // Comparisons of two values of one type.
  eq: [2, PURE | COMMUTATIVE | COMPARE],
  ne: [2, PURE | COMMUTATIVE | COMPARE],
  ult: [2, PURE | COMPARE],
  ule: [2, PURE | COMPARE],
  slt: [2, PURE | COMPARE],
  sle: [2, PURE | COMPARE],
  select: [3, PURE], // condition, if not 0, if 0
  // Memory: operand 0 is the address (a word), imm an offset. The narrow loads give words.
  load8: [1, READS],
  load8s: [1, READS],
  load16: [1, READS],
  load16s: [1, READS],
  load32: [1, READS],
  load64: [1, READS],
  store8: [2, EFFECT],
  store16: [2, EFFECT],
  store32: [2, EFFECT],
  store64: [2, EFFECT],
  /** Its operand is computed for what that does: a load that may be of a device. */
  keep: [1, EFFECT],
  // Atomics give the old value; the address is aligned. imm is the offset. Type: I32 or I64; void without a result.
  atomicadd: [2, EFFECT],
  atomicor: [2, EFFECT],
  atomicand: [2, EFFECT],
  atomicxor: [2, EFFECT],
  atomicxchg: [2, EFFECT],
  atomiccmpxchg: [3, EFFECT], // address, expected, new
  /** Of the function `callee`; before legalization operands and result are I64, after it words. */
  call: [-1, EFFECT],
  // Words only. A pair operation's I64 result is read by `word` alone: imm 0 is the low word, 1 the high one
  // (a routine's 2 and 3: the remainder).
  word: [1, PURE],
  add2: [4, PURE], // low, high, low, high
  sub2: [4, PURE],
  umul: [2, PURE],
  smul: [2, PURE],
  umla: [4, PURE], // accumulator low, high, then the factors
  smla: [4, PURE],
  umaal: [4, PURE], // two words, then the factors: their product and both words
  eq2: [4, PURE | COMPARE],
  ne2: [4, PURE | COMPARE],
  ult2: [4, PURE | COMPARE],
  ule2: [4, PURE | COMPARE],
  slt2: [4, PURE | COMPARE],
  sle2: [4, PURE | COMPARE],
  atomicadd2: [3, EFFECT], // address, low, high
  atomicor2: [3, EFFECT],
  atomicand2: [3, EFFECT],
  atomicxor2: [3, EFFECT],
  atomicxchg2: [3, EFFECT],
  atomiccmpxchg2: [5, EFFECT],
  // Terminators. branch goes to successor 0 if the operand is not 0, else to 1. ret: nothing, an I64 or words.
  // trap leaves the program with imm as the outcome (0: it ends with r0 = 0), from any depth; operand: env.
  jump: [0, TERMINATOR],
  branch: [1, TERMINATOR],
  /** To the successor whose number is operand i + 1, a constant, where operand 0 is i; there is one for all that it can be. */
  switch: [-1, TERMINATOR],
  ret: [-1, TERMINATOR],
  trap: [1, TERMINATOR],
  // Leaves this function for the one at the address that is operand 0, with the others as its arguments.
  tailcall: [4, TERMINATOR],
} as const

export type OpName = keyof typeof table
export type Op = number

/** Names in order of their number. */
export const opNames = Object.keys(table) as OpName[]
/** Number of each operation, by name. */
export const Op = Object.fromEntries(opNames.map((name, index) => [name, index])) as Record<OpName, number>
/** Operands of each operation, -1 for any number. */
export const arity: Int8Array = Int8Array.from(opNames, (name) => table[name][0])
export const attributes: Uint8Array = Uint8Array.from(opNames, (name) => table[name][1])
