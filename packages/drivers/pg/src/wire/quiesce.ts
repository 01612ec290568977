import type * as pg from 'pg'
import { abortable } from './abortable.js'
import { Canceller } from './canceller.js'
import type { PgConnection } from './pg-connection.js'
import type { WireWatch } from './wire-watch.js'

export interface QuiesceParts {
  readonly client: pg.Client
  readonly connection: PgConnection
  readonly wire: WireWatch
  /** Cancels what runs; resolves when the cancel can hit nothing any more. */
  readonly cancel: () => Promise<void>
}

/**
 * Ends what still runs on a session: an open portal by a Sync, a COPY from the client by CopyFail (the server does not
 * heed a Sync there), a statement by a cancel. After a cancel comes one round trip, because a late one would otherwise
 * hit whatever the next owner sends first.
 */
export async function quiesce(parts: QuiesceParts, signal: AbortSignal): Promise<void> {
  const { client, wire } = parts
  if (wire.lostBy !== undefined) throw wire.lostBy
  const cancelled = await untilQuiet(parts, signal)
  if (!cancelled) return
  // If the cancel did come late, then it hits this one, and that is what it is for.
  await abortable(client.query(''), signal).catch(() => {})
  signal.throwIfAborted()
  await untilQuiet(parts, signal)
}

/** Returns whether a cancel was sent. */
async function untilQuiet({ connection, wire, cancel }: QuiesceParts, signal: AbortSignal): Promise<boolean> {
  const canceller = new Canceller(cancel, () => wire.changes.tell())
  let isCopyFailed = false
  try {
    while (!wire.isQuiet) {
      if (wire.lostBy !== undefined) throw wire.lostBy
      canceller.throwIfFailed()
      if (wire.isDiverted) {
        await abortable(cancel(), signal)
        throw new Error('a COPY to the client was left half read, and its reader holds the socket')
      }
      if (wire.isCopyingIn) {
        if (!isCopyFailed) connection.sendCopyFail('the connection was given back before the COPY was complete')
        isCopyFailed = true
      } else {
        if (wire.isUnsynced) connection.sync()
        if (wire.isRunning) canceller.cancel()
      }
      await wire.changes.next(signal)
    }
    await abortable(canceller.finished, signal)
  } finally {
    canceller.stop()
  }
  if (wire.lostBy !== undefined) throw wire.lostBy
  return canceller.hasSent
}
