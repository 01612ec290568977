import type { LeaseGate } from '@leasehold/core'
import { cancelSession } from '../driver/end-session.js'
import { readCached } from '../sql/read-cached.js'
import { textOf } from '../sql/text-of.js'
import { activeQueryOf, type ActiveQuery } from '../wire/pg-privates.js'
import type { WireWatch } from '../wire/wire-watch.js'
import { nextTick } from './event-loop.js'
import type { PgSession } from './pg-session.js'

/** Fails, and so does the transaction; the server's log says why. */
const FAIL = "select 'Leasehold cancelled a statement that had ended, and undoes it'::pg_catalog.int4"

/** Where the face of a Submittable says how it is told that its statement is over for it. */
export const SEVER: unique symbol = Symbol('leasehold.sever')

/**
 * Fails what runs for `gate`, or whichever statement runs, at once, and cancels it on the server. What begins or ends a
 * transaction is let be: whoever sent it must learn what has become of it, and it takes no time of note.
 *
 * @returns whether a statement is being cancelled.
 */
export function interruptStatement(session: PgSession, gate: LeaseGate | undefined, error: Error): boolean {
  const { client, wire } = session
  // First those behind it, or one of them would have its turn.
  if (gate !== undefined) session.turns.refuseAllOf(gate, error)
  // In a pipeline nobody knows whose statement a cancel would hit.
  if (wire === undefined || client.pipeline || !wire.isRunning || wire.lostBy !== undefined) return false
  if (gate !== undefined && session.sender !== gate) return false
  const query = activeQueryOf(client)
  if (query === undefined || controlsTransaction(query)) return false
  failQuery(query, error)
  void cancel(session, wire)
  return true
}

/** Whether it begins or ends a transaction, or a part of one, whatever else is in it. */
function controlsTransaction(statement: unknown): boolean {
  const text = textOf(statement)
  return text !== undefined && readCached(text).statements.some(({ control }) => control !== undefined)
}

/** As pg's own timeout does: the answer goes to its callback now, and what the server says later to nobody. */
function failQuery(query: ActiveQuery, error: Error): void {
  const sever = query[SEVER]
  if (sever !== undefined) return sever(error)
  const { callback } = query
  query.callback = () => {}
  if (callback !== undefined) nextTick(callback, error)
}

/**
 * Cancels what runs, and holds the line until nothing that was sent for it can hit anything else: the statement has ended,
 * the request's socket is closed, and one round trip has taken what may have come too late. A transaction that it was part of
 * has failed then.
 */
async function cancel(session: PgSession, wire: WireWatch): Promise<void> {
  const { client, connection } = session
  wire.hold()
  try {
    if (wire.isCopyingIn) connection?.sendCopyFail('the statement was cancelled')
    else await cancelSession(session).catch(() => {})
    if (wire.lostBy !== undefined) return
    // A cursor's reader has gone, and nobody else would end its batch.
    if (wire.isUnsynced) connection?.sync()
    await client.query('').catch(() => {})
    // It had ended before the cancel came. Its caller was told that the transaction is undone, and may have caught that.
    if (wire.transaction === 'open') await wire.unbooked(() => client.query(FAIL)).catch(() => {})
  } finally {
    wire.letGo()
    session.turns.advance()
  }
}
