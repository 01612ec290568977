import type { Clock } from '../ports/clock.js'
import type { Driver } from '../ports/driver.js'
import type { Agenda } from './agenda.js'
import { bounded } from './bounded.js'
import { callSafely } from './call-safely.js'

/**
 * Closes a connection for good and resolves when its socket is gone: by the driver's farewell, or, when that takes
 * longer than `closeTimeoutMs` (a frozen peer never answers one), by destroying it. Never rejects: there is nothing
 * that anybody could still do.
 */
export async function farewell<Client>(
  driver: Driver<Client>,
  client: Client,
  bound: { readonly agenda: Agenda; readonly clock: Clock; readonly closeTimeoutMs: number },
): Promise<void> {
  try {
    await bounded(bound.agenda, bound.clock.now() + bound.closeTimeoutMs, 'closing a connection', () =>
      driver.close(client),
    )
  } catch {
    callSafely(
      () => driver.destroy?.(client),
      () => {},
    )
  }
}
