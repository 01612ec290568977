import { currentScope, detached, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import type * as pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { backendOf, kill } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const open = usePools(database)
let outside: Client
let pool: LeasedPgPool

beforeAll(async () => {
  outside = new Client(database.url)
  await outside.connect()
  await outside.query('create table rows (name text primary key deferrable initially immediate)')
})
afterAll(() => outside.end())
beforeEach(async () => {
  await outside.query('truncate rows')
  pool = open({ max: 3 })
})

/** What is there for everybody. */
async function rows(): Promise<string[]> {
  const result = await outside.query<{ name: string }>('select name from rows order by name')
  return result.rows.map(({ name }) => name)
}

const insert = (name: string): string => `insert into rows values ('${name}')`
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'fulfilled',
    (error: { code?: string }) => error.code ?? error,
  )

describe('pool.transaction', () => {
  it('commits what the client and the pool did in it, on one connection', async () => {
    const pids = await pool.transaction(async (client) => {
      await client.query(insert('of the client'))
      await pool.query(insert('of the pool'))
      const connected = await pool.connect()
      await connected.query(insert('of another client'))
      connected.release()
      expect(await rows()).toEqual([])
      const pid = 'select pg_backend_pid() as pid'
      return [await client.query<{ pid: number }>(pid), await pool.query<{ pid: number }>(pid)].map(
        (result) => result.rows,
      )
    })
    expect(pids[0]).toEqual(pids[1])
    expect(await rows()).toEqual(['of another client', 'of the client', 'of the pool'])
    expect(pool.snapshot().connections).toMatchObject({ total: 1, lent: 0 })
  })

  it('rolls back when its work throws, and throws the same', async () => {
    const failure = new Error('of the work')
    const run = pool.transaction(async () => {
      await pool.query(insert('a'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(await rows()).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('runs a lazy query that its work returns inside it', async () => {
    const inside = 'select txid_current_if_assigned() is not null as inside'
    const lazy: PromiseLike<pg.QueryResult> = {
      // oxlint-disable-next-line no-thenable -- as the queries of ORMs are
      then: (resolve, reject) => pool.query(inside).then(resolve, reject),
    }
    const result = await pool.transaction(async (client) => {
      await client.query(insert('a'))
      return lazy
    })
    expect(result.rows).toEqual([{ inside: true }])
  })

  it('begins as it is told', async () => {
    const options = { isolation: 'serializable', readOnly: true, deferrable: true } as const
    const inForce = await pool.transaction(async (client) => {
      const { rows: told } = await client.query(
        `select current_setting('transaction_isolation') i, current_setting('transaction_read_only') r,
           current_setting('transaction_deferrable') d`,
      )
      return told
    }, options)
    expect(inForce).toEqual([{ i: 'serializable', r: 'on', d: 'on' }])
  })

  it('does not pass for committed when a statement in it had failed and its error was caught', async () => {
    const run = pool.transaction(async (client) => {
      await client.query(insert('a'))
      await client.query('select 1/0').catch(() => {})
    })
    expect(await codeOf(run)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
    expect(await rows()).toEqual([])
  })

  it('does not pass for done, nested in another one, when a statement in it had failed; and the other goes on', async () => {
    await pool.transaction(async (client) => {
      const nested = pool.transaction(
        async () => {
          await pool.query(insert('a'))
          await pool.query('select 1/0').catch(() => {})
        },
        { propagation: 'nested' },
      )
      expect(await codeOf(nested)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      await client.query(insert('b'))
    })
    expect(await rows()).toEqual(['b'])
  })

  it('never calls its work when it could not begin', async () => {
    await pool.query("set default_transaction_isolation to 'serializable'")
    let called = false
    const work = (): void => void (called = true)
    const run = runInScope({ label: 'no transactions', mode: 'statement' }, () => pool.transaction(work))
    expect(await codeOf(run)).toBe('LEASEHOLD_MODE_VIOLATION')
    expect(called).toBe(false)
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('runs again as a whole when it met another one, and gives up after as many retries', async () => {
    let runs = 0
    const collide = async (): Promise<void> => {
      runs += 1
      await pool.query(insert(`run ${runs}`))
      if (runs < 3) await pool.query("do $$ begin raise exception 'met' using errcode = '40001'; end $$")
    }
    expect(await codeOf(pool.transaction(collide, { retries: 1 }))).toBe('40001')
    expect([runs, await rows()]).toEqual([2, []])
    runs = 0
    await pool.transaction(collide, { retries: 2 })
    expect([runs, await rows()]).toEqual([3, ['run 3']])
  })

  it('resolves a real deadlock of two by running one of them again', async () => {
    await outside.query("insert into rows values ('one'), ('two')")
    const impatient = open({ max: 3, options: '-c deadlock_timeout=20ms' })
    let arrived = 0
    let meet = (): void => {}
    const both = new Promise<void>((resolve) => (meet = resolve))
    const lock = (first: string, second: string): Promise<unknown> =>
      impatient.transaction(
        async (client) => {
          await client.query('select from rows where name = $1 for update', [first])
          arrived += 1
          if (arrived === 2) meet()
          await both
          await client.query('select from rows where name = $1 for update', [second])
        },
        { retries: 3 },
      )
    await Promise.all([lock('one', 'two'), lock('two', 'one')])
    expect(arrived).toBe(3)
  })

  it('is rolled back, and says so, when it takes longer than its timeoutMs', async () => {
    // Of a connection that is open: to open one may take longer than that.
    await pool.query('select 1')
    const run = pool.transaction(
      async (client) => {
        await client.query(insert('a'))
        await client.query('select pg_sleep(60)')
      },
      { timeoutMs: 100 },
    )
    expect(await codeOf(run)).toBe('LEASEHOLD_TRANSACTION_ENDED')
    expect(await rows()).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it.each(['its client', 'the pool'])(
    'tells the statement of %s that runs at its timeoutMs why it is ended',
    async (whose) => {
      await pool.query('select 1')
      let ended: Promise<unknown> | undefined
      const run = pool.transaction(
        async (client) => {
          const sender = whose === 'the pool' ? pool : client
          ended = sender.query('select pg_sleep(60)').catch((error: unknown) => error)
          await ended
        },
        { timeoutMs: 100 },
      )
      expect(await codeOf(run)).toBe('LEASEHOLD_TRANSACTION_ENDED')
      expect(await ended).toMatchObject({ code: 'LEASEHOLD_TRANSACTION_ENDED', statusCode: 503 })
      await pool.leases.recycled
      expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(pool.snapshot().counts.opened).toBe(1)
    },
  )

  it('is rolled back when its scope closes before it ends', async () => {
    let late: Promise<unknown> = Promise.resolve()
    await runInScope({ label: 'a request' }, async () => {
      await new Promise<void>((inside) => {
        late = codeOf(
          pool.transaction(async (client) => {
            await client.query(insert('a'))
            inside()
            await new Promise((resolve) => setTimeout(resolve, 50))
            await client.query(insert('b'))
          }),
        )
      })
    })
    expect(await late).toBe('LEASEHOLD_TRANSACTION_ENDED')
    expect(await rows()).toEqual([])
  })

  it('does not take a lost connection for a commit, and its loss is no news of an idle client', async () => {
    const news: unknown[] = []
    pool.on('error', (error) => news.push(error))
    const run = pool.transaction(async (client) => {
      await client.query(insert('a'))
      await pool.query(insert('b'))
      await kill(outside, backendOf(client))
      await new Promise((resolve) => setTimeout(resolve, 50))
    })
    await expect(run).rejects.toThrow(/terminat/)
    expect(await rows()).toEqual([])
    expect(news).toEqual([])
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

describe('a transaction that is begun on a connection inside another one', () => {
  it('is a savepoint, and answers as a transaction does', async () => {
    await pool.transaction(async () => {
      const client = await pool.connect()
      const statuses = [client.getTransactionStatus()]
      const tags = []
      for (const text of [
        'BEGIN',
        insert('a'),
        'COMMIT',
        'begin;',
        insert('b'),
        'ROLLBACK',
        'START TRANSACTION',
        'END',
      ]) {
        tags.push((await client.query(text)).command)
        statuses.push(client.getTransactionStatus())
      }
      expect(tags).toEqual(['BEGIN', 'INSERT', 'COMMIT', 'BEGIN', 'INSERT', 'ROLLBACK', 'START', 'COMMIT'])
      expect(statuses).toEqual(['I', 'T', 'T', 'I', 'T', 'T', 'I', 'T', 'I'])
      client.release()
      await pool.query(insert('c'))
    })
    expect(await rows()).toEqual(['a', 'c'])
  })

  it('answers callbacks and named statements as well', async () => {
    await pool.transaction(async () => {
      const client = await pool.connect()
      const tag = (statement: string): Promise<string> =>
        new Promise((resolve, reject) => {
          client.query(statement, (error, result) => (error ? reject(error) : resolve(result.command)))
        })
      expect(await tag('BEGIN')).toBe('BEGIN')
      await client.query({ name: 'an insert', text: 'insert into rows values ($1)', values: ['a'] })
      expect((await client.query({ name: 'an end', text: 'ROLLBACK' })).command).toBe('ROLLBACK')
      client.release()
    })
    expect(await rows()).toEqual([])
  })

  it('leaves the one around it usable when a statement in it failed: its COMMIT is a rollback, and says so', async () => {
    await pool.transaction(async () => {
      const client = await pool.connect()
      await client.query('BEGIN')
      await client.query(insert('a'))
      expect(await codeOf(client.query('select 1/0'))).toBe('22012')
      expect(await codeOf(client.query('select 1'))).toBe('25P02')
      expect(client.getTransactionStatus()).toBe('E')
      expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
      client.release()
      await pool.query(insert('b'))
    })
    expect(await rows()).toEqual(['b'])
  })

  it('is undone when its connection is given back before its end', async () => {
    await pool.transaction(async () => {
      const client = await pool.connect()
      await client.query('BEGIN')
      await client.query(insert('a'))
      client.release()
      await pool.query(insert('b'))
    })
    expect(await rows()).toEqual(['b'])
  })

  it('keeps its own savepoints, whatever others call theirs', async () => {
    await pool.transaction(async () => {
      const [one, two] = [await pool.connect(), await pool.connect()]
      for (const text of ['BEGIN', 'SAVEPOINT sp1', insert('a')]) await one.query(text)
      for (const text of ['BEGIN', 'SAVEPOINT sp1', insert('b'), 'ROLLBACK TO sp1', insert('c')]) await two.query(text)
      await two.query('RELEASE SAVEPOINT sp1')
      await two.query('COMMIT')
      await one.query('RELEASE sp1')
      await one.query('COMMIT')
      one.release()
      two.release()
    })
    expect(await rows()).toEqual(['a', 'c'])
  })

  it('cannot end the one around it', async () => {
    await pool.transaction(async (client) => {
      for (const text of [
        'COMMIT',
        'ROLLBACK',
        `${insert('a')}; commit; select 1`,
        'COMMIT AND CHAIN',
        'begin; select 1',
      ]) {
        expect(await codeOf(client.query(text))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        expect(await codeOf(pool.query(text))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      }
      expect(await codeOf(client.query("prepare transaction 'x'"))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      await client.query(insert('b'))
    })
    expect(await rows()).toEqual(['b'])
  })

  it('is told before it is sent that a statement cannot run in a transaction, and the others go on', async () => {
    await pool.transaction(async (client) => {
      expect(await codeOf(client.query('vacuum rows'))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      expect(await codeOf(pool.query('create index concurrently i on rows (name)'))).toBe(
        'LEASEHOLD_TRANSACTION_CONFLICT',
      )
      await client.query(insert('a'))
    })
    expect(await rows()).toEqual(['a'])
  })

  it('is refused when it asks for another isolation or mode than the one around it has, and else swallowed', async () => {
    await pool.transaction(
      async (client) => {
        const inner = await pool.connect()
        expect(await codeOf(inner.query('BEGIN ISOLATION LEVEL SERIALIZABLE'))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        expect(await codeOf(inner.query('BEGIN READ ONLY'))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        expect(inner.getTransactionStatus()).toBe('I')
        expect((await inner.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE')).command).toBe('BEGIN')
        expect((await inner.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')).command).toBe('SET')
        expect(await codeOf(inner.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'))).toBe(
          'LEASEHOLD_TRANSACTION_CONFLICT',
        )
        await inner.query('COMMIT')
        inner.release()
        await client.query(insert('a'))
        for (const asked of [
          { isolation: 'serializable' },
          { readOnly: true },
          { settings: { 'app.x': 1 } },
        ] as const) {
          const nested = pool.transaction(() => {}, { propagation: 'nested', ...asked })
          expect(await codeOf(nested)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        }
        await pool.transaction(() => {}, { propagation: 'nested', isolation: 'repeatable read', readOnly: false })
      },
      { isolation: 'repeatable read' },
    )
    expect(await rows()).toEqual(['a'])
  })

  it.each(['COMMIT', 'ROLLBACK'])('takes what it has SET LOCAL with it at its %s', async (end) => {
    const tenant = async (): Promise<unknown> =>
      (await pool.query("select current_setting('app.tenant', true) as tenant, current_user as who")).rows[0]
    await outside.query('drop role if exists guest')
    await outside.query('create role guest')
    const { rows: me } = await outside.query<{ who: string }>('select current_user as who')
    const who = me[0]?.who
    await pool.transaction(async (client) => {
      await client.query("set local app.tenant to 'outer'")
      const inner = await pool.connect()
      await inner.query('BEGIN')
      await inner.query("set local app.tenant to 'inner'")
      await inner.query('select set_config($1, $2, true)', ['app.tenant', 'of the inner'])
      await inner.query('set local role guest')
      expect(await tenant()).toEqual({ tenant: 'of the inner', who: 'guest' })
      await inner.query(end)
      inner.release()
      expect(await tenant()).toEqual({ tenant: 'outer', who })

      const work = async (): Promise<void> => {
        await pool.query("set local app.tenant to 'nested'")
        if (end === 'ROLLBACK') throw new Error('of the work')
      }
      await pool.transaction(work, { propagation: 'nested' }).catch(() => {})
      expect(await tenant()).toEqual({ tenant: 'outer', who })
    })
  })
})

describe('what goes on beside each other in one transaction', () => {
  it('is all there when all of it is committed, whichever way it overlaps', async () => {
    await pool.transaction(async () => {
      const [one, two] = [await pool.connect(), await pool.connect()]
      await one.query('BEGIN')
      await two.query('BEGIN')
      await one.query(insert('a'))
      await two.query(insert('b'))
      await one.query('COMMIT')
      await two.query(insert('c'))
      await two.query('COMMIT')
      one.release()
      two.release()
    })
    expect(await rows()).toEqual(['a', 'b', 'c'])
  })

  it('is never undone unseen: when one part takes another along, that one fails, and so does the whole', async () => {
    const run = pool.transaction(async () => {
      const [one, two] = [await pool.connect(), await pool.connect()]
      await one.query('BEGIN')
      await two.query('BEGIN')
      await two.query(insert('b'))
      await one.query('ROLLBACK')
      expect(await codeOf(two.query('COMMIT'))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      one.release()
      two.release()
    })
    expect(await codeOf(run)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
    expect(await rows()).toEqual([])
  })

  it('is named, with where it was asked for, when one part has undone what another did', async () => {
    const named = open({ leasehold: { captureSites: 'always' } })
    async function ownerOfTheRollback(): Promise<void> {
      const inner = await named.connect()
      await inner.query('BEGIN')
      await runInScope({ label: 'an audit' }, () => named.query(insert('audit')))
      await inner.query('ROLLBACK')
      inner.release()
    }
    const run = named.transaction(ownerOfTheRollback)
    const error = (await run.catch((reason: unknown) => reason)) as Error
    expect((error.cause as Error).message).toMatch(
      /ownerOfTheRollback.*rolled back .* in which an audit at .*server\.test\.ts:\d+/s,
    )
    expect(await rows()).toEqual([])
  })

  it('is never undone unseen: a root statement that lay in an inner transaction which was rolled back fails the whole', async () => {
    const run = pool.transaction(async () => {
      const inner = await pool.connect()
      await inner.query('BEGIN')
      await pool.query(insert('audit'))
      await inner.query('ROLLBACK')
      inner.release()
    })
    await expect(run).rejects.toThrow(/rolled back/)
    expect(await rows()).toEqual([])
  })
})

describe('after its end', () => {
  it('nothing that was lent in it works any more, nor the pool in its context', async () => {
    let later = (): Promise<unknown> => Promise.resolve()
    const clients: Array<{ query(text: string): Promise<unknown> }> = []
    await pool.transaction(async (client) => {
      clients.push(client, await pool.connect())
      const { promise, go } = gate()
      const late = promise.then(async () => [
        await codeOf(pool.query(insert('late'))),
        await codeOf(pool.transaction(() => {})),
        await codeOf(detached(() => pool.query(insert('detached')))),
      ])
      later = () => {
        go()
        return late
      }
    })
    for (const client of clients) expect(await codeOf(client.query('select 1'))).toBe('LEASEHOLD_TRANSACTION_ENDED')
    expect(await later()).toEqual(['LEASEHOLD_TRANSACTION_ENDED', 'LEASEHOLD_TRANSACTION_ENDED', 'fulfilled'])
    expect(await rows()).toEqual(['detached'])
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('hooks run outside of it, with what they asked for, and only those that are due', async () => {
    const told: string[] = []
    await runInScope({ label: 'a request' }, () =>
      pool.transaction(async (_client, transaction) => {
        transaction.afterRollback(() => told.push('never'))
        transaction.afterCommit(async () => {
          await pool.query(insert('hook'))
          told.push(`committed in ${currentScope()?.label}: ${(await rows()).join()}`)
        })
        const nested = pool.transaction(
          (_inner, inner) => {
            inner.afterCommit(() => told.push('never'))
            inner.afterRollback(() => told.push('nested was rolled back'))
            throw new Error('of the nested')
          },
          { propagation: 'nested' },
        )
        await nested.catch(() => {})
        await pool.query(insert('a'))
        expect(told).toEqual([])
      }),
    )
    expect(told).toEqual(['committed in a request: a,hook', 'nested was rolled back'])
  })
})

describe('a pool', () => {
  it('with joinTransactions off joins nothing but the client of the callback', async () => {
    const apart = open({ max: 2, leasehold: { joinTransactions: 'off' } })
    const failure = new Error('of the work')
    const run = apart.transaction(async (client) => {
      await client.query(insert('client'))
      await apart.query(insert('pool'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(await rows()).toEqual(['pool'])
  })

  it('that lends bare clients has no transactions, and says so', async () => {
    const compat = open({ leasehold: { compat: 'pg-pool' } })
    expect(await codeOf(compat.transaction(() => {}))).toBe('LEASEHOLD_INVALID_OPTIONS')
  })

  it('keeps its transactions in scopes of mode session, where they are refused a connection of their own', async () => {
    await runInScope({ label: 'a session', mode: 'session' }, async () => {
      await pool.query('create temp table mine (x int)')
      await pool.transaction(async (client) => {
        await client.query('insert into mine values (1)')
        await pool.query(insert('a'))
        const own = pool.transaction(() => {}, { propagation: 'requires-new' })
        expect(await codeOf(own)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      })
      const failing = pool.transaction(async () => {
        await pool.query(insert('b'))
        throw new Error('of the work')
      })
      await failing.catch(() => {})
      expect((await pool.query('select x from mine')).rows).toEqual([{ x: 1 }])
    })
    expect(await rows()).toEqual(['a'])
  })

  it('refuses to run, in a transaction of one tenant, what declares another', async () => {
    const tenant = "select current_setting('app.tenant', true) as tenant"
    const scope = { label: 'a request', settings: { 'app.tenant': 'one' } }
    await runInScope(scope, () =>
      pool.transaction(async () => {
        expect((await pool.query(tenant)).rows).toEqual([{ tenant: 'one' }])
        const other = { label: 'of another', settings: { 'app.tenant': 'two' } }
        expect(await codeOf(runInScope(other, () => pool.query(tenant)))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        const own = pool.acquire({ settings: { 'app.tenant': 'two' } })
        expect(await codeOf(own)).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        const apart = pool.transaction(async (client) => (await client.query(tenant)).rows, {
          propagation: 'requires-new',
          settings: { 'app.tenant': 'three' },
        })
        expect(await apart).toEqual([{ tenant: 'three' }])
      }),
    )
  })
})

function gate(): { readonly promise: Promise<void>; readonly go: () => void } {
  let go = (): void => {}
  const promise = new Promise<void>((resolve) => (go = resolve))
  return { promise, go }
}
