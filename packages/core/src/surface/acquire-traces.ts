import { acquireChannel, channels } from '../events/channels.js'
import type { AcquireEvent } from '../events/pool-events.js'
import type { Lending } from '../lease/lending.js'
import type { Clock } from '../ports/clock.js'

/** Tells whoever listens of every lease that is granted: by a trace around the call that waited for it, or by itself. */
export class AcquireTraces {
  readonly #pool: string
  readonly #poolId: number
  readonly #clock: Clock

  constructor(pool: string, poolId: number, clock: Clock) {
    this.#pool = pool
    this.#poolId = poolId
    this.#clock = clock
  }

  /** Whether anybody wants traces. */
  get areWanted(): boolean {
    return acquireChannel.hasSubscribers
  }

  /** Runs `grant` in a trace. @param lendingIn finds in what it grants the record of the lease. */
  async around<Granted>(
    grant: () => Promise<Granted>,
    lendingIn: (granted: Granted) => Lending<unknown>,
  ): Promise<Granted> {
    const since = this.#clock.now()
    const context = this.#unserved()
    return acquireChannel.tracePromise(async () => {
      const granted = await grant()
      Object.assign(context, servedBy(lendingIn(granted)), { waitedMs: this.#clock.now() - since })
      return granted
    }, context)
  }

  /** Of a lease that nobody has waited for, or called `acquire` for. */
  granted(lending: Lending<unknown>): void {
    if (!channels.acquire.hasSubscribers) return
    channels.acquire.publish(Object.assign(this.#unserved(), servedBy(lending)))
  }

  /** What a trace says of a caller until it is served. */
  #unserved(): AcquireEvent {
    const [pool, poolId] = [this.#pool, this.#poolId]
    return { pool, poolId, label: '', site: undefined, isJoined: false, waitedMs: 0, connection: 0 }
  }
}

function servedBy({ label, site, base, connection }: Lending<unknown>): Partial<AcquireEvent> {
  return { label, site, isJoined: base !== undefined, connection: connection.id }
}
