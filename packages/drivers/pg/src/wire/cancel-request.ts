import type { Duplex } from 'node:stream'
import type * as pg from 'pg'
import { connectionOf, type PgClientInternals, type PgConnection } from './pg-connection.js'

/** A cancel request that has not been taken by then never will be. */
const LONGEST_MS = 5_000

/**
 * Asks the server to cancel what runs on `client`, over a socket of its own, encrypted if the client's is. Resolves
 * when the server has closed that socket: only then is the cancel known not to hit a later statement unawares.
 *
 * pg's own `Client.cancel` does neither: it speaks no TLS, and nobody learns when it is done.
 */
export function requestCancel(client: pg.Client, stream: (() => Duplex | undefined) | undefined): Promise<void> {
  const own = connectionOf(client)
  const { processID, secretKey } = client as unknown as PgClientInternals
  if (own === undefined || processID === null || secretKey === null) {
    return Promise.reject(new Error('the session has no cancel key'))
  }
  return new Promise((resolve, reject) => {
    const { ssl, sslNegotiation } = own
    const Connection = own.constructor as new (config: object) => PgConnection
    const connection = new Connection({ ssl, sslNegotiation, ...(stream === undefined ? {} : { stream }) })
    const tooLate = setTimeout(() => fail(new Error('the server did not take the cancel request')), LONGEST_MS)
    const fail = (error: Error): void => {
      clearTimeout(tooLate)
      connection.stream.destroy()
      reject(error)
    }
    const send = (): void => connection.cancel(processID, secretKey)
    connection.on('connect', () => {
      if (!ssl) send()
      else if (sslNegotiation !== 'direct') connection.requestSsl()
    })
    connection.on('sslconnect', send)
    connection.on('error', fail)
    connection.on('end', () => {
      clearTimeout(tooLate)
      resolve()
    })
    // A host that is a folder holds a Unix socket.
    if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`)
    else connection.connect(client.port, client.host)
  })
}
