// Serial lines as Transports: TCP (QEMU's -serial tcp), Unix sockets, and devices, which stty makes raw.

import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { createConnection } from 'node:net'

import { MachineError, type Transport } from '../gdb/transport.ts'
import { connectTcp } from './tcp.ts'

const TIMEOUT = 5000
const BAUD = 115_200

/** `tcp:HOST:PORT`, `unix:PATH`, or a device's path with `:BAUD` behind it. Throws MachineError where it can't be opened. */
export async function openSerial(address: string): Promise<Transport> {
  const tcp = /^tcp:(.+):(\d{1,5})$/.exec(address)
  if (tcp !== null) return connectTcp(tcp[1]!, Number(tcp[2]), TIMEOUT)
  if (address.startsWith('unix:')) return connectUnix(address.slice(5))
  const [, path = address, baud] = /^(.*?)(?::(\d+))?$/.exec(address) ?? []
  return openDevice(path, Number(baud ?? BAUD))
}

function connectUnix(path: string): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    let closed = false
    const transport: Transport = {
      name: path,
      send: (bytes) => void (!closed && socket.write(bytes)),
      onData: () => {},
      onEnd: () => {},
      close: () => {
        closed = true
        socket.destroy()
      },
    }
    let reason = 'the other side closed it'
    socket.once('connect', () => resolve(transport))
    socket.on('data', (bytes) => transport.onData(bytes))
    socket.on('error', (error) => {
      reason = error.message
      reject(new MachineError(`no connection to ${path}: ${reason}`))
    })
    socket.on('close', () => {
      if (!closed) transport.onEnd(reason)
      closed = true
    })
  })
}

async function openDevice(path: string, baud: number): Promise<Transport> {
  // min 0, time 1: a read comes back after a tenth of a second, so that it can be ended.
  await stty(['-F', path, String(baud), 'raw', '-echo', '-hupcl', 'clocal', 'min', '0', 'time', '1'], path)
  // O_NOCTTY: the line must not become this process's terminal.
  const file = await open(path, constants.O_RDWR | constants.O_NOCTTY).catch((error: Error) => {
    throw new MachineError(`${path} can not be opened: ${error.message}`)
  })
  let closed = false
  let sending: Promise<unknown> = Promise.resolve()
  const fail = (error: Error): void => {
    if (!closed) transport.onEnd(error.message)
    closed = true
  }
  const transport: Transport = {
    name: path,
    send: (bytes) => {
      sending = sending.then(() => (closed ? undefined : file.write(bytes))).catch(fail)
    },
    onData: () => {},
    onEnd: () => {},
    close: () => {
      closed = true
    },
  }
  const read = async (): Promise<void> => {
    const buffer = new Uint8Array(4096)
    while (!closed) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead > 0) transport.onData(buffer.slice(0, bytesRead))
    }
  }
  void read()
    .catch(fail)
    .then(() => file.close())
    .catch(fail)
  return transport
}

function stty(args: readonly string[], path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('stty', args, { timeout: TIMEOUT }, (error, _, stderr) => {
      if (error === null) resolve()
      else reject(new MachineError(`${path} can not be set up: ${stderr.trim().split('\n')[0] || error.message}`))
    })
  })
}
