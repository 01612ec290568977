import { callsRunOnce } from './calls-run-once.js'
import { isKeyword } from './is-keyword.js'
import { KNOWN_FUNCTIONS } from './known-functions.js'
import { NEVER_CALLED } from './never-called.js'
import { STATEFUL_FUNCTIONS } from './stateful-functions.js'
import { temporaryName } from './temporary-name.js'
import type { StatementDraft } from './statement-draft.js'
import type { Tokens } from './tokens.js'

const FROM = 1
const INTO = 2
const UPDATE = 3
const END_OF_FROM = 4
const SEQUENCE_DEFAULT = 5

/** Words after which tables are named, and words that end a list of tables. */
const CLAUSES: ReadonlyMap<string, number> = new Map([
  ...['from', 'using', 'join'].map((word) => [word, FROM] as const),
  ['into', INTO],
  ['update', UPDATE],
  ...['select', 'where', 'group', 'order', 'having', 'limit', 'offset', 'fetch', 'set', 'returning', 'values', 'when']
    .concat(['union', 'except', 'intersect', 'window', 'for'])
    .map((word) => [word, END_OF_FROM] as const),
  ['default', SEQUENCE_DEFAULT],
])

/** Words that begin something else where a table could stand. */
const NO_TABLE: ReadonlySet<string> = new Set(['select', 'values', 'lateral', 'rows', 'set', 'case', 'not', 'unnest'])

/** Reads what a query or a data-changing statement calls and which tables it names, in any clause and any depth. */
export function readCalls(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  new CallsReader(draft, tokens, from, to).read()
}

class CallsReader {
  readonly #draft: StatementDraft
  readonly #tokens: Tokens
  readonly #from: number
  readonly #to: number
  /** Of each open bracket: the word in front of it, and whether a list of tables goes on in the brackets around it. */
  readonly #introducers: string[] = []
  readonly #isInFrom: boolean[] = [false]
  /** Which calls run once and only once; asked for the first that changes the session. */
  #certain: ReturnType<typeof callsRunOnce> | undefined
  /** What was in front of the brackets that closed last. */
  #closed = ''

  constructor(draft: StatementDraft, tokens: Tokens, from: number, to: number) {
    this.#draft = draft
    this.#tokens = tokens
    this.#from = from
    this.#to = to
  }

  read(): void {
    for (let at = this.#from; at < this.#to; at += 1) {
      const word = this.#tokens.word(at)
      if (word === '(') this.#open(at)
      else if (word === ')') this.#close()
      else if (word === ',') {
        if (this.#isInFrom.at(-1) === true) this.#table(at + 1)
      } else if (word.length > 1) this.#clause(CLAUSES.get(word), word, at)
    }
  }

  #open(at: number): void {
    const before = at > this.#from ? this.#tokens.word(at - 1) : ''
    // FROM (a JOIN b …), in as many brackets as you like
    const isInList = this.#isInFrom.at(-1) === true && (before === ',' || before === '(')
    const isSource = before === 'from' || before === 'join' || isInList
    this.#introducers.push(before)
    this.#isInFrom.push(isSource)
    if (isSource) this.#table(at + 1)
    else if (at > this.#from) this.#call(at)
  }

  #close(): void {
    this.#closed = this.#introducers.pop() ?? ''
    if (this.#isInFrom.length > 1) this.#isInFrom.pop()
  }

  #clause(clause: number | undefined, word: string, at: number): void {
    if (clause === undefined) return
    const depth = this.#isInFrom.length - 1
    if (clause === FROM) {
      const before = this.#tokens.word(at - 1)
      if (word === 'from' && before !== 'distinct') this.#isInFrom[depth] = true
      if (before === 'delete') this.#draft.drawsSequence = true
      this.#table(at + 1)
    } else if (clause === INTO) this.#into(at)
    else if (clause === UPDATE) {
      // FOR UPDATE, DO UPDATE and ON UPDATE name none.
      if (['for', 'do', 'on', 'key', 'then'].includes(this.#tokens.word(at - 1))) return
      this.#draft.drawsSequence = true
      this.#updated(at + 1)
    } else if (clause === END_OF_FROM) this.#isInFrom[depth] = false
    // DEFAULT in the place of a value may be a sequence's next.
    else this.#draft.drawsSequence = true
  }

  #table(from: number): void {
    const tokens = this.#tokens
    const at = tokens.word(from) === 'only' ? from + 1 : from
    if (at >= this.#to || NO_TABLE.has(tokens.word(at))) return
    const end = tokens.afterName(at)
    if (tokens.word(end) === '(') return
    const name = tokens.qualifiedName(at, end)
    if (name !== undefined) this.#draft.names(name)
  }

  /** `INSERT INTO t`, `MERGE INTO t`, `SELECT … INTO [TEMP] t` */
  #into(at: number): void {
    const tokens = this.#tokens
    const before = tokens.word(at - 1)
    if (before === 'insert' || before === 'merge') {
      const name = tokens.qualifiedName(at + 1, tokens.afterName(at + 1))
      if (name !== undefined) this.#draft.names(name)
      this.#draft.drawsSequence = true
      return
    }
    if (this.#introducers.length > 0) return
    const scope = tokens.word(at + 1)
    const temp = scope === 'local' || scope === 'global' ? at + 2 : at + 1
    const isTemp = ['temp', 'temporary'].includes(tokens.word(temp)) && isTableAt(tokens, temp + 1, this.#to)
    const named = isTemp ? temp + 1 : at + 1
    const first = tokens.word(named) === 'table' ? named + 1 : named
    const name = temporaryName(tokens, first, isTemp)
    if (name !== undefined) this.#draft.set('temp', name)
  }

  #updated(from: number): void {
    const tokens = this.#tokens
    const at = tokens.word(from) === 'only' ? from + 1 : from
    const name = tokens.qualifiedName(at, tokens.afterName(at))
    if (name === undefined) return
    this.#draft.names(name)
    // A rule of this view sets what is updated.
    if (name === 'pg_settings' || name === 'pg_catalog.pg_settings') this.#draft.set('setting', undefined)
  }

  #call(open: number): void {
    const tokens = this.#tokens
    const isEscaped = tokens.kind(open - 1) === 'literal' && tokens.word(open - 2) === 'uescape'
    const last = isEscaped ? open - 3 : open - 1
    const isWord = tokens.kind(last) === 'word'
    if (!isWord && tokens.kind(last) !== 'name') return
    const word = tokens.word(last)
    const isQualified = tokens.word(last - 1) === '.'
    if (isWord && !isQualified && (NEVER_CALLED.has(word) || isKeyword(tokens, last))) return
    let first = last
    while (first - 2 >= this.#from && tokens.word(first - 1) === '.' && isIdentifier(tokens, first - 2)) first -= 2
    const schema = first === last ? undefined : tokens.qualifiedName(first, last - 1)
    const isServers = schema === undefined || schema === 'pg_catalog'
    const name = isWord ? word : (tokens.name(last) ?? '')
    const stateful = STATEFUL_FUNCTIONS.get(name)
    if (stateful !== undefined && (isServers || stateful.isExtension)) {
      // numeric(10, 2) '3.14': what stands before a literal is the name of a type.
      if (tokens.kind(tokens.afterBrackets(open, this.#to)) === 'literal') return
      const isCertain = this.#runsOnce(first)
      stateful.book({ draft: this.#draft, tokens, open, to: this.#to, isCertain })
    } else if (!(isServers && KNOWN_FUNCTIONS.has(name)) && !this.#isNoCall(first, open)) {
      const called = tokens.name(last) ?? ''
      this.#draft.calls(schema === undefined || schema === 'pg_catalog' ? called : `${schema}.${called}`)
      this.#draft.drawsSequence = true
    }
  }

  #runsOnce(call: number): boolean {
    this.#certain ??= callsRunOnce(this.#tokens, this.#from, this.#to)
    return this.#certain === 'all' || this.#certain === call
  }

  /** Whether names in front of brackets are those of a table or an alias, and what is in the brackets are columns. */
  #isNoCall(first: number, open: number): boolean {
    const tokens = this.#tokens
    const before = tokens.word(first - 1)
    if (first === this.#from) return false
    if (before === 'as' || before === 'into' || before === 'references') return true
    // CREATE TABLE [IF NOT EXISTS] t (…) in a body
    if (before === 'table' || before === 'exists') return true
    // ADD EXCLUDE (…), TYPE geometry (…), ADD COLUMN "a" geometry (…)
    if (before === 'add' || before === 'type' || tokens.kind(first - 1) === 'name') return true
    if (before === 'using' && tokens.word(first - 2) === 'exclude') return true
    if (tokens.word(first - 2) === 'add' || tokens.says(first - 3, 'add', 'column')) return true
    // FROM (…) x (a); but DISTINCT ON (…) f (a), and OPERATOR (…) f (a)
    if (before === ')') return this.#closed !== 'on' && this.#closed !== 'operator'
    if (before === 'with' || before === 'recursive') return true
    // ::numeric (10, 2)
    if (before === ':') return tokens.word(first - 2) === ':'
    if (before === ',') return this.#isCommonTable(open)
    if (before === 'on' && tokens.word(first) === 'conflict') return true
    if (tokens.word(first) === 'key' && (before === 'foreign' || before === 'primary')) return true
    if (before === 'tablesample') return true
    return this.#isAliasOfTable(first - 1)
  }

  /** `, x (a) AS (SELECT …)` */
  #isCommonTable(open: number): boolean {
    const tokens = this.#tokens
    let at = tokens.afterBrackets(open, this.#to)
    if (tokens.word(at) !== 'as') return false
    at += 1
    if (tokens.word(at) === 'not') at += 1
    if (tokens.word(at) === 'materialized') at += 1
    return tokens.word(at) === '(' && QUERIES.has(tokens.word(at + 1))
  }

  /** `FROM t x (a)`: two names, the first where a table stands. */
  #isAliasOfTable(table: number): boolean {
    const tokens = this.#tokens
    if (!isIdentifier(tokens, table) || BEFORE_CALLS.has(tokens.word(table))) return false
    const before = tokens.word(table - 1)
    // FROM (t x (a) JOIN …)
    if (before === '(') return this.#isInFrom.at(-2) === true
    return ['from', 'join', ',', '.', 'only'].includes(before)
  }
}

const QUERIES: ReadonlySet<string> = new Set('select with ( table values insert update delete merge'.split(' '))

/** Words that may stand between a comma, FROM or JOIN and a call. */
const BEFORE_CALLS: ReadonlySet<string> = new Set(
  'not case distinct all lateral only select key value variadic any some array exists default row cast'.split(' '),
)

function isTableAt(tokens: Tokens, at: number, to: number): boolean {
  if (at >= to) return false
  return tokens.word(at) === 'table' || (isIdentifier(tokens, at) && !RESERVED_AFTER_INTO.has(tokens.word(at)))
}

const RESERVED_AFTER_INTO: ReadonlySet<string> = new Set(
  'from where group having window union intersect except order limit offset fetch for'.split(' '),
)

function isIdentifier(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind(at)
  return kind === 'word' || kind === 'name'
}
