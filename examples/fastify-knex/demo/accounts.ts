import type { Knex } from 'knex'
import { settings } from './settings.js'

/** Makes the accounts and orders that the clients ask for. */
export async function fillAccounts(knex: Knex): Promise<void> {
  const { accounts, balanceCents, orders } = settings
  await knex.raw(`insert into accounts (owner, balance_cents) select 'owner ' || n, ? from generate_series(1, ?) n`, [
    balanceCents,
    accounts,
  ])
  await knex.raw(
    `insert into orders (account_id, item, amount_cents)
     select 1 + n % ?, 'item ' || n, 1 + n % 5000 from generate_series(1, ?) n`,
    [accounts, orders],
  )
}

/** The money of all accounts: no transfer makes or loses any, whatever happens to it. */
export async function sumOfBalances(knex: Knex): Promise<number> {
  const [sum] = await knex('accounts').sum<Array<{ readonly cents: string }>>({ cents: 'balance_cents' })
  return Number(sum?.cents)
}
