import { collectGarbage } from '@leasehold/testkit'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import type * as pg from 'pg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())

afterEach(() => vi.restoreAllMocks())

/** Which configs are copied by the descriptors of their fields: pg's way, which takes longer than all that we do. */
function watchCopies(): object[] {
  const copied: object[] = []
  const { getOwnPropertyDescriptors } = Object
  vi.spyOn(Object, 'getOwnPropertyDescriptors').mockImplementation((config: unknown) => {
    if (Object.hasOwn(config as object, 'text')) copied.push(config as object)
    return getOwnPropertyDescriptors(config)
  })
  return copied
}

const asText = { getTypeParser: () => String } as unknown as pg.CustomTypesConfig

describe('a config that is sent through a handle', () => {
  test.each<[how: string, ask: (client: pg.PoolClient) => Promise<pg.QueryResult>]>([
    [
      'as Prisma does',
      (client) => client.query({ text: 'select $1::int', values: [7], rowMode: 'array', types: asText }),
    ],
    ['as Drizzle does', (client) => client.query({ text: 'select $1::int', rowMode: 'array', types: asText }, [7])],
    [
      'with a name',
      (client) => client.query({ name: 'seven', text: 'select $1::int', values: [7], rowMode: 'array', types: asText }),
    ],
    [
      'with a callback, as Knex does',
      (client) =>
        new Promise((resolve, reject) => {
          const config = { text: 'select $1::int', values: [7], rowMode: 'array', types: asText }
          client.query(config as pg.QueryConfig, (error: Error | undefined, result) =>
            error ? reject(error) : resolve(result),
          )
        }),
    ],
  ])('is understood whole by pg, which has nothing to copy: %s', async (_, ask) => {
    const client = await poolOf().connect()
    const copied = watchCopies()
    const { rows } = await ask(client)
    client.release()
    expect(rows).toEqual([['7']])
    expect(copied).toEqual([])
  })

  test('is left as it was, for its owner to use again', async () => {
    const client = await poolOf().connect()
    const config = Object.freeze({ text: 'select $1::int as n', values: Object.freeze([1]) as unknown as unknown[] })
    for (let time = 0; time < 2; time += 1) expect((await client.query(config)).rows).toEqual([{ n: 1 }])
    client.release()
  })

  test('may be changed as soon as it is sent, whoever sends another one meanwhile', async () => {
    const [one, two] = await Promise.all([poolOf().connect(), poolOf().connect()])
    const config = { text: 'select $1::int as n', values: [1] }
    const first = one.query(config)
    config.values = [2]
    const second = two.query(config)
    config.text = 'select'
    expect((await first).rows).toEqual([{ n: 1 }])
    expect((await second).rows).toEqual([{ n: 2 }])
    one.release()
    two.release()
  })

  test('reaches pg itself where it has fields that this version of ours knows nothing of', async () => {
    const client = await poolOf().connect()
    const copied = watchCopies()
    const config = { text: 'select 1', ofTomorrow: true }
    await client.query(config)
    client.release()
    expect(copied).toContain(config)
  })

  test('reaches a method that stands in the place of pg’s own', async () => {
    const seen: unknown[] = []
    const { query } = Client.prototype as unknown as { query: (...all: unknown[]) => unknown }
    vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...all: unknown[]): void {
      seen.push(all[0])
      return query.apply(this, all) as undefined
    })
    const client = await poolOf().connect()
    const config = { text: 'select $1::int as n', values: [3] }
    expect((await client.query(config)).rows).toEqual([{ n: 3 }])
    client.release()
    expect(seen).toContain(config)
  })
})

test('a Submittable is given to pg itself, whatever fields it has', async () => {
  const client = await poolOf().connect()
  const rows = await new Promise((resolve, reject) => {
    /** Looks like a config but for its methods. */
    class Asking {
      readonly text = 'select 4 as n'
      readonly #rows: unknown[] = []
      submit(connection: { query(text: string): void }): void {
        connection.query(this.text)
      }
      handleRowDescription(): void {}
      handleDataRow({ fields }: { fields: unknown[] }): void {
        this.#rows.push(fields)
      }
      handleCommandComplete(): void {}
      handleReadyForQuery(): void {
        resolve(this.#rows)
      }
      handleError(error: Error): void {
        reject(error)
      }
    }
    client.query(new Asking() as unknown as pg.Submittable)
  })
  client.release()
  expect(rows).toEqual([['4']])
})

test('values are kept by nobody when their statement is done', async () => {
  const client = await poolOf().connect()
  const sent = await (async () => {
    const values = [5]
    await client.query({ text: 'select $1::int', values })
    return new WeakRef(values)
  })()
  await collectGarbage()
  expect(sent.deref()).toBeUndefined()
  client.release()
})
