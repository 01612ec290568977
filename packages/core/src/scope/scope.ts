import { isLeaseholdError } from '../errors/leasehold-error.js'
import { ScopeClosedError } from '../errors/scope-closed-error.js'
import type { HeldLease, KeptSession, LeaseHolder } from '../lease/lease-holder.js'
import { checkFunction } from '../options/check-function.js'
import type { Priority } from '../options/pool-options.js'
import type { Clock } from '../ports/clock.js'
import type { PoolMode } from '../ports/driver.js'
import type { Settings } from '../ports/settings.js'
import { askForLabel } from './ask-for-label.js'
import { type Context, currentContext, runInContext, runOutsideContext } from './context.js'
import { deadlineReason, isDeadlineReason } from './deadline-reason.js'
import { DeadlineWatch, type Deadlined } from './deadline-watch.js'
import { followSignal, leaveSignal, type SignalFollower } from './follow-signal.js'
import type { PoolIdentity, ScopeSettings } from './scope-settings.js'

/** What a scope is opened with. */
export interface ScopeFacts {
  readonly label: string | (() => string)
  readonly signal: AbortSignal | undefined
  /** That of the scope around it. */
  readonly outerSignal: AbortSignal | undefined
  readonly deadlineAt: number
  readonly priority: Priority
  readonly mode: PoolMode | undefined
  readonly clock: Clock
  /** Whether what runs in its name is cancelled when it aborts; undefined leaves it to each pool. */
  readonly cancelOnAbort: boolean | undefined
  /** Undefined until something is declared, here or around. */
  readonly settings: ScopeSettings | undefined
  /** Makes them when the first is declared later. */
  readonly makeSettings: () => ScopeSettings
}

type ScopeState =
  { readonly is: 'open' } | { readonly is: 'closing'; readonly done: Promise<void> } | { readonly is: 'closed' }

/** Why nothing more is granted in a scope's name. */
export interface ScopeAbort {
  readonly why: 'closed' | 'deadline' | 'signal'
  /** The reason of the scope's signal. */
  readonly reason: unknown
}

/** A caller that waits in the scope's name and must be sent away when the scope ends. */
export interface PendingAcquire {
  /** The scope's own bookmark. */
  pendingAt: number
  abandon(abort: ScopeAbort): void
}

/**
 * One unit of work: a request, a job, a message. Nothing is borrowed until its first query, and when it closes
 * everything that it still holds is taken back.
 */
export class Scope implements LeaseHolder, Deadlined, SignalFollower {
  readonly #label: string | (() => string)
  readonly priority: Priority
  readonly mode: PoolMode | undefined
  readonly deadlineAt: number
  readonly cancelOnAbort: boolean | undefined
  readonly #clock: Clock
  readonly #context: Context
  readonly #own: AbortSignal | undefined
  readonly #outer: AbortSignal | undefined
  readonly #held: HeldLease[] = []
  readonly #makeSettings: () => ScopeSettings
  #settings: ScopeSettings | undefined
  #pending: PendingAcquire[] = []
  #shared: Map<number, Promise<unknown>> | undefined
  #tied: Map<number, KeptSession> | undefined
  #controller: AbortController | undefined
  #aborted: ScopeAbort | undefined
  #state: ScopeState = { is: 'open' }

  /** Scopes are made by `openScope` and `runInScope`. */
  constructor(facts: ScopeFacts) {
    this.#label = facts.label
    this.priority = facts.priority
    this.mode = facts.mode
    this.cancelOnAbort = facts.cancelOnAbort
    this.#clock = facts.clock
    this.deadlineAt = facts.deadlineAt
    this.#context = { scope: this, frame: undefined }
    this.#settings = facts.settings
    this.#makeSettings = facts.makeSettings
    this.#own = facts.signal
    this.#outer = facts.outerSignal
    if (this.#own !== undefined) this.#follow(this.#own)
    if (this.#outer !== undefined) this.#follow(this.#outer)
    if (this.deadlineAt !== Number.POSITIVE_INFINITY) DeadlineWatch.of(facts.clock, runOutsideContext).add(this)
  }

  /** What it is, in errors, reports and snapshots. It may become more exact while the scope is open. */
  get label(): string {
    return typeof this.#label === 'string' ? this.#label : askForLabel(this.#label)
  }

  /** Whether work may still borrow in its name. */
  get isOpen(): boolean {
    return this.#state.is === 'open'
  }

  /** Aborts when the scope closes, when its deadline passes, or when the signal that it was given aborts. */
  get signal(): AbortSignal {
    // Made when first asked for: most requests never do, and a controller costs more than a lease.
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  /** How many leases are held in its name. */
  get held(): number {
    return this.#held.length
  }

  /** Milliseconds until its deadline; `Infinity` when it has none. */
  remainingMs(): number {
    return this.deadlineAt === Number.POSITIVE_INFINITY ? this.deadlineAt : this.deadlineAt - this.#clock.now()
  }

  /** Its deadline on the scale of another clock: a pool in a test may keep its own time. */
  deadlineOn(clock: Clock): number {
    return clock === this.#clock ? this.deadlineAt : clock.now() + this.remainingMs()
  }

  /**
   * Declares settings for leases that are granted from now on, over those declared before, name by name: after
   * authentication, `scope.set({ 'app.tenant_id': tenant })`. In a scope of mode `session` they also hold from the next
   * statement on; they cannot change inside a transaction, where that statement is refused.
   *
   * @param pool the pool, or its facade, that they are for; default all.
   * @throws {InvalidOptionsError} for names and values that no setting can have.
   * @throws {ScopeClosedError} when the scope has closed.
   */
  set(settings: Settings, pool?: PoolIdentity): void {
    if (!this.isOpen) throw new ScopeClosedError({ label: this.label })
    this.#settings ??= this.#makeSettings()
    this.#settings.set(settings, pool)
    // Those of this moment: one whose driver fails at it is over.
    for (const lease of Array.from(this.#held)) lease.settingsChanged()
  }

  /** What it declares; undefined when that is nothing. */
  get settings(): ScopeSettings | undefined {
    return this.#settings
  }

  /** Why nothing more is granted in its name, if that is so. */
  get aborted(): ScopeAbort | undefined {
    return this.#aborted
  }

  /** Runs `work` with this scope as the current one. @throws {InvalidOptionsError} for what is no function. */
  run<R>(work: () => R): R {
    if (typeof work !== 'function') checkFunction('run', 'work', work)
    // A transaction around it goes on: it is the connection's, and not a unit of work.
    const frame = currentContext()?.frame
    return runInContext(frame === undefined ? this.#context : { scope: this, frame }, work)
  }

  /** A function that does what `callback` does, with this scope as the current one. */
  bind<A extends unknown[], R>(callback: (...args: A) => R): (...args: A) => R {
    checkFunction('bind', 'callback', callback)
    return (...args) => this.run(() => callback(...args))
  }

  /**
   * Ends the scope: aborts its signal, sends its waiting callers away, and takes back all that it holds. A second call
   * joins the first.
   *
   * @param reason why it ends before its time, if it does: then what runs is cancelled at once (see `cancelOnAbort`).
   * @returns resolves when nothing is held in its name and what was held is fit for the next owner. Never rejects.
   */
  close(reason?: unknown): Promise<void> {
    if (this.#state.is === 'closing') return this.#state.done
    if (this.#state.is === 'closed') return Promise.resolve()
    if (this.deadlineAt !== Number.POSITIVE_INFINITY) DeadlineWatch.of(this.#clock, runOutsideContext).remove(this)
    if (this.#own !== undefined) leaveSignal(this.#own, this)
    if (this.#outer !== undefined) leaveSignal(this.#outer, this)
    // Set before the signal aborts: its listeners may acquire, and must not be granted what nobody would take back.
    this.#state = { is: 'closed' }
    this.#abort(reason === undefined ? new OrderlyEnd(this) : { why: 'closed', reason })
    if (this.#held.length === 0) return Promise.resolve()
    // Last granted first: what shares a session is taken before the session itself.
    const taken = [...this.#held].reverse().map((lease) => lease.takeBack())
    const done = Promise.all(taken).then(() => {
      this.#state = { is: 'closed' }
    })
    this.#state = { is: 'closing', done }
    return done
  }

  expire(): void {
    this.#abort({ why: 'deadline', reason: deadlineReason(this.label) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  holds(lease: HeldLease): void {
    lease.heldAt = this.#held.length
    this.#held.push(lease)
  }

  drops(lease: HeldLease): void {
    const last = this.#held.pop()
    if (last === undefined || last === lease) return
    // The last one moves into the gap, so that dropping takes constant time.
    this.#held[lease.heldAt] = last
    last.heldAt = lease.heldAt
  }

  waits(pending: PendingAcquire): void {
    pending.pendingAt = this.#pending.length
    this.#pending.push(pending)
  }

  waitsNoMore(pending: PendingAcquire): void {
    if (this.#pending[pending.pendingAt] !== pending) return
    const last = this.#pending.pop()
    if (last === undefined || last === pending) return
    this.#pending[pending.pendingAt] = last
    last.pendingAt = pending.pendingAt
  }

  keeps(poolId: number, session: KeptSession): boolean {
    if (!this.isOpen || this.#aborted !== undefined) return false
    this.#tied ??= new Map()
    this.#tied.set(poolId, session)
    this.holds(session)
    return true
  }

  keepsNoMore(poolId: number): void {
    this.#tied?.delete(poolId)
  }

  /** The session that is tied to the scope by what a lone statement left on it. */
  tiedOn(poolId: number): KeptSession | undefined {
    return this.#tied?.get(poolId)
  }

  /** The scope's own session on the pool with this id, in `session` mode. */
  sharedOn<T>(poolId: number): Promise<T> | undefined {
    return this.#shared?.get(poolId) as Promise<T> | undefined
  }

  shareOn(poolId: number, shared: Promise<unknown> | undefined): void {
    this.#shared ??= new Map()
    if (shared === undefined) this.#shared.delete(poolId)
    else this.#shared.set(poolId, shared)
  }

  /** One that it follows has aborted. */
  signalAborted(): void {
    const reason: unknown = this.#own?.aborted === true ? this.#own.reason : this.#outer?.reason
    // That of the scope around it passes on what befell that one.
    this.#abort({ why: isDeadlineReason(reason) ? 'deadline' : 'signal', reason })
  }

  #follow(signal: AbortSignal): void {
    if (signal.aborted) this.signalAborted()
    else followSignal(signal, this)
  }

  /**
   * Aborts the signal, sends waiting callers away, and cancels what runs, unless the scope has just come to its end; what is
   * held stays held until it closes.
   */
  #abort(abort: ScopeAbort): void {
    if (this.#aborted !== undefined) return
    this.#aborted = abort
    const pending = this.#pending
    this.#pending = []
    for (const acquire of pending) acquire.abandon(abort)
    if (this.cancelOnAbort !== false && !isOrderly(abort)) {
      // Those of this moment: whoever learns of it may give its lease back.
      const held = Array.from(this.#held)
      for (const lease of held) lease.interrupt(abort.why, abort.reason, this.cancelOnAbort)
    }
    this.#controller?.abort(abort.reason)
  }
}

/** A scope has come to its end as every scope does, or one around it. */
function isOrderly(abort: ScopeAbort): boolean {
  if (abort instanceof OrderlyEnd) return true
  return isLeaseholdError(abort.reason) && abort.reason.code === 'LEASEHOLD_SCOPE_CLOSED'
}

/** That a scope closed as every scope does. An error is made of it only for whoever asks for the reason: few do. */
class OrderlyEnd implements ScopeAbort {
  readonly why = 'closed'
  readonly #scope: Scope
  #reason: ScopeClosedError | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  get reason(): ScopeClosedError {
    return (this.#reason ??= new ScopeClosedError({ label: this.#scope.label }))
  }
}
