// CodeFunctions as text, before and after allocation, for people and tests.

import { formNames } from '../thumb/forms.ts'
import { Cond, Index, Shift } from '../thumb/instruction.ts'
import { registerNames } from '../thumb/registers.ts'
import { Base, type Code, type CodeFunction, FIRST_VIRTUAL, type Fixed, P } from './code.ts'

const pseudoNames = new Map<number, string>(Object.entries(P).map(([name, form]) => [form, name]))
const condNames = Object.keys(Cond)
const shiftNames = Object.keys(Shift)

/** `v17` or `r3`. */
export function printRegister(register: number): string {
  return register < FIRST_VIRTUAL ? (registerNames[register] ?? `?${register}`) : `v${register}`
}

/** A function, one Code a line, blocks with their number, predecessors and depth of loops. */
export function printCode(fn: CodeFunction): string {
  const lines: string[] = []
  const head = [`function ${fn.name}`, `frame ${fn.frameBytes}`, `spill ${fn.spillWords}`]
  if (fn.calls) head.push('calls')
  if (fn.savesAll) head.push('saves all')
  lines.push(head.join(', '))
  for (const block of fn.blocks) {
    const notes: string[] = []
    if (block.predecessors.length > 0) notes.push(`from ${block.predecessors.join(' ')}`)
    if (block.loopDepth > 0) notes.push(`depth ${block.loopDepth}`)
    lines.push(`b${block.index}:${notes.length > 0 ? ` // ${notes.join(', ')}` : ''}`)
    for (const code of block.code) lines.push(`  ${printOne(code)}`)
  }
  return `${lines.join('\n')}\n`
}

/** One Code. */
export function printOne(code: Code): string {
  const name = pseudoNames.get(code.form) ?? formNames[code.form] ?? `form ${code.form}`
  const cond = code.cond === Cond.AL ? '' : `.${condNames[code.cond]}`
  const flags = code.s === 1 ? '.S' : code.s === 2 ? '.?' : ''
  const parts: string[] = []
  if (code.form === P.PARALLEL_MOVE) {
    code.defs.forEach((def, i) => parts.push(`${printRegister(def)} <- ${printRegister(code.uses[i]!)}`))
  }
  if (code.d >= 0) parts.push(`d=${printRegister(code.d)}`)
  if (code.a >= 0) parts.push(`a=${printRegister(code.a)}`)
  if (code.n >= 0) parts.push(`n=${printRegister(code.n)}`)
  if (code.m >= 0) parts.push(`m=${printRegister(code.m)}`)
  if (code.shift !== 0) parts.push(shiftNames[code.shift]!)
  if (code.amount !== 0) parts.push(`amount ${code.amount}`)
  if (code.imm !== 0) parts.push(`#${code.imm}`)
  if (code.index !== Index.OFFSET) parts.push(code.index === Index.PRE ? 'pre' : 'post')
  if (code.base === Base.FRAME) parts.push('frame')
  if (code.symbol >= 0) parts.push(`symbol ${code.symbol}`)
  if (code.target >= 0) parts.push(`-> b${code.target}`)
  if (code.targets.length > 0) parts.push(`-> ${code.targets.map((target) => `b${target}`).join(' ')}`)
  if (code.fixedUses.length > 0) parts.push(`uses ${printFixed(code.fixedUses)}`)
  if (code.fixedDefs.length > 0) parts.push(`defs ${printFixed(code.fixedDefs)}`)
  if (code.clobbers !== 0) parts.push(`clobbers 0x${code.clobbers.toString(16)}`)
  return `${name}${cond}${flags} ${parts.join(', ')}`.trimEnd()
}

function printFixed(list: readonly Fixed[]): string {
  return list.map((fixed) => `${printRegister(fixed.vreg)}=${printRegister(fixed.register)}`).join(' ')
}
