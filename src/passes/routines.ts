// Routines that legalization calls, emitted once a module, written in the IR itself and compiled like every function.
// Division of 64 bits: Knuth, TAOCP 4.3.1 algorithm D with 16-bit digits; Warren, Hacker's Delight, 9-4 and 9-5.

import { unreachable } from '../base/errors.ts'
import type { Func } from '../ir/func.ts'
import { parse } from '../ir/parse.ts'

// n / d and n % d for any d; by 0 the quotient is 0 and the remainder n. Results: quotient low, high, remainder low, high.
const udivmod64 = `
func udivmod64(i32, i32, i32, i32)
b0:
  v0:i32 = param #0
  v1:i32 = param #1
  v2:i32 = param #2
  v3:i32 = param #3
  branch v3 b6 b1
b1: <- b0
  branch v1 b3 b2
b2: <- b1
  v4:i32 = udiv v0, v2
  v5:i32 = urem v0, v2
  ret v4, 0, v5, 0
b3: <- b1
  ; two words by one: the high quotient word first
  v10:i32 = eq v2, 0
  branch v10 b8 b4
b4: <- b3
  v11:i32 = udiv v1, v2
  v12:i32 = urem v1, v2
  v13:i32 = ule v2, 0xffff
  branch v13 b5 b7
b5: <- b4
  ; a divisor of 16 bits: two plain divisions
  v20:i32 = lsl v12, 16
  v21:i32 = lsr v0, 16
  v22:i32 = or v20, v21
  v23:i32 = udiv v22, v2
  v24:i32 = urem v22, v2
  v25:i32 = lsl v24, 16
  v26:i32 = and v0, 0xffff
  v27:i32 = or v25, v26
  v28:i32 = udiv v27, v2
  v29:i32 = urem v27, v2
  v30:i32 = lsl v23, 16
  v31:i32 = or v30, v28
  ret v31, v11, v29, 0
b7: <- b4
  v40:i32 = clz v2
  v41:i32 = lsl v2, v40
  v42:i32 = sub 32, v40
  v43:i32 = lsl v12, v40
  v44:i32 = lsr v0, v42
  v45:i32 = or v43, v44
  v46:i32 = lsl v0, v40
  v47:i64 = call divide v45, v46, v41
  v48:i32 = word v47, #0
  v49:i32 = word v47, #1
  v50:i32 = lsr v49, v40
  ret v48, v11, v50, 0
b8: <- b3
  ret 0, 0, v0, v1
b6: <- b0
  ; the quotient is one word: estimate it from n / 2 and the divisor's top 32 bits, which is at most 1 too much
  v60:i32 = clz v3
  v61:i32 = sub 32, v60
  v62:i32 = lsl v3, v60
  v63:i32 = lsr v2, v61
  v64:i32 = or v62, v63
  v65:i32 = lsr v1, 1
  v66:i32 = lsl v1, 31
  v67:i32 = lsr v0, 1
  v68:i32 = or v66, v67
  v69:i64 = call divide v65, v68, v64
  v70:i32 = word v69, #0
  v71:i32 = sub 31, v60
  v72:i32 = lsr v70, v71
  v73:i32 = ne v72, 0
  v74:i32 = sub v72, v73
  v75:i64 = umul v74, v2
  v76:i32 = word v75, #0
  v77:i32 = word v75, #1
  v78:i32 = mul v74, v3
  v79:i32 = add v77, v78
  v80:i64 = sub2 v0, v1, v76, v79
  v81:i32 = word v80, #0
  v82:i32 = word v80, #1
  v83:i32 = ult2 v81, v82, v2, v3
  branch v83 b9 b10
b9: <- b6
  ret v74, 0, v81, v82
b10: <- b6
  v90:i32 = add v74, 1
  v91:i64 = sub2 v81, v82, v2, v3
  v92:i32 = word v91, #0
  v93:i32 = word v91, #1
  ret v90, 0, v92, v93
`

// The same in few bytes: 64 times the dividend's top bit goes into the remainder, from which the divisor is taken where it fits.
const udivmod64Small = `
func udivmod64(i32, i32, i32, i32)
b0:
  v0:i32 = param #0
  v1:i32 = param #1
  v2:i32 = param #2
  v3:i32 = param #3
  v4:i32 = or v1, v3
  branch v4 b2 b1
b1: <- b0
  v5:i32 = udiv v0, v2
  v6:i32 = urem v0, v2
  ret v5, 0, v6, 0
b2: <- b0
  jump b3
b3: <- b2 b7
  v10:i32 = phi v0, v40
  v11:i32 = phi v1, v16
  v12:i32 = phi 0, v41
  v13:i32 = phi 0, v42
  v14:i32 = phi 64, v43
  v20:i64 = add2 v12, v13, v12, v13
  v21:i32 = word v20, #0
  v22:i32 = word v20, #1
  v23:i32 = lsr v11, 31
  v24:i32 = add v21, v23
  v15:i64 = add2 v10, v11, v10, v11
  v17:i32 = word v15, #0
  v16:i32 = word v15, #1
  v25:i32 = slt v13, 0
  branch v25 b5 b4
b4: <- b3
  v26:i32 = ult2 v24, v22, v2, v3
  branch v26 b6 b5
b5: <- b3 b4
  v30:i64 = sub2 v24, v22, v2, v3
  v31:i32 = word v30, #0
  v32:i32 = word v30, #1
  v33:i32 = add v17, 1
  jump b7
b6: <- b4
  jump b7
b7: <- b5 b6
  v40:i32 = phi v33, v17
  v41:i32 = phi v31, v24
  v42:i32 = phi v32, v22
  v43:i32 = sub v14, 1
  branch v43 b3 b8
b8: <- b7
  v50:i32 = or v2, v3
  branch v50 b10 b9
b9: <- b8
  ; by 0
  jump b10
b10: <- b8 b9
  v51:i32 = phi v40, 0
  v52:i32 = phi v16, 0
  ret v51, v52, v41, v42
`

// high:low / d for high < d and d >= 2^31. Results: quotient, remainder.
const divide = `
func divide(i32, i32, i32)
b0:
  v0:i32 = param #0
  v1:i32 = param #1
  v2:i32 = param #2
  v3:i32 = lsr v2, 16
  v4:i32 = and v2, 0xffff
  v5:i32 = lsr v1, 16
  v6:i32 = and v1, 0xffff
  v7:i32 = udiv v0, v3
  v8:i32 = mul v7, v3
  v9:i32 = sub v0, v8
  jump b1
b1: <- b0 b4
  v10:i32 = phi v7, v20
  v11:i32 = phi v9, v21
  v12:i32 = lsr v10, 16
  branch v12 b3 b2
b2: <- b1
  v13:i32 = mul v10, v4
  v14:i32 = lsl v11, 16
  v15:i32 = or v14, v5
  v16:i32 = ult v15, v13
  branch v16 b3 b5
b3: <- b1 b2
  v20:i32 = sub v10, 1
  v21:i32 = add v11, v3
  v22:i32 = lsr v21, 16
  branch v22 b6 b4
b4: <- b3
  jump b1
b5: <- b2
  jump b7
b6: <- b3
  jump b7
b7: <- b5 b6
  v30:i32 = phi v10, v20
  v31:i32 = lsl v0, 16
  v32:i32 = or v31, v5
  v33:i32 = mul v30, v2
  v34:i32 = sub v32, v33
  v35:i32 = udiv v34, v3
  v36:i32 = mul v35, v3
  v37:i32 = sub v34, v36
  jump b8
b8: <- b7 b11
  v40:i32 = phi v35, v50
  v41:i32 = phi v37, v51
  v42:i32 = lsr v40, 16
  branch v42 b10 b9
b9: <- b8
  v43:i32 = mul v40, v4
  v44:i32 = lsl v41, 16
  v45:i32 = or v44, v6
  v46:i32 = ult v45, v43
  branch v46 b10 b12
b10: <- b8 b9
  v50:i32 = sub v40, 1
  v51:i32 = add v41, v3
  v52:i32 = lsr v51, 16
  branch v52 b13 b11
b11: <- b10
  jump b8
b12: <- b9
  jump b14
b13: <- b10
  jump b14
b14: <- b12 b13
  v60:i32 = phi v40, v50
  v61:i32 = lsl v34, 16
  v62:i32 = or v61, v6
  v63:i32 = mul v60, v2
  v64:i32 = sub v62, v63
  v65:i32 = lsl v30, 16
  v66:i32 = add v65, v60
  ret v66, v64
`

// Signed: the quotient's sign is the product of both, the remainder's is the dividend's; by 0 as above.
const sdivmod64 = `
func sdivmod64(i64, i64)
b0:
  v0:i64 = param #0
  v1:i64 = param #1
  v2:i64 = asr v0, 63
  v3:i64 = asr v1, 63
  v4:i64 = xor v0, v2
  v5:i64 = sub v4, v2
  v6:i64 = xor v1, v3
  v7:i64 = sub v6, v3
  v8:i64 = call udivmod64 v5, v7
  v9:i32 = trunc v8
  v10:i32 = high v8
  v11:i64 = concat v9, v10
  v12:i32 = word v8, #2
  v13:i32 = word v8, #3
  v14:i64 = concat v12, v13
  v15:i64 = xor v2, v3
  v16:i64 = xor v11, v15
  v17:i64 = sub v16, v15
  v18:i64 = xor v14, v2
  v19:i64 = sub v18, v2
  ret v17, v19
`

const texts: Record<string, string> = { udivmod64, divide, sdivmod64 }
const smallTexts: Record<string, string> = { udivmod64: udivmod64Small }

/** The routine's IR, not yet legal: a fast one or, if there is one, a small one. */
export function makeRoutine(name: string, small: boolean): Func {
  return parse((small ? smallTexts[name] : undefined) ?? texts[name] ?? unreachable(`no routine ${name}`))
}

/** Names of the routines that a routine calls, as IR before legalization. */
export function calledRoutines(name: string, small: boolean): readonly string[] {
  if (name === 'sdivmod64') return ['udivmod64']
  return name === 'udivmod64' && !small ? ['divide'] : []
}
