import { SEED } from '@leasehold/testkit'
import fc from 'fast-check'
import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, expect, test } from 'vitest'
import { Lexer } from './lexer.js'
import { readStatement } from './read-statement.js'
import { redactLiterals } from './redact-literals.js'
import { disagreements } from './testing/disagreements.js'

beforeAll(() => loadModule())

/** Pieces of which nearly every text is nonsense, and of which some are not. */
const PIECE = fc.constantFrom(
  ...`select|from|where|set|to|=|;|;|;|(|)|,|'a'|'it''s'|E'\\'b'|E'\\\\'|U&'\\0061'|$$c$$|$x$;$x$|$1|"d"|"e;"|U&"f"|1|1.5|.5`
    .split('|')
    .concat(
      `begin|end|atomic|create|function|f|f()|returns int|language sql|temp|table|t|view|as|on commit drop|case|when`.split(
        '|',
      ),
    )
    .concat(
      `then|local|session|role|reset|all|listen|notify|declare|cursor|with hold|for|prepare|execute|do|explain`.split(
        '|',
      ),
    )
    .concat(
      `analyze|copy|stdin|set_config('a', 'b', false)|pg_advisory_lock(1)|commit|rollback|savepoint s|into|insert`.split(
        '|',
      ),
    )
    .concat(
      `update|values|rename to|alter table t|over|filter|is|rows|cube|-- x\n|/* y */|/*|*/|--|'|"|$$|\\|*|.|::|discard|load|values (1)|x|union|with|order by|null`.split(
        '|',
      ),
    ),
)
const BLANK = fc.constantFrom(' ', '\n', '\t', '', ' /* ; */ ', ' -- ;\n')
const SOUP = fc
  .array(fc.tuple(PIECE, BLANK), { maxLength: 14 })
  .map((pieces) => pieces.map(([piece, blank]) => piece + blank).join(''))

/** Statements that are nearly always in order, so that the parser has something to say. */
const STATEMENT = fc.constantFrom(
  'select 1',
  `select 'a;', "b;" from t`,
  'set local a.b to 1',
  `set work_mem = '5MB'`,
  'reset all',
  'begin',
  'commit and chain',
  'listen "A"',
  `select f($1), g('x'), set_config('a.b', $1, true) from s.t x (y) where h(1) in (select i(2) from u)`,
  'create temp table t (a int) on commit drop',
  'explain (analyze off) select f(1)',
  'create function f() returns int language sql begin atomic select 1; select case when true then 2 end; end',
  'insert into t (a) values (default) returning f(a)',
  `do $$ begin perform f(1); end $$`,
  'declare c cursor with hold for select f(1)',
  'with x (a) as (select 1) select * from x, lateral f(a) y (b)',
)
const SCRIPT = fc
  .array(fc.tuple(STATEMENT, BLANK, fc.constantFrom(';', ' ;', ';;', ';\n-- end;\n', ';/* ; */')), { maxLength: 6 })
  .map((parts) => parts.map(([statement, blank, end]) => blank + statement + blank + end).join(''))

test('no text makes the reader throw, and tokens follow each other to the end of the text', () => {
  const any = fc.oneof(
    SOUP,
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
  )
  fc.assert(
    fc.property(any, fc.constantFrom('standard' as const, 'escaped' as const), (text, strings) => {
      const { statements } = readStatement(text, strings)
      expect(Array.isArray(statements)).toBe(true)
      redactLiterals(text)
      const lexer = new Lexer(text, strings)
      for (let end = 0; lexer.next(); end = lexer.end) {
        expect(lexer.start).toBeGreaterThanOrEqual(end)
        expect(lexer.end).toBeGreaterThan(lexer.start)
        expect(lexer.end).toBeLessThanOrEqual(text.length)
      }
    }),
    { numRuns: 5_000 },
  )
})

test('whatever the parser of PostgreSQL accepts is read as it reads it', () => {
  let accepted = 0
  const parse = (text: string): ReturnType<typeof parseSync> => {
    const tree = parseSync(text)
    accepted += 1
    return tree
  }
  fc.assert(
    fc.property(fc.oneof(SOUP, SCRIPT), (text) => {
      expect(disagreements(text, parse)).toEqual([])
    }),
    { ...SEED, numRuns: 5_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
})
