import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { describe, expect, test, vi } from 'vitest'
import { HANGS, useHungServer } from '../testing/use-hung-server.js'

const server = useHungServer(usePostgres())

/** How a BEGIN that waits for the first statement gets on its way. */
const FIRST_STATEMENTS = [
  ['with the first statement', 'select 1'],
  ['ahead of the first statement', 'create table unborn (id int)'],
] as const

describe.each(HANGS)('a server that %s when BEGIN comes', (_what, fault) => {
  test.each(FIRST_STATEMENTS)('%s keeps nobody longer than the deadline of the transaction', async (_how, text) => {
    const pool = server.open()
    await pool.query('select 1')
    const errors: unknown[] = []
    const run = pool.transaction(
      async (client) => {
        await server.proxy.fault(fault)
        await client.query(text).catch((error: unknown) => errors.push(error))
      },
      { timeoutMs: 200 },
    )

    await expect(run).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_ENDED' })

    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
    await vi.waitFor(() => expect(errors.length).toBe(1), { timeout: 5_000, interval: 5 })
  })

  test.each(FIRST_STATEMENTS)('%s keeps nobody longer than the deadline of its scope', async (_how, text) => {
    const pool = server.open()
    await pool.query('select 1')
    const run = runInScope({ label: 'GET /late', deadlineMs: 200 }, () =>
      pool.transaction(async (client) => {
        await server.proxy.fault(fault)
        await client.query(text)
      }),
    )

    await expect(run).rejects.toMatchObject({ statusCode: 503 })

    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
  })

  test.each(FIRST_STATEMENTS)(
    '%s, and that is killed then, fails the statement and nothing else',
    async (_how, text) => {
      const pool = server.open()
      await pool.query('select 1')
      const run = pool.transaction(async (client) => {
        await server.proxy.fault(fault)
        const running = client.query(text)
        server.proxy.lines[0]?.fault({ is: 'reset' })
        await running
      })

      await expect(run).rejects.toBeInstanceOf(Error)
      await server.proxy.heal()

      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(pool.snapshot().connections.lent).toBe(0)
    },
  )
})
