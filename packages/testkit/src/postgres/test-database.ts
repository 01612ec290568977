/** A database of its own, for one test file. */
export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** Ends every session in it and removes it. Calling it again is harmless. */
  readonly drop: () => Promise<void>
}
