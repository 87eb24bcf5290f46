// `npm run fuzz -- [--from SEED] [--count N] [--workers N] [--machine qemu]` (`--help`): random programs, compiled at -O2, -Os and -O0 and run on
// the simulator, with `--machine qemu` on QEMU too, against the interpreter. Seed n gives the same program each time. Prints how far it is,
// each seed that differs, and the count at the end; status 1 if any differs. tools/reduce.test.ts makes such a program small.

import { type ChildProcess, fork } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { startQemu } from '../../src/machine/node/qemu.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../../test/support/differential.ts'
import { BatchComparison, caseOf, nameOf } from '../../test/support/differential-batch.ts'
import { CONTEXT_BYTES, randomProgram } from '../../test/support/random-program.ts'
import { parseOptions } from '../options.ts'

const { values } = parseOptions({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '1' },
    machine: { type: 'string', default: 'sim' },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const count = Number(values.count)
const workers = Number(values.workers)
const machine = values.machine
/** Programs that QEMU runs in one go. */
const BATCH = 250
/** test/support/, from build/tools/fuzz/. */
const sources = join(dirname(fileURLToPath(import.meta.url)), '../../../test/support')

async function work(offset: number): Promise<void> {
  let simulator = new Simulator({ cycles: false })
  let done = 0
  for (let seed = from + offset; seed < from + count; seed += workers) {
    const one = caseOf(seed)
    // The simulator keeps what it has decoded; now and then it may forget.
    if (done % 2000 === 0) simulator = new Simulator({ cycles: false })
    let problem = ''
    try {
      const { text } = randomProgram(seed, one.length, one.functions)
      const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), simulator, {
        optimize: one.level,
        check: false,
      })
      if (!equal) problem = 'differs'
    } catch (error) {
      problem = String(error)
    }
    if (problem !== '') process.send!({ problem: `${nameOf(one)}: ${problem}` })
    if (++done % 500 === 0) process.send!({ done: 500 })
  }
  process.send!({ done: done % 500 })
}

async function workInBatches(offset: number): Promise<void> {
  const qemu = await startQemu()
  for (let start = from + offset * BATCH; start < from + count; start += workers * BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, from + count - start) }, (_, index) => caseOf(start + index))
    const comparison = await BatchComparison.open([new Simulator({ cycles: false }), qemu], sources, BATCH)
    for (const problem of await comparison.compare(cases)) process.send!({ problem })
    comparison.free()
    process.send!({ done: cases.length })
  }
  await qemu.close()
}

const usage = `npm run fuzz -- [options]

--from SEED       the first program's number (default 1)
--count N         how many programs (default 100000)
--workers N       processes at work (default 1)
--machine qemu    runs them on QEMU as well as on the simulator`

const wrongNumber = [from, count, workers].some((number) => !Number.isSafeInteger(number) || number < 1)

if (values.help) console.log(usage)
else if (wrongNumber) {
  console.error('error: --from, --count and --workers are whole numbers from 1 on')
  process.exitCode = 2
} else if (machine !== 'sim' && machine !== 'qemu') {
  console.error(`--machine is sim or qemu, not ${machine}`)
  process.exitCode = 2
} else if (values.worker !== undefined) {
  await (machine === 'qemu' ? workInBatches : work)(Number(values.worker))
  process.disconnect()
} else {
  let done = 0
  let wrong = 0
  const start = performance.now()
  const children: ChildProcess[] = []
  for (let worker = 0; worker < workers; worker++) {
    const args = ['--from', `${from}`, '--count', `${count}`, '--workers', `${workers}`, '--worker', `${worker}`]
    const child = fork(process.argv[1]!, [...args, '--machine', machine])
    child.on('message', (message: { done?: number; problem?: string }) => {
      if (message.problem !== undefined) {
        wrong++
        console.log(message.problem)
      }
      const before = done
      done += message.done ?? 0
      if (Math.floor(done / 10_000) === Math.floor(before / 10_000)) return
      const seconds = (performance.now() - start) / 1000
      console.error(`${done} of ${count} programs, ${wrong} differ, ${Math.round(done / seconds)} a second`)
    })
    children.push(child)
  }
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
  console.log(`${done} programs from seed ${from}: ${wrong} differ`)
  process.exitCode = wrong === 0 && done === count ? 0 : 1
}
