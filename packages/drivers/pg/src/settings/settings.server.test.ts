import { openScope, runInScope, type Settings, type SettingsFailedError } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import Cursor from 'pg-cursor'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type * as pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { usePools } from '../testing/leased-pool.js'
import { useNotes } from '../testing/use-notes.js'

const database = usePostgres()
const poolOf = usePools(database)
const ROLE = `tenant_role_${process.pid}`
const admin = useNotes(database, ROLE)

const as = <R>(settings: Settings, work: () => R | PromiseLike<R>) => runInScope({ label: 'test', settings }, work)
const tenant = (id: string) => ({ 'app.tenant_id': id })
const TENANT = `select current_setting('app.tenant_id', true) as tenant`
const tenantIn = async (pool: { query: pg.Pool['query'] }): Promise<unknown> =>
  (await pool.query<{ tenant: string }>(TENANT)).rows[0]?.tenant

/** What the client has sent, message by message. */
function sentOn(client: pg.Client): string[] {
  const sent: string[] = []
  const { stream } = (client as unknown as { connection: { stream: { write: (chunk: Buffer) => boolean } } }).connection
  const write = stream.write.bind(stream)
  stream.write = (chunk) => {
    sent.push(String.fromCharCode(chunk[0] ?? 0))
    return write(chunk)
  }
  return sent
}

describe('the line that a user writes', () => {
  it('has its settings in force', async () => {
    const pool = poolOf()

    const { rows } = await as(tenant('42'), () =>
      pool.query<{ current_setting: string }>('select current_setting($1)', ['app.tenant_id']),
    )

    expect(rows).toEqual([{ current_setting: '42' }])
  })

  it('has values in them that are values and nothing else', async () => {
    const pool = poolOf({ max: 1 })
    for (const id of [`it's`, `'; drop table notes; --`, '$1', '', '\\', 'é "x"', '$$', `a\nb`]) {
      expect(await as(tenant(id), () => tenantIn(pool))).toBe(id)
    }
    expect((await pool.query('select * from notes')).rowCount).toBe(2)
  })

  it('takes numbers and booleans, a role, a search path and a timeout', async () => {
    const pool = poolOf({ max: 1 })
    const settings = {
      role: ROLE,
      search_path: 'pg_catalog',
      statement_timeout: '1234',
      row_security: false,
      'app.n': 7,
    }

    const { rows } = await as(settings, () =>
      pool.query(
        `select current_user as who, current_setting('search_path') as path, current_setting('statement_timeout') as ms,
                current_setting('row_security') as rls, current_setting('app.n') as n`,
      ),
    )

    expect(rows).toEqual([{ who: ROLE, path: 'pg_catalog', ms: '1234ms', rls: 'off', n: '7' }])
  })
})

describe('an owner', () => {
  it('that declares nothing never meets the settings of others', async () => {
    const pool = poolOf({ max: 1 })
    await as({ ...tenant('1'), role: ROLE, search_path: 'x', statement_timeout: 5_000 }, () => pool.query('select 1'))

    const { rows } = await pool.query(
      `select current_setting('app.tenant_id', true) as tenant, current_user = session_user as own,
              current_setting('search_path') as path, current_setting('statement_timeout') as ms`,
    )

    expect(rows).toEqual([{ tenant: '', own: true, path: '"$user", public', ms: '0' }])
  })

  it('meets its own and not one of another in the same tick, through one connection or many', async () => {
    for (const max of [1, 2, 5]) {
      const pool = poolOf({ max })
      const ids = Array.from({ length: 200 }, (_, id) => String(id % 3))
      const seen = await Promise.all(
        ids.map((id, at) => (at % 7 === 0 ? tenantIn(pool) : as(tenant(id), () => tenantIn(pool)))),
      )
      expect(seen.map((id) => id ?? '')).toEqual(ids.map((id, at) => (at % 7 === 0 ? '' : id)))
    }
  })

  it('that released before its first statement has sent nothing', async () => {
    const pool = poolOf({ max: 1 })
    const first = await pool.connect()
    const sent = sentOn(Object.getPrototypeOf(Object.getPrototypeOf(first)) as pg.Client)
    first.release()

    await as(tenant('1'), async () => (await pool.connect()).release())
    expect(sent).toEqual([])
    expect(await tenantIn(pool)).toBe(null)
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
  })

  it('that changes a setting by a statement of its own changes it for nobody else', async () => {
    const pool = poolOf({ max: 1 })
    await as(tenant('1'), async () => {
      const client = await pool.connect()
      await client.query(`set app.tenant_id = 'forged'`)
      expect(await tenantIn(client)).toBe('forged')
      client.release()
    })

    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
    expect(await tenantIn(pool)).toBe('')
  })

  it.each(['reset app.tenant_id', 'reset all', 'discard all', `select set_config('app.tenant_id', '9', false)`])(
    'that runs %s is followed by one with its own settings',
    async (statement) => {
      const pool = poolOf({ max: 1 })
      await as({ ...tenant('1'), role: ROLE }, () => pool.use((client) => client.query(statement)))

      const { rows } = await as({ ...tenant('1'), role: ROLE }, () => pool.query(`${TENANT}, current_user as who`))

      expect(rows).toEqual([{ tenant: '1', who: ROLE }])
    },
  )

  it('gets what a hook has set back once another has declared it', async () => {
    const pool = poolOf({ max: 1, onConnect: (client) => client.query(`set search_path = pg_temp, public`) })
    const path = async () => (await pool.query<{ search_path: string }>('show search_path')).rows[0]?.search_path
    expect(await path()).toBe('pg_temp, public')

    expect(await as({ search_path: 'x' }, path)).toBe('x')
    expect(await path()).toBe('pg_temp, public')
  })

  it('gets its own and not what a listener of connect sends behind its back', async () => {
    const pool = poolOf({ max: 1 })
    pool.on('connect', (client) => void client.query('set search_path = pg_temp, public'))

    const { rows } = await as({ search_path: 'x' }, () =>
      pool.query('select current_setting($1) as path', ['search_path']),
    )

    expect(rows).toEqual([{ path: 'x' }])
    expect((await pool.query('show search_path')).rows).toEqual([{ search_path: 'pg_temp, public' }])
  })
})

describe('settings cost', () => {
  it('no round trip with a first statement that can carry them, and nothing on a connection that has them', async () => {
    const pool = poolOf({ max: 1 })
    const first = await pool.connect()
    const sent = sentOn(Object.getPrototypeOf(Object.getPrototypeOf(first)) as pg.Client)
    first.release()

    await as(tenant('1'), () => pool.query('select 1'))
    expect(sent.splice(0).join('')).toBe('PBEPBDES')
    await as(tenant('1'), () => pool.query('select 1'))
    expect(sent.splice(0).join('')).toBe('Q')
    await as(tenant('2'), () => pool.query('select $1::int', [1]))
    expect(sent.splice(0).join('')).toBe('PBEPBDES')
    await as(tenant('3'), () => pool.query('vacuum notes'))
    expect(sent.splice(0).join('')).toBe('BESQ')
  })

  it.each(['discard all', 'deallocate all'])('one reading by the server, and one more after %s', async (forgetting) => {
    const pool = poolOf({ max: 1 })
    const first = await pool.connect()
    const sent = sentOn(Object.getPrototypeOf(Object.getPrototypeOf(first)) as pg.Client)
    first.release()
    const costs: string[] = []

    for (const id of ['1', '2', '3', '4', '5']) {
      if (id === '4') await pool.query(forgetting)
      sent.splice(0)
      await as(tenant(id), () => pool.query('select $1::int', [1]))
      costs.push(sent.join('').replace(/PBDES$/, ''))
    }

    // The first also asks which process answers, and comes once.
    expect(costs).toEqual(['PBE', 'PBE', 'BE', 'PBE', 'BE'])
  })

  it('one refusal, when the server was told to forget the statement where nobody could see it', async () => {
    const pool = poolOf({ max: 1 })
    expect(await as(tenant('0'), () => tenantIn(pool))).toBe('0')
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
    await pool.query(`do $$ begin execute 'deallocate all'; end $$`)

    const refused = as(tenant('2'), () => pool.query('delete from notes'))

    await expect(refused).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
    expect(await as(tenant('2'), () => tenantIn(pool))).toBe('2')
  })
})

describe('a first statement', () => {
  const pairs: ReadonlyArray<readonly [string | object, ...unknown[]]> = [
    ['select id, note from notes order by id'],
    ['select 1 as a, null as b, true as c, now() is null as d, 1.5 as e, array[1,2] as f, $$x$$ as g'],
    ['select id from notes where false'],
    ['insert into notes values (3, $$three$$)'],
    ['insert into notes values (3, $$three$$) returning *'],
    ['update notes set note = $$x$$'],
    ['delete from notes returning id'],
    ['with x as (select 1 as n) select n from x'],
    ['values (1), (2)'],
    ['table notes'],
    ['select'],
    ['select $1::int as n', [5]],
    [{ text: 'select id from notes', rowMode: 'array' }],
    [{ name: 'named', text: 'select id from notes where id = $1', values: [1] }],
    [{ name: 'bare', text: 'select 1' }],
    [{ text: 'select id from notes', rows: 1 }],
    [{ text: 'select 1', binary: true }],
    [''],
    ['-- nothing'],
    ['select 1; select 2'],
    ['show server_version'],
    ['create temporary table t_settings (a int)'],
    ['drop table if exists t_settings'],
    ['explain (costs off) select 1'],
    ['do $$ begin null; end $$'],
    ['lock table notes'],
    ['set local work_mem = 64'],
  ]

  it.each(pairs)('answers as it does without settings: %j', async (...args) => {
    const asks = args as unknown as [string, unknown[]]
    const plain = poolOf({ max: 1 })
    const own = poolOf({ max: 1 })
    const outcomeOf = async (work: () => Promise<unknown>): Promise<unknown> => {
      await admin.query('truncate notes; insert into notes values (1, $$one$$), (2, $$two$$)')
      try {
        return strip(await work())
      } catch (error) {
        const { code, message } = error as pg.DatabaseError
        return { code, message }
      }
    }

    const expected = await outcomeOf(() => plain.query(...asks))
    const met = await outcomeOf(() => as(tenant('1'), () => own.query(...asks)))

    expect(met).toEqual(expected)
    expect(await as(tenant('1'), () => tenantIn(own))).toBe('1')
  })

  it.each([
    'begin',
    'begin isolation level serializable',
    'start transaction read only',
    'set app.x = 1',
    'vacuum notes',
    'select 1; select 2',
    'create index concurrently on notes (id)',
    'do $$ begin perform 1; end $$',
    '',
  ])('that cannot carry them has them before it: %s', async (statement) => {
    const pool = poolOf({ max: 1 })

    await as(tenant('1'), () =>
      pool.use(async (client) => {
        await client.query(statement)
        expect(await tenantIn(client as never)).toBe('1')
      }),
    )
  })

  it('that is a transaction leaves them in force when it is rolled back', async () => {
    const pool = poolOf({ max: 1 })
    await as(tenant('1'), () =>
      pool.use(async (client) => {
        await client.query('begin')
        expect(await tenantIn(client as never)).toBe('1')
        await client.query('rollback')
        expect(await tenantIn(client as never)).toBe('1')
      }),
    )
  })

  it('is bounded by the timeout that goes with it, and finds its tables on the path that goes with it', async () => {
    const pool = poolOf({ max: 1 })
    await admin.query(`create schema acme; create table acme.things as select 'of acme' as owner`)

    await expect(as({ statement_timeout: 50 }, () => pool.query('select pg_sleep(30)'))).rejects.toMatchObject({
      code: '57014',
    })
    const { rows } = await as({ search_path: 'acme' }, () => pool.query('select owner from things'))

    expect(rows).toEqual([{ owner: 'of acme' }])
    await expect(pool.query('select owner from things')).rejects.toMatchObject({ code: '42P01' })
    await admin.query('drop schema acme cascade')
  })

  it('of which nothing is heard any more fails with what has become of the connection', async () => {
    const pool = poolOf({ max: 1 })

    const killed = await as(tenant('1'), () =>
      pool
        .query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(30)')
        .catch((error: pg.DatabaseError) => error),
    )

    expect(killed).toMatchObject({ code: '57P01' })
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
  })

  it('has the isolation that its owner declared for transactions', async () => {
    const pool = poolOf({ max: 1 })

    const { rows } = await as({ default_transaction_isolation: 'serializable' }, () =>
      pool.query(`select current_setting('transaction_isolation') as isolation`),
    )

    expect(rows).toEqual([{ isolation: 'serializable' }])
  })

  it('may be a cursor, a COPY in or a COPY out', async () => {
    const pool = poolOf({ max: 1 })
    const cursorRows = await as(tenant('1'), () =>
      pool.use(async (client) => {
        const cursor = client.query(new Cursor(TENANT))
        const rows = await cursor.read(10)
        await cursor.close()
        return rows as unknown
      }),
    )
    expect(cursorRows).toEqual([{ tenant: '1' }])

    const copied = await as(tenant('2'), () =>
      pool.use(async (client) => {
        const chunks: Buffer[] = []
        for await (const chunk of client.query(copyTo(`copy (${TENANT}) to stdout`))) chunks.push(chunk as Buffer)
        return Buffer.concat(chunks).toString()
      }),
    )
    expect(copied).toBe('2\n')

    await admin.query(`create table stamped (tenant text default current_setting('app.tenant_id'), n int);
                       grant all on stamped to ${ROLE}`)
    await as(tenant('3'), () =>
      pool.use(async (client) => {
        const stream = client.query(copyFrom('copy stamped (n) from stdin'))
        const done = new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject))
        stream.end('7\n')
        await done
      }),
    )
    expect((await admin.query('select * from stamped')).rows).toEqual([{ tenant: '3', n: 7 }])
    await admin.query('drop table stamped')
  })

  it('may be a prepared statement, parsed now or long ago, by one tenant or another', async () => {
    const pool = poolOf({ max: 1 })
    const ask = () =>
      pool.query<{ tenant: string }>({ name: 'whose', text: TENANT }).then(({ rows }) => rows[0]?.tenant)

    expect(await as(tenant('1'), ask)).toBe('1')
    expect(await as(tenant('2'), ask)).toBe('2')
    expect(await ask()).toBe('')
    await expect(as({ role: 'nobody_like_it' }, ask)).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
    expect(await as(tenant('3'), ask)).toBe('3')
  })

  it('may be sent with a callback', async () => {
    const pool = poolOf({ max: 1 })
    const ask = () =>
      new Promise((resolve, reject) =>
        pool.query(TENANT, (error: Error | undefined, result?: pg.QueryResult) =>
          error ? reject(error) : resolve(result?.rows),
        ),
      )

    expect(await as(tenant('1'), ask)).toEqual([{ tenant: '1' }])
    expect(await as(tenant('2'), ask)).toEqual([{ tenant: '2' }])
  })

  it('goes before those that were issued after it', async () => {
    const pool = poolOf({ max: 1 })

    const answers = await as(tenant('1'), () =>
      pool.use((client) =>
        Promise.all([
          client.query('begin'),
          client.query('insert into notes values (9, current_setting($1))', ['app.tenant_id']),
          client.query('select note from notes where id = 9'),
          client.query('rollback'),
          client.query('select note from notes where id = 9'),
        ]),
      ),
    )

    expect(answers.map(({ rows }) => rows as unknown)).toEqual([[], [], [{ note: '1' }], [], []])
  })
})

describe('when a setting fails', () => {
  const bad = { role: 'nobody_like_it', 'app.secret': 'hush' }

  it.each(['delete from notes', 'delete from notes; select 1', 'begin', 'vacuum notes'])(
    'the statement does not run: %s',
    async (statement) => {
      const pool = poolOf({ max: 1 })

      const refused = await as(bad, () => pool.query(statement).catch((error: SettingsFailedError) => error))

      expect(refused).toMatchObject({
        code: 'LEASEHOLD_SETTINGS_FAILED',
        phase: 'settings',
        settings: ['role', 'app.secret'],
        cause: { severity: 'ERROR' },
      })
      expect((refused as Error).message).not.toContain('hush')
      expect((await admin.query('select * from notes')).rowCount).toBe(2)
    },
  )

  it('nor does the next one of the same owner, nor a cursor or a COPY', async () => {
    const pool = poolOf({ max: 1 })
    await as(bad, () =>
      pool.use(async (client) => {
        await expect(client.query('delete from notes')).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
        await expect(client.query('delete from notes')).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
        const cursor = client.query(new Cursor('delete from notes returning *'))
        await expect(cursor.read(1)).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
      }),
    )
    expect((await admin.query('select * from notes')).rowCount).toBe(2)
  })

  it('the connection is as good as before, for everybody else', async () => {
    const pool = poolOf({ max: 1 })
    const [before] = (await pool.query('select pg_backend_pid()')).rows as unknown[]
    await as({ ...bad, ...tenant('1') }, () => pool.query('select 1')).catch(() => {})

    expect((await pool.query('select pg_backend_pid()')).rows[0]).toEqual(before)
    expect([undefined, null, '']).toContain(await tenantIn(pool))
    expect(await as(tenant('2'), () => tenantIn(pool))).toBe('2')
  })

  it('a role that others declared does not decide what may be set', async () => {
    const pool = poolOf({ max: 1 })
    await as({ role: ROLE }, () => pool.query('select 1'))

    // Only a superuser may set these.
    const { rows } = await as({ role: ROLE, session_replication_role: 'replica' }, () =>
      pool.query(`select current_user as who, current_setting('session_replication_role') as replication`),
    )
    expect(rows).toEqual([{ who: ROLE, replication: 'replica' }])
    expect(await as({ log_min_messages: 'log' }, () => tenantIn(pool))).toBe(null)
  })
})

describe("an owner's error", () => {
  it('reaches it unchanged, and undoes no setting unseen', async () => {
    const pool = poolOf({ max: 1 })
    await as(tenant('1'), () =>
      pool.use(async (client) => {
        await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' })
        expect(await tenantIn(client as never)).toBe('1')
        await expect(client.query('nonsense')).rejects.toMatchObject({ code: '42601' })
        expect(await tenantIn(client as never)).toBe('1')
      }),
    )
    await expect(as(tenant('2'), () => pool.query('select $1', []))).rejects.toMatchObject({ code: '42P02' })
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
    expect(await tenantIn(pool)).toBe('')
  })

  it('before anything was sent leaves the settings to the next statement', async () => {
    const pool = poolOf({ max: 1 })
    await as(tenant('1'), () =>
      pool.use(async (client) => {
        await expect(client.query('select $1', 5 as never)).rejects.toThrow('must be an array')
        const circle: { toPostgres?: () => never } = {
          toPostgres: () => {
            throw new Error('no value')
          },
        }
        await expect(client.query('select $1', [circle])).rejects.toThrow('no value')
        expect(await tenantIn(client as never)).toBe('1')
      }),
    )
  })

  it('of a constraint that is checked at the very end undoes them too, seen', async () => {
    const pool = poolOf({ max: 1 })
    await admin.query(`create table pairs (id int unique deferrable initially deferred); insert into pairs values (1)`)
    await as(tenant('1'), () =>
      pool.use(async (client) => {
        await expect(client.query('insert into pairs values (1)')).rejects.toMatchObject({ code: '23505' })
        expect(await tenantIn(client as never)).toBe('1')
      }),
    )
    await admin.query('drop table pairs')
  })

  it('of a cancel leaves nothing of its settings to the next owner', async () => {
    const pool = poolOf({ max: 1, leasehold: { closeGraceMs: 0 } })
    const scope = openScope({ label: 'aborted', settings: { ...tenant('1'), role: ROLE } })
    const sleeping = scope.run(() => pool.query('select pg_sleep(30)')).catch((error: unknown) => error)
    await untilActive(pool)

    await scope.close()
    await sleeping

    const { rows } = await pool.query(`${TENANT}, current_user = session_user as own`)
    expect(rows).toEqual([{ tenant: expect.toBeOneOf([null, '']) as unknown, own: true }])
  })
})

describe('settings cannot change', () => {
  it('inside a transaction of a shared session, whose statements are then refused until it ends', async () => {
    const pool = poolOf({ max: 1 })
    await runInScope({ label: 'shared', mode: 'session', settings: tenant('1') }, async (scope) => {
      await pool.query('begin')
      scope.set(tenant('2'))
      await expect(tenantIn(pool)).rejects.toMatchObject({
        code: 'LEASEHOLD_SETTINGS_FAILED',
        settings: ['app.tenant_id'],
      })
      await pool.query('rollback')
      expect(await tenantIn(pool)).toBe('2')
    })
    expect(await tenantIn(pool)).toBe('')
  })
})

describe('settings are refused', () => {
  it.each(['session_authorization', 'client_encoding', 'transaction_isolation'])('when they are %s', async (name) => {
    const pool = poolOf()
    await expect(as({ [name]: 'x' }, () => pool.query('select 1'))).rejects.toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
    })
  })

  it('where bare clients are lent', async () => {
    const pool = poolOf({ leasehold: { compat: 'pg-pool' } })
    await expect(as(tenant('1'), () => pool.query('select 1'))).rejects.toThrow('cannot make them')
  })

  it('in a pipeline, where statements do not wait for each other', async () => {
    const pool = poolOf({ pipeline: true })
    await expect(as(tenant('1'), () => pool.query('select 1'))).rejects.toMatchObject({
      code: 'LEASEHOLD_SETTINGS_FAILED',
    })
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  })
})

describe('a pool that requires settings', () => {
  it('refuses on all its ways who has not declared them', async () => {
    const pool = poolOf({ leasehold: { requireSettings: ['app.tenant_id'] } })

    for (const ask of [() => pool.query('select 1'), () => pool.connect(), () => pool.acquire()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'LEASEHOLD_SETTING_REQUIRED', missing: ['app.tenant_id'] })
    }
    expect(pool.totalCount).toBe(0)
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
  })
})

async function untilActive(pool: LeasedPgPool): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query(
      `select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`,
    )
    if (rowCount === 1 && pool.totalCount === 1) return
  }
}

/** What a caller can see of a result. */
function strip(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(strip)
  const { command, rowCount, oid, rows, fields } = result as pg.QueryResult
  return {
    command,
    rowCount,
    oid,
    rows,
    fields: fields.map(({ name, dataTypeID, format }) => ({ name, dataTypeID, format })),
  }
}
