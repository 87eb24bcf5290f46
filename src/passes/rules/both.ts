// Algebra that holds for words and for 64-bit values alike. See language.ts.

/** Comparisons, each with its opposite. */
const opposites = [
  ['(eq x y)', '(ne x y)'],
  ['(ne x y)', '(eq x y)'],
  ['(ult x y)', '(ule y x)'],
  ['(ule x y)', '(ult y x)'],
  ['(slt x y)', '(sle y x)'],
  ['(sle x y)', '(slt y x)'],
]

/** What comparisons become that are compared with a truth value; each given with its opposite. */
export function negations(pairs: readonly (readonly string[])[]): string {
  return pairs.map(([is, not]) => `(xor ${is} 1) => ${not}\n(eq ${is} 0) => ${not}\n(ne ${is} 1) => ${not}`).join('\n')
}

export const both: string = `
(add x 0) => x
(add (add x C) D) => (add x (add C D))
(sub x 0) => x
(sub x x) => 0
(sub x C) => (add x (sub 0 C)) ; one form of it
(mul x 0) => 0
(mul x 1) => x
(mul x C) => (lsl x (log2 C)) if (ne C 0), (eq (and C (sub C 1)) 0)
(udiv x 0) => 0
(urem x 0) => x
(sdiv x 0) => 0
(srem x 0) => x
(sdiv x 1) => x
(srem x 1) => 0
(sdiv x -1) => (sub 0 x)
(srem x -1) => 0
(udiv x C) => (lsr x (log2 C)) if (ne C 0), (eq (and C (sub C 1)) 0)
(urem x C) => (and x (sub C 1)) if (ne C 0), (eq (and C (sub C 1)) 0)

(and x x) => x
(and x -1) => x
(and x 0) => 0
(or x x) => x
(or x 0) => x
(or x -1) => -1
(xor x x) => 0
(xor x 0) => x

(lsl x 0) => x
(lsr x 0) => x
(asr x 0) => x

(eq x x) => 1
(ne x x) => 0
(ult x x) => 0
(ule x x) => 1
(slt x x) => 0
(sle x x) => 1
(ult x 0) => 0
(ule 0 x) => 1
(ult x 1) => (eq x 0)
(ule x 0) => (eq x 0)
(ult 0 x) => (ne x 0)
(eq (xor x y) 0) => (eq x y)
(ne (xor x y) 0) => (ne x y)
(eq (sub x y) 0) => (eq x y)
(ne (sub x y) 0) => (ne x y)
${negations(opposites)}

(select 0 x y) => y
(select C x y) => x if (ne C 0)
(select c x x) => x
(select (ne c:i32 0) x y) => (select c x y)
(select (eq c:i32 0) x y) => (select c y x)
`
