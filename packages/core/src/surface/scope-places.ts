import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Scope } from '../scope/scope.js'
import type { NamedHolder, WaitedFor } from '../scope/wait-graph.js'

/** What of a lease is told of whoever has a place for it. */
export interface PlaceHolder extends NamedHolder {
  readonly connection: object
  onEnd(callback: () => void): unknown
}

/** Lets each scope have so many connections at a time. Who asks for more waits for its own scope, in order, and for nobody else. */
export class ScopePlaces<Holder extends PlaceHolder = PlaceHolder> {
  /** How many a scope may have. */
  readonly most: number
  readonly #scopes = new WeakMap<Scope, PlacesOfScope<Holder>>()
  #waiting = 0

  constructor(most: number) {
    this.most = most
  }

  /** Callers who wait for their own scope. */
  get waiting(): number {
    return this.#waiting
  }

  ask(scope: Scope): ScopePlace<Holder> {
    let places = this.#scopes.get(scope)
    if (places === undefined) {
      places = new PlacesOfScope(scope.label, this.most, (change) => (this.#waiting += change))
      this.#scopes.set(scope, places)
    }
    const place = new ScopePlace(places)
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
    if (this.#line.delete(place)) this.#lineChanged(-1)
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
export class ScopePlace<Holder extends PlaceHolder = PlaceHolder> {
  /** Undefined when it was there at once; otherwise resolves when it is, and rejects when it never will be. */
  turn: Promise<void> | undefined
  /** Those of its scope. */
  readonly among: PlacesOfScope<Holder>
  /** The lease that it is for, once that is granted. */
  holder: Holder | undefined
  #settle: { have(): void; refuse(error: LeaseholdError): void } | undefined

  constructor(among: PlacesOfScope<Holder>) {
    this.among = among
  }

  /** Whether it stands in line. */
  get isWaiting(): boolean {
    return this.among.isInLine(this)
  }

  wait(): void {
    this.turn = new Promise((have, refuse) => (this.#settle = { have, refuse }))
    // Whoever stopped waiting for it does not hear of it any more.
    this.turn.catch(() => {})
  }

  have(): void {
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

  /** Gives it up, had or not had yet; the next one of the scope has it then. A second call does nothing. */
  leave(): void {
    this.among.leave(this)
  }
}
