import { describe } from 'vitest'
import { describeCancellationSweep } from './describe-cancellation-sweep.js'

// Each combination at one of four moments, and at others than its neighbours: all of them are in the long run.
describe('at a step of every cancellation the slots stay within the limit and nobody is forgotten', () => {
  describeCancellationSweep((moment, nth) => (moment + nth) % 4 === 0)
})
