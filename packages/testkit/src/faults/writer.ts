/** One way to the database: an ORM on a pool, say. What it writes is `WRITE`, or does the same. */
export interface Writer {
  readonly name: string
  /** Stores the row `id` once. Resolves when the database has acknowledged it, rejects when that is not known. */
  write(id: number): PromiseLike<unknown>
}
