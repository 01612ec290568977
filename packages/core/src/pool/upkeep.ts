import type { Connection } from '../connection/connection.js'
import type { CloseReason } from '../events/pool-events.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'

export interface UpkeepFacts<Client> {
  readonly now: number
  readonly options: Pick<ResolvedPoolOptions<Client>, 'idleTimeoutMs' | 'keepaliveMs'>
  /** How many connections there are beyond `min`. */
  readonly spare: number
  /** Whether one is being checked already: the background never checks two at once. */
  readonly isChecking: boolean
}

export interface UpkeepPlan<Client> {
  readonly close: ReadonlyArray<{ readonly connection: Connection<Client>; readonly reason: CloseReason }>
  readonly check: Connection<Client> | undefined
  /** When there is something to do next, if nothing changes. */
  readonly nextAt: number
}

/** Spreads the keepalives of connections that were opened together: each has its own share of the last tenth. */
const KEEPALIVE_JITTER = 0.1
/** When one is due but another is being checked, the next look is this much later. */
const ONE_AT_A_TIME_MS = 100
const GOLDEN_RATIO = 0.618_033_988_749_895

/** What must be done with idle connections at this moment: who is too old, idle too long, or due for a sign of life. */
export function nextUpkeep<Client>(
  idle: ReadonlyArray<Connection<Client>>,
  facts: UpkeepFacts<Client>,
): UpkeepPlan<Client> {
  const { now, options } = facts
  const close: Array<{ connection: Connection<Client>; reason: CloseReason }> = []
  let check: Connection<Client> | undefined
  let { spare } = facts
  let nextAt = Number.POSITIVE_INFINITY
  for (const connection of idle) {
    if (connection.state.at !== 'idle') continue
    const idleUntil = connection.state.since + options.idleTimeoutMs
    if (connection.expiresAt <= now) close.push({ connection, reason: 'max-lifetime' })
    else if (idleUntil <= now && spare > 0) {
      close.push({ connection, reason: 'idle' })
      spare -= 1
    } else {
      const keepaliveAt = keepaliveDue(connection, options.keepaliveMs)
      if (keepaliveAt <= now && check === undefined && !facts.isChecking) check = connection
      const keepaliveNextAt = keepaliveAt > now ? keepaliveAt : now + ONE_AT_A_TIME_MS
      nextAt = Math.min(nextAt, connection.expiresAt, keepaliveNextAt, spare > 0 ? idleUntil : nextAt)
    }
  }
  return { close, check, nextAt }
}

/** When there may be something to do for a connection that comes to rest now. */
export function nextUpkeepOf<Client>(
  connection: Connection<Client>,
  now: number,
  options: UpkeepFacts<Client>['options'],
): number {
  const since = connection.state.at === 'idle' ? connection.state.since : now
  return Math.min(since + options.idleTimeoutMs, connection.expiresAt, keepaliveDue(connection, options.keepaliveMs))
}

/** A connection's own moment, the same at each look, so that re-arming the wake-up does not push it back. */
function keepaliveDue<Client>(connection: Connection<Client>, keepaliveMs: number): number {
  // Most pools have none, and this is on the way of every lease: the remainder of a fraction takes long.
  if (keepaliveMs === Number.POSITIVE_INFINITY) return keepaliveMs
  const share = (connection.id * GOLDEN_RATIO) % 1
  return connection.provenAt + keepaliveMs * (1 - KEEPALIVE_JITTER * share)
}
