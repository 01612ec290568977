import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Agenda } from './agenda.js'
import type { Slots } from './slots.js'

const LOOKS = 10
const ABOVE = 0.8
const FOR_MS = 1_000

export interface UtilizationParts {
  readonly options: Pick<ResolvedPoolOptions, 'utilization' | 'max' | 'clock'>
  readonly slots: Slots
  readonly agenda: Agenda
  /** Called when nearly all have been lent for a while, and when that is over. */
  readonly tell: (level: 'high' | 'normal', lastedMs: number | undefined) => void
}

type Level =
  | { readonly is: 'normal' }
  | { readonly is: 'rising'; readonly since: number }
  | { readonly is: 'high'; readonly since: number }
  | { readonly is: 'falling'; readonly since: number; readonly belowSince: number }

/**
 * Watches whether nearly all connections are lent for a while. Nothing looks while few are, and nothing while many are: a
 * lease that goes above the mark sets it going, and a release that comes below when it is high; then the pool's wake-up
 * looks now and then until it is clear.
 */
export class Utilization {
  readonly #parts: UtilizationParts
  readonly #above: number
  readonly #forMs: number
  #mark = Number.POSITIVE_INFINITY
  /** To be compared with at each grant: with more lent than this, `noticed` is to be told. */
  noticedAbove: number = Number.POSITIVE_INFINITY
  /** To be compared with at each release: with no more lent than this, `noticed` is to be told. */
  noticedBelow: number = Number.NEGATIVE_INFINITY
  #level: Level = { is: 'normal' }

  constructor(parts: UtilizationParts) {
    const { utilization, max } = parts.options
    this.#parts = parts
    this.#above = utilization === false ? Number.POSITIVE_INFINITY : (utilization.above ?? ABOVE)
    this.#forMs = utilization === false ? FOR_MS : (utilization.forMs ?? FOR_MS)
    this.resized(max)
  }

  /** For how long it has been high; undefined when it is not. */
  highForMs(now: number): number | undefined {
    return this.#level.is === 'high' || this.#level.is === 'falling' ? now - this.#level.since : undefined
  }

  resized(max: number): void {
    this.#mark = this.#above * max
    this.#become(this.#level)
    // Nobody need come or go for the share of what is lent to be another one.
    const { slots, options } = this.#parts
    if (slots.lent > this.noticedAbove || slots.lent <= this.noticedBelow) this.noticed(options.clock.now())
  }

  noticed(now: number): void {
    if (this.#level.is === 'normal') this.#become({ is: 'rising', since: now })
    else if (this.#level.is === 'high') this.#become({ is: 'falling', since: this.#level.since, belowSince: now })
    else return
    this.#lookAgain(now)
  }

  #become(level: Level): void {
    this.#level = level
    this.noticedAbove = level.is === 'normal' ? this.#mark : Number.POSITIVE_INFINITY
    this.noticedBelow = level.is === 'high' ? this.#mark : Number.NEGATIVE_INFINITY
  }

  #lookAgain(now: number): void {
    this.#parts.agenda.at(now + Math.ceil(this.#forMs / LOOKS), () => this.#look(this.#parts.options.clock.now()))
  }

  #look(now: number): void {
    const { slots, tell } = this.#parts
    // One that is cleaned between two owners is as good as lent.
    const isAbove = slots.lent + slots.recycling > this.#mark
    const level = this.#level
    if (level.is === 'rising') {
      if (!isAbove) return this.#become({ is: 'normal' })
      if (now - level.since >= this.#forMs) {
        this.#become({ is: 'high', since: level.since })
        return tell('high', undefined)
      }
    } else if (level.is === 'falling') {
      if (isAbove) return this.#become({ is: 'high', since: level.since })
      if (now - level.belowSince >= this.#forMs) {
        this.#become({ is: 'normal' })
        return tell('normal', level.belowSince - level.since)
      }
    }
    this.#lookAgain(now)
  }
}
