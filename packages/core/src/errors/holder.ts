import { describePin, type Pin } from '../events/pin.js'

/** One holder of a connection, as errors and snapshots name it. No literal of a statement is in it. */
export interface Holder {
  readonly label: string
  /** Where the lease was asked for, when that was captured. */
  readonly site: string | undefined
  /** Asked for with `hold: 'long'`: it is meant to be held for long. */
  readonly isLong: boolean
  readonly heldMs: number
  /** How much of `heldMs` the database was working. */
  readonly busyMs: number
  /** The last statement, its literals taken out, where the driver tells it. */
  readonly statement: string | undefined
  /** What ties the session to this holder. */
  readonly pins: readonly Pin[]
}

const NAMED_PINS = 3

/** `GET /slow for 4900 ms (database 12 ms) at server.ts:12 pinned by role tenant`. */
export function describeHolder(holder: Holder): string {
  const times = `for ${Math.round(holder.heldMs)} ms (database ${Math.round(holder.busyMs)} ms)`
  const pinned =
    holder.pins.length === 0 ? '' : ` pinned by ${holder.pins.slice(0, NAMED_PINS).map(describePin).join(', ')}`
  return `${holder.label} ${times}${holder.site === undefined ? '' : ` ${holder.site}`}${pinned}`
}
