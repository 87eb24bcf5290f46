// A function as text, read back by parse.ts. One line a value: `v3:i64 = add v1, v2`; constants stand in their place as
// `5` (a word) or `5L` (64 bits); `@7` is the BPF slot that a value serves.

import type { Callee, Func, Value } from './func.ts'
import { I64, Op, VOID, opNames } from './op.ts'

const typeNames = ['void', 'i32', 'i64']

function constant(value: Value): string {
  if (value.type !== I64) return String(value.imm)
  return `${(BigInt(value.immHigh) << 32n) | BigInt(value.imm >>> 0)}L`
}

function operand(value: Value): string {
  return value.op === Op.const ? constant(value) : `v${value.id}`
}

export function formatCallee(callee: Callee): string {
  switch (callee.kind) {
    case 'function':
      return `func${callee.index}`
    case 'helper':
      return `helper${callee.number}`
    case 'routine':
      return callee.name
    case 'pointer':
      return 'pointer'
    case 'data':
      return `data${callee.section}`
    case 'map':
      return `map${callee.index}`
    case 'area':
      return `area${callee.index}.${callee.depth}`
  }
}

/** One line for one value. */
export function formatValue(value: Value): string {
  const words: string[] = []
  if (value.callee !== null) words.push(formatCallee(value.callee))
  const operands = value.args.map(operand)
  if (value.imm !== 0 || value.op === Op.param || value.op === Op.word) operands.push(`#${value.imm}`)
  if (operands.length > 0) words.push(operands.join(', '))
  if (value.block.terminator === value && value.block.successors.length > 0) {
    words.push(value.block.successors.map((block) => `b${block.id}`).join(' '))
  }
  const result = value.type === VOID ? '' : `v${value.id}:${typeNames[value.type]} = `
  const origin = value.origin >= 0 ? ` @${value.origin}` : ''
  return `${result}${opNames[value.op]}${words.length > 0 ? ` ${words.join(' ')}` : ''}${origin}`
}

export function print(func: Func): string {
  const lines = [`func ${func.name}(${func.params.map((type) => typeNames[type]).join(', ')})`]
  for (const block of func.blocks) {
    const from = block.predecessors.length > 0 ? ` <- ${block.predecessors.map((p) => `b${p.id}`).join(' ')}` : ''
    lines.push(`b${block.id}:${from}`)
    for (const value of block.values) lines.push(`  ${formatValue(value)}`)
  }
  return `${lines.join('\n')}\n`
}
