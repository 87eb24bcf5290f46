// Runs every *.ft file of this folder: README.md says what is in them.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError, RejectedError, formatRejection } from '../../src/base/errors.ts'
import { type Outcome, formatOutcome } from '../../src/base/outcome.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { listing } from '../../src/image/listing.ts'
import { check } from '../../src/ir/check.ts'
import type { Func } from '../../src/ir/func.ts'
import { parse } from '../../src/ir/parse.ts'
import { print } from '../../src/ir/print.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { accumulate } from '../../src/passes/accumulate.ts'
import { testBits } from '../../src/passes/bit-tests.ts'
import { foldBooleans } from '../../src/passes/booleans.ts'
import { combineAccesses } from '../../src/passes/combine.ts'
import { countDown } from '../../src/passes/countdown.ts'
import { removeDeadCode } from '../../src/passes/dead-code.ts'
import { fold } from '../../src/passes/fold.ts'
import { numberValues } from '../../src/passes/gvn.ts'
import { hoistLoads } from '../../src/passes/hoist.ts'
import { legalize } from '../../src/passes/legalize.ts'
import { signLoads } from '../../src/passes/signed-loads.ts'
import { testShifts } from '../../src/passes/shift-tests.ts'
import { narrow } from '../../src/passes/narrow.ts'
import { findRanges } from '../../src/passes/ranges.ts'
import { removeLoads } from '../../src/passes/loads.ts'
import { simplifyPhis } from '../../src/passes/phis.ts'
import { removeRedundantPhis } from '../../src/passes/redundant-phis.ts'
import { sinkNeutral } from '../../src/passes/neutral.ts'
import { simplifyCfg } from '../../src/passes/simplify-cfg.ts'
import { reduceStrength } from '../../src/passes/strength.ts'
import { makeSwitches } from '../../src/passes/switches.ts'
import { promoteStackSlots } from '../../src/passes/stack-slots.ts'
import { threadJumps } from '../../src/passes/thread.ts'
import { testHelpers } from '../support/differential.ts'

const folder = import.meta.dirname
const bless = process.env['BLESS'] === '1'

interface Section {
  readonly head: string
  text: string
}

function readSections(source: string): { comment: string; sections: Section[] } {
  const parts = source.split(/^-- /m)
  const sections = parts.slice(1).map((part) => {
    const end = part.indexOf('\n')
    return { head: part.slice(0, end).trim(), text: `${part.slice(end + 1).trimEnd()}\n` }
  })
  return { comment: parts[0]!, sections }
}

const passes: Record<string, (func: Func) => unknown> = {
  loads: (func) => removeLoads(func, true, []),
  'stack-slots': (func) => promoteStackSlots(func, true),
  booleans: foldBooleans,
  'bit-tests': (func) => testBits(func, findRanges(func)),
  hoist: (func) => hoistLoads(func, true, []),
  phis: simplifyPhis,
  'redundant-phis': removeRedundantPhis,
  neutral: sinkNeutral,
  'shift-tests': testShifts,
  'simplify-cfg': simplifyCfg,
  fold,
  combine: (func) => combineAccesses(func, true),
  countdown: countDown,
  gvn: numberValues,
  'signed-loads': signLoads,
  strength: reduceStrength,
  'dead-code': removeDeadCode,
  switches: (func) => makeSwitches(func, false),
  thread: (func) => threadJumps(func),
  narrow: (func) => narrow(func, findRanges(func)),
  legalize: (func) => legalize(func, () => {}),
  accumulate,
}

const helpers = { helpers: new Map([...testHelpers].map(([number, fn]) => [number, { name: `helper_${number}`, fn }])) }

/** What each stage prints for a program, at level 2 or s. */
function stages(text: Uint8Array, optimize: 2 | 's'): Record<string, string> {
  const printed: Record<string, string[]> = {}
  const add = (stage: string, line: string): void => {
    printed[stage] ??= []
    printed[stage].push(line)
  }
  const last = new Map<string, string>()
  const dump = (stage: string, output: string): void => {
    if (stage === 'ssa' || stage === 'select' || stage === 'allocate') add(stage, output)
    else last.set(/^func (\S+)\(/.exec(output)![1]!, output)
  }
  const image = compile(text, { helpers: new Set(testHelpers.keys()), dump, optimize, check: true })
  for (const output of last.values()) add('passes', output)
  for (const line of listing(image)) add('thumb', `${line.offset.toString(16).padStart(4)}: ${line.text}\n`)
  return Object.fromEntries(Object.entries(printed).map(([stage, lines]) => [stage, lines.join('')]))
}

function refusal(text: string): string {
  try {
    compile(assemble(text), { helpers: new Set(testHelpers.keys()) })
  } catch (error) {
    if (error instanceof RejectedError) return error.rejections.map((each) => `${formatRejection(each)}\n`).join('')
    if (error instanceof InputError)
      return `${error.line === undefined ? '' : `line ${error.line}: `}${error.message}\n`
    throw error
  }
  return 'accepted\n'
}

const machine = new Simulator()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function runs(text: Uint8Array, head: string): Promise<string[]> {
  const ctxWord = /ctx=([0-9a-f]+)/.exec(head)?.[1]
  const ctx = ctxWord === undefined ? undefined : Uint8Array.from(Buffer.from(ctxWord, 'hex'))
  const lenWord = /len=(\d+)/.exec(head)?.[1]
  const results: string[] = []
  const report = (outcome: Outcome, after: Uint8Array): void => {
    const changed = ctx !== undefined && hex(after) !== hex(ctx) ? `\nctx = ${hex(after)}` : ''
    results.push(`${formatOutcome(outcome)}${changed}\n`)
  }
  const len = lenWord === undefined ? (ctx?.length ?? 0) : Number(lenWord)
  for (const optimize of [0, 's', 2] as const) {
    const image = compile(text, { helpers: new Set(testHelpers.keys()), optimize, check: true })
    const instance = await instantiate(image, machine, { helpers: testHelpers })
    const result = await instance.call({ ...(ctx && { ctx }), len })
    report(result.outcome, result.ctx)
    const base = instance.ctxAddress
    instance.free()
    if (optimize !== 2) continue
    const bytes = (ctx ?? new Uint8Array(0)).slice()
    const memory = new RegionMemory([{ base, bytes }])
    report(interpret(readProgram(text), { memory, r1: ctx === undefined ? 0 : base, r2: len, helpers }).outcome, bytes)
  }
  return results
}

describe('filetests', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ft'))) {
    it(file, async () => {
      const path = join(folder, file)
      const { comment, sections } = readSections(readFileSync(path, 'utf8'))
      const [input, ...expectations] = sections
      for (const section of expectations) {
        const [kind, name] = section.head.split(' ')
        let actual: string
        if (kind === 'run') {
          for (const result of await runs(assemble(input!.text), section.head)) expect(result).toBe(section.text)
          continue
        } else if (kind === 'error') {
          actual = refusal(input!.text)
        } else if (kind === 'pass') {
          const func = parse(input!.text)
          check(func)
          passes[name!]!(func)
          check(func)
          actual = print(func)
        } else {
          actual = stages(assemble(input!.text), name === 's' ? 's' : 2)[kind!]!
        }
        if (bless) section.text = actual
        else expect(actual, section.head).toBe(section.text)
      }
      if (bless) writeFileSync(path, comment + sections.map(({ head, text }) => `-- ${head}\n${text}`).join('\n'))
    })
  }
})
