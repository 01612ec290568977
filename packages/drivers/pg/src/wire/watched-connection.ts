import type { PgConnection } from './pg-connection.js'
import { configOf } from './pg-privates.js'
import type { StatementKeeper } from './statement-keeper.js'

/** Is told what a connection sends and receives, each before pg acts on it. */
export interface ConnectionWatch {
  /** A simple Query. */
  queries(text: unknown): void
  parses(message: unknown): void
  binds(message: unknown): void
  executes(message: unknown): void
  /** A message that some Sync must follow, and that runs nothing. */
  asks(): void
  syncs(): void
  /** An answer of the server's but a row, or an event of the connection itself. */
  receives(event: string | symbol, message: unknown): void
  /** pg has dealt with a ReadyForQuery. */
  ready(): void
}

/** A statement in the form in which it goes out in front of another. */
export interface AheadMessage {
  readonly text: string
  /** Of one that the server is to keep. */
  readonly name?: string
  /** The server keeps it already. */
  readonly isKept?: boolean
  readonly values?: ReadonlyArray<string | null>
}

/** That an answer is shown to nobody. */
export const KEPT: unique symbol = Symbol('kept from pg')

/** What goes out in front of a statement, up to the same ReadyForQuery: if it fails, the server does not run that. */
export interface StatementAhead {
  /** It goes out now. */
  goes(): AheadMessage
  /**
   * Told what the server says, its ReadyForQuery included, before anybody else is.
   *
   * @returns `KEPT` where nobody else is to see it; something else that is shown in its place; undefined for itself.
   */
  receives(event: string | symbol, message: unknown): unknown
}

const WATCH: unique symbol = Symbol('watch')
const AHEAD: unique symbol = Symbol('ahead')
const ANSWERED: unique symbol = Symbol('answered')
const KEEPER: unique symbol = Symbol('keeper')

interface WatchedFields extends PgConnection {
  [WATCH]: ConnectionWatch
  /** What goes out with the next statement. */
  [AHEAD]: StatementAhead | undefined
  /** What has gone out like that, and is being answered. */
  [ANSWERED]: StatementAhead | undefined
  [KEEPER]: StatementKeeper | undefined
}

type ConnectionClass = new (config?: object) => PgConnection

const watchedClasses = new WeakMap<ConnectionClass, ConnectionClass>()

/**
 * Puts `watch` between pg and the connection of a client, which is given one of a class of its own for that, derived from the
 * one that it has. Functions put on each connection instead, and listeners beside pg's own, are others for every connection,
 * so that V8 can inline neither them nor what calls them: in a transaction of three statements that took a fifth of pg's time.
 *
 * To be called before `client.connect()`.
 *
 * @returns the connection of the client from now on.
 */
export function watchConnection(client: object, connection: PgConnection, watch: ConnectionWatch): PgConnection {
  const Base = connection.constructor as ConnectionClass
  const Watched = watchedClasses.get(Base) ?? watchedClassOf(Base)
  watchedClasses.set(Base, Watched)
  const config = configOf(connection)
  // Made anew, since V8 gives each object whose prototype was changed a shape of its own; what is not pg's own is kept, and
  // so is what was made with more than pg has: by a later pg, or by a fork that goes by its name.
  const anew = config === undefined ? undefined : new Watched(config)
  const watched = (anew !== undefined && isLike(connection, anew) ? anew : connection) as WatchedFields
  if (watched === connection) Object.setPrototypeOf(connection, Watched.prototype as object)
  else (client as { connection: PgConnection }).connection = watched
  watched[WATCH] = watch
  watched[AHEAD] = undefined
  watched[ANSWERED] = undefined
  watched[KEEPER] = undefined
  return watched
}

/** Whether all that a connection was made with is in another one. Its objects (socket, listeners, TLS) are pg's own affair. */
function isLike(connection: object, anew: object): boolean {
  const fields = anew as Readonly<Record<string, unknown>>
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
  return Object.entries(connection).every(([name, value]) => isObject(value) || Object.is(value, fields[name]))
}

/** Has `keeper` say how statements go out from now on. */
export function keepStatements(connection: PgConnection, keeper: StatementKeeper): void {
  ;(connection as WatchedFields)[KEEPER] = keeper
}

/** Sends `ahead` in one group with the next statement, which must be one that can be sent in the extended protocol. */
export function sendAhead(connection: PgConnection, ahead: StatementAhead): void {
  ;(connection as WatchedFields)[AHEAD] = ahead
}

/** Takes back what has not gone out: the statement that it was for may never have been sent. */
export function keepBack(connection: PgConnection, ahead: StatementAhead): void {
  const watched = connection as WatchedFields
  if (watched[AHEAD] === ahead) watched[AHEAD] = undefined
}

/** Sends `ahead` now. By pg's own methods: nobody counts it, and it has no Sync of its own. */
export function goAhead(connection: PgConnection, ahead: StatementAhead): void {
  const watched = connection as WatchedFields
  watched[AHEAD] = undefined
  watched[ANSWERED] = ahead
  // See the end of `watchedClassOf`.
  const unwatched = connection.constructor.prototype as PgConnection
  const { text, name, isKept, values } = ahead.goes()
  if (isKept !== true) unwatched.parse.call(connection, { text, name })
  unwatched.bind.call(connection, { statement: name, values })
  unwatched.execute.call(connection, {})
}

function watchedClassOf(Base: ConnectionClass): ConnectionClass {
  class WatchedConnection extends Base {
    declare [WATCH]: ConnectionWatch;
    declare [AHEAD]: StatementAhead | undefined;
    declare [ANSWERED]: StatementAhead | undefined;
    declare [KEEPER]: StatementKeeper | undefined

    override query(text?: unknown, more?: boolean): void {
      if (this[AHEAD] !== undefined) return queryBehind(this, text)
      this[KEEPER]?.queries(text)
      this[WATCH].queries(text)
      super.query(text, more)
    }

    override parse(message?: unknown, more?: boolean): void {
      const keeper = this[KEEPER]
      const sent = keeper === undefined ? message : keeper.parses(message, this[AHEAD] === undefined)
      if (this[AHEAD] !== undefined) goAhead(this, this[AHEAD])
      this[WATCH].parses(message)
      if (sent !== undefined) super.parse(sent, more)
    }

    override bind(message?: unknown, more?: boolean): void {
      if (this[AHEAD] !== undefined) goAhead(this, this[AHEAD])
      this[WATCH].binds(message)
      super.bind(this[KEEPER] === undefined ? message : this[KEEPER].binds(message), more)
    }

    override execute(message?: unknown, more?: boolean): void {
      this[KEEPER]?.executes(message)
      this[WATCH].executes(message)
      super.execute(message, more)
    }

    override describe(message?: unknown, more?: boolean): void {
      this[WATCH].asks()
      super.describe(this[KEEPER] === undefined ? message : this[KEEPER].describes(message), more)
    }

    override close(message?: unknown, more?: boolean): void {
      this[KEEPER]?.closes()
      this[WATCH].asks()
      super.close(message, more)
    }

    override sync(message?: unknown, more?: boolean): void {
      this[WATCH].syncs()
      super.sync(message, more)
    }

    /** Before all listeners: pg's run the user's callbacks, and a user's callback may release the connection. */
    override emit(event: string | symbol, message?: unknown, more?: unknown): boolean {
      const ahead = this[ANSWERED]
      if (ahead !== undefined) {
        if (event === 'readyForQuery') this[ANSWERED] = undefined
        const shown = ahead.receives(event, message)
        if (shown === KEPT) return true
        if (shown !== undefined) message = shown
      }
      // There may be thousands of rows, and they tell nothing.
      if (event !== 'dataRow') {
        if (this[KEEPER]?.receives(event, message) === true) return true
        this[WATCH].receives(event, message)
      }
      const isHeard = more === undefined ? super.emit(event, message) : super.emit(event, message, more)
      // No listener of our own: with a second one, Node copies the list each time.
      if (event === 'readyForQuery') this[WATCH].ready()
      return isHeard
    }
  }
  // Who makes another connection like this one (a cancel request goes on one) means pg's own.
  Object.defineProperty(WatchedConnection.prototype, 'constructor', { value: Base })
  return WatchedConnection
}

/** A simple Query cannot stand in a group: sent like this, its answer is the same. */
function queryBehind(connection: WatchedFields, text: unknown): void {
  inOnePacket(connection, () => {
    connection.parse({ text })
    connection.bind({})
    connection.describe({ type: 'P' })
    connection.execute({})
    connection.sync()
  })
}

/** Has what is sent leave in one packet, as pg sends what belongs together. */
export function inOnePacket({ stream }: PgConnection, send: () => void): void {
  stream.cork()
  try {
    send()
  } finally {
    stream.uncork()
  }
}
