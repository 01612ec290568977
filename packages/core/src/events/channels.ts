import { channel, type Channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel'

/**
 * The one way out of core: metrics, logs, traces and `pool.on` subscribe here. Whoever publishes looks at
 * `hasSubscribers` first and builds the message only then, so that it costs nothing while nobody listens.
 */
export const acquireChannel: TracingChannel<object> = tracingChannel('leasehold:pool:acquire')

/** Channel by the event's name in `pool.on`; `acquire` is the tracing channel's end. */
export const channels = {
  acquire: channel('tracing:leasehold:pool:acquire:asyncEnd'),
  release: channel('leasehold:lease:release'),
  open: channel('leasehold:connection:open'),
  'open-failed': channel('leasehold:connection:open-failed'),
  breaker: channel('leasehold:breaker'),
  failover: channel('leasehold:pool:failover'),
  close: channel('leasehold:connection:close'),
  reset: channel('leasehold:connection:reset'),
  pin: channel('leasehold:pin'),
  'pin-overdue': channel('leasehold:pin:overdue'),
  'ledger-differs': channel('leasehold:ledger:differs'),
  leak: channel('leasehold:leak'),
  'leak-returned': channel('leasehold:leak:returned'),
  'late-acquire': channel('leasehold:scope:late-acquire'),
  'transaction-escape': channel('leasehold:transaction:escape'),
  timeout: channel('leasehold:pool:timeout'),
  shed: channel('leasehold:pool:shed'),
  utilization: channel('leasehold:pool:utilization'),
  observe: channel('leasehold:pool:observe'),
} as const satisfies Record<string, Channel>
