import { ConnectFailedError } from '../errors/connect-failed-error.js'
import type { Clock } from '../ports/clock.js'
import type { Driver } from '../ports/driver.js'
import type { Agenda } from './agenda.js'
import { farewell } from './farewell.js'
import type { Slots } from './slots.js'

export interface ConnectorParts<Client> {
  readonly pool: string
  readonly driver: Driver<Client>
  readonly clock: Clock
  readonly agenda: Agenda
  readonly slots: Slots
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  /** Runs what it is given outside every context: a socket keeps the context that it is made in. */
  readonly outside: <R>(work: () => R) => R
  /** A connection was opened. */
  readonly opened: (client: Client, startedAt: number, generation: number) => void
  /** An attempt failed. `forgone` when nobody wanted it any more. */
  readonly failed: (error: ConnectFailedError, forgone: boolean) => void
  /** A slot came free without a connection, or none is to be expected of an attempt any more. */
  readonly freed: () => void
}

type Dial =
  | {
      readonly is: 'under way'
      readonly startedAt: number
      readonly generation: number
      readonly controller: AbortController
      readonly takeBack: () => void
    }
  /** Given up, but its socket may still be there: it counts until the attempt ends, or a bound passes. */
  | { readonly is: 'abandoned'; readonly takeBack: () => void }
  | { readonly is: 'over' }

/** Opens connections in the background. Who waits never waits for one attempt in particular. */
export class Connector<Client> {
  readonly #parts: ConnectorParts<Client>
  readonly #dials = new Set<{ dial: Dial }>()

  constructor(parts: ConnectorParts<Client>) {
    this.#parts = parts
  }

  /**
   * Starts one attempt. There must be room for it. `generation` is that of the attempt's start: if the pool reconnects
   * meanwhile, what arrives is of the old one.
   */
  open(generation: number): void {
    const { clock, agenda, slots, driver, connectTimeoutMs } = this.#parts
    slots.reserve()
    const startedAt = clock.now()
    const controller = new AbortController()
    const takeBack = agenda.at(startedAt + connectTimeoutMs, () => this.#abandon(attempt, 'timed out'))
    const attempt: { dial: Dial } = { dial: { is: 'under way', startedAt, generation, controller, takeBack } }
    this.#dials.add(attempt)
    // What follows the connect is outside too: the session's listeners are set up there.
    this.#parts.outside(() => {
      // The executor turns a driver that throws at once into one that rejects.
      new Promise<Client>((resolve) => resolve(driver.connect(controller.signal))).then(
        (client) => this.#arrived(attempt, client),
        (error: unknown) => this.#refused(attempt, error),
      )
    })
  }

  /** Gives up every attempt under way. */
  abortAll(): void {
    for (const attempt of this.#dials) this.#abandon(attempt, 'forgone')
  }

  #arrived(attempt: { dial: Dial }, client: Client): void {
    const { dial } = attempt
    this.#dials.delete(attempt)
    if (dial.is === 'under way') {
      dial.takeBack()
      attempt.dial = { is: 'over' }
      this.#parts.opened(client, dial.startedAt, dial.generation)
      return
    }
    // Nobody waits for this one any more: it must not stay open unseen.
    if (dial.is === 'abandoned') dial.takeBack()
    attempt.dial = { is: 'over' }
    void farewell(this.#parts.driver, client, this.#parts).then(() => {
      if (dial.is === 'abandoned') this.#bury()
    })
  }

  #refused(attempt: { dial: Dial }, error: unknown): void {
    const { dial } = attempt
    this.#dials.delete(attempt)
    attempt.dial = { is: 'over' }
    if (dial.is === 'over') return
    dial.takeBack()
    if (dial.is === 'abandoned') {
      this.#bury()
      return
    }
    this.#parts.slots.failed()
    this.#parts.failed(this.#describe(dial.startedAt, error, false), false)
    this.#parts.freed()
  }

  #abandon(attempt: { dial: Dial }, why: 'timed out' | 'forgone'): void {
    const { dial } = attempt
    if (dial.is !== 'under way') return
    dial.takeBack()
    const { slots, agenda, clock, closeTimeoutMs } = this.#parts
    slots.abandoned()
    const takeBack = agenda.at(clock.now() + closeTimeoutMs, () => {
      attempt.dial = { is: 'over' }
      this.#dials.delete(attempt)
      this.#bury()
    })
    attempt.dial = { is: 'abandoned', takeBack }
    const cause = new Error(
      why === 'timed out' ? 'the connect timeout passed' : 'the connection was not wanted any more',
    )
    dial.controller.abort(cause)
    this.#parts.failed(this.#describe(dial.startedAt, cause, why === 'timed out'), why === 'forgone')
    // Whoever counted on this attempt need not wait until its socket is gone: there may be room for another.
    this.#parts.freed()
  }

  #bury(): void {
    this.#parts.slots.buried()
    this.#parts.freed()
  }

  #describe(startedAt: number, cause: unknown, timedOut: boolean): ConnectFailedError {
    const { pool, driver, clock } = this.#parts
    const kind = timedOut ? 'transient' : driver.classify(cause)
    return new ConnectFailedError({
      pool,
      driver: driver.name,
      afterMs: clock.now() - startedAt,
      timedOut,
      kind,
      cause,
    })
  }
}
