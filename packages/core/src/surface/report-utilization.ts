import { channels } from '../events/channels.js'
import type { Leases } from '../lease/leases.js'
import type { Connections } from '../pool/connections.js'

const MOST_HOLDERS = 3

/** Tells that nearly all connections have been lent for a while, and who holds them longest, or that it is over. */
export function reportUtilization<Client>(
  { options, slots, queue, max }: Connections<Client>,
  leases: Leases<Client>,
  poolId: number,
  level: 'high' | 'normal',
  lastedMs: number | undefined,
): void {
  if (!channels.utilization.hasSubscribers) return
  channels.utilization.publish({
    pool: options.name,
    poolId,
    level,
    lent: slots.lent,
    max,
    waiting: queue.size,
    lastedMs,
    holders: leases.holders().slice(0, MOST_HOLDERS),
  })
}
