import { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import type { Lending } from '../lease/lending.js'
import { checkFunction } from '../options/check-function.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { Site } from '../ports/owner.js'
import type { Frame, HeldByFrame } from '../scope/frame.js'
import type { Savepoint, SavepointOwner, Savepoints } from './savepoints.js'
import type { Turns, TurnsDesk, TurnTaker } from './turns.js'

/** How a transaction stands. */
export type TransactionState =
  | { readonly is: 'open' }
  /** It goes on, and cannot be committed. */
  | { readonly is: 'rollback-only'; readonly because: unknown }
  /** `in doubt`: the connection was lost before the server had answered the commit. */
  | { readonly is: 'ended'; readonly as: 'committed' | 'rolled back' | 'in doubt' }

interface Hook {
  /** `end`: whatever becomes of the outermost transaction, because its own part has been rolled back already. */
  readonly on: 'commit' | 'rollback' | 'end'
  readonly run: () => unknown
}

/** What the server knows of a transaction: it is what all that joined have in common. */
export interface WholeTransaction<Client> {
  /** The lease on whose session it runs. */
  readonly base: Lending<Client>
  /** The handle through which the pool itself speaks. */
  readonly client: Client
  readonly savepoints: Savepoints
  /** Who may work on its session. */
  readonly turns: Turns
  readonly desk: TurnsDesk
  /** How long somebody who begins to wait for others does so. */
  waitsUntil(): number
  /** What its session carries; and what of that the transaction declared itself. */
  readonly settings: DeclaredSettings | undefined
  readonly ownSettings: DeclaredSettings | undefined
  /** What is still to be sent before it can end. */
  readonly undoing: Set<Promise<void>>
  /** Whether it met another one, which is known when it has ended. */
  mayRetry: boolean
  /**
   * Set when it is rolled back in any case, as a test: runs something that would be a transaction by itself, if the whole did
   * not go on around it.
   */
  readonly apart: RunApart<Client> | undefined
  /** From now on nothing need be undone by itself. */
  isRollingBack: boolean
  /** Why the connection is to be closed at the end, if it is. */
  discardBy: { readonly reason: unknown } | undefined
}

/** Runs what would be a transaction by itself as one inside another. */
export interface RunApart<Client> {
  run<R>(around: Transaction<Client>, send: () => PromiseLike<R>): Promise<Awaited<R>>
}

export interface TransactionFacts<Client> {
  readonly pool: string
  readonly poolId: number
  readonly label: string
  /** What it is a part of on the server; undefined when it runs without a transaction. */
  readonly whole: WholeTransaction<Client> | undefined
  /** The transaction that it has joined or lies in. */
  readonly parent: Transaction<Client> | undefined
  /** Whether it is a savepoint in its parent. */
  readonly isSavepoint: boolean
  /** The lease on which it runs, where it runs without a transaction. */
  readonly lending?: Lending<Client>
  /** The frame of the context in which it was asked for. */
  readonly outer: Frame | undefined
  /** Where it was asked for, if that was captured. */
  readonly site?: Site | undefined
}

const OPEN: TransactionState = { is: 'open' }

/**
 * One run of `pool.transaction`: all that asks the pool for a connection in its context gets that of the transaction. It is
 * given to the callback.
 */
export class Transaction<Client = unknown> implements Frame, SavepointOwner, TurnTaker {
  readonly isTransaction = true
  readonly isOrmsOwn = false
  readonly poolId: number
  readonly pool: string
  readonly label: string
  readonly holds: HeldByFrame | undefined
  readonly outer: Frame | undefined
  readonly parent: Transaction<Client> | undefined
  readonly whole: WholeTransaction<Client> | undefined
  /** Whether it is a savepoint in its parent. */
  readonly isSavepoint: boolean
  /** How many transactions it lies in. */
  readonly depth: number
  /** What shares its session, and dies with it. */
  readonly borrows: Set<Lending<Client>> = new Set()
  /** What lies in it and has not ended. */
  readonly #parts = new Set<Transaction<Client>>()
  readonly #site: Site | undefined
  #savepoint: Savepoint | undefined
  readonly #hooks: Hook[] = []
  #state: TransactionState = OPEN
  /** What became of its savepoint, once somebody else has ended that. */
  #outcome: 'committed' | 'rolled back' | undefined
  #isOver = false
  #ending: string | undefined

  /** Transactions are made by `pool.transaction`. */
  constructor(facts: TransactionFacts<Client>) {
    this.pool = facts.pool
    this.poolId = facts.poolId
    this.label = facts.label
    this.outer = facts.outer
    this.parent = facts.parent
    this.whole = facts.whole
    this.holds = facts.whole?.base ?? facts.lending
    this.depth = facts.parent === undefined ? 0 : facts.parent.depth + 1
    this.isSavepoint = facts.isSavepoint
    this.#site = facts.site
    if (facts.parent !== undefined) facts.parent.#parts.add(this)
  }

  /** Whose it is, and where it was asked for, for errors that must tell one from another. */
  get title(): string {
    const { place } = this
    return place === undefined ? this.label : `${this.label} ${place}`
  }

  /** Where it was asked for, if that was captured. */
  get place(): string | undefined {
    return this.#site?.place
  }

  /** Its savepoint, once that was made. */
  get savepoint(): Savepoint | undefined {
    return this.#savepoint
  }

  /** Whether its savepoint is still to be made. */
  get isToBegin(): boolean {
    return this.isSavepoint && this.#savepoint === undefined && this.#state.is === 'open'
  }

  /** Books its savepoint, which must then be sent. */
  begin(): Savepoint {
    if (this.whole === undefined || this.#savepoint !== undefined) throw new Error('bug in Leasehold: begun twice')
    this.#savepoint = this.whole.savepoints.open(this)
    return this.#savepoint
  }

  /** How it stands. One that has joined another stands as that one does. */
  get state(): TransactionState {
    const isPart = this.#state.is === 'open' && this.parent !== undefined && !this.isSavepoint
    return isPart ? (this.parent?.state ?? OPEN) : this.#state
  }

  /** What became of its savepoint, where somebody else makes and ends that: an ORM. */
  get outcome(): 'committed' | 'rolled back' {
    return this.#outcome ?? 'rolled back'
  }

  /** Somebody else has ended its savepoint. What still runs in it would do its work in the transaction around it: nothing more is let in. */
  endsAs(outcome: 'committed' | 'rolled back'): void {
    this.#outcome = outcome
  }

  /** Whether nothing more is let in: its callback has ended, or it has. */
  get isOver(): boolean {
    return (
      this.#isOver || this.#outcome !== undefined || this.parent?.isOver === true || this.whole?.base.open === false
    )
  }

  /** How it ended, for errors. */
  get ending(): string {
    if (this.#ending !== undefined) return this.#ending
    if (this.#outcome !== undefined) return `it was ${this.#outcome}`
    return this.whole?.base.open === false ? 'its connection was taken back' : (this.parent?.ending ?? 'it is ending')
  }

  /**
   * Calls `hook` when the outermost transaction has been committed, outside of it; not if this part of it was rolled back.
   * `pool.transaction` awaits what it returns, and rejects with what it throws: the transaction stays committed.
   */
  afterCommit(hook: () => unknown): void {
    this.#refuseHook('afterCommit', hook)
    this.#hooks.push({ on: 'commit', run: hook })
  }

  /** Calls `hook` when this part, or the outermost transaction, has been rolled back; after the end of the outermost, outside of it. */
  afterRollback(hook: () => unknown): void {
    this.#refuseHook('afterRollback', hook)
    this.#hooks.push({ on: 'rollback', run: hook })
  }

  owns(owner: SavepointOwner): boolean {
    return owner === this || this.parent?.owns(owner) === true
  }

  /** The innermost savepoint in which it lies. */
  get innermost(): Savepoint | undefined {
    return this.#savepoint ?? this.parent?.innermost
  }

  /** It can only be rolled back from now on: it, or what it is a part of. */
  doom(because: unknown): void {
    if (!this.isSavepoint && this.parent !== undefined) this.parent.doom(because)
    // A test goes on when something failed that it would have been outside of: it is rolled back in any case.
    else if (this.whole?.apart === undefined || this.parent !== undefined) this.#doomIt(because)
  }

  /** The outermost can only be rolled back: work of somebody else was undone, who does not know of it. */
  doomWhole(because: unknown): void {
    if (this.parent === undefined) this.#doomIt(because)
    else this.parent.doomWhole(because)
  }

  /** What is no function would be found out when it is too late; and nobody calls a hook of what has ended. */
  #refuseHook(name: string, hook: unknown): void {
    checkFunction(name, 'hook', hook)
    if (this.#state.is === 'ended') throw this.ended(name)
  }

  #doomIt(because: unknown): void {
    if (this.#state.is === 'open') this.#state = { is: 'rollback-only', because }
  }

  /** Lets nothing more in, and ends what shares the session. */
  close(ending: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ending = ending
    for (const part of this.#parts) part.close(ending)
    this.whole?.turns.withdraw(this, () => this.ended('transaction'))
    for (const borrow of this.borrows) borrow.end('its transaction ended')
  }

  /** Books how it ended, and hands its hooks to the transaction around it, which knows when they are due. */
  settle(as: 'committed' | 'rolled back' | 'in doubt'): void {
    this.#state = { is: 'ended', as }
    this.#ending = as === 'in doubt' ? 'its connection was lost' : `it was ${as}`
    if (this.parent === undefined) return
    this.parent.#parts.delete(this)
    // That a test is rolled back in the end is no news: what it committed has no hooks to run.
    if (as === 'committed' && this.whole?.apart !== undefined && this.parent.parent === undefined) return
    for (const { on, run } of this.#hooks) {
      if (as === 'committed') this.parent.#hooks.push({ on, run })
      else if (on !== 'commit') this.parent.#hooks.push({ on: 'end', run })
    }
  }

  get hasHooks(): boolean {
    return this.#hooks.length > 0
  }

  /** Runs the hooks that are due, one after the other. Throws what the first that fails throws, when all have run. */
  async runHooks(): Promise<void> {
    if (this.#state.is !== 'ended') return
    const { as } = this.#state
    const due = this.#hooks.filter(({ on }) => on === 'end' || (on === 'commit') === (as === 'committed'))
    let failure: { readonly error: unknown } | undefined
    for (const { on, run } of due) {
      // Nobody knows what became of it.
      if (as === 'in doubt' && on !== 'end') continue
      try {
        await run()
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure !== undefined) throw failure.error
  }

  /** The error of what is asked for in it when it has ended. */
  ended(operation: string): TransactionEndedError {
    return new TransactionEndedError({ pool: this.pool, label: this.label, operation, endedBy: this.ending })
  }

  conflict(what: string, remedy: string, cause?: unknown): TransactionConflictError {
    return new TransactionConflictError({ pool: this.pool, label: this.label, what, remedy, cause })
  }
}
