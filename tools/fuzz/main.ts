// `npm run fuzz -- [--from SEED] [--count N] [--workers N] [--machine qemu] [--c]` (`--help`): random programs, compiled at -O2, -Os and -O0
// and run on the simulator, with `--machine qemu` on QEMU too, against the interpreter; with `--c` random C through clang-19, against what
// it gives natively. Seed n gives the same program each time. Prints how far it is, each seed that differs, and the count at the end; status 1
// if any differs. tools/reduce.test.ts makes a program of bytecode small.

import { type ChildProcess, fork, spawnSync } from 'node:child_process'

import { parseOptions } from '../options.ts'
import { type Message, work, workOnC, workWithQemu } from './workers.ts'

const { values } = parseOptions({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string' },
    workers: { type: 'string', default: '1' },
    machine: { type: 'string', default: 'sim' },
    c: { type: 'boolean', default: false },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const { machine, c } = values
const from = Number(values.from)
const count = Number(values.count ?? (c ? 1000 : 100_000))
const workers = Number(values.workers)
/** Programs from one line of progress to the next. */
const STEP = c ? 100 : 10_000

const usage = `npm run fuzz -- [options]

--from SEED       the first program's number (default 1)
--count N         how many programs (default 100000, with --c 1000)
--workers N       processes at work (default 1)
--machine qemu    runs them on QEMU as well as on the simulator
--c               makes C: clang-19 compiles it for BPF v2, v3 and v4 (each at one of -O0 -O1 -O2 -Os), and what we make of that at
                  each of our levels must give what the C gives natively; C that differs stays in build/fuzz/`

/** Why the options cannot be, if so. */
function mistake(): string | undefined {
  if ([from, count, workers].some((number) => !Number.isSafeInteger(number) || number < 1)) {
    return 'error: --from, --count and --workers are whole numbers from 1 on'
  }
  if (machine !== 'sim' && machine !== 'qemu') return `error: --machine is sim or qemu, not ${machine}`
  if (!c) return undefined
  if (machine === 'qemu') return 'error: --c is for the simulator alone'
  if (spawnSync('clang-19', ['--version']).error !== undefined) return 'error: --c needs clang-19'
  return undefined
}

async function lead(): Promise<void> {
  let done = 0
  let wrong = 0
  let [runs, left] = [0, 0]
  const start = performance.now()
  const children: ChildProcess[] = []
  for (let worker = 0; worker < workers; worker++) {
    const args = ['--from', `${from}`, '--count', `${count}`, '--workers', `${workers}`, '--worker', `${worker}`]
    const child = fork(process.argv[1]!, [...args, '--machine', machine, ...(c ? ['--c'] : [])])
    child.on('message', (message: Message) => {
      if (message.problem !== undefined) {
        wrong++
        console.log(message.problem)
      }
      if (message.counts !== undefined) {
        runs += message.counts.runs
        left += message.counts.refused + message.counts.long
      }
      const before = done
      done += message.done ?? 0
      if (Math.floor(done / STEP) === Math.floor(before / STEP)) return
      const rate = done / ((performance.now() - start) / 1000)
      console.error(`${done} of ${count} programs, ${wrong} differ, ${rate.toFixed(c ? 1 : 0)} a second`)
    })
    children.push(child)
  }
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
  const more = c ? ` in ${runs} runs, ${left} left out (too long, or clang refuses them)` : ''
  console.log(`${done} programs from seed ${from}: ${wrong} differ${more}`)
  process.exitCode = wrong === 0 && done === count ? 0 : 1
}

if (values.help) console.log(usage)
else if (values.worker !== undefined) {
  const share = { from, count, workers, offset: Number(values.worker) }
  const tell = (message: Message): void => void process.send!(message)
  await (c ? workOnC : machine === 'qemu' ? workWithQemu : work)(share, tell)
  process.disconnect()
} else {
  const wrong = mistake()
  if (wrong === undefined) await lead()
  else {
    console.error(wrong)
    process.exitCode = 2
  }
}
