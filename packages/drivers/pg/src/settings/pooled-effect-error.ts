import { LeaseholdError } from '@leasehold/core'
import type { Behind } from './behind.js'

/** A statement would have left something on a session that is somebody else's after the transaction. It was not sent. */
export class PooledEffectError extends LeaseholdError {
  readonly behind: Behind

  /** @param effect what it would have left: `setting search_path`. */
  constructor(effect: string, behind: Behind) {
    super({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'settings',
      what: `the statement was not sent: it leaves ${effect} on a session that ${behind} hands on after the transaction`,
      remedy:
        'Declare settings on the scope, use SET LOCAL or pg_advisory_xact_lock inside a transaction, or a direct connection',
    })
    this.name = 'PooledEffectError'
    this.behind = behind
  }
}
