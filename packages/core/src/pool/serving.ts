import type { Connection } from '../connection/connection.js'
import type { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Dials } from './dials.js'
import type { IdleConnections } from './idle-connections.js'
import type { PoolState } from './pool-state.js'
import type { Reports } from './reports.js'
import type { Residents } from './residents.js'
import type { Slots } from './slots.js'
import type { WaitingLine } from './waiting-line.js'

export interface ServingParts<Client> {
  readonly options: ResolvedPoolOptions<Client>
  readonly slots: Slots
  readonly line: WaitingLine<Client>
  readonly idle: IdleConnections<Client>
  readonly dials: Dials<Client>
  readonly residents: Residents<Client>
  readonly reports: Reports<Client>
  readonly state: () => PoolState['is']
}

/** Gives callers what there is: an idle connection, a check of one, a new one; or the reason why there will be none. */
export class Serving<Client> {
  readonly #parts: ServingParts<Client>

  constructor(parts: ServingParts<Client>) {
    this.#parts = parts
  }

  /** A connection that can be lent this instant, if nobody waits for one. @see Connections.takeIdle */
  takeIdle(now: number, wanted: DeclaredSettings | undefined, mayCarry: boolean): Connection<Client> | undefined {
    const { line, idle, state } = this.#parts
    if (idle.size === 0 || line.queue.size > 0 || state() !== 'open') return undefined
    return mayCarry ? idle.nextCarrying(wanted, now) : idle.next(now)
  }

  /** How many callers wait for whom no connection is on its way or could be. @see Connections.backlog */
  get backlog(): number {
    const { slots, line, dials, state } = this.#parts
    if (state() !== 'open') return line.queue.size
    const room = dials.guard.breaker.isShut ? 0 : Math.max(0, slots.limit - slots.total)
    return line.queue.size - slots.opening - slots.checking - room
  }

  /**
   * Serves who waits: from idle connections, checks of such, or new ones being opened.
   *
   * @param cameAt when the last of them came, if that was in this turn.
   */
  serve(cameAt?: number): void {
    const { slots, line, idle, dials, options, state } = this.#parts
    while (state() === 'open' && line.queue.size > slots.opening + slots.checking) {
      const now = idle.size > 0 ? options.clock.now() : 0
      const { checking } = slots
      const connection = idle.size > 0 ? idle.next(now) : undefined
      if (connection !== undefined) line.handOver(connection, now)
      // A check was started instead. It stands for one waiter; there may be idle ones for the others.
      else if (slots.checking > checking) continue
      else if (!dials.open(cameAt)) break
    }
    if (line.queue.size > 0 && state() === 'open') this.#refuseHopeless()
  }

  /**
   * One failed attempt answers one caller, the one whose turn it is: the others may yet be served. A server that is full
   * has not failed those who can wait for a connection that the pool has.
   */
  connectFailed(error: ConnectFailedError): void {
    const { options, residents, line } = this.#parts
    if (error.kind === 'saturated' && options.backoff !== false && residents.isAnyAlive()) return
    line.refuseNext(error)
  }

  /** Answers at once who waits for a connection that will not be opened, if there is none alive that could come back. */
  #refuseHopeless(): void {
    const { line, dials, residents, reports } = this.#parts
    const first = dials.refusal()
    if (first === undefined || residents.isAnyAlive()) return
    if (first.code === 'LEASEHOLD_CIRCUIT_OPEN') reports.counts.circuitOpen += line.queue.size
    line.refuseAll(() => dials.refusal() ?? first)
  }
}
