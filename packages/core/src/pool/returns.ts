import type { Connection } from '../connection/connection.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Owner } from '../ports/owner.js'
import type { IdleConnections } from './idle-connections.js'
import type { PoolState } from './pool-state.js'
import type { Recycler } from './recycler.js'
import type { Residents } from './residents.js'
import type { Verdict } from './verdict.js'
import type { Verifier } from './verifier.js'
import type { WaitingLine } from './waiting-line.js'

export interface ReturnsParts<Client> {
  readonly options: ResolvedPoolOptions<Client>
  readonly line: WaitingLine<Client>
  readonly idle: IdleConnections<Client>
  readonly residents: Residents<Client>
  readonly recycler: Recycler<Client>
  readonly verifier: Verifier<Client>
  readonly state: () => PoolState['is']
}

/** What becomes of a connection that nobody has any more: cleaned if it must be, then lent, laid to rest, or closed. */
export class Returns<Client> {
  readonly #parts: ReturnsParts<Client>

  constructor(parts: ReturnsParts<Client>) {
    this.#parts = parts
  }

  /** Takes a connection back from its owner. Returns nothing when it is done at once, else when it will be. */
  giveBack(connection: Connection<Client>, owner: Owner, now: number): Promise<void> | undefined {
    connection.recycle()
    const { isClean, lostBy } = connection.ledger
    const isVerified = this.#parts.verifier.isDue(connection)
    if (isClean && !isVerified) return this.offer(connection, now)
    const { residents } = this.#parts
    if (lostBy !== undefined) return residents.close(connection, 'lost', lostBy)
    // Nobody comes after this owner: the server cleans up by itself when the session ends.
    if (this.#parts.state() === 'closing') return residents.close(connection, 'pool-closed')
    return this.#recycle(connection, owner, isVerified)
  }

  /** Takes a connection back to be closed. */
  discard(connection: Connection<Client>, reason: unknown): Promise<void> {
    const { residents, state } = this.#parts
    connection.recycle()
    if (connection.ledger.lostBy !== undefined) return residents.close(connection, 'lost', reason)
    return residents.close(connection, state() === 'closing' ? 'pool-closed' : 'discarded', reason)
  }

  /** A connection that is fit for anybody, or is not. */
  judge(connection: Connection<Client>, verdict: Verdict): Promise<void> | undefined {
    if (verdict.fit) return this.offer(connection)
    return this.#parts.residents.close(connection, verdict.reason, verdict.error)
  }

  /** A connection fit for anybody: it goes to the next waiter, or to rest, or is closed if it has had its day. */
  offer(connection: Connection<Client>, now: number = this.#parts.options.clock.now()): Promise<void> | undefined {
    const { residents, line, idle, state } = this.#parts
    // A lease that asked nothing of the database proves nothing. A driver that never tells is taken at its word.
    connection.prove(connection.ledger.answeredAt ?? now)
    const isAwaited = line.queue.size > 0
    const doom = residents.doomOf(connection, now) ?? (isAwaited ? undefined : residents.surplusOf())
    if (doom !== undefined) return residents.close(connection, doom)
    if (isAwaited && state() === 'open') line.handOver(connection, now)
    else idle.add(connection, now)
    return undefined
  }

  async #recycle(connection: Connection<Client>, owner: Owner, isVerified: boolean): Promise<void> {
    return this.judge(connection, await this.#parts.recycler.recycle(connection, owner, isVerified))
  }
}
