import type { Leases } from '../lease/leases.js'
import type { Breaker } from '../guard/breaker.js'
import type { Connections } from '../pool/connections.js'
import type { Refusals } from './refusals.js'
import type { ScopePlaces } from './scope-places.js'
import type { PoolSnapshot } from './snapshot.js'

export interface SnapshotParts<Client> {
  readonly connections: Connections<Client>
  readonly leases: Leases<Client>
  readonly refusals: Refusals<Client>
  readonly places: ScopePlaces | undefined
  readonly lateAcquires: number
}

/** Puts together what the layers know, as a copy that nobody else holds. */
export function takeSnapshot<Client>(parts: SnapshotParts<Client>): PoolSnapshot {
  const { connections, leases, refusals, places, lateAcquires } = parts
  const { options, slots, queue, lastConnectFailure } = connections
  const { counts } = connections.reports
  const { granted, released, heldMs, busyMs, leaks, leakSites } = leases.totals
  const now = options.clock.now()
  const highForMs = connections.utilization.highForMs(now)
  let oldestMs = 0
  for (const waiter of queue) oldestMs = Math.max(oldestMs, now - waiter.since)
  return {
    name: options.name,
    driver: connections.driver.name,
    state: connections.state.is,
    min: options.min,
    max: connections.max,
    overflow: options.overflow,
    effectiveMax: slots.limit,
    generation: connections.generation,
    connections: {
      total: slots.total,
      idle: slots.idle,
      lent: slots.lent,
      opening: slots.opening,
      checking: slots.checking,
      recycling: slots.recycling,
      closing: slots.closing,
      peak: slots.peak,
    },
    breaker: snapshotOf(connections.breaker, now),
    waiting: {
      count: queue.size,
      oldestMs,
      high: queue.sizeOf('high'),
      normal: queue.sizeOf('normal'),
      low: queue.sizeOf('low'),
      forScope: places?.waiting ?? 0,
    },
    holders: leases.holders(),
    utilization: {
      share: slots.lent / connections.max,
      level: highForMs === undefined ? 'normal' : 'high',
      highForMs: highForMs ?? 0,
    },
    counts: {
      granted,
      released,
      timeouts: refusals.timeouts,
      refused: refusals.refused,
      shed: refusals.shedCallers,
      circuitOpen: counts.circuitOpen,
      aborted: refusals.aborted,
      opened: counts.opened,
      openFailed: counts.openFailed,
      checked: counts.checked,
      ledgerDiffers: counts.ledgerDiffers,
      closed: { ...counts.closed },
      reset: { ...counts.reset },
      pins: { ...counts.pins },
      leaks,
      lateAcquires,
    },
    leakSites,
    time: { heldMs, busyMs },
    lastConnectFailure:
      lastConnectFailure === undefined
        ? undefined
        : { message: lastConnectFailure.message, code: lastConnectFailure.code },
  }
}

function snapshotOf({ state, failures }: Breaker, now: number): PoolSnapshot['breaker'] {
  const cause = state.is === 'open' || state.is === 'half-open' ? state.cause : undefined
  return {
    state: state.is,
    failures,
    retryAfterMs: state.is === 'open' ? Math.max(0, state.probeAt - now) : undefined,
    lastError: cause instanceof Error ? { message: cause.message, code: codeOf(cause) } : undefined,
  }
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}
