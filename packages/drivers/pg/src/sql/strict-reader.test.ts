import { beforeAll, expect, test } from 'vitest'
import { readStatement } from './read-statement.js'
import type { StatementReading } from './statement-reading.js'
import { loadStrictReader } from './strict-reader.js'
import sent from './testing/ordinary-statements.json' with { type: 'json' }
import { SESSION_STATEMENTS } from '../truth/session-statements.js'

let readStrictly: (text: string) => StatementReading
beforeAll(async () => {
  readStrictly = await loadStrictReader()
})

function isDoubted(text: string): boolean {
  return readStrictly(text).statements.some(({ effects }) =>
    effects.some(({ kind, name }) => kind === 'unknown' && name === 'a statement that the parser reads otherwise'),
  )
}

test('whatever Knex, Drizzle and Prisma send stays as plain as it is', () => {
  const texts = [...sent.knex, ...sent.drizzle, ...sent.prisma].filter(
    (text) => !FAULTY.some((part) => text.includes(part)),
  )
  expect(texts.filter(isDoubted)).toEqual([])
  expect(texts.filter((text) => readStrictly(text).isPlain !== readStatement(text).isPlain)).toEqual([])
})

/** Mistakes among them: the server refuses these. */
const FAULTY = ['check($1$2', '@$1']

test('what changes the session is confirmed', () => {
  const texts = Object.values(SESSION_STATEMENTS).flatMap((statements) =>
    statements.map((statement) => (typeof statement === 'string' ? statement : statement.text)),
  )
  expect(texts.filter(isDoubted)).toEqual([])
})

test('a call that is taken for something else is unknown', () => {
  // A word that nearly always belongs to WITH.
  expect(readStatement('select materialized(1)').isPlain).toBe(true)
  expect(isDoubted('select materialized(1)')).toBe(true)
})

test('what the parser does not accept is unknown', () => {
  expect(isDoubted('select from where')).toBe(true)
  expect(isDoubted('frobnicate')).toBe(true)
  expect(readStrictly('select from where').isPlain).toBe(false)
})
