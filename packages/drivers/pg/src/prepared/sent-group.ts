import type { PgConnection } from '../wire/pg-connection.js'
import { inOnePacket } from '../wire/watched-connection.js'
import type { NamedStatement } from './statement-names.js'

/** The messages of one statement up to its Sync, as pg has sent them, from a Parse on that went out by a name, or not at all. */
export class SentGroup {
  readonly statement: NamedStatement
  /** The server has read it before: its Parse was not sent. */
  readonly isKept: boolean
  /** The server has taken the values, and begins to run it. */
  isBound = false
  /** The server has refused it before it ran, and it is to go again. */
  isRefused = false
  readonly #parse: unknown
  /** Nothing else has been done in its transaction. */
  readonly #isAlone: boolean
  #bind: unknown
  #describe: unknown
  #execute: unknown
  /** There is more to it than one Parse, Bind, Describe and Execute. */
  #isOdd = false

  constructor(statement: NamedStatement, isKept: boolean, parse: unknown, isAlone: boolean) {
    this.statement = statement
    this.isKept = isKept
    this.#parse = parse
    this.#isAlone = isAlone
  }

  binds(message: unknown): void {
    if (this.#bind !== undefined) this.#isOdd = true
    this.#bind = message
  }

  describes(message: unknown): void {
    if (this.#describe !== undefined) this.#isOdd = true
    this.#describe = message
  }

  executes(message: unknown): void {
    if (this.#execute !== undefined) this.#isOdd = true
    this.#execute = message
  }

  sendsMore(): void {
    this.#isOdd = true
  }

  /** Whether nobody would notice if it went again. */
  get isRepeatable(): boolean {
    return this.#isAlone && !this.#isOdd && this.#execute !== undefined
  }

  /**
   * Sends it again as pg has sent it, under no name.
   *
   * @param unwatched pg's own methods: it is counted already.
   */
  repeat(connection: PgConnection, unwatched: PgConnection): void {
    inOnePacket(connection, () => {
      unwatched.parse.call(connection, this.#parse)
      unwatched.bind.call(connection, this.#bind)
      if (this.#describe !== undefined) unwatched.describe.call(connection, this.#describe)
      unwatched.execute.call(connection, this.#execute)
      unwatched.sync.call(connection)
    })
  }
}
