import type { LeasedPgPool } from '@leasehold/pg'

/** The money of all accounts: no transfer makes or loses any, whatever happens to it. */
export async function sumOfBalances(pool: LeasedPgPool): Promise<number> {
  const { rows } = await pool.query<{ cents: number }>('select sum(balance_cents)::int as cents from accounts')
  return rows[0]?.cents ?? 0
}
