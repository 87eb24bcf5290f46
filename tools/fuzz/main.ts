// `npm run fuzz -- [--from SEED] [--count N] [--workers N]`: random programs, compiled at -O2, -Os and -O0 and run on the simulator, against the
// interpreter. Seed n gives the same program each time. Prints how far it is, each seed that differs, and the count at the
// end; status 1 if any differs. tools/reduce.test.ts makes such a program small.

import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'

import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../../test/support/differential.ts'
import { CONTEXT_BYTES, Random, randomProgram } from '../../test/support/random-program.ts'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '1' },
    worker: { type: 'string' },
  },
})
const from = Number(values.from)
const count = Number(values.count)
const workers = Number(values.workers)

/** What a seed stands for. Most programs are compiled at -O2. */
function caseOf(seed: number) {
  const random = new Random(seed)
  const level = ([2, 2, 2, 's', 's', 0] as const)[random.below(6)]!
  return { seed, length: 1 + random.below(80), functions: random.below(4), level }
}

async function work(offset: number): Promise<void> {
  let machine = new Simulator({ cycles: false })
  let done = 0
  for (let seed = from + offset; seed < from + count; seed += workers) {
    const { length, functions, level } = caseOf(seed)
    // The simulator keeps what it has decoded; now and then it may forget.
    if (done % 2000 === 0) machine = new Simulator({ cycles: false })
    let problem = ''
    try {
      const { text } = randomProgram(seed, length, functions)
      const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), machine, {
        optimize: level,
        check: false,
      })
      if (!equal) problem = 'differs'
    } catch (error) {
      problem = String(error)
    }
    if (problem !== '') process.send!({ problem: `SEED=${seed},${length},${functions},${level}: ${problem}` })
    if (++done % 500 === 0) process.send!({ done: 500 })
  }
  process.send!({ done: done % 500 })
}

if (values.worker !== undefined) {
  await work(Number(values.worker))
  process.disconnect()
} else {
  let done = 0
  let wrong = 0
  const start = performance.now()
  const children: ChildProcess[] = []
  for (let worker = 0; worker < workers; worker++) {
    const args = ['--from', `${from}`, '--count', `${count}`, '--workers', `${workers}`, '--worker', `${worker}`]
    const child = fork(process.argv[1]!, args)
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
