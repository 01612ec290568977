import { TurnTimeoutError } from '../errors/turn-timeout-error.js'
import type { StreamOnSession } from '../ports/transactions.js'
import type { WholeTransaction } from './transaction.js'

/** @see JoinedTransaction.boundWait */
export function boundWait<Client>(
  { base, desk, waitsUntil }: WholeTransaction<Client>,
  label: string,
  stream: () => StreamOnSession | undefined,
  refuse: (error: Error) => void,
): () => void {
  const since = desk.now()
  let takeBack = (): void => {}
  watch(stream())
  return () => takeBack()

  function watch(seen: StreamOnSession | undefined): void {
    const moves = seen?.moves
    takeBack = desk.wake(waitsUntil(), () => {
      const open = stream()
      if (open === undefined || seen === undefined || open.moves !== moves) watch(open)
      else refuse(stalled(open))
    })
  }

  function stalled({ holder, statement }: StreamOnSession): TurnTimeoutError {
    return new TurnTimeoutError({
      pool: base.desk.pool,
      label,
      waitedMs: desk.now() - since,
      holder,
      doing: `has a stream open, from which nobody reads on: ${statement ?? 'of a statement that is not known'}`,
      remedy: 'Inside a transaction, read a stream to its end before the next statement, or stream outside of it',
    })
  }
}
