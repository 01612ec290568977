import { expect, test } from 'vitest'
import { redactLiterals } from './redact-literals.js'

test.each([
  [`select * from users where name = 'alice' and age > 42`, `select * from users where name = ? and age > ?`],
  [`select 'it''s', 'two'`, `select ?, ?`],
  [`select E'it\\'s' || e'\\\\'`, `select ? || ?`],
  [`select U&'d\\0061t', u&"d\\0061t", B'101', x'1F', N'national'`, `select ?, u&"d\\0061t", ?, ?, ?`],
  [`select $$plain$$, $tag$with $$ inside$tag$, $1`, `select ?, ?, $1`],
  [`select 1.5e-10, .5, 0xFF, 1_000`, `select ?, ?, ?, ?`],
  [`select t1.col2 from "odd ""table""" as t1`, `select t1.col2 from "odd ""table""" as t1`],
  [`/* secret /* nested */ secret */ select 1 -- password 'x'`, `select ?`],
  [`select\n  1,\t2`, `select ?, ?`],
  [`select 'a'::text, array[1,2]`, `select ?::text, array[?,?]`],
  [`select $fünf$geheim$fünf$`, `select ?`],
])('%s loses its literals and comments', (statement, shown) => {
  expect(redactLiterals(statement)).toBe(shown)
})

test('a literal that nobody closed is a literal to the end', () => {
  for (const open of [
    `select 'secret`,
    `select E'secret\\'`,
    `select $$secret`,
    `select $a$secret$b$`,
    `select /* secret`,
  ]) {
    expect(redactLiterals(open)).not.toContain('secret')
  }
})

test('where a backslash makes the end of a literal uncertain, nothing that follows is shown', () => {
  // With standard_conforming_strings off this is one literal: it's secret
  expect(redactLiterals(String.raw`select 'it\'s secret', 'more secret'`)).toBe('select …')
  expect(redactLiterals(String.raw`select 'C:\', secret`)).toBe('select …')
})

test('a long statement is cut, and its end is not shown', () => {
  const huge = `insert into t values ${Array.from({ length: 300_000 }, (_, at) => `(${at}, 'secret ${at}')`).join(', ')}`
  const shown = redactLiterals(huge)
  expect(shown.length).toBeLessThanOrEqual(201)
  expect(shown).not.toContain('secret')
})

test.each([
  ['one long literal', `select '${'x'.repeat(4_000_000)}'`],
  ['one long escaped literal', `select E'${"\\'".repeat(2_000_000)}'`],
  ['doubled quotes', `select '${"''".repeat(2_000_000)}'`],
  ['backslashes', `select ${String.raw`'a\b'`.repeat(500_000)}`],
  ['comments that open and never close', '/*'.repeat(2_000_000)],
  ['dollar quotes that never close', Array.from({ length: 200_000 }, (_, at) => `$q${at}$`).join('')],
  ['blanks', ' '.repeat(4_000_000)],
  ['a long name', `select ${'x'.repeat(4_000_000)}`],
  ['a long number', `select ${'1'.repeat(4_000_000)}`],
])('megabytes of %s are read in linear time', (_what, statement) => {
  // In quadratic time it would take hours, and the test would end without an answer.
  expect(redactLiterals(statement).length).toBeLessThanOrEqual(201)
})
