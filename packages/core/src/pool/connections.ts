import type { Connection } from '../connection/connection.js'
import type { LedgerListener } from '../connection/session-ledger.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { FailoverEvent } from '../events/pool-events.js'
import type { Breaker } from '../guard/breaker.js'
import { ErrorClassifier } from '../guard/error-classifier.js'
import { FailoverWatch } from '../guard/failover-watch.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { Driver } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import { Agenda } from './agenda.js'
import type { Attempt } from './connector.js'
import { Dials } from './dials.js'
import { IdleConnections } from './idle-connections.js'
import type { PoolState } from './pool-state.js'
import { Recycler } from './recycler.js'
import { Reports } from './reports.js'
import { Residents } from './residents.js'
import { Returns } from './returns.js'
import { Serving } from './serving.js'
import { delayLimitsOf, shedLate } from './shed-late.js'
import { Slots } from './slots.js'
import { Utilization, type UtilizationParts } from './utilization.js'
import { Verifier } from './verifier.js'
import type { Waiter } from './waiter.js'
import type { WaitQueue } from './wait-queue.js'
import { WaitingLine } from './waiting-line.js'
import { WakeUp } from './wake-up.js'

export interface ConnectionsParts<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly poolId: number
  /** Runs what it is given outside every context. */
  readonly outside: <R>(work: () => R) => R
  /** What the upper layers have due at `now`; returns when they have something next. */
  readonly alsoDue: (now: number) => number
  /** A waiter's deadline has passed; it has left the queue. */
  readonly expired: (waiter: Waiter<Client>) => void
  /** A waiter is late in a queue that stands. It has left the queue, unless the pool observes. */
  readonly shed: (waiter: Waiter<Client>, standingMs: number) => void
  /** Nearly all connections have been lent for a while, or that is over. */
  readonly utilized: UtilizationParts['tell']
}

/**
 * The connections of one database and who waits for them: who is served next, and what becomes of a connection that comes
 * back. It knows owners by name only; what a lease is, is told elsewhere.
 */
export class Connections<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly reports: Reports<Client>
  readonly wakeUp: WakeUp
  readonly agenda: Agenda
  readonly utilization: Utilization
  /** Whether connections may carry declared settings: as long as nobody has declared any, all are alike. */
  mayCarry = false
  readonly #parts: ConnectionsParts<Client>
  readonly #line: WaitingLine<Client>
  readonly #residents: Residents<Client>
  readonly #idle: IdleConnections<Client>
  readonly #dials: Dials<Client>
  readonly #recycler: Recycler<Client>
  readonly #verifier: Verifier<Client>
  readonly #returns: Returns<Client>
  readonly #serving: Serving<Client>
  readonly #patience: Agenda
  readonly #classifier: ErrorClassifier
  readonly #failover = new FailoverWatch()
  #state: PoolState = { is: 'open' }
  #keepsMin: boolean

  constructor(parts: ConnectionsParts<Client>) {
    const { driver, options, outside } = parts
    const { clock } = options
    this.#parts = parts
    this.driver = driver
    this.options = options
    this.#keepsMin = options.warmUp !== 'lazy'
    this.slots = new Slots(options.max + options.overflow)
    this.#classifier = new ErrorClassifier(driver, options.classify)
    this.wakeUp = new WakeUp(clock, outside, (now) => this.#work(now))
    this.#line = new WaitingLine(this.wakeUp, delayLimitsOf(options))
    this.agenda = new Agenda(this.wakeUp)
    this.utilization = new Utilization({ options, slots: this.slots, agenda: this.agenda, tell: parts.utilized })
    this.#patience = new Agenda(this.wakeUp)
    this.reports = new Reports(options.name, parts.poolId, driver)
    const { agenda, reports, slots, wakeUp } = this
    const patience = this.#patience
    this.#verifier = new Verifier({ driver, options, patience, reports })
    this.#recycler = new Recycler({
      verifier: this.#verifier,
      driver,
      options,
      agenda,
      patience,
      reports,
      outside,
      takesNoWrites: () => {
        if (this.#failover.takesNoWrites(clock.now())) this.#follow('read-only')
      },
    })
    this.#residents = new Residents({
      driver,
      options,
      slots,
      reports,
      recycler: this.#recycler,
      isEnding: () => this.#isEnding,
      keepsHistory: this.#verifier.isOn,
      listenerOf: (connection) => this.#listenerOf(connection),
      freed: () => this.#slotFreed(),
    })
    this.#idle = new IdleConnections({
      driver,
      options,
      slots,
      wakeUp,
      doomOf: (connection, now) => this.#residents.doomOf(connection, now),
      signOfLife: (connection) => this.#recycler.check(connection),
      checked: (connection, verdict, startedAt) => {
        if (!verdict.fit) this.#dials.checkFailed(connection, verdict.error, startedAt)
        return this.#returns.judge(connection, verdict)
      },
      close: (connection, reason) => void this.#residents.close(connection, reason),
      serve: () => this.serve(),
    })
    this.#returns = new Returns({
      options,
      line: this.#line,
      idle: this.#idle,
      residents: this.#residents,
      recycler: this.#recycler,
      verifier: this.#verifier,
      state: () => this.#state.is,
    })
    this.#dials = new Dials({
      driver,
      options,
      agenda,
      wakeUp,
      slots,
      reports,
      outside,
      kindOf: (error) => this.#classifier.kindOf(error),
      generation: () => this.generation,
      admit: (client, attempt) => this.#residents.admit(client, attempt.generation),
      opened: (connection, attempt) => this.#opened(connection, attempt),
      failed: (error) => this.#serving.connectFailed(error),
      changed: () => this.#lookAgain(),
      freed: () => this.#slotFreed(),
    })
    this.#serving = new Serving({
      options,
      slots,
      line: this.#line,
      idle: this.#idle,
      dials: this.#dials,
      residents: this.#residents,
      reports,
      state: () => this.#state.is,
    })
  }

  get state(): PoolState {
    return this.#state
  }

  get queue(): WaitQueue<Client> {
    return this.#line.queue
  }

  get max(): number {
    return this.#residents.max
  }

  get generation(): number {
    return this.#residents.generation
  }

  /** Why opening last failed, unless it has succeeded since. */
  get lastConnectFailure(): ConnectFailedError | undefined {
    return this.#dials.lastFailure
  }

  /** What decides whether connections may be opened. */
  get breaker(): Breaker {
    return this.#dials.guard.breaker
  }

  /** Every connection whose socket may still be there. */
  get all(): ReadonlySet<Connection<Client>> {
    return this.#residents.all
  }

  /**
   * A connection that can be lent this instant: idle, living, not in need of a check, and nobody waits for one. One that
   * carries just the settings of `wanted` is preferred. The caller must lend it at once.
   */
  takeIdle(now: number, wanted: DeclaredSettings | undefined): Connection<Client> | undefined {
    return this.#serving.takeIdle(now, wanted, this.mayCarry)
  }

  /**
   * How many callers wait for whom no connection is on its way or could be. Negative when there could be one for more
   * callers than wait.
   */
  get backlog(): number {
    return this.#serving.backlog
  }

  /** Lets `waiter` wait, and opens a connection for it if that is what it takes. */
  enqueue(waiter: Waiter<Client>): void {
    this.#line.join(waiter)
    this.serve(waiter.joinedAt)
  }

  /** Takes `waiter` out of the queue: it gave up. A connection being opened for it goes to the next, or to rest. */
  withdraw(waiter: Waiter<Client>): boolean {
    return this.#line.leave(waiter)
  }

  /** Takes a connection back from its owner. Returns nothing when it is done at once, else when it will be. */
  giveBack(connection: Connection<Client>, owner: Owner, now: number): Promise<void> | undefined {
    return this.#returns.giveBack(connection, owner, now)
  }

  /** Gives up checking and cleaning: what is at it now is closed instead. */
  hurry(): void {
    this.#patience.hurry()
  }

  /** Takes a connection back to be closed. */
  discard(connection: Connection<Client>, reason: unknown): Promise<void> {
    return this.#returns.discard(connection, reason)
  }

  /** Gives waiters what there is: idle connections, checks of such, or new ones being opened. @see Serving.serve */
  serve(cameAt?: number): void {
    this.#keepsMin = true
    this.#serving.serve(cameAt)
  }

  /** Opens what `min` asks for and there is no failure to wait out. */
  fill(): void {
    if (!this.#keepsMin || this.#isEnding) return
    this.#dials.fill()
  }

  /** Opens one connection if there is none at all, so that `ready()` has something to prove. */
  openFirst(): void {
    if (this.slots.total === 0) this.#dials.openFirst()
  }

  pause(): void {
    if (this.#state.is === 'open') this.#state = { is: 'paused' }
  }

  /** Whoever resumes has reason to believe that the database is there: what has failed before is forgotten. */
  resume(): void {
    if (this.#state.is !== 'paused') return
    this.#state = { is: 'open' }
    this.breaker.reset()
    this.#dials.guard.forgive()
    this.#lookAgain()
  }

  /** Ages every connection: idle ones close now, lent ones when they come back. */
  reconnect(): void {
    this.#dials.guard.forgive()
    this.#residents.age()
    this.#idle.closeWhile(() => true, 'generation')
    this.#lookAgain()
  }

  resize(max: number): void {
    this.#residents.max = max
    this.utilization.resized(max)
    this.#dials.resize(max + this.options.overflow)
    this.#idle.closeWhile(() => this.slots.total - this.slots.closing > max, 'surplus')
    this.serve()
  }

  /** Lends no more and resolves when the last socket is gone. Lent connections are closed as they come back. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#state = { is: 'closing', emptied: resolve }
      this.wakeUp.hold()
      this.#line.refuseAll(() => new PoolClosedError(this.options.name))
      this.#dials.stop()
      this.#idle.closeWhile(() => true, 'pool-closed')
      this.#slotFreed()
    })
  }

  #listenerOf(connection: () => Connection<Client>): LedgerListener {
    const { queryTimeoutMs, pinWarnMs } = this.options
    const sent = (at: number): void => this.wakeUp.notLaterThan(at + queryTimeoutMs)
    return {
      ...(queryTimeoutMs === Infinity ? {} : { sent }),
      lost: () => this.#lost(connection()),
      failed: (error) => this.#classifier.kindOf(error) === 'read-only',
      begun: () => {
        this.reports.counts.pins.transaction += 1
      },
      pinned: (pin) => {
        this.reports.pinned(connection(), pin)
        this.wakeUp.notLaterThan(pin.since + pinWarnMs)
      },
    }
  }

  #opened(connection: Connection<Client>, { startedAt }: Attempt): void {
    this.reports.opened(connection, this.options.clock.now() - startedAt)
    if (this.#verifier.isOn)
      void this.#verifier.remember(connection).then((verdict) => this.#returns.judge(connection, verdict))
    else void this.#returns.offer(connection)
    this.#lookAgain()
  }

  #lost(connection: Connection<Client>): void {
    // A lent one is closed when it comes back: until then its owner finds out by its own query's error.
    if (connection.state.at === 'idle') this.#idle.close(connection, 'lost')
    const isFarewell = this.#classifier.isShutdown(connection.ledger.lostBy)
    if (isFarewell && this.#failover.farewell(this.options.clock.now())) this.#follow('shutdown')
  }

  /** The server is not what it was: all connections are made anew, so that they lead to the one that is. */
  #follow(why: FailoverEvent['why']): void {
    if (this.#isEnding) return
    this.#residents.age()
    this.reports.failover(why, this.generation)
    this.#idle.closeWhile(() => true, 'generation')
    this.#lookAgain()
  }

  get #isEnding(): boolean {
    return this.#state.is === 'closing' || this.#state.is === 'closed'
  }

  #slotFreed(): void {
    if (this.#state.is !== 'closing') return this.#lookAgain()
    if (this.slots.total > 0) return
    const { emptied } = this.#state
    this.#state = { is: 'closed' }
    this.wakeUp.letGo()
    this.wakeUp.stop()
    emptied()
  }

  /** Something has changed: more may be opened, or less. */
  #lookAgain(): void {
    this.#dials.probe()
    this.serve()
    this.fill()
  }

  /** Everything that is due, called by the one wake-up. Returns when the next thing is. */
  #work(now: number): number {
    // First what has failed, then who gives up: of a dial and its caller that end together, the dial has more to say.
    const agenda = Math.min(this.agenda.run(now), this.#patience.run(now))
    const waiters = Math.min(this.#line.expire(now, this.#parts.expired), shedLate(this, now, this.#parts.shed))
    const upkeep = this.#idle.upkeep(now)
    this.fill()
    return Math.min(waiters, agenda, upkeep, this.#parts.alsoDue(now))
  }
}
