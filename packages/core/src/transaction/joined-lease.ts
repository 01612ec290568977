import type { TurnHolder } from '../errors/turn-timeout-error.js'
import type { LeaseInTransaction } from '../lease/lease-in-transaction.js'
import type { LeaseTerms } from '../lease/lease-terms.js'
import type { InnerEnd, InnerRollback, JoinedTransaction, StreamOnSession } from '../ports/transactions.js'
import { bindToContext, currentFrame } from '../scope/context.js'
import { boundWait } from './bound-wait.js'
import type { Savepoint, SavepointOwner } from './savepoints.js'
import { Transaction, type WholeTransaction } from './transaction.js'
import { transactionConflicts } from './transaction-conflicts.js'

const NOTHING = { is: 'none' } as const

interface NamedSavepoint {
  readonly alias: string
  readonly savepoint: Savepoint
}

/** The part of one lease in a transaction around it: which transactions and savepoints its holder has opened there. */
export class JoinedLease<Client> implements LeaseInTransaction, SavepointOwner {
  readonly isWhole: boolean
  readonly #terms: LeaseTerms
  readonly #transaction: Transaction<Client>
  readonly #whole: WholeTransaction<Client>
  #inner: Savepoint | undefined
  #named: NamedSavepoint[] = []
  #hasBegun = false
  #lastClosed:
    | {
        readonly owner: SavepointOwner
        readonly name: string
        readonly isAlone: boolean
        readonly isOnTop: boolean
      }
    | undefined

  constructor(transaction: Transaction<Client>, whole: WholeTransaction<Client>, terms: LeaseTerms, isWhole: boolean) {
    this.#transaction = transaction
    this.#whole = whole
    this.#terms = terms
    this.isWhole = isWhole
  }

  /** Whose it is, and where it was asked for, if that was captured. */
  get title(): string {
    const { label, site } = this.#terms
    return site?.place === undefined ? label : `${label} ${site.place}`
  }

  get holder(): TurnHolder {
    return { label: this.#terms.label, site: this.#terms.site?.place }
  }

  get isRehearsal(): boolean {
    return this.#whole.apart !== undefined
  }

  get apart(): JoinedTransaction['apart'] {
    const { apart } = this.#whole
    if (apart === undefined || this.#inner !== undefined || this.#named.length > 0) return undefined
    const place = this.#place
    return place.innermost === undefined ? (send) => apart.run(place, send) : undefined
  }

  get hasInner(): boolean {
    return this.#inner !== undefined
  }

  get savepoint(): string | undefined {
    return (this.#named.at(-1)?.savepoint ?? this.#inner ?? this.#place.innermost)?.name
  }

  get ending(): string {
    return this.#transaction.ending
  }

  owns(owner: SavepointOwner): boolean {
    return owner === this || this.#place.owns(owner)
  }

  takeTurn(start: () => void, refuse: (error: Error) => void): boolean {
    const taker = this.#place
    const { turns } = this.#whole
    if (turns.isFreeFor(taker)) return true
    const deadlineAt = this.#whole.waitsUntil()
    return turns.take({ taker, begins: false, asker: this, deadlineAt, start: bindToContext(start), refuse })
  }

  boundWait(stream: () => StreamOnSession | undefined, refuse: (error: Error) => void): () => void {
    return boundWait(this.#whole, this.title, stream, refuse)
  }

  works(): void {
    this.#refuseWhenOver('query')
    this.#whole.savepoints.work(this)
  }

  open(alias?: string): string {
    // A transaction of an ORM, in whose context it is begun; or one of the holder's own.
    const place = this.#place
    this.#refuseWhenOver(alias === undefined ? 'BEGIN' : 'SAVEPOINT')
    const savepoint = place.isToBegin ? place.begin() : this.#whole.savepoints.open(this)
    if (alias === undefined) {
      this.#inner = savepoint
      this.#hasBegun = true
    } else this.#named.push({ alias, savepoint })
    return savepoint.name
  }

  forget(name: string): void {
    const named = this.#named.find(({ savepoint }) => savepoint.name === name)
    const savepoint = named?.savepoint ?? (this.#inner?.name === name ? this.#inner : undefined)
    if (savepoint === undefined) return
    this.#whole.savepoints.undo(savepoint, false)
    if (named === undefined) this.#inner = undefined
    else this.#named = this.#named.filter((other) => other !== named)
  }

  close(alias?: string): InnerEnd {
    this.#refuseIfDoomed(alias)
    const savepoint = this.#take(alias)
    if (savepoint === undefined) {
      if (alias !== undefined) throw this.#noSavepoint(alias)
      this.#refuseToEndWhole('COMMIT')
      return NOTHING
    }
    const { savepoints } = this.#whole
    if (!savepoints.has(savepoint)) throw this.#lost(savepoint)
    const isOnTop = savepoints.isOnTop(savepoint)
    const isAlone = savepoints.close(savepoint) === undefined
    if (savepoint.owner instanceof Transaction) savepoint.owner.endsAs('committed')
    this.#lastClosed = { owner: savepoint.owner, name: savepoint.name, isAlone, isOnTop }
    return { is: isOnTop ? 'release' : 'left', name: savepoint.name }
  }

  undo(alias?: string): InnerRollback {
    const stays = alias !== undefined
    const savepoint = stays ? this.#named.findLast((named) => named.alias === alias)?.savepoint : this.#inner
    if (savepoint === undefined) {
      if (stays) throw this.#noSavepoint(alias)
      this.#refuseToEndWhole('ROLLBACK')
      return NOTHING
    }
    if (stays) this.#named = this.#named.slice(0, this.#named.findLastIndex((named) => named.alias === alias) + 1)
    else {
      this.#named = []
      this.#inner = undefined
      if (savepoint.owner instanceof Transaction) savepoint.owner.endsAs('rolled back')
    }
    return this.#undo(savepoint, stays) ? { is: 'undo', name: savepoint.name, stays } : NOTHING
  }

  failed(name: string): InnerRollback {
    const closed = this.#lastClosed?.name === name ? this.#lastClosed : undefined
    const { isAlone, isOnTop } = closed ?? { isAlone: false, isOnTop: false }
    if (closed?.owner instanceof Transaction) closed.owner.endsAs('rolled back')
    if (!isAlone || !isOnTop) this.#transaction.doomWhole(this.#failedBesideOthers())
    // Below others it cannot be undone without them.
    return isOnTop ? { is: 'undo', name, stays: false } : NOTHING
  }

  conflict(what: string, remedy: string): Error {
    return this.#transaction.conflict(what, remedy)
  }

  discards(reason: unknown): void {
    this.#whole.discardBy ??= { reason }
  }

  /** The lease has ended: what its holder has begun and not ended was not to stay. */
  ended(): Savepoint | undefined {
    this.#whole.turns.withdraw(this, () => this.#transaction.ended('query'))
    const open = this.#inner ?? this.#named[0]?.savepoint
    this.#inner = undefined
    this.#named = []
    return open !== undefined && this.#undo(open, false) ? open : undefined
  }

  /** Where its next statement belongs: to the deeper of the handle's transaction and that of the code that sends it. */
  get #place(): Transaction<Client> {
    const own = this.#transaction
    const frame = currentFrame(own.poolId) as Transaction<Client> | undefined
    return frame?.whole === this.#whole && frame.depth > own.depth ? frame : own
  }

  /** What ran beside others in a transaction, and goes on when that has ended without it. */
  #refuseWhenOver(operation: string): void {
    const place = this.#place
    if (place.isOver) throw place.ended(operation)
  }

  /** A part of it has failed, whose error was caught: it is to be rolled back by whoever has begun it. */
  #refuseIfDoomed(alias: string | undefined): void {
    const named = this.#named.findLast((each) => each.alias === alias)
    const owner = (alias === undefined ? this.#inner : named?.savepoint)?.owner
    if (!(owner instanceof Transaction) || owner.state.is !== 'rollback-only') return
    throw transactionConflicts.failedInside(owner, owner.state.because)
  }

  /** What is to be closed, and the savepoints in it, which end along with it. */
  #take(alias: string | undefined): Savepoint | undefined {
    if (alias === undefined) {
      const inner = this.#inner
      for (const { savepoint } of this.#named.splice(0).toReversed()) this.#whole.savepoints.close(savepoint)
      this.#inner = undefined
      return inner
    }
    const at = this.#named.findLastIndex((named) => named.alias === alias)
    if (at < 0) return undefined
    const [taken, ...above] = this.#named.splice(at)
    for (const { savepoint } of above.toReversed()) this.#whole.savepoints.close(savepoint)
    return taken?.savepoint
  }

  /** False when it is undone already. */
  #undo(savepoint: Savepoint, stays: boolean): boolean {
    const { savepoints } = this.#whole
    if (!savepoints.has(savepoint)) return false
    const other = savepoints.undo(savepoint, stays)
    if (other !== undefined) this.#transaction.doomWhole(this.#undoneWith(other))
    return true
  }

  #undoneWith(other: SavepointOwner): Error {
    return this.#transaction.conflict(
      `${this.title} rolled back an inner transaction in which ${other.title} had worked, and undid that as well`,
      'Run one part of a transaction after the other, or in transactions of their own (requires-new)',
    )
  }

  #failedBesideOthers(): Error {
    return this.#transaction.conflict(
      `an inner transaction of ${this.title} failed while another part of the transaction around it worked in it`,
      'Run one part of a transaction after the other, or in transactions of their own (requires-new)',
    )
  }

  #lost({ name }: Savepoint): Error {
    return this.#transaction.conflict(
      `an inner transaction of ${this.title} (${name}) was rolled back by another part of the transaction around it`,
      'Run one part of a transaction after the other, or in transactions of their own (requires-new)',
    )
  }

  #noSavepoint(alias: string): Error {
    return this.#transaction.conflict(
      `${this.title} has no savepoint ${alias} of its own in this transaction`,
      'Name a savepoint that was made on the same client',
    )
  }

  /** Without a transaction of its own, the server would do nothing. Who never began one must mean the one around it. */
  #refuseToEndWhole(command: string): void {
    if (this.#hasBegun) return
    throw this.#transaction.conflict(
      `${this.title} sent ${command} in a transaction of pool.transaction, which ends with its callback`,
      'Return from the callback to commit, and throw to roll back',
    )
  }
}
