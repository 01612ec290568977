import type { LeaseGate, SessionObserver, SettingsDifference, Site, StreamOnSession } from '@leasehold/core'
import type { Duplex } from 'node:stream'
import type * as pg from 'pg'
import { connectionOf, type PgConnection } from '../wire/pg-connection.js'
import type { FunctionCatalogue } from '../sql/function-catalogue.js'
import { readCached } from '../sql/read-cached.js'
import { withoutCommentsAround } from '../sql/without-comments-around.js'
import { addTransactionStatus } from '../wire/transaction-status.js'
import { readFrugally } from '../wire/frugal-socket.js'
import { WireWatch } from '../wire/wire-watch.js'
import { KeptStatements } from '../prepared/kept-statements.js'
import type { StatementNames } from '../prepared/statement-names.js'
import { keepStatements } from '../wire/watched-connection.js'
import { HandleListeners } from './handle-listeners.js'
import type { SessionEvents } from './session-events.js'
import { type Behind, isPooled } from '../settings/behind.js'
import { RefusedSettings } from '../settings/refused-settings.js'
import { SettingsSender } from '../settings/settings-sender.js'
import { StatementTurns, type StatementSettings } from './statement-turns.js'
import { DeferredBegin } from '../transaction/deferred-begin.js'
import { LocalSettings } from '../transaction/local-settings.js'
import { SequenceValues } from './sequence-values.js'

/** Where a client keeps its session; a handle finds it through its prototypes. */
export const SESSION: unique symbol = Symbol.for('@leasehold/pg/session/1')

/** How many statements are remembered at most that were sent and not yet booked, or never will be. */
const MOST_SITES = 100

/** Something that carries a session: a physical client or a handle of it. */
interface Carrier {
  readonly [SESSION]?: PgSession
}

/** The session of a physical client, or of a handle; none of a client that this package has not opened. */
export function sessionOf(client: pg.Client): PgSession {
  const session = (client as Carrier)[SESSION]
  if (session === undefined) throw new Error('bug in Leasehold: this client was not opened by pgDriver')
  return session
}

/**
 * All that is kept for one physical client beside pg's own. It knows gates, never open handles, so that a handle whose
 * holder forgot it can be collected.
 */
export class PgSession {
  readonly client: pg.Client
  /** Undefined for a client that is not pg's own: nothing can be seen of its wire. */
  readonly connection: PgConnection | undefined
  readonly wire: WireWatch | undefined
  readonly turns: StatementTurns
  readonly begin: DeferredBegin
  readonly listeners: HandleListeners
  readonly events: SessionEvents | undefined
  readonly functions: FunctionCatalogue
  /** Texts that listeners of the facade's `connect` event have sent: what they do is the session's own. */
  readonly #introductions = new Set<string>()
  isIntroducing = false
  readonly sequences: SequenceValues = new SequenceValues()
  readonly localSettings: LocalSettings = new LocalSettings()
  /** The cursor, stream or copy that is open here, in a transaction that several share. */
  stream: StreamOnSession | undefined
  /** What stands between the pool and the server. */
  behind: Behind | undefined
  /** Where statements that pin were sent from, by their texts, until they are booked. */
  readonly #pinSites = new Map<string, Site>()
  /** Makes the socket, where the configuration says how; a cancel request needs one as well. */
  readonly makeStream: (() => Duplex | undefined) | undefined
  readonly openedAt: number = Date.now()
  /** The lease that sent what was last sent. */
  sender: LeaseGate | undefined
  /** Makes the handles of this connection; made by the first. */
  Handle: (new (gate: LeaseGate, number: number) => pg.Client) | undefined
  /** Makes those for one statement; made by the first of them. */
  LoneHandle: (new (handle: pg.Client, isKept: boolean) => pg.Client) | undefined
  /** The last handle, once it was given back: it may still listen and emit until the connection is lent again. */
  lastHandle: pg.Client | undefined
  /** What the server keeps of the statements that come often, where it is to. */
  #kept: KeptStatements | undefined
  #lendings = 0
  #lastGate: LeaseGate | undefined
  #lastOwner: object | undefined
  #observer: SessionObserver | undefined
  #lostBy: Error | undefined
  /** The last error of the whole connection that pg has told of. */
  #failedBy: Error | undefined
  #isClosing = false
  #wasOpen = false
  #hasAnnounced = false

  /** Must come before `client.connect()`. */
  constructor(
    client: pg.Client,
    config: pg.ClientConfig | undefined,
    functions: FunctionCatalogue,
    events: SessionEvents | undefined,
  ) {
    this.client = client
    this.functions = functions
    this.events = events
    this.makeStream = typeof config?.stream === 'function' ? config.stream : undefined
    const connection = connectionOf(client)
    if (connection !== undefined) readFrugally(client, connection, config)
    this.wire = connection === undefined ? undefined : this.#watchWire(connection)
    this.connection = this.wire?.connection
    if (this.wire !== undefined) addTransactionStatus(client, this.wire)
    this.begin = new DeferredBegin({
      client,
      connection: this.connection,
      isFree: () => this.wire?.transaction === 'idle' && this.turns.areFree && !isPooled(this.behind),
      opened: (origin) => this.#observer?.opened?.(origin),
    })
    this.turns = new StatementTurns(this.wire, client.pipeline, this.begin)
    this.listeners = new HandleListeners(client)
    Object.defineProperty(client, SESSION, { value: this })
    // For the connection's whole life, and not `once`: a killed backend is reported twice, and an error event that
    // nobody listens to ends the process.
    client.on('error', (error: Error) => this.#clientFailed(error))
    events?.opening(client)
  }

  /** To be called when pg has attached its own listeners: what waits learns of an end after pg's own queue. */
  connected(): void {
    this.connection?.on('end', () => this.turns.end(this.#failedBy ?? new Error('Connection terminated')))
    if (this.wire === undefined) this.client.on('end', () => this.lose(new Error('Connection terminated')))
  }

  /** A lease holds the connection. */
  get isHeld(): boolean {
    return this.#lastGate?.open === true
  }

  /** Why the session is dead, if it is. */
  get lostBy(): Error | undefined {
    return this.wire === undefined ? this.#lostBy : this.wire.lostBy
  }

  /** Its end has begun. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Whether `number` is that of the last handle made. */
  isLast(number: number): boolean {
    return number === this.#lendings
  }

  /** Books that the connection is lent, and returns the handle's number. */
  lend(gate: LeaseGate): number {
    // A handle asked for after its lease ended must not pass for the current one.
    if (!gate.open) return -1
    // Of those that share a session the first: the pool's own, in a transaction that it has begun.
    if (this.#lastGate?.open !== true || this.#lastGate.owner !== gate.owner) this.#lastGate = gate
    if (this.#lastOwner !== gate.owner) this.cleaned()
    this.#lastOwner = gate.owner
    this.lastHandle = undefined
    this.listeners.sweep()
    return ++this.#lendings
  }

  /** Notes that a statement which pins makes the session ready for all its owners, if it does. */
  noteIntroduction(text: string): void {
    if (this.isIntroducing) this.#introductions.add(withoutCommentsAround(text))
  }

  /** Notes where a statement that pins is sent from. It is forgotten when that is booked, or when many others came after it. */
  notePinSite(text: string, site: Site): void {
    // Statements that fail are never booked.
    if (this.#pinSites.size >= MOST_SITES) this.#pinSites.clear()
    this.#pinSites.set(withoutCommentsAround(text), site)
  }

  /** Shows the first handle to listeners of the facade's `connect` event; what they send makes the session ready for all. */
  introduce(handle: pg.Client): void {
    this.isIntroducing = true
    try {
      this.events?.introduced(handle)
    } finally {
      this.isIntroducing = false
    }
  }

  observe(observer: SessionObserver): () => void {
    this.#observer = observer
    this.#wasOpen = true
    const stop = this.wire?.observe(observer)
    return () => {
      this.#observer = undefined
      stop?.()
    }
  }

  /**
   * Has the server keep statements that come often.
   *
   * @param refused is told when there turns out to be a proxy in between, and nothing is kept.
   */
  keepStatements(names: StatementNames, refused: () => void): void {
    const { client, connection, wire, behind } = this
    if (connection === undefined || wire === undefined) return
    // Given back, or aborted: it is being cancelled. What the pool itself sends, it sends for nobody.
    const isAwaited = (): boolean =>
      this.sender === undefined || (this.sender.open && this.sender.refusal === undefined)
    const isDirect = behind === 'nothing'
    this.#kept = new KeptStatements({ client, connection, wire, names, isDirect, isAwaited, refused })
    keepStatements(connection, this.#kept)
  }

  /** The session is as its owners first meet it. */
  cleaned(): void {
    this.#kept?.isClean()
  }

  /** What the next statements must run with. */
  declare(difference: SettingsDifference): void {
    this.#kept?.declares(difference)
    const settings = (this.turns.settings ??= this.#makeSettings())
    settings.declare(difference)
  }

  #makeSettings(): StatementSettings {
    const { client, connection, wire, behind } = this
    if (connection === undefined || wire === undefined) return new RefusedSettings()
    const made = (difference: SettingsDifference): void => this.#observer?.declared?.(difference)
    return new SettingsSender({ client, connection, wire, behind, made })
  }

  /** Books the session as dead. */
  lose(error: Error): void {
    if (this.wire !== undefined) this.wire.lose(error)
    else this.#whenLost(error)
  }

  /** Has the pool close the connection, which is nobody's news. */
  retire(why: Error): void {
    this.closing()
    this.lose(why)
  }

  /** Its end begins: what its socket reports from now on is nobody's news. */
  closing(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.events?.closing(this.client)
  }

  /** Its socket is gone. */
  closed(): void {
    if (this.#hasAnnounced) return
    this.#hasAnnounced = true
    if (this.#wasOpen) this.events?.closed(this.lastHandle ?? this.client)
    this.listeners.clear()
  }

  #watchWire(connection: PgConnection): WireWatch {
    const knowledge = {
      read: (text: string) => readCached(text, this.wire?.strings),
      catalogue: this.functions,
      siteOf: (text: string) => {
        const known = withoutCommentsAround(text)
        const site = this.#pinSites.get(known)
        this.#pinSites.delete(known)
        return site
      },
      isIntroduction: (text: string) => this.#introductions.delete(withoutCommentsAround(text)),
    }
    return new WireWatch(this.client, connection, knowledge, {
      lost: (error) => this.#whenLost(error),
      ready: () => {
        this.begin.ready()
        this.turns.advance()
      },
      changed: (kind, name) => this.#kept?.changed(kind, name),
      forgotten: (name) => this.#kept?.forgotten(name),
    })
  }

  #clientFailed(error: Error): void {
    this.#failedBy = error
    // Whoever holds it sees the error by listeners and statements of its own; pg says by the wire what it means.
    if (!this.isHeld || this.wire === undefined) this.lose(error)
  }

  #whenLost(error: Error): void {
    this.#lostBy = error
    // Asked before the pool is told, because it then begins to close the connection.
    const isNews = !this.isHeld && !this.#isClosing && this.#observer !== undefined
    this.#observer?.lost(error)
    if (isNews) this.events?.lostIdle(error, this.lastHandle ?? this.client)
  }
}
