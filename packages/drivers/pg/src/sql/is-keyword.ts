import type { Tokens } from './tokens.js'

/** Words of the grammar that are names of functions as well, and may stand before a bracket as either. */
const EITHER: ReadonlySet<string> = new Set(
  'by columns cross cube filter full groups inner is natural outer over range reset rollup rows second set sets varying zone'.split(
    ' ',
  ),
)
/** Words after which an expression begins, a table, or what else may be a call. */
const BEFORE_EXPRESSIONS: ReadonlySet<string> = new Set(
  (
    'select where and or not on when then else elsif elseif if while case having by return returning perform call assert ' +
    'from lateral distinct all limit offset in array between like ilike similar escape using default variadic placing for ' +
    'zone any some'
  ).split(' '),
)
/** Statements of PL/pgSQL that may go on with a bracket. */
const PROCEDURAL: ReadonlySet<string> = new Set('if elsif elseif while return perform execute assert'.split(' '))
/** What stands before a statement of a body, and never before an expression; and what stands before either. */
const BEFORE_STATEMENTS: ReadonlySet<string> = new Set(['', ';', 'begin', 'loop'])
const BEFORE_EITHER: ReadonlySet<string> = new Set(['then', 'else'])
/** Signs after which none begins: what is closed is complete. */
const CLOSING = ')].;'
/** The words between which GROUP BY is looked for. */
const CLAUSES: ReadonlySet<string> = new Set('select from where having order window perform return values ;'.split(' '))
/** A GROUP BY that is further away than this many tokens is not looked for. */
const FARTHEST = 200

/**
 * Whether the word before a bracket belongs to the grammar (`OVER (…)`, `UPDATE t SET (a, b) = …`), and is no call of a
 * function that has such a name (`SELECT set('x')`). In doubt it is a call: it is then asked for, and is no function.
 */
export function isKeyword(tokens: Tokens, at: number): boolean {
  const word = tokens.word(at)
  const before = tokens.word(at - 1)
  // CASE … ELSE if(a, b) END: a function of that name is not unheard of.
  if (PROCEDURAL.has(word)) return BEFORE_STATEMENTS.has(before) || (word !== 'if' && BEFORE_EITHER.has(before))
  if (!EITHER.has(word)) return false
  if (word === 'cube' || word === 'rollup') return isGrouping(tokens, at)
  // A literal, a number, a parameter or a quoted name
  if (before === '') return at > 0
  if (tokens.kind(at - 1) === 'word') return !BEFORE_EXPRESSIONS.has(before)
  return CLOSING.includes(before)
}

/** `GROUP BY CUBE (a)`, however deep, and behind other groups. */
function isGrouping(tokens: Tokens, at: number): boolean {
  for (let place = at - 1; place >= Math.max(0, at - FARTHEST); place -= 1) {
    const word = tokens.word(place)
    if (word === 'group') return tokens.word(place + 1) === 'by'
    if (CLAUSES.has(word)) return false
  }
  return false
}
