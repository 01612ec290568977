import type { PgSession } from '../session/pg-session.js'
import type { Turn } from '../session/statement-turns.js'

interface TimedOut {
  readonly query_timeout?: unknown
}

/**
 * Has a statement wait for its turn, for as long as it may.
 *
 * As in pg, `query_timeout` also bounds how long it waits behind others: a ROLLBACK behind a statement that timed out would
 * otherwise wait for as long as that runs on. pg itself counts anew when the turn has come. And in a transaction that several
 * share, who reads a stream may await a statement that waits for the end of that stream.
 */
export function waitForTurn(session: PgSession, turn: Turn): void {
  const { connectionParameters } = session.client as { connectionParameters?: TimedOut }
  const timeoutMs = Number(
    (turn.statement as TimedOut | undefined)?.query_timeout || connectionParameters?.query_timeout,
  )
  const stops: Array<() => void> = []
  const expire = (error: Error): void => {
    if (session.turns.withdraw(waiting)) waiting.refuse(error)
  }
  const { joined } = turn.gate
  if (joined !== undefined) stops.push(joined.boundWait(() => session.stream, expire))
  if (timeoutMs > 0) {
    const timer = setTimeout(() => expire(new Error('Query read timeout')), timeoutMs)
    stops.push(() => clearTimeout(timer))
  }
  const waiting = stops.length === 0 ? turn : endingWith(turn, () => stops.forEach((stop) => stop()))
  session.turns.wait(waiting)
}

/** The same turn, which calls `ended` when it waits no more. */
function endingWith(turn: Turn, ended: () => void): Turn {
  return {
    ...turn,
    start: () => {
      ended()
      turn.start()
    },
    refuse: (error) => {
      ended()
      turn.refuse(error)
    },
  }
}
