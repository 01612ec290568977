import type { Priority } from '../options/pool-options.js'
import { describeHolder, type Holder } from './holder.js'
import { LeaseholdError } from './leasehold-error.js'

export interface QueueFullFacts {
  readonly pool: string
  readonly waiting: number
  readonly maxWaiting: number
  /** The priority whose own limit it is, if it is one's own. */
  readonly priority?: Priority | undefined
  /** Who holds the connections, the longest first. */
  readonly holders: readonly Holder[]
}

/**
 * As many callers as `maxWaiting` allows were waiting already; or as many of its priority, by `maxWaitingByPriority`; or it
 * had to make room for one of a higher priority.
 */
export class QueueFullError extends LeaseholdError {
  readonly waiting: number
  readonly maxWaiting: number
  readonly holders: readonly Holder[]

  constructor(facts: QueueFullFacts) {
    const longest = facts.holders[0]
    const { priority } = facts
    const ofPriority = priority === undefined ? '' : ` of priority ${priority}`
    const limit = priority === undefined ? 'maxWaiting' : `maxWaitingByPriority.${priority}`
    super({
      code: 'LEASEHOLD_QUEUE_FULL',
      phase: 'queue',
      what:
        `${facts.waiting} callers${ofPriority} wait for pool "${facts.pool}" already and ${limit} is ${facts.maxWaiting}` +
        (longest === undefined ? '' : `; the longest holder is ${describeHolder(longest)}`),
      remedy: 'Answer 503 and let the client come back, or raise the limit if your callers can wait that long',
      pool: facts.pool,
      retryAfterMs: 1_000,
    })
    this.name = 'QueueFullError'
    this.waiting = facts.waiting
    this.maxWaiting = facts.maxWaiting
    this.holders = facts.holders
  }
}
