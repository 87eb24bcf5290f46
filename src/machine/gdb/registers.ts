// Where a stub keeps the core registers: read from its target description, for their numbers and places differ. A stub
// without one has GDB's old layout for Arm. Source: the GDB manual, appendix "Target Descriptions" (ARM Features).

import { MachineError } from './transport.ts'

/** r0-r12, SP, LR, PC, xPSR. */
export const CORE_REGISTERS = 17

export interface RegisterLayout {
  /** By core register: its number for `p` and `P`, and the offset of its 4 bytes in `g` and `G`. */
  readonly numbers: readonly number[]
  readonly offsets: readonly number[]
}

const names = [
  ...Array.from({ length: 13 }, (_, r) => [`r${r}`]),
  ['sp', 'r13'],
  ['lr', 'r14'],
  ['pc', 'r15'],
  ['xpsr', 'cpsr'],
]

/** GDB's layout for Arm without a description: r0-r15, eight registers of 12 bytes, fps, and cpsr as number 25. */
export const oldLayout: RegisterLayout = {
  numbers: [...Array.from({ length: 16 }, (_, r) => r), 25],
  offsets: [...Array.from({ length: 16 }, (_, r) => 4 * r), 16 * 4 + 8 * 12 + 4],
}

/** Attributes of a tag. */
function attributes(tag: string): Map<string, string> {
  return new Map(
    [...tag.matchAll(/([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name, a, b]) => [name!, a ?? b ?? '']),
  )
}

/**
 * The layout that a description tells: `read` gives the text of an annex (`target.xml` and what it includes), undefined
 * if there is none. Throws MachineError if it is not of a Cortex-M.
 */
export async function readLayout(
  read: (annex: string) => Promise<string | undefined>,
): Promise<RegisterLayout | undefined> {
  const text = await expandIncludes('target.xml', read, 0)
  if (text === undefined) return undefined
  const registers = new Map<string, { number: number; offset: number }>()
  let number = 0
  const sizes = new Map<number, number>()
  for (const [tag] of text.replaceAll(/<!--[\s\S]*?-->/g, '').matchAll(/<reg\s[^>]*>/g)) {
    const fields = attributes(tag)
    number = Number(fields.get('regnum') ?? number)
    const size = Number(fields.get('bitsize')) / 8
    if (!Number.isInteger(number) || !Number.isInteger(size) || number < 0 || number > 4096 || sizes.size > 4096) {
      throw new MachineError(`the stub's description of its registers makes no sense at ${tag.slice(0, 80)}`)
    }
    sizes.set(number, size)
    registers.set(fields.get('name') ?? '', { number, offset: 0 })
    number++
  }
  // g has the registers in the order of their numbers.
  const offsets = new Map<number, number>()
  let offset = 0
  for (const [each, size] of [...sizes].toSorted(([a], [b]) => a - b)) {
    offsets.set(each, offset)
    offset += size
  }
  const found = names.map((aliases) =>
    aliases.map((name) => registers.get(name)).find((register) => register !== undefined),
  )
  const missing = found.findIndex((register) => register === undefined)
  if (missing >= 0) {
    throw new MachineError(`the stub describes no register ${names[missing]!.join(' or ')}; is it a Cortex-M?`)
  }
  return {
    numbers: found.map((register) => register!.number),
    offsets: found.map((register) => offsets.get(register!.number)!),
  }
}

async function expandIncludes(
  annex: string,
  read: (annex: string) => Promise<string | undefined>,
  depth: number,
): Promise<string | undefined> {
  const text = await read(annex)
  if (text === undefined || depth > 4) return text
  const parts: string[] = []
  let end = 0
  for (const match of text.matchAll(/<xi:include\s[^>]*>/g)) {
    const href = attributes(match[0]).get('href')
    parts.push(text.slice(end, match.index), (href && (await expandIncludes(href, read, depth + 1))) ?? '')
    end = match.index + match[0].length
  }
  return parts.join('') + text.slice(end)
}
