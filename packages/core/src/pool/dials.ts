import type { Connection } from '../connection/connection.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { BreakerState } from '../guard/breaker-state.js'
import { EffectiveLimit } from '../guard/effective-limit.js'
import { Guard } from '../guard/guard.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver, ErrorKind } from '../ports/driver.js'
import type { Agenda } from './agenda.js'
import { type Attempt, Connector } from './connector.js'
import type { Reports } from './reports.js'
import type { Slots } from './slots.js'
import { TookTooLongError } from './took-too-long-error.js'
import type { WakeUp } from './wake-up.js'

export interface DialsParts<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly agenda: Agenda
  readonly wakeUp: WakeUp
  readonly slots: Slots
  readonly reports: Reports<Client>
  readonly kindOf: (error: unknown) => ErrorKind
  /** Runs what it is given outside every context: a socket keeps the context that it is made in. */
  readonly outside: <R>(work: () => R) => R
  readonly generation: () => number
  /** Takes in a client that was opened; throws when the driver cannot watch it, and has taken in nothing then. */
  readonly admit: (client: Client, attempt: Attempt) => Connection<Client>
  readonly opened: (connection: Connection<Client>, attempt: Attempt) => void
  /** An attempt failed that was made for callers or for `min`. */
  readonly failed: (error: ConnectFailedError) => void
  /** Something may be opened that could not be before, or callers wait in vain. */
  readonly changed: () => void
  /** A slot came free without a connection, or none is to be expected of an attempt any more. */
  readonly freed: () => void
}

/** A probe must end, also where `connectTimeoutMs` is `Infinity`: what hangs would keep the circuit open for ever. */
const LONGEST_PROBE_MS = 30_000

/**
 * When connections are opened: for callers who wait, for `min`, and to learn whether a sick server is back. What must not
 * be opened now is tried again when it may be.
 */
export class Dials<Client> {
  readonly guard: Guard
  readonly #parts: DialsParts<Client>
  readonly #connector: Connector<Client>
  readonly #limit: EffectiveLimit
  #lastFailure: ConnectFailedError | undefined
  #isOver = false
  #retry: { readonly at: number; readonly takeBack: () => void } | undefined
  #takeBackRaise = (): void => {}
  #takeBackProbe = (): void => {}

  constructor(parts: DialsParts<Client>) {
    const { options, driver, slots, agenda, outside } = parts
    const { name, clock, closeTimeoutMs, breaker, backoff, maxConnecting, observe } = options
    this.#parts = parts
    this.#limit = new EffectiveLimit(slots.limit)
    this.guard = new Guard({
      pool: name,
      driver: driver.name,
      breaker,
      backoff,
      maxConnecting,
      observe,
      changed: (from, to) => this.#breakerChanged(from, to),
    })
    this.#connector = new Connector({
      pool: name,
      driver,
      clock,
      agenda,
      slots,
      closeTimeoutMs,
      outside,
      kindOf: parts.kindOf,
      admit: parts.admit,
      opened: (connection, attempt) => this.#opened(connection, attempt),
      failed: (error, attempt) => this.#failed(error, attempt),
      freed: parts.freed,
    })
  }

  /** Why opening last failed, unless it has succeeded since. */
  get lastFailure(): ConnectFailedError | undefined {
    return this.#lastFailure
  }

  /**
   * Opens a connection for a caller. False when there is no room, or it must not be now.
   *
   * @param now that of the caller, where it has just come: with the same patience, what it is told must not depend on
   * which of the two the process came to first.
   */
  open(now: number = this.#parts.options.clock.now()): boolean {
    const { slots } = this.#parts
    if (!slots.hasRoom || slots.opening >= this.guard.width) return false
    const from = this.guard.from(now)
    if (from > now) {
      this.#tryAgain(from)
      return false
    }
    this.#begin(now, false)
    return true
  }

  /** Opens what `min` asks for and there is no failure to wait out. */
  fill(): void {
    const { slots, options } = this.#parts
    while (slots.total - slots.closing < options.min && slots.hasRoom && slots.opening < this.guard.width) {
      const now = options.clock.now()
      const from = this.guard.refillFrom(now)
      if (from > now) {
        this.#parts.wakeUp.notLaterThan(from)
        return
      }
      this.#begin(now, false)
    }
  }

  /** Opens one whatever has failed before, so that `ready()` has something to prove. */
  openFirst(): void {
    this.#begin(this.#parts.options.clock.now(), false)
  }

  /** Begins a probe, if one is due and there is room for it. `at` when a wake-up for that moment has come early. */
  probe(at = Number.NEGATIVE_INFINITY): void {
    const { options, slots } = this.#parts
    if (this.#isOver || this.guard.breaker.state.is !== 'open' || !slots.hasRoom) return
    const now = options.clock.now()
    if (this.guard.breaker.probe(Math.max(now, at))) this.#begin(Math.max(now, at), true)
  }

  /** A connection that lay idle has failed its check. */
  checkFailed(connection: Connection<Client>, error: unknown, startedAt: number): void {
    const { kindOf, options } = this.#parts
    // A check of the user's own may fail for reasons that are none of the database's.
    const isSick =
      error instanceof TookTooLongError || connection.ledger.lostBy !== undefined || kindOf(error) !== 'query'
    if (isSick) this.guard.checkFailed(error, startedAt, options.clock.now())
  }

  /** Why callers are refused for whom a connection would have to be opened, if they are: one error for each. */
  refusal(): LeaseholdError | undefined {
    return this.guard.isTroubled ? this.guard.refusal(this.#parts.options.clock.now()) : undefined
  }

  /** The pool's own limit has changed. */
  resize(limit: number): void {
    this.#limit.resize(limit)
    this.#parts.slots.limit = this.#limit.limit
  }

  /** Opens no more, and gives up every attempt under way. */
  stop(): void {
    this.#isOver = true
    this.#connector.abortAll()
  }

  #begin(now: number, isProbe: boolean): void {
    const { generation, options } = this.#parts
    this.guard.begins(now)
    const timeoutMs = isProbe ? Math.min(options.connectTimeoutMs, LONGEST_PROBE_MS) : options.connectTimeoutMs
    this.#connector.open({ startedAt: now, generation: generation(), isProbe }, timeoutMs)
  }

  #opened(connection: Connection<Client>, attempt: Attempt): void {
    const { slots, options } = this.#parts
    this.#lastFailure = undefined
    this.#limit.opened(slots.total - slots.closing)
    slots.limit = this.#limit.limit
    this.guard.opened(attempt.startedAt, options.clock.now())
    this.#parts.opened(connection, attempt)
  }

  #failed(error: ConnectFailedError, attempt: Attempt): void {
    const { options, reports } = this.#parts
    this.#lastFailure = error
    reports.openFailed(error)
    if (error.kind === 'saturated' && options.backoff !== false) this.#shrink()
    this.guard.failed(error, attempt.startedAt, options.clock.now())
    // A probe is nobody's attempt: who waits has a living connection to wait for.
    if (!attempt.isProbe) this.#parts.failed(error)
    this.#parts.changed()
  }

  /** The server is full: the pool makes do with what it has, and tries one more after a while. */
  #shrink(): void {
    const { slots, options, agenda } = this.#parts
    const pauseMs = this.#limit.saturated(slots.total - slots.closing)
    slots.limit = this.#limit.limit
    this.#takeBackRaise()
    if (this.#limit.isShrunken) this.#takeBackRaise = agenda.at(options.clock.now() + pauseMs, () => this.#raise())
  }

  #raise(): void {
    const { slots, options, agenda } = this.#parts
    const pauseMs = this.#limit.raise()
    slots.limit = this.#limit.limit
    if (pauseMs !== undefined) {
      this.#takeBackRaise = agenda.at(options.clock.now() + pauseMs, () => this.#raise())
    }
    this.#parts.changed()
  }

  /** Looks again at `at` whether something may be opened. */
  #tryAgain(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#retry !== undefined && this.#retry.at <= at)) return
    this.#retry?.takeBack()
    const takeBack = this.#parts.agenda.at(at, () => {
      this.#retry = undefined
      this.#parts.changed()
    })
    this.#retry = { at, takeBack }
  }

  #breakerChanged(from: BreakerState, to: BreakerState): void {
    const { options, agenda, reports } = this.#parts
    const now = options.clock.now()
    reports.breakerChanged(from, to, this.guard.isEnforced, now)
    this.#takeBackProbe()
    if (to.is === 'open') this.#takeBackProbe = agenda.at(to.probeAt, () => this.probe(to.probeAt))
    // By hand: nothing else happens now that would have anybody look.
    if (to.is.startsWith('forced') || from.is.startsWith('forced')) this.#parts.changed()
  }
}
