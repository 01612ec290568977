import type { Connection } from '../connection/connection.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { ResetFailedError } from '../errors/reset-failed-error.js'
import { channels } from '../events/channels.js'
import type { CloseReason, Leftover } from '../events/pool-events.js'
import type { Driver } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import { Counts } from './counts.js'

/** What was found on a session, told to whoever listens. */
export interface ResetReport {
  readonly left: Leftover
  /** The last statement as it was sent; it leaves here without its literals, or not at all. */
  readonly statement: string | undefined
  readonly error: ResetFailedError | undefined
}

/** Counts what happens to connections, and tells it to those who listen. */
export class Reports<Client> {
  readonly counts: Counts = new Counts()
  readonly #pool: string
  readonly #poolId: number
  readonly #driver: Driver<Client>

  constructor(pool: string, poolId: number, driver: Driver<Client>) {
    this.#pool = pool
    this.#poolId = poolId
    this.#driver = driver
  }

  opened(connection: Connection<Client>, afterMs: number): void {
    this.counts.opened += 1
    if (!channels.open.hasSubscribers) return
    channels.open.publish({ pool: this.#pool, poolId: this.#poolId, connection: connection.id, afterMs })
  }

  openFailed(error: ConnectFailedError): void {
    this.counts.openFailed += 1
    if (!channels['open-failed'].hasSubscribers) return
    channels['open-failed'].publish({ pool: this.#pool, poolId: this.#poolId, error })
  }

  checked(): void {
    this.counts.checked += 1
  }

  closing(connection: Connection<Client>, reason: CloseReason, error: unknown): void {
    this.counts.closed[reason] += 1
    if (!channels.close.hasSubscribers) return
    channels.close.publish({
      pool: this.#pool,
      poolId: this.#poolId,
      connection: connection.id,
      reason,
      uses: connection.uses,
      error,
    })
  }

  reset(connection: Connection<Client>, owner: Owner, { left, statement, error }: ResetReport): void {
    this.counts.reset[left] += 1
    if (!channels.reset.hasSubscribers) return
    channels.reset.publish({
      pool: this.#pool,
      poolId: this.#poolId,
      connection: connection.id,
      left,
      label: owner.label,
      site: owner.site,
      statement: statement === undefined ? undefined : this.#driver.redact?.(statement),
      error,
    })
  }

  wouldReset(owner: Owner, why: string): void {
    if (!channels.observe.hasSubscribers) return
    channels.observe.publish({ pool: this.#pool, poolId: this.#poolId, would: 'reset', why, label: owner.label })
  }
}
