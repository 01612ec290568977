import type { JoinedTransaction } from '@leasehold/core'
import { readCached } from '../sql/read-cached.js'
import { textOf } from '../sql/text-of.js'
import { copyOf } from './copy-of.js'

/** What ends a transaction, or undoes part of it. */
const ENDS = new Set(['commit', 'rollback', 'release-savepoint', 'rollback-to-savepoint'])

/**
 * Sends a statement when its turn has come in the transaction that its lease has joined: at once, mostly.
 *
 * @param refuse is called with why it is not sent; default: what is returned is rejected.
 */
export function inTransactionTurn<R>(
  joined: JoinedTransaction,
  statement: unknown,
  send: (statement: unknown) => R,
  refuse?: (error: unknown) => void,
): R | Promise<R> {
  if (neverWaits(statement)) return send(statement)
  let start = (): void => {}
  let giveUp = refuse ?? ((): void => {})
  if (
    joined.takeTurn(
      () => start(),
      (error) => giveUp(error),
    )
  ) {
    return send(statement)
  }
  // Its owner may change it for the next one meanwhile.
  const kept = copyOf(statement)
  return new Promise<R>((resolve, reject) => {
    if (refuse === undefined) giveUp = reject
    start = () => {
      try {
        resolve(send(kept))
      } catch (error) {
        giveUp(error)
      }
    }
  })
}

/** To wait for whoever has the turn would be to wait for what ends with it. */
function neverWaits(statement: unknown): boolean {
  const text = textOf(statement)
  if (text === undefined) return false
  const { isPlain, statements } = readCached(text)
  const control = isPlain || statements.length !== 1 ? undefined : statements[0]?.control
  return control !== undefined && ENDS.has(control.is)
}
