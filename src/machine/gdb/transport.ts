// A stream of bytes to a stub: TCP, a serial line, a page's own. And how a connection ends.

/** The machine does not do what it must: the connection is lost, or what comes over it makes no sense. */
export class MachineError extends Error {
  override readonly name = 'MachineError'
}

export interface Transport {
  /** For messages: `127.0.0.1:3333`. */
  readonly name: string
  send(bytes: Uint8Array): void
  /** Set once, by whoever reads. */
  onData: (bytes: Uint8Array) => void
  /** Called once, with the reason, when the other side closes or the line breaks; not after `close`. */
  onEnd: (reason: string) => void
  close(): void
}
