import type { Journal } from './journal.js'
import type { Stage } from './stage.js'

/** Without a key: what was run twice shall be seen, and not be refused. */
export const WRITTEN_ROWS = 'create table written_rows (id int not null)'

interface StoredRow {
  readonly id: number
  readonly times: number
}

export interface Verdict {
  /** Acknowledged, and not there. */
  readonly lost: readonly number[]
  /** There more than once. */
  readonly twice: readonly number[]
  /** There, and nobody asked for them. */
  readonly unasked: readonly number[]
}

/** Compares what was acknowledged with what is stored. What was not acknowledged may be there or not. */
export async function judgeWrittenRows(ask: Stage['ask'], journal: Journal): Promise<Verdict> {
  const rows = await ask<StoredRow>('select id, count(*)::int as times from written_rows group by id')
  const stored = new Map(rows.map(({ id, times }) => [id, times]))
  const asked = new Set(journal.attempts.map(({ id }) => id))
  const acknowledged = journal.attempts.filter(({ outcome }) => outcome?.is === 'acknowledged')
  return {
    lost: acknowledged.map(({ id }) => id).filter((id) => !stored.has(id)),
    twice: [...stored].filter(([, times]) => times > 1).map(([id]) => id),
    unasked: [...stored.keys()].filter((id) => !asked.has(id)),
  }
}
