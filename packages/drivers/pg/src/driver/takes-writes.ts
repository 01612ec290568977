import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'
import { abortable } from '../wire/abortable.js'

/** What a session is when its owner's own settings are undone: also read-only by its role, its database, or the server. */
const ASK = "select not (pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool) as writes"

/** Whether the server takes writes. What cannot be asked is taken to. */
export async function takesWrites(client: pg.Client, signal: AbortSignal): Promise<boolean> {
  const { wire } = sessionOf(client)
  if (wire === undefined) return true
  try {
    const { rows } = await wire.unbooked(() => abortable(client.query<{ writes: boolean }>(ASK), signal))
    return rows[0]?.writes !== false
  } catch (error) {
    if (wire.lostBy !== undefined || signal.aborted) throw error
    return true
  }
}
