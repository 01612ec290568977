import { performance } from 'node:perf_hooks'
import { describeClockContract } from '@leasehold/testkit/contracts'
import { vi } from 'vitest'
import { systemClock } from './system-clock.js'

describeClockContract('the system clock', () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const reading = vi.spyOn(performance, 'now').mockImplementation(() => Date.now())
  return {
    clock: systemClock,
    pass: (ms) => {
      vi.advanceTimersByTime(ms)
    },
    stop: () => {
      reading.mockRestore()
      vi.useRealTimers()
    },
  }
})
