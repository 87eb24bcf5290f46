// The bytes of runtime/debug-stub.S, as they run at any address. Written by tools/build-runtime.mjs: do not edit.

export const STUB_BASE64 =
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADv' +
  '8xCCcrav8lgAwmLv8xSCAmLv8wiCQmLv8wmCgmIuSQpowmECaApgv/NPj4JogvMJiAIigvMUiL/zb49CaILzCIgA8BW4r/KYACNJwmkKYL/z' +
  'T49CaoLzCIiCaoLzCYgCaoLzFIi/82+PwmqC8xCI/r6v8sQAwWgJsUlowWQXSQpoAmMKYEpoQmNKYMpogmMKacJj7/MJggJkwPhE4P2+r/L0' +
  'AAFsgfMJiG/wAg5wR1/4+BCv8ggQSWiBZEFpAGlf+PzwX/gMEW/wAAKKYEpgASIKYP/3zL8I7QDgKO0A4A=='

/** Bytes from the beginning to each function; bit 0, the Thumb state, is clear. */
export const STUB_OFFSETS = {
  data: 0,
  setup: 80,
  restore: 150,
  stop: 192,
  handler: 194,
  caught: 238,
  leave: 240,
  start: 256,
  count: 276,
} as const
