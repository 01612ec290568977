import { handlesOf } from './lease.js'
import type { Lending } from './lending.js'

/** A lease is followed when it is older than this: nearly all are over by then, and cost nothing but one field. */
const YOUNG_MS = 1_000

/**
 * Finds leases that nobody can release any more, because the garbage collector has taken all that their holders were
 * given: the lease, and the handle of its client.
 *
 * A young lease is kept by its record (`Lending.young`), so that it can be followed later; from then on only weakly.
 * Following every lease from its beginning took 184 ns of the 300 that a lease costs, and following one in some would lose
 * the connections of the others for ever.
 */
export class ForgottenWatch<Client> {
  readonly #forgotten: (lending: Lending<Client>) => void
  #registry: FinalizationRegistry<Lending<Client>> | undefined

  /** @param forgotten is called when all is gone; the lease may have ended before. */
  constructor(forgotten: (lending: Lending<Client>) => void) {
    this.#forgotten = forgotten
  }

  /** When a lease granted at `now` is to be followed. */
  nextLook(now: number): number {
    return now + YOUNG_MS
  }

  /** Follows what is young no more. Returns when the next will be so. */
  look(lendings: ReadonlyArray<Lending<Client>>, now: number): number {
    let nextAt = Number.POSITIVE_INFINITY
    for (const lending of lendings) {
      const lease = lending.young
      if (lease === undefined) continue
      const dueAt = this.nextLook(lending.since)
      if (dueAt > now) {
        nextAt = Math.min(nextAt, dueAt)
        continue
      }
      lending.young = undefined
      for (const handle of handlesOf(lease)) this.follow(lending, handle)
    }
    return nextAt
  }

  /** One more thing through which the holder can use the lease. */
  follow(lending: Lending<Client>, handle: object): void {
    lending.followed += 1
    // The connection itself, from a driver that fences nothing: it lives on, and tells of nobody.
    if (handle === lending.connection.client) return
    this.#registry ??= new FinalizationRegistry((collected) => this.#collected(collected))
    this.#registry.register(handle, lending)
  }

  #collected(lending: Lending<Client>): void {
    lending.followed -= 1
    if (lending.followed === 0 && lending.open) this.#forgotten(lending)
  }
}
