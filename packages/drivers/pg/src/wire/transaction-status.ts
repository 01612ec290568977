import type * as pg from 'pg'
import type { WireWatch } from './wire-watch.js'

const LETTERS = { idle: 'I', open: 'T', failed: 'E' } as const

/** Gives the client of a pg before 8.21 the method that tells whether a transaction is open: others ask it. */
export function addTransactionStatus(client: pg.Client, wire: WireWatch): void {
  if (typeof (client as Partial<pg.Client>).getTransactionStatus === 'function') return
  client.getTransactionStatus = () => LETTERS[wire.transaction]
}
