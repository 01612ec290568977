interface Layer {
  readonly savepoint: string
  rows: string[]
}

/** What one fake session has inserted: in its transaction, if one is open, and otherwise in the table of all. */
export class FakeRows {
  readonly #table: string[]
  #layers: Layer[] | undefined

  constructor(table: string[]) {
    this.#table = table
  }

  insert(row: string): void {
    ;(this.#layers?.at(-1)?.rows ?? this.#table).push(row)
  }

  /** Inside a transaction it does nothing: PostgreSQL warns, and goes on. */
  begin(): void {
    this.#layers ??= [{ savepoint: '', rows: [] }]
  }

  /** @param succeeds false for a transaction that has failed, or is rolled back. */
  end(succeeds: boolean): void {
    if (succeeds) for (const { rows } of this.#layers ?? []) this.#table.push(...rows)
    this.#layers = undefined
  }

  savepoint(name: string): void {
    this.#layers?.push({ savepoint: name, rows: [] })
  }

  /** @returns false when there is no such savepoint. */
  release(name: string): boolean {
    const at = this.#find(name)
    const below = this.#layers?.[at - 1]
    if (at < 0 || below === undefined) return false
    for (const { rows } of this.#layers?.splice(at) ?? []) below.rows.push(...rows)
    return true
  }

  /** @returns false when there is no such savepoint. */
  rollbackTo(name: string): boolean {
    const at = this.#find(name)
    if (at < 0) return false
    this.#layers?.splice(at + 1)
    const layer = this.#layers?.[at]
    if (layer !== undefined) layer.rows = []
    return true
  }

  #find(name: string): number {
    return this.#layers?.findLastIndex(({ savepoint }) => savepoint === name) ?? -1
  }
}
