import { AbortedError } from '../errors/aborted-error.js'
import { AcquireTimeoutError } from '../errors/acquire-timeout-error.js'
import type { Holder } from '../errors/holder.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import { QueueFullError } from '../errors/queue-full-error.js'
import { ScopeClosedError } from '../errors/scope-closed-error.js'
import { channels } from '../events/channels.js'
import type { Leases } from '../lease/leases.js'
import type { Connections } from '../pool/connections.js'
import type { Waiter } from '../pool/waiter.js'
import type { ScopeAbort } from '../scope/scope.js'

/** Words why a caller gets no connection, with all that is known at that moment, and counts how often. */
export class Refusals<Client> {
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #pool: string
  readonly #poolId: number
  #timeouts = 0
  #refused = 0
  #aborted = 0

  constructor(connections: Connections<Client>, leases: Leases<Client>, poolId: number) {
    this.#connections = connections
    this.#leases = leases
    this.#pool = connections.options.name
    this.#poolId = poolId
  }

  /** Callers whose deadline passed while they waited. */
  get timeouts(): number {
    return this.#timeouts
  }

  /** Callers refused because too many waited. */
  get refused(): number {
    return this.#refused
  }

  /** Callers that gave up, or whose scope did. */
  get aborted(): number {
    return this.#aborted
  }

  /** The deadline of a caller that waits since `since` has passed. */
  timeout(since: number, ownHolders: readonly Holder[] = []): AcquireTimeoutError {
    const { slots, queue, lastConnectFailure, state, options } = this.#connections
    this.#timeouts += 1
    return new AcquireTimeoutError({
      pool: this.#pool,
      waitedMs: options.clock.now() - since,
      waiting: queue.size,
      total: slots.total,
      limit: slots.limit,
      holders: this.#leases.holders(),
      ownHolders,
      paused: state.is === 'paused',
      lastConnectFailure,
    })
  }

  /** A waiter has left the queue because its deadline has passed. */
  expire(waiter: Waiter<Client>, ownHolders: readonly Holder[]): void {
    const error = this.timeout(waiter.since, ownHolders)
    if (channels.timeout.hasSubscribers) {
      channels.timeout.publish({ pool: this.#pool, poolId: this.#poolId, label: waiter.label, error })
    }
    waiter.refuse(error)
  }

  /** The signal of a caller that waits since `since` has aborted. */
  abort(cause: unknown, since: number): AbortedError {
    this.#aborted += 1
    return new AbortedError({ pool: this.#pool, waitedMs: this.#connections.options.clock.now() - since, cause })
  }

  /** The scope of a caller that waits since `since` grants nothing more. */
  abandon(abort: ScopeAbort, label: string, since: number): LeaseholdError {
    if (abort.why === 'deadline') return this.timeout(since)
    if (abort.why === 'signal') return this.abort(abort.reason, since)
    this.#aborted += 1
    return new ScopeClosedError({ label, pool: this.#pool, cause: abort.reason })
  }

  /** As many wait as may: throws, or only says so when the pool observes. */
  queueFull(label: string): void {
    const { backlog, options } = this.#connections
    const { maxWaiting, observe } = options
    if (observe) {
      if (!channels.observe.hasSubscribers) return
      const why = `maxWaiting is ${maxWaiting} and ${backlog} wait`
      channels.observe.publish({ pool: this.#pool, poolId: this.#poolId, would: 'refuse', why, label })
      return
    }
    this.#refused += 1
    throw new QueueFullError({ pool: this.#pool, waiting: backlog, maxWaiting, holders: this.#leases.holders() })
  }
}
