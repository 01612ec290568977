/** What went wrong; the list is closed and its names are part of the public contract. */
export type LeaseholdErrorCode =
  | 'LEASEHOLD_ACQUIRE_TIMEOUT'
  | 'LEASEHOLD_QUEUE_FULL'
  | 'LEASEHOLD_SELF_DEADLOCK'
  | 'LEASEHOLD_OVERLOADED'
  | 'LEASEHOLD_CIRCUIT_OPEN'
  | 'LEASEHOLD_CONNECT_FAILED'
  | 'LEASEHOLD_LEASE_RELEASED'
  | 'LEASEHOLD_SCOPE_CLOSED'
  | 'LEASEHOLD_POOL_CLOSED'
  | 'LEASEHOLD_RESET_FAILED'
  | 'LEASEHOLD_SETTING_REQUIRED'
  | 'LEASEHOLD_SETTINGS_FAILED'
  | 'LEASEHOLD_MODE_VIOLATION'
  | 'LEASEHOLD_TRANSACTION_CONFLICT'
  | 'LEASEHOLD_TRANSACTION_ENDED'
  | 'LEASEHOLD_INVALID_OPTIONS'
  | 'LEASEHOLD_ABORTED'

/** The step of a lease's way in which it went wrong. */
export type LeaseholdErrorPhase =
  'queue' | 'connect' | 'check' | 'settings' | 'reset' | 'statement' | 'scope' | 'transaction'

/** What every error of Leasehold is made of. */
export interface LeaseholdErrorFacts {
  readonly code: LeaseholdErrorCode
  readonly phase: LeaseholdErrorPhase
  /** What happened, as a sentence without its full stop. */
  readonly what: string
  /** What to do about it, in one line. */
  readonly remedy: string
  /** The pool's name, where there is one. */
  readonly pool?: string | undefined
  readonly cause?: unknown
  /** How long a client should wait before it tries again, in milliseconds; makes the error a 503. */
  readonly retryAfterMs?: number | undefined
}

const BRAND = Symbol.for('leasehold.error')

/**
 * The base of every error that Leasehold throws. `instanceof LeaseholdError` also holds for errors of another
 * installed copy, and of the other module format, because it looks at a registered symbol.
 */
export class LeaseholdError extends Error {
  readonly code: LeaseholdErrorCode
  readonly phase: LeaseholdErrorPhase
  /** One line that says what to do. */
  readonly remedy: string
  readonly pool: string | undefined
  /** 503 where a web binding should answer so, otherwise undefined. */
  readonly statusCode: 503 | undefined
  /** Milliseconds after which a client may try again; for `Retry-After`. */
  readonly retryAfterMs: number | undefined
  readonly [BRAND] = true

  constructor(facts: LeaseholdErrorFacts) {
    super(`${facts.what}. ${facts.remedy}`, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'LeaseholdError'
    this.code = facts.code
    this.phase = facts.phase
    this.remedy = facts.remedy
    this.pool = facts.pool
    this.statusCode = facts.retryAfterMs === undefined ? undefined : 503
    this.retryAfterMs = facts.retryAfterMs
  }

  /**
   * False: the message is not for clients, since it names holders and call sites. What the `http-errors` package calls
   * so is heeded by Nest and Koa. On the prototype, because it is a fact of all of them and of no single one.
   */
  get expose(): false {
    return false
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // Only the base answers for other copies; a subclass keeps the ordinary meaning.
    if (this === LeaseholdError) return isLeaseholdError(value)
    return Function.prototype[Symbol.hasInstance].call(this, value)
  }
}

/** Whether `value` is an error of Leasehold, of whichever installed copy. */
export function isLeaseholdError(value: unknown): value is LeaseholdError {
  return typeof value === 'object' && value !== null && BRAND in value
}
