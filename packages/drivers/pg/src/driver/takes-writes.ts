import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'
import { abortable } from '../wire/abortable.js'

/**
 * What a session is when its owner's own settings are undone: also read-only by its role, its database, or the server. Those
 * that he has declared are still in force, so that it is not asked what the setting is, but what it would be after a RESET.
 */
const ASK = `
  select not (pg_is_in_recovery() or reset_val::bool) as writes
  from pg_settings where name = 'default_transaction_read_only'`

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
