/** What one trouble did to the callers of one contestant. */
export interface Played {
  readonly trouble: string
  /** From the trouble's beginning until the first caller was told; undefined if all were served. */
  readonly firstKnowsMs?: number | undefined
  readonly refused: number
  /** How long a refused caller waited at most. */
  readonly longestMs: number
  /** Refused because the circuit was open, and how long half of them waited. */
  readonly shed: { readonly callers: number; readonly medianMs: number }
  readonly dials: number
  /** From the trouble's end until all writers were served; undefined if they were not within 15 s. */
  readonly backAfterMs?: number | undefined
  /** Callers who wait for ever. */
  readonly neverTold: number
  readonly lost: number
  readonly twice: number
  /** Lent, waited for or on its way when nobody asks for anything any more. */
  readonly left: number
}
