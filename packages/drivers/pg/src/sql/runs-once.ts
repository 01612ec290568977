import { STATEFUL_FUNCTIONS } from './stateful-functions.js'
import type { Tokens } from './tokens.js'

/** Words of a SELECT that may keep something in it from running, or let it run more than once. */
const UNCERTAIN: ReadonlySet<string> = new Set(
  `from where case union intersect except limit offset fetch having group filter and or coalesce nullif exists in any
  all some with greatest least insert update delete merge values table returning`.split(/\s+/),
)

/**
 * Whether the call that begins at `call` runs just once whenever the statement does: `SELECT f()`, and
 * `SELECT * FROM f()`. Anything more involved is said to be uncertain: a function that returns no rows keeps the others in
 * its list from running.
 */
export function runsOnce(tokens: Tokens, from: number, to: number, call: number): boolean {
  if (tokens.word(from) !== 'select') return false
  for (let at = from + 1; at < to; at += 1) {
    const word = tokens.word(at)
    if (word.length > 1 && UNCERTAIN.has(word) && !(word === 'from' && isOnlySource(tokens, at, to, call))) return false
    if (word === '(' && isOtherCall(tokens, at)) return false
  }
  return true
}

function isOtherCall(tokens: Tokens, open: number): boolean {
  const name = tokens.name(open - 1)
  return name !== undefined && name !== 'cast' && name !== 'select' && !STATEFUL_FUNCTIONS.has(name)
}

/** `FROM f(…) [AS x]`, and nothing after it. */
function isOnlySource(tokens: Tokens, from: number, to: number, call: number): boolean {
  if (call !== from + 1) return false
  const end = tokens.afterBrackets(tokens.afterName(call), to)
  const alias = tokens.word(end) === 'as' ? end + 1 : end
  return alias >= to || (tokens.name(alias) !== undefined && alias + 1 === to)
}
