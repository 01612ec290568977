/** Stands between pg and what it sends, and has the server keep statements that pg sends as unnamed ones. */
export interface StatementKeeper {
  /** A simple Query goes out: on the server there is no unnamed statement after it. */
  queries(text: unknown): void
  /**
   * @param isAlone whether nothing goes out in front of it.
   * @returns what to send in its place; undefined where the server has it already.
   */
  parses(message: unknown, isAlone: boolean): unknown
  /** @returns what to send in its place; the same of `describes`. */
  binds(message: unknown): unknown
  describes(message: unknown): unknown
  executes(message: unknown): void
  closes(): void
  /**
   * Told what the server says, but rows, before the watch and pg are.
   *
   * @returns whether nobody else is to see it.
   */
  receives(event: string | symbol, message: unknown): boolean
}
