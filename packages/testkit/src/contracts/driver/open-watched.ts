import type { Driver, LedgerView, SessionBooking, SessionObserver, TransactionStatus } from '@leasehold/core'

/** A session, and what an observer of it was told. */
export interface WatchedSession<Client> {
  readonly client: Client
  /** All of it, in order; of a loss only the first, because what follows it does not count. */
  readonly told: string[]
  readonly statements: Array<string | undefined>
  /** With what errors statements were refused. */
  readonly failures: unknown[]
  readonly lostBy: () => Error | undefined
  readonly bookings: SessionBooking[]
  readonly ledger: () => LedgerView
  readonly stop: () => void
}

/** Opens a session with an observer that writes down what it is told. */
export async function openWatched<Client>(driver: Driver<Client>): Promise<WatchedSession<Client>> {
  const client = await driver.connect(new AbortController().signal)
  const told: string[] = []
  const statements: Array<string | undefined> = []
  const failures: unknown[] = []
  const bookings: SessionBooking[] = []
  let transaction: TransactionStatus = 'idle'
  let isQuiet = true
  let lostBy: Error | undefined
  const observer: SessionObserver = {
    busy(statement) {
      isQuiet = false
      statements.push(statement)
      told.push('busy')
    },
    settling: () => void told.push('settling'),
    book(booking) {
      bookings.push(booking)
      told.push('book')
    },
    declared: () => void told.push('declared'),
    failed(error) {
      failures.push(error)
      told.push('failed')
    },
    opened(origin) {
      transaction = origin === undefined ? 'idle' : 'open'
      told.push(origin === undefined ? 'never opened' : 'opened')
    },
    quiet(status) {
      isQuiet = true
      transaction = status
      told.push(`quiet ${status}`)
    },
    lost(error) {
      lostBy ??= error
      if (!told.includes('lost')) told.push('lost')
    },
  }
  const stop = driver.watch(client, observer)
  const ledger = (): LedgerView => ({ transaction, isQuiet, lostBy, pins: [], baseline: [] })
  return { client, told, statements, failures, bookings, lostBy: () => lostBy, ledger, stop }
}
