// QEMU's mps2-an386, a Cortex-M4, as a Machine: started for us, ended with us. It is driven through its GDB stub; with
// -icount its clock counts instructions, 1,024 ns each, and CMSDK timer 0 shows that at 25 MHz.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'

import { GdbMachine } from '../gdb/machine.ts'
import { MachineError } from '../gdb/transport.ts'
import type { Region } from '../machine.ts'
import { connectTcp } from './tcp.ts'

/** As the simulator's: see sim/simulator.ts. The last KiB of code is the debug stub's. */
const regions: readonly Region[] = [
  { name: 'code', base: 0x0000_0100, size: 0x0040_0000 - 0x100, execute: true, write: false },
  { name: 'ram', base: 0x2000_0000, size: 0x0040_0000, execute: false, write: true },
]
const BOARD =
  '-M mps2-an386 -display none -serial none -monitor none -nodefaults -icount shift=10,align=off,sleep=off'.split(' ')
/**
 * A shell runs QEMU and ends it when its own input does: when we close it, and when we are killed. `3` is that input, which
 * the shell would not give to what runs beside it.
 */
const GUARD = 'exec 3<&0; "$@" 3<&- & q=$!; (cat <&3 >/dev/null; kill -9 $q) 2>/dev/null & wait $q'
/** The shell's status for a program that is not there. */
const NOT_FOUND = 127
const TIMER0 = 0x4000_0000
const TICKS_AN_INSTRUCTION = 25.6

export interface QemuOptions {
  /** Default: qemu-system-arm. */
  readonly program?: string
  /** Milliseconds that a run may take if its limits do not say. Default 10 000. */
  readonly runTimeout?: number
}

/** Starts QEMU and takes it over. Throws MachineError where it can't be started. */
export async function startQemu(options: QemuOptions = {}): Promise<GdbMachine> {
  const program = options.program ?? 'qemu-system-arm'
  const port = await freePort()
  const child = spawn('sh', ['-c', GUARD, 'sh', program, ...BOARD, '-S', '-gdb', `tcp:127.0.0.1:${port}`], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const end = endWithUs(child)
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint = (complaint + bytes.toString()).slice(0, 500)
  })
  let over: MachineError | undefined
  child.once('error', (error) => {
    over = new MachineError(`${program} can't be started: ${error.message}`)
  })
  child.once('exit', (code) => {
    over ??= new MachineError(
      code === NOT_FOUND
        ? `there is no program ${program}; install QEMU for Arm, or use --machine sim`
        : `${program} has ended: ${complaint.split('\n')[0] || 'it says nothing'}`,
    )
  })
  try {
    const transport = await retried(
      () => connectTcp('127.0.0.1', port, 2000),
      () => over,
    )
    const machine = await GdbMachine.connect(transport, {
      name: 'qemu',
      regions,
      restore: false,
      timer: { address: TIMER0, ticks: TICKS_AN_INSTRUCTION },
      ...(options.runTimeout === undefined ? {} : { runTimeout: options.runTimeout }),
    })
    machine.onClose = end
    return machine
  } catch (error) {
    end()
    throw over ?? error
  }
}

/** Ends a guarded process with ours. The function ends it now. */
function endWithUs(child: ChildProcess): () => void {
  const end = (): void => {
    process.off('exit', end)
    child.stdin?.destroy()
    child.unref()
  }
  process.on('exit', end)
  return end
}

/** Until it works, for two seconds at most, or `over` has an error. */
async function retried<T>(attempt: () => Promise<T>, over: () => MachineError | undefined): Promise<T> {
  const start = performance.now()
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const reason = over()
      if (reason !== undefined) throw reason
      if (performance.now() - start > 2000) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** A port of this machine that nobody has now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
