// What the bundle begins with: the streams and arguments of this process given to the command line.

import { main } from './cli.ts'
import { processIo } from './io.ts'

// A reader that has seen enough (`thumbpf objdump FILE | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  throw error
})

void main(process.argv.slice(2), processIo()).then((status) => {
  process.exitCode = status
})
