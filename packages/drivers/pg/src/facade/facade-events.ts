import type { EventEmitter } from 'node:events'
import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'
import type { SessionEvents } from '../session/session-events.js'
import { countUse } from '../wire/pg-privates.js'
import type { ClientViews } from './client-views.js'
import { emitSafely } from './emit-safely.js'
import type { SortedOptions } from './facade-options.js'
import { IdleFloor } from './idle-floor.js'

interface Facade extends EventEmitter {
  readonly log: (...messages: unknown[]) => void
  readonly totalCount: number
  readonly options: { readonly maxUses: number }
}

/** Tells what happens to connections in pg-pool's events and words. */
export class FacadeEvents implements SessionEvents {
  readonly #facade: Facade
  readonly #floor: IdleFloor | undefined
  readonly #early: pg.Client[] = []
  #views: ClientViews | undefined

  constructor(facade: Facade, floor: SortedOptions['idleFloor']) {
    this.#facade = facade
    this.#floor = floor && new IdleFloor(floor, () => facade.totalCount)
  }

  /** Connections may be under way by now: a pool that warms up opens some as soon as it is made. */
  start(views: ClientViews): void {
    this.#views = views
    for (const client of this.#early.splice(0)) views.add(client)
  }

  opening(client: pg.Client): void {
    this.#facade.log('connecting new client')
    if (this.#views === undefined) this.#early.push(client)
    else this.#views.add(client)
  }

  closing(client: pg.Client): void {
    this.#views?.remove(client)
  }

  closed(last: pg.Client): void {
    emitSafely(this.#facade, 'remove', last)
  }

  lostIdle(error: Error, last: pg.Client): void {
    ;(error as Error & { client?: pg.Client }).client = last
    // Nobody listens: then nobody wants to know, and that must not end the process.
    if (this.#facade.listenerCount('error') > 0) emitSafely(this.#facade, 'error', error, last)
  }

  introduced(handle: pg.Client): void {
    this.#facade.log('new client connected')
    emitSafely(this.#facade, 'connect', handle)
  }

  released(said: unknown, handle: pg.Client): void {
    const { client } = sessionOf(handle)
    if (countUse(client) >= this.#facade.options.maxUses) this.#facade.log('remove expended client')
    this.#floor?.rests(client)
    emitSafely(this.#facade, 'release', said, handle)
  }
}
