import type { Connection } from '../connection/connection.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Priority } from '../options/pool-options.js'

/**
 * A caller in the queue: a node of its list, so that it leaves from any place in constant time. Exactly one of `accept`,
 * `refuse` and `forget` is called, once. A class to extend rather than callbacks to pass: a burst makes thousands of them.
 */
export abstract class Waiter<Client> {
  readonly priority: Priority
  /** When the caller gives up, in the clock's milliseconds; `Infinity` for never. */
  readonly deadlineAt: number
  /** Since when it waits for a connection. */
  readonly joinedAt: number
  /** The order of arrival over all priorities. */
  sequence = 0
  previous: Waiter<Client> | undefined = undefined
  next: Waiter<Client> | undefined = undefined
  queued = false

  constructor(priority: Priority, deadlineAt: number, joinedAt: number) {
    this.priority = priority
    this.deadlineAt = deadlineAt
    this.joinedAt = joinedAt
  }

  abstract get label(): string

  /** When it asked, which is mostly when it joined. */
  abstract get since(): number

  /** It is its turn. Must lend the connection before it returns. */
  abstract accept(connection: Connection<Client>, now: number): void

  /** It was made and may not wait: nobody is told. */
  abstract forget(): void

  /** It will not get one. */
  abstract refuse(error: LeaseholdError): void
}
