import { describe, expect, test } from 'vitest'
import { readStatement } from './read-statement.js'
import type { ReadEffect, ReadStatement } from './statement-reading.js'

/** `set lock 1 lasting`: what it does, of what, whether no rollback undoes it, whether it ends with the transaction. */
function told(text: string): string[] {
  return readStatement(text).statements.flatMap(({ effects }) => effects.map(describeWhole))
}

function describeWhole({ does, kind, name, isTransactional, isLocal, isLocalIf }: ReadEffect): string {
  const parts = Array.isArray(name) ? name : [name]
  const shown = parts.map((part) => (typeof part === 'object' ? `$${part.parameter}` : (part ?? '*'))).join('')
  const lasting = isTransactional ? '' : ' lasting'
  return `${does} ${kind} ${shown}${lasting}${isLocal ? ' local' : ''}${isLocalIf ? ` local if $${isLocalIf.parameter}` : ''}`
}

function only(text: string): ReadStatement {
  const [statement, ...others] = readStatement(text).statements
  if (statement === undefined || others.length > 0) throw new Error(`not one statement: ${text}`)
  return statement
}

describe('what a rollback undoes is told from what it does not', () => {
  test.each([
    [`set x = 1; reset x; reset all; listen a; unlisten a; unlisten *`, []],
    ['create temp table t (); drop table t; discard temp', []],
    ['set role a; declare c cursor with hold for select 1', []],
    ['prepare p as select 1', ['set prepared p lasting']],
    ['deallocate p; deallocate all', ['clear prepared p lasting', 'clear prepared * lasting']],
    ['select pg_advisory_lock(1)', ['set advisory-lock 1 lasting']],
    ['select pg_advisory_unlock(1)', ['clear advisory-lock 1 lasting']],
    ['close c; close all', ['clear cursor c lasting', 'clear cursor * lasting']],
    [`load 'x'`, ['set library x lasting']],
    ['select setseed(0.5)', ['set unknown seed lasting']],
    ['set seed to 0.5', ['set unknown seed lasting']],
  ])('%s', (text, lasting) => {
    expect(told(text).filter((effect) => effect.includes('lasting'))).toEqual(lasting)
  })
})

describe('bound values are put in the place of what they name', () => {
  test.each([
    ['select set_config($1, $2, false)', ['set setting $1']],
    ['select set_config($1, $2, $3)', ['set setting $1 local if $3']],
    [`select set_config('a.b', $2, $3::boolean)`, ['set setting a.b local if $3']],
    [`select set_config('role', $1, $2)`, ['set role role local if $2']],
    [`select set_config('a' || $1, $2, false)`, ['set setting *']],
    [`select set_config('a.b', 'c', $1 = 2)`, ['set setting a.b']],
    ['select pg_advisory_lock($1)', ['set advisory-lock $1 lasting']],
    ['select pg_try_advisory_lock_shared($1)', ['set advisory-lock $1 shared lasting']],
    ['select pg_advisory_lock($2::int, $1)', ['set advisory-lock $2,$1 lasting']],
    ['select pg_advisory_lock(1, $1)', ['set advisory-lock 1,$1 lasting']],
    ['select pg_advisory_unlock_shared(1, $1)', ['clear advisory-lock 1,$1 shared lasting']],
    [`select pg_create_physical_replication_slot($1, true, $2)`, ['set slot $1 lasting']],
  ])('%s', (text, effects) => {
    expect(told(text)).toEqual(effects)
  })
})

describe('keys of locks are named as the server shows them', () => {
  test.each([
    ['010', '10'],
    ['-5', '-5'],
    ['+5', '5'],
    [`'10'`, '10'],
    [`' 10 '::bigint`, '10'],
    ['cast(10 as bigint)', '10'],
    ['0x1F', '31'],
    ['1_000', '1000'],
    ['9223372036854775807', '9223372036854775807'],
    [`hashtext('a')`, '*'],
    ['5 + 5', '*'],
    ['a.b', '*'],
  ])('%s is %s', (key, name) => {
    expect(told(`select pg_advisory_lock(${key})`)).toEqual([`set advisory-lock ${name} lasting`])
  })
})

describe('nothing counts as undone that may not have run, or not as often as it was done', () => {
  test.each([
    ['select pg_advisory_unlock(1) from jobs', ['touch advisory-lock *']],
    ['select pg_advisory_unlock(1) where false', ['touch advisory-lock *']],
    ['select case when $1 then pg_advisory_unlock(1) end', ['touch advisory-lock *']],
    ['select rows_of(2), pg_advisory_unlock(1)', ['touch advisory-lock *']],
    ['select false and pg_advisory_unlock(1)', ['touch advisory-lock *']],
    ['select pg_advisory_unlock(id) from locks', ['touch advisory-lock *']],
    [`select pg_advisory_unlock(hashtext('a'))`, ['touch advisory-lock *']],
    ['select pg_advisory_unlock(1) limit 0', ['touch advisory-lock *']],
    ['with u as (select pg_advisory_unlock_all()) select 1', ['touch advisory-lock *']],
    ['select pg_advisory_unlock(1), pg_advisory_unlock(2)', ['clear advisory-lock 1', 'clear advisory-lock 2']],
    ['select * from pg_advisory_unlock(1) as released', ['clear advisory-lock 1']],
    ['select pg_advisory_unlock(1) as released', ['clear advisory-lock 1']],
    ['select pg_advisory_lock(1) from jobs', ['set advisory-lock *']],
    ['select pg_advisory_lock(1), pg_advisory_lock(1)', ['set advisory-lock 1', 'set advisory-lock 1']],
    [
      'do $$ begin perform pg_advisory_unlock(1), pg_advisory_lock(2); end $$',
      ['touch advisory-lock *', 'set advisory-lock *'],
    ],
    ['do $$ begin reset all; drop table t; end $$', ['touch setting *', 'touch temp t']],
    ['explain select pg_advisory_unlock(1)', []],
    ['declare c cursor for select pg_advisory_unlock(1)', ['set cursor c local', 'touch advisory-lock *']],
    ['prepare p as select pg_advisory_unlock_all()', ['set prepared p']],
    [`select set_config('a.b', null, false)`, ['clear setting a.b']],
    [`select set_config('a.b', null, false) from jobs`, ['set setting a.b']],
    [`select set_config('role', 'none', false)`, ['clear role role']],
    [`select set_config('role', 'none', false) where $1`, ['set role role']],
  ])('%s', (text, effects) => {
    expect(told(text).map((effect) => effect.replace(' lasting', ''))).toEqual(effects)
  })
})

test.each([
  ['do $$ begin if (f(1)) then return (g(2)); elsif (h(3)) then perform (i(4)); end if; end $$', 'f g h i'],
  [
    'do $$ begin while (f(1)) loop if (g(2)) then assert (h(3)); else return (i(4)); end if; end loop; end $$',
    'f g h i',
  ],
  ['do $$ begin create temp table if not exists a (b int); create table c (d int); end $$', ''],
  ['select a at time zone (b)', ''],
  ['select case when a then if(b) else if(c) end, set(d), is(e)', 'if is set'],
  ['select * from "F"(1), "s"."G"(2) x join lateral "h"(3) on true', 'F h s.G'],
])('the functions that are called: %s', (text, functions) => {
  expect(only(text).functions.toSorted().join(' ')).toBe(functions)
})

test.each([
  ['alter table a rename to b', ['rename temp a']],
  ['alter view if exists pg_temp.a rename to b', ['rename temp a']],
  ['alter table app.a rename to b', []],
  ['alter table a rename column b to c', []],
  ['do $$ begin alter table a rename to b; end $$', ['rename temp a']],
])('what may be temporary and gets another name is told: %s', (text, effects) => {
  expect(told(text)).toEqual(effects)
})

describe('texts in texts are read', () => {
  test.each([
    [`do 'begin set work_mem = ''5MB''; end'`, ['set setting work_mem']],
    [`do language plpgsql $$ declare x int := set_config('a.b', '1', false); begin end $$`, ['set setting a.b']],
    [`do $$ begin if true then listen a; else create temp table t (); end if; end $$`, ['set listen a', 'set temp t']],
    [`do $$ <<here>> begin loop listen a; exit; end loop; end $$`, ['set listen a']],
    [`do $$ begin execute 'listen a'; end $$`, ['set listen a']],
    [`do $$ begin execute $x$ do $y$ begin execute 'listen a'; end $y$ $x$; end $$`, ['set listen a']],
    [`do $$ begin execute 'listen ' || 'a'; end $$`, ['set unknown execute']],
    [`do $$ begin for r in execute 'select 1' loop end loop; end $$`, []],
    [`do $$ begin return query execute what; end $$`, ['set unknown execute']],
    [`do $$ begin grant execute on function f() to r; end $$`, []],
    [`do $$ begin set local work_mem = '5MB'; listen := 1; end $$`, ['set setting work_mem local', 'set listen *']],
    [`do $$ declare c cursor for select 1; begin open c; fetch c into x; close c; end $$`, []],
    [`do language plpython3u $$ pass $$`, ['set unknown do plpython3u']],
    [`select query_to_xml('select set_config(''a.b'', ''1'', false)', true, false, '')`, ['set setting a.b']],
    [`select query_to_xml($1, true, false, '')`, ['set unknown query_to_xml']],
    [`select table_to_xml('seen', true, false, '')`, ['set unknown table_to_xml']],
    [`select * from crosstab('select 1') as t(a int)`, []],
    [`select * from ext.crosstab($$ select set_config('a.b', '1', false) $$, 3) as t(a int)`, ['set setting a.b']],
  ])('%s', (text, effects) => {
    expect(told(text).map((effect) => effect.replace(' lasting', ''))).toEqual(effects)
  })
})

describe('what a session without knowledge of it must not be trusted with is unknown', () => {
  test.each([
    ['execute p', ['set unknown execute p']],
    ['create table t as execute p', ['set unknown execute p']],
    ['explain analyze execute p', ['set unknown execute p']],
    [`select pg_replication_origin_session_setup('o')`, ['set unknown replication origin']],
    [`select pg_backup_start('b')`, ['set unknown backup']],
    [`select ext.dblink_connect('c', 'd')`, ['set unknown dblink']],
    ['select set_limit(0.5)', ['set setting pg_trgm.similarity_threshold']],
    [`set search_path = pg_temp, public`, ['set setting search_path', 'set temp *']],
    [`set search_path = "$user", public, 'pg_temp'`, ['set setting search_path', 'set temp *']],
    [`set search_path to 'public, pg_temp'`, ['set setting search_path']],
    [`set search_path = pg_catalog, pg_temp`, ['set setting search_path']],
    [`select set_config('search_path', 'pg_catalog, pg_temp', false)`, ['set setting search_path']],
    [`select pg_copy_physical_replication_slot('a', 'b')`, ['set slot b']],
    [`select pg_copy_logical_replication_slot('a', 'b', false)`, []],
    [`select pg_copy_logical_replication_slot('a', 'b', true, 'pgoutput')`, ['set slot b']],
    [`select set_config('search_path', 'public, pg_temp', false)`, ['set setting search_path', 'set temp *']],
    ['frobnicate the session', ['set unknown frobnicate']],
    ['selct 1', ['set unknown selct']],
  ])('%s', (text, effects) => {
    expect(told(text).map((effect) => effect.replace(' lasting', ''))).toEqual(effects)
  })
})

test('a word that no statement begins with has done nothing if the server refuses it', () => {
  expect(only('frobnicate').effects).toMatchObject([{ kind: 'unknown', isTransactional: true }])
})

describe('with standard_conforming_strings off a backslash escapes in every string', () => {
  test.each([
    [`select 'it\\'; listen a; --'`, 'standard', 2],
    [`select 'it\\'; listen a; --'`, 'escaped', 1],
    [`select 'C:\\\\'; listen a`, 'escaped', 2],
    [`select N'it\\'; listen a; --'`, 'escaped', 1],
    [`select $$\\$$; listen a`, 'escaped', 2],
    [`select "a\\"; listen a`, 'escaped', 2],
  ] as const)('%s, %s: %i', (text, strings, count) => {
    expect(readStatement(text, strings).statements).toHaveLength(count)
  })

  test('and stands for what it escapes', () => {
    const [statement] = readStatement(`select set_config('a\\x2eb\\056c', '', false)`, 'escaped').statements
    expect(statement?.effects[0]?.name).toBe('a.b.c')
  })
})

test('names are folded and cut as the server does it, those of settings even when they are quoted', () => {
  expect(told('listen News; listen "News"; listen U&"N\\0065ws"; listen ÄÖ')).toEqual([
    'set listen news',
    'set listen News',
    'set listen News',
    'set listen ÄÖ',
  ])
  expect(told(`set "Work_Mem" to 1; select set_config('App.Tenant', '1', false)`)).toEqual([
    'set setting work_mem',
    'set setting app.tenant',
  ])
  expect(told(`listen ${'a'.repeat(70)}`)).toEqual([`set listen ${'a'.repeat(63)}`])
  expect(told(`listen "${'ä'.repeat(40)}"`)).toEqual([`set listen ${'ä'.repeat(31)}`])
})

test('modes of a transaction are told', () => {
  const modes = { isolation: 'repeatable read', readOnly: true, deferrable: false }
  const text = 'isolation level repeatable read, read only, not deferrable'
  expect(only(`begin ${text}`).control).toEqual({ is: 'begin', modes })
  expect(only(`start transaction ${text}`).control).toEqual({ is: 'begin', modes })
  expect(only(`set transaction ${text}`).control).toEqual({ is: 'set-modes', modes })
  expect(only('begin').control).toEqual({
    is: 'begin',
    modes: { isolation: undefined, readOnly: undefined, deferrable: undefined },
  })
})

test.each([
  ['vacuum t', false],
  ['create database d', false],
  ['drop tablespace s', false],
  ['create unique index concurrently i on t (a)', false],
  ['create index i on t (a)', true],
  ['drop index concurrently if exists i', false],
  ['reindex table t', true],
  ['reindex (verbose) table concurrently t', false],
  ['reindex database d', false],
  ['alter system set work_mem = 1', false],
  ['alter table t detach partition p concurrently', false],
  ['alter database d set tablespace s', false],
  ['discard all', false],
  ['discard temp', true],
  [`commit prepared 'x'`, false],
  ['call p()', false],
  ['do $$ begin commit; end $$', false],
  ['do $$ begin perform 1; end $$', true],
  ['refresh materialized view v', true],
  ['select 1', true],
] as const)('whether the server runs it inside a transaction: %s, %s', (text, runs) => {
  expect(only(text).runsInTransaction).toBe(runs)
})

test.each([
  ['create or replace function f() returns int language sql as $$ select 1 $$', true],
  ['alter function f() rename to g', true],
  ['drop procedure p', true],
  ['create extension x', true],
  ['create trigger t before insert on x for each row execute function f()', true],
  ['create view v as select 1', true],
  ['do $$ begin create function f() returns int language sql as $x$ select 1 $x$; end $$', true],
  ['alter table t alter a set default f()', true],
  ['create table t (a int)', false],
  ['create table t (a int default f())', true],
  ['create table t (a text default (app.f(1) || 2), b int)', true],
  ['create table t (a int check (f(a) > 0))', true],
  ['create table t (a int, constraint c check (a > 0 and f(a)))', true],
  ['create table t (a int, b int generated always as (f(a)) stored)', true],
  ["create table t (a text default set_config('app.x', '1', false))", true],
  ['create table t (a int) inherits (b)', true],
  ['create table t partition of b for values in (1)', true],
  ['create table t (like b including all)', true],
  ['create table t (like b)', false],
  ['alter table t add check (f(a))', true],
  ['alter table t attach partition b default', true],
  ['alter table t inherit b', true],
  ['alter table t add column a int', false],
  ['alter table t add constraint c foreign key (a) references b (id) on delete cascade', false],
  ['alter table t add check (a > 0)', false],
  [
    `create table t (id uuid default gen_random_uuid() primary key, a varchar(20) not null default 'b' references b (id),
      c timestamptz default now(), d numeric(10, 2) default 0.5 check (d between 0 and 1), e int generated always as identity,
      f jsonb default '{}'::jsonb, g bigserial, unique (a, c), foreign key (a) references b (id) on delete set default)`,
    false,
  ],
  ['create index i on t (lower(a))', false],
  ['select 1', false],
] as const)('whether functions may be others afterwards: %s, %s', (text, changes) => {
  expect(only(text).changesFunctions).toBe(changes)
  expect(readStatement(text).isPlain).toBe(!changes)
})

test.each([
  [`select currval('s'), lastval()`, true, false],
  [`select nextval('s')`, false, true],
  [`do $$ begin perform setval('s', 1), lastval(); end $$`, true, true],
  ['insert into t values (1)', false, true],
  ['merge into t using u on true when not matched then insert values (1)', false, true],
  ['copy t from stdin', false, true],
  ['copy t to stdout', false, false],
  ['update t set id = default', false, true],
  ['update t set a = 1', false, true],
  ['delete from only t', false, true],
  [`with x as (update t set a = 1 returning a) select currval('s') from x`, true, true],
  ['with x as (delete from t returning a) select 1 from x', false, true],
  ['select * from t for update', false, false],
  ['select of_nobody_knows()', false, true],
  ['select lower(a) from t', false, false],
] as const)('whether sequences are read and drawn from: %s, %s, %s', (text, reads, draws) => {
  expect(only(text)).toMatchObject({ readsSequence: reads, drawsSequence: draws })
})

test.each([
  ['select * from a, s.b join "C" on true left join lateral f() x on true where exists (select 1 from d)', 'a s.b C d'],
  ['select * from ((a join b on true) cross join c), d', 'a b c d'],
  ['select * from (select 1 from a) x, b', 'a b'],
  ['with x as (insert into a values (1) returning id) update only b set c = 1 from d, e', 'a b d e'],
  ['delete from a using b, c', 'a b c'],
  ['merge into a using b on true when matched then delete', 'a b'],
  ['copy s.a (b) from stdin', 's.a'],
  ['truncate table only a, s.b *, c cascade', 'a s.b c'],
  ['table a', 'a'],
  ['refresh materialized view concurrently s.a', 's.a'],
])('the tables that are named: %s', (text, relations) => {
  expect(only(text).relations.toSorted()).toEqual(relations.split(' ').toSorted())
})

test.each([
  ['one long literal', `select '${'x'.repeat(2_000_000)}'`],
  ['a long IN', `select 1 from t where a in (${'1,'.repeat(300_000)}1)`],
  ['rows of VALUES', `insert into t values ${'(1, default), '.repeat(80_000)}(1, 2)`],
  ['brackets that nobody closes', '('.repeat(1_000_000)],
  ['calls in calls', `select ${'f('.repeat(200_000)}`],
  ['calls that are stateful', `select ${`set_config('a.b', '1', false), `.repeat(20_000)}1`],
  ['statements', 'set a = 1; '.repeat(50_000)],
  ['semicolons', ';'.repeat(1_000_000)],
  ['functions that nobody ends', `create function f() begin atomic ${'select 1; '.repeat(100_000)}`],
  ['dollar quotes', Array.from({ length: 100_000 }, (_, at) => `$q${at}$`).join('')],
  ['calls of it in calls', `select ${'set_config('.repeat(60_000)}`],
  ['calls after calls', `select ${'1, f('.repeat(100_000)}`],
  ['brackets around a value', `select set_config(${'('.repeat(300_000)}'a'${')'.repeat(300_000)}, 'b', false)`],
  ['casts of a value', `select set_config(${'cast('.repeat(100_000)}'a'${' as text)'.repeat(100_000)}, 'b', false)`],
  ['digits of a key', `select pg_advisory_lock(${'9'.repeat(1_000_000)})`],
  ['names of functions', `select ${Array.from({ length: 50_000 }, (_, at) => `f${at}()`).join()}`],
  ['EXPLAINs', 'explain analyze '.repeat(60_000)],
  ['DECLAREs', 'declare c cursor for '.repeat(50_000)],
  ['CREATEs', 'create table t as '.repeat(50_000)],
  ['COPYs', 'copy ('.repeat(150_000)],
  [
    'a body of statements',
    `do $$ begin ${Array.from({ length: 30_000 }, (_, at) => `listen a${at};`).join(' ')} end $$`,
  ],
  ['a body that goes on', `do $$ begin ${'then set transaction '.repeat(40_000)} end $$`],
  ['a body of dynamic statements', `do $$ begin ${`execute 'listen a'; `.repeat(40_000)} end $$`],
  ['texts in texts', nested(20)],
  ['rubbish', String.fromCharCode(...Array.from({ length: 100_000 }, (_, at) => (at * 7919) % 65_536))],
])('a text of megabytes is read in linear time: %s', (_what, text) => {
  // In quadratic time it would take hours, and the test would end without an answer.
  expect(readStatement(text).statements).toBeInstanceOf(Array)
})

/** A DO in a DO in a DO … */
function nested(depth: number): string {
  let text = 'listen a'
  for (let level = 0; level < depth; level += 1)
    text = `do $q${level}$ begin execute $x${level}$ ${text} $x${level}$; end $q${level}$`
  return text
}

test('texts that stand too deep in texts are not followed, and unknown', () => {
  expect(told(nested(3))).toEqual(['set listen a'])
  expect(told(nested(20)).join()).toContain('unknown')
})
