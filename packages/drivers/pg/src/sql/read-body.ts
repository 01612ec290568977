import { StatementDraft } from './statement-draft.js'
import type { ReadStatement } from './statement-reading.js'
import type { Tokens } from './tokens.js'

/** Words after which a statement of PL/pgSQL begins. */
const BEFORE_STATEMENTS: ReadonlySet<string> = new Set(['begin', 'then', 'else', 'loop', ';'])
/** Queries, of which their calls are all there is; and what means something else in PL/pgSQL, or is not in it. */
const OF_THE_LANGUAGE: ReadonlySet<string> = new Set(
  (
    'select with insert update delete merge values table call ( ' +
    'declare close open fetch move begin end commit rollback execute savepoint release start abort'
  ).split(' '),
)

/** How the parts of a body are read. */
export interface BodyReaders {
  readonly isCommand: (word: string) => boolean
  readonly readOne: (tokens: Tokens, from: number, to: number) => ReadStatement
  readonly readCalls: (draft: StatementDraft, tokens: Tokens, from: number, to: number) => void
}

/** Reads the body of a DO or of a function in PL/pgSQL: every statement in it may run once, often or never. */
export function readBody(draft: StatementDraft, tokens: Tokens, readers: BodyReaders): void {
  const calls = new StatementDraft((text) => draft.readText(text))
  readers.readCalls(calls, tokens, 0, tokens.count)
  draft.absorb(calls.finish())
  for (let at = 0; at < tokens.count; at += 1) {
    const word = tokens.word(at)
    if (word === 'execute') readExecute(draft, tokens, at)
    else if (word === 'commit' || word === 'rollback') draft.runsInTransaction = false
    else if (word === 'insert' || word === 'merge') draft.drawsSequence = true
    else if (isFirst(tokens, at) && readers.isCommand(word) && !OF_THE_LANGUAGE.has(word)) {
      draft.absorb(readers.readOne(tokens, at, endOf(tokens, at)))
    }
  }
}

function isFirst(tokens: Tokens, at: number): boolean {
  return at === 0 || BEFORE_STATEMENTS.has(tokens.word(at - 1)) || tokens.says(at - 2, '>', '>')
}

/** `EXECUTE 'text'`: what is put together when it runs cannot be read. */
function readExecute(draft: StatementDraft, tokens: Tokens, at: number): void {
  const next = tokens.word(at + 1)
  // GRANT EXECUTE ON, CREATE TRIGGER … EXECUTE FUNCTION
  if (next === 'on' || next === 'function' || next === 'procedure') return
  const text = tokens.literal(at + 1)
  const after = tokens.word(at + 2)
  if (text !== undefined && [';', 'into', 'using', 'loop', ''].includes(after)) draft.absorbText(text)
  else draft.set('unknown', 'execute')
}

function endOf(tokens: Tokens, from: number): number {
  let at = from
  // Whatever it is that goes on after THEN in a statement, it matters to none that is read here.
  do at += 1
  while (at < tokens.count && !BEFORE_STATEMENTS.has(tokens.word(at)))
  return at
}
