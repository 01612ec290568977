import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SERVER_FUNCTIONS } from './catalogue-queries.js'
import { FunctionCatalogue, type CatalogueQuery } from './function-catalogue.js'
import type { ReadEffect } from './statement-reading.js'

const SCHEMA = `
  create schema app;
  create schema other;
  create function app.sets() returns text language sql as $$ select set_config('app.x', '1', false) $$;
  create function app.sets_locally() returns text language sql as $$ select set_config('app.x', '1', true) $$;
  create function app.up(n int) returns text language plpgsql as
    $$ begin if n > 0 then return app.down(n - 1); end if; return app.sets(); end $$;
  create function app.down(n int) returns text language plpgsql as $$ begin return app.up(n - 1); end $$;
  create function app.adds(n int) returns int language sql as $$ select n + abs(n) $$;
  create function other.adds(n int) returns int language plpgsql as $$ begin listen news; return n; end $$;
  create function app.atomic() returns text language sql
    begin atomic select 1; select case when true then set_config('app.y', '1', false) end; end;
  create function app.returns() returns text language sql return set_config('app.z', '1', false);
  create function app.computes(what text) returns int language plpgsql as
    $$ begin execute 'set app.x = ' || what; return 1; end $$;
  create function app.constant() returns int language plpgsql as $$ begin execute 'listen constant'; return 1; end $$;
  create function app.step(a int, b int) returns int language plpgsql as
    $$ begin perform pg_advisory_lock(a); return b; end $$;
  create aggregate app.gathers(int) (sfunc = app.step, stype = int);
  create procedure app.proceeds() language plpgsql as $$ begin create temp table made (id int); commit; end $$;
  create function app.unlocks() returns void language sql as $$ select pg_advisory_unlock(1), pg_advisory_lock(2) $$;
  create function app.on_change() returns trigger language plpgsql as $$ begin perform app.sets(); return new; end $$;

  create table app.with_default (id int primary key, x text default app.sets());
  create table app.with_setting (x text default set_config('app.d', '1', false));
  create table app.watched (id int primary key);
  create trigger watches before insert on app.watched for each row execute function app.on_change();
  create table app.owned (id int references app.watched on delete cascade);
  create table app.owner (id int primary key);
  create table app.watched_too (id int references app.owner on delete cascade);
  create trigger watches before delete on app.watched_too for each row execute function app.on_change();
  create view app.seen as select set_config('app.v', '1', false) as x;
  create view app.seen_through as select * from app.seen;
  create view app.calls as select app.sets();
  create table app.parted (id int) partition by range (id);
  create table app.part partition of app.parted for values from (0) to (10);
  create trigger watches before insert on app.part for each row execute function app.on_change();
  create table app.guarded (id int);
  create policy guards on app.guarded using (app.sets() is not null);
  create table app.checked (id int check (app.adds(id) > 0 and app.sets() is not null));
  create table app.checked_by_setting (id int check (set_config('app.c', '1', false) is not null));
  create domain app.settled as int check (app.sets() is not null);
  create domain app.settled_plainly as int check (set_config('app.e', '1', false) is not null);
  create table app.of_domain (id app.settled);
  create table app.of_plain_domain (id app.settled_plainly);
  create function app.by_default(x text default set_config('app.f', '1', false)) returns text language sql as 'select x';
  create function app.by_default_too(x text default app.sets()) returns text language plpgsql as
    $$ begin return x; end $$;
  create function app.makes() returns void language plpgsql set search_path = "$user", pg_temp as
    $$ begin create table made (id int); end $$;
  create function app.makes_nothing() returns void language plpgsql set search_path = app, pg_temp as
    $$ begin perform 1; end $$;
  create function app.makes_nowhere() returns void language plpgsql set search_path = pg_catalog, pg_temp as
    $$ begin create table app.made (id int); end $$;
  create temp table passing (id int);
  create trigger watches before insert on passing for each row execute function app.on_change();
  create table app.plain (id serial primary key, at timestamptz default now());`

const database = usePostgres()
const functions = new FunctionCatalogue()
let client: Client
let query: CatalogueQuery

beforeAll(async () => {
  client = new Client(database.url)
  await client.connect()
  await client.query(SCHEMA)
  query = async (sql) => (await client.query<Record<string, unknown>>(sql)).rows
  await functions.load(query)
})
afterAll(() => client.end())

function told(effects: readonly ReadEffect[] | 'unjudged'): string[] | 'unjudged' {
  return effects === 'unjudged' ? effects : effects.map(({ kind, name }) => `${kind} ${JSON.stringify(name) ?? '?'}`)
}

test.each([
  ['app.sets', ['setting "app.x"']],
  ['sets', ['setting "app.x"']],
  ['app.sets_locally', []],
  ['up', ['setting "app.x"']],
  ['down', ['setting "app.x"']],
  ['app.adds', []],
  ['other.adds', ['listen "news"']],
  ['adds', ['listen "news"']],
  ['atomic', ['setting "app.y"']],
  ['returns', ['setting "app.z"']],
  ['computes', ['unknown "execute"']],
  ['constant', ['listen "constant"']],
  ['gathers', ['advisory-lock ?']],
  ['proceeds', ['temp "made"']],
  ['unlocks', ['advisory-lock ?']],
  ['by_default', ['setting "app.f"']],
  ['by_default_too', ['setting "app.x"']],
  ['makes', ['temp ?']],
  ['makes_nothing', []],
  ['makes_nowhere', []],
  ['md5', []],
  ['pg_stat_get_numscans', []],
  ['pg_temp.anything', ['unknown "function pg_temp.anything"']],
  ['pg_temp_3.anything', ['unknown "function pg_temp_3.anything"']],
])('%s is judged by its body, and by what that calls', (name, effects) => {
  expect(told(functions.effectsOf(name))).toEqual(effects)
})

test.each([
  ['app.with_default', ['setting "app.x"']],
  ['with_setting', ['setting "app.d"']],
  ['watched', ['setting "app.x"']],
  ['owned', []],
  ['owner', ['setting "app.x"']],
  ['seen', ['setting "app.v"']],
  ['seen_through', ['setting "app.v"']],
  ['app.calls', ['setting "app.x"']],
  ['parted', ['setting "app.x"']],
  ['part', ['setting "app.x"']],
  ['guarded', ['setting "app.x"']],
  ['checked', ['setting "app.x"']],
  ['checked_by_setting', ['setting "app.c"']],
  ['of_domain', ['setting "app.x"']],
  ['of_plain_domain', ['setting "app.e"']],
  ['passing', ['setting "app.x"']],
  ['plain', []],
  ['nothing', []],
])('what runs unseen when %s is used is known', (name, effects) => {
  expect(functions.hasStatefulRelations).toBe(true)
  expect(told(functions.effectsOfRelation(name))).toEqual(effects)
})

test('before it has been loaded nothing is judged, but what users have declared', () => {
  const fresh = new FunctionCatalogue()
  fresh.declare({ 'app.known': 'harmless', feared: 'stateful' })
  expect(fresh.isLoaded).toBe(false)
  expect(fresh.effectsOf('app.sets')).toBe('unjudged')
  expect(fresh.effectsOf('app.known')).toEqual([])
  expect(told(fresh.effectsOf('feared'))).toEqual(['unknown "function feared"'])
  expect(fresh.hasStatefulRelations).toBe(false)
})

test('a name that nobody knows is asked for once more, and then taken for no function', async () => {
  const fresh = new FunctionCatalogue()
  await fresh.load(query)
  expect(fresh.effectsOf('made_later')).toBe('unjudged')
  await fresh.load(query)
  expect(fresh.effectsOf('made_later')).toEqual([])
  await client.query(`create function made_later() returns void language plpgsql as $$ begin set app.later = 1; end $$`)
  await fresh.load(query)
  expect(told(fresh.effectsOf('made_later'))).toEqual(['setting "app.later"'])
})

test('what users declare goes before what a body says, for a function of theirs alone or by any name', async () => {
  const fresh = new FunctionCatalogue()
  await fresh.load(query)
  fresh.declare({ 'app.sets': 'harmless', 'app.adds': 'stateful' })
  expect(fresh.effectsOf('up')).toEqual([])
  expect(fresh.effectsOfRelation('app.watched')).toEqual([])
  expect(told(fresh.effectsOf('adds'))).toEqual(['unknown "function adds"', 'listen "news"'])
  expect(told(fresh.effectsOf('other.adds'))).toEqual(['listen "news"'])
})

test('a load that fails leaves what was known, and may be tried again; two at a time are one', async () => {
  const fresh = new FunctionCatalogue()
  await fresh.load(query)
  await expect(fresh.load(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect(told(fresh.effectsOf('sets'))).toEqual(['setting "app.x"'])
  let queries = 0
  const counted: CatalogueQuery = (sql) => {
    queries += 1
    return query(sql)
  }
  await Promise.all([fresh.load(counted), fresh.load(counted)])
  expect(queries).toBe(2)
})

test('connections that are lost while it is read cost what is known of functions only if that goes on', async () => {
  const fresh = new FunctionCatalogue()
  const loseOne = (): Promise<void> =>
    expect(fresh.load(() => Promise.reject(new Error('Connection terminated')))).rejects.toThrow(
      'Connection terminated',
    )
  await loseOne()
  await loseOne()
  expect([fresh.isLoaded, fresh.effectsOf('sets')]).toEqual([false, 'unjudged'])

  await fresh.load(query)
  expect(told(fresh.effectsOf('sets'))).toEqual(['setting "app.x"'])

  const unlucky = new FunctionCatalogue()
  for (let at = 0; at < 3; at += 1) await unlucky.load(() => Promise.reject(new Error('gone'))).catch(() => {})
  expect(told(unlucky.effectsOf('sets'))).toEqual(['unknown "function sets"'])
})

test('what was being read when the functions changed is not kept, and nobody waits for it', async () => {
  const fresh = new FunctionCatalogue()
  let goOn = (): void => {}
  const isSlow = new Promise<void>((resolve) => (goOn = resolve))
  const old = fresh.load(async (sql) => {
    const rows = await query(sql)
    await isSlow
    return rows
  })
  fresh.forget()
  const anew = fresh.load(query)
  await anew
  expect(told(fresh.effectsOf('sets'))).toEqual(['setting "app.x"'])
  fresh.forget()
  goOn()
  await old
  expect(fresh.isLoaded).toBe(false)
  expect(fresh.effectsOf('sets')).toBe('unjudged')
})

test('the names of the server’s own functions, which are thousands, are asked for once', async () => {
  const fresh = new FunctionCatalogue()
  const asked: string[] = []
  const noted: CatalogueQuery = (sql) => {
    asked.push(sql)
    return query(sql)
  }
  await fresh.load(noted)
  fresh.forget()
  expect(fresh.effectsOf('lower')).toBe('unjudged')
  await fresh.load(noted)
  expect(fresh.effectsOf('lower')).toEqual([])
  expect(told(fresh.effectsOf('sets'))).toEqual(['setting "app.x"'])
  expect(asked.filter((sql) => sql === SERVER_FUNCTIONS)).toHaveLength(1)
  expect(asked).toHaveLength(5)
})
