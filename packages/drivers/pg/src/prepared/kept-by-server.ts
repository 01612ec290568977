import type { NamedStatement, StatementNames } from './statement-names.js'

/** Which named statements one session of the server keeps, as far as it has said so. */
export class KeptByServer {
  readonly #names: StatementNames
  /** With the use at which each was used last. */
  readonly #kept = new Map<NamedStatement, number>()
  #uses = 0
  #generation: number
  #outdated: string[] = []

  constructor(names: StatementNames) {
    this.#names = names
    this.#generation = names.generation
  }

  /** Notes a use, and makes room for one that is not kept yet. Returns whether it is. */
  uses(statement: NamedStatement): boolean {
    this.#uses += 1
    const isKept = this.#kept.has(statement)
    if (isKept) this.#kept.set(statement, this.#uses)
    else if (this.#kept.size >= this.#names.max) this.#dropOldest()
    return isKept
  }

  /** The server has read it. */
  keeps(statement: NamedStatement): void {
    this.#kept.set(statement, this.#uses)
  }

  /** It is to be read anew the next time. */
  drop(statement: NamedStatement): void {
    if (this.#kept.delete(statement)) this.#outdated.push(statement.name)
  }

  /** The server keeps one no more, or, without a name, none. */
  forgotten(name: string | undefined): void {
    for (const statement of this.#kept.keys()) {
      if (name === undefined || statement.name === name) this.#kept.delete(statement)
    }
  }

  /** The names that the server is to forget; it counts as told. */
  takeOutdated(): readonly string[] {
    if (this.#names.generation !== this.#generation) {
      this.#generation = this.#names.generation
      for (const statement of this.#kept.keys()) this.drop(statement)
    }
    if (this.#outdated.length === 0) return this.#outdated
    const outdated = this.#outdated
    this.#outdated = []
    return outdated
  }

  /** Looked for only where one more comes in: nothing has to be kept in order at each use. */
  #dropOldest(): void {
    let oldest: NamedStatement | undefined
    let since = Infinity
    for (const [statement, usedAt] of this.#kept) {
      if (usedAt >= since) continue
      since = usedAt
      oldest = statement
    }
    if (oldest !== undefined) this.drop(oldest)
  }
}
