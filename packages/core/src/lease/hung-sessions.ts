import type { Connection } from '../connection/connection.js'
import { callSafely } from '../pool/call-safely.js'
import type { Connections } from '../pool/connections.js'
import type { Lending } from './lending.js'

/**
 * Gives up sessions that are lent and whose server has hung: it heeds no cancel, and never answers the ROLLBACK that comes
 * next, so that whoever awaits that would never give its lease back. What has not ended `resetTimeoutMs` after it should have
 * is destroyed, and its holder learns of it by what it waits for.
 */
export class HungSessions<Client> {
  readonly #connections: Connections<Client>

  constructor(connections: Connections<Client>) {
    this.#connections = connections
  }

  /** A statement was cancelled: the session is to be quiet soon, whoever has it. */
  cancelled(connection: Connection<Client>): void {
    const { agenda, options } = this.#connections
    const takeBack = agenda.at(options.clock.now() + options.resetTimeoutMs, () => this.#giveUp(connection))
    connection.ledger.onQuiet(takeBack)
  }

  /** Its holder has aborted: all that it may still send is what ends a transaction, and that takes no time of note. */
  aborted(lending: Lending<Client>): void {
    // What shares a session with others may wait for theirs, which may take their time.
    if (lending.base === undefined) this.#watch(lending, this.#connections.options.clock.now())
  }

  #watch(lending: Lending<Client>, abortedAt: number): void {
    const { agenda, options } = this.#connections
    const { connection } = lending
    agenda.at(this.#dueAt(connection, abortedAt), () => {
      if (!lending.open || connection.ledger.lostBy !== undefined) return
      if (this.#dueAt(connection, abortedAt) > options.clock.now()) this.#watch(lending, abortedAt)
      else this.#giveUp(connection)
    })
  }

  /** When it has worked for too long, or would have if it began now. */
  #dueAt({ ledger }: Connection<Client>, abortedAt: number): number {
    const { clock, resetTimeoutMs } = this.#connections.options
    return Math.max(abortedAt, ledger.busySince ?? clock.now()) + resetTimeoutMs
  }

  /** One that is being cleaned, checked or closed has a bound of its own. */
  #giveUp({ state, client }: Connection<Client>): void {
    const { driver } = this.#connections
    if (state.at !== 'lent') return
    callSafely(
      () => driver.destroy?.(client),
      () => {},
    )
  }
}
