import { describeClockContract } from '@leasehold/testkit/contracts'
import { vi } from 'vitest'
import { systemClock } from './system-clock.js'

describeClockContract('the system clock', () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  return {
    clock: systemClock,
    pass: (ms) => {
      vi.advanceTimersByTime(ms)
    },
    stop: () => {
      vi.useRealTimers()
    },
  }
})
