import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type * as pg from 'pg'

/** pg's own connection, as far as it is used here. @types/pg leaves most of it out. */
export interface PgConnection extends EventEmitter {
  stream: Duplex
  readonly ssl: unknown
  readonly sslNegotiation?: string
  readonly parsedStatements?: Record<string, string | undefined>
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  query(message?: unknown, more?: boolean): void
  parse(message?: unknown, more?: boolean): void
  bind(message?: unknown, more?: boolean): void
  describe(message?: unknown, more?: boolean): void
  execute(message?: unknown, more?: boolean): void
  flush(message?: unknown, more?: boolean): void
  sync(message?: unknown, more?: boolean): void
  close(message?: unknown, more?: boolean): void
  sendCopyFromChunk(message?: unknown, more?: boolean): void
  endCopyFrom(message?: unknown, more?: boolean): void
  sendCopyFail(message?: unknown, more?: boolean): void
  end(message?: unknown, more?: boolean): void
}

/** What pg's client has besides its types. */
export interface PgClientInternals {
  readonly connection: PgConnection | undefined
  readonly processID: number | null
  readonly secretKey: number | null
}

/** What can be given to `client.query` in place of a text: a cursor, a stream, a COPY. */
export interface PgSubmittable {
  submit(connection: PgConnection): unknown
  callback?: unknown
  handleError?(error: Error, connection: PgConnection): void
}

/** pg's connection below a client; none below a client that is not pg's own (a native one, a stand-in). */
export function connectionOf(client: pg.Client): PgConnection | undefined {
  const { connection } = client as unknown as PgClientInternals
  return typeof connection?.prependListener === 'function' ? connection : undefined
}
