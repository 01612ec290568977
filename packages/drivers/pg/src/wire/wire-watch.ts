import type { PinKind, SessionBooking, SessionObserver, TransactionStatus } from '@leasehold/core'
import type { StringSyntax } from '../sql/lexer.js'
import { Changes } from './changes.js'
import { EffectAccount } from './effect-account.js'
import { isFatal } from './is-fatal.js'
import { NamedStatements } from './named-statements.js'
import type { PgConnection } from './pg-connection.js'
import type { StatementKnowledge } from './statement-knowledge.js'
import { type ConnectionWatch, watchConnection } from './watched-connection.js'

/** What Parse, Bind and Execute carry, as far as it matters here. */
interface SentMessage {
  readonly name?: string
  readonly text?: string
  readonly portal?: string
  readonly statement?: string
  /** A cursor without values says null. */
  readonly values?: readonly unknown[] | null
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

type ServerError = Error & { readonly severity?: string; readonly code?: string }

/** The letters of ReadyForQuery. */
const STATUS: Readonly<Record<string, TransactionStatus>> = { I: 'idle', T: 'open', E: 'failed' }

/** A serialization failure, and a deadlock. */
const COLLISIONS = new Set(['40001', '40P01'])

export interface WireListener {
  /** The session is dead. Called once; it tells the observer. */
  lost(error: Error): void
  /** pg has dealt with a ReadyForQuery. */
  ready(): void
  /** A statement has done something to the session, if only until its transaction ends. */
  changed(kind: PinKind, name: string | undefined): void
  /** SQL has made the server forget a statement that goes by a name; all of them where there is none. */
  forgotten(name: string | undefined): void
}

/**
 * Keeps the account of one connection: what was sent, what is owed for it, and what the server said of the session.
 *
 * It must be made before `client.connect()`, or it would miss what the server says first.
 *
 * Quiet means that as many ReadyForQuery came as Query and Sync were sent, and that nothing is unsynced.
 */
export class WireWatch implements ConnectionWatch {
  /** What the server has told of its parameters: `server_version`, `TimeZone`, … */
  readonly parameters: Map<string, string> = new Map()
  /** Told whenever something of the rest here is new. */
  readonly changes: Changes = new Changes()
  /** The connection of the client from now on. */
  readonly connection: PgConnection
  readonly #listener: WireListener
  /** Which statements do something to the session. */
  readonly effects: EffectAccount
  /** What hooks did before anybody observed. */
  #unobserved: SessionBooking[] = []
  #isMuted = false
  #escapesStrings = false
  #observer: SessionObserver | undefined
  /** False until the first ReadyForQuery, which nobody has asked for. */
  #isStarted = false
  #owed = 0
  #isUnsynced = false
  /** Cancels under way that could hit a later statement. */
  #held = 0
  /** Statements sent whose outcome is not known yet. */
  #unanswered = 0
  #outcomes = 0
  #isExtended = false
  #isCopyingIn = false
  #isDiverted = false
  #hasEnded = false
  #hasCollided = false
  #transaction: TransactionStatus = 'idle'
  readonly #named: NamedStatements
  #lostBy: Error | undefined

  constructor(client: object, connection: PgConnection, knowledge: StatementKnowledge, listener: WireListener) {
    this.#listener = listener
    this.effects = new EffectAccount({
      ...knowledge,
      book: (booking) => this.#book(booking),
      doubt: () => {
        if (!this.#isMuted) this.#observer?.doubt?.()
      },
      changed: (kind, name) => listener.changed(kind, name),
      forgotten: (name) => {
        this.#named.forget(name)
        listener.forgotten(name)
      },
    })
    this.connection = watchConnection(client, connection, this)
    this.#named = new NamedStatements(this.connection)
  }

  get isQuiet(): boolean {
    return this.#owed === 0 && !this.#isUnsynced && this.#held === 0
  }

  /** One ReadyForQuery is to come, nothing is unsynced, and no cancel is under way that would hit what comes next. */
  get owesOne(): boolean {
    return this.#owed === 1 && !this.#isUnsynced && this.#held === 0
  }

  /** The session is not quiet before `letGo`, whatever the server says. */
  hold(): void {
    this.#held += 1
  }

  letGo(): void {
    this.#held -= 1
    if (this.isQuiet && this.#lostBy === undefined) this.#quiet()
    this.changes.tell()
  }

  /** A statement is at work on the server, as far as can be known. */
  get isRunning(): boolean {
    return this.#unanswered > 0
  }

  /** Counts up with every statement or batch that ended, well or not. */
  get outcomes(): number {
    return this.#outcomes
  }

  /** Messages were sent that no Sync has followed: an open portal, a batch that failed half-way. */
  get isUnsynced(): boolean {
    return this.#isUnsynced
  }

  /** The server waits for COPY data. It ignores a Sync until it gets CopyDone or CopyFail. */
  get isCopyingIn(): boolean {
    return this.#isCopyingIn
  }

  /** Somebody else reads the socket (pg-copy-streams does): what the server says is not seen here. */
  get isDiverted(): boolean {
    return this.#isDiverted
  }

  /** The socket is closed. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The server has refused something because another transaction was in its way. */
  get hasCollided(): boolean {
    return this.#hasCollided
  }

  forgetCollision(): void {
    this.#hasCollided = false
  }

  get transaction(): TransactionStatus {
    return this.#transaction
  }

  /** How the server reads plain strings, as it says itself. */
  get strings(): StringSyntax {
    return this.#escapesStrings ? 'escaped' : 'standard'
  }

  get lostBy(): Error | undefined {
    return this.#lostBy
  }

  /** Starts telling `observer`, with what it has missed; returns what stops it. */
  observe(observer: SessionObserver): () => void {
    this.#observer = observer
    for (const booking of this.#unobserved.splice(0)) observer.book?.(booking)
    if (this.#lostBy !== undefined) observer.lost(this.#lostBy)
    else if (!this.isQuiet) observer.busy()
    else if (this.#transaction !== 'idle') observer.quiet(this.#transaction)
    return () => {
      if (this.#observer === observer) this.#observer = undefined
    }
  }

  /** Runs what the pool itself says to the server, in a time when nobody else does: it is booked on nobody. */
  async unbooked<T>(work: () => Promise<T>): Promise<T> {
    this.#isMuted = true
    try {
      return await work()
    } finally {
      this.#isMuted = false
    }
  }

  /** Books the session as dead. */
  lose(error: Error): void {
    if (this.#lostBy === undefined) {
      this.#lostBy = error
      this.#listener.lost(error)
    }
    this.changes.tell()
  }

  /** Books that somebody else took the socket's data, or gave it back. */
  divert(isDiverted: boolean): void {
    this.#isDiverted = isDiverted
    // Given back, there is only the end of the COPY to come.
    if (!isDiverted && !this.isQuiet) this.#observer?.settling?.()
    this.changes.tell()
  }

  queries(text: unknown): void {
    this.#owed += 1
    this.#unanswered += 1
    this.#isExtended = false
    const known = typeof text === 'string' ? text : undefined
    this.effects.simple(known)
    // An empty one is nobody's statement: it waits for a late cancel. What the pool says itself is nobody's, too.
    this.#observer?.busy(known === '' || this.#isMuted ? undefined : known)
  }

  parses(message: unknown): void {
    const { name, text } = message as SentMessage
    this.#statement(text)
    if (name === undefined || name === '') this.effects.parsed(text)
    else this.#named.sent(name, text)
  }

  binds(message: unknown): void {
    const { portal, statement, values } = message as SentMessage
    const named = statement === undefined || statement === '' ? undefined : this.#named.textOf(statement)
    this.#statement(named)
    this.effects.bound(portal, named, values ?? undefined)
  }

  executes(message: unknown): void {
    this.#statement(undefined)
    this.effects.executed((message as SentMessage | undefined)?.portal)
  }

  asks(): void {
    this.#unsynced()
  }

  syncs(): void {
    if (this.#isCopyingIn) return
    this.effects.synced()
    this.#owed += 1
    if (!this.#isUnsynced) this.#observer?.busy()
    this.#isUnsynced = false
    if (this.#unanswered === 0) this.#observer?.settling?.()
  }

  ready(): void {
    this.#listener.ready()
  }

  receives(event: string | symbol, message: unknown): void {
    switch (event) {
      case 'parseComplete':
        return this.#answered()
      case 'bindComplete':
        this.effects.bindAnswered()
        return this.#answered()
      case 'commandComplete':
        this.effects.completed((message as { readonly text?: string } | undefined)?.text)
        return this.#answered()
      case 'readyForQuery':
        return this.#ready((message as { readonly status?: string }).status)
      case 'errorMessage':
        return this.#failed(message as ServerError)
      case 'portalSuspended':
        this.effects.completed(undefined)
        return this.#answered()
      case 'emptyQuery':
        this.effects.empty()
        return this.#answered()
      case 'copyInResponse':
        return this.#copyIn()
      case 'parameterStatus':
        return this.#told(message as ParameterStatus)
      case 'error':
        return this.lose(message as Error)
      case 'end':
        this.#hasEnded = true
        return this.lose(new Error('Connection terminated unexpectedly'))
      default:
    }
  }

  #book(booking: SessionBooking): void {
    if (this.#isMuted) return
    if (this.#observer !== undefined) this.#observer.book?.(booking)
    else this.#unobserved.push(booking)
  }

  #statement(text: string | undefined): void {
    this.#unanswered += 1
    this.#isExtended = true
    this.#unsynced(text)
  }

  #unsynced(text?: string): void {
    // Of the messages of one statement the first tells it all.
    if (this.#isUnsynced && text === undefined) return
    this.#isUnsynced = true
    this.#observer?.busy(text)
  }

  #told({ parameterName, parameterValue }: ParameterStatus): void {
    this.parameters.set(parameterName, parameterValue)
    if (parameterName === 'standard_conforming_strings') this.#escapesStrings = parameterValue === 'off'
  }

  #ready(status: string | undefined): void {
    if (this.#isStarted && this.#owed > 0) this.#owed -= 1
    this.#isStarted = true
    this.#outcomes += 1
    this.#isCopyingIn = false
    this.#transaction = STATUS[status ?? 'I'] ?? 'idle'
    this.effects.ready(this.#transaction)
    if (this.#owed === 0 && !this.#isUnsynced) this.#unanswered = 0
    if (this.isQuiet) this.#quiet()
    this.changes.tell()
  }

  #quiet(): void {
    this.#observer?.quiet(this.#transaction)
  }

  #failed(error: ServerError): void {
    if (!this.#isStarted) return
    this.effects.failed(error)
    if (!this.#isMuted) this.#observer?.failed?.(error)
    if (error.code !== undefined && COLLISIONS.has(error.code)) this.#hasCollided = true
    this.#outcomes += 1
    this.#isCopyingIn = false
    // In a pipeline the error belongs to the first of several; with one only, nothing of it is left to do.
    if (this.#owed <= 1) this.#unanswered = 0
    if (isFatal(error)) this.lose(error)
    else if (this.#unanswered === 0 && !this.#isUnsynced) this.#observer?.settling?.()
    this.changes.tell()
  }

  #answered(): void {
    // A simple Query may hold several statements, so that only ReadyForQuery ends it.
    if (this.#isExtended && this.#unanswered > 0) {
      this.#unanswered -= 1
      if (this.#unanswered === 0 && !this.#isUnsynced) this.#observer?.settling?.()
    }
    this.changes.tell()
  }

  #copyIn(): void {
    this.#isCopyingIn = true
    if (this.#isExtended) {
      // The server has ignored the Sync that came with it, and wants one more when the COPY is over.
      this.#owed = 0
      this.#isUnsynced = true
      this.effects.reopened()
    }
    this.changes.tell()
  }
}
