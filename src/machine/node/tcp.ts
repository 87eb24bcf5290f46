// A TCP connection as a Transport.

import { createConnection } from 'node:net'

import { MachineError, type Transport } from '../gdb/transport.ts'

/** Connects within `timeout` milliseconds. Throws MachineError where nobody listens. */
export function connectTcp(host: string, port: number, timeout: number): Promise<Transport> {
  const name = `${host}:${port}`
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new MachineError(`${name} does not answer within ${timeout / 1000} s`))
    }, timeout)
    let closed = false
    let reason = 'the other side closed it'
    const transport: Transport = {
      name,
      send: (bytes) => {
        if (!closed) socket.write(bytes)
      },
      onData: () => {},
      onEnd: () => {},
      close: () => {
        closed = true
        socket.destroy()
      },
    }
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(transport)
    })
    socket.on('data', (bytes) => transport.onData(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reason = error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message
      reject(new MachineError(`no connection to ${name}: ${reason}`))
    })
    socket.on('close', () => {
      if (closed) return
      closed = true
      transport.onEnd(reason)
    })
  })
}
