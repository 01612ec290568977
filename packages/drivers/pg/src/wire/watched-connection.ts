import type { PgConnection } from './pg-connection.js'

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
}

const WATCH: unique symbol = Symbol('watch')

type ConnectionClass = new () => PgConnection

const watchedClasses = new WeakMap<ConnectionClass, ConnectionClass>()

/**
 * Puts `watch` between pg and one connection: the connection is given a class of its own kind, derived from the one that it
 * has. Functions put on each connection instead, and listeners beside pg's own, are others for every connection, so that V8
 * can inline neither them nor what calls them: in a transaction of three statements that took a fifth of pg's own time.
 *
 * To be called before `client.connect()`.
 */
export function watchConnection(connection: PgConnection, watch: ConnectionWatch): void {
  const Base = connection.constructor as ConnectionClass
  const Watched = watchedClasses.get(Base) ?? watchedClassOf(Base)
  watchedClasses.set(Base, Watched)
  Object.setPrototypeOf(connection, Watched.prototype as object)
  Object.defineProperty(connection, WATCH, { value: watch })
}

/** The methods that pg itself gave a connection, which nobody watches. */
export function unwatchedMethods(connection: PgConnection): PgConnection {
  let methods = Object.getPrototypeOf(connection) as PgConnection
  if (WATCH in connection) methods = Object.getPrototypeOf(methods) as PgConnection
  return methods
}

function watchedClassOf(Base: ConnectionClass): ConnectionClass {
  class WatchedConnection extends Base {
    declare readonly [WATCH]: ConnectionWatch

    override query(text?: unknown, more?: boolean): void {
      this[WATCH].queries(text)
      super.query(text, more)
    }

    override parse(message?: unknown, more?: boolean): void {
      this[WATCH].parses(message)
      super.parse(message, more)
    }

    override bind(message?: unknown, more?: boolean): void {
      this[WATCH].binds(message)
      super.bind(message, more)
    }

    override execute(message?: unknown, more?: boolean): void {
      this[WATCH].executes(message)
      super.execute(message, more)
    }

    override describe(message?: unknown, more?: boolean): void {
      this[WATCH].asks()
      super.describe(message, more)
    }

    override close(message?: unknown, more?: boolean): void {
      this[WATCH].asks()
      super.close(message, more)
    }

    override sync(message?: unknown, more?: boolean): void {
      this[WATCH].syncs()
      super.sync(message, more)
    }

    /** Before all listeners: pg's run the user's callbacks, and a user's callback may release the connection. */
    override emit(event: string | symbol, message?: unknown, more?: unknown): boolean {
      // There may be thousands of rows, and they tell nothing.
      if (event !== 'dataRow') this[WATCH].receives(event, message)
      return more === undefined ? super.emit(event, message) : super.emit(event, message, more)
    }
  }
  // Who makes another connection like this one (a cancel request goes on one) means pg's own.
  Object.defineProperty(WatchedConnection.prototype, 'constructor', { value: Base })
  return WatchedConnection
}
