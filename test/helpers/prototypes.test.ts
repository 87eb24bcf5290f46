// Prototypes from C: types by their size on the target, headers, what is refused and where; and the tables that come with it.

import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { extendResult, formatPrototype, narrowValue, passing, type ValueType } from '../../src/base/prototype.ts'
import { helperTable, parseHelperHeader, parsePrototype } from '../../src/bpf/prototypes.ts'
import { linuxHelperNames, linuxHelpers } from '../../src/bpf/tables/linux.ts'
import { riotHelpers } from '../../src/bpf/tables/riot.ts'

const types = (text: string): string => {
  const { result, parameters } = parsePrototype(text)
  return `${result}(${parameters.map((one) => one.type).join(' ')})`
}
const failure = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof InputError) return `${error.line === undefined ? '' : `line ${error.line}: `}${error.message}`
    throw error
  }
  return 'accepted'
}

describe('parsePrototype', () => {
  it('reads names, parameters and results', () => {
    expect(parsePrototype('u32 gpio_read(u32 pin)')).toEqual({
      name: 'gpio_read',
      result: 'u32',
      parameters: [{ type: 'u32', name: 'pin' }],
    })
    expect(types('void *map_lookup(map, const void *key)')).toBe('pointer(map pointer)')
    expect(types('extern void f(void);')).toBe('void()')
    expect(types('bool f()')).toBe('bool()')
  })
  it.each([
    ['u8 f(u16, u32, u64)', 'u8(u16 u32 u64)'],
    ['s8 f(s16, s32, s64)', 's8(s16 s32 s64)'],
    ['uint8_t f(int16_t a, uint32_t b, int64_t c)', 'u8(s16 u32 s64)'],
    ['__u8 f(__s16 a, __u32 b, __be64 c)', 'u8(s16 u32 u64)'],
    ['int f(unsigned a, unsigned int b, signed c, short d, unsigned short int e)', 's32(u32 u32 s32 s16 u16)'],
    ['long f(unsigned long a, long int b, long long c, unsigned long long int d)', 's32(u32 s32 s64 u64)'],
    ['long long unsigned f(int long a)', 'u64(s32)'],
    ['char f(signed char a, unsigned char b, char c)', 'u8(s8 u8 u8)'],
    ['size_t f(ssize_t a, uintptr_t b, ptrdiff_t c, _Bool d)', 'u32(s32 u32 s32 bool)'],
    ['const char *f(const volatile char *const a, char **b, u8 c[16])', 'pointer(pointer pointer pointer)'],
    ['struct dev *f(struct dev *d, union u *u, enum e *e, double *x)', 'pointer(pointer pointer pointer pointer)'],
    ['long f(struct thumbpf_map *m, struct bpf_map *n, struct bpf_map **o)', 's32(map map pointer)'],
    ['void f(int (*callback)(int, void *), void *)', 'void(pointer pointer)'],
    ['int __attribute__((pure)) f(int x) __attribute__((nonnull(1)))', 's32(s32)'],
  ])('%s', (text, expected) => {
    expect(types(text)).toBe(expected)
    const prototype = parsePrototype(text)
    expect(parsePrototype(formatPrototype(prototype))).toEqual(prototype)
  })
  it.each([
    [
      'int printf(const char *format, ...)',
      'line 1: printf takes variable arguments: a helper has at most five that are known',
    ],
    ['int f(struct point p)', 'line 1: a parameter of type point by value: only integers and pointers can be passed'],
    ['struct point f(int p)', 'line 1: a result of type point by value: only integers and pointers can be passed'],
    [
      'int f(enum colour c)',
      'line 1: a parameter of type enum colour: how wide it is differs between compilers, use an integer',
    ],
    ['int f(double x)', 'line 1: a parameter of type double: BPF has no floating point'],
    ['float f(void)', 'line 1: a result of type float: BPF has no floating point'],
    ['int f(int, int, int, int, int, int)', 'line 1: f has 6 parameters, a helper has at most 5'],
    ['int f(pin_t p)', "line 1: 'pin_t' is no type that is known here"],
    ['long long long f(void)', "line 1: 'long long long' is no type"],
    ['int f(int', "line 1: 'the end' where ')' must be"],
    ['int f(int) int', "line 1: 'int' after the prototype"],
    ['int (*f)(int) = (void *) 3', 'line 1: must be one prototype, as `u32 gpio_read(u32 pin)`'],
    ['int f(void, int)', "line 1: a parameter can't be void"],
    ['', "line 1: 'the end' is no type that is known here"],
  ])('refuses %s', (text, expected) => {
    expect(failure(() => parsePrototype(text))).toBe(expected)
  })
})

describe('parseHelperHeader', () => {
  const header = `#ifndef BOARD_H
#define BOARD_H
#include <stdint.h>
#define THUMBPF_HELPER(n)
#define GPIO_READ 0x70
#define LONG_MACRO(x) \\
  do { x; } while (0)
/* A comment
   over lines; int nothing(int); */
#ifdef __cplusplus
extern "C" {
#endif
enum { FIRST = 5, SECOND, THIRD = 0x20 };
typedef uint16_t pin_t;
typedef struct { int x[3]; } vector;
typedef struct node *node_p;
struct node;
struct node { struct node *next; int value; };
THUMBPF_HELPER(70) u32 gpio_read(pin_t pin); // to the end
THUMBPF_HELPER(71)
int  vector_add(vector *to,
                const vector *from);
static __u64 (* const clock)(void) = (void *) SECOND;
static int16_t (*walk)(node_p n) = (void *) GPIO_READ;
static void (*third)(void) = (void *) THIRD;
static void *(*lookup)(void *map, const void *key) = (void *) 1;
#ifdef __cplusplus
}
#endif
#endif
`
  it('reads declarations with numbers', () => {
    const table = parseHelperHeader(header)
    expect([...table].map(([number, prototype]) => `${number} ${formatPrototype(prototype)}`)).toEqual([
      '70 uint32_t gpio_read(uint16_t pin)',
      '71 int32_t vector_add(void *to, void *from)',
      '6 uint64_t clock(void)',
      '112 int16_t walk(void *n)',
      '32 void third(void)',
      '1 void *lookup(void *map, void *key)',
    ])
  })
  it.each([
    ['\nTHUMBPF_HELPER(1) int f(void);\nint g(void);', 'line 3: g has no helper number'],
    [
      'THUMBPF_HELPER(1) int f(void);\n\nTHUMBPF_HELPER(1) int g(void);',
      "line 3: g has number 1, which is f's already",
    ],
    ['/*\n\n*/ THUMBPF_HELPER(x) int f(void);', "line 3: 'x' where a helper's number must be"],
    ['THUMBPF_HELPER(-1) int f(void);', "line 1: '-' where a helper's number must be"],
    ['THUMBPF_HELPER(1) int f(void)\nTHUMBPF_HELPER(2) int g(void);', "line 2: 'THUMBPF_HELPER' where ';' must be"],
    ['typedef struct { int x; } v;\nTHUMBPF_HELPER(1) int f(v x);', 'line 2: a parameter of type v by value'],
    ['static int (*f)(const char *, ...) = (void *) 6;', 'line 1: f takes variable arguments'],
    ['int x;', "line 1: ';' where '(' must be"],
  ])('refuses %j', (text, expected) => {
    expect(failure(() => parseHelperHeader(text)).slice(0, expected.length)).toBe(expected)
  })
})

describe('helperTable', () => {
  it('takes data', () => {
    expect(helperTable({ 70: 'u32 gpio_read(u32 pin)' }).get(70)?.name).toBe('gpio_read')
    expect(failure(() => helperTable({ 70: 'u32 gpio_read(pin)' }))).toBe(
      "helper 70, 'u32 gpio_read(pin)': 'pin' is no type that is known here",
    )
    expect(failure(() => helperTable({ [-1]: 'void f(void)' }))).toContain("helper number '-1'")
  })
  it('the tables that come with it', () => {
    expect(linuxHelpers.get(1)!.parameters.map((one) => one.type)).toEqual(['map', 'pointer'])
    expect(riotHelpers.get(0x50)!.parameters.map((one) => one.type)).toEqual(['pointer', 's16', 's32'])
    for (const [number, { name }] of linuxHelpers) expect(name).toBe(`bpf_${linuxHelperNames.get(number)}`)
    expect(linuxHelperNames.size).toBe(212)
  })
})

describe('passing', () => {
  const first = (...list: ValueType[]): number[] => [...passing(list.map((type) => ({ type }))).first]
  it('follows AAPCS', () => {
    expect(first('u32', 'u32', 'u32', 'u32', 'u32')).toEqual([0, 1, 2, 3, 4])
    expect(first('u64', 'u64', 'u64', 'u64', 'u64')).toEqual([0, 2, 4, 6, 8])
    expect(first('u32', 'u64', 'u32', 'u64', 'u8')).toEqual([0, 2, 4, 6, 8])
    // r3 is not filled once something went to the stack.
    expect(first('u8', 'u8', 'u8', 's64', 'u8')).toEqual([0, 1, 2, 4, 6])
    expect(first()).toEqual([])
  })
  it('narrows and extends', () => {
    expect(narrowValue(0xffff_ffff_ffff_ff80n, 's8')).toBe(-128n)
    expect(narrowValue(0x1234_5678_9abc_de00n, 'bool')).toBe(0n)
    expect(narrowValue(0x100n | 2n, 'bool')).toBe(1n)
    expect(extendResult(0x8000n, 's16')).toBe(0xffff_ffff_ffff_8000n)
    expect(extendResult(-1n, 'u16')).toBe(0xffffn)
    expect(extendResult(-1n, 'pointer')).toBe(0xffff_ffffn)
    expect(extendResult(7n, 'void')).toBe(0n)
  })
})
