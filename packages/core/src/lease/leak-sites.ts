import type { LeakKind } from '../events/pool-events.js'

/** One place in the code that has leaked, and how often. */
export interface LeakSite {
  readonly kind: LeakKind
  readonly label: string
  /** Where the leases were asked for, when that was captured. */
  readonly site: string | undefined
  readonly count: number
  /** When it last did, in milliseconds of the pool's clock. */
  readonly lastAt: number
}

/** A label made of user input must not fill the memory: of more than these, what has not leaked for longest is forgotten. */
const MOST_SITES = 200

/** Sums up leaks by the place that asked for the lease, over the life of a pool. */
export class LeakSites {
  /** The one that leaked last stands last. */
  readonly #sites = new Map<string, LeakSite>()

  note(kind: LeakKind, label: string, site: string | undefined, now: number): void {
    const key = `${kind}\n${label}\n${site ?? ''}`
    const count = (this.#sites.get(key)?.count ?? 0) + 1
    this.#sites.delete(key)
    this.#sites.set(key, { kind, label, site, count, lastAt: now })
    if (this.#sites.size <= MOST_SITES) return
    const [oldest] = this.#sites.keys()
    if (oldest !== undefined) this.#sites.delete(oldest)
  }

  /** Those that leaked most often first. */
  get all(): readonly LeakSite[] {
    return [...this.#sites.values()].sort((one, other) => other.count - one.count)
  }
}
