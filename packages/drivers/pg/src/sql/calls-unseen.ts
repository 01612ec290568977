import { readCalls } from './read-calls.js'
import { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

/** Words that end the expression of a DEFAULT: what follows may look like a call. */
const CONSTRAINTS: ReadonlySet<string> = new Set(
  'constraint not null check unique primary references generated collate deferrable initially'.split(' '),
)

/**
 * Whether using the table that is made or altered here may call functions of which its own statements say nothing: by a
 * default, a check or a generated column, or because it takes over what another table has. `false` for functions that are
 * known to be harmless.
 */
export function callsUnseen(tokens: Tokens, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const word = tokens.word(at)
    if (word === 'default' && calls(tokens, at + 1, endOfDefault(tokens, at + 1, to))) return true
    const isExpression = word === 'check' || (word === 'as' && tokens.word(at - 1) === 'always')
    if (isExpression && tokens.word(at + 1) === '(' && calls(tokens, at + 2, tokens.afterBrackets(at + 1, to)))
      return true
    if (word === 'inherits' || word === 'inherit') return true
    if (tokens.says(at, 'partition', 'of') || tokens.says(at, 'attach', 'partition')) return true
    if (tokens.says(at, 'including', 'all') || tokens.says(at, 'including', 'defaults')) return true
    if (tokens.says(at, 'including', 'constraints') || tokens.says(at, 'including', 'generated')) return true
  }
  return false
}

function calls(tokens: Tokens, from: number, to: number): boolean {
  const draft = new StatementDraft(() => [])
  readCalls(draft, tokens, from, to)
  return draft.finish().functions.length > 0 || draft.effects.length > 0
}

function endOfDefault(tokens: Tokens, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const word = tokens.word(at)
    if (word === ',' || word === ')' || (at > from && CONSTRAINTS.has(word))) return at
    if (word === '(') at = tokens.afterBrackets(at, to) - 1
  }
  return to
}
