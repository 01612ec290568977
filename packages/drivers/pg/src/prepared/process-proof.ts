import type * as pg from 'pg'
import { type AheadMessage, KEPT, type StatementAhead } from '../wire/watched-connection.js'

/**
 * Asks the server which process it is, in one group with a statement that goes out anyway. Where that is not the one that
 * the connection was opened with, a proxy stands in between, and the session may be somebody else's next.
 */
export class ProcessProof implements StatementAhead {
  readonly #client: pg.Client
  readonly #proved: (isDirect: boolean) => void
  #told: string | undefined
  #isAnswering = true

  /** @param proved is told once, when the server has answered; not at all if it could not. */
  constructor(client: pg.Client, proved: (isDirect: boolean) => void) {
    this.#client = client
    this.#proved = proved
  }

  goes(): AheadMessage {
    return { text: 'SELECT pg_catalog.pg_backend_pid()' }
  }

  receives(event: string | symbol, message: unknown): unknown {
    if (!this.#isAnswering) return undefined
    switch (event) {
      case 'parseComplete':
      case 'bindComplete':
        return KEPT
      case 'dataRow':
        this.#told = String((message as { readonly fields: readonly unknown[] }).fields[0])
        return KEPT
      case 'commandComplete': {
        this.#isAnswering = false
        const { processID } = this.#client as { readonly processID?: number | null }
        this.#proved(this.#told === String(processID))
        return KEPT
      }
      case 'errorMessage':
        this.#isAnswering = false
        return undefined
      default:
        return undefined
    }
  }
}
