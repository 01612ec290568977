import type { Site } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import type { DrizzleClient, DrizzleDatabase, DrizzleSession, SessionHolder } from './drizzle-internals.js'

/**
 * Lets leases be named by the line that made the query. Drizzle sends a query when somebody awaits it, from a microtask,
 * and by then no line of the caller's own code is left on the stack. But whatever makes one asks for the session first:
 * so it is handed one that knows who asked, where a site is to be captured.
 */
export function nameCallers(db: DrizzleDatabase, pool: LeasedPgPool): void {
  nameCallersOf(db, pool)
  for (const table of Object.values(db.query ?? {})) nameCallersOf(table, pool)
}

function nameCallersOf(holder: SessionHolder, pool: LeasedPgPool): void {
  const { session } = holder
  // What it sends is not looked at again for a sample, which would find no line of the caller any more.
  const unnamed = inTheNameOf(undefined, session, pool)
  Object.defineProperty(holder, 'session', {
    get: function sessionOfCaller() {
      const site = pool.leases.captureSite(sessionOfCaller)
      return site === undefined ? unnamed : inTheNameOf(site, session, pool)
    },
    enumerable: true,
    configurable: true,
  })
}

function inTheNameOf(site: Site | undefined, session: DrizzleSession, pool: LeasedPgPool): DrizzleSession {
  const client: DrizzleClient = {
    connect: () => pool.leases.calledFrom(site, () => pool.connect()),
    query: (...statement) => pool.leases.calledFrom(site, () => (pool as DrizzleClient).query(...statement)),
  }
  return Object.create(session, {
    client: { value: client },
    prepareQuery: {
      value(this: DrizzleSession, ...[query, shape, name, ...more]: Parameters<DrizzleSession['prepareQuery']>) {
        // One with a name is made once and executed from many lines, which are on the stack when it is.
        const isNamed = name !== undefined && name !== false
        return session.prepareQuery.call(isNamed ? session : this, query, shape, name, ...more)
      },
    },
  }) as DrizzleSession
}
