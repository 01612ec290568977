import type { PgConnection } from './pg-connection.js'

/** The texts of the named statements that were sent on a connection, by name. */
export class NamedStatements {
  readonly #connection: PgConnection
  readonly #sent = new Map<string, string | undefined>()

  constructor(connection: PgConnection) {
    this.#connection = connection
  }

  sent(name: string, text: string | undefined): void {
    this.#sent.set(name, text)
  }

  textOf(name: string): string | undefined {
    // pg itself knows it only when the server has parsed it, and its bind is sent before that.
    return this.#connection.parsedStatements?.[name] ?? this.#sent.get(name)
  }

  /**
   * The server has forgotten one, or all. Keeps pg's own memory of them true: it would bind one that is not there.
   *
   * @param name undefined for all.
   */
  forget(name: string | undefined): void {
    if (name === undefined) this.#sent.clear()
    else this.#sent.delete(name)
    const { parsedStatements } = this.#connection
    if (parsedStatements === undefined) return
    for (const known of name === undefined ? Object.keys(parsedStatements) : [name]) delete parsedStatements[known]
  }
}
