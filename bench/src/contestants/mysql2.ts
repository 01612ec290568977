// oxlint-disable no-underscore-dangle -- the parts of mysql2's pool that a connection can be put into are named so
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

/** The parts of mysql2's pool that are used here. */
interface BasePool {
  readonly _allConnections: { push(client: StubClient): void }
  readonly _freeConnections: { push(client: StubClient): void }
  getConnection(callback: (error: Error | null, client: StubClient) => void): void
  releaseConnection(client: StubClient): void
  end(callback: (error?: Error) => void): void
}

// mysql2 exports no pool into which a connection of ours could be put, and its `exports` hide the one it builds on: so
// that is taken by its file, and given its connections beforehand.
const require = createRequire(import.meta.url)
const BasePool = require(join(dirname(require.resolve('mysql2/package.json')), 'lib/base/pool.js')) as new (options: {
  config: object
}) => BasePool

/** mysql2 has no bound on waiting, and none on lying idle while no more are open than `maxIdle`: it runs without both. */
export const mysql2: Contestant = {
  name: 'mysql2 (no timeouts)',
  open() {
    const { max } = EQUAL_TERMS
    const config = { connectionConfig: {}, connectionLimit: max, maxIdle: max, waitForConnections: true, queueLimit: 0 }
    const pool = new BasePool({ config })
    for (let count = 0; count < max; count += 1) {
      const client = new StubClient()
      client._pool = pool
      pool._allConnections.push(client)
      pool._freeConnections.push(client)
    }
    return {
      // What mysql2/promise does.
      acquire: () =>
        new Promise<StubClient>((resolve, reject) => {
          pool.getConnection((error, client) => {
            if (error === null) resolve(client)
            else reject(error)
          })
        }),
      release(client: StubClient) {
        pool.releaseConnection(client)
      },
      close: () =>
        new Promise<void>((resolve, reject) => {
          pool.end((error) => {
            if (error === undefined) resolve()
            else reject(error)
          })
        }),
    }
  },
}
