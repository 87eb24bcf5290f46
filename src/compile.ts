// The walk: bytes -> Program -> SSA -> words -> Thumb instructions -> Image. The only file that knows every room.

import { Env } from './base/abi.ts'
import { withArrays } from './base/arrays.ts'
import { RejectedError, type Rejection, unreachable } from './base/errors.ts'
import type { Prototype } from './base/prototype.ts'
import type { Remark } from './base/remark.ts'
import { checkHelpers } from './bpf/check.ts'
import { type Grants, prototypeOf } from './bpf/helpers.ts'
import { checkMaps, mapPrototypes, MapType } from './bpf/maps.ts'
import type { Program } from './bpf/program.ts'
import { readProgram } from './bpf/read.ts'
import { checkAllocation, snapshot } from './codegen/check.ts'
import type { CodeFunction } from './codegen/code.ts'
import { emit } from './codegen/emit.ts'
import { layoutFrame } from './codegen/frame.ts'
import { arrangeBlocks } from './codegen/layout.ts'
import { leaveRoutine } from './codegen/leave.ts'
import { orderSpills } from './codegen/order-spills.ts'
import { printCode } from './codegen/print.ts'
import { allocate } from './codegen/regalloc.ts'
import { CodeFollower } from './codegen/remarks.ts'
import { select } from './codegen/select.ts'
import { deepestStack } from './codegen/stack.ts'
import { straighten } from './codegen/straighten.ts'
import { SymbolTable } from './codegen/symbols.ts'
import { buildSsa } from './frontend/build.ts'
import type { Image } from './image/image.ts'
import { makeImage } from './image/make.ts'
import type { Func } from './ir/func.ts'
import { allFunctions } from './ir/module.ts'
import { print } from './ir/print.ts'
import { needsEnv } from './passes/arguments.ts'
import { runPasses } from './passes/pipeline.ts'
import { Follower } from './passes/remarks.ts'

/** bpf_tail_call's number. */
const TAIL_CALL = 12

export interface CompileOptions {
  /** Name of the function to enter; see readProgram for which it is otherwise. */
  readonly entry?: string | undefined
  /** Numbers of the helpers that the program may call, with their prototypes in a map. Default: none. */
  readonly helpers?: Grants | undefined
  /** Names of helpers by number, for the message about one that is not granted. */
  readonly helperNames?: ReadonlyMap<number, string> | undefined
  /** A helper whose result 0 ends the whole program with r0 = 0 (bpf_conformance's `unwind`). */
  readonly unwindHelper?: number | undefined
  /** Code that is never patched: one image runs at any address, with its addresses in a table that env leads to. */
  readonly positionIndependent?: boolean | undefined
  /** The textbook workflow: push all callee-saved registers and LR, pop them and PC. */
  readonly fullPrologue?: boolean | undefined
  /** 0: plain, for comparison; 2: everything; s: everything that does not cost bytes. Default 2. */
  readonly optimize?: 0 | 2 | 's' | undefined
  /** Told what each stage made, as text. */
  readonly dump?: ((stage: string, text: string) => void) | undefined
  /** Told why instructions have no code of their own, or other code than one expects: in their order. */
  readonly remark?: ((remark: Remark) => void) | undefined
  /** Checks the IR after every pass and the allocation of registers, for tests. */
  readonly check?: boolean | undefined
}

/** Compiles a program. Throws InputError for bytes that can't be read, RejectedError for a program that is refused. */
export function compile(source: Uint8Array | Program, options: CompileOptions = {}): Image {
  return withArrays(() => walk(source, options))
}

function walk(source: Uint8Array | Program, options: CompileOptions): Image {
  const program =
    source instanceof Uint8Array
      ? readProgram(source, { entry: options.entry, helpers: named(options.helpers) })
      : source
  const helpers = granted(program, options.helpers ?? new Set<number>())
  const rejections = [
    ...checkMaps(program.maps),
    ...checkHelpers(program, helpers, options.helperNames),
    ...(options.positionIndependent === true ? checkTable(program) : []),
  ]
  if (rejections.length > 0) throw new RejectedError(rejections)
  const { dump, remark } = options
  const follower = remark === undefined ? undefined : new Follower()
  const codeFollower = remark === undefined ? undefined : new CodeFollower()

  const module = buildSsa(program, {
    helpers,
    unwindHelper: options.unwindHelper,
    positionIndependent: options.positionIndependent,
    made: follower?.made,
  })
  const after = (stage: string, func: Func): void => {
    dump?.(stage, print(func))
    follower?.after(stage, func)
  }
  const followed = dump !== undefined || follower !== undefined
  if (followed) for (const func of allFunctions(module)) after('ssa', func)
  runPasses(module, {
    optimize: options.optimize ?? 2,
    check: options.check,
    after: followed ? after : undefined,
    follow: follower?.follow,
  })

  const slots = follower === undefined ? [] : program.instructions.map(({ slot }) => slot)
  const fates = follower?.fates(module, slots)
  const symbols = new SymbolTable(module, program)
  const entries = new Set([module.entry, ...module.entries])
  const fullPrologue = options.fullPrologue === true
  const small = options.optimize === 's'
  const functions: CodeFunction[] = []
  const stackBytes: number[] = []
  for (const func of allFunctions(module)) {
    const entry = entries.has(func)
    const saveSp = entry && needsEnv(func) ? Env.sp : -1
    const code = select(func, symbols, { entry, saveSp, small, steps: codeFollower?.steps })
    dump?.('select', printCode(code))
    codeFollower?.begin(code)
    const before = options.check === true ? snapshot(code) : undefined
    allocate(code, { fullPrologue, small })
    const faults = before === undefined ? [] : checkAllocation(before, code)
    if (faults.length > 0) unreachable(`allocation of ${func.name}: ${faults.join('; ')}`)
    codeFollower?.after('allocate', code)
    straighten(code)
    codeFollower?.after('straighten', code)
    if (options.optimize !== 0) {
      arrangeBlocks(code, small, codeFollower && ((step) => codeFollower.after(step, code)))
    }
    codeFollower?.after('layout', code)
    codeFollower?.end()
    dump?.('allocate', printCode(code))
    if (options.optimize !== 0) orderSpills(code, small)
    stackBytes.push(layoutFrame(code, { fullPrologue }).stackBytes)
    functions.push(code)
  }
  if (symbols.leaves) {
    functions.push(leaveRoutine())
    stackBytes.push(0)
  }
  // Functions are the first symbols, in this order.
  const emitted = emit(functions, (symbol) => (symbol < functions.length ? symbol : -1), !small)
  if (remark !== undefined && fates !== undefined) {
    const served = new Set(emitted.lines.map(({ slot }) => slot))
    for (const each of codeFollower!.remarks(slots, fates, served)) remark(each)
  }
  const sections = program.data.map((section) => {
    const bytes = section.bytes.slice()
    const pointers = section.pointers.map(({ offset, target }) => {
      // ELF's relocations take their addend from the place itself.
      if (target.kind === 'data') new DataView(bytes.buffer).setInt32(offset, target.offset, true)
      const symbol = symbols.of(target.kind === 'data' ? { kind: 'data', section: target.section } : target)
      return { offset, symbol }
    })
    return { ...section, bytes, pointers }
  })
  return makeImage(emitted, symbols.symbols, sections, {
    maps: program.maps.map(({ name, type, keySize, valueSize, maxEntries, flags }) => {
      return { name, type, keySize, valueSize, maxEntries, flags }
    }),
    programs: program.maps.flatMap(({ programs = [] }, map) =>
      programs.map(({ index, function: one }) => ({ map, index, symbol: symbols.entry(one) })),
    ),
    table: module.table.map((thing) => symbols.of(thing)),
    needsEnv: needsEnv(module.entry),
    bpfInstructions: program.instructions.length,
    stackBytes: deepestStack(functions, stackBytes),
  })
}

/** Grants with prototypes, whose names a program may call. */
function named(grants: Grants | undefined): ReadonlyMap<number, Prototype | undefined> | undefined {
  return grants !== undefined && 'get' in grants ? grants : undefined
}

/** A program that has maps may use them: the runtime's functions are granted with it, and tail calls with a program array. */
export function granted(program: Program, grants: Grants): Grants {
  if (program.maps.length === 0) return grants
  const all = new Map<number, Prototype | undefined>(mapPrototypes)
  if (program.maps.some((map) => map.type === MapType.PROGRAM_ARRAY)) all.set(TAIL_CALL, undefined)
  for (const number of grants.keys()) if (!all.has(number)) all.set(number, prototypeOf(grants, number))
  return all
}

/** Position-independent programs have a table of addresses each, in env: a program that is tail-called would get the caller's. */
function checkTable(program: Program): Rejection[] {
  const arrays = program.maps.filter((map) => map.type === MapType.PROGRAM_ARRAY)
  return arrays.map(({ name }) => ({
    code: 'position-independent-tail-call',
    place: {},
    message: `map ${name} is a program array, and position-independent programs can't tail-call; compile it without that option`,
  }))
}
