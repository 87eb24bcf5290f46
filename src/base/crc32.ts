// CRC-32 as Ethernet, zip and PNG have it (IEEE 802.3): polynomial 0x04c11db7, bits reflected, begun and ended with all ones.

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0)
  return value
})

/** CRC-32 of `bytes`; of "123456789" it is 0xcbf43926. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
