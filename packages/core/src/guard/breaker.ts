import type { BreakerState } from './breaker-state.js'
import type { Sighting, TripRule } from './trip-rules/trip-rule.js'

export interface BreakerParts {
  readonly rules: readonly TripRule[]
  /** How long it stays open before the first probe. Doubled after each probe that fails. */
  readonly probeAfterMs: number
  /** The longest it stays open between two probes. */
  readonly maxProbeAfterMs: number
  /** False: it goes through its states and tells of them, and forbids nothing. */
  readonly enforces: boolean
  readonly random?: () => number
  /** It has gone from one state to another. */
  readonly changed: (from: BreakerState, to: BreakerState) => void
}

/** Pauses between probes are shortened by up to this share, or pools that trip together would probe together. */
const PROBE_JITTER = 0.2

const CLOSED: BreakerState = { is: 'closed' }

/**
 * The circuit breaker around opening connections. It knows no time and does nothing by itself: who opens connections asks
 * it for leave, tells it what came of it, and begins a probe when `probe` says so. All of it is synchronous, so that no
 * caller ever waits for a state.
 */
export class Breaker {
  readonly #parts: BreakerParts
  readonly #random: () => number
  #state: BreakerState = CLOSED
  #failures = 0

  constructor(parts: BreakerParts) {
    this.#parts = parts
    this.#random = parts.random ?? Math.random
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Failures since a connection was last opened. */
  get failures(): number {
    return this.#failures
  }

  /** Whether nobody may open a connection now, but for a probe. */
  get isShut(): boolean {
    const { is } = this.#state
    return is === 'forced-open' || (this.#parts.enforces && (is === 'open' || is === 'half-open'))
  }

  /** Whether a connection may be opened for a caller. One that only reports takes a caller's attempt for its probe. */
  permit(now: number): boolean {
    if (this.isShut) return false
    if (this.#state.is === 'open' && now >= this.#state.probeAt) this.#halfOpen(now)
    return true
  }

  /** Whether a probe is to begin now. From then on the next outcome of an attempt decides. */
  probe(now: number): boolean {
    if (this.#state.is !== 'open' || !this.#parts.enforces || now < this.#state.probeAt) return false
    this.#halfOpen(now)
    return true
  }

  /**
   * What was seen of the database, of an attempt that began at `startedAt`.
   *
   * @param cause what went wrong, of a failure.
   */
  record(sighting: Sighting, startedAt: number, now: number, cause?: unknown): void {
    this.#failures = sighting === 'connected' ? 0 : this.#failures + 1
    const state = this.#state
    switch (state.is) {
      case 'closed': {
        for (const rule of this.#parts.rules) rule.record(sighting, now)
        if (sighting !== 'connected') this.#tripIfDue(now, cause)
        return
      }
      case 'open': {
        // Begun before it opened: the server lives after all.
        if (sighting === 'connected') this.#to(CLOSED)
        return
      }
      case 'half-open': {
        if (sighting === 'connected') this.#to(CLOSED)
        // Of the others, only the probe has something new to say.
        else if (sighting === 'connect failed' && startedAt >= state.since) {
          this.#open(now, state.failedProbes + 1, state.why, cause)
        }
        return
      }
      case 'forced-open':
      case 'forced-closed':
    }
  }

  /** Keeps it open or closed by hand; `automatic` lets it go on from closed. */
  force(to: 'open' | 'closed' | 'automatic'): void {
    const is = to === 'automatic' ? 'closed' : (`forced-${to}` as const)
    if (to === 'automatic' && !this.#state.is.startsWith('forced')) return
    if (this.#state.is !== is) this.#to({ is })
  }

  /** Closes it, unless it is held by hand: somebody has reason to believe that all is well. */
  reset(): void {
    if (this.#state.is === 'open' || this.#state.is === 'half-open') this.#to(CLOSED)
  }

  #tripIfDue(now: number, cause: unknown): void {
    for (const rule of this.#parts.rules) {
      const why = rule.verdict(now)
      if (why === undefined) continue
      this.#open(now, 0, why, cause)
      return
    }
  }

  #halfOpen(now: number): void {
    if (this.#state.is !== 'open') return
    const { failedProbes, why, cause } = this.#state
    this.#to({ is: 'half-open', since: now, failedProbes, why, cause })
  }

  #open(now: number, failedProbes: number, why: string, cause: unknown): void {
    const { probeAfterMs, maxProbeAfterMs } = this.#parts
    const pauseMs = Math.min(maxProbeAfterMs, probeAfterMs * 2 ** failedProbes) * (1 - PROBE_JITTER * this.#random())
    this.#to({ is: 'open', since: now, probeAt: now + pauseMs, failedProbes, why, cause })
  }

  #to(state: BreakerState): void {
    const from = this.#state
    this.#state = state
    // What was seen before says nothing about what comes after.
    for (const rule of this.#parts.rules) rule.reset()
    this.#parts.changed(from, state)
  }
}
