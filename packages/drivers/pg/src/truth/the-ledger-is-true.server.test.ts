import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failuresOf, type Sequence } from './failures-of.js'
import { HARMLESS_STATEMENTS } from './harmless-statements.js'
import { ObservedSession } from './observed-session.js'
import { play } from './play.js'
import { CLEARING_STEPS, CLEARING_STEPS_OF_OBJECTS, SESSION_SEQUENCES, UNTOLD_SEQUENCES } from './session-sequences.js'
import { SESSION_STATEMENTS } from './session-statements.js'
import type { Step } from './step.js'
import { inSurroundings, textOf } from './surroundings.js'
import { useTruthServer } from './use-truth-server.js'

/** The long run plays each statement in all of its surroundings. */
const SHARE = 24

const server = useTruthServer()
let session: ObservedSession

beforeAll(async () => {
  session = await ObservedSession.open(server.url)
})
afterAll(() => session.close())

function named(about: string, sequences: ReadonlyArray<readonly Step[]>): readonly Sequence[] {
  return sequences.map((steps) => ({ name: `${about}: ${JSON.stringify(steps)}`, steps }))
}

describe('the ledger holds what the server says that the session carries, and the next owner meets none of it', () => {
  test.each(Object.entries(SESSION_STATEMENTS))('statements about %s', async (_, statements) => {
    expect(await failuresOf(session, inSurroundings(statements, SHARE))).toEqual([])
  })

  test.each(Object.entries(SESSION_SEQUENCES))('sequences about %s', async (about, sequences) => {
    expect(await failuresOf(session, named(about, sequences))).toEqual([])
  })

  test('sequences whose texts do not tell what comes of them', async () => {
    const sequences = named('untold', UNTOLD_SEQUENCES)
    expect(await failuresOf(session, sequences, { mayHoldMore: true })).toEqual([])
  })
})

describe('what hooks have made is there for every owner', () => {
  test('settings, a role, a channel, a prepared statement', async () => {
    const prepared = await ObservedSession.open(server.url, async (client) => {
      await client.query(`set work_mem = '3MB'; set app.other = 'of the hook'; set role truth_tenant; listen one`)
      await client.query('prepare one as select 1')
    })
    const sequences = named('of the hook', CLEARING_STEPS)
    expect(await failuresOf(prepared, sequences, { mayHoldMore: true })).toEqual([])
    await prepared.close()
  })

  test('a temporary table, a lock, a cursor', async () => {
    const prepared = await ObservedSession.open(server.url, async (client) => {
      await client.query('create temp table of_the_hook (id integer)')
      await client.query('select pg_advisory_lock(77)')
      await client.query('declare of_the_hook_too cursor with hold for select 1')
    })
    const sequences = named('of the hook', CLEARING_STEPS_OF_OBJECTS)
    expect(await failuresOf(prepared, sequences, { mayHoldMore: true })).toEqual([])
    await prepared.close()
  })
})

test.each([
  `load 'plpgsql'`,
  `LOAD '$libdir/plpgsql'`,
  'select setseed(0.5)',
  'set seed to 0.5',
  `select setseed($1)`,
  `do $$ begin perform setseed(0.5); end $$`,
  `begin; select setseed(0.5); rollback`,
  `select setseed(0.5), 1/(select 0)`,
  `select pg_create_physical_replication_slot('gone', true, true)`,
])('what can neither be asked for nor undone costs the connection: %s', async (text) => {
  const lease = await session.pool.leases.acquire()
  await play(lease.client, text.includes('$1') ? { text, values: [0.5] } : text)
  const kinds = lease.pins.map(({ kind }) => kind)
  lease.release()
  await lease.recycled
  expect(kinds.some((kind) => kind === 'library' || kind === 'slot' || kind === 'unknown')).toBe(true)
  const next = await session.pool.leases.acquire()
  next.release()
  expect(next.connectionId).not.toBe(lease.connectionId)
})

test('the first statement of all leaves nothing, although the database is asked only then what its trigger does', async () => {
  const fresh = await ObservedSession.open(server.url)
  const { leftOver } = await fresh.play(['insert into watched values (1)'])
  expect(leftOver).toEqual([])
  expect(await failuresOf(fresh, named('second', [['insert into watched values (1)']]))).toEqual([])
  await fresh.close()
})

test('statements that leave nothing pin nothing', async () => {
  expect(await failuresOf(session, inSurroundings(HARMLESS_STATEMENTS, SHARE))).toEqual([])
  const pinned: string[] = []
  for (const statement of HARMLESS_STATEMENTS) {
    const { pins } = await session.play([statement])
    if (pins.length > 0) pinned.push(`${textOf(statement)}: ${pins.map(({ kind }) => kind).join(', ')}`)
  }
  expect(pinned).toEqual([])
})

test('a statement of the catalogue is known for what it does: none is merely unknown', async () => {
  const opaque: string[] = []
  for (const [about, statements] of Object.entries(SESSION_STATEMENTS)) {
    if (about === 'routines') continue
    for (const statement of statements) {
      const { pins } = await session.play([statement])
      if (pins.some(({ kind }) => kind === 'unknown')) opaque.push(textOf(statement))
    }
  }
  expect(opaque).toEqual([])
})
