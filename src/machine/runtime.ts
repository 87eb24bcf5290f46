// The C runtime (runtime/) on a machine: its code is written once, when it is first asked for, and stays.

import { mapPrototypes } from '../bpf/maps.ts'
import { OutOfMemory } from './code-heap.ts'
import type { Machine } from './machine.ts'
import { RUNTIME_BASE64, RUNTIME_OFFSETS } from './runtime-code.ts'
import { Workspace } from './workspace.ts'

/** A function of runtime/maps.h, without `thumbpf_`. */
export type RuntimeFunction = keyof typeof RUNTIME_OFFSETS

export class Runtime {
  /** Address of its first byte. */
  readonly address: number
  /** Made by placeRuntime. */
  constructor(address: number) {
    this.address = address
  }
  /** Address to call, bit 0 set. */
  functionAddress(name: RuntimeFunction): number {
    return (this.address + RUNTIME_OFFSETS[name]) | 1
  }
  /** Address to call, bit 0 set, of the function behind one of Linux's helper numbers; undefined if there is none. */
  helperAddress(number: number): number | undefined {
    const prototype = mapPrototypes.get(number)
    if (prototype === undefined) return undefined
    return this.functionAddress(prototype.name.slice('thumbpf_'.length) as RuntimeFunction)
  }
}

/** The runtime of a machine: the same one each time. Throws OutOfMemory if there is no room for its code. */
export async function placeRuntime(machine: Machine): Promise<Runtime> {
  let known = runtimes.get(machine)
  if (known === undefined) {
    known = place(machine)
    runtimes.set(machine, known)
    // The next call may find room.
    known.catch(() => runtimes.delete(machine))
  }
  return known
}

async function place(machine: Machine): Promise<Runtime> {
  const { code } = await Workspace.of(machine)
  const bytes = Uint8Array.from(atob(RUNTIME_BASE64), (character) => character.charCodeAt(0))
  let address: number
  try {
    address = code.allocate(bytes.length)
  } catch (error) {
    const { message, heap, size } = error as OutOfMemory
    throw new OutOfMemory(`the runtime for maps: ${message}`, heap, size)
  }
  await code.write(address, bytes)
  return new Runtime(address)
}

const runtimes = new WeakMap<Machine, Promise<Runtime>>()
