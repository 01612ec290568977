import { expect, test } from 'vitest'
import type { PgConnection } from '../wire/pg-connection.js'
import type { WireWatch } from '../wire/wire-watch.js'
import { KeptStatements } from './kept-statements.js'
import { StatementNames } from './statement-names.js'

const sent: string[] = []

/** What is sent by pg's own methods. */
class Connection {
  readonly stream = { cork: (): void => {}, uncork: (): void => {} }
}
for (const message of ['parse', 'bind', 'describe', 'execute', 'sync', 'close']) {
  Object.defineProperty(Connection.prototype, message, { value: () => void sent.push(message) })
}

/** A statement that is kept, and has been sent once more. */
function sendKept({ isAwaited, owesOne }: { readonly isAwaited: boolean; readonly owesOne: boolean }): KeptStatements {
  sent.splice(0)
  const wire = { isQuiet: true, strings: 'standard', transaction: 'idle', owesOne, receives: () => {} }
  const kept = new KeptStatements({
    client: {} as never,
    connection: new Connection() as unknown as PgConnection,
    wire: wire as unknown as WireWatch,
    names: new StatementNames({ afterUses: 1, max: 1, maxTextLength: 100 }),
    isDirect: true,
    isAwaited: () => isAwaited,
    refused: expect.unreachable,
  })
  for (const answers of [['parseComplete', 'bindComplete', 'readyForQuery'], []]) {
    kept.parses({ text: 'insert into t values ($1)' }, true)
    kept.binds({ values: ['a'] })
    kept.describes({ type: 'P' })
    kept.executes({})
    for (const answer of answers) kept.receives(answer, { status: 'I' })
  }
  return kept
}

const REFUSAL = { code: '0A000' }

test('a kept statement that the server refuses goes again, and nobody hears of the refusal', () => {
  const kept = sendKept({ isAwaited: true, owesOne: true })
  expect(kept.receives('errorMessage', REFUSAL)).toBe(true)
  expect(kept.receives('readyForQuery', { status: 'I' })).toBe(true)
  expect(sent).toEqual(['parse', 'bind', 'describe', 'execute', 'sync'])
})

test.each([
  ['its lease is back, or its owner has aborted', { isAwaited: false, owesOne: true }],
  ['it is being cancelled, or others are sent behind it', { isAwaited: true, owesOne: false }],
])('it does not go again when %s: it would run for nobody', (_, circumstances) => {
  const kept = sendKept(circumstances)
  expect(kept.receives('errorMessage', REFUSAL)).toBe(false)
  expect(kept.receives('readyForQuery', { status: 'I' })).toBe(false)
  expect(sent).toEqual([])
})

test('it does not go again for an error of its own running', () => {
  const kept = sendKept({ isAwaited: true, owesOne: true })
  kept.receives('bindComplete', undefined)
  expect(kept.receives('errorMessage', { code: '22012' })).toBe(false)
  expect(sent).toEqual([])
})
