import type { Isolation } from '../ports/transactions.js'
import type { Settings } from '../ports/settings.js'

/**
 * What becomes of a transaction that is asked for inside another one, or outside of any; the words are those of Spring.
 *
 * - `required`: joins the outer one, or begins one.
 * - `requires-new`: begins one on a connection of its own.
 * - `nested`: makes a savepoint in the outer one, or begins one.
 * - `supports`: joins the outer one, or runs without.
 * - `not-supported`: runs without, on a connection of its own.
 * - `mandatory`: joins the outer one, or is refused.
 * - `never`: is refused inside another one, and runs without.
 */
export type Propagation = 'required' | 'requires-new' | 'nested' | 'supports' | 'not-supported' | 'mandatory' | 'never'

/** How a transaction is to run. */
export interface TransactionOptions {
  /** What becomes of it inside another one. Default `required`. */
  readonly propagation?: Propagation | undefined
  /** Default: the server's. Inside another transaction it must be that one's, or is refused. */
  readonly isolation?: Isolation | undefined
  /** Whether the server shall refuse to write. Default: the server's. */
  readonly readOnly?: boolean | undefined
  /** Whether a serializable, read-only transaction shall wait until it can never conflict. Default: the server's. */
  readonly deferrable?: boolean | undefined
  /**
   * How often the whole work is run again when the transaction met another one: a serialization failure, a deadlock. Default
   * 0. Inside another transaction it has no meaning: that one would have to run again.
   */
  readonly retries?: number | undefined
  /**
   * How long it may take, with waiting for a connection, with all retries and its commit: then it is rolled back, and nobody
   * waits for that. A commit that is not answered by then is in doubt. Default `Infinity`: the scope's deadline counts alone,
   * and without one what the pool itself says to the server is answered within `closeGraceMs`.
   */
  readonly timeoutMs?: number | undefined
  /** Session state that its connection shall have, over what the scope declares: see `ScopeOptions.settings`. */
  readonly settings?: Settings | undefined
}
