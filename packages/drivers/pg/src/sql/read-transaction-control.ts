import { readTransactionModes } from './read-transaction-modes.js'
import type { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

/** `BEGIN …` and `START TRANSACTION …` */
export function readBegin(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  if (tokens.word(from) === 'start') {
    draft.command = 'START TRANSACTION'
    // What else begins so belongs to other servers.
    if (tokens.word(from + 1) !== 'transaction') return
  }
  draft.control = { is: 'begin', modes: readTransactionModes(tokens, from + 1, to) }
}

/** `COMMIT …`, `END …`, and `COMMIT PREPARED …` */
export function readCommit(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.command = 'COMMIT'
  if (!readPrepared(draft, tokens, from)) draft.control = { is: 'commit', chain: isChained(tokens, from, to) }
}

/** `ROLLBACK …`, `ABORT …`, `ROLLBACK TO …`, and `ROLLBACK PREPARED …` */
export function readRollback(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.command = 'ROLLBACK'
  if (readPrepared(draft, tokens, from)) return
  const at = afterWork(tokens, from + 1)
  const name = tokens.name(tokens.word(at + 1) === 'savepoint' && at + 2 < to ? at + 2 : at + 1)
  if (tokens.word(at) === 'to' && name !== undefined) draft.control = { is: 'rollback-to-savepoint', name }
  else draft.control = { is: 'rollback', chain: isChained(tokens, from, to) }
}

/** `SAVEPOINT x` */
export function readSavepoint(draft: StatementDraft, tokens: Tokens, from: number): void {
  const name = tokens.name(from + 1)
  if (name !== undefined) draft.control = { is: 'savepoint', name }
}

/** `RELEASE [SAVEPOINT] x` */
export function readRelease(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const isSpelledOut = tokens.word(from + 1) === 'savepoint' && from + 2 < to
  const name = tokens.name(from + (isSpelledOut ? 2 : 1))
  if (name !== undefined) draft.control = { is: 'release-savepoint', name }
}

function afterWork(tokens: Tokens, at: number): number {
  return ['work', 'transaction'].includes(tokens.word(at)) ? at + 1 : at
}

function isChained(tokens: Tokens, from: number, to: number): boolean {
  return tokens.word(to - 1) === 'chain' && tokens.says(afterWork(tokens, from + 1), 'and', 'chain')
}

/** Ends somebody's prepared transaction, and runs outside of any. */
function readPrepared(draft: StatementDraft, tokens: Tokens, from: number): boolean {
  if (tokens.word(from + 1) !== 'prepared') return false
  draft.command += ' PREPARED'
  draft.runsInTransaction = false
  return true
}
