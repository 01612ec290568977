import { createPool } from 'generic-pool'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

export const genericPool: Contestant = {
  name: 'generic-pool',
  open() {
    const pool = createPool(
      { create: () => Promise.resolve(new StubClient()), destroy: () => Promise.resolve() },
      {
        max: EQUAL_TERMS.max,
        acquireTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
        idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
        // Without it nobody looks for idle ones; once a second is what tarn and lightning-pool do.
        evictionRunIntervalMillis: 1_000,
      },
    )
    return {
      acquire: () => pool.acquire(),
      release(client: StubClient) {
        void pool.release(client)
      },
      async close() {
        await pool.drain()
        await pool.clear()
      },
    }
  },
}
