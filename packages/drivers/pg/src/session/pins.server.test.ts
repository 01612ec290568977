import { type LedgerDiffersEvent, type PinEvent, type ResetEvent, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { describe, expect, test } from 'vitest'
import { createPgPool } from '../facade/create-pg-pool.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import type { LeasedPgPoolOptions } from '../facade/facade-options.js'

// Issue 4, from the side of who uses a pool. That the ledger equals the server is the truth suite's matter.

const database = usePostgres()

type OpenPool = LeasedPgPool & AsyncDisposable

function open(options: LeasedPgPoolOptions = {}): OpenPool {
  const pool = createPgPool({ connectionString: database.url, max: 1, ...options })
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() })
}

/** Counts what goes to the server from now on. */
function countSends(client: unknown): { readonly texts: string[] } {
  const { connection } = Object.getPrototypeOf(Object.getPrototypeOf(client)) as {
    connection: { query(text: string): void; parse(message: { text: string }): void }
  }
  const texts: string[] = []
  const { query, parse } = connection
  connection.query = (text) => {
    texts.push(text)
    query.call(connection, text)
  }
  connection.parse = (message) => {
    texts.push(message.text)
    parse.call(connection, message)
  }
  return { texts }
}

async function show(pool: LeasedPgPool, name: string): Promise<string> {
  const { rows } = await pool.query<{ value: string }>('select current_setting($1, true) as value', [name])
  return rows[0]?.value ?? ''
}

describe('a lease knows what ties its session to it', () => {
  test('by simple and by extended protocol, with literals left out', async () => {
    await using pool = open()
    const lease = await pool.acquire()
    await lease.client.query("set application_name = 'secret'")
    await lease.client.query('select set_config($1, $2, false)', ['App.Tenant_Id', '42'])
    await lease.client.query('listen news')
    await lease.client.query('select pg_advisory_lock($1, $2)', ['04', 2])
    await lease.client.query('prepare p as select 1')
    await lease.client.query('create temp table t (id int)')
    await lease.client.query('begin; declare c cursor with hold for select 1; commit')

    expect(lease.pins.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'setting application_name',
      'setting app.tenant_id',
      'listen news',
      'advisory-lock 4,2',
      'prepared p',
      'temp t',
      'cursor c',
    ])
    expect(JSON.stringify(lease.pins)).not.toContain('secret')
    expect(lease.pins[0]).toMatchObject({
      statement: 'set application_name = ?',
      site: expect.stringContaining('pins.server.test.ts') as unknown,
    })
    lease.release()
    await lease.recycled
  })

  test('and no more of it than there is: transactions undo, and local settings end', async () => {
    await using pool = open()
    const lease = await pool.acquire()
    await lease.client.query("begin; set search_path to a; set local work_mem to '1MB'")
    expect(lease.pins.map(({ kind }) => kind)).toEqual(['setting', 'transaction'])
    await lease.client.query('rollback')
    await lease.client.query("set work_mem to '1MB'; select 1/0").catch(() => {})
    await lease.client.query("begin; set local work_mem to '1MB'; commit")
    expect(lease.pins).toEqual([])
    lease.release()
  })

  test('and counts its transactions, unless they end in the text that began them', async () => {
    await using pool = open()
    await pool.query('select 1')
    await pool.query('begin; select 1; commit')
    expect(pool.snapshot().counts.pins.transaction).toBe(0)
    await pool.transaction((client) => client.query('select 1'))
    await pool.transaction(() => pool.transaction(() => pool.query('select 1'), { propagation: 'nested' }))
    await pool.use(async (client) => {
      await client.query('begin')
      await client.query('savepoint a')
      await client.query('select 1 / 0').catch(() => {})
      await client.query('rollback to a')
      await client.query('commit')
    })
    expect(pool.snapshot().counts.pins).toMatchObject({ transaction: 3, setting: 0, unknown: 0 })
  })

  test('and tells of it in events, counters and snapshots', async () => {
    await using pool = open()
    const pins: PinEvent[] = []
    pool.leases.on('pin', (event) => pins.push(event))
    const lease = await pool.acquire({ label: 'a job' })
    await lease.client.query('listen news')
    expect(pins).toEqual([expect.objectContaining({ label: 'a job', kind: 'listen', name: 'news' })])
    expect(pool.snapshot()).toMatchObject({ counts: { pins: { listen: 1 } }, holders: [{ pins: [{ name: 'news' }] }] })
    lease.release()
  })
})

describe('between two owners', () => {
  test('a clean session costs no round trip, and one that was dirtied costs one of just what it takes', async () => {
    await using pool = open()
    const lease = await pool.acquire()
    const sent = countSends(lease.client)
    await lease.client.query('select 1')
    lease.release()
    await lease.recycled
    expect(sent.texts).toEqual(['select 1'])

    const second = await pool.acquire()
    await second.client.query('set search_path to a; listen b')
    second.release()
    await second.recycled
    expect(sent.texts.slice(2)).toEqual(['UNLISTEN "b";RESET "search_path"'])
  })

  test('everything that the last owner did is undone, and told', async () => {
    await using pool = open()
    const resets: ResetEvent[] = []
    pool.leases.on('reset', (event) => resets.push(event))
    const { rows: before } = await pool.query<{ path: string }>(`select current_setting('search_path') as path`)
    const lease = await pool.acquire({ label: 'the careless' })
    await lease.client
      .query(`set search_path to a; set role pg_read_all_data; set app.tenant = '42'; create temp table t ()`)
      .catch(() => {})
    await lease.client.query('set role pg_read_all_data')
    await lease.client.query('set search_path to a')
    lease.release()
    await lease.recycled

    const { rows } = await pool.query<object>(
      `select current_setting('search_path') as path, current_user = session_user as own`,
    )
    expect(rows).toEqual([{ ...before[0], own: true }])
    expect(resets).toHaveLength(1)
    expect(resets[0]).toMatchObject({ left: 'session state', label: 'the careless', error: undefined })
    expect(pool.totalCount).toBe(1)
  })

  test('the driver’s named statements live on, also when somebody sends DISCARD ALL or DEALLOCATE ALL', async () => {
    await using pool = open()
    const ask = () => pool.query({ name: 'mine', text: 'select 1 as one' })
    await ask()
    await pool.query(`do $$ begin perform set_config('app.x', '1', false); end $$`)
    expect((await ask()).rows).toEqual([{ one: 1 }])
    for (const text of ['discard all', 'deallocate all', 'deallocate "mine"']) {
      await pool.query(text)
      expect((await ask()).rows).toEqual([{ one: 1 }])
    }
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  test('what cannot be undone costs the connection, which is replaced', async () => {
    await using pool = open()
    await pool.query(`select setseed(0.5)`)
    await pool.query('select 1')
    expect(pool.snapshot().counts).toMatchObject({ opened: 2, closed: { 'reset-failed': 1 } })
  })

  test('a lock taken by a statement that failed is given back', async () => {
    await using pool = open()
    await using other = open()
    await expect(pool.query('select pg_advisory_lock(77), 1/(select 0)')).rejects.toMatchObject({ code: '22012' })
    // Served by the same connection, and so after it was made clean.
    await pool.query('select 1')
    const { rows } = await other.query<{ free: boolean }>('select pg_try_advisory_lock(77) as free')
    expect(rows).toEqual([{ free: true }])
  })

  test('a statement of one’s own may clean instead', async () => {
    await using pool = open({ leasehold: { resetStatement: 'DISCARD ALL' } })
    const lease = await pool.acquire()
    const sent = countSends(lease.client)
    await lease.client.query('begin; set search_path to a')
    lease.release()
    await lease.recycled
    expect(sent.texts.slice(1)).toEqual(['ROLLBACK', 'DISCARD ALL'])
  })

  test('and is not sent for a session that nobody has changed, not even before the database is known', async () => {
    await using pool = open({ leasehold: { resetStatement: 'select pg_sleep(60)', resetTimeoutMs: 1_000 } })
    await pool.query('select from pg_class limit 1')
    await pool.query('select from pg_class limit 1')
    expect(pool.snapshot().counts).toMatchObject({ opened: 1, closed: { 'reset-failed': 0 } })
  })

  test('functions of the database are looked into, once, and not on the caller’s time', async () => {
    await using admin = open()
    await admin.query(`
      create function public.harmless() returns int language plpgsql as $$ begin return 1; end $$;
      create function public.inner_one() returns text language sql as $$ select set_config('app.deep', '1', false) $$;
      create function public.stateful() returns text language plpgsql as $$ begin return public.inner_one(); end $$;`)
    await using pool = open()
    const asking = await pool.acquire()
    await asking.client.query('select public.harmless()')
    asking.release()
    await asking.recycled
    const resets: ResetEvent[] = []
    pool.leases.on('reset', (event) => resets.push(event))
    const lease = await pool.acquire()
    await lease.client.query('select harmless(), now(), pg_backend_pid()')
    expect(lease.pins).toEqual([])
    await lease.client.query('select stateful()')
    expect(lease.pins).toEqual([expect.objectContaining({ kind: 'setting', name: 'app.deep' })])
    lease.release()
    await lease.recycled
    expect(await show(pool, 'app.deep')).toBe('')
    expect(resets).toHaveLength(1)
  })
})

describe('a baseline survives resets', () => {
  test('of what onConnect, verify and listeners of the connect event have set', async () => {
    await using pool = open({
      onConnect: (client) => client.query('set search_path to from_hook'),
    })
    pool.on('connect', (client) => void client.query("set application_name = 'introduced'"))
    const lease = await pool.acquire()
    expect(lease.pins).toEqual([])
    await lease.client.query('set search_path to other; reset application_name')
    lease.release()
    await lease.recycled
    expect([await show(pool, 'search_path'), await show(pool, 'application_name')]).toEqual(['from_hook', 'introduced'])

    await pool.query(`do $$ begin execute 'reset ' || 'all'; end $$`)
    expect([await show(pool, 'search_path'), await show(pool, 'application_name')]).toEqual(['from_hook', 'introduced'])
    expect(pool.snapshot().counts.opened).toBe(1)
  })
})

test('in a scope, what a lone statement leaves keeps the scope where it is, and ends with it', async () => {
  await using pool = open({ max: 3 })
  await Promise.all([pool.query('select 1'), pool.query('select 1'), pool.query('select 1')])
  await runInScope({ label: 'GET /report' }, async () => {
    await pool.query('create temp table report (line text)')
    await pool.query(`insert into report values ('one')`)
    const { rows } = await pool.query('select * from report')
    expect(rows).toEqual([{ line: 'one' }])
    expect(pool.snapshot().connections.lent).toBe(1)
    await pool.query('drop table report')
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

test('in statement mode a statement that ties the session is refused, saying why', async () => {
  await using pool = open({ leasehold: { mode: 'statement' } })
  await expect(pool.query('set search_path to a')).rejects.toMatchObject({
    code: 'LEASEHOLD_MODE_VIOLATION',
    pin: 'setting search_path',
  })
  await expect(pool.query('select set_config($1, $2, true)', ['app.x', '1'])).resolves.toMatchObject({ rowCount: 1 })
  const bound = 'select set_config($1, $2, $3)'
  await expect(pool.query(bound, ['app.x', '1', false])).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  await expect(pool.query(bound, ['app.x', '1', true])).resolves.toMatchObject({ rowCount: 1 })
  await expect(pool.query({ text: bound, values: ['app.x', '1', 'on'] })).resolves.toMatchObject({ rowCount: 1 })
})

test('verification finds what no statement was known to leave, tells it with the statements before, and resets everything', async () => {
  // What somebody has declared wrongly stands for what is read wrongly.
  await using pool = open({ leasehold: { verifySessions: 1, functions: { sly: 'harmless' } } })
  await pool.query("create function sly() returns void language plpgsql as 'begin listen in_secret; end'")
  const differences: LedgerDiffersEvent[] = []
  pool.leases.on('ledger-differs', (event) => differences.push(event))
  const lease = await pool.acquire({ label: 'the sly' })
  await lease.client.query("set search_path to a, public; select 'secret'")
  await lease.client.query('select sly()')
  lease.release()
  await lease.recycled

  expect(differences).toEqual([
    expect.objectContaining({
      label: 'the sly',
      missing: [{ kind: 'listen', name: 'in_secret' }],
      statements: ['set search_path to a, public; select ?', 'select sly()'],
    }),
  ])
  const { rows } = await pool.query('select * from pg_listening_channels()')
  expect(rows).toEqual([])
  expect(pool.snapshot().counts).toMatchObject({ ledgerDiffers: 1, opened: 1 })
})

test('verification finds nothing where the ledger is right', async () => {
  await using pool = open({
    leasehold: { verifySessions: 1 },
    onConnect: (client) => client.query('set work_mem to 4096'),
  })
  const differences: LedgerDiffersEvent[] = []
  pool.leases.on('ledger-differs', (event) => differences.push(event))
  for (const text of ['select 1', 'set work_mem to 8192', 'create temp table t ()', "set app.x to '1'", 'select 1']) {
    const lease = await pool.acquire()
    await lease.client.query(text)
    lease.release()
    await lease.recycled
  }
  expect(differences).toEqual([])
  expect(await show(pool, 'work_mem')).toBe('4MB')
})

test('values of sequences are cleared only before a text that reads another owner’s', async () => {
  await using pool = open()
  await pool.query('create sequence if not exists numbers')
  const own = await pool.acquire()
  await own.client.query(`select nextval('numbers')`)
  expect((await own.client.query('select lastval() is not null as own')).rows).toEqual([{ own: true }])
  own.release()
  const other = await pool.acquire()
  const sent = countSends(other.client)
  await other.client.query('select 1')
  expect(sent.texts).toEqual(['select 1'])
  await expect(other.client.query(`select currval('numbers')`)).rejects.toMatchObject({ code: '55000' })
  expect(sent.texts).toEqual(['select 1', 'DISCARD SEQUENCES', `select currval('numbers')`])
  other.release()
})

test('values that a rule or a trigger of another’s statement has drawn are cleared as well', async () => {
  await using pool = open()
  await pool.query(`
    create table audited (id integer);
    insert into audited values (1);
    create table audit (id serial);
    create rule audits as on update to audited do also insert into audit default values`)
  await pool.query('update audited set id = 2')
  await expect(pool.query('select lastval()')).rejects.toMatchObject({ code: '55000' })
})

test('who knows better what a function does may say so', async () => {
  await using admin = open()
  await admin.query(`
    create function public.looks_bad() returns text language plpgsql as $$ begin return set_config('app.y', '', false); end $$;
    create function public.looks_good() returns int language sql as $$ select 1 $$`)
  await using pool = open({ leasehold: { functions: { looks_bad: 'harmless', 'public.looks_good': 'stateful' } } })
  const lease = await pool.acquire()
  await lease.client.query('select looks_bad()')
  expect(lease.pins).toEqual([])
  await lease.client.query('select public.looks_good()')
  expect(lease.pins).toEqual([expect.objectContaining({ kind: 'unknown' })])
  lease.release()
  expect(() => open({ leasehold: { functions: { f: 'bad' as never } } })).toThrow(/leasehold\.functions/)
})

test('a server whose catalogue cannot be read is asked three times, and costs no connection', async () => {
  await using admin = open()
  await admin.query(`
    drop role if exists blind; create role blind;
    revoke select on pg_catalog.pg_proc from public; create function f_unread() returns int language sql as 'select 1'`)
  try {
    await using pool = open({ options: '-c role=blind' })
    for (let at = 0; at < 5; at += 1) {
      const lease = await pool.acquire()
      const sent = countSends(lease.client)
      await lease.client.query('select f_unread()')
      expect(lease.pins).toEqual([expect.objectContaining({ kind: 'unknown' })])
      lease.release()
      await lease.recycled
      expect(sent.texts.filter((text) => text.includes('pg_proc'))).toHaveLength(at < 3 ? 1 : 0)
    }
    expect(pool.snapshot().counts).toMatchObject({ opened: 1, closed: { 'reset-failed': 0 } })
  } finally {
    await admin.query('grant select on pg_catalog.pg_proc to public')
  }
})

test('a function that turns out to be harmless does not let the settings of its caller pass for undone', async () => {
  await using admin = open()
  await admin.query(
    `create function public.turns_out_harmless() returns int language plpgsql as $$ begin return 1; end $$`,
  )
  await using pool = open()
  await runInScope({ label: 'a tenant', settings: { 'app.tenant_id': '42' } }, async () => {
    const lease = await pool.acquire()
    await lease.client.query('select turns_out_harmless()')
    expect(lease.pins).toEqual([expect.objectContaining({ kind: 'unknown' })])
    lease.release()
    await lease.recycled
  })
  expect(await show(pool, 'app.tenant_id')).toBe('')
})

test('a reset of one’s own that leaves a setting does not leave it to who declares nothing', async () => {
  await using pool = open({ leasehold: { resetStatement: 'UNLISTEN *' } })
  await runInScope({ label: 'a tenant', settings: { 'app.tenant_id': '42' } }, async () => {
    const lease = await pool.acquire()
    await lease.client.query("set app.tenant_id to '43'")
    lease.release()
    await lease.recycled
  })
  expect(await show(pool, 'app.tenant_id')).toBe('')
})
