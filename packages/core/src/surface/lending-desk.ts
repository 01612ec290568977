import type { Leases } from '../lease/leases.js'
import type { Lending } from '../lease/lending.js'
import { areSameSettings } from '../options/declared-settings.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Connections } from '../pool/connections.js'
import { followSignal, leaveSignal, type SignalFollower } from '../scope/follow-signal.js'
import type { PendingAcquire, Scope } from '../scope/scope.js'
import type { Transactions } from '../transaction/transactions.js'
import type { Asked } from './asked.js'
import type { Asking } from './asking.js'
import { checkSettings } from './check-settings.js'
import type { DeadlockWatch } from './deadlock-watch.js'
import { openPromise } from './open-promise.js'
import { PendingLease, type WaitingRoom } from './pending-lease.js'
import type { Refusals } from './refusals.js'
import { type PlacesOfScope, type ScopePlace, ScopePlaces } from './scope-places.js'
import { acquireShared } from './shared-session.js'

export interface LendingDeskParts<Client> {
  readonly poolId: number
  readonly asking: Asking<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly connections: Connections<Client>
  readonly leases: Leases<Client>
  readonly refusals: Refusals<Client>
  readonly transactions: Transactions<Client>
  readonly deadlocks: DeadlockWatch<Client>
  /** A scope in mode `session` has a session now, which its leases share. */
  readonly sessionOpened: (lending: Lending<Client>) => void
}

function itself<Client>(lending: Lending<Client>): Lending<Client> {
  return lending
}

/**
 * Where connections are lent: finds what serves a caller. That is the session of the transaction or of the scope around it,
 * an idle connection, or its turn in the queue.
 */
export class LendingDesk<Client> {
  readonly #parts: LendingDeskParts<Client>
  readonly #options: ResolvedPoolOptions<Client>
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #refusals: Refusals<Client>
  readonly #id: number
  readonly #room: WaitingRoom<Client>
  /** Undefined where scopes may have as many connections as they like. */
  readonly places: ScopePlaces<Lending<Client>> | undefined
  /** What an observing pool has told of whom. */
  readonly #told = new WeakMap<Asked, Set<string>>()

  constructor(parts: LendingDeskParts<Client>) {
    const { connections, leases, refusals } = parts
    this.#parts = parts
    this.#options = parts.options
    this.#connections = connections
    this.#leases = leases
    this.#refusals = refusals
    this.#id = parts.poolId
    const { maxPerScope } = parts.options
    if (maxPerScope !== Infinity) this.places = new ScopePlaces(maxPerScope)
    this.#room = {
      grant: (connection, asked, now) => leases.grant(connection, asked, now),
      withdraw: (waiter) => connections.withdraw(waiter),
      aborted: (reason, { at }) => refusals.abort(reason, at),
      abandoned: (abort, { label, at }) => refusals.abandon(abort, label, at),
    }
  }

  /** @param mayJoin false for a transaction of its own. @param give makes of the lending what the caller wants. */
  grant<Granted>(asked: Asked, mayJoin: boolean, give: (lending: Lending<Client>) => Granted): Promise<Granted> {
    const unknown = asked.declares?.prepare()
    if (unknown === undefined) return this.#lend(asked, mayJoin, give)
    // A function that asks somebody else what its settings are has the caller's patience too.
    return this.#waitAlong(asked, unknown).then(() => {
      this.#refuseWhenGone(asked)
      return this.#lend(asked, mayJoin, give)
    })
  }

  /** What takes no waiting: a connection that is idle, living and in need of no check, when nobody waits. */
  grantAtOnce(asked: Asked): Lending<Client> | undefined {
    const joined = this.#join(asked)
    if (joined !== undefined) return joined
    if (asked.mode === 'session' && asked.holder !== undefined) return undefined
    if (asked.declares?.prepare() !== undefined) return undefined
    this.#checkSettings(asked)
    const tied = this.#tiedTo(asked)
    if (tied !== undefined) return this.#borrowTied(tied, asked)
    const place = this.#askPlace(asked)
    if (place?.turn !== undefined) {
      place.leave()
      return undefined
    }
    const connection = this.#connections.takeIdle(asked.at, asked.settings)
    if (connection === undefined) {
      place?.leave()
      return undefined
    }
    try {
      const lending = this.#leases.grant(connection, asked, asked.at)
      place?.isFor(lending)
      return lending
    } catch (error) {
      place?.leave()
      throw error
    }
  }

  #lend<Granted>(asked: Asked, mayJoin: boolean, give: (lending: Lending<Client>) => Granted): Promise<Granted> {
    const joined = mayJoin ? this.#join(asked) : undefined
    if (joined !== undefined) return Promise.resolve(give(joined))
    this.#checkSettings(asked)
    const tied = this.#tiedTo(asked)
    if (tied !== undefined) return Promise.resolve(give(this.#borrowTied(tied, asked)))
    if (asked.mode === 'session' && asked.holder !== undefined) {
      return this.#acquireShared(asked, asked.holder).then(give)
    }
    const place = this.places === undefined ? undefined : this.#askPlace(asked)
    if (place !== undefined) return this.#lendInPlace(asked, place).then(give)
    return this.#lendOrWait(asked, asked.at, give)
  }

  #lendOrWait<Granted>(
    asked: Asked,
    now: number,
    give: (lending: Lending<Client>) => Granted,
    place?: object,
  ): Promise<Granted> {
    const connection = this.#connections.takeIdle(now, asked.settings)
    if (connection !== undefined) return Promise.resolve(give(this.#leases.grant(connection, asked, now)))
    return this.#wait(asked, now, give, place)
  }

  /** A scope's own session, which its leases share, is one connection and needs no place. An observing pool lets nobody wait for one. */
  #askPlace(asked: Asked): ScopePlace<Lending<Client>> | undefined {
    const { holder, mode } = asked
    if (this.places === undefined || holder === undefined || mode === 'session') return undefined
    const place = this.places.ask(holder)
    if (place.turn === undefined || !this.#options.observe) return place
    place.leave()
    this.#wouldRefuse(asked, `its scope holds ${place.among.most}, which is maxPerScope`)
    return undefined
  }

  /** Once the scope may have one more connection. Its place is given up with the lease, or when none is granted. */
  async #lendInPlace(asked: Asked, place: ScopePlace<Lending<Client>>): Promise<Lending<Client>> {
    try {
      if (place.turn !== undefined) {
        this.#parts.deadlocks.waitsInScope(place, asked)
        await this.#waitAlong(asked, place.turn, place.among)
        this.#refuseWhenGone(asked)
      }
      const now = place.turn === undefined ? asked.at : this.#options.clock.now()
      const lending = await this.#lendOrWait(asked, now, itself, place)
      place.isFor(lending)
      return lending
    } catch (error) {
      place.leave()
      throw error
    }
  }

  /** The session of the transaction around the caller, if there is one. A lease held for long is nobody's. */
  #join(asked: Asked): Lending<Client> | undefined {
    const { transactions } = this.#parts
    if (transactions.areAlone || asked.isLong) return undefined
    const transaction = transactions.around('acquire', asked.site)
    if (transaction === undefined) asked.opens = transactions.opening
    return transaction && transactions.borrow(transaction, asked, asked.request.settings)
  }

  async #acquireShared(asked: Asked, scope: Scope): Promise<Lending<Client>> {
    const base = await acquireShared<Client>(this.#id, scope, asked, {
      ask: (shared) => {
        // It may be a while since the caller came: it has waited for another one that gave up.
        this.#refuseWhenGone(asked)
        const now = this.#options.clock.now()
        return this.#lendOrWait(shared, now, (lending) => {
          this.#parts.sessionOpened(lending)
          return lending
        })
      },
      waitFor: (shared) => this.#waitAlong(asked, shared),
    })
    if (scope.aborted !== undefined) throw this.#room.abandoned(scope.aborted, asked)
    // Between the granting and this line others had their turn, and may have ended the session.
    if (!base.open) return this.#acquireShared(asked, scope)
    const lending = this.#leases.borrow(base, asked)
    if (asked.opens !== undefined) await this.#takeTurn(lending, asked)
    return lending
  }

  /** Another transaction of the scope may be open on the session, and this one would be part of it. */
  async #takeTurn(lending: Lending<Client>, asked: Asked): Promise<void> {
    try {
      await this.#waitAlong(asked, this.#parts.transactions.takeTurn(lending))
    } catch (error) {
      lending.release()
      throw error
    }
  }

  /** The session on which the caller's scope has left something, if there is one: what comes next belongs there. */
  #tiedTo(asked: Asked): Lending<Client> | undefined {
    const { holder } = asked
    const tied = holder?.tiedOn(this.#id) as Lending<Client> | undefined
    if (tied === undefined) return undefined
    // With other settings it would change those of the statements that run there for others.
    if (!areSameSettings(tied.terms.settings, asked.settings)) return undefined
    if (tied.open && tied.connection.ledger.lostBy === undefined) return tied
    holder?.keepsNoMore(this.#id)
    tied.release()
    return undefined
  }

  #borrowTied(tied: Lending<Client>, asked: Asked): Lending<Client> {
    const lending = this.#leases.borrow(tied, asked)
    // The scope may have declared more since, or a statement of its own have changed what it declared.
    const failure = asked.settings === undefined ? undefined : this.#leases.declare(lending)
    if (failure !== undefined) throw failure
    return lending
  }

  /** Refuses who need not be served any more, after a while of waiting for something else than a connection. */
  #refuseWhenGone(asked: Asked): void {
    const { signal } = asked.request
    this.#parts.asking.refuseWhenClosed()
    if (asked.holder?.aborted !== undefined) throw this.#room.abandoned(asked.holder.aborted, asked)
    if (signal?.aborted === true) throw this.#room.aborted(signal.reason, asked)
  }

  #checkSettings(asked: Asked): void {
    const { observe } = this.#options
    checkSettings(asked, this.#options, this.#leases.driver, observe ? this.#wouldRefuse : undefined)
  }

  /** Once for each caller: what could not be granted at once is looked at again. */
  readonly #wouldRefuse = (asked: Asked, why: string): void => {
    const told = this.#told.get(asked) ?? new Set()
    if (told.has(why)) return
    this.#told.set(asked, told.add(why))
    this.#leases.wouldRefuseCaller(asked.label, why)
  }

  #wait<Granted>(
    asked: Asked,
    now: number,
    give: (lending: Lending<Client>) => Granted,
    place: object | undefined,
  ): Promise<Granted> {
    const { deadlocks } = this.#parts
    // Most callers have no frame around them, and all who wait come by here.
    const { frame } = asked
    if (frame !== undefined) deadlocks.refuseAlone(asked, frame)
    const { promise, resolve, reject } = openPromise<Granted>()
    const pending = new PendingLease(this.#room, asked, this.#deadlineOf(asked), now, give, resolve, reject)
    this.#refusals.makeRoomFor(pending)
    this.#connections.enqueue(pending)
    if ((frame !== undefined || place !== undefined) && pending.queued) deadlocks.waits(pending, asked, place)
    return promise
  }

  /** Waits for what is no connection: what another caller of the same scope asked for, or holds, or what the scope declares. */
  #waitAlong<T>(asked: Asked, others: Promise<T>, places?: PlacesOfScope<Lending<Client>>): Promise<T> {
    const { agenda, wakeUp } = this.#connections
    const { holder, request } = asked
    const { signal } = request
    let leave = (): void => {}
    const givenUp = new Promise<never>((_resolve, reject) => {
      const pending: PendingAcquire & SignalFollower = {
        pendingAt: -1,
        abandon: (abort) => reject(this.#room.abandoned(abort, asked)),
        signalAborted: () => reject(this.#room.aborted(signal?.reason, asked)),
      }
      holder?.waits(pending)
      if (signal !== undefined) followSignal(signal, pending)
      const onDeadline = (): void => reject(this.#refusals.timeout(asked.at, places?.lendings, places?.most))
      const takeBack = agenda.at(this.#deadlineOf(asked), onDeadline)
      wakeUp.hold()
      leave = () => {
        takeBack()
        holder?.waitsNoMore(pending)
        if (signal !== undefined) leaveSignal(signal, pending)
        wakeUp.letGo()
      }
    })
    return Promise.race([others, givenUp]).finally(() => leave())
  }

  #deadlineOf({ request, holder, at }: Asked): number {
    return Math.min(
      at + (request.timeoutMs ?? this.#options.acquireTimeoutMs),
      holder?.deadlineOn(this.#options.clock) ?? Number.POSITIVE_INFINITY,
    )
  }
}
