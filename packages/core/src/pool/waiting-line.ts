import type { Connection } from '../connection/connection.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import { type QueueDelayLimits, WaitQueue } from './wait-queue.js'
import type { Waiter } from './waiter.js'
import type { WakeUp } from './wake-up.js'

/** Who waits for a connection, and how each is answered: exactly once. While anybody waits, the process stays alive. */
export class WaitingLine<Client> {
  readonly queue: WaitQueue<Client>
  readonly #wakeUp: WakeUp

  constructor(wakeUp: WakeUp, delay: QueueDelayLimits | undefined) {
    this.#wakeUp = wakeUp
    this.queue = new WaitQueue(delay, (now) => wakeUp.notLaterThan(now))
  }

  join(waiter: Waiter<Client>): void {
    this.queue.add(waiter)
    this.#wakeUp.hold()
    this.#wakeUp.notLaterThan(waiter.deadlineAt)
  }

  /** It gave up. False when it has been answered already. */
  leave(waiter: Waiter<Client>): boolean {
    if (!this.queue.remove(waiter)) return false
    this.#wakeUp.letGo()
    return true
  }

  /** Lends a connection to the one whose turn it is. */
  handOver(connection: Connection<Client>, now: number): void {
    const waiter = this.#next(now)
    if (waiter === undefined) throw new Error('bug in Leasehold: a connection was handed over and nobody waited')
    waiter.accept(connection, now)
  }

  /** Sends away the one whose turn it is, if anybody waits. */
  refuseNext(error: LeaseholdError): void {
    this.#next()?.refuse(error)
  }

  /** Sends everybody away, each with an error of its own: it is theirs to add a stack or a cause to. */
  refuseAll(errorFor: () => LeaseholdError): void {
    for (let waiter = this.#next(); waiter !== undefined; waiter = this.#next()) waiter.refuse(errorFor())
  }

  /** Hands those whose deadline has passed to `expired`. Returns when the next one's passes. */
  expire(now: number, expired: (waiter: Waiter<Client>) => void): number {
    let next = Number.POSITIVE_INFINITY
    for (const waiter of this.queue) {
      const { deadlineAt } = waiter
      if (deadlineAt > now) next = Math.min(next, deadlineAt)
      else if (this.leave(waiter)) expired(waiter)
    }
    return next
  }

  /** @param servedAt when it is served; not given, it is sent away. */
  #next(servedAt?: number): Waiter<Client> | undefined {
    const waiter = this.queue.shift(servedAt)
    if (waiter !== undefined) this.#wakeUp.letGo()
    return waiter
  }
}
