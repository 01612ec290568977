import fc from 'fast-check'
import type { BoundStatement, Step } from './step.js'

const SETS = `select set_config('work_mem', '5MB', false)`

/** What happens later than it was said, what undoes it in between, and what goes by another name then. */
const statement = fc.constantFrom(
  'begin',
  'begin',
  'begin',
  'commit',
  'commit and chain',
  'rollback',
  'select 1/0',
  'savepoint a',
  'rollback to a',
  'release a',
  `declare one cursor for ${SETS}`,
  `declare one cursor with hold for ${SETS}`,
  'select opens()',
  'declare two cursor for select sets_in_plpgsql()',
  'declare two cursor for select pg_advisory_lock(3)',
  'fetch one',
  'move all in two',
  'fetch opened',
  'close one',
  'close all',
  'insert into watched_late values (1)',
  'insert into settling values (1)',
  'set constraints all immediate',
  'reset all',
  'reset work_mem',
  'reset app.touched',
  `set work_mem = '6MB'`,
  'discard all',
  'select pg_advisory_unlock_all()',
  'select pg_advisory_unlock(3)',
  'create temp table made (id integer)',
  'create table pg_temp.other (id integer)',
  'discard temp',
  'alter table made rename to other',
  'alter table other rename to made',
  'drop table made',
  'drop table other',
  'select makes_in_its_path()',
  'drop table made_within',
  `select * from "sets_in_plpgsql"()`,
  `select set('7')`,
)
const path = fc
  .constantFrom('pg_temp', 'public')
  .map((value): BoundStatement => ({ text: `select set_config('search_path', $1, true)`, values: [value] }))
const plainly = fc.constantFrom('create table plainly (id integer)', 'drop table plainly')

export const lateSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { arbitrary: statement, weight: 8 },
    { arbitrary: statement.map((text): BoundStatement => ({ text })), weight: 3 },
    { arbitrary: fc.array(statement, { minLength: 2, maxLength: 4 }).map((texts) => texts.join('; ')), weight: 2 },
    { arbitrary: fc.oneof(path, plainly), weight: 2 },
  ),
  { minLength: 2, maxLength: 12 },
)
