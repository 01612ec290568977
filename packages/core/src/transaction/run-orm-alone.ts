import { currentContext, runInContext } from '../scope/context.js'
import type { EnterTransaction } from './orm-run.js'
import type { OrmsOwnTransaction } from './orms-own-transaction.js'

/** Runs a transaction method of an ORM by itself: nothing joins it, and it is known that its callback runs. */
export function runOrmAlone<R>(own: OrmsOwnTransaction, open: (enter: EnterTransaction) => R): R {
  const enter: EnterTransaction = (callback) => {
    own.isRunning = true
    return runInContext({ scope: currentContext()?.scope, frame: own }, callback)
  }
  const end = (): void => {
    own.isRunning = false
  }
  const result = open(enter)
  Promise.resolve(result).then(end, end)
  return result
}
