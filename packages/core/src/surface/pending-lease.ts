import type { Connection } from '../connection/connection.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Lending } from '../lease/lending.js'
import { Waiter } from '../pool/waiter.js'
import { followSignal, leaveSignal, type SignalFollower } from '../scope/follow-signal.js'
import type { PendingAcquire, Scope, ScopeAbort } from '../scope/scope.js'
import type { Asked } from './asked.js'

/** What the pool does for callers that wait. */
export interface WaitingRoom<Client> {
  grant(connection: Connection<Client>, asked: Asked, now: number): Lending<Client>
  /** Takes the waiter out of the queue; false when it has been answered already. */
  withdraw(waiter: Waiter<Client>): boolean
  aborted(reason: unknown, asked: Asked): LeaseholdError
  abandoned(abort: ScopeAbort, asked: Asked): LeaseholdError
}

/** A caller that waits for its lease: in the queue, in its scope, and at its signal. It leaves all three together. */
export class PendingLease<Client, Granted> extends Waiter<Client> implements PendingAcquire, SignalFollower {
  pendingAt = -1
  readonly #room: WaitingRoom<Client>
  readonly #asked: Asked
  readonly #give: (lending: Lending<Client>) => Granted
  readonly #resolve: (granted: Granted) => void
  readonly #reject: (error: unknown) => void

  /** @param give makes of a lending what `resolve` is called with. */
  constructor(
    room: WaitingRoom<Client>,
    asked: Asked,
    deadlineAt: number,
    joinedAt: number,
    give: (lending: Lending<Client>) => Granted,
    resolve: (granted: Granted) => void,
    reject: (error: unknown) => void,
  ) {
    super(asked.request.priority ?? asked.holder?.priority ?? 'normal', deadlineAt, joinedAt)
    this.#room = room
    this.#asked = asked
    this.#give = give
    this.#resolve = resolve
    this.#reject = reject
    asked.holder?.waits(this)
    const { signal } = asked.request
    if (signal !== undefined) followSignal(signal, this)
  }

  /** The scope in whose name it waits. */
  get scope(): Scope | undefined {
    return this.#asked.holder
  }

  get label(): string {
    return this.#asked.label
  }

  get since(): number {
    return this.#asked.at
  }

  accept(connection: Connection<Client>, now: number): void {
    this.#leave()
    let granted: Granted
    try {
      granted = this.#give(this.#room.grant(connection, this.#asked, now))
    } catch (error) {
      // A driver that fails at it must cost neither the caller's answer nor whoever gave the connection back.
      this.#reject(error)
      return
    }
    this.#resolve(granted)
  }

  forget(): void {
    this.#leave()
  }

  refuse(error: LeaseholdError): void {
    this.#leave()
    this.#reject(error)
  }

  /** Its scope grants nothing more. */
  abandon(abort: ScopeAbort): void {
    if (this.#room.withdraw(this)) this.refuse(this.#room.abandoned(abort, this.#asked))
  }

  /** Its own has. */
  signalAborted(): void {
    if (this.#room.withdraw(this)) this.refuse(this.#room.aborted(this.#asked.request.signal?.reason, this.#asked))
  }

  #leave(): void {
    const { holder, request } = this.#asked
    holder?.waitsNoMore(this)
    if (request.signal !== undefined) leaveSignal(request.signal, this)
  }
}
