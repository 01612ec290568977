import { channels } from '../events/channels.js'
import { CallSite, type CallSites } from '../lease/call-sites.js'
import type { Site } from '../ports/owner.js'

/** Pairs of sites are remembered so as to report each once, but not without end. */
const MOST_PAIRS = 1_000

/** Reports what was asked of the pool inside an ORM's own transaction, and runs outside of it. Once for each pair of sites. */
export class Escapes {
  readonly #pool: string
  readonly #poolId: number
  readonly #sites: CallSites
  readonly #pairs = new Set<string>()

  constructor(pool: string, poolId: number, sites: CallSites) {
    this.#pool = pool
    this.#poolId = poolId
    this.#sites = sites
  }

  /** Whether anybody wants to know: only then need a transaction know where it was opened. */
  get areWanted(): boolean {
    return channels['transaction-escape'].hasSubscribers
  }

  /**
   * @param label who asked.
   * @param known where it was asked for, if that was captured already.
   * @param opened where the transaction was opened.
   */
  report(label: string, known: Site | undefined, opened: Site | undefined): void {
    if (!this.areWanted) return
    const site = (known ?? new CallSite(this.report)).place
    // An ORM may ask from where no line of the caller is left: then the next one is to know where its query was made.
    this.#sites.suspect(label)
    const transaction = opened?.place
    const pair = `${transaction} ${site}`
    if (this.#pairs.has(pair) || this.#pairs.size >= MOST_PAIRS) return
    this.#pairs.add(pair)
    channels['transaction-escape'].publish({ pool: this.#pool, poolId: this.#poolId, label, site, transaction })
  }
}
