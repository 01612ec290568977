import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { PendingAcquire, Scope, ScopeAbort } from '../scope/scope.js'

/** One caller's place among the connections that its scope may have at a time. */
export interface ScopePlace {
  /** Undefined when it has one at once; otherwise resolves when it has, and rejects when its scope grants nothing more. */
  readonly turn: Promise<void> | undefined
  /** Gives it up, had or not had yet; the next one of the scope has it then. A second call does nothing. */
  leave(): void
}

/** Those of one scope who have a place, and those who wait for one. */
interface Places {
  taken: number
  readonly line: Set<WaitingPlace>
}

/** Lets each scope have so many connections at a time. Who asks for more waits for its own scope, in order, and for nobody else. */
export class ScopePlaces {
  readonly #most: number
  readonly #abandoned: (abort: ScopeAbort, label: string, since: number) => LeaseholdError
  readonly #scopes = new WeakMap<Scope, Places>()
  #waiting = 0

  /** @param abandoned words why a caller waits in vain. */
  constructor(most: number, abandoned: (abort: ScopeAbort, label: string, since: number) => LeaseholdError) {
    this.#most = most
    this.#abandoned = abandoned
  }

  /** How many a scope may have. */
  get most(): number {
    return this.#most
  }

  /** Callers who wait for their own scope. */
  get waiting(): number {
    return this.#waiting
  }

  ask(scope: Scope, label: string, at: number): ScopePlace {
    const places = this.#placesOf(scope)
    let hasLeft = false
    if (places.taken < this.#most) {
      places.taken += 1
      const leave = (): void => {
        if (hasLeft) return
        hasLeft = true
        this.#free(places)
      }
      return { turn: undefined, leave }
    }
    const waiting = new WaitingPlace(scope, (abort) => this.#abandoned(abort, label, at))
    places.line.add(waiting)
    this.#waiting += 1
    const leave = (): void => {
      if (hasLeft) return
      hasLeft = true
      if (places.line.delete(waiting)) {
        this.#waiting -= 1
        waiting.end()
      } else this.#free(places)
    }
    return { turn: waiting.turn, leave }
  }

  #placesOf(scope: Scope): Places {
    let places = this.#scopes.get(scope)
    if (places === undefined) {
      places = { taken: 0, line: new Set() }
      this.#scopes.set(scope, places)
    }
    return places
  }

  /** The place goes to the one who has waited longest, or is nobody's. */
  #free(places: Places): void {
    const [next] = places.line
    if (next === undefined) {
      places.taken -= 1
      return
    }
    places.line.delete(next)
    this.#waiting -= 1
    next.end()
    next.have()
  }
}

class WaitingPlace implements PendingAcquire {
  pendingAt = -1
  readonly turn: Promise<void>
  readonly #scope: Scope
  readonly #error: (abort: ScopeAbort) => LeaseholdError
  #settle: { have(): void; refuse(error: LeaseholdError): void } = { have: () => {}, refuse: () => {} }

  constructor(scope: Scope, error: (abort: ScopeAbort) => LeaseholdError) {
    this.#scope = scope
    this.#error = error
    this.turn = new Promise((have, refuse) => (this.#settle = { have, refuse }))
    // Whoever stopped waiting for it does not hear of it any more.
    this.turn.catch(() => {})
    scope.waits(this)
  }

  have(): void {
    this.#settle.have()
  }

  end(): void {
    this.#scope.waitsNoMore(this)
  }

  abandon(abort: ScopeAbort): void {
    this.#settle.refuse(this.#error(abort))
  }
}
