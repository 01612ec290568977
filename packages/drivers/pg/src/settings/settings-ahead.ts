import type { PgConnection, PgSubmittable } from '../wire/pg-connection.js'

/** What the one who sent it is told. */
export interface SettingsAheadEvents {
  readonly submit: (connection: PgConnection) => void
  readonly failed: (error: Error) => void
  readonly ready: () => void
}

/** The settings as a statement of their own, in the form in which pg takes what is not one of its queries. */
export class SettingsAhead implements PgSubmittable {
  /**
   * Called when it is over. pg puts one in its place that stops the timer of a `query_timeout`; tracers end their spans
   * there, and Datadog's throws where there is none.
   */
  callback: (error?: Error) => void = () => {}
  readonly #events: SettingsAheadEvents

  constructor(events: SettingsAheadEvents) {
    this.#events = events
  }

  submit(connection: PgConnection): void {
    this.#events.submit(connection)
  }

  handleDataRow(): void {}

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.callback(error)
    this.#events.failed(error)
  }

  handleReadyForQuery(): void {
    this.callback()
    this.#events.ready()
  }
}
