// Writes the contexts that the examples are run with, inputs/*.bin: `node examples/inputs.mjs`.
import { mkdirSync, writeFileSync } from 'node:fs'

const folder = new URL('inputs/', import.meta.url)
mkdirSync(folder, { recursive: true })

function write(name, bytes) {
  writeFileSync(new URL(`${name}.bin`, folder), bytes)
}

function bytesOf(size, fill) {
  const bytes = new Uint8Array(size)
  fill(new DataView(bytes.buffer))
  return bytes
}

// A text of 360 bytes.
write('fletcher32', new TextEncoder().encode('Small programs for small machines. '.repeat(11).slice(0, 360)))

// A node with seven samples about 24.5 degrees and a hot eighth one; alarm at 25.00, cleared at 23.50.
write(
  'alarm',
  bytesOf(32, (view) => {
    const ring = [2410, 2425, 2440, 2455, 2470, 2485, 2500]
    view.setInt16(0, 2990, true)
    view.setInt16(2, 2500, true)
    view.setInt16(4, 2350, true)
    view.setUint8(6, ring.length)
    view.setUint8(7, ring.length)
    view.setInt32(
      8,
      ring.reduce((sum, sample) => sum + sample, 0),
      true,
    )
    ring.forEach((sample, index) => view.setInt16(16 + 2 * index, sample, true))
  }),
)

// Ethernet, IPv4, UDP to port 5683, and in it a CoAP GET, message 0x1234, with a token of two bytes.
const coap = [0x42, 0x01, 0x12, 0x34, 0xca, 0xfe, 0xb4, ...new TextEncoder().encode('temp')]
const udp = [0xd4, 0x31, 0x16, 0x33, 0, 8 + coap.length, 0, 0]
const ip = [0x45, 0, 0, 20 + udp.length + coap.length, 0, 7, 0x40, 0, 64, 17, 0, 0, 192, 168, 1, 20, 192, 168, 1, 42]
let sum = 0
for (let index = 0; index < ip.length; index += 2) sum += (ip[index] << 8) | ip[index + 1]
sum = (sum & 0xffff) + (sum >>> 16)
sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff
ip[10] = sum >>> 8
ip[11] = sum & 0xff
const ethernet = [0x02, 0, 0, 0, 0, 0x2a, 0x02, 0, 0, 0, 0, 0x14, 0x08, 0x00]
write('packet', Uint8Array.from([...ethernet, ...ip, ...udp, ...coap]))

// 64 samples of a swing about an offset, with one knock. Integers alone, so that every machine writes the same bytes.
write(
  'vibration',
  bytesOf(128, (view) => {
    for (let index = 0; index < 64; index++) {
      const phase = index % 16
      const swing = 500 - 125 * Math.abs(phase - 8)
      view.setInt16(2 * index, 1000 + swing + (index === 37 ? 4000 : 0), true)
    }
  }),
)

// Kind and device: starts, readings, warnings of device 7 and at last a failure of device 9; one record of an unknown kind.
write('events', Uint8Array.of(0, 7, 0, 9, 1, 7, 1, 9, 2, 7, 2, 7, 1, 9, 8, 1, 2, 7, 3, 9, 2, 7))

// 3528 and 3780.
write(
  'gcd',
  bytesOf(8, (view) => {
    view.setUint32(0, 3528, true)
    view.setUint32(4, 3780, true)
  }),
)
