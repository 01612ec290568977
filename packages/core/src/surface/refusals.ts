import { AbortedError } from '../errors/aborted-error.js'
import { AcquireTimeoutError } from '../errors/acquire-timeout-error.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import { OverloadedError } from '../errors/overloaded-error.js'
import { QueueFullError, type QueueFullFacts } from '../errors/queue-full-error.js'
import { ScopeClosedError } from '../errors/scope-closed-error.js'
import { channels } from '../events/channels.js'
import { describeLending } from '../lease/describe-lending.js'
import type { Leases } from '../lease/leases.js'
import type { Lending } from '../lease/lending.js'
import type { Connections } from '../pool/connections.js'
import type { Waiter } from '../pool/waiter.js'
import type { ScopeAbort } from '../scope/scope.js'

type FullQueue = Omit<QueueFullFacts, 'pool' | 'holders'>

function tooMany({ waiting, maxWaiting, priority }: FullQueue): string {
  const limit = priority === undefined ? 'maxWaiting' : `maxWaitingByPriority.${priority}`
  return `${limit} is ${maxWaiting} and ${waiting} wait`
}

/** Words why a caller gets no connection, with all that is known at that moment, and counts how often. */
export class Refusals<Client> {
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #pool: string
  readonly #poolId: number
  /** Whether anything bounds how many may wait. */
  readonly #isBounded: boolean
  #timeouts = 0
  #refused = 0
  #shed = 0
  #aborted = 0

  constructor(connections: Connections<Client>, leases: Leases<Client>, poolId: number) {
    this.#connections = connections
    this.#leases = leases
    this.#pool = connections.options.name
    this.#poolId = poolId
    const { maxWaiting, maxWaitingByPriority } = connections.options
    this.#isBounded = [maxWaiting, ...Object.values(maxWaitingByPriority)].some((most) => most !== Infinity)
  }

  /** Callers whose deadline passed while they waited. */
  get timeouts(): number {
    return this.#timeouts
  }

  /** Callers refused because too many waited. */
  get refused(): number {
    return this.#refused
  }

  /** Callers sent away because they were late in a queue that stood. */
  get shedCallers(): number {
    return this.#shed
  }

  /** Callers that gave up, or whose scope did. */
  get aborted(): number {
    return this.#aborted
  }

  /**
   * The deadline of a caller that waits since `since` has passed.
   *
   * @param own what it probably holds itself.
   * @param maxPerScope if that is what it waited for.
   * @param expired the scope of the caller, if that grants nothing more because its deadline has passed.
   */
  timeout(
    since: number,
    own: ReadonlyArray<Lending<Client>> = [],
    maxPerScope?: number,
    expired?: string,
  ): AcquireTimeoutError {
    const { slots, queue, lastConnectFailure, state, options } = this.#connections
    const now = options.clock.now()
    this.#timeouts += 1
    return new AcquireTimeoutError({
      pool: this.#pool,
      waitedMs: now - since,
      waiting: queue.size,
      total: slots.total,
      limit: slots.limit,
      holders: this.#leases.holders(),
      ownHolders: own.map((lending) => describeLending(lending, now)),
      paused: state.is === 'paused',
      maxPerScope,
      expired,
      lastConnectFailure,
    })
  }

  /** A waiter has left the queue because its deadline has passed. */
  expire(waiter: Waiter<Client>, own: ReadonlyArray<Lending<Client>>): void {
    const error = this.timeout(waiter.since, own)
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
    if (abort.why === 'deadline') return this.timeout(since, [], undefined, label)
    if (abort.why === 'signal') return this.abort(abort.reason, since)
    this.#aborted += 1
    return new ScopeClosedError({ label, pool: this.#pool, cause: abort.reason })
  }

  /**
   * Lets one more wait, or throws: when as many wait as may, of its priority or in all. For one of a higher priority, the
   * last one of the lowest makes room. An observing pool only says so.
   */
  makeRoomFor(waiter: Waiter<Client>): void {
    if (!this.#isBounded) return
    const { backlog, queue, options } = this.#connections
    const { maxWaiting, maxWaitingByPriority } = options
    const { priority } = waiter
    const mostOfPriority = maxWaitingByPriority[priority] ?? Infinity
    const ofPriority = mostOfPriority === Infinity ? 0 : Math.min(backlog, queue.sizeOf(priority))
    if (backlog < maxWaiting && ofPriority < mostOfPriority) return
    const isOwnLimit = ofPriority >= mostOfPriority
    const full: FullQueue = isOwnLimit
      ? { waiting: ofPriority, maxWaiting: mostOfPriority, priority }
      : { waiting: backlog, maxWaiting }
    if (options.observe) return this.#wouldRefuse(tooMany(full), waiter.label)
    const last = isOwnLimit ? undefined : queue.lastBelow(priority)
    this.#refused += 1
    const error = new QueueFullError({ ...full, pool: this.#pool, holders: this.#leases.holders() })
    if (last === undefined || !this.#connections.withdraw(last)) {
      waiter.forget()
      throw error
    }
    last.refuse(error)
  }

  /** A waiter is late in a queue that stands, and has left it; an observing pool only says so. */
  shed(waiter: Waiter<Client>, leastDelayMs: number): void {
    const { queue, options } = this.#connections
    const waitedMs = options.clock.now() - waiter.joinedAt
    if (options.observe) {
      this.#wouldRefuse(
        `the queue stands: nobody of late has waited less than ${Math.round(leastDelayMs)} ms`,
        waiter.label,
      )
      return
    }
    this.#shed += 1
    const error = new OverloadedError({
      pool: this.#pool,
      waitedMs,
      leastDelayMs,
      targetMs: queue.targetOf(waiter),
      waiting: queue.size,
      holders: this.#leases.holders(),
    })
    if (channels.shed.hasSubscribers) {
      channels.shed.publish({ pool: this.#pool, poolId: this.#poolId, label: waiter.label, error })
    }
    waiter.refuse(error)
  }

  #wouldRefuse(why: string, label: string): void {
    if (!channels.observe.hasSubscribers) return
    channels.observe.publish({ pool: this.#pool, poolId: this.#poolId, would: 'refuse', why, label })
  }
}
