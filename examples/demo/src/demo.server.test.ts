import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runInScope } from '@leasehold/core'
import { createPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { expect, test } from 'vitest'
import { LeakLog } from './leak-log.js'
import { PairLog } from './pair-log.js'
import { summarize, type Summary } from './summary.js'
import type { Outcome } from './tally.js'

const postgres = usePostgres()

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('npm run demo -- --json tells in one object what became of nine services on one pool, and that all is back', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', 'demo', '--silent', '--', '--json', '--seconds', '3'], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: postgres.url },
    maxBuffer: 1024 ** 2,
    shell: process.platform === 'win32',
  })

  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary
  const { pairs } = summary
  expect(summary).toMatchObject({ ok: true, connections: { max: 10, stillHeld: 0 }, errors: { unanswered: 0 } })
  expect(summary.requests.answered).toBeGreaterThan(0)
  expect(summary.connections.peak).toBeLessThanOrEqual(10)
  expect(summary.balanceCents.after).toBe(summary.balanceCents.before)
  expect(pairs.map(({ framework, orm }) => `${framework} + ${orm}`)).toEqual([
    'Fastify + Knex',
    'Express + Knex',
    'NestJS + Knex',
    'Fastify + Drizzle',
    'Express + Drizzle',
    'NestJS + Drizzle',
    'Fastify + Prisma',
    'Express + Prisma',
    'NestJS + Prisma',
  ])
  for (const { requests, leases, stillHeld, latencyMs, timeMs } of pairs) {
    expect(requests.total).toBeGreaterThan(0)
    expect(leases.granted).toBeGreaterThan(0)
    expect(latencyMs.p99).toBeGreaterThanOrEqual(latencyMs.p50)
    expect(timeMs.held).toBeGreaterThanOrEqual(timeMs.busy)
    expect(stillHeld).toBe(0)
  }

  const sum = (of: (pair: (typeof pairs)[number]) => number): number =>
    pairs.reduce((total, pair) => total + of(pair), 0)
  expect(sum(({ requests }) => requests.total)).toBe(summary.requests.total)
  expect(sum(({ requests }) => requests.answered)).toBe(summary.requests.answered)
  expect(sum(({ errors }) => errors.total)).toBe(summary.errors.total)
  expect(sum(({ leases }) => leases.granted)).toBe(summary.leases.granted)
  for (const kind of ['overdue', 'left-over', 'late'] as const) {
    // Who asks for a connection when its request is over may wait in vain.
    if (kind === 'late') expect(sum(({ leaks }) => leaks.late)).toBeLessThanOrEqual(summary.leaks.late.count)
    else expect(sum(({ leaks }) => leaks[kind])).toBe(summary.leaks[kind].count)
    expect(summary.leaks[kind].count).toBeGreaterThan(0)
    expect(summary.leaks[kind].places.flatMap(({ sites }) => sites)).toContainEqual(
      expect.stringMatching(/^orders\/src\/mistakes\.ts:\d+$/),
    )
  }
}, 120_000)

test('a connection that is still held in the end is a failure, and its pair has it in its row', async () => {
  const pool = createPgPool({ connectionString: postgres.url })
  const nobody: Outcome = {
    sent: 0,
    byStatus: {},
    hungUp: { 'while waiting': 0, 'after its body': 0, 'mid-stream': 0, 'when the load ended': 0 },
    unanswered: 0,
    latencyMs: { p50: 0, p99: 0 },
  }
  const pair = { name: 'Fastify + Knex', framework: 'Fastify', orm: 'Knex' }
  const leaks = new LeakLog(pool)
  const leases = new PairLog(pool)
  const told = (): Summary =>
    summarize({
      seconds: 1,
      pairs: [pair],
      clients: { seconds: 1, total: nobody, pairs: { [pair.name]: nobody } },
      after: pool.snapshot(),
      leaks,
      leases,
      balanceCents: { before: 0, after: 0 },
    })

  await runInScope({ label: 'Fastify + Knex: GET /orders/:id' }, async () => {
    const client = await pool.connect()
    expect(told()).toMatchObject({ ok: false, connections: { stillHeld: 1 }, pairs: [{ stillHeld: 1 }] })
    client.release()
  })
  expect(told()).toMatchObject({ ok: true, connections: { stillHeld: 0 }, pairs: [{ stillHeld: 0 }] })

  await pool.close()
})
