import type { Tally } from './tally.js'

/** A service, as its clients see it. */
export interface Target {
  readonly url: string
  /** What became of its requests. */
  readonly tally: Tally
}
