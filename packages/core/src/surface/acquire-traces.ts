import { acquireChannel } from '../events/channels.js'
import type { AcquireEvent } from '../events/pool-events.js'
import type { Lending } from '../lease/lending.js'
import type { Clock } from '../ports/clock.js'

/** What Node's own traces add. */
interface TraceContext extends AcquireEvent {
  result?: unknown
  error?: unknown
}

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

  /**
   * Runs `grant` in a trace, and returns its own promise: `tracePromise` returns one that is later by a few turns, and what is
   * traced must do the same as what is not.
   *
   * @param lendingIn finds in what it grants the record of the lease.
   */
  around<Granted>(grant: () => Promise<Granted>, lendingIn: (granted: Granted) => Lending<unknown>): Promise<Granted> {
    return this.#trace((served, failed) => {
      const granted = begin(grant)
      // Before whoever is given the promise: they are told first.
      granted.then((lease) => served(lendingIn(lease), lease), failed)
      return granted
    })
  }

  /** The same for what calls back, at once or later. */
  aroundCall<Granted>(
    grant: (serve: (granted: Granted) => void, refuse: (error: unknown) => void) => void,
    lendingIn: (granted: Granted) => Lending<unknown>,
    serve: (granted: Granted) => void,
    refuse: (error: unknown) => void,
  ): void {
    this.#trace((served, failed) =>
      grant(
        (granted) => {
          served(lendingIn(granted), granted)
          serve(granted)
        },
        (error) => {
          failed(error)
          refuse(error)
        },
      ),
    )
  }

  /** Of a lease that nobody has waited for, or called `acquire` for: a whole trace as well, as tracers begin a span at its start. */
  granted(lending: Lending<unknown>, result?: unknown): void {
    if (this.areWanted) this.#trace((served) => served(lending, result))
  }

  #trace<R>(
    work: (served: (lending: Lending<unknown>, result: unknown) => void, failed: (error: unknown) => void) => R,
  ): R {
    const since = this.#clock.now()
    const context: TraceContext = this.#unserved()
    const { start, end, asyncStart, asyncEnd, error: errors } = acquireChannel
    const isOver = (): void => {
      asyncStart.publish(context)
      asyncEnd.publish(context)
    }
    const served = (lending: Lending<unknown>, result: unknown): void => {
      Object.assign(context, servedBy(lending), { waitedMs: this.#clock.now() - since, result })
      isOver()
    }
    const failed = (error: unknown): void => {
      context.error = error
      errors.publish(context)
      isOver()
    }
    return start.runStores(context, () => {
      try {
        return work(served, failed)
      } finally {
        end.publish(context)
      }
    })
  }

  /** What a trace says of a caller until it is served. */
  #unserved(): AcquireEvent {
    const [pool, poolId] = [this.#pool, this.#poolId]
    return { pool, poolId, label: '', site: undefined, isJoined: false, waitedMs: 0, connection: 0 }
  }
}

/** What throws at once fails as what rejects does. */
function begin<Granted>(grant: () => Promise<Granted>): Promise<Granted> {
  try {
    return grant()
  } catch (error) {
    return Promise.reject(error)
  }
}

function servedBy({ label, site, base, connection }: Lending<unknown>): Partial<AcquireEvent> {
  return { label, site, isJoined: base !== undefined, connection: connection.id }
}
