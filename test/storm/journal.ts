/** A transaction, as far as whoever ran it was told. */
export interface TransactionRecord {
  /** The one that it is a part of. */
  readonly parent: TransactionRecord | undefined
  came: 'to nothing yet' | 'committed' | 'failed' | 'in doubt'
}

interface WrittenRow {
  readonly by: string
  readonly transaction: TransactionRecord | undefined
  /** On a session that all of its request share: what one of them begins and leaves open, another may end. */
  readonly isShared: boolean
  came: 'to nothing yet' | 'answered' | 'refused'
}

/** What became of a row: `either` where nobody can know. */
export type Fate = 'there' | 'not there' | 'either'

/** What requests wrote and read, and were told of it; and what they must never have met. */
export class Journal {
  readonly #rows = new Map<string, WrittenRow>()
  readonly #seen = new Map<string, string>()
  readonly faults: string[] = []
  /** What each request does now, in the order in which it began with it. */
  readonly doing = new Map<string, string[]>()
  /** How often what came about: a storm in which nothing is committed shows nothing. */
  readonly told = new Map<string, number>()

  counts(what: string): void {
    this.told.set(what, (this.told.get(what) ?? 0) + 1)
  }

  /** Something that must never be. */
  never(what: string): void {
    this.faults.push(what)
  }

  writes(
    by: string,
    transaction: TransactionRecord | undefined,
    isShared: boolean,
  ): { readonly id: string; came(to: 'answered' | 'refused'): void } {
    const id = `${by} ${this.#rows.size}`
    const row: WrittenRow = { by, transaction, isShared, came: 'to nothing yet' }
    this.#rows.set(id, row)
    return { id, came: (to) => (row.came = to) }
  }

  /** `by` has read the row of somebody. */
  sees(id: string, by: string): void {
    if (this.#rows.get(id)?.by !== by) this.#seen.set(id, by)
  }

  /** Compares with what is there. */
  settle(there: readonly string[]): void {
    const times = new Map<string, number>()
    for (const id of there) times.set(id, (times.get(id) ?? 0) + 1)
    for (const [id, row] of this.#rows) {
      const count = times.get(id) ?? 0
      const fate = fateOf(row)
      this.counts(`row ${fate}`)
      if (count > 1) this.never(`row "${id}" is there ${count} times`)
      if (fate === 'there' && count === 0) this.never(`row "${id}" was committed and is not there`)
      if (fate === 'not there' && count > 0) this.never(`row "${id}" is there, and its transaction has failed`)
      const reader = this.#seen.get(id)
      if (reader !== undefined && count === 0) this.never(`row "${id}" was read by ${reader} and was never committed`)
    }
  }
}

function fateOf({ transaction, isShared, came }: WrittenRow): Fate {
  if (isShared) return 'either'
  const outcomes = new Set<string>()
  for (let each = transaction; each !== undefined; each = each.parent) outcomes.add(each.came)
  if (outcomes.has('failed') || outcomes.has('to nothing yet')) return 'not there'
  if (outcomes.size === 0) return came === 'answered' ? 'there' : 'either'
  // The server does not commit what a statement has failed in.
  if (came !== 'answered') return 'not there'
  return outcomes.has('in doubt') ? 'either' : 'there'
}
