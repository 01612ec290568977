export type { Direction, DoorFault, Fault, LineFault } from './fault.js'
export type { FaultProxy } from './fault-proxy.js'
export type { Line, Target } from './line.js'
export { startFaultProxy } from './start-fault-proxy.js'
