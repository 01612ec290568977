import { isTrue } from './is-true.js'
import type { StringSyntax } from './lexer.js'
import { readObjectKind } from './object-kind.js'
import { readBody } from './read-body.js'
import { readCalls } from './read-calls.js'
import { readAlter, readCreate, readDrop } from './read-definition.js'
import { readDiscard } from './read-discard.js'
import { readReset } from './read-reset.js'
import { readSet } from './read-set.js'
import { readBegin, readCommit, readRelease, readRollback, readSavepoint } from './read-transaction-control.js'
import { StatementDraft } from './statement-draft.js'
import type { ReadStatement, StatementReading } from './statement-reading.js'
import { Tokens } from './tokens.js'

type Reader = (draft: StatementDraft, tokens: Tokens, from: number, to: number) => void

/** How deep texts may stand in texts: DO in EXECUTE in DO … */
const DEEPEST = 8

const nothing: Reader = () => {}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...['select', 'with', 'insert', 'update', 'delete', 'merge', 'values', '('].map((word) => [word, readCalls] as const),
  ['table', readTable],
  ['truncate', readTable],
  ['refresh', readRefresh],
  ['set', readSet],
  ['reset', readReset],
  ['discard', readDiscard],
  ['begin', readBegin],
  ['start', readBegin],
  ['commit', readCommit],
  ['end', readCommit],
  ['rollback', readRollback],
  ['abort', readRollback],
  ['savepoint', readSavepoint],
  ['release', readRelease],
  ['prepare', readPrepare],
  ['deallocate', readDeallocate],
  ['execute', readExecute],
  ['listen', readListen],
  ['unlisten', readUnlisten],
  ['declare', readDeclare],
  ['close', readClose],
  ['load', readLoad],
  ['do', readDo],
  ['call', readCall],
  ['explain', readExplain],
  ['copy', readCopy],
  ['create', (draft, tokens, from, to) => readCreate(draft, tokens, from, to, readSource)],
  ['drop', readDrop],
  ['alter', readAlter],
  ['vacuum', readOutside],
  ['cluster', readOutside],
  ['reindex', readReindex],
  ...`analyse analyze checkpoint comment fetch grant import lock move notify reassign revoke security show`
    .split(' ')
    .map((word) => [word, nothing] as const),
])

/**
 * Reads an SQL text: what each of its statements does to the session, as far as that can be told. Knows the lexical rules
 * of PostgreSQL whole, and of its grammar what matters for that. Never throws: what the server does not understand either
 * is `unknown`, until the server says so. `strings` is what the session's `standard_conforming_strings` says.
 */
export function readStatement(text: string, strings: StringSyntax = 'standard'): StatementReading {
  const statements = readAll(text, strings, 0)
  return { statements, isPlain: statements.every(isPlain) }
}

function isPlain({ effects, control, functions, changesFunctions }: ReadStatement): boolean {
  return effects.length === 0 && control === undefined && functions.length === 0 && !changesFunctions
}

function readAll(text: string, strings: StringSyntax, depth: number): readonly ReadStatement[] {
  const tokens = new Tokens(text, strings, depth)
  const statements: ReadStatement[] = []
  for (let from = 0; from < tokens.count;) {
    const to = endOfStatement(tokens, from)
    if (to > from) statements.push(readOne(tokens, from, to))
    from = to + 1
  }
  return statements
}

/** The place of the semicolon that ends the statement: not one in brackets, and not one in a body of SQL. */
function endOfStatement(tokens: Tokens, from: number): number {
  const body = bodyOf(tokens, from)
  let depth = 0
  for (let at = from; at < tokens.count; at += 1) {
    const word = tokens.word(at)
    if (word === '(') depth += 1
    else if (word === ')') depth -= 1
    else if (word === ';' && depth <= 0) return at
    else if (at === body) at = endOfBody(tokens, at)
  }
  return tokens.count
}

/** The place of BEGIN in CREATE FUNCTION … BEGIN ATOMIC …; -1 if there is none. */
function bodyOf(tokens: Tokens, from: number): number {
  if (tokens.word(from) !== 'create') return -1
  const { kind, end } = readObjectKind(tokens, from + 1, tokens.count)
  if (kind !== 'function' && kind !== 'procedure') return -1
  for (let at = end; at < tokens.count && tokens.word(at) !== ';'; at += 1) {
    if (tokens.says(at, 'begin', 'atomic')) return at
  }
  return -1
}

/** The END of a body follows ATOMIC or a semicolon; the END of a CASE does not. */
function endOfBody(tokens: Tokens, from: number): number {
  for (let at = from + 2; at < tokens.count; at += 1) {
    if (tokens.word(at) === 'end' && [';', 'atomic'].includes(tokens.word(at - 1))) return at
  }
  return tokens.count
}

function readOne(tokens: Tokens, from: number, to: number): ReadStatement {
  const draft = draftFor(tokens)
  const word = tokens.word(from)
  draft.command = word === '(' ? 'SELECT' : word.toUpperCase()
  const read = READERS.get(word)
  if (read !== undefined) read(draft, tokens, from, to)
  // It may be a statement of a newer server; an error undoes what it has not done.
  else draft.set('unknown', word || undefined, { isTransactional: true })
  return draft.finish()
}

function draftFor({ strings, depth }: Tokens): StatementDraft {
  return new StatementDraft((text) => (depth < DEEPEST ? readAll(text, strings, depth + 1) : [TOO_DEEP]))
}

/** Reads a statement that stands inside of another, and is run by it. */
function readInner(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const { command } = draft
  if (!INNER.has(tokens.word(from))) return
  READERS.get(tokens.word(from))?.(draft, tokens, from, to)
  draft.command = command
}

/** What stands after AS in CREATE TABLE: no other CREATE. */
function readSource(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  if (tokens.word(from) !== 'create') readInner(draft, tokens, from, to)
}

/** What may stand in EXPLAIN, COPY, CREATE TABLE AS and DECLARE. */
const INNER: ReadonlySet<string> = new Set(
  'select with insert update delete merge values table ( declare create refresh execute'.split(' '),
)

/** `TABLE x`, `TRUNCATE [TABLE] [ONLY] a, b` */
function readTable(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  let at = from + 1
  while (at < to) {
    while (tokens.word(at) === 'table' || tokens.word(at) === 'only') at += 1
    const end = tokens.afterName(at)
    const name = tokens.qualifiedName(at, end)
    if (name !== undefined) draft.names(name)
    at = tokens.word(end) === '*' ? end + 1 : end
    if (tokens.word(at) !== ',') return
    at += 1
  }
}

/** `REFRESH MATERIALIZED VIEW [CONCURRENTLY] x` */
function readRefresh(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.command = 'REFRESH MATERIALIZED VIEW'
  const { end } = readObjectKind(tokens, from + 1, to)
  const name = tokens.qualifiedName(end, tokens.afterName(end))
  if (name !== undefined) draft.names(name)
}

/** `PREPARE x AS …` and `PREPARE TRANSACTION '…'` */
function readPrepare(draft: StatementDraft, tokens: Tokens, from: number): void {
  if (tokens.word(from + 1) === 'transaction' && tokens.kind(from + 2) === 'literal') {
    draft.command = 'PREPARE TRANSACTION'
    draft.control = { is: 'prepare-transaction' }
  } else draft.set('prepared', tokens.name(from + 1))
}

function readDeallocate(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const at = tokens.word(from + 1) === 'prepare' && from + 2 < to ? from + 2 : from + 1
  const name = tokens.name(at)
  if (tokens.word(at) === 'all') draft.clearAll('prepared')
  else if (name !== undefined) draft.clear('prepared', name)
}

/** What it runs was said elsewhere. */
function readExecute(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.set('unknown', `execute ${tokens.name(from + 1) ?? ''}`)
  draft.drawsSequence = true
  readCalls(draft, tokens, from + 2, to)
}

function readListen(draft: StatementDraft, tokens: Tokens, from: number): void {
  draft.set('listen', tokens.name(from + 1))
}

function readUnlisten(draft: StatementDraft, tokens: Tokens, from: number): void {
  const name = tokens.name(from + 1)
  if (name === undefined) draft.clearAll('listen')
  else draft.clear('listen', name)
}

/** `DECLARE x … CURSOR [WITH HOLD] FOR …`: its query runs when it is fetched from, if ever. */
function readDeclare(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.command = 'DECLARE CURSOR'
  let at = from + 2
  while (at < to && tokens.word(at) !== 'for') at += 1
  draft.set('cursor', tokens.name(from + 1), { isLocal: !tokens.says(at - 2, 'with', 'hold') })
  if (at + 1 < to) draft.absorb(readRest(tokens, at + 1, to))
}

/** Reads a query that may be run later. */
function readRest(tokens: Tokens, from: number, to: number): ReadStatement {
  const draft = draftFor(tokens)
  readCalls(draft, tokens, from, to)
  return draft.finish()
}

/** A closed cursor stays closed. */
function readClose(draft: StatementDraft, tokens: Tokens, from: number): void {
  draft.command = 'CLOSE CURSOR'
  const name = tokens.name(from + 1)
  if (tokens.word(from + 1) === 'all') draft.clearAll('cursor', { isTransactional: false })
  else if (name !== undefined) draft.clear('cursor', name, { isTransactional: false })
}

function readLoad(draft: StatementDraft, tokens: Tokens, from: number): void {
  draft.set('library', tokens.literal(from + 1))
}

/** `DO [LANGUAGE x] '…' [LANGUAGE x]` */
function readDo(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  let language = 'plpgsql'
  let body: string | undefined
  for (let at = from + 1; at < to; at += 1) {
    if (tokens.word(at) === 'language') {
      at += 1
      language = tokens.literal(at) ?? tokens.name(at) ?? language
    } else body ??= tokens.literal(at)
  }
  if (body === undefined) return
  if (language === 'plpgsql' && tokens.depth < DEEPEST) readProcedural(draft, body, tokens)
  // The server knows no DO in SQL; `readRoutine` reads functions so.
  else if (language === 'sql') draft.absorbText(body)
  else draft.set('unknown', `do ${language}`)
}

function readProcedural(draft: StatementDraft, body: string, { strings, depth }: Tokens): void {
  readBody(draft, new Tokens(body, strings, depth + 1), { readOne, readCalls, isCommand: (word) => READERS.has(word) })
}

/** A procedure may end transactions, which it can only where none was begun. */
function readCall(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  draft.runsInTransaction = false
  draft.drawsSequence = true
  readCalls(draft, tokens, from, to)
}

/** `EXPLAIN ANALYZE …` runs what it explains. */
function readExplain(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  let isRun = false
  let at = from + 1
  if (tokens.word(at) === '(' && isOption(tokens.word(at + 1))) {
    const end = tokens.afterBrackets(at, to)
    for (at += 1; at < end; at += 1) {
      if (!['analyze', 'analyse'].includes(tokens.word(at)) || !'(,'.includes(tokens.word(at - 1))) continue
      const value = tokens.literal(at + 1) ?? tokens.text(at + 1)
      isRun = value === ',' || value === ')' || isTrue(value)
    }
    at = end
  } else {
    for (; ['analyze', 'analyse', 'verbose'].includes(tokens.word(at)); at += 1) isRun ||= tokens.word(at) !== 'verbose'
  }
  if (isRun) readInner(draft, tokens, at, to)
}

/** An option, and not a query in brackets. */
function isOption(word: string): boolean {
  return !['select', 'with', 'values', 'table', '('].includes(word)
}

/** `COPY t … FROM`, `COPY (query) TO` */
function readCopy(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const at = tokens.word(from + 1) === 'binary' ? from + 2 : from + 1
  if (tokens.word(at) === '(') return readInner(draft, tokens, at + 1, tokens.afterBrackets(at, to) - 1)
  const end = tokens.afterName(at)
  const name = tokens.qualifiedName(at, end)
  if (name !== undefined) draft.names(name)
  const direction = tokens.word(end) === '(' ? tokens.afterBrackets(end, to) : end
  if (tokens.word(direction) !== 'from') return
  draft.drawsSequence = true
  for (let place = direction; place < to; place += 1) {
    if (tokens.word(place) === 'where') return readCalls(draft, tokens, place, to)
  }
}

function readOutside(draft: StatementDraft): void {
  draft.runsInTransaction = false
}

/** Of a table or an index it runs anywhere, if not concurrently. */
function readReindex(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const at = tokens.word(from + 1) === '(' ? tokens.afterBrackets(from + 1, to) : from + 1
  const isSmall = ['table', 'index'].includes(tokens.word(at))
  let isConcurrent = false
  for (let place = from; place < to; place += 1) isConcurrent ||= tokens.word(place) === 'concurrently'
  draft.runsInTransaction = isSmall && !isConcurrent
}

/** What nobody follows any further. */
const TOO_DEEP: ReadStatement = tooDeep()

function tooDeep(): ReadStatement {
  const draft = new StatementDraft(() => [])
  draft.set('unknown', 'nested statements')
  return draft.finish()
}
