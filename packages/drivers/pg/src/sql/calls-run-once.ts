import { STATEFUL_FUNCTIONS } from './stateful-functions.js'
import type { Tokens } from './tokens.js'

/** Words of a SELECT that may keep something in it from running, or let it run more than once. */
const UNCERTAIN: ReadonlySet<string> = new Set(
  `from where case union intersect except limit offset fetch having group filter and or coalesce nullif exists in any
  all some with greatest least insert update delete merge values table returning`.split(/\s+/),
)

/**
 * Which calls run just once whenever the statement does: those of `SELECT f()`, and the one of `SELECT * FROM f()`, told by
 * its place. Anything more involved is uncertain: a function that returns no rows keeps the others in its list from running.
 */
export function callsRunOnce(tokens: Tokens, from: number, to: number): 'all' | 'none' | number {
  if (tokens.word(from) !== 'select') return 'none'
  let source: number | undefined
  for (let at = from + 1; at < to; at += 1) {
    const word = tokens.word(at)
    if (word === 'from' && source === undefined && isOnlySource(tokens, at, to)) source = at + 1
    else if (word.length > 1 && UNCERTAIN.has(word)) return 'none'
    else if (word === '(' && isOtherCall(tokens, at)) return 'none'
  }
  return source ?? 'all'
}

function isOtherCall(tokens: Tokens, open: number): boolean {
  const name = tokens.name(open - 1)
  return name !== undefined && name !== 'cast' && name !== 'select' && !STATEFUL_FUNCTIONS.has(name)
}

/** `FROM f(…) [AS x]`, and nothing after it. */
function isOnlySource(tokens: Tokens, from: number, to: number): boolean {
  const end = tokens.afterBrackets(tokens.afterName(from + 1), to)
  const alias = tokens.word(end) === 'as' ? end + 1 : end
  return alias >= to || (tokens.name(alias) !== undefined && alias + 1 === to)
}
