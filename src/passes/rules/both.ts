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
(add x x) => (lsl x 1)
(add (sub x y) y) => x
(sub (add x y) y) => x
(sub x (add x y)) => (sub 0 y)
(sub x (sub x y)) => y
(sub (sub x y) x) => (sub 0 y)
(add x (sub 0 y)) => (sub x y)
(sub x (sub 0 y)) => (add x y)
(sub 0 (sub x y)) => (sub y x)
(sub C (add x D)) => (sub (sub C D) x)
(add (sub C x) D) => (sub (add C D) x)
(sub C (xor x -1)) => (add x (add C 1))
(add (xor x -1) C) => (sub (sub C 1) x)
(sub -1 x) => (xor x -1)
(xor (add x -1) -1) => (sub 0 x)
(mul x 0) => 0
(mul x -1) => (sub 0 x)
(mul (mul x C) D) => (mul x (mul C D))
(mul (lsl x C) D) => (mul x (lsl D C))
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
(and (and x C) D) => (and x (and C D))
(or (or x C) D) => (or x (or C D))
(xor (xor x C) D) => (xor x (xor C D))
(and (and x y) y) => (and x y)
(or (or x y) y) => (or x y)
(xor (xor x y) y) => x
(and x (or x y)) => x
(or x (and x y)) => x
(or (and x C) (and x D)) => (and x (or C D))
(xor (and x C) (and x D)) => (and x (xor C D))

; Masks of shifts, and shifts of masks that keep what is not shifted out.
(lsr (lsl x C) C) => (and x (lsr -1 C))
(lsl (lsr x C) C) => (and x (lsl -1 C))
(lsl (lsl x C) D) => (lsl x (add C D)) if (ult C 64), (ult D 64)
(lsr (lsr x C) D) => (lsr x (add C D)) if (ult C 64), (ult D 64)
(asr (asr x C) D) => (asr x (add C D)) if (ult C 64), (ult D 64)
(lsl (and x C) D) => (lsl x D) if (eq (and C (lsr -1 D)) (lsr -1 D))
(lsr (and x C) D) => (lsr x D) if (eq (and C (lsl -1 D)) (lsl -1 D))
(asr (and x C) D) => (asr x D) if (eq (and C (lsl -1 D)) (lsl -1 D)), (slt C 0)
(and (lsl x C) D) => (lsl x C) if (eq (and D (lsl -1 C)) (lsl -1 C))
(and (lsr x C) D) => (lsr x C) if (eq (and D (lsr -1 C)) (lsr -1 C))
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
(ult (add x C) x) => (ult (xor C -1) x)
(ule x (add x C)) => (ule x (xor C -1))
(ult -2 x) => (eq x -1)
(slt x 1) => (sle x 0)
(sle x -1) => (slt x 0)
(slt -1 x) => (sle 0 x)
(sle 1 x) => (slt 0 x)
(eq (and x C) C) => (ne (and x C) 0) if (ne C 0), (eq (and C (sub C 1)) 0)
(ne (and x C) C) => (eq (and x C) 0) if (ne C 0), (eq (and C (sub C 1)) 0)
(eq (xor x y) 0) => (eq x y)
(ne (xor x y) 0) => (ne x y)
(eq (sub x y) 0) => (eq x y)
(ne (sub x y) 0) => (ne x y)
${negations(opposites)}

(select 0 x y) => y
(select C x y) => x if (ne C 0)
(select c x x) => x
(select c:i32 1 0) => (ne c 0)
(select c:i32 0 1) => (eq c 0)
(select (xor c 1) x y) => (select c y x) if (ule (bits c) 1)
(select (ne c:i32 0) x y) => (select c x y)
(select (eq c:i32 0) x y) => (select c y x)
`
