// Section .BTF.ext: the C line of each instruction, and the places that CO-RE would change for the kernel that it finds.
// Byte offsets are those in the section of the object; relocations of .BTF.ext add nothing to them, as its symbols are sections.

import { InputError } from '../base/errors.ts'
import { hasBtfHeader, type Btf } from './btf.ts'

/** One line record: from byte `offset` of the section on. */
export interface LineRecord {
  readonly offset: number
  readonly file: string
  readonly text: string
  readonly line: number
  readonly column: number
}
/** One CO-RE relocation: the instruction at byte `offset` depends on type `type` of a kernel. */
export interface CoreRecord {
  readonly offset: number
  readonly type: number
  /** Which member, as indices like `0:1`. */
  readonly access: string
  readonly kind: number
}

export interface BtfExt {
  /** By name of the program section, in order of offset. */
  readonly lines: ReadonlyMap<string, readonly LineRecord[]>
  readonly core: ReadonlyMap<string, readonly CoreRecord[]>
}

/** Reads .BTF.ext. Throws InputError if it is cut off. */
export function readBtfExt(bytes: Uint8Array, btf: Btf): BtfExt {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!hasBtfHeader(view) || bytes.length < 24) throw new InputError('section .BTF.ext has no BTF header')
  const header = view.getUint32(4, true)
  const part = (field: number): [start: number, size: number] =>
    header >= field + 8 ? [header + view.getUint32(field, true), view.getUint32(field + 4, true)] : [header, 0]
  if (header > bytes.length) throw new InputError('section .BTF.ext is cut off in its header')
  const lines = readPart(view, part(16), btf, (at): LineRecord => {
    const place = view.getUint32(at + 12, true)
    return {
      offset: view.getUint32(at, true),
      file: btf.string(view.getUint32(at + 4, true)),
      text: btf.string(view.getUint32(at + 8, true)).trim(),
      line: place >>> 10,
      column: place & 1023,
    }
  })
  const core = readPart(view, part(24), btf, (at): CoreRecord => ({
    offset: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    access: btf.string(view.getUint32(at + 8, true)),
    kind: view.getUint32(at + 12, true),
  }))
  return { lines, core }
}

/** Records of 16 bytes or more, in groups that each name their section; the first word is the size of a record. */
function readPart<T extends { readonly offset: number }>(
  view: DataView,
  [start, size]: readonly [number, number],
  btf: Btf,
  read: (at: number) => T,
): Map<string, T[]> {
  const found = new Map<string, T[]>()
  const end = start + size
  if (end > view.byteLength)
    throw new InputError(`section .BTF.ext is cut off: a part ends at byte ${end}, it has ${view.byteLength}`)
  if (size < 4) return found
  const recordSize = view.getUint32(start, true)
  if (recordSize < 16)
    throw new InputError(`records of section .BTF.ext have ${recordSize} bytes, must have 16 or more`)
  for (let at = start + 4; at < end;) {
    const count = at + 8 <= end ? view.getUint32(at + 4, true) : 0
    const next = at + 8 + count * recordSize
    if (next > end) throw new InputError(`records of section .BTF.ext run past their end at byte ${end}`)
    const name = btf.string(view.getUint32(at, true))
    const records = found.get(name) ?? []
    for (let index = 0; index < count; index++) records.push(read(at + 8 + index * recordSize))
    found.set(name, records)
    at = next
  }
  for (const records of found.values()) records.sort((a, b) => a.offset - b.offset)
  return found
}

/** The records with `start` <= offset < `end`. */
export function recordsWithin<T extends { readonly offset: number }>(
  records: readonly T[],
  start: number,
  end: number,
): readonly T[] {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (records[middle]!.offset < start) low = middle + 1
    else high = middle
  }
  let last = low
  while (last < records.length && records[last]!.offset < end) last++
  return records.slice(low, last)
}
