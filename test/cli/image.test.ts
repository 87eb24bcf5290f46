// `thumbpf compile --format image`: the file that runtime/load.c loads.

import { expect, it } from 'vitest'
import { readImage } from '../../src/index.ts'
import { example, thumbpf } from './support.ts'

it('writes an image that says what the program needs', async () => {
  const ran = await thumbpf(['compile', example('events.o'), '--format', 'image', '-o', '-'])
  expect([ran.status, ran.stderr]).toEqual([0, ''])
  const image = readImage(ran.bytes)
  expect(image.maps.map(({ name }) => name)).toContain('messages')
  expect(image.symbols[image.entry]).toMatchObject({ kind: 'function', global: true })
})
