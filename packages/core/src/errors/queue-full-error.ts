import { describeHolder, type Holder } from './holder.js'
import { LeaseholdError } from './leasehold-error.js'

export interface QueueFullFacts {
  readonly pool: string
  readonly waiting: number
  readonly maxWaiting: number
  /** Who holds the connections, the longest first. */
  readonly holders: readonly Holder[]
}

/** As many callers as `maxWaiting` allows were waiting already. */
export class QueueFullError extends LeaseholdError {
  readonly waiting: number
  readonly maxWaiting: number
  readonly holders: readonly Holder[]

  constructor(facts: QueueFullFacts) {
    const longest = facts.holders[0]
    super({
      code: 'LEASEHOLD_QUEUE_FULL',
      phase: 'queue',
      what:
        `${facts.waiting} callers wait for pool "${facts.pool}" already and maxWaiting is ${facts.maxWaiting}` +
        (longest === undefined ? '' : `; the longest holder is ${describeHolder(longest)}`),
      remedy: 'Answer 503 and let the client come back, or raise maxWaiting if your callers can wait that long',
      pool: facts.pool,
      retryAfterMs: 1_000,
    })
    this.name = 'QueueFullError'
    this.waiting = facts.waiting
    this.maxWaiting = facts.maxWaiting
    this.holders = facts.holders
  }
}
