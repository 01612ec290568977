import type { PoolSnapshot } from '@leasehold/core'
import type { ClientResult } from './client-process.js'
import type { LeakLog, LeakName, LeakPlace } from './leak-log.js'
import type { PairLog } from './pair-log.js'
import type { Pair } from './start-pairs.js'
import type { HangUp, Outcome } from './tally.js'

/** What became of requests. */
interface Requests {
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
    readonly hungUp: Readonly<Record<HangUp, number>>
    /** Clients that waited, and got nothing. */
    readonly unanswered: number
  }
  /** Of the ordinary requests that were answered with 2xx. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** Over all leases: how long they were held, and how much of that the database worked. */
interface Time {
  readonly held: number
  readonly busy: number
}

/** One framework with one ORM. */
export interface PairSummary extends Requests {
  readonly framework: string
  readonly orm: string
  readonly leases: { readonly granted: number }
  readonly timeMs: Time
  /** How many of each kind; late ones, if they got a connection. */
  readonly leaks: Readonly<Record<LeakName, number>>
  /** Connections that it held when all requests were over. */
  readonly stillHeld: number
}

/** What the demo has to say at its end: `--json` prints it as it is, the table shows it. */
export interface Summary extends Requests {
  /** All connections are back, no request is without its answer, and no money was made or lost. */
  readonly ok: boolean
  readonly seconds: number
  readonly pairs: readonly PairSummary[]
  readonly connections: {
    readonly max: number
    readonly opened: number
    readonly peak: number
    /** Held by anybody when all requests were over. */
    readonly stillHeld: number
  }
  readonly leases: { readonly granted: number; readonly perConnection: number }
  readonly timeMs: Time
  readonly leaks: Readonly<Record<LeakName, { readonly count: number; readonly places: readonly LeakPlace[] }>>
  /** What was left on sessions and cleaned away before the next owner. */
  readonly cleaned: PoolSnapshot['counts']['reset']
  /** The money of all accounts. */
  readonly balanceCents: { readonly before: number; readonly after: number }
}

export interface Findings {
  /** How long there was load. */
  readonly seconds: number
  readonly pairs: readonly Omit<Pair, 'service'>[]
  readonly clients: ClientResult
  /** The pool when all requests were over. */
  readonly after: PoolSnapshot
  readonly leaks: LeakLog
  readonly leases: PairLog
  readonly balanceCents: Summary['balanceCents']
}

export function summarize({ seconds, pairs, clients, after, leaks, leases, balanceCents }: Findings): Summary {
  const { connections, counts, time } = after
  const stillHeld = connections.lent + connections.recycling
  return {
    ok: stillHeld === 0 && clients.total.unanswered === 0 && balanceCents.before === balanceCents.after,
    seconds: round(clients.seconds),
    ...requestsOf(clients.total, seconds),
    connections: { max: after.max, opened: counts.opened, peak: connections.peak, stillHeld },
    leases: { granted: counts.granted, perConnection: round(counts.granted / Math.max(1, counts.opened)) },
    timeMs: { held: Math.round(time.heldMs), busy: Math.round(time.busyMs) },
    leaks: {
      overdue: { count: counts.leaks.overdue, places: leaks.places('overdue') },
      'left-over': { count: counts.leaks['left-over'], places: leaks.places('left-over') },
      forgotten: { count: counts.leaks.forgotten, places: leaks.places('forgotten') },
      'idle-in-transaction': {
        count: counts.leaks['idle-in-transaction'],
        places: leaks.places('idle-in-transaction'),
      },
      late: { count: counts.lateAcquires, places: leaks.places('late') },
    },
    cleaned: counts.reset,
    balanceCents,
    pairs: pairs.map(({ name, framework, orm }) => {
      const { granted, released, heldMs, busyMs, leaks: leaked } = leases.of(name)
      return {
        framework,
        orm,
        ...requestsOf(clients.pairs[name], seconds),
        leases: { granted },
        timeMs: { held: Math.round(heldMs), busy: Math.round(busyMs) },
        leaks: leaked,
        stillHeld: granted - released,
      }
    }),
  }
}

function requestsOf(outcome: Outcome | undefined, seconds: number): Requests {
  if (outcome === undefined) throw new Error('the clients have said nothing of a pair')
  const { sent, byStatus, hungUp, unanswered, latencyMs } = outcome
  const [well, badly] = partition(byStatus)
  const answered = sum(well)
  return {
    requests: { total: sent, perSecond: Math.round(sent / seconds), answered },
    errors: { total: sent - answered, byStatus: badly, hungUp, unanswered },
    latencyMs: { p50: round(latencyMs.p50), p99: round(latencyMs.p99) },
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
