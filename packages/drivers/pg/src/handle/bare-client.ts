import type { LeaseGate } from '@leasehold/core'
import type * as pg from 'pg'
import type { PgSession } from '../session/pg-session.js'
import { isEnding } from '../wire/pg-privates.js'

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
      const reason = said || session.lostBy
      if (reason) gate.discard(reason)
      // Its holder has called `end`, which on a bare client nobody else hears of.
      else if (isEnding(client)) gate.discard(new Error('the client was ended by its holder'))
      else gate.release()
    }
  }
  if (number === 1) session.introduce(client)
  return client
}
