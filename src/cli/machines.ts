// What the library has for targets other than the simulator: loaded when --machine asks for one.

export { GdbMachine, runOnAgent, SerialAgent } from '../index.ts'
export { connectTcp, openSerial, startQemu } from '../node.ts'
