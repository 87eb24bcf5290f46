// The order of the passes. Each pair that must stand in this order says why.

import { check } from '../ir/check.ts'
import type { Func, Value } from '../ir/func.ts'
import { type Module, allFunctions } from '../ir/module.ts'
import { Op } from '../ir/op.ts'
import { accumulate } from './accumulate.ts'
import { removeArguments } from './arguments.ts'
import { testBits } from './bit-tests.ts'
import { foldBooleans } from './booleans.ts'
import { combineAccesses } from './combine.ts'
import { countDown } from './countdown.ts'
import { removeDeadCode } from './dead-code.ts'
import { type Needs, findNeeds } from './demand.ts'
import { replaceDivisions } from './divide.ts'
import { keepDeviceLoads } from './device-loads.ts'
import { fold } from './fold.ts'
import { numberValues } from './gvn.ts'
import { hoistLoads } from './hoist.ts'
import { simplifyPhis } from './phis.ts'
import { inlineCalls } from './inline.ts'
import { legalize } from './legalize.ts'
import { removeLoads } from './loads.ts'
import { narrow } from './narrow.ts'
import { sinkNeutral } from './neutral.ts'
import { type Ranges, findRanges } from './ranges.ts'
import { removeRedundantPhis } from './redundant-phis.ts'
import { calledRoutines, makeRoutine } from './routines.ts'
import { testShifts } from './shift-tests.ts'
import { signLoads } from './signed-loads.ts'
import { simplifyCfg } from './simplify-cfg.ts'
import { promoteStackSlots } from './stack-slots.ts'
import { reduceStrength } from './strength.ts'
import { makeSwitches } from './switches.ts'
import { threadJumps } from './thread.ts'

/** From so many numbers on, new ones are worth their while. */
const MANY_VALUES = 2048

export interface PassOptions {
  /** 0: only what the back end needs. s: as 2, but few bytes where cycles and bytes are at odds. */
  readonly optimize: 0 | 2 | 's'
  /** Runs the checker of the IR after each pass. */
  readonly check?: boolean | undefined
  /** Told of each function after each pass. */
  readonly after?: ((pass: string, func: Func) => void) | undefined
  /** Told what stands for a value that is copied, or split, and not replaced. */
  readonly follow?: ((from: Value, to: Value) => void) | undefined
}

export function runPasses(module: Module, options: PassOptions): void {
  const step = <T>(name: string, func: Func, pass: (func: Func) => T): T => {
    const result = pass(func)
    if (options.check) check(func)
    options.after?.(name, func)
    return result
  }
  const optimize = options.optimize !== 0
  const small = options.optimize === 's'
  const wide = (func: Func): Ranges => {
    step('simplify-cfg', func, simplifyCfg)
    // Before legalization: what folds here is half the words there.
    if (optimize) {
      step('stack-slots', func, (each) => promoteStackSlots(each, isEntry(module, each)))
      step('booleans', func, foldBooleans)
      step('fold', func, fold)
      const redundant = step('redundant-phis', func, removeRedundantPhis)
      if (step('neutral', func, sinkNeutral) || redundant) step('fold', func, fold)
    }
    // Before anything is removed for not being needed.
    step('device-loads', func, (each) => keepDeviceLoads(each, isEntry(module, each)))
    let ranges = findRanges(func)
    if (optimize) {
      if (step('bit-tests', func, () => testBits(func, ranges))) ranges = findRanges(func)
      step('narrow', func, () => narrow(func, ranges))
      step('shift-tests', func, testShifts)
    }
    return ranges
  }
  const wanted: string[] = []
  const words = (needs: Needs): void => {
    const { func } = needs
    step('legalize', func, (each) => legalize(each, (name) => wanted.push(name), needs, options.follow))
    // Most values were of 64 bits.
    if (func.valueCount >= MANY_VALUES) step('renumber', func, () => func.renumber())
    if (optimize) {
      // gvn after fold: one form of each value. fold after gvn: operands that turned out equal.
      step('fold', func, fold)
      if (func.blocks.some(({ terminator }) => isDecided(terminator))) step('simplify-cfg', func, simplifyCfg)
      step('gvn', func, numberValues)
      // Behind gvn: equal addresses are one value.
      if (step('loads', func, (each) => removeLoads(each, isEntry(module, each), module.sections))) {
        step('fold', func, fold)
        step('gvn', func, numberValues)
      }
      // divide after fold: nothing is known any more of quotients and remainders that are products.
      if (step('divide', func, (each) => replaceDivisions(each, small))) {
        step('fold', func, fold)
        step('gvn', func, numberValues)
      }
      // Behind loads, so that no byte is read twice.
      if (step('combine', func, (each) => combineAccesses(each, isEntry(module, each)))) {
        step('fold', func, fold)
        step('gvn', func, numberValues)
      }
      step('hoist', func, (each) => hoistLoads(each, isEntry(module, each), module.sections))
      step('phis', func, simplifyPhis)
      if (!small) step('thread', func, (each) => threadJumps(each, options.follow))
    }
    const plain = step('dead-code', func, removeDeadCode)
    if (!optimize) return
    // accumulate after dead-code: a product may have lost the words that somebody seemed to need.
    const accumulated = step('accumulate', func, accumulate)
    if (plain || accumulated) {
      // Sums that became plain fold with what they are operands of.
      if (step('fold', func, fold)) {
        step('simplify-cfg', func, simplifyCfg)
        step('gvn', func, numberValues)
      }
      step('dead-code', func, removeDeadCode)
    }
    step('signed-loads', func, signLoads)
    // Last: fold would put addresses and conditions back into the shapes that these change.
    if (step('strength', func, reduceStrength)) {
      step('gvn', func, numberValues)
      step('dead-code', func, removeDeadCode)
    }
    if (step('countdown', func, countDown)) step('dead-code', func, removeDeadCode)
    // Behind all that knows branches alone.
    if (step('switches', func, (each) => makeSwitches(each, small))) step('dead-code', func, removeDeadCode)
  }
  // First of all: bodies fold with what they are given.
  if (optimize) inlineCalls(module, small, (func) => step('inline', func, () => {}), options.follow)
  const legal = (funcs: readonly Func[]): void => {
    const known = funcs.map((func) => ({ func, ranges: wide(func) }))
    // Over all of them: what a function need not return depends on those that call it.
    for (const needs of findNeeds(known, module.functions)) words(needs)
  }
  legal(allFunctions(module))
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (module.routines.has(name)) continue
    const func = makeRoutine(name, small)
    module.routines.set(name, func)
    legal([func])
    wanted.push(...calledRoutines(name, small))
  }
  if (!removeArguments(module)) return
  // Operands that are not passed any more.
  for (const func of allFunctions(module)) step('dead-code', func, removeDeadCode)
}

/** A branch that always goes one way: what that skips may name addresses that no frame has. */
function isDecided(terminator: Value): boolean {
  return terminator.op === Op.branch && terminator.args[0]!.op === Op.const
}

function isEntry(module: Module, func: Func): boolean {
  return func === module.entry || module.entries.includes(func)
}
