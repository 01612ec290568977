import type { Pool } from '@leasehold/core'
import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'

/** Stands for a connection whose client does not exist yet, because its settings are still being asked for. */
const NOT_YET = Object.freeze({}) as pg.Client

/**
 * pg-pool's private lists, made anew at each look. Its getters (`totalCount`, `idleCount`, …), which cannot be overridden
 * in TypeScript, read them; and so do tests and tools of other people.
 */
export class ClientViews {
  readonly #clients = new Set<pg.Client>()
  readonly #leases: Pool<pg.Client>

  constructor(leases: Pool<pg.Client>) {
    this.#leases = leases
  }

  add(client: pg.Client): void {
    this.#clients.add(client)
  }

  remove(client: pg.Client): void {
    this.#clients.delete(client)
  }

  /** All that are open or being opened; one that is being closed counts no more. */
  get clients(): pg.Client[] {
    const { total, closing } = this.#leases.snapshot().connections
    return padded([...this.#clients], total - closing, NOT_YET)
  }

  get idle(): Array<{ readonly client: pg.Client }> {
    const resting = [...this.#clients].filter((client) => !sessionOf(client).isHeld)
    const items = resting.map((client) => ({ client: sessionOf(client).lastHandle ?? client }))
    return padded(items, this.#leases.snapshot().connections.idle, { client: NOT_YET })
  }

  /** Those who wait for a connection to come back; pg-pool does not count one that a connection is opened for. */
  get waiting(): object[] {
    const { waiting, connections } = this.#leases.snapshot()
    return Array.from({ length: Math.max(0, waiting.count - connections.opening) }, () => ({}))
  }

  /** Whether a client is older than connections may become, and is still in use. */
  isExpired(client: pg.Client): boolean {
    if (!this.#clients.has(client)) return false
    return Date.now() - sessionOf(client).openedAt >= this.#leases.options.maxLifetimeMs
  }
}

function padded<T>(items: T[], length: number, filler: T): T[] {
  while (items.length < length) items.push(filler)
  return items.slice(0, length)
}
