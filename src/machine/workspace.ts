// How one machine's memory is used by the instances on it: the code heap, the stack, the context and env of the call that
// runs, and the data heap. Where programs could write their code, the machine's memory protection unit keeps them from it. The stack
// lies at the bottom of RAM, so that an overflow leaves the region and faults.

import { Env } from '../base/abi.ts'
import { InputError } from '../base/errors.ts'
import type { Gate } from './call.ts'
import { CodeHeap, Heap } from './code-heap.ts'
import type { Machine, Region } from './machine.ts'
import { CodeProtection } from './mpu.ts'

/** Largest stack, and the context's first capacity; small machines give a quarter of their RAM to each. */
const STACK_BYTES = 256 * 1024
const CONTEXT_BYTES = 64 * 1024
const BKPT_RETURN = Uint8Array.of(0xff, 0xbe)

export class Workspace {
  readonly machine: Machine
  readonly code: CodeHeap
  readonly data: Heap
  /** The stack's bytes are [stackBase, stackTop). */
  readonly stackBase: number
  readonly stackTop: number
  /** Address of struct thumbpf_env. */
  readonly env: number
  /** Address of the BKPT that calls return to. */
  readonly returnAddress: number
  /** Host functions by the address of their gate, of all instances: a program may tail-call another. */
  readonly gates = new Map<number, Gate>()
  #busy = false
  #later: (() => void)[] = []
  #context: number
  #capacity: number

  private constructor(machine: Machine, code: CodeHeap, ram: Region, returnAddress: number) {
    const quarter = Math.floor(ram.size / 4) & ~15
    const stackBytes = Math.min(STACK_BYTES, quarter)
    this.machine = machine
    this.code = code
    this.returnAddress = returnAddress
    this.stackBase = ram.base
    this.stackTop = ram.base + stackBytes
    this.data = new Heap('data memory', this.stackTop, ram.size - stackBytes, 16)
    this.env = this.data.allocate(Env.size)
    this.#capacity = Math.min(CONTEXT_BYTES, quarter)
    this.#context = this.data.allocate(this.#capacity)
  }

  /** The workspace of a machine: the same one each time. Writes the return stub the first time. */
  static async of(machine: Machine): Promise<Workspace> {
    let known = workspaces.get(machine)
    if (known === undefined) {
      known = Workspace.#create(machine)
      workspaces.set(machine, known)
    }
    return known
  }
  static async #create(machine: Machine): Promise<Workspace> {
    const executable = machine.regions.find((region) => region.execute)
    const ram = machine.regions.find((region) => region.write && !region.execute)
    if (executable === undefined) throw new InputError(`machine ${machine.name} has no region for code`)
    if (ram === undefined) throw new InputError(`machine ${machine.name} has no region for data`)
    const protection = await CodeProtection.place(machine, executable)
    const { base, size } = protection ?? executable
    const code = new CodeHeap(machine, base, size, protection)
    const stub = code.allocate(BKPT_RETURN.length)
    await code.write(stub, BKPT_RETURN)
    return new Workspace(machine, code, ram, stub)
  }

  /** A call is running: a machine has one processor. */
  get busy(): boolean {
    return this.#busy
  }
  begin(): void {
    this.#busy = true
  }
  /** The call has ended: what waited for that is done. */
  end(): void {
    this.#busy = false
    const later = this.#later
    this.#later = []
    for (const work of later) work()
  }
  /** Does `work` as soon as no call runs. */
  whenIdle(work: () => void): void {
    if (this.#busy) this.#later.push(work)
    else work()
  }

  /** Address of the context of the next call, a multiple of 16. Changes only when a context larger than all before comes. */
  get contextAddress(): number {
    return this.#context
  }
  /** Makes room for a context. Throws InputError if there is none. */
  reserveContext(size: number): number {
    if (size > this.#capacity) {
      this.data.free(this.#context)
      try {
        this.#context = this.data.allocate(size)
        this.#capacity = size
      } catch (error) {
        this.#context = this.data.allocate(this.#capacity)
        throw error
      }
    }
    return this.#context
  }
}

const workspaces = new WeakMap<Machine, Promise<Workspace>>()
