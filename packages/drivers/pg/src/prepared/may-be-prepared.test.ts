import { describe, expect, it } from 'vitest'
import { readStatement } from '../sql/read-statement.js'
import { changesMeaning } from './changes-meaning.js'
import { changesSchema } from './changes-schema.js'
import { mayBePrepared } from './may-be-prepared.js'

const isPrepared = (text: string): boolean => mayBePrepared(text, readStatement(text))

describe('a text that may be kept', () => {
  it.each([
    'select 1',
    'SELECT now(), current_date',
    '/* today */ select $1::int',
    '(select a from t) union all (select b from u)',
    'insert into t (a) values ($1) on conflict do nothing returning *',
    'update t set a = $1 where b = $2',
    'delete from t where a = any($1)',
    'with x as (insert into t values ($1) returning a) select * from x',
    'merge into t using u on t.a = u.a when matched then delete',
    'values ($1::int)',
    `select 'nowhere', 'knows'`,
  ])('does one thing to rows: %s', (text) => expect(isPrepared(text)).toBe(true))

  it.each([
    '',
    'begin',
    'select 1; select 2',
    'create table t (a int)',
    'explain select 1',
    'call p($1)',
    'copy t from stdin',
    'select my_function($1)',
    `select set_config('a.b', $1, false)`,
    `select timestamptz 'now'`,
    `select * from t where at > 'TODAY'`,
    `select * from t where at > ' yesterday 12:00'::timestamp`,
    `select * from t where at < $$tomorrow$$`,
    `select * from t where at < $a$tomorrow$a$`,
  ])('is no other: %s', (text) => expect(isPrepared(text)).toBe(false))
})

it.each([
  ['alter table t add a int', true, true],
  ['create index on t (a)', true, true],
  ['begin; create table t (a int); commit', true, true],
  ['import foreign schema s from server x into y', true, true],
  ['drop table t', true, false],
  ['create temp table t (a int)', false, false],
  ['select 1', false, false],
  ['truncate t', false, false],
])('%s changes what others use: %s, and in a session with temporary tables: %s', (text, isSeen, isSeenThere) => {
  expect([changesSchema(readStatement(text), false), changesSchema(readStatement(text), true)]).toEqual([
    isSeen,
    isSeenThere,
  ])
})

it.each([
  ['setting', 'search_path', true],
  ['setting', 'TimeZone', true],
  ['setting', 'enable_seqscan', true],
  ['setting', undefined, true],
  ['setting', 'app.tenant_id', false],
  ['setting', 'statement_timeout', false],
  ['role', 'role', true],
  ['temp', 't', true],
  ['unknown', undefined, true],
  ['advisory-lock', '1', false],
  ['listen', 'news', false],
] as const)('%s %s makes a text mean something else: %s', (kind, name, isSo) => {
  expect(changesMeaning(kind, name)).toBe(isSo)
})
