import { startPostgres } from '@leasehold/testkit/postgres'
import { types } from 'pg'
import type * as pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { pgDriver } from '../driver/pg-driver.js'
import { untilQuiet } from '../testing/until-quiet.js'
import { sessionOf } from './pg-session.js'
import { serverTruth } from './server-truth.js'

let server: Awaited<ReturnType<typeof startPostgres>>
let client: pg.Client

beforeAll(async () => {
  // Slots need a server that was started for them.
  server = await startPostgres({
    embedded: true,
    settings: { wal_level: 'logical', max_wal_senders: '2', max_replication_slots: '2' },
  })
})
afterAll(() => server.stop())

beforeEach(async () => {
  client = await pgDriver(server.url).connect(AbortSignal.timeout(5_000))
})
afterEach(() => client.end())

/** What the session carries beyond what every new one does. */
async function told(names: readonly string[] = []): Promise<string[]> {
  const facts = await serverTruth(client, names)
  return facts
    .filter(({ name, value }) => name !== 'session_authorization' || value !== 'postgres')
    .map(({ kind, name, value }) => (value === undefined ? `${kind} ${name}` : `${kind} ${name} ${value}`))
    .sort()
}

test('a new session carries nothing', async () => {
  expect(await told(['app.tenant_id'])).toEqual([])
})

test.each([
  [`set work_mem = '5MB'`, ['setting work_mem 5120']],
  [`set "app.tenant_id" = '42'`, ['setting app.tenant_id 42']],
  [`set "App.Tenant_Id" = '42'`, ['setting app.tenant_id 42']],
  ['set session characteristics as transaction read only', ['setting default_transaction_read_only on']],
  ['begin; set transaction isolation level serializable', ['transaction transaction open']],
  ['begin; set local work_mem = 6000', ['setting work_mem 6000', 'transaction transaction open']],
  ['set role pg_monitor', ['role role pg_monitor']],
  ['set session authorization pg_monitor', ['role session_authorization pg_monitor']],
  ['create temp table made (id serial primary key, name text unique)', ['temp made']],
  ['create temp table made (id integer) partition by range (id)', ['temp made']],
  ['create temp table "odd "" name" ()', ['temp odd " name']],
  ['create temp view made as select 1; create temp sequence made_too', ['temp made', 'temp made_too']],
  [`create function pg_temp.made() returns integer language sql as 'select 1'`, ['temp function made']],
  [`create procedure pg_temp.made() language sql as 'select 1'`, ['temp procedure made']],
  [`create collation pg_temp.made from "C"`, ['temp collation made']],
  ['set time zone 5', ['setting timezone <+05>-05']],
  [`create type pg_temp.made as enum ('a'); create domain pg_temp.made_too as integer`, ['temp made', 'temp made_too']],
  ['create type pg_temp.made as (a integer)', ['temp made']],
  ['create type pg_temp.made as range (subtype = float8)', ['temp made']],
  ['prepare kept as select 1', ['prepared kept']],
  ['listen "News of Today"', ['listen News of Today']],
  ['select pg_advisory_lock(10), pg_advisory_lock(-10)', ['advisory-lock -10', 'advisory-lock 10']],
  ['select pg_advisory_lock(9223372036854775807)', ['advisory-lock 9223372036854775807']],
  ['select pg_advisory_lock(1, 2), pg_advisory_lock(-1, -2)', ['advisory-lock -1,-2', 'advisory-lock 1,2']],
  ['select pg_advisory_lock_shared(10), pg_advisory_lock(10)', ['advisory-lock 10', 'advisory-lock 10 shared']],
  ['declare kept cursor with hold for select 1', ['cursor kept']],
  ['begin; declare gone cursor for select 1', ['transaction transaction open']],
  [`select pg_create_physical_replication_slot('kept', true, true)`, ['slot kept']],
])('the server tells what is left: %s', async (statement, facts) => {
  await client.query(statement)
  expect(await told(['app.tenant_id', 'work_mem', 'no such name'])).toEqual(facts)
})

test('a setting that was reset is told no more, although the server keeps its name', async () => {
  await client.query(`set app.tenant_id = '42'`)
  await client.query('reset app.tenant_id')
  expect(await told(['app.tenant_id'])).toEqual([])
})

test('a failed transaction is told, and all that can be', async () => {
  const failed = client.query('begin; select 1/0')
  await expect(failed).rejects.toMatchObject({ code: '22012' })
  await untilQuiet(client)
  expect(await told()).toEqual(['transaction transaction failed'])
})

test('the question is one round trip, and leaves the session as it was', async () => {
  await client.query('begin')
  await told()
  const before = sessionOf(client).wire?.outcomes ?? 0
  await told(['app.tenant_id'])
  expect(sessionOf(client).wire?.outcomes).toBe(before + 1)
  expect(sessionOf(client).wire?.transaction).toBe('open')
  await client.query('commit')
  const { rows } = await client.query(
    'select name from pg_prepared_statements union all select name from pg_cursors where name <> $1',
    [''],
  )
  expect(rows).toEqual([])
})

test('functions and operators that an owner has put before the server’s own do not bend the answer', async () => {
  await client.query(`
    create schema mine;
    create function mine.never(text, text) returns boolean language sql as 'select false';
    create function mine.never(name, name) returns boolean language sql as 'select false';
    create function mine.never(oid, oid) returns boolean language sql as 'select false';
    create operator mine.= (function = mine.never, leftarg = text, rightarg = text);
    create operator mine.= (function = mine.never, leftarg = oid, rightarg = oid);
    create operator mine.<> (function = mine.never, leftarg = text, rightarg = text);
    create function mine.current_setting(text, boolean) returns text language sql as 'select null::text';
    create function mine.pg_my_temp_schema() returns oid language sql as 'select 0::oid';
    create domain mine.text as integer;
    create table mine.pg_settings (name integer);
    create temp table pg_locks (made integer);
    set app.tenant_id = '42';
    set search_path to mine, pg_catalog`)
  expect(await told(['app.tenant_id'])).toEqual([
    'setting app.tenant_id 42',
    'setting search_path mine, pg_catalog',
    'temp pg_locks',
  ])
})

test('parsers of types that an owner brought along do not bend the answer', async () => {
  client.setTypeParser(types.builtins.TEXT, () => 'bent')
  await client.query(`set work_mem = '5MB'`)
  expect(await told()).toEqual(['setting work_mem 5120'])
})

test('whoever asks may stop waiting', async () => {
  await expect(serverTruth(client, [], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})
