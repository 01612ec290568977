import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type * as pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { CLOSE_MS, HANGS, RESET_MS, useHungServer } from '../testing/use-hung-server.js'

const server = useHungServer(usePostgres())
const DEADLINE_MS = 200
/** A busy machine takes its time. */
const A_WHILE_MS = 700

/** What those do who begin transactions by hand, as ORMs do: whatever fails, a ROLLBACK is sent and awaited. */
async function inTransaction(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  try {
    await client.query('BEGIN')
    await work()
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

describe.each(HANGS)('on a server that %s', (_what, fault) => {
  const hang = (): Promise<void> => server.proxy.fault(fault)

  test.each<[string, (client: pg.Client) => Promise<unknown>]>([
    ['a statement', (client) => inTransaction(client, async () => [await hang(), await client.query('select 1')])],
    ['BEGIN', (client) => hang().then(() => inTransaction(client, async () => {}))],
    ['COMMIT', (client) => inTransaction(client, hang)],
    [
      'ROLLBACK, sent after the deadline,',
      (client) =>
        inTransaction(client, async () => {
          await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS + 50))
          await hang()
          throw new Error('too late')
        }),
    ],
  ])('whoever awaits %s waits no longer than the deadline and resetTimeoutMs, and holds nothing', async (_, work) => {
    const pool = server.open()
    await pool.query('select 1')
    const since = performance.now()

    const run = runInScope({ label: 'GET /slow', deadlineMs: DEADLINE_MS }, () => pool.use(work))

    await expect(run).rejects.toBeInstanceOf(Error)
    expect(performance.now() - since).toBeLessThan(DEADLINE_MS + 2 * RESET_MS + CLOSE_MS + A_WHILE_MS)
    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
    await server.proxy.heal()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('whoever sends ROLLBACK after queryTimeoutMs has its answer after resetTimeoutMs, and new connections serve', async () => {
    const pool = server.open({ queryTimeoutMs: 100 })
    const failed: unknown[] = []
    const since = performance.now()

    const run = pool.use((client) =>
      inTransaction(client, async () => {
        await hang()
        await client.query('select pg_sleep(60)').catch((error: unknown) => {
          failed.push(error)
          throw error
        })
      }),
    )

    await expect(run).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'query-timeout' })
    expect(failed).toHaveLength(1)
    expect(performance.now() - since).toBeLessThan(100 + RESET_MS + CLOSE_MS + A_WHILE_MS)
    await server.proxy.heal()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

test('a transaction by hand that is rolled back after its deadline, on a server that answers, keeps its connection', async () => {
  const pool = server.open()
  await pool.query('select 1')
  const run = runInScope({ label: 'GET /slow', deadlineMs: DEADLINE_MS }, () =>
    pool.use((client) =>
      inTransaction(client, async () => {
        await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS + 2 * RESET_MS))
        await client.query('select 1')
      }),
    ),
  )

  await expect(run).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
  expect(pool.snapshot().counts).toMatchObject({ opened: 1 })
  expect(pool.snapshot().connections).toMatchObject({ idle: 1, lent: 0 })
})
