// Type information of clang: maps of section .maps, lines, and what belongs to a Linux kernel, which is refused by its name.

import { expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { checkHelpers } from '../../src/bpf/check.ts'
import { lineAt } from '../../src/bpf/lines.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { describeWith } from '../support/tools.ts'
import { clangObject } from './clang.ts'

const macros = `
  #define SEC(name) __attribute__((section(name), used))
  #define __uint(name, val) int (*name)[val]
  #define __type(name, val) typeof(val) *name
  typedef unsigned u32; typedef unsigned long long u64;
  static void *(*lookup)(void *, const void *) = (void *)1;
`

describeWith(['clang-19'], 'maps of section .maps', () => {
  const one = (members: string): Uint8Array =>
    clangObject(`${macros} struct pair { u64 a; u32 b[3]; };
      struct { ${members} } m SEC(".maps");
      long entry(void) { u32 key = 1; return (long)lookup(&m, &key); }`)

  it('are read from their types', () => {
    const program = readProgram(
      clangObject(`${macros}
        struct pair { u64 a; u32 b[3]; };
        struct { __uint(type, 9); __uint(max_entries, 3); __type(key, u32); __type(value, u64); } unused SEC(".maps");
        struct { __uint(type, 1); __uint(max_entries, 64); __uint(map_flags, 1); __type(key, struct pair); __type(value, const volatile u32); } hash SEC(".maps");
        struct { __uint(type, 27); __uint(max_entries, 4096); } ring SEC(".maps");
        struct { __uint(type, 2); __uint(key_size, 4); __uint(value_size, sizeof(struct pair)); __uint(max_entries, 5); __uint(pinning, 1); } array SEC(".maps");
        struct inherited { __uint(type, 3); __uint(max_entries, 7); __type(key, u32); __type(value, void *); };
        static struct inherited programs SEC(".maps");
        long entry(void *ctx) {
          struct pair key = {};
          return (long)lookup(&hash, &key) + (long)lookup(&ring, &key) + (long)lookup(&array, &key) + (long)lookup(&programs, &key) + (long)lookup(&hash, ctx);
        }`),
    )
    expect(program.maps).toEqual([
      { name: 'hash', type: 1, keySize: 24, valueSize: 4, maxEntries: 64, flags: 1 },
      { name: 'ring', type: 27, keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0 },
      { name: 'array', type: 2, keySize: 4, valueSize: 24, maxEntries: 5, flags: 0 },
      { name: 'programs', type: 3, keySize: 4, valueSize: 8, maxEntries: 7, flags: 0 },
    ])
  })

  it.each([
    ['an unknown member', '__uint(type, 1); __uint(colour, 2);', "map 'm' has an unknown member 'colour'"],
    ['no type', '__uint(max_entries, 2);', "map 'm' has no member 'type'"],
    ['a number that is no number', 'int type;', "map 'm': type is not made by __uint"],
    ['a key without a size', '__uint(type, 1); void *key;', "map 'm': the type of key has no size"],
  ])('are refused with %s', (_, members, message) => {
    const bytes = one(members)
    expect(() => readProgram(bytes)).toThrow(RejectedError)
    expect(() => readProgram(bytes)).toThrow(message)
  })

  const withValues = (values: string, type = 3): string => `${macros}
    void target(void) {} static int datum = 3; void elsewhere(void); int use(void) { return datum++; }
    struct { __uint(type, ${type}); __uint(max_entries, 2); __uint(key_size, 4); void *map_extra; void *values[]; } m SEC(".maps") ${values};
    long entry(void) { u32 key = 1; return (long)lookup(&m, &key); }`

  it('have the programs that the object puts into their array', () => {
    const program = readProgram(clangObject(withValues('= { .values = { [1] = &target } }')), { entry: 'entry' })
    const target = program.functions.findIndex(({ name }) => name === 'target')
    const map = { name: 'm', type: 3, keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 }
    expect(program.maps).toEqual([{ ...map, programs: [{ index: 1, function: target }] }])
  })

  it.each([
    ['values of another type of map', '= { .values = { &target } }', 2, 'gets its first values from the object, which'],
    ['maps in a map', '= { .values = { &m } }', 12, 'gets its first values from the object, which only program arrays'],
    ['more values than entries', '= { .values = { [2] = &target } }', 3, 'is given a program at index 2, it has 2'],
    ['data as a value', '= { .values = { &datum } }', 3, 'is given at index 0 what is not a program'],
    ['a function from elsewhere', '= { .values = { &elsewhere } }', 3, "is given at index 0 'elsewhere', which is not"],
    [
      'a pointer before its values',
      '= { .map_extra = &target }',
      3,
      "has R_BPF_64_ABS64 of 'target' at byte 24, which is no",
    ],
  ])('are refused with %s', (_, values, type, message) => {
    const bytes = clangObject(withValues(values, type))
    expect(() => readProgram(bytes, { entry: 'entry' })).toThrow(message)
  })

  it('are refused without types', () => {
    const source = (values: string): string => `${macros}
      struct { __uint(type, 3); __uint(max_entries, 2); __uint(key_size, 4); __uint(value_size, 4); } m SEC(".maps") ${values};
      long entry(void) { u32 key = 1; return (long)lookup(&m, &key); }`
    expect(readProgram(clangObject(source('')), { entry: 'entry' }).maps).toHaveLength(1)
    expect(() => readProgram(clangObject(source(''), ['-O2']), { entry: 'entry' })).toThrow('compile with -g')
  })
})

describeWith(['clang-19'], 'lines', () => {
  const source = `static int state;
__attribute__((section("elsewhere"), noinline)) int far(int a) {
  return a * state;
}
unsigned long long entry(int *ctx, unsigned long long len) {
  state += 3;
  long (*helper)(int) = (void *)9;
  return far(ctx[1]) + helper(1);
}`
  const read = (): Program => readProgram(clangObject(source), { entry: 'entry' })
  it('are those of the instructions, function for function', () => {
    const program = read()
    const texts = program.instructions.map(({ slot }) => lineAt(program, slot)!.text)
    const { start, end } = program.functions.find(({ name }) => name === 'far')!
    expect(new Set(texts.slice(start, end))).toEqual(new Set(['return a * state;']))
    expect(new Set(texts)).toContain('state += 3;')
    expect(program.lines).toEqual(program.lines.toSorted((a, b) => a.slot - b.slot))
    expect(program.lines.find(({ text }) => text === 'state += 3;')).toMatchObject({
      line: 6,
      file: expect.stringContaining('a.c'),
    })
    expect(lineAt(program, 1_000_000)).toBe(program.lines.at(-1))
    expect(lineAt({ lines: [] }, 0)).toBeUndefined()
  })
  it('are in rejections', () => {
    const [rejection] = checkHelpers(read(), new Set())
    expect(rejection).toMatchObject({
      code: 'helper-not-granted',
      place: { function: 'entry', source: expect.stringMatching(/a\.c:8$/) },
    })
  })
})

describeWith(['clang-19'], 'what belongs to a kernel', () => {
  const refusal = (source: string, flags = ['-O2', '-g']): string => {
    try {
      readProgram(clangObject(macros + source, flags), { entry: 'entry' })
    } catch (error) {
      if (error instanceof RejectedError) return error.message
      throw error
    }
    return 'accepted'
  }
  it.each([
    [
      'kfuncs',
      'extern int bpf_task(int) SEC(".ksyms"); long entry(int *ctx) { return bpf_task(1); }',
      /a\.c:7, entry, instruction \d+: calls 'bpf_task', a function of the Linux kernel \(kfunc\).*\[kernel-function\]/,
    ],
    [
      'symbols',
      'extern const int bpf_active SEC(".ksyms"); long entry(int *ctx) { return bpf_active; }',
      /loads the address of 'bpf_active', a symbol of the Linux kernel \(\.ksyms\).*\[kernel-symbol\]/,
    ],
    [
      'settings',
      'extern unsigned CONFIG_HZ SEC(".kconfig"); long entry(int *ctx) { return CONFIG_HZ; }',
      /'CONFIG_HZ', a setting of a Linux kernel \(\.kconfig\).*\[kernel-config\]/,
    ],
    [
      'types (CO-RE)',
      'struct task { int pid; int tgid; } __attribute__((preserve_access_index)); long entry(struct task *t) { return t->tgid; }',
      /a\.c:7, entry, instruction 0: depends on the offset of a member \(struct task, 0:1\) of a running Linux kernel \(CO-RE\)/,
    ],
    [
      'type sizes (CO-RE)',
      'struct task { int pid; }; long entry(void *t) { return __builtin_preserve_type_info(*(struct task *)0, 1); }',
      /depends on the size of a type \(struct task/,
    ],
    [
      'weak symbols',
      'extern int gone __attribute__((weak)); long entry(void) { return (long)&gone; }',
      "'gone', which is weak and not defined",
    ],
    [
      'functions elsewhere',
      'long gone(int); long entry(void) { return gone(1); }',
      "calls 'gone', which is not defined in the object",
    ],
  ])('%s', (_, source, message) => expect(refusal(source)).toMatch(message))

  it('is no matter in functions that are not reached', () => {
    const source =
      'struct task { int pid; } __attribute__((preserve_access_index)); long other(struct task *t) { return t->pid; } long entry(void) { return 1; }'
    expect(refusal(source)).toBe('accepted')
  })
  it("is not the number of the program's own type", () => {
    expect(
      refusal('struct task { int pid; }; long entry(void) { return __builtin_btf_type_id(*(struct task *)0, 0); }'),
    ).toBe('accepted')
  })
  it('is not big-endian', () => {
    const read = (): unknown => readProgram(clangObject('long entry(void) { return 1; }', ['-O2'], 'bpfeb'))
    expect(read).toThrow(InputError)
    expect(read).toThrow('a big-endian ELF file, must be little-endian (clang -target bpfel)')
  })
})
