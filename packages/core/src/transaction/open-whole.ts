import { TurnTimeoutError } from '../errors/turn-timeout-error.js'
import { Lease } from '../lease/lease.js'
import type { Lending } from '../lease/lending.js'
import { declareSettings } from '../options/declared-settings.js'
import { currentContext } from '../scope/context.js'
import { Savepoints } from './savepoints.js'
import type { RunApart, Transaction, WholeTransaction } from './transaction.js'
import type { TransactionParts } from './transaction-parts.js'
import { Turns, type TurnsDesk, type TurnTaker } from './turns.js'

/**
 * Begins a transaction on the connection of `base`, which it gives back when that fails.
 *
 * @param apart set when it is rolled back in any case.
 * @throws {TransactionEndedError} when the server does not answer in time.
 */
export async function openWhole<Client>(
  { desk, limit, options, port }: TransactionParts<Client>,
  base: Lending<Client>,
  apart: RunApart<Client> | undefined,
): Promise<WholeTransaction<Client>> {
  const { isolation, readOnly, deferrable } = options
  let client: Client
  try {
    client = new Lease(base).client
    const begun = port.begin(client, { isolation, readOnly, deferrable })
    if (begun === undefined && limit.over !== undefined) throw limit.over
    if (begun !== undefined) await limit.whileItLasts(limit.answered(begun, desk.graceMs))
  } catch (error) {
    // Nobody knows whether it has begun, unless the server said no.
    if (base.connection.ledger.isQuiet || base.connection.ledger.isSettling) base.release()
    else base.discard(error)
    throw error
  }
  const { ledger } = base.connection
  const tooLate = (taker: TurnTaker, holder: TurnTaker, waitedMs: number): Error =>
    turnTimeout(desk.leases.pool, taker as Transaction, holder as Transaction, waitedMs)
  const turnsDesk: TurnsDesk = {
    now: () => desk.clock.now(),
    wake: (at, callback) => desk.wake(at, callback),
    isBusy: () => !ledger.isQuiet,
    tooLate,
  }
  const waitsUntil = (): number => {
    const scopeEndsAt = currentContext()?.scope?.deadlineOn(desk.clock) ?? Number.POSITIVE_INFINITY
    return Math.min(desk.clock.now() + desk.acquireTimeoutMs, limit.at, scopeEndsAt)
  }
  return {
    base,
    client,
    settings: base.terms.settings,
    ownSettings: declareSettings(options.settings),
    savepoints: new Savepoints(),
    turns: new Turns(turnsDesk),
    desk: turnsDesk,
    waitsUntil,
    undoing: new Set(),
    apart,
    mayRetry: false,
    isRollingBack: false,
    discardBy: undefined,
  }
}

function turnTimeout(pool: string, taker: Transaction, holder: Transaction, waitedMs: number): TurnTimeoutError {
  return new TurnTimeoutError({
    pool,
    label: taker.title,
    waitedMs,
    holder: { label: holder.label, site: holder.place },
    doing: 'has the turn',
    remedy: 'Await one part of a transaction before the next, or give them transactions of their own (requires-new)',
  })
}
