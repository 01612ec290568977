import { InvalidOptionsError } from '@leasehold/core'

// What this package stands on in Drizzle and what its types do not show; the same in 0.45 and 1.0. The names are Drizzle's.

export interface DrizzleClient {
  connect(): Promise<{ release(): void }>
  query(...statement: unknown[]): unknown
}

export type TransactionWork = (tx: DrizzleTransaction) => Promise<unknown>

/** What the callback of a transaction is given. */
export interface DrizzleTransaction {
  /** Makes a statement, which is sent when it is awaited. */
  execute(...query: unknown[]): PromiseLike<unknown>
  transaction(work: TransactionWork, ...more: unknown[]): Promise<unknown>
}

/** Everything that Drizzle sends goes through a session, which sends it through its client. */
export interface DrizzleSession {
  readonly client: DrizzleClient
  prepareQuery(query: unknown, shape: unknown, name: unknown, ...more: unknown[]): unknown
  transaction(work: TransactionWork, config?: object): Promise<unknown>
}

/** A database, or its `db.query.users`: reads its session whenever it makes a query. */
export interface SessionHolder {
  readonly session: DrizzleSession
}

export interface DrizzleDatabase extends SessionHolder {
  readonly query?: Readonly<Record<string, SessionHolder>>
}

/**
 * The internals of a database that `drizzle()` has just made.
 *
 * @throws {InvalidOptionsError} when they are not what is known of them.
 */
export function internalsOf(db: object, client: unknown, version: string): DrizzleDatabase {
  const { session } = db as { readonly session?: Partial<DrizzleSession> }
  const isKnown =
    session?.client === client &&
    typeof session?.transaction === 'function' &&
    typeof session.prepareQuery === 'function'
  if (isKnown) return db as DrizzleDatabase
  throw new InvalidOptionsError('createDrizzle', [
    { option: 'drizzle-orm', expected: 'one that this version of @leasehold/drizzle knows', received: version },
  ])
}
