import type { PinKind } from '../events/pin.js'
import type { CloseReason, Leftover } from '../events/pool-events.js'

/** What has happened in a pool since it was made. Numbers only ever grow. */
export class Counts {
  opened = 0
  openFailed = 0
  /** Callers refused because the circuit was open. */
  circuitOpen = 0
  checked = 0
  ledgerDiffers = 0
  readonly closed: Record<CloseReason, number> = {
    idle: 0,
    'max-lifetime': 0,
    'max-uses': 0,
    surplus: 0,
    generation: 0,
    discarded: 0,
    lost: 0,
    'check-failed': 0,
    'reset-failed': 0,
    'pool-closed': 0,
  }
  readonly reset: Record<Leftover, number> = {
    'open transaction': 0,
    'failed transaction': 0,
    'running statement': 0,
    'session state': 0,
  }
  readonly pins: Record<PinKind, number> = {
    setting: 0,
    role: 0,
    temp: 0,
    prepared: 0,
    listen: 0,
    'advisory-lock': 0,
    cursor: 0,
    library: 0,
    slot: 0,
    transaction: 0,
    'table-lock': 0,
    'user-variable': 0,
    database: 0,
    unknown: 0,
  }
}
