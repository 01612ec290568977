import type { Connection } from '../connection/connection.js'
import { ConnectFailedError, type ConnectFailedFacts } from '../errors/connect-failed-error.js'
import type { Clock } from '../ports/clock.js'
import type { Driver, ErrorKind } from '../ports/driver.js'
import type { Agenda } from './agenda.js'
import { farewell } from './farewell.js'
import type { Slots } from './slots.js'

/** One attempt, for those who hear how it ended. */
export interface Attempt {
  readonly startedAt: number
  /** That of the attempt's start: if the pool reconnects meanwhile, what arrives is of the old one. */
  readonly generation: number
  /** Whether it is made to learn if the server is back, and for no caller. */
  readonly isProbe: boolean
}

export interface ConnectorParts<Client> {
  readonly pool: string
  readonly driver: Driver<Client>
  readonly clock: Clock
  readonly agenda: Agenda
  readonly slots: Slots
  readonly kindOf: (error: unknown) => ErrorKind
  readonly closeTimeoutMs: number
  /** Runs what it is given outside every context: a socket keeps the context that it is made in. */
  readonly outside: <R>(work: () => R) => R
  /** Takes in a client that was opened; throws when the driver cannot watch it, and has taken in nothing then. */
  readonly admit: (client: Client, attempt: Attempt) => Connection<Client>
  /** A connection was opened. */
  readonly opened: (connection: Connection<Client>, attempt: Attempt) => void
  /** An attempt failed. */
  readonly failed: (error: ConnectFailedError, attempt: Attempt) => void
  /** A slot came free without a connection, or none is to be expected of an attempt any more. */
  readonly freed: () => void
}

type Dial =
  | {
      readonly is: 'under way'
      readonly of: Attempt
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

  /** Starts one attempt, which is given up after `timeoutMs`. There must be room for it. */
  open(of: Attempt, timeoutMs: number): void {
    const { agenda, slots, driver } = this.#parts
    slots.reserve()
    const controller = new AbortController()
    const takeBack = agenda.at(of.startedAt + timeoutMs, () => this.#abandon(attempt, 'timed out'))
    const attempt: { dial: Dial } = { dial: { is: 'under way', of, controller, takeBack } }
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
      this.#admit(client, dial.of)
      return
    }
    // Nobody waits for this one any more: it must not stay open unseen.
    if (dial.is === 'abandoned') dial.takeBack()
    attempt.dial = { is: 'over' }
    void farewell(this.#parts.driver, client, this.#parts).then(() => {
      if (dial.is === 'abandoned') this.#bury()
    })
  }

  #admit(client: Client, of: Attempt): void {
    let connection: Connection<Client>
    try {
      connection = this.#parts.admit(client, of)
    } catch (error) {
      this.#parts.slots.abandoned()
      void farewell(this.#parts.driver, client, this.#parts).then(() => this.#bury())
      this.#parts.failed(this.#describe(of, error, 'not watched'), of)
      this.#parts.freed()
      return
    }
    this.#parts.opened(connection, of)
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
    this.#parts.failed(this.#describe(dial.of, error, 'refused'), dial.of)
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
    if (why === 'timed out') this.#parts.failed(this.#describe(dial.of, cause, 'timed out'), dial.of)
    // Whoever counted on this attempt need not wait until its socket is gone: there may be room for another.
    this.#parts.freed()
  }

  #bury(): void {
    this.#parts.slots.buried()
    this.#parts.freed()
  }

  #describe({ startedAt }: Attempt, cause: unknown, how: ConnectFailedFacts['how']): ConnectFailedError {
    const { pool, driver, clock } = this.#parts
    const kind = how === 'timed out' ? 'transient' : this.#parts.kindOf(cause)
    return new ConnectFailedError({
      pool,
      driver: driver.name,
      afterMs: clock.now() - startedAt,
      how,
      kind,
      cause,
    })
  }
}
