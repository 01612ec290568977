import type { PinKind } from '../events/pin.js'
import type { EffectOrigin, PinRecord, SessionBooking, SessionEffect } from '../ports/session-effect.js'

const NOWHERE: EffectOrigin = { statement: undefined, site: undefined, isRepeatable: false, isOfBaseline: false }

/** What undoing takes: the pin that a key had before, or a savepoint's place. */
type Undo =
  | { readonly is: 'change'; readonly key: string; readonly before: PinRecord | undefined }
  | { readonly is: 'savepoint'; readonly name: string }

const UNKNOWN_ROLLBACK: SessionEffect = { does: 'set', kind: 'unknown', name: 'a rollback', isTransactional: false }

/**
 * What is in force on one session beyond its baseline, as the driver books it: pins, by kind and name, and how to undo
 * them when the transaction that made them is rolled back.
 *
 * The baseline is what hooks did before the first owner came. A pin is a difference from it, in either direction.
 */
export class SessionEffects {
  readonly #pins = new Map<string, PinRecord>()
  readonly #baseline = new Map<string, PinRecord>()
  #undo: Undo[] = []

  /** How many differences there are. */
  get size(): number {
    return this.#pins.size
  }

  get pins(): Iterable<PinRecord> {
    return this.#pins.values()
  }

  /** What was in force before the first owner came. */
  get baseline(): Iterable<PinRecord> {
    return this.#baseline.values()
  }

  /** From now on, what is in force is what every owner shall meet. */
  settleBaseline(): void {
    for (const [key, pin] of this.#pins) this.#baseline.set(key, pin)
    this.restored()
  }

  /** The session is again as its first owner met it. */
  restored(): void {
    this.#pins.clear()
    this.#undo = []
  }

  /** Books what happened. Returns the pin that it made, if it made a new one. */
  book(booking: SessionBooking, now: number): PinRecord | undefined {
    switch (booking.is) {
      case 'effect':
        return this.#apply(booking.effect, booking.origin, now)
      case 'savepoint':
        this.#undo.push({ is: 'savepoint', name: booking.name })
        return undefined
      case 'release-savepoint':
        this.#release(booking.name)
        return undefined
      case 'rollback-to-savepoint':
        return this.#rollbackTo(booking.name, now)
      case 'rollback':
        this.#undoTo(0)
        return undefined
      case 'commit':
        if (this.#undo.length > 0) this.#undo = []
        return undefined
      case 'begin':
    }
    return undefined
  }

  #apply(effect: SessionEffect, origin: EffectOrigin, now: number): PinRecord | undefined {
    const { kind, name, does } = effect
    if (origin.isOfBaseline) {
      this.#applyToBaseline(effect, origin, now)
      return undefined
    }
    if (does === 'clear') {
      if (name === undefined) this.#clearKind(effect, origin, now)
      else this.#clear(keyOf(kind, name), effect, origin, now)
      return undefined
    }
    if (does === 'touch' || does === 'rename') {
      this.#touch(effect, origin, now)
      if (does === 'rename') this.#rename(effect)
      return undefined
    }
    const key = keyOf(kind, name)
    const before = this.#pins.get(key)
    const times = before?.change === 'set' && isCounted(kind) ? before.times + 1 : 1
    const pin: PinRecord = { ...origin, kind, name, change: 'set', times, since: before?.since ?? now }
    this.#change(key, pin, effect.isTransactional)
    return before === undefined ? pin : undefined
  }

  /** Hooks do not roll back what they do. */
  #applyToBaseline({ kind, name, does }: SessionEffect, origin: EffectOrigin, now: number): void {
    const key = keyOf(kind, name)
    if (does === 'set') this.#baseline.set(key, { ...origin, kind, name, change: 'set', times: 1, since: now })
    else if (does !== 'clear') return
    else if (name !== undefined) this.#baseline.delete(key)
    else for (const [known, pin] of this.#baseline) if (pin.kind === kind) this.#baseline.delete(known)
  }

  #clearKind(effect: SessionEffect, origin: EffectOrigin, now: number): void {
    const keys = [...this.#pins, ...this.#baseline].filter(([, pin]) => pin.kind === effect.kind).map(([key]) => key)
    for (const key of new Set(keys)) this.#clear(key, { ...effect, name: undefined }, origin, now)
  }

  #clear(key: string, effect: SessionEffect, origin: EffectOrigin, now: number): void {
    const before = this.#pins.get(key)
    const ofBaseline = this.#baseline.get(key)
    if (before?.change === 'set' && before.times > 1 && effect.name !== undefined) {
      this.#change(key, { ...before, times: before.times - 1 }, effect.isTransactional)
    } else if (ofBaseline === undefined) {
      if (before !== undefined) this.#change(key, undefined, effect.isTransactional)
    } else if (before?.change === 'set' && isCounted(effect.kind) && effect.name !== undefined) {
      this.#change(key, undefined, effect.isTransactional)
    } else {
      const { kind, name } = ofBaseline
      const pin: PinRecord = { ...origin, kind, name, change: 'cleared', times: 1, since: before?.since ?? now }
      this.#change(key, pin, effect.isTransactional)
    }
  }

  /** What hooks had made may be gone: it counts as gone, so that it is made anew. */
  #touch({ kind, name, isTransactional }: SessionEffect, origin: EffectOrigin, now: number): void {
    for (const [key, item] of this.#baseline) {
      const isMeant = item.kind === kind && (name === undefined || name === item.name)
      if (!isMeant || this.#pins.has(key)) continue
      this.#change(key, { ...origin, kind, name: item.name, change: 'cleared', times: 1, since: now }, isTransactional)
    }
  }

  /** Nobody follows its new name: it is one of its kind, until all of that is undone. */
  #rename({ kind, name, isTransactional }: SessionEffect): void {
    const key = keyOf(kind, name)
    const pin = this.#pins.get(key)
    if (pin?.change !== 'set') return
    this.#change(key, undefined, isTransactional)
    this.#change(keyOf(kind, undefined), { ...pin, name: undefined }, isTransactional)
  }

  #change(key: string, pin: PinRecord | undefined, isTransactional: boolean): void {
    if (isTransactional) this.#undo.push({ is: 'change', key, before: this.#pins.get(key) })
    if (pin === undefined) this.#pins.delete(key)
    else this.#pins.set(key, pin)
  }

  /** Where the latest savepoint of this name is; -1 when there is none. */
  #placeOf(name: string): number {
    return this.#undo.findLastIndex((undo) => undo.is === 'savepoint' && undo.name === name)
  }

  /** Forgets the savepoint and those within it; what was done since stays, and is the outer one's to undo. */
  #release(name: string): void {
    const place = this.#placeOf(name)
    if (place < 0) return
    const since = this.#undo.splice(place)
    for (const undo of since) if (undo.is === 'change') this.#undo.push(undo)
  }

  #rollbackTo(name: string, now: number): PinRecord | undefined {
    const place = this.#placeOf(name)
    // A savepoint that was set where nobody could see it: what has been undone is not known.
    if (place < 0) return this.#apply(UNKNOWN_ROLLBACK, NOWHERE, now)
    this.#undoTo(place + 1)
    return undefined
  }

  #undoTo(length: number): void {
    while (this.#undo.length > length) {
      const undo = this.#undo.pop()
      if (undo?.is !== 'change') continue
      if (undo.before === undefined) this.#pins.delete(undo.key)
      else this.#pins.set(undo.key, undo.before)
    }
  }
}

function keyOf(kind: PinKind, name: string | undefined): string {
  return name === undefined ? kind : `${kind} ${name}`
}

/** Locks are re-entrant: each taking wants its own unlock. */
function isCounted(kind: PinKind): boolean {
  return kind === 'advisory-lock'
}
