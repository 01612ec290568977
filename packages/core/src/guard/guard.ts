import { CircuitOpenError } from '../errors/circuit-open-error.js'
import { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { ResolvedBackoffOptions, ResolvedBreakerOptions } from '../options/guard-options.js'
import type { ErrorKind } from '../ports/driver.js'
import { Backoff } from './backoff.js'
import { Breaker } from './breaker.js'
import type { BreakerState } from './breaker-state.js'
import { Ramp } from './ramp.js'
import { RetryBudget } from './retry-budget.js'
import { ConsecutiveFailures } from './trip-rules/consecutive-failures.js'
import { FailureRate } from './trip-rules/failure-rate.js'

export interface GuardParts {
  readonly pool: string
  readonly driver: string
  readonly breaker: ResolvedBreakerOptions | false
  readonly backoff: ResolvedBackoffOptions | false
  readonly maxConnecting: number
  /** The pool only looks on: the breaker forbids nothing, and no caller is refused for another's failure. */
  readonly observe: boolean
  readonly changed: (from: BreakerState, to: BreakerState) => void
}

/** What is no sign of life. Whatever else a server answers, it answers. */
const SICK: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['transient', 'fatal', 'read-only'])
/** How long nobody's connections, those of `min`, wait after a failure: from one second up to half a minute. */
const REFILL = { baseMs: 1_000, capMs: 30_000 }
/** When to come back if nobody can say. */
const RETRY_AFTER_MS = 1_000

/**
 * Stands before every attempt to open a connection: the breaker, the pause after a failure, the retry budget, and how many
 * attempts there may be at a time. It only decides; who opens connections asks, and tells what came of it.
 */
export class Guard {
  readonly breaker: Breaker
  readonly #parts: GuardParts
  readonly #ramp: Ramp
  readonly #budget = new RetryBudget()
  readonly #backoff: Backoff
  readonly #refill = new Backoff(REFILL)
  #pausedUntil = Number.NEGATIVE_INFINITY
  #refillFrom = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #checkFailedAt = Number.NEGATIVE_INFINITY
  #isTroubled = false
  #denial: ConnectFailedError | undefined

  constructor(parts: GuardParts) {
    const { breaker, backoff } = parts
    this.#parts = parts
    this.#ramp = new Ramp(parts.maxConnecting)
    this.#backoff = new Backoff(backoff === false ? { baseMs: 0, capMs: 0 } : backoff)
    this.breaker = new Breaker({
      rules: breaker === false ? [] : rulesOf(breaker),
      probeAfterMs: breaker === false ? RETRY_AFTER_MS : breaker.probeAfterMs,
      maxProbeAfterMs: breaker === false ? RETRY_AFTER_MS : breaker.maxProbeAfterMs,
      enforces: this.isEnforced,
      changed: (from, to) => this.#changed(from, to),
    })
  }

  /** Whether the breaker forbids anything, or only reports. */
  get isEnforced(): boolean {
    const { breaker, observe } = this.#parts
    return breaker !== false && !breaker.reportOnly && !observe
  }

  /** How many attempts there may be at a time. */
  get width(): number {
    return this.#parts.backoff === false ? this.#parts.maxConnecting : this.#ramp.width
  }

  /** Whether callers may have to be refused: all went well otherwise, and nobody need ask `refusal`. */
  get isTroubled(): boolean {
    return this.#isTroubled || this.breaker.isShut
  }

  /** When an attempt for a caller may begin: `now`, later, or `Infinity` while only a probe can tell. */
  from(now: number): number {
    if (this.breaker.isShut) return Number.POSITIVE_INFINITY
    if (this.#parts.backoff === false || !this.#isTroubled) return now
    return Math.max(now, this.#pausedUntil, this.#budget.from(now))
  }

  /** When an attempt may begin that no caller waits for. */
  refillFrom(now: number): number {
    return Math.max(this.from(now), this.#refillFrom)
  }

  /** An attempt begins that `from` allowed. */
  begins(now: number): void {
    this.breaker.permit(now)
    if (this.#isTroubled) this.#budget.spend(now)
  }

  opened(startedAt: number, now: number): void {
    this.breaker.record('connected', startedAt, now)
    this.#ramp.opened()
    this.#budget.opened()
    this.#backoff.reset()
    this.#refill.reset()
    this.#refillFrom = Number.NEGATIVE_INFINITY
    this.#isTroubled = false
    this.forgive()
  }

  failed(error: ConnectFailedError, startedAt: number, now: number): void {
    const { kind } = error
    this.breaker.record(SICK.has(kind) ? 'connect failed' : 'connected', startedAt, now, error)
    this.#refillFrom = now + this.#refill.next()
    this.#isTroubled = true
    // The server had nothing against it: a hook had, or the configuration. Its caller knows now; the next one need not wait.
    if (kind === 'query') return
    this.#ramp.failed()
    this.#denial = kind === 'denied' && this.#parts.backoff !== false && !this.#parts.observe ? error : undefined
    // Attempts that ran side by side and failed together are one failure.
    if (startedAt > this.#failedAt) this.#pausedUntil = now + this.#backoff.next()
    this.#failedAt = now
  }

  /** A connection that lay idle did not answer. A whole pool of them that is checked together is one failure. */
  checkFailed(error: unknown, startedAt: number, now: number): void {
    if (startedAt <= this.#checkFailedAt) return
    this.#checkFailedAt = now
    this.breaker.record('check failed', startedAt, now, error)
  }

  /** Why a caller is refused at once for whom a connection would have to be opened, if that is so. */
  refusal(now: number): LeaseholdError | undefined {
    const { pool, driver } = this.#parts
    const { state } = this.breaker
    if (this.breaker.isShut) {
      const retryAfterMs = state.is === 'open' ? state.probeAt - now : RETRY_AFTER_MS
      const { why, cause } =
        state.is === 'open' || state.is === 'half-open' ? state : { why: undefined, cause: undefined }
      return new CircuitOpenError({ pool, why, cause, retryAfterMs })
    }
    if (this.#denial === undefined || now >= this.#pausedUntil) return undefined
    const { kind, cause } = this.#denial
    return new ConnectFailedError({ pool, driver, afterMs: 0, how: 'refused', kind, cause })
  }

  /** The next attempt need not wait: somebody has reason to believe that it will go better. */
  forgive(): void {
    this.#pausedUntil = Number.NEGATIVE_INFINITY
    this.#denial = undefined
  }

  #changed(from: BreakerState, to: BreakerState): void {
    if (to.is === 'open') {
      this.#ramp.failed()
      this.#isTroubled = true
    }
    this.#parts.changed(from, to)
  }
}

function rulesOf(breaker: ResolvedBreakerOptions): ReadonlyArray<ConsecutiveFailures | FailureRate> {
  const { consecutiveFailures, failureRate: share, minimumAttempts, windowMs } = breaker
  return [new ConsecutiveFailures(consecutiveFailures), new FailureRate({ share, minimumAttempts, windowMs })]
}
