import type { PoolSnapshot } from '@leasehold/core'
import type { ClientReport } from './client-process.js'
import type { LeakLog, LeakName, LeakPlace } from './leak-log.js'
import { settings } from './settings.js'

/** What the demo has to say at its end: `--json` prints it as it is, the table shows it. */
export interface Summary {
  /** All connections are back, no request is without its answer, and no money was made or lost. */
  readonly ok: boolean
  readonly seconds: number
  readonly requests: {
    readonly total: number
    readonly perSecond: number
    /** Answers of each status. */
    readonly byStatus: Readonly<Record<string, number>>
    readonly hungUp: ClientReport['hungUp']
    readonly unanswered: number
  }
  /** Of the ordinary requests that were answered well. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly connections: {
    readonly max: number
    readonly opened: number
    readonly peak: number
    /** Held by anybody when all requests were over. */
    readonly stillHeld: number
  }
  readonly leases: { readonly granted: number; readonly perConnection: number }
  /** Over all leases: how long they were held, and how much of that the database worked. */
  readonly timeMs: { readonly held: number; readonly busy: number }
  readonly leaks: Readonly<Record<LeakName, { readonly count: number; readonly places: readonly LeakPlace[] }>>
  /** What was left on sessions and cleaned away before the next owner. */
  readonly cleaned: PoolSnapshot['counts']['reset']
  /** The money of all accounts. */
  readonly balanceCents: { readonly before: number; readonly after: number }
}

/** @param after is the pool when all requests were over. */
export function summarize(
  clients: ClientReport,
  after: PoolSnapshot,
  leaks: LeakLog,
  balanceCents: Summary['balanceCents'],
): Summary {
  const { connections, counts, time } = after
  const stillHeld = connections.lent + connections.recycling
  return {
    ok: stillHeld === 0 && clients.unanswered === 0 && balanceCents.before === balanceCents.after,
    seconds: round(clients.seconds),
    requests: {
      total: clients.sent,
      perSecond: Math.round(clients.sent / settings.seconds),
      byStatus: clients.byStatus,
      hungUp: clients.hungUp,
      unanswered: clients.unanswered,
    },
    latencyMs: { p50: round(clients.latencyMs?.p50 ?? 0), p99: round(clients.latencyMs?.p99 ?? 0) },
    connections: { max: after.max, opened: counts.opened, peak: connections.peak, stillHeld },
    leases: { granted: counts.granted, perConnection: round(counts.granted / Math.max(1, counts.opened)) },
    timeMs: { held: Math.round(time.heldMs), busy: Math.round(time.busyMs) },
    leaks: {
      overdue: { count: counts.leaks.overdue, places: leaks.places('overdue') },
      'left-over': { count: counts.leaks['left-over'], places: leaks.places('left-over') },
      late: { count: counts.lateAcquires, places: leaks.places('late') },
    },
    cleaned: counts.reset,
    balanceCents,
  }
}

/** To a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10
}
