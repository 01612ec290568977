import { describeHolder, type Holder } from './holder.js'
import { LeaseholdError } from './leasehold-error.js'

export interface OverloadedFacts {
  readonly pool: string
  /** How long the caller had waited, in milliseconds. */
  readonly waitedMs: number
  /** How long everybody who was served in the last interval had waited, or longer. */
  readonly leastDelayMs: number
  /** The delay that the caller's queue may have. */
  readonly targetMs: number
  /** How many others were still waiting. */
  readonly waiting: number
  /** Who holds the connections, the longest first. */
  readonly holders: readonly Holder[]
}

/** More callers come than are served, and this one had waited too long to be worth a connection. */
export class OverloadedError extends LeaseholdError {
  readonly waitedMs: number
  readonly leastDelayMs: number
  readonly targetMs: number
  readonly waiting: number
  readonly holders: readonly Holder[]

  constructor(facts: OverloadedFacts) {
    const longest = facts.holders[0]
    super({
      code: 'LEASEHOLD_OVERLOADED',
      phase: 'queue',
      what:
        `pool "${facts.pool}" is overloaded: nobody of late has waited less than ${Math.round(facts.leastDelayMs)} ms, ` +
        `this caller ${Math.round(facts.waitedMs)} ms, and ${facts.waiting} more wait` +
        (longest === undefined ? '' : `; the longest holder is ${describeHolder(longest)}`),
      remedy: 'Answer 503 or from a cache; for a queue that may stand longer, raise queueDelay.targetMs',
      pool: facts.pool,
      retryAfterMs: 1_000,
    })
    this.name = 'OverloadedError'
    this.waitedMs = facts.waitedMs
    this.leastDelayMs = facts.leastDelayMs
    this.targetMs = facts.targetMs
    this.waiting = facts.waiting
    this.holders = facts.holders
  }
}
