import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { HARMLESS_STATEMENTS } from '../truth/harmless-statements.js'
import { SESSION_SEQUENCES } from '../truth/session-sequences.js'
import { SESSION_STATEMENTS } from '../truth/session-statements.js'
import { disagreements } from './testing/disagreements.js'
import { TRICKY_TEXTS } from './testing/tricky-texts.js'

beforeAll(() => loadModule())

const texts = [
  ...new Set([
    ...TRICKY_TEXTS,
    ...textsIn(HARMLESS_STATEMENTS),
    ...textsIn(SESSION_STATEMENTS),
    ...textsIn(SESSION_SEQUENCES),
  ]),
]

/** Every text anywhere in a list of statements. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === 'values' || key === 'name' ? [] : textsIn(inner)))
}

describe('what a statement does is read as the parser of PostgreSQL reads it', () => {
  test.each(texts)('%s', (text) => {
    expect(disagreements(text, parseSync)).toEqual([])
  })
})
