import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { PendingAcquire, Scope, ScopeAbort } from '../scope/scope.js'
import type { NamedHolder, WaitedFor } from '../scope/wait-graph.js'

/** What of a lease is told of whoever has a place for it. */
export interface PlaceHolder extends NamedHolder {
  readonly connection: object
  onEnd(callback: () => void): void
}

/** Words why a caller of this label, who has waited since then, waits in vain. */
type Abandoned = (abort: ScopeAbort, label: string, since: number) => LeaseholdError

/** Lets each scope have so many connections at a time. Who asks for more waits for its own scope, in order, and for nobody else. */
export class ScopePlaces<Holder extends PlaceHolder = PlaceHolder> {
  /** How many a scope may have. */
  readonly most: number
  readonly #abandoned: Abandoned
  readonly #scopes = new WeakMap<Scope, PlacesOfScope<Holder>>()
  #waiting = 0

  constructor(most: number, abandoned: Abandoned) {
    this.most = most
    this.#abandoned = abandoned
  }

  /** Callers who wait for their own scope. */
  get waiting(): number {
    return this.#waiting
  }

  ask(scope: Scope, label: string, at: number): ScopePlace<Holder> {
    let places = this.#scopes.get(scope)
    if (places === undefined) {
      places = new PlacesOfScope(scope.label, this.most, (change) => (this.#waiting += change))
      this.#scopes.set(scope, places)
    }
    const place = new ScopePlace(places, scope, (abort) => this.#abandoned(abort, label, at))
    places.seat(place)
    return place
  }
}

/** Those of one scope who have a place, and those who wait for one. */
export class PlacesOfScope<Holder extends PlaceHolder = PlaceHolder> implements WaitedFor {
  /** The scope's. */
  readonly label: string
  readonly most: number
  stirredAt = Number.NEGATIVE_INFINITY
  readonly #taken = new Set<ScopePlace<Holder>>()
  readonly #line = new Set<ScopePlace<Holder>>()
  readonly #lineChanged: (change: number) => void

  constructor(label: string, most: number, lineChanged: (change: number) => void) {
    this.label = label
    this.most = most
    this.#lineChanged = lineChanged
  }

  /** Leases that have a place. */
  get lendings(): readonly Holder[] {
    return [...this.#taken].flatMap(({ holder }) => holder ?? [])
  }

  /** Who has a place and still waits for a connection holds nothing but the place. */
  allHeld(): ReadonlyMap<object, NamedHolder | undefined> | undefined {
    if (this.#taken.size < this.most) return undefined
    return new Map([...this.#taken].map((place) => [place.holder?.connection ?? place, place.holder]))
  }

  /** Whether it stands in line. */
  isInLine(place: ScopePlace<Holder>): boolean {
    return this.#line.has(place)
  }

  seat(place: ScopePlace<Holder>): void {
    if (this.#taken.size < this.most) {
      this.#taken.add(place)
      return
    }
    place.wait()
    this.#line.add(place)
    this.#lineChanged(1)
  }

  /** The place goes to the one who has waited longest, or is nobody's. */
  leave(place: ScopePlace<Holder>): void {
    if (this.#line.delete(place)) {
      this.#lineChanged(-1)
      place.waitNoMore()
    }
    if (!this.#taken.delete(place)) return
    const [next] = this.#line
    if (next === undefined) return
    this.#line.delete(next)
    this.#lineChanged(-1)
    this.#taken.add(next)
    next.have()
  }
}

/** One caller's place among the connections that its scope may have at a time, or in the line for one. */
export class ScopePlace<Holder extends PlaceHolder = PlaceHolder> implements PendingAcquire {
  pendingAt = -1
  /** Undefined when it was there at once; otherwise resolves when it is, and rejects when its scope grants nothing more. */
  turn: Promise<void> | undefined
  /** Those of its scope. */
  readonly among: PlacesOfScope<Holder>
  /** The lease that it is for, once that is granted. */
  holder: Holder | undefined
  readonly #scope: Scope
  readonly #abandoned: (abort: ScopeAbort) => LeaseholdError
  #settle: { have(): void; refuse(error: LeaseholdError): void } | undefined

  constructor(among: PlacesOfScope<Holder>, scope: Scope, abandoned: (abort: ScopeAbort) => LeaseholdError) {
    this.among = among
    this.#scope = scope
    this.#abandoned = abandoned
  }

  /** Whether it stands in line. */
  get isWaiting(): boolean {
    return this.among.isInLine(this)
  }

  wait(): void {
    this.turn = new Promise((have, refuse) => (this.#settle = { have, refuse }))
    // Whoever stopped waiting for it does not hear of it any more.
    this.turn.catch(() => {})
    this.#scope.waits(this)
  }

  waitNoMore(): void {
    this.#scope.waitsNoMore(this)
  }

  have(): void {
    this.waitNoMore()
    this.#settle?.have()
  }

  /** The place is given up with this lease. */
  isFor(holder: Holder): void {
    this.holder = holder
    holder.onEnd(() => this.leave())
  }

  refuse(error: LeaseholdError): void {
    this.#settle?.refuse(error)
  }

  abandon(abort: ScopeAbort): void {
    this.refuse(this.#abandoned(abort))
  }

  /** Gives it up, had or not had yet; the next one of the scope has it then. A second call does nothing. */
  leave(): void {
    this.among.leave(this)
  }
}
