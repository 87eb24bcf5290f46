// Parameters and results between a module's functions, a word at a time: those that no one needs are not passed. Needs:
// all functions legal, without dead code. Leaves: parameters renumbered without gaps. Entries keep their three.

import { int32, uint8 } from '../base/arrays.ts'
import { Op } from '../ir/op.ts'
import { type Module, allFunctions } from '../ir/module.ts'
import type { Func, Value } from '../ir/func.ts'

/** Whether anything changed. */
export function removeArguments(module: Module): boolean {
  if (module.functions.every((func) => func === null)) return false
  const funcs = allFunctions(module)
  const calls: Value[] = []
  const callee = (call: Value): Func | null => {
    const target = call.callee!
    if (target.kind === 'function') return module.functions[target.index]!
    return null
  }
  // A parameter is needed if something other than a call's operand for an unneeded parameter reads it.
  const needed = new Map<Func, Uint8Array>()
  for (const func of funcs) needed.set(func, uint8(func.params.length))
  const feeds = new Map<Func, { param: number; to: Func; at: number }[]>()
  for (const func of funcs) {
    const mine = needed.get(func)!
    const passed: { param: number; to: Func; at: number }[] = []
    feeds.set(func, passed)
    for (const block of func.blocks) {
      for (const value of block.values) {
        const target = value.op === Op.call ? callee(value) : null
        if (target !== null) calls.push(value)
        for (const [at, arg] of value.args.entries()) {
          if (arg.op !== Op.param) continue
          if (target !== null) passed.push({ param: arg.imm, to: target, at })
          else mine[arg.imm] = 1
        }
      }
    }
  }
  for (let changed = true; changed;) {
    changed = false
    for (const func of funcs) {
      const mine = needed.get(func)!
      for (const { param, to, at } of feeds.get(func)!) {
        if (mine[param] === 0 && needed.get(to)![at] === 1) {
          mine[param] = 1
          changed = true
        }
      }
    }
  }
  for (const call of calls) {
    const wanted = needed.get(callee(call)!)!
    call.args = call.args.filter((_, at) => wanted[at] === 1)
  }
  for (const func of module.functions) {
    if (func === null) continue
    const wanted = needed.get(func)!
    const number = int32(wanted.length)
    let next = 0
    for (const [at, want] of wanted.entries()) number[at] = want === 1 ? next++ : -1
    const head = func.blocks[0]!
    head.values = head.values.filter((value) => value.op !== Op.param || wanted[value.imm] === 1)
    for (const value of head.values) if (value.op === Op.param) value.imm = number[value.imm]!
    func.params = func.params.filter((_, at) => wanted[at] === 1)
  }
  return true
}

/** Whether an entry, after `removeArguments`, reads its env: else the parameter has gone with dead code. */
export function needsEnv(entry: Func): boolean {
  return entry.blocks[0]!.values.some(({ op, imm }) => op === Op.param && imm === 2)
}
