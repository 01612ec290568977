import type { Connection } from '../connection/connection.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { ResetFailedError } from '../errors/reset-failed-error.js'
import { channels } from '../events/channels.js'
import type { Pin } from '../events/pin.js'
import type { CloseReason, FailoverEvent, Leftover } from '../events/pool-events.js'
import type { BreakerState } from '../guard/breaker-state.js'
import type { Driver } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import type { PinRecord, SessionFact } from '../ports/session-effect.js'
import { Counts } from './counts.js'
import { redacted } from './redacted.js'

/** What was found on a session, told to whoever listens. */
export interface ResetReport {
  /** When it was given back. */
  readonly now: number
  readonly left: Leftover
  /** The last statement as it was sent; it leaves here without its literals, or not at all. */
  readonly statement: string | undefined
  readonly pins: readonly PinRecord[]
  readonly error: ResetFailedError | undefined
}

/** What verification found. */
export interface DifferenceReport {
  readonly missing: readonly SessionFact[]
  /** As they were sent. */
  readonly statements: readonly string[]
}

const NO_PINS: readonly Pin[] = []

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

  breakerChanged(from: BreakerState, to: BreakerState, enforced: boolean, now: number): void {
    if (!channels.breaker.hasSubscribers) return
    const told = to.is === 'open' || to.is === 'half-open' ? to : undefined
    channels.breaker.publish({
      pool: this.#pool,
      poolId: this.#poolId,
      from: from.is,
      to: to.is,
      why: told?.why,
      retryAfterMs: to.is === 'open' ? to.probeAt - now : undefined,
      enforced,
      error: told?.cause,
    })
  }

  /** Every connection is replaced. */
  failover(why: FailoverEvent['why'], generation: number): void {
    if (!channels.failover.hasSubscribers) return
    channels.failover.publish({ pool: this.#pool, poolId: this.#poolId, why, generation })
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

  reset(connection: Connection<Client>, owner: Owner, { left, statement, pins, error, now }: ResetReport): void {
    this.counts.reset[left] += 1
    if (!channels.reset.hasSubscribers) return
    channels.reset.publish({
      pool: this.#pool,
      poolId: this.#poolId,
      connection: connection.id,
      left,
      label: owner.label,
      site: owner.site,
      statement: redacted(this.#driver, statement),
      pins: pins.map((pin) => this.pinOf(pin, now)),
      error,
    })
  }

  /** A statement has tied the session to its owner. */
  pinned(connection: Connection<Client>, pin: PinRecord): void {
    this.counts.pins[pin.kind] += 1
    if (channels.pin.hasSubscribers) this.#publishPin('pin', connection, this.pinOf(pin, pin.since))
  }

  /** A pin has lasted too long. */
  pinOverdue(connection: Connection<Client>, pin: PinRecord, now: number): void {
    if (channels['pin-overdue'].hasSubscribers) this.#publishPin('pin-overdue', connection, this.pinOf(pin, now))
  }

  /** The server knows of something on a session that the ledger does not. */
  ledgerDiffers(connection: Connection<Client>, owner: Owner, { missing, statements }: DifferenceReport): void {
    this.counts.ledgerDiffers += 1
    if (!channels['ledger-differs'].hasSubscribers) return
    channels['ledger-differs'].publish({
      pool: this.#pool,
      poolId: this.#poolId,
      connection: connection.id,
      label: owner.label,
      site: owner.site,
      missing: missing.map(({ kind, name }) => ({ kind, name })),
      statements: statements.map((statement) => redacted(this.#driver, statement) ?? '?'),
    })
  }

  /** A pin as it may be shown. */
  pinOf({ kind, name, change, statement, site, since }: PinRecord, now: number): Pin {
    return {
      kind,
      name,
      change,
      statement: redacted(this.#driver, statement),
      site: site?.place,
      since,
      forMs: now - since,
    }
  }

  pinsOf(connection: Connection<Client>, now: number): readonly Pin[] {
    const { pins } = connection.ledger
    return pins.length === 0 ? NO_PINS : pins.map((pin) => this.pinOf(pin, now))
  }

  wouldReset(owner: Owner, why: string): void {
    if (!channels.observe.hasSubscribers) return
    channels.observe.publish({ pool: this.#pool, poolId: this.#poolId, would: 'reset', why, label: owner.label })
  }

  #publishPin(event: 'pin' | 'pin-overdue', connection: Connection<Client>, pin: Pin): void {
    const { state } = connection
    const label = state.at === 'lent' ? state.to.label : ''
    channels[event].publish({ pool: this.#pool, poolId: this.#poolId, label, connection: connection.id, ...pin })
  }
}
