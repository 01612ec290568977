import { callsUnseen } from './calls-unseen.js'
import { readObjectKind } from './object-kind.js'
import { readCalls } from './read-calls.js'
import { temporaryName } from './temporary-name.js'
import type { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

/** Reads a query that stands inside of a statement and is run by it. */
export type QueryReader = (draft: StatementDraft, tokens: Tokens, from: number, to: number) => void

/** Kinds that are functions, or from which functions are called unseen. */
const CALLING: ReadonlySet<string> = new Set(
  'function procedure routine aggregate extension trigger rule policy view operator cast schema language'.split(' '),
)
/** Kinds that have names of their own among temporary objects. */
const NAMED: ReadonlySet<string> = new Set(['table', 'view', 'sequence', 'type', 'domain'])
/** Kinds that are made and dropped outside of a transaction only. */
const OUTSIDE: ReadonlySet<string> = new Set(['database', 'tablespace', 'subscription', 'system'])

/** `CREATE …` */
export function readCreate(
  draft: StatementDraft,
  tokens: Tokens,
  from: number,
  to: number,
  readQuery: QueryReader,
): void {
  const { kind, isTemp, end, isConcurrent } = readObjectKind(tokens, from + 1, to)
  draft.command = `CREATE ${kind.toUpperCase()}`
  draft.changesFunctions = CALLING.has(kind)
  draft.runsInTransaction = !OUTSIDE.has(kind) && !isConcurrent
  const name = temporaryName(tokens, end, isTemp)
  if (name !== undefined) {
    draft.set('temp', NAMED.has(kind) ? name : `${kind} ${name}`, { isLocal: endsWithTransaction(tokens, end, to) })
  }
  if ((kind === 'table' || kind === 'foreign table') && !isTemp && callsUnseen(tokens, end, to))
    draft.changesFunctions = true
  if (kind === 'table' || kind === 'materialized view') {
    const as = placeOfQuery(tokens, end, to)
    if (as !== undefined) readQuery(draft, tokens, as, to)
  }
}

/** `DROP …` */
export function readDrop(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const { kind, end, isConcurrent } = readObjectKind(tokens, from + 1, to)
  draft.command = `DROP ${kind.toUpperCase()}`
  draft.changesFunctions = CALLING.has(kind)
  draft.runsInTransaction = !OUTSIDE.has(kind) && !isConcurrent
  if (!NAMED.has(kind)) return
  for (let at = end; at < to;) {
    const after = tokens.afterName(at)
    // Without a schema a temporary one is found first.
    const name = temporaryName(tokens, at, after === at + 1)
    if (name !== undefined) draft.clear('temp', name)
    if (tokens.word(after) !== ',') return
    at = after + 1
  }
}

/** `ALTER …` */
export function readAlter(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const { kind, end } = readObjectKind(tokens, from + 1, to)
  draft.command = `ALTER ${kind.toUpperCase()}`
  draft.changesFunctions = CALLING.has(kind)
  if (kind === 'system' || kind === 'subscription') draft.runsInTransaction = false
  if (kind === 'database' && hasWords(tokens, end, to, 'set', 'tablespace')) draft.runsInTransaction = false
  if (NAMED.has(kind)) readRename(draft, tokens, end, to)
  if (kind !== 'table') return
  // New defaults are worked out for the rows that are there, and draw from sequences.
  draft.drawsSequence = true
  if (hasWords(tokens, end, to, 'concurrently')) draft.runsInTransaction = false
  if (hasWords(tokens, end, to, 'default') || hasWords(tokens, end, to, 'trigger')) draft.changesFunctions = true
  if (callsUnseen(tokens, end, to)) draft.changesFunctions = true
  readCalls(draft, tokens, end, to)
}

/** `ALTER TABLE [ONLY] x RENAME TO y`: without a schema a temporary one is found first. */
function readRename(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const at = tokens.word(from) === 'only' ? from + 1 : from
  const after = tokens.afterName(at)
  const rename = tokens.word(after) === '*' ? after + 1 : after
  if (rename + 2 >= to || !tokens.says(rename, 'rename', 'to')) return
  const name = temporaryName(tokens, at, after === at + 1)
  if (name !== undefined) draft.rename('temp', name)
}

/** The place after AS, where no bracket is open. */
function placeOfQuery(tokens: Tokens, from: number, to: number): number | undefined {
  for (let at = from; at < to; at += 1) {
    if (tokens.word(at) === 'as') return at + 1
    if (tokens.word(at) === '(') at = tokens.afterBrackets(at, to) - 1
  }
  return undefined
}

function endsWithTransaction(tokens: Tokens, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (tokens.says(at, 'on', 'commit', 'drop')) return true
    if (tokens.word(at) === '(') at = tokens.afterBrackets(at, to) - 1
  }
  return false
}

function hasWords(tokens: Tokens, from: number, to: number, ...words: readonly string[]): boolean {
  for (let at = from; at < to; at += 1) if (tokens.says(at, ...words)) return true
  return false
}
