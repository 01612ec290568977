import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultsOf } from './failures-of.js'
import { forAWhile } from './for-a-while.js'
import { ObservedSession } from './observed-session.js'
import { sendStep } from './send-step.js'
import type { Step } from './step.js'
import { useTruthServer } from './use-truth-server.js'

const MEGABYTE = 1_000_000

const server = useTruthServer()
let session: ObservedSession
/** pg as it comes. */
let plain: Client

beforeAll(async () => {
  session = await ObservedSession.open(server.url)
  plain = new Client(server.url)
  await plain.connect()
})
afterAll(async () => {
  await plain.end()
  await session.close()
})

/** What a caller learns of an error, without where it was thrown. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return { ...(error as object), name: error.name, message: error.message }
}

/** The server's word reaches the caller as pg brings it, the ledger is true, and the next owner meets nothing. */
async function expectUnchanged(step: Step): Promise<void> {
  const outcome = await session.play([step])
  const expected = await playPlainly(step)
  expect(outcome.errors.map(told)).toEqual(expected.map(told))
  expect(faultsOf({ ...outcome, excess: [] })).toEqual([])
}

async function playPlainly(step: Step): Promise<readonly unknown[]> {
  const errors: unknown[] = []
  await sendStep(plain, step).catch((error: unknown) => errors.push(error))
  await plain.query('rollback')
  await plain.query('discard all')
  return errors
}

test.each([
  'selekt 1',
  ')',
  'select (1',
  `select 'never ended`,
  `set work_mem = '5MB'; select 'never ended`,
  'select $$never ended',
  'select "never ended',
  '/* never ended',
  `set work_mem = '5MB' /* never /* ended */`,
  `select E'\\`,
  `select U&'\\zzzz'`,
  'set',
  'set x',
  'set work_mem =',
  `set work_mem = '5MB' '6MB'`,
  'begin begin',
  'commit and',
  'listen',
  'prepare as',
  'declare with hold',
  'create temp',
  'select set_config(',
  `select set_config('work_mem')`,
  `select set_config('work_mem', '5MB', false, 1)`,
  `select set_config('no_such_setting', '1', false)`,
  `select set_config('', '1', false)`,
  `select set_config('a b', '1', false)`,
  `set no_such_setting to 1`,
  `set "" to 1`,
  'reset no_such_setting',
  'select pg_advisory_lock()',
  `select pg_advisory_lock('no number')`,
  'select pg_advisory_lock(99999999999999999999)',
  'rollback to nowhere',
  'release nowhere',
  'execute nothing',
  'deallocate nothing',
  'close nothing',
  'do $$ no body $$',
  'do $$ begin $$',
  'call nothing()',
  'select nothing()',
  '\u{1F600}',
  '\uD800',
  'select \u00A0 1',
  '\uFEFFselect 1',
  `select 1; \0 set work_mem = '5MB'`,
  `set work_mem = '5MB'\0`,
  ';'.repeat(10_000),
])('what the server says of “%s” reaches the caller as it is', async (text) => {
  await expectUnchanged(text)
  await expectUnchanged({ text })
})

test.each<[string, string]>([
  ['an endless text', `select '${'x'.repeat(MEGABYTE)}`],
  ['a long literal', `select length('${'x'.repeat(MEGABYTE)}')`],
  ['a deep nest of brackets', `select ${'('.repeat(MEGABYTE)}`],
  // With a blank, since the server itself takes minutes for those without.
  ['a deep nest of comments', '/* '.repeat(MEGABYTE / 3)],
  ['dollars', '$a'.repeat(MEGABYTE / 2)],
  ['quotes', `select ${`''`.repeat(MEGABYTE / 2)}`],
  ['a list', `select ${'1,'.repeat(MEGABYTE / 2)}1 where set_config('work_mem', '5MB', false) = ''`],
  ['blanks', `${' '.repeat(MEGABYTE)}set work_mem = '5MB'`],
  ['one comment', `--${'-'.repeat(MEGABYTE)}\nset work_mem = '5MB'`],
  ['statements', `${'select;'.repeat(20_000)} set work_mem = '5MB'; ${'x'.repeat(MEGABYTE)}`],
  ['a name', `set ${'x'.repeat(MEGABYTE)} = 1`],
  ['calls', `select ${'a('.repeat(MEGABYTE / 2)}`],
])('a megabyte of %s is nothing that anybody would stumble over', { timeout: 60_000 }, async (_, text) => {
  await expectUnchanged(text)
})

test('values that are no values of their kind', async () => {
  await expectUnchanged({ text: 'select set_config($1, $2, $3)', values: ['work_mem', '5MB', 'perhaps'] })
  await expectUnchanged({ text: 'select set_config($1, $2, $3)', values: ['work_mem', '5MB'] })
  await expectUnchanged({ text: 'select set_config($1, $2, $3)', values: [null, null, null] })
  await expectUnchanged({ text: 'select set_config($1, $2, false)', values: [{ an: 'object' }, [1, 2]] })
  await expectUnchanged({ text: 'select set_config($1, $2, false)', values: [Buffer.from('work_mem'), '5MB'] })
  await expectUnchanged({ text: 'select pg_advisory_lock($1)', values: ['ten'] })
  await expectUnchanged({ text: 'select pg_advisory_lock($1)', values: [1e30] })
  await expectUnchanged({ text: 'select pg_advisory_lock($1)', values: [null] })
  await expectUnchanged({ text: 'select 1', values: ['too', 'many'] })
  await expectUnchanged({ batch: [{ text: `set work_mem = '5MB'` }, { text: 'selekt' }, { text: 'select 1' }] })
})

const WORDS =
  `set local reset begin commit rollback savepoint a to work_mem = '5MB' ; , ( ) $1 $$ ' " /* */ -- select from
  set_config pg_advisory_lock prepare as listen temp create table declare cursor with hold for do explain analyze 1 \\ E' U&"
  release execute call insert into values all role none default \u0000 \u00e4 . :: [ ]`.split(/\s+/)

test('rubbish of words, characters and bytes is refused by the server, and by nobody else', async () => {
  const rubbish = fc.oneof(
    fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(' ')),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  )
  await fc.assert(
    fc.asyncProperty(rubbish, fc.boolean(), (text, isSimple) => expectUnchanged(isSimple ? text : { text })),
    forAWhile(4_000),
  )
})
