import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import { Lease } from '../lease/lease.js'
import type { Lending } from '../lease/lending.js'
import { declareSettings } from '../options/declared-settings.js'
import type { TransactionOptions } from '../options/transaction-options.js'
import type { DriverTransactions, TransactionModes } from '../ports/transactions.js'
import { currentContext, runInContext } from '../scope/context.js'
import type { Scope, ScopeAbort } from '../scope/scope.js'
import { type Savepoint, Savepoints } from './savepoints.js'
import { shareSession } from './share-session.js'
import { Transaction, type WholeTransaction } from './transaction.js'
import type { TransactionDesk } from './transaction-desk.js'
import { whileWanted } from './while-wanted.js'

/** What runs in a transaction. */
export type TransactionWork<Client, R> = (client: Client, transaction: Transaction<Client>) => R | PromiseLike<R>

type Outcome<R> =
  { readonly is: 'done'; readonly result: Awaited<R> } | { readonly is: 'failed'; readonly error: unknown }

const FIRST_BACKOFF_MS = 10
const MOST_BACKOFF_MS = 1_000
/** What took too long may be quick when there is less to do. */
const RETRY_AFTER_MS = 1_000

const HOW_SCOPES_END: Readonly<Record<ScopeAbort['why'], string>> = {
  closed: 'its scope closed before it was committed',
  deadline: 'the deadline of its scope passed before it was committed',
  signal: 'the signal of its scope aborted before it was committed',
}

/** One call of `pool.transaction`. */
export class TransactionRun<Client> {
  readonly #desk: TransactionDesk<Client>
  readonly #port: DriverTransactions<Client>
  readonly #options: TransactionOptions
  readonly #deadlineAt: number
  /** Whose work it is: when that ends, it must not be committed any more. Undefined for work after the end of its scope. */
  readonly #scope: Scope | undefined

  constructor(desk: TransactionDesk<Client>, port: DriverTransactions<Client>, options: TransactionOptions) {
    this.#desk = desk
    this.#port = port
    this.#options = options
    this.#deadlineAt = desk.clock.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY)
    const scope = currentContext()?.scope
    this.#scope = scope?.aborted === undefined ? scope : undefined
  }

  /** Begins a transaction on a connection of its own; once more, from the beginning, as often as it may be retried. */
  async begin<R>(work: TransactionWork<Client, R>): Promise<Awaited<R>> {
    const retries = this.#options.retries ?? 0
    for (let attempt = 0; ; attempt += 1) {
      const whole = await this.#open()
      const transaction = this.#transaction(whole, undefined, false)
      const outcome = await this.#attempt(transaction, whole, work)
      if (outcome.is === 'done') {
        await transaction.runHooks()
        return outcome.result
      }
      // Why the work failed matters more than that a hook did.
      await transaction.runHooks().catch(() => {})
      if (attempt >= retries || !whole.mayRetry) throw outcome.error
      await this.#pause(attempt, outcome.error)
    }
  }

  /** Runs inside another transaction: as a part of it, or as a savepoint in it. */
  async inside<R>(
    around: Transaction<Client>,
    isSavepoint: boolean,
    work: TransactionWork<Client, R>,
  ): Promise<Awaited<R>> {
    const { whole } = around
    if (whole === undefined) throw new Error('bug in Leasehold: there is no transaction to join')
    await this.#refuseOtherTerms(around, whole)
    const transaction = this.#transaction(whole, around, isSavepoint)
    if (isSavepoint) await this.#makeSavepoint(transaction, whole)
    try {
      const result = await this.#perform(transaction, this.#clientOf(transaction, whole), work)
      await this.#endInner(transaction, whole)
      return result
    } catch (error) {
      if (transaction.state.is !== 'ended') await this.#undoInner(transaction, whole, error)
      throw error
    }
  }

  /** Runs without a transaction, on a connection of its own. */
  async without<R>(work: TransactionWork<Client, R>): Promise<Awaited<R>> {
    const lending = await this.#acquire()
    const transaction = this.#transaction(undefined, undefined, false)
    let result: Awaited<R>
    try {
      result = await this.#perform(transaction, new Lease(lending).client, work)
      transaction.settle('committed')
    } catch (error) {
      transaction.settle('rolled back')
      await transaction.runHooks().catch(() => {})
      throw error
    } finally {
      lending.release()
    }
    await transaction.runHooks()
    return result
  }

  async #attempt<R>(
    transaction: Transaction<Client>,
    whole: WholeTransaction<Client>,
    work: TransactionWork<Client, R>,
  ): Promise<Outcome<R>> {
    try {
      const result = await this.#perform(transaction, this.#clientOf(transaction, whole), work)
      await this.#commit(transaction, whole)
      return { is: 'done', result }
    } catch (error) {
      if (transaction.state.is !== 'ended') await this.#rollBack(transaction, whole)
      return { is: 'failed', error }
    }
  }

  async #open(): Promise<WholeTransaction<Client>> {
    const base = await this.#acquire()
    const { client } = new Lease(base)
    const ownSettings = declareSettings(this.#options.settings)
    const { settings } = base.terms
    try {
      await this.#port.begin(client, this.#modes)
    } catch (error) {
      base.release()
      throw error
    }
    return {
      base,
      client,
      settings,
      ownSettings,
      savepoints: new Savepoints(),
      undoing: new Set(),
      mayRetry: false,
      isRollingBack: false,
      discardBy: undefined,
    }
  }

  async #commit(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    await this.#close(transaction, whole)
    const { base, client } = whole
    const { ledger } = base.connection
    if (!(await this.#isQuiet(base))) {
      throw transaction.conflict(
        `a statement of ${transaction.label} still ran when its transaction was to be committed`,
        'Await all statements inside the transaction, and close cursors',
      )
    }
    // It may have taken a while to become quiet.
    this.#refuseWhenAborted(transaction)
    let became: 'committed' | 'rolled back'
    try {
      became = await this.#port.commit(client)
    } catch (error) {
      // Answered by an error, it was rolled back; not answered, it may have come to either.
      transaction.settle(ledger.lostBy === undefined ? 'rolled back' : 'in doubt')
      this.#giveBack(whole)
      throw error
    }
    transaction.settle(became)
    this.#giveBack(whole)
    if (became === 'rolled back') throw failedInside(transaction, undefined)
  }

  /** Lets nothing more into a transaction that is to be committed, and sees to it that it may be. */
  async #close(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    transaction.close('its callback has ended')
    while (whole.undoing.size > 0) await Promise.all(whole.undoing)
    this.#refuseWhenAborted(transaction)
    if (!whole.base.open) {
      const { label, ending: endedBy } = transaction
      const operation = 'commit'
      throw new TransactionEndedError({ pool: this.#desk.leases.pool, label, operation, endedBy })
    }
    const { lostBy } = whole.base.connection.ledger
    if (lostBy !== undefined) throw lostBy
    const { state } = transaction
    if (state.is === 'rollback-only') throw failedInside(transaction, state.because)
  }

  async #rollBack(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    whole.isRollingBack = true
    transaction.settle('rolled back')
    transaction.close('it was rolled back')
    const { base, client } = whole
    if (!base.open) return base.recycled
    const { ledger } = base.connection
    // What still runs is cancelled by the recycling, which also rolls back; not that of a session which goes on.
    if (!ledger.isQuiet && !ledger.isSettling && base.base === undefined && !this.#desk.leases.observe) {
      this.#giveBack(whole)
      return base.recycled
    }
    try {
      await this.#port.rollback(client)
    } catch (error) {
      whole.discardBy ??= { reason: error }
    }
    this.#giveBack(whole)
  }

  async #makeSavepoint({ savepoint }: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    if (savepoint === undefined) return
    try {
      await this.#port.savepoint(whole.client, savepoint.name)
    } catch (error) {
      whole.savepoints.undo(savepoint, false)
      throw error
    }
  }

  async #endInner(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    await this.#close(transaction, whole)
    const { savepoint } = transaction
    if (savepoint !== undefined) await this.#release(transaction, whole, savepoint)
    transaction.settle('committed')
  }

  async #release(
    transaction: Transaction<Client>,
    { savepoints, client }: WholeTransaction<Client>,
    savepoint: Savepoint,
  ): Promise<void> {
    if (!savepoints.has(savepoint)) throw undoneByOthers(transaction)
    const isOnTop = savepoints.isOnTop(savepoint)
    const other = savepoints.close(savepoint)
    // Below another one it stays on the server, until that or all ends.
    if (!isOnTop) return
    try {
      await this.#port.release(client, savepoint.name)
    } catch (error) {
      if (other !== undefined) transaction.doomWhole(undid(transaction, other.label))
      await this.#rollBackTo(transaction, client, savepoint)
      transaction.settle('rolled back')
      throw failedInside(transaction, error)
    }
  }

  async #undoInner(
    transaction: Transaction<Client>,
    { savepoints, client, base }: WholeTransaction<Client>,
    because: unknown,
  ): Promise<void> {
    const { savepoint } = transaction
    if (savepoint === undefined) transaction.doom(because)
    const isThere = savepoint !== undefined && savepoints.has(savepoint)
    const other = isThere ? savepoints.undo(savepoint, false) : undefined
    if (other !== undefined) transaction.doomWhole(undid(transaction, other.label))
    // What was begun inside lies in the savepoint, and need not be undone by itself.
    transaction.close('it was rolled back')
    if (isThere && base.open) await this.#rollBackTo(transaction, client, savepoint)
    transaction.settle('rolled back')
  }

  async #rollBackTo(transaction: Transaction<Client>, client: Client, { name }: Savepoint): Promise<void> {
    try {
      await this.#port.rollbackTo(client, name)
    } catch (error) {
      transaction.doomWhole(error)
    }
  }

  /** Runs the work in the context of its transaction, no longer than the deadline and its scope allow. */
  async #perform<R>(
    transaction: Transaction<Client>,
    client: Client,
    work: TransactionWork<Client, R>,
  ): Promise<Awaited<R>> {
    this.#refuseWhenAborted(transaction)
    const context = { scope: currentContext()?.scope, frame: transaction }
    // What it returns may be a lazy query: it is awaited inside.
    const performed = runInContext(context, async (): Promise<Awaited<R>> => await work(client, transaction))
    return whileWanted(performed, {
      scope: this.#scope,
      deadlineAt: this.#deadlineAt,
      wake: (at, callback) => this.#desk.wake(at, callback),
      over: (abort) => this.#over(transaction, abort),
    })
  }

  #refuseWhenAborted(transaction: Transaction<Client>): void {
    if (this.#scope?.aborted !== undefined) throw this.#over(transaction, this.#scope.aborted)
  }

  /** @param abort how its scope ended; undefined when it took longer than it may. */
  #over({ label }: Transaction<Client>, abort: ScopeAbort | undefined): TransactionEndedError {
    const { pool } = this.#desk.leases
    const endedBy =
      abort === undefined ? `it took longer than its ${this.#options.timeoutMs} ms` : HOW_SCOPES_END[abort.why]
    const retryAfterMs = abort === undefined || abort.why === 'deadline' ? RETRY_AFTER_MS : undefined
    return new TransactionEndedError({ pool, label, operation: 'commit', endedBy, retryAfterMs, cause: abort?.reason })
  }

  #acquire(): Promise<Lending<Client>> {
    const { acquireTimeoutMs, clock } = this.#desk
    const timeoutMs = Math.max(0, Math.min(acquireTimeoutMs, this.#deadlineAt - clock.now()))
    return this.#desk.acquire({ timeoutMs, settings: this.#options.settings })
  }

  #transaction(
    whole: WholeTransaction<Client> | undefined,
    parent: Transaction<Client> | undefined,
    isSavepoint: boolean,
  ): Transaction<Client> {
    const { leases, poolId } = this.#desk
    const outer = currentContext()
    const label = whole?.base.label ?? outer?.scope?.label ?? 'work outside any scope'
    return new Transaction({ pool: leases.pool, poolId, label, whole, parent, isSavepoint, outer: outer?.frame })
  }

  #clientOf(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Client {
    return new Lease(shareSession(this.#desk.leases, transaction, whole, whole.base.terms, true)).client
  }

  #giveBack(whole: WholeTransaction<Client>): void {
    const { base, client, discardBy } = whole
    // Asked while it is still known: the next owner may begin one at once.
    whole.mayRetry = this.#port.mayRetry(client)
    if (discardBy === undefined) base.release()
    else base.discard(discardBy.reason)
  }

  get #modes(): TransactionModes {
    const { isolation, readOnly, deferrable } = this.#options
    return { isolation, readOnly, deferrable }
  }

  /** A part of a transaction runs as that one does, or not at all. */
  async #refuseOtherTerms(around: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    const settings = declareSettings(this.#options.settings)
    for (const [name, value] of settings ?? []) {
      if (whole.settings?.get(name) !== value) throw differs(around, `setting ${name}`)
    }
    const asked = Object.entries(this.#modes).filter(([, mode]) => mode !== undefined)
    if (asked.length === 0) return
    const inForce = await this.#port.modes(whole.client)
    for (const [name, mode] of asked) {
      if (inForce[name as keyof TransactionModes] !== mode) throw differs(around, `${name} ${mode}`)
    }
  }

  /** Waits for a while, longer each time, and never as long as another one; throws `error` when there is no time for it. */
  async #pause(attempt: number, error: unknown): Promise<void> {
    const most = Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
    const until = this.#desk.clock.now() + most * (0.5 + Math.random() / 2)
    if (until >= this.#deadlineAt || currentContext()?.scope?.aborted !== undefined) throw error
    await new Promise<void>((resolve) => void this.#desk.wake(until, resolve))
  }

  /** Waits for what still runs, which nobody awaits; false when that takes too long. */
  #isQuiet({ connection: { ledger } }: Lending<Client>): Promise<boolean> {
    if (ledger.isQuiet || ledger.isSettling) return Promise.resolve(true)
    return new Promise((resolve) => {
      const leave = this.#desk.wake(this.#desk.clock.now() + this.#desk.graceMs, () => resolve(false))
      ledger.onQuiet(() => {
        leave()
        resolve(true)
      })
    })
  }
}

function failedInside(transaction: Transaction<never> | Transaction, because: unknown): Error {
  return transaction.conflict(
    `a transaction of ${transaction.label} was rolled back in place of being committed: something in it had failed, ` +
      'whose error was caught',
    'Let the error through, or run what may fail as a nested transaction',
    because,
  )
}

function undoneByOthers(transaction: Transaction): Error {
  return transaction.conflict(
    `a nested transaction of ${transaction.label} was undone by another part of the transaction around it`,
    'Run one part of a transaction after the other, or in transactions of their own (requires-new)',
  )
}

function undid(transaction: Transaction, other: string): Error {
  return transaction.conflict(
    `a nested transaction of ${transaction.label} was rolled back in which ${other} had worked, and that was undone as well`,
    'Run one part of a transaction after the other, or in transactions of their own (requires-new)',
  )
}

function differs(transaction: Transaction, what: string): Error {
  return transaction.conflict(
    `${what} was asked for inside a transaction of ${transaction.label} that runs otherwise`,
    'Ask for it where the transaction begins, or use a transaction of its own (requires-new)',
  )
}
