import type { Pin, SessionFact } from '@leasehold/core'
import type * as pg from 'pg'
import { createPgPool } from '../facade/create-pg-pool.js'
import type { LeaseholdOptions } from '../facade/facade-options.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { sessionOf } from '../session/pg-session.js'
import { serverTruth } from '../session/server-truth.js'
import { added, compare } from './compare.js'
import { play } from './play.js'
import type { Step } from './step.js'

/** Those that the truth suite's statements use, and that the server does not list by itself. */
const CUSTOM_SETTINGS = ['app.tenant_id', 'app.other', 'app.touched', 'app.deeply.named', 'plpgsql.extra_warnings']

/** What came of a sequence. */
export interface Outcome {
  /** On the session, and not in the ledger. */
  readonly missing: readonly string[]
  /** In the ledger, and not on the session. */
  readonly excess: readonly string[]
  readonly pins: readonly Pin[]
  /** What the next owner meets that the first one did not, or the other way round. */
  readonly leftOver: readonly string[]
  readonly errors: readonly Error[]
}

/** Plays sequences on one connection of a pool, each on a lease of its own, and compares the ledger with the server. */
export class ObservedSession {
  readonly pool: LeasedPgPool
  readonly #baseline: readonly SessionFact[]

  private constructor(pool: LeasedPgPool, baseline: readonly SessionFact[]) {
    this.pool = pool
    this.#baseline = baseline
  }

  /** @param onConnect what makes the baseline. */
  static async open(
    url: string,
    onConnect?: (client: pg.ClientBase) => unknown,
    leasehold: LeaseholdOptions = {},
  ): Promise<ObservedSession> {
    const pool = createPgPool({ connectionString: url, max: 1, onConnect, leasehold })
    const lease = await pool.leases.acquire()
    const baseline = await truthOf(lease.client)
    lease.release()
    await lease.recycled
    return new ObservedSession(pool, baseline)
  }

  get baseline(): readonly SessionFact[] {
    return this.#baseline
  }

  /** Sends the steps one after the other, as somebody does whom no error stops, and compares after each. */
  async play(steps: readonly Step[]): Promise<Outcome> {
    const lease = await this.pool.leases.acquire()
    const errors: Error[] = []
    const missing: string[] = []
    const excess: string[] = []
    let pins: readonly Pin[] = []
    let truth = this.#baseline
    for (const [at, step] of steps.entries()) {
      const error = await play(lease.client, step)
      if (error !== undefined) errors.push(error)
      pins = lease.pins
      truth = await truthOf(lease.client)
      const found = compare(pins, this.#baseline, truth)
      missing.push(...found.missing.map((fact) => `${fact} (step ${at + 1})`))
      excess.push(...found.excess.map((pin) => `${pin} (step ${at + 1})`))
    }
    lease.release()
    await lease.recycled
    const isClean = pins.length === 0 && this.#differences(truth).length === 0
    return { missing, excess, pins, errors, leftOver: isClean ? [] : await this.leftOver() }
  }

  close(): Promise<void> {
    return this.pool.close({ deadlineMs: 1_000 })
  }

  #differences(truth: readonly SessionFact[]): readonly SessionFact[] {
    return [...added(this.#baseline, truth), ...added(truth, this.#baseline)]
  }

  /** What the next owner meets that the first one did not, or the other way round. */
  async leftOver(): Promise<readonly string[]> {
    const lease = await this.pool.leases.acquire()
    const differences = this.#differences(await truthOf(lease.client))
    // One fault shall not be told once more of every sequence that follows.
    if (differences.length > 0) lease.discard('a fault was found')
    else lease.release()
    await lease.recycled
    return differences.map(({ kind, name, value }) => `${kind} ${name} ${value ?? ''}`)
  }
}

/** Past the lease's handle and the account of its effects: the question is nobody's statement. */
function truthOf(client: pg.Client): Promise<readonly SessionFact[]> {
  const { client: physical, wire } = sessionOf(client)
  const ask = (): Promise<readonly SessionFact[]> => serverTruth(physical, CUSTOM_SETTINGS)
  return wire === undefined ? ask() : wire.unbooked(ask)
}
