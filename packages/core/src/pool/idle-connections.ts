import type { Connection } from '../connection/connection.js'
import type { CloseReason } from '../events/pool-events.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver } from '../ports/driver.js'
import { holdSocket } from './hold-socket.js'
import { IdleStack } from './idle-stack.js'
import type { Slots } from './slots.js'
import { nextUpkeep, nextUpkeepOf } from './upkeep.js'
import type { Verdict } from './verdict.js'
import type { WakeUp } from './wake-up.js'

export interface IdleConnectionsParts<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly wakeUp: WakeUp
  /** Why a connection must not be lent again, if it must not. */
  readonly doomOf: (connection: Connection<Client>, now: number) => CloseReason | undefined
  /** Asks a connection for a sign of life. */
  readonly signOfLife: (connection: Connection<Client>) => Promise<Verdict>
  /** What becomes of a connection that was checked, by `verdict`; returns when it will be done, if not at once. */
  readonly checked: (connection: Connection<Client>, verdict: Verdict, startedAt: number) => Promise<void> | undefined
  readonly close: (connection: Connection<Client>, reason: CloseReason) => void
  /** Gives waiters what there is. */
  readonly serve: () => void
}

/** The connections that nobody has: which one is lent next, when one is asked for a sign of life, and when it is closed. */
export class IdleConnections<Client> {
  readonly #parts: IdleConnectionsParts<Client>
  readonly #stack: IdleStack<Client>

  constructor(parts: IdleConnectionsParts<Client>) {
    this.#parts = parts
    this.#stack = new IdleStack(parts.options.idleOrder)
  }

  get size(): number {
    return this.#stack.size
  }

  /** The next one fit to be lent. Closes on the way what is not, and has one checked that has not been heard of for long. */
  next(now: number): Connection<Client> | undefined {
    const { doomOf, close, options } = this.#parts
    for (let connection = this.#stack.take(); connection !== undefined; connection = this.#stack.take()) {
      const doom = doomOf(connection, now)
      if (doom !== undefined) close(connection, doom)
      else if (now - connection.provenAt <= options.checkAfterIdleMs) return connection
      else {
        void this.#check(connection)
        return undefined
      }
    }
    return undefined
  }

  /** The same; one that carries just the settings of `wanted` is preferred. */
  nextCarrying(wanted: DeclaredSettings | undefined, now: number): Connection<Client> | undefined {
    const { doomOf, options } = this.#parts
    const fits = (connection: Connection<Client>): boolean =>
      connection.ledger.carries(wanted) &&
      now - connection.provenAt <= options.checkAfterIdleMs &&
      doomOf(connection, now) === undefined
    return this.#stack.takeFitting(fits) ?? this.next(now)
  }

  /** A connection comes to rest. */
  add(connection: Connection<Client>, now: number): void {
    const { driver, options, wakeUp } = this.#parts
    connection.rest(now)
    this.#stack.push(connection)
    if (options.allowExitOnIdle) holdSocket(driver, connection.client, false)
    wakeUp.notLaterThan(nextUpkeepOf(connection, now, options))
  }

  /** Closes one, if it is idle. */
  close(connection: Connection<Client>, reason: CloseReason): void {
    if (this.#stack.remove(connection)) this.#parts.close(connection, reason)
  }

  /** Closes those that rest longest, as long as `isTooMuch`. */
  closeWhile(isTooMuch: () => boolean, reason: CloseReason): void {
    for (const connection of this.#stack.longestFirst()) {
      if (!isTooMuch()) return
      this.close(connection, reason)
    }
  }

  /** Closes and checks what is due. Returns when something is next. */
  upkeep(now: number): number {
    const { slots, options } = this.#parts
    const plan = nextUpkeep(this.#stack.longestFirst(), {
      now,
      options,
      spare: slots.total - slots.closing - options.min,
      isChecking: slots.checking > 0,
    })
    for (const { connection, reason } of plan.close) this.close(connection, reason)
    if (plan.check !== undefined && this.#stack.remove(plan.check)) void this.#check(plan.check)
    return plan.nextAt
  }

  async #check(connection: Connection<Client>): Promise<void> {
    const { clock } = this.#parts.options
    connection.check()
    const startedAt = clock.now()
    const verdict = await this.#parts.signOfLife(connection)
    // Also by a check of the user's own that asked nothing of the database.
    if (verdict.fit) connection.prove(clock.now())
    const closing = this.#parts.checked(connection, verdict, startedAt)
    if (!verdict.fit) this.#suspectOthers()
    // The waiter for whom the check stood must not wait for a farewell.
    this.#parts.serve()
    await closing
  }

  /**
   * What has befallen one connection may have befallen all that have not been heard of for as long. They are checked
   * together: one after another, a single caller would spend its whole patience on them.
   */
  #suspectOthers(): void {
    const { clock, checkAfterIdleMs } = this.#parts.options
    const heardOfSince = clock.now() - checkAfterIdleMs
    for (const connection of this.#stack.longestFirst()) {
      if (connection.provenAt < heardOfSince && this.#stack.remove(connection)) void this.#check(connection)
    }
  }
}
