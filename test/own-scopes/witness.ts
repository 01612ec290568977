import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { Client, type ClientConfig } from 'pg'
import { FIRST_ACCOUNT } from './tables.js'

/** A statement about an account, and the owner of the lease on which it was sent. */
export interface Seen {
  readonly account: number
  readonly label: string
}

/** A pool of one connection, and what was sent on it in whose name. */
export interface WitnessedPool {
  readonly pool: LeasedPgPool
  readonly seen: readonly Seen[]
}

/**
 * Opens a pool whose only connection notes each statement that names an account. Since there is one connection, what was
 * sent on it since a lease ended was sent by the owner of the lease that ends next.
 */
export function openWitnessedPool(connectionString: string): WitnessedPool {
  const unclaimed: number[] = []
  const seen: Seen[] = []

  class WitnessClient extends Client {
    constructor(config?: ClientConfig) {
      super(config)
      const query = this.query.bind(this) as (...statement: unknown[]) => never
      this.query = (...statement: unknown[]) => {
        unclaimed.push(...accountsIn(statement))
        return query(...statement)
      }
    }
  }

  const pool = createPgPool({ connectionString, max: 1, connectionTimeoutMillis: 30_000, Client: WitnessClient })
  pool.leases.on('release', ({ label }) => {
    for (const account of unclaimed.splice(0)) seen.push({ account, label })
  })
  return { pool, seen }
}

/** The accounts among the parameters of a statement, in whichever of pg's forms: limits and offsets are smaller. */
function accountsIn([statement, values]: readonly unknown[]): number[] {
  const { values: own, cursor } = statement as { values?: unknown; cursor?: { values: unknown } }
  return [values, own, cursor?.values]
    .flat()
    .map(Number)
    .filter((value) => value >= FIRST_ACCOUNT)
}
