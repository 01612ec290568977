import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below all that operating systems lend to sockets which dial. */
const FIRST = 10_000
const LAST = 30_000
const ATTEMPTS = 20

/**
 * A port of the loopback interface that nobody listens on, and that stays free while its server is down: of those that
 * `freePort` finds, the operating system may lend one to a socket that dials; even to one that dials this very port, and
 * then hears itself.
 */
export async function lastingPort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(FIRST, LAST)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      server.close()
      await once(server, 'close')
      return port
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}
