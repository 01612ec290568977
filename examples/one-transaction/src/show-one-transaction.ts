import { only } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'
import type { Place, Way } from './way.js'

class Declined extends Error {
  constructor() {
    super('the card was declined')
  }
}

/**
 * Writes in every way in one transaction: once so that it fails, once so that it is committed.
 *
 * @param say is told what happens, line by line.
 * @returns what is not as it should be; nothing, if all is.
 */
export async function showOneTransaction(
  pool: LeasedPgPool,
  ways: readonly Way[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const inserted = `insert into accounts (owner, balance_cents) values ('Ada', 10000) returning id`
  const { id: account } = only((await pool.query<{ id: number }>(inserted)).rows)
  const written = async (): Promise<number> => {
    const counted = await pool.query<{ count: number }>(
      'select count(*)::int as count from orders where account_id = $1',
      [account],
    )
    return only(counted.rows).count
  }
  const writeAll = async (): Promise<readonly Place[]> => {
    const places: Place[] = []
    for (const { name, order, place } of ways) {
      await order(account, `by ${name}`)
      const at = await place()
      say(`  ${name.padEnd(8)} backend ${at.pid}, transaction ${at.transaction}`)
      places.push(at)
    }
    return places
  }
  const wrong: string[] = []
  const check = (places: readonly Place[]): void => {
    const different = new Set(places.map(({ pid, transaction }) => `${pid} ${transaction}`)).size
    if (different !== 1) wrong.push(`the ways saw ${different} transactions where there should be one`)
  }

  say('A transaction that fails when all have written:')
  try {
    await pool.transaction(async () => {
      check(await writeAll())
      throw new Declined()
    })
  } catch (error) {
    if (!(error instanceof Declined)) throw error
    const left = await written()
    say(`  it threw: ${error.message}; orders left: ${left}`)
    if (left > 0) wrong.push(`${left} orders are left of a transaction that was rolled back`)
  }

  say('The same, and it goes well:')
  const before = await written()
  check(await pool.transaction(writeAll))
  const kept = (await written()) - before
  say(`  it was committed; orders there: ${kept}`)
  if (kept !== ways.length) wrong.push(`${kept} orders are there of ${ways.length} that were committed`)
  return wrong
}
