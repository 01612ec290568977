import { describeHolder, type Holder } from './holder.js'
import { LeaseholdError } from './leasehold-error.js'

export interface AcquireTimeoutFacts {
  readonly pool: string
  /** How long the caller waited, in milliseconds. */
  readonly waitedMs: number
  /** How many others were still waiting when this one gave up. */
  readonly waiting: number
  /** Connections in use or otherwise counted against the limit. */
  readonly total: number
  /** The limit: max + overflow. */
  readonly limit: number
  /** Who holds the connections, the longest first. */
  readonly holders: readonly Holder[]
  /** Which of them the caller probably is itself: in the calls around it, or elsewhere in its scope. */
  readonly ownHolders?: readonly Holder[]
  /** Whether the pool was paused. */
  readonly paused: boolean
  /** Set when the caller's scope had all the connections that it may have, and waited for its own. */
  readonly maxPerScope?: number | undefined
  /** The scope of the caller, when that grants nothing more because its deadline has passed. */
  readonly expired?: string | undefined
  /** The last failure to open a connection since one last succeeded. */
  readonly lastConnectFailure: unknown
}

const NAMED_HOLDERS = 3

/** A caller's deadline passed before a connection was free. */
export class AcquireTimeoutError extends LeaseholdError {
  readonly waitedMs: number
  readonly waiting: number
  readonly total: number
  readonly limit: number
  readonly holders: readonly Holder[]
  /** Which of them the caller probably is itself: in the calls around it, or elsewhere in its scope. */
  readonly ownHolders: readonly Holder[]
  readonly paused: boolean

  constructor(facts: AcquireTimeoutFacts) {
    super({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      phase: facts.lastConnectFailure === undefined ? 'queue' : 'connect',
      what: describe(facts),
      remedy: remedyFor(facts),
      pool: facts.pool,
      cause: facts.lastConnectFailure,
      retryAfterMs: 1_000,
    })
    this.name = 'AcquireTimeoutError'
    this.waitedMs = facts.waitedMs
    this.waiting = facts.waiting
    this.total = facts.total
    this.limit = facts.limit
    this.holders = facts.holders
    this.ownHolders = facts.ownHolders ?? []
    this.paused = facts.paused
  }
}

function describe(facts: AcquireTimeoutFacts): string {
  const waited =
    facts.expired === undefined
      ? `no connection of pool "${facts.pool}" was free within ${Math.round(facts.waitedMs)} ms`
      : `the deadline of scope "${facts.expired}" passed before pool "${facts.pool}" had a connection for it`
  const count = `${facts.holders.length} lent, ${facts.total} of ${facts.limit} open, ${facts.waiting} more waiting`
  const named = facts.holders.slice(0, NAMED_HOLDERS).map(describeHolder).join('; ')
  const own = (facts.ownHolders ?? []).slice(0, NAMED_HOLDERS).map(describeHolder).join('; ')
  const failure =
    facts.lastConnectFailure instanceof Error ? `; last connect failure: ${facts.lastConnectFailure.message}` : ''
  return `${waited} (${count})${named === '' ? '' : `; held by ${named}`}${ownWords(own)}${failure}`
}

function ownWords(own: string): string {
  return own === '' ? '' : `; probably by the caller itself: ${own}`
}

function remedyFor(facts: AcquireTimeoutFacts): string {
  if (facts.expired !== undefined) return 'Give the scope more time, or have it ask sooner'
  if (facts.maxPerScope !== undefined) {
    return `Its scope held ${facts.maxPerScope}, which is maxPerScope: release one before asking for another, or raise it`
  }
  if (facts.paused) return 'The pool is paused: call resume()'
  if (facts.lastConnectFailure !== undefined) return 'Opening connections fails: look at the cause first'
  if ((facts.ownHolders ?? []).length > 0)
    return 'Use the connection that the caller holds already, or release it first'
  return 'Release sooner, make the named holders faster, or raise max within what the database allows'
}
