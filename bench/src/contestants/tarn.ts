import { Pool } from 'tarn'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

/** Knex's pool, with a validation as Knex sets one. */
export const tarn: Contestant = {
  name: 'tarn',
  open() {
    const pool = new Pool<StubClient>({
      create: () => Promise.resolve(new StubClient()),
      destroy: () => {},
      validate: () => true,
      min: 0,
      max: EQUAL_TERMS.max,
      acquireTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
      idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
    })
    return {
      acquire: () => pool.acquire().promise,
      release(client: StubClient) {
        pool.release(client)
      },
      async close() {
        await pool.destroy()
      },
    }
  },
}
