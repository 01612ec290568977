import type { Lending } from '../lease/lending.js'
import type { Scope } from '../scope/scope.js'
import type { Asked } from './asked.js'

/**
 * The one lease of a scope in `session` mode, for its leases to share: granted at the first query, and once more if its
 * connection was lost meanwhile. Callers that come while it is being granted wait for it together; if the first one
 * gives up, the next asks for itself.
 */
export async function acquireShared<Client>(
  poolId: number,
  scope: Scope,
  asked: Asked,
  grant: (shared: Asked) => Promise<Lending<Client>>,
): Promise<Lending<Client>> {
  for (;;) {
    const shared = scope.sharedOn<Lending<Client>>(poolId)
    if (shared === undefined) {
      const granted = grant(asked.shared())
      scope.shareOn(poolId, granted)
      try {
        return await granted
      } catch (error) {
        scope.shareOn(poolId, undefined)
        throw error
      }
    }
    const lending = await shared.catch(() => undefined)
    if (lending?.open === true && lending.connection.ledger.lostBy === undefined) return lending
    if (scope.sharedOn(poolId) !== shared) continue
    scope.shareOn(poolId, undefined)
    lending?.release()
  }
}
