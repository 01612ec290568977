import type { LeakKind } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { AFTER_ITS_SCOPE } from './after-its-scope.js'
import type { LeakName } from './leak-log.js'

/** What the pool says of the leases of one pair. */
export interface PairLeases {
  readonly granted: number
  readonly released: number
  readonly heldMs: number
  readonly busyMs: number
  readonly leaks: Readonly<Record<LeakName, number>>
}

/** Counts the leases of each pair: their labels begin with its name. */
export class PairLog {
  readonly #pairs = new Map<string, PairLeases>()

  constructor({ leases }: LeasedPgPool) {
    leases.on('acquire', ({ label }) =>
      this.#note(label, (pair) => ({
        ...pair,
        granted: pair.granted + 1,
        leaks: { ...pair.leaks, late: pair.leaks.late + (AFTER_ITS_SCOPE.test(label) ? 1 : 0) },
      })),
    )
    leases.on('release', ({ label, heldMs, busyMs }) =>
      this.#note(label, (pair) => ({
        ...pair,
        released: pair.released + 1,
        heldMs: pair.heldMs + heldMs,
        busyMs: pair.busyMs + busyMs,
      })),
    )
    leases.on('leak', ({ kind, label }) => this.#note(label, (pair) => withLeak(pair, kind)))
  }

  of(name: string): PairLeases {
    return (
      this.#pairs.get(name) ?? {
        granted: 0,
        released: 0,
        heldMs: 0,
        busyMs: 0,
        leaks: { overdue: 0, 'left-over': 0, forgotten: 0, 'idle-in-transaction': 0, late: 0 },
      }
    )
  }

  #note(label: string, change: (pair: PairLeases) => PairLeases): void {
    const [name = ''] = label.split(': ', 1)
    this.#pairs.set(name, change(this.of(name)))
  }
}

function withLeak(pair: PairLeases, kind: LeakKind): PairLeases {
  return { ...pair, leaks: { ...pair.leaks, [kind]: pair.leaks[kind] + 1 } }
}
