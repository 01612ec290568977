import type { Connection } from '../connection/connection.js'
import { LeaseReleasedError } from '../errors/lease-released-error.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import { ModeViolationError } from '../errors/mode-violation-error.js'
import type { StatementAbortReason } from '../errors/statement-aborted-error.js'
import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import type { LeaseGate, PoolMode } from '../ports/driver.js'
import type { Owner, Site } from '../ports/owner.js'
import type { Lease } from './lease.js'
import type { LeaseDesk } from './lease-desk.js'
import type { LeaseEnd } from './lease-end.js'
import type { HeldLease } from './lease-holder.js'
import type { LeaseInTransaction } from './lease-in-transaction.js'
import type { LeaseTerms } from './lease-terms.js'

/** Set as the discard reason when the connection is to be kept. */
export const KEEP: unique symbol = Symbol('keep the connection')

/**
 * The pool's own record of one lease: it stands in the connection as its owner, and is the gate that the handle asks.
 * But for its first second (`young`) it must not reference the handle or the `Lease` that the user holds, or a forgotten
 * one could never be collected.
 */
export class Lending<Client> implements Owner, LeaseGate, HeldLease {
  readonly terms: LeaseTerms
  /** The lease whose connection this one shares, in `session` mode. */
  readonly base: Lending<Client> | undefined
  readonly connection: Connection<Client>
  readonly joined: LeaseInTransaction | undefined
  readonly since: number
  heldAt = -1
  /** Whether it has been reported as overdue. */
  overdue = false
  /** Whether its open transaction has been reported as idle. */
  isIdleInTransaction = false
  /** What its holder was given, until it is followed; undefined where it never will be. */
  young: Lease<Client> | undefined
  /** Through how many things its holder can use it that are followed, or could not be. 0: it is not followed. */
  followed = 0
  refusal: LeaseholdError | undefined = undefined
  readonly desk: LeaseDesk<Client>
  readonly #busyBefore: number
  #end: LeaseEnd | undefined
  #endedAt: number | undefined
  #busyByEnd: number | undefined
  #recycled: Promise<void> | undefined
  #onRecycled: (() => void) | undefined
  #onEnd: Set<() => void> | undefined
  #borrows: Set<Lending<Client>> | undefined
  #endsUnshared = false

  constructor(
    desk: LeaseDesk<Client>,
    terms: LeaseTerms,
    connection: Connection<Client>,
    since: number,
    base: Lending<Client> | undefined,
    joined?: LeaseInTransaction,
  ) {
    this.desk = desk
    this.terms = terms
    this.connection = connection
    this.since = since
    this.base = base
    this.joined = joined
    this.#busyBefore = connection.ledger.busyMs(since)
    if (base !== undefined) (base.#borrows ??= new Set()).add(this)
  }

  get open(): boolean {
    return this.#end === undefined
  }

  /** How it came to its end; undefined while it goes on. */
  get endedBy(): LeaseEnd | undefined {
    return this.#end
  }

  get owner(): object {
    return this.base?.owner ?? this.terms.owner ?? this
  }

  get label(): string {
    return this.terms.label
  }

  get mode(): PoolMode {
    return this.terms.mode
  }

  get site(): string | undefined {
    return this.terms.site?.place
  }

  get opensTransaction(): boolean {
    return this.terms.opens !== undefined
  }

  /** Its holder is given `lease`. What shares a session ends with that, and need not be followed. */
  handed(lease: Lease<Client>): void {
    if (this.desk.follows && this.base === undefined) this.young = lease
  }

  /** How long it is held, or was. */
  heldMs(now: number): number {
    return (this.#endedAt ?? now) - this.since
  }

  /** How much of the time it is held, or was, the database has worked. */
  busyMs(now: number): number {
    return (this.#busyByEnd ?? this.connection.ledger.busyMs(now)) - this.#busyBefore
  }

  pass(operation: string): void {
    if (this.#end === undefined) return
    if (this.desk.observe) {
      this.desk.wouldRefuse(this, `${operation} after the lease was over`)
      return
    }
    const { pool } = this.desk
    const isByItself = this.#end === 'it was released' || this.#end === 'it was discarded'
    if (this.joined !== undefined && !isByItself) {
      const endedBy = this.joined.ending
      throw new TransactionEndedError({ pool, label: this.label, operation, endedBy })
    }
    throw new LeaseReleasedError({
      pool,
      operation,
      label: this.label,
      site: this.site,
      endedBy: this.#end,
    })
  }

  refuseTransaction(): void {
    if (this.mode !== 'statement') return
    if (this.desk.observe) this.desk.wouldRefuse(this, 'explicit transaction in statement mode')
    else throw new ModeViolationError({ pool: this.desk.pool, mode: this.mode, label: this.label })
  }

  refusePin(pin: string): void {
    if (this.mode !== 'statement') return
    if (this.desk.observe) this.desk.wouldRefuse(this, `${pin} left on the session in statement mode`)
    else throw new ModeViolationError({ pool: this.desk.pool, mode: this.mode, label: this.label, pin })
  }

  siteOf(below: (...args: never[]) => unknown): Site | undefined {
    return this.desk.siteOf(below)
  }

  release(): void {
    this.end('it was released')
  }

  discard(reason: unknown): void {
    this.endClosing('it was discarded', reason)
  }

  onEnd(callback: () => void): () => void {
    if (this.#end !== undefined) {
      callback()
      return () => {}
    }
    const callbacks = (this.#onEnd ??= new Set())
    callbacks.add(callback)
    return () => void callbacks.delete(callback)
  }

  /** Ends the lease, once; later calls do nothing. */
  end(end: LeaseEnd): void {
    this.#finish(end, KEEP)
  }

  /** The same, and has the connection closed: for whatever reason, also one that is undefined. */
  endClosing(end: LeaseEnd, reason: unknown): void {
    this.#finish(end, reason)
  }

  #finish(end: LeaseEnd, reason: unknown): void {
    if (this.#end !== undefined) return
    const now = this.desk.now()
    this.#end = end
    this.#endedAt = now
    this.#busyByEnd = this.connection.ledger.busyMs(now)
    if (this.#borrows !== undefined) {
      for (const borrow of this.#borrows) borrow.end('the lease it was borrowed from ended')
    }
    if (this.#onEnd !== undefined) {
      const callbacks = this.#onEnd
      this.#onEnd = undefined
      for (const callback of callbacks) callback()
    }
    this.terms.holder?.drops(this)
    if (this.base === undefined) {
      this.#recycled = this.desk.ended(this, now, reason)
    } else {
      // Nothing is recycled with it: whoever has asked already waits for its end alone.
      this.#recycled = undefined
      this.base.#borrows?.delete(this)
      // What a borrower wants closed is everybody's connection: it goes when the base does, or now if it is broken.
      if (reason !== KEEP && this.joined !== undefined) this.joined.discards(reason)
      else if (reason !== KEEP) this.base.endClosing('it was discarded', reason)
      else if (this.base.#endsUnshared) this.base.endUnshared()
      else if (this.base.#borrows?.size === 0) this.desk.unshared(this.base)
    }
    if (this.#onRecycled === undefined) return
    if (this.#recycled === undefined) this.#onRecycled()
    else void this.#recycled.then(this.#onRecycled)
  }

  /** Ends the lease when none shares it any more: at once, or with the last that does. */
  endUnshared(): void {
    this.#endsUnshared = true
    if (this.#borrows === undefined || this.#borrows.size === 0) this.end('its scope closed')
  }

  /** Resolves when the lease has ended and its connection is idle, lent again or closed. */
  get recycled(): Promise<void> {
    if (this.#recycled !== undefined) return this.#recycled
    if (this.#end !== undefined) return Promise.resolve()
    this.#recycled = new Promise((resolve) => {
      this.#onRecycled = resolve
    })
    return this.#recycled
  }

  takeBack(): Promise<void> {
    return this.desk.takeBack(this)
  }

  interrupt(why: StatementAbortReason, cause: unknown, cancels: boolean | undefined): void {
    this.desk.interrupt(this, why, cause, cancels)
  }

  settingsChanged(): void {
    // The others keep what they were granted with: a statement's meaning must not change under whoever wrote it.
    if (this.terms.isShared) this.desk.declare(this)
  }
}
