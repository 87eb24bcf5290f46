// The words after --machine.

import { InvalidArgumentError } from 'commander'

import { suggestion } from '../index.ts'

const words = [
  'sim',
  'interp',
  'qemu',
  'gdb:HOST:PORT',
  'serial:DEVICE[:BAUD]',
  'serial:tcp:HOST:PORT',
  'serial:unix:PATH',
]
export const gdbPattern = /^gdb:(.+):(\d{1,5})$/
export const serialPattern = /^serial:(tcp:.+:\d{1,5}|unix:.+|\/.+)$/

/** Parser of --machine: checks the form alone, so that a mistake is told before anything runs. */
export function machineName(text: string): string {
  if (['sim', 'interp', 'qemu'].includes(text) || gdbPattern.test(text) || serialPattern.test(text)) {
    return text
  }
  throw new InvalidArgumentError(`Allowed: ${words.join(', ')}${suggestion(text, words)}`)
}
