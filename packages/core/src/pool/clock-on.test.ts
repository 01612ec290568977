import { performance } from 'node:perf_hooks'
import { describeClockContract } from '@leasehold/testkit/contracts'
import { vi } from 'vitest'
import { clockOn } from './clock-on.js'

describeClockContract('the machine’s clock on timers', () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const reading = vi.spyOn(performance, 'now').mockImplementation(() => Date.now())
  return {
    clock: clockOn(globalThis),
    pass: (ms) => {
      vi.advanceTimersByTime(ms)
    },
    stop: () => {
      reading.mockRestore()
      vi.useRealTimers()
    },
  }
})
