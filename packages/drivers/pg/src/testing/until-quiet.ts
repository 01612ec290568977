import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'

/**
 * Resolves when the server has answered everything: after an error a caller is told before the server is ready. An open
 * portal, which no Sync has followed, is nothing to wait for.
 */
export async function untilQuiet(client: pg.Client): Promise<void> {
  const { wire } = sessionOf(client)
  if (wire === undefined) return
  const patience = AbortSignal.timeout(5_000)
  while (wire.lostBy === undefined && !wire.isQuiet && !wire.isUnsynced) await wire.changes.next(patience)
}
