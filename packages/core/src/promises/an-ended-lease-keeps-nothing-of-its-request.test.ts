import { collectGarbage, type FakeClient, openFakePool, settled } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { type Lease, type Pool, runInScope } from '../index.js'

// Prisma keeps its last hundred transactions, and with them the handles that they ran on.

type Keep = (pool: Pool<FakeClient>) => Promise<unknown>

const ways: Record<string, Keep> = {
  'a lease': async (pool) => released(await pool.acquire()),
  'a client': async (pool) => {
    const lease = await pool.acquire()
    const { client } = lease
    lease.release()
    return client
  },
  'a client that was closed': async (pool) => {
    const lease = await pool.acquire()
    const { client } = lease
    lease.discard(new Error('broken'))
    return client
  },
  'a lease in a transaction': (pool) => pool.transaction(async () => released(await pool.acquire())),
  'the client of a transaction': (pool) => pool.transaction((client) => Promise.resolve(client)),
  'a lease on the session of its scope': (pool) =>
    runInScope({ label: 'inside', mode: 'session' }, async () => released(await pool.acquire())),
  'nothing, where the pool keeps its first lease': async (pool) => void released(await pool.acquire()),
}

it.each(Object.entries(ways))('whoever has kept %s keeps nothing that belonged to the request', async (_, keep) => {
  const { pool, clock } = openFakePool({ captureSites: 'off' })
  const { kept, request } = await serve(pool, keep)
  // Until then it has the promise of the last one who waited.
  clock.advance(60_000)
  await settled()
  await collectGarbage()

  expect(request.deref()).toBeUndefined()
  expect(kept).toHaveLength(1)
  await pool.close()
})

function released(lease: Lease<FakeClient>): Lease<FakeClient> {
  lease.release()
  return lease
}

/** Serves a request whose scope leads to it by its label and its signal, as those of the bindings do. */
async function serve(pool: Pool<FakeClient>, keep: Keep): Promise<{ kept: unknown[]; request: WeakRef<object> }> {
  const request = { url: '/orders', body: 'a megabyte' }
  const { signal } = new AbortController()
  const kept = await runInScope({ label: () => request.url, signal }, async () => [await keep(pool)])
  return { kept, request: new WeakRef(request) }
}
