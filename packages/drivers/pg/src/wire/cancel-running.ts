import { Canceller } from './canceller.js'
import type { WireWatch } from './wire-watch.js'

/** A statement that has not heeded a cancel by then (it may be blocked in writing to a dead peer) is left to its end. */
const LONGEST_MS = 5_000

/**
 * Cancels the statement that runs now, and no other: sends a request, and more of them until the statement has an
 * outcome, because one that comes before the server has begun with it is lost. Resolves when no request is under way.
 *
 * @throws what `send` rejects with.
 */
export async function cancelRunning(wire: WireWatch, send: () => Promise<void>): Promise<void> {
  const { outcomes } = wire
  const canceller = new Canceller(send, () => wire.changes.tell())
  const tooLong = AbortSignal.timeout(LONGEST_MS)
  try {
    while (wire.isRunning && wire.outcomes === outcomes && wire.lostBy === undefined && !tooLong.aborted) {
      canceller.throwIfFailed()
      canceller.cancel()
      // With somebody else at the socket no outcome would be seen.
      if (wire.isDiverted) break
      await wire.changes.next(tooLong).catch(() => {})
    }
    await canceller.finished
  } finally {
    canceller.stop()
  }
}
