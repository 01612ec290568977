import { expect, test } from 'vitest'
import { beginsTransaction } from './begins-transaction.js'

test.each([
  'BEGIN',
  'begin;',
  '  -- a comment\n /* and /* another */ */ Begin isolation level serializable',
  'START TRANSACTION READ ONLY',
  'start /* really */ transaction',
  "insert into t values ('x'); begin; select 1",
  ';;begin',
])('%s opens a transaction', (sql) => {
  expect(beginsTransaction(sql)).toBe(true)
})

test.each([
  undefined,
  '',
  'select 1',
  "select 'begin'",
  'select begin from t',
  'select 1 as begin; commit',
  'do $$ begin; perform 1; end $$',
  '-- begin\nselect 1',
  'create function f() returns int begin atomic select 1; end',
  'select "begin"; select 1',
  'start slave',
  "insert into t values ('; begin')",
])('%s opens none', (sql) => {
  expect(beginsTransaction(sql)).toBe(false)
})
