// One program on a firmware's agent: sent, called, taken away again.

import { type Outcome, trapMessage } from '../../base/outcome.ts'
import { writeImage } from '../../image/file.ts'
import { type Image, slotAt } from '../../image/image.ts'
import { faultStatus } from '../gdb/faults.ts'
import type { AgentCall, SerialAgent } from './agent.ts'

export interface AgentRun {
  readonly ctx: Uint8Array
  readonly len: number
  /** Milliseconds, where the firmware can end a call. */
  readonly limit: number
}

/** What the program is called there. One that an earlier run has left behind goes first. */
const NAME = 'run'

/** Throws MachineError where the agent does not answer, or refuses the image. */
export async function runOnAgent(
  agent: SerialAgent,
  image: Image,
  { ctx, len, limit }: AgentRun,
): Promise<{ outcome: Outcome; ctx: Uint8Array }> {
  await agent.unload(NAME)
  await agent.load(NAME, writeImage(image))
  try {
    const call = await agent.call(NAME, ctx, len, limit)
    return { outcome: outcomeOf(call, image), ctx: call.ctx }
  } finally {
    await agent.unload(NAME).catch(() => false)
  }
}

function outcomeOf({ kind, r0, code, offset, pc, cfsr, address }: AgentCall, image: Image): Outcome {
  const slot = offset < 0 ? -1 : slotAt(image, offset)
  switch (kind) {
    case 'returned':
      return { kind, r0 }
    case 'trapped':
      return { kind, code, slot, message: trapMessage(code) }
    case 'faulted': {
      const fault = faultStatus(cfsr, 0, address, address)
      return { kind, fault: fault.name, pc, address: fault.address, slot, message: `${fault.name}: ${fault.message}` }
    }
    case 'limited':
      return { kind, limit: 'time', pc, slot, message: 'the limit on time was reached' }
  }
}
