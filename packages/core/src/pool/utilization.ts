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
  | { readonly is: 'high'; readonly since: number; readonly belowSince: number | undefined }

/**
 * Watches whether nearly all connections are lent for a while. Nothing looks while few are: a lease that goes above the mark
 * sets it going, and from then on the pool's wake-up looks now and then until the use is low again.
 */
export class Utilization {
  readonly #parts: UtilizationParts
  readonly #above: number
  readonly #forMs: number
  #mark = Number.POSITIVE_INFINITY
  #level: Level = { is: 'normal' }

  constructor(parts: UtilizationParts) {
    const { utilization, max } = parts.options
    this.#parts = parts
    this.#above = utilization === false ? Number.POSITIVE_INFINITY : (utilization.above ?? ABOVE)
    this.#forMs = utilization === false ? FOR_MS : (utilization.forMs ?? FOR_MS)
    this.resized(max)
  }

  /** More connections than this are too many: to be compared with at each lease, and `noticed` above it. */
  get mark(): number {
    return this.#mark
  }

  /** For how long it has been high; undefined when it is not. */
  highForMs(now: number): number | undefined {
    return this.#level.is === 'high' ? now - this.#level.since : undefined
  }

  resized(max: number): void {
    this.#mark = this.#above * max
  }

  /** More than the mark are lent. */
  noticed(now: number): void {
    if (this.#level.is !== 'normal') return
    this.#level = { is: 'rising', since: now }
    this.#lookAgain(now)
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
      if (!isAbove) {
        this.#level = { is: 'normal' }
        return
      }
      if (now - level.since >= this.#forMs) {
        this.#level = { is: 'high', since: level.since, belowSince: undefined }
        tell('high', undefined)
      }
    } else if (level.is === 'high') {
      const belowSince = isAbove ? undefined : (level.belowSince ?? now)
      if (belowSince !== undefined && now - belowSince >= this.#forMs) {
        this.#level = { is: 'normal' }
        tell('normal', belowSince - level.since)
        return
      }
      this.#level = { ...level, belowSince }
    }
    this.#lookAgain(now)
  }
}
