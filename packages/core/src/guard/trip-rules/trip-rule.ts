/**
 * What was seen of the database: a connection was opened, one could not be, or one that lay idle did not answer. A good
 * check is none of these: that an old connection lives does not tell whether a new one could be opened.
 */
export type Sighting = 'connected' | 'connect failed' | 'check failed'

/** When the circuit opens. */
export interface TripRule {
  record(sighting: Sighting, now: number): void
  /** Why the circuit must open now, as part of a sentence; undefined as long as it need not. */
  verdict(now: number): string | undefined
  /** Forgets everything: the circuit has been open. */
  reset(): void
}
