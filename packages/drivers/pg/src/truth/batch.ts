import type { PgConnection, PgSubmittable } from '../wire/pg-connection.js'
import type { BoundStatement } from './step.js'

/** Several statements under one Sync, as a driver with a pipeline sends them. Settles with the batch. */
export class Batch implements PgSubmittable {
  readonly over: Promise<void>
  readonly #statements: readonly BoundStatement[]
  #settle: (error?: Error) => void = () => {}

  constructor(statements: readonly BoundStatement[]) {
    this.#statements = statements
    this.over = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error))
    })
  }

  submit(connection: PgConnection): void {
    for (const { text, values = [] } of this.#statements) {
      connection.parse({ name: '', text, types: [] })
      connection.bind({ portal: '', statement: '', values: values.map(String), binary: false })
      connection.describe({ type: 'P', name: '' })
      connection.execute({ portal: '', rows: 0 })
    }
    connection.sync()
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}

  handleError(error: Error): void {
    this.#settle(error)
  }

  handleReadyForQuery(): void {
    this.#settle()
  }
}
