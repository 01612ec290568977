import { Pool } from 'lightning-pool'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

export const lightningPool: Contestant = {
  name: 'lightning-pool',
  open() {
    const pool = new Pool<StubClient>(
      { create: () => Promise.resolve(new StubClient()), destroy: () => Promise.resolve() },
      {
        max: EQUAL_TERMS.max,
        // Its default of 1,000 would refuse nine tenths of a burst.
        maxQueue: 1_000_000,
        acquireTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
        idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
      },
    )
    return {
      acquire: () => pool.acquire(),
      release(client: StubClient) {
        pool.release(client)
      },
      close: () => pool.closeAsync(true),
    }
  },
}
