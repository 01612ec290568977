import { bookSetting } from './read-set.js'
import type { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

const LASTING = { isLocal: false }

/** `RESET …` */
export function readReset(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const at = from + 1
  if (tokens.word(at) === 'all' && at + 1 === to) draft.clearAll('setting')
  else if (tokens.says(at, 'time', 'zone')) bookSetting(draft, 'clear', 'timezone', LASTING)
  else if (tokens.says(at, 'session', 'authorization')) bookSetting(draft, 'clear', 'session_authorization', LASTING)
  // RESET TRANSACTION ISOLATION LEVEL is of the transaction only.
  else if (!tokens.says(at, 'transaction', 'isolation')) {
    const name = tokens.qualifiedName(at, tokens.afterName(at))
    if (name !== undefined) bookSetting(draft, 'clear', name, LASTING)
  }
}
