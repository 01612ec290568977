import type { LeasedPgPool } from '@leasehold/pg'
import { settings } from './settings.js'

/** Makes the accounts and orders that the clients ask for. */
export async function fillAccounts(pool: LeasedPgPool): Promise<void> {
  const { accounts, balanceCents, orders } = settings
  await pool.query(
    `insert into accounts (owner, balance_cents) select 'owner ' || n, $1 from generate_series(1, $2) n`,
    [balanceCents, accounts],
  )
  await pool.query(
    `insert into orders (account_id, item, amount_cents)
     select 1 + n % $1::int, 'item ' || n, 1 + n % 5000 from generate_series(1, $2) n`,
    [accounts, orders],
  )
}
