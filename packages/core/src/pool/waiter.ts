import type { Connection } from '../connection/connection.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Priority } from '../options/pool-options.js'

/**
 * A caller in the queue: a node of its list, so that it leaves from any place in constant time. Exactly one of `accept`
 * and `refuse` is called, once. A class to extend rather than callbacks to pass: a burst makes thousands of them.
 */
export abstract class Waiter<Client> {
  readonly priority: Priority
  /** When the caller gives up, in the clock's milliseconds; `Infinity` for never. */
  readonly deadlineAt: number
  /** The order of arrival over all priorities. */
  sequence = 0
  previous: Waiter<Client> | undefined = undefined
  next: Waiter<Client> | undefined = undefined
  queued = false

  constructor(priority: Priority, deadlineAt: number) {
    this.priority = priority
    this.deadlineAt = deadlineAt
  }

  abstract get label(): string

  /** Since when it waits. */
  abstract get since(): number

  /** It is its turn. Must lend the connection before it returns. */
  abstract accept(connection: Connection<Client>, now: number): void

  /** It will not get one. */
  abstract refuse(error: LeaseholdError): void
}
