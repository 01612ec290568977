import type { PinKind, SettingsDifference } from '@leasehold/core'
import type * as pg from 'pg'
import { readCached } from '../sql/read-cached.js'
import type { PgConnection } from '../wire/pg-connection.js'
import type { StatementKeeper } from '../wire/statement-keeper.js'
import { sendAhead } from '../wire/watched-connection.js'
import type { WireWatch } from '../wire/wire-watch.js'
import { changesSchema } from './changes-schema.js'
import { changesMeaning } from './changes-meaning.js'
import { KeptByServer } from './kept-by-server.js'
import { ProcessProof } from './process-proof.js'
import { SentGroup } from './sent-group.js'
import type { NamedStatement, StatementNames } from './statement-names.js'

/** What Parse, Bind and Describe carry, as far as it matters here. */
interface SentMessage {
  readonly name?: string | null
  readonly text?: string
  readonly types?: readonly unknown[] | null
  readonly statement?: string | null
  readonly type?: string
}

export interface KeptStatementsParts {
  readonly client: pg.Client
  readonly connection: PgConnection
  readonly wire: WireWatch
  readonly names: StatementNames
  /** The user has said that nothing stands before the server. */
  readonly isDirect: boolean
  /** Whether whoever sent the last statement still waits for it: what nobody waits for must not go again. */
  readonly isAwaited: () => boolean
  /** A proxy stands before the server: nothing is kept. */
  readonly refused: () => void
}

/**
 * Classes of errors that may come of a statement's being kept, all before it runs: its result would be another one than it
 * was (0A), there is none of that name (26), its parameters or what it names are others by now (08, 22, 42).
 */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['08', '0A', '22', '26', '42'])

/**
 * The statements that one session keeps, so that texts that come often need be neither read nor planned each time. pg knows
 * nothing of it: it sends unnamed statements, and they are called by a name on their way out.
 *
 * Kept statements are used only in a session as its owners first meet it. Whoever changes how texts are understood
 * (`search_path`, a role, temporary tables) goes on with unnamed ones.
 */
export class KeptStatements implements StatementKeeper {
  readonly #parts: KeptStatementsParts
  /** pg's own methods: what goes out by them is counted by nobody. */
  readonly #unwatched: PgConnection
  readonly #kept: KeptByServer
  /** How many statements the server is forgetting. */
  #closing = 0
  /** What pg has sent as the unnamed statement. */
  #unnamed: NamedStatement | undefined
  #group: SentGroup | undefined
  #proof: 'none' | 'asked' | 'direct' | 'refused'
  /** The owner has changed what texts mean; or declares settings that do. */
  #hasStrayed = false
  #isDeclaredAway = false
  /** Tables or the like were changed in the transaction that is open. */
  #changesSchema = false

  constructor(parts: KeptStatementsParts) {
    this.#parts = parts
    this.#unwatched = parts.connection.constructor.prototype as PgConnection
    this.#kept = new KeptByServer(parts.names)
    this.#proof = parts.isDirect ? 'direct' : 'none'
  }

  /** The session is as its owners first meet it: it has been cleaned, or somebody else has it now. */
  isClean(): void {
    this.#hasStrayed = false
  }

  /** What the owner declares is to be in force with its next statement. */
  declares({ set, keep }: SettingsDifference): void {
    this.#isDeclaredAway = [...set, ...keep].some(([name]) => changesMeaning('setting', name))
  }

  /** A statement has done something to the session, if only until its transaction ends. */
  changed(kind: PinKind, name: string | undefined): void {
    if (changesMeaning(kind, name)) this.#hasStrayed = true
  }

  /** SQL has made the server forget statements that go by a name. */
  forgotten(name: string | undefined): void {
    this.#kept.forgotten(name)
  }

  queries(text: unknown): void {
    this.#unnamed = undefined
    this.#group?.sendsMore()
    if (typeof text === 'string') this.#sees(text)
  }

  parses(message: unknown, isAlone: boolean): unknown {
    const { name, text, types } = message as SentMessage
    this.#group?.sendsMore()
    if (name !== undefined && name !== null && name !== '') return message
    this.#unnamed = undefined
    if (text === undefined) return message
    const { wire, names } = this.#parts
    const isPlain = (types?.length ?? 0) === 0 && wire.isQuiet && wire.strings === 'standard'
    const statement = isPlain ? names.used(text) : undefined
    if (statement === undefined || wire.transaction === 'failed' || this.#hasStrayed || this.#isDeclaredAway) {
      this.#sees(text)
      return message
    }
    const isWhole = isAlone && wire.transaction === 'idle'
    // Where it could not go again it would cost the transaction.
    if (statement.selectsAll && !isWhole) return message
    if (!this.#isProven(isAlone)) return message
    this.#unnamed = statement
    return this.#call(statement, message, isWhole)
  }

  binds(message: unknown): unknown {
    const { statement } = message as SentMessage
    const unnamed = this.#unnamed
    this.#group?.binds(message)
    if (unnamed === undefined || (statement !== undefined && statement !== null && statement !== '')) return message
    return { ...(message as object), statement: unnamed.name }
  }

  describes(message: unknown): unknown {
    const { type, name } = message as SentMessage
    this.#group?.describes(message)
    if (this.#unnamed === undefined || type !== 'S' || (name ?? '') !== '') return message
    return { type, name: this.#unnamed.name }
  }

  executes(message: unknown): void {
    this.#group?.executes(message)
  }

  closes(): void {
    this.#group?.sendsMore()
  }

  receives(event: string | symbol, message: unknown): boolean {
    switch (event) {
      case 'closeComplete':
        if (this.#closing === 0) return false
        this.#closing -= 1
        return true
      case 'parseComplete':
        if (this.#group !== undefined) this.#kept.keeps(this.#group.statement)
        return false
      case 'bindComplete':
        if (this.#group !== undefined) this.#bound(this.#group)
        return false
      case 'errorMessage':
        return this.#group !== undefined && this.#failed(this.#group, (message as { readonly code?: string }).code)
      case 'readyForQuery':
        return this.#ready((message as { readonly status?: string }).status)
      default:
        return false
    }
  }

  /** Looks for what changes tables and the like, for everybody. */
  #sees(text: string): void {
    if (!changesSchema(readCached(text), this.#hasStrayed)) return
    this.#changesSchema = true
    this.#parts.names.schemaChanged()
  }

  #isProven(isAlone: boolean): boolean {
    const { client, connection, wire, refused } = this.#parts
    if (this.#proof !== 'none' || !isAlone || wire.transaction !== 'idle') return this.#proof === 'direct'
    this.#proof = 'asked'
    const proof = new ProcessProof(client, (isDirect) => {
      this.#proof = isDirect ? 'direct' : 'refused'
      if (!isDirect) refused()
    })
    sendAhead(connection, proof)
    return false
  }

  #call(statement: NamedStatement, parse: unknown, isAlone: boolean): unknown {
    const isKept = this.#kept.uses(statement)
    this.#dropOutdated()
    this.#group = new SentGroup(statement, isKept, parse, isAlone)
    return isKept ? undefined : { ...(parse as object), name: statement.name }
  }

  /** In front of a group: where one has failed, the server would not even read it. */
  #dropOutdated(): void {
    const outdated = this.#kept.takeOutdated()
    this.#closing += outdated.length
    for (const name of outdated) this.#unwatched.close.call(this.#parts.connection, { type: 'S', name })
  }

  #bound(group: SentGroup): void {
    if (group.isBound) return
    group.isBound = true
    // The answer to a Parse that was not sent.
    if (group.isKept) this.#parts.wire.receives('parseComplete', undefined)
  }

  #failed(group: SentGroup, code: string | undefined): boolean {
    if (group.isBound) return false
    this.#kept.drop(group.statement)
    if (!group.isKept || !REFUSALS.has(code?.slice(0, 2))) return false
    // Of others that are kept, the tables may have changed as well.
    if (code === '0A000') this.#parts.names.schemaChanged()
    group.isRefused = group.isRepeatable && this.#parts.wire.owesOne && this.#parts.isAwaited()
    return group.isRefused
  }

  #ready(status: string | undefined): boolean {
    const group = this.#group
    this.#group = undefined
    this.#closing = 0
    if (group?.isRefused === true) {
      this.#unnamed = undefined
      group.repeat(this.#parts.connection, this.#unwatched)
      return true
    }
    if (this.#changesSchema && status === 'I') {
      this.#changesSchema = false
      this.#parts.names.schemaChanged()
    }
    return false
  }
}
