import { describe } from 'vitest'
import { describeCancellationSweep } from './describe-cancellation-sweep.js'

describe('at every step of every cancellation the slots stay within the limit and nobody is forgotten', () => {
  describeCancellationSweep(() => true)
})
