// Maps as programs and their machines see them: which there are, how one lies in the target's memory (runtime/maps.h), and what
// of a definition is refused. Numbers are those of Linux's uapi/linux/bpf.h and errno.h. The interpreter's are in map-oracle.ts.

import type { Rejection } from '../base/errors.ts'
import type { Prototype } from '../base/prototype.ts'
import type { MapDefinition } from './program.ts'

export type { MapDefinition } from './program.ts'

/** The types that there are. Per-CPU maps are plain ones: there is one processor. */
export const MapType = {
  HASH: 1,
  ARRAY: 2,
  PROGRAM_ARRAY: 3,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  LRU_HASH: 9,
  RINGBUF: 27,
} as const

/** Flags of update. */
export const MapUpdate = { ANY: 0, NOEXIST: 1, EXIST: 2 } as const

/** What operations return, negated as here; 0 is success. */
export const MapError = { ENOENT: -2, E2BIG: -7, EAGAIN: -11, EEXIST: -17, EINVAL: -22 } as const

/** Offsets in struct thumbpf_map, each of 4 bytes; those of hashes and ring buffers share their place. */
export const MapLayout = {
  type: 0,
  keySize: 4,
  valueSize: 8,
  maxEntries: 12,
  flags: 16,
  /** Bytes from an element to the next. */
  stride: 20,
  /** Address of the first element: in arrays a value, in program arrays an address of 4 bytes. */
  elements: 24,
  mask: 28,
  buckets: 32,
  keyOffset: 36,
  valueOffset: 40,
  count: 44,
  fresh: 48,
  free: 52,
  newest: 56,
  oldest: 60,
  consumer: 32,
  producer: 36,
  pending: 40,
  size: 64,
} as const

/** Offsets in an entry of a hash; the last two in an LRU hash alone. Key and value follow, each at a multiple of 8. */
export const MapElementLayout = { next: 0, hash: 4, newer: 8, older: 12 } as const

/** A ring buffer's record: a header of 8 bytes, the data, padding to a multiple of 8. */
export const RecordLayout = { length: 0, offset: 4, size: 8 } as const
/** Bits of a record's length. */
export const RecordBit = { BUSY: 0x8000_0000, DISCARD: 0x4000_0000 } as const

/** Where things are in a map with such a definition, in bytes. What a kind does not have is 0. */
export interface MapShape {
  readonly kind: 'hash' | 'array' | 'programs' | 'ring'
  /** Drops the entry used least recently where it is full. */
  readonly lru: boolean
  readonly stride: number
  readonly keyOffset: number
  readonly valueOffset: number
  /** Number of buckets, a power of two; they follow the elements. */
  readonly buckets: number
  /** All memory but struct thumbpf_map itself. */
  readonly storage: number
}

const MOST_BYTES = 0x7fff_ffff
const KINDS: Readonly<Record<number, MapShape['kind']>> = {
  [MapType.HASH]: 'hash',
  [MapType.ARRAY]: 'array',
  [MapType.PROGRAM_ARRAY]: 'programs',
  [MapType.PERCPU_HASH]: 'hash',
  [MapType.PERCPU_ARRAY]: 'array',
  [MapType.LRU_HASH]: 'hash',
  [MapType.RINGBUF]: 'ring',
}
const NAMES =
  'UNSPEC HASH ARRAY PROG_ARRAY PERF_EVENT_ARRAY PERCPU_HASH PERCPU_ARRAY STACK_TRACE CGROUP_ARRAY LRU_HASH LRU_PERCPU_HASH LPM_TRIE ARRAY_OF_MAPS HASH_OF_MAPS DEVMAP SOCKMAP CPUMAP XSKMAP SOCKHASH CGROUP_STORAGE REUSEPORT_SOCKARRAY PERCPU_CGROUP_STORAGE QUEUE STACK SK_STORAGE DEVMAP_HASH STRUCT_OPS RINGBUF INODE_STORAGE TASK_STORAGE BLOOM_FILTER USER_RINGBUF CGRP_STORAGE ARENA'.split(
    ' ',
  )
/** Flags that say what holds here anyway: BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED, BPF_F_MMAPABLE. */
const FLAGS: Readonly<Record<number, number>> = {
  [MapType.HASH]: 1 | 64,
  [MapType.PERCPU_HASH]: 1 | 64,
  [MapType.LRU_HASH]: 64,
  [MapType.ARRAY]: 1024,
}

/** The shape of a map, or why there can be none such. */
export function mapShape(definition: MapDefinition): MapShape | { readonly problem: string } {
  const { type, keySize, valueSize, maxEntries, flags } = definition
  const problem = (text: string): { problem: string } => ({ problem: `map '${definition.name}': ${text}` })
  const kind = KINDS[type]
  const named = `type ${type}${NAMES[type] === undefined ? '' : ` (BPF_MAP_TYPE_${NAMES[type]})`}`
  const sizes: readonly (readonly [string, number, number | undefined])[] = [
    ['key', keySize, kind === 'ring' ? 0 : kind === 'hash' ? undefined : 4],
    ['value', valueSize, kind === 'ring' ? 0 : kind === 'programs' ? 4 : undefined],
  ]
  if (kind === undefined) return problem(`${named} is not supported, must be one of ${Object.keys(KINDS).join(', ')}`)
  for (const [what, size, needed] of sizes) {
    if (needed !== undefined && size !== needed) return problem(`its ${what} has ${size} bytes, must have ${needed}`)
    if (needed === undefined && size === 0) return problem(`its ${what} has 0 bytes`)
  }
  if (maxEntries === 0)
    return problem('it has 0 entries, which its object may leave to a loader; give max_entries in the definition')
  const unknown = (flags & ~(FLAGS[type] ?? 0)) >>> 0
  if (unknown !== 0) return problem(`flag 0x${unknown.toString(16)} is not supported with ${named}`)
  if (kind === 'ring' && (maxEntries < 16 || (maxEntries & (maxEntries - 1)) !== 0)) {
    return problem(`a ring buffer of ${maxEntries} bytes; must be a power of two, at least 16`)
  }
  const lru = type === MapType.LRU_HASH
  const keyOffset = kind !== 'hash' ? 0 : lru ? 16 : 8
  const valueOffset = kind !== 'hash' ? 0 : keyOffset + round8(keySize)
  const stride = kind === 'ring' ? 1 : kind === 'programs' ? 4 : valueOffset + round8(valueSize)
  const buckets = kind === 'hash' ? 2 ** (32 - Math.clz32(maxEntries - 1)) : 0
  const storage = kind === 'ring' ? 2 * maxEntries - 16 : stride * maxEntries + 4 * buckets
  if (storage > MOST_BYTES) return problem(`it takes ${storage} bytes, at most ${MOST_BYTES} are possible`)
  return { kind, lru, stride, keyOffset, valueOffset, buckets, storage }
}

/** What all maps of one program may take: more than any Cortex-M4 has, and little enough to be made at once. */
const PROGRAM_BYTES = 32 * 1024 * 1024

/** A rejection for each definition that has no shape, and for the one with which all together take too much. */
export function checkMaps(definitions: readonly MapDefinition[]): Rejection[] {
  let total = 0
  return definitions.flatMap((definition) => {
    const shape = mapShape(definition)
    if ('problem' in shape) return [{ code: 'bad-map', place: {}, message: shape.problem }]
    const before = total
    total += shape.storage
    if (total <= PROGRAM_BYTES || before > PROGRAM_BYTES) return []
    const message = `map '${definition.name}': with it the program's maps take ${total} bytes, at most ${PROGRAM_BYTES} are allowed`
    return [{ code: 'maps-too-large', place: {}, message }]
  })
}

const map = { type: 'map', name: 'map' } as const
const key = { type: 'pointer', name: 'key' } as const
const value = { type: 'pointer', name: 'value' } as const
const data = { type: 'pointer', name: 'data' } as const
const size = { type: 'u64', name: 'size' } as const
const flags = { type: 'u64', name: 'flags' } as const

/** The signatures of the helpers for maps, by Linux's numbers, as runtime/maps.h has them (long is 32 bits). */
export const mapPrototypes: ReadonlyMap<number, Prototype> = new Map<number, Prototype>([
  [1, { name: 'thumbpf_map_lookup', result: 'pointer', parameters: [map, key] }],
  [2, { name: 'thumbpf_map_update', result: 's32', parameters: [map, key, value, flags] }],
  [3, { name: 'thumbpf_map_delete', result: 's32', parameters: [map, key] }],
  [130, { name: 'thumbpf_ringbuf_output', result: 's32', parameters: [map, data, size, flags] }],
  [131, { name: 'thumbpf_ringbuf_reserve', result: 'pointer', parameters: [map, size, flags] }],
  [132, { name: 'thumbpf_ringbuf_submit', result: 'void', parameters: [data, flags] }],
  [133, { name: 'thumbpf_ringbuf_discard', result: 'void', parameters: [data, flags] }],
  [134, { name: 'thumbpf_ringbuf_query', result: 'u64', parameters: [map, flags] }],
])

/** The next multiple of 8; also beyond 32 bits. */
export function round8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
