// Loops as programs have them: checksums, parsers of records, copies of strings, binary search, sorting.

import { type CDraft, POINTED_BYTES, type Scope } from './draft.ts'
import { constant, expression, place, writable } from './expressions.ts'
import { BYTES, TYPES, UNSIGNED } from './prelude.ts'

/** A CRC of a few bits, by shifts to the left or right. Declares a variable. */
export function checksum(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const crc = draft.name()
  const type = random.pick(UNSIGNED)
  const polynomial = `(${type})${random.pick(['0x1021', '0xedb88320u', '0x31', '0xa001', '0xc96c5795d7870f42ull'])}`
  const right = `${crc} = ${crc} & 1 ? (${crc} >> 1) ^ ${polynomial} : ${crc} >> 1;`
  const twice = `(${type})(${crc} << 1)`
  const left = `${crc} = ${crc} >> ${8 * BYTES[type] - 1} ? ${twice} ^ ${polynomial} : ${twice};`
  const step = random.chance(50) ? right : left
  const text = `${type} ${crc} = ${expression(draft, scope, 1)};
for (u32 bit = 0; bit < ${1 + random.below(8)}; bit++) ${step}\n`
  scope.variables.push({ name: crc, writable: true })
  return text
}

/** Goes over records whose first byte says how long they are, and stops where one would not fit. */
export function parse(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const [at, end, turn] = [draft.name(), draft.name(), draft.name()]
  const sum = writable(draft, scope)
  const type = random.pick(['u8', 'u16', 'u32'] as const)
  const length = random.pick([`${at}[0] & ${random.pick([3, 7, 15])}`, `${at}[1] >> 4 & 7`])
  const value = random.pick([
    `*(const ${type}_any *)(${at} + 1)`,
    `${at}[0] | ${at}[1] << 8`,
    `(u32)${at}[0] << 8 | ${at}[1]`,
  ])
  const result = random.pick([
    `value`,
    `value * 3u`,
    `mix(${sum}, value)`,
    `value == ${constant(draft)} ? size : value`,
  ])
  const act = random.pick(['continue;', 'break;', `{ ${at}++; continue; }`])
  const step = random.chance(60) ? '1 + size' : `${1 + random.below(5)}`
  const bound = random.chance(50) ? `(len > ${POINTED_BYTES} ? ${POINTED_BYTES} : len)` : '40'
  return `{ const u8 *${at} = ${scope.pointer} + ${random.below(8)}, *${end} = ${scope.pointer} + ${bound};
for (u32 ${turn} = 0; ${turn} < ${2 + random.below(9)}; ${turn}++) {
if (${at} + ${1 + random.below(4)} + sizeof(${type}) > ${end}) break;
u32 size = ${length}; ${type} value = ${value};
${sum} ${random.pick(['+=', '^=', '='])} ${result};
if (value == ${constant(draft)}) ${act}
${at} += ${step}; }
${place(draft, scope)} = ${at} - ${scope.pointer}; }\n`
}

/** Copies or compares elements up to one of a value, in steps of any type. */
export function copyUntil(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const type = random.pick(TYPES)
  const half = POINTED_BYTES / 2 / BYTES[type]
  const [from, to, at] = [draft.name(), draft.name(), draft.name()]
  const stop = random.pick([
    `!${from}[${at}]`,
    `${from}[${at}] == (${type})(${constant(draft)})`,
    `${from}[${at}] < ${at}`,
  ])
  const work = random.pick([
    `${to}[${at}] = ${from}[${at}];`,
    `if (${to}[${at}] != ${from}[${at}]) break;`,
    `${to}[${at}] = ${from}[${half - 1} - ${at}] + ${constant(draft)};`,
    `{ ${type} kept = ${from}[${at}]; ${from}[${at}] = ${to}[${at}]; ${to}[${at}] = kept; }`,
  ])
  const test = random.chance(60) ? `if (${stop}) break; ` : ''
  const place = writable(draft, scope)
  return `{ ${type} *${from} = (${type} *)${scope.pointer}, *${to} = ${from} + ${random.pick([half, half, 1])};
${random.pick(['u32', 'u64', 'u8', 's32'])} ${at} = 0;
for (; ${at} < ${1 + random.below(half)}; ${at}++) { ${test}${work} }
${place} += ${at}; }\n`
}

/** By halves, in an array that need not be in order. */
export function search(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const { name, length } = random.pick(scope.arrays)
  const type = random.pick(['u32', 's32', 'u64', 'u8'])
  const wanted = expression(draft, scope, 1)
  return `{ ${type} low = 0, high = ${length};
while (low < high) { ${type} middle = ${random.pick(['(low + high) >> 1', 'low + ((high - low) >> 1)'])};
if (${name}[middle] ${random.pick(['<', '<=', '>'])} (${wanted})) low = middle + 1; else high = middle; }
${writable(draft, scope)} ^= low; }\n`
}

/** Elements into order, by insertion or by swaps of neighbours. */
export function sort(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const type = random.pick(TYPES)
  const count = 2 + random.below(Math.min(7, POINTED_BYTES / BYTES[type] - 1))
  const list = draft.name()
  const before = random.pick(['<', '>'])
  const start = `{ ${type} *${list} = (${type} *)${scope.pointer};\n`
  if (random.chance(50)) {
    return `${start}for (u32 end = ${count} - 1; end > 0; end--) for (u32 at = 0; at < end; at++)
if (${list}[at + 1] ${before} ${list}[at]) {
${type} kept = ${list}[at]; ${list}[at] = ${list}[at + 1]; ${list}[at + 1] = kept; } }\n`
  }
  const index = random.pick(['s32', 's64', 's8'])
  return `${start}for (${index} next = 1; next < ${count}; next++) { ${type} kept = ${list}[next]; ${index} at = next - 1;
for (; at >= 0 && kept ${before} ${list}[at]; at--) ${list}[at + 1] = ${list}[at];
${list}[at + 1] = kept; } }\n`
}
