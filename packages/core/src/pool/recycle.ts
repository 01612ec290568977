import type { Connection } from '../connection/connection.js'
import type { Leftover } from '../events/pool-events.js'
import type { Clock } from '../ports/clock.js'
import type { Driver } from '../ports/driver.js'
import type { Agenda } from './agenda.js'
import { bounded } from './bounded.js'

export interface RecycleParts<Client> {
  readonly driver: Driver<Client>
  readonly clock: Clock
  readonly agenda: Agenda
  readonly resetTimeoutMs: number
}

/** What was found on a session between two owners, and whether it could be cleaned away. */
export type Recycled =
  | { readonly was: 'clean' }
  | { readonly was: 'left'; readonly left: Leftover }
  | { readonly was: 'stuck'; readonly left: Leftover; readonly cause: unknown }

/**
 * Makes a session fit for its next owner: waits for what is about to end, ends what still runs, and has the driver
 * reset what is left. Nobody waits for it but the connection. Never rejects.
 */
export async function recycle<Client>(connection: Connection<Client>, parts: RecycleParts<Client>): Promise<Recycled> {
  const { ledger, client } = connection
  const { driver } = parts
  const deadlineAt = parts.clock.now() + parts.resetTimeoutMs
  let left: Leftover | undefined
  try {
    // A failed statement's callback comes before the server's "ready", and whoever releases in it comes here first.
    if (ledger.isSettling) {
      await bounded(parts.agenda, deadlineAt, 'waiting for the server to be ready', () => untilQuiet(connection))
    }
    if (!ledger.isQuiet) {
      left = 'running statement'
      await bounded(parts.agenda, deadlineAt, 'ending what still ran', (signal) => {
        if (driver.quiesce === undefined) return Promise.reject(new Error(`driver ${driver.name} cannot end a running statement`))
        return driver.quiesce(client, signal)
      })
    }
    if (ledger.lostBy !== undefined) throw ledger.lostBy
    if (ledger.transaction !== 'idle') {
      left ??= ledger.transaction === 'open' ? 'open transaction' : 'failed transaction'
      await bounded(parts.agenda, deadlineAt, 'resetting', (signal) => driver.reset(client, ledger, signal))
    }
  } catch (cause) {
    return { was: 'stuck', left: left ?? 'running statement', cause }
  }
  if (left === undefined) return { was: 'clean' }
  if (ledger.isClean) return { was: 'left', left }
  return { was: 'stuck', left, cause: ledger.lostBy ?? new Error('the driver left the session as it was') }
}

function untilQuiet<Client>(connection: Connection<Client>): Promise<void> {
  return new Promise((resolve) => connection.ledger.onQuiet(resolve))
}
