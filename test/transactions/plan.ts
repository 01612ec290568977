import type { Propagation } from '@leasehold/core'

/** A transaction that is asked for, and what is done in it. */
export interface Plan {
  /** `own`: by the ORM's own way to begin one; else by `pool.transaction`, whose work is then done on the root object. */
  readonly asks: Propagation | 'own'
  /** Who does it: a place in a list of members. */
  readonly by: number
  readonly steps: readonly Step[]
  /** Whether who has asked for it goes on when it fails. */
  readonly isCaught: boolean
}

export type Step =
  | { readonly does: 'insert'; readonly row: string }
  | { readonly does: 'throw' }
  /** A statement that the server refuses. */
  | { readonly does: 'fail'; readonly isSwallowed: boolean }
  | { readonly does: 'ask'; readonly plan: Plan }

/** How a transaction ended for who had asked for it: what it threw of its own, a statement's error, or a refusal of ours. */
export type End = 'fulfilled' | 'thrown' | 'statement failed' | 'conflict'

/** What became of a plan. */
export interface Fate {
  /** Sorted. */
  readonly rows: readonly string[]
  /** Of all transactions that were asked for, in this order. */
  readonly ends: readonly End[]
}

export const insert = (row: string): Step => ({ does: 'insert', row })
export const ask = (plan: Plan): Step => ({ does: 'ask', plan })

/** As a line to be read in the report of a failing test. */
export function describePlan({ asks, by, steps, isCaught }: Plan, names: readonly string[]): string {
  const done = steps.map((step) => {
    if (step.does === 'ask') return describePlan(step.plan, names)
    if (step.does === 'insert') return step.row
    return step.does === 'fail' && step.isSwallowed ? 'fail, swallowed' : step.does
  })
  return `${asks} by ${names[by]} (${done.join(', ')})${isCaught ? ' caught' : ''}`
}
