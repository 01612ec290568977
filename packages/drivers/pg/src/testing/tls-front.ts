import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Self-signed for localhost, until 2126; it protects nothing but a test. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdT7evdNLAEFM6nqz
Pwt++5z5OHSOxXcAhoAW/o04dkihRANCAASQTKDQpR6WkgnzBTvwOhQ6wQhBGm2O
2noPz8fk3YkYIObCnrovw7Y3PwHtDzqo1x6tFFRM7VLRrW0x1Ir7GmsW
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUUO+zRuX+pkqYVffgkD5fSF86TDEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA2MDUyM1oYDzIxMjYxMDI5
MDYwNTIzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASQTKDQpR6WkgnzBTvwOhQ6wQhBGm2O2noPz8fk3YkYIObCnrovw7Y3
PwHtDzqo1x6tFFRM7VLRrW0x1Ir7GmsWo1MwUTAdBgNVHQ4EFgQUPRANKkvYbHrI
Mb8YryJ3tCLjQrUwHwYDVR0jBBgwFoAUPRANKkvYbHrIMb8YryJ3tCLjQrUwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAkgH1EusFpBfUP6uU/JVb
u5oS/DZjs3bHJ4vjYG9S8rcCIBHumh4aG954sVrklDHTx7H8y5ATkoqkEMC9Hqid
BmIM
-----END CERTIFICATE-----`

const SSL_REQUEST = 80_877_103

/** Stands before a PostgreSQL that has no TLS and speaks TLS for it, as a cloud's front does; nothing passes in the clear. */
export async function tlsFront(
  url: string,
): Promise<{ readonly port: number; readonly refused: number; close(): void }> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let refused = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket
      .on('error', () => {})
      .once('data', (request: Buffer) => {
        if (request.readInt32BE(4) !== SSL_REQUEST) {
          refused += 1
          socket.destroy()
          return
        }
        socket.write('S')
        const secure = new TLSSocket(socket, { isServer: true, key, cert })
        const behind = connect(Number(port), hostname)
        secure.on('error', () => behind.destroy()).on('close', () => behind.end())
        behind.on('error', () => secure.destroy()).on('close', () => secure.end())
        secure.pipe(behind).pipe(secure)
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    get refused() {
      return refused
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
