// Which addresses are multiples of 4 in memory that is nobody's device: there two words side by side may become one access,
// which faults at any other address. That is the stack, sections of data and maps; not the context, which may be anywhere.

import { Op } from '../ir/op.ts'
import type { Callee, Value } from '../ir/func.ts'

/** How deep operands are looked into. */
const DEPTH = 4
/** The runtime's function that gives the address of a map's value, a multiple of 8. */
const MAP_LOOKUP = 'thumbpf_map_lookup'

/** Knows to the multiple of how many bytes the linker puts what a symbol names. */
export interface Alignments {
  alignmentOf(callee: Callee): number
}

/** Whether an address is known to be a multiple of 4 in ordinary memory. */
export function isAlignedAddress(address: Value, symbols: Alignments, depth = DEPTH): boolean {
  const { op, args, imm, callee } = address
  switch (op) {
    case Op.frame:
      return imm % 4 === 0
    case Op.address:
      return imm % 4 === 0 && callee!.kind === 'data' && symbols.alignmentOf(callee!) % 4 === 0
    case Op.tableaddress:
      return callee!.kind === 'data' && symbols.alignmentOf(callee!) % 4 === 0
    case Op.load32:
      // All that a map's structure leads to are its elements.
      return (args[0]!.op === Op.address || args[0]!.op === Op.tableaddress) && args[0]!.callee!.kind === 'map'
    case Op.word:
      return imm === 0 && depth > 0 && isAlignedAddress(args[0]!, symbols, depth - 1)
    case Op.call:
      return (callee!.kind === 'helper' || callee!.kind === 'pointer') && callee!.prototype?.name === MAP_LOOKUP
    case Op.add:
      if (depth === 0) return false
      if (isMultiple(args[1]!, depth)) return isAlignedAddress(args[0]!, symbols, depth - 1)
      return isMultiple(args[0]!, depth) && isAlignedAddress(args[1]!, symbols, depth - 1)
    case Op.phi: {
      if (depth === 0) return false
      let known = false
      for (let index = 0; index < args.length; index++) {
        const arg = args[index]!
        if (arg === address || (arg.op === Op.add && arg.args[0] === address && isMultiple(arg.args[1]!, depth)))
          continue
        if (!isAlignedAddress(arg, symbols, depth - 1)) return false
        known = true
      }
      return known
    }
    default:
      return false
  }
}

/** The word is a multiple of 4. */
function isMultiple({ op, args, imm }: Value, depth: number): boolean {
  if (op === Op.const) return imm % 4 === 0
  if (depth === 0) return false
  switch (op) {
    case Op.lsl:
      return args[1]!.op === Op.const && (args[1]!.imm & 0xff) >= 2
    case Op.and:
    case Op.mul:
      return isMultiple(args[1]!, depth - 1) || isMultiple(args[0]!, depth - 1)
    case Op.add:
    case Op.sub:
      return isMultiple(args[0]!, depth - 1) && isMultiple(args[1]!, depth - 1)
    default:
      return false
  }
}
