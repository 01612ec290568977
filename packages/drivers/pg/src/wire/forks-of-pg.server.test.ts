import { usePostgres } from '@leasehold/testkit/postgres'
import pg from 'pg'
import { expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)

interface Limited {
  readonly limit: number | undefined
}

/** What forks of pg do: their clients know of one thing more, and make their connections with it. */
class LimitedConnection extends pg.Connection implements Limited {
  readonly limit: number | undefined

  constructor(config: pg.ConnectionConfig & Partial<Limited>) {
    super(config)
    this.limit = config.limit
  }
}

class LimitedClient extends pg.Client {
  constructor(config: pg.ClientConfig & Partial<Limited> = {}) {
    const { limit } = config
    const connection = new LimitedConnection({ ssl: false, keepAlive: false, keepAliveInitialDelayMillis: 0, limit })
    super({ ...config, connection } as pg.ClientConfig)
  }
}

test('an option that only a fork of pg knows reaches its connections, and stays there', async () => {
  const limits: unknown[] = []
  const onConnect = (client: pg.ClientBase): void => {
    limits.push((client as unknown as { readonly connection: Limited }).connection.limit)
  }
  const options = { Client: LimitedClient, limit: 3, onConnect }
  const pool = poolOf(options)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(limits).toEqual([3])
  await expect(pool.transaction((client) => client.query('select no_such'))).rejects.toThrow('no_such')
  expect(pool.snapshot().counts).toMatchObject({ opened: 1 })
})
