import type { Stopwatch } from '../measure/stopwatch.js'
import type { Target } from './target.js'

/** What one benchmark has to say. */
export interface Report {
  readonly name: string
  /** For people. */
  readonly text: string
  readonly targets: readonly Target[]
  /** For machines: all that was measured, round by round. */
  readonly data: unknown
}

/** How a benchmark is asked to run. */
export interface Settings {
  readonly quick: boolean
  readonly stopwatch: Stopwatch
}
