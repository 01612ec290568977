/** One who stores rows in `written_rows`, by an ORM on a pool, say. */
export interface Writer {
  readonly name: string
  /** Stores the row `id` once. Resolves when the database has acknowledged it, rejects when that is not known. */
  write(id: number): PromiseLike<unknown>
}
