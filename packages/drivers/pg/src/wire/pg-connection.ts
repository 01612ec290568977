import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type * as pg from 'pg'

type Send = (message?: unknown, more?: boolean) => void

/** pg's own connection, as far as it is used here. @types/pg leaves most of it out. */
export interface PgConnection extends EventEmitter {
  stream: Duplex
  readonly ssl: unknown
  readonly sslNegotiation?: string
  readonly parsedStatements?: Record<string, string | undefined>
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  query: Send
  parse: Send
  bind: Send
  describe: Send
  execute: Send
  flush: Send
  sync: Send
  close: Send
  sendCopyFromChunk: Send
  endCopyFrom: Send
  sendCopyFail: Send
  end: Send
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
