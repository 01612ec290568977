import type { Holder } from '../errors/holder.js'
import { redacted } from '../pool/redacted.js'
import type { Lending } from './lending.js'

/** A lease as errors, events and snapshots show it. */
export function describeLending<Client>(lending: Lending<Client>, now: number): Holder {
  const { connection, desk } = lending
  const { statement } = connection.ledger
  return {
    label: lending.label,
    site: lending.site,
    isLong: lending.terms.isLong,
    heldMs: lending.heldMs(now),
    busyMs: lending.busyMs(now),
    statement: redacted(desk.driver, statement),
    pins: desk.pinsOf(lending, now),
  }
}
