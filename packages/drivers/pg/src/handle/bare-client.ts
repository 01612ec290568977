import type { LeaseGate } from '@leasehold/core'
import type pg from 'pg'
import type { PgSession } from '../session/pg-session.js'

/**
 * What pg-pool lends: the physical client itself, with a `release` for this lease, which throws when it is called twice.
 * It stays the same object from lease to lease, so that nothing can tell a late use from the next owner's.
 */
export function bareClient(session: PgSession, gate: LeaseGate): pg.Client {
  const client = session.client as pg.PoolClient
  const number = session.lend(gate)
  let isReleased = false
  client.release = (said) => {
    if (isReleased) throw new Error('Release called on client which has already been released to the pool.')
    isReleased = true
    session.lastHandle = client
    try {
      session.events?.released(said, client)
    } finally {
      if (said) gate.discard(said)
      else gate.release()
    }
  }
  if (number === 1) session.events?.introduced(client)
  return client
}
