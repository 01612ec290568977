import type { Connection } from '../connection/connection.js'
import type { Holder } from '../errors/holder.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { SettingsFailedError } from '../errors/settings-failed-error.js'
import type { StatementAbortReason } from '../errors/statement-aborted-error.js'
import { channels } from '../events/channels.js'
import type { Pin } from '../events/pin.js'
import type { LeakKind } from '../events/pool-events.js'
import type { Connections } from '../pool/connections.js'
import { holdSocket } from '../pool/hold-socket.js'
import type { Slots } from '../pool/slots.js'
import type { Utilization } from '../pool/utilization.js'
import type { Driver } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import { CallSite, CallSites } from './call-sites.js'
import { Declarations } from './declarations.js'
import { describeLending } from './describe-lending.js'
import { Interrupts } from './interrupts.js'
import { LeakReports } from './leak-reports.js'
import type { LeakSite } from './leak-sites.js'
import { LeaseWatch } from './lease-watch.js'
import type { LeaseDesk } from './lease-desk.js'
import type { LeaseInTransaction } from './lease-in-transaction.js'
import type { LeaseTerms } from './lease-terms.js'
import { KEEP, Lending } from './lending.js'
import { TiedTerms } from './tied-terms.js'

/** Totals over all leases that have ended. */
export interface LeaseTotals {
  readonly granted: number
  readonly released: number
  /** Milliseconds that ended leases were held. */
  readonly heldMs: number
  /** Milliseconds of these in which the database worked. */
  readonly busyMs: number
  readonly leaks: Readonly<Record<LeakKind, number>>
  readonly leakSites: readonly LeakSite[]
}

/** Grants leases on the connections of one pool, takes them back, and watches over those that go on. */
export class Leases<Client> implements LeaseDesk<Client> {
  readonly pool: string
  readonly driver: Driver<Client>
  readonly observe: boolean
  readonly sites: CallSites
  readonly follows: boolean
  readonly #connections: Connections<Client>
  readonly #poolId: number
  readonly #now: () => number
  readonly #reports: LeakReports<Client>
  readonly #watch: LeaseWatch<Client>
  readonly #interrupts: Interrupts<Client>
  readonly #declarations: Declarations<Client>
  readonly #slots: Slots
  readonly #utilization: Utilization
  /** Of connections that are being cleaned or closed, since they were given back. */
  readonly #recycling = new Set<Promise<void>>()
  /**
   * The first lease that ended, kept for its shape: where a collection finds none alive, V8 throws away what it has compiled for
   * leases, and in benchmarks that collect between their rounds each lease took half as long again.
   */
  #first: Lending<Client> | undefined
  #described: { readonly asOf: string; readonly holders: readonly Holder[] } | undefined
  #granted = 0
  #released = 0
  #heldMs = 0
  #busyMs = 0

  constructor(connections: Connections<Client>, poolId: number) {
    const { options } = connections
    this.#connections = connections
    this.#poolId = poolId
    this.pool = options.name
    this.driver = connections.driver
    this.observe = options.observe
    this.#now = () => options.clock.now()
    const { slots, queue } = connections
    // This one included, half of all connections are in use.
    const isScarce = (): boolean => 2 * (slots.lent + queue.size + 1) >= slots.limit
    this.sites = new CallSites(options.captureSites, this.#now, isScarce)
    this.#reports = new LeakReports(options.name, poolId, this.sites)
    this.#watch = new LeaseWatch(connections, this.#reports)
    this.follows = this.#watch.forgotten !== undefined
    this.#slots = slots
    this.#utilization = connections.utilization
    this.#interrupts = new Interrupts(connections, poolId)
    this.#declarations = new Declarations(connections.driver)
  }

  get totals(): LeaseTotals {
    return {
      granted: this.#granted,
      released: this.#released,
      heldMs: this.#heldMs,
      busyMs: this.#busyMs,
      leaks: this.#reports.counts,
      leakSites: this.#reports.sites,
    }
  }

  now(): number {
    return this.#now()
  }

  /** Lends `connection` from `now` on. */
  grant(connection: Connection<Client>, terms: LeaseTerms, now: number): Lending<Client> {
    const { options, driver, wakeUp } = this.#connections
    const lending = new Lending(this, terms, connection, now, undefined)
    connection.lend(lending)
    connection.ledger.turnPage()
    if (options.allowExitOnIdle) holdSocket(driver, connection.client, true)
    terms.holder?.holds(lending)
    wakeUp.notLaterThan(this.#watch.firstLook(now, terms.isLong))
    terms.opens?.claim(lending)
    this.#granted += 1
    if (this.#slots.lent > this.#utilization.noticedAbove) this.#utilization.noticed(now)
    if (terms.settings !== undefined || !connection.ledger.carries(undefined)) this.#declareOrThrow(lending)
    return lending
  }

  /** Has the session carry what its owner declares, with the owner's next statement. Returns why not, and it is over then. */
  declare({ connection, terms }: Lending<Client>): SettingsFailedError | undefined {
    // As long as nobody has declared any, all connections are alike.
    if (terms.settings !== undefined) this.#connections.mayCarry = true
    return this.#declarations.declare(connection, terms.settings)
  }

  /** Has the session carry nothing that anybody declared, with the next statement. */
  declareNone({ connection }: Lending<Client>): SettingsFailedError | undefined {
    return this.#declarations.declare(connection, undefined)
  }

  /** Lets another lease share the connection of `base`. */
  borrow(base: Lending<Client>, terms: LeaseTerms, joined?: LeaseInTransaction): Lending<Client> {
    const lending = new Lending(this, terms, base.connection, this.#now(), base, joined)
    terms.opens?.claim(lending)
    terms.holder?.holds(lending)
    return lending
  }

  ended(lending: Lending<Client>, now: number, discarded: unknown): Promise<void> | undefined {
    const heldMs = lending.heldMs(now)
    const busyMs = lending.busyMs(now)
    if (this.#first === undefined) this.#first = lending
    this.#released += 1
    this.#heldMs += heldMs
    this.#busyMs += busyMs
    const { connection } = lending
    if (this.#slots.lent - 1 <= this.#utilization.noticedBelow) this.#utilization.noticed(now)
    this.#declarations.undeclare(connection)
    if (channels.release.hasSubscribers) {
      const { pool, label } = { pool: this.pool, label: lending.label }
      channels.release.publish({ pool, poolId: this.#poolId, label, connection: connection.id, heldMs, busyMs })
    }
    if (lending.overdue && lending.endedBy !== 'it was held for too long') this.#reports.returned(lending, now)
    if (discarded === KEEP && this.#tie(lending, now)) return undefined
    const recycled =
      discarded === KEEP
        ? this.#connections.giveBack(connection, lending, now)
        : this.#connections.discard(connection, discarded)
    if (recycled !== undefined) this.#remember(recycled)
    return recycled
  }

  /** Resolves when no connection that was given back is being cleaned or closed any more. */
  async recycled(): Promise<void> {
    while (this.#recycling.size > 0) await Promise.all(this.#recycling)
  }

  follow(lending: Lending<Client>, handle: object): void {
    this.#watch.forgotten?.follow(lending, handle)
  }

  /** A session that was tied to its scope, and carries nothing any more, is everybody's again. */
  unshared(base: Lending<Client>): void {
    const { ledger } = base.connection
    if (!(base.terms instanceof TiedTerms) || !base.open) return
    // A transaction that a borrower left open is no state for the scope to go on with: it is undone with all the rest.
    if (ledger.transaction === 'idle' && ledger.isPinned) return
    base.terms.holder.keepsNoMore(this.#poolId)
    base.release()
  }

  /**
   * What a lone statement left on its session in a scope of mode `transaction` is for the scope's next statements: the
   * session stays with the scope. What was left in a transaction, or on a handle that was borrowed, is not.
   */
  #tie({ terms, connection, owner }: Lending<Client>, now: number): boolean {
    const { holder, isLone, mode } = terms
    if (!isLone || holder === undefined || mode !== 'transaction' || this.observe) return false
    const { ledger } = connection
    if (!ledger.isPinned || !ledger.isQuiet || ledger.transaction !== 'idle' || ledger.hasBegun) return false
    if (ledger.lostBy !== undefined) return false
    const kept = new Lending(this, new TiedTerms(terms, holder, owner), connection, now, undefined)
    if (!holder.keeps(this.#poolId, kept)) return false
    connection.pass(kept)
    this.#granted += 1
    return true
  }

  /**
   * Takes a lease away because its scope has closed. A statement that runs may finish within `closeGraceMs`, and so may
   * those that follow it without a pause; what is then still held is taken as it is, and cancelled and rolled back by
   * the recycling.
   */
  takeBack(lending: Lending<Client>): Promise<void> {
    if (!lending.open) return lending.recycled
    const { agenda, options } = this.#connections
    if (this.observe || options.leaks.leftOver !== 'reclaim') {
      this.#leave(lending)
      return Promise.resolve()
    }
    const { ledger } = lending.connection
    if (ledger.isQuiet) {
      this.#reclaim(lending)
      return lending.recycled
    }
    const graceOver = agenda.at(this.#now() + options.closeGraceMs, () => this.#reclaim(lending))
    const look = (): void => {
      if (!lending.open) graceOver()
      else if (ledger.isQuiet) {
        graceOver()
        this.#reclaim(lending)
      } else afterStatement()
    }
    // One turn of the event loop later, so that whoever awaited the statement can release or go on by itself.
    const afterStatement = (): void => ledger.onQuiet(() => void agenda.at(this.#now(), look))
    afterStatement()
    return lending.recycled
  }

  interrupt(lending: Lending<Client>, ...why: [StatementAbortReason, unknown, boolean | undefined]): void {
    this.#interrupts.abort(lending, ...why)
  }

  /** Fails what runs on the connection of `lending` with `error`, at once, and cancels it. */
  fail(lending: Lending<Client>, error: LeaseholdError): void {
    this.#interrupts.fail(lending, undefined, error)
  }

  /** Takes every lease away: the pool's own deadline has passed. */
  takeBackAll(): void {
    for (const { state } of this.#connections.all) {
      if (state.at === 'lent' && state.to instanceof Lending) state.to.endClosing('the pool closed', 'the pool closed')
    }
  }

  wouldRefuse(lending: Lending<Client>, why: string): void {
    this.#reports.wouldDo('refuse', why, lending.label)
  }

  /** Somebody who would have been refused before there was a lease. */
  wouldRefuseCaller(label: string, why: string): void {
    this.#reports.wouldDo('refuse', why, label)
  }

  /** Who holds connections now, the longest first. */
  holders(): readonly Holder[] {
    const now = this.#now()
    // When a burst of waiters gives up together, each of their errors names the same holders.
    const asOf = `${now} ${this.#granted} ${this.#released}`
    if (this.#described?.asOf !== asOf) {
      const holders = this.lendings.map((lending) => describeLending(lending, now))
      this.#described = { asOf, holders: holders.sort((a, b) => b.heldMs - a.heldMs) }
    }
    return this.#described.holders
  }

  /** Pins are rare, so that each may know where it was made. */
  siteOf(below: (...args: never[]) => unknown): Site | undefined {
    return this.#connections.options.captureSites === 'off' ? undefined : new CallSite(below)
  }

  /** What ties the session to its owner now. */
  pinsOf(lending: Lending<Client>, now: number): readonly Pin[] {
    return this.#connections.reports.pinsOf(lending.connection, now)
  }

  /** Looks after the leases that go on. Returns when it must look again. */
  watch(now: number): number {
    this.sites.refill()
    return Math.min(this.#interrupts.watch(now), this.#watch.look(this.lendings, now))
  }

  /** The leases that hold connections now; not those that share one. */
  get lendings(): ReadonlyArray<Lending<Client>> {
    const lendings: Array<Lending<Client>> = []
    for (const { state } of this.#connections.all) {
      if (state.at === 'lent' && state.to instanceof Lending) lendings.push(state.to)
    }
    return lendings
  }

  #declareOrThrow(lending: Lending<Client>): void {
    const failure = this.declare(lending)
    if (failure !== undefined) throw failure
  }

  #reclaim(lending: Lending<Client>): void {
    if (!lending.open) return
    if (!lending.terms.isShared) this.#reports.report('left-over', lending, true)
    lending.end('its scope closed')
  }

  /** Its scope has closed, and it is not to be taken away. */
  #leave(lending: Lending<Client>): void {
    // A session that a scope shares was taken by the pool itself: nobody else would ever give it back.
    if (lending.terms.isShared) return lending.endUnshared()
    const { leftOver } = this.#connections.options.leaks
    if (leftOver === 'report') this.#reports.report('left-over', lending, false)
    else if (leftOver === 'reclaim') this.#reports.wouldDo('reclaim', 'left over when its scope closed', lending.label)
  }

  #remember(recycled: Promise<void>): void {
    this.#recycling.add(recycled)
    void recycled.then(() => this.#recycling.delete(recycled))
  }
}
