import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Stage, Trouble } from './stage.js'

const KILLS = 6
const KILL_PAUSE_MS = 15

/** What a server does, or what its administrator does to it. */
export const SERVER_TROUBLES: readonly Trouble[] = [
  kills('idle backends are killed', 'idle'),
  kills('busy backends are killed', 'active'),
  kills('backends are killed in their transactions', 'idle in transaction'),
  stop('the server is stopped and started', 'fast'),
  stop('the server crashes and is started', 'immediate'),
  fullServer(),
  readOnlyServer(),
]

function kills(name: string, state: string): Trouble {
  return {
    name,
    lastsMs: 0,
    async begin(stage) {
      for (let killed = 0; killed < KILLS; await sleep(KILL_PAUSE_MS)) killed += await killOne(stage, state)
    },
    end: async () => {},
  }
}

async function killOne({ ask, applicationName }: Stage, state: string): Promise<number> {
  const killed = await ask(
    `select pg_terminate_backend(pid) from
       (select pid from pg_stat_activity where application_name = $1 and state = $2 limit 1) as one`,
    [applicationName, state],
  )
  return killed.length
}

function stop(name: string, how: 'fast' | 'immediate'): Trouble {
  return { name, begin: ({ server }) => server.halt(how), end: ({ server }) => server.start() }
}

/** Others take every connection that the server has, and those of the callers are gone. */
function fullServer(): Trouble {
  const others: Client[] = []
  return {
    name: 'others use up all connections',
    async begin({ server, proxy }) {
      await proxy.fault({ is: 'reset' })
      for (let isFull = false; !isFull;) {
        const other = new Client(server.url)
        other.on('error', () => {})
        try {
          await other.connect()
          others.push(other)
        } catch {
          isFull = true
        }
      }
      await proxy.heal()
    },
    async end() {
      await Promise.all(others.splice(0).map((other) => other.end()))
    },
  }
}

/** As after a failover: the sessions are there, and nothing can be written in them. */
function readOnlyServer(): Trouble {
  return {
    name: 'the server becomes read-only, and writable again',
    async begin({ ask, server }) {
      await ask('alter system set default_transaction_read_only = on')
      await server.reload()
    },
    async end({ ask, server }) {
      // Of a session of its own, which is read-only too until it says otherwise.
      await ask('alter system reset default_transaction_read_only')
      await server.reload()
    },
  }
}
