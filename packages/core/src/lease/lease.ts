import type { Pin } from '../events/pin.js'
import type { Lending } from './lending.js'

/** The record of a lease, for the pool itself. */
export let lendingOf: <Client>(lease: Lease<Client>) => Lending<Client>

/** All through which the holder of a lease can use it. */
export let handlesOf: <Client>(lease: Lease<Client>) => readonly object[]

/**
 * Exclusive use of one connection, from acquire to release. In `session` mode the leases of one scope share a
 * connection, and each still has its own fenced handle.
 *
 * Works with `using` and `await using`.
 */
export class Lease<Client> {
  static {
    lendingOf = (lease) => lease.#lending
    handlesOf = (lease) => [lease, ...(lease.#client === undefined ? [] : [lease.#client as object])]
  }

  readonly #lending: Lending<Client>
  #client: Client | undefined

  /** Leases are made by a pool, one for each record: what it knows of what the holder was given is this. */
  constructor(lending: Lending<Client>) {
    this.#lending = lending
    lending.handed(this)
  }

  /**
   * The handle of this lease. After release every use of it fails with `LEASEHOLD_LEASE_RELEASED`.
   *
   * @throws {LeaseReleasedError} when the driver has no handles of its own and the lease is over.
   */
  get client(): Client {
    if (this.#client !== undefined) return this.#client
    const { driver } = this.#lending.desk
    if (driver.lend === undefined) {
      this.#lending.pass('client')
      return this.#lending.connection.client
    }
    this.#client = driver.lend(this.#lending.connection.client, this.#lending)
    if (this.#lending.followed > 0) this.#lending.desk.follow(this.#lending, this.#client as object)
    return this.#client
  }

  /** Whether the lease goes on: it has been neither released nor taken back. */
  get active(): boolean {
    return this.#lending.open
  }

  /** The pool's number for the physical connection, as in its events. */
  get connectionId(): number {
    return this.#lending.connection.id
  }

  get label(): string {
    return this.#lending.label
  }

  /** How long the lease is held, or was when it has ended, in milliseconds. */
  get heldMs(): number {
    return this.#lending.heldMs(this.#lending.desk.now())
  }

  /** Milliseconds of `heldMs` in which the database worked. */
  get busyMs(): number {
    return this.#lending.busyMs(this.#lending.desk.now())
  }

  /**
   * What ties the session to this lease now: settings, roles, locks, temporary tables, an open transaction, … Empty when
   * it is over. A driver that reads no statements tells of transactions only.
   */
  get pins(): readonly Pin[] {
    const { desk, open } = this.#lending
    return open ? desk.pinsOf(this.#lending, desk.now()) : []
  }

  /**
   * Runs `work`, a hook that makes a new connection fit for use (Knex's `afterCreate`): what it does to the session is no
   * pin, and a reset returns to it. Whatever else runs on the connection meanwhile counts as the hook's, and runs without
   * the settings that the owner declares.
   */
  prepare<T>(work: () => PromiseLike<T> | T): Promise<T> {
    return this.withoutSettings(() => this.#lending.connection.ledger.prepare(work))
  }

  /**
   * Runs `work` without the settings that the owner declares, and has them made with its next statement: for adapters that
   * set something on a connection on their own account (Knex's `searchPath`), over which what the owner declares must stand.
   */
  async withoutSettings<T>(work: () => PromiseLike<T> | T): Promise<T> {
    const { desk } = this.#lending
    const failure = desk.declareNone(this.#lending)
    if (failure !== undefined) throw failure
    try {
      return await work()
    } finally {
      if (this.#lending.open) desk.declare(this.#lending)
    }
  }

  /**
   * Gives the connection back, at once; what is left on it is cleaned away afterwards. A second call does nothing. It
   * returns nothing on purpose: there is nothing to await (see `recycled`).
   */
  release(): void {
    this.#lending.release()
  }

  /** Gives the connection back to be closed. @param reason says why, in the close event. */
  discard(reason: unknown): void {
    this.#lending.discard(reason)
  }

  /** Resolves when the lease has ended and the connection is idle, lent again or closed. Never rejects. */
  get recycled(): Promise<void> {
    return this.#lending.recycled
  }

  [Symbol.dispose](): void {
    this.release()
  }

  /** Releases, and waits until the connection is fit for its next owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    await this.recycled
  }
}
