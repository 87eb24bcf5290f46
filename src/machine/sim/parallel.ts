// What the parallel additions and subtractions of the DSP extension do, and SEL, which reads the GE flags that they leave.
// Each is made from a lane's arithmetic (S, Q, SH, U, UQ, UH) and an arrangement of lanes. DDI 0403E A7.7.

import type { Handler } from './core.ts'

/** One lane: the exact sum or difference of two lane values made into a result, and GE, if the kind sets it. */
interface Kind {
  readonly signed: boolean
  result(exact: number, bits: number): number
  /** undefined: this kind leaves GE alone. */
  greater?(exact: number, bits: number, subtraction: boolean): boolean
}

const wrap = (exact: number): number => exact
const halve = (exact: number): number => exact >> 1

const S: Kind = { signed: true, result: wrap, greater: (exact) => exact >= 0 }
const Q: Kind = {
  signed: true,
  result: (exact, bits) => Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, exact)),
}
const SH: Kind = { signed: true, result: halve }
const U: Kind = {
  signed: false,
  result: wrap,
  greater: (exact, bits, subtraction) => (subtraction ? exact >= 0 : exact >= 2 ** bits),
}
const UQ: Kind = { signed: false, result: (exact, bits) => Math.max(0, Math.min(2 ** bits - 1, exact)) }
const UH: Kind = { signed: false, result: halve }

/** Value of a lane. */
function lane(kind: Kind, word: number, shift: number, bits: number): number {
  const left = 32 - bits - shift
  return kind.signed ? (word << left) >> (32 - bits) : (word << left) >>> (32 - bits)
}

/** All lanes alike: addition or subtraction of bytes or halfwords. */
function lanes(kind: Kind, bits: 8 | 16, subtraction: boolean): Handler {
  const mask = 2 ** bits - 1
  const geMask = bits === 8 ? 1 : 3
  return (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    let result = 0
    let ge = 0
    for (let shift = 0; shift < 32; shift += bits) {
      const y = lane(kind, m, shift, bits)
      const exact = lane(kind, n, shift, bits) + (subtraction ? -y : y)
      result |= (kind.result(exact, bits) & mask) << shift
      if (kind.greater?.(exact, bits, subtraction) === true) ge |= geMask << (shift >> 3)
    }
    core.r[op.d] = result
    if (kind.greater !== undefined) core.ge = ge
  }
}

/** ASX: m's halves exchanged, top added and bottom subtracted. SAX: the other way round. */
function exchanged(kind: Kind, topSubtracts: boolean): Handler {
  return (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    const bottomM = lane(kind, m, 0, 16)
    const topM = lane(kind, m, 16, 16)
    const low = lane(kind, n, 0, 16) + (topSubtracts ? topM : -topM)
    const high = lane(kind, n, 16, 16) + (topSubtracts ? -bottomM : bottomM)
    core.r[op.d] = (kind.result(low, 16) & 0xffff) | (kind.result(high, 16) << 16)
    if (kind.greater !== undefined) {
      core.ge = (kind.greater(low, 16, !topSubtracts) ? 3 : 0) | (kind.greater(high, 16, topSubtracts) ? 12 : 0)
    }
  }
}

export const parallel = {
  SADD8: lanes(S, 8, false),
  SADD16: lanes(S, 16, false),
  SSUB8: lanes(S, 8, true),
  SSUB16: lanes(S, 16, true),
  SASX: exchanged(S, false),
  SSAX: exchanged(S, true),
  QADD8: lanes(Q, 8, false),
  QADD16: lanes(Q, 16, false),
  QSUB8: lanes(Q, 8, true),
  QSUB16: lanes(Q, 16, true),
  QASX: exchanged(Q, false),
  QSAX: exchanged(Q, true),
  SHADD8: lanes(SH, 8, false),
  SHADD16: lanes(SH, 16, false),
  SHSUB8: lanes(SH, 8, true),
  SHSUB16: lanes(SH, 16, true),
  SHASX: exchanged(SH, false),
  SHSAX: exchanged(SH, true),
  UADD8: lanes(U, 8, false),
  UADD16: lanes(U, 16, false),
  USUB8: lanes(U, 8, true),
  USUB16: lanes(U, 16, true),
  UASX: exchanged(U, false),
  USAX: exchanged(U, true),
  UQADD8: lanes(UQ, 8, false),
  UQADD16: lanes(UQ, 16, false),
  UQSUB8: lanes(UQ, 8, true),
  UQSUB16: lanes(UQ, 16, true),
  UQASX: exchanged(UQ, false),
  UQSAX: exchanged(UQ, true),
  UHADD8: lanes(UH, 8, false),
  UHADD16: lanes(UH, 16, false),
  UHSUB8: lanes(UH, 8, true),
  UHSUB16: lanes(UH, 16, true),
  UHASX: exchanged(UH, false),
  UHSAX: exchanged(UH, true),
  SEL: (core, op) => {
    let mask = 0
    for (let byte = 0; byte < 4; byte++) if ((core.ge & (1 << byte)) !== 0) mask |= 0xff << (8 * byte)
    core.r[op.d] = (core.r[op.n]! & mask) | (core.r[op.m]! & ~mask)
  },
} as const satisfies Record<string, Handler>
