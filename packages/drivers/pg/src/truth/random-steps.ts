import fc from 'fast-check'
import type { BoundStatement, Step } from './step.js'

const settings = fc.constantFrom('work_mem', 'statement_timeout', 'app.tenant_id', 'app.other')
const values = fc.constantFrom(`'60001'`, `'60002'`, `'60003'`)
const keys = fc.constantFrom('1', '2', '1, 2')
const names = fc.constantFrom('one', 'two')
const savepoints = fc.constantFrom('a', 'b')

function of(
  template: (...parts: string[]) => string,
  ...parts: ReadonlyArray<fc.Arbitrary<string>>
): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((chosen) => template(...chosen))
}

const control = fc.oneof(
  { arbitrary: fc.constant('begin'), weight: 6 },
  { arbitrary: fc.constant('commit'), weight: 4 },
  { arbitrary: fc.constant('rollback'), weight: 3 },
  { arbitrary: of((name) => `savepoint ${name}`, savepoints), weight: 4 },
  { arbitrary: of((name) => `release ${name}`, savepoints), weight: 2 },
  { arbitrary: of((name) => `rollback to ${name}`, savepoints), weight: 3 },
  { arbitrary: fc.constantFrom('commit and chain', 'rollback and chain'), weight: 1 },
)

const failure = fc.constantFrom(
  'select 1/0',
  'selekt 1',
  'select * from nothing_like_it',
  'insert into checked_late values (1), (1)',
  'vacuum things',
  'set constraints all immediate',
)

const change = fc.oneof(
  of((name, value) => `set ${name} = ${value}`, settings, values),
  of((name, value) => `set local ${name} = ${value}`, settings, values),
  of((name) => `reset ${name}`, settings),
  of((name, value) => `select set_config('${name}', ${value}, false)`, settings, values),
  of((name, value) => `select set_config('${name}', ${value}, true)`, settings, values),
  fc.constantFrom('reset all', 'set role truth_tenant', 'set local role truth_tenant', 'reset role', 'discard all'),
  of((key) => `select pg_advisory_lock(${key})`, keys),
  of((key) => `select pg_advisory_lock_shared(${key})`, keys),
  of((key) => `select pg_advisory_unlock(${key})`, keys),
  of((key) => `select pg_advisory_lock(${key}), 1/(select 0)`, keys),
  fc.constant('select pg_advisory_unlock_all()'),
  of((name) => `create temp table ${name} (id integer)`, names),
  of((name) => `create temp table ${name} (id integer) on commit drop`, names),
  of((name) => `drop table ${name}`, names),
  fc.constant('discard temp'),
  of((name) => `prepare ${name} as select 1`, names),
  of((name) => `deallocate ${name}`, names),
  fc.constant('deallocate all'),
  of((name) => `listen ${name}`, names),
  of((name) => `unlisten ${name}`, names),
  fc.constant('unlisten *'),
  of((name) => `declare ${name} cursor with hold for select 1`, names),
  of((name) => `declare ${name} cursor for select 1`, names),
  of((name) => `close ${name}`, names),
  fc.constant('close all'),
  fc.constantFrom(
    'select sets_in_plpgsql()',
    'select calls_one_that_sets()',
    'select plain_sum(1, 2)',
    'insert into watched values (1)',
  ),
)

const statement = fc.oneof(
  { arbitrary: change, weight: 6 },
  { arbitrary: control, weight: 5 },
  { arbitrary: failure, weight: 1 },
  { arbitrary: fc.constant('select 1'), weight: 1 },
)

const several = fc.array(statement, { minLength: 1, maxLength: 4 })

const bound: fc.Arbitrary<BoundStatement> = fc.oneof(
  statement.map((text): BoundStatement => ({ text })),
  fc
    .tuple(settings, fc.constantFrom('60001', '60002'), fc.boolean(), fc.boolean())
    .map(([name, value, isLocal, isNamed]) => ({
      text: 'select set_config($1, $2, $3)',
      values: [name, value, isLocal],
      ...(isNamed ? { name: 'set' } : {}),
    })),
  fc.tuple(fc.constantFrom('lock', 'unlock'), fc.constantFrom(1, 2)).map(([does, key]) => ({
    text: `select pg_advisory_${does}($1)`,
    values: [key],
  })),
)

/** What somebody may send who does not care what came before. */
export const randomSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { arbitrary: statement, weight: 6 },
    { arbitrary: bound, weight: 3 },
    { arbitrary: several.map((texts) => texts.join('; ')), weight: 2 },
    { arbitrary: fc.array(bound, { minLength: 1, maxLength: 4 }).map((batch) => ({ batch })), weight: 2 },
  ),
  { minLength: 1, maxLength: 12 },
)
