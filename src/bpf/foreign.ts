// The application format of rBPF and Femto-Containers (RIOT): a header of seven words, then data, read-only data, text and a table
// of functions. In its text LDDWD (0xb8) and LDDWR (0xd8) load an address in the data or in the read-only data: an LDDW otherwise.

import { InputError } from '../base/errors.ts'
import { suggestion } from './names.ts'
import type { FunctionLayout, ProgramText } from './object.ts'
import type { DataSection, Reference } from './program.ts'

/** "rBPF", read as a little-endian word. */
const MAGIC = 0x7242_5046
/** magic, version, flags, then lengths of data, read-only data and text, then the number of functions. */
const HEADER_SIZE = 28
/** name (byte of the read-only data), flags, start (byte of the text): 16 bits each. */
const FUNCTION_SIZE = 6
const LDDW = 0x18
const LDDWD = 0xb8
const LDDWR = 0xd8
/** The format does not say how data is aligned; this is enough for every access. */
const ALIGN = 8

/** Whether the bytes start as an application does. */
export function isApplication(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC
}

/** Reads an application. Without a name the entry is the start of its text. Throws InputError. */
export function readApplication(bytes: Uint8Array, entryName?: string): ProgramText {
  if (bytes.length < HEADER_SIZE)
    throw new InputError(`the application is cut off: ${bytes.length} bytes, its header has ${HEADER_SIZE}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [dataSize, rodataSize, textSize, count] = [12, 16, 20, 24].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]
  const rodataStart = HEADER_SIZE + dataSize
  const textStart = rodataStart + rodataSize
  const tableStart = textStart + textSize
  const end = tableStart + count * FUNCTION_SIZE
  if (end > bytes.length)
    throw new InputError(`the application is cut off: its parts end at byte ${end}, it has ${bytes.length}`)
  if (textSize === 0 || textSize % 8 !== 0)
    throw new InputError(`the application's text has ${textSize} bytes, must be a multiple of 8`, { offset: 20 })

  const rodata = bytes.slice(rodataStart, textStart)
  const text = bytes.slice(textStart, tableStart)
  const names = new Map<number, string>()
  for (let at = tableStart; at < end; at += FUNCTION_SIZE) {
    const start = view.getUint16(at + 4, true)
    if (start % 8 !== 0 || start >= textSize) {
      const limits = `must be a multiple of 8 less than ${textSize}`
      throw new InputError(`a function starts at byte ${start} of the text, ${limits}`, { offset: at + 4 })
    }
    names.set(start / 8, nameAt(rodata, view.getUint16(at, true), at))
  }
  const { addresses, starts } = readText(text)
  const functions = layOut(textSize / 8, starts, names)
  const entry = entryName === undefined ? 0 : functions.findIndex((one) => one.global && one.name === entryName)
  if (entry < 0) {
    const known = functions.filter((one) => one.global).map((one) => one.name)
    throw new InputError(
      `there is no function '${entryName}'; there are: ${known.slice(0, 50).join(', ')}${suggestion(entryName!, known)}`,
    )
  }

  const parts = [
    { name: '.data', kind: 'data' as const, bytes: bytes.slice(HEADER_SIZE, rodataStart), opcode: LDDWD },
    { name: '.rodata', kind: 'rodata' as const, bytes: rodata, opcode: LDDWR },
  ].filter(({ opcode }) => addresses.some((one) => one.opcode === opcode))
  const references = new Map(
    addresses.map(({ slot, opcode, offset }): [number, Reference] => {
      return [slot, { kind: 'data', section: parts.findIndex((part) => part.opcode === opcode), offset }]
    }),
  )
  const data = parts.map(({ name, kind, bytes: contents }): DataSection => ({
    name,
    kind,
    align: ALIGN,
    size: contents.length,
    bytes: contents,
    pointers: [],
  }))
  return { text, functions, entry, references, data, maps: [], lines: [] }
}

function nameAt(rodata: Uint8Array, start: number, at: number): string {
  const end = rodata.indexOf(0, start)
  if (end < 0) throw new InputError(`a function's name runs past the end of the read-only data`, { offset: at })
  return new TextDecoder().decode(rodata.subarray(start, end))
}

/** Makes LDDWs of the loads of addresses, which it returns, with the slots that local calls lead to. */
function readText(text: Uint8Array): {
  addresses: { readonly slot: number; readonly opcode: number; readonly offset: number }[]
  starts: Set<number>
} {
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength)
  const addresses: { slot: number; opcode: number; offset: number }[] = []
  const starts = new Set<number>()
  const slots = text.length / 8
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * 8
    const opcode = text[at]!
    if (opcode === 0x85 && text[at + 1]! >> 4 === 1) {
      const start = slot + 1 + view.getInt32(at + 4, true)
      if (start >= 0 && start < slots) starts.add(start)
    }
    if (opcode === LDDWD || opcode === LDDWR) {
      addresses.push({ slot, opcode, offset: view.getInt32(at + 4, true) })
      if (slot + 1 < slots && view.getInt32(at + 12, true) !== 0) {
        throw new InputError(`instruction ${slot} of the text loads the address of a byte beyond 32 bits`)
      }
      text[at] = LDDW
      view.setInt32(at + 4, 0, true)
    }
    if (text[at] === LDDW) slot++
  }
  return { addresses, starts }
}

function layOut(slots: number, called: ReadonlySet<number>, names: ReadonlyMap<number, string>): FunctionLayout[] {
  const starts = [...new Set([0, ...called, ...names.keys()])].toSorted((a, b) => a - b)
  return starts.map((start, index) => ({
    name: names.get(start) ?? (start === 0 ? 'entry' : `fn_${start}`),
    start,
    end: starts[index + 1] ?? slots,
    global: start === 0 || names.has(start),
    section: '.text',
  }))
}
