import type { Lending } from '../lease/lending.js'
import type { Scope } from '../scope/scope.js'
import type { Asked } from './asked.js'

/** How one caller comes by the session that it shares. */
export interface SharedSessionSteps<Client> {
  /** Asks for the session itself. Throws when nothing more is granted in the scope's name. */
  ask(shared: Asked): Promise<Lending<Client>>
  /** Waits for what another caller has asked for, no longer than this one's own deadline and signal allow. */
  waitFor<T>(asked: Promise<T>): Promise<T>
}

/**
 * The one lease of a scope in `session` mode, for its leases to share: granted at the first query, and once more if its
 * connection was lost meanwhile. Callers that come while it is being granted wait for it together; if the first one
 * gives up, the next asks for itself.
 */
export async function acquireShared<Client>(
  poolId: number,
  scope: Scope,
  asked: Asked,
  steps: SharedSessionSteps<Client>,
): Promise<Lending<Client>> {
  for (;;) {
    const shared = scope.sharedOn<Lending<Client>>(poolId)
    if (shared === undefined) {
      const granted = steps.ask(asked.shared())
      scope.shareOn(poolId, granted)
      try {
        return await granted
      } catch (error) {
        scope.shareOn(poolId, undefined)
        throw error
      }
    }
    const lending = await steps.waitFor(shared.catch(() => undefined))
    if (lending?.open === true && lending.connection.ledger.lostBy === undefined) return lending
    if (scope.sharedOn(poolId) !== shared) continue
    scope.shareOn(poolId, undefined)
    lending?.release()
  }
}
