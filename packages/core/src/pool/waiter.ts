import type { Connection } from '../connection/connection.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Priority } from '../options/pool-options.js'

/** What a waiter wants and how it is answered. Exactly one of `accept` and `refuse` is called, once. */
export interface WaiterRequest<Client> {
  readonly priority: Priority
  readonly label: string
  readonly since: number
  /** When the caller gives up, in the clock's milliseconds; `Infinity` for never. */
  readonly deadlineAt: number
  /** Must lend the connection before it returns. */
  readonly accept: (connection: Connection<Client>) => void
  readonly refuse: (error: LeaseholdError) => void
}

/** A caller in the queue: a node of its list, so that it leaves from any place in constant time. */
export class Waiter<Client> {
  readonly request: WaiterRequest<Client>
  /** The order of arrival over all priorities. */
  sequence = 0
  previous: Waiter<Client> | undefined
  next: Waiter<Client> | undefined
  queued = false

  constructor(request: WaiterRequest<Client>) {
    this.request = request
  }
}
