import { Lease } from '../lease/lease.js'
import { declareSettings } from '../options/declared-settings.js'
import type { TransactionModes } from '../ports/transactions.js'
import type { Site } from '../ports/owner.js'
import { currentContext } from '../scope/context.js'
import { performWork, type TransactionWork } from './perform-work.js'
import type { Savepoint } from './savepoints.js'
import { shareSession } from './share-session.js'
import { Transaction, type WholeTransaction } from './transaction.js'
import { transactionConflicts } from './transaction-conflicts.js'
import type { TransactionParts } from './transaction-parts.js'
import { waitForTurn } from './wait-for-turn.js'

/** One call of `pool.transaction` inside another transaction: as a part of it, or as a savepoint in it. */
export class InnerRun<Client> {
  readonly #parts: TransactionParts<Client>
  readonly #around: Transaction<Client>
  readonly #whole: WholeTransaction<Client>
  readonly #isSavepoint: boolean

  constructor(parts: TransactionParts<Client>, around: Transaction<Client>, isSavepoint: boolean) {
    if (around.whole === undefined) throw new Error('bug in Leasehold: there is no transaction to join')
    this.#parts = parts
    this.#around = around
    this.#whole = around.whole
    this.#isSavepoint = isSavepoint
  }

  /** @param site where it was asked for, if that is known. */
  async run<R>(work: TransactionWork<Client, R>, site: Site | undefined): Promise<Awaited<R>> {
    const { limit } = this.#parts
    limit.watch(this.#whole.base.label)
    try {
      await this.#refuseOtherTerms()
      return await this.#within(this.#transaction(site), work)
    } finally {
      limit.letGo()
    }
  }

  async #within<R>(transaction: Transaction<Client>, work: TransactionWork<Client, R>): Promise<Awaited<R>> {
    try {
      if (this.#isSavepoint) await this.#makeSavepoint(transaction)
      const { desk, limit } = this.#parts
      const whole = this.#whole
      const { client } = new Lease(shareSession(desk.leases, transaction, whole, whole.base.terms, true))
      const result = await performWork(limit, transaction, client, work)
      await this.#end(transaction)
      return result
    } catch (error) {
      if (transaction.state.is !== 'ended') await this.#undo(transaction, error)
      throw error
    } finally {
      this.#whole.turns.leave(transaction)
    }
  }

  #transaction(site: Site | undefined): Transaction<Client> {
    const { leases, poolId } = this.#parts.desk
    return new Transaction({
      pool: leases.pool,
      poolId,
      label: this.#whole.base.label,
      whole: this.#whole,
      parent: this.#around,
      isSavepoint: this.#isSavepoint,
      outer: currentContext()?.frame,
      site,
    })
  }

  async #makeSavepoint(transaction: Transaction<Client>): Promise<void> {
    const { limit, port } = this.#parts
    await limit.whileItLasts(waitForTurn(transaction, this.#whole))
    const savepoint = transaction.begin()
    try {
      await limit.whileItLasts(this.#say(() => port.savepoint(this.#whole.client, savepoint.name)))
    } catch (error) {
      // Not known to be there: with nothing in it, there is nothing to undo.
      if (limit.over === undefined) {
        this.#whole.savepoints.undo(savepoint, false)
        transaction.settle('rolled back')
      }
      throw error
    }
  }

  async #end(transaction: Transaction<Client>): Promise<void> {
    const { limit, desk } = this.#parts
    const { base } = this.#whole
    transaction.close('its callback has ended')
    while (this.#whole.undoing.size > 0) await limit.whileItLasts(Promise.all(this.#whole.undoing))
    if (!base.open || limit.over !== undefined) throw limit.over ?? transaction.ended('commit')
    const { lostBy } = base.connection.ledger
    if (lostBy !== undefined) throw lostBy
    const { state, savepoint } = transaction
    if (state.is === 'rollback-only') throw transactionConflicts.failedInside(transaction, state.because)
    if (savepoint !== undefined) await this.#release(transaction, savepoint, desk.graceMs)
    transaction.settle('committed')
  }

  async #release(transaction: Transaction<Client>, savepoint: Savepoint, graceMs: number): Promise<void> {
    const { savepoints, client } = this.#whole
    const { limit, port } = this.#parts
    if (!savepoints.has(savepoint)) throw transactionConflicts.undoneByOthers(transaction)
    const isOnTop = savepoints.isOnTop(savepoint)
    const other = savepoints.close(savepoint)
    // Below another one it stays on the server, until that or all ends.
    if (!isOnTop) return
    try {
      await this.#say(() => port.release(client, savepoint.name))
    } catch (error) {
      if (other !== undefined) transaction.doomWhole(transactionConflicts.undid(transaction, other.title))
      await limit.whileItLasts(this.#rollBackTo(transaction, savepoint, graceMs))
      transaction.settle('rolled back')
      throw transactionConflicts.failedInside(transaction, error)
    }
  }

  async #undo(transaction: Transaction<Client>, because: unknown): Promise<void> {
    const { savepoints, base, undoing } = this.#whole
    const { desk, limit } = this.#parts
    const { savepoint } = transaction
    // What was never begun has nothing that could be undone, and what is not its own goes down with the rest.
    if (!this.#isSavepoint) transaction.doom(because)
    const isThere = savepoint !== undefined && savepoints.has(savepoint)
    const other = isThere ? savepoints.undo(savepoint, false) : undefined
    if (other !== undefined) transaction.doomWhole(transactionConflicts.undid(transaction, other.title))
    // What was begun inside lies in the savepoint, and need not be undone by itself.
    transaction.close('it was rolled back')
    transaction.settle('rolled back')
    if (!isThere || !base.open) return
    const rollingBack = this.#rollBackTo(transaction, savepoint, desk.graceMs).finally(() =>
      undoing.delete(rollingBack),
    )
    undoing.add(rollingBack)
    // Nobody waits longer than the limit allows; what is around it does not end before this has.
    await limit.whileItLasts(rollingBack).catch(() => {})
  }

  async #rollBackTo(transaction: Transaction<Client>, { name }: Savepoint, graceMs: number): Promise<void> {
    const { limit, port } = this.#parts
    try {
      await limit.answeredLate(port.rollbackTo(this.#whole.client, name), graceMs)
    } catch (error) {
      this.#whole.discardBy ??= { reason: error }
      transaction.doomWhole(error)
    }
  }

  /** Sends something for the pool itself, and bounds how long its answer may take: by the grace, where nothing runs before it. */
  async #say<T>(send: () => Promise<T>): Promise<T> {
    const { desk, limit } = this.#parts
    const graceMs = this.#whole.base.connection.ledger.isQuiet ? desk.graceMs : Number.POSITIVE_INFINITY
    return limit.answered(send(), graceMs)
  }

  /** A part of a transaction runs as that one does, or not at all. */
  async #refuseOtherTerms(): Promise<void> {
    const { options, port, limit } = this.#parts
    const { isolation, readOnly, deferrable } = options
    for (const [name, value] of declareSettings(options.settings) ?? []) {
      if (this.#whole.settings?.get(name) !== value) throw transactionConflicts.differs(this.#around, `setting ${name}`)
    }
    // A test is what it is.
    if (this.#whole.apart !== undefined) return
    const modes: TransactionModes = { isolation, readOnly, deferrable }
    const asked = Object.entries(modes).filter(([, mode]) => mode !== undefined)
    if (asked.length === 0) return
    const inForce = await limit.whileItLasts(this.#say(() => port.modes(this.#whole.client)))
    for (const [name, mode] of asked) {
      if (inForce[name as keyof TransactionModes] !== mode) {
        throw transactionConflicts.differs(this.#around, `${name} ${mode}`)
      }
    }
  }
}
