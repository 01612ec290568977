import type { PinKind } from '@leasehold/core'

/** When it may happen once more: when something is fetched, or also when the transaction ends (a trigger may be deferred). */
export type Again = 'at-fetch' | 'at-end'

interface LateEffect<T> {
  readonly kind: PinKind
  readonly again: Again
  readonly booking: T
}

/**
 * What the open transaction has booked for queries that may run later or once more: those of cursors, and deferred
 * triggers. Of interest only when it is undone in between: then it happens after that.
 */
export class LateEffects<T> {
  #effects: Array<LateEffect<T>> = []
  readonly #cleared = new Set<PinKind>()

  /** Whether fetching, or the transaction's end, may do something. */
  get mayCome(): boolean {
    return this.#effects.length > 0
  }

  note(kind: PinKind, again: Again, booking: T): void {
    this.#effects.push({ kind, again, booking })
  }

  /** Something of this kind was undone, or may have been. */
  cleared(kind: PinKind): void {
    if (this.#effects.length > 0) this.#cleared.add(kind)
  }

  /** What happens now, and may be in force no longer. */
  due(when: Again): readonly T[] {
    if (this.#cleared.size === 0) return []
    return this.#effects
      .filter(({ kind, again }) => this.#cleared.has(kind) && (when === 'at-fetch' || again === 'at-end'))
      .map(({ booking }) => booking)
  }

  /** The transaction has ended. */
  forget(): void {
    if (this.#effects.length > 0) this.#effects = []
    this.#cleared.clear()
  }
}
