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
    /** Answered with 2xx. */
    readonly answered: number
  }
  readonly errors: {
    readonly total: number
    /** Answers with a status from 300 on. */
    readonly byStatus: Readonly<Record<string, number>>
    readonly hungUp: ClientReport['hungUp']
    /** Clients that waited, and got nothing. */
    readonly unanswered: number
  }
  /** Of the ordinary requests that were answered with 2xx. */
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
  const { sent, byStatus, hungUp, unanswered } = clients
  const [well, badly] = partition(byStatus)
  const answered = sum(well)
  return {
    ok: stillHeld === 0 && unanswered === 0 && balanceCents.before === balanceCents.after,
    seconds: round(clients.seconds),
    requests: {
      total: sent,
      perSecond: Math.round(sent / settings.seconds),
      answered,
    },
    errors: { total: sent - answered, byStatus: badly, hungUp, unanswered },
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

/** The answers with 2xx, and the others. */
function partition(byStatus: Readonly<Record<string, number>>): [Record<string, number>, Record<string, number>] {
  const isWell = ([status]: [string, number]): boolean => status.startsWith('2')
  const entries = Object.entries(byStatus)
  return [Object.fromEntries(entries.filter(isWell)), Object.fromEntries(entries.filter((entry) => !isWell(entry)))]
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, of) => total + of, 0)
}

/** To a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10
}
