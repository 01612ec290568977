import { Connection } from '../connection/connection.js'
import { SessionLedger } from '../connection/session-ledger.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { CloseReason } from '../events/pool-events.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { Driver } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import { Agenda } from './agenda.js'
import { Connector } from './connector.js'
import { IdleStack } from './idle-stack.js'
import type { PoolState } from './pool-state.js'
import { Recycler } from './recycler.js'
import { Reports } from './reports.js'
import { delayLimitsOf, shedLate } from './shed-late.js'
import { Slots } from './slots.js'
import { Utilization, type UtilizationParts } from './utilization.js'
import { nextUpkeep, nextUpkeepOf } from './upkeep.js'
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
  /** A waiter is late in a queue that stands. It has left the queue, unless the pool observes. */
  readonly shed: (waiter: Waiter<Client>, standingMs: number) => void
  /** Nearly all connections have been lent for a while, or that is over. */
  readonly utilized: UtilizationParts['tell']
}

/** How much a lifetime is shortened at most, so that connections opened together do not end together. HikariCP does so too. */
const LIFETIME_JITTER = 0.1
/** After a failed attempt, `min` is refilled no sooner than this. Callers are not held back by it. */
const REFILL_PAUSE_MS = 1_000

/**
 * The connections of one database and who waits for them: which one is lent next, when one more is opened, what becomes
 * of one that comes back. It knows owners by name only; what a lease is, is told elsewhere.
 */
export class Connections<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly queue: WaitQueue<Client>
  readonly reports: Reports<Client>
  readonly wakeUp: WakeUp
  readonly agenda: Agenda
  readonly utilization: Utilization
  /** Whether connections may carry declared settings: as long as nobody has declared any, all are alike. */
  mayCarry = false
  readonly #parts: ConnectionsParts<Client>
  readonly #all = new Set<Connection<Client>>()
  readonly #unwatch = new WeakMap<Connection<Client>, () => void>()
  readonly #idle: IdleStack<Client>
  readonly #connector: Connector<Client>
  readonly #recycler: Recycler<Client>
  readonly #verifier: Verifier<Client>
  readonly #patience: Agenda
  #state: PoolState = { is: 'open' }
  #max: number
  #generation = 0
  #lastId = 0
  #lastConnectFailure: ConnectFailedError | undefined
  #keepsMin: boolean
  #refillNotBefore = 0

  constructor(parts: ConnectionsParts<Client>) {
    const { driver, options } = parts
    const { clock } = options
    this.#parts = parts
    this.driver = driver
    this.options = options
    this.#max = options.max
    this.#keepsMin = options.warmUp !== 'lazy'
    this.slots = new Slots(options.max + options.overflow)
    this.#idle = new IdleStack(options.idleOrder)
    this.wakeUp = new WakeUp(clock, parts.outside, (now) => this.#work(now))
    this.queue = new WaitQueue(delayLimitsOf(options), (now) => this.wakeUp.notLaterThan(now))
    this.agenda = new Agenda(this.wakeUp)
    this.utilization = new Utilization({ options, slots: this.slots, agenda: this.agenda, tell: parts.utilized })
    this.#patience = new Agenda(this.wakeUp)
    this.reports = new Reports(options.name, parts.poolId, driver)
    const { agenda, reports } = this
    this.#verifier = new Verifier({ driver, options, patience: this.#patience, reports })
    this.#recycler = new Recycler({
      verifier: this.#verifier,
      driver,
      options,
      agenda,
      patience: this.#patience,
      reports,
      outside: parts.outside,
    })
    this.#connector = new Connector({
      pool: options.name,
      driver,
      clock,
      agenda: this.agenda,
      slots: this.slots,
      connectTimeoutMs: options.connectTimeoutMs,
      closeTimeoutMs: options.closeTimeoutMs,
      outside: parts.outside,
      opened: (client, startedAt, generation) => this.#opened(client, startedAt, generation),
      failed: (error, forgone) => this.#connectFailed(error, forgone),
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
    return this.#lastConnectFailure
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
    if (!this.mayCarry) return this.#nextReady(now)
    const fits = (connection: Connection<Client>): boolean =>
      connection.ledger.carries(wanted) &&
      now - connection.provenAt <= this.options.checkAfterIdleMs &&
      this.#doomOf(connection, now) === undefined
    return this.#idle.takeFitting(fits) ?? this.#nextReady(now)
  }

  /**
   * How many callers wait for whom no connection is on its way or could be. Negative when there could be one for more
   * callers than wait.
   */
  get backlog(): number {
    const { slots, queue } = this
    if (this.#state.is !== 'open') return queue.size
    return queue.size - slots.opening - slots.checking - Math.max(0, slots.limit - slots.total)
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
      const connection = this.#idle.size > 0 ? this.#nextReady(now) : undefined
      if (connection !== undefined) this.#handOver(connection, now)
      // A check was started instead. It stands for one waiter; there may be idle ones for the others.
      else if (slots.checking > checking) continue
      else if (slots.hasRoom && slots.opening < this.options.maxConnecting) this.#connector.open(this.#generation)
      else break
    }
  }

  /** Opens what `min` asks for and there is no failure to wait out. */
  fill(): void {
    const { slots } = this
    if (!this.#keepsMin || this.#state.is === 'closing' || this.#state.is === 'closed') return
    while (
      slots.total - slots.closing < this.options.min &&
      slots.hasRoom &&
      slots.opening < this.options.maxConnecting
    ) {
      if (this.options.clock.now() < this.#refillNotBefore) {
        this.wakeUp.notLaterThan(this.#refillNotBefore)
        return
      }
      this.#connector.open(this.#generation)
    }
  }

  /** Opens one connection if there is none at all, so that `ready()` has something to prove. */
  openFirst(): void {
    if (this.slots.total === 0) this.#connector.open(this.#generation)
  }

  pause(): void {
    if (this.#state.is === 'open') this.#state = { is: 'paused' }
  }

  resume(): void {
    if (this.#state.is !== 'paused') return
    this.#state = { is: 'open' }
    this.serve()
  }

  /** Ages every connection: idle ones close now, lent ones when they come back. */
  reconnect(): void {
    this.#generation += 1
    for (const connection of this.#idle.longestFirst()) this.#closeIdle(connection, 'generation')
    this.fill()
  }

  resize(max: number): void {
    this.#max = max
    this.slots.limit = max + this.options.overflow
    this.utilization.resized(max)
    for (const connection of this.#idle.longestFirst()) {
      if (this.slots.total - this.slots.closing <= max) break
      this.#closeIdle(connection, 'surplus')
    }
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
      this.#connector.abortAll()
      for (const connection of this.#idle.longestFirst()) this.#closeIdle(connection, 'pool-closed')
      this.#slotFreed()
    })
  }

  #opened(client: Client, startedAt: number, generation: number): void {
    const { clock, maxLifetimeMs, pinWarnMs, queryTimeoutMs } = this.options
    const now = clock.now()
    const ledger = new SessionLedger(
      clock,
      {
        lost: () => this.#lost(connection),
        pinned: (pin) => {
          this.reports.pinned(connection, pin)
          this.wakeUp.notLaterThan(pin.since + pinWarnMs)
        },
        ...(queryTimeoutMs === Infinity
          ? {}
          : { sent: (at: number): void => this.wakeUp.notLaterThan(at + queryTimeoutMs) }),
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
    this.#lastConnectFailure = undefined
    this.#refillNotBefore = 0
    this.#unwatch.set(connection, this.driver.watch(client, ledger))
    this.reports.opened(connection, now - startedAt)
    if (this.#verifier.isOn)
      void this.#verifier.remember(connection).then((verdict) => this.#judge(connection, verdict))
    else void this.#offer(connection)
    this.serve()
    this.fill()
  }

  #connectFailed(error: ConnectFailedError, forgone: boolean): void {
    if (forgone) return
    this.#lastConnectFailure = error
    this.#refillNotBefore = this.options.clock.now() + REFILL_PAUSE_MS
    this.reports.openFailed(error)
    // One failed attempt answers one caller, the one whose turn it is: the others may yet be served.
    const waiter = this.queue.shift()
    if (waiter !== undefined) {
      this.wakeUp.letGo()
      waiter.refuse(error)
    }
    this.serve()
  }

  /** The next idle connection fit to be lent. Closes and checks on the way what is not. */
  #nextReady(now: number): Connection<Client> | undefined {
    for (let connection = this.#idle.take(); connection !== undefined; connection = this.#idle.take()) {
      const doom = this.#doomOf(connection, now)
      if (doom !== undefined) void this.#close(connection, doom)
      else if (now - connection.provenAt <= this.options.checkAfterIdleMs) return connection
      else {
        void this.#check(connection)
        return undefined
      }
    }
    return undefined
  }

  #handOver(connection: Connection<Client>, now: number): void {
    const waiter = this.queue.shift(now)
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
    connection.rest(now)
    this.#idle.push(connection)
    if (this.options.allowExitOnIdle) this.driver.hold?.(connection.client, false)
    this.wakeUp.notLaterThan(nextUpkeepOf(connection, now, this.options))
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

  async #check(connection: Connection<Client>): Promise<void> {
    connection.check()
    const verdict = await this.#recycler.check(connection)
    // Also by a check of the user's own that asked nothing of the database.
    if (verdict.fit) connection.prove(this.options.clock.now())
    const closing = this.#judge(connection, verdict)
    if (!verdict.fit) this.#suspectIdle()
    // The waiter for whom the check stood must not wait for a farewell.
    this.serve()
    await closing
  }

  /**
   * What has befallen one connection may have befallen all that have not been heard of for as long. They are checked
   * together: one after another, a single caller would spend its whole patience on them.
   */
  #suspectIdle(): void {
    const heardOfSince = this.options.clock.now() - this.options.checkAfterIdleMs
    for (const connection of this.#idle.longestFirst()) {
      if (connection.provenAt < heardOfSince && this.#idle.remove(connection)) void this.#check(connection)
    }
  }

  async #recycle(connection: Connection<Client>, owner: Owner, isVerified: boolean): Promise<void> {
    return this.#judge(connection, await this.#recycler.recycle(connection, owner, isVerified))
  }

  #judge(connection: Connection<Client>, verdict: Verdict): Promise<void> | undefined {
    return verdict.fit ? this.#offer(connection) : this.#close(connection, verdict.reason, verdict.error)
  }

  #lost(connection: Connection<Client>): void {
    // A lent one is closed when it comes back: until then its owner finds out by its own query's error.
    if (connection.state.at === 'idle') this.#closeIdle(connection, 'lost')
  }

  #closeIdle(connection: Connection<Client>, reason: CloseReason): void {
    this.#idle.remove(connection)
    void this.#close(connection, reason)
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
    if (this.#state.is === 'closing') {
      if (this.slots.total > 0) return
      const { emptied } = this.#state
      this.#state = { is: 'closed' }
      this.wakeUp.letGo()
      this.wakeUp.stop()
      emptied()
      return
    }
    this.serve()
    this.fill()
  }

  /** Everything that is due, called by the one wake-up. Returns when the next thing is. */
  #work(now: number): number {
    // First what has failed, then who gives up: of a dial and its caller that end together, the dial has more to say.
    const agenda = Math.min(this.agenda.run(now), this.#patience.run(now))
    const expired = Math.min(this.#expireWaiters(now), shedLate(this, now, this.#parts.shed))
    const upkeep = this.#upkeep(now)
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

  #upkeep(now: number): number {
    const { slots, options } = this
    const plan = nextUpkeep(this.#idle.longestFirst(), {
      now,
      options,
      spare: slots.total - slots.closing - options.min,
      isChecking: slots.checking > 0,
    })
    for (const { connection, reason } of plan.close) this.#closeIdle(connection, reason)
    if (plan.check !== undefined && this.#idle.remove(plan.check)) void this.#check(plan.check)
    this.fill()
    return plan.nextAt
  }
}
