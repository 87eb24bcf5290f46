// The signatures of helpers, and how AAPCS (IHI 0042, sections 6.1 and 6.4) passes them: used wherever a call is made, written down or
// answered. bpf/prototypes.ts reads them from C.

/** Types by their size on the target. `pointer` and `map` (the address of a map) are 32 bits, zero-extended. */
export type ValueType = 'bool' | 'u8' | 'u16' | 'u32' | 'u64' | 's8' | 's16' | 's32' | 's64' | 'pointer' | 'map'
export type ResultType = ValueType | 'void'

export interface Parameter {
  readonly type: ValueType
  /** As the prototype names it, if it does. */
  readonly name?: string | undefined
}

/** `result name(parameters)`: at most five parameters, R1 to R5 in order. */
export interface Prototype {
  /** Name of the C function, the firmware's symbol. */
  readonly name: string
  readonly result: ResultType
  readonly parameters: readonly Parameter[]
}

/** Parameters of a helper without a prototype: R1 to R5 as they are. */
export const untyped: readonly Parameter[] = Array.from({ length: 5 }, () => ({ type: 'u64' }))

/** Where the words of arguments are: 0 to 3 are r0-r3, from 4 on words of the stack from SP up. */
export interface Passing {
  /** By parameter: its first word; the high word of a 64-bit one is the next. */
  readonly first: readonly number[]
  /** All words of all parameters in order, padding left out. */
  readonly words: readonly number[]
}

/** Takes two words, an even register first or a multiple of 8 bytes. */
export function isDouble(type: ResultType): boolean {
  return type === 'u64' || type === 's64'
}

/** AAPCS 6.4: what does not fit in the registers that are left goes to the stack, and all that follows it. */
export function passing(parameters: readonly Parameter[]): Passing {
  const first: number[] = []
  const words: number[] = []
  let next = 0
  for (const { type } of parameters) {
    // Registers and stack alike: r0 and SP are even, so that even is 8-aligned.
    if (isDouble(type)) next = (next + 1) & ~1
    first.push(next)
    words.push(next++)
    if (isDouble(type)) words.push(next++)
  }
  return { first, words }
}

/**
 * What a function of this parameter type sees of a BPF register: signed types as negative numbers, a bool as 0 or 1 (not 0 in the low
 * byte); whatever lies above the type's bits is ignored.
 */
export function narrowValue(value: bigint, type: ResultType): bigint {
  switch (type) {
    case 'void':
      return 0n
    case 'bool':
      return BigInt.asUintN(8, value) === 0n ? 0n : 1n
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
      return BigInt.asUintN(Number(type.slice(1)), value)
    case 's8':
    case 's16':
    case 's32':
    case 's64':
      return BigInt.asIntN(Number(type.slice(1)), value)
    case 'pointer':
    case 'map':
      return BigInt.asUintN(32, value)
  }
}

/** R0 after a function of this result type: extended to 64 bits by the type's sign, unsigned here; void gives 0. */
export function extendResult(value: bigint, type: ResultType): bigint {
  return BigInt.asUintN(64, narrowValue(value, type))
}

/** The prototype as C, with the types of stdint.h. */
export function formatPrototype({ name, result, parameters }: Prototype): string {
  const list = parameters.map((one) => declare(one.type, one.name ?? '')).join(', ')
  return `${declare(result, name)}(${list === '' ? 'void' : list})`
}

function declare(type: ResultType, name: string): string {
  const pointer = type === 'pointer' ? 'void *' : type === 'map' ? 'struct thumbpf_map *' : undefined
  if (pointer !== undefined) return pointer + name
  const c = type === 'void' || type === 'bool' ? type : `${type.startsWith('u') ? 'uint' : 'int'}${type.slice(1)}_t`
  return name === '' ? c : `${c} ${name}`
}
