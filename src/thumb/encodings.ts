// THE table of Thumb encodings: ARMv7E-M without floating point and coprocessors. Encoder, decoder and printer all come
// from it. Source: DDI 0403E A5.2, A5.3 and A7.7.
//
// Each form has its text in UAL, then its encodings, 16-bit ones first (the encoder takes the first that holds).
// A pattern is the manual's drawing, most significant bit first, letters for fields:
//   d n m a  registers        o  a second copy of m       c  condition    s  sets flags    u  add (offset not negative)
//   w  write-back (PRE)       t  type of shift            k  amount       i j y z x  parts of imm, lowest first
//   l p  bits 14 and 15 of imm (register lists)
// After the bar stand the constraints:
//   flags    16-bit: sets flags outside an IT block, leaves them inside        compare  always sets flags
//   sets     sets flags and must be outside           outside  UNPREDICTABLE inside an IT block
//   n=d n=sp the field is not in the pattern: it is d, or SP      swap  n and m may change places
//   n+sp     the field may also be SP (32-bit encodings take r0-r12 and LR if nothing is said)      d!n  must differ
//   *4       scale of imm                             pre post  index
//   modified negative branch far upto32 from1 plus1 list popped   kinds of imm
//   rotation width msb packed saturate                kinds of amount (t with k: a shifted register)
//   spshift  d = SP only with LSL by at most 3        system  SYSm and mask are known ones

import { type FormName, formNames } from './forms.ts'

const table: Record<FormName, readonly [text: string, ...rows: string[]]> = {
  AND_i: ['and d, n, #imm', '11110i00000snnnn0iiiddddiiiiiiii | modified'],
  EOR_i: ['eor d, n, #imm', '11110i00100snnnn0iiiddddiiiiiiii | modified'],
  ORR_i: ['orr d, n, #imm', '11110i00010snnnn0iiiddddiiiiiiii | modified'],
  ORN_i: ['orn d, n, #imm', '11110i00011snnnn0iiiddddiiiiiiii | modified'],
  BIC_i: ['bic d, n, #imm', '11110i00001snnnn0iiiddddiiiiiiii | modified'],
  ADD_i: [
    'add d, n, #imm',
    '0001110iiinnnddd | flags',
    '00110dddiiiiiiii | flags n=d',
    '10101dddiiiiiiii | n=sp *4',
    '101100000iiiiiii | d=sp n=sp *4',
    '11110i01000s11010iiiddddiiiiiiii | modified n=sp d+sp',
    '11110i01000snnnn0iiiddddiiiiiiii | modified',
    '11110i10000011010iiiddddiiiiiiii | n=sp d+sp',
    '11110i100000nnnn0iiiddddiiiiiiii',
  ],
  ADC_i: ['adc d, n, #imm', '11110i01010snnnn0iiiddddiiiiiiii | modified'],
  SBC_i: ['sbc d, n, #imm', '11110i01011snnnn0iiiddddiiiiiiii | modified'],
  SUB_i: [
    'sub d, n, #imm',
    '0001111iiinnnddd | flags',
    '00111dddiiiiiiii | flags n=d',
    '101100001iiiiiii | d=sp n=sp *4',
    '11110i01101s11010iiiddddiiiiiiii | modified n=sp d+sp',
    '11110i01101snnnn0iiiddddiiiiiiii | modified',
    '11110i10101011010iiiddddiiiiiiii | n=sp d+sp',
    '11110i101010nnnn0iiiddddiiiiiiii',
  ],
  RSB_i: ['rsb d, n, #imm', '0100001001nnnddd | flags zero', '11110i01110snnnn0iiiddddiiiiiiii | modified'],
  MOV_i: [
    'mov d, #imm',
    '00100dddiiiiiiii | flags',
    '11110i00010s11110iiiddddiiiiiiii | modified',
    '11110i100100jjjj0iiiddddiiiiiiii',
  ],
  MVN_i: ['mvn d, #imm', '11110i00011s11110iiiddddiiiiiiii | modified'],
  TST_i: ['tst n, #imm', '11110i000001nnnn0iii1111iiiiiiii | modified compare'],
  TEQ_i: ['teq n, #imm', '11110i001001nnnn0iii1111iiiiiiii | modified compare'],
  CMP_i: ['cmp n, #imm', '00101nnniiiiiiii | compare', '11110i011011nnnn0iii1111iiiiiiii | modified compare n+sp'],
  CMN_i: ['cmn n, #imm', '11110i010001nnnn0iii1111iiiiiiii | modified compare n+sp'],
  MOVT: ['movt d, #imm', '11110i101100jjjj0iiiddddiiiiiiii'],
  ADR: [
    'add d, pc, #imm',
    '10100dddiiiiiiii | *4',
    '11110i10000011110iiiddddiiiiiiii',
    '11110i10101011110iiiddddiiiiiiii | negative',
  ],

  AND_r: ['and d, n, m{shift}', '0100000000mmmddd | flags n=d swap', '11101010000snnnn0kkkddddkkttmmmm'],
  EOR_r: ['eor d, n, m{shift}', '0100000001mmmddd | flags n=d swap', '11101010100snnnn0kkkddddkkttmmmm'],
  ORR_r: ['orr d, n, m{shift}', '0100001100mmmddd | flags n=d swap', '11101010010snnnn0kkkddddkkttmmmm'],
  ORN_r: ['orn d, n, m{shift}', '11101010011snnnn0kkkddddkkttmmmm'],
  BIC_r: ['bic d, n, m{shift}', '0100001110mmmddd | flags n=d', '11101010001snnnn0kkkddddkkttmmmm'],
  ADD_r: [
    'add d, n, m{shift}',
    '0001100mmmnnnddd | flags',
    '01000100dmmmmddd | n=d swap',
    '11101011000s11010kkkddddkkttmmmm | n=sp d+sp spshift',
    '11101011000snnnn0kkkddddkkttmmmm',
  ],
  ADC_r: ['adc d, n, m{shift}', '0100000101mmmddd | flags n=d swap', '11101011010snnnn0kkkddddkkttmmmm'],
  SBC_r: ['sbc d, n, m{shift}', '0100000110mmmddd | flags n=d', '11101011011snnnn0kkkddddkkttmmmm'],
  SUB_r: [
    'sub d, n, m{shift}',
    '0001101mmmnnnddd | flags',
    '11101011101s11010kkkddddkkttmmmm | n=sp d+sp spshift',
    '11101011101snnnn0kkkddddkkttmmmm',
  ],
  RSB_r: ['rsb d, n, m{shift}', '11101011110snnnn0kkkddddkkttmmmm'],
  MVN_r: ['mvn d, m{shift}', '0100001111mmmddd | flags', '11101010011s11110kkkddddkkttmmmm'],
  TST_r: ['tst n, m{shift}', '0100001000mmmnnn | compare', '111010100001nnnn0kkk1111kkttmmmm | compare'],
  TEQ_r: ['teq n, m{shift}', '111010101001nnnn0kkk1111kkttmmmm | compare'],
  CMP_r: [
    'cmp n, m{shift}',
    '0100001010mmmnnn | compare',
    '01000101nmmmmnnn | compare n-pc m-pc',
    '111010111011nnnn0kkk1111kkttmmmm | compare n+sp',
  ],
  CMN_r: ['cmn n, m{shift}', '0100001011mmmnnn | compare', '111010110001nnnn0kkk1111kkttmmmm | compare n+sp'],
  MOV_r: [
    'mov d, m',
    '0000000000mmmddd | sets',
    '01000110dmmmmddd',
    '11101010010011110000dddd0000mmmm | d+sp',
    '11101010010011110000dddd0000mmmm | m+sp',
    '11101010010111110000dddd0000mmmm | S',
  ],
  LSL_i: ['lsl d, m, #imm', '00000iiiiimmmddd | flags from1', '11101010010s11110iiiddddii00mmmm | from1'],
  LSR_i: ['lsr d, m, #imm', '00001iiiiimmmddd | flags upto32', '11101010010s11110iiiddddii01mmmm | upto32'],
  ASR_i: ['asr d, m, #imm', '00010iiiiimmmddd | flags upto32', '11101010010s11110iiiddddii10mmmm | upto32'],
  ROR_i: ['ror d, m, #imm', '11101010010s11110iiiddddii11mmmm | from1'],
  RRX: ['rrx d, m', '11101010010s11110000dddd0011mmmm'],
  LSL_r: ['lsl d, n, m', '0100000010mmmddd | flags n=d', '11111010000snnnn1111dddd0000mmmm'],
  LSR_r: ['lsr d, n, m', '0100000011mmmddd | flags n=d', '11111010001snnnn1111dddd0000mmmm'],
  ASR_r: ['asr d, n, m', '0100000100mmmddd | flags n=d', '11111010010snnnn1111dddd0000mmmm'],
  ROR_r: ['ror d, n, m', '0100000111mmmddd | flags n=d', '11111010011snnnn1111dddd0000mmmm'],
  PKHBT: ['pkhbt d, n, m{packed}', '111010101100nnnn0kkkddddkk00mmmm'],
  PKHTB: ['pkhtb d, n, m{packed}', '111010101100nnnn0kkkddddkk10mmmm | packed'],

  SXTB: ['sxtb d, m{rotation}', '1011001001mmmddd', '11111010010011111111dddd10kkmmmm | rotation'],
  SXTH: ['sxth d, m{rotation}', '1011001000mmmddd', '11111010000011111111dddd10kkmmmm | rotation'],
  UXTB: ['uxtb d, m{rotation}', '1011001011mmmddd', '11111010010111111111dddd10kkmmmm | rotation'],
  UXTH: ['uxth d, m{rotation}', '1011001010mmmddd', '11111010000111111111dddd10kkmmmm | rotation'],
  SXTB16: ['sxtb16 d, m{rotation}', '11111010001011111111dddd10kkmmmm | rotation'],
  UXTB16: ['uxtb16 d, m{rotation}', '11111010001111111111dddd10kkmmmm | rotation'],
  SXTAB: ['sxtab d, n, m{rotation}', '111110100100nnnn1111dddd10kkmmmm | rotation'],
  SXTAH: ['sxtah d, n, m{rotation}', '111110100000nnnn1111dddd10kkmmmm | rotation'],
  UXTAB: ['uxtab d, n, m{rotation}', '111110100101nnnn1111dddd10kkmmmm | rotation'],
  UXTAH: ['uxtah d, n, m{rotation}', '111110100001nnnn1111dddd10kkmmmm | rotation'],
  SXTAB16: ['sxtab16 d, n, m{rotation}', '111110100010nnnn1111dddd10kkmmmm | rotation'],
  UXTAB16: ['uxtab16 d, n, m{rotation}', '111110100011nnnn1111dddd10kkmmmm | rotation'],

  BFI: ['bfi d, n, #imm, #amount', '111100110110nnnn0iiiddddii0kkkkk | msb'],
  BFC: ['bfc d, #imm, #amount', '11110011011011110iiiddddii0kkkkk | msb'],
  UBFX: ['ubfx d, n, #imm, #amount', '111100111100nnnn0iiiddddii0kkkkk | width'],
  SBFX: ['sbfx d, n, #imm, #amount', '111100110100nnnn0iiiddddii0kkkkk | width'],
  SSAT: ['ssat d, #imm, n{shift}', '1111001100t0nnnn0kkkddddkk0iiiii | saturate plus1'],
  USAT: ['usat d, #imm, n{shift}', '1111001110t0nnnn0kkkddddkk0iiiii | saturate'],
  SSAT16: ['ssat16 d, #imm, n', '111100110010nnnn0000dddd0000iiii | plus1'],
  USAT16: ['usat16 d, #imm, n', '111100111010nnnn0000dddd0000iiii'],
  CLZ: ['clz d, m', '111110101011oooo1111dddd1000mmmm'],
  RBIT: ['rbit d, m', '111110101001oooo1111dddd1010mmmm'],
  REV: ['rev d, m', '1011101000mmmddd', '111110101001oooo1111dddd1000mmmm'],
  REV16: ['rev16 d, m', '1011101001mmmddd', '111110101001oooo1111dddd1001mmmm'],
  REVSH: ['revsh d, m', '1011101011mmmddd', '111110101001oooo1111dddd1011mmmm'],

  MUL: ['mul d, n, m', '0100001101nnnddd | flags m=d swap', '111110110000nnnn1111dddd0000mmmm'],
  MLA: ['mla d, n, m, a', '111110110000nnnnaaaadddd0000mmmm'],
  MLS: ['mls d, n, m, a', '111110110000nnnnaaaadddd0001mmmm'],
  UMULL: ['umull d, a, n, m', '111110111010nnnnddddaaaa0000mmmm | d!a'],
  SMULL: ['smull d, a, n, m', '111110111000nnnnddddaaaa0000mmmm | d!a'],
  UMLAL: ['umlal d, a, n, m', '111110111110nnnnddddaaaa0000mmmm | d!a'],
  SMLAL: ['smlal d, a, n, m', '111110111100nnnnddddaaaa0000mmmm | d!a'],
  UMAAL: ['umaal d, a, n, m', '111110111110nnnnddddaaaa0110mmmm | d!a'],
  UDIV: ['udiv d, n, m', '111110111011nnnn1111dddd1111mmmm'],
  SDIV: ['sdiv d, n, m', '111110111001nnnn1111dddd1111mmmm'],
  SMULBB: ['smulbb d, n, m', '111110110001nnnn1111dddd0000mmmm'],
  SMULBT: ['smulbt d, n, m', '111110110001nnnn1111dddd0001mmmm'],
  SMULTB: ['smultb d, n, m', '111110110001nnnn1111dddd0010mmmm'],
  SMULTT: ['smultt d, n, m', '111110110001nnnn1111dddd0011mmmm'],
  SMULWB: ['smulwb d, n, m', '111110110011nnnn1111dddd0000mmmm'],
  SMULWT: ['smulwt d, n, m', '111110110011nnnn1111dddd0001mmmm'],
  SMLABB: ['smlabb d, n, m, a', '111110110001nnnnaaaadddd0000mmmm'],
  SMLABT: ['smlabt d, n, m, a', '111110110001nnnnaaaadddd0001mmmm'],
  SMLATB: ['smlatb d, n, m, a', '111110110001nnnnaaaadddd0010mmmm'],
  SMLATT: ['smlatt d, n, m, a', '111110110001nnnnaaaadddd0011mmmm'],
  SMLAWB: ['smlawb d, n, m, a', '111110110011nnnnaaaadddd0000mmmm'],
  SMLAWT: ['smlawt d, n, m, a', '111110110011nnnnaaaadddd0001mmmm'],
  SMLALBB: ['smlalbb d, a, n, m', '111110111100nnnnddddaaaa1000mmmm | d!a'],
  SMLALBT: ['smlalbt d, a, n, m', '111110111100nnnnddddaaaa1001mmmm | d!a'],
  SMLALTB: ['smlaltb d, a, n, m', '111110111100nnnnddddaaaa1010mmmm | d!a'],
  SMLALTT: ['smlaltt d, a, n, m', '111110111100nnnnddddaaaa1011mmmm | d!a'],
  SMMUL: ['smmul d, n, m', '111110110101nnnn1111dddd0000mmmm'],
  SMMULR: ['smmulr d, n, m', '111110110101nnnn1111dddd0001mmmm'],
  SMMLA: ['smmla d, n, m, a', '111110110101nnnnaaaadddd0000mmmm'],
  SMMLAR: ['smmlar d, n, m, a', '111110110101nnnnaaaadddd0001mmmm'],
  SMMLS: ['smmls d, n, m, a', '111110110110nnnnaaaadddd0000mmmm'],
  SMMLSR: ['smmlsr d, n, m, a', '111110110110nnnnaaaadddd0001mmmm'],
  SMUAD: ['smuad d, n, m', '111110110010nnnn1111dddd0000mmmm'],
  SMUADX: ['smuadx d, n, m', '111110110010nnnn1111dddd0001mmmm'],
  SMUSD: ['smusd d, n, m', '111110110100nnnn1111dddd0000mmmm'],
  SMUSDX: ['smusdx d, n, m', '111110110100nnnn1111dddd0001mmmm'],
  SMLAD: ['smlad d, n, m, a', '111110110010nnnnaaaadddd0000mmmm'],
  SMLADX: ['smladx d, n, m, a', '111110110010nnnnaaaadddd0001mmmm'],
  SMLSD: ['smlsd d, n, m, a', '111110110100nnnnaaaadddd0000mmmm'],
  SMLSDX: ['smlsdx d, n, m, a', '111110110100nnnnaaaadddd0001mmmm'],
  SMLALD: ['smlald d, a, n, m', '111110111100nnnnddddaaaa1100mmmm | d!a'],
  SMLALDX: ['smlaldx d, a, n, m', '111110111100nnnnddddaaaa1101mmmm | d!a'],
  SMLSLD: ['smlsld d, a, n, m', '111110111101nnnnddddaaaa1100mmmm | d!a'],
  SMLSLDX: ['smlsldx d, a, n, m', '111110111101nnnnddddaaaa1101mmmm | d!a'],
  USAD8: ['usad8 d, n, m', '111110110111nnnn1111dddd0000mmmm'],
  USADA8: ['usada8 d, n, m, a', '111110110111nnnnaaaadddd0000mmmm'],
  SEL: ['sel d, n, m', '111110101010nnnn1111dddd1000mmmm'],
  QADD: ['qadd d, m, n', '111110101000nnnn1111dddd1000mmmm'],
  QSUB: ['qsub d, m, n', '111110101000nnnn1111dddd1010mmmm'],
  QDADD: ['qdadd d, m, n', '111110101000nnnn1111dddd1001mmmm'],
  QDSUB: ['qdsub d, m, n', '111110101000nnnn1111dddd1011mmmm'],

  SADD8: ['sadd8 d, n, m', '111110101000nnnn1111dddd0000mmmm'],
  SADD16: ['sadd16 d, n, m', '111110101001nnnn1111dddd0000mmmm'],
  SASX: ['sasx d, n, m', '111110101010nnnn1111dddd0000mmmm'],
  SSAX: ['ssax d, n, m', '111110101110nnnn1111dddd0000mmmm'],
  SSUB8: ['ssub8 d, n, m', '111110101100nnnn1111dddd0000mmmm'],
  SSUB16: ['ssub16 d, n, m', '111110101101nnnn1111dddd0000mmmm'],
  QADD8: ['qadd8 d, n, m', '111110101000nnnn1111dddd0001mmmm'],
  QADD16: ['qadd16 d, n, m', '111110101001nnnn1111dddd0001mmmm'],
  QASX: ['qasx d, n, m', '111110101010nnnn1111dddd0001mmmm'],
  QSAX: ['qsax d, n, m', '111110101110nnnn1111dddd0001mmmm'],
  QSUB8: ['qsub8 d, n, m', '111110101100nnnn1111dddd0001mmmm'],
  QSUB16: ['qsub16 d, n, m', '111110101101nnnn1111dddd0001mmmm'],
  SHADD8: ['shadd8 d, n, m', '111110101000nnnn1111dddd0010mmmm'],
  SHADD16: ['shadd16 d, n, m', '111110101001nnnn1111dddd0010mmmm'],
  SHASX: ['shasx d, n, m', '111110101010nnnn1111dddd0010mmmm'],
  SHSAX: ['shsax d, n, m', '111110101110nnnn1111dddd0010mmmm'],
  SHSUB8: ['shsub8 d, n, m', '111110101100nnnn1111dddd0010mmmm'],
  SHSUB16: ['shsub16 d, n, m', '111110101101nnnn1111dddd0010mmmm'],
  UADD8: ['uadd8 d, n, m', '111110101000nnnn1111dddd0100mmmm'],
  UADD16: ['uadd16 d, n, m', '111110101001nnnn1111dddd0100mmmm'],
  UASX: ['uasx d, n, m', '111110101010nnnn1111dddd0100mmmm'],
  USAX: ['usax d, n, m', '111110101110nnnn1111dddd0100mmmm'],
  USUB8: ['usub8 d, n, m', '111110101100nnnn1111dddd0100mmmm'],
  USUB16: ['usub16 d, n, m', '111110101101nnnn1111dddd0100mmmm'],
  UQADD8: ['uqadd8 d, n, m', '111110101000nnnn1111dddd0101mmmm'],
  UQADD16: ['uqadd16 d, n, m', '111110101001nnnn1111dddd0101mmmm'],
  UQASX: ['uqasx d, n, m', '111110101010nnnn1111dddd0101mmmm'],
  UQSAX: ['uqsax d, n, m', '111110101110nnnn1111dddd0101mmmm'],
  UQSUB8: ['uqsub8 d, n, m', '111110101100nnnn1111dddd0101mmmm'],
  UQSUB16: ['uqsub16 d, n, m', '111110101101nnnn1111dddd0101mmmm'],
  UHADD8: ['uhadd8 d, n, m', '111110101000nnnn1111dddd0110mmmm'],
  UHADD16: ['uhadd16 d, n, m', '111110101001nnnn1111dddd0110mmmm'],
  UHASX: ['uhasx d, n, m', '111110101010nnnn1111dddd0110mmmm'],
  UHSAX: ['uhsax d, n, m', '111110101110nnnn1111dddd0110mmmm'],
  UHSUB8: ['uhsub8 d, n, m', '111110101100nnnn1111dddd0110mmmm'],
  UHSUB16: ['uhsub16 d, n, m', '111110101101nnnn1111dddd0110mmmm'],

  LDR_i: [
    'ldr d, {address}',
    '01101iiiiinnnddd | *4',
    '10011dddiiiiiiii | n=sp *4',
    '111110001101nnnnddddiiiiiiiiiiii | n+sp d+sp d+pc',
    '111110000101nnnndddd1100iiiiiiii | n+sp d+sp d+pc negative',
    '111110000101nnnndddd11u1iiiiiiii | n+sp d+sp d+pc pre d!n',
    '111110000101nnnndddd10u1iiiiiiii | n+sp d+sp d+pc post d!n',
  ],
  LDRB_i: [
    'ldrb d, {address}',
    '01111iiiiinnnddd',
    '111110001001nnnnddddiiiiiiiiiiii | n+sp',
    '111110000001nnnndddd1100iiiiiiii | n+sp negative',
    '111110000001nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110000001nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  LDRH_i: [
    'ldrh d, {address}',
    '10001iiiiinnnddd | *2',
    '111110001011nnnnddddiiiiiiiiiiii | n+sp',
    '111110000011nnnndddd1100iiiiiiii | n+sp negative',
    '111110000011nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110000011nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  LDRSB_i: [
    'ldrsb d, {address}',
    '111110011001nnnnddddiiiiiiiiiiii | n+sp',
    '111110010001nnnndddd1100iiiiiiii | n+sp negative',
    '111110010001nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110010001nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  LDRSH_i: [
    'ldrsh d, {address}',
    '111110011011nnnnddddiiiiiiiiiiii | n+sp',
    '111110010011nnnndddd1100iiiiiiii | n+sp negative',
    '111110010011nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110010011nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  LDR_r: ['ldr d, {indexed}', '0101100mmmnnnddd', '111110000101nnnndddd000000kkmmmm | n+sp d+sp d+pc'],
  LDRB_r: ['ldrb d, {indexed}', '0101110mmmnnnddd', '111110000001nnnndddd000000kkmmmm | n+sp'],
  LDRH_r: ['ldrh d, {indexed}', '0101101mmmnnnddd', '111110000011nnnndddd000000kkmmmm | n+sp'],
  LDRSB_r: ['ldrsb d, {indexed}', '0101011mmmnnnddd', '111110010001nnnndddd000000kkmmmm | n+sp'],
  LDRSH_r: ['ldrsh d, {indexed}', '0101111mmmnnnddd', '111110010011nnnndddd000000kkmmmm | n+sp'],
  LDR_l: ['ldr d, [pc, #imm]', '01001dddiiiiiiii | *4', '11111000u1011111ddddiiiiiiiiiiii | d+sp d+pc'],
  LDRB_l: ['ldrb d, [pc, #imm]', '11111000u0011111ddddiiiiiiiiiiii'],
  LDRH_l: ['ldrh d, [pc, #imm]', '11111000u0111111ddddiiiiiiiiiiii'],
  LDRSB_l: ['ldrsb d, [pc, #imm]', '11111001u0011111ddddiiiiiiiiiiii'],
  LDRSH_l: ['ldrsh d, [pc, #imm]', '11111001u0111111ddddiiiiiiiiiiii'],
  LDRD_l: ['ldrd d, a, [pc, #imm]', '11101001u1011111ddddaaaaiiiiiiii | *4 d!a'],
  STR_i: [
    'str d, {address}',
    '01100iiiiinnnddd | *4',
    '10010dddiiiiiiii | n=sp *4',
    '111110001100nnnnddddiiiiiiiiiiii | n+sp d+sp',
    '111110000100nnnndddd1100iiiiiiii | n+sp d+sp negative',
    '111110000100nnnndddd11u1iiiiiiii | n+sp d+sp pre d!n',
    '111110000100nnnndddd10u1iiiiiiii | n+sp d+sp post d!n',
  ],
  STRB_i: [
    'strb d, {address}',
    '01110iiiiinnnddd',
    '111110001000nnnnddddiiiiiiiiiiii | n+sp',
    '111110000000nnnndddd1100iiiiiiii | n+sp negative',
    '111110000000nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110000000nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  STRH_i: [
    'strh d, {address}',
    '10000iiiiinnnddd | *2',
    '111110001010nnnnddddiiiiiiiiiiii | n+sp',
    '111110000010nnnndddd1100iiiiiiii | n+sp negative',
    '111110000010nnnndddd11u1iiiiiiii | n+sp pre d!n',
    '111110000010nnnndddd10u1iiiiiiii | n+sp post d!n',
  ],
  STR_r: ['str d, {indexed}', '0101000mmmnnnddd', '111110000100nnnndddd000000kkmmmm | n+sp d+sp'],
  STRB_r: ['strb d, {indexed}', '0101010mmmnnnddd', '111110000000nnnndddd000000kkmmmm | n+sp'],
  STRH_r: ['strh d, {indexed}', '0101001mmmnnnddd', '111110000010nnnndddd000000kkmmmm | n+sp'],
  LDRD_i: [
    'ldrd d, a, {address}',
    '11101001u101nnnnddddaaaaiiiiiiii | n+sp *4 d!a',
    '11101001u111nnnnddddaaaaiiiiiiii | n+sp *4 pre d!a d!n a!n',
    '11101000u111nnnnddddaaaaiiiiiiii | n+sp *4 post d!a d!n a!n',
  ],
  STRD_i: [
    'strd d, a, {address}',
    '11101001u100nnnnddddaaaaiiiiiiii | n+sp *4',
    '11101001u110nnnnddddaaaaiiiiiiii | n+sp *4 pre d!n a!n',
    '11101000u110nnnnddddaaaaiiiiiiii | n+sp *4 post d!n a!n',
  ],
  LDRT: ['ldrt d, {address}', '111110000101nnnndddd1110iiiiiiii | n+sp'],
  LDRBT: ['ldrbt d, {address}', '111110000001nnnndddd1110iiiiiiii | n+sp'],
  LDRHT: ['ldrht d, {address}', '111110000011nnnndddd1110iiiiiiii | n+sp'],
  LDRSBT: ['ldrsbt d, {address}', '111110010001nnnndddd1110iiiiiiii | n+sp'],
  LDRSHT: ['ldrsht d, {address}', '111110010011nnnndddd1110iiiiiiii | n+sp'],
  STRT: ['strt d, {address}', '111110000100nnnndddd1110iiiiiiii | n+sp'],
  STRBT: ['strbt d, {address}', '111110000000nnnndddd1110iiiiiiii | n+sp'],
  STRHT: ['strht d, {address}', '111110000010nnnndddd1110iiiiiiii | n+sp'],
  LDM: [
    'ldm {base}, {list}',
    '1011110piiiiiiii | n=sp pre list',
    '11001nnniiiiiiii | popped list',
    '1110100010w1nnnnpl0iiiiiiiiiiiii | n+sp list',
  ],
  LDMDB: ['ldmdb {base}, {list}', '1110100100w1nnnnpl0iiiiiiiiiiiii | n+sp list'],
  STM: ['stm {base}, {list}', '11000nnniiiiiiii | pre list', '1110100010w0nnnn0l0iiiiiiiiiiiii | n+sp list'],
  STMDB: ['stmdb {base}, {list}', '1011010liiiiiiii | n=sp pre list', '1110100100w0nnnn0l0iiiiiiiiiiiii | n+sp list'],
  LDREX: ['ldrex d, {address}', '111010000101nnnndddd1111iiiiiiii | n+sp *4'],
  LDREXB: ['ldrexb d, [n]', '111010001101nnnndddd111101001111 | n+sp'],
  LDREXH: ['ldrexh d, [n]', '111010001101nnnndddd111101011111 | n+sp'],
  STREX: ['strex a, d, {address}', '111010000100nnnnddddaaaaiiiiiiii | n+sp *4 d!a a!n'],
  STREXB: ['strexb a, d, [n]', '111010001100nnnndddd11110100aaaa | n+sp d!a a!n'],
  STREXH: ['strexh a, d, [n]', '111010001100nnnndddd11110101aaaa | n+sp d!a a!n'],
  CLREX: ['clrex', '11110011101111111000111100101111'],
  PLD_i: [
    'pld {address}',
    '111110001001nnnn1111iiiiiiiiiiii | n+sp',
    '111110000001nnnn11111100iiiiiiii | n+sp negative',
  ],
  PLD_r: ['pld {indexed}', '111110000001nnnn1111000000kkmmmm | n+sp'],
  PLD_l: ['pld [pc, #imm]', '11111000u00111111111iiiiiiiiiiii'],
  PLI_i: [
    'pli {address}',
    '111110011001nnnn1111iiiiiiiiiiii | n+sp',
    '111110010001nnnn11111100iiiiiiii | n+sp negative',
  ],
  PLI_r: ['pli {indexed}', '111110010001nnnn1111000000kkmmmm | n+sp'],
  PLI_l: ['pli [pc, #imm]', '11111001u00111111111iiiiiiiiiiii'],

  B: [
    'b {label}',
    '1101cccciiiiiiii | branch outside',
    '11100iiiiiiiiiii | branch',
    '11110xccccjjjjjj10y0ziiiiiiiiiii | branch outside',
    '11110xjjjjjjjjjj10z1yiiiiiiiiiii | far',
  ],
  BL: ['bl {label}', '11110xjjjjjjjjjj11z1yiiiiiiiiiii | far'],
  BX: ['bx m', '010001110mmmm000'],
  BLX_r: ['blx m', '010001111mmmm000 | m-pc'],
  CBZ: ['cbz n, {label}', '101100i1iiiiinnn | *2 outside'],
  CBNZ: ['cbnz n, {label}', '101110i1iiiiinnn | *2 outside'],
  TBB: ['tbb [n, m]', '111010001101nnnn111100000000mmmm | n+pc'],
  TBH: ['tbh [n, m, lsl #1]', '111010001101nnnn111100000001mmmm | n+pc'],
  IT: ['it {it}', '10111111cccciiii | it outside'],

  SVC: ['svc #imm', '11011111iiiiiiii'],
  BKPT: ['bkpt #imm', '10111110iiiiiiii'],
  UDF: ['udf #imm', '11011110iiiiiiii', '111101111111jjjj1010iiiiiiiiiiii'],
  NOP: ['nop{hint}', '10111111iiii0000', '111100111010111110000000iiiiiiii'],
  YIELD: ['yield', '1011111100010000', '11110011101011111000000000000001'],
  WFE: ['wfe', '1011111100100000', '11110011101011111000000000000010'],
  WFI: ['wfi', '1011111100110000', '11110011101011111000000000000011'],
  SEV: ['sev', '1011111101000000', '11110011101011111000000000000100'],
  DBG: ['dbg #imm', '1111001110101111100000001111iiii'],
  DMB: ['dmb {option}', '1111001110111111100011110101iiii'],
  DSB: ['dsb {option}', '1111001110111111100011110100iiii'],
  ISB: ['isb {option}', '1111001110111111100011110110iiii'],
  MRS: ['mrs d, {system}', '11110011111011111000ddddiiiiiiii | system'],
  MSR: ['msr {system}, n', '111100111000nnnn1000kk00iiiiiiii | system'],
  CPSIE: ['cpsie {effect}', '10110110011000ii | from1 outside'],
  CPSID: ['cpsid {effect}', '10110110011100ii | from1 outside'],
}

/** When an encoding sets flags: never, by its s bit, always (comparisons), outside IT blocks, always but only outside. */
export const RowFlags = { KEEP: 0, BIT: 1, COMPARE: 2, OUTSIDE: 3, SET: 4, SET_OUTSIDE: 5 } as const
/** How the bits of imm make its value. */
export const ImmKind = {
  NONE: 0,
  PLAIN: 1,
  SIGNED: 2,
  NEGATIVE: 3,
  MODIFIED: 4,
  BRANCH: 5,
  FAR: 6,
  UPTO32: 7,
  LIST: 8,
  IT: 9,
  SYSTEM: 10,
} as const
/** How the bits of amount (and of shift) make their value. */
export const AmountKind = { NONE: 0, PLAIN: 1, SHIFTED: 2, WIDTH: 3, MSB: 4, PACKED: 5, SATURATE: 6 } as const
/** Equalities and other conditions between fields: bits of `Row.rules`. */
export const Rule = {
  N_IS_D: 1,
  M_IS_D: 2,
  SWAP: 4,
  D_NOT_N: 8,
  D_NOT_A: 16,
  A_NOT_N: 32,
  OUTSIDE: 64,
  SP_SHIFT: 128,
  POPPED: 256,
  CONDITION: 512,
  M_TWICE: 1024,
} as const

/** Field slots of a pattern. MCOPY repeats M. */
export const Slot = {
  D: 0,
  N: 1,
  M: 2,
  A: 3,
  IMM: 4,
  AMOUNT: 5,
  SHIFT: 6,
  COND: 7,
  S: 8,
  U: 9,
  W: 10,
  MCOPY: 11,
  COUNT: 12,
} as const

/** Where a register field's value comes from: absent, the pattern; else the register's number. */
export const ABSENT = -1
export const FROM_PATTERN = -2

/** One encoding, compiled. */
export class Row {
  readonly form: number
  /** Pattern as in the table. */
  readonly pattern: string
  /** Bytes, 2 or 4. */
  readonly size: number
  /** Fixed bits and their values. Of a 32-bit encoding the first halfword is the upper one. */
  mask = 0
  match = 0
  /** Registers that each field allows, bit r for register r; all 32 bits if the field is absent. */
  readonly sets = [-1, -1, -1, -1]
  /** Each register field: ABSENT, FROM_PATTERN or a number. */
  readonly registers = [ABSENT, ABSENT, ABSENT, ABSENT]
  flags = 0
  immKind = 0
  /** Bits of imm that the pattern holds, before scaling. */
  immMask = 0
  /** log2 of imm's unit. */
  immScale = 0
  /** Least value of imm's bits. */
  immFrom = 0
  /** imm is its bits plus this. */
  immBias = 0
  amountKind = 0
  amountMask = 0
  amountScale = 0
  /** Index mode; -1 if the w bit says it. */
  index = 0
  rules = 0
  /** Pieces of the pattern: [start, end) in the four arrays below. */
  readonly start: number
  end = 0
  constructor(form: number, pattern: string, start: number) {
    this.form = form
    this.pattern = pattern
    this.size = pattern.length >> 3
    this.start = start
  }
}

/** A piece: bits `pieceMask << pieceFrom` of the slot's value lie at `pieceTo` of the encoding. */
export const pieceSlot: number[] = []
export const pieceFrom: number[] = []
export const pieceMask: number[] = []
export const pieceTo: number[] = []

const slotOfLetter: Record<string, number> = {
  d: Slot.D,
  n: Slot.N,
  m: Slot.M,
  a: Slot.A,
  k: Slot.AMOUNT,
  t: Slot.SHIFT,
  c: Slot.COND,
  s: Slot.S,
  u: Slot.U,
  w: Slot.W,
  o: Slot.MCOPY,
  i: Slot.IMM,
  j: Slot.IMM,
  y: Slot.IMM,
  z: Slot.IMM,
  x: Slot.IMM,
  l: Slot.IMM,
  p: Slot.IMM,
}
const registerSlot: Record<string, number> = { d: 0, n: 1, m: 2, a: 3 }
const registerNumber: Record<string, number> = { sp: 13, pc: 15 }
const immLetters = ['i', 'j', 'y', 'z', 'x'] as const

/** Registers that a field of 3 bits, of 4 bits in a 16-bit encoding, and of 4 bits in a 32-bit one takes by default. */
const LOW_REGISTERS = 0x00ff
const ALL_REGISTERS = 0xffff
const PLAIN_REGISTERS = 0x5fff

function count(text: string, letter: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) if (text[i] === letter) sum++
  return sum
}

function compilePattern(row: Row): void {
  const { pattern } = row
  const width = pattern.length
  const next: Record<string, number> = { l: 14, p: 15 }
  let position = 0
  for (const letter of immLetters) {
    if (!pattern.includes(letter)) continue
    next[letter] = position
    position += count(pattern, letter)
  }
  for (let bit = 0; bit < width;) {
    const letter = pattern[width - 1 - bit]!
    let end = bit + 1
    while (end < width && pattern[width - 1 - end] === letter) end++
    const ones = 2 ** (end - bit) - 1
    if (letter === '0' || letter === '1') {
      row.mask |= ones << bit
      if (letter === '1') row.match |= ones << bit
    } else {
      const slot = slotOfLetter[letter]!
      const from = next[letter] ?? 0
      next[letter] = from + end - bit
      pieceSlot.push(slot)
      pieceFrom.push(from)
      pieceMask.push(ones)
      pieceTo.push(bit)
      if (slot < 4) row.registers[slot] = FROM_PATTERN
      else if (slot === Slot.IMM) row.immMask |= ones << from
      else if (slot === Slot.AMOUNT) row.amountMask |= ones << from
    }
    bit = end
  }
  row.end = pieceSlot.length
  for (const letter of 'dnma') {
    const slot = registerSlot[letter]!
    if (row.registers[slot] !== FROM_PATTERN) continue
    row.sets[slot] = next[letter] === 3 ? LOW_REGISTERS : row.size === 2 ? ALL_REGISTERS : PLAIN_REGISTERS
  }
  if (row.immMask !== 0) row.immKind = next['u'] === undefined ? ImmKind.PLAIN : ImmKind.SIGNED
  if (row.amountMask !== 0) row.amountKind = next['t'] === undefined ? AmountKind.PLAIN : AmountKind.SHIFTED
  if (next['s'] !== undefined) row.flags = RowFlags.BIT
  if (next['w'] !== undefined) row.index = -1
  if (next['c'] !== undefined) row.rules |= Rule.CONDITION
  if (next['o'] !== undefined) row.rules |= Rule.M_TWICE
}

function constrain(row: Row, word: string): void {
  const slot = registerSlot[word[0]!]
  if (word.length > 2 && slot !== undefined) {
    const rest = word.slice(2)
    const register = registerNumber[rest]
    switch (word[1]) {
      case '+':
        row.sets[slot]! |= 1 << register!
        return
      case '-':
        row.sets[slot]! &= ~(1 << register!)
        return
      case '=':
        if (register === undefined) row.rules |= word[0] === 'n' ? Rule.N_IS_D : Rule.M_IS_D
        else {
          row.registers[slot] = register
          row.sets[slot] = 1 << register
        }
        return
      case '!':
        row.rules |= word === 'd!n' ? Rule.D_NOT_N : word === 'd!a' ? Rule.D_NOT_A : Rule.A_NOT_N
        return
    }
  }
  const effect = effects[word]
  if (effect === undefined) throw new Error(`encodings: ${word}`)
  effect(row)
}

const effects: Record<string, (row: Row) => void> = {
  flags: (row) => (row.flags = RowFlags.OUTSIDE),
  compare: (row) => (row.flags = RowFlags.COMPARE),
  sets: (row) => (row.flags = RowFlags.SET_OUTSIDE),
  S: (row) => (row.flags = RowFlags.SET),
  outside: (row) => (row.rules |= Rule.OUTSIDE),
  swap: (row) => (row.rules |= Rule.SWAP),
  spshift: (row) => (row.rules |= Rule.SP_SHIFT),
  pre: (row) => (row.index = 1),
  post: (row) => (row.index = 2),
  popped: (row) => {
    row.rules |= Rule.POPPED
    row.index = -1
  },
  '*2': (row) => (row.immScale = 1),
  '*4': (row) => (row.immScale = 2),
  zero: (row) => (row.immKind = ImmKind.PLAIN),
  modified: (row) => (row.immKind = ImmKind.MODIFIED),
  negative: (row) => (row.immKind = ImmKind.NEGATIVE),
  branch: (row) => (row.immKind = ImmKind.BRANCH),
  far: (row) => (row.immKind = ImmKind.FAR),
  upto32: (row) => (row.immKind = ImmKind.UPTO32),
  list: (row) => (row.immKind = ImmKind.LIST),
  it: (row) => (row.immKind = ImmKind.IT),
  system: (row) => (row.immKind = ImmKind.SYSTEM),
  from1: (row) => (row.immFrom = 1),
  plus1: (row) => (row.immBias = 1),
  rotation: (row) => (row.amountScale = 3),
  width: (row) => (row.amountKind = AmountKind.WIDTH),
  msb: (row) => (row.amountKind = AmountKind.MSB),
  packed: (row) => (row.amountKind = AmountKind.PACKED),
  saturate: (row) => (row.amountKind = AmountKind.SATURATE),
}

/** By form, once they were asked for. */
const compiled: (readonly Row[] | undefined)[] = formNames.map(() => undefined)

function compileForm(form: number): readonly Row[] {
  const [, ...encodings] = table[formNames[form]!]
  const own = encodings.map((encoding) => {
    const bar = encoding.indexOf(' | ')
    const row = new Row(form, bar < 0 ? encoding : encoding.slice(0, bar), pieceSlot.length)
    compilePattern(row)
    if (bar >= 0) for (const word of encoding.slice(bar + 3).split(' ')) constrain(row, word)
    return row
  })
  compiled[form] = own
  return own
}

/** Encodings of a form, 16-bit ones first. Compiled when first asked for: programs use few forms. */
export const rowsOf = (form: number): readonly Row[] => compiled[form] ?? compileForm(form)

let all: readonly Row[] | undefined

/** All encodings in the table's order. */
export const allRows = (): readonly Row[] => (all ??= formNames.flatMap((_, form) => rowsOf(form)))

/** Text of a form in UAL, as in the table; read by print.ts. */
export const textOf = (form: number): string => table[formNames[form]!][0]
