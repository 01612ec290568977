import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createSchema } from '@leasehold/example-orders'
import { createPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { expect, test } from 'vitest'
import { showOneTransaction } from './show-one-transaction.js'

// Generated before anything imports it: in a fresh clone nobody has built yet.
await import('../generate-client.mjs')
const { openWays } = await import('./open-ways.js')

const database = usePostgres()

test('npm start shows one backend and one transaction for all four, nothing left of the failed one, and ends well', async () => {
  const run = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [code]] = await Promise.all([text(run.stdout), once(run, 'exit')])

  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('orders left: 0') })
  const [failed, committed] = said.split('The same')
  for (const [part, count] of [
    [failed, 4],
    [committed, 4],
  ] as const) {
    const places = [...(part ?? '').matchAll(/backend (\d+), transaction (\d+)/g)].map(([place]) => place)
    expect([places.length, new Set(places).size]).toEqual([count, 1])
  }
  expect(committed).toContain('orders there: 4')
}, 60_000)

test('what is not one transaction is told: several of them, and what they leave', async () => {
  const pool = createPgPool({ connectionString: database.url, max: 2, leasehold: { joinTransactions: 'off' } })
  try {
    await createSchema(pool)
    const wrong = await showOneTransaction(pool, openWays(pool), () => {})
    expect(wrong.join()).toMatch(/saw \d transactions .*4 orders are left/)
  } finally {
    await pool.close({ deadlineMs: 0 })
  }
})
