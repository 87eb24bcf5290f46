// One operation of the IR as machine code on the simulator: its operands are loaded from the context, its result returned.

import { assemble } from '../../src/bpf/asm.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { emit } from '../../src/codegen/emit.ts'
import { layoutFrame } from '../../src/codegen/frame.ts'
import { allocate } from '../../src/codegen/regalloc.ts'
import { select } from '../../src/codegen/select.ts'
import { SymbolTable } from '../../src/codegen/symbols.ts'
import { makeImage } from '../../src/image/make.ts'
import { I64, type OpName, type Type } from '../../src/ir/op.ts'
import { parse } from '../../src/ir/parse.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { legalize } from '../../src/passes/legalize.ts'

/** Operations whose result is read by words, and which legalization has made already. */
const pairs = new Set(['add2', 'sub2', 'umul', 'smul', 'umla', 'smla', 'umaal'])
const machine = new Simulator()

/** Gives what the operation returns on unsigned operands of these types; `result` is its type. */
export async function compileOp(
  op: OpName,
  types: readonly Type[],
  result: Type,
): Promise<(args: readonly bigint[]) => Promise<bigint>> {
  const loads = types.map((type, index) =>
    type === I64 ? `  v${index + 1}:i64 = load64 v0, #${8 * index}` : `  v${index + 1}:i32 = load32 v0, #${8 * index}`,
  )
  const operands = types.map((_, index) => `v${index + 1}`).join(', ')
  const last = pairs.has(op)
    ? ['v11:i32 = word v10, #0', 'v12:i32 = word v10, #1', 'ret v11, v12']
    : result === I64
      ? ['ret v10']
      : ['v11:i64 = zext v10', 'ret v11']
  const lines = [`v10:${result === I64 ? 'i64' : 'i32'} = ${op} ${operands}`, ...last]
  const head = ['func entry(i32, i32, i32)', 'b0:', '  v0:i32 = param #0']
  const func = parse([...head, ...loads, ...lines.map((line) => `  ${line}`)].join('\n'))
  if (!pairs.has(op)) legalize(func, () => {})

  const module = { entry: func, entries: [], functions: [], taken: [], sections: [], routines: new Map(), table: [] }
  const symbols = new SymbolTable(module, readProgram(assemble('r0 = 0\nexit')))
  const code = select(func, symbols, { entry: true, saveSp: -1 })
  allocate(code, { fullPrologue: false })
  const { stackBytes } = layoutFrame(code, { fullPrologue: false })
  const emitted = emit([code], (symbol) => (symbol === 0 ? 0 : -1))
  const rest = { maps: [], programs: [], table: [], needsEnv: false, bpfInstructions: 1, stackBytes }
  const instance = await instantiate(makeImage(emitted, symbols.symbols, [], rest), machine)
  return async (args) => {
    const ctx = new Uint8Array(8 * types.length)
    for (const [index, arg] of args.entries()) new DataView(ctx.buffer).setBigUint64(8 * index, arg, true)
    const { outcome } = await instance.call({ ctx, len: ctx.length })
    if (outcome.kind !== 'returned') throw new Error(outcome.message)
    return outcome.r0
  }
}
