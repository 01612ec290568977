import { LeaseholdError } from './leasehold-error.js'

/** One who holds a connection while what it has called waits for another. */
export interface DeadlockHolder {
  readonly label: string
  /** Where its connection was asked for, when that was captured. */
  readonly site: string | undefined
  /** Where inside it one more is asked for, when that was captured; and by whom, where that goes by another name. */
  readonly askedSite: string | undefined
  readonly askedLabel: string
}

export interface SelfDeadlockFacts {
  readonly pool: string
  /** Who asked, and is refused. */
  readonly label: string
  /** Connections that there can be: max + overflow; or that one scope may have: maxPerScope. */
  readonly limit: number
  /** The scope whose share it was, where that was asked for in vain, and not the pool's whole. */
  readonly scope?: string | undefined
  /** Whether the caller's own calls hold all of them, so that it could never be served. */
  readonly isAlone: boolean
  readonly holders: readonly DeadlockHolder[]
}

/**
 * Every connection, or every one that a scope may have, is held by code that itself waits for one more. Where one chain of
 * calls holds them all, its next request is refused at once; where several do, the one that came last is refused, so that
 * the others can go on.
 */
export class SelfDeadlockError extends LeaseholdError {
  readonly label: string
  /** Connections that there can be, or that one scope may have. */
  readonly limit: number
  /** The scope that had all its `maxPerScope`, if that was it. */
  readonly scope: string | undefined
  readonly isAlone: boolean
  readonly holders: readonly DeadlockHolder[]

  constructor(facts: SelfDeadlockFacts) {
    const { pool, label, limit, scope, isAlone, holders } = facts
    const option = scope === undefined ? 'max' : 'maxPerScope'
    super({
      code: 'LEASEHOLD_SELF_DEADLOCK',
      phase: 'queue',
      what: describe(facts),
      remedy: `Use the connection that is held already (pass on client, trx or tx), join its transaction, or raise ${option}`,
      pool,
      // Where others were in it, it may go well next time.
      retryAfterMs: isAlone ? undefined : 1_000,
    })
    this.name = 'SelfDeadlockError'
    this.label = label
    this.limit = limit
    this.scope = scope
    this.isAlone = isAlone
    this.holders = holders
  }
}

function describe({ pool, label, limit, scope, isAlone, holders }: SelfDeadlockFacts): string {
  const whose = scope === undefined ? `of pool "${pool}"` : `that scope "${scope}" may have of pool "${pool}"`
  const all = limit === 1 ? `the one connection ${whose}` : `all ${limit} connections ${whose}`
  const named = holders.map(describeDeadlockHolder).join('; ')
  return isAlone
    ? `${label} asked for one more while its own calls hold ${all} (${named})`
    : `${all} are held by callers who wait for one more (${named}), and ${label} was the last of them`
}

/** `GET /orders held one at outer (orders.ts:3:1) and asked at inner (orders.ts:9:1)`. */
function describeDeadlockHolder({ label, site, askedSite, askedLabel }: DeadlockHolder): string {
  const asked = askedLabel === label ? 'asked' : `${askedLabel} asked`
  return `${label} held one${place(site)} and ${asked}${place(askedSite)}`
}

function place(site: string | undefined): string {
  return site === undefined ? '' : ` ${site}`
}
