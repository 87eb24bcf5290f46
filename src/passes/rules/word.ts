// Rules on words. After legalization most of them meet what is left of 64-bit arithmetic. See language.ts.

export const word: string = `
; No bit is there, or all that can be are kept.
(and x C) => x if (ult (bits x) 32), (eq (and C (sub (lsl 1 (bits x)) 1)) (sub (lsl 1 (bits x)) 1))
(and (sext8 x) 0xff) => (and x 0xff)
(and (sext16 x) 0xffff) => (and x 0xffff)

; Amounts: the low byte counts.
(lsl 0 n) => 0
(lsr 0 n) => 0
(asr 0 n) => 0
(lsl x (and n C)) => (lsl x n) if (eq (and C 0xff) 0xff)
(lsr x (and n C)) => (lsr x n) if (eq (and C 0xff) 0xff)
(asr x (and n C)) => (asr x n) if (eq (and C 0xff) 0xff)
(lsl x C) => 0 if (ult 31 (and C 0xff))
(lsr x C) => 0 if (ult 31 (and C 0xff))
(asr x C) => (asr x 31) if (ult 31 (and C 0xff))
(lsr x C) => 0 if (ule (bits x) (and C 0xff))
(asr x C) => (lsr x C) if (ult (bits x) 32)
; The form that a bit field is taken out in.
(lsr (and x C) D) => (and (lsr x D) (lsr C D)) if (ult D 32), (ne (lsr C D) 0), (eq (and (lsr C D) (add (lsr C D) 1)) 0)
(asr (lsl x 24) 24) => (sext8 x)
(asr (lsl x 16) 16) => (sext16 x)
(or (lsl x C) (lsr x D)) => (ror x D) if (ult C 32), (ult D 32), (eq (add C D) 32)
(xor (lsl x C) (lsr x D)) => (ror x D) if (ult C 32), (ult D 32), (eq (add C D) 32)
(add (lsl x C) (lsr x D)) => (ror x D) if (ult C 32), (ult D 32), (eq (add C D) 32)
; The high word of 1 << x.
(or (lsr 1 (sub 32 x)) (lsl 1 (add x -32))) => (lsl 1 (add x -32))
(ror (ror x C) D) => (ror x (and (add C D) 31))
(bswap (bswap x)) => x

; Extensions of what is extended, and of what has more bits than they look at.
(sext8 x) => x if (ult (bits x) 8)
(sext16 x) => x if (ult (bits x) 16)
(sext8 (and x C)) => (sext8 x) if (eq (and C 0xff) 0xff)
(sext16 (and x C)) => (sext16 x) if (eq (and C 0xffff) 0xffff)
(sext8 (sext8 x)) => (sext8 x)
(sext16 (sext16 x)) => (sext16 x)
(sext16 (sext8 x)) => (sext8 x)

; Not for 64 bits: a loop counter and what it was before would both be needed.
(eq (add x C) D) => (eq x (sub D C))
(ne (add x C) D) => (ne x (sub D C))
; What is 0 or 1 is its own comparison with 0.
(ne x 0) => x if (ule (bits x) 1)
(eq x 1) => x if (ule (bits x) 1)
(ne x 1) => (eq x 0) if (ule (bits x) 1)
(eq x C) => 0 if (ult (bits x) 32), (ne (lsr C (bits x)) 0)
(ne x C) => 1 if (ult (bits x) 32), (ne (lsr C (bits x)) 0)
(branch (ne x:i32 0)) => (branch x)
(branch (xor x 1)) => (branch (eq x 0)) if (ule (bits x) 1)

; Bits that are not stored.
(store8 p (and x C)) => (store8 p x) if (eq (and C 0xff) 0xff)
(store16 p (and x C)) => (store16 p x) if (eq (and C 0xffff) 0xffff)
(store8 p (sext8 x)) => (store8 p x)
(store8 p (sext16 x)) => (store8 p x)
(store16 p (sext16 x)) => (store16 p x)
`
