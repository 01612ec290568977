import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Slots } from './slots.js'
import type { QueueDelayLimits, WaitQueue } from './wait-queue.js'
import type { Waiter } from './waiter.js'

/** Where many wait, it is not worth while to look through them more often. */
const PAUSE_MS = 5

const INTERVAL_MS = 100

/** What of a pool's connections is looked at. */
interface Waited<Client> {
  readonly queue: WaitQueue<Client>
  readonly slots: Slots
  readonly options: ResolvedPoolOptions<Client>
  withdraw(waiter: Waiter<Client>): boolean
}

/** The limits that the options set to the delay of the queue, if they set any. */
export function delayLimitsOf({ queueDelay }: Pick<ResolvedPoolOptions, 'queueDelay'>): QueueDelayLimits | undefined {
  if (queueDelay === false) return undefined
  return { targetMs: queueDelay.targetMs, intervalMs: queueDelay.intervalMs ?? INTERVAL_MS }
}

/**
 * Sends away who is late in a queue that stands, the lowest priority and the oldest first, but keeps as many waiting as the
 * pool can have connections: none shall be idle for it. Returns when the next one may be late.
 */
export function shedLate<Client>(
  pool: Waited<Client>,
  now: number,
  shed: (waiter: Waiter<Client>, standingMs: number) => void,
): number {
  const { queue, slots, options } = pool
  let next = Number.POSITIVE_INFINITY
  if (queue.size <= slots.limit) return next
  for (const [waiter, lateAt, standingMs] of queue.lateness()) {
    if (lateAt > now) next = Math.min(next, lateAt)
    else if (options.observe) {
      // One stands for all. The next interval in which the queue stands brings us here again.
      shed(waiter, standingMs)
      return Number.POSITIVE_INFINITY
    } else if (queue.size <= slots.limit) return now + PAUSE_MS
    else if (pool.withdraw(waiter)) shed(waiter, standingMs)
  }
  return Math.max(next, now + PAUSE_MS)
}
