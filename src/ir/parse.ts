// Reads what print.ts writes: filetests and the routines that the compiler adds to programs are written so. Values may be
// named by any number and be used before their line (phis). Predecessors' order is that of the `<-` of a block.

import { InputError } from '../base/errors.ts'
import { type Block, type Callee, Func, type Value } from './func.ts'
import { I32, I64, Op, type OpName, type Type, VOID, attributes, TERMINATOR } from './op.ts'

const types: Record<string, Type> = { void: VOID, i32: I32, i64: I64 }

function parseCallee(word: string): Callee {
  const local = /^func(\d+)$/.exec(word)
  if (local) return { kind: 'function', index: Number(local[1]) }
  const helper = /^helper(\d+)$/.exec(word)
  if (helper) return { kind: 'helper', number: Number(helper[1]) }
  return { kind: 'routine', name: word }
}

/** The function that a text describes; InputError with the line otherwise. */
export function parse(text: string): Func {
  const lines = text.split('\n')
  let func: Func | undefined
  let block: Block | undefined
  const blocks = new Map<string, Block>()
  const values = new Map<string, Value>()
  const pending: { value: Value; operands: string[]; line: number }[] = []
  const predecessors: { block: Block; names: string[]; line: number }[] = []
  const blockNamed = (name: string): Block => {
    let found = blocks.get(name)
    if (found === undefined) {
      found = func!.newBlock()
      blocks.set(name, found)
    }
    return found
  }
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/;.*/, '').trim()
    const fail = (message: string): never => {
      throw new InputError(message, { line: index + 1 })
    }
    if (line === '') continue
    const header = /^func ([\w.$]+)\(([^)]*)\)$/.exec(line)
    if (header) {
      const params = header[2]!
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '')
      func = new Func(
        header[1]!,
        params.map((word) => types[word] ?? fail(`unknown type '${word}'`)),
      )
      // Blocks get their numbers in the order of their heads.
      for (const each of lines) {
        const head = /^(b\d+):/.exec(each.trim())
        if (head) blockNamed(head[1]!)
      }
      continue
    }
    if (func === undefined) return fail('expected `func NAME(TYPES)`')
    const head = /^(b\d+):(?:\s*<-\s*(.*))?$/.exec(line)
    if (head) {
      block = blockNamed(head[1]!)
      predecessors.push({ block, names: head[2]?.trim().split(/\s+/) ?? [], line: index + 1 })
      continue
    }
    if (block === undefined) return fail('expected `bN:`')
    const match =
      /^(?:(v\d+):(\w+) = )?(\w+)\s*(.*?)(?:\s*@(\d+))?$/.exec(line) ?? fail('expected `[vN:TYPE =] OP OPERANDS`')
    const op = Op[match[3] as OpName] ?? fail(`unknown operation '${match[3]}'`)
    const type = match[2] === undefined ? VOID : (types[match[2]] ?? fail(`unknown type '${match[2]}'`))
    const value = func.append(block, op, type, [], 0, match[5] === undefined ? -1 : Number(match[5]))
    if (match[1] !== undefined) values.set(match[1], value)
    let rest = match[4]!
    if (op === Op.call) {
      const [name = '', ...more] = rest.split(/\s+/)
      value.callee = parseCallee(name)
      rest = more.join(' ')
    }
    const operands = rest.split(/[,\s]+/).filter((word) => word !== '')
    if ((attributes[op]! & TERMINATOR) !== 0) {
      while (operands.length > 0 && /^b\d+$/.test(operands[operands.length - 1]!)) {
        const target = operands.pop()!
        block.successors.unshift(blocks.get(target) ?? fail(`unknown block '${target}'`))
      }
    }
    const last = operands[operands.length - 1]
    if (last?.startsWith('#')) {
      value.imm = Number(last.slice(1)) | 0
      operands.pop()
    }
    pending.push({ value, operands, line: index + 1 })
  }
  if (func === undefined) throw new InputError('no function')
  for (const { value, operands, line } of pending) {
    value.args = operands.map((word) => {
      if (/^-?(0x[0-9a-f]+|\d+)L$/i.test(word)) {
        const wide = BigInt.asIntN(64, BigInt(word.slice(0, -1)))
        return func.double(Number(wide & 0xffffffffn), Number(wide >> 32n))
      }
      if (/^-?(0x[0-9a-f]+|\d+)$/i.test(word)) return func.word(Number(word))
      const found = values.get(word)
      if (found === undefined) throw new InputError(`unknown operand '${word}'`, { line })
      return found
    })
  }
  for (const { block: to, names, line } of predecessors) {
    to.predecessors = names.map((name) => {
      const from = blocks.get(name)
      if (!from?.successors.includes(to)) throw new InputError(`b${to.id} has no predecessor '${name}'`, { line })
      return from
    })
  }
  return func
}
