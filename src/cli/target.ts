// Where programs run: what the words after --machine open.

import { type Image, type Machine, type Outcome, type Region, Simulator } from '../index.ts'
import { UsageError } from './io.ts'
import { gdbPattern, serialPattern } from './machine-name.ts'

/** A target while a command runs. */
export interface Target {
  /** As the user wrote it. */
  readonly name: string
  /** A machine for the next program: the simulator anew, others the same each time. null: the interpreter. */
  readonly machine: () => Machine | null
  /** Whether a run can be stopped after a number of instructions. */
  readonly limitsInstructions: boolean
  /** A firmware that loads and calls images itself, and has its own helpers: instead of a machine. */
  readonly runImage?: (image: Image, ctx: Uint8Array, len: number) => Promise<{ outcome: Outcome; ctx: Uint8Array }>
  /** Ends what was opened, and puts back what was changed. */
  readonly close: () => Promise<void>
}

/** Options of every command that runs programs. */
export interface TargetFlags {
  readonly machine: string
  readonly maxInstructions?: number
  readonly timeout?: number
  readonly code?: string
  readonly ram?: string
}

/** Opens what the options say. Throws MachineError where it does not answer, UsageError for options that do not fit. */
export async function openTarget(flags: TargetFlags): Promise<Target> {
  const name = flags.machine
  const local = { name, limitsInstructions: true, close: async () => {} }
  if (name === 'interp') return { ...local, machine: () => null }
  if (name === 'sim') return { ...local, machine: () => new Simulator() }
  if (flags.maxInstructions !== undefined) {
    throw new UsageError(`--max-instructions is for sim and interp; on ${name} --timeout limits a run`)
  }
  const runTimeout = flags.timeout === undefined ? {} : { runTimeout: flags.timeout }
  const serial = serialPattern.exec(name)
  if (serial !== null) return openAgent(name, serial[1]!, flags.timeout ?? DEFAULT_TIMEOUT)
  const { startQemu } = await import('./machines.ts')
  const machine = name === 'qemu' ? await startQemu(runTimeout) : await connectGdb(flags, runTimeout)
  return { name, limitsInstructions: false, machine: () => machine, close: () => machine.close() }
}

/** Milliseconds, where a target is not told. */
const DEFAULT_TIMEOUT = 10_000

async function openAgent(name: string, address: string, limit: number): Promise<Target> {
  const { openSerial, runOnAgent, SerialAgent } = await import('./machines.ts')
  const agent = await SerialAgent.connect(await openSerial(address))
  return {
    name,
    machine: () => null,
    limitsInstructions: false,
    runImage: (image, ctx, len) => runOnAgent(agent, image, { ctx, len, limit }),
    close: async () => agent.close(),
  }
}

async function connectGdb(flags: TargetFlags, runTimeout: { runTimeout?: number }): Promise<Machine> {
  const [name = '', host = '', port = ''] = gdbPattern.exec(flags.machine) ?? []
  if (Number(port) > 65_535) throw new UsageError(`port ${port} is none; ports go to 65535`)
  const regions = [
    region('code', '--code', flags.code, { execute: true, write: false }),
    region('ram', '--ram', flags.ram, { execute: false, write: true }),
  ]
  const { connectTcp, GdbMachine } = await import('./machines.ts')
  return GdbMachine.connect(await connectTcp(host, Number(port), 5000), { name, regions, ...runTimeout })
}

/** BASE:SIZE, decimal or hex. */
function region(
  name: string,
  option: string,
  text: string | undefined,
  access: { execute: boolean; write: boolean },
): Region {
  if (text === undefined) {
    throw new UsageError(
      `a debugger needs --code BASE:SIZE and --ram BASE:SIZE, RAM of the target that programs and their data may use, ` +
        `such as --code 0x20010000:0x4000 --ram 0x20014000:0x8000`,
    )
  }
  const [base = NaN, size = NaN, ...more] = text
    .split(':')
    .map((part) => (/^(0x[0-9a-f]+|\d+)$/i.test(part) ? Number(part) : NaN))
  if (!(base + size <= 2 ** 32) || more.length > 0 || ((base | size) & 3) !== 0) {
    throw new UsageError(`${option} is '${text}', must be BASE:SIZE, multiples of 4 within 4 GiB`)
  }
  return { name, base, size, ...access }
}
