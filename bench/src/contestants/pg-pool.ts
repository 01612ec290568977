import type { ClientBase, PoolClient } from 'pg'
import PgPool from 'pg-pool'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

export const pgPool: Contestant = {
  name: 'pg-pool',
  open() {
    const pool = new PgPool({
      Client: StubClient as unknown as PgPool.ClientLikeCtr<ClientBase & PoolClient>,
      max: EQUAL_TERMS.max,
      connectionTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
      idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
    })
    return {
      acquire: () => pool.connect(),
      release(client: PoolClient) {
        client.release()
      },
      close: () => pool.end(),
    }
  },
}
