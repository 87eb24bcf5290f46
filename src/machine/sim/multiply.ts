// What the multiplications, divisions, saturations and the DSP extension's multiply-accumulates do. RdLo is d, RdHi is a.
// DDI 0403E A7.7. Products of 32 by 32 bits are built from halves; smaller ones are exact in a double.

import { saturateSigned, saturateUnsigned, setNZ, shiftedValue } from './core.ts'
import type { Core, Handler, Op } from './core.ts'
import { Fault } from './memory.ts'

/** High word of the unsigned product. */
function highUnsigned(x: number, y: number): number {
  const xl = x & 0xffff
  const xh = x >>> 16
  const yl = y & 0xffff
  const yh = y >>> 16
  const lh = xl * yh
  const hl = xh * yl
  const middle = ((xl * yl) >>> 16) + (lh & 0xffff) + (hl & 0xffff)
  return (xh * yh + (lh >>> 16) + (hl >>> 16) + (middle >>> 16)) | 0
}
/** High word of the signed product. */
function highSigned(x: number, y: number): number {
  return (highUnsigned(x, y) - (x < 0 ? y : 0) - (y < 0 ? x : 0)) | 0
}
/** a:d = a:d + high:low. */
function accumulate(core: Core, op: Op, low: number, high: number): void {
  const sum = (core.r[op.d]! >>> 0) + (low >>> 0)
  core.r[op.a] = core.r[op.a]! + high + (sum >= 2 ** 32 ? 1 : 0)
  core.r[op.d] = sum
}
/** a:d = a:d + an exact signed number. */
function accumulateNumber(core: Core, op: Op, value: number): void {
  accumulate(core, op, value, Math.floor(value / 2 ** 32))
}
function bottom(value: number): number {
  return (value << 16) >> 16
}
function top(value: number): number {
  return value >> 16
}
/** The word of an exact sum; Q where it does not fit (no saturation). */
function sumWithQ(core: Core, value: number): number {
  const result = value | 0
  if (result !== value) core.q = 1
  return result
}
/** Both halfword products, of m's halves exchanged with x. */
function products(core: Core, op: Op, exchange: boolean): [low: number, high: number] {
  const n = core.r[op.n]!
  const m = core.r[op.m]!
  return exchange ? [bottom(n) * top(m), top(n) * bottom(m)] : [bottom(n) * bottom(m), top(n) * top(m)]
}

function mulHalves(n: (value: number) => number, m: (value: number) => number): Handler {
  return (core, op) => {
    core.r[op.d] = n(core.r[op.n]!) * m(core.r[op.m]!)
  }
}
function mlaHalves(n: (value: number) => number, m: (value: number) => number): Handler {
  return (core, op) => {
    core.r[op.d] = sumWithQ(core, n(core.r[op.n]!) * m(core.r[op.m]!) + core.r[op.a]!)
  }
}
function mlalHalves(n: (value: number) => number, m: (value: number) => number): Handler {
  return (core, op) => accumulateNumber(core, op, n(core.r[op.n]!) * m(core.r[op.m]!))
}
/** Bits 47:16 of word times halfword. */
function mulWord(m: (value: number) => number): Handler {
  return (core, op) => {
    core.r[op.d] = Math.floor((core.r[op.n]! * m(core.r[op.m]!)) / 65536)
  }
}
function mlaWord(m: (value: number) => number): Handler {
  return (core, op) => {
    core.r[op.d] = sumWithQ(core, Math.floor((core.r[op.n]! * m(core.r[op.m]!)) / 65536) + core.r[op.a]!)
  }
}
/** High word of (accumulator:0) + product, or minus it, with rounding. */
function mostSignificant(sign: 0 | 1 | -1, round: boolean): Handler {
  return (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    let low = Math.imul(n, m)
    let high = highSigned(n, m)
    if (sign < 0) {
      high = (~high + (low === 0 ? 1 : 0)) | 0
      low = -low | 0
    }
    // Rounding adds 0x80000000: a carry where bit 31 is set.
    const carry = round && low < 0 ? 1 : 0
    core.r[op.d] = (sign === 0 ? 0 : core.r[op.a]!) + high + carry
  }
}
/** Sum or difference of the two halfword products, plus an accumulator if there is one. */
function dual(sign: 1 | -1, exchange: boolean, add: boolean): Handler {
  return (core, op) => {
    const [low, high] = products(core, op, exchange)
    core.r[op.d] = sumWithQ(core, low + sign * high + (add ? core.r[op.a]! : 0))
  }
}
function dualLong(sign: 1 | -1, exchange: boolean): Handler {
  return (core, op) => {
    const [low, high] = products(core, op, exchange)
    accumulateNumber(core, op, low + sign * high)
  }
}
/** Cycles of a division over the 2 that every one takes: row C3 of the cycle model. */
function divisionCycles(n: number, d: number): number {
  if (n === 0 || d === 0) return 0
  const difference = Math.clz32(d) - Math.clz32(n)
  return difference < 0 ? 1 : 3 + (difference >> 2)
}
function divideByZero(core: Core, op: Op): void {
  if (core.trapDivideByZero) throw new Fault('DIVBYZERO', 'division by zero with CCR.DIV_0_TRP')
  core.r[op.d] = 0
}
function sumOfDifferences(x: number, y: number): number {
  let sum = 0
  for (let shift = 0; shift < 32; shift += 8) sum += Math.abs(((x >>> shift) & 255) - ((y >>> shift) & 255))
  return sum
}

export const multiply = {
  MUL: (core, op) => {
    const result = Math.imul(core.r[op.n]!, core.r[op.m]!)
    if (op.s !== 0) setNZ(core, result)
    core.r[op.d] = result
  },
  MLA: (core, op) => {
    core.r[op.d] = Math.imul(core.r[op.n]!, core.r[op.m]!) + core.r[op.a]!
  },
  MLS: (core, op) => {
    core.r[op.d] = core.r[op.a]! - Math.imul(core.r[op.n]!, core.r[op.m]!)
  },
  UMULL: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    core.r[op.d] = Math.imul(n, m)
    core.r[op.a] = highUnsigned(n, m)
  },
  SMULL: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    core.r[op.d] = Math.imul(n, m)
    core.r[op.a] = highSigned(n, m)
  },
  UMLAL: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    accumulate(core, op, Math.imul(n, m), highUnsigned(n, m))
  },
  SMLAL: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    accumulate(core, op, Math.imul(n, m), highSigned(n, m))
  },
  UMAAL: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    const low = (Math.imul(n, m) >>> 0) + (core.r[op.d]! >>> 0) + (core.r[op.a]! >>> 0)
    core.r[op.a] = highUnsigned(n, m) + Math.floor(low / 2 ** 32)
    core.r[op.d] = low
  },
  UDIV: (core, op) => {
    const n = core.r[op.n]! >>> 0
    const m = core.r[op.m]! >>> 0
    core.stall += divisionCycles(n, m)
    if (m === 0) divideByZero(core, op)
    else core.r[op.d] = Math.floor(n / m)
  },
  SDIV: (core, op) => {
    const n = core.r[op.n]!
    const m = core.r[op.m]!
    core.stall += divisionCycles(Math.abs(n), Math.abs(m))
    if (m === 0) divideByZero(core, op)
    else core.r[op.d] = Math.trunc(n / m)
  },

  SMULBB: mulHalves(bottom, bottom),
  SMULBT: mulHalves(bottom, top),
  SMULTB: mulHalves(top, bottom),
  SMULTT: mulHalves(top, top),
  SMULWB: mulWord(bottom),
  SMULWT: mulWord(top),
  SMLABB: mlaHalves(bottom, bottom),
  SMLABT: mlaHalves(bottom, top),
  SMLATB: mlaHalves(top, bottom),
  SMLATT: mlaHalves(top, top),
  SMLAWB: mlaWord(bottom),
  SMLAWT: mlaWord(top),
  SMLALBB: mlalHalves(bottom, bottom),
  SMLALBT: mlalHalves(bottom, top),
  SMLALTB: mlalHalves(top, bottom),
  SMLALTT: mlalHalves(top, top),
  SMMUL: mostSignificant(0, false),
  SMMULR: mostSignificant(0, true),
  SMMLA: mostSignificant(1, false),
  SMMLAR: mostSignificant(1, true),
  SMMLS: mostSignificant(-1, false),
  SMMLSR: mostSignificant(-1, true),
  SMUAD: dual(1, false, false),
  SMUADX: dual(1, true, false),
  SMUSD: dual(-1, false, false),
  SMUSDX: dual(-1, true, false),
  SMLAD: dual(1, false, true),
  SMLADX: dual(1, true, true),
  SMLSD: dual(-1, false, true),
  SMLSDX: dual(-1, true, true),
  SMLALD: dualLong(1, false),
  SMLALDX: dualLong(1, true),
  SMLSLD: dualLong(-1, false),
  SMLSLDX: dualLong(-1, true),

  USAD8: (core, op) => {
    core.r[op.d] = sumOfDifferences(core.r[op.n]!, core.r[op.m]!)
  },
  USADA8: (core, op) => {
    core.r[op.d] = core.r[op.a]! + sumOfDifferences(core.r[op.n]!, core.r[op.m]!)
  },

  QADD: (core, op) => {
    core.r[op.d] = saturateSigned(core, core.r[op.m]! + core.r[op.n]!, 32)
  },
  QSUB: (core, op) => {
    core.r[op.d] = saturateSigned(core, core.r[op.m]! - core.r[op.n]!, 32)
  },
  QDADD: (core, op) => {
    core.r[op.d] = saturateSigned(core, core.r[op.m]! + saturateSigned(core, 2 * core.r[op.n]!, 32), 32)
  },
  QDSUB: (core, op) => {
    core.r[op.d] = saturateSigned(core, core.r[op.m]! - saturateSigned(core, 2 * core.r[op.n]!, 32), 32)
  },
  SSAT: (core, op) => {
    const value = shiftedValue(core, core.r[op.n]!, op.shift, op.amount) | 0
    core.r[op.d] = saturateSigned(core, value, op.imm)
  },
  USAT: (core, op) => {
    const value = shiftedValue(core, core.r[op.n]!, op.shift, op.amount) | 0
    core.r[op.d] = saturateUnsigned(core, value, op.imm)
  },
  SSAT16: (core, op) => {
    const low = saturateSigned(core, bottom(core.r[op.n]!), op.imm)
    const high = saturateSigned(core, top(core.r[op.n]!), op.imm)
    core.r[op.d] = (low & 0xffff) | (high << 16)
  },
  USAT16: (core, op) => {
    const low = saturateUnsigned(core, bottom(core.r[op.n]!), op.imm)
    const high = saturateUnsigned(core, top(core.r[op.n]!), op.imm)
    core.r[op.d] = low | (high << 16)
  },
} as const satisfies Record<string, Handler>
