/**
 * What stands at a place of an SQL text, as far as it must be told apart so as not to mistake the inside of a literal or
 * a comment for a statement. `end` is the first place after it; a token that nobody closed ends with the text.
 */
export interface Token {
  readonly is: 'literal' | 'comment' | 'identifier' | 'number' | 'parameter' | 'word' | 'space' | 'sign'
  readonly end: number
  /** Where it ends depends on a setting of the server that is not known here. */
  readonly isUnsure?: boolean
}

const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy
const NUMBER = /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y
const DOLLAR_TAG = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
const PARAMETER = /\$\d+/y
const SPACE = /\s+/y

/** The token that begins at `at`. Takes time in proportion to its length. */
export function tokenAt(sql: string, at: number): Token {
  const first = sql[at]
  const second = sql[at + 1]
  if (first === "'") return plainString(sql, at)
  if (first === '"') return { is: 'identifier', end: afterQuote(sql, at + 1, '"') }
  if (first === '-' && second === '-') return { is: 'comment', end: afterLine(sql, at) }
  if (first === '/' && second === '*') return { is: 'comment', end: afterBlock(sql, at) }
  if (first === '$') return dollar(sql, at)
  const prefixed = prefixedString(sql, at, first, second)
  if (prefixed !== undefined) return prefixed
  const space = matchAt(SPACE, sql, at)
  if (space !== undefined) return { is: 'space', end: space }
  const number = matchAt(NUMBER, sql, at)
  if (number !== undefined) return { is: 'number', end: number }
  const word = matchAt(WORD, sql, at)
  if (word !== undefined) return { is: 'word', end: word }
  return { is: 'sign', end: at + 1 }
}

function matchAt(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(sql) ? pattern.lastIndex : undefined
}

/** `E'…'` knows backslashes; `U&'…'`, `B'…'`, `X'…'` and `N'…'` do not. */
function prefixedString(
  sql: string,
  at: number,
  first: string | undefined,
  second: string | undefined,
): Token | undefined {
  if (second === "'") {
    if (first === 'e' || first === 'E') return { is: 'literal', end: afterEscaped(sql, at + 2) }
    if (first !== undefined && 'bBxXnN'.includes(first)) return { is: 'literal', end: afterQuote(sql, at + 2, "'") }
  }
  if ((first === 'u' || first === 'U') && second === '&') {
    if (sql[at + 2] === "'") return { is: 'literal', end: afterQuote(sql, at + 3, "'") }
    if (sql[at + 2] === '"') return { is: 'identifier', end: afterQuote(sql, at + 3, '"') }
  }
  return undefined
}

function plainString(sql: string, at: number): Token {
  const end = afterQuote(sql, at + 1, "'")
  // With standard_conforming_strings off, a backslash before the quote would mean that the literal goes on.
  return sql.slice(at, end).includes('\\') ? { is: 'literal', end, isUnsure: true } : { is: 'literal', end }
}

/** After the closing quote; a doubled one belongs to the inside. */
function afterQuote(sql: string, from: number, quote: string): number {
  for (let at = from; ; at += 2) {
    at = sql.indexOf(quote, at)
    if (at === -1) return sql.length
    if (sql[at + 1] !== quote) return at + 1
  }
}

function afterEscaped(sql: string, from: number): number {
  let at = from
  while (at < sql.length) {
    if (sql[at] === '\\') at += 2
    else if (sql[at] !== "'") at += 1
    else if (sql[at + 1] === "'") at += 2
    else return at + 1
  }
  return sql.length
}

function afterLine(sql: string, from: number): number {
  const end = sql.indexOf('\n', from)
  return end === -1 ? sql.length : end + 1
}

/** Block comments nest. */
function afterBlock(sql: string, from: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = from
  let depth = 0
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return sql.length
}

function dollar(sql: string, at: number): Token {
  const parameter = matchAt(PARAMETER, sql, at)
  if (parameter !== undefined) return { is: 'parameter', end: parameter }
  const opened = matchAt(DOLLAR_TAG, sql, at)
  if (opened === undefined) return { is: 'sign', end: at + 1 }
  const closing = sql.indexOf(sql.slice(at, opened), opened)
  return { is: 'literal', end: closing === -1 ? sql.length : closing + (opened - at) }
}
