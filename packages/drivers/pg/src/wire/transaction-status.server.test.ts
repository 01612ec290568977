import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())

/** As pg's was before version 8.21. */
class OldClient extends Client {
  static {
    Object.defineProperty(this.prototype, 'getTransactionStatus', { value: undefined, writable: true })
  }
}

test.each([
  ['of today', {}],
  ['of today, with compat', { leasehold: { compat: 'pg-pool' } }],
  ['that cannot do so itself', { Client: OldClient }],
  ['that cannot do so itself, with compat', { Client: OldClient, leasehold: { compat: 'pg-pool' } }],
] as const)('a client %s tells what its transaction is', async (_, options) => {
  const client = await poolOf({ max: 1, ...options }).connect()
  expect(client.getTransactionStatus()).toBe('I')
  await client.query('begin')
  expect(client.getTransactionStatus()).toBe('T')
  await client.query('nonsense').catch(() => {})
  // With compat an error comes before the server says so.
  await expect.poll(() => client.getTransactionStatus()).toBe('E')
  await client.query('rollback')
  expect(client.getTransactionStatus()).toBe('I')
  client.release()
})
