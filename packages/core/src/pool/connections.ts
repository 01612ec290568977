import { Connection } from '../connection/connection.js'
import { SessionLedger } from '../connection/session-ledger.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { CloseReason, FailoverEvent } from '../events/pool-events.js'
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
import { Slots } from './slots.js'
import { TookTooLongError } from './took-too-long-error.js'
import type { Verdict } from './verdict.js'
import { Verifier } from './verifier.js'
import type { Waiter } from './waiter.js'
import { WaitQueue } from './wait-queue.js'
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
}

/** How much a lifetime is shortened at most, so that connections opened together do not end together. HikariCP does so too. */
const LIFETIME_JITTER = 0.1

/**
 * The connections of one database and who waits for them: who is served next, and what becomes of a connection that comes
 * back. It knows owners by name only; what a lease is, is told elsewhere.
 */
export class Connections<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly queue: WaitQueue<Client> = new WaitQueue<Client>()
  readonly reports: Reports<Client>
  readonly wakeUp: WakeUp
  readonly agenda: Agenda
  /** Whether connections may carry declared settings: as long as nobody has declared any, all are alike. */
  mayCarry = false
  readonly #parts: ConnectionsParts<Client>
  readonly #all = new Set<Connection<Client>>()
  readonly #unwatch = new WeakMap<Connection<Client>, () => void>()
  readonly #idle: IdleConnections<Client>
  readonly #dials: Dials<Client>
  readonly #recycler: Recycler<Client>
  readonly #verifier: Verifier<Client>
  readonly #patience: Agenda
  readonly #classifier: ErrorClassifier
  readonly #failover = new FailoverWatch()
  #state: PoolState = { is: 'open' }
  #max: number
  #generation = 0
  #lastId = 0
  #keepsMin: boolean

  constructor(parts: ConnectionsParts<Client>) {
    const { driver, options, outside } = parts
    const { clock } = options
    this.#parts = parts
    this.driver = driver
    this.options = options
    this.#max = options.max
    this.#keepsMin = options.warmUp !== 'lazy'
    this.slots = new Slots(options.max + options.overflow)
    this.#classifier = new ErrorClassifier(driver, options.classify)
    this.wakeUp = new WakeUp(clock, outside, (now) => this.#work(now))
    this.agenda = new Agenda(this.wakeUp)
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
    this.#idle = new IdleConnections({
      driver,
      options,
      slots,
      wakeUp,
      doomOf: (connection, now) => this.#doomOf(connection, now),
      signOfLife: (connection) => this.#recycler.check(connection),
      checked: (connection, verdict, startedAt) => this.#checked(connection, verdict, startedAt),
      close: (connection, reason) => void this.#close(connection, reason),
      serve: () => this.serve(),
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
      generation: () => this.#generation,
      opened: (client, attempt) => this.#opened(client, attempt),
      failed: (error) => this.#connectFailed(error),
      changed: () => this.#lookAgain(),
      freed: () => this.#slotFreed(),
    })
  }

  get state(): PoolState {
    return this.#state
  }

  get max(): number {
    return this.#max
  }

  get generation(): number {
    return this.#generation
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
    return this.#all
  }

  /**
   * A connection that can be lent this instant: idle, living, not in need of a check, and nobody waits for one. One that
   * carries just the settings of `wanted` is preferred. The caller must lend it at once.
   */
  takeIdle(now: number, wanted: DeclaredSettings | undefined): Connection<Client> | undefined {
    if (this.#state.is !== 'open' || this.queue.size > 0 || this.#idle.size === 0) return undefined
    return this.mayCarry ? this.#idle.nextCarrying(wanted, now) : this.#idle.next(now)
  }

  /**
   * How many callers wait for whom no connection is on its way or could be. Negative when there could be one for more
   * callers than wait.
   */
  get backlog(): number {
    const { slots, queue } = this
    if (this.#state.is !== 'open') return queue.size
    const room = this.breaker.isShut ? 0 : Math.max(0, slots.limit - slots.total)
    return queue.size - slots.opening - slots.checking - room
  }

  /** Lets `waiter` wait, and opens a connection for it if that is what it takes. */
  enqueue(waiter: Waiter<Client>): void {
    this.queue.add(waiter)
    this.wakeUp.hold()
    this.wakeUp.notLaterThan(waiter.deadlineAt)
    this.serve()
  }

  /** Takes `waiter` out of the queue: it gave up. A connection being opened for it goes to the next, or to rest. */
  withdraw(waiter: Waiter<Client>): boolean {
    if (!this.queue.remove(waiter)) return false
    this.wakeUp.letGo()
    return true
  }

  /** Takes a connection back from its owner. Returns nothing when it is done at once, else when it will be. */
  giveBack(connection: Connection<Client>, owner: Owner, now: number): Promise<void> | undefined {
    connection.recycle()
    const { isClean, lostBy } = connection.ledger
    const isVerified = this.#verifier.isDue(connection)
    if (isClean && !isVerified) return this.#offer(connection, now)
    if (lostBy !== undefined) return this.#close(connection, 'lost', lostBy)
    // Nobody comes after this owner: the server cleans up by itself when the session ends.
    if (this.#state.is === 'closing') return this.#close(connection, 'pool-closed')
    return this.#recycle(connection, owner, isVerified)
  }

  /** Gives up checking and cleaning: what is at it now is closed instead. */
  hurry(): void {
    this.#patience.hurry()
  }

  /** Takes a connection back to be closed. */
  discard(connection: Connection<Client>, reason: unknown): Promise<void> {
    connection.recycle()
    if (connection.ledger.lostBy !== undefined) return this.#close(connection, 'lost', reason)
    return this.#close(connection, this.#state.is === 'closing' ? 'pool-closed' : 'discarded', reason)
  }

  /** Gives waiters what there is: idle connections, checks of such, or new ones being opened. */
  serve(): void {
    const { slots } = this
    this.#keepsMin = true
    while (this.#state.is === 'open' && this.queue.size > slots.opening + slots.checking) {
      const now = this.#idle.size > 0 ? this.options.clock.now() : 0
      const { checking } = slots
      const connection = this.#idle.size > 0 ? this.#idle.next(now) : undefined
      if (connection !== undefined) this.#handOver(connection, now)
      // A check was started instead. It stands for one waiter; there may be idle ones for the others.
      else if (slots.checking > checking) continue
      else if (!this.#dials.open()) break
    }
    if (this.queue.size > 0 && this.#state.is === 'open') this.#refuseHopeless()
  }

  /** Opens what `min` asks for and there is no failure to wait out. */
  fill(): void {
    if (!this.#keepsMin || this.#state.is === 'closing' || this.#state.is === 'closed') return
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
    this.#generation += 1
    this.#idle.closeWhile(() => true, 'generation')
    this.fill()
  }

  resize(max: number): void {
    this.#max = max
    this.#dials.resize(max + this.options.overflow)
    this.#idle.closeWhile(() => this.slots.total - this.slots.closing > max, 'surplus')
    this.serve()
  }

  /** Lends no more and resolves when the last socket is gone. Lent connections are closed as they come back. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#state = { is: 'closing', emptied: resolve }
      this.wakeUp.hold()
      for (let waiter = this.queue.shift(); waiter !== undefined; waiter = this.queue.shift()) {
        this.wakeUp.letGo()
        waiter.refuse(new PoolClosedError(this.options.name))
      }
      this.#dials.stop()
      this.#idle.closeWhile(() => true, 'pool-closed')
      this.#slotFreed()
    })
  }

  #opened(client: Client, { startedAt, generation }: Attempt): void {
    const { clock, maxLifetimeMs, pinWarnMs } = this.options
    const now = clock.now()
    const ledger = new SessionLedger(
      clock,
      {
        lost: () => this.#lost(connection),
        failed: (error) => this.#classifier.kindOf(error) === 'read-only',
        pinned: (pin) => {
          this.reports.pinned(connection, pin)
          this.wakeUp.notLaterThan(pin.since + pinWarnMs)
        },
      },
      this.#verifier.isOn,
    )
    const connection = new Connection<Client>({
      id: ++this.#lastId,
      client,
      ledger,
      generation,
      openedAt: now,
      expiresAt: now + maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER),
      counts: this.slots,
    })
    this.slots.opened()
    this.#all.add(connection)
    this.#unwatch.set(connection, this.driver.watch(client, ledger))
    this.reports.opened(connection, now - startedAt)
    if (this.#verifier.isOn)
      void this.#verifier.remember(connection).then((verdict) => this.#judge(connection, verdict))
    else void this.#offer(connection)
    this.#lookAgain()
  }

  /**
   * One failed attempt answers one caller, the one whose turn it is: the others may yet be served. A server that is full
   * has not failed those who can wait for a connection that the pool has.
   */
  #connectFailed(error: ConnectFailedError): void {
    if (error.kind === 'saturated' && this.options.backoff !== false && this.#isAnyAlive()) return
    const waiter = this.queue.shift()
    if (waiter === undefined) return
    this.wakeUp.letGo()
    waiter.refuse(error)
  }

  /** Answers at once who waits for a connection that will not be opened, if there is none alive that could come back. */
  #refuseHopeless(): void {
    let refusal = this.#dials.refusal()
    if (refusal === undefined || this.#isAnyAlive()) return
    for (let waiter = this.queue.shift(); waiter !== undefined; waiter = this.queue.shift()) {
      this.wakeUp.letGo()
      if (refusal.code === 'LEASEHOLD_CIRCUIT_OPEN') this.reports.counts.circuitOpen += 1
      waiter.refuse(refusal)
      // Each caller has an error of its own: it is theirs to add a stack or a cause to.
      refusal = this.#dials.refusal() ?? refusal
    }
  }

  /** Whether a connection is there that may be lent again: lent, being cleaned or checked, or idle. */
  #isAnyAlive(): boolean {
    const now = this.options.clock.now()
    for (const connection of this.#all) {
      const { at } = connection.state
      if (at !== 'closing' && at !== 'closed' && this.#doomOf(connection, now) === undefined) return true
    }
    return false
  }

  #handOver(connection: Connection<Client>, now: number): void {
    const waiter = this.queue.shift()
    if (waiter === undefined) throw new Error('bug in Leasehold: a connection was handed over and nobody waited')
    this.wakeUp.letGo()
    waiter.accept(connection, now)
  }

  /** A connection fit for anybody: it goes to the next waiter, or to rest, or is closed if it has had its day. */
  #offer(connection: Connection<Client>, now: number = this.options.clock.now()): Promise<void> | undefined {
    // A lease that asked nothing of the database proves nothing. A driver that never tells is taken at its word.
    connection.prove(connection.ledger.answeredAt ?? now)
    const doom = this.#doomOf(connection, now) ?? (this.queue.size === 0 ? this.#surplusOf() : undefined)
    if (doom !== undefined) return this.#close(connection, doom)
    if (this.#state.is === 'open' && this.queue.size > 0) {
      this.#handOver(connection, now)
      return undefined
    }
    this.#idle.add(connection, now)
    return undefined
  }

  /** Why a connection must not be lent again, if it must not. */
  #doomOf(connection: Connection<Client>, now: number): CloseReason | undefined {
    if (connection.ledger.lostBy !== undefined) return 'lost'
    if (this.#state.is === 'closing' || this.#state.is === 'closed') return 'pool-closed'
    if (connection.generation !== this.#generation) return 'generation'
    if (connection.uses >= this.options.maxUses) return 'max-uses'
    if (connection.expiresAt <= now) return 'max-lifetime'
    return this.slots.total - this.slots.closing > this.slots.limit ? 'surplus' : undefined
  }

  /** Why nobody keeps one more connection when nobody waits, if that is so. */
  #surplusOf(): CloseReason | undefined {
    const open = this.slots.total - this.slots.closing
    if (open > this.#max) return 'surplus'
    return this.options.idleTimeoutMs === 0 && open > this.options.min ? 'idle' : undefined
  }

  async #recycle(connection: Connection<Client>, owner: Owner, isVerified: boolean): Promise<void> {
    return this.#judge(connection, await this.#recycler.recycle(connection, owner, isVerified))
  }

  #judge(connection: Connection<Client>, verdict: Verdict): Promise<void> | undefined {
    return verdict.fit ? this.#offer(connection) : this.#close(connection, verdict.reason, verdict.error)
  }

  #checked(connection: Connection<Client>, verdict: Verdict, startedAt: number): Promise<void> | undefined {
    // A check of the user's own may fail for reasons that are none of the database's.
    const isSick =
      !verdict.fit &&
      (verdict.error instanceof TookTooLongError ||
        connection.ledger.lostBy !== undefined ||
        this.#classifier.kindOf(verdict.error) !== 'query')
    if (isSick) this.#dials.guard.checkFailed(verdict.error, startedAt, this.options.clock.now())
    return this.#judge(connection, verdict)
  }

  #lost(connection: Connection<Client>): void {
    // A lent one is closed when it comes back: until then its owner finds out by its own query's error.
    if (connection.state.at === 'idle') this.#idle.close(connection, 'lost')
    const isFarewell = this.#classifier.isShutdown(connection.ledger.lostBy)
    if (isFarewell && this.#failover.farewell(this.options.clock.now())) this.#follow('shutdown')
  }

  /** The server is not what it was: all connections are made anew, so that they lead to the one that is. */
  #follow(why: FailoverEvent['why']): void {
    if (this.#state.is === 'closing' || this.#state.is === 'closed') return
    this.#generation += 1
    this.reports.failover(why, this.#generation)
    this.#idle.closeWhile(() => true, 'generation')
    this.#lookAgain()
  }

  async #close(connection: Connection<Client>, reason: CloseReason, error?: unknown): Promise<void> {
    connection.close(reason)
    this.reports.closing(connection, reason, error ?? connection.ledger.lostBy)
    await this.#recycler.close(connection)
    connection.closed()
    this.#unwatch.get(connection)?.()
    this.#all.delete(connection)
    this.#slotFreed()
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
    const expired = this.#expireWaiters(now)
    const upkeep = this.#idle.upkeep(now)
    this.fill()
    return Math.min(expired, agenda, upkeep, this.#parts.alsoDue(now))
  }

  #expireWaiters(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const waiter of this.queue) {
      const { deadlineAt } = waiter
      if (deadlineAt > now) next = Math.min(next, deadlineAt)
      else if (this.withdraw(waiter)) this.#parts.expired(waiter)
    }
    return next
  }
}
