import { AsyncLocalStorage } from 'node:async_hooks'
import { currentScope, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client, type ClientConfig, Query } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())
const tracing = new AsyncLocalStorage<string>()

/** Runs `work` in a scope, on a pool whose only connection was opened in another; returns the labels that it noted. */
async function labelsIn(
  work: (pool: ReturnType<typeof poolOf>, note: () => void) => Promise<unknown>,
): Promise<Array<string | undefined>> {
  const pool = poolOf({ max: 1 })
  await runInScope({ label: 'opener' }, () => tracing.run('opener', () => pool.query('select 1')))
  const noted: Array<string | undefined> = []
  const note = (): void => {
    noted.push(currentScope()?.label, tracing.getStore())
  }
  await runInScope({ label: 'caller' }, () => tracing.run('caller', () => work(pool, note)))
  return noted
}

test('callbacks of connect, query and pool.query run in their caller’s context', async () => {
  const noted = await labelsIn(
    (pool, note) =>
      new Promise<void>((resolve) => {
        pool.connect((_error, client, release) => {
          note()
          client?.query('select 1', () => {
            note()
            client.query('nonsense', [], () => {
              note()
              release()
              pool.query('select 1', () => {
                note()
                resolve()
              })
            })
          })
        })
      }),
  )
  expect(noted).toEqual(Array(8).fill('caller'))
})

test('callbacks of statements that waited for their turn run in their own caller’s context', async () => {
  const noted = await labelsIn(async (pool, note) => {
    const client = await pool.connect()
    const first = client.query('select 1')
    await tracing.run(
      'inner',
      () =>
        new Promise<void>((resolve) => {
          client.query('select 2', () => {
            note()
            resolve()
          })
        }),
    )
    await first
    client.release()
  })
  expect(noted).toEqual(['caller', 'inner'])
})

test('statements reach pg in their caller’s context, where an instrument of tracing looks for its parent', async () => {
  const seen: Array<string | undefined> = []
  class Traced extends Client {
    constructor(config: ClientConfig) {
      super(config)
      const { query } = Object.getPrototypeOf(Traced.prototype) as { query: (...args: unknown[]) => unknown }
      Object.defineProperty(this, 'query', {
        value: (...args: unknown[]) => {
          if (String(args[0]).startsWith('select')) seen.push(tracing.getStore())
          return query.apply(this, args)
        },
      })
    }
  }
  const client = await poolOf({ max: 1, Client: Traced as never }).connect()
  await Promise.all([
    tracing.run('one', () => client.query('select 1')),
    tracing.run('two', () => client.query('select 2')),
    tracing.run('three', () => new Promise((resolve) => client.query('select 3', resolve))),
  ])
  client.release()
  expect(seen).toEqual(['one', 'two', 'three'])
})

test('a waiter’s callback does not run in the context of who released', async () => {
  const pool = poolOf({ max: 1 })
  const held = await pool.connect()
  const labels: Array<string | undefined> = []
  const waited = runInScope(
    { label: 'waiter' },
    () =>
      new Promise<void>((resolve) => {
        pool.connect((_error, _client, release) => {
          labels.push(currentScope()?.label)
          release()
          resolve()
        })
      }),
  )
  await runInScope({ label: 'releaser' }, () => held.release())
  await waited
  expect(labels).toEqual(['waiter'])
})

test('rows, ends and errors of a Query object come in their caller’s context', async () => {
  const noted = await labelsIn(async (pool, note) => {
    const client = await pool.connect()
    const query = client.query(new Query('select 1'))
    query.on('row', note)
    await new Promise<void>((resolve) => query.on('end', () => resolve(note())))
    const failing = client.query(new Query('nonsense'))
    await new Promise<void>((resolve) => failing.on('error', () => resolve(note())))
    client.release()
  })
  expect(noted).toEqual(Array(6).fill('caller'))
})

test('a cursor’s callbacks run in the context of each read', async () => {
  const noted = await labelsIn(async (pool, note) => {
    const client = await pool.connect()
    const cursor = client.query(new Cursor('select generate_series(1, 10)'))
    const read = (): Promise<void> => new Promise((resolve) => cursor.read(2, () => resolve(note())))
    await read()
    await tracing.run('inner', read)
    await new Promise<void>((resolve) => cursor.close(() => resolve(note())))
    client.release()
  })
  expect(noted).toEqual(['caller', 'caller', 'caller', 'inner', 'caller', 'caller'])
})

test('the data of streams come in their caller’s context', async () => {
  const noted = await labelsIn(async (pool, note) => {
    const client = await pool.connect()
    for (const stream of [
      client.query(new QueryStream('select 1')),
      client.query(copyTo('copy (select 1) to stdout')),
    ]) {
      stream.on('data', note)
      await new Promise<void>((resolve) => stream.on('end', () => resolve(note())))
    }
    client.release()
  })
  expect(noted).toEqual(Array(8).fill('caller'))
})

test('listeners of a handle run in the context in which they were added', async () => {
  const noted = await labelsIn(async (pool, note) => {
    const client = await pool.connect()
    client.on('notice', note)
    await tracing.exit(() => client.query("do $$ begin raise notice 'hello'; end $$"))
    client.release()
  })
  expect(noted).toEqual(['caller', 'caller'])
})

test('what a connection does by itself belongs to no request', async () => {
  const labels: Array<string | undefined> = []
  const pool = poolOf({ onConnect: () => void labels.push(currentScope()?.label) })
  await runInScope({ label: 'first' }, () => pool.query('select 1'))
  expect(labels).toEqual([undefined])
})
