import type { LeaseGate } from '@leasehold/core'
import type * as pg from 'pg'
import type { PgSession, SESSION } from '../session/pg-session.js'

export const GATE: unique symbol = Symbol('leasehold.gate')
export const NUMBER: unique symbol = Symbol('leasehold.number')

/** A handle, as its own methods see it. The session comes from the physical client, by the prototypes. */
export interface LeaseHandle extends pg.Client {
  readonly [GATE]: LeaseGate
  readonly [NUMBER]: number
  readonly [SESSION]: PgSession
  release(said?: unknown): void
}
