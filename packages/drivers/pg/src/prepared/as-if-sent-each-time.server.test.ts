import { SEED } from '@leasehold/testkit'
import { usePostgres } from '@leasehold/testkit/postgres'
import fc from 'fast-check'
import { Client } from 'pg'
import type * as pg from 'pg'
import { expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

// Whatever is sent, a pool that keeps statements answers as plain pg does on a database like it.

const kept = usePostgres()
const plain = usePostgres()
const poolOf = usePools(kept)

const SCHEMA = `
  drop schema if exists other cascade; create schema other; drop table if exists t; drop table if exists u;
  create table t (a int, b text); insert into t values (1, 'one'), (2, 'two');
  create table u (a int, c int); insert into u values (1, 10);
  create table other.t (a text, b int); insert into other.t values ('1', 11)`

type Step =
  | { readonly is: 'ask'; readonly text: string; readonly values: readonly unknown[] }
  | { readonly is: 'say' | 'stranger'; readonly text: string }
  | { readonly is: 'release' }

const QUERIES = [
  'select * from t where a = $1',
  'select b from t where a = $1',
  'insert into t (a, b) values ($1, $1) returning *',
  'update t set b = $1 where a = $1',
  'select t.b, u.c from t join u using (a) where u.a = $1',
  'with x as (delete from t where a = $1 returning a) select count(*) from x',
  'select $1::int + 1 as sum',
  'select 10 / $1::int as quotient',
]
const SAYINGS = [
  'begin',
  'commit',
  'rollback',
  'savepoint s',
  'rollback to s',
  'alter table t add column d int default 3',
  'alter table t drop column if exists d',
  'alter table t alter column a type text using a::text',
  'alter table t alter column a type int using a::int',
  `drop table t; create table t (a bigint, b text); insert into t values (1, 'new')`,
  'set search_path = other',
  'set search_path = public',
  'reset search_path',
  'set local search_path = other, public',
  `create temp table t as select 1 as a, 'temporary' as b`,
  'drop table if exists pg_temp.t',
  'discard all',
  'deallocate all',
  'select nonsense',
]
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      is: fc.constant('ask' as const),
      text: fc.constantFrom(...QUERIES),
      values: fc.tuple(fc.constantFrom(1, '1', 0, 'x', null)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('say' as const), text: fc.constantFrom(...SAYINGS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('stranger' as const),
      text: fc.constantFrom('alter table public.t add column if not exists e int default 5', 'analyze public.t'),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ is: 'release' }) },
)

async function keptOn(client: pg.ClientBase): Promise<number> {
  const answer = await client.query('select 1 from pg_prepared_statements').catch(() => undefined)
  return answer?.rowCount ?? 0
}

/** Rows, or the code of an error. */
async function outcomeOf(client: pg.ClientBase, { text, values }: { text: string; values?: readonly unknown[] }) {
  try {
    const answer = await client.query(text, values === undefined ? undefined : [...values])
    return [answer].flat().map(({ command, rows }) => ({ command, rows: rows as unknown[] }))
  } catch (error) {
    return (error as { readonly code?: string }).code
  }
}

test('statements that are kept answer as if they were sent each time, whatever is done to tables and sessions', async () => {
  const pool = poolOf({ max: 1, leasehold: { preparedStatements: { afterUses: 1, max: 4 } } })
  const [model, ...strangers] = [plain, plain, kept].map(({ url }) => new Client(url)) as [Client, Client, Client]
  await Promise.all([model, ...strangers].map((client) => client.connect()))
  const isOpen = async (): Promise<boolean> =>
    (
      await strangers[0].query(
        `select 1 from pg_stat_activity where datname = current_database() and state like 'idle in%'`,
      )
    ).rowCount !== 0
  let asked = 0
  let named = 0

  async function play(steps: readonly Step[]): Promise<void> {
    for (const stranger of strangers) await stranger.query(SCHEMA)
    let client = await pool.connect()
    for (const [at, next] of steps.entries()) {
      if (next.is === 'release') {
        named += await keptOn(client)
        client.release()
        await model.query('rollback')
        await model.query('discard all')
        client = await pool.connect()
      } else if (next.is === 'stranger') {
        // It would wait for the transaction's end.
        if (!(await isOpen())) for (const stranger of strangers) await stranger.query(next.text)
      } else {
        asked += 1
        const seen = [await outcomeOf(client, next), await outcomeOf(model, next)]
        expect(seen[0], `step ${at + 1}: ${next.text}`).toEqual(seen[1])
      }
    }
    client.release()
    await model.query('rollback')
    await model.query('discard all')
  }

  try {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), play), {
      ...SEED,
      numRuns: 40,
    })
  } finally {
    await Promise.all([model, ...strangers].map((client) => client.end()))
  }
  expect([asked > 500, named > 10]).toEqual([true, true])
})
