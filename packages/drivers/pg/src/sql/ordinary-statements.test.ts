import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, expect, test } from 'vitest'
import { readStatement } from './read-statement.js'
import { disagreements } from './testing/disagreements.js'
// What they sent to the server when their features were walked through, one after the other.
import sent from './testing/ordinary-statements.json' with { type: 'json' }

beforeAll(() => loadModule())

const ORDINARY = [...sent.knex, ...sent.drizzle, ...sent.prisma]

test('there are enough of them', () => {
  expect(new Set(ORDINARY).size).toBeGreaterThan(300)
})

test.each(ORDINARY)('%s leaves nothing on the session, and calls nothing that has to be asked for', (text) => {
  const { statements } = readStatement(text)
  expect(statements.length).toBeGreaterThan(0)
  for (const { effects, functions } of statements) {
    expect(effects.filter(({ does }) => does === 'set')).toEqual([])
    expect(functions).toEqual([])
  }
  expect(disagreements(text, parseSync)).toEqual([])
})

test('reading and writing is plain, so that nothing at all is booked', () => {
  const commands = new Set(['SELECT', 'WITH', 'INSERT', 'UPDATE', 'DELETE'])
  const others = ORDINARY.filter((text) => {
    const { statements, isPlain } = readStatement(text)
    return statements.every(({ command }) => commands.has(command)) && !isPlain
  })
  expect(others).toEqual([])
})
