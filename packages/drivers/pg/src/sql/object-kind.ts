import type { Tokens } from './tokens.js'

/** Words of CREATE between itself and the kind of what it makes, which no command tag repeats. */
const PASSED_OVER: ReadonlySet<string> = new Set(
  'or replace global local temp temporary unlogged recursive unique trusted procedural constraint'.split(' '),
)
/** Words that are but the beginning of a kind. */
const LEADING: ReadonlySet<string> = new Set(
  'materialized foreign event text search operator access user data'.split(' '),
)

/** What a CREATE, ALTER or DROP is about. */
export interface ObjectKind {
  /** In lower case: `table`, `materialized view`, `foreign data wrapper`. */
  readonly kind: string
  /** Whether it is said to be temporary. */
  readonly isTemp: boolean
  /** The place after it, after CONCURRENTLY and IF [NOT] EXISTS. */
  readonly end: number
  readonly isConcurrent: boolean
}

/** Reads what follows CREATE, ALTER or DROP. */
export function readObjectKind(tokens: Tokens, from: number, to: number): ObjectKind {
  let at = from
  let isTemp = false
  for (; at < to && PASSED_OVER.has(tokens.word(at)); at += 1) {
    isTemp ||= tokens.word(at) === 'temp' || tokens.word(at) === 'temporary'
  }
  const words = [tokens.word(at)]
  // CREATE USER x, but CREATE USER MAPPING
  while (LEADING.has(tokens.word(at)) && !(tokens.word(at) === 'user' && tokens.word(at + 1) !== 'mapping')) {
    at += 1
    words.push(tokens.word(at))
  }
  at += 1
  const isConcurrent = tokens.word(at) === 'concurrently'
  if (isConcurrent) at += 1
  if (tokens.says(at, 'if', 'exists')) at += 2
  else if (tokens.says(at, 'if', 'not', 'exists')) at += 3
  return { kind: words.join(' '), isTemp, end: Math.min(at, to), isConcurrent }
}
