import type { Lending } from '../lease/lending.js'
import type { Leases } from '../lease/leases.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import type { Clock } from '../ports/clock.js'

/** What transactions need of their pool. */
export interface TransactionDesk<Client> {
  readonly leases: Leases<Client>
  readonly poolId: number
  readonly clock: Clock
  /** What joins, beside the client of the transaction itself. */
  readonly joins: 'declared' | 'all' | 'off'
  readonly acquireTimeoutMs: number
  /** How long a statement that still runs when its transaction is to end may go on. */
  readonly graceMs: number
  /** Lends a connection, as if there were no transaction around. */
  acquire(request: AcquireRequest): Promise<Lending<Client>>
  /** Calls `callback` at `at`, for which somebody waits; returns what takes it back. */
  wake(at: number, callback: () => void): () => void
}
