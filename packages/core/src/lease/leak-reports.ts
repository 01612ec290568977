import { channels } from '../events/channels.js'
import type { LeakEvent, LeakKind } from '../events/pool-events.js'
import type { CallSites } from './call-sites.js'
import { describeLending } from './describe-lending.js'
import { type LeakSite, LeakSites } from './leak-sites.js'
import type { Lending } from './lending.js'

/** Counts leaks, sums them up by call site, and tells them to those who listen. */
export class LeakReports<Client> {
  readonly #pool: string
  readonly #poolId: number
  readonly #callSites: CallSites
  readonly #counts: Record<LeakKind, number> = { overdue: 0, 'left-over': 0, forgotten: 0, 'idle-in-transaction': 0 }
  readonly #sites = new LeakSites()

  constructor(pool: string, poolId: number, callSites: CallSites) {
    this.#pool = pool
    this.#poolId = poolId
    this.#callSites = callSites
  }

  get counts(): Readonly<Record<LeakKind, number>> {
    return { ...this.#counts }
  }

  get sites(): readonly LeakSite[] {
    return this.#sites.all
  }

  /** @param reclaimed whether the connection is being taken back. */
  report(kind: LeakKind, lending: Lending<Client>, reclaimed: boolean): void {
    const now = lending.desk.now()
    const { label, site } = lending
    this.#counts[kind] += 1
    this.#sites.note(kind, label, site, now)
    this.#callSites.suspect(label)
    if (channels.leak.hasSubscribers) channels.leak.publish(this.#describe(kind, lending, reclaimed, now))
  }

  /** An overdue lease has come back after all. */
  returned(lending: Lending<Client>, now: number): void {
    if (!channels['leak-returned'].hasSubscribers) return
    channels['leak-returned'].publish(this.#describe('overdue', lending, false, now))
  }

  /** The pool only observes. */
  wouldDo(would: 'refuse' | 'reclaim', why: string, label: string): void {
    if (!channels.observe.hasSubscribers) return
    channels.observe.publish({ pool: this.#pool, poolId: this.#poolId, would, why, label })
  }

  #describe(kind: LeakKind, lending: Lending<Client>, reclaimed: boolean, now: number): LeakEvent {
    const connection = lending.connection.id
    const { pool, poolId } = { pool: this.#pool, poolId: this.#poolId }
    return { pool, poolId, kind, reclaimed, connection, ...describeLending(lending, now) }
  }
}
