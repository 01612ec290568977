import type { PgConnection } from '../wire/pg-connection.js'

/** A statement that makes settings, as the server keeps it for the next time. */
export interface PreparedStatement {
  readonly name: string
  readonly text: string
}

/** For so many settings at once the server keeps a statement: each number of them has one of its own. */
const MOST_SETTINGS = 16

const NO_SUCH_STATEMENT = '26000'

/**
 * The same few statements make all settings of a session. Kept by the server, they need not be read and planned each time,
 * which was a third of what they cost it. They stand among pg's own prepared statements, and are forgotten with these.
 */
export class PreparedSettings {
  readonly #connection: PgConnection
  /** Behind a pooler of sessions, a server's session may be another client's next. */
  readonly #ownName = `leasehold_settings_${Math.random().toString(36).slice(2, 8)}`
  /** By how many settings they make, so that no name is put together anew. */
  readonly #statements: PreparedStatement[] = []

  constructor(connection: PgConnection) {
    this.#connection = connection
  }

  /** @param settings how many of them the text makes. Undefined: too many for it to come again. */
  statement(text: string, settings: number): PreparedStatement | undefined {
    if (settings > MOST_SETTINGS) return undefined
    return (this.#statements[settings] ??= { name: `${this.#ownName}_${settings}`, text })
  }

  isKept({ name, text }: PreparedStatement): boolean {
    return this.#connection.parsedStatements?.[name] === text
  }

  /** The server has said that it keeps it. */
  keep({ name, text }: PreparedStatement): void {
    const { parsedStatements } = this.#connection
    if (parsedStatements !== undefined) parsedStatements[name] = text
  }

  /** The group that it stood in has failed. It may have been deallocated where nobody could see it, as inside a DO. */
  failed({ name }: PreparedStatement, code: string | undefined): void {
    if (code === NO_SUCH_STATEMENT) delete this.#connection.parsedStatements?.[name]
  }
}
