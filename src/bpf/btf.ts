// BTF, the type information of BPF objects (section .BTF; the kernel's Documentation/bpf/btf.rst): types by number, strings, and
// what loading an object needs of them: sizes, the members of a map's definition, and names of externs.
// Bounds are checked here; what is out of them is an InputError. A kind that is not known ends the list of types.

import { InputError } from '../base/errors.ts'

const BTF_MAGIC = 0xeb9f
const HEADER_SIZE = 24
const MAXIMUM_DEPTH = 32
const MAXIMUM_STRING = 16384

export const BtfKind = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const

const kindNames: { readonly [kind: number]: string } = { 4: 'struct', 5: 'union', 6: 'enum', 19: 'enum', 8: 'typedef' }

/** Bytes after the 12 that every type has: fixed ones, and for each of its `vlen` members. By kind. */
const tailSizes: { readonly [kind: number]: readonly [fixed: number, member: number] } = {
  1: [4, 0],
  2: [0, 0],
  3: [12, 0],
  4: [0, 12],
  5: [0, 12],
  6: [0, 8],
  7: [0, 0],
  8: [0, 0],
  9: [0, 0],
  10: [0, 0],
  11: [0, 0],
  12: [0, 0],
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  16: [0, 0],
  17: [4, 0],
  18: [0, 0],
  19: [0, 12],
}

export interface BtfType {
  readonly kind: number
  readonly name: string
  /** Size in bytes or number of another type, as the kind wants. */
  readonly sizeOrType: number
  /** Byte offset of the members. */
  readonly tail: number
  readonly members: number
}

/** Whether the word at the start of `bytes` is BTF's little-endian magic, and its version 1; both .BTF and .BTF.ext have it. */
export function hasBtfHeader(view: DataView): boolean {
  return view.byteLength >= 8 && view.getUint16(0, true) === BTF_MAGIC && view.getUint8(2) === 1
}

/** The types and strings of one object. The constructor throws InputError. */
export class Btf {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly stringsStart: number
  private readonly stringsEnd: number
  /** Byte offset of each type; number 0 is void. */
  private readonly types: readonly number[]
  private readonly strings = new Map<number, string>()

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { view } = this
    if (bytes.length < HEADER_SIZE || !hasBtfHeader(view)) throw new InputError('section .BTF has no BTF header')
    const header = view.getUint32(4, true)
    const typesStart = header + view.getUint32(8, true)
    const typesEnd = typesStart + view.getUint32(12, true)
    this.stringsStart = header + view.getUint32(16, true)
    this.stringsEnd = this.stringsStart + view.getUint32(20, true)
    if (Math.max(typesEnd, this.stringsEnd) > bytes.length) {
      throw new InputError(
        `section .BTF is cut off: its parts end at byte ${Math.max(typesEnd, this.stringsEnd)}, it has ${bytes.length}`,
      )
    }
    const types = [0]
    for (let at = typesStart; at + 12 <= typesEnd;) {
      const info = view.getUint32(at + 4, true)
      const sizes = tailSizes[(info >>> 24) & 31]
      if (sizes === undefined) break
      const next = at + 12 + sizes[0] + sizes[1] * (info & 0xffff)
      if (next > typesEnd) throw new InputError(`type ${types.length} of section .BTF runs past the end of the types`)
      types.push(at)
      at = next
    }
    this.types = types
  }

  /** The string at an offset of the string table. */
  string(offset: number): string {
    const known = this.strings.get(offset)
    if (known !== undefined) return known
    const start = this.stringsStart + offset
    const rest = this.bytes.subarray(start, Math.min(this.stringsEnd, start + MAXIMUM_STRING))
    const end = rest.indexOf(0)
    if (start >= this.stringsEnd || end < 0) {
      throw new InputError(
        `a string at byte ${offset} of section .BTF runs past the end of its string table or is longer than ${MAXIMUM_STRING} bytes`,
      )
    }
    const text = new TextDecoder().decode(rest.subarray(0, end))
    this.strings.set(offset, text)
    return text
  }

  /** A type by number; undefined for void and numbers that there are not. */
  type(number: number): BtfType | undefined {
    const at = this.types[number]
    if (at === undefined || number === 0) return undefined
    const info = this.view.getUint32(at + 4, true)
    return {
      kind: (info >>> 24) & 31,
      name: this.string(this.view.getUint32(at, true)),
      sizeOrType: this.view.getUint32(at + 8, true),
      tail: at + 12,
      members: info & 0xffff,
    }
  }

  /** `struct task_struct`, for messages. */
  typeName(number: number): string {
    const type = this.type(number)
    if (type === undefined) return 'void'
    return `${kindNames[type.kind] ?? 'type'} ${type.name === '' ? `number ${number}` : type.name}`
  }

  /** The type below typedefs and qualifiers. */
  plain(number: number): BtfType | undefined {
    let type = this.type(number)
    for (let depth = 0; type !== undefined && depth < MAXIMUM_DEPTH; depth++) {
      const { kind } = type
      const qualifier =
        kind === BtfKind.TYPEDEF ||
        kind === BtfKind.TYPE_TAG ||
        kind === BtfKind.VOLATILE ||
        kind === BtfKind.CONST ||
        kind === BtfKind.RESTRICT
      if (!qualifier) return type
      type = this.type(type.sizeOrType)
    }
    return undefined
  }

  /** Names, type numbers and bit offsets of a struct's or union's members that are no bit fields. */
  membersOf(type: BtfType): { readonly name: string; readonly type: number; readonly bit: number }[] {
    return Array.from({ length: type.members }, (_, index) => ({
      name: this.string(this.view.getUint32(type.tail + index * 12, true)),
      type: this.view.getUint32(type.tail + index * 12 + 4, true),
      bit: this.view.getUint32(type.tail + index * 12 + 8, true),
    }))
  }

  /** Number of elements and element type of an array. */
  arrayOf(type: BtfType): { readonly count: number; readonly element: number } {
    return { count: this.view.getUint32(type.tail + 8, true), element: this.view.getUint32(type.tail, true) }
  }

  /** sizeof in BPF's view; undefined for a type that has none. */
  sizeOf(number: number): number | undefined {
    let count = 1
    for (let depth = 0, next = number; depth < MAXIMUM_DEPTH; depth++) {
      const type = this.plain(next)
      switch (type?.kind) {
        case BtfKind.INT:
        case BtfKind.STRUCT:
        case BtfKind.UNION:
        case BtfKind.ENUM:
        case BtfKind.FLOAT:
        case BtfKind.ENUM64:
          return count * type.sizeOrType
        case BtfKind.PTR:
          return count * 8
        case BtfKind.ARRAY: {
          const array = this.arrayOf(type)
          count *= array.count
          next = array.element
          break
        }
        default:
          return undefined
      }
    }
    return undefined
  }

  /** Names of the variables and functions of the sections of this name, and the number of each one's type. */
  sectionMembers(section: string): Map<string, number> {
    const found = new Map<string, number>()
    for (let number = 1; number < this.types.length; number++) {
      const kind = (this.view.getUint32(this.types[number]! + 4, true) >>> 24) & 31
      if (kind !== BtfKind.DATASEC) continue
      const type = this.type(number)!
      if (type.name !== section) continue
      for (let index = 0; index < type.members; index++) {
        const member = this.type(this.view.getUint32(type.tail + index * 12, true))
        if (member !== undefined) found.set(member.name, member.sizeOrType)
      }
    }
    return found
  }
}
