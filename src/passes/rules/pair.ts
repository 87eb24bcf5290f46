// Rules on pairs of words. See language.ts.

import { negations } from './both.ts'

/** Comparisons, each with its opposite. */
const opposites = [
  ['(eq2 a h b k)', '(ne2 a h b k)'],
  ['(ne2 a h b k)', '(eq2 a h b k)'],
  ['(ult2 a h b k)', '(ule2 b k a h)'],
  ['(ule2 a h b k)', '(ult2 b k a h)'],
  ['(slt2 a h b k)', '(sle2 b k a h)'],
  ['(sle2 a h b k)', '(slt2 b k a h)'],
]
const comparisons = ['eq', 'ne', 'ult', 'ule', 'slt', 'sle']
const unsigned = (op: string): string => (op.startsWith('s') ? `u${op.slice(1)}` : op)
const pairs = (...ops: readonly string[]) => ({
  each: (rules: (op: string) => string): string => ops.map(rules).join('\n'),
})

export const pair: string = `
${pairs('eq', 'ule', 'sle').each((op) => `(${op}2 a h a h) => 1`)}
${pairs('ne', 'ult', 'slt').each((op) => `(${op}2 a h a h) => 0`)}
; Equal high words: the low ones decide, unsigned. Constants that differ decide themselves.
${pairs(...comparisons).each(
  (op) => `
(${op}2 a h b h) => (${unsigned(op)} a b)
(${op}2 a C b D) => (${op} C D) if (ne C D)
; Both are sign-extended words, and those are ordered as the words are.
(${op}2 a (asr a 31) b (asr b 31)) => (${op} a b)
(${op}2 a (asr a 31) C D) => (${op} a C) if (eq D (asr C 31))
(${op}2 C D a (asr a 31)) => (${op} C a) if (eq D (asr C 31))`,
)}
${pairs('eq', 'ne').each(
  (op) => `
(${op}2 C D x y) => (${op}2 x y C D)
(${op}2 x y 0 0) => (${op} (or x y) 0)`,
)}
${negations(opposites)}
; Against the least and the greatest low word the high ones decide.
(ult2 a h 0 k) => (ult h k)
(slt2 a h 0 k) => (slt h k)
(ule2 0 h b k) => (ule h k)
(sle2 0 h b k) => (sle h k)
(ule2 a h -1 k) => (ule h k)
(sle2 a h -1 k) => (sle h k)
(ult2 -1 h b k) => (ult h k)
(slt2 -1 h b k) => (slt h k)

(ult2 0 0 x y) => (ne (or x y) 0)
(ult2 x y 1 0) => (eq (or x y) 0)
(ule2 x y 0 0) => (eq (or x y) 0)
; Constants are subtracted, since immediate operands are: C < x is C + 1 <= x.
(ult2 C D x y) => (ule2 (add C 1) (add D (eq C -1)) x y) if (ne (and C D) -1)
(slt2 C D x y) => (sle2 (add C 1) (add D (eq C -1)) x y) if (or (ne C -1) (ne D 0x7fffffff))
(ule2 x y C D) => (ult2 x y (add C 1) (add D (eq C -1))) if (ne (and C D) -1)
(sle2 x y C D) => (slt2 x y (add C 1) (add D (eq C -1))) if (or (ne C -1) (ne D 0x7fffffff))

; Words of pairs that need no carry.
(word0 (add2 a h 0 k)) => a
(word1 (add2 a h 0 k)) => (add h k)
(word0 (add2 0 h b k)) => b
(word1 (add2 0 h b k)) => (add h k)
(word0 (add2 a h b k)) => (add a b) if (ult (bits a) 32), (ult (bits b) 32)
(word1 (add2 a h b k)) => (add h k) if (ult (bits a) 32), (ult (bits b) 32)
(word0 (sub2 a h 0 k)) => a
(word1 (sub2 a h 0 k)) => (sub h k)
(word0 (umul x 1)) => x
(word1 (umul x 1)) => 0
(word0 (umul x y)) => (mul x y) if (ule (add (bits x) (bits y)) 32)
(word1 (umul x y)) => 0 if (ule (add (bits x) (bits y)) 32)
`
