import { Connection } from '../connection/connection.js'
import { type LedgerListener, SessionLedger } from '../connection/session-ledger.js'
import type { CloseReason } from '../events/pool-events.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver } from '../ports/driver.js'
import { callSafely } from './call-safely.js'
import type { Recycler } from './recycler.js'
import type { Reports } from './reports.js'
import type { Slots } from './slots.js'

export interface ResidentsParts<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly reports: Reports<Client>
  readonly recycler: Recycler<Client>
  /** Whether the pool closes, or has closed. */
  readonly isEnding: () => boolean
  /** Whether ledgers keep their owners' statements. */
  readonly keepsHistory: boolean
  readonly listenerOf: (connection: () => Connection<Client>) => LedgerListener
  /** A slot came free. */
  readonly freed: () => void
}

/** How much a lifetime is shortened at most, so that connections opened together do not end together. HikariCP does so too. */
const LIFETIME_JITTER = 0.1

/** Every connection whose socket may still be there: how it comes, how long it may stay, and how it goes. */
export class Residents<Client> {
  readonly #parts: ResidentsParts<Client>
  readonly #all = new Set<Connection<Client>>()
  readonly #unwatch = new WeakMap<Connection<Client>, () => void>()
  #max: number
  #generation = 0
  #lastId = 0

  constructor(parts: ResidentsParts<Client>) {
    this.#parts = parts
    this.#max = parts.options.max
  }

  get all(): ReadonlySet<Connection<Client>> {
    return this.#all
  }

  /** How many are kept at most when nobody waits. */
  get max(): number {
    return this.#max
  }

  set max(max: number) {
    this.#max = max
  }

  get generation(): number {
    return this.#generation
  }

  /** All that are there now, and those being opened, must not be lent again. */
  age(): void {
    this.#generation += 1
  }

  /**
   * Takes in a client that was just opened, by an attempt that began in `generation`.
   *
   * @throws what the driver's `watch` throws. Nothing has been taken in then.
   */
  admit(client: Client, generation: number): Connection<Client> {
    const { driver, options, slots, keepsHistory, listenerOf } = this.#parts
    const { clock, maxLifetimeMs } = options
    const now = clock.now()
    const ledger: SessionLedger = new SessionLedger(
      clock,
      listenerOf((): Connection<Client> => connection),
      keepsHistory,
    )
    const connection: Connection<Client> = new Connection<Client>({
      id: ++this.#lastId,
      client,
      ledger,
      generation,
      openedAt: now,
      expiresAt: now + maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER),
      counts: slots,
    })
    // Before anything is booked: a driver whose `watch` throws has opened nothing that could be lent.
    const unwatch = driver.watch(client, ledger)
    slots.opened()
    this.#all.add(connection)
    this.#unwatch.set(connection, unwatch)
    return connection
  }

  /** Why a connection must not be lent again, if it must not. */
  doomOf(connection: Connection<Client>, now: number): CloseReason | undefined {
    const { slots, options } = this.#parts
    if (connection.ledger.lostBy !== undefined) return 'lost'
    if (this.#parts.isEnding()) return 'pool-closed'
    if (connection.generation !== this.#generation) return 'generation'
    if (connection.uses >= options.maxUses) return 'max-uses'
    if (connection.expiresAt <= now) return 'max-lifetime'
    return slots.total - slots.closing > slots.limit ? 'surplus' : undefined
  }

  /** Why nobody keeps one more connection when nobody waits, if that is so. */
  surplusOf(): CloseReason | undefined {
    const { slots, options } = this.#parts
    const open = slots.total - slots.closing
    if (open > this.#max) return 'surplus'
    return options.idleTimeoutMs === 0 && open > options.min ? 'idle' : undefined
  }

  /** Whether one is there that may be lent again: lent, being cleaned or checked, or idle. */
  isAnyAlive(): boolean {
    const now = this.#parts.options.clock.now()
    for (const connection of this.#all) {
      const { at } = connection.state
      if (at !== 'closing' && at !== 'closed' && this.doomOf(connection, now) === undefined) return true
    }
    return false
  }

  /** Closes one, and resolves when its socket is gone. */
  async close(connection: Connection<Client>, reason: CloseReason, error?: unknown): Promise<void> {
    const { reports, recycler, freed } = this.#parts
    connection.close(reason)
    reports.closing(connection, reason, error ?? connection.ledger.lostBy)
    await recycler.close(connection)
    connection.closed()
    callSafely(
      () => this.#unwatch.get(connection)?.(),
      () => {},
    )
    this.#all.delete(connection)
    freed()
  }
}
