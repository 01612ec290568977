import { TurnTimeoutError } from '../errors/turn-timeout-error.js'
import type { StreamOnSession } from '../ports/transactions.js'
import type { WholeTransaction } from './transaction.js'

/** @see JoinedTransaction.boundWait */
export function boundWait<Client>(
  { base, desk, waitsUntil }: Pick<WholeTransaction<Client>, 'base' | 'desk' | 'waitsUntil'>,
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
      if (open !== undefined && seen !== undefined && open.moves === moves) refuse(stalled(open))
      // Past the deadline there is nothing to wait for: what ends the transaction refuses whoever waits in it.
      else if (waitsUntil() > desk.now()) watch(open)
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
