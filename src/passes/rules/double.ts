// Rules on 64-bit values: what shows that a value is really a word, since words are what the target has. See language.ts.

const comparisons = ['eq', 'ne', 'ult', 'ule', 'slt', 'sle']
const unsigned = (op: string): string => (op.startsWith('s') ? `u${op.slice(1)}` : op)

export const double: string = `
(trunc (zext x)) => x
(trunc (sext x)) => x
(trunc (concat x y)) => x
(trunc C) => (trunc C)
(high (zext x)) => 0
(high (sext x)) => (asr x 31)
(high (concat x y)) => y
(sext x) => (zext x) if (ult (bits x) 32)
(zext C) => (zext C)
(sext C) => (sext C)
(concat C D) => (concat C D)
(concat x 0) => (zext x)

(and x:i64 C) => (zext (and (trunc x) (trunc C))) if (eq (high C) 0)

(lsl x:i64 C) => (concat 0 (lsl (trunc x) (sub C 32))) if (ule 32 C), (ult C 64)
(lsr x:i64 C) => (zext (lsr (high x) (sub C 32))) if (ule 32 C), (ult C 64)
(asr x:i64 C) => (sext (asr (high x) (sub C 32))) if (ule 32 C), (ult C 64)
(lsr (zext x) C) => (zext (lsr x C)) if (ult C 32)
(asr (sext x) C) => (sext (asr x C)) if (ult C 32)

; Of two words that are extended alike, the words decide.
${comparisons
  .map(
    (op) => `
(${op} (zext x) (zext y)) => (${unsigned(op)} x y)
(${op} (zext x) C) => (${unsigned(op)} x (trunc C)) if (eq (high C) 0)
(${op} C (zext x)) => (${unsigned(op)} (trunc C) x) if (eq (high C) 0)
(${op} (sext x) (sext y)) => (${op} x y)
(${op} (sext x) C) => (${op} x (trunc C)) if (eq (high C) (asr (trunc C) 31))
(${op} C (sext x)) => (${op} (trunc C) x) if (eq (high C) (asr (trunc C) 31))`,
  )
  .join('')}
`
