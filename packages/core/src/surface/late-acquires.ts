import { channels } from '../events/channels.js'
import { CallSite } from '../lease/call-sites.js'
import type { Site } from '../ports/owner.js'

/** Sites are remembered so as to report each once, but not without end. */
const MOST_SITES = 1_000

/** Reports queries that were issued after their scope had closed, once per call site. */
export class LateAcquires {
  readonly #pool: string
  readonly #poolId: number
  readonly #sites = new Set<string>()
  #count = 0

  constructor(pool: string, poolId: number) {
    this.#pool = pool
    this.#poolId = poolId
  }

  /** How many there have been. */
  get count(): number {
    return this.#count
  }

  /**
   * @param known where it was asked for, if that was captured already.
   * @param below the function whose callers are wanted otherwise.
   */
  report(label: string, known: Site | undefined, below: (...args: never[]) => unknown): void {
    this.#count += 1
    if (!channels['late-acquire'].hasSubscribers) return
    const site = (known ?? new CallSite(below)).place
    const seen = `${label} ${site}`
    if (this.#sites.has(seen) || this.#sites.size >= MOST_SITES) return
    this.#sites.add(seen)
    channels['late-acquire'].publish({ pool: this.#pool, poolId: this.#poolId, label, site })
  }
}
