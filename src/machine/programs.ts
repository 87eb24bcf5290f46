// The programs of one machine by name: compiled once, called often, listed, replaced and removed while others run. Compiled
// images are kept by what they were made from; programs whose code does not fit any more make room, the least recently called
// first, and are placed again when they are called.

import { InputError } from '../base/errors.ts'
import type { Image } from '../image/image.ts'
import { type HeapStats, OutOfMemory } from './code-heap.ts'
import { type CallOptions, type Instance, type InstantiateOptions, type Result, instantiate } from './instance.ts'
import type { Machine } from './machine.ts'
import { Turns } from './turns.ts'
import { Workspace } from './workspace.ts'

/** Options of the compiler that a program is loaded with; plain data, part of what its image is known by. */
export type LoadOptions = Readonly<Record<string, string | number | boolean>>

export interface ProgramsOptions extends InstantiateOptions {
  /** Makes an image of an object's bytes. Throws if the program is refused. */
  readonly compile: (bytes: Uint8Array, options: LoadOptions) => Image
  /** Images that are kept, those of loaded programs counted too. Default 64. */
  readonly keptImages?: number
}

/** What `list` says of a program. */
export interface ProgramInfo {
  readonly name: string
  /** Address of the entry, bit 0 set; undefined while its code made room for others'. */
  readonly address: number | undefined
  readonly codeBytes: number
  readonly calls: number
  /** Greater than that of all programs that were used before. */
  readonly lastUsed: number
  /** A call of it has not returned yet. */
  readonly running: boolean
}

interface Entry {
  readonly name: string
  readonly image: Image
  instance: Instance | undefined
  /** While it is placed again. */
  placing: Promise<Instance> | undefined
  /** Its instance was given away, so that others may tail-call it: it never makes room. */
  shared: boolean
  calls: number
  /** Calls that have not returned, and uses of its instance that are not over. */
  running: number
  /** Clock of the last call, or of loading. */
  used: number
  /** Removed or replaced: freed as soon as it does not run. */
  gone: boolean
}

interface Kept {
  readonly bytes: Uint8Array
  readonly options: string
  readonly image: Image
  used: number
}

const KEPT_IMAGES = 64

export class Programs {
  readonly machine: Machine
  readonly #options: ProgramsOptions
  readonly #entries = new Map<string, Entry>()
  /** By hash of bytes and options; equal hashes are told apart by their bytes. */
  readonly #images = new Map<string, Kept[]>()
  #kept = 0
  /** One program is placed at a time: each makes room for itself alone. */
  readonly #placements = new Turns()
  #clock = 0
  #compiled = 0

  constructor(machine: Machine, options: ProgramsOptions) {
    this.machine = machine
    this.#options = options
  }

  /** How often a program was compiled: not again for bytes and options that are known. */
  get compiled(): number {
    return this.#compiled
  }

  /** Loads a program under a new name. Throws InputError where the name is taken, or no room is left for its code. */
  async load(name: string, bytes: Uint8Array, options: LoadOptions = {}): Promise<void> {
    if (this.#entries.has(name))
      throw new InputError(`there is a program '${name}' already; replace it, or remove it first`)
    const entry = await this.#enter(name, bytes, options)
    if (this.#entries.has(name)) {
      this.#retire(entry)
      throw new InputError(`another program '${name}' was loaded meanwhile`)
    }
    this.#entries.set(name, entry)
  }

  /** Puts another program under a name that is there. The old one stays until the new one is in place, and until it does not run. */
  async replace(name: string, bytes: Uint8Array, options: LoadOptions = {}): Promise<void> {
    this.#find(name)
    const entry = await this.#enter(name, bytes, options)
    // Not the one from above: it may have been removed or replaced meanwhile.
    const old = this.#entries.get(name)
    if (old === undefined) {
      this.#retire(entry)
      throw new InputError(`the program '${name}' was removed while it was replaced`)
    }
    this.#entries.set(name, entry)
    this.#retire(old)
  }

  /** Takes a program away; one that runs when its call returns. */
  remove(name: string): void {
    const entry = this.#find(name)
    this.#entries.delete(name)
    this.#retire(entry)
  }

  /** In the order of their loading. */
  list(): ProgramInfo[] {
    return [...this.#entries.values()].map(({ name, instance, image, calls, used, running }) => ({
      name,
      address: instance?.address,
      codeBytes: image.code.length,
      calls,
      lastUsed: used,
      running: running > 0,
    }))
  }

  /** Of the machine's code heap: all programs, and what else has code there. */
  async stats(): Promise<HeapStats> {
    return (await Workspace.of(this.machine)).code.stats
  }

  /**
   * The program on the machine, placed again if it made room: for its maps and its address in a program array. From then on it
   * makes no room for others, and when it is removed or replaced it stays until no call runs.
   */
  async instance(name: string): Promise<Instance> {
    return this.#use(this.#find(name), async (instance, entry) => {
      entry.shared = true
      return instance
    })
  }

  async call(name: string, options: CallOptions = {}): Promise<Result> {
    return this.#use(this.#find(name), async (instance, entry) => {
      const result = await instance.call(options)
      entry.calls++
      return result
    })
  }

  /** Works with an entry's instance, which is not freed meanwhile. */
  async #use<T>(entry: Entry, work: (instance: Instance, entry: Entry) => Promise<T>): Promise<T> {
    entry.used = ++this.#clock
    entry.running++
    try {
      return await work(entry.instance ?? (await this.#placeAgain(entry)), entry)
    } finally {
      entry.running--
      if (entry.gone && entry.running === 0) this.#free(entry)
    }
  }

  #placeAgain(entry: Entry): Promise<Instance> {
    const place = async (): Promise<Instance> => {
      try {
        return (entry.instance = await this.#place(entry.image))
      } finally {
        entry.placing = undefined
      }
    }
    return (entry.placing ??= place())
  }

  #find(name: string): Entry {
    const entry = this.#entries.get(name)
    if (entry !== undefined) return entry
    const names = [...this.#entries.keys()].join(', ')
    throw new InputError(`there is no program '${name}'${names === '' ? '' : `; there are ${names}`}`)
  }

  async #enter(name: string, bytes: Uint8Array, options: LoadOptions): Promise<Entry> {
    const image = this.#image(bytes, options)
    const instance = await this.#place(image)
    const used = ++this.#clock
    return { name, image, instance, placing: undefined, shared: false, calls: 0, running: 0, used, gone: false }
  }

  #retire(entry: Entry): void {
    entry.gone = true
    if (entry.running === 0) this.#free(entry)
  }

  #free(entry: Entry): void {
    if (entry.shared) entry.instance?.retire()
    else entry.instance?.free()
    entry.instance = undefined
  }

  /** Places an image; where there is no room, others' code goes first. */
  #place(image: Image): Promise<Instance> {
    return this.#placements.take(async () => {
      const { code } = await Workspace.of(this.machine)
      for (;;) {
        try {
          return await instantiate(image, this.machine, this.#options)
        } catch (error) {
          if (!(error instanceof OutOfMemory) || !code.couldHold(error)) throw error
          const victim = this.#leastUsed()
          if (victim === undefined) throw error
          this.#free(victim)
        }
      }
    })
  }

  /** A program that can be placed again as it was: it does not run, and has no data or maps of its own that would be lost. */
  #leastUsed(): Entry | undefined {
    let least: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.instance === undefined || entry.running > 0 || entry.shared) continue
      if (entry.image.sections.some((section) => section.kind !== 'rodata')) continue
      if (entry.image.maps.some((map) => this.#options.maps?.has(map.name) !== true)) continue
      if (least === undefined || entry.used < least.used) least = entry
    }
    return least
  }

  #image(bytes: Uint8Array, options: LoadOptions): Image {
    const text = JSON.stringify(Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    const key = hash(bytes, text)
    const same = this.#images.get(key) ?? []
    const known = same.find((kept) => kept.options === text && equal(kept.bytes, bytes))
    if (known !== undefined) {
      known.used = ++this.#clock
      return known.image
    }
    const image = this.#options.compile(bytes, options)
    this.#compiled++
    same.push({ bytes: bytes.slice(), options: text, image, used: ++this.#clock })
    this.#images.set(key, same)
    if (++this.#kept > (this.#options.keptImages ?? KEPT_IMAGES)) this.#forget()
    return image
  }

  /** Drops the image that was asked for least recently. Programs that were made of it keep it. */
  #forget(): void {
    let oldest: { key: string; kept: Kept } | undefined
    for (const [key, list] of this.#images) {
      for (const kept of list) if (oldest === undefined || kept.used < oldest.kept.used) oldest = { key, kept }
    }
    if (oldest === undefined) return
    const { key, kept } = oldest
    const rest = this.#images.get(key)!.filter((each) => each !== kept)
    if (rest.length > 0) this.#images.set(key, rest)
    else this.#images.delete(key)
    this.#kept--
  }
}

/** 64 bits of FNV-1a, in two halves with different offsets, as text. */
function hash(bytes: Uint8Array, options: string): string {
  let low = 0x811c9dc5
  let high = 0xcbf29ce4
  const mix = (byte: number): void => {
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ byte, 0x01000193) ^ (low >>> 13)
  }
  for (let index = 0; index < bytes.length; index++) mix(bytes[index]!)
  for (let index = 0; index < options.length; index++) mix(options.charCodeAt(index))
  return `${low >>> 0}:${high >>> 0}:${bytes.length}`
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
