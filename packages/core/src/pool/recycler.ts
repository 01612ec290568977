import type { Connection } from '../connection/connection.js'
import { ResetFailedError } from '../errors/reset-failed-error.js'
import { describePin } from '../events/pin.js'
import type { Leftover } from '../events/pool-events.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver, TransactionStatus } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import type { Agenda } from './agenda.js'
import { bounded } from './bounded.js'
import { farewell } from './farewell.js'
import type { Reports } from './reports.js'
import type { Verdict } from './verdict.js'
import type { Verifier } from './verifier.js'

export interface RecyclerParts<Client> {
  readonly driver: Driver<Client>
  readonly verifier: Verifier<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly agenda: Agenda
  /** The agenda of checking and cleaning, which a closing pool may hurry. */
  readonly patience: Agenda
  readonly reports: Reports<Client>
  /** A session turned out to be one of a server that takes no writes. */
  readonly takesNoWrites: () => void
  /** Runs what it is given outside every context: a driver's work belongs to nobody's request. */
  readonly outside: <R>(work: () => R) => R
}

const FIT: Verdict = { fit: true }

const LEFT: Readonly<Record<TransactionStatus, Leftover>> = {
  idle: 'session state',
  open: 'open transaction',
  failed: 'failed transaction',
}

/** What happens to a connection while nobody has it: it is cleaned, checked, closed. Each is bounded; none ever rejects. */
export class Recycler<Client> {
  readonly #parts: RecyclerParts<Client>

  constructor(parts: RecyclerParts<Client>) {
    this.#parts = parts
  }

  /**
   * Makes a session fit for its next owner: waits for what is about to end, ends what still runs, and has the driver
   * reset what is left. Nobody waits for it but the connection.
   */
  async recycle(connection: Connection<Client>, owner: Owner, isVerified = false): Promise<Verdict> {
    const { options, reports, outside } = this.#parts
    const { ledger } = connection
    if (options.observe) {
      if (ledger.isSettling)
        await this.#settled(connection, options.clock.now() + options.resetTimeoutMs).catch(() => {})
      ledger.trust()
      if (ledger.isClean) return FIT
      const left = ledger.isQuiet ? ledger.pins.map(describePin).join(', ') : 'statement running'
      reports.wouldReset(owner, `${left} at release`)
      return FIT
    }
    const { statement } = ledger
    const now = options.clock.now()
    const { pins } = ledger
    const cleaned = await outside(() => this.#clean(connection, owner, isVerified))
    if (cleaned.left === undefined) return FIT
    if (cleaned.failed === undefined) {
      reports.reset(connection, owner, { left: cleaned.left, statement, pins, error: undefined, now })
      return FIT
    }
    const error = new ResetFailedError({
      pool: options.name,
      left: cleaned.left,
      label: owner.label,
      cause: cleaned.failed.cause,
    })
    reports.reset(connection, owner, { left: cleaned.left, statement, pins, error, now })
    return { fit: false, reason: ledger.lostBy === undefined ? 'reset-failed' : 'lost', error }
  }

  /** Asks a connection for a sign of life. */
  async check(connection: Connection<Client>): Promise<Verdict> {
    const { driver, options, patience, reports, outside } = this.#parts
    const check = options.check ?? ((client: Client, signal: AbortSignal) => driver.check(client, signal))
    reports.checked()
    try {
      await bounded(patience, options.clock.now() + options.checkTimeoutMs, 'the check', (signal) =>
        outside(async () => check(connection.client, signal)),
      )
    } catch (error) {
      return { fit: false, reason: 'check-failed', error }
    }
    const { isClean, lostBy } = connection.ledger
    // What owners have left stays where the pool only observes, and is no fault of the check.
    if (isClean || (options.observe && lostBy === undefined)) return FIT
    const error = lostBy ?? new Error('the check left the session in use')
    return { fit: false, reason: 'check-failed', error }
  }

  /** Closes the socket, and resolves when it is gone. */
  close(connection: Connection<Client>): Promise<void> {
    const { driver, options, agenda, outside } = this.#parts
    const { clock, closeTimeoutMs } = options
    return outside(() => farewell(driver, connection.client, { agenda, clock, closeTimeoutMs }))
  }

  /** A failed statement's callback comes before the server's "ready", and whoever releases in it comes here first. */
  async #settled({ ledger }: Connection<Client>, deadlineAt: number): Promise<void> {
    const ready = (): Promise<void> => new Promise((resolve) => ledger.onQuiet(resolve))
    await bounded(this.#parts.patience, deadlineAt, 'waiting for the server to be ready', ready)
  }

  /** What was left on the session, if anything was, and why it could not be cleaned away, if that is so. */
  async #clean(
    connection: Connection<Client>,
    owner: Owner,
    isVerified: boolean,
  ): Promise<{ readonly left?: Leftover; readonly failed?: { readonly cause: unknown } }> {
    const { driver, verifier, patience, options } = this.#parts
    const { ledger, client } = connection
    const deadlineAt = options.clock.now() + options.resetTimeoutMs
    let left: Leftover | undefined
    try {
      if (ledger.isSettling) await this.#settled(connection, deadlineAt)
      if (!ledger.isQuiet) {
        left = 'running statement'
        await bounded(patience, deadlineAt, 'ending what still ran', (signal) => {
          if (driver.quiesce !== undefined) return driver.quiesce(client, signal)
          return Promise.reject(new Error(`driver ${driver.name} cannot end a running statement`))
        })
      }
      if (ledger.lostBy !== undefined) throw ledger.lostBy
      if (isVerified && ledger.transaction === 'idle') await verifier.verify(connection, owner)
      if (ledger.transaction !== 'idle' || ledger.needsReset) {
        // What was in doubt, and nothing else, is nobody's news.
        if (ledger.transaction !== 'idle' || ledger.isPinned) left ??= LEFT[ledger.transaction]
        // The transaction ends first: what it had undone is in force again, and that is what the driver must see.
        if (ledger.transaction !== 'idle') ledger.book({ is: 'rollback' })
        await bounded(patience, deadlineAt, 'resetting', (signal) => driver.reset(client, ledger, signal))
        ledger.restored()
      }
      if (ledger.hasRefusedWrites) await this.#findOutAboutWrites(connection, deadlineAt)
    } catch (cause) {
      return { left: left ?? 'session state', failed: { cause } }
    }
    if (ledger.isClean) return left === undefined ? {} : { left }
    const cause = ledger.lostBy ?? new Error('the driver left the session as it was')
    return { left: left ?? 'session state', failed: { cause } }
  }

  /** A statement was refused as read-only: by the will of its owner, or because the server is not what it was. */
  async #findOutAboutWrites({ ledger, client }: Connection<Client>, deadlineAt: number): Promise<void> {
    const { driver, patience } = this.#parts
    const ask = async (signal: AbortSignal): Promise<boolean> => (await driver.takesWrites?.(client, signal)) ?? false
    const takesWrites = await bounded(patience, deadlineAt, 'asking whether the server takes writes', ask)
    ledger.settleWrites()
    if (!takesWrites) this.#parts.takesNoWrites()
  }
}
