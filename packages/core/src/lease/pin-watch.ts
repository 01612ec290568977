import type { Connection } from '../connection/connection.js'
import type { PinRecord } from '../ports/session-effect.js'
import type { Lending } from './lending.js'

/** Finds what has tied a session to its owner for too long, and tells it once. */
export class PinWatch<Client> {
  readonly #report: (connection: Connection<Client>, pin: PinRecord, now: number) => void
  /** By where and since when it was made: a pin that was undone and made anew is another one. */
  #told = new Set<string>()

  constructor(report: (connection: Connection<Client>, pin: PinRecord, now: number) => void) {
    this.#report = report
  }

  /** Returns when the next pin may have lasted too long. */
  look(lendings: ReadonlyArray<Lending<Client>>, now: number, pinWarnMs: number): number {
    let nextAt = Number.POSITIVE_INFINITY
    const told = new Set<string>()
    for (const { connection, terms } of lendings) {
      // Meant to be held for long: a listener's LISTEN is as it should be.
      if (terms.isLong) continue
      for (const pin of connection.ledger.pins) {
        const dueAt = pin.since + pinWarnMs
        if (dueAt > now) {
          nextAt = Math.min(nextAt, dueAt)
          continue
        }
        const key = `${connection.id} ${pin.kind} ${pin.name ?? ''} ${pin.since}`
        if (!this.#told.has(key)) this.#report(connection, pin, now)
        told.add(key)
      }
    }
    // What is gone need not be remembered.
    this.#told = told
    return nextAt
  }
}
