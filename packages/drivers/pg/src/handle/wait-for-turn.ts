import { LeaseholdError } from '@leasehold/core'
import type { PgSession } from '../session/pg-session.js'
import type { Turn } from '../session/statement-turns.js'
import { redactLiterals } from '../sql/redact-literals.js'

interface TimedOut {
  readonly query_timeout?: unknown
}

/** Node takes longer durations for 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Has a statement wait for its turn, for as long as it may.
 *
 * As in pg, `query_timeout` also bounds how long it waits behind others: a ROLLBACK behind a statement that timed out would
 * otherwise wait for as long as that runs on. pg itself counts anew when the turn has come. And inside a transaction that
 * others share, who reads a stream may await a statement that waits for the end of that stream: for ever.
 */
export function waitForTurn(session: PgSession, turn: Turn): void {
  const { connectionParameters } = session.client as { connectionParameters?: TimedOut }
  const timeoutMs = Number(
    (turn.statement as TimedOut | undefined)?.query_timeout || connectionParameters?.query_timeout,
  )
  const stops: Array<() => void> = []
  const ended =
    <Args extends unknown[]>(end: (...args: Args) => void) =>
    (...args: Args): void => {
      for (const stop of stops) stop()
      end(...args)
    }
  const bounded: Turn = { ...turn, start: ended(turn.start), refuse: ended(turn.refuse) }
  const refuse = (error: Error): void => {
    if (session.turns.withdraw(bounded)) bounded.refuse(error)
  }
  if (timeoutMs > 0) {
    const timer = setTimeout(() => refuse(new Error('Query read timeout')), timeoutMs)
    stops.push(() => clearTimeout(timer))
  }
  const patienceMs = turn.gate.joined?.patienceMs ?? Number.POSITIVE_INFINITY
  if (session.streaming !== undefined && patienceMs <= LONGEST_DELAY_MS) {
    stops.push(watchStream(session, patienceMs, () => refuse(stalled(session, patienceMs))))
  }
  session.turns.wait(stops.length === 0 ? turn : bounded)
}

/** Calls `stall` when nobody has read on for so long from what occupies the session; returns what stops that. */
function watchStream(session: PgSession, patienceMs: number, stall: () => void): () => void {
  let timer: NodeJS.Timeout
  const watch = (streamed: number): void => {
    timer = setTimeout(() => {
      const { wire } = session
      const isOpen = wire !== undefined && wire.isUnsynced && !wire.isRunning
      if (isOpen && session.streamed === streamed) stall()
      else watch(session.streamed)
    }, patienceMs)
  }
  watch(session.streamed)
  return () => clearTimeout(timer)
}

function stalled({ streaming = '' }: PgSession, patienceMs: number): LeaseholdError {
  return new LeaseholdError({
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
    phase: 'queue',
    what:
      `a statement waited ${patienceMs} ms behind a stream on the connection of its transaction, from which nobody ` +
      `read on: ${redactLiterals(streaming)}`,
    remedy: 'Inside a transaction, read a stream to its end before the next statement, or stream outside of it',
  })
}
