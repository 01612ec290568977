import type { Connections } from '../pool/connections.js'
import { ForgottenWatch } from './forgotten-watch.js'
import { idleInTransaction } from './idle-in-transaction.js'
import type { LeakReports } from './leak-reports.js'
import { nextOverdue } from './leak-watch.js'
import type { LeaseEnd } from './lease-end.js'
import type { Lending } from './lending.js'
import { PinWatch } from './pin-watch.js'

/** Looks after leases that go on, at the pool's wake-ups: which of them have leaked, and what becomes of those. */
export class LeaseWatch<Client> {
  readonly #connections: Connections<Client>
  readonly #reports: LeakReports<Client>
  readonly #pins: PinWatch<Client>
  /** Undefined where handles cannot be forgotten, or nobody wants to know. */
  readonly forgotten: ForgottenWatch<Client> | undefined
  readonly #lookAfterMs: number
  readonly #lookAfterLongMs: number

  constructor(connections: Connections<Client>, reports: LeakReports<Client>) {
    const { options, driver } = connections
    const { leaks } = options
    this.#connections = connections
    this.#reports = reports
    this.#pins = new PinWatch((...of) => connections.reports.pinOverdue(...of))
    const follows = leaks.forgotten !== 'off' && driver.lend !== undefined
    this.forgotten = follows ? new ForgottenWatch((lending) => this.#takeForgotten(lending)) : undefined
    const never = Number.POSITIVE_INFINITY
    this.#lookAfterLongMs = Math.min(
      leaks.idleInTransaction === 'off' ? never : options.idleInTransactionMs,
      this.forgotten?.nextLook(0) ?? never,
    )
    this.#lookAfterMs = Math.min(this.#lookAfterLongMs, leaks.overdue === 'off' ? never : options.leakAfterMs)
  }

  /** When a lease granted at `now` must be looked at. */
  firstLook(now: number, isLong: boolean): number {
    return now + (isLong ? this.#lookAfterLongMs : this.#lookAfterMs)
  }

  /** Does what is due, and returns when the next thing may be. */
  look(lendings: ReadonlyArray<Lending<Client>>, now: number): number {
    return Math.min(
      this.#lookForOverdue(lendings, now),
      this.#lookForIdleTransactions(lendings, now),
      this.forgotten?.look(lendings, now) ?? Number.POSITIVE_INFINITY,
      this.#pins.look(lendings, now, this.#connections.options.pinWarnMs),
    )
  }

  #lookForOverdue(lendings: ReadonlyArray<Lending<Client>>, now: number): number {
    const { leaks, leakAfterMs, observe } = this.#connections.options
    if (leaks.overdue === 'off') return Number.POSITIVE_INFINITY
    const { overdue, nextAt } = nextOverdue(lendings, now, leakAfterMs)
    for (const lending of overdue) {
      lending.overdue = true
      const isReclaimed = leaks.overdue === 'reclaim' && !observe
      this.#reports.report('overdue', lending, isReclaimed)
      if (leaks.overdue === 'reclaim') this.#reclaim(lending, 'it was held for too long')
    }
    return nextAt
  }

  #lookForIdleTransactions(lendings: ReadonlyArray<Lending<Client>>, now: number): number {
    const { leaks, idleInTransactionMs, observe } = this.#connections.options
    const action = leaks.idleInTransaction
    if (action === 'off') return Number.POSITIVE_INFINITY
    const { found, nextAt } = idleInTransaction(lendings, now, idleInTransactionMs)
    for (const lending of found) {
      // It may have been taken back a moment ago because it was overdue.
      if (!lending.open) continue
      this.#reports.report('idle-in-transaction', lending, action === 'reclaim' && !observe)
      if (action === 'reclaim') this.#reclaim(lending, 'its transaction was idle for too long')
    }
    return nextAt
  }

  #takeForgotten(lending: Lending<Client>): void {
    const { leaks, observe } = this.#connections.options
    const isReclaimed = leaks.forgotten === 'reclaim' && !observe
    if (!isReclaimed) {
      this.#reports.report('forgotten', lending, false)
      if (observe && leaks.forgotten === 'reclaim') this.#reclaim(lending, 'it was forgotten')
      return
    }
    // Somebody may still wait for the answer of its last statement, or read from its cursor.
    lending.connection.ledger.onQuiet(() => {
      if (!lending.open) return
      this.#reports.report('forgotten', lending, true)
      this.#reclaim(lending, 'it was forgotten')
    })
  }

  #reclaim(lending: Lending<Client>, why: LeaseEnd): void {
    if (this.#connections.options.observe) this.#reports.wouldDo('reclaim', why, lending.label)
    else lending.end(why)
  }
}
