import { createPgPool, type LeasedPgPool } from '@leasehold/pg'

/** Lends nothing to who has not said whose it is: a query that was forgotten fails, and shows nobody anything. */
export function openPool(connectionString: string): LeasedPgPool {
  return createPgPool({
    connectionString,
    max: 5,
    leasehold: { name: 'notes', requireSettings: ['role', 'app.tenant_id'] },
  })
}
