import type { Settings } from '@leasehold/core'
import fc from 'fast-check'
import type * as pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPgPool } from '../facade/create-pg-pool.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { forAWhile } from './for-a-while.js'
import { play } from './play.js'
import { randomSteps } from './random-steps.js'
import type { Step } from './step.js'
import { useTruthServer } from './use-truth-server.js'

const server = useTruthServer()
let pool: LeasedPgPool

beforeAll(() => {
  pool = createPgPool({ connectionString: server.url, max: 2 })
})
afterAll(() => pool.close({ deadlineMs: 1_000 }))

const QUESTION = `select coalesce(current_setting('app.tenant_id', true), '') as "app.tenant_id",
  coalesce(current_setting('app.other', true), '') as "app.other",
  current_setting('work_mem') as work_mem, current_setting('role') as role`

const NOBODYS = { 'app.tenant_id': '', 'app.other': '', work_mem: '4MB', role: 'none' }

const settings: fc.Arbitrary<Settings> = fc.record(
  {
    'app.tenant_id': fc.constantFrom('one', 'two', `th'ree`),
    'app.other': fc.constantFrom('1', '2'),
    work_mem: fc.constantFrom('5MB', '6MB'),
    role: fc.constant('truth_tenant'),
  },
  { requiredKeys: [] },
)

/** First statements that leave nothing themselves, each with its own way of taking the settings along. */
const FIRST: ReadonlyArray<readonly Step[]> = [
  [],
  ['select 1'],
  [{ text: 'select $1::integer', values: [1] }],
  [{ text: 'select $1::integer', values: [1], name: 'named' }],
  ['select 1/0'],
  [{ text: 'select 1/0' }],
  ['selekt 1'],
  ['select 1; select 2'],
  ['select 1; select 1/0'],
  ['begin'],
  ['begin isolation level serializable'],
  ['begin', 'savepoint a', 'select 1/0', 'rollback to a'],
  ['begin', 'rollback'],
  ['begin', 'select 1/0', 'rollback'],
  ['begin; commit'],
  ['vacuum'],
  [{ batch: [{ text: 'select 1' }, { text: 'select 2' }] }],
  [{ batch: [{ text: 'select 1' }, { text: 'select 1/0' }] }],
  [{ portal: 'select generate_series(1, 9)', read: 2, close: true }],
  [{ copyOut: 'copy (select 1) to stdout' }],
  [{ copyOut: 'copy (select 1/0) to stdout' }],
  ['set local statement_timeout = 60000'],
  [''],
]

const request = fc.record({
  settings: fc.option(settings, { nil: undefined }),
  first: fc.constantFrom(...FIRST),
  steps: randomSteps,
})

async function seen(client: pg.Client): Promise<unknown> {
  return (await client.query<Record<string, string>>(QUESTION)).rows[0]
}

test('every owner meets just what it has declared, whatever it begins with and whatever others sent before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 5 }), async (requests) => {
      for (const { settings: declared, first, steps } of requests) {
        const lease = await pool.leases.acquire(declared === undefined ? {} : { settings: declared })
        try {
          for (const step of first) await play(lease.client, step)
          expect(await seen(lease.client)).toEqual({ ...NOBODYS, ...declared })
          for (const step of steps) await play(lease.client, step)
        } finally {
          lease.release()
        }
      }
    }),
    forAWhile(6_000),
  )
})
