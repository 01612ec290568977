import type { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

/** It refuses to run where something could be rolled back: what it has done stays done if what follows in a batch fails. */
const FOR_GOOD = { isTransactional: false }

/** `DISCARD ALL | TEMP | PLANS | SEQUENCES` */
export function readDiscard(draft: StatementDraft, tokens: Tokens, from: number): void {
  const what = tokens.word(from + 1)
  draft.command = `DISCARD ${what === 'temporary' ? 'TEMP' : what.toUpperCase()}`
  if (what === 'temp' || what === 'temporary') draft.clearAll('temp')
  if (what !== 'all') return
  draft.runsInTransaction = false
  for (const kind of ['cursor', 'role', 'setting', 'prepared', 'listen', 'advisory-lock', 'temp'] as const) {
    draft.clearAll(kind, FOR_GOOD)
  }
}
