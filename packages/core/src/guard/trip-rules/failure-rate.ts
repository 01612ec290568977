import type { Sighting, TripRule } from './trip-rule.js'

export interface FailureRateTerms {
  /** The share of attempts that fail, from 0 to 1, at which the circuit opens. */
  readonly share: number
  /** It needs at least so many attempts within the window. */
  readonly minimumAttempts: number
  readonly windowMs: number
}

interface Bucket {
  /** Which slice of time it counts. A slot of the ring that holds an older one is stale. */
  slice: number
  attempts: number
  failures: number
}

/** Into how many slices the window is cut: what is counted is between nine tenths and the whole of it. */
const SLICES = 10

/**
 * So large a share of failures among the attempts of a while. Slices of time are counted in a ring; a slice whose time has
 * passed is not cleared but seen to be stale, so that a quiet hour needs no timer and leaves nothing behind.
 *
 * Attempts to open only: where a firewall drops idle connections, each check fails and each attempt to open succeeds, and
 * that is no sick database.
 */
export class FailureRate implements TripRule {
  readonly #terms: FailureRateTerms
  readonly #sliceMs: number
  readonly #ring: Bucket[] = Array.from({ length: SLICES }, () => ({ slice: -1, attempts: 0, failures: 0 }))

  constructor(terms: FailureRateTerms) {
    this.#terms = terms
    this.#sliceMs = terms.windowMs / SLICES
  }

  record(sighting: Sighting, now: number): void {
    if (sighting === 'check failed') return
    const slice = Math.floor(now / this.#sliceMs)
    const bucket = this.#ring[slice % SLICES]
    if (bucket === undefined) throw new Error('bug in Leasehold: a slice of time that is not in the ring')
    if (bucket.slice !== slice) {
      bucket.slice = slice
      bucket.attempts = 0
      bucket.failures = 0
    }
    bucket.attempts += 1
    if (sighting === 'connect failed') bucket.failures += 1
  }

  verdict(now: number): string | undefined {
    const oldest = Math.floor(now / this.#sliceMs) - SLICES
    let attempts = 0
    let failures = 0
    for (const bucket of this.#ring) {
      if (bucket.slice <= oldest) continue
      attempts += bucket.attempts
      failures += bucket.failures
    }
    if (attempts < this.#terms.minimumAttempts || failures === 0) return undefined
    if (failures < attempts * this.#terms.share) return undefined
    return `${failures} of the last ${attempts} attempts failed`
  }

  reset(): void {
    for (const bucket of this.#ring) bucket.slice = -1
  }
}
