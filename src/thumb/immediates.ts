// Which immediates the encodings can hold. Selection asks these before it builds an instruction; a value that does not
// fit has no encoding. Values are int32; unsigned ones are taken as the int32 with the same bits.
// Source: DDI 0403E A5.3.2 (ThumbExpandImm) and the encoding diagrams of A7.7.

/** The 12 bits i:imm3:imm8 whose ThumbExpandImm is `value`, -1 if there are none. */
export function encodeModified(value: number): number {
  const word = value | 0
  const low = word & 0xff
  if (word === low) return low
  if (word === ((low << 16) | low)) return 0x100 | low
  const high = (word >>> 8) & 0xff
  if (word === ((high << 24) | (high << 8))) return 0x200 | high
  if (word === Math.imul(low, 0x01010101)) return 0x300 | low
  const leading = Math.clz32(word)
  const shift = 24 - leading
  if ((word & ~(0xff << shift)) !== 0) return -1
  return ((leading + 8) << 7) | ((word >>> shift) & 0x7f)
}

/** ThumbExpandImm of the 12 bits i:imm3:imm8, as an int32. */
export function decodeModified(imm12: number): number {
  const byte = imm12 & 0xff
  switch (imm12 >>> 8) {
    case 0:
      return byte
    case 1:
      return (byte << 16) | byte
    case 2:
      return (byte << 24) | (byte << 8)
    case 3:
      return Math.imul(byte, 0x01010101)
    default: {
      const rotation = imm12 >>> 7
      const unrotated = 0x80 | (imm12 & 0x7f)
      return (unrotated >>> rotation) | (unrotated << (32 - rotation))
    }
  }
}

/** A modified immediate holds it. */
export function fitsModified(value: number): boolean {
  return encodeModified(value) >= 0
}

/** A modified immediate made by rotation: then a logical instruction that sets flags puts bit 31 of it into C. */
export function isRotated(value: number): boolean {
  return encodeModified(value) >= 0x400
}

/** ADD_i or SUB_i holds it with flags left alone: modified, or 12 bits (ADDW, SUBW). With flags it must be modified. */
export function fitsAdd(value: number): boolean {
  return value >>> 12 === 0 || encodeModified(value) >= 0
}

/** MOV_i holds it: modified, or 16 bits (MOVW). */
export function fitsMove(value: number): boolean {
  return value >>> 16 === 0 || encodeModified(value) >= 0
}

/** MOV_i or, inverted, MVN_i holds it: one instruction. */
export function fitsConstant(value: number): boolean {
  return fitsMove(value) || encodeModified(~value) >= 0
}

/** The offset of LDR_i, STR_i and their narrower kin, without write-back: -255..4095. */
export function fitsOffset(value: number): boolean {
  return value >= -255 && value <= 4095
}

/** The offset of the same with write-back, before or after: -255..255. */
export function fitsIndexed(value: number): boolean {
  return value >= -255 && value <= 255
}

/** The offset of LDRD_i and STRD_i in each mode: a multiple of 4 in -1020..1020. */
export function fitsDouble(value: number): boolean {
  return (value & 3) === 0 && value >= -1020 && value <= 1020
}

/** The offset of LDREX and STREX: a multiple of 4 in 0..1020. */
export function fitsExclusive(value: number): boolean {
  return (value & 3) === 0 && value >= 0 && value <= 1020
}

/** The amount of LSL_i or ROR_i (1..31), of LSR_i or ASR_i (1..32). */
export function fitsShift(right: boolean, amount: number): boolean {
  return amount >= 1 && amount <= (right ? 32 : 31)
}

/** The distance from PC (address + 4) of a branch: B's 16-bit and 32-bit encodings with a condition and without, CBZ. */
export function fitsBranch(kind: 'T1' | 'T2' | 'T3' | 'T4' | 'CBZ', distance: number): boolean {
  switch (kind) {
    case 'T1':
      return distance >= -256 && distance <= 254
    case 'T2':
      return distance >= -2048 && distance <= 2046
    case 'T3':
      return distance >= -0x100000 && distance <= 0xffffe
    case 'T4':
      return distance >= -0x1000000 && distance <= 0xfffffe
    case 'CBZ':
      return distance >= 0 && distance <= 126
  }
}
