import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LeakKind } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { AFTER_ITS_SCOPE } from './after-its-scope.js'

/** `late`: it asked for a connection when its request was over. */
export type LeakName = LeakKind | 'late'

/** Work that leaked. */
export interface LeakPlace {
  /** `POST /mistakes/hold-too-long` */
  readonly label: string
  /** Where it asked for the connection: `orders/src/mistakes.ts:31`. Empty where no lease that leaked had its site captured. */
  readonly sites: readonly string[]
}

const examples = fileURLToPath(new URL('../..', import.meta.url))

/** Remembers what the pool says of leaks. How many there were, its snapshot knows. */
export class LeakLog {
  readonly #found = new Map<LeakName, Map<string, Set<string>>>()

  constructor({ leases }: LeasedPgPool) {
    leases.on('leak', ({ kind, label, site }) => this.#note(kind, label, site))
    leases.on('late-acquire', ({ label, site }) => this.#note('late', label, site))
  }

  places(kind: LeakName): readonly LeakPlace[] {
    return [...(this.#found.get(kind) ?? [])].map(([label, sites]) => ({ label, sites: [...sites] }))
  }

  #note(kind: LeakName, of: string, site: string | undefined): void {
    // The same line is the same leak, whichever pair was made to run it: `Fastify + Knex: POST /mistakes/throw`
    const label = of.replace(/^.*?: /, '').replace(AFTER_ITS_SCOPE, '')
    const labels = this.#found.get(kind) ?? new Map<string, Set<string>>()
    const sites = labels.get(label) ?? new Set()
    this.#found.set(kind, labels.set(label, sites))
    if (site !== undefined) sites.add(fileAndLine(site))
  }
}

/** `at holdTooLong (file:///srv/examples/orders/src/mistakes.ts:31:5)` → `orders/src/mistakes.ts:31` */
function fileAndLine(site: string): string {
  const [, place, line] = /([^()\s]+):(\d+):\d+\)?$/.exec(site) ?? []
  if (place === undefined) return site
  return `${relative(examples, place.startsWith('file:') ? fileURLToPath(place) : place)}:${line}`
}
