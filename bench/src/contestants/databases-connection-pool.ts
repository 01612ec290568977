import { default as connectionPool, type PoolConnection } from '@databases/connection-pool'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

export const databasesConnectionPool: Contestant = {
  name: '@databases/connection-pool',
  open() {
    const pool = connectionPool.default<StubClient>({
      openConnection: () => Promise.resolve(new StubClient()),
      closeConnection: () => Promise.resolve(),
      maxSize: EQUAL_TERMS.max,
      queueTimeoutMilliseconds: EQUAL_TERMS.acquireTimeoutMs,
      idleTimeoutMilliseconds: EQUAL_TERMS.idleTimeoutMs,
    })
    return {
      acquire: () => pool.getConnection(),
      release(held: PoolConnection<StubClient>) {
        held.release()
      },
      close: () => pool.drain(),
    }
  },
}
